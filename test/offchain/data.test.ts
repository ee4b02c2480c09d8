import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { keccak_256 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import { bytesToHex, concat, type Hex, hexToBytes } from 'viem';
import { tag } from '../../offchain/attestation/context.ts';
import { expectations } from '../../offchain/data/expectations.ts';
import { type Bands, bandsFor, jaccard, mix } from '../../offchain/data/min-hash.ts';
import { Room } from '../../offchain/data/room.ts';
import { parseRules } from '../../offchain/data/rules.ts';
import { quotasOf } from '../../offchain/data/sample.ts';
import { DATA } from '../../offchain/data/verbs.ts';
import { perform } from '../../offchain/verb.ts';
import { inspecting, scratch } from './data-tables.ts';
import { uniform } from './tables.ts';

const { folder, write } = scratch();
const data = (...args: string[]) => perform('data', DATA, args, () => {});

const PATIENTS = `id,age,sex,seen,code,y
1,34,f,2024-01-05,AB12,yes
2,-1,m,2024-02-30,CD34,no
3,x7,q,2024-03-01,EF5,yes
3,41,,2024-04-01,GH78,no
5,,m,05.04.2024,IJ90,yes
`;
/** As its definition says, one shingle after the other. */
function bandHashes(bytes: Buffer, { bands, rows }: Bands): number[] {
  if (bytes.length < 8) return Array.from({ length: bands }, () => 0);
  const bins: (number | undefined)[] = Array.from({ length: 64 });
  for (let at = 0; at + 8 <= bytes.length; at++) {
    const mixed = Math.imul(bytes.readInt32BE(at), 0x85ebca6b) ^ Math.imul(bytes.readInt32BE(at + 4), 0x9e3779b1);
    const spread = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
    const hash = spread ^ (spread >>> 13);
    bins[hash & 63] = Math.min(bins[hash & 63] ?? 2 ** 30, hash >>> 6);
  }
  const filled = [...bins, ...bins];
  const minima = bins.map((_, bin) => filled.slice(bin).find((least) => least !== undefined)!);
  return Array.from({ length: bands }, (_, band) => {
    const key = minima
      .slice(band * rows, (band + 1) * rows)
      .reduce((k, least) => Math.imul(k ^ least, 0x01000193), band + 1);
    return mix(key) || 1;
  });
}

const RULES = `version: 1
label: y
columns:
  id: {type: integer, unique: true}
  age: {type: integer, nullable: false, min: 0, max: 120}
  sex: {type: text, allowed: [f, m]}
  seen: {type: date, format: '%Y-%m-%d'}
  code: {type: text, pattern: '[A-Z]{2}[0-9]{2}', max_length: 4}
  y: {type: text, allowed: ['yes', 'no']}
  z: {type: text}
`;

describe('rules', () => {
  it('find every violation, with rows, counts and masked examples', async () => {
    const [file, schema] = [write(PATIENTS), write(RULES, 'rules.yaml')];
    const { json, text, failed } = await data('check', file, '--schema', schema, '--pii-action', 'keep');
    const violations = json.violations as {
      column: string;
      rule: string;
      rows: number[];
      count: number;
      examples: string[];
    }[];
    assert.deepEqual(
      violations.map(({ column, rule, count, rows, examples }) => [column, rule, count, rows, examples]),
      [
        ['id', 'unique', 2, [3, 4], ['9']],
        ['age', 'present', 1, [5], ['(missing)']],
        ['age', 'type', 1, [3], ['x9']],
        ['age', 'range', 1, [2], ['-9']],
        ['sex', 'allowed', 1, [3], ['x']],
        ['seen', 'format', 2, [2, 5], ['9999-99-99', '99.99.9999']],
        ['code', 'pattern', 1, [3], ['XX9']],
      ],
    );
    assert.deepEqual([json.rejectedRows, failed, json.valid], [4, true, false]);
    assert.match(String(json.problems), /column z is in the rules/);
    assert(!/x7|EF5|2024-02-30/.test(text + JSON.stringify(json)), 'a value is in the report');
  });

  it('that are wrong are refused with all problems, also patterns that RE2 does not know', async () => {
    assert.throws(
      () => parseRules('version: 1\ncolumns: {a: {type: date}, b: {type: text, min: 1}, c: {typ: text}}', 'x.yaml'),
      (error: Error) =>
        ['columns.a.format', 'columns.b.min', 'columns.c'].every((path) => error.message.includes(path)),
    );
    assert.throws(() => parseRules('a: [', 'x.yaml'), { code: 'RULES_INVALID' });
    const schema = write('version: 1\ncolumns: {a: {type: text, pattern: "(?=x)"}}', 'look.yaml');
    await assert.rejects(data('check', write('a,b\n1,2\n'), '--schema', schema), { code: 'RULES_PATTERN' });
    await assert.rejects(data('check', write('a,b\n1,2\n'), '--label', 'c'), { code: 'RULES_COLUMN' });
  });

  it('are inferred with a confidence, and hold for the table that they are inferred from', async () => {
    const rows = Array.from(
      { length: 200 },
      (_, i) =>
        `${i},${i === 7 ? 'oops' : i / 4},A${(i % 90) + 10}B,${i % 2 ? 'yes' : 'no'},2024-01-${String((i % 28) + 1).padStart(2, '0')}`,
    );
    const [file, yaml] = [write(`id,n,code,y,day\n${rows.join('\n')}\n`), join(folder, 'inferred.yaml')];
    const { json } = await data('check', file, '--write-schema', yaml, '--pii-action', 'keep');
    const { columns } = parseRules(readFileSync(yaml, 'utf8'), yaml);
    assert.deepEqual(columns.id, { type: 'integer', nullable: false, unique: true, min: 0, max: 199 });
    assert.deepEqual(
      [columns.n!.type, columns.code!.pattern, columns.y!.allowed, columns.day!.format],
      ['number', '[A-Z][0-9]{2}[A-Z]', ['no', 'yes'], '%Y-%m-%d'],
    );
    assert.match(readFileSync(yaml, 'utf8'), /# confidence 0\.99\d?: 199 of 200 cells are numbers/);
    const violations = json.violations as { column: string; rows: number[] }[];
    assert.deepEqual(
      violations.map(({ column, rows }) => [column, rows]),
      [['n', [8]]],
    );
  });

  it('send rejected rows into quarantine with all reasons, as CSV and as Parquet, for their owner alone', async () => {
    const [file, schema] = [write(PATIENTS), write(RULES, 'rules2.yaml')];
    const csv = join(folder, 'quarantine.csv');
    await data('check', file, '--schema', schema, '--quarantine', csv, '--pii-action', 'keep');
    const lines = readFileSync(csv, 'utf8').trim().split('\n');
    assert.equal(lines.length, 5);
    assert.match(lines[2]!, /^3,.*age: type.*code: pattern.*id: unique.*sex: allowed.*,3,x7,q,/);
    assert.equal(statSync(csv).mode & 0o777, 0o600);
    await assert.rejects(data('check', file, '--schema', schema, '--quarantine', csv), { code: 'QUARANTINE_EXISTS' });
    const parquet = join(folder, 'quarantine.parquet');
    await data('check', file, '--schema', schema, '--quarantine', parquet, '--pii-action', 'keep');
    assert.equal(readFileSync(parquet).toString('latin1', 0, 4), 'PAR1');
  });

  it('are told against a model’s schema: absent and unknown columns, new categories, labels', async () => {
    const model = {
      version: 1,
      label: { name: 'y', positive: 'yes', negative: 'maybe' },
      columns: [
        { name: 'age', type: 'number' },
        { name: 'sex', type: 'category', categories: ['f', 'm'], other: false },
        { name: 'height', type: 'number' },
        { name: 'id', type: 'ignored', reason: 'identifier' },
      ],
    };
    const { json } = await data(
      'check',
      write(PATIENTS),
      '--model',
      write(JSON.stringify(model), 'model.json'),
      '--pii-action',
      'keep',
    );
    assert.deepEqual(
      (json.misfits as { column: string; count: number }[]).map(({ column, count }) => [column, count]),
      [
        ['seen', 5],
        ['code', 5],
        ['age', 1],
        ['sex', 1],
        ['height', 5],
        ['y', 2],
      ],
    );
  });
});

describe('reports', () => {
  it('escape what a file says in the page, and export as Great Expectations reads', async () => {
    const [page, ge] = [join(folder, 'o.html'), join(folder, 'ge.json')];
    const file = write('"<script>alert(1)</script>",y\n=cmd,1\nx,2\n');
    await data('check', file, '--html', page, '--expectations', ge, '--pii-action', 'keep');
    assert(!readFileSync(page, 'utf8').includes('<script>'));
    await inspecting(write(PATIENTS), { schema: write(RULES, 'rules3.yaml') }, (inspection) => {
      const { success, results, statistics } = expectations(inspection) as never as {
        success: boolean;
        results: {
          success: boolean;
          expectation_config: { type: string; kwargs: object };
          result: { unexpected_count: number };
        }[];
        statistics: Record<string, number>;
      };
      assert.equal(success, false);
      assert.equal(statistics.unsuccessful_expectations, 8);
      const between = results.find(
        ({ expectation_config: { type } }) => type === 'expect_column_values_to_be_between',
      )!;
      assert.deepEqual(
        [between.result.unexpected_count, between.expectation_config.kwargs],
        [1, { column: 'age', min_value: 0, max_value: 120 }],
      );
    });
    assert.equal(JSON.parse(readFileSync(ge, 'utf8')).suite_name, file);
  });
});

describe('duplicates', () => {
  const rows = [
    '1.0,a long enough note about nothing,yes',
    '1,a long enough note about nothing,yes',
    '1,a long enough note about nothing,no',
    '2,other words that are told here,no',
  ];
  it('are found within the table and in others, but for the label too, and contradictions lower the quality', async () => {
    const file = write(`n,note,y\n${rows.join('\n')}\n`);
    const against = write(`y,note,n\nyes,other words that are told here,2\n`);
    await inspecting(file, { label: 'y', against: [against] }, ({ duplicates, quality }) => {
      assert.deepEqual([duplicates.exact, duplicates.rows], [1, [[2, 1]]]);
      assert.deepEqual(duplicates.against, [{ path: against, rows: 0, features: 1 }]);
      const part = (name: string) => quality.parts.find((one) => one.name === name)!.value;
      assert.deepEqual([part('uniqueness'), part('consistency')], [0.75, 0.25]);
    });
  });

  it('nearly so are found by numbers and by text, and others are not', async () => {
    const random = uniform(5);
    const word = () =>
      Array.from(
        { length: 3 + Math.floor(random() * 6) },
        () => 'abcdefghijklmnopqrstuvwxyz'[Math.floor(random() * 26)],
      ).join('');
    const texts = Array.from({ length: 300 }, () => Array.from({ length: 20 }, word).join(' '));
    const numbers = texts.map(() => [random() * 100, random() * 10]);
    texts[200] = texts[10]!.replace(/^\w+/, 'changed');
    numbers[250] = [numbers[20]![0]! + 1e-4, numbers[20]![1]!];
    const lines = texts.map((text, i) => `${text},${numbers[i]!.map((value) => value.toFixed(6)).join(',')}`);
    await inspecting(write(`text,a,b\n${lines.join('\n')}\n`), { near: 0.8 }, ({ duplicates: { near } }) => {
      assert.deepEqual(near!.texts, { text: 1 });
      assert(near!.rows.some(([row, of]) => row === 201 && of === 11));
      assert(near!.rows.some(([row, of]) => row === 251 && of === 21));
      assert(near!.numeric < 30);
    });
  });

  it('hashes the bands of many texts as of one after the other, by the definition', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: fc.constantFrom('a', 'b', ' '), maxLength: 300 }),
    );
    const room = new Room(2 ** 16);
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(0.3, 0.6, 0.8, 0.95),
        fc.integer({ min: 1, max: 3 }),
        (texts, threshold, stride) => {
          const bands = bandsFor(threshold);
          let start = 0;
          for (const [i, one] of texts.entries()) {
            room.starts[5 + i * stride] = start;
            start += room.bytes.write(one, start);
            room.ends[5 + i * stride] = start;
          }
          const found = room.bands(5, stride, texts.length, bands);
          const expected = texts.map((one) => bandHashes(Buffer.from(one), bands));
          assert.deepEqual(
            [...found],
            Array.from({ length: bands.bands }, (_, band) => expected.map((hashes) => hashes[band]!)).flat(),
          );
        },
      ),
    );
  });

  it('agree in bands about as often as their similarity says', () => {
    const base =
      'the quick brown fox jumps over the lazy dog while seventeen gulls watch from a crooked fence in the rain';
    const near = base.replace('lazy', 'idle');
    const [bands, one, two] = [bandsFor(0.8), new Uint32Array(8), new Uint32Array(8)];
    assert.deepEqual(bands, { bands: 8, rows: 8 });
    assert(jaccard(base, near) > 0.7 && jaccard(base, base.split('').reverse().join('')) < 0.1);
    const room = new Room(1000);
    const hashed = (text: string, into: Uint32Array) => {
      room.ends[0] = room.bytes.write(text);
      into.set(room.bands(0, 1, 1, bands));
      return into[0] !== 0;
    };
    assert(hashed(base, one) && hashed(near, two));
    assert([...one].some((hash, band) => hash === two[band]));
    assert.equal(hashed('short', one), false);
    // Bands of 8 of 64 bins: a pair of similarity s is found with a chance of 1 - (1 - s^8)^8.
    const random = uniform(11);
    const word = () => Array.from({ length: 6 }, () => String.fromCharCode(97 + 26 * random())).join('');
    let [found, expected] = [0, 0];
    for (let pair = 0; pair < 2000; pair++) {
      const words = Array.from({ length: 40 }, word);
      const text = words.join(' ');
      for (let changes = 0; changes <= pair % 4; changes++) words[Math.floor(40 * random())] = word();
      assert(hashed(text, one) && hashed(words.join(' '), two));
      if ([...one].some((hash, band) => hash === two[band])) found++;
      expected += 1 - (1 - jaccard(text, words.join(' ')) ** 8) ** 8;
    }
    assert(Math.abs(found - expected) < 100, `${found} of 2000 pairs, expected ${expected}`);
    const others = Array.from({ length: 300 }, () => {
      hashed(Array.from({ length: 40 }, word).join(' '), one);
      return [...one];
    });
    assert.equal(new Set(others.flat()).size, 2400);
  });
});

describe('drift', () => {
  it('is PSI and KS as they are defined', async () => {
    const column = (from: number, more: string) =>
      `n,c\n${Array.from({ length: 100 }, (_, i) => `${from + i},${i < 50 ? 'a' : more}`).join('\n')}\n`;
    await inspecting(write(column(50, 'b')), { reference: write(column(0, 'c')) }, ({ drift }) => {
      const [numbers, categories] = drift!.columns;
      assert.deepEqual([numbers!.kind, numbers!.ks], ['numbers', 0.5]);
      assert(numbers!.psi > 1);
      // a: 0.5 and 0.5; others: 0.5 and 0; c: 0 and 0.5, an empty bin counting as 0.0001
      assert(Math.abs(categories!.psi - 2 * (0.5 - 1e-4) * Math.log(0.5 / 1e-4)) < 1e-9);
    });
    const same = write(column(0, 'b'));
    await inspecting(same, { reference: same }, ({ drift }) => {
      assert.deepEqual(
        drift!.columns.map(({ psi, ks }) => [psi, ks]),
        [
          [0, 0],
          [0, undefined],
        ],
      );
    });
  });
});

describe('a commit', () => {
  const TABLE = `age,mail,note,y\n${Array.from({ length: 300 }, (_, i) => `${i % 80}.50,user${i}@example.org,n${i % 50},${i % 3 ? 'yes' : 'no'}`).join('\n')}\n`;

  it('appends clean rows to a Delta table, in the order of digests, and proves that a row is among them', async () => {
    const table = join(folder, 'lake');
    const committed = (await data('commit', write(TABLE), '--table', table, '--label', 'y', '--who', 'tester'))
      .json as Record<string, never>;
    assert.equal(committed.version, 0);
    assert(
      !JSON.stringify(committed).includes(
        readFileSync(join(`${table}.contribution`, 'contribution.hex'), 'utf8').trim(),
      ),
    );
    assert.equal(statSync(join(`${table}.contribution`, 'contribution.hex')).mode & 0o777, 0o600);
    const shown = (await data('show', table, '--limit', '5')).text;
    assert(!shown.includes('@example.org'), 'personal data is in the table');
    const proof = (await data('prove', table, '--version', '0', '--row', '7')).json as never as {
      root: Hex;
      salt: Hex;
      digest: Hex;
      proof: Hex[];
      dataRoot: Hex;
    };
    const leaf = keccak_256(keccak_256(hexToBytes(concat([tag('row'), proof.digest, proof.salt]))));
    const root = proof.proof.reduce(
      (node, sibling) => keccak_256(Buffer.concat([node, hexToBytes(sibling)].sort(Buffer.compare))),
      leaf,
    );
    assert.deepEqual([bytesToHex(root), proof.dataRoot], [proof.root, committed.dataRoot]);
    await assert.rejects(data('prove', table, '--version', '0', '--row', '301'), { code: 'ROW_UNKNOWN' });
    await assert.rejects(data('prove', table, '--version', '3', '--row', '1'), { code: 'RECORD_MISSING' });
  });

  it('of other rows goes into the next version, whose columns keep their types', async () => {
    const table = join(folder, 'twice');
    await data('commit', write('n,y\n1,a\n2,b\n'), '--table', table);
    await data('commit', write('n,y\n3,a\n4,b\n'), '--table', table);
    const { json } = await data('log', table, '--json');
    assert.equal((json.versions as unknown[] | undefined)?.length ?? 2, 2);
    const proof = (await data('prove', table, '--version', '1', '--row', '1')).json;
    assert.equal(proof.rows, 2);
  });

  it('is refused where rows break rules, unless they go into quarantine', async () => {
    const [file, schema, table] = [
      write(PATIENTS),
      write(RULES.replace('  z: {type: text}\n', ''), 'rules4.yaml'),
      join(folder, 'strict'),
    ];
    await assert.rejects(data('commit', file, '--table', table, '--schema', schema), { code: 'DATA_INVALID' });
    assert(!existsSync(table));
    const quarantine = join(folder, 'out.csv');
    const { json } = await data('commit', file, '--table', table, '--schema', schema, '--quarantine', quarantine);
    assert.deepEqual([json.rows, json.read, json.rejected], [1, 5, 4]);
  });

  it('takes of each class its share, the same rows whatever their order', async () => {
    const lines = TABLE.trim().split('\n');
    const turned = `${[lines[0], ...lines.slice(1).reverse()].join('\n')}\n`;
    const commit = async (content: string, name: string) =>
      (
        await data(
          'commit',
          write(content),
          '--table',
          join(folder, name),
          '--label',
          'y',
          '--max-samples',
          '30',
          '--pii-action',
          'keep',
        )
      ).json;
    const first = await commit(TABLE, 'sample1');
    const { digests: _, ...rest } = first as Record<string, unknown>;
    assert.deepEqual([rest.rows, rest.sampledOut], [30, 270]);
    const table = (await data('show', join(folder, 'sample1'), '--limit', '100', '--json')).json as {
      rows: Record<string, unknown>[];
    };
    if (Array.isArray(table.rows)) assert.equal(table.rows.filter(({ y }) => y === 'no').length, 10);
    await commit(turned, 'sample2');
    const rowsOf = async (name: string) =>
      JSON.stringify((await data('show', join(folder, name), '--limit', '100')).json.rows);
    assert.equal(await rowsOf('sample1'), await rowsOf('sample2'));
  });

  it('shares a total by the largest remainders', () => {
    assert.deepEqual(quotasOf([1, 1, 1], 2), [1, 1, 0]);
    assert.deepEqual(quotasOf([999_999_999, 1], 10), [10, 0]);
    assert.deepEqual(quotasOf([5, 3, 2], 10), [5, 3, 2]);
  });
});
