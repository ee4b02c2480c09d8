/** What a model's integer scores say as probabilities: for people, by the mappings stated here, and never calibrated. */
import { exp, logistic } from '../train/logistic.ts';
import type { Model } from '../train/model.ts';

/** Beyond this `exp` ends; a probability is 0 or 1 there in doubles. */
const FAR = 700;
/** Log-odds of a boosted model's sum are in units of 1/65536, as `boost.ts` has them. */
const ODDS_UNIT = 2 ** 16;
/** A tree of a binary random forest says this many times 2 p - 1, as `forest.ts` has it. */
const SHARE_UNIT = 2 ** 22;

const sigmoid = (x: number): number => logistic(Math.max(-FAR, Math.min(x, FAR)));

/**
 * Probabilities of a classifier's scores, in their shape: of the positive class of two, of each class of more.
 *
 * - linear, and dense of one output: the logistic function of the score in the model's scale, before rounding. Of
 *   LinearSVC that is a margin, not log-odds: the order is right, the confidence is not.
 * - dense of several outputs: the softmax of the scores likewise.
 * - forest: the share of the votes; of two classes the mean share of positive rows in the trees' leaves, or the logistic
 *   function of a boosted model's log-odds.
 *
 * - linear-regression: of a ranking model alone, like linear.
 * - external: what the program said, which are probabilities.
 *
 * @param scores - what `scores` of train/model.ts gives, or `sumsBy` of train/ranking.ts
 */
export function probabilitiesOf(model: Model, scores: readonly Float64Array[], modelType: string): Float64Array[] {
  switch (model.family) {
    case 'linear':
      return scores.map((column) => column.map((score) => sigmoid(score / 255 / 2 ** model.scale)));
    case 'dense': {
      const scaled = scores.map((column) => column.map((score) => score / 2 ** model.scale));
      return scaled.length === 1 ? [scaled[0]!.map(sigmoid)] : softmax(scaled);
    }
    case 'forest': {
      const trees = model.trees.length;
      if (model.output === 'votes') return scores.map((column) => column.map((votes) => votes / trees));
      const positive = (sum: number) =>
        modelType === 'GradientBoostingClassifier'
          ? sigmoid(sum / ODDS_UNIT)
          : Math.min(Math.max((sum / trees / SHARE_UNIT + 1) / 2, 0), 1);
      return scores.map((column) => column.map(positive));
    }
    case 'external':
      return [...scores];
    case 'linear-regression':
      return scores.map((column) => column.map((score) => sigmoid(score / 255)));
  }
}

/** One vector per class, row by row. */
function softmax(columns: readonly Float64Array[]): Float64Array[] {
  const result = columns.map((column) => column.slice());
  for (let row = 0; row < columns[0]!.length; row++) {
    const most = columns.reduce((greatest, column) => Math.max(greatest, column[row]!), Number.NEGATIVE_INFINITY);
    let sum = 0;
    for (const column of result) {
      column[row] = exp(Math.max(column[row]! - most, -FAR));
      sum += column[row]!;
    }
    for (const column of result) column[row]! /= sum;
  }
  return result;
}
