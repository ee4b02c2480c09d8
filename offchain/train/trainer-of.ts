import { HokusaiError } from '../errors.ts';
import type { ModelShape } from '../prove/inference.ts';
import { classWeightsOf } from './class-weights.ts';
import { forestTrainer } from './forest.ts';
import { MOST_VOTED_CLASSES } from './forest-model.ts';
import type { ForestSpec } from './forest-spec.ts';
import { pointsOf } from './grid.ts';
import { ridgeTrainer } from './linear-regression.ts';
import { logisticTrainer } from './logistic-regression.ts';
import { mlpTrainer } from './mlp.ts';
import { multiclassTrainer } from './multiclass.ts';
import { referenceTrainer } from './reference.ts';
import type { ReferenceModel } from './reference-model.ts';
import type { ReferenceSpec } from './spec.ts';
import type { Trainer } from './trainer.ts';

/** The family and sizes of the models that a specification gives of so many classes: of what is searched the largest. @see train for `ranking` */
export function sizesOf(
  spec: ReferenceSpec,
  classes: number,
  ranking = false,
): Omit<ModelShape, 'inputs' | 'laneBits'> {
  const sizes = pointsOf(spec).map((point) => sizesOfPoint(point, classes, ranking));
  const most = (key: 'hidden' | 'trees' | 'depth') => {
    const values = sizes.flatMap((size) => size[key] ?? []);
    return values.length > 0 && { [key]: Math.max(...values) };
  };
  return { ...sizes[0]!, ...most('hidden'), ...most('trees'), ...most('depth') };
}

function sizesOfPoint(spec: ReferenceSpec, classes: number, ranking: boolean): Omit<ModelShape, 'inputs' | 'laneBits'> {
  const outputs = classes > 2 ? classes : 1;
  const linear = spec.modelType === 'LinearSVC' || spec.modelType === 'LogisticRegression';
  if (spec.modelType === 'Ridge' || (linear && ranking)) return { family: 'linear-regression' };
  if (linear) return classes > 2 ? { family: 'dense', hidden: 0, outputs } : { family: 'linear' };
  if (spec.modelType === 'MLPClassifier') {
    return { family: 'dense', hidden: spec.hyperparameters.hidden_layer_sizes[0]!, outputs };
  }
  const { n_estimators: trees, max_depth: depth } = spec.hyperparameters;
  return { family: 'forest', trees, depth };
}

/**
 * What makes a specified model of so many classes, without a search.
 *
 * @param names - what the classes are called where weights are given to them; their numbers if left out
 * @throws HokusaiError `configuration` TRAINER_ABSENT where nothing does, CLASS_WEIGHT_UNKNOWN
 */
export function trainerOf(
  spec: ReferenceSpec,
  classes: number,
  names: readonly string[] = Array.from({ length: classes }, (_, c) => String(c)),
): Trainer<ReferenceModel, unknown> {
  const trainer = unweighted(spec, classes);
  const weight = 'class_weight' in spec.hyperparameters ? spec.hyperparameters.class_weight : null;
  if (weight === null) return trainer;
  const weights = classWeightsOf(weight, names);
  return {
    name: trainer.name,
    train: (input) => trainer.train({ ...input, classWeights: weights(input.labels) }),
  };
}

function unweighted(spec: ReferenceSpec, classes: number): Trainer<ReferenceModel, unknown> {
  const { modelType } = spec;
  if (modelType === 'LinearSVC' && classes === 2) return referenceTrainer(spec.hyperparameters);
  if (modelType === 'LinearSVC' && classes > 2) return multiclassTrainer(spec.hyperparameters);
  if (modelType === 'LogisticRegression' && classes >= 2) return logisticTrainer(spec.hyperparameters);
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
  minSamplesSplit: given.min_samples_split,
  maxFeatures: given.max_features,
  seed: given.random_state,
  ...(given.max_leaf_nodes !== undefined && { maxLeafNodes: given.max_leaf_nodes }),
  ...('bootstrap' in given && { bootstrap: given.bootstrap, maxSamples: given.max_samples }),
  ...('learning_rate' in given && {
    learningRate: given.learning_rate,
    subsample: given.subsample,
    nIterNoChange: given.n_iter_no_change,
    validationFraction: given.validation_fraction,
    tol: given.tol,
  }),
});
