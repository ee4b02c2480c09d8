/** A table as it stands at a version. */
import { HokusaiError } from '../errors.ts';
import type { Action, Add, MetaData, Protocol, Remove, Txn } from './actions.ts';
import { readCheckpoint } from './checkpoint.ts';
import { commitPath, gone, type Log, latestVersion, listLog, readCommits, timeOf, torn } from './log.ts';
import { requireReadable } from './protocol.ts';
import { type Field, parseSchema } from './schema.ts';
import type { Store } from './store.ts';

/** What the actions up to a version come to. */
export interface State {
  protocol: Protocol | undefined;
  metaData: MetaData | undefined;
  /** By path, in the order in which they were added. */
  readonly files: Map<string, Add>;
  readonly removed: Map<string, Remove>;
  readonly transactions: Map<string, Txn>;
}

export interface Snapshot {
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly protocol: Protocol;
  readonly metaData: MetaData;
  readonly schema: readonly Field[];
  readonly files: ReadonlyMap<string, Add>;
  /** Files that are no part of this version any more, and that nobody has forgotten yet. */
  readonly removed: ReadonlyMap<string, Remove>;
  readonly transactions: ReadonlyMap<string, Txn>;
  /** The checkpoint that it was read from, if any. */
  readonly checkpoint: number | undefined;
}

/** Which version: by number, or the last that was there at a time in milliseconds; the latest if neither is given. */
export type At = { readonly version?: number | undefined; readonly timestamp?: number | undefined };

/**
 * Reads a version.
 *
 * @throws HokusaiError LAKE_NO_TABLE, LAKE_NO_VERSION, LAKE_FEATURE (configuration); LAKE_LOG_TORN, LAKE_LOG_GAP
 *   (terminal)
 */
export async function readSnapshot(store: Store, at: At = {}): Promise<Snapshot> {
  const log = await requireLog(store);
  const version =
    at.version ?? (at.timestamp === undefined ? latestVersion(log) : await versionAt(store, log, at.timestamp));
  if (version > latestVersion(log)) throw noVersion(store, version, `the latest version is ${latestVersion(log)}`);
  return snapshotOf(store, log, version);
}

/** The latest version; undefined where there is no table. */
export async function latestSnapshot(store: Store): Promise<Snapshot | undefined> {
  const log = await listLog(store);
  return log && snapshotOf(store, log, latestVersion(log));
}

/** @throws HokusaiError LAKE_NO_TABLE (configuration) */
export async function requireLog(store: Store): Promise<Log> {
  const log = await listLog(store);
  if (log) return log;
  throw new HokusaiError('configuration', 'LAKE_NO_TABLE', `${store.location} is no Delta Lake table.`, {
    details: { location: store.location },
    next: 'Name the folder in which _delta_log is.',
  });
}

async function snapshotOf(store: Store, log: Log, version: number): Promise<Snapshot> {
  const checkpoint = log.checkpoints.findLast((each) => each <= version);
  const state: State = {
    protocol: undefined,
    metaData: undefined,
    files: new Map(),
    removed: new Map(),
    transactions: new Map(),
  };
  if (checkpoint !== undefined) for (const action of await readCheckpoint(store, checkpoint)) apply(state, action);
  // The checkpoint's own commit is read for its time, and not applied, as long as it is there.
  const first = checkpoint === undefined ? 0 : checkpoint + (log.commits.has(checkpoint) ? 0 : 1);
  const versions = Array.from({ length: version - first + 1 }, (_, at) => first + at);
  const lacking = versions.find((each) => !log.commits.has(each));
  if (lacking !== undefined) throw gone(store, lacking);
  const commits = await readCommits(store, versions);
  for (const [each, actions] of commits) {
    if (each !== checkpoint) for (const action of actions) apply(state, action);
  }
  const last = commits.at(-1);
  const { protocol, metaData, ...rest } = state;
  if (!protocol || !metaData) throw torn(store, commitPath(0), 0, 'says nothing of the protocol or the columns');
  requireReadable(store, protocol, metaData, rest.files.values());
  const schema = parseSchema(metaData.schemaString)!;
  const time = last ? timeOf(last[1], log.commits.get(version)!) : 0;
  return { version, time, protocol, metaData, schema, ...rest, checkpoint };
}

function apply(state: State, { protocol, metaData, add, remove, txn }: Action): void {
  if (protocol) state.protocol = protocol;
  if (metaData) state.metaData = metaData;
  if (txn) state.transactions.set(txn.appId, txn);
  if (remove) {
    state.files.delete(remove.path);
    state.removed.set(remove.path, remove);
  }
  if (add) {
    state.removed.delete(add.path);
    state.files.set(add.path, add);
  }
}

/** The last version that was there at a time. A clock that was set back does not make an earlier version the later. */
async function versionAt(store: Store, log: Log, time: number): Promise<number> {
  const versions = [...log.commits.keys()].reverse();
  for (const version of versions) {
    const [[, actions]] = (await readCommits(store, [version])) as [[number, Action[]]];
    if (timeOf(actions, log.commits.get(version)!) <= time) return version;
  }
  throw noVersion(
    store,
    new Date(time).toISOString(),
    `the first version was made after ${new Date(time).toISOString()}`,
  );
}

const noVersion = (store: Store, version: number | string, why: string) =>
  new HokusaiError('configuration', 'LAKE_NO_VERSION', `${store.location}: ${why}.`, {
    details: { location: store.location, version },
    next: 'See hokusai data log for the versions that there are.',
  });
