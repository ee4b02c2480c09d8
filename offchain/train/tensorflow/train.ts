/** Trains a network of TensorFlow.js on the files of a folder. The files are described in docs/frameworks.md. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type * as tf from '@tensorflow/tfjs-core';
import type { NetworkOptions } from '../network-spec.ts';
import { columnIn, leave, matrixIn, outputsBy, packed } from './files.ts';
import { type Checkpoint, fit, type Samples } from './fit.ts';
import { initialWeights, layersOf, type Matrix, type Scale, scaleOf } from './network.ts';
import { refuse, say, startBackend } from './start.ts';

interface Request {
  readonly classes: number;
  readonly seed: number;
  readonly hyperparameters: NetworkOptions;
  readonly features: readonly string[];
  readonly backend: string;
}

const CHECKPOINT = 'checkpoint.json';

const [folder, native] = process.argv.slice(2).reverse() as [string, string | undefined];
process.chdir(folder);
// An exception's words stay in the log: they might have a value of a row.
process.on('uncaughtException', (error) => {
  console.error(error);
  if (wantsMemory(error)) refuse('retryable', 'there is not enough memory for it', 'memory');
  refuse('terminal', `it ended with ${error.name}`);
});
let stopping = false;
process.on('SIGTERM', () => {
  stopping = true;
});
await main();

async function main(): Promise<void> {
  const request: Request = JSON.parse(readFileSync('request.json', 'utf8'));
  const versions = await startBackend(request.backend, native);
  const features = matrixIn('features.npy', request.features.length);
  const labels = columnIn('labels.npy');
  const scale = scaleOf(features);
  const target = request.classes === 0 ? scaleOf(column(labels)) : undefined;
  const samples = samplesOf(
    request,
    standardised(features, scale),
    target ? standardised(column(labels), target).values : labels,
  );
  const { hidden_layer_sizes: hidden } = request.hyperparameters;
  const weights = initialWeights([request.features.length, ...hidden, request.classes || 1], String(request.seed));
  await learned(weights, samples, request);
  say({ progress: 0.9, text: 'predict' });
  const model = await layersOf(weights, scale, request.hyperparameters, target);
  leave(outputsBy(model, matrixIn('predict.npy', request.features.length)), request.classes);
  writeFileSync('model.json', JSON.stringify(await packed(model)));
  say({ versions });
}

function column(values: Float32Array): Matrix {
  return { values, rows: values.length, columns: 1 };
}

function standardised({ values, rows, columns }: Matrix, { mean, deviation }: Scale): Matrix {
  const scaled = (value: number, at: number) => (value - mean[at % columns]!) / deviation[at % columns]!;
  return { values: values.map(scaled), rows, columns };
}

function samplesOf({ classes, hyperparameters }: Request, rows: Matrix, labels: Float32Array): Samples {
  const { class_weight: given } = hyperparameters;
  if (Array.isArray(given) && given.length !== classes) {
    refuse('configuration', `class_weight has ${given.length} weights, and there are ${classes} classes`);
  }
  const counts = new Float32Array(classes);
  if (classes > 0) for (const label of labels) counts[label]!++;
  const balanced = counts.map((count) => labels.length / (classes * (count || 1)));
  const classWeights = given === 'balanced' ? balanced : Float32Array.from(given ?? counts.map(() => 1));
  return { rows, labels, classes, classWeights };
}

/** Learns weights in place, and leaves a checkpoint now and then. */
async function learned(weights: readonly tf.Variable[], samples: Samples, request: Request): Promise<void> {
  const { hyperparameters: options } = request;
  const of = fingerprint();
  let last: [epoch: number, loss: number] = [0, 0];
  const ended = await fit(weights, samples, options, {
    seed: String(request.seed),
    from: checkpointOf(of),
    onEpoch: async (epoch, loss, checkpoint) => {
      last = [epoch, loss];
      // A signal is heard between two turns of the event loop alone.
      await turn();
      if (stopping || epoch % options.checkpoint_every === 0) keep({ of, ...checkpoint() });
      say({ progress: (0.9 * epoch) / options.epochs, text: `epoch ${epoch} of ${options.epochs}`, epoch, loss });
      return stopping;
    },
  });
  if (stopping) refuse('retryable', `it was stopped, and goes on from epoch ${last[0]}`);
  if (!ended) refuse('terminal', 'the loss is no finite number any more: a smaller learning_rate may help');
}

/** Of all that training follows from: a checkpoint of anything else is not gone on from. */
function fingerprint(): string {
  const hash = createHash('sha256');
  for (const name of ['request.json', 'features.npy', 'labels.npy']) hash.update(readFileSync(name));
  return hash.digest('hex');
}

function checkpointOf(wanted: string): Checkpoint | undefined {
  if (!existsSync(CHECKPOINT)) return undefined;
  let kept: Checkpoint & { of: string };
  try {
    kept = JSON.parse(readFileSync(CHECKPOINT, 'utf8'));
  } catch (error) {
    // Begun anew: what a disk made of it is no finding about data.
    console.error(error);
    return undefined;
  }
  const { of, ...checkpoint } = kept;
  if (of !== wanted) return undefined;
  say({ progress: 0, text: `goes on from epoch ${checkpoint.epoch}`, resumed: checkpoint.epoch });
  return checkpoint;
}

/** What V8, WebAssembly and TensorFlow's library throw where none is left, by its kind before its words. */
function wantsMemory({ name, message }: Error): boolean {
  const byMachine = name === 'RangeError' || name === 'RuntimeError';
  return (
    (byMachine && /alloc|out of memory|OOM|enlarge memory/i.test(message)) || message.startsWith('OOM when allocating')
  );
}

/** Whole or not at all. */
function keep(checkpoint: Checkpoint & { of: string }): void {
  writeFileSync('part', JSON.stringify(checkpoint));
  renameSync('part', CHECKPOINT);
}
