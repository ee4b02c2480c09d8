import { flatten, HALF, LEAF_LIMIT, leafInteger, NUMBER_UNIT } from './forest-model.ts';
import { eachTree, type ForestSpec, type Learnt, optionsOf } from './forest-spec.ts';
import { logistic } from './logistic.ts';
import { randomOf } from './random.ts';
import type { TrainInput } from './trainer.ts';
import { growTree, type Node } from './tree.ts';

/** Log-odds in a binary model's sum are in units of 1/65536. */
const ODDS_UNIT = 2 ** 16;
/** Residuals of probabilities are rounded to so much, so that sums of them are exact. */
const RESIDUAL_UNIT = 2 ** 30;
/** Beyond this many log-odds a probability is taken for that of the bound, which leaves p (1 - p) above 0. */
const MOST_ODDS = 36;

/** What is to be learnt next, given the sums so far: a number for each row, and what a leaf adds for its rows. */
interface Loss {
  /** The sum before the first tree that fits best. */
  readonly start: number;
  /** Integers below 2^40. */
  residuals(sums: Float64Array): Float64Array;
  /** What the leaf's rows want added, in the unit of the sums. */
  step(leaf: Node, residuals: Float64Array, sums: Float64Array): number;
}

/**
 * Gradient boosting (Friedman: Greedy Function Approximation, Annals of Statistics 29, 2001): each tree fits what the
 * ones before left over. The sums are those of the integer model, so that the next tree also makes good the rounding.
 */
export async function boost(input: TrainInput, spec: ForestSpec): Promise<Learnt> {
  const { features, labels, classes } = input;
  const { rows, values } = features;
  const width = features.columns.length;
  const loss = classes === 0 ? squaredLoss(labels) : logisticLoss(labels);
  const options = { ...optionsOf(spec, 3), maxFeatures: spec.maxFeatures ?? width };
  const rate = spec.learningRate ?? 0.1;
  const sums = new Float64Array(rows).fill(loss.start);
  const weights = new Uint8Array(rows).fill(1);
  const channel = new Uint8Array(rows);
  const trees = await eachTree(input, spec.trees ?? 100, (i) => {
    const amounts = loss.residuals(sums);
    const learning = { rows, width, values, weights, channels: 1, channel, amounts };
    const root = growTree(learning, options, randomOf(`${spec.seed ?? 0}/${i}`));
    return flatten(root, (leaf) => {
      const value = leafInteger(rate * loss.step(leaf, amounts, sums));
      for (const row of leaf.rows) sums[row]! += value;
      return value;
    });
  });
  return { trees, bias: loss.start + (classes === 0 ? HALF : 0) };
}

function squaredLoss(labels: Uint8Array | Uint16Array): Loss {
  let total = 0;
  for (const label of labels) total += label;
  return {
    start: Math.floor((total * NUMBER_UNIT) / labels.length + 0.5),
    residuals: (sums) => sums.map((sum, row) => labels[row]! * NUMBER_UNIT - sum),
    step: ({ rows }, residuals) => sumOver(rows, (row) => residuals[row]!) / rows.length,
  };
}

/** -log of the probability of the label; a leaf takes a Newton step. */
function logisticLoss(labels: Uint8Array | Uint16Array): Loss {
  const probability = (sum: number) => logistic(Math.min(Math.max(sum / ODDS_UNIT, -MOST_ODDS), MOST_ODDS));
  let ones = 0;
  for (const label of labels) ones += label;
  // The largest log-odds that are no more than those of the share of ones, by halving.
  let [low, high] = [-LEAF_LIMIT, LEAF_LIMIT];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (probability(middle) <= ones / labels.length) low = middle;
    else high = middle;
  }
  return {
    start: low,
    residuals: (sums) => sums.map((sum, row) => Math.floor((labels[row]! - probability(sum)) * RESIDUAL_UNIT + 0.5)),
    step: ({ rows }, residuals, sums) => {
      const curvature = sumOver(rows, (row) => {
        const p = probability(sums[row]!);
        return p * (1 - p);
      });
      return (sumOver(rows, (row) => residuals[row]!) / RESIDUAL_UNIT / curvature) * ODDS_UNIT;
    },
  };
}

function sumOver(rows: Uint32Array, term: (row: number) => number): number {
  let sum = 0;
  for (const row of rows) sum += term(row);
  return sum;
}
