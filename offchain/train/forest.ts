import { HokusaiError } from '../errors.ts';
import { boost } from './boost.ts';
import { type ForestModel, flatten, HALF, leafInteger, MOST_VOTED_CLASSES, NUMBER_UNIT } from './forest-model.ts';
import { checkSpec, eachTree, type ForestSpec, type Learnt, optionsOf } from './forest-spec.ts';
import { randomOf, seedOf } from './random.ts';
import { refuseOneClass, type Trainer, type TrainInput } from './trainer.ts';
import { growTree, type Node } from './tree.ts';

export interface ForestReport {
  /** Of all trees, leaves included: what the model's commitment, and so its proof, grows with. */
  readonly nodes: number;
}

/** Leaves of a binary forest are so many times (2 p - 1), with p the share of class 1. */
const BINARY_UNIT = 2 ** 22;
/** The means of numbers are taken around the middle of their range. */
const MIDDLE = 2 ** 15;

/**
 * A trainer of forests on the 256 values of each feature: the same integers on every machine.
 *
 * @throws HokusaiError `configuration` TRAIN_FOREST_INVALID; from `train` `terminal` TRAIN_ONE_CLASS, `configuration`
 * TRAIN_TOO_MANY_CLASSES, `retryable` TRAIN_ABORTED
 */
export function forestTrainer(spec: ForestSpec): Trainer<ForestModel, ForestReport> {
  checkSpec(spec);
  return {
    name: 'reference',
    train: async (input) => {
      checkLabels(input, spec);
      const { trees, bias } = await (spec.kind === 'gradient-boosting' ? boost : average)(input, spec);
      const { classes, features, quantiserHash } = input;
      const output = classes > 2 ? 'votes' : 'sum';
      const width = features.columns.length;
      const model: ForestModel = { version: 1, family: 'forest', output, classes, width, trees, bias, quantiserHash };
      return { model, report: { nodes: trees.reduce((sum, { values }) => sum + values.length, 0) } };
    },
  };
}

/** Trees that each vote, or whose mean counts: of a random forest on rows drawn with replacement (bootstrap). */
async function average(input: TrainInput, spec: ForestSpec): Promise<Learnt> {
  const { features, labels, classes } = input;
  const width = features.columns.length;
  const several = spec.kind === 'random-forest';
  const count = spec.trees ?? (several ? 100 : 1);
  const rows = features.rows;
  const options = {
    ...optionsOf(spec, 10),
    maxFeatures: spec.maxFeatures ?? (several && classes > 0 ? Math.max(1, Math.floor(Math.sqrt(width))) : width),
  };
  const learning = {
    ...{ rows, width, values: features.values },
    channels: Math.max(classes, 1),
    channel: classes > 0 ? Uint8Array.from(labels) : new Uint8Array(rows),
    amounts: classes > 0 ? new Float64Array(rows).fill(1) : Float64Array.from(labels),
  };
  const seed = seedOf(spec.seed ?? 0, input);
  const trees = await eachTree(input, count, (i) => {
    const random = randomOf(`${seed}/${i}`);
    const weights = new Uint32Array(rows).fill(Number(!several));
    for (let draw = 0; several && draw < rows; draw++) weights[random(rows)]!++;
    return flatten(growTree({ ...learning, weights }, options, random), (leaf) => leafOf(leaf, weights, input, count));
  });
  return { trees, bias: classes === 0 ? MIDDLE * NUMBER_UNIT + HALF : 0 };
}

/** The class that most rows of a leaf have, of several the least; or the mean of its rows in the unit of the sum. */
function leafOf({ rows }: Node, weights: Uint32Array, { labels, classes }: TrainInput, trees: number): number {
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

function checkLabels(input: TrainInput, { kind }: ForestSpec): void {
  const { classes } = input;
  if (classes > 0) refuseOneClass(input);
  const most = kind === 'gradient-boosting' ? 2 : MOST_VOTED_CLASSES;
  if (classes > most) {
    const text = `there are ${classes} classes, and ${kind} tells at most ${most} apart`;
    throw new HokusaiError('configuration', 'TRAIN_TOO_MANY_CLASSES', text, {
      details: { classes, most, kind },
      next: 'Choose another type of model; a random forest takes up to 16 classes.',
    });
  }
}
