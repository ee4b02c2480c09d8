import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Database } from '../../offchain/data/database.ts';
import { profile } from '../../offchain/data/profile.ts';
import { type ReadOptions, stage } from '../../offchain/data/stage.ts';
import type { HokusaiError } from '../../offchain/errors.ts';
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
});
