// Words of counts from rows and from sums, as a circuit has to count them, and words to draw tests from.
import fc from 'fast-check';
import { auroc, type Estimate, type Fraction, fraction, type RatioMetric, ratio, skill } from './delta-reference.ts';

/** Values in lanes of so many bits each, the first lowest. */
export function packLanes(values: readonly bigint[], bits: readonly number[]): bigint {
  return values.reduceRight((packed, value, i) => (packed << BigInt(bits[i]!)) + value, 0n);
}

export const CELLS = [31, 31, 31, 31, 31, 31, 31, 31] as const;
export const CLASSES = [31, 31, 31, 31, 31] as const;
export const SQUARED = [
  [31, 63, 63],
  [95, 47, 63],
] as const;
export const ABSOLUTE = [
  [31, 47, 47, 31, 31],
  [63, 47],
] as const;
export const AUROC = [
  [31, 31, 61, 61],
  [93, 93],
] as const;

/** A row of a regression: label and predictions, 0 to 2^16 - 1. */
export type RegressionRow = readonly [label: number, baseline: number, candidate: number];
/** A row with scores: label 0 or 1. */
export type ScoredRow = readonly [label: number, baseline: number, candidate: number];

const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n);
const square = (x: bigint): bigint => x * x;

function errors(rows: readonly RegressionRow[], error: (e: bigint) => bigint) {
  const baseline = rows.map(([y, b]) => error(BigInt(b - y)));
  const candidate = rows.map(([y, , c]) => error(BigInt(c - y)));
  const squares = sum(baseline.map((e, i) => square(e - candidate[i]!)));
  return { baseline: sum(baseline), candidate: sum(candidate), squares };
}

export function squaredCounts(rows: readonly RegressionRow[]): bigint[] {
  const e = errors(rows, square);
  const labels = rows.map(([y]) => BigInt(y));
  return [
    packLanes([BigInt(rows.length), e.baseline, e.candidate], SQUARED[0]),
    packLanes([e.squares, sum(labels), sum(labels.map(square))], SQUARED[1]),
  ];
}

export function absoluteCounts(rows: readonly RegressionRow[]): bigint[] {
  const e = errors(rows, (x) => (x < 0n ? -x : x));
  const labels = rows.map(([y]) => y).sort((a, b) => a - b);
  const centre = labels[labels.length >> 1]!;
  const count = (which: (y: number) => boolean) => BigInt(labels.filter(which).length);
  const below = count((y) => y < centre);
  const above = count((y) => y > centre);
  const C = sum(labels.map((y) => BigInt(Math.abs(y - centre))));
  return [
    packLanes([BigInt(rows.length), e.baseline, e.candidate, below, above], ABSOLUTE[0]),
    packLanes([e.squares, C], ABSOLUTE[1]),
  ];
}

/** By sorting: a placement is twice the rows of the other label that are beaten, and once those that are level. */
export function aurocCounts(rows: readonly ScoredRow[]): bigint[] {
  const placements = [1, 2].map((model) => placementsOf(rows.map((row) => [row[0], row[model]!] as const)));
  const squares = [0n, 0n];
  const sums = [0n, 0n];
  for (const [i, [label]] of rows.entries()) {
    const [b, c] = placements.map((p) => BigInt(p[i]!)) as [bigint, bigint];
    squares[label]! += square(c - b);
    if (label === 1) [sums[0], sums[1]] = [sums[0]! + b, sums[1]! + c];
  }
  const m = BigInt(rows.filter(([label]) => label === 1).length);
  return [
    packLanes([m, BigInt(rows.length) - m, sums[0]!, sums[1]!], AUROC[0]),
    packLanes([squares[1]!, squares[0]!], AUROC[1]),
  ];
}

function placementsOf(scored: readonly (readonly [label: number, score: number])[]): Float64Array {
  const order = scored.map((_, i) => i).sort((i, j) => scored[i]![1] - scored[j]![1]);
  const all = [0, 0];
  for (const [label] of scored) all[label]!++;
  const placements = new Float64Array(scored.length);
  const before = [0, 0];
  for (let from = 0; from < order.length; ) {
    const level = [0, 0];
    let to = from;
    for (; to < order.length && scored[order[to]!]![1] === scored[order[from]!]![1]; to++) {
      level[scored[order[to]!]![0]]!++;
    }
    for (const i of order.slice(from, to)) {
      const label = scored[i]![0];
      const other = 1 - label;
      const beaten = label === 1 ? before[0]! : all[1]! - before[1]! - level[1]!;
      placements[i] = 2 * beaten + level[other]!;
    }
    before[0]! += level[0]!;
    before[1]! += level[1]!;
    from = to;
  }
  return placements;
}

/** Counts that are in the domain, and what the definitions say of them; `null` where the metric is undefined. */
export interface Drawn {
  metric: string;
  classes: number;
  counts: bigint[];
  n: bigint;
  positives: bigint;
  estimate: Estimate | null;
}

const scaled = (...limits: bigint[]) => fc.oneof(...limits.map((limit) => fc.bigInt(0n, limit)));
/** Eight cells that add up to less than 2^31, few rows and many, in any mixture. */
export const cells = fc.array(scaled(0n, 3n, 60n, 2_000n, 2n ** 28n - 1n), { minLength: 8, maxLength: 8 });

export function ratioCounts(metric: RatioMetric): fc.Arbitrary<Drawn> {
  return cells.map((drawn) => ({
    ...{ metric, classes: 2, counts: [packLanes(drawn, CELLS)], n: sum(drawn) },
    positives: positivesOf(metric, drawn),
    estimate: ratio(metric, drawn),
  }));
}

function positivesOf(metric: string, x: readonly bigint[]): bigint {
  const counted = [sum([x[1]!, x[3]!, x[5]!, x[7]!])];
  if (metric === 'precision') counted.push(sum([x[2]!, x[3]!, x[6]!, x[7]!]), sum(x.slice(4)));
  return counted.reduce((least, count) => (count < least ? count : least));
}

/** Words of a regression's sums, in or out of what 16-bit rows can give, but with no negative variance. */
export function skillCounts(metric: 'mse' | 'mae'): fc.Arbitrary<Drawn> {
  const most = metric === 'mse' ? 2n ** 32n : 2n ** 16n;
  const rows = fc.oneof(fc.bigInt(0n, 5n), fc.bigInt(2n, 5_000n), fc.bigInt(2n, 2n ** 31n - 1n));
  return fc.tuple(rows, fc.array(fc.bigInt(0n, 10n ** 9n), { minLength: 8, maxLength: 8 })).map(([n, shares]) => {
    const share = (i: number, of: bigint) => (of * shares[i]!) / 10n ** 9n;
    const scale = share(0, most - 1n) + 1n;
    const [baseline, candidate] = [share(1, n * (scale - 1n)), share(2, n * (scale - 1n))];
    const gain = baseline - candidate;
    const least = n === 0n ? 0n : (gain * gain + n - 1n) / n;
    const squares = least + share(3, shares[4]! < 5n * 10n ** 8n ? n * scale : n * (scale - 1n) ** 2n - least);
    const y = share(5, n * (2n ** 16n - 1n));
    const C = share(6, n * 2n ** 15n);
    const squaredY = (n === 0n ? 0n : (y * y + n - 1n) / n) + share(7, C);
    const denominator: Fraction = metric === 'mse' ? fraction(n * squaredY - y * y, n === 0n ? 1n : n) : fraction(C);
    const counts =
      metric === 'mse'
        ? [packLanes([n, baseline, candidate], SQUARED[0]), packLanes([squares, y, squaredY], SQUARED[1])]
        : [
            packLanes([n, baseline, candidate, share(4, n / 2n), share(5, n / 2n)], ABSOLUTE[0]),
            packLanes([squares, C], ABSOLUTE[1]),
          ];
    return { metric, classes: 0, counts, n, positives: 0n, estimate: skill(n, gain, squares, denominator) };
  });
}

export const aurocDrawn: fc.Arbitrary<Drawn> = fc
  .tuple(
    scaled(4n, 300n, 2n ** 30n - 1n),
    scaled(4n, 300n, 2n ** 30n),
    fc.array(fc.bigInt(0n, 10n ** 9n), { minLength: 4, maxLength: 4 }),
  )
  .map(([m, k, shares]) => {
    const share = (i: number, of: bigint) => (of * shares[i]!) / 10n ** 9n;
    const [baseline, candidate] = [share(0, 2n * m * k), share(1, 2n * m * k)];
    const gain = candidate - baseline;
    const least = (size: bigint) => (size === 0n ? 0n : (gain * gain + size - 1n) / size);
    const positives = least(m) + share(2, 4n * m * k * k - least(m));
    const negatives = least(k) + share(3, 4n * k * m * m - least(k));
    const counts = [packLanes([m, k, baseline, candidate], AUROC[0]), packLanes([positives, negatives], AUROC[1])];
    return {
      ...{ metric: 'auroc', classes: 2, counts, n: m + k, positives: m },
      estimate: auroc({ m, k, gain, positives, negatives }),
    };
  });

/** Counts of every metric but accuracy. */
export const drawn: fc.Arbitrary<Drawn> = fc.oneof(
  ...[ratioCounts('precision'), ratioCounts('recall'), ratioCounts('f1')],
  ...[skillCounts('mse'), skillCounts('mae'), aurocDrawn],
);

/** A gate that asks for a row and a gain, at alpha 0.05. */
export const TERMS = {
  minRows: 1n,
  minPositives: 0n,
  minDeltaBps: 0n,
  zMicro: 1_644_854n,
  alpha30: 53_687_091n,
  guardrails: [],
};
