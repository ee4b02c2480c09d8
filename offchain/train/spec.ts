import { z } from 'zod';
import type { Task } from '../label.ts';

/** A whole number. That of zod ends the check of all else around it. */
const int = () => z.number().refine(Number.isSafeInteger, 'wrong type, expected a whole number');

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
  LinearSVC: z.strictObject({ C: z.number().min(1e-6).max(1e6).default(1) }),
  Ridge: z.strictObject({ alpha: z.number().min(1e-6).max(1e6).default(1) }),
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
export type TrainSpec = {
  [Type in ModelType]: {
    readonly modelType: Type;
    readonly hyperparameters: z.infer<(typeof HYPERPARAMETERS)[Type]>;
  };
}[ModelType];

/** Whether anything is drawn in training: rows and features of trees, or weights to begin with and the order of rows. */
export const isDrawn = ({ modelType }: TrainSpec): boolean =>
  modelType.startsWith('RandomForest') || modelType === 'MLPClassifier';

/** What a type of model is for. */
export const taskOf = (modelType: ModelType): Task =>
  modelType === 'Ridge' || modelType.endsWith('Regressor') ? 'regression' : 'classification';
