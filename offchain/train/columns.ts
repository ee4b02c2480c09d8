import type { Features } from '../table/quantise.ts';

/** Rows at a time, so that what is read again and again stays in the processor's first cache. */
const BLOCK = 4096;
/** Products of so many pairs of bytes add up to less than 2^31. */
const EXACT = 32_768;
/** A column is taken for sparse where at most one row in so many is not 0. */
const SELDOM = 8;

/** Where the values of a row are, in four columns from `column` on. */
const placesOf = (column: number, rows: number, row: number): [number, number, number, number] => {
  const first = column * rows + row;
  return [first, first + rows, first + 2 * rows, first + 3 * rows];
};

/**
 * Adds `sum of weights[j] * x[j]` to each row's sum. Each row adds its columns in ascending order, whatever the blocks.
 *
 * @param sums - one per row, changed in place
 */
export function addColumns(sums: Float64Array, weights: ArrayLike<number>, { rows, values }: Features): Float64Array {
  const width = weights.length;
  for (let start = 0; start < rows; start += BLOCK) {
    const end = Math.min(start + BLOCK, rows);
    let j = 0;
    for (; j + 4 <= width; j += 4) {
      const [a, b, c, d] = [weights[j]!, weights[j + 1]!, weights[j + 2]!, weights[j + 3]!];
      let [p, q, r, s] = placesOf(j, rows, start);
      for (let row = start; row < end; row++) {
        sums[row] = sums[row]! + a * values[p++]! + b * values[q++]! + c * values[r++]! + d * values[s++]!;
      }
    }
    for (; j < width; j++) {
      const weight = weights[j]!;
      for (let row = start, p = j * rows + start; row < end; row++) sums[row]! += weight * values[p++]!;
    }
  }
  return sums;
}

/** For each column the sum over ascending rows of `factors[row] * x[row]`. */
export function columnSums(factors: ArrayLike<number>, { rows, columns, values }: Features): Float64Array {
  const width = columns.length;
  const sums = new Float64Array(width);
  for (let start = 0; start < rows; start += BLOCK) {
    const end = Math.min(start + BLOCK, rows);
    let j = 0;
    for (; j + 4 <= width; j += 4) {
      let [a, b, c, d] = [sums[j]!, sums[j + 1]!, sums[j + 2]!, sums[j + 3]!];
      let [p, q, r, s] = placesOf(j, rows, start);
      for (let row = start; row < end; row++) {
        const factor = factors[row]!;
        a += factor * values[p++]!;
        b += factor * values[q++]!;
        c += factor * values[r++]!;
        d += factor * values[s++]!;
      }
      sums[j] = a;
      sums[j + 1] = b;
      sums[j + 2] = c;
      sums[j + 3] = d;
    }
    for (; j < width; j++) {
      let sum = sums[j]!;
      for (let row = start, p = j * rows + start; row < end; row++) sum += factors[row]! * values[p++]!;
      sums[j] = sum;
    }
  }
  return sums;
}

/**
 * Sums of products of each two columns over the first rows: integers, and exact below 2^53. Row-major, the lower triangle.
 *
 * @param sample - how many rows
 */
export function gramOf({ rows, columns, values }: Features, sample: number): Float64Array {
  const width = columns.length;
  const gram = new Float64Array(width * width);
  for (let start = 0; start < sample; start += EXACT) {
    const count = Math.min(EXACT, sample - start);
    const column = (j: number) => values.subarray(j * rows + start, j * rows + start + count);
    for (let i = 0; i < width; i++) {
      const own = column(i);
      const some = present(own);
      if (some) {
        for (let j = 0; j <= i; j++) gram[i * width + j]! += productAt(some, own, column(j));
        continue;
      }
      let j = 0;
      for (; j + 4 <= i + 1; j += 4)
        addFour(
          gram,
          i * width + j,
          own,
          [0, 1, 2, 3].map((k) => column(j + k)),
        );
      for (; j <= i; j++) gram[i * width + j]! += productOf(own, column(j));
    }
  }
  return gram;
}

/** Where a column is not 0, if that is seldom: of a category most rows have another. */
function present(column: Uint8Array): Uint32Array | undefined {
  let count = 0;
  for (let row = 0; row < column.length; row++) count += Number(column[row] !== 0);
  if (count * SELDOM > column.length) return undefined;
  const rows = new Uint32Array(count);
  for (let row = 0, at = 0; row < column.length; row++) if (column[row] !== 0) rows[at++] = row;
  return rows;
}

function productAt(rows: Uint32Array, a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) sum = (sum + Math.imul(a[rows[i]!]!, b[rows[i]!]!)) | 0;
  return sum;
}

function addFour(gram: Float64Array, at: number, own: Uint8Array, others: readonly Uint8Array[]): void {
  const [first, second, third, fourth] = others as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let row = 0; row < own.length; row++) {
    const x = own[row]!;
    a = (a + Math.imul(x, first[row]!)) | 0;
    b = (b + Math.imul(x, second[row]!)) | 0;
    c = (c + Math.imul(x, third[row]!)) | 0;
    d = (d + Math.imul(x, fourth[row]!)) | 0;
  }
  gram[at]! += a;
  gram[at + 1]! += b;
  gram[at + 2]! += c;
  gram[at + 3]! += d;
}

function productOf(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let row = 0; row < a.length; row++) sum = (sum + Math.imul(a[row]!, b[row]!)) | 0;
  return sum;
}
