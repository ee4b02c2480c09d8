import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { Api } from '../../offchain/mlflow/api.ts';
import { destinationOf, isTrackingUri } from '../../offchain/mlflow/destination.ts';
import { recordOnServer } from '../../offchain/mlflow/server.ts';
import { type TrackedRun, zTrackedRun } from '../../offchain/mlflow/tracked-run.ts';
import type { RunResult } from '../../offchain/run/conclude.ts';
import { writeWhole } from '../../offchain/write-whole.ts';
import { accepted, copied, folder, recorded, refused } from './mlflow-run.ts';
import { trackingServer as server, type TrackingServer } from './mlflow-server.ts';

const DONE = 'mlflow.json';
const PENDING = 'mlflow.pending.json';
const trackedOf = async ({ folder: at }: Pick<RunResult, 'folder'>): Promise<TrackedRun> =>
  zTrackedRun.parse(JSON.parse(await readFile(join(at, DONE), 'utf8')));

/** All that a server has, without what it chose itself. */
const stateOf = ({ experiments, runs, artifacts, models }: TrackingServer) =>
  JSON.parse(
    JSON.stringify({ experiments, runs, artifacts, models }, (_, value) =>
      value instanceof Map ? [...value].sort() : value instanceof Set ? [...value].sort() : value,
    ),
  );

describe('a run on a tracking server', () => {
  it('has parameters, tags, metrics at steps, inputs, artifacts and, once accepted, a model version', async () => {
    const mlflow = await server();
    const result = await copied(accepted);
    const { logged, told } = await recorded(result, { trackingUri: mlflow.url });
    assert.deepEqual([logged?.pending, logged?.warnings, told], [0, [], []]);
    const [run] = mlflow.runs;
    assert.equal(logged?.at, `${mlflow.url}/#/experiments/1/runs/${run!.id}`);
    assert.deepEqual([...mlflow.experiments.keys()], ['Tumours']);
    assert.deepEqual([run!.status, run!.name], ['FINISHED', 'run']);

    const { attestation } = result;
    const { contribution, benchmark, context, models, delta } = attestation;
    assert.equal(run!.params.get('training.modelType'), 'LinearSVC');
    assert.equal(run!.params.get('training.C'), '1');
    assert.equal(run!.params.get('policy.metric'), 'accuracy');
    assert.equal(run!.params.get('contribution.dataRoot'), contribution.dataRoot);
    assert.equal(run!.params.get('benchmark.foldId'), benchmark.foldId);
    assert.equal(run!.params.get('trainSpecHash'), context.trainSpecHash);
    const tags = Object.fromEntries(run!.tags);
    assert.equal(tags.status, 'SCORED');
    assert.equal(tags.roundId, context.roundId);
    assert.equal(tags.dataRoot, contribution.dataRoot);
    assert.equal(tags.evaluator, attestation.evaluator);
    assert.match(tags['mlflow.source.git.commit']!, /^[0-9a-f]{40}$/);

    const { metrics, training } = JSON.parse(await readFile(join(result.folder, 'metrics.json'), 'utf8'));
    const points = [...run!.metrics].map((point) => point.split(','));
    const pointOf = (name: string) => points.filter(([key]) => key === name).map(([, value, , step]) => [value, step]);
    for (const model of ['baseline', 'candidate'] as const) {
      for (const [name, value] of Object.entries(metrics[model])) {
        assert.deepEqual(pointOf(`${model}.${name}`), [[String(value), String(models![model].trainingRows)]]);
      }
    }
    assert.deepEqual(pointOf('deltaOneBps'), [[delta!.deltaOneBps, String(models!.candidate.trainingRows)]]);
    const curve = pointOf('learning.accuracy');
    assert.equal(curve.length, 5);
    assert.deepEqual([curve[0], curve.at(-1)], [...pointOf('baseline.accuracy'), ...pointOf('candidate.accuracy')]);
    const { history } = training.candidate;
    assert.ok(history.length > 1);
    assert.deepEqual(
      pointOf('training.candidate.relative_gradient'),
      history.map(({ step, value }: { step: number; value: number }) => [String(value), String(step)]),
    );
    assert.deepEqual(
      pointOf('seconds.train').map(([, step]) => step),
      ['0', '1'],
    );

    const files = ['attestation.json', 'metrics.json', 'report.html'];
    for (const file of files) {
      const at = `1/${run!.id}/artifacts/${file}`;
      assert.equal(mlflow.artifacts.get(at), await readFile(join(result.folder, file), 'utf8'), file);
    }
    const candidate = await readFile(join(result.folder, 'models/candidate.json'), 'utf8');
    assert.equal(mlflow.artifacts.get(`1/${run!.id}/artifacts/models/candidate/model.json`), candidate);
    assert.equal(mlflow.artifacts.size, 5);
    const [version] = mlflow.models.get('Tumours')!;
    assert.equal(version!.source, `mlflow-artifacts:/1/${run!.id}/artifacts/models/candidate`);
    assert.deepEqual(version!.tags[0], { key: 'commitment', value: models!.candidate.commitment });
    assert.equal(run!.inputs.size, 3);
    assert.ok([...run!.inputs.keys()].some((key) => key.endsWith(contribution.dataRoot.slice(2, 38))));
  });

  it('of a contribution that nothing was trained for has no model, and no older metrics', async () => {
    const mlflow = await server();
    const result = await copied(refused);
    await writeFile(join(result.folder, 'metrics.json'), 'what an earlier evaluation left');
    const { logged } = await recorded(result, { trackingUri: mlflow.url });
    assert.equal(logged?.pending, 0);
    assert.equal(mlflow.runs[0]!.tags.get('status'), 'TOO_FEW_ROWS');
    assert.equal(mlflow.models.size, 0);
    assert.equal(mlflow.artifacts.size, 2);
  });

  it('recorded again changes nothing, also when its record has been lost', async () => {
    const mlflow = await server();
    const result = await copied(accepted);
    await recorded(result, { trackingUri: mlflow.url });
    const first = stateOf(mlflow);
    await recorded(result, { trackingUri: mlflow.url });
    assert.deepEqual(stateOf(mlflow), first);
    await rm(join(result.folder, DONE));
    await recorded(result, { trackingUri: mlflow.url });
    assert.equal(mlflow.runs.length, 1);
    assert.equal(mlflow.models.get('Tumours')!.length, 1);
  });

  it('writes nothing anywhere where it is switched off', async () => {
    const mlflow = await server();
    const result = await copied(accepted);
    const { logged } = await recorded(result, { trackingUri: mlflow.url, enabled: false });
    assert.deepEqual([logged, mlflow.requests], [undefined, []]);
    assert.ok(!existsSync(join(result.folder, PENDING)));
  });

  it('names the metrics of each of 256 classes, whatever they are called, and says NaN of 0/0', async () => {
    const mlflow = await server();
    const result = await copied(accepted);
    const file = join(result.folder, 'metrics.json');
    const known = JSON.parse(await readFile(file, 'utf8'));
    const names = Array.from(
      { length: 256 },
      (_, i) => ['a/b', 'ä', '..', 'x'.repeat(200), 'y,z'][i % 5]! + (i > 4 ? i : ''),
    );
    const perClass = names.map((name, i) => ({ class: name, precision: i === 0 ? null : i, recall: 1, f1: 1 }));
    const metrics = { baseline: { accuracy: 0.5, perClass }, candidate: { accuracy: 0.6, perClass } };
    await writeFile(file, JSON.stringify({ ...known, metrics }));
    const { told } = await recorded(result, { trackingUri: mlflow.url });
    assert.deepEqual(told, []);
    const points = [...mlflow.runs[0]!.metrics].map((point) => point.split(','));
    const classes = points.filter(([key]) => key!.startsWith('candidate.perClass.'));
    assert.equal(new Set(classes.map(([key]) => key)).size, 3 * 256);
    assert.ok(classes.some(([key, value]) => key === 'candidate.perClass.a_b.0.precision' && value === 'NaN'));
  });

  it('keeps to the limits of a batch, and says NaN of what is not defined', async () => {
    const mlflow = await server();
    const many = (count: number, value: (i: number) => string) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`name${i}`, value(i)]));
    const record: TrackedRun = {
      ...{ experiment: 'Limits', evaluation: 'ab'.repeat(16), name: 'run', startTime: 1, endTime: 2 },
      params: many(250, () => 'x'.repeat(6000)),
      tags: many(130, String),
      metrics: Array.from({ length: 2500 }, (_, i) => ({ key: 'm', value: i === 7 ? null : i / 3, step: i })),
      ...{ datasets: [], artifacts: [] },
    };
    await recordOnServer(new Api({ url: mlflow.url }, 5), mlflow.url, record, folder);
    const [run] = mlflow.runs;
    assert.deepEqual([run!.params.size, run!.tags.size, run!.metrics.size], [250, 131, 2500]);
    assert.ok(run!.metrics.has('m,NaN,2,7'));
    const again = { ...record, params: { name0: 'another' } };
    await assert.rejects(recordOnServer(new Api({ url: mlflow.url }, 5), mlflow.url, again, folder), {
      code: 'MLFLOW_REFUSED',
      kind: 'terminal',
    });
  });

  it('takes credentials from the environment, and never tells them', async () => {
    const mlflow = await server();
    const names = ['MLFLOW_TRACKING_TOKEN', 'MLFLOW_TRACKING_USERNAME', 'MLFLOW_TRACKING_PASSWORD'];
    const before = names.map((name) => process.env[name]);
    const secret = 's3cret';
    try {
      process.env.MLFLOW_TRACKING_TOKEN = secret;
      const first = await copied(accepted);
      await recorded(first, { trackingUri: mlflow.url });
      assert.deepEqual([...mlflow.authorizations], [`Bearer ${secret}`]);
      process.env.MLFLOW_TRACKING_TOKEN = `${secret}\nx`;
      const { told } = await recorded(await copied(accepted), { trackingUri: mlflow.url });
      assert.equal(told[0]!.code, 'MLFLOW_CREDENTIALS');
      assert.ok(!JSON.stringify([told, told.map(({ message }) => message)]).includes(secret));
      Object.assign(process.env, { MLFLOW_TRACKING_USERNAME: 'ann', MLFLOW_TRACKING_PASSWORD: secret });
      mlflow.authorizations.clear();
      mlflow.fault = () => ({ status: 401 });
      const refusedOne = await copied(accepted);
      const answer = await recorded(refusedOne, { trackingUri: mlflow.url });
      assert.deepEqual([...mlflow.authorizations], [`Basic ${Buffer.from(`ann:${secret}`).toString('base64')}`]);
      assert.equal(answer.told[0]!.code, 'MLFLOW_UNAUTHORISED');
      const written = await readFile(join(refusedOne.folder, PENDING), 'utf8');
      assert.ok(!`${written}${JSON.stringify(answer)}${answer.told[0]!.message}`.includes(secret));
    } finally {
      for (const [i, name] of names.entries()) {
        if (before[i] === undefined) delete process.env[name];
        else process.env[name] = before[i];
      }
    }
  });
});

describe('a run in a folder', () => {
  const text = (...path: string[]) => readFile(join(...path), 'utf8');

  it("has MLflow's file layout", async () => {
    const root = join(folder, 'my mlruns');
    const result = await copied(accepted);
    const { logged, told } = await recorded(result, { trackingUri: root });
    assert.deepEqual(told, []);
    const tracked = await trackedOf(result);
    const run = logged!.at!;
    assert.equal(basename(run), tracked.evaluation);
    assert.equal(await text(run, 'params', 'training.C'), '1');
    assert.equal(await text(run, 'tags', 'status'), 'SCORED');
    const { deltaOneBps } = accepted.attestation.delta!;
    const rows = accepted.attestation.models!.candidate.trainingRows;
    assert.equal(await text(run, 'metrics', 'deltaOneBps'), `${tracked.endTime} ${deltaOneBps} ${rows}\n`);
    assert.equal((await text(run, 'metrics', 'seconds.train')).trim().split('\n').length, 2);
    assert.match(await text(run, 'meta.yaml'), /^artifact_uri: "file:.*my%20mlruns.*\/artifacts"$/m);
    assert.match(await text(run, 'meta.yaml'), /^status: 3$/m);
    assert.equal(await text(run, 'artifacts/report.html'), await text(result.folder, 'report.html'));
    assert.match(await text(dirname(run), 'meta.yaml'), /^name: "Tumours"$/m);
    assert.equal((await readdir(join(dirname(run), 'datasets'))).length, 3);
    assert.match(await text(root, 'models/Tumours/version-1/meta.yaml'), /^source: "file:.*models\/candidate"$/m);
  });

  it('recorded again changes nothing, keeps what somebody noted there, and repairs what was torn', async () => {
    const root = join(folder, 'again');
    const result = await copied(accepted);
    const run = (await recorded(result, { trackingUri: root })).logged!.at!;
    const all = async () => {
      const names = (await readdir(root, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
      const files = names.map(({ parentPath, name }) => join(parentPath, name)).sort();
      return Promise.all(files.map(async (file) => [file, await text(file)]));
    };
    await writeFile(join(run, 'tags', 'mlflow.note.content'), 'a good one');
    const first = await all();
    await writeFile(join(run, 'params', 'training.C'), '');
    await recorded(result, { trackingUri: root });
    assert.deepEqual(await all(), first);
  });

  it('goes into the experiment of that name, and its model gets the next version', async () => {
    const root = join(folder, 'existing');
    const made = join(root, '42');
    for (const [file, content] of [
      ['42/meta.yaml', 'name: Tumours\nexperiment_id: "42"\nlifecycle_stage: active\n'],
      ['models/Tumours/meta.yaml', 'name: Tumours\n'],
      ['models/Tumours/version-9/meta.yaml', 'name: Tumours\nversion: 9\nrun_id: another\n'],
    ] as const) {
      await writeWhole(join(root, file), content);
    }
    const { logged } = await recorded(await copied(accepted), { trackingUri: root });
    assert.equal(dirname(logged!.at!), made);
    assert.deepEqual((await readdir(join(root, 'models/Tumours'))).sort(), ['meta.yaml', 'version-10', 'version-9']);
  });

  it('is not to be seen before it is whole', async () => {
    const result = await copied(accepted);
    const whole = (await recorded(result, { trackingUri: join(folder, 'whole') })).logged!.at!;
    const [root, run] = [join(folder, 'partial'), join(basename(dirname(whole)), basename(whole))];
    // The evaluation's name is the same everywhere, so that its place can be taken.
    const taken = join(root, run, 'tags/status/taken');
    await writeWhole(taken, '');
    const { told } = await recorded(result, { trackingUri: root });
    assert.deepEqual(
      told.map(({ code }) => code),
      ['MLFLOW_UNWRITTEN'],
    );
    assert.ok(!existsSync(join(root, run, 'meta.yaml')));
    await rm(dirname(taken), { recursive: true });
    await recorded(result, { trackingUri: root });
    const files = async (at: string) => (await readdir(at, { recursive: true })).sort();
    assert.deepEqual(await files(join(root, run)), await files(whole));
  });

  it('that cannot be written is recorded once it can', async () => {
    const root = join(folder, 'taken');
    await writeFile(root, 'a file');
    const result = await copied(accepted);
    const { logged, told } = await recorded(result, { trackingUri: root });
    assert.deepEqual([logged!.pending, told.map(({ code }) => code)], [1, ['MLFLOW_UNWRITTEN']]);
    await rm(root);
    await writeWhole(join(root, '7/meta.yaml'), 'name: "torn');
    const torn = await recorded(result, { trackingUri: root });
    assert.deepEqual(torn.told[0]!.details.file, join(root, '7/meta.yaml'));
    await rm(root, { recursive: true });
    const next = await copied(refused, dirname(result.folder), 'next');
    assert.equal((await recorded(next, { trackingUri: root })).logged!.pending, 0);
    assert.ok(existsSync(join(result.folder, DONE)));
  });
});

describe('destinationOf', () => {
  it('knows servers and folders, and takes a password out of a URL', () => {
    const none = {};
    assert.deepEqual(destinationOf('/srv/mlruns', none), { folder: '/srv/mlruns' });
    assert.deepEqual(destinationOf('file:///srv/my%20runs', none), { folder: '/srv/my runs' });
    assert.deepEqual(destinationOf('https://example.org/mlflow//', none), { url: 'https://example.org/mlflow' });
    const authorization = `Basic ${Buffer.from('ann:a b').toString('base64')}`;
    assert.deepEqual(destinationOf('http://ann:a%20b@host:1', none), { url: 'http://host:1', authorization });
    for (const uri of ['databricks://x', 'sqlite:///a.db', 'file://host/share', 'http://', 'databricks:']) {
      assert.throws(() => destinationOf(uri, none), { kind: 'configuration', code: 'MLFLOW_URI' });
    }
    assert.deepEqual(['mlruns', '../x', 'http://h', 'sqlite:///a'].map(isTrackingUri), [true, true, true, false]);
  });
});
