import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { canonicalJson } from '../../offchain/canonical.ts';
import { labelsOf } from '../../offchain/table/check-table.ts';
import { type Features, fitQuantiser, quantise, quantiserHash } from '../../offchain/table/quantise.ts';
import { inferSchema } from '../../offchain/table/schema.ts';
import { readCsv, selectRows } from '../../offchain/table/table.ts';
import { type LinearRegressionModel, predict, ridgeTrainer } from '../../offchain/train/linear-regression.ts';
import type { TrainInput } from '../../offchain/train/trainer.ts';
import { uniform } from './tables.ts';

const FILE = fileURLToPath(new URL('../../examples/diabetes/diabetes.csv', import.meta.url));
const HASH = `0x${'00'.repeat(32)}` as const;
/** SHA-256 of the canonical JSON of the model of the odd rows. Another value on any machine is a defect. */
const GOLDEN = '196c64c0a6c318576c8ac17c50a09ac7745032d5570452768de6c71a8c66b860';

const featuresOf = (rows: number, values: Uint8Array): Features => ({
  rows,
  columns: Array.from({ length: values.length / rows }, (_, at) => `f${at}`),
  values,
});

/** Labels of `label(x0, x1)`, x random bytes. */
function random(rows: number, label: (x0: number, x1: number) => number): TrainInput {
  const next = uniform(5);
  const values = Uint8Array.from({ length: 2 * rows }, () => Math.floor(next() * 256));
  const labels = Uint16Array.from({ length: rows }, (_, row) => label(values[row]!, values[rows + row]!));
  return { features: featuresOf(rows, values), labels, classes: 0, quantiserHash: HASH };
}

async function diabetes(): Promise<{ input: TrainInput; test: Pick<TrainInput, 'features' | 'labels'> }> {
  const table = await readCsv(FILE);
  const { schema } = inferSchema(table, { label: 'progression', task: 'regression' });
  const half = (odd: number) =>
    selectRows(
      table,
      [...Array(table.rows).keys()].filter((row) => row % 2 === odd),
    );
  const quantiser = fitQuantiser(half(1), schema);
  const [train, test] = [half(1), half(0)].map((rows) => ({
    features: quantise(rows, quantiser),
    labels: labelsOf(rows, schema),
  })) as [Pick<TrainInput, 'features' | 'labels'>, Pick<TrainInput, 'features' | 'labels'>];
  return { input: { ...train, classes: 0, quantiserHash: quantiserHash(quantiser) }, test };
}

function r2(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  const values = Array.from(labels);
  const mean = values.reduce((sum, label) => sum + label) / values.length;
  const squares = (of: (row: number) => number) => values.reduce((sum, label, row) => sum + (label - of(row)) ** 2, 0);
  return 1 - squares((row) => predictions[row]!) / squares(() => mean);
}

describe('ridgeTrainer', () => {
  it('finds a line through the rows, whose bias may be far outside the labels', async () => {
    // Falling from the top of the range, and with a bias of twice the range at the corner where all features are 0.
    for (const label of [
      (x0: number, x1: number) => 65_535 - 100 * x0 - 150 * x1,
      (x0: number, x1: number) => Math.min(Math.max(131_070 - 400 * x0 - 300 * x1, 0), 65_535),
    ]) {
      const input = random(400, label);
      const { model, report } = await ridgeTrainer({ alpha: 1e-6 }).train(input);
      assert(r2(predict(model, input.features), input.labels) > 0.8);
      assert(report.rounding.squaresAfter <= report.rounding.squaresBefore * 1.001 + 400);
    }
    const input = random(400, (x0, x1) => 65_535 - 100 * x0 - 150 * x1);
    const { model } = await ridgeTrainer({ alpha: 1e-6 }).train(input);
    assert.deepEqual(model.weights, [-100 * 256, -150 * 256]);
    assert.deepEqual([...predict(model, input.features)], [...input.labels]);
  });

  it('solves the normal equations of scikit-learn’s Ridge', async () => {
    const { input } = await diabetes();
    const { features, labels } = input;
    const alpha = 3;
    const { model } = await ridgeTrainer({ alpha }).train(input);
    const column = (j: number) =>
      Array.from(features.values.subarray(j * features.rows, (j + 1) * features.rows), (x) => x / 255);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const centred = (values: number[]) => values.map((value) => value - mean(values));
    const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    const X = features.columns.map((_, j) => centred(column(j)));
    const weights = model.weights.map((weight) => (weight * 255) / 256);
    const y = centred(Array.from(labels));
    const residual = y.map((value, row) => value - X.reduce((sum, x, j) => sum + x[row]! * weights[j]!, 0));
    // The gradient at the optimum is 0; of the rounded model, what a rounding of half a unit makes.
    for (const [j, x] of X.entries()) {
      assert(Math.abs(dot(x, residual) - alpha * weights[j]!) < 500, `${j}`);
      assert(
        Math.abs(dot(x, y)) > 50_000 || Math.abs(dot(x, y)) > 100 * Math.abs(dot(x, residual) - alpha * weights[j]!),
      );
    }
  });

  it('learns the diabetes table, and loses nothing by rounding', async (t) => {
    const { input, test } = await diabetes();
    const { model, report } = await ridgeTrainer({ alpha: 1 }).train(input);
    const score = r2(predict(model, test.features), test.labels);
    const { squaresBefore, squaresAfter } = report.rounding;
    t.diagnostic(`R2 ${score.toFixed(4)}; squares ${squaresBefore} before rounding, ${squaresAfter} after`);
    assert(score > 0.4);
    assert(Math.abs(squaresAfter / squaresBefore - 1) < 1e-4);
    const digest = createHash('sha256').update(canonicalJson(model)).digest('hex');
    assert.equal(digest, GOLDEN);
    const { model: shrunk } = await ridgeTrainer({ alpha: 1e6 }).train(input);
    assert(shrunk.weights.every((weight, j) => Math.abs(weight) <= Math.abs(model.weights[j]!) / 100 + 1));
  });

  it('copes with features that say nothing and that say the same', async () => {
    const values = new Uint8Array(40);
    for (let row = 0; row < 10; row++) values[row] = values[10 + row] = 20 * row;
    const labels = Uint16Array.from({ length: 10 }, (_, row) => 1000 * row);
    const input = { features: featuresOf(10, values), labels, classes: 0, quantiserHash: HASH };
    const { model } = await ridgeTrainer({ alpha: 1e-6 }).train(input);
    assert(r2(predict(model, input.features), labels) > 0.999);
    assert.deepEqual(model.weights.slice(2), [0, 0]);
    assert.equal(model.weights[0], model.weights[1]);
  });
});

describe('predict', () => {
  const model = (weights: number[], bias: number): LinearRegressionModel => ({
    version: 1,
    family: 'linear-regression',
    weights,
    bias,
    quantiserHash: HASH,
  });

  it('is the clipped sum in integers, rounded down', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1 - 2 ** 31, max: 2 ** 31 - 1 }), { minLength: 4, maxLength: 4 }),
        fc.uint8Array({ minLength: 6, maxLength: 6 }),
        ([bias, ...weights], values) => {
          const found = predict(model(weights, bias!), featuresOf(2, values));
          for (const row of [0, 1]) {
            const sum = weights.reduce(
              (total, weight, j) => total + BigInt(weight) * BigInt(values[2 * j + row]!),
              BigInt(bias!),
            );
            const value = sum < 0n ? 0n : sum >> 8n;
            assert.equal(BigInt(found[row]!), value > 65_535n ? 65_535n : value);
          }
        },
      ),
    );
  });

  it('refuses a table of other features', () => {
    assert.throws(() => predict(model([1], 0), featuresOf(1, new Uint8Array(2))), { code: 'MODEL_MISFIT' });
  });
});
