/**
 * A program that is not ours, on the files of one folder: no network, no other file to write, no environment, and limits of
 * time and memory. What it says is JSON, a line each; anything else it prints goes to a log that stays on this machine.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { HokusaiError } from '../errors.ts';
import { isRefusal, killsForMemory, missing, problemOf, type Refusal } from './ending.ts';

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
  /** As an {@link Ending} has it; false if left out. */
  readonly trustedLog?: boolean;
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
 * @throws HokusaiError TRAIN_PROGRAM_MISSING (configuration); TRAIN_TIMEOUT, TRAIN_ABORTED (retryable); those of
 *   {@link problemOf}
 */
export async function runProcess(command: readonly string[], options: ProcessOptions): Promise<void> {
  const { folder, env, timeout, memory, log, trustedLog = false, signal, onSaid = () => {} } = options;
  const [program, ...args] = wrapped(command, options);
  const kept = openSync(log, 'w', 0o600);
  let refusal: Refusal | undefined;
  const before = killsForMemory();
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
    const kills = [before, killsForMemory()] as const;
    const problem = problemOf({ command, memory, code, signal: killer, refusal, kills, log, trustedLog });
    if (problem) throw problem;
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

const ended = (child: ChildProcess, program: string): Promise<[code: number | null, signal: NodeJS.Signals | null]> =>
  new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(missing(program, cause)));
    child.once('close', (code, signal) => resolve([code, signal]));
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
