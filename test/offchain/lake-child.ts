/**
 * A writer of a table in a process of its own, which the tests of tables kill, race and starve.
 *
 *   node lake-child.ts append TABLE NAME COUNT   appends so many times, and says each version once it has it
 *   node lake-child.ts mixed TABLE NAME COUNT    the same, with merges and deletes between
 *   node lake-child.ts unprivileged TABLE NAME COUNT   as append, as a user who is not root
 *   node lake-child.ts full TABLE NAME COUNT     as mixed, until there is no room left; then makes room and goes on
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HokusaiError } from '../../offchain/errors.ts';
import { sqlFile, withDuck } from '../../offchain/lake/duck.ts';
import { openStore } from '../../offchain/lake/open-store.ts';
import { FILE, rowsOf } from '../../offchain/lake/rows.ts';
import { latestSnapshot, readSnapshot } from '../../offchain/lake/snapshot.ts';
import { LOCAL_SCRATCH, type Store } from '../../offchain/lake/store.ts';
import { append, merge, remove } from '../../offchain/lake/write.ts';

/** Rows of each write, which have its number as their `id`: a version with some of them would be a torn one. */
export const ROWS = 5;

/** The writes of a process that deletes what the one before has written. */
export const deletes = (id: number): boolean => id % 4 === 3;
const merges = (id: number) => id % 4 === 2;

/**
 * What every version of a table has of each write: `{"name 3": 5}` are the 5 rows of the fourth write of the process
 * that is called so.
 */
export async function writesByVersion(store: Store): Promise<Record<string, number>[]> {
  const latest = await latestSnapshot(store);
  return withDuck(LOCAL_SCRATCH, async (duck) => {
    const versions: Record<string, number>[] = [];
    for (let version = 0; version <= (latest?.version ?? -1); version++) {
      const snapshot = await readSnapshot(store, { version });
      const query = await rowsOf(store, snapshot, snapshot.files.values());
      const rows = await duck.rows(
        `SELECT writer || ' ' || id, count(*)::INTEGER FROM (SELECT * EXCLUDE (${FILE}) FROM (${query})) GROUP BY 1`,
      );
      versions.push(Object.fromEntries(rows as [string, number][]));
    }
    return versions;
  });
}

if (import.meta.main) await main(...(process.argv.slice(2) as [string, string, string, string]));

async function main(verb: string, table: string, name: string, count: string): Promise<void> {
  if (verb === 'unprivileged' && process.getuid?.() === 0) process.setuid!(65534);
  const folder = mkdtempSync(join(tmpdir(), 'lake-child-'));
  const ballast = join(table, '..', 'ballast');
  if (verb === 'full') writeFileSync(ballast, Buffer.alloc(64 * 1024));
  const perform = async (from: number, to: number) => {
    for (let id = from; id < to; id++) {
      const version = await write(openStore(table), verb, name, id, join(folder, 'rows.parquet'));
      console.log(JSON.stringify({ id, version }));
    }
  };
  try {
    await perform(0, Number(count));
  } catch (error) {
    if (!(error instanceof HokusaiError)) throw error;
    const { kind, code, message, next } = error;
    console.log(JSON.stringify({ kind, code, message, next }));
    process.exitCode = 1;
  } finally {
    if (verb === 'full') {
      rmSync(ballast);
      await perform(1000, 1003);
      console.log(JSON.stringify({ versions: await writesByVersion(openStore(table)) }));
    }
    rmSync(folder, { recursive: true });
  }
}

/** @returns the version that was acknowledged */
async function write(store: Store, verb: string, name: string, id: number, file: string): Promise<number> {
  const mixed = verb === 'mixed' || verb === 'full';
  if (mixed && deletes(id)) return (await remove(store, { writer: [name], id: [id - 1] })).version;
  await withDuck(LOCAL_SCRATCH, (duck) =>
    duck.run(
      `COPY (SELECT '${name}' AS writer, ${id}::BIGINT AS id, n::INTEGER AS n, md5(n::VARCHAR) AS filler
        FROM range(${ROWS}) AS _(n)) TO ${sqlFile(file)} (FORMAT parquet)`,
    ),
  );
  const keys = ['writer', 'id', 'n'];
  return (mixed && merges(id) ? await merge(store, file, keys) : await append(store, file)).version;
}
