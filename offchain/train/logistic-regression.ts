import { setImmediate } from 'node:timers/promises';
import { HokusaiError } from '../errors.ts';
import { factorise, solve } from './cholesky.ts';
import { addColumns, columnSums, columnsOf } from './columns.ts';
import { compareRounded, type DenseModel, quantiseDense, type Rounding } from './dense.ts';
import { gramOf } from './gram.ts';
import { type LinearModel, quantiseLinear } from './linear.ts';
import { FAR, logistic, softmax } from './logistic.ts';
import { linearTrainer } from './reference.ts';
import { dot } from './squared-hinge.ts';
import { CLASS_WEIGHT_UNIT, refuseAborted, type Trainer, type TrainInput } from './trainer.ts';

export interface LogisticHyperparameters {
  /** Weight of the loss against |w|^2 / 2, in [1e-6, 1e6]; 1 by default. */
  readonly C?: number;
  /** Steps at most, 1 to 10,000; 100 by default. */
  readonly max_iter?: number;
}

export interface LogisticReport {
  iterations: number;
  /** Euclidean norm of the gradient against that at the start. */
  relativeGradient: number;
  /** Of each output, for features divided by 255, the bias last. */
  parameters: Float64Array[];
  /** Absent of two classes. */
  rounding?: Rounding;
}

/** Ends when the gradient's norm has fallen to so much of that at the start. */
const TOLERANCE = 1e-7;
/** Steps that the next direction remembers. */
const MEMORY = 10;
/** The scale is that of the curvature over so many rows, which are any. */
const SAMPLE = 32_768;
const MAX_HALVINGS = 30;

/**
 * Trains scikit-learn's LogisticRegression, of two classes or by softmax of more: the least `|w|^2 / 2 + C * sum of c_i (-log
 * of the probability of the label)`, c the weight of the row's class and the biases free, rounded to integers; the same bits
 * on every machine. The integer model is the model. Where `max_iter` ends it, it is what it has come to by then.
 *
 * @throws HokusaiError `configuration` TRAIN_C_INVALID; from `train` `terminal` TRAIN_ONE_CLASS, TRAIN_TOO_WIDE,
 * TRAIN_NOT_CONVERGED, `retryable` TRAIN_ABORTED
 */
export function logisticTrainer({
  C = 1,
  max_iter = 100,
}: LogisticHyperparameters = {}): Trainer<LinearModel | DenseModel, LogisticReport> {
  return linearTrainer<LinearModel | DenseModel, LogisticReport>(C, async (input) => {
    const report = await minimise(input, C, max_iter);
    const outputs = report.parameters.map((own) => ({ bias: own.at(-1)!, weights: own.subarray(0, -1) }));
    if (input.classes === 2) return { model: quantiseLinear(outputs[0]!, input.quantiserHash), report };
    const layers = { hidden: [], outputs: outputs.map(({ bias, weights }) => ({ bias, weights: [...weights] })) };
    const model = quantiseDense(layers, input.quantiserHash);
    return { model, report: { ...report, rounding: compareRounded(input, layers, model) } };
  });
}

/**
 * L-BFGS (Liu, Nocedal: On the Limited Memory BFGS Method, Math. Programming 45, 1989), scaled by the inverse of the
 * objective's curvature at 0 instead of a multiple of the identity. As that is nearly right, steps have their full length
 * but for a few; one is halved until the objective's slope there has not turned by more than a tenth.
 */
async function minimise(input: TrainInput, C: number, maxIter: number): Promise<LogisticReport> {
  const problem = new LogisticProblem(input, C);
  const memory = new Memory((gradient) => problem.scaled(gradient));
  let w = new Float64Array(problem.size);
  let gradient = problem.gradient(w);
  const startNorm = Math.sqrt(dot(gradient, gradient));
  for (let iterations = 0; ; iterations++) {
    const relativeGradient = Math.sqrt(dot(gradient, gradient)) / Math.max(startNorm, 1e-300);
    const value = { name: 'relative_gradient', value: relativeGradient } as const;
    input.onProgress?.({ iteration: iterations, done: iterations / maxIter, ...value });
    if (!Number.isFinite(relativeGradient)) throw notConverged(iterations);
    if (relativeGradient <= TOLERANCE || iterations === maxIter) {
      return { iterations, relativeGradient, parameters: problem.outputs(w) };
    }
    await setImmediate();
    await refuseAborted(input, iterations);
    const direction = memory.direction(gradient);
    const steepest = dot(direction, gradient);
    const before = w;
    const old = gradient;
    for (let halving = 0, length = 1; halving < MAX_HALVINGS; halving++, length /= 2) {
      w = before.map((own, i) => own + length * direction[i]!);
      gradient = problem.gradient(w);
      if (dot(direction, gradient) <= -steepest / 10) break;
    }
    memory.add(
      w.map((own, i) => own - before[i]!),
      gradient.map((own, i) => own - old[i]!),
    );
  }
}

function notConverged(iterations: number): HokusaiError {
  return new HokusaiError('terminal', 'TRAIN_NOT_CONVERGED', `training diverged in iteration ${iterations}`, {
    details: { iterations },
    next: 'Choose a smaller C.',
  });
}

/** The last steps, and how the gradient changed over each. */
class Memory {
  readonly #pairs: { step: Float64Array; change: Float64Array; product: number }[] = [];
  readonly #scaled: (gradient: Float64Array) => Float64Array;

  constructor(scaled: (gradient: Float64Array) => Float64Array) {
    this.#scaled = scaled;
  }

  add(step: Float64Array, change: Float64Array): void {
    const product = dot(step, change);
    // Of a convex objective it is below 0 by rounding alone.
    if (product > 0) this.#pairs.push({ step, change, product });
    if (this.#pairs.length > MEMORY) this.#pairs.shift();
  }

  direction(gradient: Float64Array): Float64Array {
    const rest = gradient.slice();
    const factors: number[] = [];
    for (const { step, change, product } of this.#pairs.toReversed()) {
      const factor = dot(step, rest) / product;
      factors.push(factor);
      for (let i = 0; i < rest.length; i++) rest[i]! -= factor * change[i]!;
    }
    const direction = this.#scaled(rest);
    for (const { step, change, product } of this.#pairs) {
      const factor = factors.pop()! - dot(change, direction) / product;
      for (let i = 0; i < direction.length; i++) direction[i]! += factor * step[i]!;
    }
    return direction.map((value) => -value);
  }
}

/** The parameters are one vector: of each output the weights of the features, for x / 255, and then its bias. */
class LogisticProblem {
  readonly size: number;
  readonly #input: TrainInput;
  readonly #C: number;
  readonly #outputs: number;
  /** Of one output: its parameters. */
  readonly #width: number;
  readonly #costs: readonly number[];
  readonly #curvature: Float64Array;

  constructor(input: TrainInput, C: number) {
    const { features, classes, classWeights } = input;
    this.#input = input;
    this.#C = C;
    this.#outputs = classes === 2 ? 1 : classes;
    this.#width = features.columns.length + 1;
    this.size = this.#outputs * this.#width;
    const all = { length: classes };
    this.#costs = Array.from(all, (_, c) => (classWeights ? classWeights[c]! / CLASS_WEIGHT_UNIT : 1));
    this.#curvature = factorise(this.#curvatureAtZero(), this.#width);
  }

  outputs(w: Float64Array): Float64Array[] {
    return Array.from({ length: this.#outputs }, (_, c) => w.slice(c * this.#width, (c + 1) * this.#width));
  }

  /** Divided by the curvature at 0, which is the same for all outputs when they are taken one by one. */
  scaled(gradient: Float64Array): Float64Array {
    const result = new Float64Array(this.size);
    for (const [c, own] of this.outputs(gradient).entries()) result.set(solve(this.#curvature, own), c * this.#width);
    return result;
  }

  /** `I + C s (1 - s) X'X` with s the probability of each class at 0, over a sample; the bias has a trace of the identity. */
  #curvatureAtZero(): Float64Array {
    const { features, labels, classes } = this.#input;
    const { rows, columns } = features;
    const sample = Math.min(rows, SAMPLE);
    const width = columns.length;
    const { sums, products } = gramOf(columnsOf(features), sample);
    let cost = 0;
    for (let row = 0; row < labels.length; row++) cost += this.#costs[labels[row]!]!;
    const share = (1 / classes) * (1 - 1 / classes) * this.#C * (cost / sample);
    const matrix = new Float64Array(this.#width * this.#width);
    for (let i = 0; i < width; i++) {
      for (let j = 0; j <= i; j++) matrix[i * this.#width + j] = (share * products[i * width + j]!) / 65_025;
      matrix[i * this.#width + i]! += 1;
      matrix[width * this.#width + i] = (share * sums[i]!) / 255;
    }
    matrix[width * this.#width + width] = share * sample + 1e-9;
    return matrix;
  }

  gradient(w: Float64Array): Float64Array {
    const { features } = this.#input;
    const width = this.#width - 1;
    const scores = this.outputs(w).map((own) => {
      const weights = own.subarray(0, -1).map((weight) => weight / 255);
      return addColumns(new Float64Array(features.rows).fill(own[width]!), weights, features);
    });
    if (this.#outputs === 1) this.#binaryErrors(scores[0]!);
    else this.#softmaxErrors(scores);
    const gradient = w.slice();
    for (const [c, errors] of scores.entries()) {
      const start = c * this.#width;
      const sums = columnSums(errors, features);
      for (let j = 0; j < width; j++) gradient[start + j]! += (this.#C * sums[j]!) / 255;
      let total = 0;
      for (let row = 0; row < errors.length; row++) total += errors[row]!;
      gradient[start + width] = this.#C * total;
    }
    return gradient;
  }

  /** Puts in the place of each score by how much the probability is too large, times the row's weight. */
  #binaryErrors(scores: Float64Array): void {
    const { labels } = this.#input;
    for (let row = 0; row < scores.length; row++) {
      const label = labels[row]!;
      scores[row] = this.#costs[label]! * (logistic(Math.min(Math.max(scores[row]!, -FAR), FAR)) - label);
    }
  }

  #softmaxErrors(scores: readonly Float64Array[]): void {
    const { labels } = this.#input;
    const own = new Float64Array(scores.length);
    for (let row = 0; row < labels.length; row++) {
      for (let c = 0; c < own.length; c++) own[c] = scores[c]![row]!;
      softmax(own);
      own[labels[row]!]! -= 1;
      for (let c = 0; c < own.length; c++) scores[c]![row] = this.#costs[labels[row]!]! * own[c]!;
    }
  }
}
