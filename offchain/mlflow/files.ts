/** Records a run in a folder, as MLflow's file store lays it out. What is there already stays as it is. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse, stringify } from 'yaml';
import { HokusaiError } from '../errors.ts';
import { writeWhole } from '../write-whole.ts';
import { readArtifact } from './outbox.ts';
import { EVALUATION, experimentDeleted } from './server.ts';
import { datasetOf, type Recorded, type TrackedRun } from './tracked-run.ts';

/** MLflow's numbers for `FINISHED` and for a source of type `LOCAL`. */
const FINISHED = 3;
const LOCAL = 4;
const MODELS = 'models';
const TRASH = '.trash';

type Meta = Record<string, unknown>;

/**
 * Each file is written whole, and `meta.yaml` last: without it, MLflow sees no run.
 *
 * @param root   the folder that the tracking URI names
 * @param folder of the run, with the files that become artifacts
 * @throws HokusaiError MLFLOW_EXPERIMENT_DELETED (terminal); errors of the disk as they are
 */
export async function recordInFiles(root: string, tracked: TrackedRun, folder: string): Promise<Recorded> {
  const experimentId = await experiment(root, tracked);
  const runId = tracked.evaluation;
  const run = join(root, experimentId, runId);
  for (const name of ['metrics', 'params', 'artifacts']) await mkdir(join(run, name), { recursive: true });
  const files = new Map<string, string | Uint8Array>([...valueFiles(tracked), ...datasetFiles(tracked, runId)]);
  for (const { file, path } of tracked.artifacts) files.set(`artifacts/${path}`, await readArtifact(folder, file));
  await Promise.all([...files].map(([path, content]) => keep(join(run, path), content)));
  for (const [id, dataset] of datasetsOf(tracked)) {
    await keepFirst(join(root, experimentId, 'datasets', id, 'meta.yaml'), { ...dataset, schema: null });
  }
  await keepFirst(join(run, 'meta.yaml'), {
    artifact_uri: pathToFileURL(join(run, 'artifacts')).href,
    ...{ experiment_id: experimentId, run_id: runId, run_uuid: runId, run_name: tracked.name, user_id: '' },
    ...{ start_time: tracked.startTime, end_time: tracked.endTime, deleted_time: null },
    ...{ lifecycle_stage: 'active', status: FINISHED, tags: [] },
    ...{ source_type: LOCAL, source_name: '', source_version: '', entry_point_name: '' },
  });
  await version(root, run, tracked);
  return { experimentId, runId, at: run };
}

/** The experiment of that name, made where there is none. */
async function experiment(root: string, { experiment: name, startTime }: TrackedRun): Promise<string> {
  await mkdir(join(root, TRASH), { recursive: true });
  const named = async (folder: string) => {
    for (const id of await readdir(folder)) if ((await meta(join(folder, id)))?.name === name) return id;
    return undefined;
  };
  const known = await named(root);
  if (known !== undefined) return known;
  if ((await named(join(root, TRASH))) !== undefined) throw experimentDeleted(name);
  // Follows from the name, so that two processes make the same one.
  const id = String(BigInt(`0x${digest('sha256', name).slice(0, 14)}`));
  await keepFirst(join(root, id, 'meta.yaml'), {
    ...{ experiment_id: id, name, artifact_location: pathToFileURL(join(root, id)).href },
    ...{ lifecycle_stage: 'active', creation_time: startTime, last_update_time: startTime },
  });
  return id;
}

function valueFiles(tracked: TrackedRun): [string, string][] {
  const { params, metrics, endTime } = tracked;
  const tags = { ...tracked.tags, [EVALUATION]: tracked.evaluation, 'mlflow.runName': tracked.name };
  const points = new Map<string, string>();
  for (const { key, value, step } of metrics) {
    points.set(key, `${points.get(key) ?? ''}${endTime} ${value ?? 'nan'} ${step}\n`);
  }
  const named = (folder: string, values: Iterable<[string, string]>) =>
    Array.from(values, ([key, value]): [string, string] => [`${folder}/${key}`, value]);
  return [
    ...named('params', Object.entries(params)),
    ...named('tags', Object.entries(tags)),
    ...named('metrics', points),
  ];
}

/** The ids are those that MLflow would give them. */
const datasetsOf = ({ datasets }: TrackedRun) =>
  datasets.map(
    (dataset) => [digest('md5', dataset.name + dataset.digest), datasetOf(dataset), dataset.context] as const,
  );

function datasetFiles(tracked: TrackedRun, runId: string): [string, string][] {
  return datasetsOf(tracked).map(([id, , context]) => [
    `inputs/${digest('md5', id + runId)}/meta.yaml`,
    yaml({
      ...{ source_type: 'DATASET', source_id: id, destination_type: 'RUN', destination_id: runId },
      tags: { 'mlflow.data.context': context },
    }),
  ]);
}

/** Registers a candidate once. */
async function version(root: string, run: string, { model, evaluation, endTime }: TrackedRun): Promise<void> {
  if (!model) return;
  const folder = join(root, MODELS, model.name);
  const registered = { creation_timestamp: endTime, last_updated_timestamp: endTime, description: null };
  await keepFirst(join(folder, 'meta.yaml'), { name: model.name, ...registered, aliases: {} });
  const staged = join(run, 'version.tmp');
  const source = pathToFileURL(join(run, 'artifacts', model.path)).href;
  const rest = { current_stage: 'None', status: 'READY', status_message: null, run_link: null, user_id: null };
  const known = {
    ...{ name: model.name, run_id: evaluation, source, storage_location: source },
    ...registered,
    ...rest,
  };
  for (;;) {
    const numbers = (await readdir(folder)).filter((name) => /^version-\d+$/.test(name));
    const versions = await Promise.all(numbers.map((name) => meta(join(folder, name))));
    if (versions.some((one) => one?.run_id === evaluation)) return;
    const number = 1 + Math.max(0, ...numbers.map((name) => Number(name.slice('version-'.length))));
    await rm(staged, { recursive: true, force: true });
    for (const [key, value] of Object.entries(model.tags)) await writeWhole(join(staged, 'tags', key), value);
    await writeWhole(join(staged, 'meta.yaml'), yaml({ ...known, version: number }));
    if (await placed(staged, join(folder, `version-${number}`))) return;
  }
}

/** Puts a folder where there is none, or an empty one: the version of another process stays. */
async function placed(staged: string, folder: string): Promise<boolean> {
  return rename(staged, folder).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') return false;
      throw error;
    },
  );
}

/** Writes a file, unless it has that content already. */
async function keep(file: string, content: string | Uint8Array): Promise<void> {
  const known = await unlessMissing(readFile(file));
  if (!known?.equals(Buffer.from(content as Uint8Array))) await writeWhole(file, content);
}

/** Writes what MLflow may change later, unless it is there. */
async function keepFirst(file: string, content: Meta): Promise<void> {
  if ((await unlessMissing(readFile(file))) === undefined) await writeWhole(file, yaml(content));
}

/** What a folder's `meta.yaml` says; nothing where there is none. @throws HokusaiError MLFLOW_META (configuration) */
async function meta(folder: string): Promise<Meta | undefined> {
  const file = join(folder, 'meta.yaml');
  const text = await unlessMissing(readFile(file, 'utf8'));
  if (text === undefined) return undefined;
  try {
    return (parse(text) as Meta | null) ?? undefined;
  } catch (cause) {
    throw new HokusaiError('configuration', 'MLFLOW_META', `${file} is not YAML.`, {
      details: { file },
      next: 'Restore it from a copy, or move its folder away.',
      cause,
    });
  }
}

const unlessMissing = <T>(reading: Promise<T>): Promise<T | undefined> =>
  reading.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });

/** Text is quoted, for what looks like a number is one to other readers. */
const yaml = (content: Meta): string =>
  stringify(content, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN', lineWidth: 0 });

const digest = (algorithm: 'md5' | 'sha256', text: string): string => createHash(algorithm).update(text).digest('hex');
