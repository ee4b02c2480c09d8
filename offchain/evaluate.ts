import type { Hex } from 'viem';
import { labelsOf } from './check-table.ts';
import { saltOf, vectorRoot } from './commitment.ts';
import { type Counts, namedCounts } from './counts.ts';
import { type ModelLine, modelShape } from './line.ts';
import { type ModelMetrics, modelMetrics, rankingMetrics } from './model-metrics.ts';
import { countsOf } from './prove/counts.ts';
import { type Inference, modelCommitment } from './prove/inference.ts';
import { laneBitsOf } from './prove/score.ts';
import { quantise } from './quantise.ts';
import { type Model, predict } from './train/model.ts';

/** One model on one fold, committed to. */
export interface Evaluated {
  readonly commitment: bigint;
  readonly predictions: Uint8Array | Uint16Array;
  readonly predictionsSalt: bigint;
  readonly predictionsRoot: bigint;
}

/** A model's commitment, its predictions on the line's fold, and their root; salts follow from what it learned from. */
export async function evaluate(model: Model, trainingSetRoot: Hex, line: ModelLine): Promise<Evaluated> {
  const { modelSecret } = line.secrets;
  const predictions = predict(model, quantise(line.benchmark, line.quantiser));
  const predictionsSalt = saltOf(modelSecret, 'predictions', trainingSetRoot, line.foldId);
  return {
    commitment: await modelCommitment(model, saltOf(modelSecret, 'model', trainingSetRoot), modelShape(line)),
    predictions,
    predictionsSalt,
    predictionsRoot: await vectorRoot({
      name: 'predictions',
      laneBits: laneBitsOf(line.metric, line.fold.classes).predictions,
      values: predictions,
      salt: predictionsSalt,
    }),
  };
}

/** What is needed to prove what a model predicts on the line's fold. */
export function inferenceOf(model: Model, trainingSetRoot: Hex, line: ModelLine): Inference {
  const { modelSecret, benchmarkSecret } = line.secrets;
  const features = quantise(line.benchmark, line.quantiser);
  return {
    model,
    shape: modelShape(line),
    features,
    predictions: predict(model, features),
    modelSalt: saltOf(modelSecret, 'model', trainingSetRoot),
    featuresSalt: saltOf(benchmarkSecret, 'features'),
    predictionsSalt: saltOf(modelSecret, 'predictions', trainingSetRoot, line.foldId),
    stateSalt: (i) => saltOf(modelSecret, 'chunk', trainingSetRoot, line.foldId, String(i)),
  };
}

/** How the two models compare on the fold. */
export type Comparison = {
  readonly counts: Counts;
  readonly metrics: Readonly<Record<'baseline' | 'candidate', ModelMetrics>>;
};

/** Counts and metrics of both models' predictions on the line's fold. */
export function compare(
  { metric, fold: { classes }, benchmark, schema }: ModelLine,
  baseline: Evaluated,
  candidate: Evaluated,
): Comparison {
  const labels = labelsOf(benchmark, schema);
  const predictions = { baselinePredictions: baseline.predictions, candidatePredictions: candidate.predictions };
  const counts = namedCounts(metric, classes, countsOf({ metric, classes, labels, ...predictions }));
  const metricsFor = (of: 'baseline' | 'candidate') =>
    'positives' in counts
      ? rankingMetrics(counts, of)
      : modelMetrics(schema.label, labels, predictions[`${of}Predictions`]);
  return { counts, metrics: { baseline: metricsFor('baseline'), candidate: metricsFor('candidate') } };
}
