/**
 * What has not been recorded yet. A run's record waits in its folder as `mlflow.pending.json` and is `mlflow.json` once it
 * has been recorded; the folders beside it are the outbox, and the oldest goes first.
 */
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HokusaiError } from '../errors.ts';
import { loadSqlite } from '../run/journal.ts';
import { writeWhole } from '../write-whole.ts';
import { type Recorded, type TrackedRun, zTrackedRun } from './tracked-run.ts';

const PENDING = 'mlflow.pending.json';
const DONE = 'mlflow.json';
const LOCK = 'mlflow.lock';

/** Keeps a record until it is done; one of the same evaluation goes on with the times of the earlier one. */
export async function enqueue(folder: string, tracked: TrackedRun): Promise<void> {
  const earlier = (await readRecord(folder, PENDING)) ?? (await readRecord(folder, DONE));
  const same = earlier instanceof HokusaiError || earlier?.evaluation !== tracked.evaluation ? undefined : earlier;
  const { startTime, endTime } = same ?? tracked;
  await writeWhole(join(folder, PENDING), `${JSON.stringify({ ...tracked, startTime, endTime }, null, 2)}\n`);
}

/** What came of the outbox. */
export interface Emptied {
  /** By folder. */
  readonly recorded: ReadonlyMap<string, Recorded>;
  readonly pending: number;
  /** The first of them says why nothing went on, if nothing did. */
  readonly problems: readonly HokusaiError[];
}

/**
 * Records what is pending in the folders of a folder. What is wrong with one record alone does not keep the others
 * waiting; anything else ends it until another time.
 */
export async function empty(
  outbox: string,
  record: (tracked: TrackedRun, folder: string) => Promise<Recorded>,
): Promise<Emptied> {
  const { waiting, unreadable } = await pendingIn(outbox);
  const recorded = new Map<string, Recorded>();
  const problems = [...unreadable];
  for (const { folder } of waiting) {
    try {
      const one = await alone(folder, () => recordPending(folder, record));
      if (one) recorded.set(folder, one);
    } catch (error) {
      if (!(error instanceof HokusaiError)) throw error;
      problems.push(error.kind === 'terminal' ? giveUp(error, folder) : error);
      if (error.kind !== 'terminal') break;
    }
  }
  return { recorded, pending: unreadable.length + waiting.length - recorded.size, problems };
}

async function recordPending(folder: string, record: Parameters<typeof empty>[1]): Promise<Recorded | undefined> {
  // Another process may have been faster.
  const tracked = await readRecord(folder, PENDING);
  if (tracked instanceof HokusaiError) throw tracked;
  if (!tracked) return undefined;
  const recorded = await record(tracked, folder);
  await rename(join(folder, PENDING), join(folder, DONE));
  return recorded;
}

const giveUp = (error: HokusaiError, folder: string): HokusaiError =>
  new HokusaiError(error.kind, error.code, error.message, {
    details: { ...error.details, file: join(folder, PENDING) },
    next: `Correct it there, or delete ${join(folder, PENDING)} to give it up.`,
    cause: error,
  });

async function pendingIn(outbox: string) {
  const folders = (await readdir(outbox, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const waiting: { folder: string; startTime: number }[] = [];
  const unreadable: HokusaiError[] = [];
  for (const { name } of folders) {
    const folder = join(outbox, name);
    const tracked = await readRecord(folder, PENDING);
    if (tracked instanceof HokusaiError) unreadable.push(tracked);
    else if (tracked) waiting.push({ folder, startTime: tracked.startTime });
  }
  return { waiting: waiting.sort((a, b) => a.startTime - b.startTime), unreadable };
}

/** A record; nothing where there is none; an error where it is none of ours. */
async function readRecord(folder: string, name: string): Promise<TrackedRun | HokusaiError | undefined> {
  const file = join(folder, name);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return zTrackedRun.parse(JSON.parse(text));
  } catch (cause) {
    return new HokusaiError('terminal', 'MLFLOW_RECORD', `${file} is not the record of a run.`, {
      details: { file },
      next: 'Delete it, and run the evaluation again to record it.',
      cause,
    });
  }
}

/** A file of a run's folder. @throws HokusaiError MLFLOW_ARTIFACT (terminal) */
export async function readArtifact(folder: string, file: string): Promise<Buffer<ArrayBuffer>> {
  const path = join(folder, file);
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new HokusaiError('terminal', 'MLFLOW_ARTIFACT', `${path} cannot be recorded: ${error.code}.`, {
      details: { path, reason: error.code },
      cause: error,
    });
  });
}

/**
 * Keeps other processes from recording the same run, which would make it twice; nothing where one is at it. The lock is
 * the system's, so that no crash leaves it behind.
 */
async function alone<T>(folder: string, act: () => Promise<T>): Promise<T | undefined> {
  const file = join(folder, LOCK);
  const lock = new (loadSqlite().DatabaseSync)(file, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (/locked/.test(String(error))) return undefined;
    throw error;
  }
  try {
    return await act();
  } finally {
    lock.close();
    await rm(file, { force: true });
  }
}
