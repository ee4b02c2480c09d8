/** New rows that say nearly what is known: told, and by the terms left out. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type IntegrationTerms, integrate } from '../../offchain/table/integrate.ts';
import { nearRows } from '../../offchain/table/near-rows.ts';
import { parseSchema } from '../../offchain/table/schema.ts';
import type { Table } from '../../offchain/table/table.ts';

const SCHEMA = parseSchema({
  version: 1,
  label: { name: 'y', positive: 'b', negative: 'a' },
  columns: [
    { name: 'x', type: 'number' },
    { name: 'z', type: 'number' },
    { name: 'c', type: 'category', categories: ['u', 'v'], other: true },
  ],
});
type Row = readonly [x: string | null, z: string, c: string, y: string];
const tableOf = (rows: readonly Row[]): Table => ({
  file: 'rows.csv',
  rows: rows.length,
  columns: ['x', 'z', 'c', 'y'].map((name, at) => ({ name, values: rows.map((row) => row[at]!) })),
  lines: Uint32Array.from(rows, (_, i) => i + 2),
});
/** Spread 0.9 in both numbers: a cell is 0.009 wide. */
const HEAD = Array.from({ length: 101 }, (_, i): Row => [String(i / 100), String(((i * 37) % 101) / 100), 'u', 'a']);
const BENCHMARK: readonly Row[] = [['5.5', '5.5', 'v', 'b']];
const merged = (rows: readonly Row[], terms: IntegrationTerms, head = HEAD) =>
  integrate(tableOf(rows), {
    trainingSet: tableOf(head),
    benchmark: tableOf(BENCHMARK),
    schema: SCHEMA,
    integration: terms,
  });

const [ALIKE, OTHER_LABEL, OTHER_CATEGORY, FAR, SEALED, KNOWN]: readonly Row[] = [
  ['0.1001', '0.6701', 'u', 'a'],
  ['0.1001', '0.6701', 'u', 'b'],
  ['0.1001', '0.6701', 'v', 'a'],
  ['0.115', '0.67', 'u', 'a'],
  ['5.5001', '5.4999', 'v', 'a'],
  ['0.10', '6.7e-1', 'u', 'a'],
];
const ROWS = [ALIKE!, OTHER_LABEL!, OTHER_CATEGORY!, FAR!, SEALED!, KNOWN!];

describe('rows that are nearly known', () => {
  it('are told, and learned from where the terms do not leave them out', () => {
    const { fresh, near, ignored, overlap } = merged(ROWS, {});
    assert.deepEqual(near, { trainingSet: 1, benchmark: 1 });
    assert.deepEqual([fresh.length, ignored.known, overlap], [5, 1, 0]);
  });

  it('are left out as known ones are, where the terms say so', () => {
    const { fresh, near, ignored, balance } = merged(ROWS, { nearBps: 8000 });
    assert.deepEqual(near, { trainingSet: 1, benchmark: 1 });
    assert.deepEqual([fresh.toSorted(), ignored.known], [[1, 2, 3], 3]);
    assert.deepEqual(balance, { before: [101, 0], after: [103, 1] });
  });

  it('are fewer, the more similar they have to be', () => {
    const found = [1000, 8000, 9999].map((nearBps) => merged(ROWS, { nearBps }).near.trainingSet);
    assert.deepEqual(found, [2, 1, 0]);
  });

  it('are none without a number, and none by a missing cell alone', () => {
    const schema = parseSchema({ ...SCHEMA, columns: SCHEMA.columns.slice(2) });
    const line = { trainingSet: tableOf(HEAD), benchmark: tableOf(BENCHMARK), schema };
    assert(!nearRows(tableOf(ROWS), line).trainingSet.includes(true));
    assert.equal(merged([[null, '0.67', 'u', 'a']], {}).near.trainingSet, 0);
  });

  it('are the same in any order of rows', () => {
    const someRow = fc.tuple(
      fc.option(
        fc.double({ min: -1, max: 1, noNaN: true }).map((x) => x.toFixed(3)),
        { nil: null },
      ),
      fc.nat(9).map((z) => String(z / 10)),
      fc.constantFrom('u', 'v'),
      fc.constantFrom('a', 'b'),
    );
    const rows = fc.array(someRow, { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(rows, rows, fc.integer({ min: 1000, max: 9999 }), (contribution, head, nearBps) => {
        const one = merged(contribution, { nearBps }, head);
        const other = merged(contribution.toReversed(), { nearBps }, head.toReversed());
        assert.deepEqual([other.near, other.ignored], [one.near, one.ignored]);
      }),
    );
  });
});
