/** Predicts with a model in TensorFlow.js's layers format, in the folder that it and the rows are in. */
import { readFileSync, writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { npyOf } from '../npy.ts';
import { matrixIn, outputsBy } from './files.ts';
import { refuse, say, startBackend } from './start.ts';

/** What `request.json` says: how many columns the rows have, and the model's files, those of its weights in order. */
interface Request {
  readonly columns: number;
  readonly backend: string;
  readonly weights: readonly string[];
}

const [folder, native] = process.argv.slice(2) as [string, string | undefined];
process.chdir(folder);
const request: Request = JSON.parse(readFileSync('request.json', 'utf8'));
const versions = await startBackend(request.backend, native);
const model = await loaded();
const [input] = model.inputs;
if (model.inputs.length !== 1 || model.outputs.length !== 1 || input!.shape.length !== 2) {
  refuse('configuration', 'the model has to take one table and to give one');
}
if (input!.shape[1] !== request.columns) {
  refuse('configuration', `the model takes ${input!.shape[1]} features, and the schema has ${request.columns}`);
}
const { values, rows, columns } = await outputsBy(model, matrixIn('features.npy', request.columns));
const inColumns = Float64Array.from(values, (_, at) => values[(at % rows) * columns + Math.floor(at / rows)]!);
writeFileSync('outputs.npy', npyOf(inColumns, [rows, columns]));
say({ versions, outputs: columns });

async function loaded(): Promise<LayersModel> {
  const json = JSON.parse(readFileSync('model.json', 'utf8'));
  const bytes = request.weights.map((name) => readFileSync(name));
  const weightData = json.weightsManifest ? Buffer.concat(bytes) : Buffer.from(String(json.weightData), 'base64');
  const weightSpecs = json.weightSpecs ?? json.weightsManifest.flatMap((group: { weights: object[] }) => group.weights);
  const artifacts = { modelTopology: json.modelTopology, weightSpecs, weightData: Uint8Array.from(weightData).buffer };
  try {
    return await loadLayersModel(tf.io.fromMemory(artifacts));
  } catch (error) {
    console.error(error);
    return refuse(
      'configuration',
      'it is no model in the layers format of TensorFlow.js, or one with layers of its own',
    );
  }
}
