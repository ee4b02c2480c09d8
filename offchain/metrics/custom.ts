/** Metrics of the owner's own, each a module that runs in a process by itself: reported, never paid by. */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { HokusaiError } from '../errors.ts';
import type { CustomJob, CustomReply } from './custom-child.ts';
import type { Rows } from './rows.ts';
import { defined } from './significance.ts';

/** A module and its limits. */
export interface CustomMetric {
  readonly name: string;
  /** Absolute path of an ES module, whose default export is a {@link CustomFunction}. */
  readonly module: string;
  /** For both models together. */
  readonly timeoutSeconds: number;
  /** Of the process, the 50 MB or so that Node itself takes included. */
  readonly memoryMb: number;
}

/**
 * What a module exports by default. It may be asynchronous, and has to give a finite number.
 *
 * @param labels - class of each row, of two 1 being positive; or its number
 * @param predictions - likewise
 * @param scores - of a classifier one vector of two classes, more being more positive, and one per class of more
 */
export type CustomFunction = (
  labels: Uint8Array | Float64Array,
  predictions: Uint8Array | Float64Array,
  scores?: readonly Float64Array[],
) => number | Promise<number>;

/** A custom metric of both models, or why there is none. */
export type CustomResult = { readonly metric: string; readonly payable: false } & (
  | { readonly baseline: number; readonly candidate: number; readonly change: number | null }
  | { readonly error: { readonly code: string; readonly message: string; readonly next?: string } }
);

/** How often the memory of a process is looked at, in milliseconds. */
const LOOK_EVERY = 50;

/**
 * Runs all custom metrics of two models on the same rows, one after the other. One that fails is told as its error, and
 * takes nothing else with it.
 */
export async function customResults(
  metrics: readonly CustomMetric[],
  baseline: Rows,
  candidate: Rows,
): Promise<CustomResult[]> {
  const results: CustomResult[] = [];
  for (const metric of metrics) {
    const told = { metric: metric.name, payable: false } as const;
    try {
      const [before, after] = await runCustom(metric, [baseline, candidate]);
      results.push({ ...told, baseline: before!, candidate: after!, change: defined(after! - before!) });
    } catch (error) {
      if (!(error instanceof HokusaiError)) throw error;
      const { code, message, next } = error;
      results.push({ ...told, error: { code, message, ...(next && { next }) } });
    }
  }
  return results;
}

/**
 * What a module says of each rows. Its process has no environment, may read files and write none, and start nothing.
 *
 * @throws HokusaiError `terminal` CUSTOM_METRIC_UNREADABLE where the module cannot be loaded, CUSTOM_METRIC_NO_FUNCTION,
 *   CUSTOM_METRIC_THREW, CUSTOM_METRIC_NOT_FINITE, CUSTOM_METRIC_TIMEOUT, CUSTOM_METRIC_MEMORY, CUSTOM_METRIC_ENDED
 */
export function runCustom(metric: CustomMetric, rows: readonly Rows[]): Promise<number[]> {
  const { module, timeoutSeconds, memoryMb } = metric;
  const child = fork(join(import.meta.dirname, `custom-child${extname(import.meta.filename)}`), {
    serialization: 'advanced',
    execArgv: ['--permission', '--allow-fs-read=*', `--max-old-space-size=${memoryMb}`],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const { promise, resolve, reject } = Promise.withResolvers<number[]>();
  const give = (code: keyof typeof REASONS, cause?: string) => reject(failed(metric, code, cause));
  const timer = setTimeout(() => give('TIMEOUT'), timeoutSeconds * 1000);
  const looking = setInterval(() => residentMb(child.pid) > memoryMb && give('MEMORY'), LOOK_EVERY);
  child.on('message', (reply: CustomReply) =>
    'values' in reply ? resolve(reply.values) : give(reply.code, reply.cause),
  );
  child.on('error', (error) => give('ENDED', String(error)));
  // V8 aborts where its heap is full.
  child.on('exit', (code, signal) => give(signal === 'SIGABRT' || code === 134 ? 'MEMORY' : 'ENDED'));
  child.send({ module, rows } satisfies CustomJob, () => {});
  return promise.finally(() => {
    clearTimeout(timer);
    clearInterval(looking);
    child.kill('SIGKILL');
  });
}

/** Memory of a process where Linux tells it: typed arrays are outside of V8's heap, and so of its limit. */
function residentMb(pid: number | undefined): number {
  try {
    const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) / 1024;
  } catch {
    // Another system, or a process that has just ended: its end is reported by itself.
    return 0;
  }
}

const REASONS = {
  UNREADABLE: 'cannot be loaded',
  NO_FUNCTION: 'exports no function by default',
  THREW: 'threw an error',
  NOT_FINITE: 'gave something else than a finite number',
  TIMEOUT: 'took longer than it may',
  MEMORY: 'took more memory than it may',
  ENDED: 'ended its process without an answer',
} as const;

/** What the module itself said may quote a row, so only the cause has it. */
function failed(metric: CustomMetric, code: keyof typeof REASONS, cause?: string): HokusaiError {
  const { name, module, timeoutSeconds, memoryMb } = metric;
  const limit = { TIMEOUT: ` (${timeoutSeconds} s)`, MEMORY: ` (${memoryMb} MB)` }[code as string] ?? '';
  return new HokusaiError('terminal', `CUSTOM_METRIC_${code}`, `${name}: ${module} ${REASONS[code]}${limit}`, {
    details: { metric: name, module, timeoutSeconds, memoryMb },
    next: 'Correct the module or its limits in evaluation.custom_metrics; nothing else depends on it.',
    cause,
  });
}
