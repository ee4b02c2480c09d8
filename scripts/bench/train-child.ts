/** Trains once in a process of its own, so that its memory is its own: one line of JSON. */
import { availableParallelism } from 'node:os';
import { predict } from '../../offchain/train/model.ts';
import { HYPERPARAMETERS, type ReferenceSpec } from '../../offchain/train/spec.ts';
import type { TrainInput } from '../../offchain/train/trainer.ts';
import { trainerOf } from '../../offchain/train/trainer-of.ts';
import type { Cost, Job } from './train.ts';
import { readHalves } from './train-tables.ts';

const { folder, table, modelType, hyperparameters } = JSON.parse(process.argv[2]!) as Job;
const { train, test } = readHalves(folder, table);
const spec = {
  framework: 'reference',
  modelType,
  hyperparameters: HYPERPARAMETERS[modelType].parse(hyperparameters),
} as ReferenceSpec;
const timed = async <T>(work: () => Promise<T> | T): Promise<[T, number, number]> => {
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  return [result, (performance.now() - started) / 1000, (user + system) / 1e6];
};
const [{ model }, seconds, cpuSeconds] = await timed(() =>
  trainerOf(spec, table.classes).train({ ...train, workers: availableParallelism() }),
);
const [said, predictSeconds] = await timed(() => predict(model, test.features));
const cost: Cost = {
  ...{ seconds, cpuSeconds, predictSeconds, score: scoreOf(test, said) },
  peakMB: process.resourceUsage().maxRSS / 1000,
};
console.log(JSON.stringify(cost));

/** Share of rows that are right; of numbers R2. */
function scoreOf({ labels, classes }: TrainInput, said: ArrayLike<number>): number {
  const sum = (term: (row: number) => number): number => {
    let total = 0;
    for (let row = 0; row < labels.length; row++) total += term(row);
    return total;
  };
  const n = labels.length;
  if (classes > 0) return sum((row) => Number(said[row] === labels[row])) / n;
  const mean = sum((row) => labels[row]!) / n;
  return 1 - sum((row) => (labels[row]! - said[row]!) ** 2) / sum((row) => (labels[row]! - mean) ** 2);
}
