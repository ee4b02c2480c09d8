// Against MLflow itself, where Python has it: both ways of recording are read back through a server of its own.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

/** A Python that has MLflow: the one that is named, or that of the `mlflow` on the path. */
function findPython(): string | undefined {
  const named = process.env.HOKUSAI_TEST_MLFLOW;
  if (named) return named;
  const found = process.env.PATH!.split(delimiter).find((one) => existsSync(join(one, 'mlflow')));
  return ['python3', 'python'].map((name) => join(found ?? '/nowhere', name)).find((file) => existsSync(file));
}
const python = findPython();
const skip = python === undefined && 'no MLflow: name a Python that has it in HOKUSAI_TEST_MLFLOW';
/** Loaded only where it is needed, for it makes runs. */
const runs = skip ? undefined : await import('./mlflow-run.ts');

/** Of servers, whose workers are in the same group. */
const groups: number[] = [];
after(() => {
  for (const group of groups) process.kill(-group, 'SIGKILL');
});

/** Starts a server on a store, and waits until it answers. @returns its URL */
async function serve(store: string): Promise<string> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  const artifacts = await mkdtemp(join(runs!.folder, 'artifacts-'));
  const where = ['--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
  const child = spawn(
    python!,
    ['-m', 'mlflow', 'server', '--backend-store-uri', store, '--artifacts-destination', artifacts, ...where],
    { cwd: artifacts, env: { ...process.env, MLFLOW_ALLOW_FILE_STORE: 'true' }, stdio: 'ignore', detached: true },
  );
  groups.push(child.pid!);
  const url = `http://127.0.0.1:${port}`;
  const answers = () =>
    fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  for (let waited = 0; waited < 600 && child.exitCode === null; waited++) {
    if (await answers()) return url;
    await sleep(200);
  }
  throw new Error(`mlflow server ended with ${child.exitCode}`);
}

type Pairs = { key: string; value: string | number; step?: number }[];

/** A run as the server shows it, with the history of one of its metrics. */
async function read(url: string, experiment: string) {
  const api = async (path: string, init?: RequestInit) =>
    JSON.parse(await (await fetch(`${url}/api/2.0/mlflow/${path}`, init)).text());
  const post = (path: string, body: unknown) =>
    api(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const name = encodeURIComponent(experiment);
  const found = await api(`experiments/get-by-name?experiment_name=${name}`);
  const { runs: all } = await post('runs/search', { experiment_ids: [found.experiment.experiment_id] });
  const id: string = all[0].info.run_id;
  const { run } = await api(`runs/get?run_id=${id}`);
  const trained = await api(`metrics/get-history?run_id=${id}&metric_key=seconds.train`);
  const { files } = await api(`artifacts/list?run_id=${id}`);
  const versions = await api(`model-versions/search?filter=${encodeURIComponent(`run_id='${id}'`)}`);
  const values = (pairs: Pairs) => new Map(pairs.map(({ key, value }) => [key, value]));
  return {
    ...{ count: all.length as number, info: run.info, inputs: run.inputs.dataset_inputs as unknown[] },
    ...{ params: values(run.data.params), tags: values(run.data.tags), metrics: values(run.data.metrics) },
    trained: trained.metrics as Pairs,
    files: (files as { path: string }[]).map(({ path }) => path),
    versions: (versions.model_versions ?? []) as { name: string; source: string; version: string }[],
  };
}

/** What `mlflow.artifacts.download_artifacts` makes of a registered version: how importers get at it. */
async function downloaded(url: string, model: string): Promise<string> {
  const script = 'import mlflow, sys; print(mlflow.artifacts.download_artifacts(sys.argv[1]))';
  const env = { ...process.env, MLFLOW_TRACKING_URI: url, MLFLOW_ALLOW_FILE_STORE: 'true' };
  const at = execFileSync(python!, ['-c', script, model], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  return readFile(join(String(at).trim(), 'model.json'), 'utf8');
}

describe('MLflow itself', () => {
  for (const kind of ['server', 'folder'] as const) {
    it(`shows a run that was recorded in a ${kind}, once`, { skip, timeout: 300_000 }, async () => {
      const { accepted, copied, folder, recorded, refused } = runs!;
      const root = join(folder, `real-${kind}`);
      const uri = kind === 'folder' ? root : await serve(`sqlite:///${root}.sqlite`);
      const result = await copied(accepted);
      const patience = { request: 60, total: 120 };
      for (let time = 0; time < 2; time++) {
        const { logged, told } = await recorded(result, { trackingUri: uri, patience });
        assert.deepEqual([logged!.pending, told], [0, []]);
      }
      const second = await copied(refused, dirname(result.folder), 'second');
      await recorded(second, { trackingUri: uri, experimentName: 'Refused', patience });

      const url = kind === 'folder' ? await serve(root) : uri;
      const run = await read(url, 'Tumours');
      const { delta, contribution } = accepted.attestation;
      assert.deepEqual([run.count, run.info.status, run.info.run_name], [1, 'FINISHED', 'run']);
      assert.equal(run.params.get('training.modelType'), 'LinearSVC');
      assert.equal(run.params.get('contribution.dataRoot'), contribution.dataRoot);
      assert.equal(run.tags.get('status'), 'SCORED');
      assert.equal(run.metrics.get('deltaOneBps'), Number(delta!.deltaOneBps));
      assert.deepEqual(
        run.trained.map(({ step }) => step ?? 0),
        [0, 1],
      );
      assert.equal(run.inputs.length, 3);
      assert.deepEqual(run.files.sort(), ['attestation.json', 'metrics.json', 'models', 'report.html']);
      assert.deepEqual(
        run.versions.map(({ name, version }) => [name, String(version)]),
        [['Tumours', '1']],
      );
      const candidate = await readFile(join(result.folder, 'models/candidate.json'), 'utf8');
      const from = kind === 'folder' ? root : url;
      assert.equal(await downloaded(from, 'models:/Tumours/1'), candidate);
      assert.equal((await read(url, 'Refused')).tags.get('status'), 'TOO_FEW_ROWS');
    });
  }
});
