import { flatten, leafInteger, NUMBER_UNIT, type Tree } from './forest-model.ts';
import { countOf, type ForestSpec, optionsOf } from './forest-spec.ts';
import { type Random, randomOf, seedOf } from './random.ts';
import type { TrainInput } from './trainer.ts';
import { growTree, type Node } from './tree.ts';

/** Leaves of a binary forest are so many times (2 p - 1), with p the share of class 1. */
const BINARY_UNIT = 2 ** 22;
/** The means of numbers are taken around the middle of their range. */
export const MIDDLE = 2 ** 15;

export const treesOf = (spec: ForestSpec): number => spec.trees ?? (spec.kind === 'random-forest' ? 100 : 1);

/** What makes a tree of a forest, given its number: it depends on no other tree. */
export function treeMaker(input: TrainInput, spec: ForestSpec): (i: number) => Tree {
  const { features, labels, classes } = input;
  const { rows, values } = features;
  const width = features.columns.length;
  const drawsFeatures = spec.kind === 'random-forest' && classes > 0;
  const options = optionsOf(spec, width, { maxDepth: 10, maxFeatures: drawsFeatures ? 'sqrt' : null });
  const learning = {
    ...{ rows, width, values },
    channels: Math.max(classes, 1),
    channel: classes > 0 ? Uint8Array.from(labels) : new Uint8Array(rows),
    amounts: classes > 0 ? new Float64Array(rows).fill(1) : Float64Array.from(labels),
  };
  const seed = seedOf(spec.seed ?? 0, input);
  return (i) => {
    const random = randomOf(`${seed}/${i}`);
    const weights = weightsOf(input, spec, random);
    const root = growTree({ ...learning, weights }, options, random);
    return flatten(root, (leaf) => leafOf(leaf, weights, input, treesOf(spec)));
  };
}

/** How much each row counts: how often it was drawn, times the weight of its class. */
function weightsOf({ features, labels, classWeights }: TrainInput, spec: ForestSpec, random: Random): Float64Array {
  const { rows } = features;
  const draws = spec.kind === 'random-forest' && (spec.bootstrap ?? true);
  const weights = new Float64Array(rows).fill(Number(!draws));
  if (draws) for (let left = countOf(spec.maxSamples ?? null, rows); left > 0; left--) weights[random(rows)]!++;
  if (classWeights) for (let row = 0; row < rows; row++) weights[row]! *= classWeights[labels[row]!]!;
  return weights;
}

/** The class that most rows of a leaf have, of several the least; or the mean of its rows in the unit of the sum. */
function leafOf({ rows }: Node, weights: Float64Array, { labels, classes }: TrainInput, trees: number): number {
  const counts = new Float64Array(Math.max(classes, 2));
  let [weight, sum] = [0, 0];
  for (const row of rows) {
    weight += weights[row]!;
    sum += weights[row]! * labels[row]!;
    if (classes > 0) counts[labels[row]!]! += weights[row]!;
  }
  if (classes > 2) return counts.indexOf(Math.max(...counts));
  if (classes === 2) return leafInteger(((2 * sum - weight) * BINARY_UNIT) / weight);
  return leafInteger(((sum / weight - MIDDLE) * NUMBER_UNIT) / trees);
}
