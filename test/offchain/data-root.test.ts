import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { type Database, literal } from '../../offchain/data/database.ts';
import { digestRows, rootsOf } from '../../offchain/data/digests.ts';
import { profile } from '../../offchain/data/profile.ts';
import { stage } from '../../offchain/data/stage.ts';
import { canonicalDecimal, canonicalText, cellText } from '../../offchain/table/cell.ts';
import { dataRootOf } from '../../offchain/table/data-root.ts';
import type { Schema } from '../../offchain/table/schema.ts';
import { scratch, tableFrom, withDatabase, writeParquet, writers } from './data-tables.ts';

const { folder, write } = scratch();
const SECRET = Buffer.alloc(32, 9);
const SCHEMA: Schema = {
  version: 1,
  label: { name: 'y', positive: 'yes', negative: 'no' },
  columns: [
    { name: 'a', type: 'number' },
    { name: 'b "quoted"', type: 'category', categories: ['p'], other: true },
    { name: 'é', type: 'category', categories: ['p'], other: true },
    { name: 'id', type: 'ignored', reason: 'identifier' },
  ],
};
const FORM = { label: 'y', ignored: ['id'] };

const rootOf = async (db: Database, path: string) => {
  const table = await profile(db, await stage(db, path));
  return rootsOf(await digestRows(db, table, FORM), SECRET).dataRoot;
};

const decimalText = fc
  .tuple(
    fc.constantFrom('', '+', '-'),
    fc.constantFrom('0', '00', '7', '10', '123', '9'.repeat(20)),
    fc.constantFrom('', '.', '.5', '.50', '.000', '.001'),
    fc.constantFrom('', '', 'e3', 'E-3', 'e+2', 'e301', 'e-310', `e${'9'.repeat(25)}`),
  )
  .map((parts) => parts.join(''));
const odd = fc.constantFrom(
  ' ',
  '\t',
  'NA',
  'n/a',
  '?',
  'null',
  'inf',
  '1_0',
  '1,5',
  'e',
  '\u00a0',
  '\u0661',
  '-',
  '.',
  '=1+1',
  '"',
  '\\',
  '\\u001f',
  '\u001f',
  '\u000b',
  '\u007f',
  '\u2028',
  '😀',
  'x\ny',
  '/',
);
const cell = fc.oneof(
  decimalText,
  fc.array(odd, { maxLength: 4 }).map((parts) => parts.join('')),
  fc.tuple(odd, decimalText).map((parts) => parts.join('')),
);

describe('canonical cells in SQL', () => {
  it('are those of cell.ts and of canonical JSON, whatever the text', async () => {
    await withDatabase(async (db) => {
      await fc.assert(
        fc.asyncProperty(fc.array(cell, { minLength: 20, maxLength: 60 }), async (texts) => {
          const found = await db.rows(`SELECT canonical(t), canonical_decimal(t), canonical_string(t)
            FROM (VALUES ${texts.map((text, i) => `(${i}, ${literal(text)})`).join(', ')}) v(i, t) ORDER BY i`);
          const expected = texts.map((text) => {
            const present = cellText(text);
            return [present === null ? null : canonicalText(present), canonicalDecimal(text), JSON.stringify(text)];
          });
          assert.deepEqual(found, expected);
        }),
        { numRuns: 40 },
      );
    });
  });
});

type Row = { a: string | null; 'b "quoted"': string | null; é: string | null; id: string; y: string };
const text = fc.option(
  fc.constantFrom(
    'p',
    'q r',
    ' p ',
    '1.0',
    '1',
    'x"y',
    'a\\u001fb',
    'line\nend',
    'naïve',
    '=SUM(A1)',
    'NA',
    'tab\there',
  ),
  { freq: 8 },
);
const row: fc.Arbitrary<Row> = fc.record({
  a: fc.option(fc.constantFrom('1', '1.50', '-0', '1e3', '0.001', '12345678901234567890.5', ' 7 '), { freq: 8 }),
  'b "quoted"': text,
  é: text,
  id: fc.nat().map(String),
  y: fc.constantFrom('yes', 'no'),
});
const rowsArbitrary = fc.array(row, { minLength: 1, maxLength: 30 });
const same = (rows: readonly Row[]) => rows as unknown as Record<string, string | null>[];

describe('the data root of a staged table', () => {
  it('is that of the table in memory, for any order of rows, format, packing, encoding, threads and number of files', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(rowsArbitrary, async (rows) => {
        const expected = dataRootOf(tableFrom(same(rows)), SCHEMA, SECRET).dataRoot;
        const name = `case${run++}`;
        const [csv, json, ndjson] = (['csv', 'json', 'ndjson'] as const).map((format) => writers[format]!(same(rows)));
        const turned = writers.csv!(same(rows.toReversed()));
        const parts = join(folder, `${name}-parts`);
        mkdirSync(parts);
        for (const [i, part] of [rows.slice(0, 1), rows].entries())
          write(writers.csv!(same(part)), `${name}-parts/${i}.csv`);
        const files = [
          write(csv!, `${name}.csv`),
          write(turned, `${name}-turned.csv`),
          write(csv!.replaceAll('\n', '\r\n').replaceAll('line\r\nend', 'line\nend'), `${name}-crlf.csv`),
          write(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(csv!, 'utf16le')]), `${name}-16.csv`),
          write(gzipSync(csv!), `${name}.csv.gz`),
          write(zstdCompressSync(ndjson!), `${name}.ndjson.zst`),
          write(json!, `${name}.json`),
          write(ndjson!, `${name}.ndjson`),
          parts,
          join(folder, `${name}-part?`, '*.csv'),
        ];
        const parquet = join(folder, `${name}.parquet`);
        await writeParquet(
          `SELECT * FROM read_json('${join(folder, `${name}.ndjson`)}', format = 'newline_delimited',
          columns = {${Object.keys(rows[0]!)
            .map((column) => `${literal(column)}: 'VARCHAR'`)
            .join(', ')}})`,
          parquet,
        );
        await withDatabase(
          async (db) => {
            for (const file of [...files, parquet]) assert.equal(await rootOf(db, file), expected, file);
          },
          { threads: 1 + (run % 3) },
        );
      }),
      { numRuns: 8 },
    );
  });

  it('is the same for numbers that are numbers in JSON and Parquet', async () => {
    const csv = write('a,y,id\n1.10,yes,1\n2,no,2\n-0.001,yes,3\n100000,no,4\n,no,5\n');
    const ndjson = write(
      '{"a":1.1,"y":"yes","id":1}\n{"a":2.0,"y":"no","id":2}\n{"a":-1e-3,"y":"yes"}\n{"a":1e5,"y":"no"}\n{"a":null,"y":"no"}\n',
      'numbers.ndjson',
    );
    const parquet = join(folder, 'numbers.parquet');
    await writeParquet(
      "SELECT * FROM (VALUES (1.1::DOUBLE, 'yes', 1), (2, 'no', 2), (-0.001, 'yes', 3), (1e5, 'no', 4), (NULL, 'no', 5)) v(a, y, id)",
      parquet,
    );
    await withDatabase(async (db) => {
      const roots = [await rootOf(db, csv), await rootOf(db, ndjson), await rootOf(db, parquet)];
      assert.equal(new Set(roots).size, 1);
    });
  });

  it('differs for any changed value', async () => {
    await fc.assert(
      fc.asyncProperty(
        rowsArbitrary,
        fc.nat(),
        fc.constantFrom('a', 'b "quoted"', 'é', 'y'),
        async (rows, at, column) => {
          const changed = rows.map((row, i) =>
            i === at % rows.length ? { ...row, [column]: column === 'a' ? '424242' : 'changed' } : row,
          );
          await withDatabase(async (db) => {
            const [one, other] = [write(writers.csv!(same(rows))), write(writers.csv!(same(changed)))];
            assert.notEqual(await rootOf(db, one), await rootOf(db, other));
          });
        },
      ),
      { numRuns: 12 },
    );
  });

  it('is the same for tables of many chunks, with one thread and with three, and that of the run’s pipeline', async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => ({
      ...{
        a: String((i * 7919) % 1000),
        'b "quoted"': `t${i % 31}`,
        é: i % 5 ? 'é' : null,
        id: String(i),
        y: i % 3 ? 'yes' : 'no',
      },
    }));
    const file = write(writers.csv!(rows));
    const expected = dataRootOf(tableFrom(rows), SCHEMA, SECRET).dataRoot;
    for (const threads of [1, 3]) {
      assert.equal(await withDatabase((db) => rootOf(db, file), { threads }), expected);
    }
    assert(readFileSync(file).length > 500_000);
  });
});
