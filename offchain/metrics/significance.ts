/** Whether a change of a metric is more than chance: by the chain's own bounds where it has one, else by the bootstrap. */
import { countsLength, figuresOf, type GateTerms } from '../delta/delta.ts';
import { countsOf } from '../prove/counts.ts';
import { type Interval, LEVEL, pairedBootstrap } from './bootstrap.ts';
import { METRICS } from './exact.ts';
import { measureOf } from './measure.ts';
import { LESS_IS_BETTER } from './names.ts';
import { descending } from './ranking.ts';
import type { Rows } from './rows.ts';

/** A metric of both models, and what is known of its change. `null` is what is not defined. */
export interface Significance {
  readonly metric: string;
  readonly baseline: number | null;
  readonly candidate: number | null;
  /** Candidate less baseline, in the metric's own units. */
  readonly change: number | null;
  /** Whether a policy can pay by it. */
  readonly payable: boolean;
  /** Whether the candidate is better by more than chance explains, as the test has it; by itself, not among many. */
  readonly better: boolean;
  readonly test: ChainTest | BootstrapTest;
}

/** What the contract would find: `DeltaOne.sol` by its twin, one-sided at the policy's level. */
export interface ChainTest {
  readonly method: 'chain';
  /** The gain in bps; of errors, of the skill. */
  readonly deltaOneBps: string;
  /** Its lower bound. */
  readonly lowerBps: string;
}

/** Two-sided; `low` and `high` in the units of `change`. */
export interface BootstrapTest {
  readonly method: 'bootstrap';
  readonly level: number;
  readonly low: number | null;
  readonly high: number | null;
  /** Draws in which both models had the metric. */
  readonly resamples: number;
}

/** Both models on the same rows, as metrics and as circuits have them. */
export interface Compared {
  readonly classes: number;
  readonly baseline: Rows;
  readonly candidate: Rows;
  /** As the score circuits read them. */
  readonly labels: Uint8Array | Uint16Array;
  readonly baselinePredictions: Uint8Array | Uint16Array;
  readonly candidatePredictions: Uint8Array | Uint16Array;
}

/**
 * Every metric that is wanted and that both models have.
 *
 * @param wanted - names as `namedMetrics` gives them
 * @param seed - of the bootstrap
 */
export function significanceOf(
  compared: Compared,
  wanted: readonly string[],
  terms: GateTerms,
  seed: string,
): Significance[] {
  const [baseline, candidate] = [measureOf(compared.baseline), measureOf(compared.candidate)];
  const [before, after] = [baseline(), candidate()];
  const known = wanted.filter((metric) => metric in before && metric in after);
  let intervals: Record<string, Interval> | undefined;
  return known.map((metric) => {
    const words = chainCounts(compared, metric);
    if (!words) intervals ??= pairedBootstrap(baseline, candidate, compared.labels.length, { seed });
    const test = words ? chainTest(compared, metric, words, terms) : bootstrapTest(metric, intervals![metric]!);
    return {
      metric,
      baseline: defined(before[metric]!),
      candidate: defined(after[metric]!),
      change: defined(after[metric]! - before[metric]!),
      payable: METRICS.some((payable) => payable === metric),
      ...test,
    };
  });
}

/** JSON has no NaN. */
export const defined = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** The counts that the chain would score the metric by; nothing where it has no score of it. */
function chainCounts(compared: Compared, metric: string): bigint[] | undefined {
  const { classes, labels, baselinePredictions, candidatePredictions } = compared;
  if (countsLength(metric, classes) === 0) return undefined;
  if (metric !== 'auroc') return countsOf({ metric, classes, labels, baselinePredictions, candidatePredictions });
  const [before, after] = [compared.baseline, compared.candidate].map(ranksOf);
  return (
    before && after && countsOf({ metric, classes, labels, baselinePredictions: before, candidatePredictions: after })
  );
}

/** Scores of 16 bits in the same order and with the same ties; nothing where there are more different ones. */
function ranksOf(rows: Rows): Uint16Array | undefined {
  if (!('classes' in rows) || !rows.scores) return undefined;
  const { order, ends } = descending(rows.scores[0]!);
  if (ends.length > 2 ** 16) return undefined;
  const ranks = new Uint16Array(order.length);
  let place = 0;
  for (const [group, end] of ends.entries())
    for (; place < end; place++) ranks[order[place]!] = ends.length - 1 - group;
  return ranks;
}

function chainTest({ classes }: Compared, metric: string, words: readonly bigint[], terms: GateTerms) {
  const { deltaOneBps, payableBps, exact, defined: known } = figuresOf(metric, classes, words, terms);
  const test: ChainTest = { method: 'chain', deltaOneBps: String(deltaOneBps), lowerBps: String(payableBps) };
  return { test, better: known && exact && payableBps > 0n };
}

function bootstrapTest(metric: string, { low, high, resamples }: Interval) {
  const test: BootstrapTest = {
    ...{ method: 'bootstrap', level: LEVEL, resamples },
    ...{ low: defined(low), high: defined(high) },
  };
  return { test, better: LESS_IS_BETTER.has(metric) ? high < 0 : low > 0 };
}
