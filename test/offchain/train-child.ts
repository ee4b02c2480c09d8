/** Trains a model that takes a while, keeps what is done in the file that is named, and says so; its model's hash in the end. */
import { createHash } from 'node:crypto';
import { openPartial } from '../../offchain/run/partial.ts';
import { HYPERPARAMETERS, type ModelType, type ReferenceSpec } from '../../offchain/train/spec.ts';
import { trainerOf } from '../../offchain/train/trainer-of.ts';
import { drawn } from './train-tables.ts';

const [modelType, given, file] = process.argv.slice(2) as [ModelType, string, string];
const hyperparameters = HYPERPARAMETERS[modelType].parse(JSON.parse(given));
const input = drawn(2_000, 12, 2, 3);
const { model } = await trainerOf({ framework: 'reference', modelType, hyperparameters } as ReferenceSpec, 2).train({
  ...input,
  checkpoint: openPartial(file, 0),
  onProgress: ({ iteration }) => console.log(`at ${iteration}.`),
});
console.log(JSON.stringify({ output: createHash('sha256').update(JSON.stringify(model)).digest('hex') }));
