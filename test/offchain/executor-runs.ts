/** What the tests of the executor share: runs in processes of their own, and a look into the journal. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HokusaiError } from '../../offchain/errors.ts';

export const CHILD = join(import.meta.dirname, 'executor-child.ts');

interface Ended {
  signal: NodeJS.Signals | null;
  status: number | null;
  stderr: string;
  /** The JSON of the last line. */
  result: { output?: string; code?: string; kind?: string; message?: string; next?: string; steps?: unknown };
}

/** A process that runs executor-child.ts, what it has said, and how it ends. */
export function follow(command: string, parameters: string[]) {
  const child = spawn(command, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
    child.emit('said');
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended: Promise<Ended> = once(child, 'close').then(([status, signal]) => {
    const last = stdout.trim().split('\n').at(-1) ?? '';
    return { signal, status, stderr, result: last.startsWith('{') ? JSON.parse(last) : {} };
  });
  const says = async (word: string) => {
    while (!stdout.includes(word)) {
      const how = await Promise.race([once(child, 'said'), ended]);
      assert.ok(Array.isArray(how), `the child never said ${word}: ${stdout}${stderr}`);
    }
  };
  return { child, ended, says };
}

export const start = (...parameters: string[]) => follow(process.execPath, [CHILD, ...parameters]);
export const run = (...parameters: string[]) => start(...parameters).ended;

/** Reads or changes the journal behind the executor's back. */
export function sql(folder: string, query: string): Record<string, unknown>[] {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(join(folder, 'journal.sqlite'));
  try {
    return database.prepare(query).all();
  } finally {
    database.close();
  }
}

/** The steps that ran, finished or not, in all processes. */
export const ran = (folder: string): string[] =>
  existsSync(join(folder, 'ran.log')) ? readFileSync(join(folder, 'ran.log'), 'utf8').trim().split('\n') : [];

export const types = (folder: string): string[] =>
  sql(folder, 'SELECT type, step FROM events ORDER BY seq').map((event) => `${event.step}.${event.type}`);

/** Checks an error and that it says what to do next. */
export const fails =
  (code: string, kind: string, text = /./) =>
  (error: unknown): true => {
    assert.ok(error instanceof HokusaiError, String(error));
    assert.deepEqual([error.code, error.kind], [code, kind]);
    assert.match(error.message, text);
    assert.ok(error.next);
    return true;
  };
