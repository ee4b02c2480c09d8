/** Arrays and models in the files of a folder. */
import { readFileSync, writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { npyOf, readNpy, readNpyColumns, rowsOfNpy } from '../npy.ts';
import type { Matrix } from './network.ts';

/** Rows that are predicted at a time. */
const BATCH = 4096;

/** A table, one row after the other, in single precision. */
export function matrixIn(name: string, columns: number): Matrix {
  const bytes = readFileSync(name);
  const rows = rowsOfNpy(bytes);
  const values = new Float32Array(rows * columns);
  for (const [column, from] of readNpyColumns(bytes, name, rows, columns).entries()) {
    for (let row = 0; row < rows; row++) values[row * columns + column] = from[row]!;
  }
  return { values, rows, columns };
}

export function columnIn(name: string): Float32Array {
  const bytes = readFileSync(name);
  return Float32Array.from(readNpy(bytes, name, rowsOfNpy(bytes)));
}

/** What predicts batch by batch. */
export type Predictor = Pick<LayersModel, 'predictOnBatch'>;

/** What a model says of each row, one row after the other. */
export function outputsBy(model: Predictor, { values, rows, columns }: Matrix): Matrix {
  const parts: Float32Array[] = [];
  for (let from = 0; from < rows; from += BATCH) {
    const count = Math.min(BATCH, rows - from);
    const part = tf.tidy(() => {
      const given = tf.tensor2d(values.subarray(from * columns, (from + count) * columns), [count, columns]);
      return (model.predictOnBatch(given) as tf.Tensor).dataSync();
    });
    parts.push(Float32Array.from(part));
  }
  const said = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    said.set(part, at);
    at += part.length;
  }
  return { values: said, rows, columns: rows === 0 ? 0 : said.length / rows };
}

/**
 * Leaves predictions, of classes those of the largest score, and where the scores are probabilities those, too.
 *
 * @param classes 0 where numbers are predicted
 */
export function leave({ values, rows, columns }: Matrix, classes: number): void {
  const most = (row: number) => {
    const scores = values.subarray(row * columns, (row + 1) * columns);
    return scores.some(Number.isNaN) ? Number.NaN : scores.indexOf(Math.max(...scores));
  };
  const predictions = Float64Array.from({ length: rows }, (_, row) => (classes === 0 ? values[row]! : most(row)));
  writeFileSync('predictions.npy', npyOf(predictions, [rows]));
  if (classes === 0 || values.some((value) => !(value >= 0 && value <= 1))) return;
  const inColumns = Float64Array.from(values, (_, at) => values[(at % rows) * columns + Math.floor(at / rows)]!);
  writeFileSync('probabilities.npy', npyOf(inColumns, [rows, columns]));
}

/** A model's artifacts in one JSON, its weights in base64. */
export async function packed(model: LayersModel): Promise<object> {
  let artifacts: tf.io.ModelArtifacts = {};
  const handler = tf.io.withSaveHandler(async (given) => {
    artifacts = given;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  });
  await model.save(handler);
  const { modelTopology, weightSpecs, weightData } = artifacts;
  const weights = Buffer.from(weightData as ArrayBuffer).toString('base64');
  return {
    format: 'layers-model',
    generatedBy: artifacts.generatedBy,
    modelTopology,
    weightSpecs,
    weightData: weights,
  };
}
