import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { keccak256, toBytes } from 'viem';
import {
  fitQuantiser,
  parseQuantiser,
  type Quantiser,
  quantise,
  quantiserHash,
} from '../../offchain/table/quantise.ts';
import type { Schema } from '../../offchain/table/schema.ts';
import { selectRows, type Table } from '../../offchain/table/table.ts';
import { tableOf } from './tables.ts';

const label = { name: 'y', positive: '1', negative: '0' };
const NUMBER: Schema = { version: 1, label, columns: [{ name: 'x', type: 'number' }] };

const column = (values: (string | null)[]): Table =>
  tableOf(
    ['x'],
    values.map((value) => [value]),
  );
const fitted = (values: (string | null)[]) => fitQuantiser(column(values), NUMBER).columns[0]!;
const bytes = (values: (string | null)[], quantiser: Quantiser): number[][] => {
  const { rows, columns, values: flat } = quantise(column(values), quantiser);
  return columns.map((_, at) => [...flat.subarray(at * rows, (at + 1) * rows)]);
};

describe('fitQuantiser', () => {
  const hundred = Array.from({ length: 100 }, (_, row) => String(row));

  it('takes minimum and maximum where nothing lies far out', () => {
    assert.deepEqual(fitted(hundred), { name: 'x', type: 'number', low: '0', high: '99', median: 126, missing: false });
  });

  it('leaves outliers out of the range, on either side', () => {
    const { low, high } = fitted([...hundred, '1e9', '-12345.60']) as { low: string; high: string };
    assert.deepEqual([low, high], ['0', '99']);
  });

  it('takes the range of the others where nine in ten values are the same', () => {
    const values = [...Array.from({ length: 2000 }, () => '0'), ...hundred.map((value) => `1${value}`), '1e12'];
    const { low, high, median } = fitted(values) as { low: string; high: string; median: number };
    assert.deepEqual([low, high, median], ['0', '199', 0]);
  });

  it('knows a single value and none', () => {
    const one = { name: 'x', type: 'number', low: '7', high: '7', median: 0, missing: true };
    assert.deepEqual(fitted(['7', null, '7.0']), one);
    assert.deepEqual(fitted(['NA']), { ...one, low: '0', high: '0' });
  });

  it('takes limits that a double does not tell apart in one way, whatever the order', () => {
    const values = ['9007199254740993', '9007199254740992', '0', '1'];
    assert.equal((fitted(values) as { high: string }).high, '9007199254740992');
    assert.deepEqual(fitted(values.toReversed()), fitted(values));
  });

  it('does not depend on the order of rows', () => {
    const cell = fc.option(
      fc.oneof(
        fc.constantFrom('0', '1.50', '1.5', '-1e-7', 'NA'),
        fc
          .double({ noNaN: true, min: -1e99, max: 1e99 })
          .map((value) => (Math.abs(value) < 1e-299 ? '0' : String(value))),
      ),
    );
    const both = fc
      .array(cell, { minLength: 1, maxLength: 60 })
      .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all.keys()], { minLength: all.length })));
    fc.assert(
      fc.property(both, ([all, order]) => {
        assert.deepEqual(fitQuantiser(selectRows(column(all), order), NUMBER), fitQuantiser(column(all), NUMBER));
      }),
    );
  });
});

describe('quantise', () => {
  const of = (low: string, high: string, missing = false, median = 9): Quantiser => ({
    version: 1,
    columns: [{ name: 'x', type: 'number', low, high, median, missing }],
  });

  it('maps low to 0, high to 255, halves up, and clips beyond', () => {
    const values = ['0', '1', '-5', '2', '0.5', '0.0019607843137254', '0.0019607843137256', '0.3'];
    assert.deepEqual(bytes(values, of('0', '1')), [[0, 255, 0, 255, 128, 0, 1, 77]]);
    assert.deepEqual(bytes(['1', '2'], of('0', '510')), [[1, 1]]);
  });

  it('is monotone and stays within range, at any magnitude', () => {
    const number = fc
      .oneof(fc.double({ noNaN: true, min: -9e299, max: 9e299 }), fc.integer({ min: -99, max: 99 }))
      .map(String);
    fc.assert(
      fc.property(fc.array(number, { minLength: 2, maxLength: 9 }), fc.tuple(number, number), (values, range) => {
        const [low, high] = range.toSorted((a, b) => Number(a) - Number(b)) as [string, string];
        const sorted = [...values, low, high].sort((a, b) => Number(a) - Number(b));
        const [found] = bytes(sorted, of(low, high)) as [number[]];
        assert.deepEqual(
          found,
          found.toSorted((a, b) => a - b),
        );
        if (Number(low) < Number(high)) assert.equal(found[sorted.lastIndexOf(high)], 255);
        assert.equal(found[sorted.indexOf(low)], 0);
      }),
    );
  });

  it('is within half a bin of the value', () => {
    const number = fc.double({ noNaN: true, min: -1e6, max: 1e6 });
    fc.assert(
      fc.property(number, number, fc.double({ noNaN: true, min: 0, max: 1 }), (a, b, t) => {
        fc.pre(Math.abs(a - b) > 1e-3);
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const value = low + t * (high - low);
        const [[byte]] = bytes([String(value)], of(String(low), String(high))) as [[number]];
        assert(Math.abs(low + (byte * (high - low)) / 255 - value) <= ((high - low) / 510) * (1 + 1e-6));
      }),
    );
  });

  it('gives a missing value the median, and an indicator only where the baseline had missing values', () => {
    assert.deepEqual(bytes(['0', 'NA', '1'], of('0', '1', true)), [
      [0, 9, 255],
      [0, 255, 0],
    ]);
    assert.deepEqual(bytes(['0', null, '1'], of('0', '1', false)), [[0, 9, 255]]);
  });

  it('gives each kept category a column, then others, then missing', () => {
    const columns = [{ name: 'c', type: 'category' as const, categories: ['b', 'a'], other: true }];
    const table = tableOf(['c'], [['a'], [' b'], ['z'], ['']]);
    const quantiser = fitQuantiser(table, { version: 1, label, columns });
    const { columns: names, values } = quantise(table, quantiser);
    assert.deepEqual(names, ['c=b', 'c=a', 'c=*', 'c?']);
    assert.deepEqual([...values], [0, 255, 0, 0, 255, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255]);
    const narrow = fitQuantiser(tableOf(['c'], [['a']]), {
      version: 1,
      label,
      columns: [{ ...columns[0]!, other: false }],
    });
    assert.deepEqual([...quantise(table, narrow).values], [0, 255, 0, 0, 255, 0, 0, 0]);
  });
});

describe('quantiserHash and parseQuantiser', () => {
  const quantiser = fitQuantiser(column(['1.50', null, '3']), NUMBER);

  it('hashes the canonical JSON, and nothing but strings and integers', () => {
    const json =
      '{"columns":[{"high":"3","low":"1.5","median":0,"missing":true,"name":"x","type":"number"}],"version":1}';
    assert.equal(quantiserHash(quantiser), keccak256(toBytes(json)));
    assert.deepEqual(parseQuantiser(JSON.parse(json)), quantiser);
  });

  const wrong: [string, object][] = [
    ['a limit that is not canonical', { low: '1.50' }],
    ['low above high', { low: '4' }],
    ['a median beyond a byte', { median: 256 }],
  ];
  for (const [title, change] of wrong) {
    it(`refuses ${title}`, () => {
      const columns = [{ ...quantiser.columns[0], ...change }];
      assert.throws(() => parseQuantiser({ version: 1, columns }), { code: 'QUANTISER_INVALID' });
    });
  }
});
