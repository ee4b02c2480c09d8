import { HokusaiError } from '../errors.ts';
import type { Partial } from '../run/partial.ts';
import type { Features } from '../table/quantise.ts';

/** What a trainer learns from. Rows in the order of their digests, so that every validator sums in the same order. */
export interface TrainInput {
  features: Features;
  /** One per row: its class, below `classes`; or its value, 0 to 65535, where there are none. */
  labels: Uint8Array | Uint16Array;
  /** 2 to 256; 0 for a regression. */
  classes: number;
  /** Hash of the quantiser that made the features. */
  quantiserHash: `0x${string}`;
  /** Of each row 32 bits of its digest, even in 0..2^32 - 1: which fold it is in. For what sets rows aside to validate by. */
  keys?: Uint32Array;
  /** Of each class how much its rows count, whole, in units of 1 / {@link CLASS_WEIGHT_UNIT}; 1 if left out. */
  classWeights?: readonly number[];
  /** Drawn after the data was committed to, so that nobody can choose data by what is drawn; absent for a first head. */
  seed?: `0x${string}`;
  /** Called after each iteration. */
  onProgress?: (progress: TrainProgress) => void;
  /** Looked at between iterations. */
  signal?: AbortSignal;
  /** Where what is done so far is kept, for a training that is long. */
  checkpoint?: Partial;
  /** Threads that may be used; 1 if left out. The model is the same with any number. */
  workers?: number;
}

export const CLASS_WEIGHT_UNIT = 256;

export interface TrainProgress {
  /** From 1; 0 is before the first. */
  iteration: number;
  /** Share of the iterations that is done, 0 to 1, as far as it can be foreseen. */
  done: number;
  /** What is measured after each iteration, and what it came to; the norm of the gradient is against that at the start. */
  name?: 'relative_gradient' | 'loss' | 'validation_loss' | 'validation_score' | 'search_score';
  value?: number;
}

/** One way to make a model. `Model` is integers only: it is what is committed to, proven and paid for. */
export interface Trainer<Model, Report> {
  /** As in the configuration's `training.framework`. */
  readonly name: string;
  train(input: TrainInput): Promise<{ model: Model; report: Report }>;
}

/** @throws HokusaiError `terminal` TRAIN_ONE_CLASS when all rows are of one class */
export function refuseOneClass({ labels }: TrainInput): void {
  if (labels.some((label) => label !== labels[0])) return;
  throw new HokusaiError('terminal', 'TRAIN_ONE_CLASS', `all ${labels.length} rows are of class ${labels[0]}`, {
    details: { rows: labels.length, class: labels[0] },
    next: 'Train on rows of at least two classes.',
  });
}

/**
 * Ends a training that was asked to stop.
 *
 * @param state - what is done so far, where that is kept
 * @throws HokusaiError `retryable` TRAIN_ABORTED
 */
export async function refuseAborted(
  { signal, checkpoint }: TrainInput,
  iterations: number,
  state?: () => Uint8Array,
): Promise<void> {
  if (!signal?.aborted) return;
  if (state) await checkpoint?.save(state());
  const kept = state !== undefined && checkpoint !== undefined;
  throw new HokusaiError('retryable', 'TRAIN_ABORTED', `training was stopped after ${iterations} iterations`, {
    details: { iterations },
    next: `Run the same command again: it ${kept ? 'goes on from there' : 'starts anew'} and gives the same model.`,
  });
}

/** The rows for which a condition holds, in their order, as an input of their own. */
export function selectInput(input: TrainInput, holds: (row: number) => boolean): TrainInput {
  const { features, labels, keys } = input;
  const rows = Uint32Array.from(labels.keys()).filter((row) => holds(row));
  const values = new Uint8Array(rows.length * features.columns.length);
  for (let j = 0, at = 0; j < features.columns.length; j++) {
    for (let i = 0; i < rows.length; i++) values[at++] = features.values[j * features.rows + rows[i]!]!;
  }
  const pick = <Values extends Uint8Array | Uint16Array | Uint32Array>(from: Values): Values =>
    from.subarray(0, rows.length).map((_, i) => from[rows[i]!]!) as Values;
  return {
    ...input,
    features: { rows: rows.length, columns: features.columns, values },
    labels: pick(labels),
    ...(keys && { keys: pick(keys) }),
  };
}

/** Rows to fit and about a share of them to validate by: a row is always among the same. None where one of both has no rows. */
export function rowsAside(
  input: TrainInput,
  share: number,
): { fitted: TrainInput; validation: TrainInput } | undefined {
  const keys = input.keys!;
  const most = share * 2 ** 32;
  const fitted = selectInput(input, (row) => keys[row]! >= most);
  const validation = selectInput(input, (row) => keys[row]! < most);
  return fitted.features.rows > 0 && validation.features.rows > 0 ? { fitted, validation } : undefined;
}
