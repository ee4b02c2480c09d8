/** Classifiers of two classes in the form that ranks rows: what they predict is a score, as AUROC is paid by. */
import { type DenseModel, SCORE_UNIT } from './dense.ts';
import type { ExternalModel } from './external.ts';
import { type ForestModel, NUMBER_UNIT } from './forest-model.ts';
import type { LinearModel } from './linear.ts';
import type { LinearRegressionModel } from './linear-regression.ts';
import type { Model } from './model.ts';

/** Scores are 16 bits; rows of this score or more are said to be positive. */
const MIDDLE = 2 ** 15;
/** Sums are below this in magnitude, whatever the row, so that no score is clipped. */
const SUM_LIMIT = MIDDLE * NUMBER_UNIT;

/** What ranks rows: the value of a regression, in whose circuits it is proven, or the output of a perceptron. */
export type RankingModel = LinearRegressionModel | ForestModel | DenseModel | ExternalModel;

/**
 * The same classifier, saying scores of 0 to 65535 in the order of its sums. A sum is rescaled by a power of two, so that
 * it takes up to 24 bits; its score is the upper 16 of them: 2^15 or more where the sum is above 0.
 *
 * @param model - of two classes, of one output
 */
export function rankingOf(model: Model): RankingModel {
  switch (model.family) {
    case 'linear':
      return rankingLinear(model);
    case 'forest':
      return rankingForest(model);
    case 'dense':
      return { ...model, output: 'score' };
    default:
      throw new Error(`A ${model.family} model is no classifier of two classes.`);
  }
}

/** Class of each row by its score. */
export const classesBy = (scores: ArrayLike<number>): Uint8Array =>
  Uint8Array.from(scores, (score) => Number(score >= MIDDLE));

/** What the model's sums were before they were rescaled and cut, in the middle of what gives the same score. */
export function sumsBy(model: RankingModel, scores: Float64Array): Float64Array {
  if (model.family === 'external') return scores.map((score) => score / (2 * MIDDLE - 1));
  const [unit, scale] = model.family === 'dense' ? [SCORE_UNIT, 0] : [NUMBER_UNIT, model.scale ?? 0];
  return scores.map((score) => ((score - MIDDLE + 0.5) * unit) / 2 ** scale);
}

function rankingLinear({ weights, bias, scale, quantiserHash }: LinearModel): LinearRegressionModel {
  const reach = (times: Rounded) => {
    const most = weights.map((weight) => 255 * times(weight));
    return [sum(most.filter((value) => value < 0)), sum(most.filter((value) => value > 0))] as const;
  };
  const { exponent, times, centred } = largestScale(bias, reach);
  const scaled = { weights: weights.map(times), bias: centred, scale: scale + exponent };
  return { version: 1, family: 'linear-regression', ...scaled, quantiserHash };
}

function rankingForest(model: ForestModel): ForestModel {
  const leaves = model.trees.map(({ features, values }) => values.filter((_, node) => features[node]! < 0));
  const largest = leaves.map((of) => of.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
  const reach = (times: Rounded) => [-sum(largest.map(times)), sum(largest.map(times))] as const;
  const { exponent, times, centred } = largestScale(model.bias, reach);
  const trees = model.trees.map(({ features, values }) => ({
    features,
    values: values.map((value, node) => (features[node]! < 0 ? times(value) : value)),
  }));
  return { ...model, classes: 0, trees, bias: centred, scale: exponent };
}

/** A number times the power of two, rounded, halves up. */
type Rounded = (value: number) => number;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * The largest power of two by which all sums stay below the limit. Multiplying by one is exact, so the same scores follow
 * everywhere.
 *
 * @param reach - the least and the most that is added to the bias, of a model so many times as large
 * @returns `centred`: the bias with half of the range added, less one, so that a sum of 0 is still not positive
 */
function largestScale(bias: number, reach: (times: Rounded) => readonly [low: number, high: number]) {
  let factor = SUM_LIMIT;
  for (let exponent = Math.log2(SUM_LIMIT); ; exponent--) {
    const times = (value: number) => Math.floor(value * factor + 0.5);
    const [low, high] = reach(times).map((end) => end + times(bias)) as [number, number];
    if (low > -SUM_LIMIT && high < SUM_LIMIT) return { exponent, times, centred: times(bias) + SUM_LIMIT - 1 };
    factor /= 2;
  }
}
