// The twin of contracts/DeltaOne.sol: the same names, the same integers, the same roundings. A validator learns from it
// what the chain will pay before it spends anything on a proof.
import type { Attestation } from './attest.ts';
import { HokusaiError } from './errors.ts';

/** How two models fared on the same n rows. */
export interface Counts {
  /** Rows, 0 to 2^34 - 8. */
  n: bigint;
  /** Rows that the candidate fixed: the baseline was wrong on them. */
  b: bigint;
  /** Rows that the candidate broke. */
  c: bigint;
}

/** The members of a policy that decide whether a score is paid. */
export interface GateTerms {
  /** Fewest benchmark rows. */
  minRows: bigint;
  /** The lower bound has to exceed it, in bps. */
  minDeltaBps: bigint;
  /** Normal quantile at 1 - alpha in millionths, rounded up: `zMicro` of `power.ts`. */
  zMicro: bigint;
  /** floor(alpha * 2^30), at most 2^29: `alpha30` of `power.ts`. */
  alpha30: bigint;
}

/** All members of a policy that decide what is paid. */
export interface Terms extends GateTerms {
  /** Pay the point estimate instead of the lower bound. */
  payPoint: boolean;
  /** Smallest units of the reward token for 100 bps. */
  tokensPerDeltaOne: bigint;
  /** Most that one round pays, in smallest units. */
  maxReward: bigint;
}

const LANE_BITS = 31n;
const LANE_MASK = (1n << LANE_BITS) - 1n;

/** The most discordant rows for which the exact binomial test fits 256 bits. */
export const EXACT_UP_TO = 225n;

/** Rows by label + 2 baseline + 4 candidate, each count below 2^31, as the circuit packs them: cell k in lane k. */
export function pack(cells: readonly number[]): bigint {
  return cells.reduce((packed, count, k) => packed + (BigInt(count) << (LANE_BITS * BigInt(k))), 0n);
}

/** @param countsPacked eight lanes of 31 bits; lane label + 2 baseline + 4 candidate counts the rows of that cell */
export function unpack(countsPacked: bigint): Counts {
  if (countsPacked < 0n || countsPacked >> (8n * LANE_BITS) !== 0n) {
    throw new HokusaiError('terminal', 'DELTA_COUNTS_OUT_OF_RANGE', 'countsPacked has bits outside its eight lanes', {
      details: { countsPacked: countsPacked.toString() },
    });
  }
  const lane = (i: bigint) => (countsPacked >> (i * LANE_BITS)) & LANE_MASK;
  const n = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].reduce((sum, i) => sum + lane(i), 0n);
  return { n, b: lane(2n) + lane(5n), c: lane(3n) + lane(4n) };
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

/** Whether a score may be paid: enough rows, a lower bound above the least gain, and the exact test. */
export function gate(counts: Counts, { minRows, minDeltaBps, zMicro, alpha30 }: GateTerms): boolean {
  return (
    counts.n >= minRows && payableBps(counts, zMicro) > minDeltaBps && exactBinomialPasses(counts.b, counts.c, alpha30)
  );
}

/**
 * min(max(paidBps, 0) * tokensPerDeltaOne / 100, cap), rounded down.
 * @param paidBps the lower bound, or the point estimate where the policy says so
 * @param tokensPerDeltaOne smallest units of the reward token for 100 bps
 */
export function reward(paidBps: bigint, tokensPerDeltaOne: bigint, cap: bigint): bigint {
  if (paidBps <= 0n) return 0n;
  const uncapped = (paidBps * tokensPerDeltaOne) / 100n;
  return uncapped < cap ? uncapped : cap;
}

/**
 * The score of a comparison, with the terms it was scored by: integers as decimal strings.
 */
export function delta(counts: Counts, terms: Terms): NonNullable<Attestation['delta']> {
  const [point, bound] = [deltaOneBps(counts), payableBps(counts, terms.zMicro)];
  const passes = gate(counts, terms);
  return {
    deltaOneBps: String(point),
    payableBps: String(bound),
    minDeltaBps: String(terms.minDeltaBps),
    minRows: String(terms.minRows),
    zMicro: String(terms.zMicro),
    alpha30: String(terms.alpha30),
    exactBinomialPasses: exactBinomialPasses(counts.b, counts.c, terms.alpha30),
    passes,
    payPoint: terms.payPoint,
    tokensPerDeltaOne: String(terms.tokensPerDeltaOne),
    maxReward: String(terms.maxReward),
    reward: String(passes ? reward(terms.payPoint ? point : bound, terms.tokensPerDeltaOne, terms.maxReward) : 0n),
  };
}

function requireRows(n: bigint): void {
  if (n === 0n) throw new HokusaiError('terminal', 'DELTA_NO_ROWS', 'a score over no rows is undefined');
}

/** BigInt divides towards zero. */
function floorDiv(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  return numerator % denominator < 0n ? quotient - 1n : quotient;
}

function ceilDiv(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator;
}

/** Newton's iteration from above, then one step up unless exact. */
function ceilSqrt(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (let next = (root + value / root) >> 1n; next < root; next = (root + value / root) >> 1n) root = next;
  return root * root === value ? root : root + 1n;
}
