/** What is recorded of an evaluation: what was asked for, what came of it, and hashes. Nothing of it flows back. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { formatUnits } from 'viem';
import type { Attestation } from '../attestation/attest.ts';
import { canonicalJson } from '../canonical.ts';
import type { RunResult } from '../run/conclude.ts';
import type { Project } from '../run/project.ts';
import type { TrainReport } from '../train/train.ts';
import { LIMITS, type TrackedRun } from './tracked-run.ts';

type Metrics = TrackedRun['metrics'];

/** What `metrics.json` holds that is recorded. */
interface MetricsFile {
  readonly metrics: Readonly<Record<'baseline' | 'candidate', unknown>>;
  readonly counts: Readonly<Record<string, unknown>>;
  readonly delta: NonNullable<Attestation['delta']>;
  /** Of our own trainers. */
  readonly training?: Readonly<Record<'baseline' | 'candidate', Pick<TrainReport, 'history'>>>;
  /** NaN is null there. */
  readonly evaluation: {
    readonly learningCurve?: { metric: string; points: readonly { rows: number; value: number | null }[] };
  };
}

const ROOT = join(import.meta.dirname, '../..');
/** Of a file name, with room for what stands before it. */
const NAME_CHARACTERS = 40;

/** The record of a run whose results are in its folder. */
export async function recordOf(
  project: Project,
  { folder, attestation }: Pick<RunResult, 'folder' | 'attestation'>,
): Promise<TrackedRun> {
  const { config } = project;
  const params = paramsOf(project, attestation);
  const { chainId, roundId } = attestation.context;
  const experiment = config.mlflow.experimentName.slice(0, LIMITS.experimentCharacters);
  const identity = canonicalJson({ experiment, params, chainId, roundId });
  const evaluation = createHash('sha256').update(identity).digest('hex').slice(0, 32);
  const endTime = Date.now();
  const seconds = attestation.steps.reduce((sum, step) => sum + (step.reused ? 0 : step.seconds), 0);
  const { models, accepted } = attestation;
  const metricsFile = models && (JSON.parse(await readFile(join(folder, 'metrics.json'), 'utf8')) as MetricsFile);
  const evaluated = models ? ['metrics.json', 'models/baseline.json', 'models/candidate.json'] : [];
  return {
    ...{ experiment, evaluation, name: basename(folder) },
    ...{ startTime: endTime - Math.round(1000 * seconds), endTime },
    params,
    tags: await tagsOf(attestation),
    metrics: [
      ...(metricsFile ? scores(attestation, metricsFile) : []),
      ...rows(attestation),
      ...durations(attestation),
    ],
    datasets: datasetsOf(project, attestation),
    artifacts: ['attestation.json', 'report.html', ...evaluated].map((file) => ({ file, path: artifactOf(file) })),
    ...(models && accepted && { model: registeredModel(experiment, attestation, models.candidate) }),
  };
}

/** A model has a folder of its own, for a registered version names a folder. */
const artifactOf = (file: string): string => file.replace(/^(models\/.*)\.json$/, '$1/model.json');

/** The training's specification, the terms of the policy, and the hashes of both and of the data. */
function paramsOf({ config, line }: Project, attestation: Attestation): Record<string, string> {
  const { pipeline, training, integration, policy, assurance } = config;
  const { hyperparameters, framework, modelType } = training;
  const { gate, ...terms } = policy;
  const { contribution, benchmark, models, context } = attestation;
  const { trainSpecHash, policyHash, modelId, benchmarkId } = context;
  const { foldId, labelsRoot, featuresRoot, quantiserHash, n, classes } = benchmark;
  const all = {
    ...prefixed('pipeline', pipeline),
    ...prefixed('training', { framework, modelType }),
    ...prefixed('training', hyperparameters),
    ...prefixed('integration', integration),
    ...prefixed('policy', { ...terms, ...gate }),
    ...prefixed('benchmark', { foldId, labelsRoot, featuresRoot, quantiserHash, n, classes }),
    ...prefixed('contribution', { dataRoot: contribution.dataRoot, rows: contribution.rows }),
    ...prefixed('baseline', { trainingSetRoot: line.trainingSetRoot, trainingRows: line.trainingSet.rows }),
    ...(models && prefixed('baseline', { commitment: models.baseline.commitment })),
    ...{ assurance, trainSpecHash, policyHash, modelId, benchmarkId },
  };
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, paramText(value)]));
}

const prefixed = (section: string, values: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${section}.${name}`, value]));

function paramText(value: unknown): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.length <= LIMITS.paramCharacters ? text : `${text.slice(0, LIMITS.paramCharacters - 1)}…`;
}

/** What another run of the same evaluation may say otherwise. */
async function tagsOf({ status, accepted, evaluator, assurance, ...attestation }: Attestation) {
  const { contribution, context, metricsHash, proof } = attestation;
  const commit = await sourceCommit();
  const tags = {
    ...{ status, accepted, evaluator, assurance, metricsHash },
    ...{ roundId: context.roundId, chainId: context.chainId, dataRoot: contribution.dataRoot },
    ...(proof && { attestationHash: proof.attestationHash, circuit: proof.circuit, prover: proof.prover }),
    ...{ 'mlflow.source.name': 'hokusai run', 'mlflow.source.type': 'LOCAL' },
    ...(commit !== undefined && { 'mlflow.source.git.commit': commit }),
  };
  return Object.fromEntries(
    Object.entries(tags).map(([name, value]) => [name, String(value).slice(0, LIMITS.tagCharacters)]),
  );
}

/** The evaluator's own commit, where it runs from its repository: a package lies in that of somebody else. */
async function sourceCommit(): Promise<string | undefined> {
  if (!existsSync(join(ROOT, '.git'))) return undefined;
  const asked = promisify(execFile)('git', ['-C', ROOT, 'rev-parse', 'HEAD'], { timeout: 5000 });
  // Without git, or in a repository that git does not trust, it stays unsaid.
  return asked.then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

/**
 * Metrics of both models, each at the step of the rows that it has learned from, how they compare at that of the
 * candidate, the learning curve between them, and how each training went, at the step of its iterations. Of a regression in units of the label; DeltaOne in basis points, the reward in tokens.
 */
function scores({ models }: Attestation, { metrics, counts, delta, training, evaluation }: MetricsFile): Metrics {
  const [before, after] = [models!.baseline.trainingRows, models!.candidate.trainingRows];
  const { deltaOneBps, payableBps } = delta;
  const counted = Object.entries(counts).flatMap(([key, count]): [string, number][] =>
    Array.isArray(count) ? [] : [[`counts.${key}`, Number(count)]],
  );
  const compared: [string, number][] = [
    ...counted,
    ['deltaOneBps', Number(deltaOneBps)],
    ['payableBps', Number(payableBps)],
    ['reward', Number(formatUnits(BigInt(delta.reward), 18))],
  ];
  return [
    ...leaves('baseline', metrics.baseline).map((leaf) => ({ ...leaf, step: before })),
    ...leaves('candidate', metrics.candidate).map((leaf) => ({ ...leaf, step: after })),
    ...compared.map(([key, value]) => ({ key, value, step: after })),
    ...(evaluation.learningCurve?.points ?? []).map(({ rows, value }) => ({
      ...{ key: `learning.${evaluation.learningCurve!.metric}`, value, step: rows },
    })),
    ...Object.entries(training ?? {}).flatMap(([model, { history }]) =>
      history.map(({ step, name, value }) => ({ key: `training.${model}.${name}`, value, step })),
    ),
  ];
}

/** The numbers in a value by their path; of a list, what each of its members names itself by is part of the path. */
function leaves(key: string, value: unknown): Omit<Metrics[number], 'step'>[] {
  if (value === null || typeof value === 'number') return [{ key, value }];
  if (Array.isArray(value)) return value.flatMap((member, at) => leaves(`${key}.${className(member, at)}`, member));
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, inner]) => leaves(`${key}.${name}`, inner));
}

/** A class as MLflow takes it in a name; with its number where the name alone had to be changed. */
function className(member: unknown, at: number): string {
  const name = String((member as { class?: unknown })?.class ?? at);
  const safe = name.replace(/[^\w.\- ]/g, '_').slice(0, NAME_CHARACTERS);
  return safe === name ? name : `${safe}.${at}`;
}

function rows({ contribution }: Attestation): Metrics {
  const { rowsUsed, duplicates, overlap, integration } = contribution;
  const counts = { rowsUsed, duplicates, ...integration, overlap, missingCells: contribution.quality.missingCells };
  return Object.entries(counts).map(([name, value]) => ({ key: `contribution.${name}`, value, step: 0 }));
}

/** Seconds by step of the pipeline, one point for each time that it was done. */
function durations({ steps }: Attestation): Metrics {
  const times = new Map<string, number>();
  return steps.map(({ name, seconds }) => {
    const step = times.get(name) ?? 0;
    times.set(name, step + 1);
    return { key: `seconds.${name}`, value: seconds, step };
  });
}

function datasetsOf({ line, config }: Project, { contribution, benchmark }: Attestation): TrackedRun['datasets'] {
  const columns = line.schema.columns.length;
  const dataset = (name: string, context: string, root: string, count: number) => ({
    ...{ name: `${config.pipeline.name} ${name}`.slice(0, LIMITS.experimentCharacters), context, root, rows: count },
    ...{ digest: root.slice(2, 2 + LIMITS.digestCharacters), columns },
  });
  return [
    dataset('baseline', 'training', line.trainingSetRoot, line.trainingSet.rows),
    dataset('contribution', 'training', contribution.dataRoot, contribution.rows),
    dataset('benchmark', 'evaluation', benchmark.foldId, benchmark.n),
  ];
}

function registeredModel(
  experiment: string,
  { context, benchmark }: Attestation,
  { commitment, trainingSetRoot }: NonNullable<Attestation['models']>['candidate'],
): NonNullable<TrackedRun['model']> {
  return {
    // What MLflow does not take in the name of a model, which may become that of a folder.
    name: experiment.replace(/[/:\\]/g, '-').replace(/^\.+$/, '-'),
    path: 'models/candidate',
    tags: { commitment, trainingSetRoot, foldId: benchmark.foldId, chainId: String(context.chainId) },
  };
}
