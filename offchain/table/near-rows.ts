import { canonicalText, cellText } from './cell.ts';
import { columnOf } from './check-table.ts';
import { classesOf } from './label.ts';
import type { Schema } from './schema.ts';
import type { Table } from './table.ts';

/** Numbers are alike by so much more than categories: at 8,000 basis points within a hundredth of a column's spread. */
const NUMBERS = 20;

/** From which similarity on rows are near where the terms do not say, in basis points. */
export const NEAR_BPS = 8000;

/**
 * The rows of a contribution that are nearly a row of another table: each of their numbers lies in the same cell of one of
 * two grids, the second moved by half a cell, and all else is equal. A cell is (1 - similarity) / 20 of the column's
 * spread wide, which is from the 5th to the 95th percentile of the training set. Without a number no row is near.
 *
 * Comparison, + - x / and floor on doubles alone, so every validator finds the same.
 *
 * @param bps similarity, in basis points, below 10,000
 * @returns by row whether it is near to one of the training set, label included, or to one of the benchmark without it
 */
export function nearRows(
  contribution: Table,
  { trainingSet, benchmark, schema }: { trainingSet: Table; benchmark: Table; schema: Schema },
  bps = NEAR_BPS,
): { trainingSet: boolean[]; benchmark: boolean[] } {
  const features = schema.columns.filter(({ type }) => type !== 'ignored');
  const label = { name: schema.label.name, type: classesOf(schema.label) === 0 ? 'number' : 'category' } as const;
  const near = (other: Table, columns: readonly { name: string; type: string }[]): boolean[] => {
    const widths = new Map(
      columns.flatMap(({ name, type }) =>
        type === 'number' ? [[name, (spreadOf(trainingSet, name) * (10_000 - bps)) / (NUMBERS * 10_000)] as const] : [],
      ),
    );
    const found = Array.from({ length: contribution.rows }, () => false);
    if (!features.some(({ type }) => type === 'number')) return found;
    for (const offset of [0, 0.5]) {
      const [ours, theirs] = [contribution, other].map((table) => keysOf(table, columns, widths, offset));
      const known = new Set(theirs);
      for (const [row, key] of ours!.entries()) found[row] ||= known.has(key);
    }
    return found;
  };
  return { trainingSet: near(trainingSet, [...features, label]), benchmark: near(benchmark, features) };
}

/** Of each row the cell of the grid that it lies in. */
function keysOf(
  table: Table,
  columns: readonly { name: string }[],
  widths: ReadonlyMap<string, number>,
  offset: number,
): string[] {
  const cells = columns.map(({ name }) => {
    const width = widths.get(name);
    return columnOf(table, name).values.map((value) => {
      const text = cellText(value);
      if (text === null) return '';
      if (width === undefined) return canonicalText(text);
      return width > 0 ? String(Math.floor(Number(text) / width + offset)) : String(Number(text));
    });
  });
  return Array.from({ length: table.rows }, (_, row) => JSON.stringify(cells.map((column) => column[row])));
}

/** From the 5th to the 95th percentile, of numbers that are there. */
function spreadOf(table: Table, name: string): number {
  const numbers = columnOf(table, name).values.flatMap((value) => {
    const text = cellText(value);
    return text === null ? [] : [Number(text)];
  });
  const sorted = Float64Array.from(numbers).sort();
  const at = (percent: number) => sorted[Math.floor((percent * (sorted.length - 1)) / 100)] ?? 0;
  return at(95) - at(5);
}
