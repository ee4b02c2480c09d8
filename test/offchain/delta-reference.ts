// What offchain/delta/delta.ts and contracts/DeltaOne.sol have to compute, from the definitions and by other means: exact
// fractions, no square root, no floor division, no recurrence. Slow, and meant to be read.

/** numerator / denominator, the denominator above zero. */
export type Fraction = readonly [numerator: bigint, denominator: bigint];

export const fraction = (a: bigint, b = 1n): Fraction => (b < 0n ? [-a, -b] : [a, b]);
export const plus = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * d + c * b, b * d];
export const minus = (x: Fraction, [c, d]: Fraction): Fraction => plus(x, [-c, d]);
export const times = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * c, b * d];
export const over = (x: Fraction, [c, d]: Fraction): Fraction => times(x, fraction(d, c));
const atMost = ([a, b]: Fraction, [c, d]: Fraction): boolean => a * d <= c * b;
const total = (xs: Fraction[]): Fraction => xs.reduce(plus, fraction(0n));

/** A difference of two models, and the squared standard error of it. */
export interface Estimate {
  point: Fraction;
  variance: Fraction;
  /** What the standard error is subtracted from, where that is not the point estimate. */
  centre?: Fraction;
}

/** The greatest integer for which a property holds that holds below some point and not above it. */
function greatest(holds: (k: bigint) => boolean, from: bigint, to: bigint): bigint {
  if (!holds(from) || holds(to)) throw new Error('the greatest is not between the two');
  while (to - from > 1n) {
    const middle = from + (to - from) / 2n;
    if (holds(middle)) from = middle;
    else to = middle;
  }
  return from;
}

/** The greatest k with k / 10^4 <= point. */
export function deltaOneBps({ point }: Estimate): bigint {
  return greatest((k) => atMost(fraction(k, 10_000n), point), -(2n ** 90n), 2n ** 90n);
}

/** Whether k / 10^4 <= centre - z sqrt(variance) over the reals: centre - k / 10^4 is not negative, and its square enough. */
export function isAtMostLowerBound(
  k: Fraction,
  { point, variance, centre = point }: Estimate,
  zMicro: bigint,
): boolean {
  const room = minus(centre, over(k, fraction(10_000n)));
  return room[0] >= 0n && atMost(times(fraction(zMicro ** 2n, 10n ** 12n), variance), times(room, room));
}

/** The greatest k of which that is true. */
export function payableBps(estimate: Estimate, zMicro: bigint): bigint {
  return greatest((k) => isAtMostLowerBound(fraction(k), estimate, zMicro), -(2n ** 90n), 2n ** 90n);
}

/** b - c of n rows, and Agresti and Min's bound: N = n + 2, variance (b + c + 1 - (b - c)^2 / N) / N^2. */
export function accuracy(n: bigint, b: bigint, c: bigint): Estimate {
  const N = fraction(n + 2n);
  const d = fraction(b - c);
  const variance = over(minus(fraction(b + c + 1n), over(times(d, d), N)), times(N, N));
  return { point: fraction(b - c, n), centre: over(d, N), variance };
}

const bit = (k: number, i: number): number => (k >> i) & 1;
/** What a row adds to the fraction that a metric is, by its label and a model's prediction. */
const PARTS = {
  precision: (label: number, predicted: number) => [label & predicted, predicted],
  recall: (label: number, predicted: number) => [label & predicted, label],
  f1: (label: number, predicted: number) => [2 * (label & predicted), label + predicted],
} as const;

export type RatioMetric = keyof typeof PARTS;

/** R_c - R_b of the eight cells and its variance by the delta method; `null` where the baseline's metric is 0/0. */
export function ratio(metric: RatioMetric, cells: readonly bigint[]): Estimate | null {
  const models = [2, 1].map((place) => {
    const parts = cells.map((_, k) => PARTS[metric](bit(k, 0), bit(k, place)).map(BigInt) as [bigint, bigint]);
    const A = parts.reduce((sum, [a], k) => sum + cells[k]! * a, 0n);
    const B = parts.reduce((sum, [, b], k) => sum + cells[k]! * b, 0n);
    return { parts, B, R: fraction(A, B === 0n ? 1n : B) };
  });
  const [candidate, baseline] = models as [(typeof models)[0], (typeof models)[0]];
  if (baseline.B === 0n) return null;
  const influence = ({ parts, B, R }: typeof candidate, k: number): Fraction => {
    const [a, b] = parts[k]!;
    return over(minus(fraction(a), times(R, fraction(b))), fraction(B === 0n ? 1n : B));
  };
  const variance = total(
    cells.map((cell, k) => {
      const e = minus(influence(candidate, k), influence(baseline, k));
      return times(plus(fraction(cell), fraction(1n, 4n)), times(e, e));
    }),
  );
  return { point: minus(candidate.R, baseline.R), variance };
}

/** The variance of a mean of n values with this sum and this sum of squares, the sample variance by n - 1. */
export function varianceOfMean(n: bigint, sum: bigint, squares: bigint): Fraction {
  return over(minus(fraction(squares), fraction(sum * sum, n)), fraction((n - 1n) * n));
}

/** The gain of skill of which the mean error of the constant is C / n; `null` where that is zero. */
export function skill(n: bigint, gain: bigint, squares: bigint, C: Fraction): Estimate | null {
  if (n < 2n || C[0] === 0n) return null;
  const unit = over(C, fraction(n));
  const variance = over(varianceOfMean(n, gain, squares), times(unit, unit));
  return { point: over(fraction(gain, n), unit), variance };
}

/** The gain of area, from sums of placements in halves and of their squared differences. */
export function auroc(p: {
  m: bigint;
  k: bigint;
  gain: bigint;
  positives: bigint;
  negatives: bigint;
}): Estimate | null {
  if (p.m < 2n || p.k < 2n) return null;
  const s10 = over(varianceOfMean(p.m, p.gain, p.positives), fraction(4n * p.k * p.k));
  const s01 = over(varianceOfMean(p.k, p.gain, p.negatives), fraction(4n * p.m * p.m));
  return { point: fraction(p.gain, 2n * p.m * p.k), variance: plus(s10, s01) };
}

/** The same from scores, as DeLong, DeLong and Clarke-Pearson (1988) write it: structural components and two covariances. */
export function delong(positives: readonly [number, number][], negatives: readonly [number, number][]): Estimate {
  const [m, k] = [BigInt(positives.length), BigInt(negatives.length)];
  const halves = (x: number, y: number): bigint => (x > y ? 2n : x === y ? 1n : 0n);
  const models = [0, 1].map((r) => {
    const V10 = positives.map((x) =>
      fraction(
        negatives.reduce((sum, y) => sum + halves(x[r]!, y[r]!), 0n),
        2n * k,
      ),
    );
    const V01 = negatives.map((y) =>
      fraction(
        positives.reduce((sum, x) => sum + halves(x[r]!, y[r]!), 0n),
        2n * m,
      ),
    );
    return { V10, V01, theta: over(total(V10), fraction(m)) };
  });
  const covariance = (name: 'V10' | 'V01', size: bigint, r: number, s: number): Fraction => {
    const [x, y] = [models[r]!, models[s]!];
    const products = x[name].map((v, i) => times(minus(v, x.theta), minus(y[name][i]!, y.theta)));
    return over(total(products), fraction(size - 1n));
  };
  const S = (r: number, s: number): Fraction =>
    plus(over(covariance('V10', m, r, s), fraction(m)), over(covariance('V01', k, r, s), fraction(k)));
  const variance = minus(plus(S(0, 0), S(1, 1)), times(fraction(2n), S(0, 1)));
  return { point: minus(models[1]!.theta, models[0]!.theta), variance };
}

const pascal: bigint[][] = [[1n]];

/** P(Bin(m, 1/2) >= b) <= alpha30 / 2^30, over the reals, by Pascal's triangle. */
export function exactBinomialPasses(b: bigint, c: bigint, alpha30: bigint): boolean {
  const m = Number(b + c);
  if (m > 225) return true;
  if (m === 0) return false;
  while (pascal.length <= m) {
    const above = pascal.at(-1)!;
    pascal.push([...above.map((value, i) => value + (above[i - 1] ?? 0n)), 1n]);
  }
  const tail = pascal[m]!.slice(Number(b)).reduce((sum, value) => sum + value, 0n);
  return tail * 2n ** 30n <= alpha30 * 2n ** BigInt(m);
}

/** The greatest whole number of units that is neither above the rate's due nor above the cap, and not negative. */
export function reward(paidBps: bigint, tokensPerDeltaOne: bigint, cap: bigint): bigint {
  return paidBps <= 0n ? 0n : greatest((k) => k * 100n <= paidBps * tokensPerDeltaOne && k <= cap, 0n, cap + 1n);
}
