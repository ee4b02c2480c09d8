import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalRow, checkTable, labelsOf } from '../../offchain/table/check-table.ts';
import { inferSchema, parseSchema, type Schema, type SchemaColumn } from '../../offchain/table/schema.ts';
import { selectRows, type Table } from '../../offchain/table/table.ts';
import { tableOf, xorshift } from './tables.ts';

/** Sixty rows: a label that alternates and the given column. */
function withColumn(
  name: string,
  cell: (row: number) => string | null,
  label = (row: number) => String(row % 2),
): Table {
  const next = xorshift(7);
  return tableOf(
    ['noise', name, 'label'],
    Array.from({ length: 60 }, (_, row) => [String(next() % 50), cell(row), label(row)]),
  );
}

function inferred(name: string, cell: (row: number) => string | null): { column: SchemaColumn; codes: string[] } {
  const { schema, warnings } = inferSchema(withColumn(name, cell), { label: 'label' });
  const codes = warnings.filter(({ column }) => column === name).map(({ code }) => code);
  return { column: schema.columns.find((column) => column.name === name)!, codes };
}

describe('inferSchema, columns', () => {
  const random = xorshift(3);
  const texts = Array.from({ length: 60 }, () => random().toString(36));
  const cases: [string, string, (row: number) => string | null, Partial<SchemaColumn>, string[]][] = [
    ['numbers', 'x', (row) => `${(row * 7) % 50}.5`, { type: 'number' }, []],
    ['numbers with missing cells', 'x', (row) => (row % 5 ? `${row % 9}` : 'NA'), { type: 'number' }, []],
    [
      'a few categories',
      'x',
      (row) => `c${row % 3}`,
      { type: 'category', categories: ['c0', 'c1', 'c2'], other: false },
      [],
    ],
    ['nothing', 'x', () => '?', { type: 'ignored', reason: 'empty' }, ['COLUMN_EMPTY']],
    ['one value', 'x', () => '4', { type: 'ignored', reason: 'constant' }, ['COLUMN_CONSTANT']],
    ['one value or none', 'x', (row) => (row % 7 ? 'a' : null), { type: 'category', categories: ['a'] }, []],
    [
      'text of its own per row',
      'x',
      (row) => `n${row}`,
      { type: 'ignored', reason: 'identifier' },
      ['COLUMN_IDENTIFIER'],
    ],
    ['row numbers', 'x', (row) => `${1000 - row}`, { type: 'ignored', reason: 'identifier' }, ['COLUMN_IDENTIFIER']],
    [
      'ids with gaps',
      'Patient ID',
      (row) => `${row * row}`,
      { type: 'ignored', reason: 'identifier' },
      ['COLUMN_IDENTIFIER'],
    ],
    [
      'ids in camel case',
      'userId',
      (row) => `${row * row}`,
      { type: 'ignored', reason: 'identifier' },
      ['COLUMN_IDENTIFIER'],
    ],
    ['distinct integers without such a name', 'paid', (row) => `${row * row}`, { type: 'number' }, []],
    ['distinct fractions named id', 'id', (row) => `${row}.5`, { type: 'number' }, []],
    ['text that rarely repeats', 'x', (row) => texts[row % 45]!, { type: 'ignored', reason: 'text' }, ['COLUMN_TEXT']],
    [
      'numbers and one word',
      'x',
      (row) => (row === 4 ? 'few' : `${row % 9}`),
      { type: 'category' },
      ['COLUMN_ALMOST_NUMBER'],
    ],
    [
      'two Unicode forms',
      'x',
      (row) => ['e\u0301', '\u00e9', 'z'][row % 3]!,
      { type: 'category' },
      ['COLUMN_NOT_NORMALISED'],
    ],
    ['the label again', 'x', (row) => (row % 2 ? 'yes' : 'no'), { type: 'category' }, ['COLUMN_GIVES_LABEL_AWAY']],
    [
      'cells missing where the label is 0',
      'x',
      (row) => (row % 2 ? `${row % 9}` : ''),
      { type: 'number' },
      ['COLUMN_GIVES_LABEL_AWAY'],
    ],
    [
      'a threshold',
      'x',
      (row) => `${(row % 2) * 100 + ((row * 7) % 50)}`,
      { type: 'number' },
      ['COLUMN_GIVES_LABEL_AWAY'],
    ],
    [
      'a threshold, but as many missing cells of either label',
      'x',
      (row) => (row % 4 < 2 ? null : `${(row % 2) * 100 + ((row * 7) % 50)}`),
      { type: 'number' },
      [],
    ],
    ['30 categories of two rows each, by chance pure', 'x', (row) => `c${row % 30}`, { type: 'category' }, []],
  ];
  for (const [title, name, cell, expected, codes] of cases) {
    it(`sees ${title}`, () => {
      const found = inferred(name, cell);
      assert.deepEqual({ ...found.column, ...expected }, found.column);
      assert.deepEqual(found.codes, codes);
    });
  }

  it('keeps the 32 most frequent categories, equals in code-unit order', () => {
    const rows = Array.from({ length: 120 }, (_, row) => [`c${row % 40}`, String(row % 3 === 0 ? 1 : 0)]);
    rows.push(...Array.from({ length: 5 }, () => ['c39', '1']));
    const { schema } = inferSchema(tableOf(['x', 'y'], rows), { label: 'y' });
    const [column] = schema.columns as [Extract<SchemaColumn, { type: 'category' }>];
    assert.equal(column.other, true);
    const others = Array.from({ length: 39 }, (_, at) => `c${at}`).sort();
    assert.deepEqual(column.categories, ['c39', ...others.slice(0, 31)]);
  });

  it('does not cry leak on ten rows, nor on a rare label', () => {
    const few = tableOf(
      ['x', 'y'],
      Array.from({ length: 10 }, (_, row) => [`${row}`, row < 5 ? '0' : '1']),
    );
    assert.deepEqual(inferSchema(few, { label: 'y' }).warnings, []);
    const rare = Array.from({ length: 5000 }, (_, row) => [`c${row % 4}`, row % 250 === 0 ? '1' : '0']);
    assert.deepEqual(inferSchema(tableOf(['x', 'y'], rare), { label: 'y' }).warnings, []);
  });

  it('never tells a value in a warning', () => {
    const table = withColumn('x', (row) => (row === 4 ? 'secret' : `${row % 9}`));
    assert(!JSON.stringify(inferSchema(table, { label: 'label' }).warnings).includes('secret'));
  });

  it('does not depend on the order of rows', () => {
    const cell = fc.option(fc.constantFrom('a', 'b', 'é', '1', '2.5', '1e3', 'NA', ''));
    const row = fc.tuple(cell, cell, fc.constantFrom('yes', 'no'));
    const rows = fc
      .array(row, { minLength: 2, maxLength: 40 })
      .filter((all) => new Set(all.map(([, , y]) => y)).size === 2);
    const both = rows.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray([...all.keys()], { minLength: all.length })),
    );
    fc.assert(
      fc.property(both, ([all, order]) => {
        const table = tableOf(['p', 'q', 'y'], all);
        const infer = (of: Table): Schema | string => {
          try {
            return inferSchema(of, { label: 'y' }).schema;
          } catch (error) {
            return (error as { code: string }).code;
          }
        };
        assert.deepEqual(infer(selectRows(table, order)), infer(table));
      }),
    );
  });
});

describe('inferSchema, label', () => {
  const labelled = (...values: (string | null)[]): Table =>
    tableOf(
      ['x', 'label'],
      values.map((value, row) => [String(row % 3), value]),
    );
  const positives: [string[], string][] = [
    [['0', '1', '1'], '1'],
    [['0.0', '1.0', '0'], '1'],
    [['TRUE', 'FALSE', 'TRUE'], 'TRUE'],
    [['no', 'Yes', 'Yes'], 'Yes'],
    [['n', 'y', 'y'], 'y'],
    [['Malignant', 'benign', 'Malignant'], 'Malignant'],
    [['-1', '1', '1'], '1'],
    [['10', '9', '10'], '10'],
    [['cat', 'dog', 'cat'], 'dog'],
    [['cat', 'dog'], 'dog'],
    [['dog', 'cat'], 'dog'],
  ];
  for (const [values, positive] of positives) {
    it(`takes ${positive} of ${values} as positive`, () => {
      const { schema, warnings } = inferSchema(labelled(...values), { label: 'label' });
      assert('positive' in schema.label);
      assert.equal(schema.label.positive, positive);
      assert.equal(
        warnings.some(({ code }) => code === 'LABEL_POSITIVE_GUESSED'),
        values.includes('cat'),
      );
    });
  }

  it('takes the class that is named', () => {
    const { schema } = inferSchema(labelled('0', '1'), { label: 'label', positive: '0.0' });
    assert.deepEqual(schema.label, { name: 'label', positive: '0', negative: '1' });
  });

  it('lists classes: numbers in their order, texts in code-unit order, whatever their order and frequency', () => {
    const numbers = labelled('10', '9.0', '-1', '9', '2', '9');
    assert.deepEqual(inferSchema(numbers, { label: 'label' }).schema.label, {
      name: 'label',
      classes: ['-1', '2', '9', '10'],
    });
    const texts = labelled('b', 'a', 'B', 'a', '10');
    const { schema, warnings } = inferSchema(texts, { label: 'label' });
    assert.deepEqual(schema.label, { name: 'label', classes: ['10', 'B', 'a', 'b'] });
    assert(warnings.every(({ code }) => code !== 'LABEL_POSITIVE_GUESSED'));
    assert.deepEqual([...labelsOf(texts, schema)], [3, 2, 1, 2, 0]);
  });

  it('takes the range of numbers where a regression is asked for', () => {
    const table = labelled('10', '-2.50', '1e1', '3');
    const { schema } = inferSchema(table, { label: 'label', task: 'regression' });
    assert.deepEqual(schema.label, { name: 'label', low: '-2.5', high: '10' });
    const labels = labelsOf(labelled('10', '-2.5', '3.75', '11', '-3', '-2.4999'), schema);
    assert(labels instanceof Uint16Array);
    assert.deepEqual([...labels], [65_535, 0, 32_768, 65_535, 0, 1]);
    assert.deepEqual(checkTable(labelled('7', '1e9'), schema), []);
    const [problem] = checkTable(labelled('7', 'many', '8'), schema);
    assert.equal(problem!.code, 'LABEL_UNKNOWN');
    assert.match(problem!.message, /line 3: expected a decimal number, found many/);
  });

  it('asks which it is where there are many numbers', () => {
    const numbers = Array.from({ length: 21 }, (_, row) => `${row * row}`);
    for (const task of ['classification', 'regression'] as const) {
      const { label } = inferSchema(labelled(...numbers), { label: 'label', task }).schema;
      assert.equal('classes' in label, task === 'classification');
    }
    assert('classes' in inferSchema(labelled(...numbers.slice(1)), { label: 'label' }).schema.label);
    assert.throws(() => inferSchema(labelled(...numbers), { label: 'label' }), {
      code: 'LABEL_TASK_UNCLEAR',
      next: /--task regression.*--task classification/,
    });
  });

  it('sees what gives one of several classes away', () => {
    const table = (cell: (row: number) => string) => withColumn('x', cell, (row) => `c${row % 3}`);
    const codes = (cell: (row: number) => string) =>
      inferSchema(table(cell), { label: 'label' }).warnings.map(({ column, code }) => `${column} ${code}`);
    assert.deepEqual(
      codes((row) => `k${(row % 3) * 2}`),
      ['x COLUMN_GIVES_LABEL_AWAY'],
    );
    assert.deepEqual(
      codes((row) => `k${row % 3 === 0}`),
      [],
    );
  });

  const many = Array.from({ length: 600 }, (_, row) => `k${row % 257}`);
  type Options = Parameters<typeof inferSchema>[1];
  const bad: [string, Table, Options, string, object][] = [
    ['no such column', labelled('0', '1'), { label: 'y' }, 'LABEL_COLUMN_UNKNOWN', { columns: ['x', 'label'] }],
    [
      'missing labels',
      labelled('0', 'NA', '1', null),
      { label: 'label' },
      'LABEL_MISSING_VALUES',
      { count: 2, lines: [3, 5] },
    ],
    ['one class', labelled('1', '1.0'), { label: 'label' }, 'LABEL_ONE_CLASS', { classes: [{ value: '1', rows: 2 }] }],
    ['257 classes', labelled(...many), { label: 'label' }, 'LABEL_TOO_MANY_CLASSES', { count: 257 }],
    [
      'a positive one of three',
      labelled('a', 'b', 'c'),
      { label: 'label', positive: 'a' },
      'LABEL_POSITIVE_UNKNOWN',
      {},
    ],
    [
      'a positive number',
      labelled('1', '2'),
      { label: 'label', positive: '1', task: 'regression' },
      'LABEL_POSITIVE_UNKNOWN',
      {},
    ],
    ['text as a number', labelled('1', 'x'), { label: 'label', task: 'regression' }, 'LABEL_NOT_NUMBER', { count: 1 }],
    ['one number', labelled('1', '1.0'), { label: 'label', task: 'regression' }, 'LABEL_ONE_CLASS', {}],
    [
      'another positive class',
      labelled('0', '1'),
      { label: 'label', positive: '2' },
      'LABEL_POSITIVE_UNKNOWN',
      { positive: '2' },
    ],
    [
      'no features',
      tableOf(
        ['x', 'y'],
        [
          ['1', '0'],
          ['1', '1'],
        ],
      ),
      { label: 'y' },
      'SCHEMA_NO_FEATURES',
      {},
    ],
  ];
  for (const [title, table, options, code, details] of bad) {
    it(`refuses ${title}`, () => {
      assert.throws(
        () => inferSchema(table, options),
        (error: { code: string; details: object }) => {
          assert.equal(error.code, code);
          assert.deepEqual({ ...error.details, ...details }, error.details);
          return true;
        },
      );
    });
  }

  it('lists at most ten classes with their counts', () => {
    assert.throws(
      () => inferSchema(labelled(...many), { label: 'label' }),
      (error: Error) => {
        assert.equal(error.message.match(/k\d+ \(\d\)/g)!.length, 10);
        return true;
      },
    );
  });
});

const SCHEMA: Schema = {
  version: 1,
  label: { name: 'y', positive: 'yes', negative: 'no' },
  columns: [
    { name: 'n', type: 'number' },
    { name: 'c', type: 'category', categories: ['a', 'b'], other: false },
    { name: 'i', type: 'ignored', reason: 'identifier' },
  ],
};

describe('parseSchema', () => {
  it('takes back what inferSchema gave, through JSON', () => {
    const { schema } = inferSchema(
      withColumn('x', (row) => `c${row % 3}`),
      { label: 'label' },
    );
    assert.deepEqual(parseSchema(JSON.parse(JSON.stringify(schema))), schema);
  });

  it('tells all problems at once, each with its path', () => {
    const columns = [
      { name: 'n', type: 'text' },
      { name: '', type: 'number' },
    ];
    assert.throws(
      () => parseSchema({ ...SCHEMA, columns, more: 1 }),
      (error: { code: string; details: object }) => {
        const problems = (error.details as { problems: string[] }).problems.join('\n');
        assert.equal(error.code, 'SCHEMA_INVALID');
        assert.match(problems, /columns\.0\.type[\s\S]*columns\.1\.name[\s\S]*more/);
        return true;
      },
    );
  });

  const wrong: [string, Schema][] = [
    ['equal classes', { ...SCHEMA, label: { name: 'y', positive: 'a', negative: 'a' } }],
    ['two classes in a list', { ...SCHEMA, label: { name: 'y', classes: ['a', 'b'] } }],
    ['a class twice', { ...SCHEMA, label: { name: 'y', classes: ['a', 'b', 'a'] } }],
    ['an empty range', { ...SCHEMA, label: { name: 'y', low: '1', high: '1' } }],
    ['a range of other text', { ...SCHEMA, label: { name: 'y', low: '1.0', high: '2' } }],
    ['the label as a feature', { ...SCHEMA, label: { ...SCHEMA.label, name: 'n' } }],
    ['a column twice', { ...SCHEMA, columns: [...SCHEMA.columns, SCHEMA.columns[0]!] }],
    ['no feature', { ...SCHEMA, columns: [SCHEMA.columns[2]!] }],
    [
      'a category twice',
      { ...SCHEMA, columns: [{ name: 'c', type: 'category', categories: ['a', 'a'], other: true }] },
    ],
  ];
  for (const [title, schema] of wrong) {
    it(`refuses ${title}`, () => assert.throws(() => parseSchema(schema), { code: 'SCHEMA_INVALID' }));
  }
});

describe('checkTable', () => {
  it('is content with a table that fits, in any order of columns and with new categories', () => {
    assert.deepEqual(
      checkTable(
        tableOf(
          ['y', 'c', 'n'],
          [
            ['yes', 'new', '1e3'],
            ['no', '', 'NA'],
          ],
        ),
        SCHEMA,
      ),
      [],
    );
  });

  it('tells everything that does not fit, with lines and without values', () => {
    const rows = [
      ['secret', 'a', 'maybe'],
      ['1', 'b', ''],
      ['0x1', 'a', 'yes'],
    ];
    const problems = checkTable(tableOf(['n', 'extra', 'y'], rows), SCHEMA);
    const short = problems.map(({ code, column, count, lines }) => [code, column, count, ...lines]);
    assert.deepEqual(short, [
      ['COLUMN_UNKNOWN', 'extra', 0],
      ['VALUE_NOT_NUMBER', 'n', 2, 2, 4],
      ['COLUMN_ABSENT', 'c', 0],
      ['LABEL_ABSENT', 'y', 1, 3],
      ['LABEL_UNKNOWN', 'y', 1, 2],
    ]);
    assert(!JSON.stringify(problems).includes('secret'));
    assert(problems.at(-1)!.message.includes('maybe'));
    assert.equal(checkTable(tableOf(['n', 'c'], [['1', 'a']]), SCHEMA)[0]!.code, 'COLUMN_ABSENT');
  });

  it('shows ten lines of many', () => {
    const [problem] = checkTable(
      tableOf(
        ['n', 'c', 'y'],
        Array.from({ length: 99 }, () => ['x', 'a', 'no']),
      ),
      SCHEMA,
    );
    assert.equal(problem!.count, 99);
    assert.deepEqual(problem!.lines, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });
});

describe('canonicalRow and labelsOf', () => {
  it('writes one form for one row, whatever the spelling, the order of columns and the identifier', () => {
    const one = tableOf(
      ['i', 'n', 'c', 'y'],
      [
        ['7', '1.50', ' a ', 'yes'],
        ['8', '-0', null, 'no'],
      ],
    );
    const other = tableOf(
      ['y', 'c', 'n', 'i'],
      [
        ['yes', 'a', '15e-1', '99'],
        ['no', 'N/A', '0', '98'],
      ],
    );
    for (const table of [one, other]) {
      assert.equal(canonicalRow(table, SCHEMA, 'row')(0), '{"c":"a","n":"1.5","y":"yes"}');
      assert.equal(canonicalRow(table, SCHEMA, 'features')(0), '{"c":"a","n":"1.5"}');
      assert.equal(canonicalRow(table, SCHEMA, 'row')(1), '{"n":"0","y":"no"}');
      assert.deepEqual([...labelsOf(table, SCHEMA)], [1, 0]);
    }
  });

  it('keeps a column named __proto__', () => {
    const schema: Schema = { ...SCHEMA, columns: [{ name: '__proto__', type: 'number' }] };
    assert.equal(canonicalRow(tableOf(['__proto__', 'y'], [['1', 'no']]), schema, 'features')(0), '{"__proto__":"1"}');
  });
});
