import { z } from 'zod';
import { int, MAX_UINT32 } from '../config/values.ts';
import { HokusaiError } from '../errors.ts';
import type { Task } from '../table/label.ts';
import type { TrainSpec } from './spec.ts';

/** How any network learns: the same words for PyTorch and TensorFlow, so that one file trains with either. */
const learning = {
  epochs: int().min(1).max(1_000_000).default(100).describe('How often it learns from all rows.'),
  batch_size: int()
    .min(1)
    .max(2 ** 20)
    .default(32)
    .describe('Rows of a step.'),
  learning_rate: z.number().min(1e-8).max(10).default(0.001).describe('Size of a step.'),
  optimizer: z.enum(['adam', 'sgd', 'rmsprop']).default('adam').describe('How a step follows from gradients.'),
  weight_decay: z.number().min(0).max(10).default(0).describe('Of the squared weights, added to the gradient.'),
  early_stopping: z
    .boolean()
    .default(false)
    .describe('Whether it ends, with the best weights, where the loss on rows held out no longer falls.'),
  validation_fraction: z.number().min(0.01).max(0.5).default(0.1).describe('Share of the rows held out for that.'),
  patience: int().min(1).max(100_000).default(10).describe('Epochs without a lower loss that it bears.'),
  checkpoint_every: int().min(1).max(1_000_000).default(10).describe('Epochs from one checkpoint to the next.'),
  random_state: int().min(0).max(MAX_UINT32).default(0).describe('What is drawn follows from it.'),
};
/** Of a network that we build. */
const layers = {
  hidden_layer_sizes: z
    .array(int().min(1).max(65_536))
    .min(1)
    .max(64)
    .default([64])
    .describe('Units of each hidden layer.'),
  activation: z.enum(['relu', 'tanh', 'sigmoid', 'elu']).default('relu').describe('After each hidden layer.'),
  dropout: z.number().min(0).max(0.95).default(0).describe('Share of hidden units left out in training.'),
};
const classes = {
  class_weight: z
    .union([z.literal('balanced'), z.array(z.number().min(0)), z.null()])
    .default(null)
    .meta({
      takes: 'balanced, a list of numbers, or null',
      description:
        'What an error costs: balanced by how many rows a class has, a weight for each class, or all the same.',
    }),
};

/** What can be said of each type of network. Those that end in a module of the owner's are PyTorch's, as skorch calls them. */
export const NETWORKS = {
  MLPClassifier: z.strictObject({ ...layers, ...learning, ...classes }),
  MLPRegressor: z.strictObject({ ...layers, ...learning }),
  NeuralNetClassifier: z.strictObject({ ...learning, ...classes }),
  NeuralNetRegressor: z.strictObject(learning),
} as const;

export type NetworkType = keyof typeof NETWORKS;

/** All that a network's training is told by its hyperparameters. */
export type NetworkOptions = z.infer<(typeof NETWORKS)['MLPClassifier']>;

export const taskOfNetwork = (modelType: NetworkType): Task =>
  modelType.endsWith('Regressor') ? 'regression' : 'classification';

/** With what a network is computed. Anything else than the first of each gives other bits on another machine. */
export const RUNTIME = {
  pytorch: {
    device: z
      .enum(['cpu', 'cuda', 'auto'])
      .default('cpu')
      .describe('A GPU, or where there is one; other than cpu in dry runs alone.'),
    precision: z
      .enum(['float32', 'bfloat16', 'float16'])
      .default('float32')
      .describe('Of what is multiplied, weights stay float32; other than float32 in dry runs alone.'),
    parallel: z
      .enum(['none', 'data', 'model'])
      .default('none')
      .describe('Over several GPUs: rows (data) or layers (model); other than none in dry runs alone.'),
  },
  tensorflow: {
    backend: z
      .enum(['wasm', 'cpu', 'native', 'auto'])
      .default('wasm')
      .describe('WebAssembly, JavaScript, what npm run tensorflow:native built; or, in dry runs alone, what there is.'),
    device: z
      .literal('cpu', { error: 'the back-ends of TensorFlow here have no GPU: framework pytorch has' })
      .default('cpu')
      .describe('There is no GPU for it.'),
    precision: z
      .literal('float32', {
        error: 'the back-ends of TensorFlow here have float32 alone, no mixed precision: framework pytorch has',
      })
      .default('float32')
      .describe('There is no other.'),
  },
} as const;

/** What validators can do alike: of `auto` every machine makes something else, and a GPU and half precision round by model. */
const PAYABLE: Readonly<Record<string, readonly string[]>> = {
  device: ['cpu'],
  precision: ['float32'],
  parallel: ['none'],
  backend: ['wasm', 'cpu', 'native'],
};

/**
 * Refuses what may train in a dry run alone, before anything is registered for money to follow from it.
 *
 * @throws HokusaiError `configuration` TRAIN_NOT_PAYABLE, with all that is to be changed
 */
export function refuseUnpayable(spec: TrainSpec): void {
  const runtime = 'runtime' in spec ? (spec.runtime ?? {}) : {};
  const found = Object.entries(runtime).filter(([key, value]) => !PAYABLE[key]?.includes(value));
  if (found.length === 0) return;
  const text = found.map(([key, value]) => `training.${key} is ${value}`).join(', ');
  const wanted = found.map(([key]) => `training.${key}: ${PAYABLE[key]![0]}`).join(', ');
  const message = `${text}: validators on other machines would get other predictions, so nobody can be paid by them.`;
  throw new HokusaiError('configuration', 'TRAIN_NOT_PAYABLE', message, {
    details: Object.fromEntries(found),
    next: `Use it in dry runs alone; for rewards write ${wanted}.`,
  });
}
