import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { type Hex, keccak256, numberToHex, zeroAddress, zeroHash } from 'viem';
import type { Attestation } from '../../offchain/attest.ts';
import { rowDigests } from '../../offchain/data-root.ts';
import { openExecutor } from '../../offchain/executor.ts';
import { init } from '../../offchain/init.ts';
import { type IntegrationTerms, integrate } from '../../offchain/integrate.ts';
import { trainSpecHashOf } from '../../offchain/line.ts';
import { evaluateContribution, offerOf } from '../../offchain/pipeline.ts';
import { offer, openProject } from '../../offchain/run.ts';
import { parseSchema } from '../../offchain/schema.ts';
import type { Table } from '../../offchain/table.ts';
import { hokusai, TABLE } from '../e2e/hokusai.ts';

const SCHEMA = parseSchema({
  version: 1,
  label: { name: 'y', classes: ['a', 'b', 'c'] },
  columns: [
    { name: 'k', type: 'number' },
    { name: 'x', type: 'number' },
    { name: 'id', type: 'ignored', reason: 'identifier' },
  ],
});
type Row = readonly [k: string | null, x: string, y: string];

const tableOf = (rows: readonly Row[]): Table => ({
  file: 'rows.csv',
  rows: rows.length,
  columns: [
    ...['k', 'x', 'y'].map((name, at) => ({ name, values: rows.map((row) => row[at]!) })),
    { name: 'id', values: rows.map((_, row) => String(row)) },
  ],
  lines: Uint32Array.from(rows, (_, row) => row + 2),
});
const seedOf = (number: number): Hex => keccak256(numberToHex(number));
const BENCHMARK = tableOf([['-1', '-1', 'a']]);

/** What is learned from, as a set of rows, and the counts. */
function merged(rows: readonly Row[], head: readonly Row[], integration: IntegrationTerms = {}, seed = seedOf(1)) {
  const [contribution, trainingSet] = [tableOf(rows), tableOf(head)];
  const found = integrate(contribution, { trainingSet, benchmark: BENCHMARK, schema: SCHEMA, integration }, seed);
  const digests = rowDigests(contribution, SCHEMA, 'row');
  const { fresh, ...counts } = found;
  return { fresh: fresh.map((row) => digests[row]!), rows: fresh.map((row) => rows[row]!), counts };
}

const someRow: fc.Arbitrary<Row> = fc.tuple(
  fc.option(fc.nat(6).map(String), { nil: null }),
  fc.nat(4).map(String),
  fc.constantFrom('a', 'a', 'a', 'b', 'c'),
);
const someRows = fc.array(someRow, { minLength: 1, maxLength: 40 });
const someTerms: fc.Arbitrary<IntegrationTerms> = fc
  .option(fc.integer({ min: 1, max: 20 }), { nil: undefined })
  .map((maxRows) => (maxRows === undefined ? {} : { maxRows }));
const sum = (counts: Iterable<number>) => [...counts].reduce((total, count) => total + count, 0);

describe('integrate', () => {
  it('finds the same rows in any order of both tables, and however often they are repeated', () => {
    fc.assert(
      fc.property(someRows, someRows, someTerms, (rows, head, terms) => {
        const one = merged(rows, head, terms);
        const other = merged([...rows].reverse().concat(rows), [...head].reverse(), terms);
        assert.deepEqual(other.fresh, one.fresh);
        const { repeated } = one.counts.ignored;
        assert.deepEqual(other.counts.ignored, { ...one.counts.ignored, repeated: repeated + rows.length });
        assert.deepEqual(other.counts.balance, one.counts.balance);
      }),
    );
  });

  it('accounts for every row once, and for every row of the training set', () => {
    fc.assert(
      fc.property(someRows, someRows, someTerms, (rows, head, terms) => {
        const { fresh, counts } = merged(rows, head, terms);
        assert.equal(fresh.length + sum(Object.values(counts.ignored)), rows.length);
        assert.equal(sum(counts.balance.before), head.length);
        assert.equal(sum(counts.balance.after), head.length + fresh.length);
        assert.ok(fresh.length <= (terms.maxRows ?? rows.length));
      }),
    );
  });

  it('adds nothing when the same is merged again', () => {
    fc.assert(
      fc.property(someRows, someRows, (rows, head) => {
        const once = merged(rows, head);
        const { fresh, counts } = merged(rows, [...head, ...once.rows]);
        assert.deepEqual(fresh, []);
        assert.equal(counts.ignored.known + counts.ignored.repeated, rows.length);
      }),
    );
  });

  it('gives each class its share of the most rows, to a row', () => {
    fc.assert(
      fc.property(someRows, fc.integer({ min: 1, max: 30 }), (rows, maxRows) => {
        const [all, some] = [merged(rows, []), merged(rows, [], { maxRows })];
        const kept = Math.min(maxRows, all.fresh.length);
        assert.equal(some.fresh.length, kept);
        for (const [at, count] of some.counts.balance.after.entries()) {
          const share = (all.counts.balance.after[at]! * kept) / all.fresh.length;
          assert.ok(Math.abs(count - share) < 1, `${count} of ${share}`);
        }
      }),
    );
  });

  it('takes so many rows of numbers, too', () => {
    const schema = { ...SCHEMA, label: { name: 'y', low: '0', high: '9' } };
    const contribution = tableOf(Array.from({ length: 9 }, (_, i) => [String(i), '0', String(i)]));
    const trainingSet = tableOf([['-2', '0', '1']]);
    const line = { trainingSet, benchmark: tableOf([['-1', '0', '1']]), schema, integration: { maxRows: 4 } };
    const { fresh, ignored, balance } = integrate(contribution, line);
    assert.deepEqual([fresh.length, ignored.overRows, balance], [4, 5, { before: [], after: [] }]);
  });
});

/** So many different rows of one class. */
const rowsOf = (count: number, label: string, from = 0): Row[] =>
  Array.from({ length: count }, (_, i) => [String(from + i), '0', label] as const);

describe('attacks on the most rows of a contribution', () => {
  it('grinding rows until their digests are the least does not choose which survive', () => {
    const candidates = rowsOf(4_000, 'a');
    const digests = rowDigests(tableOf(candidates), SCHEMA, 'row');
    const ground = digests
      .map((digest, row) => [digest, row] as const)
      .sort()
      .slice(0, 20)
      .map(([, row]) => candidates[row]!);
    const rows = [...ground, ...rowsOf(180, 'a', 10_000)];
    const survived = Array.from({ length: 200 }, (_, seed) => {
      const kept = merged(rows, [], { maxRows: 20 }, seedOf(seed)).rows;
      return kept.filter((row) => ground.includes(row)).length;
    });
    // Two of the twenty by chance: 400 in all, with a standard deviation of 18.
    assert.ok(Math.abs(sum(survived) - 400) < 90, `${sum(survived)}`);
    assert.ok(Math.max(...survived) <= 9);
  });

  it('a flood of one class does not push the others out, and their order does not either', () => {
    const rows = [...rowsOf(900, 'a'), ...rowsOf(60, 'b', 2_000), ...rowsOf(40, 'c', 3_000)];
    assert.deepEqual(merged(rows, [], { maxRows: 100 }).counts.balance.after, [90, 6, 4]);
  });

  it('another limit is another trainSpecHash, so that a round pins it', () => {
    const spec = { framework: 'reference', modelType: 'LinearSVC', hyperparameters: { C: 1 } } as const;
    const hashes = [{}, { maxRows: 1 }, { maxRows: 100 }].map((terms) => trainSpecHashOf(spec, terms));
    assert.equal(new Set(hashes).size, hashes.length);
  });
});

describe('a contribution over the limit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hokusai-integrate-'));
  after(() => rmSync(folder, { recursive: true }));

  /** A project whose contribution has 265 rows, of which so many are learned from. */
  async function projectOf(name: string, terms: string): Promise<string> {
    const directory = join(folder, name);
    await init({ directory, data: TABLE, label: 'benign', baselineRows: 20, benchmarkRows: 284 });
    const file = join(directory, 'hokusai.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^ {2}max_rows: all$/m, terms));
    return file;
  }

  it('is learned from by the seed of the round, in the same journal, too', async () => {
    const project = await projectOf('seeds', '  max_rows: 60').then(openProject);
    const { config, line, secrets } = project;
    const { root, table } = await offer(project, 'contribution', config.data.contribution);
    const executor = await openExecutor(join(folder, 'journal'));
    const evaluatedWith = async (seed?: Hex) => {
      const { agreed } = await evaluateContribution(
        line,
        offerOf(config, true),
        {
          ...{ contributor: zeroAddress, payeesRoot: zeroHash, ...root, table, file: 'contribution' },
          contributionSecret: secrets.contributionSecret,
          ...(seed && { seed }),
        },
        executor,
      );
      return agreed;
    };
    try {
      const found = [await evaluatedWith(), await evaluatedWith(seedOf(1)), await evaluatedWith(seedOf(2))];
      assert.deepEqual(
        found.map(({ models }) => models!.candidate.seed),
        [undefined, seedOf(1), seedOf(2)],
      );
      assert.equal(new Set(found.map(({ models }) => models!.candidate.commitment)).size, 3, 'three sets of rows');
      for (const { contribution, models } of found) {
        assert.deepEqual([contribution.rowsUsed, contribution.integration], [60, { overRows: root.rows - 60 }]);
        assert.deepEqual([models!.baseline.trainingRows, models!.candidate.trainingRows], [20, 80]);
      }
      assert.deepEqual(await evaluatedWith(seedOf(2)), found[2]);
    } finally {
      await executor.close();
    }
  });

  it('is told of by a run without a chain: rows left out, the balance by class, and all of it verified', async () => {
    const file = await projectOf('dry', '  max_rows: 100');
    const ran = await hokusai('run', file, '--dry-run');
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /100 of 265 rows are new and used, 165 over the most of one contribution/);
    const [, before, after] = /training rows by class: 0 (\d+ → \d+), 1 (\d+ → \d+)/.exec(ran.stdout)!;
    const runs = join(folder, 'dry/runs');
    const run = join(runs, readdirSync(runs).find((name) => name !== 'secrets')!);
    const read = (name: string) => readFileSync(join(run, name), 'utf8');
    const { integration } = JSON.parse(read('metrics.json'));
    assert.deepEqual(integration.ignored, { known: 0, repeated: 0, overRows: 165 });
    const told = integration.balance.before.map(
      (rows: number, at: number) => `${rows} → ${integration.balance.after[at]}`,
    );
    assert.deepEqual(told, [before, after]);
    assert.match(read('report.html'), /Over the limit<\/th><td class="number">165/);
    assert.match(read('evaluation.html'), /over the most rows of one contribution<\/th><td class="number">165/);
    assert.doesNotMatch(read('report.html'), /by class/);
    const verified = await hokusai('verify', run);
    assert.equal(verified.code, 0, verified.stdout);
    const attestation = JSON.parse(read('attestation.json')) as Attestation;
    // What was left out is said to have been less, or nothing.
    for (const overRows of [164, undefined]) {
      const { integration: _, ...rest } = attestation.contribution;
      const contribution = { ...rest, ...(overRows && { integration: { overRows } }) };
      writeFileSync(join(run, 'attestation.json'), JSON.stringify({ ...attestation, contribution }));
      const forged = await hokusai('verify', run);
      assert.equal(forged.code, 1);
      assert.match(forged.stdout, /✖ contribution: .*left out/);
    }
  });
});
