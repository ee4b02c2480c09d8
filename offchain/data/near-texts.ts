import { appendFileSync, closeSync, openSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from './database.ts';
import { type Bands, bandsFor, jaccard } from './min-hash.ts';
import type { Profiled } from './profile.ts';
import { BAND_ROWS } from './room.ts';
import { blocksOf } from './texts.ts';

/**
 * Finds the rows whose text in a column is near to an earlier row's: MinHash and bands say which may be, and those are
 * compared.
 *
 * @param pairs a table of `row` and `near`, to which they are added
 * @returns by column how many they are
 */
export async function nearTexts(
  db: Database,
  table: Profiled,
  columns: readonly number[],
  threshold: number,
  pairs: string,
): Promise<number[]> {
  if (columns.length === 0) return [];
  const files = writeBands(db, table, columns, bandsFor(threshold));
  const found: number[] = [];
  for (const [i, at] of columns.entries()) found.push(await compare(db, table, at, files[i]!, threshold, pairs));
  return found;
}

/** Compares the rows that have a hash of a band in common. @returns how many are near to an earlier one */
async function compare(
  db: Database,
  table: Profiled,
  at: number,
  files: readonly string[],
  threshold: number,
  pairs: string,
): Promise<number> {
  const recurring = db.name('recurring');
  await db.run(`CREATE TABLE ${recurring} (row UINTEGER, hash UINTEGER)`);
  await db.append(recurring, recurringIn(files, table.rows));
  for (const file of files) rmSync(file);
  const found = db.name('candidates');
  await db.run(`CREATE TABLE ${found} AS SELECT DISTINCT row, first AS near FROM ${recurring} JOIN
    (SELECT hash, min(row) AS first FROM ${recurring} GROUP BY hash HAVING count(*) > 1) USING (hash) WHERE row <> first`);
  const near = new Map<number, number>();
  const both = `SELECT f.row, f.near, a.k${at}, b.k${at} FROM ${found} f JOIN ${table.cells} a ON a.row = f.row
    JOIN ${table.cells} b ON b.row = f.near ORDER BY f.row, f.near`;
  for await (const rows of db.stream<[number, number, string, string]>(both)) {
    for (const [row, other, one, two] of rows)
      if (!near.has(row) && jaccard(one, two) >= threshold) near.set(row, other);
  }
  await db.append(pairs, [[Uint32Array.from(near.keys()), Uint32Array.from(near.values())]]);
  return near.size;
}

/** Writes the hashes of each band of each column into a file: by row, and 0 where a text is too short to have any. */
function writeBands(db: Database, { texts, names }: Profiled, columns: readonly number[], bands: Bands): string[][] {
  const files = columns.map(() => Array.from({ length: bands.bands }, () => join(db.directory, db.name('band'))));
  for (const { room, rows } of blocksOf(texts)) {
    for (const [i, column] of columns.entries()) {
      for (let row = 0; row < rows; row += BAND_ROWS) {
        const some = Math.min(BAND_ROWS, rows - row);
        const hashes = room.bands(row * names.length + column, names.length, some, bands);
        for (const [band, file] of files[i]!.entries()) {
          const { buffer, byteOffset, byteLength } = hashes.subarray(some * band, some * (band + 1));
          appendFileSync(file, new Uint8Array(buffer, byteOffset, byteLength), { mode: 0o600 });
        }
      }
    }
  }
  return files;
}

/** Slots for each row, of which a hash takes one: with so many, one row in 64 is taken for one of two by chance. */
const SLOTS = 64;
const MOST_SLOTS = 2 ** 28;
/** Slots of a word, in each of which two bits count the hashes that took it, up to two. */
const IN_WORD = 16;

/** Rows, from 1, and their hashes, where another row may have the same hash: few of those that no other row has. */
function* recurringIn(files: readonly string[], rows: number): Generator<[Uint32Array, Uint32Array]> {
  const slots = Math.max(IN_WORD, Math.min(MOST_SLOTS, 2 ** Math.ceil(Math.log2(SLOTS * rows))));
  const counts = new Uint32Array(slots / IN_WORD);
  for (const file of files) {
    counts.fill(0);
    for (const { hashes } of wordsIn(file)) count(hashes, counts);
    for (const { firstRow, hashes } of wordsIn(file)) yield recurring(hashes, counts, firstRow);
  }
}

function count(hashes: Uint32Array, counts: Uint32Array): void {
  for (let i = 0; i < hashes.length; i++) {
    const hash = hashes[i]!;
    const word = (hash >>> 4) & (counts.length - 1);
    const slot = 2 * (hash & (IN_WORD - 1));
    const taken = (counts[word]! >>> slot) & 3;
    if (taken < 2) counts[word]! += 1 << slot;
  }
}

function recurring(hashes: Uint32Array, counts: Uint32Array, firstRow: number): [Uint32Array, Uint32Array] {
  const [rows, theirs] = [new Uint32Array(hashes.length), new Uint32Array(hashes.length)];
  let found = 0;
  for (let i = 0; i < hashes.length; i++) {
    const hash = hashes[i]!;
    const taken = (counts[(hash >>> 4) & (counts.length - 1)]! >>> (2 * (hash & (IN_WORD - 1)))) & 3;
    if (hash === 0 || taken < 2) continue;
    rows[found] = firstRow + i;
    theirs[found++] = hash;
  }
  return [rows.subarray(0, found), theirs.subarray(0, found)];
}

function* wordsIn(file: string): Generator<{ firstRow: number; hashes: Uint32Array }> {
  const descriptor = openSync(file, 'r');
  try {
    const words = new Uint32Array(2 ** 16);
    for (let firstRow = 1; ; ) {
      const read = readSync(descriptor, words, 0, words.byteLength, 4 * (firstRow - 1));
      if (read === 0) return;
      yield { firstRow, hashes: words.subarray(0, read / 4) };
      firstRow += read / 4;
    }
  } finally {
    closeSync(descriptor);
  }
}
