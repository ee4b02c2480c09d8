import type { Features } from '../table/quantise.ts';
import { BLOCK, FOUR, loadColumns, PANEL, perColumn, perRow, sumFour, weighColumns } from './columns-module.ts';

/** Each column by itself, on the same memory. */
export const columnsOf = ({ rows, columns, values }: Features): Uint8Array[] =>
  columns.map((_, j) => values.subarray(j * rows, (j + 1) * rows));

/**
 * Adds `sum of weights[j] * x[j]` to each row's sum. Each row adds its columns in ascending order, whatever the blocks.
 *
 * @param sums - one per row, changed in place
 */
export function addColumns(sums: Float64Array, weights: ArrayLike<number>, features: Features): Float64Array {
  const panels = panelsOf(columnsOf(features).slice(0, weights.length));
  for (let start = 0; start < sums.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, sums.length);
    perRow.set(sums.subarray(start, end));
    for (const { first, columns } of panels) {
      for (let j = 0; j < columns.length; j++) perColumn[j] = weights[first + j]!;
      weighColumns(columns.length, loadColumns(columns, start, end));
    }
    sums.set(perRow.subarray(0, end - start), start);
  }
  return sums;
}

/** For each column the sum over ascending rows of `factors[row] * x[row]`. */
export function columnSums(factors: Float64Array, features: Features): Float64Array {
  const sums = new Float64Array(features.columns.length);
  const panels = panelsOf(columnsOf(features));
  for (let start = 0; start < factors.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, factors.length);
    perRow.fill(0);
    perRow.set(factors.subarray(start, end));
    for (const { first, columns } of panels) {
      perColumn.set(sums.subarray(first, first + columns.length));
      const stride = loadColumns(columns, start, end);
      for (let j = 0; j < columns.length; j += FOUR) sumFour(j, stride);
      sums.set(perColumn.subarray(0, columns.length), first);
    }
  }
  return sums;
}

/** As many columns at a time as fit. */
function panelsOf(columns: readonly Uint8Array[]): { first: number; columns: readonly Uint8Array[] }[] {
  const count = Math.ceil(columns.length / PANEL);
  return Array.from({ length: count }, (_, at) => at * PANEL).map((first) => ({
    first,
    columns: columns.slice(first, first + PANEL),
  }));
}
