import { hash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HokusaiError } from '../errors.ts';
import type { Author } from '../lake/actions.ts';
import { appendParquet } from '../lake/append.ts';
import { openStore } from '../lake/open-store.ts';
import { latestSnapshot } from '../lake/snapshot.ts';
import { secretFile } from '../secrets.ts';
import { writeWhole } from '../write-whole.ts';
import { type Database, identifier, pathLiteral } from './database.ts';
import { digestRows, type Roots, type RowForm, rootsOf } from './digests.ts';
import type { Inspection } from './inspect.ts';
import { part } from './part.ts';
import type { Profiled } from './profile.ts';
import { rejectedRows, writeQuarantine } from './quarantine.ts';
import { sampleRows } from './sample.ts';

export interface CommitOptions extends Author {
  /** Rows at most: a share of each class, by digest. */
  readonly maxSamples?: number | undefined;
  /** Where rejected rows go; without it, rows that break a rule are a reason not to commit anything. */
  readonly quarantine?: string | undefined;
}

/** What is kept beside a table of each commit, by its contributor. */
export interface CommitRecord extends Roots, RowForm {
  readonly version: number;
}

export interface Committed extends CommitRecord {
  /** Rows read, rejected and left out by sampling. */
  readonly read: number;
  readonly rejected: number;
  readonly sampledOut: number;
  readonly folder: string;
}

/**
 * Beside the table, or here where that is not on this machine: the secret of its salts, and a record of each commit. Here
 * its name tells tables of one name in several places apart.
 */
export function folderOf(location: string): string {
  const table = location.replace(/\/+$/, '');
  const [, name] = /^[a-z0-9+]+:\/\/.*\/([^/]+)$/i.exec(table) ?? [];
  if (name === undefined) return `${table}.contribution`;
  return `${name}-${hash('sha256', table, 'hex').slice(0, 8)}.contribution`;
}
export const secretOf = (location: string): string => join(folderOf(location), 'contribution.hex');
export const recordOf = (location: string, version: number): string =>
  join(folderOf(location), `version-${version}.json`);

/**
 * Commits to what is left of a table when personal data, rejected rows and repeated rows are out of it, and appends it to
 * a Delta table, in the order of digests.
 *
 * @throws HokusaiError `terminal` DATA_INVALID, DATA_NONE_LEFT; those of `appendParquet`
 */
export async function commitData(
  db: Database,
  location: string,
  inspection: Inspection,
  { maxSamples, quarantine, ...author }: CommitOptions,
): Promise<Committed> {
  const { table, checked, form } = inspection;
  if (quarantine === undefined) refuseInvalid(inspection);
  const { table: clean, rejected: refused } = await part('cleaning', inspection.pii.clean);
  const rejected = await rejectedRows(db, inspection, refused);
  if (quarantine !== undefined) await writeQuarantine(db, table, rejected, quarantine);
  const digests = await part('digests', () => digestRows(db, clean, form));
  const { kept, distinct } = await part('sample', () =>
    sampleRows(db, clean, { digests, rejected, label: form.label, maxSamples }),
  );
  if (kept.length === 0) throw noneLeft(table.path, checked.rejected);
  const file = join(db.directory, db.name('rows.parquet'));
  await part('write', () => writeRows(db, clean, kept, file, location));
  const folder = folderOf(location);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const secret = await secretFile(secretOf(location));
  const roots = await part('roots', async () => rootsOf(digests, secret, kept));
  const { version } = await part('append', () => appendParquet(location, file, author));
  await rm(file);
  const record: CommitRecord = { version, ...roots, ...form };
  await writeWhole(recordOf(location, version), `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  return { ...record, read: table.rows, rejected: table.rows - distinct, sampledOut: distinct - kept.length, folder };
}

function refuseInvalid({ table, checked, misfits }: Inspection): void {
  if (checked.rejected + checked.absent.length + misfits.length === 0) return;
  const text = `${table.path}: ${checked.rejected} rows break a rule, ${checked.absent.length + misfits.length} columns do not fit`;
  throw new HokusaiError('terminal', 'DATA_INVALID', text, {
    details: {
      rejected: checked.rejected,
      absent: checked.absent,
      misfits,
      violations: checked.results
        .filter(({ count }) => count > 0)
        .map(({ column, rule, count }) => ({ column, rule, count })),
    },
    next: 'See hokusai data check, or let the rows that break rules go to a file by --quarantine.',
  });
}

function noneLeft(path: string, rejected: number): HokusaiError {
  return new HokusaiError('terminal', 'DATA_NONE_LEFT', `${path}: no row is left to commit to`, {
    details: { path, rejected },
    next: 'See hokusai data check for why its rows are rejected.',
  });
}

/** Writes rows in the order of their digests: columns of numbers as numbers where each of them comes back as it was. */
async function writeRows(
  db: Database,
  table: Profiled,
  kept: Uint32Array,
  file: string,
  location: string,
): Promise<void> {
  const places = await placesOf(db, table.rows, kept);
  const cells = `(SELECT * FROM ${table.cells} POSITIONAL JOIN ${places} WHERE place <> ${NOWHERE})`;
  const types = await typesFor(db, { ...table, cells }, await typesOf(location));
  const columns = table.names.map((name, at) => {
    const type = types[at]!;
    return `${type === 'VARCHAR' ? `k${at}` : `CAST(k${at} AS ${type})`} AS ${identifier(name)}`;
  });
  // Put down before they are sorted: the blocks of columns that stand beside each other would fill the memory.
  const rows = db.name('rows');
  await db.run(`CREATE TABLE ${rows} AS SELECT place AS ${rows}_place, ${columns.join(', ')} FROM ${cells}`);
  const query = `SELECT * EXCLUDE (${rows}_place) FROM ${rows} ORDER BY ${rows}_place`;
  await db.run(`COPY (${query}) TO ${pathLiteral(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 61440)`);
  await db.run(`DROP TABLE ${rows}`);
}

/** The place of a row that is not kept. */
const NOWHERE = 0xffffffff;

/** A table of `place`, from 0: where each row, in their order, stands among the kept ones. */
async function placesOf(db: Database, rows: number, kept: Uint32Array): Promise<string> {
  const places = new Uint32Array(rows).fill(NOWHERE);
  for (const [place, row] of kept.entries()) places[row] = place;
  const table = db.name('places');
  await db.run(`CREATE TABLE ${table} (place UINTEGER)`);
  await db.append(table, [[places]]);
  return table;
}

type ColumnType = 'BIGINT' | 'DOUBLE' | 'VARCHAR';
const OF_DELTA: Readonly<Record<string, ColumnType>> = { long: 'BIGINT', double: 'DOUBLE', string: 'VARCHAR' };

/** The types of the columns that the table has already. */
async function typesOf(location: string): Promise<Map<string, ColumnType>> {
  const snapshot = await latestSnapshot(openStore(location));
  return new Map((snapshot?.schema ?? []).map(({ name, type }) => [name, OF_DELTA[String(type)] ?? 'VARCHAR']));
}

/** The types of all columns: what the table has already, or of numbers the first from which each cell comes back. */
async function typesFor(
  db: Database,
  { names, profile, cells }: Profiled,
  known: ReadonlyMap<string, ColumnType>,
): Promise<ColumnType[]> {
  const numbers = profile.flatMap(({ present, numbers: count }, at) => (present > 0 && count === present ? [at] : []));
  const asked = numbers.filter((at) => !known.has(names[at]!));
  const types = names.map((name) => known.get(name) ?? ('VARCHAR' as const));
  if (asked.length === 0) return types;
  const counts = asked.map((at) => misfitsOf(`k${at}`, profile[at]!.longest));
  const [misfits] = await db.rows<number[]>(`SELECT ${counts.join(', ')} FROM ${cells}`);
  for (const [i, at] of asked.entries()) {
    const [integers, doubles] = [misfits![2 * i], misfits![2 * i + 1]];
    types[at] = integers === 0 ? 'BIGINT' : doubles === 0 ? 'DOUBLE' : 'VARCHAR';
  }
  return types;
}

/** How many cells would come back as other texts from integers and from doubles; numbers of 15 characters do not. */
function misfitsOf(k: string, longest: number): string {
  if (longest <= 15) return `count_if(contains(${k}, '.')), 0`;
  return `count_if(CAST(TRY_CAST(${k} AS BIGINT) AS VARCHAR) IS DISTINCT FROM ${k}),
    count_if(canonical(CAST(TRY_CAST(${k} AS DOUBLE) AS VARCHAR)) IS DISTINCT FROM ${k})`;
}
