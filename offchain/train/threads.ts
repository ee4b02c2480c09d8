import { availableParallelism, freemem } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { HokusaiError } from '../errors.ts';
import type { Features } from '../table/quantise.ts';

/** Bytes that a thread takes: by itself, and for each row, as far as it does not share it. */
const THREAD_BYTES = 80e6;
const ROW_BYTES = 64;

/** As many threads as there are processors and free memory is for; the results do not depend on it. */
export function threadsFor({ rows }: Features): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / 2 / (THREAD_BYTES + ROW_BYTES * rows))));
}

/**
 * Works on items in threads, each asking for the next item when it is done with one. Where memory gets short, fewer go on.
 *
 * @param file - module of the threads, which is given `job` as its `workerData` and answers each item with one message
 * @param done - called with each answer, in the order in which they come, which is any
 * @throws HokusaiError `retryable` TRAIN_OUT_OF_MEMORY where a thread alone has too little
 */
export async function inThreads<Item, Answer>(
  file: string,
  job: unknown,
  items: readonly Item[],
  threads: number,
  done: (item: Item, answer: Answer) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  let running = Math.min(threads, items.length);
  const work = async (worker: Worker): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await done(item, await answerTo<Answer>(worker, item));
      } catch (error) {
        if (!isOutOfMemory(error)) throw error;
        if (--running === 0) throw outOfMemory(error);
        queue.unshift(item);
        return;
      }
    }
  };
  const workers = Array.from({ length: running }, () => new Worker(file, { workerData: job }));
  try {
    await Promise.all(workers.map(work));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function answerTo<Answer>(worker: Worker, item: unknown): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.postMessage(item);
  return promise.finally(() => worker.off('message', resolve).off('error', reject));
}

const isOutOfMemory = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY' ||
  (error instanceof RangeError && error.message.includes('allocation failed'));

const outOfMemory = (cause: unknown): HokusaiError =>
  new HokusaiError('retryable', 'TRAIN_OUT_OF_MEMORY', 'training takes more memory than there is', {
    next: 'Run the same command again when the machine has more memory free: it goes on from there.',
    cause,
  });

/** The same in this thread, the event loop running in between. */
export async function inTurn<Item, Answer>(
  items: readonly Item[],
  work: (item: Item) => Promise<Answer> | Answer,
  done: (item: Item, answer: Answer) => Promise<void>,
): Promise<void> {
  for (const item of items) {
    await setImmediate();
    await done(item, await work(item));
  }
}

/** Features in memory that threads share. */
export function shared(features: Features): Features {
  const values = new Uint8Array(new SharedArrayBuffer(features.values.length));
  values.set(features.values);
  return { ...features, values };
}
