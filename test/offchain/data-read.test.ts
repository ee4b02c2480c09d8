import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Database } from '../../offchain/data/database.ts';
import { profile } from '../../offchain/data/profile.ts';
import { kindsOf } from '../../offchain/data/room.ts';
import { type ReadOptions, stage } from '../../offchain/data/stage.ts';
import { blocksOf, textAt } from '../../offchain/data/texts.ts';
import type { HokusaiError } from '../../offchain/errors.ts';
import { canonicalDecimal, canonicalText, cellText } from '../../offchain/table/cell.ts';
import { scratch, withDatabase, writeParquet } from './data-tables.ts';

const { folder, write } = scratch();

const cells = async (db: Database, path: string, options?: ReadOptions) => {
  const { table, names } = await stage(db, path, options);
  return [names, ...(await db.rows<(string | null)[]>(`SELECT * FROM ${table} ORDER BY rowid`))];
};
const read = (path: string, options?: ReadOptions) => withDatabase((db) => cells(db, path, options));

async function refuses(path: string, code: string, options?: ReadOptions): Promise<HokusaiError> {
  const error = await read(path, options).then(
    () => assert.fail(`${code} expected`),
    (caught: HokusaiError) => caught,
  );
  assert.equal(error.code, code, String(error.stack));
  assert(error.next !== undefined);
  return error;
}

describe('reading a table', () => {
  const expected = [
    ['a', 'b'],
    ['1', 'x;y'],
    [null, 'é'],
  ];
  for (const [title, content, options] of [
    ['commas and quotes', 'a,b\n1,"x;y"\n,é\n', {}],
    ['semicolons', 'a;b\n1;"x;y"\n;é\n', {}],
    ['another delimiter by name', 'a~b\n1~x;y\n~é\n', { delimiter: '~' }],
    ['blank lines and a byte order mark', '\ufeffa,b\n\n1,"x;y"\n,é\n\n', {}],
    ['latin-1 by name', Buffer.from('a,b\n1,x;y\n,\u00e9\n', 'latin1'), { encoding: 'latin1' }],
    ['UTF-16, big-endian', Buffer.from('\ufeffa,b\n1,x;y\n,é\n', 'utf16le').swap16(), {}],
    ['JSON lines', '{"a":1,"b":"x;y"}\n{"b":"é"}\n', { format: 'ndjson' }],
    ['JSON', '[{"a":1,"b":"x;y"},\n\n {"b":"é","a":null}]', { format: 'json' }],
  ] as [string, string | Buffer, ReadOptions][]) {
    it(`reads ${title}`, async () => assert.deepEqual(await read(write(content), options), expected));
  }

  it('takes keys that come later for columns, and columns of further files by name', async () => {
    const file = write('{"a":1}\n{"a":2,"z":true,"b":1.50}\n', 'later.ndjson');
    assert.deepEqual(await read(file), [
      ['a', 'b', 'z'],
      ['1', null, null],
      ['2', '1.5', 'true'],
    ]);
    mkdirSync(join(folder, 'many'));
    write('a,b\n1,2\n', 'many/1.csv');
    write('b,a\n4,3\n', 'many/2.csv');
    assert.deepEqual(await read(join(folder, 'many')), [
      ['a', 'b'],
      ['1', '2'],
      ['3', '4'],
    ]);
  });

  it('reads a path with wildcards in its name as it stands', async () => {
    assert.deepEqual((await read(write('a,b\n1,2\n', "[x]*?'.csv"))).length, 2);
  });
});

describe('reading refuses', () => {
  for (const [title, code, content, name] of [
    ['a NUL byte', 'TEXT_NUL_BYTE', 'a,b\n1,\0\n', undefined],
    ['a NUL in JSON', 'CELL_NUL', '{"a":"x\\u0000y"}\n', 'nul.ndjson'],
    [
      'mixed encodings',
      'TEXT_ENCODING',
      Buffer.concat([Buffer.from('a,b\né,1\n'), Buffer.from('\u00e9,2\n', 'latin1')]),
      undefined,
    ],
    ['bytes cut in the middle of a character', 'TEXT_ENCODING', Buffer.from('a,b\n1,é').subarray(0, 7), undefined],
    ['a torn gzip file', 'TEXT_TORN', gzipSync(`a,b\n${'1,2\n'.repeat(5000)}`).subarray(0, 60), 'torn.csv.gz'],
    ['a damaged gzip file', 'TEXT_TORN', gzipSync(`a,b\n${'1,2\n'.repeat(5000)}`).fill(7, 30, 40), 'damaged.csv.gz'],
    ['a gzip bomb', 'TEXT_BOMB', gzipSync(Buffer.alloc(80 * 2 ** 20, 'a,b\n1,2\n')), 'bomb.csv.gz'],
    [
      '10,000 columns',
      'TABLE_TOO_WIDE',
      `${Array.from({ length: 10_000 }, (_, i) => `c${i}`).join(',')}\n${'1,'.repeat(9999)}1\n`,
      undefined,
    ],
    ['an empty file', 'TEXT_EMPTY', '\n\n', 'empty.ndjson'],
    ['a header alone', 'TABLE_NO_ROWS', 'a,b\n', undefined],
    ['ragged rows', 'CSV_MALFORMED', 'a,b\n1,2,\n', undefined],
    ['an open quote', 'CSV_UNPARSABLE', 'a,b\n1,"2\n', undefined],
    ['names that differ in case alone', 'TABLE_COLUMN_TWICE', 'a,A\n1,2\n', undefined],
    ['broken JSON', 'JSON_UNPARSABLE', '{"a":1}\n{"a":\n', 'broken.ndjson'],
    ['a key twice', 'JSON_UNPARSABLE', '{"a":1,"a":2}\n', 'twice.ndjson'],
    ['a value that is no object', 'JSON_UNPARSABLE', '[1,2]', 'values.json'],
    ['what only says that it is Parquet', 'PARQUET_UNREADABLE', 'PAR1 and no more', 'fake.parquet'],
  ] as [string, string, string | Buffer, string | undefined][]) {
    it(title, async () => {
      const error = await refuses(write(content, name), code);
      assert(!/secret|x\\u0000y/.test(`${error.message}${JSON.stringify(error.details)}`));
    });
  }

  it('mixed encodings with the line, and tells them from another encoding', async () => {
    const mixed = write(Buffer.concat([Buffer.from('a,b\né,1\n'), Buffer.from('\u00e9,2\n', 'latin1')]));
    assert.deepEqual((await refuses(mixed, 'TEXT_ENCODING')).details.mixed, true);
    const latin = write(Buffer.from('a,b\nx,1\n\u00e9,2\n', 'latin1'));
    const { details, next } = await refuses(latin, 'TEXT_ENCODING');
    assert.deepEqual([details.line, details.mixed], [3, false]);
    assert.match(next!, /latin1/);
  });

  it('a line of a gigabyte after reading a few megabytes of it', async () => {
    const file = join(folder, 'line.csv');
    writeFileSync(file, Buffer.alloc(200 * 2 ** 20, 'x'));
    const before = process.memoryUsage().rss;
    await refuses(file, 'CSV_ONE_COLUMN');
    writeFileSync(file, Buffer.concat([Buffer.from('a,b\n1,"'), Buffer.alloc(64 * 2 ** 20, 'x')]));
    await refuses(file, 'CSV_RECORD_TOO_LONG');
    writeFileSync(file, Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(64 * 2 ** 20, 'x')]));
    await refuses(file, 'CSV_RECORD_TOO_LONG', { format: 'ndjson' });
    assert(process.memoryUsage().rss - before < 400 * 2 ** 20);
  });

  it('symbolic links, in directories too, and ways out of the directory', async () => {
    const outside = write('a,b\n1,2\n', 'outside.csv');
    mkdirSync(join(folder, 'linked'));
    symlinkSync(outside, join(folder, 'linked', 'in.csv'));
    await refuses(join(folder, 'linked'), 'SOURCE_LINK');
    await refuses(join(folder, 'linked', 'in.csv'), 'SOURCE_LINK');
    await refuses(join(folder, 'linked', '*.csv'), 'SOURCE_LINK');
    mkdirSync(join(folder, 'around'));
    symlinkSync(folder, join(folder, 'around', 'up'));
    await refuses(join(folder, 'around', '**/*.csv'), 'SOURCE_LINK').catch(() =>
      refuses(join(folder, 'around', '**/*.csv'), 'SOURCE_EMPTY'),
    );
    await refuses(join(folder, 'nothing.csv'), 'SOURCE_UNREADABLE');
    await refuses('/dev/zero', 'SOURCE_UNREADABLE');
  });

  it('tables of several formats, or of other columns', async () => {
    mkdirSync(join(folder, 'mixed'));
    write('a,b\n1,2\n', 'mixed/1.csv');
    write('{"a":1}\n', 'mixed/2.ndjson');
    await refuses(join(folder, 'mixed'), 'SOURCE_FORMATS');
    mkdirSync(join(folder, 'other'));
    write('a,b\n1,2\n', 'other/1.csv');
    write('a,c\n1,2\n', 'other/2.csv');
    const { details } = await refuses(join(folder, 'other'), 'TABLE_COLUMNS_DIFFER');
    assert.deepEqual([details.absent, details.unknown], [['b'], ['c']]);
  });

  it('a bomb of Parquet by what it says of itself, and columns that are no plain values', async () => {
    const bomb = join(folder, 'bomb.parquet');
    await writeParquet('SELECT 1 AS a, 2 AS b, 3 AS c, 4 AS d FROM range(6000000)', bomb, 'ROW_GROUP_SIZE 10000000');
    await refuses(bomb, 'PARQUET_BOMB');
    const nested = join(folder, 'nested.parquet');
    await writeParquet('SELECT [1, 2] AS list, {x: 1} AS struct, 1 AS plain', nested);
    assert.deepEqual((await refuses(nested, 'TABLE_COLUMN_TYPE')).details.columns, ['list', 'struct']);
  });
});

describe('a profile', () => {
  it('counts numbers at the edges of int64 and double exactly, and warns of what a spreadsheet would run', async () => {
    const file = write(
      'n,t\n9223372036854775807,=1+1\n-9223372036854775808,-5\n1e299,@x\n1e308,+4 or so\n-0,x\n5e-324,-\n',
    );
    await withDatabase(async (db) => {
      const { profile: columns, cells } = await profile(db, await stage(db, file));
      assert.deepEqual(
        columns.map(({ numbers, integers, formulas, firstFormula }) => [numbers, integers, formulas, firstFormula]),
        [[4, 4, 1, 6].toSpliced(2, 2, 0, null as never), [1, 1, 4, 1]],
      );
      const found = await db.rows<[string]>(`SELECT k0 FROM ${cells} ORDER BY row`);
      assert.deepEqual(found.flat(), [
        '9223372036854775807',
        '-9223372036854775808',
        `1${'0'.repeat(299)}`,
        '1e308',
        '0',
        '5e-324',
      ]);
    });
  });

  const part = fc.constantFrom('', '0', '00', '7', '10', '9'.repeat(20), '.', '.50', '-', '+', 'e3', 'E-2', 'e301');
  const sign = fc.constantFrom(
    ' ',
    '\t',
    'NA',
    'nan',
    'N',
    '?',
    '=',
    '@',
    ':',
    '"',
    '\\',
    '\u0002',
    '\u0003',
    '\u001f',
    'é',
    '😀',
  );
  const line = fc.constantFrom('2020-01-31', '1.2.3.4', 'two\nlines', '\r\n', '-0', '-0.00', '0.0', 'x');
  const written = fc.oneof(
    fc.array(part, { maxLength: 4 }).map((parts) => parts.join('')),
    sign,
    line,
    fc.tuple(part, sign, part).map((parts) => parts.join('')),
  );

  it('says of any cells what cell.ts says, and where JavaScript sees them, they are as they are in the file', async () => {
    await withDatabase(async (db) => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(written, written), { minLength: 1, maxLength: 40 }), async (rows) => {
          const file = write(rows.map(([a, b]) => `${JSON.stringify({ a, b, c: 'z' })}\n`).join(''), 'any.ndjson');
          const { profile: columns, cells, texts } = await profile(db, await stage(db, file));
          for (const at of [0, 1] as const) {
            const canonical = rows.map((row) => canonicalOf(row[at]));
            const found = await db.rows<[string | null]>(`SELECT k${at} FROM ${cells} ORDER BY row`);
            assert.deepEqual(found.flat(), canonical);
            const { distinct, longest, kinds, ...counted } = columns[at]!;
            const theirs = rows.map((row) => kindsOf(Buffer.from(row[at]), 0, Buffer.byteLength(row[at])));
            assert(kinds === 255 || kinds === theirs.reduce((all, some) => all | some, 0));
            assert.deepEqual(counted, { name: 'ab'[at], ...countsOf(canonical) });
            const values = canonical.filter((text) => text !== null);
            // Two of 40 may share one of the 4,096 registers.
            assert(Math.abs(distinct - new Set(values).size) <= 3);
            const bytes = [...rows.map((row) => row[at]), ...values].map((text) => Buffer.byteLength(text));
            assert.equal(longest, Math.max(...bytes));
          }
          const seen: string[] = [];
          for (const { room, rows: some } of blocksOf(texts)) {
            for (let cell = 0; cell < 3 * some; cell++) seen.push(textAt(room, cell));
          }
          assert.deepEqual(
            seen,
            rows.flatMap(([a, b]) => [a, b, 'z']),
          );
        }),
        { numRuns: 40 },
      );
    });
  });

  it('estimates how many values differ within some percent, and reads rows that are longer than a block', async () => {
    await withDatabase(async (db) => {
      const rows = Array.from(
        { length: 50_000 },
        (_, i) => `${i},${i % 700},${i === 30_000 ? 'x'.repeat(3_000_000) : 'y'}`,
      );
      const { profile: columns, texts } = await profile(db, await stage(db, write(`a,b,c\n${rows.join('\n')}\n`)));
      const [a, b, c] = columns.map(({ distinct }) => distinct) as [number, number, number];
      assert(Math.abs(a - 50_000) < 2500 && Math.abs(b - 700) < 35, `${a} and ${b}`);
      assert.equal(c, 2);
      let row = 0;
      for (const block of blocksOf(texts)) {
        assert.equal(block.firstRow, row + 1);
        for (let cell = 0; cell < 3 * block.rows; cell += 3, row++) {
          assert.equal([0, 1, 2].map((column) => textAt(block.room, cell + column)).join(','), rows[row]);
        }
      }
      assert.equal(row, rows.length);
    });
  });
});

const canonicalOf = (written: string): string | null => {
  const text = cellText(written);
  return text === null ? null : canonicalText(text);
};

/** What a profile counts, from canonical cells. */
function countsOf(canonical: readonly (string | null)[]) {
  const present = canonical.filter((text) => text !== null);
  const isNumber = (text: string) => canonicalDecimal(text) === text;
  const numbers = present.filter(isNumber);
  const isFormula = (text: string | null) => text !== null && /^[=+\-@]/.test(text) && !isNumber(text);
  return {
    present: present.length,
    numbers: numbers.length,
    integers: numbers.filter((text) => !text.includes('.')).length,
    least: numbers.length === 0 ? null : Math.min(...numbers.map(Number)),
    most: numbers.length === 0 ? null : Math.max(...numbers.map(Number)),
    bytes: present.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    complete: present.length === canonical.length,
    escaped: present.some((text) => JSON.stringify(text) !== `"${text}"`),
    formulas: canonical.filter(isFormula).length,
    firstFormula: canonical.findIndex(isFormula) < 0 ? null : canonical.findIndex(isFormula) + 1,
  };
}
