/** Training, epoch by epoch, from a checkpoint where there is one: to the bit as if nobody had stopped it. */
import * as tf from '@tensorflow/tfjs-core';
import type { NetworkOptions } from '../network-spec.ts';
import { type Random, randomOf } from '../random.ts';
import { type Matrix, outputsOf } from './network.ts';
import { Optimiser } from './optimiser.ts';

/** What is learned from: standardised rows, and for each the class's number or the standardised value. */
export interface Samples {
  readonly rows: Matrix;
  readonly labels: Float32Array;
  /** 0 of numbers. */
  readonly classes: number;
  /** Of each class; 1 of numbers. */
  readonly classWeights: Float32Array;
}

/** All that the next epoch follows from. Tensors are float32, the lowest byte first, in base64. */
export interface Checkpoint {
  readonly epoch: number;
  readonly weights: readonly string[];
  readonly moments: readonly string[];
  readonly powers: [number, number];
  readonly best: { readonly loss: number; readonly epoch: number; readonly weights: readonly string[] } | null;
}

export interface FitOptions {
  readonly seed: string;
  readonly from: Checkpoint | undefined;
  /** Called at the end of each epoch; whether to stop here. */
  readonly onEpoch: (epoch: number, loss: number, checkpoint: () => Checkpoint) => Promise<boolean>;
}

/**
 * Learns weights, in place.
 *
 * @returns whether it came to its end; otherwise it was stopped, or the loss of the last epoch was no number
 */
export async function fit(
  weights: readonly tf.Variable[],
  samples: Samples,
  options: NetworkOptions,
  { seed, from, onEpoch }: FitOptions,
): Promise<boolean> {
  const optimiser = new Optimiser(options, weights);
  const [learned, held] = split(samples.rows.rows, options, seed);
  let best = from?.best ?? null;
  if (from) restore([...weights, ...optimiser.moments], [...from.weights, ...from.moments]);
  if (from) optimiser.powers = from.powers;
  for (let epoch = from?.epoch ?? 0; epoch < options.epochs; epoch++) {
    if (best && epoch - best.epoch > options.patience) break;
    const loss = learn(weights, optimiser, samples, shuffled(learned, randomOf(`${seed}/order/${epoch}`)), {
      ...options,
      random: randomOf(`${seed}/dropout/${epoch}`),
    });
    const measured = held.length > 0 ? lossOn(weights, samples, held, options) : loss;
    if (held.length > 0 && (!best || measured < best.loss)) best = { loss: measured, epoch, weights: texts(weights) };
    const { powers, moments } = optimiser;
    const at = { epoch: epoch + 1, powers, best };
    const checkpoint = () => ({ ...at, weights: texts(weights), moments: texts(moments) });
    if (!Number.isFinite(measured) || (await onEpoch(epoch + 1, measured, checkpoint))) return false;
  }
  if (best) restore(weights, best.weights);
  return true;
}

/** One pass over rows, batch by batch: the mean of the losses on the way. */
function learn(
  weights: readonly tf.Variable[],
  optimiser: Optimiser,
  samples: Samples,
  order: Uint32Array,
  options: NetworkOptions & { random: Random },
): number {
  let sum = 0;
  for (let from = 0; from < order.length; from += options.batch_size) {
    const rows = order.subarray(from, from + options.batch_size);
    sum +=
      rows.length *
      tf.tidy(() => {
        const loss = () => lossOf(weights, samples, rows, options);
        const { value, grads } = tf.variableGrads(loss, [...weights]);
        optimiser.step(
          weights,
          weights.map(({ name }) => grads[name]!),
        );
        return value.dataSync()[0]!;
      });
  }
  return sum / order.length;
}

const lossOn = (weights: readonly tf.Variable[], samples: Samples, rows: Uint32Array, options: NetworkOptions) =>
  tf.tidy(() => lossOf(weights, samples, rows, { ...options, weight_decay: 0 }).dataSync()[0]!);

/** Of classes the cross-entropy, weighted by class; of numbers the mean squared error; and what large weights cost. */
function lossOf(
  weights: readonly tf.Variable[],
  { rows, labels, classes, classWeights }: Samples,
  picked: Uint32Array,
  options: NetworkOptions & { random?: Random },
): tf.Scalar {
  const outputs = outputsOf(batchOf(rows, picked), weights, options, options.random);
  const wanted = Float32Array.from(picked, (row) => labels[row]!);
  const loss = classes === 0 ? squaredError(outputs, wanted) : crossEntropy(outputs, wanted, classes, classWeights);
  if (options.weight_decay === 0) return loss;
  const squares = tf.addN(weights.map((weight) => tf.sum(tf.square(weight))));
  return tf.add(loss, tf.mul(squares, options.weight_decay / 2));
}

const squaredError = (outputs: tf.Tensor2D, wanted: Float32Array): tf.Scalar =>
  tf.mean(tf.squaredDifference(outputs, tf.tensor2d(wanted, [wanted.length, 1])));

function crossEntropy(outputs: tf.Tensor2D, wanted: Float32Array, classes: number, by: Float32Array): tf.Scalar {
  // By hand, because the gradient of TensorFlow's own needs kernels that WebAssembly has not got for every shape.
  const one = new Float32Array(wanted.length * classes);
  let sum = 0;
  for (const [row, label] of wanted.entries()) {
    one[row * classes + label] = by[label]!;
    sum += by[label]!;
  }
  const logs = tf.logSoftmax(outputs);
  return tf.mul(tf.sum(tf.mul(logs, tf.tensor2d(one, [wanted.length, classes]))), -1 / (sum || 1));
}

/** Of these rows, in this order. */
export function batchOf({ values, columns }: Matrix, picked: Uint32Array): tf.Tensor2D {
  const batch = new Float32Array(picked.length * columns);
  for (const [at, row] of picked.entries()) {
    batch.set(values.subarray(row * columns, (row + 1) * columns), at * columns);
  }
  return tf.tensor2d(batch, [picked.length, columns]);
}

/** Rows that are learned from, and those held out, where training ends early. */
function split(rows: number, options: NetworkOptions, seed: string): [learned: Uint32Array, held: Uint32Array] {
  const all = Uint32Array.from({ length: rows }, (_, row) => row);
  if (!options.early_stopping || rows < 2) return [all, new Uint32Array()];
  const drawn = shuffled(all, randomOf(`${seed}/held out`));
  const held = Math.min(rows - 1, Math.max(1, Math.round(rows * options.validation_fraction)));
  return [drawn.slice(held), drawn.slice(0, held)];
}

/** Fisher and Yates. */
function shuffled(rows: Uint32Array, random: Random): Uint32Array {
  const order = rows.slice();
  for (let at = order.length - 1; at > 0; at--) {
    const other = random(at + 1);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

const texts = (tensors: readonly tf.Tensor[]): string[] =>
  tensors.map((tensor) => Buffer.from(Float32Array.from(tensor.dataSync()).buffer).toString('base64'));

function restore(tensors: readonly tf.Variable[], values: readonly string[]): void {
  for (const [at, tensor] of tensors.entries()) {
    const bytes = Uint8Array.from(Buffer.from(values[at]!, 'base64'));
    tensor.assign(tf.tensor(new Float32Array(bytes.buffer), tensor.shape));
  }
}
