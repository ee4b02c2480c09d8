import * as tf from '@tensorflow/tfjs-core';
import type { NetworkOptions } from '../network-spec.ts';

/** As PyTorch's Adam and RMSprop have them. */
const [FIRST, SECOND, SQUARES, EPSILON] = [0.9, 0.999, 0.99, 1e-8];

/**
 * Gradient descent. Those of TensorFlow.js go on from a checkpoint with other bits than without one (they raise to a
 * power what they multiplied), so these keep all that they depend on: a few tensors, and two products of doubles.
 */
export class Optimiser {
  readonly #kind: NetworkOptions['optimizer'];
  readonly #rate: number;
  /** Of each weight, the running means that the kind has: none, of squares, or of gradients and squares. */
  readonly moments: tf.Variable[];
  /** FIRST and SECOND to the power of the steps so far. */
  powers: [first: number, second: number] = [1, 1];

  constructor({ optimizer, learning_rate: rate }: NetworkOptions, weights: readonly tf.Variable[]) {
    this.#kind = optimizer;
    this.#rate = rate;
    const each = { sgd: 0, rmsprop: 1, adam: 2 }[optimizer];
    this.moments = weights.flatMap((weight) => Array.from({ length: each }, () => tf.variable(tf.zerosLike(weight))));
  }

  /** One step down these gradients, one for each weight. */
  step(weights: readonly tf.Variable[], gradients: readonly tf.Tensor[]): void {
    this.powers = [this.powers[0] * FIRST, this.powers[1] * SECOND];
    for (const [at, weight] of weights.entries()) {
      weight.assign(tf.tidy(() => tf.sub(weight, tf.mul(this.#direction(at, gradients[at]!), this.#rate))));
    }
  }

  #direction(at: number, gradient: tf.Tensor): tf.Tensor {
    if (this.#kind === 'sgd') return gradient;
    if (this.#kind === 'rmsprop') {
      const squares = moved(this.moments[at]!, tf.square(gradient), SQUARES);
      return tf.div(gradient, tf.add(tf.sqrt(squares), EPSILON));
    }
    const mean = moved(this.moments[2 * at]!, gradient, FIRST);
    const squares = moved(this.moments[2 * at + 1]!, tf.square(gradient), SECOND);
    const [first, second] = this.powers;
    const root = tf.mul(tf.sqrt(squares), 1 / Math.sqrt(1 - second));
    return tf.div(tf.mul(mean, 1 / (1 - first)), tf.add(root, EPSILON));
  }
}

function moved(moment: tf.Variable, towards: tf.Tensor, decay: number): tf.Tensor {
  moment.assign(tf.add(tf.mul(moment, decay), tf.mul(towards, 1 - decay)));
  return moment;
}
