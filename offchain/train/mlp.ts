import { setImmediate } from 'node:timers/promises';
import { HokusaiError } from '../errors.ts';
import { compareRounded, type DenseModel, quantiseDense, type Rounding } from './dense.ts';
import { MlpState } from './mlp-state.ts';
import { Perceptron } from './perceptron.ts';
import { type Random, randomOf, seedOf } from './random.ts';
import { refuseAborted, refuseOneClass, rowsAside, type Trainer, type TrainInput } from './trainer.ts';

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
  /** Whether to end when the accuracy on rows set aside has not risen by `tol` for more than `n_iter_no_change` passes. */
  readonly early_stopping?: boolean;
  readonly n_iter_no_change?: number;
  readonly validation_fraction?: number;
  readonly tol?: number;
}

const DEFAULTS = {
  hidden_layer_sizes: [64],
  max_iter: 100,
  learning_rate_init: 0.01,
  alpha: 0.03,
  batch_size: 32,
  random_state: 0,
  early_stopping: false,
  n_iter_no_change: 10,
  validation_fraction: 0.1,
  tol: 1e-4,
} as const;

/** Least and most of each, and whether it is a whole number. */
const RANGES = {
  max_iter: [1, 10_000, true],
  learning_rate_init: [1e-6, 1, false],
  alpha: [0, 1e3, false],
  batch_size: [1, 2 ** 20, true],
  random_state: [0, 2 ** 32 - 1, true],
  n_iter_no_change: [1, 1_000, true],
  validation_fraction: [1e-9, 1 - 1e-9, false],
  tol: [0, 1, false],
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
  const { fitted, validation } = (chosen.early_stopping && rowsAside(input, chosen.validation_fraction)) || {
    fitted: input,
  };
  const perceptron = perceptronOf(fitted, chosen);
  const judge = validation && perceptronOf(validation, chosen);
  const seed = `mlp ${seedOf(chosen.random_state, input)}`;
  const state = new MlpState(perceptron.start(randomOf(seed)), await input.checkpoint?.load());
  while (state.iteration < chosen.max_iter && state.unchanged <= chosen.n_iter_no_change) {
    await setImmediate();
    await refuseAborted(input, state.iteration, () => state.bytes);
    const { norm, loss } = pass(
      perceptron,
      fitted.features.rows,
      state,
      chosen,
      randomOf(`${seed}/${state.iteration}`),
    );
    if (state.iteration === 0) state.firstNorm = norm;
    state.relativeGradient = norm / state.firstNorm;
    refuseDiverged(state.relativeGradient, state.iteration);
    state.iteration++;
    const told = { iteration: state.iteration, done: state.iteration / chosen.max_iter };
    input.onProgress?.({ ...told, name: 'loss', value: loss });
    if (judge) {
      const score = state.judge(judge.accuracy(state.parameters), chosen.tol);
      input.onProgress?.({ ...told, name: 'validation_score', value: score });
    }
    if (input.checkpoint?.due()) await input.checkpoint.save(state.bytes);
  }
  return {
    layers: perceptron.layers(judge ? state.best : state.parameters),
    relativeGradient: state.relativeGradient,
  };
}

function perceptronOf({ features, labels, classes, classWeights }: TrainInput, chosen: Required<MlpHyperparameters>) {
  const outputs = classes === 2 ? 1 : classes;
  const widths = { features: features.columns.length, hidden: chosen.hidden_layer_sizes[0]!, outputs };
  return new Perceptron(features, labels, widths, chosen.alpha, classWeights);
}

/** One pass over the rows. @returns the sum of the gradients' norms, and the mean cross-entropy on the way */
function pass(
  perceptron: Perceptron,
  rows: number,
  state: MlpState,
  chosen: Required<MlpHyperparameters>,
  random: Random,
): { norm: number; loss: number } {
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  shuffle(order, random);
  const gradient = new Float64Array(perceptron.size);
  const batches = Math.ceil(rows / chosen.batch_size);
  const steps = chosen.max_iter * batches;
  let [norm, loss] = [0, 0];
  for (let batch = 0; batch < batches; batch++) {
    const own = order.subarray(batch * chosen.batch_size, (batch + 1) * chosen.batch_size);
    loss += perceptron.gradient(state.parameters, own, gradient);
    const done = state.iteration * batches + batch;
    norm += state.step(gradient, (chosen.learning_rate_init * (steps - done)) / steps);
  }
  return { norm, loss: loss / rows };
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
