import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import { HokusaiError } from '../errors.ts';
import type { ProvingReply, ProvingSetup } from './child.ts';
import { type CircuitName, circuitRecords, compiled } from './circuits.ts';
import { readVerificationKey } from './key-file.ts';
import type { Machines } from './machines.ts';
import { NATIVE_PROVER } from './native.ts';
import type { Proven } from './prove.ts';
import type { CircuitInput } from './witness.ts';

/** How to prove, where the machine should not decide that by itself. */
export interface ProvingOptions {
  /** `native` where it is built, else `snarkjs`. */
  readonly prover?: Proven['prover'];
  /** Bytes that all proving processes together may take; half of what is free. */
  readonly memory?: number;
  /** That all proving processes together keep busy; all that there are. */
  readonly processors?: number;
  /** The most processes at a time. */
  readonly workers?: number;
  /** That prove chunks of inferences, too. */
  readonly machines?: Machines;
}

/** Proves any number of times with one circuit and one key. */
export interface Prover {
  /** How many jobs keep it busy: of each process, one being proven and one whose witness is computed meanwhile. */
  readonly jobs: number;
  prove(input: CircuitInput, signal?: AbortSignal): Promise<Proven>;
  /** Ends its processes; what they are at is lost. */
  close(): void;
}

/** Largest resident set of a proving process with its native prover, measured: at first, and for each constraint. */
const PEAK_BYTES = {
  snarkjs: { base: 500e6, constraint: 7_000 },
  native: { base: 300e6, constraint: 3_600 },
} as const;

/** One proof keeps about so many processors busy. */
const PROCESSORS = 4;

/** About the most memory that a process takes that proves with a circuit, in bytes. */
export const peakBytes = (circuit: CircuitName, prover: Proven['prover']): number =>
  PEAK_BYTES[prover].base + PEAK_BYTES[prover].constraint * circuitRecords()[circuit].constraints;

/**
 * A prover that computes witnesses, proves, and checks each proof against the key it was made with.
 *
 * Proving runs in processes of its own: they can be stopped at any moment, give all their memory back, and keep their
 * threads out of ours. They live until the prover is closed, so circuit and key are read once. The witness holds secrets
 * and never touches the disk. A job whose signal is aborted takes its process with it; another one is started then.
 *
 * @param keyFile the circuit's proving key; asked for with the first job, because there may be none
 * @throws HokusaiError `PROVER_MISSING`, `PROVER_MEMORY` (configuration); from `prove`, `WITNESS_UNSATISFIED` when the
 *   input does not satisfy the circuit, `PROOF_INVALID` when the key belongs to another circuit, `PROVER_KILLED`
 *   (retryable).
 */
export function openProver(
  circuit: CircuitName,
  keyFile: () => Promise<string>,
  { prover = existsSync(NATIVE_PROVER) ? 'native' : 'snarkjs', ...limits }: Omit<ProvingOptions, 'machines'> = {},
): Prover {
  if (prover === 'native' && !existsSync(NATIVE_PROVER)) {
    throw new HokusaiError('configuration', 'PROVER_MISSING', `The native prover is not built: ${NATIVE_PROVER}.`, {
      next: 'Build it with `npm run prover:native` (needs Go), or prove with snarkjs.',
    });
  }
  const most = processes(circuit, prover, limits);
  let setup: Promise<ProvingSetup> | undefined;
  const children: Child[] = [];
  let closed = false;
  return {
    jobs: 2 * most,
    async prove(input, signal) {
      setup ??= setupOf(circuit, keyFile, prover);
      const ready = await setup;
      signal?.throwIfAborted();
      if (closed) throw new Error('The prover is closed.');
      const alive = children.filter((child) => !child.ended);
      let child = alive.reduce<Child | undefined>((a, b) => (a && a.jobs <= b.jobs ? a : b), undefined);
      if (!child || (child.jobs > 0 && alive.length < most)) {
        child = new Child(circuit, ready);
        children.splice(0, children.length, ...alive, child);
      }
      const proven = await child.prove(input, signal);
      return { ...proven, verificationKey: ready.verificationKey, prover };
    },
    close() {
      closed = true;
      for (const child of children) child.kill();
    },
  };
}

/**
 * Works on all items, so many at once, and begins none after the first failure.
 *
 * @returns the results in the order of the items
 * @throws the first failure, when those begun before it are done: what they give is on record then
 */
export async function sideBySide<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, i: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  const failures: unknown[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length && failures.length === 0) {
      const i = next++;
      try {
        results[i] = await work(items[i]!, i);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  if (failures.length > 0) throw failures[0];
  return results;
}

/** How many processes there may be: as many as the processors keep busy and the memory holds. */
function processes(
  circuit: CircuitName,
  prover: Proven['prover'],
  {
    memory,
    processors = availableParallelism(),
    workers = processors,
  }: Pick<ProvingOptions, 'memory' | 'processors' | 'workers'>,
): number {
  const peak = peakBytes(circuit, prover);
  if (memory !== undefined && memory < peak) {
    const message = `Proving ${circuit} with ${prover} takes ${gigabytes(peak)}, more than the ${gigabytes(memory)} it may.`;
    throw new HokusaiError('configuration', 'PROVER_MEMORY', message, {
      details: { circuit, prover, memory, peak },
      next: `Allow it ${gigabytes(peak)} with --memory${prover === 'native' ? '' : ', or build the native prover: `npm run prover:native`'}.`,
    });
  }
  // Free memory as the system counts it, and within a container's limit; one process is always tried.
  const held = Math.floor((memory ?? process.availableMemory() / 2) / peak);
  return Math.max(1, Math.min(held, workers, Math.floor(processors / PROCESSORS)));
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

async function setupOf(
  circuit: CircuitName,
  keyFile: () => Promise<string>,
  prover: Proven['prover'],
): Promise<ProvingSetup> {
  const file = await keyFile();
  return {
    wasm: compiled(circuit, 'wasm'),
    keyFile: file,
    verificationKey: await readVerificationKey(file),
    ...(prover === 'native' && { nativeProver: NATIVE_PROVER }),
  };
}

type Settle = PromiseWithResolvers<Omit<Proven, 'prover' | 'verificationKey'>>;

/** A proving process with the jobs that it has not answered. */
class Child {
  ended = false;
  readonly #circuit: CircuitName;
  readonly #process: ChildProcess;
  readonly #jobs = new Map<number, Settle>();
  #complaint = '';
  #id = 0;

  constructor(circuit: CircuitName, setup: ProvingSetup) {
    this.#circuit = circuit;
    this.#process = fork(join(import.meta.dirname, `child${extname(import.meta.filename)}`), {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-1_000);
    });
    this.#process.once('error', (error) => this.#end({ error: error.message }));
    this.#process.once('close', (code, killedBy) => this.#end({ code, killedBy, complaint: this.#complaint }));
    this.#process.on('message', (reply: ProvingReply) => this.#settle(reply));
    this.#process.send(setup, () => {});
  }

  get jobs(): number {
    return this.#jobs.size;
  }

  async prove(input: CircuitInput, signal: AbortSignal | undefined) {
    const id = this.#id++;
    const job: Settle = Promise.withResolvers();
    const stop = () => {
      job.reject(signal!.reason);
      this.kill();
    };
    this.#jobs.set(id, job);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      this.#process.send({ id, input }, () => {});
      return await job.promise;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  kill(): void {
    this.ended = true;
    this.#process.kill('SIGKILL');
  }

  #settle(reply: ProvingReply): void {
    const job = this.#jobs.get(reply.id);
    this.#jobs.delete(reply.id);
    if (reply.ok) job?.resolve(reply.proven);
    else {
      const circuit = this.#circuit;
      job?.reject(new HokusaiError('terminal', reply.code, `${circuit}: ${reply.message}`, { details: { circuit } }));
    }
  }

  #end(details: Record<string, unknown>): void {
    this.ended = true;
    const circuit = this.#circuit;
    const error = () =>
      new HokusaiError('retryable', 'PROVER_KILLED', `The prover of ${circuit} ended before its proof was there.`, {
        details: { circuit, ...details },
        next: 'Run again; if it was stopped for want of memory, with more of it.',
      });
    for (const job of this.#jobs.values()) job.reject(error());
    this.#jobs.clear();
  }
}
