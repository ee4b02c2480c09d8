/** What a classifier would come to at every threshold, each class against all others. */
import { cumulated, descending } from './ranking.ts';
import { meanOf, sumOf } from './sum.ts';

/** A classifier that says positive from a threshold on. */
export interface CurvePoint {
  /** Rows with so much or more are said to be positive: of two classes a probability, of more the class's score. */
  readonly threshold: number;
  /** Share of the positive rows that are found: the true positive rate. */
  readonly recall: number;
  readonly falsePositiveRate: number;
  readonly precision: number;
  readonly f1: number;
}

/** The ROC curve (false positive rate and recall), the PR curve (recall and precision) and those over thresholds. */
export interface Curve {
  /** Sum of precision times the growth of recall over all thresholds. */
  readonly averagePrecision: number;
  /** From the highest threshold on; as few as show the curve. */
  readonly points: readonly CurvePoint[];
}

/** Points closer than that to the one before in every respect are left out. */
const STEP = 1 / 100;

/**
 * @param thresholds - of each row, in the order of the scores
 * @param positive - the class that is told from all others
 * @param step - 0 keeps every threshold
 * @returns nothing where all rows are of that class, or none
 */
export function curveOf(
  scores: Float64Array,
  thresholds: Float64Array,
  labels: Uint8Array,
  positive = 1,
  step = STEP,
): Curve | undefined {
  const ranking = descending(scores);
  const { positives, negatives } = cumulated(ranking, labels, positive);
  const [allPositives, allNegatives] = [positives.at(-1)!, negatives.at(-1)!];
  if (allPositives === 0 || allNegatives === 0) return undefined;
  const points: CurvePoint[] = [];
  const groups = positives.length;
  for (let group = 0; group < groups; group++) {
    const [right, said] = [positives[group]!, positives[group]! + negatives[group]!];
    const point = {
      threshold: thresholds[ranking.order[ranking.ends[group]! - 1]!]!,
      recall: right / allPositives,
      falsePositiveRate: negatives[group]! / allNegatives,
      precision: right / said,
      f1: (2 * right) / (said + allPositives),
    };
    if (group === groups - 1 || isFar(points.at(-1), point, step)) points.push(point);
  }
  const averagePrecision = sumOf(groups, (group) => {
    const grown = positives[group]! - (positives[group - 1] ?? 0);
    return ((grown / allPositives) * positives[group]!) / (positives[group]! + negatives[group]!);
  });
  return { averagePrecision, points };
}

const isFar = (last: CurvePoint | undefined, point: CurvePoint, step: number): boolean =>
  last === undefined ||
  (['recall', 'falsePositiveRate', 'precision'] as const).some((key) => Math.abs(point[key] - last[key]) >= step);

/** Rows whose probability is in a tenth of 0..1. */
export interface CalibrationBin {
  readonly rows: number;
  /** Their mean probability. */
  readonly predicted: number;
  /** Share of them of which it came true. */
  readonly observed: number;
}

/** Whether what is said with a probability comes true as often. */
export interface Calibration {
  /** Mean distance of the two, by rows: the expected calibration error. */
  readonly error: number;
  /** Of each tenth with rows, ascending; a tenth includes its upper end. */
  readonly bins: readonly CalibrationBin[];
}

const BINS = 10;

/** @param cameTrue - 1 or 0 a row */
export function calibrationOf(probabilities: Float64Array, cameTrue: ArrayLike<number>): Calibration {
  const rows: number[][] = Array.from({ length: BINS }, () => []);
  for (const [row, probability] of probabilities.entries()) {
    let bin = 0;
    while (bin < BINS - 1 && probability > (bin + 1) * 0.1) bin++;
    rows[bin]!.push(row);
  }
  const bins = rows
    .filter((own) => own.length > 0)
    .map((own) => ({
      rows: own.length,
      predicted: meanOf(own.length, (i) => probabilities[own[i]!]!),
      observed: meanOf(own.length, (i) => cameTrue[own[i]!]!),
    }));
  const distances = bins.map(({ rows: own, predicted, observed }) => own * Math.abs(predicted - observed));
  return { error: distances.reduce((sum, distance) => sum + distance, 0) / probabilities.length, bins };
}
