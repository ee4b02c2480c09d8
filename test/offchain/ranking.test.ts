// Classifiers that say scores, as a model does whose policy pays for the area under the ROC curve.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { vectorRoot } from '../../offchain/commitment.ts';
import { trainSpecHashOf } from '../../offchain/line.ts';
import { probabilitiesOf } from '../../offchain/metrics/probabilities.ts';
import { compiled } from '../../offchain/prove/circuits.ts';
import { inferenceChunks, inferenceCircuit } from '../../offchain/prove/inference.ts';
import { placementsOf } from '../../offchain/prove/placements.ts';
import type { ForestModel } from '../../offchain/train/forest-model.ts';
import { linearScores } from '../../offchain/train/linear.ts';
import type { LinearRegressionModel } from '../../offchain/train/linear-regression.ts';
import { predict, scores } from '../../offchain/train/model.ts';
import { classesBy, rankingOf, sumsBy } from '../../offchain/train/ranking.ts';
import { HYPERPARAMETERS, type ModelType, type ReferenceSpec } from '../../offchain/train/spec.ts';
import type { TrainInput } from '../../offchain/train/trainer.ts';
import { sizesOf, trainerOf } from '../../offchain/train/trainer-of.ts';
import { witness } from '../circuits/soundness.ts';
import { uniform } from './tables.ts';

const HASH = `0x${'00'.repeat(32)}` as const;
const HALF = 2 ** 23;

/** Rows whose class is whether the first feature is in the upper half of its range, but for some noise. */
function drawn(seed: number): TrainInput {
  const next = uniform(seed);
  const [rows, width] = [240, 4];
  const values = Uint8Array.from({ length: rows * width }, () => Math.floor(next() * 256));
  const labels = Uint8Array.from({ length: rows }, (_, row) => Number(values[row]! / 256 + (next() - 0.5) / 2 > 0.5));
  const columns = Array.from({ length: width }, (_, at) => `f${at}`);
  return { features: { rows, columns, values }, labels, classes: 2, quantiserHash: HASH };
}

const specOf = (modelType: ModelType): ReferenceSpec => {
  const given =
    modelType === 'MLPClassifier' ? { max_iter: 20 } : modelType === 'LinearSVC' ? {} : { n_estimators: 15 };
  return {
    framework: 'reference',
    modelType,
    hyperparameters: HYPERPARAMETERS[modelType].parse(given),
  } as ReferenceSpec;
};

function area(labels: ArrayLike<number>, ranked: ArrayLike<number>): number {
  const positives = Array.from(labels).reduce((sum, label) => sum + label, 0);
  const { placements } = placementsOf(labels, ranked);
  const sum = placements.reduce((total, placement, row) => total + placement * labels[row]!, 0);
  return sum / (2 * positives * (labels.length - positives));
}

describe('a classifier that ranks rows', () => {
  for (const modelType of [
    'LinearSVC',
    'RandomForestClassifier',
    'GradientBoostingClassifier',
    'MLPClassifier',
  ] as const) {
    it(`of type ${modelType} says scores of 16 bits in the order of its sums, and the same classes`, async () => {
      const { model } = await trainerOf(specOf(modelType), 2).train(drawn(7));
      const { features, labels } = drawn(8);
      const sums = scores(model, features)![0]!;
      const ranking = rankingOf(model);
      const said = predict(ranking, features);
      const order = [...sums.keys()].sort((a, b) => sums[a]! - sums[b]!);
      // A sum that is rescaled by less than 1 is rounded weight by weight, a few steps of the score.
      const slack = modelType === 'LinearSVC' ? 2 : 0;
      for (let i = 1; i < order.length; i++) assert.ok(said[order[i]!]! >= said[order[i - 1]!]! - slack);
      assert.deepEqual(classesBy(said), predict(model, features));
      assert.ok(Math.abs(area(labels, said) - area(labels, sums)) < 2e-4);
      const given = Float64Array.from(said);
      const before = probabilitiesOf(model, [sums], modelType)[0]!;
      const after = probabilitiesOf(ranking, [sumsBy(ranking, given)], modelType)[0]!;
      for (const [row, probability] of after.entries()) {
        assert.ok(Math.abs(probability - before[row]!) < 5e-3, `${probability} instead of ${before[row]}`);
      }
    });
  }

  it('clips no score of a linear model, whatever the row, and says 2^15 or more just where its sum is above 0', () => {
    const weight = fc.integer({ min: -(2 ** 15) + 1, max: 2 ** 15 - 1 });
    const small = fc.integer({ min: -3, max: 3 });
    const model = fc.record({
      weights: fc.array(fc.oneof(weight, small), { minLength: 1, maxLength: 30 }),
      bias: fc.oneof(fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }), small),
    });
    fc.assert(
      fc.property(model, fc.nat(), ({ weights, bias }, seed) => {
        const linear = { version: 1, family: 'linear', weights, bias, scale: 0, quantiserHash: HASH } as const;
        const ranking = rankingOf(linear) as LinearRegressionModel;
        const next = uniform(seed);
        const bytes = [
          weights.map((w) => (w > 0 ? 255 : 0)),
          weights.map((w) => (w < 0 ? 255 : 0)),
          weights.map(() => Math.floor(next() * 256)),
        ];
        const rows = bytes.length;
        const values = Uint8Array.from(weights.flatMap((_, column) => bytes.map((row) => row[column]!)));
        const features = { rows, columns: weights.map((_, at) => `f${at}`), values };
        const sums = linearScores({ ...linear, weights: ranking.weights, bias: ranking.bias }, features);
        assert.ok(sums.every((sum) => sum >= 0 && sum < 2 * HALF));
        const said = predict(ranking, features);
        assert.deepEqual(
          [...classesBy(said)],
          [...sums].map((sum) => Number(sum - (HALF - 1) > 0)),
        );
        // Exact where nothing had to be rounded.
        if (ranking.scale! >= 0) assert.deepEqual(classesBy(said), predict(linear, features));
      }),
    );
  });

  it('clips no score of a forest, and keeps its leaves within what the circuit takes', () => {
    const leaf = fc.integer({ min: -(2 ** 23) + 1, max: 2 ** 23 - 1 });
    const stump = fc.tuple(leaf, leaf).map(([a, b]) => ({ features: [0, -1, -1], values: [128, a, b] }));
    const forest = fc.record({
      trees: fc.array(stump, { minLength: 1, maxLength: 100 }),
      bias: fc.integer({ min: -(2 ** 23), max: 2 ** 23 }),
    });
    fc.assert(
      fc.property(forest, ({ trees, bias }) => {
        const common = { version: 1, family: 'forest', output: 'sum', width: 1, quantiserHash: HASH } as const;
        const ranking = rankingOf({ ...common, classes: 2, trees, bias }) as ForestModel;
        assert.deepEqual([ranking.classes, ranking.trees[0]!.values[0]], [0, 128]);
        for (const pick of [Math.min, Math.max]) {
          const sum = ranking.trees.reduce((total, { values: [, a, b] }) => total + pick(a!, b!), ranking.bias);
          assert.ok(sum >= 0 && sum < 2 * HALF);
        }
        assert.ok(ranking.trees.every(({ values }) => values.every((value) => Math.abs(value) < HALF)));
      }),
    );
  });

  it('is another specification of training, so that no journal takes one for the other', () => {
    const hashes = (['accuracy', 'recall', 'auroc'] as const).map((m) => trainSpecHashOf(specOf('LinearSVC'), {}, m));
    assert.equal(hashes[0], hashes[1]);
    assert.notEqual(hashes[0], hashes[2]);
  });

  it('is proven by the circuits of regressions, but for perceptrons', () => {
    const shapeOf = (modelType: ModelType) => {
      return { ...sizesOf(specOf(modelType), 2, true), inputs: 30, laneBits: 16 } as const;
    };
    assert.equal(inferenceCircuit(shapeOf('LinearSVC')), 'linearRegression30');
    assert.equal(inferenceCircuit(shapeOf('RandomForestClassifier')), 'regressionForest100');
    assert.equal(inferenceCircuit(shapeOf('GradientBoostingClassifier')), 'regressionForest100');
    assert.throws(() => inferenceCircuit(shapeOf('MLPClassifier')), {
      kind: 'configuration',
      code: 'INFERENCE_SCORES',
    });
  });

  it('attack: of a linear model the circuit gives the root of its own scores, and of no others', async () => {
    const { model } = await trainerOf(specOf('LinearSVC'), 2).train(drawn(7));
    const ranking = rankingOf(model);
    const { features } = drawn(8);
    const said = predict(ranking, features);
    const salts = { modelSalt: 1n, featuresSalt: 2n, predictionsSalt: 3n, stateSalt: (i: number) => BigInt(i) };
    const shape = { family: 'linear-regression', inputs: 4, laneBits: 16 } as const;
    const better = said.map((score, row) => Math.min(65_535, score + Number(row === 3)));
    const circuit = {
      compiled: { r1cs: new Uint8Array(), wasm: compiled('linearRegression30', 'wasm'), sym: '' },
      ...{ r1cs: undefined as never, names: [] },
    };
    const rootOf = (values: ArrayLike<number>) =>
      vectorRoot({ name: 'predictions', laneBits: 16, values, salt: salts.predictionsSalt });
    for (const [predictions, holds] of [
      [said, true],
      [better, false],
    ] as const) {
      const [chunk] = await inferenceChunks({ model: ranking, shape, features, predictions, ...salts });
      const proven = (await witness(circuit, chunk!.input))[3];
      assert.equal(proven, await rootOf(said));
      assert.equal(proven === (await rootOf(predictions)), holds);
    }
  });
});
