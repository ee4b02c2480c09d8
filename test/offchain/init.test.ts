import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { loadConfig } from '../../offchain/config/load.ts';
import { HokusaiError } from '../../offchain/errors.ts';
import { type InitOptions, init } from '../../offchain/init.ts';
import { nearestFirst } from '../../offchain/nearest.ts';
import { canonicalRow, checkTable, labelsOf } from '../../offchain/table/check-table.ts';
import { tally } from '../../offchain/table/label.ts';
import { parseSchema } from '../../offchain/table/schema.ts';
import { readCsv, selectRows, type Table, writeCsv } from '../../offchain/table/table.ts';
import { tableOf, xorshift } from './tables.ts';

const folder = fs.mkdtempSync(join(tmpdir(), 'hokusai-init-'));
after(() => fs.rmSync(folder, { recursive: true }));

const BREAST_CANCER = join(import.meta.dirname, '../../examples/breast-cancer/breast_cancer.csv');
const FILES = ['baseline.csv', 'benchmark.csv', 'contribution.csv', 'hokusai.yaml', 'schema.json'];
/** SHA-256 over the files of the example in this order, without the configuration. */
const GOLDEN = '6528eed56b049f750ad693ca837121919e2eb48db04b49fbea8c1f0e2a9526df';

let made = 0;
const fresh = (): string => join(folder, `case-${made++}`);

/** Writes a file and gives its path. */
function fileOf(content: string | Table): string {
  const file = `${fresh()}.csv`;
  if (typeof content === 'string') fs.writeFileSync(file, content);
  else writeCsv(file, content);
  return file;
}

const digestOf = (files: string[]): string => {
  const hash = createHash('sha256');
  for (const file of files) hash.update(fs.readFileSync(file));
  return hash.digest('hex');
};

/** What a project holds, read as the evaluator reads it. */
async function projectOf(directory: string) {
  const config = loadConfig(join(directory, 'hokusai.yaml'), {});
  const schema = parseSchema(JSON.parse(fs.readFileSync(config.data.schema, 'utf8')));
  const { baseline, contribution, benchmark } = config.data;
  const tables = await Promise.all([baseline, contribution, benchmark].map(readCsv));
  const parts = tables.map((table) => {
    assert.deepEqual(checkTable(table, schema), []);
    const all = [...Array(table.rows).keys()];
    const [row, features] = [canonicalRow(table, schema, 'row'), canonicalRow(table, schema, 'features')];
    const { positives = 0 } = tally(labelsOf(table, schema), 2);
    return { rows: table.rows, positives, identities: all.map(row), features: new Set(all.map(features)) };
  });
  return { config, schema, tables, parts };
}

/** 50,000 rows with spaces, quotes and line ends in the text, some missing cells, twins, and twins with the other label. */
function messyTable(): Table {
  const next = xorshift(20_261);
  const rows: (string | null)[][] = [];
  while (rows.length < 50_000) {
    const [x, y] = [next() % 2000, next() % 2000];
    const late = x + y + (next() % 800) > 2600 ? 'Late' : 'on time';
    const cells = [
      `C-${rows.length}`,
      next() % 10 === 0 ? 'n/a' : `${x}e-2`,
      next() % 10 === 0 ? null : (y / 100).toFixed(3),
      [`Tōkyō, "east"`, ' Ōsaka', 'a\nb', null][next() % 4]!,
      next() % 2 === 0 ? `note ${next()}` : null,
      late,
    ];
    rows.push(cells);
    if (next() % 4 === 0) rows.push([`C-${rows.length}`, ...cells.slice(1)]);
    if (next() % 50 === 0) rows.push([`C-${rows.length}`, ...cells.slice(1, 5), late === 'Late' ? 'on time' : 'Late']);
  }
  return tableOf(['customer', 'size', 'price', 'city', 'note', 'late'], rows.slice(0, 50_000));
}

describe('init', () => {
  it('makes a project of the example', async () => {
    const directory = join(fresh(), 'deep', 'project');
    const { files, warnings, summary } = await init({
      directory,
      data: BREAST_CANCER,
      label: 'benign',
      baselineRows: 40,
      benchmarkRows: 284,
    });
    assert.deepEqual(fs.readdirSync(directory), FILES);
    assert.deepEqual(files.map((file) => basename(file)).sort(), FILES);
    assert.deepEqual(fs.readdirSync(dirname(directory)), ['project']);
    assert.deepEqual(warnings, []);
    const { power, ...rest } = summary;
    assert.deepEqual(rest, {
      rows: 569,
      distinctRows: 569,
      label: { name: 'benign', positive: '1', negative: '0' },
      positives: 357,
      columns: { number: 30, category: 0, ignored: 0 },
      split: {
        baseline: { rows: 40, positives: 25 },
        contribution: { rows: 245, positives: 154 },
        benchmark: { rows: 284, positives: 178 },
      },
    });
    assert.deepEqual([power!.rows, power!.alpha, power!.detectableBps], [284, 0.05, 408]);
    const { config, parts } = await projectOf(directory);
    assert.deepEqual(
      parts.map(({ rows, positives }) => [rows, positives]),
      [
        [40, 25],
        [245, 154],
        [284, 178],
      ],
    );
    assert.equal(config.pipeline.name, 'project');
    assert.equal(config.evaluation.testSplit, 0.4991);
    const { gate, minContributionRows, roundsPerFold } = config.policy;
    assert.deepEqual([gate.minRows, minContributionRows, roundsPerFold], [284, 50, 1]);
    assert.equal(
      digestOf(FILES.filter((name) => name !== 'hokusai.yaml').map((name) => join(directory, name))),
      GOLDEN,
    );
  });

  it('takes a messy table of 50,000 rows', async (t) => {
    const table = messyTable();
    const data = fileOf(table);
    const directory = fresh();
    const start = performance.now();
    const { warnings, summary } = await init({ directory, data, label: 'late', seed: 7 });
    t.diagnostic(`init ${Math.round(performance.now() - start)} ms`);
    t.diagnostic(`peak memory of the process ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
    assert.deepEqual(
      warnings.map(({ code, column }) => [code, column]),
      [
        ['LABEL_POSITIVE_GUESSED', 'late'],
        ['COLUMN_IDENTIFIER', 'customer'],
        ['COLUMN_TEXT', 'note'],
        ['ROWS_DUPLICATE', 'late'],
        ['ROWS_CONTRADICTORY', 'late'],
      ],
    );
    const { config, schema, tables, parts } = await projectOf(directory);
    assert.deepEqual(
      tables[0]!.columns.map(({ name }) => name),
      ['size', 'price', 'city', 'late'],
    );
    const [baseline, contribution, benchmark] = parts;
    for (const other of [baseline!, contribution!]) {
      assert(![...benchmark!.features].some((features) => other.features.has(features)));
    }
    assert(![...baseline!.features].some((features) => contribution!.features.has(features)));
    const row = canonicalRow(table, schema, 'row');
    const expected = new Set([...Array(table.rows).keys()].map(row));
    const kept = parts.flatMap(({ identities }) => identities);
    assert.equal(kept.length, expected.size);
    assert.deepEqual(new Set(kept), expected);
    assert(summary.distinctRows === expected.size && expected.size < 45_000);
    assert.equal(benchmark!.rows, 4096);
    assert.equal(baseline!.rows, Math.floor((expected.size - 4096) / 10));
    for (const { rows, positives } of parts) {
      assert(Math.abs(positives - (rows * summary.positives!) / summary.distinctRows) <= 1);
    }
    assert.deepEqual(
      [config.policy.gate.minRows, config.policy.roundsPerFold, config.pipeline.randomSeed],
      [4096, 20, 7],
    );

    const keys = Array.from({ length: table.rows }, xorshift(5));
    const shuffled = selectRows(
      table,
      [...keys.keys()].sort((a, b) => keys[a]! - keys[b]!),
    );
    const again = join(fresh(), basename(directory));
    await init({ directory: again, data: fileOf(shuffled), label: 'late', seed: 7 });
    for (const name of FILES) assert.equal(digestOf([join(again, name)]), digestOf([join(directory, name)]), name);
  });

  it('fills a directory that is there and empty, and leaves it the one it was', async () => {
    const directory = fresh();
    fs.mkdirSync(directory);
    const { ino } = fs.statSync(directory);
    await init({ directory, data: BREAST_CANCER, label: 'benign' });
    assert.deepEqual(fs.readdirSync(directory), FILES);
    assert.equal(fs.statSync(directory).ino, ino);
  });

  it('makes a project of a configuration of the Python pipeline, whose split it follows', async () => {
    const config = `${fresh()}.yaml`;
    const source = `# Mine.
pipeline: { name: "credit", random_seed: 7 }
training: { framework: "scikit-learn", model_type: "RandomForestClassifier", hyperparameters: { n_estimators: 10 } }
evaluation: { test_split: 0.2, stratify: false, metrics: [accuracy, f1_score] } # as ever
`;
    fs.writeFileSync(config, source);
    const directory = fresh();
    const { summary } = await init({ directory, data: BREAST_CANCER, label: 'benign', config });
    assert.equal(summary.split.benchmark.rows, Math.round(569 * 0.2));
    const written = fs.readFileSync(join(directory, 'hokusai.yaml'), 'utf8');
    for (const kept of ['# Mine.', '# as ever', 'stratify: false']) assert.match(written, new RegExp(kept));
    const project = await projectOf(directory);
    const { training, pipeline, evaluation, policy } = project.config;
    assert.deepEqual([training.framework, training.modelType], ['scikit-learn', 'RandomForestClassifier']);
    assert.deepEqual([pipeline.name, pipeline.randomSeed, evaluation.testSplit], ['credit', 7, 0.2]);
    assert.deepEqual([policy.gate.minRows, policy.minContributionRows], [114, 50]);
    assert.deepEqual(
      project.parts.map(({ rows }) => rows),
      [45, 410, 114],
    );
  });

  it('splits without regard to classes where it is told so', async () => {
    const shares = async (stratify: boolean) => {
      const config = `${fresh()}.yaml`;
      fs.writeFileSync(config, `evaluation: { test_split: 0.3, stratify: ${stratify} }`);
      const { summary } = await init({ directory: fresh(), data: BREAST_CANCER, label: 'benign', config });
      const { rows, positives } = summary.split.benchmark;
      return [rows, positives];
    };
    const [rows, share] = [171, Math.round((171 * 357) / 569)];
    assert.deepEqual(await shares(true), [rows, share]);
    const [as, positives] = await shares(false);
    assert.equal(as, rows);
    assert(positives !== share && Math.abs(positives! - share) < 25, `${positives} of ${rows}`);
  });

  it('says what a configuration cannot be made a project of', async () => {
    const refusals: [source: string, options: Partial<InitOptions>, code: string, message: RegExp][] = [
      ['data: { schema: s.json }', {}, 'CONFIG_INVALID', /:1: data: names files already/],
      ['[1, 2]', {}, 'CONFIG_INVALID', /expected keys and values/],
      ['trainin: {}', {}, 'CONFIG_INVALID', /did you mean training/],
      ['pipeline: {}', { seed: 3 }, 'INIT_OPTIONS_INVALID', /seed/],
    ];
    for (const [source, options, code, message] of refusals) {
      const config = `${fresh()}.yaml`;
      fs.writeFileSync(config, source);
      const made = init({ directory: fresh(), data: BREAST_CANCER, label: 'benign', config, ...options });
      await assert.rejects(made, (error: HokusaiError) => error.code === code && message.test(error.message), source);
    }
  });

  it('warns of a class that is hardly there', async () => {
    const rows = Array.from({ length: 200 }, (_, row) => [`${row}.5`, row < 9 ? 'yes' : 'no']);
    const options = { directory: fresh(), data: fileOf(tableOf(['x', 'y'], rows)), label: 'y' };
    const { warnings, summary } = await init(options);
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['CLASS_RARE'],
    );
    assert.deepEqual(
      Object.values(summary.split).map(({ positives }) => positives),
      [4, 0, 5],
    );
  });
});

describe('init leaves nothing behind', () => {
  const of = (rows: number, label: (row: number) => string): string =>
    `x,y\n${Array.from({ length: rows }, (_, row) => `${row}.5,${label(row)}\n`).join('')}`;
  const binary = of(100, (row) => String(row % 2));
  const cases: [code: string, kind: string, content: string, options: Partial<InitOptions>][] = [
    ['LABEL_COLUMN_UNKNOWN', 'configuration', binary, { label: 'yy' }],
    ['LABEL_POSITIVE_UNKNOWN', 'configuration', binary, { positive: 'yes' }],
    ['LABEL_ONE_CLASS', 'terminal', of(100, () => '1'), {}],
    ['LABEL_TOO_MANY_CLASSES', 'terminal', of(300, (row) => `c${row}`), {}],
    ['LABEL_TASK_UNCLEAR', 'configuration', of(100, (row) => String(row)), {}],
    ['LABEL_NOT_NUMBER', 'configuration', of(100, (row) => `c${row % 2}`), { task: 'regression' }],
    ['LABEL_MISSING_VALUES', 'terminal', `${binary}7.5,\n`, {}],
    ['CSV_MALFORMED', 'terminal', `${binary}7.5,1,1\n`, {}],
    ['SCHEMA_NO_FEATURES', 'terminal', 'x,y\n1,0\n1,1\n', {}],
    ['TABLE_UNREADABLE', 'configuration', binary, { data: join(folder, 'none.csv') }],
    ['SPLIT_TOO_FEW_ROWS', 'terminal', of(78, (row) => String(row % 2)), {}],
    ['SPLIT_CLASS_TOO_SMALL', 'terminal', of(100, (row) => (row === 0 ? '1' : '0')), {}],
    ['SPLIT_SIZES_TOO_LARGE', 'configuration', binary, { benchmarkRows: 80 }],
    ['INIT_OPTIONS_INVALID', 'configuration', binary, { benchmarkRows: 4097, baselineRows: 1.5, seed: -1 }],
    ['INIT_DIRECTORY_UNWRITABLE', 'configuration', binary, { directory: join(BREAST_CANCER, 'inside') }],
    ['INIT_DIRECTORY_UNWRITABLE', 'configuration', binary, { directory: BREAST_CANCER }],
    ['INIT_DIRECTORY_UNWRITABLE', 'configuration', binary, { directory: join(folder, 'parent', 'x'.repeat(250)) }],
    ['INIT_DIRECTORY_NOT_EMPTY', 'configuration', binary, { directory: folder }],
  ];
  for (const [code, kind, content, options] of cases) {
    it(`when it fails with ${code} for ${Object.keys(options).join(', ') || 'the table'}`, async () => {
      const data = fileOf(content);
      const before = fs.readdirSync(folder);
      const error = await init({ directory: fresh(), data, label: 'y', ...options }).then(
        () => undefined,
        (thrown) => thrown,
      );
      assert(error instanceof HokusaiError);
      assert.deepEqual([error.code, error.kind], [code, kind]);
      assert(error.next !== undefined);
      assert.deepEqual(fs.readdirSync(folder), before);
    });
  }

  it('tells all invalid options at once, and the nearest columns first', async () => {
    assert.deepEqual(nearestFirst('BENIGN', ['x', 'benign']), ['benign', 'x']);
    const options = { directory: fresh(), data: BREAST_CANCER, label: 'BENIGN' };
    await assert.rejects(init(options), (error: HokusaiError) => {
      assert.equal((error.details.columns as string[])[0], 'benign');
      assert.match(error.next!, /^Name one of: benign, /);
      return true;
    });
    const invalid = { ...options, benchmarkRows: 4097, baselineRows: 1.5, seed: -1 };
    await assert.rejects(init(invalid), (error: HokusaiError) => (error.details.problems as string[]).length === 3);
  });

  /** Lets a function of node:fs fail for one file, as it does on a full disk. */
  function failAt(t: TestContext, method: 'renameSync' | 'writeFileSync' | 'openSync', name: string): void {
    const original = fs[method] as (...args: unknown[]) => unknown;
    t.mock.method(fs, method, (...args: unknown[]) => {
      if (String(args[0]).endsWith(name)) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      return original(...args);
    });
    syncBuiltinESMExports();
    t.after(() => {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
  }
  const faults = [
    ['writeFileSync', 'schema.json'],
    ['writeFileSync', 'hokusai.yaml'],
    ['openSync', 'benchmark.csv'],
    ['renameSync', ''],
    ['renameSync', 'hokusai.yaml'],
  ] as const;
  for (const exists of [false, true]) {
    for (const [method, name] of faults) {
      if (!exists && name === 'hokusai.yaml' && method === 'renameSync') continue;
      it(`when ${method} of ${name || 'anything'} fails, ${exists ? 'in an empty directory' : 'in none'}`, async (t) => {
        const directory = exists ? fresh() : join(fresh(), 'deep', 'project');
        if (exists) fs.mkdirSync(directory);
        const before = fs.readdirSync(folder);
        failAt(t, method, name);
        await assert.rejects(init({ directory, data: BREAST_CANCER, label: 'benign' }), {
          code: 'INIT_DIRECTORY_UNWRITABLE',
          kind: 'configuration',
          details: { directory, reason: 'ENOSPC' },
        });
        assert.deepEqual(fs.readdirSync(folder), before);
        if (exists) assert.deepEqual(fs.readdirSync(directory), []);
      });
    }
  }
});
