import { setImmediate } from 'node:timers/promises';
import { HokusaiError } from '../errors.ts';
import { compareRounded, type DenseModel, quantiseDense, type Rounding } from './dense.ts';
import { refuseAborted } from './newton.ts';
import { Perceptron } from './perceptron.ts';
import { type Random, randomOf, seedOf } from './random.ts';
import { refuseOneClass, type Trainer, type TrainInput } from './trainer.ts';

/** Named as scikit-learn's MLPClassifier names them. */
export interface MlpHyperparameters {
  /** Units of the one hidden layer, 1 to 256. */
  readonly hidden_layer_sizes?: readonly number[];
  /** Passes over the rows. */
  readonly max_iter?: number;
  /** Length of the first step; it falls to 0 evenly until the last. */
  readonly learning_rate_init?: number;
  /** Weight of the regularisation. */
  readonly alpha?: number;
  /** Rows of one step, at most all. */
  readonly batch_size?: number;
  /** Seed of the first weights and of the order of rows, a 32-bit integer. */
  readonly random_state?: number;
}

const DEFAULTS = {
  hidden_layer_sizes: [64],
  max_iter: 100,
  learning_rate_init: 0.01,
  alpha: 0.03,
  batch_size: 32,
  random_state: 0,
} as const;

/** Least and most of each, and whether it is a whole number. */
const RANGES = {
  max_iter: [1, 10_000, true],
  learning_rate_init: [1e-6, 1, false],
  alpha: [0, 1e3, false],
  batch_size: [1, 2 ** 20, true],
  random_state: [0, 2 ** 32 - 1, true],
} as const;

export interface MlpReport {
  /** Euclidean norm of the gradient, the mean over the last pass, against that over the first. */
  relativeGradient: number;
  rounding: Rounding;
}

/**
 * Trains a perceptron with one hidden layer by Adam (Kingma, Ba: Adam: A Method for Stochastic Optimization, ICLR 2015)
 * and rounds it to integers; the same bits on every machine. The integer model is the model.
 *
 * @throws HokusaiError `configuration` TRAIN_HYPERPARAMETER_INVALID; from `train` `terminal` TRAIN_ONE_CLASS and
 * TRAIN_NOT_CONVERGED, `retryable` TRAIN_ABORTED
 */
export function mlpTrainer(hyperparameters: MlpHyperparameters = {}): Trainer<DenseModel, MlpReport> {
  const chosen = { ...DEFAULTS, ...hyperparameters };
  checkHyperparameters(chosen);
  return {
    name: 'mlp',
    train: async (input) => {
      refuseOneClass(input);
      const { layers, relativeGradient } = await minimise(input, chosen);
      const model = quantiseDense(layers, input.quantiserHash);
      return { model, report: { relativeGradient, rounding: compareRounded(input, layers, model) } };
    },
  };
}

function checkHyperparameters(chosen: Required<MlpHyperparameters>): void {
  const refuse = (name: string, value: unknown, expected: string) => {
    throw new HokusaiError(
      'configuration',
      'TRAIN_HYPERPARAMETER_INVALID',
      `${name} is ${value}, expected ${expected}`,
      {
        details: { name, value },
        next: `Correct ${name}.`,
      },
    );
  };
  for (const [name, [least, most, whole]] of Object.entries(RANGES)) {
    const value = chosen[name as keyof typeof RANGES];
    if (value >= least && value <= most && (!whole || Number.isInteger(value))) continue;
    refuse(name, value, `${whole ? 'a whole number of ' : ''}${least} to ${most}`);
  }
  const sizes = chosen.hidden_layer_sizes;
  if (sizes.length !== 1 || !Number.isInteger(sizes[0]) || sizes[0]! < 1 || sizes[0]! > 256) {
    refuse('hidden_layer_sizes', `[${sizes}]`, 'one whole number of 1 to 256');
  }
}

/** Runs through the rows in batches, in another order each time; the event loop runs in between. */
async function minimise(input: TrainInput, chosen: Required<MlpHyperparameters>) {
  const { features, labels, classes } = input;
  const random = randomOf(`mlp ${seedOf(chosen.random_state, input)}`);
  const outputs = classes === 2 ? 1 : classes;
  const widths = { features: features.columns.length, hidden: chosen.hidden_layer_sizes[0]!, outputs };
  const perceptron = new Perceptron(features, labels, widths, chosen.alpha);
  const parameters = perceptron.start(random);
  const gradient = new Float64Array(perceptron.size);
  const adam = new Adam(perceptron.size);
  const order = Uint32Array.from({ length: features.rows }, (_, row) => row);
  const batches = Math.ceil(features.rows / chosen.batch_size);
  const steps = chosen.max_iter * batches;
  let [firstNorm, relativeGradient] = [0, 1];
  for (let iteration = 0; iteration < chosen.max_iter; iteration++) {
    shuffle(order, random);
    let norm = 0;
    for (let batch = 0; batch < batches; batch++) {
      const rows = order.subarray(batch * chosen.batch_size, (batch + 1) * chosen.batch_size);
      perceptron.gradient(parameters, rows, gradient);
      const done = iteration * batches + batch;
      norm += adam.step(parameters, gradient, (chosen.learning_rate_init * (steps - done)) / steps);
    }
    if (iteration === 0) firstNorm = norm;
    relativeGradient = norm / firstNorm;
    refuseDiverged(relativeGradient, iteration);
    input.onProgress?.({ iteration, relativeGradient });
    await setImmediate();
    refuseAborted(input.signal, iteration + 1);
  }
  return { layers: perceptron.layers(parameters), relativeGradient };
}

function refuseDiverged(relativeGradient: number, iteration: number): void {
  if (Number.isFinite(relativeGradient)) return;
  throw new HokusaiError('terminal', 'TRAIN_NOT_CONVERGED', `training diverged in iteration ${iteration + 1}`, {
    details: { iteration },
    next: 'Choose a smaller learning_rate_init.',
  });
}

/** Fisher and Yates's, in place. */
function shuffle(order: Uint32Array, random: Random): void {
  for (let i = order.length - 1; i > 0; i--) {
    const other = random(i + 1);
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
}

/** Adam's running means, with the constants of its paper. */
class Adam {
  readonly #means: Float64Array;
  readonly #squares: Float64Array;
  #meanLeft = 1;
  #squareLeft = 1;

  constructor(size: number) {
    this.#means = new Float64Array(size);
    this.#squares = new Float64Array(size);
  }

  /** Moves the parameters, and gives the gradient's norm. */
  step(parameters: Float64Array, gradient: Float64Array, rate: number): number {
    const [means, squares] = [this.#means, this.#squares];
    this.#meanLeft *= 0.9;
    this.#squareLeft *= 0.999;
    const length = (rate * Math.sqrt(1 - this.#squareLeft)) / (1 - this.#meanLeft);
    let sum = 0;
    for (let i = 0; i < gradient.length; i++) {
      const slope = gradient[i]!;
      sum += slope * slope;
      means[i] = 0.9 * means[i]! + (1 - 0.9) * slope;
      squares[i] = 0.999 * squares[i]! + (1 - 0.999) * slope * slope;
      parameters[i]! -= (length * means[i]!) / (Math.sqrt(squares[i]!) + 1e-8);
    }
    return Math.sqrt(sum);
  }
}
