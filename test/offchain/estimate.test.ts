// What a contributor is told before committing, and what the real evaluation then finds.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { zeroAddress, zeroHash } from 'viem';
import { loadConfig } from '../../offchain/config/load.ts';
import { estimateContribution } from '../../offchain/contribute/estimate.ts';
import type { Expectation } from '../../offchain/contribute/expect.ts';
import { CONTRIBUTE } from '../../offchain/contribute/verbs.ts';
import { init } from '../../offchain/init.ts';
import { openExecutor } from '../../offchain/run/executor.ts';
import { offerOf } from '../../offchain/run/offer.ts';
import { evaluateContribution } from '../../offchain/run/pipeline.ts';
import { offer, openProject } from '../../offchain/run/project.ts';
import { readCsv, selectRows, writeCsv } from '../../offchain/table/table.ts';
import { randomOf } from '../../offchain/train/random.ts';
import { perform } from '../../offchain/verb.ts';
import { DIABETES, TABLE } from '../e2e/hokusai.ts';

const root = mkdtempSync(join(tmpdir(), 'hokusai-estimate-'));
after(() => rmSync(root, { recursive: true, force: true }));
const directory = join(root, 'project');
await init({ directory, data: TABLE, label: 'benign', baselineRows: 100 });
const sample = join(directory, 'baseline.csv');

/** The project's configuration with another contribution. */
async function withContribution(name: string, change: (label: string, row: number) => string): Promise<string> {
  const table = await readCsv(join(directory, 'contribution.csv'));
  const columns = table.columns.map((column) =>
    column.name === 'benign' ? { ...column, values: column.values.map((cell, i) => change(String(cell), i)) } : column,
  );
  writeCsv(join(directory, `${name}.csv`), { ...table, columns });
  const text = await readFile(join(directory, 'hokusai.yaml'), 'utf8');
  const file = join(directory, `${name}.yaml`);
  await writeFile(file, text.replace('contribution: "contribution.csv"', `contribution: "${name}.csv"`));
  return file;
}

const random = randomOf('labels by chance');
const TRUE_ROWS = await withContribution('true', (label) => label);
const NOISE = await withContribution('noise', () => String(random(2)));

async function expected(file: string, from = sample): Promise<Expectation> {
  const { json } = await estimateContribution(loadConfig(file), { sample: from });
  return json.expected as Expectation;
}

/** What an evaluation on the owner's benchmark finds, in percentage points. */
async function real(file: string): Promise<{ deltaOne: number; accepted: boolean }> {
  const project = await openProject(file);
  const { table, root: committed } = await offer(project, 'contribution', project.config.data.contribution);
  const { contributionSecret } = project.secrets;
  const { dataRoot, rows } = committed;
  const known = { contributor: zeroAddress, payeesRoot: zeroHash, dataRoot, rows } as const;
  const executor = await openExecutor(mkdtempSync(join(root, 'run-')));
  const contribution = { ...known, contributionSecret, file, table };
  const { agreed } = await evaluateContribution(project.line, offerOf(project.config, true), contribution, executor);
  await executor.close();
  return { deltaOne: Number(agreed.delta!.deltaOneBps) / 100, accepted: agreed.status === 'SCORED' };
}

describe('an estimate', () => {
  it('of true rows is a gain, with an interval that holds what the benchmark then says', async () => {
    const told = await expected(TRUE_ROWS);
    assert.ok(
      told.deltaOne > 0 && told.chance > 0.05 && told.reward > 0n,
      JSON.stringify(told, (_, v) => String(v)),
    );
    assert.ok(told.rewardIfAccepted >= told.reward);
    const { deltaOne } = await real(TRUE_ROWS);
    assert.ok(told.low <= deltaOne && deltaOne <= told.high, `${told.low} <= ${deltaOne} <= ${told.high}`);
  });

  it('of labels by chance is no gain, and hardly a chance of a reward', async () => {
    const told = await expected(NOISE);
    const found = await real(NOISE);
    assert.ok(
      told.deltaOne < 0 && told.chance < 0.02,
      JSON.stringify(told, (_, v) => String(v)),
    );
    assert.ok(found.deltaOne < 0 && !found.accepted);
  });

  it('is the same again, also of rows in another order, and leaves no file', async () => {
    const told = await expected(TRUE_ROWS);
    const files = readdirSync(directory, { recursive: true }).sort();
    assert.deepEqual(await expected(TRUE_ROWS), told);
    assert.deepEqual(readdirSync(directory, { recursive: true }).sort(), files);
    const table = await readCsv(sample);
    const turned = join(root, 'turned.csv');
    writeCsv(turned, selectRows(table, [...Array(table.rows).keys()].reverse()));
    assert.deepEqual(await expected(TRUE_ROWS, turned), told);
  });

  it('attack: of rows that are copied from the sample is no gain: they are not tested on', async () => {
    const file = await withContribution('copied', (label) => label);
    const table = await readCsv(sample);
    rmSync(join(directory, 'copied.csv'));
    writeCsv(join(directory, 'copied.csv'), selectRows(table, [...Array(60).keys()]));
    const told = await expected(file);
    assert.deepEqual([told.shared, told.rows], [60, 40]);
    assert.equal(told.newRows, 0);
    assert.deepEqual([told.deltaOne, told.chance, told.reward], [0, 0, 0n]);
  });

  it('of a regression is of skill', async () => {
    const folder = join(root, 'diabetes');
    const { files } = await init({
      directory: folder,
      data: DIABETES,
      label: 'progression',
      task: 'regression',
    });
    const told = await expected(files.at(-1)!, join(folder, 'baseline.csv'));
    assert.ok(told.low <= told.deltaOne && told.deltaOne <= told.high && told.rows >= 20);
  });

  it('is refused by a sample that is too small, has one class alone, or does not fit the schema', async () => {
    const table = await readCsv(sample);
    const column = table.columns.find(({ name }) => name === 'benign')!;
    const of = (name: string, rows: number[]) => {
      writeCsv(join(root, name), selectRows(table, rows));
      return join(root, name);
    };
    const every = [...Array(table.rows).keys()];
    const refused = { code: 'ESTIMATE_SAMPLE', kind: 'configuration' };
    await assert.rejects(expected(TRUE_ROWS, of('few.csv', every.slice(0, 19))), refused);
    const ones = every.filter((row) => String(column.values[row]) === '1');
    await assert.rejects(expected(TRUE_ROWS, of('one.csv', ones)), refused);
    writeCsv(join(root, 'other.csv'), { ...table, columns: table.columns.slice(2) });
    await assert.rejects(expected(TRUE_ROWS, join(root, 'other.csv')), refused);
  });

  it('says all that its command lacks, and in words what nobody can know', async () => {
    const ask = (...args: string[]) => perform('contribute', CONTRIBUTE, ['estimate', ...args], () => {});
    await assert.rejects(ask(TRUE_ROWS), /--model or --sample is missing/);
    await assert.rejects(ask(TRUE_ROWS, '--model', zeroHash), /--rpc is missing; --deployment is missing/);
    const { text } = await ask(TRUE_ROWS, '--sample', sample, '--benchmark-rows', '1000');
    assert.match(text, /^expected .* points of accuracy, 95 % between/);
    assert.match(text, /on a benchmark of 1,000 rows/);
    assert.match(text, /What cannot be known: the benchmark/);
  });
});
