/** A thread that scores points of a grid: given a point and a fold, it says the score. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Metric } from '../metrics/exact.ts';
import type { Task } from './grid.ts';
import { scoreOf } from './search-score.ts';
import type { ReferenceSpec } from './spec.ts';
import type { TrainInput } from './trainer.ts';

/** What every point is trained on; the features are in memory that all threads share. */
export interface SearchJob {
  readonly input: TrainInput;
  readonly spec: ReferenceSpec;
  readonly metric: Metric;
  readonly names: readonly string[];
}

const job = workerData as SearchJob;
parentPort!.on('message', async (task: Task) => parentPort!.postMessage(await scoreOf(job, task)));
