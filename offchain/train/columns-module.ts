/**
 * What linear models take most of their time for, as a WebAssembly module: several times as quick as what compilers make of
 * JavaScript, and so from the first call on. Its vectors multiply and add like numbers, one by one and in the order that is
 * said here, so that every machine has the same bits.
 *
 * A block of columns lies in its memory, one row a byte, each so many bytes behind the one before.
 */
import {
  brIf,
  type Code,
  f64x2,
  get,
  i8x16,
  i16x8,
  i32,
  i32x4,
  i64x2,
  instantiate,
  loop,
  moduleOf,
  set,
  step,
  TYPE,
  v128,
} from '../wasm.ts';

/** Rows of a block at most: few enough for the processor's caches, and of columns so far apart that they share no place in them. */
export const BLOCK = 4032;
/** Columns of a block at most, where they are weighed or summed. */
export const PANEL = 240;
/** Columns that are summed at once; as many bytes of memory as a block has rows are free behind the last one. */
export const FOUR = 4;
/** Rows that are read at once: a block is filled up to a multiple of them, with what adds nothing. */
const EIGHT = 8;

/** Where memory holds four sums of products, a double for each column, one for each row, and the columns. */
const [PRODUCTS, SHARES, ROWS] = [0, 16, 16 + 8 * PANEL];
const COLUMNS = ROWS + 8 * BLOCK;
const MEMORY = 2 ** 20;

/** Repeats code until an address has come to its end. */
const until = (address: number, end: Code, ...code: readonly Code[]): Code =>
  loop(...code, brIf(0, i32.less(get(address), end)));
const UPPER_HALF = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];
/** Two of four 32-bit lanes as doubles. */
const doubles = (ints: Code, half: 0 | 1): Code =>
  f64x2.low32x4(half === 0 ? ints : i8x16.shuffle(ints, ints, UPPER_HALF));
/** Adds to a vector of doubles others, times a factor each. */
const addTimes = (sum: number, values: Code, factors: Code): Code =>
  set(sum, f64x2.add(get(sum), f64x2.mul(values, factors)));
/** The addresses of the four columns of which a local has the first. */
const addressesOf = (first: number, others: readonly number[], stride: number): Code[] =>
  others.map((other, k) => set(other, i32.add(get(k === 0 ? first : others[k - 1]!), get(stride))));

/** Parameters: the addresses of a column and of the first of four, and the stride. */
function multiplyCode(): Code {
  const [OWN, STRIDE, END, SUM, VALUES] = [0, 2, 6, 7, 11];
  const others = [1, 3, 4, 5];
  const products = (other: number) => i32x4.dot16x8(get(VALUES), i16x8.load8x8(get(other)));
  const total = (k: number) => {
    const [first, ...more] = [0, 1, 2, 3].map((lane) => i32x4.lane(get(SUM + k), lane)) as [Code, ...Code[]];
    return i32.add(first, ...more);
  };
  return [
    set(END, i32.add(get(OWN), get(STRIDE))),
    ...addressesOf(1, others.slice(1), STRIDE),
    until(
      OWN,
      get(END),
      set(VALUES, i16x8.load8x8(get(OWN))),
      ...others.map((other, k) => set(SUM + k, i32x4.add(get(SUM + k), products(other)))),
      ...[OWN, ...others].map((address) => step(address, i32.const(EIGHT))),
    ),
    ...others.map((_, k) => i32.store(i32.const(PRODUCTS + 4 * k), total(k))),
  ].flat();
}

/** Parameters: where the columns' numbers end, and the stride. Eight rows go through all columns at a time. */
function weighCode(): Code {
  const [END, STRIDE, ROW, FIRST, COLUMN, SHARE, SUM, VALUES, INTS, WEIGHT] = [0, 1, 2, 3, 4, 5, 6, 10, 11, 12];
  const pairs = [0, 1, 2, 3];
  const column = [
    set(VALUES, i16x8.load8x8(get(COLUMN))),
    set(WEIGHT, i64x2.loadSplat(get(SHARE))),
    ...pairs.flatMap((pair) => [
      ...(pair === 0 ? [set(INTS, i32x4.low16x8(get(VALUES)))] : []),
      ...(pair === 2 ? [set(INTS, i32x4.high16x8(get(VALUES)))] : []),
      addTimes(SUM + pair, doubles(get(INTS), (pair % 2) as 0 | 1), get(WEIGHT)),
    ]),
    ...[step(COLUMN, get(STRIDE)), step(SHARE, i32.const(8))],
  ];
  return [
    ...[set(ROW, i32.const(ROWS)), set(FIRST, i32.const(COLUMNS))],
    until(
      FIRST,
      i32.add(i32.const(COLUMNS), get(STRIDE)),
      ...pairs.map((pair) => set(SUM + pair, v128.load(get(ROW), 16 * pair))),
      ...[set(COLUMN, get(FIRST)), set(SHARE, i32.const(SHARES)), until(SHARE, get(END), ...column)],
      ...pairs.map((pair) => v128.store(get(ROW), get(SUM + pair), 16 * pair)),
      ...[step(ROW, i32.const(8 * EIGHT)), step(FIRST, i32.const(EIGHT))],
    ),
  ].flat();
}

/** Parameters: the addresses of the first of four columns and of its number, and the stride. Two columns are a vector. */
function sumCode(): Code {
  const [SHARE, STRIDE, ROW, END, SUM, FIRST, SECOND, SHORTS, INTS] = [1, 2, 6, 7, 8, 10, 11, 12, 13];
  const columns = [0, 3, 4, 5];
  /** The same four rows of both columns in turn. */
  const inTurn = (half: number) =>
    [0, 1, 2, 3].flatMap((row) => [0, 16].flatMap((of) => [of + 8 * half + 2 * row, of + 8 * half + 2 * row + 1]));
  const addRow = (pair: 0 | 1, row: number): Code[] => [
    ...(row % 4 === 0 ? [set(SHORTS, i8x16.shuffle(get(FIRST), get(SECOND), inTurn(row / 4)))] : []),
    ...(row % 4 === 0 ? [set(INTS, i32x4.low16x8(get(SHORTS)))] : []),
    ...(row % 4 === 2 ? [set(INTS, i32x4.high16x8(get(SHORTS)))] : []),
    addTimes(SUM + pair, doubles(get(INTS), (row % 2) as 0 | 1), i64x2.loadSplat(get(ROW), 8 * row)),
  ];
  return [
    ...[set(ROW, i32.const(ROWS)), set(END, i32.add(get(0), get(STRIDE)))],
    ...addressesOf(0, columns.slice(1), STRIDE),
    ...[0, 1].map((pair) => set(SUM + pair, v128.load(get(SHARE), 16 * pair))),
    until(
      0,
      get(END),
      ...([0, 1] as const).flatMap((pair) => [
        set(FIRST, i16x8.load8x8(get(columns[2 * pair]!))),
        set(SECOND, i16x8.load8x8(get(columns[2 * pair + 1]!))),
        ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap((row) => addRow(pair, row)),
      ]),
      step(ROW, i32.const(8 * EIGHT)),
      ...columns.map((address) => step(address, i32.const(EIGHT))),
    ),
    ...[0, 1].map((pair) => v128.store(get(SHARE), get(SUM + pair), 16 * pair)),
  ].flat();
}

type Routine = (first: number, second: number, third?: number) => void;

const of = (parameters: number, integers: number, vectors: number) => ({
  parameters,
  locals: [[integers, TYPE.i32] as const, [vectors, TYPE.v128] as const],
});
const [{ multiply, weigh, sum }, memory] = instantiate<Record<'multiply' | 'weigh' | 'sum', Routine>>(
  moduleOf([
    { name: 'multiply', ...of(3, 4, 5), code: multiplyCode() },
    { name: 'weigh', ...of(2, 4, 7), code: weighCode() },
    { name: 'sum', ...of(3, 5, 6), code: sumCode() },
  ]),
  MEMORY,
);
const bytes = new Uint8Array(memory, COLUMNS);
/** What {@link multiplyFour} leaves. */
export const products = new Int32Array(memory, PRODUCTS, FOUR);
/** A number for each column of a block: its weight, or its sum. */
export const perColumn = new Float64Array(memory, SHARES, PANEL);
/** A number for each row of a block: its sum, or its factor. */
export const perRow = new Float64Array(memory, ROWS, BLOCK);

/** How many rows of so many columns fit at once. */
export const heightFor = (columns: number): number =>
  Math.min(BLOCK, Math.floor(bytes.length / (columns + FOUR) / EIGHT) * EIGHT);

/** Copies rows of columns to the module's memory. @returns how many bytes apart they are there */
export function loadColumns(columns: readonly Uint8Array[], start: number, end: number): number {
  const stride = Math.ceil((end - start) / EIGHT) * EIGHT;
  for (let j = 0; j < columns.length; j++) bytes.set(columns[j]!.subarray(start, end), j * stride);
  if (stride > end - start) {
    for (let j = 0; j < columns.length; j++) bytes.fill(0, j * stride + end - start, (j + 1) * stride);
  }
  return stride;
}

/** Sums the products of a column with each of the four from `first` on. */
export const multiplyFour = (own: number, first: number, stride: number): void =>
  multiply(COLUMNS + own * stride, COLUMNS + first * stride, stride);

/** Adds to each row's number its columns, each times its number, in ascending order. */
export const weighColumns = (columns: number, stride: number): void => weigh(SHARES + 8 * columns, stride);

/** Adds to the numbers of four columns each row times its number, in ascending order. */
export const sumFour = (first: number, stride: number): void =>
  sum(COLUMNS + first * stride, SHARES + 8 * first, stride);
