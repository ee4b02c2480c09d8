import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it, mock } from 'node:test';
import fc from 'fast-check';
import { openExecutor } from '../../offchain/run/executor.ts';
import { storageError } from '../../offchain/run/journal.ts';
import { type Point, STEPS } from './executor-child.ts';
import { CHILD, fails, follow, ran, run, sql, start, types } from './executor-runs.ts';

const root = mkdtempSync(join(tmpdir(), 'executor-'));
after(() => rmSync(root, { recursive: true, force: true }));

let folder: string;
const newFolder = () => mkdtempSync(join(root, 'run-'));
beforeEach(() => {
  folder = newFolder();
});

const { result: whole } = await run('run', newFolder());

describe('kill -9', () => {
  it('in the second of three steps: the first is not run again, and the result is the same', async () => {
    const { child, ended, says } = start('hang', folder);
    await says('hangs');
    child.kill('SIGKILL');
    await ended;
    const { result } = await run('run', folder);
    assert.equal(result.output, whole.output);
    assert.deepEqual(ran(folder), ['train', 'evaluate', 'evaluate', 'prove']);
    assert.deepEqual(
      (result.steps as { name: string; reused: boolean }[]).map(({ name, reused }) => [name, reused]),
      [
        ['train', true],
        ['evaluate', false],
        ['prove', false],
      ],
    );
  });

  it('anywhere, any number of times: the same result, and each step finishes exactly once', async () => {
    const points = STEPS.flatMap((step) => [`${step}.started`, `${step}.put`, `${step}.finished`] as Point[]);
    const property = fc.asyncProperty(
      fc.array(fc.constantFrom<Point>(...points), { maxLength: 4 }),
      async (crashes) => {
        const at = newFolder();
        // What the runs have to do, by a model of two values: the steps that ran, and how many have finished.
        const expected: string[] = [];
        let done = 0;
        for (const crash of crashes) {
          const [name, where] = crash.split('.');
          const step = STEPS.indexOf(name as (typeof STEPS)[number]);
          const killed = step >= done;
          expected.push(...STEPS.slice(done, killed ? step + (where === 'started' ? 0 : 1) : undefined));
          done = killed ? step + (where === 'finished' ? 1 : 0) : STEPS.length;
          const { signal, result } = await run('run', at, crash);
          assert.deepEqual([signal, result.output], killed ? ['SIGKILL', undefined] : [null, whole.output]);
        }
        assert.equal((await run('run', at)).result.output, whole.output);
        assert.deepEqual(ran(at), [...expected, ...STEPS.slice(done)]);
        assert.deepEqual(
          types(at).filter((type) => type.endsWith('.finished')),
          STEPS.map((step) => `${step}.finished`),
        );
        assert.equal(readdirSync(join(at, 'blobs')).length, STEPS.length);
      },
    );
    await fc.assert(property, { numRuns: 10 });
  });

  it('while a blob is written leaves nothing behind', async () => {
    await (await openExecutor(folder)).close();
    writeFileSync(join(folder, 'blobs', `${'0'.repeat(64)}.1-0.tmp`), 'half');
    await (await openExecutor(folder)).close();
    assert.deepEqual(readdirSync(join(folder, 'blobs')), []);
  });
});

describe('the lease', () => {
  it('is given to one of several processes that start at once; the others name it', async () => {
    const children = [1, 2, 3].map(() => start('hang', folder));
    const winner = await Promise.any(children.map((each) => each.says('hangs').then(() => each)));
    for (const { ended } of children.filter((each) => each !== winner)) {
      const { result } = await ended;
      assert.deepEqual([result.code, result.kind], ['RUN_BUSY', 'retryable']);
      assert.match(result.message!, new RegExp(`process ${winner.child.pid} `));
    }
    winner.child.kill('SIGKILL');
    await winner.ended;
  });

  it('is not given twice within one process, and is free after close', async () => {
    const executor = await openExecutor(folder);
    await assert.rejects(openExecutor(folder), fails('RUN_BUSY', 'retryable', new RegExp(`process ${process.pid} `)));
    await executor.close();
    await (await openExecutor(folder)).close();
  });

  it('of a killed process whose parent never waits for it is taken over at once', {
    skip: process.platform !== 'linux',
  }, async () => {
    const script = '"$0" "$@" & exec sleep 60';
    const { child: parent, says } = follow('sh', ['-c', script, process.execPath, CHILD, 'hang', folder]);
    await says('hangs');
    const [{ pid }] = sql(folder, 'SELECT pid FROM lease') as [{ pid: number }];
    process.kill(pid, 'SIGKILL');
    while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) await new Promise((wait) => setTimeout(wait, 5));
    await (await openExecutor(folder)).close();
    parent.kill('SIGKILL');
  });

  it('of a dead process is not inherited by a process that got its number', async () => {
    const executor = await openExecutor(folder);
    sql(folder, 'UPDATE lease SET start = 12345');
    const heir = await openExecutor(folder);
    await heir.close();
    await executor.close();
  });

  /** What another container sees of a process that has stopped: only that its heartbeat is old. */
  const elsewhere = (seconds: number) =>
    sql(folder, `UPDATE lease SET place = 'another container', beat = ${Date.now() - seconds * 1000}`);

  it('of a process that cannot be seen is kept while its heart beats, and taken over after', async () => {
    const executor = await openExecutor(folder);
    elsewhere(30);
    await assert.rejects(openExecutor(folder), fails('RUN_BUSY', 'retryable'));
    elsewhere(61);
    await (await openExecutor(folder)).close();
    await executor.close();
  });

  it('once lost, fences its process out: no output of it is recorded', async () => {
    const executor = await openExecutor(folder);
    let heir = executor;
    const late = executor.step('train', {}, async () => {
      elsewhere(61);
      heir = await openExecutor(folder);
      return 'late';
    });
    await assert.rejects(late, fails('LEASE_LOST', 'retryable'));
    await assert.rejects(
      executor.step('other', {}, async () => 1),
      fails('LEASE_LOST', 'retryable'),
    );
    await executor.close();
    assert.equal(await heir.step('train', {}, async () => 'in time'), 'in time');
    await assert.rejects(openExecutor(folder), fails('RUN_BUSY', 'retryable'), 'the loser gave the lease away');
    await heir.close();
    assert.deepEqual(types(folder), ['train.started', 'train.started', 'train.finished']);
  });

  it('is renewed by a heartbeat, which also tells a step at work that it is lost', async () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const executor = await openExecutor(folder);
      sql(folder, 'UPDATE lease SET beat = 0');
      mock.timers.tick(10_000);
      const [{ beat }] = sql(folder, 'SELECT beat FROM lease') as [{ beat: number }];
      assert.ok(Math.abs(Date.now() - beat) < 5000);
      const working = executor.step('train', {}, ({ signal }) => {
        sql(folder, 'UPDATE lease SET token = token + 1');
        const stopped = new Promise<never>((_, reject) =>
          signal.addEventListener('abort', () => reject(new Error('told to stop'))),
        );
        mock.timers.tick(10_000);
        return stopped;
      });
      await assert.rejects(working, fails('LEASE_LOST', 'retryable'));
      await executor.close();
    } finally {
      mock.timers.reset();
    }
  });
});

describe('a folder', () => {
  it('that is a file, or is below one, is named', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    for (const path of [file, join(file, 'below')]) {
      await assert.rejects(openExecutor(path), fails('FOLDER_IS_FILE', 'configuration', new RegExp(path)));
    }
  });

  it('that cannot be written is named', async () => {
    // The child gives up root's rights, and then has to be let in this far.
    chmodSync(root, 0o755);
    chmodSync(folder, 0o555);
    const { result } = await run('unprivileged', folder);
    assert.deepEqual([result.code, result.kind], ['FOLDER_UNWRITABLE', 'configuration']);
    assert.match(result.message!, new RegExp(folder));
  });

  it('whose journal cannot be written is named', async () => {
    await run('run', folder);
    chmodSync(root, 0o755);
    chmodSync(join(folder, 'journal.sqlite'), 0o444);
    chmodSync(folder, 0o555);
    const { result } = await run('unprivileged', folder);
    assert.deepEqual([result.code, result.kind], ['FOLDER_UNWRITABLE', 'configuration']);
    assert.match(result.message!, /journal\.sqlite/);
  });

  for (const [what, code] of [
    ['blobs', 'DISK_FULL'],
    ['journal', 'DISK_FAILED'],
  ] as const) {
    it(`that takes no more in its ${what} says so, and is whole when there is room again`, async () => {
      // The nearest thing to a full disk that needs no rights: the system refuses to let files grow beyond a limit.
      const command = 'ulimit -f 512; exec "$0" "$@"';
      const full = await follow('bash', ['-c', command, process.execPath, CHILD, 'fill', folder, what]).ended;
      assert.deepEqual([full.result.code, full.result.kind], [code, 'retryable']);
      assert.match(full.result.next!, /goes on from the last finished step/);
      const finished = types(folder).filter((type) => type.endsWith('finished')).length;
      assert.ok(finished > 0);
      assert.ok(!readdirSync(join(folder, 'blobs')).some((name) => name.endsWith('.tmp')));
      const { result } = await run('run', folder);
      assert.equal(result.output, whole.output);
      assert.equal(types(folder).filter((type) => type.endsWith('finished')).length, finished + 3);
    });
  }

  it('tells what the system and SQLite say of a full or a locked disk', () => {
    for (const [cause, code, kind] of [
      [{ code: 'ENOSPC' }, 'DISK_FULL', 'retryable'],
      [{ code: 'ERR_SQLITE_ERROR', errcode: 13 }, 'DISK_FULL', 'retryable'],
      [{ code: 'EROFS' }, 'FOLDER_UNWRITABLE', 'configuration'],
      [{ code: 'ERR_SQLITE_ERROR', errcode: 5 | (2 << 8) }, 'RUN_BUSY', 'retryable'],
      [{ code: 'EMFILE' }, 'STORAGE_FAILED', 'terminal'],
    ] as const) {
      fails(code, kind, /\/run/)(storageError(Object.assign(new Error(), cause), '/run'));
    }
  });
});

describe('a journal', () => {
  beforeEach(async () => {
    const executor = await openExecutor(folder);
    for (let i = 0; i < 20; i++) await executor.step('train', { i }, async () => 'x'.repeat(1000));
    await executor.close();
  });

  it('of another format is left as it is', async () => {
    sql(folder, 'PRAGMA user_version = 99');
    const before = readFileSync(join(folder, 'journal.sqlite'));
    await assert.rejects(
      openExecutor(folder),
      fails('JOURNAL_FORMAT', 'configuration', /format 99; expected .* format 1/),
    );
    assert.deepEqual(readFileSync(join(folder, 'journal.sqlite')), before);
  });

  it('that is the database of something else is left as it is', async () => {
    rmSync(join(folder, 'journal.sqlite'));
    sql(folder, 'CREATE TABLE mine (a)');
    const before = readFileSync(join(folder, 'journal.sqlite'));
    await assert.rejects(openExecutor(folder), fails('JOURNAL_FORMAT', 'configuration', /something else/));
    assert.deepEqual(readFileSync(join(folder, 'journal.sqlite')), before);
  });

  for (const [how, damage] of [
    ['overwritten', (file: Buffer) => file.fill('?')],
    ['overwritten behind its first page', (file: Buffer) => file.fill('?', 8192)],
    // SQLite has no checksums; a changed output is seen where it is no JSON any more.
    [
      'changed in its outputs',
      (file: Buffer) => Buffer.from(file.toString('latin1').replaceAll('"xxx', ' xxx'), 'latin1'),
    ],
    ['cut off', (file: Buffer) => file.subarray(0, 12_000)],
  ] as const) {
    it(`that was ${how} is an error`, async () => {
      const path = join(folder, 'journal.sqlite');
      writeFileSync(path, damage(readFileSync(path)));
      await assert.rejects(openExecutor(folder), fails('JOURNAL_CORRUPT', 'terminal', new RegExp(path)));
    });
  }
});
