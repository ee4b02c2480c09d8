import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from './database.ts';
import { type Bands, bandHashes, bandsFor, jaccard } from './min-hash.ts';
import type { Profiled } from './profile.ts';
import { bytesOf } from './texts.ts';

/**
 * Finds the rows whose text in a column is near to an earlier row's: MinHash and bands say which may be, and those are
 * compared.
 *
 * @param pairs a table of `row` and `near`, to which they are added
 * @returns how many they are
 */
export async function nearTexts(
  db: Database,
  table: Profiled,
  at: number,
  threshold: number,
  pairs: string,
): Promise<number> {
  const recurring = db.name('recurring');
  await db.run(`CREATE TABLE ${recurring} (row UINTEGER, hash UINTEGER)`);
  const files = await writeBands(db, table, at, bandsFor(threshold));
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

/** Writes the hashes of each band into a file: by row, and 0 where a text is too short to have any. */
async function writeBands(db: Database, table: Profiled, at: number, bands: Bands): Promise<string[]> {
  const files = Array.from({ length: bands.bands }, () => join(db.directory, db.name('band')));
  const descriptors = files.map((file) => openSync(file, 'wx', 0o600));
  const hashes = new Uint32Array(bands.bands);
  const cells = { table: table.table, rows: table.rows, column: `c${at}`, longest: table.profile[at]!.longest };
  for await (const { bytes, count } of bytesOf(db, cells)) {
    const columns = files.map(() => new Uint32Array(count));
    for (let row = 0, from = 0; row < count; row++) {
      const next = bytes.indexOf(0, from);
      const to = next < 0 ? bytes.length : next;
      if (bandHashes(bytes, from, to, bands, hashes)) {
        for (let band = 0; band < columns.length; band++) columns[band]![row] = hashes[band]!;
      }
      from = to + 1;
    }
    for (const [band, words] of columns.entries()) writeSync(descriptors[band]!, words);
  }
  for (const descriptor of descriptors) closeSync(descriptor);
  return files;
}

/** Slots for each row, of which a hash takes one: with so many, one row in 32 is taken for one of two by chance. */
const SLOTS = 32;
const MOST_SLOTS = 2 ** 28;

/** Rows, from 1, and their hashes, where another row may have the same hash: few of those that no other row has. */
function* recurringIn(files: readonly string[], rows: number): Generator<[Uint32Array, Uint32Array]> {
  const slots = Math.max(32, Math.min(MOST_SLOTS, 2 ** Math.ceil(Math.log2(SLOTS * rows))));
  // A bit for each slot says that a hash has taken it, and one that a second has.
  const [once, twice] = [new Uint32Array(slots / 32), new Uint32Array(slots / 32)];
  for (const file of files) {
    once.fill(0);
    twice.fill(0);
    for (const { hashes } of wordsIn(file)) {
      for (const hash of hashes) {
        const word = (hash & (slots - 1)) >>> 5;
        const bit = 1 << (hash & 31);
        if ((once[word]! & bit) !== 0) twice[word]! |= bit;
        else once[word]! |= bit;
      }
    }
    for (const { firstRow, hashes } of wordsIn(file)) {
      const [found, theirs] = [new Uint32Array(hashes.length), new Uint32Array(hashes.length)];
      let count = 0;
      for (let i = 0; i < hashes.length; i++) {
        const hash = hashes[i]!;
        if (hash === 0 || (twice[(hash & (slots - 1)) >>> 5]! & (1 << (hash & 31))) === 0) continue;
        found[count] = firstRow + i;
        theirs[count++] = hash;
      }
      yield [found.subarray(0, count), theirs.subarray(0, count)];
    }
  }
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
