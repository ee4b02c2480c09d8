/** What is left of raw rows on the disk when the process that reads them is killed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { scratch } from './data-tables.ts';

const { folder, write } = scratch();
const rows = Array.from({ length: 300_000 }, (_, i) => `${i},person ${i} of ward ${i % 7},${i % 2}\n`);
const large = write(`id,note,label\n${rows.join('')}`);
const small = write('id,label\n1,a\n2,b\n');
const temporary = join(folder, 'tmp');
mkdirSync(temporary);

const start = (file: string) =>
  spawn(process.execPath, [join(import.meta.dirname, '../../offchain/cli.ts'), 'data', 'check', file], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: 'ignore',
  });
const left = () => readdirSync(temporary).filter((name) => name.startsWith('hokusai-data-'));

/** Starts to check the large table, and waits until rows of it are on the disk. */
async function startReading() {
  const before = left();
  const child = start(large);
  const ended = once(child, 'exit');
  for (;;) {
    const [name] = left().filter((one) => !before.includes(one));
    const file = name && statSync(join(temporary, name, 'stage.duckdb'), { throwIfNoEntry: false });
    if (file && file.size > 0) return { child, name: name!, ended };
    assert.equal(child.exitCode, null);
    await sleep(10);
  }
}

describe('a process that is ended while it holds raw rows', () => {
  it('leaves them when it is killed, until the next one starts', async () => {
    const { child, name, ended } = await startReading();
    assert.equal(statSync(join(temporary, name)).mode & 0o777, 0o700);
    child.kill('SIGKILL');
    await ended;
    assert.deepEqual(left(), [name]);
    await once(start(small), 'exit');
    assert.deepEqual(left(), []);
  });

  it('takes them along when it is told to end', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const { child, ended } = await startReading();
      child.kill(signal);
      assert.deepEqual(await ended, [null, signal]);
      assert.deepEqual(left(), []);
    }
  });

  it('loses nothing to another one that starts meanwhile', async () => {
    const { child, name, ended } = await startReading();
    await once(start(small), 'exit');
    assert(left().includes(name));
    child.kill('SIGKILL');
    await ended;
  });

  it('does not follow what another made to look like a folder of its', async () => {
    const name = left()[0]!;
    symlinkSync(folder, join(temporary, name.replace(/-\w+$/, '-link')));
    await once(start(small), 'exit');
    assert.deepEqual(left(), [name.replace(/-\w+$/, '-link')]);
    assert(existsSync(large));
  });
});
