import { HokusaiError } from '../errors.ts';
import type { Features } from '../quantise.ts';

/** What a trainer learns from. Rows in the order of their digests, so that every validator sums in the same order. */
export interface TrainInput {
  features: Features;
  /** One per row: its class, below `classes`; or its value, 0 to 65535, where there are none. */
  labels: Uint8Array | Uint16Array;
  /** 2 to 256; 0 for a regression. */
  classes: number;
  /** Hash of the quantiser that made the features. */
  quantiserHash: `0x${string}`;
  /** Drawn after the data was committed to, so that nobody can choose data by what is drawn; absent for a first head. */
  seed?: `0x${string}`;
  /** Called after each iteration. */
  onProgress?: (progress: TrainProgress) => void;
  /** Looked at between iterations. */
  signal?: AbortSignal;
}

export interface TrainProgress {
  iteration: number;
  /** Norm of the gradient against that at the start: falls from 1 to the trainer's tolerance. */
  relativeGradient: number;
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
