/**
 * Why a program ended without a result: a finding about the data, or the want of a machine or a configuration, which is none.
 * Whoever contributes data could gain by the second, so nothing counts for it that data can bring a program to print.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { constants } from 'node:os';
import { HokusaiError } from '../errors.ts';

/** Why a program could not do it, as it said itself. */
export interface Refusal {
  readonly error: HokusaiError['kind'];
  readonly message: string;
  /** `memory` where there was too little of it. */
  readonly reason?: unknown;
}

/** How a program ended that was not asked to. */
export interface Ending {
  readonly command: readonly string[];
  /** Bytes of address space that it might have. */
  readonly memory: number;
  readonly code: number | null;
  /** Of its own process; a sandbox and a shell tell of a signal by a code above 128. */
  readonly signal: NodeJS.Signals | null;
  readonly refusal: Refusal | undefined;
  /** How often the system had killed for want of memory before, and since. */
  readonly kills: readonly [before: number, after: number];
  readonly log: string;
  /** Whether the last words of the log, where it said nothing itself, can be no data's: a program of ours tells of every exception. */
  readonly trustedLog: boolean;
}

export const isRefusal = (said: object): said is Refusal =>
  'error' in said &&
  ['retryable', 'terminal', 'configuration'].includes(said.error as string) &&
  'message' in said &&
  typeof said.message === 'string';

/** How often the system has killed a process for want of memory since it started; 0 where it does not count that. */
export function killsForMemory(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
  } catch (error) {
    // Linux alone has it.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

const WANTED_MEMORY: Refusal = { error: 'retryable', message: 'there is not enough memory for it', reason: 'memory' };

/**
 * @returns nothing where it did what it had to; else TRAIN_OUT_OF_MEMORY where it said that as the reason, the system killed for
 *   it, or the last words of a log that can be trusted are of it; TRAIN_KILLED (retryable) by a signal; TRAIN_PROGRAM_MISSING;
 *   else TRAIN_PROCESS_FAILED, of the kind and with the message that it said, terminal where it said none
 */
export function problemOf(ending: Ending): HokusaiError | undefined {
  const { command, code, refusal, log } = ending;
  const signal = ending.signal ?? (code! > 128 ? signalOf(code! - 128) : undefined);
  if (!signal && code === 0) return undefined;
  // The shell's words for a program that is not there or is none.
  if (code === 126 || code === 127) return missing(command[0]!);
  const wanted = !refusal && wantedMemory(ending, signal);
  if (signal && !wanted) return killed(signal, ending.memory);
  const {
    error = 'terminal',
    message = `it ended with exit code ${code}`,
    reason,
  } = wanted ? WANTED_MEMORY : (refusal ?? {});
  const [name, next] =
    reason === 'memory'
      ? ['TRAIN_OUT_OF_MEMORY', 'Close other programs, allow more by training.memory, or train something smaller']
      : ['TRAIN_PROCESS_FAILED', 'Correct the hyperparameters or the program'];
  return new HokusaiError(error, name, `The training failed: ${message.replace(/\.+$/, '')}.`, {
    details: { program: command[0], code, log },
    next: `${next}; ${log} has what it printed.`,
  });
}

/** Whether memory was wanting when there was none left to say so in a line of JSON. */
function wantedMemory({ kills: [before, after], log, trustedLog }: Ending, signal: string | undefined): boolean {
  if (signal === 'SIGKILL' && after > before) return true;
  return trustedLog && MEMORY_WORDS.test(lastWords(log));
}

/** What Python, C++, V8, OpenBLAS, protobuf and the system's own functions say last. */
const MEMORY_WORDS = /MemoryError|bad_alloc|out of memory|cannot allocate memory|alloc(ation)?( still)? failed/i;
/** Of a log, so many bytes from its end. */
const LAST_WORDS = 4_096;

function lastWords(log: string): string {
  const file = openSync(log, 'r');
  try {
    const last = Buffer.alloc(LAST_WORDS);
    const length = readSync(file, last, 0, LAST_WORDS, Math.max(0, fstatSync(file).size - LAST_WORDS));
    return last.toString('latin1', 0, length);
  } finally {
    closeSync(file);
  }
}

const signalOf = (number: number): string =>
  Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;

const killed = (signal: string, memory: number): HokusaiError =>
  new HokusaiError('retryable', 'TRAIN_KILLED', `The training was ended by ${signal}.`, {
    details: { signal, memory },
    next: 'Where the machine ran out of memory, close other programs or train something smaller.',
  });

export const missing = (program: string, cause?: unknown): HokusaiError =>
  new HokusaiError('configuration', 'TRAIN_PROGRAM_MISSING', `${program} cannot be started.`, {
    details: { program },
    next: 'Install it, or correct training.python or training.command.',
    cause,
  });
