import type { Database } from './database.ts';
import { type RowForm, rowText } from './digests.ts';
import { nearTexts } from './near-texts.ts';
import type { Profiled } from './profile.ts';
import { quantilesOf } from './quantiles.ts';

/** Rows that say again what another row says. */
export interface Duplicates {
  /** Rows that are equal to an earlier one. */
  readonly exact: number;
  /** The first of them, with the row that each repeats. */
  readonly rows: readonly (readonly [row: number, of: number])[];
  /** Rows that are equal to one of another table, and of which only the label may differ. */
  readonly against: readonly { readonly path: string; readonly rows: number; readonly features: number }[];
  readonly near: NearDuplicates | undefined;
}

export interface NearDuplicates {
  /** Similarity from which on rows count as near, in (0, 1). */
  readonly threshold: number;
  /** Rows all of whose numbers are near to an earlier row's, and whose other short cells are equal to its. */
  readonly numeric: number;
  /** By column of free text: rows whose text is near to another's. */
  readonly texts: Readonly<Record<string, number>>;
  /** The first of all of them, with the row that each is near to. */
  readonly rows: readonly (readonly [row: number, of: number])[];
}

const LISTED = 20;
/** On average so long, in bytes, is what counts as a free text. */
const FREE_TEXT = 20;
/** And so many spaces are in it. */
const SPACES = 3;
const SAMPLE = 1000;
/** Numbers are alike by so much more: at a threshold of 0.8, within a hundredth of the column's spread. */
const NUMBERS = 20;

/**
 * Equal rows: within the table, by their keys and then by their digests, and by keys in other tables.
 *
 * @param keys as of `compareKeys`, of the table and of the others
 */
export async function findDuplicates(
  db: Database,
  table: Profiled,
  form: RowForm,
  [keys, ...others]: readonly { path: string; keys: string }[],
): Promise<Omit<Duplicates, 'near'> & { readonly table: string }> {
  const [alike, repeated] = [db.name('alike'), db.name('duplicates')];
  await db.run(`CREATE TABLE ${alike} AS SELECT row FROM ${keys!.keys}
    WHERE key IN (SELECT key FROM ${keys!.keys} GROUP BY key HAVING count(*) > 1)`);
  const [[some]] = (await db.rows<[boolean]>(`SELECT count(*) > 0 FROM ${alike}`)) as [[boolean]];
  // Of no rows the texts are not put together, which DuckDB would find out only after it.
  const digest = some ? `sha256(${rowText(table, form)})` : "''";
  const firsts = `SELECT row, min(row) OVER (PARTITION BY digest) AS first FROM
    (SELECT row, ${digest} AS digest FROM ${table.cells} WHERE row IN (SELECT row FROM ${alike}))`;
  await db.run(`CREATE TABLE ${repeated} AS SELECT row, first FROM (${firsts}) WHERE row <> first`);
  const [[exact]] = (await db.rows<[number]>(`SELECT count(*) FROM ${repeated}`)) as [[number]];
  const rows = await db.rows<[number, number]>(`SELECT row, first FROM ${repeated} ORDER BY row LIMIT ${LISTED}`);
  const against: Duplicates['against'][number][] = [];
  for (const { path, keys: other } of others) {
    const [[same, features]] = (await db.rows<[number, number]>(
      `SELECT (SELECT count(*) FROM ${keys!.keys} WHERE key IN (SELECT key FROM ${other})),
        (SELECT count(*) FROM ${keys!.keys} WHERE features IN (SELECT features FROM ${other}))`,
    )) as [[number, number]];
    against.push({ path, rows: same, features });
  }
  return { exact, rows, against, table: repeated };
}

/** The columns of free text: long, of several words, and hardly ever the same. */
async function freeTexts(db: Database, { profile, cells }: Profiled): Promise<Set<number>> {
  const found = new Set<number>();
  for (const [at, { present, numbers, bytes, distinct }] of profile.entries()) {
    if (present === 0 || numbers > 0 || bytes < FREE_TEXT * present || distinct * 2 < present) continue;
    const sample = `(SELECT k${at} AS k FROM ${cells} WHERE k${at} IS NOT NULL LIMIT ${SAMPLE})`;
    const [[spaces]] = (await db.rows<[number]>(
      `SELECT avg(length(k) - length(replace(k, ' ', ''))) FROM ${sample}`,
    )) as [[number]];
    if (spaces >= SPACES) found.add(at);
  }
  return found;
}

/**
 * Rows that are nearly another row.
 *
 * Numbers: each is put on a grid whose cells are (1 - threshold) / 20 of the column's spread (from the 5th to the 95th
 * percentile) wide; rows in the same cell of one of two grids, the second moved by half a cell, with equal short texts,
 * are neighbours. Texts: MinHash and bands; candidates are compared, and count from the threshold on.
 */
export async function findNear(db: Database, table: Profiled, threshold: number): Promise<NearDuplicates> {
  const pairs = db.name('pairs');
  await db.run(`CREATE TABLE ${pairs} (row UINTEGER, near UINTEGER)`);
  const free = await freeTexts(db, table);
  const numeric = await nearNumbers(db, table, threshold, pairs, free);
  const counts = await nearTexts(db, table, [...free], threshold, pairs);
  const texts = Object.fromEntries([...free].map((at, i) => [table.names[at]!, counts[i]!]));
  const rows = await db.rows<[number, number]>(
    `SELECT row, min(near) FROM ${pairs} GROUP BY row ORDER BY row LIMIT ${LISTED}`,
  );
  return { threshold, numeric, texts, rows };
}

async function nearNumbers(
  db: Database,
  table: Profiled,
  threshold: number,
  pairs: string,
  free: ReadonlySet<number>,
): Promise<number> {
  const columns = table.names
    .map((_, at) => at)
    .filter((at) => table.profile[at]!.present > 0 && !isIdentifier(table, at));
  const numbers = columns.filter((at) => table.profile[at]!.numbers === table.profile[at]!.present);
  if (numbers.length === 0) return 0;
  const spreads = (await quantilesOf(db, table, numbers, [0.05, 0.95])).map(([low, high]) => high! - low!);
  const texts = columns.filter((at) => !numbers.includes(at) && !free.has(at)).map((at) => `k${at}`);
  const cell = (at: number, i: number, offset: number) => {
    const width = ((1 - threshold) / NUMBERS) * (spreads[i] || 1);
    return `floor(CAST(k${at} AS DOUBLE) / ${width} + ${offset})::BIGINT`;
  };
  const keys = [0, 0.5].map(
    (offset) => `hash(${[...numbers.map((at, i) => cell(at, i, offset)), ...texts].join(', ')})`,
  );
  const grid = db.name('grid');
  await db.run(`CREATE TABLE ${grid} AS SELECT row, ${keys[0]} AS g0, ${keys[1]} AS g1 FROM ${table.cells}`);
  const near = db.name('near');
  await db.run(`CREATE TABLE ${near} (row BIGINT, near BIGINT)`);
  for (const key of ['g0', 'g1']) {
    await db.run(`INSERT INTO ${near} SELECT row, first FROM ${grid} JOIN
      (SELECT ${key}, min(row) AS first FROM ${grid} GROUP BY ${key} HAVING count(*) > 1) USING (${key}) WHERE row <> first`);
  }
  await db.run(`INSERT INTO ${pairs} SELECT * FROM ${near}`);
  return (await db.rows<[number]>(`SELECT count(DISTINCT row) FROM ${near}`))[0]![0];
}

/** Different in every row, so that no two rows would be near. */
const isIdentifier = ({ profile, rows }: Profiled, at: number): boolean =>
  profile[at]!.integers === profile[at]!.present && profile[at]!.distinct > 0.9 * rows && rows > 20;
