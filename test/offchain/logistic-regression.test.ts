import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { exp, log } from '../../offchain/train/logistic.ts';
import type { logisticTrainer } from '../../offchain/train/logistic-regression.ts';
import { predict } from '../../offchain/train/model.ts';
import { HYPERPARAMETERS, type ModelType, type ReferenceSpec } from '../../offchain/train/spec.ts';
import type { TrainInput } from '../../offchain/train/trainer.ts';
import { trainerOf } from '../../offchain/train/trainer-of.ts';
import { drawn, example } from './train-tables.ts';

const train = async (modelType: ModelType, given: object, input: TrainInput) => {
  const spec = { framework: 'reference', modelType, hyperparameters: HYPERPARAMETERS[modelType].parse(given) };
  return (await trainerOf(spec as ReferenceSpec, input.classes).train(input)) as Awaited<
    ReturnType<ReturnType<typeof logisticTrainer>['train']>
  >;
};
const correct = (model: Parameters<typeof predict>[0], { features, labels }: TrainInput): number =>
  Array.from(predict(model, features)).filter((said, row) => said === labels[row]).length;

/** The gradient of the objective, row by row and with the library's functions; the biases come last. */
function gradient({ features, labels, classes }: TrainInput, w: readonly Float64Array[], C: number, costs: number[]) {
  const { rows, columns, values } = features;
  const sums = w.map((own) => own.map((weight, j) => (j < columns.length ? weight : 0)));
  for (let row = 0; row < rows; row++) {
    const x = Array.from({ length: columns.length + 1 }, (_, j) =>
      j < columns.length ? values[j * rows + row]! / 255 : 1,
    );
    const scores = w.map((own) => own.reduce((sum, weight, j) => sum + weight * x[j]!, 0));
    const most = Math.max(...scores, 0);
    const parts = (classes === 2 ? [0, scores[0]!] : scores).map((score) => Math.exp(score - most));
    const all = parts.reduce((sum, part) => sum + part, 0);
    for (const [c, own] of sums.entries()) {
      const of = classes === 2 ? 1 : c;
      const error = costs[labels[row]!]! * C * (parts[of]! / all - Number(labels[row] === of));
      for (let j = 0; j < own.length; j++) own[j]! += error * x[j]!;
    }
  }
  return Math.hypot(...sums.flatMap((own) => [...own]));
}

describe('LogisticRegression', () => {
  /**
   * scikit-learn 1.9.1, `LogisticRegression(tol=1e-13, solver='newton-cholesky')` on these very features, divided by 255: first
   * coefficients, intercept, correct rows of the others; and with C=0.1 and class_weight={0: 2, 1: 0.5}.
   */
  const TWO = [
    [{}, [-1.2141485976, -1.101647023497, -1.1749206236279, -1.399023972], 7.49741811, 277],
    [
      { C: 0.1, class_weight: { 0: 2, 1: 0.5 } },
      [-0.52193246747, -0.3010041258, -0.513221583, -0.58312313111],
      2.51051477,
      241,
    ],
  ] as const;

  for (const [given, weights, bias, right] of TWO) {
    it(`finds scikit-learn's optimum of two classes, ${JSON.stringify(given)}`, async () => {
      const [input, test] = await example('breast-cancer/breast_cancer.csv');
      const { model, report } = await train('LogisticRegression', given, input);
      for (const [j, weight] of weights.entries()) assert(Math.abs(report.parameters[0]![j]! - weight) < 1e-5);
      assert(Math.abs(report.parameters[0]!.at(-1)! - bias) < 1e-4);
      assert.equal(model.family, 'linear');
      assert.equal(correct(model, test), right);
    });
  }

  it('finds scikit-learn’s optimum of ten classes by softmax', async () => {
    const [input, test] = await example('digits/digits.csv');
    const { model, report } = await train('LogisticRegression', { max_iter: 500 }, input);
    const expected = [0.44847079483, -0.04438740515, 0.15610442654, 1.32053349809, 0.41555329857, -0.2244261402];
    for (const [j, weight] of expected.entries()) assert(Math.abs(report.parameters[3]![j]! - weight) < 1e-4);
    const size = Math.hypot(...report.parameters.flatMap((own) => [...own.subarray(0, -1)]));
    assert(Math.abs(size - 15.122483327) < 1e-3);
    assert.equal(model.family, 'dense');
    assert(Math.abs(correct(model, test) - 868) <= 3, `${correct(model, test)} correct`);
  });

  it('ends where the gradient vanishes, by an independent sum, whatever the rows', async () => {
    const problem = fc.record({
      rows: fc.integer({ min: 12, max: 60 }),
      width: fc.integer({ min: 1, max: 6 }),
      classes: fc.constantFrom(2, 3, 5),
      seed: fc.integer({ min: 1, max: 2 ** 31 }),
      C: fc.constantFrom(1e-3, 1, 100),
      weight: fc.constantFrom(1, 0.5, 4),
    });
    await fc.assert(
      fc.asyncProperty(problem, async ({ rows, width, classes, seed, C, weight }) => {
        const input = drawn(rows, width, classes, seed);
        fc.pre(new Set(input.labels).size > 1);
        const given = { C, max_iter: 2000, class_weight: { 0: weight } };
        const { report } = await train('LogisticRegression', given, input);
        const costs = Array.from({ length: classes }, (_, c) => (c === 0 ? weight : 1));
        const zero = report.parameters.map((own) => new Float64Array(own.length));
        const [start, found] = [zero, report.parameters].map((w) => gradient(input, w, C, costs)) as [number, number];
        assert(found <= 1e-6 * Math.max(start, 1e-3), `${found} of ${start}`);
      }),
      { numRuns: 60 },
    );
  });

  it('is what it has come to after max_iter', async () => {
    const [input] = await example('breast-cancer/breast_cancer.csv');
    const { report } = await train('LogisticRegression', { max_iter: 2 }, input);
    assert.equal(report.iterations, 2);
  });
});

describe('class_weight', () => {
  it('gives scikit-learn’s LinearSVC, of two classes and of ten', async () => {
    const [input, test] = await example('breast-cancer/breast_cancer.csv');
    const { model, report } = await train('LinearSVC', { class_weight: { 0: 2, 1: 0.5 } }, input);
    const { optimum } = report as unknown as { optimum: { weights: Float64Array; bias: number } };
    const expected = [-0.14186514500411976, -0.5724755787448381, -0.18866304523904676, -0.525224016752592];
    for (const [j, weight] of expected.entries()) assert(Math.abs(optimum.weights[j]! - weight) < 1e-6);
    assert(Math.abs(optimum.bias - 2.68030098) < 1e-6);
    assert.equal(correct(model, test), 271);
    const [ten, others] = await example('digits/digits.csv');
    const { model: digits } = await train('LinearSVC', { class_weight: { 8: 2 } }, ten);
    assert(Math.abs(correct(digits, others) - 861) <= 3, `${correct(digits, others)} correct`);
  });

  it('is as if the rows of a class were there more often', async () => {
    const input = drawn(80, 3, 2, 77);
    const order = [...input.labels.keys()].flatMap((row) => (input.labels[row] === 1 ? [row, row, row] : [row]));
    const { rows, values, columns } = input.features;
    const more: TrainInput = {
      ...input,
      features: {
        columns,
        rows: order.length,
        values: Uint8Array.from(columns.flatMap((_, j) => order.map((row) => values[j * rows + row]!))),
      },
      labels: Uint8Array.from(order, (row) => input.labels[row]!),
    };
    for (const modelType of ['LinearSVC', 'LogisticRegression', 'GradientBoostingClassifier'] as const) {
      const weighted = await train(modelType, { class_weight: { 1: 3 } }, input);
      const repeated = await train(modelType, {}, more);
      assert.equal(correct(weighted.model, input), correct(repeated.model, input), modelType);
    }
  });

  it('refuses names of no class', () => {
    const spec = {
      framework: 'reference',
      modelType: 'LinearSVC',
      hyperparameters: { C: 1, class_weight: { maybe: 2 } },
    } as const;
    assert.throws(() => trainerOf(spec, 2, ['no', 'yes']), { kind: 'configuration', code: 'CLASS_WEIGHT_UNKNOWN' });
  });
});

describe('our own functions', () => {
  it('log is that of the library to 1e-15, and undoes exp', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (x) => {
        assert(Math.abs(log(x) - Math.log(x)) <= 1e-15 * Math.max(1, Math.abs(Math.log(x))), `${x}`);
      }),
      { numRuns: 20_000 },
    );
    fc.assert(fc.property(fc.double({ min: -600, max: 600, noNaN: true }), (x) => Math.abs(log(exp(x)) - x) < 1e-12));
    assert.equal(log(1), 0);
  });
});
