// The twin of contracts/DeltaOneCounts.sol: words of counts, and the roundings that all metrics share.
import { HokusaiError } from '../errors.ts';

/** What the counts of a metric say, whatever the metric. */
export interface Figures {
  n: bigint;
  /** What a policy's minPositives is compared with; zero where the metric knows no positives. */
  positives: bigint;
  /** False where the baseline's metric is 0/0, or the rows are too few for a variance; then both figures are zero. */
  defined: boolean;
  /** Whether the exact test passes; true where there is none. */
  exact: boolean;
  deltaOneBps: bigint;
  payableBps: bigint;
}

/** Lanes of the words of counts, from the lowest bit on, in bits: one layout a metric, as DeltaOne.sol's libraries read it. */
export const LANES = {
  /** Of two classes: rows in cell label + 2 baseline + 4 candidate. */
  cells: [31, 31, 31, 31, 31, 31, 31, 31],
  /** Of more classes: rows, baseline and candidate correct, fixed, broken. */
  classes: [31, 31, 31, 31, 31],
  /** Rows, squared errors of both; squares of their differences, labels, squared labels. */
  mse: [
    [31, 63, 63],
    [95, 47, 63],
  ],
  /** Rows, absolute errors of both, labels below and above the median; squares of differences, deviations from it. */
  mae: [
    [31, 47, 47, 31, 31],
    [63, 47],
  ],
  /** Positive and negative rows, placements of both; squares of their differences over positives, over negatives. */
  auroc: [
    [31, 31, 61, 61],
    [93, 93],
  ],
} as const;

/** The most rows of a fold. */
export const MAX_ROWS = 2n ** 31n - 1n;

/** The lanes of a word from its lowest bit on, of so many bits each. */
export function lanes<const Bits extends readonly number[]>(counts: bigint, bits: Bits): { [I in keyof Bits]: bigint } {
  requireThat(counts >= 0n && counts >> BigInt(bits.reduce((sum, b) => sum + b, 0)) === 0n, counts);
  let rest = counts;
  return bits.map((b) => {
    const lane = BigInt.asUintN(b, rest);
    rest >>= BigInt(b);
    return lane;
  }) as { [I in keyof Bits]: bigint };
}

/** A word of these lanes, the first in its lowest bits: the inverse of {@link lanes}. */
export function packLanes(values: readonly bigint[], bits: readonly number[]): bigint {
  let shift = 0n;
  return values.reduce((word, value, i) => {
    requireThat(value >= 0n && value >> BigInt(bits[i]!) === 0n, value);
    const lane = value << shift;
    shift += BigInt(bits[i]!);
    return word + lane;
  }, 0n);
}

/** Refuses lanes that no data can give together. */
export function requireThat(possible: boolean, counts: bigint): void {
  if (possible) return;
  const message = 'a word of counts has bits outside its lanes, or lanes that no data can give together';
  throw new HokusaiError('terminal', 'DELTA_COUNTS_OUT_OF_RANGE', message, { details: { counts: counts.toString() } });
}

/** BigInt divides towards zero. */
export function floorDiv(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  return numerator % denominator < 0n ? quotient - 1n : quotient;
}

export function ceilDiv(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator;
}

/** Newton's iteration from above, then one step up unless exact. */
export function ceilSqrt(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (let next = (root + value / root) >> 1n; next < root; next = (root + value / root) >> 1n) root = next;
  return root * root === value ? root : root + 1n;
}
