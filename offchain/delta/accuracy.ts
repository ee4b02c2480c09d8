// The twin of contracts/DeltaOneAccuracy.sol: the DeltaOne score of an accuracy, of two classes or more.

import { HokusaiError } from '../errors.ts';
import { ceilDiv, ceilSqrt, type Figures, floorDiv, LANES, lanes, requireThat } from './counts.ts';

/** How two models fared on the same n rows. */
export interface Counts {
  /** Rows, 0 to 2^34 - 8. */
  n: bigint;
  /** Rows that the candidate fixed: the baseline was wrong on them. */
  b: bigint;
  /** Rows that the candidate broke. */
  c: bigint;
}

const LANE_BITS = 31n;

/** The most discordant rows for which the exact binomial test fits 256 bits. */
export const EXACT_UP_TO = 225n;

export function accuracyFigures(counts: Counts, positives: bigint, zMicro: bigint, alpha30: bigint): Figures {
  if (counts.n === 0n) {
    return { n: 0n, positives, defined: false, exact: false, deltaOneBps: 0n, payableBps: 0n };
  }
  return {
    n: counts.n,
    positives,
    defined: true,
    exact: exactBinomialPasses(counts.b, counts.c, alpha30),
    deltaOneBps: deltaOneBps(counts),
    payableBps: payableBps(counts, zMicro),
  };
}

/** Rows by label + 2 baseline + 4 candidate, each count below 2^31, as the circuit packs them: cell k in lane k. */
export function pack(cells: readonly number[]): bigint {
  return cells.reduce((packed, count, k) => packed + (BigInt(count) << (LANE_BITS * BigInt(k))), 0n);
}

/** Of two classes. @param countsPacked eight lanes of 31 bits; lane label + 2 baseline + 4 candidate counts the rows of that cell */
export function unpack(countsPacked: bigint): Counts {
  const cells = lanes(countsPacked, LANES.cells);
  const n = cells.reduce((sum, cell) => sum + cell, 0n);
  return { n, b: cells[2] + cells[5], c: cells[3] + cells[4] };
}

/** Of more classes. @param countsPacked five lanes of 31 bits: n, right by the baseline, right by the candidate, b, c */
export function unpackClasses(countsPacked: bigint): Counts {
  const [n, baseline, candidate, b, c] = lanes(countsPacked, LANES.classes);
  requireThat(baseline >= c && candidate + c === baseline + b && baseline + b <= n, countsPacked);
  return { n, b, c };
}

/** The point estimate in bps: floor(10^4 (b - c) / n), towards minus infinity. */
export function deltaOneBps({ n, b, c }: Counts): bigint {
  requireRows(n);
  return floorDiv(10_000n * (b - c), n);
}

/**
 * The one-sided lower confidence bound of Agresti and Min ("Effects and non-effects of paired identical observations in
 * comparing proportions with binary matched-pairs data", 2004) in bps: with N = n + 2 and d = b - c,
 * (d - z sqrt((b + c + 1) - d^2 / N)) / N, rounded down: the roundings on the way lose nothing, as only integers are compared
 * with the root.
 */
export function payableBps({ n, b, c }: Counts, zMicro: bigint): bigint {
  requireRows(n);
  const N = n + 2n;
  const d = b - c;
  const X = (b + c + 1n) * N - d * d;
  const R = ceilSqrt(ceilDiv(zMicro * zMicro * X * 10n ** 8n, N));
  return floorDiv(10n ** 10n * d - R, 10n ** 6n * N);
}

/**
 * Whether b or more heads in m = b + c tosses of a fair coin are at most as likely as alpha:
 * 2^30 * sum over i >= b of C(m, i) <= alpha30 * 2^m. True for m > 225, where it does not apply.
 */
export function exactBinomialPasses(b: bigint, c: bigint, alpha30: bigint): boolean {
  const m = b + c;
  if (m > EXACT_UP_TO) return true;
  if (b <= c) return false;
  let term = 1n;
  let tail = 1n;
  for (let k = 1n; k <= c; k++) {
    term = (term * (m - k + 1n)) / k;
    tail += term;
  }
  return tail << 30n <= alpha30 << m;
}

function requireRows(n: bigint): void {
  if (n === 0n) throw new HokusaiError('terminal', 'DELTA_NO_ROWS', 'a score over no rows is undefined');
}
