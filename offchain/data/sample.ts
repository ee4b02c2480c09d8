import { closeSync, openSync, readSync } from 'node:fs';
import { type Database, identifier } from './database.ts';
import { BYTES, type Digests, digestsIn } from './digests.ts';
import type { Profiled } from './profile.ts';

/**
 * The rows that are kept: none that is rejected, and of equal ones the first; of more than `maxSamples`, in each class
 * of the label its share with the least digests. Digests are as good as random, and nobody who draws can choose.
 *
 * @param rejected a table of `row`, from 1
 * @returns `kept`, the rows from 0 by digest; how many there were before sampling
 */
export async function sampleRows(
  db: Database,
  table: Profiled,
  given: { digests: Digests; rejected: string; label: string | undefined; maxSamples: number | undefined },
): Promise<{ kept: Uint32Array; distinct: number }> {
  const { digests, rejected, label, maxSamples } = given;
  const without = new Uint8Array(digests.rows);
  for await (const rows of db.words(`SELECT (row - 1)::UINTEGER FROM ${rejected}`))
    for (const row of rows) without[row] = 1;
  const distinct = byDigest(digests, without);
  if (maxSamples === undefined || distinct.length <= maxSamples) return { kept: distinct, distinct: distinct.length };
  const classes = await classesOf(db, table, label);
  const counts: number[] = [];
  for (const row of distinct) counts[classes[row]!] = (counts[classes[row]!] ?? 0) + 1;
  const present = [...counts.keys()].filter((at) => counts[at] !== undefined);
  const quotas = quotasOf(
    present.map((at) => counts[at]!),
    maxSamples,
  );
  const left: number[] = counts.map(() => 0);
  for (const [i, at] of present.entries()) left[at] = quotas[i]!;
  const kept = distinct.filter((row) => left[classes[row]!]!-- > 0);
  return { kept, distinct: distinct.length };
}

/** Distinct labels up to which they are classes; of more, they are numbers or texts of all kinds. */
const MOST_CLASSES = 256;

/** By row the number of its label among the labels, which are sorted; 0 for all where they are no classes. */
async function classesOf(db: Database, table: Profiled, label: string | undefined): Promise<Uint32Array> {
  const classes = new Uint32Array(table.rows);
  const at = label === undefined ? -1 : table.names.indexOf(label);
  if (at < 0 || table.profile[at]!.distinct > 2 * MOST_CLASSES) return classes;
  const labels = `SELECT DISTINCT coalesce(k${at}, '') AS label FROM ${table.cells}`;
  const [[many]] = (await db.rows<[number]>(`SELECT count(*) FROM (${labels})`)) as [[number]];
  if (many > MOST_CLASSES) return classes;
  const type = identifier(db.name('classes'));
  await db.run(`CREATE TYPE ${type} AS ENUM (SELECT label FROM (${labels}) ORDER BY label)`);
  let row = 0;
  const codes = `SELECT enum_code(coalesce(k${at}, '')::${type})::UINTEGER FROM ${table.cells}`;
  for await (const words of db.words(codes)) {
    classes.set(words, row);
    row += words.length;
  }
  return classes;
}

/** Rows share a bucket with so many others on average. */
const PER_BUCKET = 4;

/**
 * Rows by digest, of equal ones the first: into buckets by the leading bits, which are as good as random, then by
 * insertion. Only the first 8 bytes are in memory; where those of two rows are equal, the files are asked.
 *
 * @param without the rows that are left out
 */
export function byDigest({ rows, whole }: Digests, without: Uint8Array): Uint32Array {
  const leading = new Uint32Array(2 * rows);
  for (const { firstRow, bytes } of digestsIn(whole)) {
    for (let at = 0; at < bytes.length; at += BYTES) {
      const row = firstRow + at / BYTES;
      leading[2 * row] = bytes.readUInt32BE(at);
      leading[2 * row + 1] = bytes.readUInt32BE(at + 4);
    }
  }
  const bits = Math.min(22, Math.max(1, Math.ceil(Math.log2(Math.max(rows, 2) / PER_BUCKET))));
  const order = intoBuckets(leading, without, 32 - bits);
  const descriptor = openSync(whole, 'r');
  const [one, two] = [Buffer.alloc(BYTES), Buffer.alloc(BYTES)];
  const compare = (a: number, b: number): number => {
    const order = leading[2 * a]! - leading[2 * b]! || leading[2 * a + 1]! - leading[2 * b + 1]!;
    if (order !== 0) return order;
    readSync(descriptor, one, 0, BYTES, BYTES * a);
    readSync(descriptor, two, 0, BYTES, BYTES * b);
    return one.compare(two);
  };
  const distinct = insertDistinct(order, compare);
  closeSync(descriptor);
  return order.subarray(0, distinct);
}

/** The rows by bucket, in each by number. */
function intoBuckets(leading: Uint32Array, without: Uint8Array, shift: number): Uint32Array {
  const next = new Uint32Array(2 ** (32 - shift) + 1);
  for (let row = 0; row < without.length; row++) if (without[row] === 0) next[(leading[2 * row]! >>> shift) + 1]!++;
  for (let bucket = 1; bucket < next.length; bucket++) next[bucket]! += next[bucket - 1]!;
  const order = new Uint32Array(next.at(-1)!);
  for (let row = 0; row < without.length; row++)
    if (without[row] === 0) order[next[leading[2 * row]! >>> shift]!++] = row;
  return order;
}

/** Sorts rows that are nearly in order, in place. @returns how many are left when of equal ones the first stays */
function insertDistinct(order: Uint32Array, compare: (a: number, b: number) => number): number {
  let distinct = 0;
  for (const row of order) {
    let place = distinct;
    let found = 1;
    while (place > 0) {
      found = compare(row, order[place - 1]!);
      if (found >= 0) break;
      place--;
    }
    if (place > 0 && found === 0) continue;
    order.copyWithin(place + 1, place, distinct);
    order[place] = row;
    distinct++;
  }
  return distinct;
}

/** Shares of a total in proportion to counts, by the largest remainders; of equal ones, the first. */
export function quotasOf(counts: readonly number[], total: number): number[] {
  const sum = counts.reduce((all, count) => all + count, 0);
  const exact = counts.map((count) => (BigInt(count) * BigInt(total)) / BigInt(sum));
  const remainders = counts.map((count) => (BigInt(count) * BigInt(total)) % BigInt(sum));
  const order = counts
    .map((_, i) => i)
    .sort((a, b) => (remainders[a]! === remainders[b]! ? a - b : remainders[a]! > remainders[b]! ? -1 : 1));
  const missing = total - Number(exact.reduce((all, quota) => all + quota, 0n));
  const lucky = new Set(order.slice(0, missing));
  return exact.map((quota, i) => Number(quota) + (lucky.has(i) ? 1 : 0));
}
