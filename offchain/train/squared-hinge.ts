import type { Features } from '../table/quantise.ts';
import { addColumns, columnSums } from './columns.ts';
import { CLASS_WEIGHT_UNIT } from './trainer.ts';

/** Row i holds the entries `starts[i]` up to `starts[i + 1]`: the features that are not 0, then the bias's 255. */
interface SparseRows {
  starts: Float64Array;
  columns: Uint16Array;
  values: Uint8Array;
}

/**
 * The objective `f(w) = |w|^2 / 2 + C * sum of c_i max(0, 1 - m_i)^2` with the margins `m_i = y_i (w . x_i)`, where x is
 * the row's bytes divided by 255 and then a 1 for the bias, y is 1 or -1 and c the weight of its class: scikit-learn's
 * LinearSVC (LIBLINEAR, solver 2). The bias is regularised like the weights, as LIBLINEAR does, so f is 1-strongly convex in all parameters.
 *
 * Sums run over ascending rows or columns, with + - * / alone: the same bits on every machine.
 */
export class SquaredHinge {
  /** Number of parameters: features, then the bias. */
  readonly size: number;
  readonly #features: Features;
  readonly #signs: Int8Array;
  readonly #C: number;
  /** Of negative and positive rows: what their loss counts, whole in units of 1 / `unit`. */
  readonly #costs: readonly [number, number];
  readonly #costUnits: readonly [number, number];
  readonly #unit: number;
  /** Of the rows that a Hessian was asked for. */
  #sparse: SparseRows = { starts: new Float64Array(1), columns: new Uint16Array(0), values: new Uint8Array(0) };
  /** Sum of (255 x)(255 x)' over the active rows, lower triangle: integers below 2^53, so no rounding error builds up. */
  readonly #gram: Float64Array;
  readonly #active: Uint8Array;
  readonly #hessian: Float64Array;

  /**
   * @param labels - 0 or 1 per row; C above 0
   * @param weights - how much rows of both classes count, whole, in units of 1 / CLASS_WEIGHT_UNIT
   */
  constructor(features: Features, labels: Uint8Array | Uint16Array, C: number, weights?: readonly [number, number]) {
    this.size = features.columns.length + 1;
    this.#features = features;
    this.#signs = Int8Array.from(labels, (label) => (label === 1 ? 1 : -1));
    this.#C = C;
    this.#unit = weights ? CLASS_WEIGHT_UNIT : 1;
    this.#costUnits = weights ?? [1, 1];
    this.#costs = [this.#costUnits[0] / this.#unit, this.#costUnits[1] / this.#unit];
    this.#gram = new Float64Array(this.size * this.size);
    this.#active = new Uint8Array(features.rows);
    this.#hessian = new Float64Array(this.size * this.size);
  }

  /** Margin of each row, linear in w. */
  margins(w: Float64Array): Float64Array {
    const scores = addColumns(new Float64Array(this.#features.rows), w.subarray(0, -1), this.#features);
    const bias = w[this.size - 1]!;
    for (let row = 0; row < scores.length; row++) scores[row] = this.#signs[row]! * (scores[row]! / 255 + bias);
    return scores;
  }

  objective(w: Float64Array, margins: Float64Array): number {
    let loss = 0;
    for (let row = 0; row < margins.length; row++) {
      const slack = 1 - margins[row]!;
      if (slack > 0) loss += this.#costOf(row) * slack * slack;
    }
    return dot(w, w) / 2 + this.#C * loss;
  }

  /** `w - 2C * sum of y_i (1 - m_i) x_i` over the active rows, those with a margin below 1. */
  gradient(w: Float64Array, margins: Float64Array): Float64Array {
    const slack = new Float64Array(margins.length);
    let total = 0;
    for (let row = 0; row < slack.length; row++) {
      const margin = margins[row]!;
      if (margin < 1) slack[row] = this.#signs[row]! * (1 - margin) * this.#costOf(row);
      total += slack[row]!;
    }
    const sums = columnSums(slack, this.#features);
    return w.map((weight, column) => {
      const sum = column === this.size - 1 ? total : sums[column]! / 255;
      return weight - 2 * this.#C * sum;
    });
  }

  #costOf(row: number): number {
    return this.#costs[this.#signs[row]! > 0 ? 1 : 0];
  }

  /**
   * The generalised Hessian `I + 2C * sum of x x'` over the active rows, lower triangle: of the first `sample` rows, times
   * their share. Only rows that became active or ceased to be since the last call are added or taken off. The array is used
   * again by the next call.
   */
  hessian(margins: Float64Array, sample = margins.length): Float64Array {
    if (this.#sparse.starts.length <= sample) this.#sparse = toSparse(this.#features, sample);
    for (let row = 0; row < sample; row++) {
      const active = margins[row]! < 1 ? 1 : 0;
      if (active === this.#active[row]) continue;
      this.#addToGram(row, (active - this.#active[row]!) * this.#costUnits[this.#signs[row]! > 0 ? 1 : 0]);
      this.#active[row] = active;
    }
    const factor = (2 * this.#C) / 65025 / this.#unit;
    const share = margins.length / sample;
    for (let i = 0; i < this.size; i++) {
      const start = i * this.size;
      for (let j = 0; j <= i; j++) this.#hessian[start + j] = factor * this.#gram[start + j]! * share;
      this.#hessian[start + i]! += 1;
    }
    return this.#hessian;
  }

  /** Adds a row's outer product to the Gram matrix, so often, or takes it off. */
  #addToGram(row: number, times: number): void {
    const { starts, columns, values } = this.#sparse;
    const [from, to] = [starts[row]!, starts[row + 1]!];
    const gram = this.#gram;
    for (let p = from; p < to; p++) {
      const start = columns[p]! * this.size;
      const value = times * values[p]!;
      for (let q = from; q <= p; q++) gram[start + columns[q]!]! += value * values[q]!;
    }
  }

  /** Derivative of `t -> f(w + t * direction)` at t, given the margins of w and of the direction. */
  slope(w: Float64Array, direction: Float64Array, margins: Float64Array, changes: Float64Array, t: number): number {
    let sum = 0;
    for (let row = 0; row < margins.length; row++) {
      const slack = 1 - margins[row]! - t * changes[row]!;
      if (slack > 0) sum += this.#costOf(row) * slack * changes[row]!;
    }
    return dot(w, direction) + t * dot(direction, direction) - 2 * this.#C * sum;
  }
}

/** Sum of products over ascending indices. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Column by column, as they lie in memory. */
function toSparse({ rows, columns, values }: Features, sample: number): SparseRows {
  const width = columns.length;
  const starts = new Float64Array(sample + 1).fill(1, 1);
  for (let column = 0; column < width; column++) {
    for (let row = 0, at = column * rows; row < sample; row++) if (values[at++] !== 0) starts[row + 1]!++;
  }
  for (let row = 0; row < sample; row++) starts[row + 1]! += starts[row]!;
  const count = starts[sample]!;
  const sparse = { starts, columns: new Uint16Array(count), values: new Uint8Array(count) };
  const next = starts.slice();
  for (let column = 0; column <= width; column++) {
    for (let row = 0, at = column * rows; row < sample; row++) {
      const value = column === width ? 255 : values[at++]!;
      if (value === 0) continue;
      const place = next[row]!++;
      sparse.columns[place] = column;
      sparse.values[place] = value;
    }
  }
  return sparse;
}
