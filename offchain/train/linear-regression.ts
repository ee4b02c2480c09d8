import { featureBitsOf } from '../commitment.ts';
import { HokusaiError } from '../errors.ts';
import type { Features } from '../table/quantise.ts';
import { factorise, solve } from './cholesky.ts';
import { addColumns, columnsOf } from './columns.ts';
import { gramOf } from './gram.ts';
import { reachOf, refuseMisfit, refuseTooWide } from './linear.ts';
import type { Trainer, TrainInput } from './trainer.ts';

/** Bits behind the point of a sum: coarse beside 16 bits of value, so that sums may reach 64 times the label's range. */
const FRACTION = 2 ** 8;
/** The largest value. */
const MOST = 65_535;
/** What no sum reaches in magnitude, whatever the row, so that it fits its lane where it is proven. */
export const SUM_LIMIT = 2 ** (featureBitsOf('linear-regression') - 1);

/**
 * A linear regression of bytes in integers: the value is `floor((bias + sum of weights[j] * x[j]) / 2^8)`, at least 0 and
 * at most 65535, with x[j] in 0..255. Half a unit is in the bias, so values are rounded, halves up.
 */
export type LinearRegressionModel = {
  version: 1;
  family: 'linear-regression';
  /** One per feature. |bias| + 255 |weights| is below 2^30. */
  weights: number[];
  bias: number;
  /** Of a classifier in this form (`ranking.ts`), as linear models have it: of what is above half of the range. */
  scale?: number;
  quantiserHash: `0x${string}`;
};

/** Of the training rows, in labels of 0 to 65535: sums of squared errors before and after rounding to integers. */
export interface RidgeReport {
  rounding: { rows: number; squaresBefore: number; squaresAfter: number };
}

/**
 * Value of each row, 0 to 65535, in integers.
 *
 * @throws HokusaiError `terminal` MODEL_MISFIT when the model has not one weight per feature
 */
export function predict(model: LinearRegressionModel, features: Features): Uint16Array {
  refuseMisfit(model.weights.length, features);
  const sums = weightedSums(model.bias, model.weights, features);
  const values = new Uint16Array(sums.length);
  for (let row = 0; row < values.length; row++) {
    values[row] = Math.min(Math.max(Math.floor(sums[row]! / FRACTION), 0), MOST);
  }
  return values;
}

const weightedSums = (bias: number, weights: ArrayLike<number>, features: Features): Float64Array =>
  addColumns(new Float64Array(features.rows).fill(bias), weights, features);

/**
 * Ridge regression in closed form: the least `sum of (y - b - w . x)^2 + alpha |w|^2`, x the row's bytes divided by 255
 * and the bias free, as scikit-learn's Ridge; rounded to integers. Sums of products are of integers and exact, the rest
 * is + - * / and square roots in a fixed order: the same bits on every machine.
 *
 * @param hyperparameters.alpha - weight of |w|^2, above 0
 * @throws from `train` HokusaiError `terminal` TRAIN_TOO_WIDE, TRAIN_WEIGHTS_TOO_LARGE
 */
export function ridgeTrainer({ alpha }: { alpha: number }): Trainer<LinearRegressionModel, RidgeReport> {
  return {
    name: 'reference',
    train: async (input) => {
      refuseTooWide(input.features);
      const moments = momentsOf(input);
      const exact = solve(factorise(regularised(moments, alpha), moments.sums.length), moments.withLabel);
      const model = quantise(exact, moments, input);
      return { model, report: { rounding: compareRounded(input, exact, moments, model) } };
    },
  };
}

/** Sums over the rows: of each feature, of the labels, and of products, less the product of the means. */
interface Moments {
  readonly rows: number;
  readonly sums: Float64Array;
  readonly labels: number;
  /** Features with features, lower triangle, row-major. */
  readonly products: Float64Array;
  /** Features with the label. */
  readonly withLabel: Float64Array;
}

function momentsOf({ features, labels }: TrainInput): Moments {
  const { rows, columns } = features;
  const size = columns.length;
  // Sums of labels are those of their two bytes.
  const [low, high] = [new Uint8Array(rows), new Uint8Array(rows)];
  for (let row = 0; row < rows; row++) {
    low[row] = labels[row]! & 255;
    high[row] = labels[row]! >> 8;
  }
  const gram = gramOf([...columnsOf(features), low, high], rows);
  const ofLabels = (part: (byte: number) => number): number => part(size) + 256 * part(size + 1);
  const sums = gram.sums.slice(0, size);
  const labelSum = ofLabels((byte) => gram.sums[byte]!);
  const products = new Float64Array(size * size);
  const withLabel = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      products[i * size + j] = gram.products[i * (size + 2) + j]! - (sums[i]! * sums[j]!) / rows;
    }
    withLabel[i] = ofLabels((byte) => gram.products[byte * (size + 2) + i]!) - (sums[i]! * labelSum) / rows;
  }
  return { rows, sums, labels: labelSum, products, withLabel };
}

function productOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let row = 0; row < a.length; row++) sum += a[row]! * b[row]!;
  return sum;
}

/** alpha is of features divided by 255, the products are of bytes. */
function regularised({ products, sums }: Moments, alpha: number): Float64Array {
  const matrix = products.slice();
  for (let i = 0; i < sums.length; i++) matrix[i * sums.length + i]! += alpha * 65_025;
  return matrix;
}

/** Weights rounded, halves up, and the bias with which the rounded model is right on average. */
function quantise(exact: Float64Array, { rows, sums, labels }: Moments, input: TrainInput): LinearRegressionModel {
  const weights = Array.from(exact, (weight) => Math.floor(weight * FRACTION + 0.5));
  const bias = Math.floor((labels * FRACTION - productOf(weights, sums)) / rows + 0.5) + FRACTION / 2;
  const reach = reachOf({ weights, bias });
  if (reach < SUM_LIMIT) {
    return { version: 1, family: 'linear-regression', weights, bias, quantiserHash: input.quantiserHash };
  }
  throw new HokusaiError('terminal', 'TRAIN_WEIGHTS_TOO_LARGE', 'the weights of the regression are too large', {
    details: { reach, limit: SUM_LIMIT },
    next: 'Choose a larger alpha.',
  });
}

function compareRounded(
  { features, labels }: TrainInput,
  exact: Float64Array,
  { rows, sums, labels: labelSum }: Moments,
  model: LinearRegressionModel,
): RidgeReport['rounding'] {
  const before = weightedSums((labelSum - productOf(exact, sums)) / rows, exact, features);
  const after = predict(model, features);
  const squares = (values: ArrayLike<number>): number => {
    let sum = 0;
    for (let row = 0; row < labels.length; row++) sum += (labels[row]! - values[row]!) * (labels[row]! - values[row]!);
    return sum;
  };
  return { rows, squaresBefore: squares(before), squaresAfter: squares(after) };
}
