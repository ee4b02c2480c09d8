import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalRow, labelsOf } from '../../offchain/table/check-table.ts';
import { inferSchema } from '../../offchain/table/schema.ts';
import { type Split, type SplitSizes, splitTable } from '../../offchain/table/split.ts';
import { selectRows, type Table } from '../../offchain/table/table.ts';
import { tableOf, xorshift } from './tables.ts';

const PARTS = ['benchmark', 'baseline', 'contribution'] as const;

/** Rows of two numbers below `values`, written in several ways, and a label that is 1 in `positives` of 10 rows. */
function tableWith({
  rows,
  values,
  positives,
  seed,
}: {
  rows: number;
  values: number;
  positives: number;
  seed: number;
}) {
  const next = xorshift(seed);
  const cell = (): string => [String(next() % values), `${next() % values}.0`][next() % 2]!;
  const cells = Array.from({ length: rows }, () => [cell(), cell(), next() % 10 < positives ? '1' : '0']);
  return tableOf(['a', 'b', 'y'], [...cells, ['0', '-1', '1'], ['0', '-2', '1'], ['0', '-1', '0'], ['0', '-2', '0']]);
}

function splitOf(table: Table, sizes: SplitSizes & { seed?: number; maxBenchmark?: number } = {}) {
  const { schema } = inferSchema(table, { label: 'y' });
  const split = splitTable(table, schema, { seed: 1, maxBenchmark: 4096, ...sizes });
  const row = canonicalRow(table, schema, 'row');
  const features = canonicalRow(table, schema, 'features');
  return { split, labels: labelsOf(table, schema), row, features };
}

const tables = fc.record({
  rows: fc.integer({ min: 1, max: 400 }),
  values: fc.integer({ min: 3, max: 1000 }),
  positives: fc.integer({ min: 1, max: 9 }),
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
});

/** Distinct rows of each class. */
function distinctOf(table: Table): [negatives: number, positives: number] {
  const { schema } = inferSchema(table, { label: 'y' });
  const row = canonicalRow(table, schema, 'row');
  const labels = labelsOf(table, schema);
  const of = (label: number): number =>
    new Set([...labels.keys()].filter((at) => labels[at] === label).map((at) => row(at))).size;
  return [of(0), of(1)];
}

describe('splitTable', () => {
  it('keeps one of each distinct row, and rows with equal features together', () => {
    fc.assert(
      fc.property(tables, fc.integer({ min: 2, max: 40 }), fc.integer({ min: 2, max: 100 }), (shape, base, bench) => {
        const table = tableWith(shape);
        const [negatives, positives] = distinctOf(table);
        fc.pre(negatives + positives >= base + bench + 10);
        const { split, row, features } = splitOf(table, { baselineRows: base, benchmarkRows: bench });
        const kept = PARTS.flatMap((part) => split[part]);
        const rows = new Set(kept.map(row));
        for (const part of PARTS) {
          const digests = split[part].map((at) =>
            createHash('sha256')
              .update(`1\n${features(at)}`)
              .digest('hex'),
          );
          assert.deepEqual(digests, digests.toSorted());
        }
        assert.equal(rows.size, kept.length);
        assert.equal(kept.length, negatives + positives);
        assert.equal(split.duplicates, table.rows - kept.length);
        const sets = PARTS.map((part) => new Set(split[part].map(features)));
        for (const [i, one] of sets.entries()) {
          for (const other of sets.slice(i + 1)) assert(![...one].some((digest) => other.has(digest)));
        }
        const distinct = sets.reduce((sum, set) => sum + set.size, 0);
        assert.equal(split.contradictions, kept.length - distinct);
      }),
      { numRuns: 60 },
    );
  });

  it('gives each part its size and its share of positives, to the row', () => {
    fc.assert(
      fc.property(tables, fc.integer({ min: 2, max: 40 }), fc.integer({ min: 2, max: 100 }), (shape, base, bench) => {
        const table = tableWith(shape);
        const [negatives, positives] = distinctOf(table);
        const total = negatives + positives;
        fc.pre(total >= base + bench + 10);
        const { split, labels } = splitOf(table, { baselineRows: base, benchmarkRows: bench });
        const count = (part: number[]): number => part.filter((row) => labels[row] === 1).length;
        const slack = split.contradictions > 0 ? 1 : 0;
        for (const [part, size] of [
          [split.benchmark, bench],
          [split.baseline, base],
        ] as const) {
          assert(part.length <= size && part.length >= size - slack, `${part.length} of ${size}`);
          assert(count(part) >= 1 && count(part) < part.length);
        }
        const near = (part: number[], rows: number, ones: number, of: number): boolean =>
          Math.abs(count(part) - (ones * part.length) / of) <= 1 + slack || rows === 0;
        const share = (positives * bench) / total;
        if (share > 1 && share < bench - 1) assert(near(split.benchmark, bench, positives, total));
        const [ones, left] = [positives - count(split.benchmark), total - split.benchmark.length];
        const least = Math.min(5, base >> 1);
        const [fewest, most] = [Math.min(least, ones), base - Math.min(least, left - ones)];
        if ((ones * base) / left > fewest && (ones * base) / left < most)
          assert(near(split.baseline, base, ones, left));
        else assert(count(split.baseline) >= fewest - slack && count(split.baseline) <= most + slack);
      }),
      { numRuns: 120 },
    );
  });

  it('does not depend on the order of rows or columns, but on the seed', () => {
    fc.assert(
      fc.property(tables, (shape) => {
        const table = tableWith({ ...shape, rows: shape.rows + 200 });
        fc.pre(distinctOf(table).reduce((a, b) => a + b) >= 79);
        const next = xorshift(shape.seed);
        const keys = Array.from({ length: table.rows }, next);
        const shuffled = selectRows(
          table,
          [...keys.keys()].sort((a, b) => keys[a]! - keys[b]!),
        );
        shuffled.columns.reverse();
        const cells = (from: Table, split: Split) =>
          PARTS.map((part) => split[part].map((row) => ['a', 'b', 'y'].map((n) => cellOf(from, n, row)).join()));
        const one = cells(table, splitOf(table).split);
        assert.deepEqual(cells(shuffled, splitOf(shuffled).split), one);
        assert.notDeepEqual(cells(table, splitOf(table, { seed: 2 }).split), one);
      }),
      { numRuns: 60 },
    );
  });

  it('chooses sizes: half up to the largest benchmark, a tenth of the others but at least 30, and the rest', () => {
    const sizes = (rows: number, maxBenchmark = 4096) => {
      const { split } = splitOf(unique(rows), { maxBenchmark });
      return PARTS.map((part) => split[part].length);
    };
    assert.deepEqual(sizes(569), [284, 30, 255]);
    assert.deepEqual(sizes(79), [39, 30, 10]);
    assert.deepEqual(sizes(1001), [500, 50, 451]);
    assert.deepEqual(sizes(1001, 300), [300, 70, 631]);
  });

  it('gives both classes to benchmark and baseline even when one has two rows', () => {
    const { split, labels } = splitOf(unique(500, (row) => row < 2));
    for (const part of [split.benchmark, split.baseline]) {
      assert.equal(part.filter((row) => labels[row] === 1).length, 1);
    }
    const { split: large, labels: two } = splitOf(
      unique(100, (row) => row < 2),
      { baselineRows: 10, benchmarkRows: 80 },
    );
    assert.equal(large.baseline.filter((row) => two[row] === 1).length, 1);
    const { split: twelve, labels: ones } = splitOf(unique(500, (row) => row < 12));
    assert.equal(twelve.baseline.filter((row) => ones[row] === 1).length, 5);
  });

  it('says how many rows would do', () => {
    const kind = 'terminal';
    assert.throws(() => splitOf(unique(78)), {
      code: 'SPLIT_TOO_FEW_ROWS',
      kind,
      message: /78 distinct rows.*79 would/,
    });
    assert.throws(() => splitOf(unique(60), { baselineRows: 11, benchmarkRows: 40 }), {
      code: 'SPLIT_SIZES_TOO_LARGE',
      kind: 'configuration',
      message: /60 distinct rows.*need 61/,
    });
    splitOf(unique(61), { baselineRows: 11, benchmarkRows: 40 });
    assert.throws(() => splitOf(unique(100, (row) => row === 0)), { code: 'SPLIT_CLASS_TOO_SMALL', kind });
  });
});

function cellOf(table: Table, name: string, row: number): string | null {
  return table.columns.find((column) => column.name === name)!.values[row]!;
}

/** Rows that all differ. */
function unique(rows: number, positive = (row: number): boolean => row % 3 === 0): Table {
  const cells = Array.from({ length: rows }, (_, row) => [`${row}.5`, `${row % 7}`, positive(row) ? '1' : '0']);
  return tableOf(['a', 'b', 'y'], cells);
}

describe('splitTable, of many classes and of numbers', () => {
  /** Rows of two numbers, and a label of `classes` values, the later the more frequent. */
  const tableOfClasses = fc
    .record({
      rows: fc.integer({ min: 150, max: 400 }),
      values: fc.integer({ min: 8, max: 1000 }),
      classes: fc.integer({ min: 3, max: 6 }),
      seed: fc.integer({ min: 1, max: 2 ** 31 }),
    })
    .map(({ rows, values, classes, seed }) => {
      const next = xorshift(seed);
      const label = () => String(Math.max(next() % classes, next() % classes));
      const cells = Array.from({ length: rows }, () => [String(next() % values), String(next() % values), label()]);
      // Two rows of each class that differ from all others, and enough to split.
      const own = Array.from({ length: 100 }, (_, row) => [`${-1 - row}`, '0', String(row % classes)]);
      return tableOf(['a', 'b', 'y'], [...cells, ...own]);
    });

  const splitBy = (table: Table, task: 'classification' | 'regression') => {
    const { schema } = inferSchema(table, { label: 'y', task });
    const split = splitTable(table, schema, { seed: 1, maxBenchmark: 4096 });
    const row = canonicalRow(table, schema, 'row');
    return { split, labels: labelsOf(table, schema), row, features: canonicalRow(table, schema, 'features'), schema };
  };

  for (const task of ['classification', 'regression'] as const) {
    it(`keeps distinct rows once and rows of equal features together, for a ${task}`, () => {
      fc.assert(
        fc.property(tableOfClasses, (table) => {
          const { split, row, features } = splitBy(table, task);
          const kept = PARTS.flatMap((part) => split[part].map(row));
          assert.equal(new Set(kept).size, kept.length);
          assert.equal(kept.length, new Set([...Array(table.rows).keys()].map(row)).size);
          assert.equal(split.duplicates, table.rows - kept.length);
          const [benchmark, ...others] = PARTS.map((part) => new Set(split[part].map(features)));
          for (const other of others) assert([...other].every((digest) => !benchmark!.has(digest)));
          // Rows that stay together may leave room for fewer than they are.
          assert(split.benchmark.length <= kept.length >> 1);
          assert(split.benchmark.length >= (kept.length >> 1) - 6);
        }),
        { numRuns: 40 },
      );
    });
  }

  it('gives each part its share of each class, and the baseline some of each', () => {
    const next = xorshift(9);
    const label = (row: number) => String(row % 10 < 7 ? 0 : row % 4);
    const cells = Array.from({ length: 500 }, (_, row) => [`${row}.5`, String(next() % 90), label(row)]);
    const { split, labels, schema } = splitBy(tableOf(['a', 'b', 'y'], cells), 'classification');
    assert('classes' in schema.label);
    const count = (rows: number[], of: number) => rows.filter((row) => labels[row] === of).length;
    const all = [...Array(500).keys()];
    for (const of of schema.label.classes.keys()) {
      assert(Math.abs(count(split.benchmark, of) - count(all, of) / 2) <= 1);
      assert(count(split.baseline, of) >= 5);
    }
    assert.equal(split.baseline.length, 30);
  });

  it('does not depend on the order of the rows', () => {
    fc.assert(
      fc.property(tableOfClasses, (table) => {
        const reversed = selectRows(table, [...Array(table.rows).keys()].reverse());
        const [one, other] = [splitBy(table, 'classification'), splitBy(reversed, 'classification')];
        for (const part of PARTS) assert.deepEqual(one.split[part].map(one.row), other.split[part].map(other.row));
      }),
      { numRuns: 20 },
    );
  });

  it('refuses a class of one row', () => {
    const cells = Array.from({ length: 100 }, (_, row) => [
      `${row}.5`,
      String(row % 7),
      String(row === 0 ? 2 : row % 2),
    ]);
    assert.throws(() => splitBy(tableOf(['a', 'b', 'y'], cells), 'classification'), {
      code: 'SPLIT_CLASS_TOO_SMALL',
      message: /class 2 of y has one distinct row only/,
    });
  });
});
