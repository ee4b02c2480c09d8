import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { leavesOf } from '../../offchain/train/forest-model.ts';
import { predict } from '../../offchain/train/model.ts';
import { randomOf } from '../../offchain/train/random.ts';
import { HYPERPARAMETERS, type ModelType, type ReferenceSpec } from '../../offchain/train/spec.ts';
import type { TrainInput } from '../../offchain/train/trainer.ts';
import { trainerOf } from '../../offchain/train/trainer-of.ts';
import { growTree, type Node } from '../../offchain/train/tree.ts';
import { uniform } from './tables.ts';
import { drawn, example } from './train-tables.ts';

const train = async (modelType: ModelType, given: object, input: TrainInput) => {
  const spec = { framework: 'reference', modelType, hyperparameters: HYPERPARAMETERS[modelType].parse(given) };
  const { model } = await trainerOf(spec as ReferenceSpec, input.classes).train(input);
  assert(model.family === 'forest');
  return model;
};
const shape = (node: Node): unknown =>
  node.split
    ? [node.split.feature, node.split.threshold, shape(node.split.left), shape(node.split.right)]
    : [...node.rows];

describe('histograms of many rows', () => {
  it('give the same tree whether count and sum are packed or not, whose first split is the best', () => {
    const problem = fc.record({
      rows: fc.integer({ min: 2_500, max: 20_000 }),
      width: fc.integer({ min: 1, max: 6 }),
      seed: fc.integer({ min: 1, max: 2 ** 31 }),
      most: fc.constantFrom(10, 2 ** 24, 2 ** 30),
      weighted: fc.boolean(),
      minSamplesLeaf: fc.constantFrom(1, 40),
      maxLeafNodes: fc.constantFrom(undefined, 9),
    });
    fc.assert(
      fc.property(problem, ({ rows, width, seed, most, weighted, minSamplesLeaf, maxLeafNodes }) => {
        const next = uniform(seed);
        const values = Uint8Array.from({ length: rows * width }, () => (256 * next() * next()) | 0);
        const amounts = Float64Array.from({ length: rows }, (_, row) =>
          Math.floor(most * (next() - values[row]! / 256)),
        );
        const weights = weighted ? Uint8Array.from({ length: rows }, () => 1 + 2 * next()) : undefined;
        const learning = { rows, width, values, channels: 1, channel: new Uint8Array(rows), amounts };
        const limits = { maxDepth: 5, minSamplesLeaf, ...(maxLeafNodes !== undefined && { maxLeafNodes }) };
        const kept = growTree(
          { ...learning, ...(weights && { weights }) },
          { ...limits, maxFeatures: width },
          randomOf('0'),
        );
        // With weights nothing is packed.
        const ones = weights ?? new Uint8Array(rows).fill(1);
        const plain = growTree({ ...learning, weights: ones }, { ...limits, maxFeatures: width }, randomOf('0'));
        assert.deepEqual(shape(kept), shape(plain));
        best(learning, ones, kept, minSamplesLeaf);
      }),
      { numRuns: 15 },
    );
  });

  /** The root's split gains as much as the best of all, by sums over the rows themselves. */
  function best(
    { rows, width, values, amounts }: Parameters<typeof growTree>[0],
    weights: Uint8Array,
    root: Node,
    least: number,
  ): void {
    const gains = new Map<string, number>();
    for (let feature = 0; feature < width; feature++) {
      for (let threshold = 1; threshold < 256; threshold++) {
        const sides = [0, 1].map(() => ({ rows: 0, weight: 0, sum: 0 }));
        for (let row = 0; row < rows; row++) {
          const side = sides[Number(values[feature * rows + row]! >= threshold)]!;
          side.rows++;
          side.weight += weights[row]!;
          side.sum += weights[row]! * amounts[row]!;
        }
        if (sides.some((side) => side.rows < least)) continue;
        gains.set(
          `${feature}/${threshold}`,
          sides.reduce((all, { weight, sum }) => all + (sum * sum) / weight, 0),
        );
      }
    }
    const most = Math.max(...gains.values());
    assert(gains.get(`${root.split!.feature}/${root.split!.threshold}`)! >= most * (1 - 1e-12));
  }
});

describe('the hyperparameters of forests', () => {
  /**
   * Correct rows of 285 by scikit-learn 1.9.1 on these very features, random_state 0 to 4:
   * `RandomForestClassifier(100, max_depth=10, class_weight='balanced', max_samples=.5, max_features=.5, min_samples_split=8)`
   * 267 to 271, `GradientBoostingClassifier(subsample=.5, max_features='sqrt', n_iter_no_change=5)` 271 to 275.
   */
  const CASES = [
    [
      'RandomForestClassifier',
      { class_weight: 'balanced', max_samples: 0.5, max_features: 0.5, min_samples_split: 8 },
      267,
    ],
    ['GradientBoostingClassifier', { subsample: 0.5, max_features: 'sqrt', n_iter_no_change: 5 }, 271],
  ] as const;
  for (const [modelType, given, least] of CASES) {
    it(`make a model as good as scikit-learn's: ${modelType} ${JSON.stringify(given)}`, async () => {
      const [input, test] = await example('breast-cancer/breast_cancer.csv');
      const said = predict(await train(modelType, given, input), test.features);
      const correct = test.labels.filter((label, row) => said[row] === label).length;
      assert(correct >= least - 3, `${correct} correct`);
    });
  }

  it('n_iter_no_change ends boosting, and tol sets when', async () => {
    const input = drawn(600, 4, 2, 5);
    const trees = async (given: object) =>
      (await train('GradientBoostingClassifier', { n_estimators: 400, ...given }, input)).trees;
    const [all, early, sooner] = [
      await trees({}),
      await trees({ n_iter_no_change: 5 }),
      await trees({ n_iter_no_change: 5, tol: 0.01 }),
    ];
    assert.equal(all.length, 400);
    assert(early.length < 400 && sooner.length < early.length, `${early.length}, ${sooner.length}`);
    assert.deepEqual(sooner, early.slice(0, sooner.length));
  });

  it('bootstrap false and max_features null grow the same tree each time', async () => {
    const { trees } = await train(
      'RandomForestClassifier',
      { n_estimators: 3, bootstrap: false, max_features: null },
      drawn(200, 1, 2, 5),
    );
    assert.deepEqual(trees[0], trees[1]);
    assert.deepEqual(trees[0], trees[2]);
  });

  it('max_samples, min_samples_split and max_features limit what they say', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 200 }), fc.integer({ min: 1, max: 1e6 }), async (least, seed) => {
        const input = drawn(300, 3, 0, seed);
        const own = { n_estimators: 1, bootstrap: false, min_samples_split: least, max_depth: 20 };
        const { trees } = await train('RandomForestRegressor', own, input);
        const [tree] = trees as [(typeof trees)[0]];
        const counts = new Float64Array(tree.features.length);
        for (const leaf of leavesOf(tree, input.features)) counts[leaf]!++;
        let splits = tree.features.filter((feature) => feature >= 0).length;
        for (let node = tree.features.length - 1; node >= 0; node--) {
          if (tree.features[node]! < 0) continue;
          splits--;
          counts[node] = counts[2 * splits + 1]! + counts[2 * splits + 2]!;
          assert(counts[node]! >= least);
        }
      }),
      { numRuns: 20 },
    );
    const one = await train('RandomForestRegressor', { n_estimators: 4, max_samples: 1 }, drawn(50, 3, 0, 5));
    assert(one.trees.every(({ features }) => features.length === 1));
  });

  it('rows set aside are by their keys, so that other rows do not change which they are', async () => {
    const input = drawn(400, 3, 2, 5);
    const given = { n_estimators: 5, n_iter_no_change: 100, validation_fraction: 0.5 };
    const model = await train('GradientBoostingClassifier', given, input);
    const [low, labels] = [2 ** 31, input.labels.slice()];
    for (const [row, key] of input.keys!.entries()) if (key < low) labels[row] = 1 - labels[row]!;
    assert.deepEqual(await train('GradientBoostingClassifier', given, { ...input, labels }), model);
  });
});
