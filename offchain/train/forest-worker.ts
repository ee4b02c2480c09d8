/** A thread that grows trees of a forest: given the number of one, it says the tree. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ForestSpec } from './forest-spec.ts';
import { treeMaker } from './forest-tree.ts';
import type { TrainInput } from './trainer.ts';

/** What every tree is made of; the features are in memory that all threads share. */
export interface TreesJob {
  readonly input: TrainInput;
  readonly spec: ForestSpec;
}

const { input, spec } = workerData as TreesJob;
const make = treeMaker(input, spec);
parentPort!.on('message', (i: number) => parentPort!.postMessage(make(i)));
