import type { Hex } from 'viem';
import { labelsOf } from './check-table.ts';
import { modelCommitment, saltOf, vectorRoot } from './commitment.ts';
import type { ModelLine } from './line.ts';
import { confusionOf, jointCounts, type Metric, metricsOf, type Ratio } from './metrics.ts';
import type { Inference } from './prove/inference.ts';
import { quantise } from './quantise.ts';
import { type LinearModel, predict } from './train/linear.ts';

/** One model on one fold, committed to. */
export interface Evaluated {
  readonly commitment: bigint;
  readonly predictions: Uint8Array;
  readonly predictionsSalt: bigint;
  readonly predictionsRoot: bigint;
}

/** A model's commitment, its predictions on the line's fold, and their root; salts follow from what it learned from. */
export async function evaluate(model: LinearModel, trainingSetRoot: Hex, line: ModelLine): Promise<Evaluated> {
  const { modelSecret } = line.secrets;
  const predictions = predict(model, quantise(line.benchmark, line.quantiser));
  const predictionsSalt = saltOf(modelSecret, 'predictions', trainingSetRoot, line.foldId);
  return {
    commitment: await modelCommitment(model, saltOf(modelSecret, 'model', trainingSetRoot)),
    predictions,
    predictionsSalt,
    predictionsRoot: await vectorRoot({
      name: 'predictions',
      laneBits: 1,
      values: predictions,
      salt: predictionsSalt,
    }),
  };
}

/** What is needed to prove what a model predicts on the line's fold. */
export function inferenceOf(model: LinearModel, trainingSetRoot: Hex, line: ModelLine): Inference {
  const { modelSecret, benchmarkSecret } = line.secrets;
  const features = quantise(line.benchmark, line.quantiser);
  return {
    model,
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
  /** Rows by label + 2 baseline + 4 candidate. */
  readonly cells: readonly number[];
  readonly metrics: Readonly<Record<'baseline' | 'candidate', Record<Metric, Ratio>>>;
};

/** Counts and metrics of both models' predictions on the line's fold. */
export function compare(line: ModelLine, baseline: Evaluated, candidate: Evaluated): Comparison {
  const cells = jointCounts(labelsOf(line.benchmark, line.schema), baseline.predictions, candidate.predictions);
  const metricsFor = (model: 'baseline' | 'candidate') => metricsOf(confusionOf(cells, model));
  return { cells, metrics: { baseline: metricsFor('baseline'), candidate: metricsFor('candidate') } };
}
