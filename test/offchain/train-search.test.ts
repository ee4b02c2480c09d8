import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { zeroAddress, zeroHash } from 'viem';
import { loadConfig } from '../../offchain/config/load.ts';
import { init } from '../../offchain/init.ts';
import { trainSpecHashOf } from '../../offchain/line.ts';
import { openExecutor, type StepEvent } from '../../offchain/run/executor.ts';
import { offerOf } from '../../offchain/run/offer.ts';
import { evaluateContribution } from '../../offchain/run/pipeline.ts';
import { offer, openProject } from '../../offchain/run/project.ts';
import { foldOf, pointsOf } from '../../offchain/train/grid.ts';
import { gridSearch } from '../../offchain/train/search.ts';
import { HYPERPARAMETERS, isDrawn, type ModelType, type ReferenceSpec } from '../../offchain/train/spec.ts';
import { keysOf, MOST_TOLD, train } from '../../offchain/train/train.ts';
import type { TrainInput } from '../../offchain/train/trainer.ts';
import { sizesOf } from '../../offchain/train/trainer-of.ts';
import { drawn } from './train-tables.ts';

const root = mkdtempSync(join(tmpdir(), 'train-search-'));
after(() => rmSync(root, { recursive: true, force: true }));

const specOf = (modelType: ModelType, given: object, param_grid?: Record<string, unknown[]>, cv = 3): ReferenceSpec =>
  ({
    framework: 'reference',
    modelType,
    hyperparameters: HYPERPARAMETERS[modelType].parse(given),
    ...(param_grid && { search: { param_grid, cv } }),
  }) as ReferenceSpec;

const search = (input: TrainInput, spec: ReferenceSpec, metric: 'accuracy' | 'recall' | 'mse' = 'accuracy') =>
  gridSearch(input, { spec, metric, names: ['0', '1'] });

describe('the points of a grid', () => {
  it('are scikit-learn’s ParameterGrid: names in order, the last one the fastest', () => {
    const spec = specOf('RandomForestClassifier', {}, { n_estimators: [1, 2], max_depth: [3, 4] });
    assert.deepEqual(
      pointsOf(spec).map(({ hyperparameters }) => {
        const { max_depth, n_estimators } = hyperparameters as Record<string, number>;
        return [max_depth, n_estimators];
      }),
      [
        [3, 1],
        [3, 2],
        [4, 1],
        [4, 2],
      ],
    );
    assert(pointsOf(spec).every((point) => point.search === undefined));
    assert.deepEqual(sizesOf(spec, 2), { family: 'forest', trees: 2, depth: 4 });
  });

  it('are part of the trainSpecHash, and so is each value', () => {
    const grids = [undefined, { C: [1] }, { C: [1, 2] }, { C: [2, 1] }, { class_weight: [null, { 0: 1, 1: 2 }] }];
    const specs = grids.map((grid) => specOf('LinearSVC', {}, grid));
    specs.push(specOf('LinearSVC', {}, { C: [1] }, 4), specOf('LinearSVC', { class_weight: { 0: 2 } }));
    assert.equal(new Set(specs.map((spec) => trainSpecHashOf(spec, {}, 'accuracy'))).size, specs.length);
    const [one, other] = [
      { 0: 1, yes: 2, a: 3 },
      { a: 3, yes: 2, 0: 1 },
    ];
    const hashes = [one, other].map((class_weight) =>
      trainSpecHashOf(specOf('LinearSVC', { class_weight }), {}, 'accuracy'),
    );
    assert.equal(hashes[0], hashes[1]);
  });

  it('draw where any of them does', () => {
    assert.equal(isDrawn(specOf('GradientBoostingClassifier', {})), false);
    assert.equal(isDrawn(specOf('GradientBoostingClassifier', { subsample: 0.5 })), true);
    assert.equal(isDrawn(specOf('GradientBoostingRegressor', {}, { max_features: [null, 'sqrt'] })), true);
  });
});

describe('gridSearch', () => {
  it('takes each row once to score by, and chooses the first of the best', async () => {
    const input = drawn(200, 4, 2, 5);
    const found = await search(input, specOf('LinearSVC', {}, { C: [1e-6, 1, 1, 2] }, 5));
    assert.equal(found.points.length, 4);
    assert.deepEqual(found.points[1]!.scores, found.points[2]!.scores);
    const means = found.points.map(({ mean }) => mean);
    assert.equal(found.best, means.indexOf(Math.max(...means)));
    assert(means[0]! < means[1]!);
    for (const { scores, mean } of found.points) {
      assert(Math.abs(mean - scores.reduce((sum: number, score) => sum + score!, 0) / 5) < 1e-12);
    }
  });

  it('is the same with any number of threads, however often it was stopped', async () => {
    // As large as threads are worth.
    const input = drawn(3_000, 24, 2, 8);
    const spec = specOf('GradientBoostingClassifier', { n_estimators: 3 }, { max_depth: [1, 2], subsample: [0.5, 1] });
    const whole = await search(input, spec, 'recall');
    assert.deepEqual(await search({ ...input, workers: 3 }, spec, 'recall'), whole);
    let kept: Uint8Array | undefined;
    const checkpoint = {
      load: async () => kept,
      due: () => true,
      save: async (state: Uint8Array) => {
        kept = state;
      },
    };
    for (const workers of [1, 2]) {
      const abort = new AbortController();
      let calls = 0;
      const onProgress = () => {
        if (++calls === 3) abort.abort();
      };
      const stopped = search({ ...input, workers, checkpoint, signal: abort.signal, onProgress }, spec, 'recall');
      await assert.rejects(stopped, { code: 'TRAIN_ABORTED' });
    }
    const scored = JSON.parse(Buffer.from(kept!).toString())
      .flat()
      .filter((score: unknown) => typeof score === 'number');
    assert(scored.length >= 6);
    assert.deepEqual(await search({ ...input, checkpoint }, spec, 'recall'), whole);
  });

  it('finds errors of numbers, less being better', async () => {
    const input = drawn(200, 3, 0, 6);
    const found = await search(input, specOf('Ridge', {}, { alpha: [1e6, 1] }), 'mse');
    assert.equal(found.best, 1);
    assert(found.points.every(({ mean }) => mean < 0));
  });

  it('keeps a row in its fold, whatever other rows there are', () => {
    const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `0x${hex}` as const);
    fc.assert(
      fc.property(
        fc.array(digest, { minLength: 1 }),
        fc.array(digest),
        fc.integer({ min: 2, max: 20 }),
        (rows, more, cv) => {
          const [alone, among] = [keysOf(rows), keysOf([...rows, ...more])];
          for (const [row, key] of alone.entries()) assert.equal(foldOf(key, cv), foldOf(among[row]!, cv));
        },
      ),
    );
    const folds = Array.from(
      keysOf(Array.from({ length: 3000 }, (_, i) => `0x${(i * 2654435761).toString(16).padStart(64, '0')}` as const)),
      (key) => foldOf(key, 3),
    );
    for (const fold of [0, 1, 2]) assert(Math.abs(folds.filter((own) => own === fold).length - 1000) < 100);
  });
});

describe('training.search', () => {
  const table = new URL('../../examples/breast-cancer/breast_cancer.csv', import.meta.url).pathname;

  async function projectOf(name: string, training: string): Promise<string> {
    const directory = join(root, name);
    const { files } = await init({ data: table, label: 'benign', directory });
    const file = files.at(-1)!;
    const text = readFileSync(file, 'utf8');
    const section = /^training:[\s\S]*?(?=^# How models are compared)/m;
    assert(section.test(text));
    writeFileSync(file, text.replace(section, `training:\n${training}\n\n`));
    return file;
  }

  it('is found by each model for itself, told, attested, and taken from the journal the second time', async () => {
    const file = await projectOf('search', '  search: { cv: 3, param_grid: { C: [0.0001, 1, 10] } }');
    const project = await openProject(file);
    const { config, line, secrets } = project;
    const { root: committed, table: rows } = await offer(project, 'contribution', config.data.contribution);
    const { contributionSecret } = secrets;
    const own = { contributor: zeroAddress, payeesRoot: zeroHash, file: 'contribution', contributionSecret };
    const contribution = { ...own, ...committed, table: rows };
    const folder = join(root, 'search-run');
    const run = async () => {
      const events: StepEvent[] = [];
      const executor = await openExecutor(folder, { onEvent: (event) => events.push(event) });
      try {
        return { events, finding: await evaluateContribution(line, offerOf(config, true), contribution, executor) };
      } finally {
        await executor.close();
      }
    };
    const { finding, events } = await run();
    const { models } = finding.agreed;
    const training = finding.evaluated!.training!;
    for (const which of ['baseline', 'candidate'] as const) {
      const { search: found, history } = training[which];
      assert.equal(found!.metric, 'accuracy');
      const chosen = found!.points[found!.best]!.hyperparameters as { C: number };
      assert.deepEqual(models![which].hyperparameters, { C: String(chosen.C) });
      assert(chosen.C >= 1);
      assert.deepEqual([...new Set(history.map(({ name }) => name))], ['search_score', 'relative_gradient']);
      assert.equal(history.filter(({ name }) => name === 'search_score').length, 9);
    }
    assert(events.some((event) => event.type === 'progress' && event.text.startsWith('search score 0.9')));
    assert(!existsSync(join(folder, 'partial')) || readdirSync(join(folder, 'partial')).length === 0);
    const again = await run();
    assert.deepEqual(again.finding.agreed, finding.agreed);
    assert.deepEqual(again.finding.evaluated!.training, training);
    assert(again.events.every(({ type }) => type === 'reused'));
  });

  it('reports every mistake in a grid', async () => {
    const many = Array.from({ length: 40 }, (_, i) => i + 1).join(', ');
    const wrong = {
      '{ param_grid: {} }': 'training.search.param_grid',
      '{ param_grid: { D: [1] } }': 'training.search.param_grid.D',
      '{ param_grid: { C: [] } }': 'training.search.param_grid.C',
      '{ param_grid: { C: [-1] } }': 'training.search.param_grid.C.0',
      '{ param_grid: { C: [1] }, cv: 1 }': 'training.search.cv',
      [`{ param_grid: { C: [${many}], class_weight: [null, balanced, { a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }] } }`]:
        'training.search.param_grid',
      '{ cv: 3 }': 'training.search.param_grid',
    };
    const file = await projectOf('wrong', '  framework: reference');
    const text = readFileSync(file, 'utf8');
    for (const [search, path] of Object.entries(wrong)) {
      writeFileSync(file, text.replace('  framework: reference', `  search: ${search}`));
      assert.throws(
        () => loadConfig(file),
        (error: { code: string; details: { problems: { path: string }[] } }) => {
          assert.equal(error.code, 'CONFIG_INVALID');
          assert.deepEqual(
            error.details.problems.map((problem) => problem.path),
            [path],
            search,
          );
          return true;
        },
      );
    }
  });

  it('keeps as much of a history as is asked for, evenly', async () => {
    const file = await projectOf(
      'history',
      '  model_type: GradientBoostingClassifier\n  hyperparameters: { n_estimators: 1000, max_depth: 1 }',
    );
    const { line } = await openProject(file);
    const { report } = await train(line.trainingSet, { ...line, spec: line.spec as ReferenceSpec });
    const steps = report.history.map(({ step }) => step);
    assert.equal(steps.length, MOST_TOLD);
    assert.deepEqual(
      steps,
      steps.toSorted((a, b) => a - b),
    );
    assert(report.history.every(({ name, value }) => name === 'loss' && Number.isFinite(value)));
  });
});
