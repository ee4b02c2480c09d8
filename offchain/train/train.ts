import type { Hex } from 'viem';
import { labelsOf } from '../check-table.ts';
import { HokusaiError } from '../errors.ts';
import { byDigest } from '../integrate.ts';
import { classesOf } from '../label.ts';
import type { ModelShape } from '../prove/inference.ts';
import { type Quantiser, quantise, quantiserHash } from '../quantise.ts';
import type { Schema } from '../schema.ts';
import type { Table } from '../table.ts';
import { forestTrainer } from './forest.ts';
import { MOST_VOTED_CLASSES } from './forest-model.ts';
import type { ForestSpec } from './forest-spec.ts';
import { ridgeTrainer } from './linear-regression.ts';
import { mlpTrainer } from './mlp.ts';
import type { Model } from './model.ts';
import { multiclassTrainer } from './multiclass.ts';
import { rankingOf } from './ranking.ts';
import { referenceTrainer } from './reference.ts';
import type { ReferenceSpec } from './spec.ts';
import type { Trainer, TrainProgress } from './trainer.ts';

/** How is learned. */
interface Learning {
  readonly schema: Schema;
  readonly quantiser: Quantiser;
  readonly spec: ReferenceSpec;
  readonly seed?: Hex;
  /** Whether a classifier is to say scores, as `ranking.ts` has it. */
  readonly ranking?: boolean;
}

/** Learns from the distinct rows of a table, in the order of their digests. The table has passed `checkTable`. */
export async function train(
  table: Table,
  { schema, quantiser, spec, seed, ranking = false }: Learning,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (progress: TrainProgress) => void } = {},
): Promise<Model> {
  const rows = byDigest(table, schema);
  const classes = classesOf(schema.label);
  const { model } = await trainerOf(spec, classes).train({
    features: quantise(rows, quantiser),
    labels: labelsOf(rows, schema),
    classes,
    quantiserHash: quantiserHash(quantiser),
    ...(seed && { seed }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  return ranking ? rankingOf(model) : model;
}

/** The family and sizes of the models that a specification gives of so many classes. @see Learning for `ranking` */
export function sizesOf(
  spec: ReferenceSpec,
  classes: number,
  ranking = false,
): Omit<ModelShape, 'inputs' | 'laneBits'> {
  const outputs = classes > 2 ? classes : 1;
  if (spec.modelType === 'Ridge' || (spec.modelType === 'LinearSVC' && ranking)) return { family: 'linear-regression' };
  if (spec.modelType === 'LinearSVC')
    return classes > 2 ? { family: 'dense', hidden: 0, outputs } : { family: 'linear' };
  if (spec.modelType === 'MLPClassifier') {
    return { family: 'dense', hidden: spec.hyperparameters.hidden_layer_sizes[0]!, outputs };
  }
  const { n_estimators: trees, max_depth: depth } = spec.hyperparameters;
  return { family: 'forest', trees, depth };
}

/**
 * What makes a specified model of so many classes.
 *
 * @throws HokusaiError `configuration` TRAINER_ABSENT where nothing does
 */
export function trainerOf(spec: ReferenceSpec, classes: number): Trainer<Model, unknown> {
  const { modelType } = spec;
  if (modelType === 'LinearSVC' && classes === 2) return referenceTrainer(spec.hyperparameters);
  if (modelType === 'LinearSVC' && classes > 2) return multiclassTrainer(spec.hyperparameters);
  if (modelType === 'MLPClassifier' && classes >= 2) return mlpTrainer(spec.hyperparameters);
  if (modelType === 'Ridge' && classes === 0) return ridgeTrainer(spec.hyperparameters);
  if (modelType === 'RandomForestClassifier' && classes >= 2 && classes <= MOST_VOTED_CLASSES) {
    return forestTrainer(forestSpecOf(spec.hyperparameters, 'random-forest'));
  }
  if (modelType === 'RandomForestRegressor' && classes === 0) {
    return forestTrainer(forestSpecOf(spec.hyperparameters, 'random-forest'));
  }
  if (
    (modelType === 'GradientBoostingClassifier' && classes === 2) ||
    (modelType === 'GradientBoostingRegressor' && classes === 0)
  ) {
    return forestTrainer(forestSpecOf(spec.hyperparameters, 'gradient-boosting'));
  }
  const what = classes === 0 ? 'regressions' : `${classes} classes`;
  const text = `training.model_type ${modelType} does not learn ${what}`;
  throw new HokusaiError('configuration', 'TRAINER_ABSENT', text, {
    details: { modelType, classes },
    next: 'Choose another training.model_type, or a label of another kind.',
  });
}

/** scikit-learn's names for what a forest is learnt by. */
const forestSpecOf = (
  given: Extract<ReferenceSpec, { modelType: `${'RandomForest' | 'GradientBoosting'}${string}` }>['hyperparameters'],
  kind: ForestSpec['kind'],
): ForestSpec => ({
  kind,
  trees: given.n_estimators,
  maxDepth: given.max_depth,
  minSamplesLeaf: given.min_samples_leaf,
  seed: given.random_state,
  ...(given.max_leaf_nodes !== undefined && { maxLeafNodes: given.max_leaf_nodes }),
  ...('learning_rate' in given && { learningRate: given.learning_rate }),
});
