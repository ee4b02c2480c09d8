import { extname, join } from 'node:path';
import type { Tree } from './forest-model.ts';
import type { ForestSpec } from './forest-spec.ts';
import { treeMaker } from './forest-tree.ts';
import type { TreesJob } from './forest-worker.ts';
import { inThreads, inTurn, shared } from './threads.ts';
import { refuseAborted, type TrainInput } from './trainer.ts';

/** Smaller tables are learnt from in less time than a thread takes to start. */
const FEWEST_VALUES = 2 ** 20;

/** Makes trees that do not depend on each other, in threads where that is worth it; those that were kept are not made again. */
export async function eachTree(input: TrainInput, spec: ForestSpec, count: number): Promise<Tree[]> {
  const trees = await keptTrees(input);
  const missing = Array.from({ length: count }, (_, i) => i).filter((i) => !trees[i]);
  let iteration = count - missing.length;
  const state = () => treesState(trees);
  await refuseAborted(input, iteration, state);
  const made = async (i: number, tree: Tree): Promise<void> => {
    trees[i] = tree;
    iteration++;
    input.onProgress?.({ iteration, done: iteration / count });
    await refuseAborted(input, iteration, state);
    if (input.checkpoint?.due()) await input.checkpoint.save(state());
  };
  if ((input.workers ?? 1) > 1 && input.features.values.length >= FEWEST_VALUES) {
    const { labels, classes, quantiserHash, classWeights, seed } = input;
    const own = { labels, classes, quantiserHash, ...(classWeights && { classWeights }), ...(seed && { seed }) };
    const job: TreesJob = { input: { features: shared(input.features), ...own }, spec };
    const file = join(import.meta.dirname, `forest-worker${extname(import.meta.filename)}`);
    await inThreads(file, job, missing, input.workers!, made);
  } else await inTurn(missing, treeMaker(input, spec), made);
  return trees as Tree[];
}

/** The trees that a training that was stopped had made, by their numbers. */
export async function keptTrees({ checkpoint }: TrainInput): Promise<(Tree | null)[]> {
  const state = await checkpoint?.load();
  return state ? JSON.parse(Buffer.from(state).toString('utf8')) : [];
}

export const treesState = (trees: readonly (Tree | null)[]): Uint8Array => Buffer.from(JSON.stringify(trees), 'utf8');
