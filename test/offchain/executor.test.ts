import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it, mock } from 'node:test';
import fc from 'fast-check';
import type { Canonical } from '../../offchain/canonical.ts';
import { HokusaiError } from '../../offchain/errors.ts';
import { backOff, openExecutor, RELEASE, type StepEvent } from '../../offchain/executor.ts';
import { storageError } from '../../offchain/journal.ts';
import { type Point, STEPS } from './executor-child.ts';

const CHILD = join(import.meta.dirname, 'executor-child.ts');
const root = mkdtempSync(join(tmpdir(), 'executor-'));
after(() => rmSync(root, { recursive: true, force: true }));

let folder: string;
const newFolder = () => mkdtempSync(join(root, 'run-'));
beforeEach(() => {
  folder = newFolder();
});

interface Ended {
  signal: NodeJS.Signals | null;
  status: number | null;
  stderr: string;
  /** The JSON of the last line. */
  result: { output?: string; code?: string; kind?: string; message?: string; next?: string; steps?: unknown };
}

/** A process that runs executor-child.ts, what it has said, and how it ends. */
function follow(command: string, parameters: string[]) {
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

const start = (...parameters: string[]) => follow(process.execPath, [CHILD, ...parameters]);
const run = (...parameters: string[]) => start(...parameters).ended;

/** Reads or changes the journal behind the executor's back. */
function sql(query: string, at = folder): Record<string, unknown>[] {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(join(at, 'journal.sqlite'));
  try {
    return database.prepare(query).all();
  } finally {
    database.close();
  }
}

const ran = (at = folder) =>
  existsSync(join(at, 'ran.log')) ? readFileSync(join(at, 'ran.log'), 'utf8').trim().split('\n') : [];
const types = (at = folder) => sql('SELECT type, step FROM events ORDER BY seq', at).map((e) => `${e.step}.${e.type}`);
const fails =
  (code: string, kind: string, text = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof HokusaiError, String(error));
    assert.deepEqual([error.code, error.kind], [code, kind]);
    assert.match(error.message, text);
    assert.ok(error.next);
    return true;
  };
const retryable = () => new HokusaiError('retryable', 'NOT_YET', 'not yet');

const { result: whole } = await run('run', newFolder());

describe('steps', () => {
  it('gives the recorded output of a finished step, and runs a step of other inputs or another name', async () => {
    const calls: string[] = [];
    const step = async (name: string, inputs: Canonical) =>
      executor.step(name, inputs, async () => {
        calls.push(name);
        return { name, rows: [1, 'two', null] };
      });
    let executor = await openExecutor(folder);
    const first = await step('train', { a: 1, b: 2 });
    await step('train', { a: 1, b: 3 });
    await step('test', { a: 1, b: 2 });
    await executor.close();
    const events: StepEvent[] = [];
    executor = await openExecutor(folder, { onEvent: (event) => events.push(event) });
    const again = await step('train', { b: 2, a: 1 });
    await executor.close();
    assert.deepEqual(again, first);
    assert.deepEqual(calls, ['train', 'train', 'test']);
    assert.deepEqual(
      events.map(({ type }) => type),
      ['reused'],
    );
    assert.deepEqual(
      executor.steps().map(({ name, reused }) => [name, reused]),
      [['train', true]],
    );
  });

  it('runs a step once that is asked for twice at the same time', async () => {
    const executor = await openExecutor(folder);
    let calls = 0;
    const step = () => executor.step('train', {}, async () => ++calls);
    assert.deepEqual(await Promise.all([step(), step()]), [1, 1]);
    await executor.close();
  });

  it('does not reuse what another release recorded', async () => {
    const executor = await openExecutor(folder);
    await executor.step('train', {}, async () => 'this release');
    const [event] = sql("SELECT detail FROM events WHERE type = 'started'");
    assert.deepEqual(JSON.parse(String(event!.detail)), { inputs: {}, release: RELEASE });
    await executor.close();
    assert.equal(RELEASE, JSON.parse(readFileSync('package.json', 'utf8')).version);
  });

  it('gives after a resume what it gave at first, whatever the output', async () => {
    const canonical = fc.letrec<{ value: Canonical }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.string({ unit: 'binary' }),
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).value;
    const property = fc.asyncProperty(canonical, canonical, async (inputs, output) => {
      const at = newFolder();
      const open = await openExecutor(at);
      const first = await open.step('any', inputs, async () => output);
      await open.close();
      const resumed = await openExecutor(at);
      const second = await resumed.step<Canonical>('any', inputs, () => assert.fail('was run again'));
      await resumed.close();
      assert.deepEqual(first, output);
      assert.deepEqual(second, output);
    });
    await fc.assert(property, { numRuns: 30 });
  });

  it('refuses an output that cannot be recorded, and runs the step again when it can', async () => {
    const executor = await openExecutor(folder);
    for (const bad of [0.5, { missing: undefined }, Number.NaN, 2n]) {
      await assert.rejects(
        executor.step('train', {}, async () => bad as Canonical),
        fails('STEP_FAILED', 'terminal'),
      );
    }
    assert.equal(await executor.step('train', {}, async () => 1), 1);
    await executor.close();
  });

  it('keeps an append-only record of every start, retry, failure and finish', async () => {
    const executor = await openExecutor(folder);
    const once = async ({ attempt }: { attempt: number }) => {
      if (attempt === 1) throw retryable();
      return 'done';
    };
    await executor.step('retried', {}, once, { retries: 1 });
    await assert.rejects(executor.step('failed', {}, async () => Promise.reject(retryable())));
    await executor.close();
    assert.deepEqual(types(), [
      'retried.started',
      'retried.retried',
      'retried.finished',
      'failed.started',
      'failed.failed',
    ]);
    const [failed] = sql("SELECT detail FROM events WHERE type = 'failed'");
    assert.deepEqual(JSON.parse(String(failed!.detail)), { kind: 'retryable', code: 'NOT_YET', message: 'not yet' });
    assert.throws(() => sql("UPDATE events SET step = 'other'"), /append-only/);
    assert.throws(() => sql('DELETE FROM events'), /append-only/);
  });

  it('prints no warning of SQLite being experimental', async () => {
    const { stderr, status } = await run('run', folder);
    assert.deepEqual([stderr, status], ['', 0]);
  });
});

describe('failures of a step', () => {
  it('tries a retryable one again, after waits that double', async () => {
    const events: StepEvent[] = [];
    const executor = await openExecutor(folder, { onEvent: (event) => events.push(event) });
    const times: number[] = [];
    const fn = async ({ attempt }: { attempt: number }) => {
      times.push(performance.now());
      if (attempt < 3) throw retryable();
      return attempt;
    };
    assert.equal(await executor.step('submit', {}, fn, { retries: 2 }), 3);
    await executor.close();
    const waits = times.slice(1).map((time, i) => time - times[i]!);
    assert.ok(waits[0]! > 490 && waits[1]! > 990, `${waits}`);
    assert.deepEqual(
      events.map((event) => [event.type, event.type === 'retrying' && event.wait]),
      [
        ['started', false],
        ['retrying', 0.5],
        ['retrying', 1],
        ['finished', false],
      ],
    );
    assert.deepEqual([1, 2, 3, 6, 7, 8, 2000].map(backOff), [0.5, 1, 2, 16, 30, 30, 30]);
  });

  it('gives up after the last retry with the error of the step', async () => {
    const executor = await openExecutor(folder);
    let calls = 0;
    const fn = async () => {
      calls++;
      throw retryable();
    };
    await assert.rejects(executor.step('submit', {}, fn, { retries: 1 }), { code: 'NOT_YET' });
    await executor.close();
    assert.equal(calls, 2);
  });

  for (const kind of ['terminal', 'configuration'] as const) {
    it(`does not try a ${kind} one again`, async () => {
      const executor = await openExecutor(folder);
      let calls = 0;
      const fn = async () => {
        calls++;
        throw new HokusaiError(kind, 'NO', 'no');
      };
      await assert.rejects(executor.step('submit', {}, fn, { retries: 5 }), { code: 'NO', kind });
      await executor.close();
      assert.equal(calls, 1);
    });
  }

  it('takes an unknown exception for a defect, keeps its stack and leaves its words out of the journal', async () => {
    const executor = await openExecutor(folder);
    const bug = new TypeError('cannot read "Jane Doe, 12 May 1980"');
    const failing = executor.step('train', {}, async () => Promise.reject(bug), { retries: 3 });
    await assert.rejects(failing, (error: HokusaiError) => {
      assert.equal(error.cause, bug);
      return fails('STEP_FAILED', 'terminal', /train .*TypeError/)(error);
    });
    await executor.close();
    assert.ok(!readFileSync(join(folder, 'journal.sqlite')).includes('Jane'));
  });

  it('aborts a step whose time is up and names step and seconds', async () => {
    const executor = await openExecutor(folder);
    const signals: AbortSignal[] = [];
    const slow = ({ signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    };
    const failing = executor.step('prove', {}, slow, { timeout: 0.05, retries: 1 });
    await assert.rejects(failing, fails('STEP_TIMEOUT', 'retryable', /prove .* 0\.05 seconds/));
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true, true],
    );
    assert.equal(await executor.step('prove', {}, async () => 'in time', { timeout: 5 }), 'in time');
    await executor.close();
  });

  it('waits 5 seconds, and no longer, for a step that ignores that its time is up', async () => {
    const executor = await openExecutor(folder);
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      let failed = false;
      const failing = executor.step('prove', {}, () => new Promise<never>(() => {}), { timeout: 10 });
      failing.catch(() => {
        failed = true;
      });
      mock.timers.tick(10_000);
      mock.timers.tick(4_999);
      await new Promise(setImmediate);
      assert.equal(failed, false);
      mock.timers.tick(1);
      await assert.rejects(failing, fails('STEP_TIMEOUT', 'retryable'));
    } finally {
      mock.timers.reset();
    }
    await executor.close();
  });
});

describe('a stop', () => {
  it('is passed to the step at work, is not retried, and lets no other step begin', async () => {
    const controller = new AbortController();
    const executor = await openExecutor(folder, { signal: controller.signal });
    const fn = ({ signal }: { signal: AbortSignal }) => {
      setImmediate(() => controller.abort());
      return new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const working = executor.step('train', {}, fn, { retries: 3 });
    await assert.rejects(working, fails('RUN_ABORTED', 'retryable', /train/));
    await assert.rejects(
      executor.step('prove', {}, () => assert.fail('was begun')),
      fails('RUN_ABORTED', 'retryable'),
    );
    await executor.close();
    const resumed = await openExecutor(folder);
    assert.equal(await resumed.step('train', {}, async () => 'resumed'), 'resumed');
    await resumed.close();
  });

  it('cuts the wait before a retry short', async () => {
    const controller = new AbortController();
    const onEvent = ({ type }: StepEvent) => type === 'retrying' && controller.abort();
    const executor = await openExecutor(folder, { signal: controller.signal, onEvent });
    const began = performance.now();
    const failing = executor.step('submit', {}, async () => Promise.reject(retryable()), { retries: 9 });
    await assert.rejects(failing, fails('RUN_ABORTED', 'retryable'));
    assert.ok(performance.now() - began < 400);
    await executor.close();
  });

  it('by close reaches a step at work', async () => {
    const executor = await openExecutor(folder);
    const working = executor.step('train', {}, ({ signal }) => {
      return new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    await Promise.all([assert.rejects(working, fails('RUN_ABORTED', 'retryable')), executor.close()]);
    assert.deepEqual(types(), ['train.started', 'train.failed']);
  });
});

describe('kill -9', () => {
  it('in the second of three steps: the first is not run again, and the result is the same', async () => {
    const { child, ended, says } = start('hang', folder);
    await says('hangs');
    child.kill('SIGKILL');
    await ended;
    const { result } = await run('run', folder);
    assert.equal(result.output, whole.output);
    assert.deepEqual(ran(), ['train', 'evaluate', 'evaluate', 'prove']);
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
          const step = STEPS.findIndex((each) => each === name);
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
    const [{ pid }] = sql('SELECT pid FROM lease') as [{ pid: number }];
    process.kill(pid, 'SIGKILL');
    while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) await new Promise((wait) => setTimeout(wait, 5));
    await (await openExecutor(folder)).close();
    parent.kill('SIGKILL');
  });

  it('of a dead process is not inherited by a process that got its number', async () => {
    const executor = await openExecutor(folder);
    sql('UPDATE lease SET start = 12345');
    const heir = await openExecutor(folder);
    await heir.close();
    await executor.close();
  });

  /** What another container sees of a process that has stopped: only that its heartbeat is old. */
  const elsewhere = (seconds: number) =>
    sql(`UPDATE lease SET place = 'another container', beat = ${Date.now() - seconds * 1000}`);

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
    assert.deepEqual(types(), ['train.started', 'train.started', 'train.finished']);
  });

  it('is renewed by a heartbeat, which also tells a step at work that it is lost', async () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const executor = await openExecutor(folder);
      sql('UPDATE lease SET beat = 0');
      mock.timers.tick(10_000);
      const [{ beat }] = sql('SELECT beat FROM lease') as [{ beat: number }];
      assert.ok(Math.abs(Date.now() - beat) < 5000);
      const working = executor.step('train', {}, ({ signal }) => {
        sql('UPDATE lease SET token = token + 1');
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

describe('blobs', () => {
  it('are the bytes that were stored, under their SHA-256', async () => {
    const executor = await openExecutor(folder);
    const hash = await executor.put(Buffer.from('abc'));
    // FIPS 180-2, appendix B.1
    assert.equal(hash, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    const same = await Promise.all([1, 2, 3].map(() => executor.put(Buffer.from('abc'))));
    assert.deepEqual(new Set(same), new Set([hash]));
    assert.equal(Buffer.from(await executor.get(hash)).toString(), 'abc');
    assert.deepEqual(readdirSync(join(folder, 'blobs')), [hash]);
    await assert.rejects(executor.get('../journal.sqlite'), RangeError);
    await executor.close();
  });

  it('that are damaged or missing are an error that names the file, until they are stored again', async () => {
    const executor = await openExecutor(folder);
    const hash = await executor.put(Buffer.from('abc'));
    const path = join(folder, 'blobs', hash);
    writeFileSync(path, 'abd');
    await assert.rejects(executor.get(hash), fails('BLOB_CORRUPT', 'terminal', new RegExp(hash)));
    rmSync(path);
    await assert.rejects(executor.get(hash), fails('BLOB_CORRUPT', 'terminal', new RegExp(`${hash} is missing`)));
    await executor.put(Buffer.from('abc'));
    assert.equal((await executor.get(hash)).length, 3);
    await executor.close();
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
      const finished = types().filter((type) => type.endsWith('finished')).length;
      assert.ok(finished > 0);
      assert.ok(!readdirSync(join(folder, 'blobs')).some((name) => name.endsWith('.tmp')));
      const { result } = await run('run', folder);
      assert.equal(result.output, whole.output);
      assert.equal(types().filter((type) => type.endsWith('finished')).length, finished + 3);
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
    sql('PRAGMA user_version = 99');
    const before = readFileSync(join(folder, 'journal.sqlite'));
    await assert.rejects(
      openExecutor(folder),
      fails('JOURNAL_FORMAT', 'configuration', /format 99; expected .* format 1/),
    );
    assert.deepEqual(readFileSync(join(folder, 'journal.sqlite')), before);
  });

  it('that is the database of something else is left as it is', async () => {
    rmSync(join(folder, 'journal.sqlite'));
    sql('CREATE TABLE mine (a)');
    const before = readFileSync(join(folder, 'journal.sqlite'));
    await assert.rejects(openExecutor(folder), fails('JOURNAL_FORMAT', 'configuration', /something else/));
    assert.deepEqual(readFileSync(join(folder, 'journal.sqlite')), before);
  });

  for (const [how, damage] of [
    ['overwritten', (file: Buffer) => file.fill('?')],
    ['overwritten behind its first page', (file: Buffer) => file.fill('?', 8192)],
    ['cut off', (file: Buffer) => file.subarray(0, 12_000)],
  ] as const) {
    it(`that was ${how} is an error`, async () => {
      const path = join(folder, 'journal.sqlite');
      writeFileSync(path, damage(readFileSync(path)));
      await assert.rejects(openExecutor(folder), fails('JOURNAL_CORRUPT', 'terminal', new RegExp(path)));
    });
  }
});
