import { featureBitsOf } from '../commitment.ts';
import { HokusaiError } from '../errors.ts';
import type { Features } from '../table/quantise.ts';
import { addColumns } from './columns.ts';

/** What no score reaches in magnitude, whatever the row, so that it fits its lane where it is proven. */
export const SCORE_LIMIT = 2 ** (featureBitsOf('linear') - 1);
/** A matrix of so many features by as many takes 134 MB. */
const MAX_FEATURES = 4096;
/** Where the search for the scale begins, met only by weights that are all nearly 0; the factor is 2^60. */
const START_SCALE = 60;
const START_FACTOR = 0x1000000000000000;

/**
 * A linear classifier of bytes in integers. `score = sum of weights[j] * x[j] + bias` with x[j] in 0..255; the class is
 * 1 where score > 0, else 0 (0 at a tie). Before rounding, weights were `2^scale` times those of the optimum for x / 255
 * and the bias `255 * 2^scale` times its bias, so score / (255 * 2^scale) approximates the optimum's score.
 */
export type LinearModel = {
  version: 1;
  family: 'linear';
  /** One per feature. |bias| + 255 |weights| is below 2^25. */
  weights: number[];
  bias: number;
  /** Exponent of the power of two, at most 60. */
  scale: number;
  quantiserHash: `0x${string}`;
};

/** What no score of bytes exceeds in magnitude. */
export const reachOf = ({ weights, bias }: { weights: readonly number[]; bias: number }): number =>
  weights.reduce((reach, weight) => reach + 255 * Math.abs(weight), Math.abs(bias));

/**
 * Rounds a linear classifier of x / 255 to integers, halves up, on the largest power of two for which scores stay in bounds.
 * Multiplying by a power of two is exact, so the same model follows everywhere.
 *
 * @param optimum - finite numbers
 */
export function quantiseLinear(
  optimum: { weights: Float64Array; bias: number },
  quantiserHash: `0x${string}`,
): LinearModel {
  let factor = START_FACTOR;
  for (let scale = START_SCALE; ; scale--) {
    const round = (value: number): number => Math.floor(value * factor + 0.5);
    const weights = Array.from(optimum.weights, round);
    const bias = round(255 * optimum.bias);
    if (reachOf({ weights, bias }) < SCORE_LIMIT) {
      return { version: 1, family: 'linear', weights, bias, scale, quantiserHash };
    }
    factor /= 2;
  }
}

/**
 * Score of each row, in integers.
 *
 * @throws HokusaiError `terminal` MODEL_MISFIT when the model has not one weight per feature
 */
export function linearScores(model: LinearModel, features: Features): Float64Array {
  refuseMisfit(model.weights.length, features);
  return addColumns(new Float64Array(features.rows).fill(model.bias), model.weights, features);
}

/** Class of each row, 0 or 1. Errors as {@link linearScores}. */
export const predict = (model: LinearModel, features: Features): Uint8Array => positives(linearScores(model, features));

/** 1 for each score above 0, else 0. */
export function positives(scores: Float64Array): Uint8Array {
  const classes = new Uint8Array(scores.length);
  for (let row = 0; row < classes.length; row++) classes[row] = Number(scores[row]! > 0);
  return classes;
}

/** @throws HokusaiError `terminal` MODEL_MISFIT when a model has not one weight per feature */
export function refuseMisfit(weights: number, { columns }: Features): void {
  if (weights === columns.length) return;
  const text = `the model has ${weights} weights and the table gives ${columns.length} features`;
  throw new HokusaiError('terminal', 'MODEL_MISFIT', text, {
    details: { weights, features: columns.length },
    next: 'Use the quantiser that the model was trained with.',
  });
}

/** @throws HokusaiError `terminal` TRAIN_TOO_WIDE when a square of the features does not fit the memory */
export function refuseTooWide({ columns }: Features): void {
  if (columns.length <= MAX_FEATURES) return;
  const text = `the table gives ${columns.length} features, the most is ${MAX_FEATURES}`;
  throw new HokusaiError('terminal', 'TRAIN_TOO_WIDE', text, {
    details: { features: columns.length, limit: MAX_FEATURES },
    next: 'Leave columns out, those with many categories first.',
  });
}
