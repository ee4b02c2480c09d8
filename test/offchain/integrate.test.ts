import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { type Hex, keccak256, numberToHex, zeroAddress, zeroHash } from 'viem';
import type { Attestation } from '../../offchain/attestation/attest.ts';
import type { HokusaiError } from '../../offchain/errors.ts';
import { init } from '../../offchain/init.ts';
import { trainSpecHashOf } from '../../offchain/line.ts';
import { openExecutor } from '../../offchain/run/executor.ts';
import type { Agreed } from '../../offchain/run/finding.ts';
import { offerOf } from '../../offchain/run/offer.ts';
import { evaluateContribution } from '../../offchain/run/pipeline.ts';
import { offer, openProject } from '../../offchain/run/project.ts';
import { rowDigests } from '../../offchain/table/data-root.ts';
import { type IntegrationTerms, integrate } from '../../offchain/table/integrate.ts';
import { parseSchema } from '../../offchain/table/schema.ts';
import type { Table } from '../../offchain/table/table.ts';
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
  const { fresh, replaced, ...counts } = found;
  return {
    fresh: fresh.map((row) => digests[row]!),
    rows: fresh.map((row) => rows[row]!),
    gone: replaced.map((row) => head[row]!),
    left: [...head.filter((_, row) => !replaced.includes(row)), ...fresh.map((row) => rows[row]!)],
    counts,
  };
}

const someRow: fc.Arbitrary<Row> = fc.tuple(
  fc.option(fc.nat(6).map(String), { nil: null }),
  fc.nat(4).map(String),
  fc.constantFrom('a', 'a', 'a', 'b', 'c'),
);
const someRows = fc.array(someRow, { minLength: 1, maxLength: 40 });
const someReplacement = fc.record({
  key: fc.constantFrom(['k'], ['k', 'x']),
  maxReplacedBps: fc.constantFrom(0, 1_000, 5_000, 10_000),
});
const someTerms: fc.Arbitrary<IntegrationTerms> = fc.record(
  { maxRows: fc.integer({ min: 1, max: 20 }), replace: someReplacement },
  { requiredKeys: [] },
);
const replacing = (maxReplacedBps: number, ...key: string[]) => ({ replace: { key, maxReplacedBps } });
const sum = (counts: Iterable<number>) => [...counts].reduce((total, count) => total + count, 0);

describe('integrate', () => {
  it('finds the same rows in any order of both tables, and however often they are repeated', () => {
    fc.assert(
      fc.property(someRows, someRows, someTerms, (rows, head, terms) => {
        const one = merged(rows, head, terms);
        const other = merged([...rows].reverse().concat(rows), [...head].reverse(), terms);
        assert.deepEqual(other.fresh, one.fresh);
        assert.deepEqual([...other.gone].sort(), [...one.gone].sort());
        const { repeated } = one.counts.ignored;
        assert.deepEqual(other.counts.ignored, { ...one.counts.ignored, repeated: repeated + rows.length });
        assert.deepEqual(other.counts.balance, one.counts.balance);
      }),
    );
  });

  it('accounts for every row once, and for every row of the training set', () => {
    fc.assert(
      fc.property(someRows, someRows, someTerms, (rows, head, terms) => {
        const { fresh, gone, counts } = merged(rows, head, terms);
        assert.equal(fresh.length + sum(Object.values(counts.ignored)), rows.length);
        assert.equal(sum(counts.balance.before), head.length);
        assert.equal(sum(counts.balance.after), head.length + fresh.length - gone.length);
        assert.ok(fresh.length <= (terms.maxRows ?? rows.length));
        assert.ok(terms.replace || gone.length === 0);
        for (const [at, label] of ['a', 'b', 'c'].entries()) {
          const most = Math.floor((counts.balance.before[at]! * (terms.replace?.maxReplacedBps ?? 0)) / 10_000);
          assert.ok(gone.filter(([, , y]) => y === label).length <= most);
        }
      }),
    );
  });

  it('adds nothing when the same is merged again', () => {
    fc.assert(
      fc.property(someRows, someRows, fc.boolean(), (rows, head, replaces) => {
        // Where there are no limits: what went over one may come again, and is then counted again.
        const terms = replaces ? replacing(10_000, 'k') : {};
        const { fresh, gone, counts } = merged(rows, merged(rows, head, terms).left, terms);
        assert.deepEqual([fresh, gone], [[], []]);
        const { known, repeated, conflicting } = counts.ignored;
        assert.equal(known + repeated + conflicting, rows.length);
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
    const head = tableOf(Array.from({ length: 4 }, (_, i) => [String(i), '1', String(i)]));
    const found = integrate(contribution, { ...line, trainingSet: head, integration: replacing(5_000, 'k') });
    assert.deepEqual([found.replaced.length, found.ignored.overReplaced, found.fresh.length], [2, 2, 7]);
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
    const spec = {
      framework: 'reference',
      modelType: 'LinearSVC',
      hyperparameters: { C: 1, class_weight: null },
    } as const;
    const others = [replacing(1, 'k'), replacing(2, 'k'), replacing(1, 'x'), replacing(1, 'k', 'x')];
    const hashes = [{}, { maxRows: 1 }, { maxRows: 100 }, ...others].map((terms) =>
      trainSpecHashOf(spec, terms, 'accuracy'),
    );
    assert.equal(new Set(hashes).size, hashes.length);
  });
});

describe('replacing by key', () => {
  it('takes the place of all rows with the same key however it is spelled, and of no other', () => {
    const head: Row[] = [
      ['1', '0', 'a'],
      ['1', '1', 'b'],
      ['2', '0', 'a'],
    ];
    const { left, counts } = merged(
      [
        ['1.0', '5', 'c'],
        ['3', '0', 'c'],
      ],
      head,
      replacing(10_000, 'k'),
    );
    assert.deepEqual([...left].sort(), [
      ['1.0', '5', 'c'],
      ['2', '0', 'a'],
      ['3', '0', 'c'],
    ]);
    assert.deepEqual(counts.balance, { before: [2, 1, 0], after: [1, 0, 2] });
    // A label is corrected where the features are the key.
    const corrected = merged([['2', '0', 'b']], head, replacing(10_000, 'k', 'x'));
    assert.deepEqual([corrected.gone, corrected.rows], [[['2', '0', 'a']], [['2', '0', 'b']]]);
  });

  it('leaves a row alone that is contributed again as it is', () => {
    const { gone, counts } = merged(
      [['1', '0', 'a']],
      [
        ['1', '0', 'a'],
        ['1', '1', 'b'],
      ],
      replacing(10_000, 'k'),
    );
    assert.deepEqual([gone, counts.ignored.known], [[], 1]);
  });
});

describe('attacks on replacing by key', () => {
  it('deleting rows of the head is not possible unless the policy says how many', () => {
    const { gone, fresh, counts } = merged(rowsOf(50, 'b'), rowsOf(50, 'a'), replacing(0, 'k'));
    assert.deepEqual([gone, fresh, counts.ignored.overReplaced], [[], [], 50]);
  });

  it('a rare class is not wiped out by what is a small share of all rows', () => {
    const head = [...rowsOf(960, 'a'), ...rowsOf(40, 'b', 1_000)];
    const { gone, counts } = merged(rowsOf(40, 'a', 1_000), head, replacing(500, 'k'));
    assert.deepEqual([gone.length, counts.balance.after], [2, [962, 38, 0]]);
    assert.equal(counts.ignored.overReplaced, 38);
  });

  it('one row whose key many rows share does not take all of them', () => {
    const head = [...Array.from({ length: 60 }, (_, x): Row => ['7', String(x), 'a']), ...rowsOf(40, 'a', 100)];
    for (const [most, expected] of [
      [5_999, 0],
      [6_000, 60],
    ] as const) {
      const { gone } = merged([['7', '100', 'a']], head, replacing(most, 'k'));
      assert.equal(gone.length, expected);
    }
  });

  it('a row without a key replaces nothing, though rows of the head have none either', () => {
    const head: Row[] = [
      [null, '1', 'a'],
      [null, '2', 'a'],
    ];
    const { gone, fresh } = merged(
      [
        [null, '3', 'b'],
        [null, '4', 'b'],
      ],
      head,
      replacing(10_000, 'k'),
    );
    assert.deepEqual([gone.length, fresh.length], [0, 2]);
  });

  it('of two rows with one key neither replaces, so that no order of rows and no digest decides', () => {
    const rows: Row[] = [
      ['1', '8', 'b'],
      ['1', '9', 'c'],
      ['2', '0', 'b'],
    ];
    const { gone, counts } = merged(
      rows,
      [
        ['1', '0', 'a'],
        ['2', '0', 'a'],
      ],
      replacing(10_000, 'k'),
    );
    assert.deepEqual([gone, counts.ignored.conflicting], [[['2', '0', 'a']], 2]);
    // Nor where one of them is known.
    const known = merged(
      [
        ['1', '0', 'a'],
        ['1', '9', 'c'],
      ],
      [['1', '0', 'a']],
      replacing(10_000, 'k'),
    );
    assert.deepEqual([known.gone, known.counts.ignored.conflicting], [[], 1]);
  });

  it('grinding rows until their digests are the least does not choose which of the head they replace', () => {
    const head = rowsOf(40, 'a');
    const least = (k: string): Row => {
      const tries = Array.from({ length: 40 }, (_, x): Row => [k, String(x + 1), 'a']);
      const digests = rowDigests(tableOf(tries), SCHEMA, 'row');
      return tries[digests.indexOf([...digests].sort()[0]!)]!;
    };
    const rows = head.map(([k], at): Row => (at < 10 ? least(k!) : [k, '1', 'a']));
    const hits = Array.from({ length: 200 }, (_, seed) => {
      const { gone } = merged(rows, head, replacing(2_500, 'k'), seedOf(seed));
      assert.equal(gone.length, 10);
      return gone.filter(([k]) => Number(k) < 10).length;
    });
    // By chance 2.5 of ten: 500 in all, with a standard deviation of 17.
    assert.ok(Math.abs(sum(hits) - 500) < 85, `${sum(hits)}`);
  });
});

describe('a contribution over the limit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hokusai-integrate-'));
  after(() => rmSync(folder, { recursive: true }));

  const NONE = { conflicting: 0, overReplaced: 0, overRows: 0, replaced: 0 };

  /** A project whose contribution has 265 rows, of which so many are learned from. */
  async function projectOf(name: string, terms: Readonly<Record<string, unknown>>): Promise<string> {
    const directory = join(folder, name);
    await init({ directory, data: TABLE, label: 'benign', baselineRows: 20, benchmarkRows: 284 });
    const file = join(directory, 'hokusai.yaml');
    let text = readFileSync(file, 'utf8');
    for (const [key, value] of Object.entries(terms)) {
      text = text.replace(new RegExp(`^  ${key}: (append|\\[\\]|0|all)$`, 'm'), `  ${key}: ${JSON.stringify(value)}`);
      assert.ok(text.includes(`${key}: ${JSON.stringify(value)}`));
    }
    writeFileSync(file, text);
    return file;
  }

  /** Contributes all rows of the model, too, with another value of what is not part of a key. */
  function correct(name: string): void {
    const [header, ...lines] = readFileSync(join(folder, name, 'baseline.csv'), 'utf8')
      .trimEnd()
      .split('\n');
    const at = header!.split(',').indexOf('worst_fractal_dimension');
    const corrected = lines.map((line) => line.split(',').with(at, '0.0815').join(','));
    appendFileSync(join(folder, name, 'contribution.csv'), `${corrected.join('\n')}\n`);
  }

  /** What validators agree on of a project's contribution, with each of these seeds, all in one journal. */
  async function foundWith(file: string, seeds: readonly (Hex | undefined)[]) {
    const project = await openProject(file);
    const { config, line, secrets } = project;
    const { root, table } = await offer(project, 'contribution', config.data.contribution);
    const { contributionSecret } = secrets;
    const committed = { contributor: zeroAddress, payeesRoot: zeroHash, ...root, table, file: 'contribution' };
    const executor = await openExecutor(join(file, '../journal'));
    try {
      const found: Agreed[] = [];
      for (const seed of seeds) {
        const contribution = { ...committed, contributionSecret, ...(seed && { seed }) };
        found.push((await evaluateContribution(line, offerOf(config, true), contribution, executor)).agreed);
      }
      return found;
    } finally {
      await executor.close();
    }
  }

  it('is learned from by the seed of the round, in the same journal, too', async () => {
    const seeds = [undefined, seedOf(1), seedOf(2), seedOf(2)];
    const found = await foundWith(await projectOf('seeds', { max_rows: 60 }), seeds);
    const candidates = found.map(({ models }) => models!.candidate);
    assert.deepEqual(
      candidates.map(({ seed }) => seed),
      seeds,
    );
    assert.equal(new Set(candidates.map(({ commitment }) => commitment)).size, 3, 'three sets of rows');
    assert.deepEqual(found[3], found[2]);
    for (const { contribution, models } of found) {
      const { rows, rowsUsed, integration } = contribution;
      assert.deepEqual([rowsUsed, integration], [60, { ...NONE, overRows: rows - 60 }]);
      assert.deepEqual([models!.baseline.trainingRows, models!.candidate.trainingRows], [20, 80]);
    }
  });

  it('attack: rows of the head are not replaced without being told, nor without the seed that draws them', async () => {
    const terms = { mode: 'replace', key: ['mean_radius', 'mean_texture', 'mean_area'], max_replaced_bps: 5_000 };
    const file = await projectOf('silent', terms);
    correct('silent');
    const [found] = await foundWith(file, [seedOf(1)]);
    const { rows, rowsUsed, integration } = found!.contribution;
    // Of 7 rows of the one class and 13 of the other, half of each.
    assert.deepEqual(integration, { ...NONE, overReplaced: 11, replaced: 9 });
    assert.equal(rowsUsed, rows - 11);
    const { baseline, candidate } = found!.models!;
    assert.deepEqual([candidate.trainingRows, candidate.seed], [baseline.trainingRows + rowsUsed - 9, seedOf(1)]);
  });

  it('is told of by a run without a chain: rows left out, the balance by class, and all of it verified', async () => {
    const key = ['mean_radius', 'mean_texture', 'mean_area'];
    const file = await projectOf('dry', { mode: 'replace', key, max_replaced_bps: 10_000, max_rows: 100 });
    correct('dry');
    const ran = await hokusai('run', file, '--dry-run');
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(
      ran.stdout,
      /100 of 285 rows are new and used, 185 over the most of one contribution, in the place of \d+ of/,
    );
    const [, before, after] = /training rows by class: 0 (\d+ → \d+), 1 (\d+ → \d+)/.exec(ran.stdout)!;
    const runs = join(folder, 'dry/runs');
    const run = join(runs, readdirSync(runs).find((name) => name !== 'secrets')!);
    const read = (name: string) => readFileSync(join(run, name), 'utf8');
    const { integration: change } = JSON.parse(read('metrics.json'));
    assert.deepEqual(change.ignored, { known: 0, repeated: 0, conflicting: 0, overReplaced: 0, overRows: 185 });
    const told = change.balance.before.map((rows: number, at: number) => `${rows} → ${change.balance.after[at]}`);
    assert.deepEqual(told, [before, after]);
    assert.match(read('report.html'), /Over the limit<\/th><td class="number">185/);
    assert.match(read('evaluation.html'), /over the most rows of one contribution<\/th><td class="number">185/);
    assert.doesNotMatch(read('report.html'), /by class/);
    const verified = await hokusai('verify', run);
    assert.equal(verified.code, 0, verified.stdout);
    const attestation = JSON.parse(read('attestation.json')) as Attestation;
    const { replaced } = attestation.contribution.integration!;
    assert.equal(replaced, change.replaced);
    assert.ok(replaced > 0 && replaced < 20, String(replaced));
    assert.equal(attestation.models!.candidate.trainingRows, 120 - replaced);
    // What was left out is said to have been less, or nothing.
    for (const overRows of [184, undefined]) {
      const { integration, ...rest } = attestation.contribution;
      const contribution = { ...rest, ...(overRows && { integration: { ...integration!, overRows } }) };
      writeFileSync(join(run, 'attestation.json'), JSON.stringify({ ...attestation, contribution }));
      const forged = await hokusai('verify', run);
      assert.equal(forged.code, 1);
      assert.match(forged.stdout, /✖ contribution: .*left out/);
    }
  });

  it('is merged by a key that everybody commits to: no identifier that is ignored, no label, no other column', async () => {
    const file = await projectOf('keys', { mode: 'replace', key: ['mean_radius', 'benign', 'patient'] });
    const schemaFile = join(folder, 'keys/schema.json');
    const schema = JSON.parse(readFileSync(schemaFile, 'utf8'));
    assert.equal(schema.columns[0].name, 'mean_radius');
    schema.columns[0] = { name: 'mean_radius', type: 'ignored', reason: 'identifier' };
    writeFileSync(schemaFile, JSON.stringify(schema));
    await assert.rejects(openProject(file), (error: HokusaiError) => {
      assert.equal(error.code, 'LINE_KEY');
      assert.match(
        error.message,
        /benign is the label; mean_radius is ignored by the schema.*; patient is not in the schema/,
      );
      return true;
    });
  });
});
