// What a tracking server does wrong, at each moment: a run goes on, and what it has lost is caught up with.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { zTrackedRun } from '../../offchain/mlflow/tracked-run.ts';
import { accepted, copied, recorded, refused } from './mlflow-run.ts';
import { type Fault, trackingServer as server } from './mlflow-server.ts';

const FAST = { request: 0.25, total: 30 };
const PENDING = 'mlflow.pending.json';

describe('a tracking server that fails', () => {
  const FAULTS: [name: string, fault: Fault, code: string][] = [
    ['answers 500', { status: 500, body: 'oops' }, 'MLFLOW_BUSY'],
    ['breaks off before it has done it', 'cut', 'MLFLOW_UNREACHABLE'],
    ['breaks off after it has done it', 'cut after', 'MLFLOW_UNREACHABLE'],
    ['refuses the name of its host', { status: 403, body: 'Invalid Host header' }, 'MLFLOW_FORBIDDEN'],
  ];
  for (const [name, fault, code] of FAULTS) {
    it(`and ${name}, at each request, is caught up with and has everything once`, async () => {
      const whole = await server();
      await recorded(await copied(accepted), { trackingUri: whole.url });
      const count = whole.requests.length;
      assert.ok(count >= 15, String(count));
      for (let at = 0; at < count; at++) {
        const mlflow = await server();
        mlflow.fault = (i) => (i === at ? fault : undefined);
        const first = await copied(accepted);
        const failed = await recorded(first, { trackingUri: mlflow.url });
        assert.deepEqual([failed.logged!.pending, failed.logged!.at], [1, undefined], `at ${at}`);
        assert.deepEqual(
          failed.told.map((error) => [error.code, error.next !== undefined]),
          [[code, true]],
        );
        const second = await copied(refused, dirname(first.folder), 'next');
        const { logged, told } = await recorded(second, { trackingUri: mlflow.url });
        assert.deepEqual([logged!.pending, told], [0, []], `at ${at}`);
        assert.deepEqual(
          mlflow.runs.map((run) => [run.name, run.status]),
          [
            ['run', 'FINISHED'],
            ['next', 'FINISHED'],
          ],
        );
        const [expected, found] = [whole.runs[0]!, mlflow.runs[0]!];
        assert.equal(found.metrics.size, expected.metrics.size);
        assert.deepEqual(found.params, expected.params);
        assert.deepEqual(found.inputs, expected.inputs);
        assert.deepEqual([mlflow.artifacts.size, mlflow.models.get('Tumours')!.length], [7, 1]);
        mlflow.stop();
      }
    });
  }

  it('and never answers costs one time-out, and no more while others wait, too', async () => {
    const mlflow = await server();
    mlflow.fault = () => 'hang';
    const first = await copied(accepted);
    for (const name of ['two', 'three']) await copied(accepted, dirname(first.folder), name);
    const outbox = dirname(first.folder);
    for (const [i, name] of ['run', 'two', 'three'].entries()) {
      const began = performance.now();
      const result = { ...accepted, folder: join(outbox, name) };
      const { logged, told } = await recorded(result, { trackingUri: mlflow.url, patience: FAST });
      assert.ok(performance.now() - began < 2500);
      assert.deepEqual([logged!.pending, told.map(({ code }) => code)], [i + 1, ['MLFLOW_TIMEOUT']]);
    }
    assert.equal(mlflow.requests.length, 3);
  });

  it('and is not there at all is caught up with in the order of the runs', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    taken.close();
    const first = await copied(refused, undefined, 'z-first');
    const outbox = dirname(first.folder);
    const gone = { trackingUri: `http://127.0.0.1:${port}` };
    const { told } = await recorded(first, gone);
    assert.equal(told[0]!.code, 'MLFLOW_UNREACHABLE');
    assert.deepEqual(told[0]!.details.reason, 'ECONNREFUSED');
    // Another experiment is another evaluation, also of the same results.
    await recorded(await copied(refused, outbox, 'm-second'), { ...gone, experimentName: 'Second' });
    const mlflow = await server();
    const third = await copied(refused, outbox, 'a-third');
    const { logged } = await recorded(third, { trackingUri: mlflow.url, experimentName: 'Third' });
    assert.equal(logged!.pending, 0);
    assert.deepEqual(
      mlflow.runs.map(({ name }) => name),
      ['z-first', 'm-second', 'a-third'],
    );
  });

  it('and refuses one record for good does not keep the others waiting', async () => {
    const mlflow = await server();
    const first = await copied(accepted);
    mlflow.fault = (_, request) => (request.endsWith('log-inputs') ? { status: 400, body: '{}' } : undefined);
    const failed = await recorded(first, { trackingUri: mlflow.url });
    assert.deepEqual(
      failed.told.map(({ code, next }) => [code, next?.includes(join(first.folder, PENDING))]),
      [['MLFLOW_REFUSED', true]],
    );
    let refusals = 0;
    mlflow.fault = (_, request) => {
      if (!request.endsWith('log-inputs') || refusals++ > 0) return undefined;
      return { status: 400, body: '{}' };
    };
    const second = await copied(refused, dirname(first.folder), 'next');
    const { logged, told } = await recorded(second, { trackingUri: mlflow.url });
    assert.deepEqual([logged!.pending, logged!.at !== undefined, told.length], [1, true, 1]);
  });

  it('and refuses the user, or is asked too often, says what to do', async () => {
    const mlflow = await server();
    const told = async (status: number, body?: string) => {
      mlflow.fault = () => ({ status, ...(body !== undefined && { body }) });
      const [error] = (await recorded(await copied(refused), { trackingUri: mlflow.url })).told;
      return [error!.code, error!.kind, error!.next!.includes('--allowed-hosts 127.0.0.1')];
    };
    const denied = JSON.stringify({ error_code: 'PERMISSION_DENIED' });
    assert.deepEqual(await told(403, denied), ['MLFLOW_FORBIDDEN', 'configuration', false]);
    assert.deepEqual(await told(403, 'Invalid Host header'), ['MLFLOW_FORBIDDEN', 'configuration', true]);
    assert.deepEqual(await told(429), ['MLFLOW_BUSY', 'retryable', false]);
  });

  it('and is a page in front of it, or has no artifacts, or has the experiment deleted, is told so', async () => {
    const mlflow = await server();
    const told = async (uri: string, mlflowRun = accepted) =>
      (await recorded(await copied(mlflowRun), { trackingUri: uri })).told.map(({ code }) => code);
    mlflow.fault = () => ({ status: 200, body: '<html>Sign in</html>' });
    assert.deepEqual(await told(mlflow.url), ['MLFLOW_ANSWER']);
    mlflow.fault = () => ({ status: 404, body: '<html>Nothing here</html>' });
    assert.deepEqual(await told(mlflow.url), ['MLFLOW_ANSWER']);
    mlflow.fault = () => undefined;
    mlflow.artifactRoot = 's3://bucket/';
    assert.deepEqual(await told(mlflow.url), ['MLFLOW_ARTIFACTS']);
    assert.deepEqual([mlflow.runs[0]!.status, mlflow.artifacts.size, mlflow.models.size], ['FINISHED', 0, 0]);
    mlflow.experiments.set('Tumours', { id: '1', stage: 'deleted' });
    const late = await copied(accepted);
    const { told: deleted } = await recorded(late, { trackingUri: mlflow.url });
    assert.deepEqual(
      deleted.map(({ code, next }) => [code, next?.includes(join(late.folder, PENDING))]),
      [['MLFLOW_EXPERIMENT_DELETED', true]],
    );
    assert.deepEqual(await told('sqlite:///mlflow.db'), ['MLFLOW_URI']);
  });

  it('is not waited for by a run that is stopped', async () => {
    const mlflow = await server();
    mlflow.fault = () => 'hang';
    const signal = AbortSignal.timeout(200);
    const began = performance.now();
    const patience = { request: 60, total: 60 };
    const { told } = await recorded(await copied(accepted), { trackingUri: mlflow.url, patience, signal });
    assert.ok(performance.now() - began < 5000);
    assert.deepEqual(told[0]!.details.reason, 'stopped');
  });

  it('gets a run once from two processes that catch up at the same time', async () => {
    const mlflow = await server();
    const first = await copied(accepted);
    mlflow.fault = () => ({ status: 503 });
    await recorded(first, { trackingUri: mlflow.url });
    mlflow.fault = () => undefined;
    const others = ['a', 'b', 'c'].map(async (name) => {
      const other = await copied(refused, dirname(first.folder), name);
      return recorded(other, { trackingUri: mlflow.url, experimentName: name });
    });
    await Promise.all(others);
    assert.deepEqual(mlflow.runs.map(({ name }) => name).sort(), ['a', 'b', 'c', 'run']);
  });
});

describe('the outbox', () => {
  it('tells of a record that is none, and of a file that is gone, and goes on', async () => {
    const mlflow = await server();
    const broken = await copied(accepted, undefined, 'broken');
    const outbox = dirname(broken.folder);
    await writeFile(join(broken.folder, PENDING), '{"experiment": 1');
    const lacking = await copied(accepted, outbox, 'lacking');
    mlflow.fault = () => ({ status: 500 });
    await recorded(lacking, { trackingUri: mlflow.url, experimentName: 'Lacking' });
    await rm(join(lacking.folder, 'models/candidate.json'));
    mlflow.fault = () => undefined;
    const { logged, told } = await recorded(await copied(accepted, outbox), { trackingUri: mlflow.url });
    assert.deepEqual(told.map(({ code }) => code).sort(), ['MLFLOW_ARTIFACT', 'MLFLOW_RECORD']);
    assert.deepEqual([logged!.pending, logged!.at !== undefined], [2, true]);
  });

  it('refuses a record that would read files of others', () => {
    const record = { file: '../../secrets/model.json', path: 'x.json' };
    assert.ok(!zTrackedRun.shape.artifacts.safeParse([record]).success);
  });
});
