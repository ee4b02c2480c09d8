import { z } from 'zod';
import { int } from '../config/values.ts';
import type { Task } from '../table/label.ts';

const seed = int()
  .min(0)
  .max(2 ** 32 - 1)
  .default(0)
  .describe("What is drawn follows from it, and in a round from the round's seed, too.");
/** A count from 1, a share below 1, or null for all. */
const share = z.union([int().min(1).max(1_000_000), z.number().gt(0).lt(1), z.null()], {
  error: 'expected a whole number from 1, a share between 0 and 1, or null',
});
const features = z.union([z.literal(['sqrt', 'log2']), ...share.options], {
  error: 'expected sqrt, log2, a whole number from 1, a share between 0 and 1, or null',
});
/** Weights by the label's values, 1 for those that are not named. */
const class_weight = z
  .union([z.literal('balanced'), z.record(z.string(), z.number().min(0.01).max(1_000)), z.null()], {
    error: 'expected balanced, a weight of 0.01 to 1000 for each class, or null',
  })
  .default(null)
  .describe(
    'How much rows of each class count: balanced, the more the fewer there are, or weights by the values of the label, such as { yes: 2 }, 1 for others; null for all alike.',
  );
const trees = {
  n_estimators: int().min(1).max(1000).default(100).describe('Trees.'),
  max_leaf_nodes: int()
    .min(2)
    .max(65_536)
    .optional()
    .describe('Leaves of a tree, at most; of more splits the best are taken. Default: as many as the depth allows.'),
  min_samples_leaf: int().min(1).max(1_000_000).default(1).describe('Rows of a leaf, at least.'),
  min_samples_split: int().min(2).max(1_000_000).default(2).describe('Rows of a node that is split, at least.'),
  random_state: seed,
};
const forest = {
  ...trees,
  max_depth: int().min(1).max(23).default(10).describe('Decisions from the root to a leaf, at most.'),
  bootstrap: z.boolean().default(true).describe('Whether each tree has rows of its own, drawn with replacement.'),
  max_samples: share
    .default(null)
    .describe('Rows that are drawn for a tree: a count, a share, or null for as many as there are.'),
};
/** Rows set aside, by their digests, to end early by. */
const early = {
  validation_fraction: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.1)
    .describe('Share of the rows, by their digests, that is set aside to end early by.'),
  tol: z
    .number()
    .min(0)
    .max(1)
    .default(1e-4)
    .describe('By how much the score of those rows has to rise to count as better.'),
};
const boosting = {
  ...trees,
  ...early,
  learning_rate: z.number().min(1e-6).max(1).default(0.1).describe('How much of each tree is added.'),
  max_depth: int().min(1).max(23).default(3).describe('Decisions from the root to a leaf, at most.'),
  max_features: features
    .default(null)
    .describe('Features that are looked at for a split: sqrt or log2 of them, a count, a share, or null for all.'),
  subsample: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('Share of the rows, drawn without replacement, that each tree learns from.'),
  n_iter_no_change: z
    .union([int().min(1).max(1000), z.null()])
    .default(null)
    .describe('Ends after so many trees in a row that were no better on the rows set aside; null sets none aside.'),
};
const FEATURES_OF_CLASSES = features
  .default('sqrt')
  .describe('Features that are looked at for a split: sqrt or log2 of them, a count, a share, or null for all.');
const C = z.number().min(1e-6).max(1e6).default(1).describe('Weight of the errors against the size of the weights.');

/** What can be said of each type of model, by scikit-learn's names and with its defaults. */
export const HYPERPARAMETERS = {
  LinearSVC: z.strictObject({ C, class_weight }),
  LogisticRegression: z.strictObject({
    C,
    class_weight,
    max_iter: int().min(1).max(10_000).default(100).describe('Steps of Newton, at most.'),
  }),
  Ridge: z.strictObject({
    alpha: z.number().min(1e-6).max(1e6).default(1).describe('Weight of the size of the weights against the errors.'),
  }),
  RandomForestClassifier: z.strictObject({ ...forest, max_features: FEATURES_OF_CLASSES, class_weight }),
  RandomForestRegressor: z.strictObject({ ...forest, max_features: boosting.max_features }),
  GradientBoostingClassifier: z.strictObject({ ...boosting, class_weight }),
  GradientBoostingRegressor: z.strictObject(boosting),
  MLPClassifier: z.strictObject({
    ...early,
    class_weight,
    hidden_layer_sizes: z.array(int().min(1).max(256)).length(1).default([64]).describe('Units of the hidden layer.'),
    alpha: z.number().min(0).max(1e3).default(0.03).describe('Weight of the size of the weights against the errors.'),
    batch_size: int()
      .min(1)
      .max(2 ** 20)
      .default(32)
      .describe('Rows of a step.'),
    learning_rate_init: z.number().min(1e-6).max(1).default(0.01).describe('Length of a step, by Adam.'),
    max_iter: int().min(1).max(10_000).default(100).describe('Passes over the rows, at most.'),
    early_stopping: z.boolean().default(false).describe('Whether rows are set aside to end early by.'),
    n_iter_no_change: int()
      .min(1)
      .max(1000)
      .default(10)
      .describe('Ends after so many passes in a row that were no better.'),
    random_state: seed,
  }),
} as const;

export type ModelType = keyof typeof HYPERPARAMETERS;
export const MODEL_TYPES = Object.keys(HYPERPARAMETERS) as ModelType[];

/** How a model line learns. */
export type TrainSpec = ReferenceSpec | ExternalSpec;

/** With one of our own trainers: to the bit the same on every machine, and the model can be proven. */
export type ReferenceSpec = {
  [Type in ModelType]: {
    readonly framework: 'reference';
    readonly modelType: Type;
    readonly hyperparameters: z.infer<(typeof HYPERPARAMETERS)[Type]>;
    /** Which hyperparameters are chosen by cross-validation, and among what. */
    readonly search?: Search;
  };
}[ModelType];

/** A grid of hyperparameters, as scikit-learn's GridSearchCV takes it. */
export interface Search {
  /** Of each name that is looked for the values to try. */
  readonly param_grid: Readonly<Record<string, readonly unknown[]>>;
  /** Folds, by the digests of the rows. */
  readonly cv: number;
}

/** How a program is asked to train. */
export interface ExternalSpec {
  readonly framework: 'scikit-learn' | 'pytorch' | 'tensorflow' | 'command';
  /** An estimator of scikit-learn, a type of network, or what the owner calls it. */
  readonly modelType: string;
  readonly task: Task;
  readonly hyperparameters: Readonly<Record<string, Json>>;
  /** Of `command`: the program and its arguments. */
  readonly command?: readonly string[];
  /** Of `scikit-learn` and `pytorch`: the Python to train with. */
  readonly python?: string;
  /** Of `pytorch` and `tensorflow`: what it is computed with, by the configuration's keys. */
  readonly runtime?: Readonly<Record<string, string>>;
  /** Of `pytorch`: absolute path of the owner's file that builds the network. */
  readonly module?: string;
  /** What it may read beside what it is given: what the configuration names, and of a command the configuration's folder. */
  readonly readable: readonly string[];
  /** What of that it may not: the runs' folder, which has secrets. */
  readonly hidden?: readonly string[];
  /** Seconds. */
  readonly timeout: number;
  /** Bytes. */
  readonly memory: number;
}

export type Json = string | number | boolean | null | readonly Json[];

/** Estimators of scikit-learn by name: where they are, and what they are for. */
export const ESTIMATORS: Readonly<Record<string, readonly [module: string, task: Task]>> = {
  AdaBoostClassifier: ['ensemble', 'classification'],
  DecisionTreeClassifier: ['tree', 'classification'],
  ExtraTreesClassifier: ['ensemble', 'classification'],
  GaussianNB: ['naive_bayes', 'classification'],
  GradientBoostingClassifier: ['ensemble', 'classification'],
  HistGradientBoostingClassifier: ['ensemble', 'classification'],
  KNeighborsClassifier: ['neighbors', 'classification'],
  LinearDiscriminantAnalysis: ['discriminant_analysis', 'classification'],
  LinearSVC: ['svm', 'classification'],
  LogisticRegression: ['linear_model', 'classification'],
  MLPClassifier: ['neural_network', 'classification'],
  RandomForestClassifier: ['ensemble', 'classification'],
  RidgeClassifier: ['linear_model', 'classification'],
  SGDClassifier: ['linear_model', 'classification'],
  SVC: ['svm', 'classification'],
  AdaBoostRegressor: ['ensemble', 'regression'],
  DecisionTreeRegressor: ['tree', 'regression'],
  ElasticNet: ['linear_model', 'regression'],
  ExtraTreesRegressor: ['ensemble', 'regression'],
  GradientBoostingRegressor: ['ensemble', 'regression'],
  HistGradientBoostingRegressor: ['ensemble', 'regression'],
  KNeighborsRegressor: ['neighbors', 'regression'],
  Lasso: ['linear_model', 'regression'],
  LinearRegression: ['linear_model', 'regression'],
  MLPRegressor: ['neural_network', 'regression'],
  RandomForestRegressor: ['ensemble', 'regression'],
  Ridge: ['linear_model', 'regression'],
  SVR: ['svm', 'regression'],
};

/** Whether anything is drawn in training: rows and features of trees, or weights to begin with and the order of rows. */
export function isDrawn(spec: TrainSpec): boolean {
  const { framework, modelType } = spec;
  if (framework !== 'reference' || modelType.startsWith('RandomForest') || modelType === 'MLPClassifier') return true;
  if (modelType !== 'GradientBoostingClassifier' && modelType !== 'GradientBoostingRegressor') return false;
  const { subsample, max_features } = spec.hyperparameters;
  const { subsample: subsamples = [], max_features: features = [] } = spec.search?.param_grid ?? {};
  return (
    [subsample, ...subsamples].some((share) => share !== 1) || [max_features, ...features].some((of) => of !== null)
  );
}

/** What a specification is for. */
export const taskOfSpec = (spec: TrainSpec): Task =>
  spec.framework === 'reference' ? taskOf(spec.modelType) : spec.task;

/** What a type of model is for. */
export const taskOf = (modelType: ModelType): Task =>
  modelType === 'Ridge' || modelType.endsWith('Regressor') ? 'regression' : 'classification';
