/** Models in TensorFlow.js's layers format, with their weights within. */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import type { Predictor } from './files.ts';
import { refuse } from './start.ts';

/** A model, and how many features it reads and values it gives of each row; null where it does not say. */
export interface Loaded {
  readonly predictor: Predictor;
  readonly width: number | null;
  readonly columns: number | null;
}

/** @returns what ends the process where the model cannot be loaded */
export async function layersIn(file: string): Promise<Loaded> {
  const model = await loaded(file);
  const [input, output] = [model.inputs[0]!, model.outputs[0]!];
  if (
    model.inputs.length !== 1 ||
    model.outputs.length !== 1 ||
    input.shape.length !== 2 ||
    output.shape.length !== 2
  ) {
    refuse('configuration', 'it has to take one table, rows x features, and to give one');
  }
  return { predictor: model, width: input.shape[1]!, columns: output.shape[1]! };
}

async function loaded(file: string): Promise<LayersModel> {
  const { modelTopology, weightSpecs, weightData } = JSON.parse(readFileSync(file, 'utf8'));
  const bytes = Uint8Array.from(Buffer.from(weightData, 'base64')).buffer;
  try {
    return await loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData: bytes }));
  } catch (error) {
    console.error(error);
    return refuse('configuration', 'TensorFlow.js cannot load it: it is no model of layers, or has layers of its own');
  }
}
