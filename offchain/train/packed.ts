/**
 * Histograms of numbers that every row adds once: its count and its amount in one double, four columns at a time. What a
 * training takes most of its time for, so it is written for what compilers make of it.
 */
import type { Features } from '../table/quantise.ts';
import { allocated } from './memory.ts';

/** Features have so many values. */
export const VALUES = 256;
/**
 * What stands for one row: of so many rows, the amounts add up to less than half of it, and all together to less than 2^53,
 * so that every sum is exact.
 */
const PACK = 2 ** 39;
const PACKED_ROWS = 16_000;
/** The largest amount, in magnitude. */
const MOST_PACKED = 2 ** 24;

/** Counts histograms of all columns. Made once for many trees. */
export class Packed {
  /** Of each four columns one word for a row: the first one's value in its lowest byte. */
  readonly #quads: readonly Uint32Array[];
  readonly #sums: Float64Array;
  /** Of the rows, one after the other, each with its row. */
  readonly #amounts: Float64Array;

  private constructor(quads: readonly Uint32Array[], rows: number) {
    this.#quads = quads;
    this.#sums = new Float64Array(quads.length * 4 * VALUES);
    this.#amounts = new Float64Array(rows);
  }

  /** @returns nothing where memory is short */
  static of({ rows, columns, values }: Features): Packed | undefined {
    const count = Math.ceil(columns.length / 4);
    const words = allocated(Uint32Array, count * rows);
    if (!words) return undefined;
    const quads = Array.from({ length: count }, (_, at) => words.subarray(at * rows, (at + 1) * rows));
    for (let column = 0; column < columns.length; column++) {
      const [quad, shift, start] = [quads[column >> 2]!, 8 * (column & 3), column * rows];
      for (let row = 0; row < rows; row++) quad[row]! |= values[start + row]! << shift;
    }
    return new Packed(quads, rows);
  }

  /** Whether sums of such amounts are exact: integers, of which the largest is not too large. */
  takes(amounts: Float64Array): boolean {
    let largest = 0;
    for (let row = 0; row < amounts.length; row++) largest = Math.max(largest, Math.abs(amounts[row]!));
    return largest <= MOST_PACKED;
  }

  /**
   * Adds the rows to histograms of `slots` numbers for each value of each column: the count, the sum, and with a third the
   * count of distinct rows, which are all.
   *
   * @param amounts - of all rows there are
   */
  add(rows: Uint32Array, amounts: Float64Array, histograms: Float64Array, slots: number): void {
    const own = this.#amounts;
    for (let i = 0; i < rows.length; i++) own[i] = amounts[rows[i]!]! + PACK;
    for (let from = 0; from < rows.length; from += PACKED_ROWS) {
      const to = Math.min(from + PACKED_ROWS, rows.length);
      for (const [at, quad] of this.#quads.entries()) {
        addQuad(this.#sums.subarray(4 * at * VALUES, 4 * (at + 1) * VALUES), quad, rows, own, from, to);
      }
      unpack(this.#sums, histograms, slots);
    }
  }
}

function addQuad(
  sums: Float64Array,
  quad: Uint32Array,
  rows: Uint32Array,
  amounts: Float64Array,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i++) {
    const values = quad[rows[i]!]!;
    const added = amounts[i]!;
    sums[values & 255]! += added;
    sums[256 | ((values >>> 8) & 255)]! += added;
    sums[512 | ((values >>> 16) & 255)]! += added;
    sums[768 | (values >>> 24)]! += added;
  }
}

/** Adds sums to histograms, and begins them anew. */
function unpack(sums: Float64Array, histograms: Float64Array, slots: number): void {
  for (let i = 0, at = 0; at < histograms.length; i++, at += slots) {
    const sum = sums[i]!;
    const count = Math.floor(sum * (1 / PACK) + 0.5);
    histograms[at]! += count;
    histograms[at + 1]! += sum - count * PACK;
    if (slots > 2) histograms[at + 2]! += count;
  }
  sums.fill(0);
}
