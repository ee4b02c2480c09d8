/** How sure a change of any metric is: rows drawn anew with replacement (Efron: Bootstrap Methods, Annals of Statistics 7, 1979). */
import { randomOf } from '../train/random.ts';
import { quantileOf } from './quantile.ts';
import type { Measure } from './rows.ts';

/** How often the rows are drawn. */
export const RESAMPLES = 2000;
/** The share of intervals that hold the true change. */
export const LEVEL = 0.95;

/** Where a change is with probability {@link LEVEL}, by percentiles. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  /** In how many draws both models had the metric: of the others nothing is known. */
  readonly resamples: number;
}

/**
 * Intervals of candidate less baseline for every metric that both have. Each draw takes the same rows for both models,
 * which is what makes small changes visible; the same rows and seed give the same draws everywhere.
 *
 * @param n - rows that both measures are of
 */
export function pairedBootstrap(
  baseline: Measure,
  candidate: Measure,
  n: number,
  { seed, resamples = RESAMPLES }: { readonly seed: string; readonly resamples?: number },
): Record<string, Interval> {
  const random = randomOf(seed);
  const changes = new Map(Object.keys(baseline()).map((metric) => [metric, new Float64Array(resamples)]));
  const times = new Uint32Array(n);
  for (let draw = 0; draw < resamples; draw++) {
    times.fill(0);
    for (let i = 0; i < n; i++) times[random(n)]!++;
    const [before, after] = [baseline(times), candidate(times)];
    for (const [metric, values] of changes) values[draw] = after[metric]! - before[metric]!;
  }
  return Object.fromEntries([...changes].map(([metric, values]) => [metric, intervalOf(values)]));
}

function intervalOf(changes: Float64Array): Interval {
  const sorted = changes.filter(Number.isFinite).sort();
  const tail = (1 - LEVEL) / 2;
  return { low: quantileOf(sorted, tail), high: quantileOf(sorted, 1 - tail), resamples: sorted.length };
}
