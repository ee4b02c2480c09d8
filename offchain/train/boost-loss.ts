import { LEAF_LIMIT, NUMBER_UNIT } from './forest-model.ts';
import { exp, log, logistic } from './logistic.ts';
import { CLASS_WEIGHT_UNIT } from './trainer.ts';

/** Log-odds in a binary model's sum are in units of 1/65536. */
const ODDS_UNIT = 2 ** 16;
/** Residuals of probabilities are rounded to so much, so that sums of them are exact. */
const RESIDUAL_UNIT = 2 ** 24;
/** Beyond this many log-odds a probability is taken for that of the bound, which leaves p (1 - p) above 0. */
const MOST_ODDS = 36;

/** What is to be learnt next, given the sums so far: a number for each row, and what a leaf adds for its rows. */
export interface BoostLoss {
  /** The sum before the first tree that fits best. */
  readonly start: number;
  /** Integers below 2^40. */
  residuals(sums: Float64Array, residuals: Float64Array): void;
  /** What these rows want added, in the unit of the sums, by the residuals that were asked for last. */
  step(rows: Uint32Array, residuals: Float64Array): number;
  /** What it comes to: of numbers against that of their mean, so that it does not depend on their range. */
  mean(sums: Float64Array): number;
}

export function squaredLoss(labels: Uint8Array | Uint16Array): BoostLoss {
  const n = labels.length;
  let total = 0;
  for (let row = 0; row < n; row++) total += labels[row]!;
  let variation = 0;
  for (let row = 0; row < n; row++) variation += (labels[row]! - total / n) ** 2;
  return {
    start: Math.floor((total * NUMBER_UNIT) / n + 0.5),
    residuals: (sums, residuals) => {
      for (let row = 0; row < n; row++) residuals[row] = labels[row]! * NUMBER_UNIT - sums[row]!;
    },
    step: (rows, residuals) => {
      let sum = 0;
      for (let at = 0; at < rows.length; at++) sum += residuals[rows[at]!]!;
      return sum / rows.length;
    },
    mean: (sums) => {
      let squares = 0;
      for (let row = 0; row < n; row++) squares += (labels[row]! - sums[row]! / NUMBER_UNIT) ** 2;
      return variation === 0 ? 0 : squares / variation;
    },
  };
}

const bounded = (sum: number): number => Math.min(Math.max(sum / ODDS_UNIT, -MOST_ODDS), MOST_ODDS);

/**
 * -log of the probability of the label; a leaf takes a Newton step.
 *
 * @param classWeights - in units of 1 / CLASS_WEIGHT_UNIT
 */
export function logisticLoss(
  labels: Uint8Array | Uint16Array,
  [zero, one]: readonly number[] = [CLASS_WEIGHT_UNIT, CLASS_WEIGHT_UNIT],
): BoostLoss {
  const n = labels.length;
  const weights = [zero! / CLASS_WEIGHT_UNIT, one! / CLASS_WEIGHT_UNIT] as const;
  const curvature = new Float64Array(n);
  let ones = 0;
  for (let row = 0; row < n; row++) ones += labels[row]!;
  return {
    start: startOf((ones * one!) / (ones * one! + (n - ones) * zero!)),
    residuals: (sums, residuals) => {
      for (let row = 0; row < n; row++) {
        const p = logistic(bounded(sums[row]!));
        curvature[row] = p * (1 - p);
        residuals[row] = Math.floor((labels[row]! - p) * RESIDUAL_UNIT + 0.5);
      }
    },
    step: (rows, residuals) => {
      let [sum, curved] = [0, 0];
      for (let at = 0; at < rows.length; at++) {
        const row = rows[at]!;
        const weight = weights[labels[row]! as 0 | 1];
        sum += weight * residuals[row]!;
        curved += weight * curvature[row]!;
      }
      return (sum / RESIDUAL_UNIT / curved) * ODDS_UNIT;
    },
    mean: (sums) => {
      let [total, all] = [0, 0];
      for (let row = 0; row < n; row++) {
        const margin = labels[row] === 1 ? bounded(sums[row]!) : -bounded(sums[row]!);
        const weight = weights[labels[row]! as 0 | 1];
        total += weight * log(1 + exp(-margin));
        all += weight;
      }
      return total / all;
    },
  };
}

/** The largest log-odds that are no more than those of a probability, by halving. */
function startOf(share: number): number {
  let [low, high] = [-LEAF_LIMIT, LEAF_LIMIT];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (logistic(bounded(middle)) <= share) low = middle;
    else high = middle;
  }
  return low;
}
