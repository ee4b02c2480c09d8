import { FOUR, products as four, heightFor, loadColumns, multiplyFour } from './columns-module.ts';

/** Of the first rows: sums, and sums of products of each two columns, row-major, the lower triangle. Integers, exact below 2^53. */
export interface Gram {
  readonly sums: Float64Array;
  readonly products: Float64Array;
}

/** Products of so many pairs of bytes add up to less than 2^31. */
const EXACT = 32_768;
/** A column is taken for sparse where at most one row in so many is not 0. */
const SELDOM = 16;

/** @param rows - how many, the first ones, are summed */
export function gramOf(columns: readonly Uint8Array[], rows: number): Gram {
  const width = columns.length;
  const gram = { sums: new Float64Array(width), products: new Float64Array(width * width) };
  for (let start = 0; start < rows; start += EXACT) {
    const end = Math.min(start + EXACT, rows);
    const block = columns.map((column) => column.subarray(start, end));
    const places = block.map(present);
    for (const [i, some] of places.entries()) if (some) addSparse(gram, i, some, block);
    if (places.includes(undefined)) addDense(gram, block, places);
  }
  return gram;
}

/** Where a column is not 0, if that is seldom: of a category most rows have another. */
function present(column: Uint8Array): Uint32Array | undefined {
  const most = Math.floor(column.length / SELDOM);
  const rows = new Uint32Array(most);
  let count = 0;
  for (let row = 0; row < column.length; row++) {
    if (column[row] === 0) continue;
    if (count === most) return undefined;
    rows[count++] = row;
  }
  return rows.subarray(0, count);
}

function addSparse({ sums, products }: Gram, i: number, rows: Uint32Array, block: readonly Uint8Array[]): void {
  const own = block[i]!;
  for (let at = 0; at < rows.length; at++) sums[i]! += own[rows[at]!]!;
  for (let j = 0; j <= i; j++) {
    const other = block[j]!;
    let sum = 0;
    for (let at = 0; at < rows.length; at++) sum = (sum + Math.imul(own[rows[at]!]!, other[rows[at]!]!)) | 0;
    products[i * block.length + j]! += sum;
  }
}

/** Of the columns that are not sparse. A column of ones comes first, whose products are the sums. */
function addDense(gram: Gram, block: readonly Uint8Array[], places: readonly unknown[]): void {
  const rows = block[0]!.length;
  const columns = [new Uint8Array(rows).fill(1), ...block];
  const height = heightFor(columns.length);
  for (let from = 0; from < rows; from += height) {
    const stride = loadColumns(columns, from, Math.min(from + height, rows));
    for (let i = 0; i < block.length; i++) if (!places[i]) addRow(gram, i, stride);
  }
}

/** Adds to the sum and the products of column i those of the rows that are loaded. */
function addRow({ sums, products }: Gram, i: number, stride: number): void {
  for (let other = 0; other <= i + 1; other += FOUR) {
    multiplyFour(i + 1, other, stride);
    for (let k = 0; k < FOUR && other + k <= i + 1; k++) {
      if (other + k === 0) sums[i]! += four[k]!;
      else products[i * sums.length + other + k - 1]! += four[k]!;
    }
  }
}
