/** Who did what to a table. */
import type { Action } from './actions.ts';
import { rowsOfStats } from './data-file.ts';
import { infoOf, readCommits, timeOf } from './log.ts';
import { requireLog } from './snapshot.ts';
import type { Store } from './store.ts';

export interface HistoryEntry {
  readonly version: number;
  /** ISO 8601. */
  readonly time: string;
  readonly operation: string;
  /** In the table afterwards; undefined where the writers of its files do not say, or the log does not begin with 0. */
  readonly rows: number | undefined;
  /** Of what was written, as its writer calls them. */
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly run: string | undefined;
  readonly step: string | undefined;
  readonly who: string | undefined;
  readonly engine: string | undefined;
}

/**
 * The versions of a table whose commits are there, the latest first.
 *
 * @throws HokusaiError LAKE_NO_TABLE (configuration), LAKE_LOG_TORN (terminal)
 */
export async function history(store: Store): Promise<HistoryEntry[]> {
  const { commits } = await requireLog(store);
  const read = await readCommits(store, [...commits.keys()]);
  const rows = new Map<string, number | undefined>();
  let total = read[0]?.[0] === 0 ? 0 : Number.NaN;
  const entries = read.map(([version, actions]) => {
    total += rowsGained(rows, actions);
    return describe(version, timeOf(actions, commits.get(version)!), total, actions);
  });
  return entries.reverse();
}

/** @returns NaN where it is not known */
function rowsGained(rows: Map<string, number | undefined>, actions: readonly Action[]): number {
  let gained = 0;
  for (const { add, remove } of actions) {
    const path = (add ?? remove)?.path;
    if (path === undefined) continue;
    gained -= rows.has(path) ? (rows.get(path) ?? Number.NaN) : add ? 0 : Number.NaN;
    if (remove) rows.delete(path);
    if (!add) continue;
    rows.set(path, rowsOfStats(add.stats));
    gained += rows.get(path) ?? Number.NaN;
  }
  return gained;
}

function describe(version: number, time: number, total: number, actions: readonly Action[]): HistoryEntry {
  const info = infoOf(actions) ?? {};
  const text = (name: string) => (typeof info[name] === 'string' ? (info[name] as string) : undefined);
  return {
    version,
    time: new Date(time).toISOString(),
    operation: text('operation') ?? 'unknown',
    rows: Number.isNaN(total) ? undefined : total,
    metrics: info.operationMetrics ?? {},
    run: text('run'),
    step: text('step'),
    who: text('who'),
    engine: text('engineInfo'),
  };
}
