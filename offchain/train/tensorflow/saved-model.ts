/** TensorFlow's SavedModels, by its own library. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { Loaded } from './layers.ts';
import { refuse } from './start.ts';

/** What is used of `@tensorflow/tfjs-node`, whose types are in its own package. */
interface Native {
  readonly node: {
    getMetaGraphsFromSavedModel(folder: string): Promise<MetaGraph[]>;
    loadSavedModel(folder: string, tags: string[], signature: string): Promise<{ predict(given: tf.Tensor): unknown }>;
  };
}
interface MetaGraph {
  readonly tags: string[];
  readonly signatureDefs: Record<string, Record<'inputs' | 'outputs', Record<string, Shaped>>>;
}
interface Shaped {
  readonly dtype: string;
  readonly shape: readonly { getSize(): number }[];
}

const [TAG, SIGNATURE] = ['serve', 'serving_default'];

/**
 * @param archive of its files
 * @param native folder of TensorFlow's library
 * @returns what ends the process where the model cannot be loaded
 */
export async function savedModelIn(archive: string, native: string): Promise<Loaded> {
  const folder = 'saved-model';
  mkdirSync(folder);
  execFileSync('tar', ['-xf', archive, '-C', folder, '--no-same-owner']);
  const { node }: Native = createRequire(join(native, 'package.json'))('@tensorflow/tfjs-node');
  try {
    const graph = (await node.getMetaGraphsFromSavedModel(folder)).find(({ tags }) => tags.includes(TAG));
    const signature = graph?.signatureDefs[SIGNATURE];
    if (!graph || !signature) return refuse('configuration', `it has no signature ${SIGNATURE} under the tag ${TAG}`);
    const [input, output] = [onlyTable(signature.inputs), onlyTable(signature.outputs)];
    const model = await node.loadSavedModel(folder, graph.tags, SIGNATURE);
    const predictOnBatch = (rows: tf.Tensor | tf.Tensor[]) => {
      try {
        return model.predict(rows as tf.Tensor) as tf.Tensor;
      } catch (error) {
        return refused(error, 'TensorFlow cannot run it on the fold');
      }
    };
    return { predictor: { predictOnBatch }, width: input, columns: output };
  } catch (error) {
    return refused(error, 'TensorFlow cannot load it');
  }
}

/** What TensorFlow says is for the log: it might have a value of a row. */
function refused(error: unknown, message: string): never {
  console.error(error);
  return refuse('configuration', message);
}

/** Of the one table of rows that a signature has, in single precision, how many columns, as far as it says. */
function onlyTable(tables: Readonly<Record<string, Shaped>>): number | null {
  const [table, ...others] = Object.values(tables);
  const [rows = -1, columns = -1] = table?.shape.map((dimension) => dimension.getSize()) ?? [];
  if (!table || others.length > 0 || table.dtype !== 'float32' || table.shape.length !== 2 || rows !== -1) {
    refuse('configuration', 'it has to take one table of any number of rows x features, of float32, and to give one');
  }
  return columns === -1 ? null : columns;
}
