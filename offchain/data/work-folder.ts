import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** What folders of this user's processes begin with, on this machine or in this container: numbers of processes mean nothing elsewhere. */
const OURS = `hokusai-data-${createHash('sha256').update(`${hostname()} ${namespace()}`).digest('hex').slice(0, 12)}-`;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const held = new Set<string>();

/**
 * A new folder for rows that must not outlive the process: only its owner may read it. What a killed process left is
 * removed by the next that asks for one, and what this one has when it ends or is told to end.
 */
export function workFolder(): string {
  for (const folder of leftBehind()) rmSync(folder, { recursive: true, force: true });
  if (held.size === 0) {
    process.once('exit', removeAll);
    for (const signal of SIGNALS) process.once(signal, end);
  }
  const folder = mkdtempSync(join(tmpdir(), `${OURS}${process.pid}-`));
  held.add(folder);
  return folder;
}

export function removeWorkFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  held.delete(folder);
  if (held.size > 0) return;
  process.removeListener('exit', removeAll);
  for (const signal of SIGNALS) process.removeListener(signal, end);
}

function removeAll(): void {
  for (const folder of held) rmSync(folder, { recursive: true, force: true });
}

/** Ends as the signal would have it, unless somebody else here listens to it, too. */
function end(signal: NodeJS.Signals): void {
  removeAll();
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

/** Folders of this user's whose processes are gone. */
function leftBehind(): string[] {
  return readdirSync(tmpdir()).flatMap((name) => {
    const [, pid] = name.startsWith(OURS) ? (/^(\d+)-/.exec(name.slice(OURS.length)) ?? []) : [];
    if (pid === undefined || isAlive(Number(pid))) return [];
    const folder = join(tmpdir(), name);
    const stat = lstatSync(folder, { throwIfNoEntry: false });
    return stat?.isDirectory() && stat.uid === process.getuid?.() ? [folder] : [];
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Of numbers of processes, on Linux. */
function namespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
