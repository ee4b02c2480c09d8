import type { Features } from '../table/quantise.ts';
import { type DenseModel, denseScores, predictDense } from './dense.ts';
import { type ForestModel, forestScores, predictForest } from './forest-model.ts';
import { type LinearModel, linearScores, predict as predictLinear } from './linear.ts';
import { type LinearRegressionModel, predict as predictLinearRegression } from './linear-regression.ts';

/** What our own trainers make. */
export type ReferenceModel = LinearModel | LinearRegressionModel | DenseModel | ForestModel;

/** Class of each row, or its value of 0 to 65535. Used in threads, where what commits to models cannot be loaded. */
export function predictReference(model: ReferenceModel, features: Features): Uint8Array | Uint16Array {
  switch (model.family) {
    case 'linear':
      return predictLinear(model, features);
    case 'linear-regression':
      return predictLinearRegression(model, features);
    case 'dense':
      return predictDense(model, features);
    case 'forest':
      return predictForest(model, features);
  }
}

/** What a classifier of two classes decides by, more being more positive. */
export function rankingScores(model: ReferenceModel, features: Features): Float64Array {
  if (model.family === 'linear') return linearScores(model, features);
  return (model.family === 'forest' ? forestScores(model, features) : denseScores(model as DenseModel, features))[0]!;
}
