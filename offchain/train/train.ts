import type { Hex } from 'viem';
import type { Metric } from '../metrics/exact.ts';
import type { Partial } from '../run/partial.ts';
import { labelsOf } from '../table/check-table.ts';
import { withDigests } from '../table/integrate.ts';
import { classesOf, classNames } from '../table/label.ts';
import { type Quantiser, quantise, quantiserHash } from '../table/quantise.ts';
import type { Schema } from '../table/schema.ts';
import type { Table } from '../table/table.ts';
import { pointsOf } from './grid.ts';
import type { Model } from './model.ts';
import { rankingOf } from './ranking.ts';
import { gridSearch, type SearchResults } from './search.ts';
import type { ReferenceSpec } from './spec.ts';
import { threadsFor } from './threads.ts';
import type { TrainInput, TrainProgress } from './trainer.ts';
import { trainerOf } from './trainer-of.ts';

/** How a training went: what is told of it, and nothing that the model depends on. */
export interface TrainReport {
  /** What was measured after each iteration, at most {@link MOST_TOLD} of each name. */
  readonly history: readonly TrainPoint[];
  /** Where hyperparameters were searched. */
  readonly search?: SearchResults;
}

/** A metric after an iteration, as MLflow takes it. */
export interface TrainPoint {
  readonly step: number;
  readonly name: string;
  readonly value: number;
}

/** Points of one name in a history; of more, every second is left out again and again. */
export const MOST_TOLD = 1_000;

/** How a training is run: nothing here changes the model. */
export interface TrainOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainProgress) => void;
  /** Where a part of the training keeps what it has done. */
  readonly checkpoint?: (part: string) => Partial;
  /** Threads; as many as there are processors if left out. */
  readonly workers?: number;
}

/** How is learned. */
interface Learning {
  readonly schema: Schema;
  readonly quantiser: Quantiser;
  readonly spec: ReferenceSpec;
  /** What a search chooses by. */
  readonly metric: Metric;
  readonly seed?: Hex;
  /** Whether a classifier is to say scores, as `ranking.ts` has it. */
  readonly ranking?: boolean;
}

/**
 * Learns from the distinct rows of a table, in the order of their digests, where asked for after a search for the best
 * hyperparameters by cross-validation. The table has passed `checkTable`.
 */
export async function train(
  table: Table,
  given: Learning,
  { signal, onProgress, checkpoint, workers }: TrainOptions = {},
): Promise<{ model: Model; spec: ReferenceSpec; report: TrainReport }> {
  const { schema, quantiser, spec, metric, seed } = given;
  const { rows, digests } = withDigests(table, schema);
  const classes = classesOf(schema.label);
  const names = classNames(schema.label);
  const history = new History();
  const tell = (progress: TrainProgress): void => {
    history.add(progress);
    onProgress?.(progress);
  };
  const features = quantise(rows, quantiser);
  const input: TrainInput = {
    ...{ features, labels: labelsOf(rows, schema), classes, workers: workers ?? threadsFor(features) },
    ...{ quantiserHash: quantiserHash(quantiser), keys: keysOf(digests), onProgress: tell },
    ...(seed && { seed }),
    ...(signal && { signal }),
  };
  const part = (name: string): TrainInput => ({ ...input, ...(checkpoint && { checkpoint: checkpoint(name) }) });
  const search = spec.search && (await gridSearch(part('search'), { spec, metric, names }));
  const chosen = pointsOf(spec)[search?.best ?? 0]!;
  const { model } = await trainerOf(chosen, classes, names).train(part('fit'));
  return {
    model: given.ranking ? rankingOf(model) : model,
    spec: chosen,
    report: { history: history.points, ...(search && { search }) },
  };
}

/** The last 32 bits of each digest: what rows are set aside by. Rows are in the order of the first bits. */
export const keysOf = (digests: readonly Hex[]): Uint32Array =>
  Uint32Array.from(digests, (digest) => Number.parseInt(digest.slice(-8), 16));

/** What was measured, thinned out evenly where it is much. */
class History {
  readonly #all = new Map<string, { every: number; points: TrainPoint[] }>();

  add({ name, value, iteration: step }: TrainProgress): void {
    if (name === undefined || value === undefined) return;
    const own = this.#all.get(name) ?? { every: 1, points: [] };
    this.#all.set(name, own);
    if (step % own.every !== 0) return;
    own.points.push({ step, name, value });
    if (own.points.length <= MOST_TOLD) return;
    own.every *= 2;
    own.points = own.points.filter((point) => point.step % own.every === 0);
  }

  get points(): TrainPoint[] {
    return [...this.#all.values()].flatMap(({ points }) => points);
  }
}
