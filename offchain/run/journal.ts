/**
 * The record of a run in SQLite: what each step gave, and which process may write it. Longer than other files, because
 * lease and record stand in one transaction and fail in the same ways.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { DatabaseSync } from 'node:sqlite';
import { HokusaiError } from '../errors.ts';

/** `hoku` in ASCII: SQLite keeps it in the file's header, so that `file` and we know whose file it is. */
const APPLICATION_ID = 0x686f6b75;
const FORMAT = 1;
/** How long a lease outlives its last heartbeat, where it cannot be seen whether its process is alive. */
const LEASE_SECONDS = 60;
/** How long a statement waits for another process, which holds a lock for milliseconds only. */
const LOCK_SECONDS = 5;

const SCHEMA = `
  CREATE TABLE lease (
    only INTEGER PRIMARY KEY CHECK (only = 1), token INTEGER NOT NULL,
    place TEXT, pid INTEGER, start TEXT, beat INTEGER NOT NULL
  ) STRICT;
  INSERT INTO lease VALUES (1, 0, NULL, NULL, NULL, 0);
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, token INTEGER NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('started', 'retried', 'finished', 'failed')),
    step TEXT NOT NULL, key TEXT NOT NULL, seconds REAL NOT NULL, detail TEXT NOT NULL CHECK (json_valid(detail))
  ) STRICT;
  CREATE UNIQUE INDEX finished_once ON events (key) WHERE type = 'finished';
  CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events is append-only'); END;
  CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events is append-only'); END;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`;

/** Which process writes: `place` tells machines, boots and containers apart, `start` processes that share a number. */
interface Holder {
  place: string;
  pid: number;
  start: string;
}

interface JournalEvent {
  type: 'started' | 'retried' | 'finished' | 'failed';
  step: string;
  key: string;
  /** Since the step was started. For people only, like the time of day that the journal adds. */
  seconds: number;
  /** JSON: the inputs of a started step, the output of a finished one, the error of the others. */
  detail: string;
}

/** What the journal knows of a finished step: its output as canonical JSON, and how long it took. */
export interface Finished {
  output: string;
  seconds: number;
}

export class Journal {
  /** Finished steps by key. */
  readonly finished = new Map<string, Finished>();
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #token: number;

  /**
   * Opens the journal, or makes one, and takes its lease.
   *
   * @throws HokusaiError RUN_BUSY where a living process holds the lease, or what is wrong with the file
   */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#database = new (loadSqlite().DatabaseSync)(path, { timeout: LOCK_SECONDS * 1000 });
    } catch (error) {
      throw storageError(error, path);
    }
    try {
      this.#database.exec('PRAGMA synchronous = FULL');
      this.#token = this.#transaction(() => this.#begin());
    } catch (error) {
      this.#database.close();
      throw storageError(error, path);
    }
    try {
      // After the lease, because two processes that switch a new file at once both fail.
      this.#database.exec('PRAGMA journal_mode = WAL');
    } catch (error) {
      this.close();
      throw storageError(error, path);
    }
  }

  /** Numbers the leases of this folder in the order in which they were taken. */
  get token(): number {
    return this.#token;
  }

  append({ type, step, key, seconds, detail }: JournalEvent): void {
    this.#fenced(() => {
      this.#database
        .prepare('INSERT INTO events (at, token, type, step, key, seconds, detail) VALUES (?, ?, ?, ?, ?, ?, ?)')
        .run(new Date().toISOString(), this.#token, type, step, key, seconds, detail);
    });
    if (type === 'finished') this.finished.set(key, { output: detail, seconds });
  }

  /** Says that this process is alive, to processes that cannot see it. */
  beat(): void {
    this.#fenced(() => this.#database.prepare('UPDATE lease SET beat = ?').run(Date.now()));
  }

  /** Gives the lease back, unless another process has it by now, and closes the file. */
  close(): void {
    try {
      this.#database.prepare('UPDATE lease SET pid = NULL WHERE token = ?').run(this.#token);
    } catch (error) {
      throw storageError(error, this.#path);
    } finally {
      this.#database.close();
    }
  }

  #begin(): number {
    const token = takeLease(this.#database, this.#path);
    const rows = this.#database.prepare("SELECT key, detail, seconds FROM events WHERE type = 'finished'").all();
    for (const { key, detail, seconds } of rows as unknown as { key: string; detail: string; seconds: number }[]) {
      this.finished.set(key, { output: detail, seconds });
    }
    return token;
  }

  /** A write of the process that holds the lease, and of no other: a late writer would be believed. */
  #fenced(write: () => void): void {
    try {
      this.#transaction(() => {
        const { token } = this.#database.prepare('SELECT token FROM lease').get() as { token: number };
        if (token !== this.#token) throw leaseLost(this.#path, this.#token, token);
        write();
      });
    } catch (error) {
      throw storageError(error, this.#path);
    }
  }

  #transaction<T>(action: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = action();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite has rolled back by itself where the disk is full.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

/** `node:sqlite` announces itself as experimental on standard error of every command; that warning only is left out. */
export function loadSqlite(): typeof import('node:sqlite') {
  const { emitWarning } = process;
  const others = (warning: string | Error, ...rest: [string]) => {
    if (!String(warning).startsWith('SQLite is an experimental feature')) emitWarning(warning, ...rest);
  };
  process.emitWarning = others as typeof emitWarning;
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Whether a file is a journal of our format; if not, it is empty. */
function isOurs(database: DatabaseSync, path: string): boolean {
  const { application_id } = database.prepare('PRAGMA application_id').get() as { application_id: number };
  const { user_version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  const { tables } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number };
  if (application_id === APPLICATION_ID && user_version === FORMAT) return true;
  if (application_id === 0 && tables === 0) return false;
  const found =
    application_id === APPLICATION_ID ? `a journal of format ${user_version}` : 'a database of something else';
  throw new HokusaiError(
    'configuration',
    'JOURNAL_FORMAT',
    `${path} is ${found}; expected a journal of format ${FORMAT}`,
    {
      details: { path, application_id, user_version },
      next: 'Name another output folder, or move this one away; a run begun by another release is finished by that release.',
    },
  );
}

function checkWhole(database: DatabaseSync, path: string): void {
  const problems = database
    .prepare('PRAGMA integrity_check')
    .all()
    .map(({ integrity_check }) => integrity_check);
  if (problems.join() !== 'ok') throw journalCorrupt(path, { details: { path, problems: problems.slice(0, 5) } });
}

/**
 * Makes the tables if the file is empty, and takes the lease. Nothing is written before the file is known to be ours.
 *
 * @returns the new lease's token, greater than every one before it
 */
function takeLease(database: DatabaseSync, path: string): number {
  if (isOurs(database, path)) checkWhole(database, path);
  else database.exec(SCHEMA);
  const lease = database.prepare('SELECT token, place, pid, start, beat FROM lease').get() as unknown as Holder & {
    token: number;
    beat: number;
  };
  if (lease.pid !== null && isAlive(lease, lease.beat)) {
    throw new HokusaiError('retryable', 'RUN_BUSY', `process ${lease.pid} is already at work on ${path}`, {
      details: { path, pid: lease.pid, lastHeartbeat: new Date(lease.beat).toISOString() },
      next: `Wait for process ${lease.pid} or end it, then run the same command: it goes on from the last finished step.`,
    });
  }
  const token = lease.token + 1;
  database
    .prepare('UPDATE lease SET token = ?, place = ?, pid = ?, start = ?, beat = ?')
    .run(token, here(), process.pid, startOf(process.pid) ?? UNKNOWN_START, Date.now());
  return token;
}

const UNKNOWN_START = 'unknown';

/** Whether the holder of a lease can be at work still. Where that cannot be seen, its heartbeat decides. */
function isAlive(holder: Holder, beat: number): boolean {
  // A beat in the future is one of a clock that was set back, and must not hold the folder until then.
  const fresh = Math.abs(Date.now() - beat) < LEASE_SECONDS * 1000;
  if (holder.place !== here()) return fresh;
  const start = startOf(holder.pid);
  return start === holder.start && (start !== UNKNOWN_START || fresh);
}

/** Where process numbers mean the same: one boot of one machine, and in it one container. Only Linux tells. */
function here(): string {
  if (process.platform !== 'linux') return hostname();
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
}

/** When a process was started, in ticks since the boot, `UNKNOWN_START` outside Linux; `undefined` if it has ended. */
function startOf(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux') {
      process.kill(pid, 0);
      return UNKNOWN_START;
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc_pid_stat(5): the name in brackets may hold spaces and brackets; then state (3rd field) ... starttime (22nd).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Killed, and not yet waited for by its parent, which in a container without init never happens.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    if (code === 'EPERM') return UNKNOWN_START;
    throw error;
  }
}

function leaseLost(path: string, mine: number, current: number): HokusaiError {
  return new HokusaiError('retryable', 'LEASE_LOST', `another process took ${path} over while this one made no sign`, {
    details: { path, lease: mine, currentLease: current },
    next: 'Nothing is lost: let the other process finish, or run the same command again after it.',
  });
}

function journalCorrupt(path: string, options: { details: Record<string, unknown>; cause?: unknown }): HokusaiError {
  return new HokusaiError('terminal', 'JOURNAL_CORRUPT', `${path} is damaged, or no SQLite file`, {
    ...options,
    next: 'Restore it from a copy, or move its folder away and run the same command again, which then starts over.',
  });
}

const GOES_ON = 'then run the same command: it goes on from the last finished step.';

/** What the system or SQLite (primary result codes, sqlite.org/rescode.html) says, and what that means to a user. */
const PROBLEMS = [
  {
    of: ['ENOSPC', 'EDQUOT', 'EFBIG', 13],
    kind: 'retryable',
    code: 'DISK_FULL',
    says: 'there is no room left to write',
    next: `Make room, or raise the quota or the limit of file sizes, ${GOES_ON}`,
  },
  {
    of: ['EROFS', 'EACCES', 'EPERM', 3, 8, 14],
    kind: 'configuration',
    code: 'FOLDER_UNWRITABLE',
    says: 'this user cannot write to',
    next: 'Make it writable, or name another output folder.',
  },
  {
    of: ['EEXIST', 'ENOTDIR', 'EISDIR'],
    kind: 'configuration',
    code: 'FOLDER_IS_FILE',
    says: 'expected a folder, and found a file at or above',
    next: 'Move the file away, or name another output folder.',
  },
  {
    of: [5, 6],
    kind: 'retryable',
    code: 'RUN_BUSY',
    says: `another process has locked for more than ${LOCK_SECONDS} seconds`,
    next: `End the program that has it open, ${GOES_ON}`,
  },
  {
    of: ['EIO', 10],
    kind: 'retryable',
    code: 'DISK_FAILED',
    says: 'the system failed to read or write',
    next: `Check the disk, its free space and the limit of file sizes, ${GOES_ON}`,
  },
] as const;

/** An error of the file system or of SQLite, told to people. */
export function storageError(error: unknown, path: string): HokusaiError {
  if (error instanceof HokusaiError) return error;
  const { code, errcode } = error as { code?: string; errcode?: number };
  const primary = errcode === undefined ? code : errcode & 0xff;
  const options = { details: { path, code, errcode }, cause: error };
  if (primary === 11 || primary === 26) return journalCorrupt(path, options);
  const problem = PROBLEMS.find(({ of }) => of.some((each) => each === primary));
  if (problem) {
    return new HokusaiError(problem.kind, problem.code, `${problem.says} ${path}`, { ...options, next: problem.next });
  }
  return new HokusaiError('terminal', 'STORAGE_FAILED', `${path} could not be used (${primary ?? 'unknown error'})`, {
    ...options,
    next: 'Look at the cause; if the folder was moved or removed meanwhile, put it back and run the same command.',
  });
}
