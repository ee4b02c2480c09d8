import { z } from 'zod';
import { int } from '../config/values.ts';
import type { Task } from '../label.ts';

const trees = {
  n_estimators: int().min(1).max(1000).default(100),
  max_leaf_nodes: int().min(2).max(65_536).optional(),
  min_samples_leaf: int().min(1).max(1_000_000).default(1),
  random_state: int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0),
};
const forest = z.strictObject({ ...trees, max_depth: int().min(1).max(23).default(10) });
const boosting = z.strictObject({
  ...trees,
  learning_rate: z.number().min(1e-6).max(1).default(0.1),
  max_depth: int().min(1).max(23).default(3),
});

/** What can be said of each type of model, by scikit-learn's names and with its defaults. */
export const HYPERPARAMETERS = {
  LinearSVC: z.strictObject({
    C: z.number().min(1e-6).max(1e6).default(1).describe('Weight of the errors against the size of the weights.'),
  }),
  Ridge: z.strictObject({
    alpha: z.number().min(1e-6).max(1e6).default(1).describe('Weight of the size of the weights against the errors.'),
  }),
  RandomForestClassifier: forest,
  RandomForestRegressor: forest,
  GradientBoostingClassifier: boosting,
  GradientBoostingRegressor: boosting,
  MLPClassifier: z.strictObject({
    hidden_layer_sizes: z.array(int().min(1).max(256)).length(1).default([64]),
    alpha: z.number().min(0).max(1e3).default(0.03),
    batch_size: int()
      .min(1)
      .max(2 ** 20)
      .default(32),
    learning_rate_init: z.number().min(1e-6).max(1).default(0.01),
    max_iter: int().min(1).max(10_000).default(100),
    random_state: int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(0),
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
  };
}[ModelType];

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
export const isDrawn = ({ framework, modelType }: TrainSpec): boolean =>
  framework !== 'reference' || modelType.startsWith('RandomForest') || modelType === 'MLPClassifier';

/** What a specification is for. */
export const taskOfSpec = (spec: TrainSpec): Task =>
  spec.framework === 'reference' ? taskOf(spec.modelType) : spec.task;

/** What a type of model is for. */
export const taskOf = (modelType: ModelType): Task =>
  modelType === 'Ridge' || modelType.endsWith('Regressor') ? 'regression' : 'classification';
