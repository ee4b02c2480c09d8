/**
 * Runs the steps of a run so that none is done twice: a step's output is recorded under the hash of its name and
 * inputs, and a later call with the same ones gives the record, also after the process was killed. Longer than other
 * files, because attempt, retry and stop share one class's signals and record.
 */
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cache } from '../cache/cache.ts';
import { type Canonical, canonicalJson, sha256 } from '../canonical.ts';
import { HokusaiError } from '../errors.ts';
import { makeFolder } from '../write-whole.ts';
import { openBlobs, readBlob, writeBlob } from './blobs.ts';
import { Journal, storageError } from './journal.ts';
import { openPartial, type Partial } from './partial.ts';

/** Part of every step's key. Changes whenever a step would give another output for the same inputs. */
export const RELEASE = '0.1.0';

const HEARTBEAT_SECONDS = 10;
/** How long a stopped step may take to end its child processes and to remove its files. */
const GRACE_SECONDS = 5;
const BACK_OFF_SECONDS = { first: 0.5, most: 30 };
/** What `setTimeout` can wait for, in milliseconds; it does not wait at all for more. */
const LONGEST_TIMER = 2 ** 31 - 1;

export interface StepContext {
  /** Aborted when the step's time is up, the run is stopped, or another process has taken it over. */
  readonly signal: AbortSignal;
  /** 1 for the first. */
  readonly attempt: number;
  /** @param fraction done, 0 to 1 */
  progress(fraction: number, text: string): void;
  /** Where a part of a long step keeps what it has done: in `partial/`, until the step has an output. */
  partial(part: string): Partial;
}

export interface StepOptions<T> {
  /** How often a retryable failure is tried again; as the executor was told if left out. */
  retries?: number;
  /** Of each attempt, in seconds; none if left out. A step that never yields cannot be stopped. */
  timeout?: number;
  /** False for a step whose output follows from more than its inputs, so that no other run may take it. */
  cached?: boolean;
  /** Hashes of what the step has put beside its output. */
  blobs?: (output: T) => readonly string[];
}

/** `seconds` is how long the step has taken, retries included; of a reused step, how long it took when it ran. */
export type StepEvent =
  | { type: 'started'; step: string }
  | { type: 'progress'; step: string; fraction: number; text: string }
  | { type: 'retrying'; step: string; seconds: number; attempt: number; wait: number; error: HokusaiError }
  | { type: 'reused' | 'finished'; step: string; seconds: number }
  /** Taken from the cache; `by` says what made it, `run 0123456789ab`. */
  | { type: 'cached'; step: string; seconds: number; by: string }
  | { type: 'warned'; step: string; error: HokusaiError }
  | { type: 'failed'; step: string; seconds: number; error: HokusaiError };

export interface StepRecord {
  name: string;
  seconds: number;
  reused: boolean;
  /** What made it, where it was taken from the cache. */
  from?: string;
}

interface ExecutorOptions {
  /** Stops the run: the step at work is told, and no other is begun. */
  signal?: AbortSignal;
  onEvent?: (event: StepEvent) => void;
  /** How often a step is tried again that says nothing else; 0 if left out. */
  retries?: number;
  /** What other runs have computed; without it each run computes everything once. */
  cache?: Cache | undefined;
}

/**
 * Opens a run's folder, made if it is missing: `journal.sqlite` and `blobs/`. One process at a time may have it open.
 *
 * @throws HokusaiError RUN_BUSY, FOLDER_UNWRITABLE, FOLDER_IS_FILE, DISK_FULL, JOURNAL_FORMAT or JOURNAL_CORRUPT
 */
export async function openExecutor(folder: string, options: ExecutorOptions = {}): Promise<Executor> {
  let journal: Journal | undefined;
  try {
    await makeFolder(folder);
    journal = new Journal(join(folder, 'journal.sqlite'));
    await openBlobs(folder);
    return new Executor(folder, journal, options);
  } catch (error) {
    journal?.close();
    throw storageError(error, folder);
  }
}

export class Executor {
  readonly folder: string;
  readonly #journal: Journal;
  readonly #onEvent: (event: StepEvent) => void;
  readonly #retries: number;
  readonly #cache: Cache | undefined;
  readonly #steps: StepRecord[] = [];
  readonly #running = new Map<string, Promise<string>>();
  /** Aborted, with the reason, when this process may not or cannot go on by itself. */
  readonly #halt = new AbortController();
  readonly #stop: AbortSignal;
  readonly #heartbeat: NodeJS.Timeout;

  /** Use {@link openExecutor}. */
  constructor(folder: string, journal: Journal, { signal, onEvent = () => {}, retries = 0, cache }: ExecutorOptions) {
    this.folder = folder;
    this.#journal = journal;
    this.#cache = cache;
    this.#onEvent = onEvent;
    this.#retries = retries;
    this.#stop = AbortSignal.any([this.#halt.signal, ...(signal ? [signal] : [])]);
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_SECONDS * 1000).unref();
  }

  /**
   * The output of `fn`, run now or earlier in this folder with the same name, inputs and release, or, where there is a
   * cache, by the same program in any run. `fn` may run more than once, after a crash or a retry, and so has to give
   * equal outputs for equal inputs.
   *
   * @param inputs all that the output depends on; large things by their hash
   * @throws HokusaiError what `fn` threw; STEP_FAILED where that was no HokusaiError; STEP_TIMEOUT; RUN_ABORTED;
   *   LEASE_LOST; or what is wrong with the folder
   */
  async step<T extends Canonical>(
    name: string,
    inputs: Canonical,
    fn: (context: StepContext) => Promise<T>,
    options: StepOptions<T> = {},
  ): Promise<T> {
    if (this.#stop.aborted) throw this.#failure(name, this.#stop.reason);
    const key = sha256(canonicalJson({ name, inputs, release: RELEASE }));
    const finished = this.#journal.finished.get(key);
    if (finished) {
      this.#done({ type: 'reused', step: name, seconds: finished.seconds });
      return JSON.parse(finished.output);
    }
    let running = this.#running.get(key);
    if (!running) {
      running = this.#takeOrRun(name, key, inputs, fn, options).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    return JSON.parse(await running);
  }

  /** The steps that gave an output through this executor, in the order in which they did. */
  steps(): readonly StepRecord[] {
    return [...this.#steps];
  }

  /** Aborted when the run is stopped. */
  get signal(): AbortSignal {
    return this.#stop;
  }

  /** Tells, and keeps in the journal, what went wrong beside the run; it stops nothing, a journal that is full neither. */
  warn(step: string, error: HokusaiError): void {
    this.#onEvent({ type: 'warned', step, error });
    const { kind, code, message } = error;
    try {
      this.#journal.append({
        type: 'failed',
        step,
        key: step,
        seconds: 0,
        detail: canonicalJson({ kind, code, message }),
      });
    } catch (unwritten) {
      if (!(unwritten instanceof HokusaiError)) throw unwritten;
      this.#onEvent({ type: 'warned', step, error: unwritten });
    }
  }

  /** As {@link writeBlob}. */
  put(bytes: Uint8Array): Promise<string> {
    return writeBlob(this.folder, bytes);
  }

  /** As {@link readBlob}. */
  get(hash: string): Promise<Uint8Array> {
    return readBlob(this.folder, hash);
  }

  /** Stops what is running, waits until it has stopped, and lets other processes in. */
  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#halt.abort();
    await Promise.allSettled(this.#running.values());
    this.#journal.close();
    await this.#cache?.evict();
  }

  /** @returns the output as canonical JSON */
  async #takeOrRun<T extends Canonical>(
    step: string,
    key: string,
    inputs: Canonical,
    fn: (context: StepContext) => Promise<T>,
    options: StepOptions<T>,
  ): Promise<string> {
    const cache = options.cached === false ? undefined : this.#cache;
    if (!cache) return this.#run(step, key, inputs, fn, options);
    const place = cache.key(step, inputs);
    const kept = await cache.take(place);
    if (kept) {
      const { by, seconds, output } = kept;
      for (const blob of kept.blobs) await this.put(blob);
      const detail = canonicalJson({ inputs, release: RELEASE, from: by });
      this.#journal.append({ type: 'started', step, key, seconds: 0, detail });
      this.#journal.append({ type: 'finished', step, key, seconds, detail: output });
      this.#done({ type: 'cached', step, seconds, by });
      return output;
    }
    const began = performance.now();
    const output = await this.#run(step, key, inputs, fn, options);
    const seconds = (performance.now() - began) / 1000;
    const hashes = options.blobs?.(JSON.parse(output)) ?? [];
    const blobs = await Promise.all(hashes.map((hash) => this.get(hash)));
    await cache.keep(place, { step, by: `run ${basename(this.folder)}`, seconds, output, blobs }).catch((error) => {
      if (!(error instanceof HokusaiError)) throw error;
      this.warn('cache', error);
    });
    return output;
  }

  /** @returns the output as canonical JSON */
  async #run<T extends Canonical>(
    step: string,
    key: string,
    inputs: Canonical,
    fn: (context: StepContext) => Promise<T>,
    { retries = this.#retries, timeout }: StepOptions<T>,
  ): Promise<string> {
    const began = performance.now();
    const elapsed = () => (performance.now() - began) / 1000;
    const detail = canonicalJson({ inputs, release: RELEASE });
    this.#journal.append({ type: 'started', step, key, seconds: 0, detail });
    this.#onEvent({ type: 'started', step });
    for (let attempt = 1; ; attempt++) {
      const result = await this.#attempt(step, key, attempt, fn, timeout);
      const seconds = elapsed();
      if (typeof result === 'string') {
        this.#journal.append({ type: 'finished', step, key, seconds, detail: result });
        await rm(this.#partial(step, key), { recursive: true, force: true });
        this.#done({ type: 'finished', step, seconds });
        return result;
      }
      const { kind, code, message } = result;
      const error = { step, key, seconds, detail: canonicalJson({ kind, code, message }) };
      if (kind !== 'retryable' || attempt > retries || this.#stop.aborted) {
        // Told first: where the disk is full or the lease is lost, the journal throws that.
        this.#onEvent({ type: 'failed', step, seconds, error: result });
        this.#journal.append({ type: 'failed', ...error });
        throw result;
      }
      this.#journal.append({ type: 'retried', ...error });
      const wait = backOff(attempt);
      this.#onEvent({ type: 'retrying', step, seconds, attempt, wait, error: result });
      // Cut short by a stop only, which the next attempt reports.
      await sleep(wait * 1000, undefined, { signal: this.#stop }).catch(() => {});
    }
  }

  /** @returns the output as canonical JSON, or why there is none */
  async #attempt(
    step: string,
    key: string,
    attempt: number,
    fn: (context: StepContext) => Promise<Canonical>,
    timeout: number | undefined,
  ): Promise<string | HokusaiError> {
    const late = new AbortController();
    const signal = AbortSignal.any([late.signal, this.#stop]);
    const abandoned = Promise.withResolvers<never>();
    let grace: NodeJS.Timeout | undefined;
    const giveUp = () => {
      grace = setTimeout(() => abandoned.reject(signal.reason), GRACE_SECONDS * 1000);
    };
    const progress = (fraction: number, text: string) => {
      if (!signal.aborted) this.#onEvent({ type: 'progress', step, fraction, text });
    };
    const partial = (part: string) => openPartial(join(this.#partial(step, key), part));
    const limit = Math.min((timeout ?? Number.POSITIVE_INFINITY) * 1000, LONGEST_TIMER);
    const timer = setTimeout(() => late.abort(stepTimeout(step, limit / 1000)), limit);
    try {
      signal.throwIfAborted();
      signal.addEventListener('abort', giveUp, { once: true });
      const output = await Promise.race([fn({ signal, attempt, progress, partial }), abandoned.promise]);
      signal.throwIfAborted();
      const json = canonicalJson(output);
      // What JSON cannot hold must fail here, not when it is read again.
      JSON.parse(json);
      return json;
    } catch (error) {
      return this.#failure(step, signal.aborted ? signal.reason : error);
    } finally {
      signal.removeEventListener('abort', giveUp);
      clearTimeout(timer);
      clearTimeout(grace);
    }
  }

  /** The folder of what a step has done so far. */
  #partial(step: string, key: string): string {
    return join(this.folder, 'partial', `${step}-${key.slice(0, 16)}`);
  }

  #failure(step: string, reason: unknown): HokusaiError {
    if (reason instanceof HokusaiError) return reason;
    if (this.#stop.aborted) {
      return new HokusaiError('retryable', 'RUN_ABORTED', `the run in ${this.folder} was stopped at step ${step}`, {
        details: { folder: this.folder, step },
        next: 'Run the same command: it goes on from the last finished step, and a training from what it had done.',
        cause: reason,
      });
    }
    // The exception's own words may quote a row, so only the stack in `cause` has them.
    const type = reason instanceof Error ? reason.name : typeof reason;
    return new HokusaiError('terminal', 'STEP_FAILED', `step ${step} threw an unexpected ${type}`, {
      details: { step, type },
      next: 'This is a defect of the evaluator: report it with the stack of its cause.',
      cause: reason,
    });
  }

  #done(event: Extract<StepEvent, { type: 'reused' | 'finished' | 'cached' }>): void {
    const { type, step, seconds } = event;
    const from = type === 'cached' && { from: event.by };
    this.#steps.push({ name: step, seconds, reused: type !== 'finished', ...from });
    this.#onEvent(event);
  }

  #beat(): void {
    try {
      this.#journal.beat();
    } catch (error) {
      clearInterval(this.#heartbeat);
      this.#halt.abort(error);
    }
  }
}

/** How long to wait after a failed attempt, in seconds: twice as long each time, up to a cap. */
export function backOff(attempt: number): number {
  return Math.min(BACK_OFF_SECONDS.first * 2 ** (attempt - 1), BACK_OFF_SECONDS.most);
}

function stepTimeout(step: string, seconds: number): HokusaiError {
  return new HokusaiError('retryable', 'STEP_TIMEOUT', `step ${step} took longer than ${seconds} seconds`, {
    details: { step, seconds },
    next: 'Run the same command again on a less busy machine, or with a longer timeout.',
  });
}
