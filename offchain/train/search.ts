import { extname, join } from 'node:path';
import type { Metric } from '../metrics/exact.ts';
import { foldOf, pointsOf, type Task } from './grid.ts';
import { scoreOf } from './search-score.ts';
import type { SearchJob } from './search-worker.ts';
import type { ReferenceSpec } from './spec.ts';
import { inThreads, inTurn, shared } from './threads.ts';
import { refuseAborted, type TrainInput } from './trainer.ts';

/** What a search found: scikit-learn's `cv_results_`. More is better of every score: errors are negative. */
export interface SearchResults {
  readonly metric: Metric;
  readonly cv: number;
  readonly points: readonly {
    /** Those of the grid. */
    readonly hyperparameters: Readonly<Record<string, unknown>>;
    /** Of each fold; null of one without rows. */
    readonly scores: readonly (number | null)[];
    readonly mean: number;
  }[];
  /** The point that was chosen: the first of those with the greatest mean. */
  readonly best: number;
}

/** How a search is asked for, beside what is learnt from. */
export interface Searching {
  readonly spec: ReferenceSpec;
  /** What points are chosen by. */
  readonly metric: Metric;
  /** Of the classes. */
  readonly names: readonly string[];
}

/** Smaller tables are searched in less time than threads take to start. */
const FEWEST_VALUES = 2 ** 16;

/**
 * Scores each point of a grid by cross-validation, each fold in turn being predicted by a model of the others. What is done is
 * kept in the input's checkpoint; the results are the same with any number of threads.
 *
 * @throws HokusaiError as the trainer does
 */
export async function gridSearch(input: TrainInput, searching: Searching): Promise<SearchResults> {
  const { spec, metric, names } = searching;
  const { cv, param_grid } = spec.search!;
  const points = pointsOf(spec);
  const kept = await input.checkpoint?.load();
  const scores: (number | null | undefined)[][] = kept
    ? JSON.parse(Buffer.from(kept).toString('utf8'))
    : points.map(() => []);
  const tasks = points.flatMap((_, point) => Array.from({ length: cv }, (_, fold): Task => ({ point, fold })));
  const missing = tasks.filter(
    ({ point, fold }) => typeof scores[point]![fold] !== 'number' && !isEmpty(input, fold, cv),
  );
  let done = tasks.length - missing.length;
  const state = () => Buffer.from(JSON.stringify(scores), 'utf8');
  const scored = async ({ point, fold }: Task, value: number): Promise<void> => {
    scores[point]![fold] = value;
    done++;
    input.onProgress?.({ iteration: done, done: done / tasks.length, name: 'search_score', value });
    await refuseAborted(input, done, state);
    if (input.checkpoint?.due()) await input.checkpoint.save(state());
  };
  const { features, labels, classes, quantiserHash, keys, seed } = input;
  const own = { labels, classes, quantiserHash, keys: keys!, ...(seed && { seed }) };
  const job: SearchJob = { input: { features, ...own }, spec, metric, names: [...names] };
  if ((input.workers ?? 1) > 1 && features.values.length >= FEWEST_VALUES) {
    const file = join(import.meta.dirname, `search-worker${extname(import.meta.filename)}`);
    const whole = { ...job, input: { ...job.input, features: shared(features) } };
    await inThreads(file, whole, missing, input.workers!, scored);
  } else await inTurn(missing, (task) => scoreOf(job, task), scored);
  return resultsOf(scores, points, Object.keys(param_grid), { metric, cv });
}

const isEmpty = ({ keys }: TrainInput, fold: number, cv: number): boolean =>
  !keys!.some((key) => foldOf(key, cv) === fold);

function resultsOf(
  scores: readonly (number | null | undefined)[][],
  points: readonly ReferenceSpec[],
  names: readonly string[],
  told: Pick<SearchResults, 'metric' | 'cv'>,
): SearchResults {
  const results = points.map(({ hyperparameters }, point) => {
    const all = Array.from({ length: told.cv }, (_, fold) => scores[point]![fold] ?? null);
    const known = all.filter((score) => score !== null);
    const chosen = names.map((name) => [name, (hyperparameters as Record<string, unknown>)[name]]);
    const mean = known.reduce((sum, score) => sum + score, 0) / known.length;
    return { hyperparameters: Object.fromEntries(chosen), scores: all, mean };
  });
  const best = results.reduce((most, { mean }, at) => (mean > results[most]!.mean ? at : most), 0);
  return { ...told, points: results, best };
}
