import { HokusaiError } from '../errors.ts';
import type { Author } from './actions.ts';
import { type Committed, commit } from './commit.ts';
import { requireReadable } from './protocol.ts';
import { storedPath } from './rows.ts';
import { type At, readSnapshot, requireLog } from './snapshot.ts';
import type { Store } from './store.ts';
import { removals } from './write.ts';

/**
 * Makes a new version that has the rows and columns of an old one. The versions between stay in the history.
 *
 * @returns the new version; the latest where that is what was asked for already
 * @throws HokusaiError LAKE_NO_VERSION, LAKE_FILES_GONE (configuration), and those of {@link commit}
 */
export async function restore(store: Store, at: At, author: Author = {}): Promise<Committed> {
  await requireLog(store);
  return commit(store, author, async (base) => {
    const old = await readSnapshot(store, at);
    requireReadable(store, base!.protocol, old.metaData, old.files.values());
    const back = [...old.files.values()].filter(({ path }) => !base!.files.has(path));
    const away = [...base!.files.values()].filter(({ path }) => !old.files.has(path));
    const sameColumns = JSON.stringify(old.metaData) === JSON.stringify(base!.metaData);
    if (back.length + away.length === 0 && sameColumns) return undefined;
    await requireThere(
      store,
      old.version,
      back.map(({ path }) => path),
    );
    return {
      operation: 'RESTORE',
      parameters: { version: String(old.version) },
      metrics: { numRestoredFiles: back.length, numRemovedFiles: away.length },
      actions: [
        ...(sameColumns ? [] : [{ metaData: old.metaData }]),
        ...removals(away),
        ...back.map((add) => ({ add: { ...add, dataChange: true } })),
      ],
    };
  });
}

async function requireThere(store: Store, version: number, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  const there = new Set((await store.list('')).map(({ path }) => path));
  const lacking = paths.filter((path) => !there.has(storedPath(store, path)));
  if (lacking.length === 0) return;
  throw new HokusaiError(
    'configuration',
    'LAKE_FILES_GONE',
    `${store.location}: ${lacking.length} files of version ${version} are gone.`,
    { details: { version, files: lacking.length }, next: 'Vacuum has taken them away: restore a newer version.' },
  );
}
