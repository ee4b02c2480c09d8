/**
 * A network of TensorFlow.js, whose initial weights, order of rows and dropout come from a seed by integers of our own:
 * those of TensorFlow.js are other ones in every run.
 */
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import type { NetworkOptions } from '../network-spec.ts';
import { type Random, randomOf } from '../random.ts';

/** Mean and standard deviation of each column; 1 where it is constant. */
export interface Scale {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
}

/** Rows x columns, one row after the other. */
export interface Matrix {
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

const ACTIVATIONS = { relu: tf.relu, tanh: tf.tanh, sigmoid: tf.sigmoid, elu: tf.elu } as const;

const uniform = (random: Random): number => random(2 ** 32) / 2 ** 32;

export function scaleOf({ values, rows, columns }: Matrix): Scale {
  const [sums, squares] = [new Float64Array(columns), new Float64Array(columns)];
  for (let at = 0; at < values.length; at++) sums[at % columns]! += values[at]!;
  const mean = Float32Array.from(sums, (sum) => sum / rows);
  for (let at = 0; at < values.length; at++) squares[at % columns]! += (values[at]! - mean[at % columns]!) ** 2;
  return { mean, deviation: Float32Array.from(squares, (square) => Math.sqrt(square / rows) || 1) };
}

/** Of each layer weights and bias, uniform within 1 / sqrt(inputs), as PyTorch begins them. */
export function initialWeights(sizes: readonly number[], seed: string): tf.Variable[] {
  const random = randomOf(`${seed}/weights`);
  return sizes.slice(1).flatMap((units, layer) => {
    const inputs = sizes[layer]!;
    const bound = 1 / Math.sqrt(inputs);
    const draw = (count: number) => Float32Array.from({ length: count }, () => (2 * uniform(random) - 1) * bound);
    return [tf.variable(tf.tensor2d(draw(inputs * units), [inputs, units])), tf.variable(tf.tensor1d(draw(units)))];
  });
}

/** What the last layer says of standardised rows, before any softmax. With `random` in training, with dropout. */
export function outputsOf(
  rows: tf.Tensor2D,
  weights: readonly tf.Variable[],
  { activation, dropout }: Pick<NetworkOptions, 'activation' | 'dropout'>,
  random?: Random,
): tf.Tensor2D {
  let signal = rows;
  for (let at = 0; at < weights.length; at += 2) {
    signal = tf.add(tf.matMul(signal, weights[at] as tf.Tensor2D), weights[at + 1]!);
    if (at + 2 === weights.length) break;
    signal = ACTIVATIONS[activation](signal);
    if (random && dropout > 0) signal = tf.mul(signal, kept(signal.shape, dropout, random));
  }
  return signal;
}

/** What is kept is made larger, so that the sum stays. */
function kept(shape: [number, number], dropout: number, random: Random): tf.Tensor2D {
  const scale = 1 / (1 - dropout);
  const mask = Float32Array.from({ length: shape[0] * shape[1] }, () => (uniform(random) < dropout ? 0 : scale));
  return tf.tensor2d(mask, shape);
}

/**
 * The network as TensorFlow's layers, which take rows as they are: standardised first, and last of classes probabilities,
 * of numbers the label's own unit.
 */
export async function layersOf(
  weights: readonly tf.Variable[],
  { mean, deviation }: Scale,
  { activation }: Pick<NetworkOptions, 'activation'>,
  label: Scale | undefined,
): Promise<layers.LayersModel> {
  const model = layers.sequential();
  const columns = mean.length;
  model.add(layers.layers.batchNormalization({ inputShape: [columns], epsilon: 0, center: false, scale: false }));
  for (let at = 1; at < weights.length; at += 2) {
    const last = at + 1 === weights.length;
    const units = weights[at]!.shape[0]!;
    const end = label ? 'linear' : 'softmax';
    // Zeros, because what they begin with is drawn otherwise, and then replaced.
    const zeros = { kernelInitializer: 'zeros', biasInitializer: 'zeros' } as const;
    model.add(layers.layers.dense({ units, activation: last ? end : activation, ...zeros }));
  }
  const variance = tf.square(tf.tensor1d(deviation));
  const own = label ? unscaled(weights, label) : weights;
  model.layers[0]!.setWeights([tf.tensor1d(mean), variance]);
  for (const [at, layer] of model.layers.slice(1).entries()) layer.setWeights([own[2 * at]!, own[2 * at + 1]!]);
  return model;
}

/** The last layer in the label's own unit. */
function unscaled(weights: readonly tf.Variable[], { mean, deviation }: Scale): tf.Tensor[] {
  const [kernel, bias] = weights.slice(-2) as [tf.Variable, tf.Variable];
  const [unit, zero] = [tf.tensor1d(deviation), tf.tensor1d(mean)];
  return [...weights.slice(0, -2), tf.mul(kernel, unit), tf.add(tf.mul(bias, unit), zero)];
}
