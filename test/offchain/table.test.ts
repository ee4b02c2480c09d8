import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { HokusaiError } from '../../offchain/errors.ts';
import { CsvScanner } from '../../offchain/table/csv-scan.ts';
import { FIND_AT_ONCE } from '../../offchain/table/find-bytes.ts';
import { readCsv, selectRows, type Table, writeCsv } from '../../offchain/table/table.ts';
import { tableOf } from './tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'hokusai-table-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function write(content: string | Uint8Array): string {
  const file = join(folder, `${files++}.csv`);
  writeFileSync(file, content);
  return file;
}

const read = (content: string | Uint8Array): Promise<Table> => readCsv(write(content));
const cells = (table: Table): unknown[] => table.columns.map(({ name, values }) => [name, ...values]);

async function refuses(file: string, kind: string, code: string, details: object): Promise<HokusaiError> {
  let caught: unknown;
  await readCsv(file).catch((error) => {
    caught = error;
  });
  assert(caught instanceof HokusaiError, `${code} expected`);
  assert.deepEqual({ kind: caught.kind, code: caught.code }, { kind, code });
  assert.deepEqual({ ...caught.details, ...details }, caught.details);
  assert(caught.message.includes(file) && caught.next !== undefined);
  return caught;
}

describe('readCsv', () => {
  const dialects: [string, string, unknown[], number[]][] = [
    [
      'commas, quotes, empty fields',
      'a,b\n1,"x,y"\n,""\n',
      [
        ['a', '1', null],
        ['b', 'x,y', null],
      ],
      [2, 3],
    ],
    [
      'semicolons',
      'a;b\n1,5;2\n',
      [
        ['a', '1,5'],
        ['b', '2'],
      ],
      [2],
    ],
    [
      'tabs',
      'a\tb\n1\t2\n',
      [
        ['a', '1'],
        ['b', '2'],
      ],
      [2],
    ],
    [
      'vertical bars',
      'a|b\n1|2\n',
      [
        ['a', '1'],
        ['b', '2'],
      ],
      [2],
    ],
    [
      'a byte order mark before a quoted name',
      '\ufeff"a",b\n1,2\n',
      [
        ['a', '1'],
        ['b', '2'],
      ],
      [2],
    ],
    [
      'CR LF',
      'a,b\r\n1,2\r\n',
      [
        ['a', '1'],
        ['b', '2'],
      ],
      [2],
    ],
    [
      'CR',
      'a,b\r1,2\r',
      [
        ['a', '1'],
        ['b', '2'],
      ],
      [2],
    ],
    [
      'no line end at the end',
      'a,b\n1,2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
      [2],
    ],
    [
      'blank lines',
      '\na,b\n\n1,2\n\n3,4\n\n',
      [
        ['a', '1', '3'],
        ['b', '2', '4'],
      ],
      [4, 6],
    ],
    [
      'line ends in quotes',
      'a,b\n"x\ny\r\nz",2\n3,4\n',
      [
        ['a', 'x\ny\r\nz', '3'],
        ['b', '2', '4'],
      ],
      [2, 5],
    ],
    [
      'doubled quotes',
      'a,b\n"x""y","""z"""\n',
      [
        ['a', 'x"y'],
        ['b', '"z"'],
      ],
      [2],
    ],
    [
      'a quote inside a bare field',
      'a,b\n5" pipe,2\n3,4\n',
      [
        ['a', '5" pipe', '3'],
        ['b', '2', '4'],
      ],
      [2, 3],
    ],
    [
      'spaces around names',
      'a , b\n1, 2\n',
      [
        ['a', '1'],
        ['b', ' 2'],
      ],
      [2],
    ],
    [
      'a header that starts with a hash',
      '#a,b\n#1,2\n',
      [
        ['#a', '#1'],
        ['b', '2'],
      ],
      [2],
    ],
    [
      'numbers as names',
      '1,2\n3,4\n',
      [
        ['1', '3'],
        ['2', '4'],
      ],
      [2],
    ],
  ];
  for (const [title, content, expected, lines] of dialects) {
    it(`reads ${title}`, async () => {
      const table = await read(content);
      assert.deepEqual(cells(table), expected);
      assert.deepEqual([...table.lines], lines);
    });
  }

  it('reads a path with wildcards and quotes as it stands', async () => {
    mkdirSync(join(folder, '[1]*'));
    const file = join(folder, '[1]*', "a?{b,c}'[x].csv");
    writeFileSync(file, 'a,b\n1,2\n');
    assert.deepEqual(cells(await readCsv(file)), [
      ['a', '1'],
      ['b', '2'],
    ]);
  });

  it('keeps the order of rows over many of DuckDB’s chunks', async () => {
    const rows = Array.from({ length: 10_000 }, (_, row) => `${row},${row % 7}`);
    const table = await read(`a,b\n${rows.join('\n')}\n`);
    assert.deepEqual(
      table.columns[0]!.values,
      Array.from(rows, (_, row) => String(row)),
    );
  });

  const bad: [string, string, string | Uint8Array, object][] = [
    ['an empty file', 'CSV_EMPTY', '', {}],
    ['blank lines alone', 'CSV_EMPTY', '\n\r\n', {}],
    ['a header alone', 'TABLE_NO_ROWS', 'a,b\n', { columns: 2 }],
    ['one column', 'CSV_ONE_COLUMN', 'a\n1\n', {}],
    ['a short row', 'CSV_MALFORMED', 'a,b,c\n"1\n2",2,3\n4,5\n', { problems: [{ line: 4, expected: 3, found: 2 }] }],
    ['a long row', 'CSV_MALFORMED', 'a,b\n1,2\n4,5,6,7\n', { problems: [{ line: 3, expected: 2, found: 4 }] }],
    ['a further empty field', 'CSV_MALFORMED', 'a,b\n1,2,\n', { problems: [{ line: 2, expected: 2, found: 3 }] }],
    ['a quote that stays open', 'CSV_UNPARSABLE', 'a,b\n1,2\n"x,2\n3,4\n', { line: 3 }],
    ['a space before a quote', 'CSV_UNPARSABLE', 'a,b\n1, "2"\n', { line: 2 }],
    ['a space after a quote', 'CSV_UNPARSABLE', 'a,b\n"1" ,2\n', { line: 2 }],
    ['text after a quote', 'CSV_UNPARSABLE', 'a,b\n"x"y,2\n3,4\n', { line: 2 }],
    ['a name twice', 'TABLE_COLUMN_TWICE', 'a,b,a\n1,2,3\n', { columns: ['a'] }],
    ['a column without a name', 'TABLE_COLUMN_UNNAMED', 'a,,c\n1,2,3\n', { columns: [2] }],
    ['a NUL byte', 'CSV_NUL_BYTE', 'a,b\n1,2\n3,\0\n', { line: 3 }],
    ['Latin-1', 'CSV_NOT_UTF8', Buffer.from('a,b\r\n1,2\r\n3,caf\u00e9\r\n', 'latin1'), { line: 3 }],
    ['UTF-16', 'CSV_NOT_UTF8', Buffer.from('\ufeffa,b\n1,2\n', 'utf16le'), { line: 1 }],
    ['two kinds of line end', 'CSV_MIXED_LINE_ENDS', 'a,b\r\n1,2\n3,4\r\n', { line: 2 }],
  ];
  for (const [title, code, content, details] of bad) {
    it(`refuses ${title}`, async () => {
      await refuses(write(content), 'terminal', code, details);
    });
  }

  it('tells all malformed rows, and no value of them', async () => {
    const rows = Array.from({ length: 30 }, (_, row) => (row % 2 === 0 ? 'secret' : '1,2'));
    const error = await refuses(write(`a,b\n${rows.join('\n')}\n`), 'terminal', 'CSV_MALFORMED', { count: 15 });
    assert(!JSON.stringify([error.message, error.details, error.next, String(error.cause)]).includes('secret'));
  });

  it('refuses what is no readable file', async () => {
    await refuses(join(folder, 'none.csv'), 'configuration', 'TABLE_UNREADABLE', { reason: 'ENOENT' });
    await refuses(folder, 'configuration', 'TABLE_UNREADABLE', { reason: 'EISDIR' });
  });

  it('refuses a file that is too large to be held in memory, before it reads it', async () => {
    const file = write('a,b\n1,2\n');
    truncateSync(file, 2 ** 30 + 1);
    await refuses(file, 'configuration', 'TABLE_TOO_LARGE', { bytes: 2 ** 30 + 1, limit: 2 ** 30 });
  });

  it('refuses a file without permission', {
    skip: process.getuid?.() === 0 && 'root may read everything',
  }, async () => {
    const file = write('a,b\n1,2\n');
    chmodSync(file, 0);
    await refuses(file, 'configuration', 'TABLE_UNREADABLE', { reason: 'EACCES' });
  });
});

/** RFC 4180 again, character by character; `null` where it is broken. */
function parse(text: string): (string | null)[][] | null {
  const records: (string | null)[][] = [];
  let i = 0;
  while (i < text.length) {
    if (text[i] === '\n') {
      i++;
      continue;
    }
    const record: (string | null)[] = [];
    do {
      const [whole, quoted, bare] = /^(?:"((?:[^"]|"")*)"|((?! *")[^,\n]*))/.exec(text.slice(i)) ?? [];
      if (whole === undefined) return null;
      record.push((quoted?.replaceAll('""', '"') ?? bare) || null);
      i += whole.length;
    } while (text[i++] === ',');
    if (i <= text.length && text[i - 1] !== '\n') return null;
    records.push(record);
  }
  return records;
}

describe('a scan of a CSV file', () => {
  it('says the same however the bytes come, near and far from where they are looked at together', () => {
    const part = fc.constantFrom(
      'a',
      ',',
      '"',
      '\n',
      '\r\n',
      ' ',
      '""',
      '",',
      '\n"',
      'é',
      'text of more than sixteen bytes',
    );
    const outcome = (chunks: readonly Uint8Array[]) => {
      const lines: number[] = [];
      try {
        const scanner = new CsvScanner('f', ',', (line) => lines.push(line));
        for (const chunk of chunks) scanner.push(chunk);
        return [scanner.finish(), lines];
      } catch (error) {
        return [(error as HokusaiError).message, lines];
      }
    };
    const before = fc.constantFrom(0, 1, FIND_AT_ONCE - 20, FIND_AT_ONCE - 1, 2 * FIND_AT_ONCE);
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), before, (parts, letters) => {
        const text = Buffer.from(`${'x'.repeat(letters)}${parts.join('')}`);
        const head = text.subarray(0, letters);
        const bytes = Array.from(text.subarray(letters), (_, at) => text.subarray(letters + at, letters + at + 1));
        assert.deepEqual(outcome([text]), outcome([head, ...bytes]));
      }),
      { numRuns: 500 },
    );
  });
});

describe('readCsv beside a second parser', () => {
  it('reads the same cells, or both refuse', async () => {
    const piece = fc.constantFrom('a', 'b', ',', ',', '"', '""', '\n', ' ', '","', '"\n"');
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const text = `a,b\n1,${pieces.join('')}`;
        const expected = parse(text);
        const valid = expected?.every((record) => record.length === 2);
        const table = await read(text).catch((error: HokusaiError) => error.code);
        if (typeof table === 'string') assert(!valid && /^CSV_(MALFORMED|UNPARSABLE)$/.test(table));
        else
          assert.deepEqual(
            cells(table),
            expected![0]!.map((_, column) => expected!.map((record) => record[column])),
          );
      }),
      { numRuns: 500 },
    );
  });
});

describe('writeCsv', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', ',', ';', '"', "'", '\n', '\r', '\t', ' ', '|', '#', '€') });

  it('writes what readCsv reads back, whatever the text', async () => {
    const row = fc.array(fc.option(text.filter((value) => value !== '')), { minLength: 3, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
        const table = tableOf(['x', 'y, z', 'w'], rows);
        const file = join(folder, `${files++}.csv`);
        writeCsv(file, table);
        assert.deepEqual(cells(await readCsv(file)), cells(table));
      }),
      { numRuns: 60 },
    );
  });

  it('does not overwrite', () => {
    const file = write('kept');
    assert.throws(() => writeCsv(file, tableOf(['a', 'b'], [['1', '2']])), { code: 'TABLE_UNWRITABLE' });
    assert.equal(readFileSync(file, 'utf8'), 'kept');
  });
});

describe('selectRows', () => {
  it('keeps the given rows in the given order, with their lines', () => {
    const table = selectRows(
      tableOf(
        ['a', 'b'],
        [
          ['1', 'x'],
          ['2', 'y'],
          ['3', 'z'],
        ],
      ),
      [2, 0],
    );
    assert.deepEqual(cells(table), [
      ['a', '3', '1'],
      ['b', 'z', 'x'],
    ]);
    assert.deepEqual([...table.lines], [4, 2]);
  });
});
