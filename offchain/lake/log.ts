/** The log of a table: one file of actions per version, and checkpoints that sum them up. */
import { z } from 'zod';
import { HokusaiError } from '../errors.ts';
import { type Action, type CommitInfo, zAction } from './actions.ts';
import type { Store, StoredFile } from './store.ts';

export const LOG = '_delta_log';
export const LAST_CHECKPOINT = `${LOG}/_last_checkpoint`;
const numbered = (version: number) => `${LOG}/${String(version).padStart(20, '0')}`;
export const commitPath = (version: number): string => `${numbered(version)}.json`;
export const checkpointPath = (version: number): string => `${numbered(version)}.checkpoint.parquet`;

/** How many commits are read at once. */
const AT_ONCE = 32;

export interface Log {
  /** The commits that are there, by version, in order. */
  readonly commits: ReadonlyMap<number, StoredFile>;
  /** Versions of the checkpoints in one file, in order. Others are not read. */
  readonly checkpoints: readonly number[];
}

/** undefined where there is no table. */
export async function listLog(store: Store): Promise<Log | undefined> {
  const commits = new Map<number, StoredFile>();
  const checkpoints: number[] = [];
  for (const file of await store.list(LOG)) {
    const [, version, kind] = /^_delta_log\/(\d{20})\.(json|checkpoint\.parquet)$/.exec(file.path) ?? [];
    if (kind === 'json') commits.set(Number(version), file);
    else if (kind) checkpoints.push(Number(version));
  }
  return commits.size + checkpoints.length > 0 ? { commits, checkpoints } : undefined;
}

export const latestVersion = ({ commits, checkpoints }: Log): number =>
  Math.max(...[...commits.keys()].slice(-1), ...checkpoints.slice(-1));

/** A commit, or a checkpoint, that cannot be believed. */
export const torn = (store: Store, path: string, version: number, problem: string): HokusaiError =>
  new HokusaiError('terminal', 'LAKE_LOG_TORN', `${store.location}: ${path} ${problem}.`, {
    details: { location: store.location, path, version },
    next:
      version > 0
        ? `Restore the file from a copy; versions up to ${version - 1} can be read with --version.`
        : 'Restore the file from a copy.',
  });

/**
 * The actions of a version.
 *
 * @throws HokusaiError LAKE_LOG_TORN (terminal) where the file is cut off, empty or says what is not known
 */
async function readCommit(store: Store, version: number): Promise<Action[]> {
  const path = commitPath(version);
  const bytes = await store.get(path);
  if (!bytes) throw gone(store, version);
  if (bytes.length === 0) throw torn(store, path, version, 'is empty');
  const lines = new TextDecoder().decode(bytes).split('\n');
  const actions = lines.flatMap((line, at) => {
    if (line.trim() === '') return [];
    const action = parseAction(line);
    if (typeof action === 'string') throw torn(store, path, version, `is broken on line ${at + 1}: ${action}`);
    return [action];
  });
  const expected = infoOf(actions)?.actions ?? actions.length;
  if (actions.length === expected) return actions;
  throw torn(store, path, version, `is cut off: it has ${actions.length} of ${expected} actions`);
}

/** An action, or what is wrong with it, without what it says. */
export function parseAction(json: string): Action | string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return 'no JSON, as if it was cut off';
  }
  const { success, data, error } = zAction.safeParse(value);
  if (success) return data;
  return z.prettifyError(error).replaceAll('✖ ', '').replaceAll(/\s+/g, ' ');
}

/** Many commits, in the order of their versions. */
export async function readCommits(store: Store, versions: readonly number[]): Promise<[number, Action[]][]> {
  const read: [number, Action[]][] = [];
  for (let at = 0; at < versions.length; at += AT_ONCE) {
    const some = versions.slice(at, at + AT_ONCE);
    read.push(
      ...(await Promise.all(
        some.map(async (version) => [version, await readCommit(store, version)] as [number, Action[]]),
      )),
    );
  }
  return read;
}

/** The error for a commit that should be there. */
export const gone = (store: Store, version: number): HokusaiError =>
  new HokusaiError('terminal', 'LAKE_LOG_GAP', `${store.location}: version ${version} is missing from the log.`, {
    details: { location: store.location, version },
    next: 'Restore it from a copy. Checkpoints in several files or of format 2 are not read instead of commits.',
  });

export const infoOf = (actions: readonly Action[]): CommitInfo | undefined =>
  actions.find(({ commitInfo }) => commitInfo)?.commitInfo;

/**
 * When a version was made: by its commit where the table has in-commit timestamps, else when its file was modified.
 *
 * @returns milliseconds since 1970
 */
export const timeOf = (actions: readonly Action[], file: StoredFile): number =>
  infoOf(actions)?.inCommitTimestamp ?? file.modified;
