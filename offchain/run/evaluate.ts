import type { Hex } from 'viem';
import { saltOf, vectorRoot } from '../commitment.ts';
import { type Counts, namedCounts } from '../delta/named-counts.ts';
import { type ModelLine, modelShape } from '../line.ts';
import { type ModelMetrics, modelMetrics, rankingMetrics } from '../metrics/model-metrics.ts';
import { countsOf } from '../prove/counts.ts';
import { type Inference, modelCommitment } from '../prove/inference.ts';
import { laneBitsOf } from '../prove/score.ts';
import { labelsOf } from '../table/check-table.ts';
import { type Features, quantise } from '../table/quantise.ts';
import { type Model, predict } from '../train/model.ts';

/** One model on one fold, committed to. */
export type Evaluated = {
  readonly commitment: string;
  readonly predictionsRoot: string;
  /** Of each row 16 bits, the lower byte first, in base64. */
  readonly predictions: string;
};

/** A model, and what it was trained on. */
export interface Trained {
  readonly model: Model;
  readonly trainingSetRoot: Hex;
}

/** A model's commitment, its predictions on the line's fold, and their root; salts follow from what it learned from. */
async function evaluateOne({ model, trainingSetRoot }: Trained, features: Features, line: ModelLine) {
  const values = predict(model, features);
  const modelSalt = saltOf(line.secrets.modelSecret, 'model', trainingSetRoot);
  const laneBits = laneBitsOf(line.metric, line.fold.classes).predictions;
  const salt = predictionsSalt(trainingSetRoot, line);
  const evaluated: Evaluated = {
    commitment: String(await modelCommitment(model, modelSalt, modelShape(line))),
    predictionsRoot: String(await vectorRoot({ name: 'predictions', laneBits, values, salt })),
    predictions: Buffer.from(Uint16Array.from(values).buffer).toString('base64'),
  };
  return { evaluated, values };
}

/** What hides a model's predictions on the line's fold. */
export const predictionsSalt = (trainingSetRoot: Hex, { secrets, foldId }: ModelLine): bigint =>
  saltOf(secrets.modelSecret, 'predictions', trainingSetRoot, foldId);

/** The values of predictions in base64. */
export const valuesOf = ({ predictions }: Evaluated): Uint16Array => {
  const bytes = Buffer.from(predictions, 'base64');
  return Uint16Array.from({ length: bytes.length / 2 }, (_, row) => bytes.readUInt16LE(2 * row));
};

/** Both models on the line's fold, and how they compare. */
export type Evaluation = Readonly<Record<'baseline' | 'candidate', Evaluated>> & Comparison;

export async function evaluate(
  line: ModelLine,
  models: Readonly<Record<'baseline' | 'candidate', Trained>>,
): Promise<Evaluation> {
  const features = quantise(line.benchmark, line.quantiser);
  const baseline = await evaluateOne(models.baseline, features, line);
  const candidate = await evaluateOne(models.candidate, features, line);
  const comparison = compare(line, baseline.values, candidate.values);
  return { baseline: baseline.evaluated, candidate: candidate.evaluated, ...comparison };
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
    predictionsSalt: predictionsSalt(trainingSetRoot, line),
    stateSalt: (i) => saltOf(modelSecret, 'chunk', trainingSetRoot, line.foldId, String(i)),
  };
}

type Predictions = Uint8Array | Uint16Array;

/** How the two models compare on the fold. */
export type Comparison = {
  readonly counts: Counts;
  readonly metrics: Readonly<Record<'baseline' | 'candidate', ModelMetrics>>;
};

/** Counts and metrics of both models' predictions on the line's fold. */
function compare(
  { metric, fold: { classes }, benchmark, schema }: ModelLine,
  baselinePredictions: Predictions,
  candidatePredictions: Predictions,
): Comparison {
  const labels = labelsOf(benchmark, schema);
  const words = countsOf({ metric, classes, labels, baselinePredictions, candidatePredictions });
  const counts = namedCounts(metric, classes, words);
  const metricsFor = (of: 'baseline' | 'candidate', predictions: Predictions) =>
    'positives' in counts ? rankingMetrics(counts, of) : modelMetrics(schema.label, labels, predictions);
  return {
    counts,
    metrics: {
      baseline: metricsFor('baseline', baselinePredictions),
      candidate: metricsFor('candidate', candidatePredictions),
    },
  };
}
