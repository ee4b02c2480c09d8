import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it, mock } from 'node:test';
import fc from 'fast-check';
import type { Canonical } from '../../offchain/canonical.ts';
import { HokusaiError } from '../../offchain/errors.ts';
import { backOff, openExecutor, RELEASE, type StepEvent } from '../../offchain/run/executor.ts';
import { fails, sql, start, types } from './executor-runs.ts';

const root = mkdtempSync(join(tmpdir(), 'executor-'));
after(() => rmSync(root, { recursive: true, force: true }));

let folder: string;
const newFolder = () => mkdtempSync(join(root, 'run-'));
beforeEach(() => {
  folder = newFolder();
});

const retryable = () => new HokusaiError('retryable', 'NOT_YET', 'not yet');

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

  it('keeps a warning in the journal, and tells it; one of a step stops neither that step nor the run', async () => {
    const events: StepEvent[] = [];
    const executor = await openExecutor(folder, { onEvent: (event) => events.push(event) });
    const error = new HokusaiError('retryable', 'FAR_AWAY', 'It is far away.');
    executor.warn('train', error);
    assert.equal(await executor.step('train', {}, async () => 'done'), 'done');
    await executor.close();
    assert.deepEqual(events[0], { type: 'warned', step: 'train', error });
    const [event] = sql(folder, "SELECT step, detail FROM events WHERE type = 'failed'");
    assert.deepEqual([event!.step, JSON.parse(String(event!.detail)).code], ['train', 'FAR_AWAY']);
    // The journal is closed: that is told, and not thrown.
    executor.warn('train', error);
    assert.deepEqual(
      events.slice(-2).map(({ type }) => type),
      ['warned', 'warned'],
    );
  });

  it('runs a step once that is asked for twice at the same time', async () => {
    const executor = await openExecutor(folder);
    let calls = 0;
    const step = () => executor.step('train', {}, async () => ++calls);
    assert.deepEqual(await Promise.all([step(), step()]), [1, 1]);
    await executor.close();
  });

  it('records a step under the hash of its inputs, its name and the release', async () => {
    const executor = await openExecutor(folder);
    await executor.step('train', { b: 2, a: '1' }, async () => 'this release');
    await executor.close();
    const [event] = sql(folder, "SELECT key, detail FROM events WHERE type = 'started'");
    const text = `{"inputs":{"a":"1","b":2},"name":"train","release":"${RELEASE}"}`;
    assert.equal(event!.key, createHash('sha256').update(text).digest('hex'));
    assert.deepEqual(JSON.parse(String(event!.detail)), { inputs: { a: '1', b: 2 }, release: RELEASE });
    assert.equal(RELEASE, JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')).version);
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
    assert.deepEqual(types(folder), [
      'retried.started',
      'retried.retried',
      'retried.finished',
      'failed.started',
      'failed.failed',
    ]);
    const [failed] = sql(folder, "SELECT detail FROM events WHERE type = 'failed'");
    assert.deepEqual(JSON.parse(String(failed!.detail)), { kind: 'retryable', code: 'NOT_YET', message: 'not yet' });
    assert.throws(() => sql(folder, "UPDATE events SET step = 'other'"), /append-only/);
    assert.throws(() => sql(folder, 'DELETE FROM events'), /append-only/);
  });

  it('leave nothing that warns or keeps the process from ending', async () => {
    const { ended, says } = start('run', folder);
    await says('output');
    const closed = performance.now();
    const { stderr, status } = await ended;
    assert.deepEqual([stderr, status], ['', 0]);
    assert.ok(performance.now() - closed < 3000);
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
    const patient = await openExecutor(folder, { retries: 1 });
    const once = async ({ attempt }: { attempt: number }) => {
      if (attempt < 2) throw retryable();
      return attempt;
    };
    assert.equal(await patient.step('submit again', {}, once), 2, 'as often as the run says');
    await assert.rejects(patient.step('not again', {}, once, { retries: 0 }));
    await patient.close();
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

  it('does not take the output of a step that comes after its time, nor its progress', async () => {
    const events: StepEvent[] = [];
    const executor = await openExecutor(folder, { onEvent: (event) => events.push(event) });
    const late: Parameters<typeof executor.step>[2] = ({ signal, progress }) => {
      progress(0.5, 'half');
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          progress(1, 'late');
          resolve('late');
        });
      });
    };
    await assert.rejects(executor.step('prove', {}, late, { timeout: 0.05 }), fails('STEP_TIMEOUT', 'retryable'));
    await executor.close();
    assert.deepEqual(events[1], { type: 'progress', step: 'prove', fraction: 0.5, text: 'half' });
    assert.deepEqual(
      events.map(({ type }) => type),
      ['started', 'progress', 'failed'],
    );
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
    assert.deepEqual(types(folder), ['train.started', 'train.failed']);
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
    assert.deepEqual(types(folder), ['train.started', 'train.failed']);
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
