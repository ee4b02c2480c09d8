/** Numbers of a state before its vectors. */
const HEAD = 7;

/**
 * What a training of a perceptron has come to: one vector of doubles, which is also its checkpoint. Adam's running means, with
 * the constants of its paper.
 */
export class MlpState {
  /** Numbers, then as many each: parameters, both running means, and the parameters that were best. */
  readonly #all: Float64Array;
  readonly parameters: Float64Array;
  readonly #means: Float64Array;
  readonly #squares: Float64Array;
  readonly best: Float64Array;

  /** @param kept what `bytes` gave, where training goes on */
  constructor(start: Float64Array, kept: Uint8Array | undefined) {
    const size = start.length;
    this.#all = kept ? new Float64Array(new Uint8Array(kept).buffer) : new Float64Array(HEAD + 4 * size);
    const vector = (i: number) => this.#all.subarray(HEAD + i * size, HEAD + (i + 1) * size);
    [this.parameters, this.#means, this.#squares, this.best] = [vector(0), vector(1), vector(2), vector(3)];
    if (kept) return;
    this.parameters.set(start);
    this.best.set(start);
    this.#all.set([0, 0, 1, 1, 1, -1, 0]);
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.#all.slice().buffer);
  }

  /** Passes that were made. */
  get iteration(): number {
    return this.#all[0]!;
  }
  set iteration(value: number) {
    this.#all[0] = value;
  }
  /** Of the first pass. */
  get firstNorm(): number {
    return this.#all[1]!;
  }
  set firstNorm(value: number) {
    this.#all[1] = value;
  }
  get relativeGradient(): number {
    return this.#all[2]!;
  }
  set relativeGradient(value: number) {
    this.#all[2] = value;
  }
  /** Passes since the score last rose. */
  get unchanged(): number {
    return this.#all[6]!;
  }

  /** Moves the parameters, and gives the gradient's norm. */
  step(gradient: Float64Array, rate: number): number {
    const [all, parameters, means, squares] = [this.#all, this.parameters, this.#means, this.#squares];
    all[3]! *= 0.9;
    all[4]! *= 0.999;
    const length = (rate * Math.sqrt(1 - all[4]!)) / (1 - all[3]!);
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

  /** Remembers the parameters where they are the best so far, as scikit-learn does. @returns the score */
  judge(score: number, tol: number): number {
    const best = this.#all[5]!;
    this.#all[6] = score < best + tol ? this.unchanged + 1 : 0;
    if (score > best) {
      this.#all[5] = score;
      this.best.set(this.parameters);
    }
    return score;
  }
}
