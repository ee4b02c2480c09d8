/** Commits: each writer plans on the latest version, and plans again where another was faster. */
import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { HokusaiError } from '../errors.ts';
import type { Action, Author, CommitInfo } from './actions.ts';
import { writeCheckpoint } from './checkpoint.ts';
import { commitPath } from './log.ts';
import { COMMIT_TIMES, isOn, requireRemovable, requireWritable } from './protocol.ts';
import { latestSnapshot, readSnapshot, type Snapshot } from './snapshot.ts';
import type { Store } from './store.ts';

/** What a writer wants to do to the version that it has read. */
export interface Plan {
  /** As Delta Lake calls it: WRITE, MERGE, DELETE, RESTORE, … */
  readonly operation: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly actions: readonly Action[];
}

export interface Committed {
  readonly version: number;
  /** Of what was written, such as numOutputRows. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** How often a writer plans anew before it gives up. */
const ATTEMPTS = 40;
const LONGEST_PAUSE_MS = 500;
const CHECKPOINT_INTERVAL = 'delta.checkpointInterval';
export const RETENTION = 'delta.deletedFileRetentionDuration';
const WEEK_HOURS = 168;

/**
 * Commits what a writer plans. A plan is made anew on the version of whoever was faster, so the versions are what they
 * would be had the writers come one after the other; nothing that a plan read can have changed unnoticed.
 *
 * @param plan    made of the latest version, undefined where there is no table yet; undefined where nothing is to be done
 * @param written files that plans have put into the table, which are taken away again when no commit will name them
 * @returns the version, durable; that which is there where nothing was to be done
 * @throws HokusaiError LAKE_BUSY (retryable), LAKE_FEATURE, LAKE_APPEND_ONLY (configuration), what `plan` throws, and
 *   what the store does
 */
export async function commit(
  store: Store,
  author: Author,
  plan: (base: Snapshot | undefined) => Promise<Plan | undefined>,
  written: Set<string> = new Set(),
): Promise<Committed> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const base = await latestSnapshot(store);
    const planned = await checked(store, base, plan).catch(async (error) => {
      await discard(store, written);
      throw error;
    });
    await discard(store, written, planned?.actions);
    if (!planned) return { version: base?.version ?? -1, metrics: {} };
    const version = (base?.version ?? -1) + 1;
    const bytes = Buffer.from(textOf([{ commitInfo: describe(base, author, planned) }, ...planned.actions]));
    if (await isOurs(store, version, bytes).catch((error) => giveUp(store, version, written, error))) {
      await checkpointAt(store, version, base);
      return { version, metrics: planned.metrics };
    }
    await sleep(randomInt(Math.min(LONGEST_PAUSE_MS, 10 * 2 ** attempt)));
  }
  await discard(store, written);
  throw new HokusaiError('retryable', 'LAKE_BUSY', `${store.location}: ${ATTEMPTS} times another writer was faster.`, {
    details: { location: store.location, attempts: ATTEMPTS },
    next: 'Try again when fewer write to the table.',
  });
}

async function checked(
  store: Store,
  base: Snapshot | undefined,
  plan: (base: Snapshot | undefined) => Promise<Plan | undefined>,
): Promise<Plan | undefined> {
  if (base) requireWritable(store, base);
  const planned = await plan(base);
  if (base && planned?.actions.some(({ remove }) => remove?.dataChange)) requireRemovable(store, base);
  return planned;
}

const textOf = (actions: readonly Action[]): string => actions.map((action) => `${JSON.stringify(action)}\n`).join('');

/** Takes files away that were written and that a plan does not name any more. */
async function discard(store: Store, written: Set<string>, actions: readonly Action[] = []): Promise<void> {
  const named = new Set(actions.map(({ add, cdc }) => (add ?? cdc)?.path));
  for (const path of written) {
    if (named.has(path)) continue;
    await store.delete(path);
    written.delete(path);
  }
}

/**
 * After an error nobody knows whether the commit is there, and its files stay until vacuum finds them unnamed; but on a
 * full disk that can be seen, and they only make it fuller.
 */
async function giveUp(store: Store, version: number, written: Set<string>, error: unknown): Promise<never> {
  const isFull = error instanceof HokusaiError && error.code === 'DISK_FULL';
  if (isFull && (await store.get(commitPath(version))) === undefined) await discard(store, written);
  throw error;
}

/** A store that answers late may have taken the file at an earlier try: then what is there is what we wrote. */
async function isOurs(store: Store, version: number, bytes: Uint8Array): Promise<boolean> {
  if (await store.putIfAbsent(commitPath(version), bytes)) return true;
  const there = await store.get(commitPath(version));
  return there !== undefined && Buffer.from(there).equals(bytes);
}

function describe(
  base: Snapshot | undefined,
  author: Author,
  { operation, parameters, metrics, actions }: Plan,
): CommitInfo {
  const now = Date.now();
  const metaData = actions.find((action) => action.metaData)?.metaData ?? base!.metaData;
  return {
    // By the protocol in-commit timestamps rise, whatever the clocks of the writers do.
    ...(isOn(metaData, COMMIT_TIMES) && { inCommitTimestamp: Math.max(now, (base?.time ?? 0) + 1) }),
    timestamp: now,
    operation,
    operationParameters: parameters ?? {},
    operationMetrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, String(value)])),
    ...(base && { readVersion: base.version }),
    isolationLevel: 'Serializable',
    isBlindAppend: operation === 'WRITE' && actions.every(({ remove }) => !remove),
    engineInfo: 'hokusai-evaluator',
    // Tells a file that was cut off at the end of a line.
    actions: actions.length + 1,
    txnId: randomUUID(),
    ...author,
  };
}

/** The commit stands whether or not there is room for a checkpoint, which the next one then makes. */
async function checkpointAt(store: Store, version: number, base: Snapshot | undefined): Promise<void> {
  const interval = Number(base?.metaData.configuration[CHECKPOINT_INTERVAL] ?? 10);
  if (version - (base?.checkpoint ?? -1) < interval) return;
  try {
    const snapshot = await readSnapshot(store, { version });
    await writeCheckpoint(store, snapshot, Date.now() - retentionHours(snapshot) * 3_600_000);
  } catch (error) {
    if (!(error instanceof HokusaiError)) throw error;
    process.emitWarning(`Version ${version} is committed, and its checkpoint is not written: ${error.message}`);
  }
}

/** How long files that were removed are kept, in hours: as the table says, or a week. */
export function retentionHours({ metaData }: Snapshot): number {
  const text = metaData.configuration[RETENTION];
  const [, count, unit] = /^(?:interval )?(\d+) (hour|day|week)s?$/i.exec(text ?? '') ?? [];
  return count ? Number(count) * { hour: 1, day: 24, week: WEEK_HOURS }[unit!.toLowerCase()]! : WEEK_HOURS;
}
