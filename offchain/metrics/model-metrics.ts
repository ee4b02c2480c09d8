/** What is said of one model's predictions on a fold, for people: exact fractions and integers, so that validators agree. */

import { ceilDiv } from '../delta/counts.ts';
import type { RankingCounts } from '../delta/named-counts.ts';
import type { Label } from '../table/label.ts';
import {
  type ClassMetric,
  type Confusion,
  confusionOf,
  jointCounts,
  metricsOf,
  type Ratio,
  ratioValue,
} from './exact.ts';

/** Of two classes. */
export type BinaryMetrics = Record<ClassMetric, Ratio>;

/** Of more: how often it is right, and each class against all others. */
export type ClassesMetrics = {
  accuracy: Ratio;
  perClass: ({ class: string } & Record<Exclude<ClassMetric, 'accuracy'>, Ratio>)[];
};

/** Of a regression: errors in units of the label's range / 65535. Decimals may be too large for a double. */
export type RegressionMetrics = {
  /** Sum of the squared errors over the rows. */
  mse: Ratio;
  /** Sum of the absolute errors over the rows. */
  mae: Ratio;
  /** 1 - squared errors / those of the labels' mean, in bps rounded down; null where all labels are equal. */
  r2Bps: string | null;
  /** Mean of |error / label| in bps, each row and the mean rounded down; null where a label is 0. */
  mapeBps: string | null;
};

/** The range that 0 to 65535 stand for, canonical decimals. */
export type Range = { low: string; high: string };

/** Of two classes whose rows are ranked. */
export type RankingMetrics = { auroc: Ratio };

export type ModelMetrics = BinaryMetrics | RankingMetrics | ClassesMetrics | RegressionMetrics;

/** What a model predicted, against the labels. */
export function modelMetrics(
  label: Label,
  labels: Uint8Array | Uint16Array,
  predictions: Uint8Array | Uint16Array,
): ModelMetrics {
  if ('positive' in label) return metricsOf(confusionOf(jointCounts(labels, predictions, predictions), 'baseline'));
  if ('classes' in label) return classesMetrics(label.classes, labels, predictions);
  return regressionMetrics(label, labels, predictions);
}

/** The share of the pairs of a positive and a negative row that a model has in order; placements are in halves. */
export function rankingMetrics(
  { positives, negatives, ...placements }: RankingCounts,
  of: 'baseline' | 'candidate',
): RankingMetrics {
  return { auroc: { numerator: Number(placements[`${of}Placements`]), denominator: 2 * positives * negatives } };
}

function classesMetrics(
  classes: readonly string[],
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
): ClassesMetrics {
  const table = classes.map(() => new Array<number>(classes.length).fill(0));
  for (let row = 0; row < labels.length; row++) table[labels[row]!]![predictions[row]!]!++;
  const correct = table.reduce((sum, row, at) => sum + row[at]!, 0);
  return {
    accuracy: { numerator: correct, denominator: labels.length },
    perClass: classes.map((name, at) => {
      const { accuracy: _, ...metrics } = metricsOf(againstOthers(table, at));
      return { class: name, ...metrics };
    }),
  };
}

/** One class of a table of rows by label and prediction against all others. */
function againstOthers(table: readonly (readonly number[])[], at: number): Confusion {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const truePositive = table[at]![at]!;
  const falsePositive = sum(table.map((row) => row[at]!)) - truePositive;
  const falseNegative = sum(table[at]!) - truePositive;
  const trueNegative = sum(table.map(sum)) - truePositive - falsePositive - falseNegative;
  return { truePositive, falsePositive, falseNegative, trueNegative };
}

function regressionMetrics(
  { low, high }: Range,
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
): RegressionMetrics {
  const errors = Array.from({ length: labels.length }, (_, row) => Math.abs(predictions[row]! - labels[row]!));
  const squares = errors.reduce((sum, error) => sum + error * error, 0);
  const absolute = errors.reduce((sum, error) => sum + error, 0);
  const values = Array.from(labels, BigInt);
  const sums = {
    n: BigInt(values.length),
    sum: values.reduce((total, value) => total + value, 0n),
    squares: values.reduce((total, value) => total + value * value, 0n),
  };
  const [r2, mape] = [r2Bps(sums, BigInt(squares)), mapeBps(errors, labels, low, high)];
  return {
    mse: { numerator: squares, denominator: errors.length },
    mae: { numerator: absolute, denominator: errors.length },
    r2Bps: r2,
    mapeBps: mape,
  };
}

/**
 * floor(10^4 (1 - errors / C)), C = sum of squares - sum^2 / n; null where all labels are equal.
 *
 * @param labels - how many, their sum and the sum of their squares
 * @param errors - the sum of the squared errors
 */
export function r2Bps(
  { n, sum, squares }: Readonly<Record<'n' | 'sum' | 'squares', bigint>>,
  errors: bigint,
): string | null {
  const constant = n * squares - sum * sum;
  return constant === 0n ? null : String(10_000n - ceilDiv(10_000n * n * errors, constant));
}

/** Of labels as they were, low + k (high - low) / 65535, in parts of 2^-32 bps a row. */
function mapeBps(errors: readonly number[], labels: ArrayLike<number>, low: string, high: string): string | null {
  const [L, H] = commonUnits(low, high);
  let sum = 0n;
  for (const [row, error] of errors.entries()) {
    const label = 65_535n * L + BigInt(labels[row]!) * (H - L);
    if (label === 0n) return null;
    sum += ((BigInt(error) * (H - L) * 10_000n) << 32n) / (label < 0n ? -label : label);
  }
  return String(sum / (BigInt(errors.length) << 32n));
}

/** Two canonical decimals as integers of one unit, a power of ten. */
function commonUnits(...decimals: [string, string]): [bigint, bigint] {
  const digits = decimals.map((decimal) => decimal.split('.')[1]?.length ?? 0);
  const places = Math.max(...digits);
  const [a, b] = decimals.map((decimal, at) => BigInt(decimal.replace('.', '') + '0'.repeat(places - digits[at]!)));
  return [a!, b!];
}

/** Metrics as numbers, for people; `null` for what is not defined. Errors are in units of the labels. Never to be hashed. */
export function metricValues(metrics: ModelMetrics, range?: Range) {
  const values = (ratios: Record<string, Ratio>) =>
    Object.fromEntries(Object.entries(ratios).map(([metric, ratio]) => [metric, ratioValue(ratio)]));
  if ('perClass' in metrics) {
    const perClass = metrics.perClass.map(({ class: name, ...ratios }) => ({ class: name, ...values(ratios) }));
    return { accuracy: ratioValue(metrics.accuracy), perClass };
  }
  if (!('mse' in metrics)) return values(metrics);
  const unit = range ? (Number(range.high) - Number(range.low)) / 65_535 : 1;
  const share = (bps: string | null) => (bps === null ? null : Number(bps) / 1e4);
  const [mse, mae] = [ratioValue(metrics.mse)! * unit * unit, ratioValue(metrics.mae)! * unit];
  return { mse, mae, r2: share(metrics.r2Bps), mape: share(metrics.mapeBps) };
}
