import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from './database.ts';
import type { Dataset } from './stage.ts';

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

/** The cells of a table in files, which are removed with the database's directory. */
export interface Texts {
  /** The cells as they are, row by row: UTF-8, a NUL after each, and a line's end after a row. Missing ones are empty. */
  readonly file: string;
  /** Where they are, in blocks of rows. */
  readonly index: string;
  /** Columns. */
  readonly width: number;
}

/** Writes all cells of a table into files, because a string costs 2 microseconds on its way out of DuckDB. */
export async function writeTexts(db: Database, { table, names }: Dataset): Promise<Texts> {
  const [file, index] = [join(db.directory, db.name('texts')), join(db.directory, db.name('index'))];
  const cells = names.map((_, at) => `c${at}, chr(0)`).join(', ');
  await db.writeLines(`SELECT concat(${cells}) FROM ${table}`, file);
  const texts = { file, index, width: names.length };
  writeIndex(texts);
  return texts;
}

/** Some whole rows; good until the next. Cell i, of row i / width, is `bytes[starts[i]]` to `bytes[ends[i] - 1]`. */
export interface Block {
  readonly bytes: Buffer;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** Bits of `KIND` by cell. */
  readonly kinds: Uint8Array;
  /** Counts from 1. */
  readonly firstRow: number;
  readonly rows: number;
}

const BLOCK = 2 ** 20;

class Room {
  readonly bytes: Buffer;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly kinds: Uint8Array;

  constructor(bytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(bytes);
    this.starts = new Uint32Array(bytes + 1);
    this.ends = new Uint32Array(bytes);
    this.kinds = new Uint8Array(bytes);
  }
}

/** All rows, in memory of a block or the longest row. */
export function* blocksOf({ file, index, width }: Texts): Generator<Block> {
  const [texts, places] = [openSync(file, 'r'), openSync(index, 'r')];
  try {
    const head = new Uint32Array(2);
    let room = new Room(BLOCK);
    for (let firstRow = 1; readSync(places, head) > 0; firstRow += head[0]!) {
      const [rows, length] = head as unknown as [number, number];
      if (length > room.bytes.length) room = new Room(length);
      const { bytes, starts, ends, kinds } = room;
      readSync(texts, bytes, 0, length, null);
      readSync(places, ends.subarray(0, rows * width));
      readSync(places, kinds.subarray(0, rows * width));
      for (let row = 0, cell = 0, start = 0; row < rows; row++, start++) {
        for (let column = 0; column < width; column++, cell++) {
          starts[cell] = start;
          start = ends[cell]! + 1;
        }
      }
      yield { bytes, starts, ends, kinds, firstRow, rows };
    }
  } finally {
    closeSync(texts);
    closeSync(places);
  }
}

/** Writes of each block how many rows it has and how many bytes, the ends of its cells and their kinds. */
function writeIndex({ file, index, width }: Texts): void {
  const [texts, places] = [openSync(file, 'r'), openSync(index, 'wx', 0o600)];
  try {
    let room = new Room(BLOCK);
    let filled = 0;
    for (;;) {
      const read = readSync(texts, room.bytes, filled, room.bytes.length - filled, null);
      if (read === 0) return;
      filled += read;
      const [rows, length] = divide(room, filled, width);
      if (rows > 0) {
        writeSync(places, Uint32Array.of(rows, length));
        writeSync(places, room.ends.subarray(0, rows * width));
        writeSync(places, room.kinds.subarray(0, rows * width));
        room.bytes.copyWithin(0, length, filled);
        filled -= length;
      } else if (filled === room.bytes.length) {
        const { bytes } = room;
        room = new Room(2 * filled);
        room.bytes.set(bytes);
      }
    }
  } finally {
    closeSync(texts);
    closeSync(places);
  }
}

/** Finds the cells of the whole rows in the first bytes. @returns how many rows, and their bytes */
function divide({ bytes, ends, kinds }: Room, filled: number, width: number): [rows: number, length: number] {
  let [rows, length, cell, found] = [0, 0, 0, 0];
  for (let at = 0, column = 0; at < filled; at++) {
    const kind = KINDS[bytes[at]!]!;
    found |= kind;
    if (kind !== END) continue;
    ends[cell] = at;
    kinds[cell++] = found;
    found = 0;
    if (++column < width) continue;
    // The line's end, which may not be there yet.
    if (++at === filled) break;
    column = 0;
    rows++;
    length = at + 1;
  }
  return [rows, length];
}

/** A cell in JavaScript, which keeps nothing of the block in memory. */
export function textAt({ bytes, starts, ends, kinds }: Block, cell: number): string {
  const encoding = (kinds[cell]! & KIND.WIDE) === 0 ? 'latin1' : 'utf8';
  return bytes.toString(encoding, starts[cell], ends[cell]);
}
