/** Records a run on a tracking server. Whatever part of it is there already is found again, so that it can be repeated. */
import { z } from 'zod';
import { HokusaiError } from '../errors.ts';
import type { Api } from './api.ts';
import { readArtifact } from './outbox.ts';
import { datasetOf, LIMITS, type Recorded, type TrackedRun } from './tracked-run.ts';

const zExperiment = z.object({ experiment: z.object({ experiment_id: z.string(), lifecycle_stage: z.string() }) });
const zRun = z.object({ info: z.object({ run_id: z.string(), artifact_uri: z.string() }) });
type Run = z.infer<typeof zRun>['info'];

/** The tag by which a run is found again. */
export const EVALUATION = 'hokusai.evaluation';

/**
 * @param folder of the run, with the files that become artifacts
 * @param url    for people
 * @throws HokusaiError as `Api` does, MLFLOW_EXPERIMENT_DELETED (terminal)
 */
export async function recordOnServer(api: Api, url: string, tracked: TrackedRun, folder: string): Promise<Recorded> {
  const experimentId = await experiment(api, tracked.experiment);
  const run = await findOrCreate(api, experimentId, tracked);
  await values(api, run.run_id, tracked);
  await api.post('runs/log-inputs', {
    run_id: run.run_id,
    datasets: tracked.datasets.map((dataset) => ({
      tags: [{ key: 'mlflow.data.context', value: dataset.context }],
      dataset: datasetOf(dataset),
    })),
  });
  const store = /^mlflow-artifacts:\/+(?!\/)(.+)$/.exec(run.artifact_uri)?.[1];
  if (store !== undefined) {
    for (const { file, path } of tracked.artifacts) {
      await api.put(`${store}/${path}`, await readArtifact(folder, file));
    }
    await version(api, run, tracked);
  }
  await api.post('runs/update', { run_id: run.run_id, status: 'FINISHED', end_time: tracked.endTime });
  const missing = 'The server does not take artifacts over HTTP (--serve-artifacts): they and the model stay here.';
  return {
    experimentId,
    runId: run.run_id,
    at: `${url}/#/experiments/${encodeURIComponent(experimentId)}/runs/${encodeURIComponent(run.run_id)}`,
    ...(store === undefined && { missing }),
  };
}

async function experiment(api: Api, name: string): Promise<string> {
  const byName = () => api.found(api.get('experiments/get-by-name', { experiment_name: name }, zExperiment));
  const zCreated = z.object({ experiment_id: z.string() });
  const known = await byName();
  if (!known) {
    const created = await api.made(api.post('experiments/create', { name }, zCreated));
    return created?.experiment_id ?? (await byName())!.experiment.experiment_id;
  }
  if (known.experiment.lifecycle_stage === 'active') return known.experiment.experiment_id;
  throw experimentDeleted(name);
}

export const experimentDeleted = (name: string): HokusaiError =>
  new HokusaiError('terminal', 'MLFLOW_EXPERIMENT_DELETED', `The experiment ${name} has been deleted there.`, {
    details: { experiment: name },
  });

async function findOrCreate(api: Api, experimentId: string, tracked: TrackedRun): Promise<Run> {
  const filter = `tags.\`${EVALUATION}\` = '${tracked.evaluation}'`;
  const search = { experiment_ids: [experimentId], filter, max_results: 1 };
  const { runs } = await api.post('runs/search', search, z.object({ runs: z.array(zRun).default([]) }));
  if (runs[0]) return runs[0].info;
  const created = {
    experiment_id: experimentId,
    start_time: tracked.startTime,
    run_name: tracked.name,
    tags: [{ key: EVALUATION, value: tracked.evaluation }],
  };
  return (await api.post('runs/create', created, z.object({ run: zRun }))).run.info;
}

/** Parameters, tags and metrics, in batches as large as the server takes them. */
async function values(api: Api, runId: string, { params, tags, metrics, endTime }: TrackedRun): Promise<void> {
  const pairs = (record: Record<string, string>) => Object.entries(record).map(([key, value]) => ({ key, value }));
  const points = metrics.map(({ key, value, step }) => ({ key, value: value ?? 'NaN', timestamp: endTime, step }));
  const batches = [
    ...chunks(pairs(params), LIMITS.paramsPerBatch).map((chunk) => ({ params: chunk })),
    ...chunks(pairs(tags), LIMITS.tagsPerBatch).map((chunk) => ({ tags: chunk })),
    ...chunks(points, LIMITS.metricsPerBatch).map((chunk) => ({ metrics: chunk })),
  ];
  for (const batch of batches) await api.post('runs/log-batch', { run_id: runId, ...batch });
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** Registers a candidate once. */
async function version(api: Api, { run_id, artifact_uri }: Run, { model }: TrackedRun): Promise<void> {
  if (!model) return;
  const zVersions = z.object({ model_versions: z.array(z.unknown()).default([]) });
  const known = await api.get('model-versions/search', { filter: `run_id='${run_id}'` }, zVersions);
  if (known.model_versions.length > 0) return;
  await api.made(api.post('registered-models/create', { name: model.name }));
  const tags = Object.entries(model.tags).map(([key, value]) => ({ key, value }));
  const source = `${artifact_uri}/${model.path}`;
  await api.post('model-versions/create', { name: model.name, source, run_id, tags });
}
