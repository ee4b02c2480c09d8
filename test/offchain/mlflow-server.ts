// A tracking server by the book: MLflow's REST API as its documentation has it, with its limits, and faults on demand.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';

/** What happens to a request: an answer instead, none at all, or none after it has been done. */
export type Fault = { status: number; body?: string } | 'hang' | 'cut' | 'cut after';

interface StoredRun {
  id: string;
  experiment: string;
  name: string;
  status: string;
  start: number;
  end?: number;
  params: Map<string, string>;
  tags: Map<string, string>;
  /** Once each, as the rows of a table with all of them as its key. */
  metrics: Set<string>;
  inputs: Map<string, unknown>;
}

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const invalid = (message: string) => new Refusal('INVALID_PARAMETER_VALUE', message);
const missing = (message: string) => new Refusal('RESOURCE_DOES_NOT_EXIST', message, 404);
const exists = (message: string) => new Refusal('RESOURCE_ALREADY_EXISTS', message);

type Body = Record<string, unknown>;
type Pair = { key: string; value: string };

/** One that is stopped after the tests. */
export async function trackingServer(): Promise<TrackingServer> {
  const server = await new TrackingServer().start();
  after(() => server.stop());
  return server;
}

export class TrackingServer {
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly experiments = new Map<string, { id: string; stage: string }>();
  readonly runs: StoredRun[] = [];
  readonly artifacts = new Map<string, string>();
  /** What can be downloaded, by its path. */
  readonly files = new Map<string, Buffer>();
  readonly models = new Map<string, { version: string; run_id: string; source: string; tags: Pair[] }[]>();
  /** Method and path of each request, and its credentials. */
  readonly requests: string[] = [];
  readonly authorizations = new Set<string | undefined>();
  fault: (at: number, request: string) => Fault | undefined = () => undefined;
  artifactRoot = 'mlflow-artifacts:/';
  url = '';

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { pathname, searchParams } = new URL(request.url!, this.url);
    const name = `${request.method} ${pathname}`;
    this.authorizations.add(request.headers.authorization);
    this.requests.push(name);
    const fault = this.fault(this.requests.length - 1, name);
    if (fault === 'hang') return;
    if (fault === 'cut') return void request.socket.destroy();
    if (typeof fault === 'object') return void response.writeHead(fault.status).end(fault.body);
    const file = this.files.get(decodeURIComponent(pathname.replace('/api/2.0/mlflow-artifacts/artifacts/', '')));
    if (request.method === 'GET' && file) return void response.writeHead(200).end(file);
    const { status, body } = this.#outcome(name, Object.fromEntries(searchParams), Buffer.concat(chunks));
    if (fault === 'cut after') return void request.socket.destroy();
    response.writeHead(status).end(JSON.stringify(body));
  }

  #outcome(name: string, query: Record<string, string>, bytes: Buffer): { status: number; body: unknown } {
    try {
      return { status: 200, body: this.#answer(name, query, bytes) };
    } catch (error) {
      const { status, code } = error instanceof Refusal ? error : { status: 500, code: 'INTERNAL_ERROR' };
      return { status, body: { error_code: code, message: String(error) } };
    }
  }

  #answer(name: string, query: Record<string, string>, bytes: Buffer): unknown {
    const artifacts = 'PUT /api/2.0/mlflow-artifacts/artifacts/';
    if (name.startsWith(artifacts)) {
      this.artifacts.set(decodeURIComponent(name.slice(artifacts.length)), bytes.toString());
      return {};
    }
    const handlers: Record<string, (given: Body) => unknown> = {
      'GET /api/2.0/mlflow-artifacts/artifacts': (given) => this.#list(given),
      'GET model-versions/get': (given) => this.#version(given),
      'GET experiments/get-by-name': (given) => this.#experiment(given),
      'POST experiments/create': (given) => this.#createExperiment(given),
      'POST runs/search': (given) => this.#search(given),
      'POST runs/create': (given) => this.#createRun(given),
      'POST runs/log-batch': (given) => this.#logBatch(bytes, given),
      'POST runs/log-inputs': (given) => this.#logInputs(given),
      'POST runs/update': (given) => this.#update(given),
      'POST registered-models/create': (given) => this.#createModel(given),
      'GET model-versions/search': (given) => this.#versions(given),
      'POST model-versions/create': (given) => this.#createVersion(given),
    };
    const handler = handlers[name.replace('/api/2.0/mlflow/', '')];
    if (!handler) throw new Refusal('ENDPOINT_NOT_FOUND', name, 404);
    return handler(name.startsWith('GET') ? query : JSON.parse(bytes.toString()));
  }

  #experiment({ experiment_name }: Body) {
    const found = this.experiments.get(experiment_name as string);
    if (!found) throw missing(`no experiment ${experiment_name}`);
    return { experiment: { experiment_id: found.id, name: experiment_name, lifecycle_stage: found.stage } };
  }

  #createExperiment({ name }: Body) {
    if (this.experiments.has(name as string)) throw exists(String(name));
    const id = String(this.experiments.size + 1);
    this.experiments.set(name as string, { id, stage: 'active' });
    return { experiment_id: id };
  }

  #info({ id, experiment, name, status, start, end }: StoredRun) {
    const artifact_uri = `${this.artifactRoot}${experiment}/${id}/artifacts`;
    const info = { run_id: id, run_name: name, status, start_time: start, end_time: end, artifact_uri };
    return { info: { ...info, experiment_id: experiment, lifecycle_stage: 'active' } };
  }

  #search({ experiment_ids, filter }: Body) {
    const match = /^tags\.`([\w.]+)` = '([^']*)'$/.exec(filter as string);
    if (!match) throw invalid(`filter ${filter}`);
    const found = this.runs.filter(
      (run) => (experiment_ids as string[]).includes(run.experiment) && run.tags.get(match[1]!) === match[2],
    );
    // An empty list is left out, as protobuf does.
    return found.length === 0 ? {} : { runs: found.map((run) => this.#info(run)) };
  }

  #createRun({ experiment_id, start_time, run_name, tags }: Body) {
    if (![...this.experiments.values()].some(({ id }) => id === experiment_id)) throw missing('experiment');
    const run: StoredRun = {
      ...{ id: String(this.runs.length + 1).padStart(32, 'a'), experiment: experiment_id as string },
      ...{ name: run_name as string, status: 'RUNNING', start: start_time as number },
      ...{ params: new Map(), tags: new Map(), metrics: new Set<string>(), inputs: new Map() },
    };
    for (const { key, value } of tags as Pair[]) run.tags.set(key, value);
    this.runs.push(run);
    return { run: this.#info(run) };
  }

  #run(id: unknown): StoredRun {
    const run = this.runs.find((one) => one.id === id);
    if (!run) throw missing(`run ${id}`);
    return run;
  }

  #logBatch(bytes: Buffer, { run_id, params = [], tags = [], metrics = [] }: Body) {
    const run = this.#run(run_id);
    const lists = { params: params as Pair[], tags: tags as Pair[], metrics: metrics as Body[] };
    if (bytes.length > 1e6) throw invalid('larger than 1 MB');
    if (lists.params.length > 100 || lists.tags.length > 100 || lists.metrics.length > 1000) throw invalid('too many');
    if (lists.params.length + lists.tags.length + lists.metrics.length > 1000) throw invalid('too many together');
    for (const { key, value } of [...lists.params, ...lists.tags]) {
      if (typeof value !== 'string' || !/^[/\w.\- :]{1,250}$/.test(key)) throw invalid(`${key}: ${value}`);
    }
    for (const { key, value } of lists.params) {
      if (value.length > 6000) throw invalid(`${key} is too long`);
      if (run.params.has(key) && run.params.get(key) !== value) throw invalid(`${key} was ${run.params.get(key)}`);
    }
    for (const { key, value, timestamp, step } of lists.metrics) {
      const number = typeof value === 'number' || value === 'NaN' || value === 'Infinity' || value === '-Infinity';
      const named = /^[/\w.\- :]{1,250}$/.test(key as string);
      if (!number || !named || !Number.isInteger(timestamp) || !Number.isInteger(step))
        throw invalid(`${key}: ${value}`);
    }
    for (const { key, value } of lists.params) run.params.set(key, value);
    for (const { key, value } of lists.tags) run.tags.set(key, value);
    for (const { key, value, timestamp, step } of lists.metrics) run.metrics.add([key, value, timestamp, step].join());
    return {};
  }

  #logInputs({ run_id, datasets }: Body) {
    const run = this.#run(run_id);
    for (const { dataset, tags } of datasets as { dataset: Record<string, string>; tags: Pair[] }[]) {
      const { name, digest, source_type, source } = dataset;
      if (!name || !digest || digest.length > 36 || !source_type || !source) throw invalid('dataset');
      run.inputs.set(`${name} ${digest}`, { ...dataset, tags });
    }
    return {};
  }

  #update({ run_id, status, end_time }: Body) {
    Object.assign(this.#run(run_id), { status, end: end_time });
    return { run_info: {} };
  }

  #createModel({ name }: Body) {
    if (/[/:]/.test(name as string)) throw invalid(`name ${name}`);
    if (this.models.has(name as string)) throw exists(String(name));
    this.models.set(name as string, []);
    return { registered_model: { name } };
  }

  #list({ path }: Body) {
    const below = [...this.files.keys()].filter((file) => file.startsWith(`${path}/`));
    return { files: below.map((file) => ({ path: file, is_dir: false, file_size: this.files.get(file)!.length })) };
  }

  #version({ name, version }: Body) {
    const found = this.models.get(name as string)?.find((one) => one.version === version);
    if (!found) throw missing(`version ${version}`);
    return { model_version: { name, ...found } };
  }

  #versions({ filter }: Body) {
    const name = /^name='(\w+)'$/.exec(filter as string)?.[1];
    if (name !== undefined) {
      const newest = this.models.get(name)?.at(-1);
      return newest ? { model_versions: [{ name, ...newest }] } : {};
    }
    const id = /^run_id='(\w+)'$/.exec(filter as string)?.[1];
    if (id === undefined) throw invalid(`filter ${filter}`);
    const found = [...this.models.values()].flat().filter((version) => version.run_id === id);
    return found.length === 0 ? {} : { model_versions: found };
  }

  #createVersion({ name, source, run_id, tags }: Body) {
    const versions = this.models.get(name as string);
    if (!versions) throw missing(`model ${name}`);
    const { info } = this.#info(this.#run(run_id));
    if (!(source as string).startsWith(`${info.artifact_uri}/`)) throw invalid(`source ${source}`);
    const version = { version: String(versions.length + 1), run_id, source, tags } as (typeof versions)[number];
    versions.push(version);
    return { model_version: version };
  }
}
