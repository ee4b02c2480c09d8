/**
 * What linear models take most of their time for, as a WebAssembly module: several times as quick as what compilers make of
 * JavaScript, and so from the first call on. Its vectors multiply and add like numbers, one by one and in the order that is
 * said here, so that every machine has the same bits.
 *
 * A block of columns lies in its memory, one row a byte, each so many bytes behind the one before.
 */
import {
  at,
  type Code,
  get,
  OP,
  set,
  signed,
  TYPE,
  unsigned,
  type WebAssemblyFunction,
  webAssembly,
} from '../web-assembly.ts';

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
const PAGES = 16;

const I32 = { const: 0x41, store: 0x36, lessThan: 0x49, add: 0x6a } as const;
/** Of vectors of 128 bits, by their bytes and 16-bit, 32-bit and double lanes. */
const V128 = {
  load: 0,
  load8x8: 2,
  load64Splat: 10,
  store: 11,
  shuffle: 13,
  extract32: 27,
  extend16: { low: 0xa9, high: 0xaa },
  add32: 0xae,
  dot16: 0xba,
  addDouble: 0xf0,
  multiplyDouble: 0xf2,
  convertLow: 0xfe,
} as const;

const int = (value: number): Code => [I32.const, ...signed(BigInt(value))];
const plus = (local: number, by: Code): Code => set(local, [...get(local), ...by, I32.add]);
const vector = (operation: number, ...immediates: number[]): Code => [0xfd, ...unsigned(operation), ...immediates];
const load = (operation: number, address: number, offset = 0): Code => [
  ...get(address),
  0xfd,
  ...at(operation, 0, offset),
];
/** Repeats code until an address has come to its end. */
const until = (address: number, end: Code, code: Code): Code => [
  ...[OP.loop, 0x40, ...code],
  ...[...get(address), ...end, I32.lessThan, OP.branchIf, 0, OP.end],
];
/** The lanes of two vectors by their bytes, those of the second from 16 on. */
const shuffled = (first: Code, second: Code, lanes: readonly number[]): Code => [
  ...first,
  ...second,
  ...vector(V128.shuffle, ...lanes),
];
const UPPER_HALF = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];
/** Two of four 32-bit lanes as doubles. */
const doubles = (ints: number, half: 0 | 1): Code => [
  ...(half === 0 ? get(ints) : shuffled(get(ints), get(ints), UPPER_HALF)),
  ...vector(V128.convertLow),
];
/** Adds to a vector of doubles others, times what is on the stack last. */
const addTimes = (sum: number, values: Code, factor: Code): Code =>
  set(sum, [...get(sum), ...values, ...factor, ...vector(V128.multiplyDouble), ...vector(V128.addDouble)]);
/** The addresses of the four columns of which a local has the first. */
const addressesOf = (first: number, others: readonly number[], stride: number): Code =>
  others.flatMap((other, k) => set(other, [...get(k === 0 ? first : others[k - 1]!), ...get(stride), I32.add]));

/** Parameters: the addresses of a column and of the first of four, and the stride. */
function multiplyCode(): WebAssemblyFunction {
  const [OWN, STRIDE, END, SUM, VALUES] = [0, 2, 6, 7, 11];
  const others = [1, 3, 4, 5];
  const step = [
    ...set(VALUES, load(V128.load8x8, OWN)),
    ...others.flatMap((other, k) => {
      const products = [...get(VALUES), ...load(V128.load8x8, other), ...vector(V128.dot16)];
      return set(SUM + k, [...get(SUM + k), ...products, ...vector(V128.add32)]);
    }),
    ...[OWN, ...others].flatMap((address) => plus(address, int(EIGHT))),
  ];
  const lane = (k: number, of: number): Code => [...get(SUM + k), ...vector(V128.extract32, of)];
  const stores = others.flatMap((_, k) => {
    const total = [...lane(k, 0), ...[1, 2, 3].flatMap((of) => [...lane(k, of), I32.add])];
    return [...int(PRODUCTS + 4 * k), ...total, ...at(I32.store, 2, 0)];
  });
  return {
    parameters: 3,
    locals: [
      [4, TYPE.i32],
      [5, TYPE.v128],
    ],
    code: [
      ...set(END, [...get(OWN), ...get(STRIDE), I32.add]),
      ...addressesOf(1, others.slice(1), STRIDE),
      ...until(OWN, get(END), step),
      ...stores,
    ],
  };
}

/** Parameters: where the columns' numbers end, and the stride. Eight rows go through all columns at a time. */
function weighCode(): WebAssemblyFunction {
  const [END, STRIDE, ROW, FIRST, COLUMN, SHARE, SUM, VALUES, INTS, WEIGHT] = [0, 1, 2, 3, 4, 5, 6, 10, 11, 12];
  const pairs = [0, 1, 2, 3];
  const step = [
    ...set(VALUES, load(V128.load8x8, COLUMN)),
    ...set(WEIGHT, load(V128.load64Splat, SHARE)),
    ...pairs.flatMap((pair) => [
      ...(pair === 0 ? set(INTS, [...get(VALUES), ...vector(V128.extend16.low)]) : []),
      ...(pair === 2 ? set(INTS, [...get(VALUES), ...vector(V128.extend16.high)]) : []),
      ...addTimes(SUM + pair, doubles(INTS, (pair % 2) as 0 | 1), get(WEIGHT)),
    ]),
    ...plus(COLUMN, get(STRIDE)),
    ...plus(SHARE, int(8)),
  ];
  const eight = [
    ...pairs.flatMap((pair) => set(SUM + pair, load(V128.load, ROW, 16 * pair))),
    ...set(COLUMN, get(FIRST)),
    ...set(SHARE, int(SHARES)),
    ...until(SHARE, get(END), step),
    ...pairs.flatMap((pair) => [...get(ROW), ...get(SUM + pair), 0xfd, ...at(V128.store, 0, 16 * pair)]),
    ...plus(ROW, int(8 * EIGHT)),
    ...plus(FIRST, int(EIGHT)),
  ];
  return {
    parameters: 2,
    locals: [
      [4, TYPE.i32],
      [7, TYPE.v128],
    ],
    code: [
      ...set(ROW, int(ROWS)),
      ...set(FIRST, int(COLUMNS)),
      ...until(FIRST, [...int(COLUMNS), ...get(STRIDE), I32.add], eight),
    ],
  };
}

/** Parameters: the addresses of the first of four columns and of its number, and the stride. Two columns are a vector. */
function sumCode(): WebAssemblyFunction {
  const [SHARE, STRIDE, ROW, END, SUM, FIRST, SECOND, SHORTS, INTS] = [1, 2, 6, 7, 8, 10, 11, 12, 13];
  const columns = [0, 3, 4, 5];
  /** The same four rows of both columns in turn. */
  const inTurn = (half: number) =>
    [0, 1, 2, 3].flatMap((row) => [0, 16].flatMap((of) => [of + 8 * half + 2 * row, of + 8 * half + 2 * row + 1]));
  const rowsOf = (pair: 0 | 1, eighth: number): Code => [
    ...(eighth % 4 === 0 ? set(SHORTS, shuffled(get(FIRST), get(SECOND), inTurn(eighth / 4))) : []),
    ...(eighth % 4 === 0 ? set(INTS, [...get(SHORTS), ...vector(V128.extend16.low)]) : []),
    ...(eighth % 4 === 2 ? set(INTS, [...get(SHORTS), ...vector(V128.extend16.high)]) : []),
    ...addTimes(SUM + pair, doubles(INTS, (eighth % 2) as 0 | 1), load(V128.load64Splat, ROW, 8 * eighth)),
  ];
  const step = [
    ...([0, 1] as const).flatMap((pair) => [
      ...set(FIRST, load(V128.load8x8, columns[2 * pair]!)),
      ...set(SECOND, load(V128.load8x8, columns[2 * pair + 1]!)),
      ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap((eighth) => rowsOf(pair, eighth)),
    ]),
    ...[ROW, ...columns].flatMap((address) => plus(address, int(address === ROW ? 8 * EIGHT : EIGHT))),
  ];
  return {
    parameters: 3,
    locals: [
      [5, TYPE.i32],
      [6, TYPE.v128],
    ],
    code: [
      ...set(ROW, int(ROWS)),
      ...set(END, [...get(0), ...get(STRIDE), I32.add]),
      ...addressesOf(0, columns.slice(1), STRIDE),
      ...[0, 1].flatMap((pair) => set(SUM + pair, load(V128.load, SHARE, 16 * pair))),
      ...until(0, get(END), step),
      ...[0, 1].flatMap((pair) => [...get(SHARE), ...get(SUM + pair), 0xfd, ...at(V128.store, 0, 16 * pair)]),
    ],
  };
}

const { multiply, weigh, sum, memory } = webAssembly(
  { multiply: multiplyCode(), weigh: weighCode(), sum: sumCode() },
  PAGES,
);
const bytes = new Uint8Array(memory.buffer, COLUMNS);
/** What {@link multiplyFour} leaves. */
export const products = new Int32Array(memory.buffer, PRODUCTS, FOUR);
/** A number for each column of a block: its weight, or its sum. */
export const perColumn = new Float64Array(memory.buffer, SHARES, PANEL);
/** A number for each row of a block: its sum, or its factor. */
export const perRow = new Float64Array(memory.buffer, ROWS, BLOCK);

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
