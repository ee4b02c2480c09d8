/**
 * A program that is not ours, on the files of one folder: no network, no other file to write, no environment, and limits of
 * time and memory. What it says is JSON, a line each; anything else it prints goes to a log that stays on this machine.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { HokusaiError } from '../errors.ts';

export interface ProcessOptions {
  /** The one folder that it may write in, and where it starts. */
  readonly folder: string;
  /** Files and folders that it may read, beside those of the system. */
  readonly readable: readonly string[];
  /** What else there is in its environment, beside a search path. */
  readonly env: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly timeout: number;
  /** Bytes of address space; infinite where a GPU's driver takes more of it than there is memory. */
  readonly memory: number;
  /** Folders within those that it may not read: they are empty for it. */
  readonly hidden?: readonly string[];
  /** Of /dev, what it may use beside the usual, a GPU, say. */
  readonly devices?: readonly string[];
  /** Where what it prints is kept. */
  readonly log: string;
  readonly signal?: AbortSignal;
  /** What it says. */
  readonly onSaid?: (said: Readonly<Record<string, unknown>>) => void;
}

/** How long a program that is to end may take to leave a checkpoint, in milliseconds. */
const GRACE = 2_000;
/** The largest file that it may write. */
const MAX_FILE_BYTES = 2 ** 31;
/** Of the system, as far as it is there: programs, libraries, and what says who is who and which certificates to trust. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/etc/alternatives', '/etc/ld.so.cache'];

/** The program that keeps others in, where it is installed. */
export const bubblewrap = (): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'bwrap'))
    .find((file) => existsSync(file));

/**
 * Runs a command until it ends.
 *
 * @throws HokusaiError TRAIN_PROGRAM_MISSING (configuration); TRAIN_TIMEOUT, TRAIN_KILLED, TRAIN_ABORTED (retryable);
 *   TRAIN_PROCESS_FAILED where it ended with another exit code than 0, of the kind and with the message that it said, terminal
 *   where it said none; likewise TRAIN_OUT_OF_MEMORY where it said that as the reason
 */
export async function runProcess(command: readonly string[], options: ProcessOptions): Promise<void> {
  const { folder, env, timeout, log, signal, onSaid = () => {} } = options;
  const [program, ...args] = wrapped(command, options);
  const kept = openSync(log, 'w', 0o600);
  let refusal: Refusal | undefined;
  const child = spawn(program!, args, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', ...env },
    // A group of its own, so that whatever it starts ends with it.
    detached: true,
    stdio: ['ignore', 'pipe', kept],
  });
  closeSync(kept);
  const ending = new AbortController();
  const end = (reason: string) => {
    if (ending.signal.aborted) return;
    ending.abort(reason);
    askToEnd(child);
    grace = setTimeout(() => killGroup(child), GRACE);
  };
  let grace: NodeJS.Timeout | undefined;
  const timer = setTimeout(() => end('timeout'), timeout * 1000);
  const onAbort = () => end('aborted');
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  const lines = createInterface({ input: child.stdout! });
  lines.on('line', (line) => {
    const said = saidIn(line);
    if (!said) return;
    if (isRefusal(said)) refusal = said;
    else onSaid(said);
  });
  try {
    const [code, killer] = await ended(child, command[0]!);
    if (ending.signal.aborted) throw stopped(ending.signal.reason, timeout);
    // A sandbox and a shell tell of a signal by a number above 128.
    if (killer || code! > 128) throw killed(killer ?? `signal ${code! - 128}`, options);
    if (code !== 0) throw failed(command, code, refusal, log);
  } finally {
    clearTimeout(timer);
    clearTimeout(grace);
    signal?.removeEventListener('abort', onAbort);
    killGroup(child);
  }
}

/** With limits, and where bubblewrap is installed with nothing but the folder to write in and no network. */
function wrapped(
  command: readonly string[],
  { folder, readable, hidden = [], devices = [], env, memory }: ProcessOptions,
): string[] {
  const kilobytes = memory === Infinity ? 'unlimited' : Math.floor(memory / 1024);
  const limits = `ulimit -v ${kilobytes}; ulimit -f ${MAX_FILE_BYTES / 512}; ulimit -c 0; exec "$@"`;
  const limited = ['/bin/sh', '-c', limits, 'sh', ...command];
  const sandbox = bubblewrap();
  if (!sandbox) return limited;
  const shown = [...SYSTEM, ...readable]
    .filter((path) => existsSync(path))
    .flatMap((path) => ['--ro-bind', path, path]);
  const concealed = hidden.filter((path) => existsSync(path));
  const path = '/usr/local/bin:/usr/bin:/bin';
  const given = Object.entries({ PATH: path, ...env }).flatMap(([name, value]) => ['--setenv', name, value]);
  return [
    ...[sandbox, '--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--clearenv', ...given],
    ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', ...shown],
    ...devices.flatMap((device) => ['--dev-bind', device, device]),
    ...concealed.flatMap((one) => ['--tmpfs', one]),
    ...['--bind', folder, folder],
    // Folders above what is shown, and what is concealed, are made for it in memory: nobody writes there, either.
    ...[...concealed, '/'].flatMap((one) => ['--remount-ro', one]),
    ...['--chdir', folder, ...limited],
  ];
}

function saidIn(line: string): Record<string, unknown> | undefined {
  try {
    const said: unknown = JSON.parse(line);
    return typeof said === 'object' && said !== null ? (said as Record<string, unknown>) : undefined;
  } catch {
    // Not for us: programs print what they like.
    return undefined;
  }
}

const ended = (child: ChildProcess, program: string): Promise<[code: number | null, signal: string | null]> =>
  new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(missing(program, cause)));
    child.once('close', (code, signal) => resolve([code, signal]));
  });

const missing = (program: string, cause?: unknown): HokusaiError =>
  new HokusaiError('configuration', 'TRAIN_PROGRAM_MISSING', `${program} cannot be started.`, {
    details: { program },
    next: 'Install it, or correct training.python or training.command.',
    cause,
  });

/** SIGTERM to the program and what it started; a sandbox itself would take them with it at once, so it is left out. */
function askToEnd({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  const below = (parent: number): number[] => childrenOf(parent).flatMap((child) => [child, ...below(child)]);
  for (const each of bubblewrap() ? below(pid) : [-pid]) signalled(each, 'SIGTERM');
}

/** As Linux tells it, where bubblewrap is. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) signalled(-pid, 'SIGKILL');
}

function signalled(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const stopped = (reason: unknown, seconds: number): HokusaiError =>
  reason === 'timeout'
    ? new HokusaiError('retryable', 'TRAIN_TIMEOUT', `The training took longer than ${seconds} seconds.`, {
        details: { seconds },
        next: 'Allow more by training.timeout, or train something smaller.',
      })
    : new HokusaiError('retryable', 'TRAIN_ABORTED', 'The training was stopped.');

const killed = (signal: string, { memory }: ProcessOptions): HokusaiError =>
  new HokusaiError('retryable', 'TRAIN_KILLED', `The training was ended by ${signal}.`, {
    details: { signal, memory },
    next: 'Where the machine ran out of memory, close other programs or train something smaller.',
  });

/** Why a program could not do it: a machine's or a configuration's fault is no finding about data. */
interface Refusal {
  readonly error: HokusaiError['kind'];
  readonly message: string;
  /** `memory` where there was too little of it. */
  readonly reason?: unknown;
}

const isRefusal = (said: object): said is Refusal =>
  'error' in said &&
  ['retryable', 'terminal', 'configuration'].includes(said.error as string) &&
  'message' in said &&
  typeof said.message === 'string';

const WANTED_MEMORY: Refusal = { error: 'retryable', message: 'there is not enough memory for it', reason: 'memory' };
/** What Python, C++, OpenBLAS, protobuf and the system's own functions say last. */
const MEMORY_WORDS = /MemoryError|bad_alloc|out of memory|cannot allocate memory|alloc(ation)?( still)? failed/i;
/** Of a log, so many bytes from its end. */
const LAST_WORDS = 2_048;

/** Whether memory was wanting when there was none left to say so in a line of JSON: no finding about data, either. */
function wantedMemory(log: string): boolean {
  const file = openSync(log, 'r');
  try {
    const last = Buffer.alloc(LAST_WORDS);
    const length = readSync(file, last, 0, LAST_WORDS, Math.max(0, fstatSync(file).size - LAST_WORDS));
    return MEMORY_WORDS.test(last.toString('latin1', 0, length));
  } finally {
    closeSync(file);
  }
}

function failed(
  command: readonly string[],
  code: number | null,
  refusal: Refusal | undefined,
  log: string,
): HokusaiError {
  // The shell's words for a program that is not there or is none.
  if (code === 126 || code === 127) return missing(command[0]!);
  const said = refusal ?? (wantedMemory(log) ? WANTED_MEMORY : undefined);
  const { error = 'terminal', message = `it ended with exit code ${code}`, reason } = said ?? {};
  const [name, next] =
    reason === 'memory'
      ? ['TRAIN_OUT_OF_MEMORY', 'Close other programs, allow more by training.memory, or train something smaller']
      : ['TRAIN_PROCESS_FAILED', 'Correct the hyperparameters or the program'];
  return new HokusaiError(error, name, `The training failed: ${message.replace(/\.+$/, '')}.`, {
    details: { program: command[0], code, log },
    next: `${next}; ${log} has what it printed.`,
  });
}
