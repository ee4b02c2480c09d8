import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Features } from '../../offchain/table/quantise.ts';
import { addColumns, columnSums, columnsOf } from '../../offchain/train/columns.ts';
import { gramOf } from '../../offchain/train/gram.ts';
import { uniform } from './tables.ts';

/** Rows around what a block and a vector of the module hold, and columns around what it sums and weighs at once. */
const rows = fc.constantFrom(1, 2, 7, 8, 9, 63, 4031, 4032, 4033, 8070);
const width = fc.constantFrom(1, 2, 3, 4, 5, 31, 239, 240, 241);

/** Every third column is seldom other than 0. */
function drawn(rows: number, width: number, next = uniform(rows + width)): Features {
  const byte = (column: number) => (column % 3 === 1 && next() > 0.03 ? 0 : Math.floor(next() * 256));
  const values = Uint8Array.from({ length: rows * width }, (_, at) => byte(Math.floor(at / rows)));
  return { rows, columns: Array.from({ length: width }, (_, j) => `f${j}`), values };
}

const drawnNumbers = (length: number) => {
  const next = uniform(length);
  return Float64Array.from({ length }, () => next() - 0.5);
};

const same = (actual: Float64Array, expected: Float64Array) => assert.deepEqual([...actual], [...expected]);

describe('sums over columns', () => {
  it('are those of one number after the other, to the bit', () => {
    fc.assert(
      fc.property(rows, width, (rows, width) => {
        const features = drawn(rows, width);
        const columns = columnsOf(features);
        const [weights, factors] = [drawnNumbers(width), drawnNumbers(rows)];
        const [sums, expected] = [new Float64Array(rows).fill(0.1), new Float64Array(rows).fill(0.1)];
        for (const [j, column] of columns.entries()) {
          for (const [row, x] of column.entries()) expected[row]! += weights[j]! * x;
        }
        same(addColumns(sums, weights, features), expected);
        same(
          columnSums(factors, features),
          Float64Array.from(columns, (column) => column.reduce((sum, x, row) => sum + factors[row]! * x, 0)),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('leave out the columns that have no weight', () => {
    const features = drawn(10, 5);
    const first = { ...features, columns: features.columns.slice(0, 3), values: features.values.subarray(0, 30) };
    same(
      addColumns(new Float64Array(10), [1, 2, 3], features),
      addColumns(new Float64Array(10), Float64Array.of(1, 2, 3), first),
    );
  });
});

describe('gramOf', () => {
  it('gives the sums and products of the first rows', () => {
    fc.assert(
      fc.property(rows, fc.constantFrom(1, 2, 3, 4, 5, 31, 300), (rows, width) => {
        const columns = columnsOf(drawn(rows, width));
        const sample = Math.max(1, rows - 3);
        const { sums, products } = gramOf(columns, sample);
        for (const [i, own] of columns.entries()) {
          const dot = (factor: (row: number) => number) =>
            own.subarray(0, sample).reduce((sum, x, row) => sum + x * factor(row), 0);
          assert.equal(
            sums[i],
            dot(() => 1),
          );
          for (let j = 0; j <= i; j += 1 + Math.floor(i / 5)) {
            assert.equal(
              products[i * width + j],
              dot((row) => columns[j]![row]!),
            );
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('is exact where every byte is the largest', () => {
    const rows = 100_000;
    const column = new Uint8Array(rows).fill(255);
    const { sums, products } = gramOf([column, column, column], rows);
    assert.deepEqual([...sums], [255 * rows, 255 * rows, 255 * rows]);
    assert.deepEqual(
      products,
      Float64Array.of(1, 0, 0, 1, 1, 0, 1, 1, 1).map((some) => some * 65_025 * rows),
    );
  });
});
