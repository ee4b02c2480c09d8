/** A metric as an exact fraction of row counts; 0/0 where it is not defined. */
export type Ratio = {
  numerator: number;
  denominator: number;
};

/** Rows by label and prediction. */
export type Confusion = {
  truePositive: number;
  falsePositive: number;
  falseNegative: number;
  trueNegative: number;
};

/** What the eight cells tell of two models, under the names that the contracts have for them. */
export const CLASS_METRICS = ['accuracy', 'precision', 'recall', 'f1'] as const;
export type ClassMetric = (typeof CLASS_METRICS)[number];

/** Errors of a regression, which are paid for as skill: put in relation to those of a constant. */
export const ERROR_METRICS = ['mse', 'mae'] as const;

/** What can be paid for; of more than two classes accuracy alone. */
export const METRICS = [...CLASS_METRICS, 'auroc', ...ERROR_METRICS] as const;
export type Metric = (typeof METRICS)[number];

/**
 * Rows in each of the 8 cells; cell `label + 2 * baseline + 4 * candidate`, the lane order of `countsPacked`.
 *
 * @param labels - 0 or 1 per row, like the predictions of both models
 */
export function jointCounts(
  labels: Uint8Array | Uint16Array,
  baseline: Uint8Array | Uint16Array,
  candidate: Uint8Array | Uint16Array,
): number[] {
  if (baseline.length !== labels.length || candidate.length !== labels.length) {
    throw new RangeError(`${labels.length} labels, ${baseline.length} and ${candidate.length} predictions`);
  }
  const counts = new Array<number>(8).fill(0);
  for (const [row, label] of labels.entries()) counts[label + 2 * baseline[row]! + 4 * candidate[row]!]!++;
  return counts;
}

/** What the 8 cells say of one of the two models. */
export function confusionOf(counts: readonly number[], model: 'baseline' | 'candidate'): Confusion {
  const bit = model === 'baseline' ? 2 : 4;
  const sum = (label: number, predicted: number): number =>
    counts.reduce((total, count, cell) => {
      const matches = (cell & 1) === label && Number((cell & bit) !== 0) === predicted;
      return matches ? total + count : total;
    }, 0);
  return { truePositive: sum(1, 1), falsePositive: sum(0, 1), falseNegative: sum(1, 0), trueNegative: sum(0, 0) };
}

/**
 * The metrics as fractions: accuracy (TP + TN) / n, precision TP / (TP + FP), recall TP / (TP + FN),
 * F1 2 TP / (2 TP + FP + FN). 0/0, e.g. the precision of a model that never says 1, stays 0/0: what it means for
 * payment (baseline: not eligible, candidate: 0) is decided where it is paid.
 */
export function metricsOf(confusion: Confusion): Record<ClassMetric, Ratio> {
  const { truePositive: tp, falsePositive: fp, falseNegative: fn, trueNegative: tn } = confusion;
  return {
    accuracy: { numerator: tp + tn, denominator: tp + fp + fn + tn },
    precision: { numerator: tp, denominator: tp + fp },
    recall: { numerator: tp, denominator: tp + fn },
    f1: { numerator: 2 * tp, denominator: 2 * tp + fp + fn },
  };
}

/** A metric for people, in 0..1; `null` for 0/0. Never to be hashed or paid by. */
export function ratioValue({ numerator, denominator }: Ratio): number | null {
  return denominator === 0 ? null : numerator / denominator;
}
