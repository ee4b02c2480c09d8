import type { Features } from '../quantise.ts';
import { type DenseModel, predictDense } from './dense.ts';
import { type ExternalModel, predictionsOf } from './external.ts';
import { type ForestModel, predictForest } from './forest-model.ts';
import { type LinearModel, predict as predictLinear } from './linear.ts';
import { type LinearRegressionModel, predict as predictLinearRegression } from './linear-regression.ts';

/** What can be trained, committed to and paid for: integers only, or what another program left. */
export type Model = LinearModel | LinearRegressionModel | DenseModel | ForestModel | ExternalModel;

/** Class of each row, or its value of 0 to 65535; an external model has predicted one fold, once. */
export function predict(model: Model, features: Features): Uint8Array | Uint16Array {
  switch (model.family) {
    case 'linear':
      return predictLinear(model, features);
    case 'linear-regression':
      return predictLinearRegression(model, features);
    case 'dense':
      return predictDense(model, features);
    case 'forest':
      return predictForest(model, features);
    case 'external':
      return predictionsOf(model);
  }
}
