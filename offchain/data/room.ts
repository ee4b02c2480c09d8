import { block, br, brIf, type Code, get, i32, instantiate, loop, moduleOf, set, step, TYPE, when } from '../wasm.ts';
import { bandsCode } from './min-hash.ts';

/** What bytes a cell has, as bits. */
export const KIND = {
  DIGIT: 1,
  /** `.` `+` `-` */
  SIGN: 2,
  UPPER: 4,
  LOWER: 8,
  /** `@` `:` */
  MARK: 16,
  /** Of a character beyond ASCII. */
  WIDE: 32,
  /** What JSON writes otherwise than it is: control characters, `"` and `\`. */
  ESCAPED: 64,
  OTHER: 128,
} as const;
/** A NUL, which no cell holds, ends one. */
const END = 0;

const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (byte === 0) return END;
  if (byte >= 0x80) return KIND.WIDE;
  if (byte < 0x20 || character === '"' || character === '\\') return KIND.ESCAPED;
  if (/[0-9]/.test(character)) return KIND.DIGIT;
  if (/[A-Z]/.test(character)) return KIND.UPPER;
  if (/[a-z]/.test(character)) return KIND.LOWER;
  if (/[.+-]/.test(character)) return KIND.SIGN;
  return /[@:]/.test(character) ? KIND.MARK : KIND.OTHER;
});

/** Bits of `KIND` of the bytes from an offset to another. */
export function kindsOf(bytes: Uint8Array, from: number, to: number): number {
  let kinds = 0;
  for (let at = from; at < to; at++) kinds |= KINDS[bytes[at]!]!;
  return kinds;
}

/** FNV-1a of 32 bits. */
const [SEED, PRIME] = [0x811c9dc5, 0x01000193];

export function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = SEED;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, PRIME);
  return hash;
}

/** Where things are in a room's memory; from BYTES on it depends on how many bytes of text there may be. */
const [TABLE, FOUND, MINIMA, BANDS, BYTES] = [0, 256, 512, 1024, 2 ** 18];
/** Rows of which a room takes the hashes of bands at once, in at most so many bands. */
export const BAND_ROWS = 1024;
const MOST_BANDS = 32;
/** A vector that is read at the last byte ends beyond it. */
const BEYOND = 16;

type Divide = (filled: number, width: number, starts: number, ends: number, kinds: number, hashes: number) => void;
type Bands = (starts: number, ends: number, stride: number, rows: number, bands: number, bins: number) => void;

/** Memory for the text of some rows and for what is known of their cells, with what looks at all of their bytes. */
export class Room {
  readonly bytes: Buffer;
  /** Cell i is `bytes[starts[i]]` to `bytes[ends[i] - 1]`. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** Bits of `KIND` by cell. */
  readonly kinds: Uint8Array;
  /** `hashOf` by cell; of a room that was divided. */
  readonly hashes: Int32Array;
  readonly #found: Uint32Array;
  readonly #bands: Uint32Array;
  readonly #routines: { readonly divide: Divide; readonly bands: Bands };

  constructor(bytes: number) {
    const room = 8 * Math.ceil((bytes + BEYOND) / 8);
    const [routines, memory] = instantiate<{ divide: Divide; bands: Bands }>(routinesModule(), BYTES + 14 * room);
    this.#routines = routines;
    new Uint8Array(memory).set(KINDS, TABLE);
    this.bytes = Buffer.from(memory, BYTES, bytes);
    this.starts = new Uint32Array(memory, BYTES + room, bytes);
    this.ends = new Uint32Array(memory, BYTES + 5 * room, bytes);
    this.hashes = new Int32Array(memory, BYTES + 9 * room, bytes);
    this.kinds = new Uint8Array(memory, BYTES + 13 * room, bytes);
    this.#found = new Uint32Array(memory, FOUND, 2);
    this.#bands = new Uint32Array(memory, BANDS, BAND_ROWS * MOST_BANDS);
  }

  /**
   * Finds the cells of the whole rows in the first bytes: a NUL after each, and a line's end after a row.
   *
   * @returns how many rows, and their bytes
   */
  divide(filled: number, width: number): readonly [rows: number, length: number] {
    const { starts, ends, kinds, hashes } = this;
    const [first, ...others] = [starts, ends, kinds, hashes].map(({ byteOffset }) => byteOffset);
    this.#routines.divide(filled, width, first!, ...(others as [number, number, number]));
    return [this.#found[0]!, this.#found[1]!];
  }

  /**
   * Hashes of the bands of the signatures of cells, in UTF-8: none of them 0, but where a text is too short for any.
   *
   * @param first the first of the cells, of which there are at most `BAND_ROWS`, each `stride` after the one before
   * @returns band after band those of all cells; good until the next call
   */
  bands(first: number, stride: number, cells: number, { bands, rows }: { bands: number; rows: number }): Uint32Array {
    const [starts, ends] = [this.starts, this.ends].map(({ byteOffset }) => byteOffset + 4 * first) as [number, number];
    this.#routines.bands(starts, ends, stride, cells, bands, rows);
    return this.#bands.subarray(0, bands * cells);
  }
}

let compiled: WebAssembly.Module | undefined;

function routinesModule(): WebAssembly.Module {
  compiled ??= moduleOf([
    { name: 'divide', parameters: 6, locals: [[7, TYPE.i32]], code: divideCode() },
    { name: 'bands', parameters: 6, locals: [[12, TYPE.i32]], code: bandsCode(BYTES, MINIMA, BANDS) },
  ]);
  return compiled;
}

function divideCode(): Code {
  const [FILLED, WIDTH, STARTS, ENDS, CELL_KINDS, HASHES] = [0, 1, 2, 3, 4, 5];
  const [AT, START, BYTE, KIND_OF, KINDS_SO_FAR, HASH, COLUMN] = [6, 7, 8, 9, 10, 11, 12];
  const isAtEnd = i32.eq(get(AT), get(FILLED));
  const [rows, length] = [FOUND, FOUND + 4].map((address) => i32.const(address)) as [Code, Code];
  const inCell = [
    set(KINDS_SO_FAR, i32.or(get(KINDS_SO_FAR), get(KIND_OF))),
    set(HASH, i32.mul(i32.xor(get(HASH), get(BYTE)), i32.const(PRIME))),
    step(AT, i32.const(1)),
    br(1),
  ];
  const endOfCell = [
    ...[i32.store(get(STARTS), get(START)), i32.store(get(ENDS), get(AT)), i32.store(get(HASHES), get(HASH))],
    i32.store8(get(CELL_KINDS), get(KINDS_SO_FAR)),
    ...[STARTS, ENDS, HASHES].map((local) => step(local, i32.const(4))),
    ...[CELL_KINDS, COLUMN].map((local) => step(local, i32.const(1))),
    ...[set(KINDS_SO_FAR, i32.const(0)), set(HASH, i32.const(SEED))],
  ];
  const endOfRow = [
    step(AT, i32.const(1)),
    // The line's end, which may not be there yet.
    brIf(2, isAtEnd),
    set(COLUMN, i32.const(0)),
    ...[i32.store(rows, i32.add(i32.load(rows), i32.const(1))), i32.store(length, i32.add(get(AT), i32.const(1)))],
  ];
  return [
    ...[i32.store(rows, i32.const(0)), i32.store(length, i32.const(0)), set(HASH, i32.const(SEED))].flat(),
    ...block(
      loop(
        brIf(1, isAtEnd),
        ...[set(BYTE, i32.load8(get(AT), BYTES)), set(KIND_OF, i32.load8(get(BYTE), TABLE))],
        when(get(KIND_OF), ...inCell),
        ...endOfCell,
        when(i32.eq(get(COLUMN), get(WIDTH)), ...endOfRow),
        ...[step(AT, i32.const(1)), set(START, get(AT)), br(0)],
      ),
    ),
  ];
}
