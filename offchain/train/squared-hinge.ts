import type { Features } from '../quantise.ts';

/** Row i holds the entries `starts[i]` up to `starts[i + 1]`: the features that are not 0, then the bias's 255. */
interface SparseRows {
  starts: Float64Array;
  columns: Uint16Array;
  values: Uint8Array;
}

/**
 * The objective `f(w) = |w|^2 / 2 + C * sum of max(0, 1 - m_i)^2` with the margins `m_i = y_i (w . x_i)`, where x is
 * the row's bytes divided by 255 and then a 1 for the bias, and y is 1 or -1: scikit-learn's LinearSVC (LIBLINEAR,
 * solver 2). The bias is regularised like the weights, as LIBLINEAR does, so f is 1-strongly convex in all parameters.
 *
 * Sums run over ascending rows or columns, with + - * / alone: the same bits on every machine.
 */
export class SquaredHinge {
  /** Number of parameters: features, then the bias. */
  readonly size: number;
  readonly #features: Features;
  readonly #signs: Int8Array;
  readonly #C: number;
  readonly #sparse: SparseRows;
  /** Sum of (255 x)(255 x)' over the active rows, lower triangle: integers below 2^53, so no rounding error builds up. */
  readonly #gram: Float64Array;
  readonly #active: Uint8Array;
  readonly #hessian: Float64Array;

  /** @param labels - 0 or 1 per row; C above 0 */
  constructor(features: Features, labels: Uint8Array | Uint16Array, C: number) {
    this.size = features.columns.length + 1;
    this.#features = features;
    this.#signs = Int8Array.from(labels, (label) => (label === 1 ? 1 : -1));
    this.#C = C;
    this.#sparse = toSparse(features);
    this.#gram = new Float64Array(this.size * this.size);
    this.#active = new Uint8Array(features.rows);
    this.#hessian = new Float64Array(this.size * this.size);
  }

  /** Margin of each row, linear in w. */
  margins(w: Float64Array): Float64Array {
    const { rows, values } = this.#features;
    const scores = new Float64Array(rows);
    for (let column = 0; column < this.size - 1; column++) {
      const weight = w[column]!;
      const start = column * rows;
      for (let row = 0; row < rows; row++) scores[row]! += weight * values[start + row]!;
    }
    const bias = w[this.size - 1]!;
    for (let row = 0; row < rows; row++) scores[row] = this.#signs[row]! * (scores[row]! / 255 + bias);
    return scores;
  }

  objective(w: Float64Array, margins: Float64Array): number {
    let loss = 0;
    for (const margin of margins) if (margin < 1) loss += (1 - margin) * (1 - margin);
    return dot(w, w) / 2 + this.#C * loss;
  }

  /** `w - 2C * sum of y_i (1 - m_i) x_i` over the active rows, those with a margin below 1. */
  gradient(w: Float64Array, margins: Float64Array): Float64Array {
    const { rows, values } = this.#features;
    const slack = margins.map((margin, row) => (margin < 1 ? this.#signs[row]! * (1 - margin) : 0));
    return w.map((weight, column) => {
      let sum = 0;
      if (column === this.size - 1) for (const value of slack) sum += value;
      else {
        const start = column * rows;
        for (let row = 0; row < rows; row++) sum += slack[row]! * values[start + row]!;
        sum /= 255;
      }
      return weight - 2 * this.#C * sum;
    });
  }

  /**
   * The generalised Hessian `I + 2C * sum of x x'` over the active rows, lower triangle. Only rows that became active
   * or ceased to be since the last call are added or taken off. The array is used again by the next call.
   */
  hessian(margins: Float64Array): Float64Array {
    for (const [row, margin] of margins.entries()) {
      const active = margin < 1 ? 1 : 0;
      if (active !== this.#active[row]) this.#addToGram(row, active - this.#active[row]!);
      this.#active[row] = active;
    }
    const factor = (2 * this.#C) / 65025;
    for (let i = 0; i < this.size; i++) {
      const start = i * this.size;
      for (let j = 0; j <= i; j++) this.#hessian[start + j] = factor * this.#gram[start + j]!;
      this.#hessian[start + i]! += 1;
    }
    return this.#hessian;
  }

  /** Adds a row's outer product to the Gram matrix, or takes it off: sign is 1 or -1. */
  #addToGram(row: number, sign: number): void {
    const { starts, columns, values } = this.#sparse;
    const [from, to] = [starts[row]!, starts[row + 1]!];
    const gram = this.#gram;
    for (let p = from; p < to; p++) {
      const start = columns[p]! * this.size;
      const value = sign * values[p]!;
      for (let q = from; q <= p; q++) gram[start + columns[q]!]! += value * values[q]!;
    }
  }

  /** Derivative of `t -> f(w + t * direction)` at t, given the margins of w and of the direction. */
  slope(w: Float64Array, direction: Float64Array, margins: Float64Array, changes: Float64Array, t: number): number {
    let sum = 0;
    for (let row = 0; row < margins.length; row++) {
      const slack = 1 - margins[row]! - t * changes[row]!;
      if (slack > 0) sum += slack * changes[row]!;
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

function toSparse({ rows, columns, values }: Features): SparseRows {
  const starts = new Float64Array(rows + 1);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns.length; column++) if (values[column * rows + row] !== 0) count++;
    starts[row + 1] = ++count;
  }
  const sparse = { starts, columns: new Uint16Array(count), values: new Uint8Array(count) };
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column <= columns.length; column++) {
      const value = column === columns.length ? 255 : values[column * rows + row]!;
      if (value === 0) continue;
      sparse.columns[at] = column;
      sparse.values[at++] = value;
    }
  }
  return sparse;
}
