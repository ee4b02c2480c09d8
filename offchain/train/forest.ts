import { HokusaiError } from '../errors.ts';
import { boost } from './boost.ts';
import { type ForestModel, HALF, MOST_VOTED_CLASSES, NUMBER_UNIT } from './forest-model.ts';
import { checkSpec, type ForestSpec, type Learnt } from './forest-spec.ts';
import { MIDDLE, treesOf } from './forest-tree.ts';
import { eachTree } from './forest-trees.ts';
import { refuseOneClass, type Trainer, type TrainInput } from './trainer.ts';

export interface ForestReport {
  /** Of all trees, leaves included: what the model's commitment, and so its proof, grows with. */
  readonly nodes: number;
}

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
  const trees = await eachTree(input, spec, treesOf(spec));
  return { trees, bias: input.classes === 0 ? MIDDLE * NUMBER_UNIT + HALF : 0 };
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
