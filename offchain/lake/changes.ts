/** What has changed between two versions, from the change feed where there is one, else from the files. */
import type { Action } from './actions.ts';
import type { Duck } from './duck.ts';
import { gone, readCommits, timeOf } from './log.ts';
import { FILE, rowsOf } from './rows.ts';
import { type Field, quoted, sqlType } from './schema.ts';
import { readSnapshot, requireLog, type Snapshot } from './snapshot.ts';
import type { Store } from './store.ts';

const CHANGE_TYPE: Field = { name: '_change_type', type: 'string', nullable: false, metadata: {} };

/**
 * A query for the rows that the versions after `from`, up to `to`, have changed: the columns of version `to`, and
 * `_change_type` (insert, delete, update_preimage, update_postimage), `_commit_version` and `_commit_timestamp`. Where a
 * commit has no change feed, a row that is both in the files that it took away and in those that it added has not changed.
 *
 * @param from -1 for all changes since there was a table
 * @throws HokusaiError LAKE_NO_VERSION (configuration), LAKE_LOG_GAP, LAKE_FILE_MISSING (terminal)
 */
export async function changesOf(store: Store, from: number, to: number): Promise<string> {
  const snapshot = await readSnapshot(store, { version: to });
  const { commits } = await requireLog(store);
  const versions = Array.from({ length: Math.max(0, to - from) }, (_, at) => from + 1 + at);
  const lacking = versions.find((version) => !commits.has(version));
  if (lacking !== undefined) throw gone(store, lacking);
  const columns = snapshot.schema.map(({ name }) => quoted(name));
  const nothing = snapshot.schema.map(({ name, type }) => `NULL::${sqlType(type)} AS ${quoted(name)}`);
  const parts = [
    `SELECT ${nothing.join(', ')}, NULL::VARCHAR AS _change_type, NULL::BIGINT AS _commit_version,
      NULL::TIMESTAMPTZ AS _commit_timestamp WHERE false`,
  ];
  for (const [version, actions] of await readCommits(store, versions)) {
    const time = timeOf(actions, commits.get(version)!);
    for (const part of await changesIn(store, snapshot, actions)) {
      parts.push(
        `SELECT ${columns.join(', ')}, _change_type, ${version}, epoch_ms(${time})::TIMESTAMPTZ FROM (${part})`,
      );
    }
  }
  return parts.join(' UNION ALL ');
}

/** The changed rows of a commit with their type. */
async function changesIn(store: Store, snapshot: Snapshot, actions: readonly Action[]): Promise<string[]> {
  const cdc = actions.flatMap((action) => action.cdc ?? []);
  if (cdc.length > 0) return [await rowsOf(store, { ...snapshot, schema: [...snapshot.schema, CHANGE_TYPE] }, cdc)];
  const added = actions.flatMap(({ add }) => (add?.dataChange ? [add] : []));
  const removed = actions.flatMap(({ remove }) => (remove?.dataChange ? [remove] : []));
  const rows = async (files: Parameters<typeof rowsOf>[2]) =>
    `SELECT * EXCLUDE (${FILE}) FROM (${await rowsOf(store, snapshot, files)})`;
  const sides = [
    [added, removed, 'insert'],
    [removed, added, 'delete'],
  ] as const;
  const found = sides.filter(([files]) => files.length > 0);
  return Promise.all(
    found.map(async ([files, others, type]) => {
      const except = others.length > 0 ? ` EXCEPT ALL (${await rows(others)})` : '';
      return `SELECT *, '${type}' AS _change_type FROM ((${await rows(files)})${except})`;
    }),
  );
}

/** How many rows of each type of change a query of {@link changesOf} has. */
export async function countChanges(duck: Duck, query: string) {
  const counts = new Map(
    (await duck.rows(`SELECT _change_type, count(*)::DOUBLE FROM (${query}) GROUP BY 1`)) as [string, number][],
  );
  return {
    inserted: counts.get('insert') ?? 0,
    updated: counts.get('update_postimage') ?? 0,
    deleted: counts.get('delete') ?? 0,
  };
}
