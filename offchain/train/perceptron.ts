import type { Features } from '../table/quantise.ts';
import type { Unit } from './dense.ts';
import { FAR, log, logistic, softmax } from './logistic.ts';
import type { Random } from './random.ts';
import { CLASS_WEIGHT_UNIT } from './trainer.ts';

/** A probability is taken for at least this in a logarithm. */
const LEAST = 1e-300;

/** How many of each there are. One output for two classes, else one per class. */
export interface Widths {
  readonly features: number;
  readonly hidden: number;
  readonly outputs: number;
}

/**
 * The loss of a perceptron with one hidden layer and ReLU, and its gradient: scikit-learn's MLPClassifier. The mean over
 * the rows of a batch of the cross-entropy of softmax (of the logistic function where there is one output), and
 * `alpha / 2 * |weights|^2` over the batch's rows; biases are not regularised. Features are bytes divided by 255.
 *
 * All parameters are one vector: the weights of each hidden unit, their biases, the weights of each output, their biases.
 * Sums run over ascending indices, rows in the order of the batch, with + - * / alone: the same bits on every machine.
 */
export class Perceptron {
  readonly size: number;
  readonly #widths: Widths;
  readonly #alpha: number;
  /** Row by row, divided by 255. */
  readonly #rows: Float64Array;
  readonly #labels: ArrayLike<number>;
  readonly #activations: Float64Array;
  readonly #errors: Float64Array;
  /** What rows of each class count. */
  readonly #costs: readonly number[] | undefined;

  /**
   * @param labels - below the number of classes
   * @param classWeights - whole, in units of 1 / CLASS_WEIGHT_UNIT
   */
  constructor(
    { rows, values }: Features,
    labels: ArrayLike<number>,
    widths: Widths,
    alpha: number,
    classWeights?: readonly number[],
  ) {
    const { features, hidden, outputs } = widths;
    this.size = hidden * (features + 1) + outputs * (hidden + 1);
    this.#widths = widths;
    this.#alpha = alpha;
    this.#labels = labels;
    this.#costs = classWeights?.map((weight) => weight / CLASS_WEIGHT_UNIT);
    this.#rows = new Float64Array(values.length);
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < features; j++) this.#rows[row * features + j] = values[j * rows + row]! / 255;
    }
    this.#activations = new Float64Array(hidden);
    this.#errors = new Float64Array(outputs);
  }

  /** Weights and biases drawn evenly from within sqrt(6 / (inputs + units)) of 0 (Glorot, Bengio 2010), in order. */
  start(random: Random): Float64Array {
    const { features, hidden, outputs } = this.#widths;
    const parameters = new Float64Array(this.size);
    const [first, second] = [Math.sqrt(6 / (features + hidden)), Math.sqrt(6 / (hidden + outputs))];
    for (let i = 0; i < this.size; i++) {
      parameters[i] = (random(2 ** 32) / 2 ** 31 - 1) * (i < hidden * (features + 1) ? first : second);
    }
    return parameters;
  }

  /** The gradient of a batch's loss, into `gradient`. @returns the sum of its rows' cross-entropies */
  gradient(parameters: Float64Array, batch: ArrayLike<number>, gradient: Float64Array): number {
    const { features, hidden, outputs } = this.#widths;
    gradient.fill(0);
    let loss = 0;
    for (let b = 0; b < batch.length; b++) {
      const row = this.#rows.subarray(batch[b]! * features, (batch[b]! + 1) * features);
      loss += this.#forward(parameters, row, this.#labels[batch[b]!]!);
      this.#backward(parameters, row, gradient);
    }
    const weights = [
      0,
      hidden * features,
      hidden * (features + 1),
      hidden * (features + 1) + outputs * hidden,
    ] as const;
    for (let i = 0; i < this.size; i++) {
      const weight = i < weights[1] || (i >= weights[2] && i < weights[3]);
      gradient[i] = (gradient[i]! + (weight ? this.#alpha * parameters[i]! : 0)) / batch.length;
    }
    return loss;
  }

  /** Share of the rows whose class it says. */
  accuracy(parameters: Float64Array): number {
    const { features, outputs } = this.#widths;
    const rows = this.#labels.length;
    let right = 0;
    for (let row = 0; row < rows; row++) {
      const label = this.#labels[row]!;
      this.#scores(parameters, this.#rows.subarray(row * features, (row + 1) * features));
      const said = outputs === 1 ? Number(this.#errors[0]! > 0) : this.#errors.indexOf(Math.max(...this.#errors));
      right += Number(said === label);
    }
    return right / rows;
  }

  /** Activations of a row, and the probability of each class less 1 for the true one. @returns the row's cross-entropy */
  #forward(parameters: Float64Array, row: Float64Array, label: number): number {
    const errors = this.#errors;
    this.#scores(parameters, row);
    if (errors.length === 1) errors[0] = logistic(Math.max(-FAR, Math.min(errors[0]!, FAR)));
    else softmax(errors);
    const said = errors.length === 1 ? (label === 1 ? errors[0]! : 1 - errors[0]!) : errors[label]!;
    if (errors.length === 1) errors[0]! -= label;
    else errors[label]! -= 1;
    const cost = this.#costs?.[label] ?? 1;
    if (cost !== 1) for (let c = 0; c < errors.length; c++) errors[c]! *= cost;
    return -cost * log(Math.max(said, LEAST));
  }

  /** Activations of a row, and the score of each output. */
  #scores(parameters: Float64Array, row: Float64Array): void {
    const { features, hidden, outputs } = this.#widths;
    const [activations, errors] = [this.#activations, this.#errors];
    for (let i = 0; i < hidden; i++) {
      let sum = parameters[hidden * features + i]!;
      const start = i * features;
      for (let j = 0; j < features; j++) sum += parameters[start + j]! * row[j]!;
      activations[i] = sum > 0 ? sum : 0;
    }
    const second = hidden * (features + 1);
    for (let c = 0; c < outputs; c++) {
      let sum = parameters[second + outputs * hidden + c]!;
      const start = second + c * hidden;
      for (let i = 0; i < hidden; i++) sum += parameters[start + i]! * activations[i]!;
      errors[c] = sum;
    }
  }

  /** Adds what a row adds to the gradient. */
  #backward(parameters: Float64Array, row: Float64Array, gradient: Float64Array): void {
    const { features, hidden, outputs } = this.#widths;
    const [activations, errors] = [this.#activations, this.#errors];
    const second = hidden * (features + 1);
    for (let c = 0; c < outputs; c++) {
      const error = errors[c]!;
      gradient[second + outputs * hidden + c]! += error;
      const start = second + c * hidden;
      for (let i = 0; i < hidden; i++) gradient[start + i]! += error * activations[i]!;
    }
    for (let i = 0; i < hidden; i++) {
      if (activations[i] === 0) continue;
      let error = 0;
      for (let c = 0; c < outputs; c++) error += errors[c]! * parameters[second + c * hidden + i]!;
      gradient[hidden * features + i]! += error;
      const start = i * features;
      for (let j = 0; j < features; j++) gradient[start + j]! += error * row[j]!;
    }
  }

  /** The units that a vector of parameters stands for. */
  layers(parameters: Float64Array): { hidden: Unit[]; outputs: Unit[] } {
    const { features, hidden, outputs } = this.#widths;
    const units = (from: number, count: number, inputs: number): Unit[] =>
      Array.from({ length: count }, (_, i) => ({
        bias: parameters[from + count * inputs + i]!,
        weights: [...parameters.subarray(from + i * inputs, from + (i + 1) * inputs)],
      }));
    return { hidden: units(0, hidden, features), outputs: units(hidden * (features + 1), outputs, hidden) };
  }
}
