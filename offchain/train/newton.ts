import { setImmediate } from 'node:timers/promises';
import { HokusaiError } from '../errors.ts';
import { factorise, solve } from './cholesky.ts';
import { log } from './logistic.ts';
import { dot, SquaredHinge } from './squared-hinge.ts';
import { refuseAborted, type TrainInput } from './trainer.ts';

/** Ends when the gradient's norm is at most so much of that at w = 0, or of 1 if that is less. */
export const GRADIENT_TOLERANCE = 1e-11;
const MAX_ITERATIONS = 100;
/** The Hessian is that of so many rows, which are any, as they are in the order of their digests; of more where it helps little. */
const SAMPLE = 32_768;
const MORE = 4;
/** A step that leaves more of the gradient than this helped little. */
const LITTLE = 0.5;
/** Halvings of the interval in which the step's length is looked for. */
const MAX_HALVINGS = 50;

/** Where the objective is least, in doubles, for features divided by 255. */
export interface Optimum {
  weights: Float64Array;
  bias: number;
  objective: number;
  /** Euclidean norm of the gradient, bias included. As the objective is 1-strongly convex, the true optimum is no further. */
  gradientNorm: number;
  /** The same at w = 0. */
  startNorm: number;
  iterations: number;
}

/**
 * Minimises {@link SquaredHinge} by Newton's method with the exact generalised Hessian (Keerthi, DeCoste: A Modified
 * Finite Newton Method for Fast Solution of Large Scale Linear SVMs, JMLR 6, 2005), which ends after finitely many
 * steps, as the objective is quadratic while no row crosses the margin; of many rows with the Hessian of some (Byrd, Chin,
 * Neveitt, Nocedal: On the Use of Stochastic Hessian Information in Optimization Methods for Machine Learning, SIAM J. Optim.
 * 21, 2011), which takes a few more, shorter ones. The event loop runs between iterations.
 *
 * @param weights - as SquaredHinge's
 * @throws HokusaiError `retryable` TRAIN_ABORTED; `terminal` TRAIN_NOT_CONVERGED
 */
export async function minimise(input: TrainInput, C: number, weights?: readonly [number, number]): Promise<Optimum> {
  const { rows } = input.features;
  const problem = new SquaredHinge(input.features, input.labels, C, weights);
  let sample = Math.min(rows, SAMPLE);
  let before = Number.POSITIVE_INFINITY;
  let w = new Float64Array(problem.size);
  let margins = problem.margins(w);
  let gradient = problem.gradient(w, margins);
  const startNorm = Math.sqrt(dot(gradient, gradient));
  for (let iterations = 0; ; iterations++) {
    const gradientNorm = Math.sqrt(dot(gradient, gradient));
    tell(input, iterations, gradientNorm / startNorm);
    if (gradientNorm <= GRADIENT_TOLERANCE * Math.max(startNorm, 1)) {
      const objective = problem.objective(w, margins);
      return { weights: w.slice(0, -1), bias: w.at(-1)!, objective, gradientNorm, startNorm, iterations };
    }
    await setImmediate();
    await refuseAborted(input, iterations);
    refuseToGoOn(iterations, gradientNorm);
    if (gradientNorm > LITTLE * before) sample = Math.min(rows, MORE * sample);
    before = gradientNorm;
    const direction = solve(factorise(problem.hessian(margins, sample), problem.size), gradient).map((value) => -value);
    const length = stepLength(problem, w, direction, margins);
    w = w.map((value, j) => value + length * direction[j]!);
    margins = problem.margins(w);
    gradient = problem.gradient(w, margins);
  }
}

/**
 * 1 where the slope there has not turned by more than a tenth of the slope at 0; else a length at which the objective
 * still falls, but at most half as steeply, found by halving.
 */
function stepLength(problem: SquaredHinge, w: Float64Array, direction: Float64Array, margins: Float64Array): number {
  const changes = problem.margins(direction);
  const slope = (t: number): number => problem.slope(w, direction, margins, changes, t);
  const start = slope(0);
  if (slope(1) <= -start / 10) return 1;
  let [low, high] = [0, 1];
  for (let halving = 0; halving < MAX_HALVINGS; halving++) {
    const middle = (low + high) / 2;
    const found = slope(middle);
    if (found > 0) {
      high = middle;
      continue;
    }
    low = middle;
    if (found >= start / 2) break;
  }
  return low;
}

/** A gradient falls about evenly on a logarithmic scale, down to the tolerance. */
function tell({ onProgress }: TrainInput, iteration: number, relativeGradient: number): void {
  const done = Math.min(1, log(Math.max(relativeGradient, 1e-300)) / log(GRADIENT_TOLERANCE));
  onProgress?.({ iteration, done: Math.max(0, done), name: 'relative_gradient', value: relativeGradient });
}

function refuseToGoOn(iterations: number, gradientNorm: number): void {
  if (iterations === MAX_ITERATIONS) {
    const text = `training did not converge in ${MAX_ITERATIONS} iterations`;
    throw new HokusaiError('terminal', 'TRAIN_NOT_CONVERGED', text, {
      details: { iterations, gradientNorm },
      next: 'Choose a smaller C.',
    });
  }
}
