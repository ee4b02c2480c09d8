import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { openExecutor } from '../../offchain/run/executor.ts';
import { openPartial, type Partial } from '../../offchain/run/partial.ts';
import { HYPERPARAMETERS, type ModelType, type ReferenceSpec } from '../../offchain/train/spec.ts';
import type { TrainInput, TrainProgress } from '../../offchain/train/trainer.ts';
import { trainerOf } from '../../offchain/train/trainer-of.ts';
import { follow } from './executor-runs.ts';
import { drawn } from './train-tables.ts';

const root = mkdtempSync(join(tmpdir(), 'train-partial-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** What has checkpoints, each kind long enough to be stopped in the middle. */
const CASES: readonly (readonly [ModelType, object])[] = [
  ['RandomForestClassifier', { n_estimators: 8, max_depth: 5 }],
  ['RandomForestRegressor', { n_estimators: 8, max_depth: 5 }],
  ['GradientBoostingClassifier', { n_estimators: 8 }],
  ['GradientBoostingClassifier', { n_estimators: 30, n_iter_no_change: 2, subsample: 0.5, class_weight: { 1: 3 } }],
  ['GradientBoostingRegressor', { n_estimators: 8, max_features: 2 }],
  ['MLPClassifier', { hidden_layer_sizes: [4], max_iter: 8 }],
  [
    'MLPClassifier',
    { hidden_layer_sizes: [4], max_iter: 30, early_stopping: true, n_iter_no_change: 2, validation_fraction: 0.3 },
  ],
];

/** In memory, always due. */
function memory(): Partial & { saves: number } {
  let kept: Uint8Array | undefined;
  const own = {
    saves: 0,
    load: async () => kept,
    save: async (state: Uint8Array) => {
      kept = state.slice();
      own.saves++;
    },
    due: () => true,
  };
  return own;
}

const train = async (modelType: ModelType, given: object, input: TrainInput) => {
  const spec = { framework: 'reference', modelType, hyperparameters: HYPERPARAMETERS[modelType].parse(given) };
  return (await trainerOf(spec as ReferenceSpec, input.classes).train(input)).model;
};

describe('a training that is stopped', () => {
  for (const [modelType, given] of CASES) {
    it(`goes on and comes to the same model: ${modelType} ${JSON.stringify(given)}`, async () => {
      const input = drawn(300, 5, modelType.endsWith('Regressor') ? 0 : 2, 9);
      const seen: TrainProgress[] = [];
      const whole = await train(modelType, given, { ...input, onProgress: (at) => seen.push(at) });
      const last = Math.max(...seen.map(({ iteration }) => iteration));
      const stops = fc.uniqueArray(fc.integer({ min: 1, max: Math.max(1, last - 1) }), { minLength: 1, maxLength: 3 });
      const property = fc.asyncProperty(stops, async (points) => {
        const checkpoint = memory();
        for (const point of points.toSorted((a, b) => a - b)) {
          const abort = new AbortController();
          const onProgress = ({ iteration }: TrainProgress) => {
            if (iteration === point) abort.abort();
          };
          const stopped = train(modelType, given, { ...input, checkpoint, signal: abort.signal, onProgress });
          await assert.rejects(stopped, ({ kind, code, next }: { kind: string; code: string; next: string }) => {
            assert.deepEqual([kind, code], ['retryable', 'TRAIN_ABORTED']);
            return next.includes('goes on from there');
          });
        }
        assert.deepEqual(await train(modelType, given, { ...input, checkpoint }), whole);
      });
      await fc.assert(property, { numRuns: 5 });
    });
  }

  it('does not do again what was kept', async () => {
    const input = drawn(300, 5, 2, 9);
    const checkpoint = memory();
    await train('RandomForestClassifier', { n_estimators: 5 }, { ...input, checkpoint });
    assert.equal(checkpoint.saves, 5);
    const seen: number[] = [];
    const onProgress = ({ iteration }: TrainProgress) => seen.push(iteration);
    await train('RandomForestClassifier', { n_estimators: 7 }, { ...input, checkpoint, onProgress });
    assert.deepEqual(seen, [6, 7]);
  });

  for (const [modelType, given] of [
    ['RandomForestClassifier', { n_estimators: 60 }],
    ['GradientBoostingClassifier', { n_estimators: 150 }],
    ['MLPClassifier', { hidden_layer_sizes: [8], max_iter: 40 }],
  ] as const) {
    it(`by kill -9, any time: ${modelType}`, async () => {
      const child = join(import.meta.dirname, 'train-child.ts');
      const arguments_ = (file: string) => [child, modelType, JSON.stringify(given), join(root, file)];
      const whole = await follow(process.execPath, arguments_(`${modelType}-whole`)).ended;
      for (const word of ['at 3.', 'at 17.']) {
        const { child: killed, says, ended } = follow(process.execPath, arguments_(modelType));
        await says(word);
        killed.kill('SIGKILL');
        assert.equal((await ended).signal, 'SIGKILL');
      }
      const { result } = await follow(process.execPath, arguments_(modelType)).ended;
      assert.equal(result.output, whole.result.output);
    });
  }
});

describe('what a step has done so far', () => {
  it('is there for the next attempt, also in another process, and gone when the step is done', async () => {
    const folder = join(root, 'run');
    const step = (name: string, fn: (partial: Partial) => Promise<string>) => async () => {
      const executor = await openExecutor(folder);
      try {
        return await executor.step('train', { name }, ({ partial }) => fn(partial('fit')));
      } finally {
        await executor.close();
      }
    };
    const fails = step('a', async (partial) => {
      assert.equal(await partial.load(), undefined);
      await partial.save(Buffer.from('half'));
      throw new Error('stopped');
    });
    await assert.rejects(fails);
    const other = step('b', async (partial) => String(await partial.load()));
    assert.equal(await other(), 'undefined');
    const goesOn = step('a', async (partial) => Buffer.from((await partial.load())!).toString());
    assert.equal(await goesOn(), 'half');
    assert.equal(await goesOn(), 'half', 'from the journal');
    assert.deepEqual(readdirSync(join(folder, 'partial')), []);
  });

  it('is nothing where its bytes are not those that were saved', async () => {
    const file = join(root, 'damaged');
    const partial = openPartial(file);
    assert.equal(await partial.load(), undefined);
    await partial.save(Buffer.from('state'));
    assert.equal(partial.due(), false);
    assert.deepEqual(Buffer.from((await partial.load())!), Buffer.from('state'));
    const bytes = readFileSync(file);
    for (const broken of [
      bytes.subarray(0, 10),
      bytes.subarray(0, -1),
      Buffer.concat([bytes, bytes]),
      Buffer.alloc(0),
    ]) {
      writeFileSync(file, broken);
      assert.equal(await openPartial(file).load(), undefined);
    }
  });
});
