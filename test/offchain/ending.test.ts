// What counts as a want of memory, which is no finding about data, and what data could bring a program to print.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { HokusaiError } from '../../offchain/errors.ts';
import { runProcess } from '../../offchain/train/process.ts';
import { folder, log } from './external-runs.ts';

/** What a program of a shell ends with. */
async function endOf(script: string, trustedLog: boolean): Promise<readonly [kind: string, code: string]> {
  const options = {
    folder,
    readable: [dirname(dirname(process.execPath))],
    env: {},
    timeout: 60,
    memory: 2 ** 44,
    log,
  };
  try {
    await runProcess(['/bin/sh', '-c', script], { ...options, trustedLog });
    return ['', ''];
  } catch (error) {
    assert.ok(error instanceof HokusaiError);
    return [error.kind, error.code];
  }
}

const said = (words: string, rest = 'exit 1') => `printf '%s\\n' '${words}' >&2; ${rest}`;
/** Lines as a program prints them that quotes a text of a contribution, which may have as many as it likes. */
const FORGED: Readonly<Record<string, string>> = {
  'the words in a sentence': 'ValueError: could not convert string to float: out of memory',
  'the words of C++': 'terminate called after throwing an instance of std::bad_alloc',
  'the exception as the last line': 'ValueError: bad row\nMemoryError',
  'a whole traceback':
    'Traceback (most recent call last):\n  File "train.py", line 1, in <module>\nnumpy.MemoryError: 1 TiB',
  'the words of a library': 'OpenBLAS error: Memory allocation still failed after 10 retries, giving up.',
};

describe('the end of a program', () => {
  for (const [name, words] of Object.entries(FORGED)) {
    it(`attack: a row makes the owner's program print ${name}, so that the round ends without a finding`, async () => {
      assert.deepEqual(await endOf(said(words), false), ['terminal', 'TRAIN_PROCESS_FAILED']);
    });
  }

  it('attack: a row makes a program of ours print such words, which tells of its exception by itself', async () => {
    const script = said(
      'ValueError: out of memory',
      `echo '{"error": "terminal", "message": "it ended with ValueError"}'; exit 3`,
    );
    assert.deepEqual(await endOf(script, true), ['terminal', 'TRAIN_PROCESS_FAILED']);
  });

  it('is for want of memory where a program of ours could not even say so', async () => {
    const abort = 'kill -ABRT $$';
    for (const [words, rest] of [
      ['OpenBLAS error: Memory allocation still failed after 10 retries, giving up.', 'exit 1'],
      ['terminate called after throwing an instance of std::bad_alloc', abort],
      ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', abort],
    ] as const) {
      assert.deepEqual(await endOf(said(words, rest), true), ['retryable', 'TRAIN_OUT_OF_MEMORY'], words);
      const untold = rest === abort ? ['retryable', 'TRAIN_KILLED'] : ['terminal', 'TRAIN_PROCESS_FAILED'];
      assert.deepEqual(await endOf(said(words, rest), false), untold, words);
    }
  });

  it('by a signal of others is no want of memory', async () => {
    assert.deepEqual(await endOf('kill -KILL $$', false), ['retryable', 'TRAIN_KILLED']);
    assert.deepEqual(await endOf('kill -TERM $$', true), ['retryable', 'TRAIN_KILLED']);
  });

  it('is for want of memory where the system killed it for that', (t) => {
    const group = memoryGroup(2 ** 28);
    if (!group) return t.skip('no control group of memory can be made');
    try {
      const child = join(import.meta.dirname, 'ending-child.ts');
      const enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
      const output = execFileSync('/bin/sh', ['-c', enter, group, process.execPath, child, folder], {
        encoding: 'utf8',
      });
      assert.deepEqual(JSON.parse(output), { kind: 'retryable', code: 'TRAIN_OUT_OF_MEMORY' });
    } finally {
      rmdirSync(group);
    }
  });
});

/** A control group of so many bytes, where this user may make one. */
function memoryGroup(bytes: number): string | undefined {
  const root = '/sys/fs/cgroup';
  const [parent, limit, swap] = existsSync(`${root}/memory`)
    ? [`${root}/memory`, 'memory.limit_in_bytes', 'memory.swappiness']
    : [root, 'memory.max', 'memory.swap.max'];
  const group = `${parent}/hokusai-test-${process.pid}`;
  try {
    mkdirSync(group);
    writeFileSync(`${group}/${limit}`, String(bytes));
    writeFileSync(`${group}/${swap}`, '0');
  } catch {
    // Of a file system that only root may write, or that has no such controller.
    spawnSync('rmdir', [group]);
    return undefined;
  }
  return group;
}
