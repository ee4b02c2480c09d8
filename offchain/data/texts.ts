import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from './database.ts';
import { KIND, Room } from './room.ts';
import type { Dataset } from './stage.ts';

/** The cells of a table in files, which are removed with the database's directory. */
export interface Texts {
  /** The cells as they are, row by row: UTF-8, a NUL after each, and a line's end after a row. Missing ones are empty. */
  readonly file: string;
  /** Where they are, in blocks of rows. */
  readonly index: string;
  /** Columns. */
  readonly width: number;
}

/**
 * Writes all cells of a table into a file, because a string costs 2 microseconds on its way out of DuckDB. Where they are in
 * it is to be found once: `findBlocks`.
 */
export async function writeTexts(db: Database, { table, names }: Dataset): Promise<Texts> {
  const [file, index] = [join(db.directory, db.name('texts')), join(db.directory, db.name('index'))];
  const cells = names.map((_, at) => `c${at}, chr(0)`).join(', ');
  await db.writeLines(`SELECT concat(${cells}) FROM ${table}`, file);
  return { file, index, width: names.length };
}

/** Some whole rows; good until the next. Row by row, cell by cell: the first cell of the second row is the one at `width`. */
export interface Block {
  readonly room: Room;
  /** Counts from 1. */
  readonly firstRow: number;
  readonly rows: number;
}

const BLOCK = 2 ** 20;

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
      readSync(places, starts.subarray(0, rows * width));
      readSync(places, ends.subarray(0, rows * width));
      readSync(places, kinds.subarray(0, rows * width));
      yield { room, firstRow, rows };
    }
  } finally {
    closeSync(texts);
    closeSync(places);
  }
}

/** All rows, with the hashes of their cells; of each block, how many rows and bytes it has and its cells are written down. */
export function* findBlocks({ file, index, width }: Texts): Generator<Block> {
  const [texts, places] = [openSync(file, 'r'), openSync(index, 'wx', 0o600)];
  try {
    let room = new Room(BLOCK);
    for (let filled = 0, firstRow = 1; ; ) {
      const read = readSync(texts, room.bytes, filled, room.bytes.length - filled, null);
      if (read === 0) return;
      filled += read;
      const [rows, length] = room.divide(filled, width);
      if (rows > 0) {
        writeSync(places, Uint32Array.of(rows, length));
        writeSync(places, room.starts.subarray(0, rows * width));
        writeSync(places, room.ends.subarray(0, rows * width));
        writeSync(places, room.kinds.subarray(0, rows * width));
        yield { room, firstRow, rows };
        firstRow += rows;
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

/** A cell in JavaScript, which keeps nothing of the block in memory. */
export function textAt({ bytes, starts, ends, kinds }: Room, cell: number): string {
  const encoding = (kinds[cell]! & KIND.WIDE) === 0 ? 'latin1' : 'utf8';
  return bytes.toString(encoding, starts[cell], ends[cell]);
}
