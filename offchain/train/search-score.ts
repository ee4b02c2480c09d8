import { confusionOf, jointCounts, type Metric, metricsOf, ratioValue } from '../metrics/exact.ts';
import { aurocMeasure } from '../metrics/ranking.ts';
import { foldOf, pointsOf, type Task } from './grid.ts';
import { predictReference, rankingScores } from './reference-model.ts';
import type { SearchJob } from './search-worker.ts';
import { selectInput, type TrainInput } from './trainer.ts';
import { trainerOf } from './trainer-of.ts';

/** Trains a point on all folds but one, and scores it on that. */
export async function scoreOf({ input, spec, metric, names }: SearchJob, { point, fold }: Task): Promise<number> {
  const { keys, classes } = input;
  const { cv } = spec.search!;
  const inFold = (row: number) => foldOf(keys![row]!, cv) === fold;
  const trainer = trainerOf(pointsOf(spec)[point]!, classes, names);
  const { model } = await trainer.train(selectInput(input, (row) => !inFold(row)));
  const test = selectInput(input, inFold);
  if (metric === 'auroc') return aurocOf(test, rankingScores(model, test.features));
  return metricOf(metric, classes, test.labels, predictReference(model, test.features));
}

/** 1/2 where all rows are of one class. */
function aurocOf({ labels }: TrainInput, scores: Float64Array): number {
  const rows = { classes: 2, labels: Uint8Array.from(labels), predictions: new Uint8Array(labels.length) };
  const { auroc } = aurocMeasure({ ...rows, scores: [scores] })();
  return Number.isFinite(auroc) ? auroc! : 0.5;
}

/** A metric of which more is better; 0 where it is not defined. */
function metricOf(
  metric: Exclude<Metric, 'auroc'>,
  classes: number,
  labels: Uint8Array | Uint16Array,
  said: Uint8Array | Uint16Array,
): number {
  const n = labels.length;
  if (metric === 'mse' || metric === 'mae') {
    let sum = 0;
    for (let row = 0; row < n; row++) {
      const error = Math.abs(labels[row]! - said[row]!);
      sum += metric === 'mae' ? error : error * error;
    }
    return -sum / n;
  }
  if (classes === 2)
    return ratioValue(metricsOf(confusionOf(jointCounts(labels, said, said), 'candidate'))[metric]) ?? 0;
  let right = 0;
  for (let row = 0; row < n; row++) right += Number(labels[row] === said[row]);
  return right / n;
}
