/** Metrics of numbers said, as scikit-learn has them. */
import type { Measure, NumberRows } from './rows.ts';
import { meanOf, sumOf, type Weights } from './sum.ts';

/**
 * Mean squared and mean absolute error; R², which of equal labels is 1 where all are met, else 0, and of a single row NaN;
 * MAPE, where a label below 2^-52 in magnitude counts as that.
 */
export function errorMeasure({ labels, predictions }: NumberRows): Measure {
  const n = labels.length;
  const error = (row: number) => labels[row]! - predictions[row]!;
  const relative = (row: number) => Math.abs(error(row)) / Math.max(Math.abs(labels[row]!), Number.EPSILON);
  return (weights) => ({
    mse: meanOf(n, (row) => error(row) ** 2, weights),
    mae: meanOf(n, (row) => Math.abs(error(row)), weights),
    r2: explained(labels, error, weights),
    mape: meanOf(n, relative, weights),
  });
}

/** 1 - squared errors / squared distances from the mean. */
function explained(labels: Float64Array, error: (row: number) => number, weights: Weights): number {
  const n = labels.length;
  if (n < 2) return Number.NaN;
  const mean = meanOf(n, (row) => labels[row]!, weights);
  const errors = sumOf(n, (row) => error(row) ** 2, weights);
  const spread = sumOf(n, (row) => (labels[row]! - mean) ** 2, weights);
  if (spread !== 0) return 1 - errors / spread;
  return errors === 0 ? 1 : 0;
}
