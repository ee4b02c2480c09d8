import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { measureOf } from '../../offchain/metrics/measure.ts';
import { probabilitiesOf } from '../../offchain/metrics/probabilities.ts';
import { predict, scores } from '../../offchain/train/model.ts';
import { HYPERPARAMETERS, type ModelType, type ReferenceSpec } from '../../offchain/train/spec.ts';
import type { TrainInput } from '../../offchain/train/trainer.ts';
import { trainerOf } from '../../offchain/train/trainer-of.ts';
import { uniform } from './tables.ts';

/** Rows whose class is the third of its range, or the half, that the first feature is in, but for some noise. */
function drawn(classes: number, seed: number): TrainInput {
  const next = uniform(seed);
  const [rows, width] = [240, 4];
  const values = Uint8Array.from({ length: rows * width }, () => Math.floor(next() * 256));
  const noisy = (row: number) => Math.min(0.999, Math.max(0, values[row]! / 256 + (next() - 0.5) / 4));
  const labels =
    classes === 0
      ? Uint16Array.from({ length: rows }, (_, row) => 65_535 * noisy(row))
      : Uint8Array.from({ length: rows }, (_, row) => Math.floor(noisy(row) * classes));
  const columns = Array.from({ length: width }, (_, at) => `f${at}`);
  return { features: { rows, columns, values }, labels, classes, quantiserHash: `0x${'00'.repeat(32)}` };
}

const specOf = (modelType: ModelType): ReferenceSpec => {
  const given =
    modelType === 'MLPClassifier' ? { max_iter: 20 } : modelType.includes('For') ? { n_estimators: 15 } : {};
  const hyperparameters = HYPERPARAMETERS[modelType].parse(given);
  return { framework: 'reference', modelType, hyperparameters } as ReferenceSpec;
};

const trained = async (modelType: ModelType, input: TrainInput) =>
  (await trainerOf(specOf(modelType), input.classes).train(input)).model;

const FAMILIES: [ModelType, number][] = [
  ['LinearSVC', 2],
  ['LinearSVC', 3],
  ['MLPClassifier', 2],
  ['MLPClassifier', 3],
  ['RandomForestClassifier', 2],
  ['RandomForestClassifier', 3],
  ['GradientBoostingClassifier', 2],
];

describe('scores of a model', () => {
  for (const [modelType, classes] of FAMILIES) {
    it(`of ${modelType} for ${classes} classes are whole numbers that its predictions follow from`, async () => {
      const input = drawn(classes, 7);
      const model = await trained(modelType, input);
      const columns = scores(model, input.features)!;
      assert.equal(columns.length, classes === 2 ? 1 : classes);
      assert.ok(columns.every((column) => column.every(Number.isSafeInteger)));
      const said = Array.from(input.labels, (_, row) => {
        if (classes === 2) return Number(columns[0]![row]! > 0);
        return columns.reduce((best, column, at) => (column[row]! > columns[best]![row]! ? at : best), 0);
      });
      assert.deepEqual(said, [...predict(model, input.features)]);
    });

    it(`of ${modelType} for ${classes} classes become probabilities that are better than chance`, async () => {
      const input = drawn(classes, 7);
      const model = await trained(modelType, input);
      const test = drawn(classes, 8);
      const given = scores(model, test.features)!;
      const probabilities = probabilitiesOf(model, given, modelType);
      const rows = { classes, labels: test.labels as Uint8Array, scores: given, probabilities };
      const values = measureOf({ ...rows, predictions: predict(model, test.features) as Uint8Array })();
      assert.ok(values.log_loss! < Math.log(classes), `log loss ${values.log_loss}`);
      assert.ok((values.auroc ?? values.auroc_macro)! > 0.8);
      for (let row = 0; classes > 2 && row < test.labels.length; row++) {
        const sum = probabilities.reduce((total, column) => total + column[row]!, 0);
        assert.ok(Math.abs(sum - 1) < 1e-12, `row ${row} sums to ${sum}`);
      }
    });
  }

  it('are none of a regression', async () => {
    const input = drawn(0, 7);
    for (const modelType of ['Ridge', 'RandomForestRegressor', 'GradientBoostingRegressor'] as const) {
      assert.equal(scores(await trained(modelType, input), input.features), undefined);
    }
  });
});
