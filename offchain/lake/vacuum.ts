import { HokusaiError } from '../errors.ts';
import type { Action, Author } from './actions.ts';
import { commit, RETENTION, retentionHours } from './commit.ts';
import { LOG } from './log.ts';
import { storedPath } from './rows.ts';
import { readSnapshot, type Snapshot } from './snapshot.ts';
import { type Store, type StoredFile, WORK } from './store.ts';

const HOUR_MS = 3_600_000;
/** A file that no version names may be of a writer at work, and is kept for so long whatever the retention is. */
const WRITER_HOURS = 24;

export interface Vacuumed {
  readonly files: readonly string[];
  readonly bytes: number;
  readonly retentionHours: number;
}

/**
 * Takes away the files that no version needs which was the latest one within the retention: those that were removed
 * before, and those that writers have left unfinished. Older versions cannot be read or restored afterwards; the log
 * stays.
 *
 * @param options.hours  the retention; that of the table (a week by default) if not given
 * @param options.dryRun only says what would be taken away
 * @throws HokusaiError LAKE_NO_TABLE, LAKE_FEATURE, LAKE_RETENTION (configuration)
 */
export async function vacuum(
  store: Store,
  { hours, dryRun = false }: { hours?: number | undefined; dryRun?: boolean | undefined },
  author: Author = {},
): Promise<Vacuumed> {
  // Listed before the log is read: what is committed in between is in both.
  const listed = await store.list('');
  const snapshot = await readSnapshot(store);
  const remembered = retentionHours(snapshot);
  const retention = hours ?? remembered;
  if (retention > remembered) throw tooLong(store, retention, remembered);
  const old = superfluous(store, snapshot, listed, retention, Date.now());
  const bytes = old.reduce((sum, file) => sum + file.bytes, 0);
  const result = { files: old.map(({ path }) => path), bytes, retentionHours: retention };
  if (dryRun || old.length === 0) return result;
  const record = (operation: string) =>
    commit(store, author, async () => ({
      operation,
      parameters: { retentionHours: String(retention) },
      metrics: { numDeletedFiles: old.length, sizeOfDataToDelete: bytes },
      actions: [] as Action[],
    }));
  await record('VACUUM START');
  for (const { path } of old) await store.delete(path);
  await record('VACUUM END');
  return result;
}

/** @param hours the retention */
function superfluous(
  store: Store,
  { files, removed }: Snapshot,
  listed: readonly StoredFile[],
  hours: number,
  now: number,
): StoredFile[] {
  const live = new Set([...files.keys()].map((path) => storedPath(store, path)));
  const removedAt = new Map(
    [...removed.values()].map(({ path, deletionTimestamp }) => [storedPath(store, path), deletionTimestamp ?? 0]),
  );
  return listed.filter(({ path, modified }) => {
    if (live.has(path)) return false;
    const removal = removedAt.get(path);
    if (removal !== undefined) return removal <= now - hours * HOUR_MS;
    const unnamed = modified <= now - Math.max(hours, WRITER_HOURS) * HOUR_MS;
    if (path.startsWith(`${LOG}/`)) return unnamed && path.endsWith('.tmp');
    if (path.startsWith('_change_data/')) return modified <= now - hours * HOUR_MS;
    // Other names that begin so are of other engines.
    return unnamed && (path.startsWith(WORK) || !/^[_.]/.test(path));
  });
}

/** Checkpoints forget what was removed before the table's retention, so that its age is not known any more. */
const tooLong = (store: Store, hours: number, remembered: number) =>
  new HokusaiError(
    'configuration',
    'LAKE_RETENTION',
    `${store.location} remembers for ${remembered} hours what was removed, not for ${hours}.`,
    {
      details: { hours, remembered },
      next: `Keep files for at most ${remembered} hours, or set ${RETENTION} of the table.`,
    },
  );
