import { readFile } from 'node:fs/promises';
import { type Hex, keccak256, stringToHex } from 'viem';
import { foldId, metricId, trainingSetRoot } from './attestation/context.ts';
import { type Baseline, findBaseline } from './baseline/import.ts';
import type { Cache, Kept } from './cache/cache.ts';
import { canonicalJson, sha256 } from './canonical.ts';
import { featureBitsOf, featuresRoot, saltOf, vectorRoot } from './commitment.ts';
import type { Config } from './config/load.ts';
import { isRanking } from './delta/auroc.ts';
import { countsLength } from './delta/delta.ts';
import { HokusaiError } from './errors.ts';
import type { Metric } from './metrics/exact.ts';
import { inferenceCircuit, type ModelShape } from './prove/inference.ts';
import { laneBitsOf, scoreCircuit } from './prove/score.ts';
import { checkTable, labelsOf } from './table/check-table.ts';
import { dataRootOf, EMPTY_TRAINING_SET, rowDigests, rowsRoot } from './table/data-root.ts';
import { byDigest, type IntegrationTerms } from './table/integrate.ts';
import { classesOf, classNames } from './table/label.ts';
import { featuresOf, fitQuantiser, type Quantiser, quantise, quantiserHash } from './table/quantise.ts';
import { parseSchema, type Schema } from './table/schema.ts';
import { readCsv, type Table } from './table/table.ts';
import { pointsOf } from './train/grid.ts';
import { moduleHash, packagesOf } from './train/program.ts';
import { type TrainSpec, taskOfSpec } from './train/spec.ts';
import { sizesOf, trainerOf } from './train/trainer-of.ts';

/** Part of every trainSpecHash: another release may train another model from the same rows. */
export const EVALUATOR = 'hokusai-evaluator 0.1.0';

/** The owner's secrets; validators are given them at registration. 32 bytes each. */
export interface OwnerSecrets {
  /** Behind the salts of labels, features and rows of each fold. */
  readonly benchmarkSecret: Uint8Array;
  /** Behind the salts of parameters and predictions. Never given to a contributor. */
  readonly modelSecret: Uint8Array;
}

/** One part of a benchmark as ModelRegistry keeps it. */
export interface Fold {
  readonly labelsRoot: bigint;
  readonly featuresRoot: bigint;
  readonly rowsRoot: Hex;
  readonly quantiserHash: Hex;
  readonly metric: Hex;
  readonly n: number;
  readonly classes: number;
}

/** What validators hold of a model: all but the head itself, which is trained from its set. */
export interface ModelLine {
  readonly schema: Schema;
  /** What its rounds are scored by, for good. */
  readonly metric: Metric;
  readonly spec: TrainSpec;
  readonly integration: IntegrationTerms;
  /** Of both. */
  readonly trainSpecHash: Hex;
  readonly quantiser: Quantiser;
  /** Distinct rows of the head's training set, and the root of how it grew. */
  readonly trainingSet: Table;
  readonly trainingSetRoot: Hex;
  /** Distinct rows of the fold, in the order of their digests, which is the order of labels and predictions. */
  readonly benchmark: Table;
  readonly fold: Fold;
  readonly foldId: Hex;
  readonly secrets: OwnerSecrets;
  /** The head, where it is no model that is trained from the training set. */
  readonly imported?: Baseline;
  /** Nothing is paid by it, so that it may train otherwise than other machines would. */
  readonly dry?: true;
}

/** Where the fold's commitments may be taken from. */
export interface LineOptions {
  readonly cache?: Cache | undefined;
  /** Told where they were. */
  readonly onTaken?: ((kept: Kept) => void) | undefined;
}

/**
 * Makes a model line of an owner's files: fits the quantiser on the baseline's rows and commits to the fold.
 * Both tables have passed `checkTable`.
 */
export async function modelLine(
  given: {
    schema: Schema;
    metric: Metric;
    spec: TrainSpec;
    integration: IntegrationTerms;
    baseline: Table;
    benchmark: Table;
    secrets: OwnerSecrets;
  },
  options: LineOptions = {},
): Promise<ModelLine> {
  const { schema, metric, spec, integration, secrets } = given;
  const trainingSet = byDigest(given.baseline, schema);
  const benchmark = byDigest(given.benchmark, schema);
  const quantiser = fitQuantiser(trainingSet, schema);
  const featureBits = featureBitsOf(sizesOfModels(spec, metric, classesOf(schema.label)).family);
  const fold = await keptFold(
    { rows: benchmark, schema, metric, quantiser, featureBits, secret: secrets.benchmarkSecret },
    options,
  );
  const { dataRoot } = dataRootOf(trainingSet, schema, secrets.modelSecret);
  return {
    schema,
    metric,
    spec,
    integration,
    trainSpecHash: trainSpecHashOf(spec, integration, metric),
    quantiser,
    trainingSet,
    trainingSetRoot: trainingSetRoot(EMPTY_TRAINING_SET, dataRoot),
    benchmark,
    fold,
    foldId: foldId({
      ...fold,
      labelsRoot: String(fold.labelsRoot),
      featuresRoot: String(fold.featuresRoot),
      metric,
    }),
    secrets,
  };
}

const sizesOfModels = (spec: TrainSpec, metric: Metric, classes: number): Omit<ModelShape, 'inputs' | 'laneBits'> =>
  spec.framework === 'reference' ? sizesOf(spec, classes, isRanking(metric)) : { family: 'external' };

/** The shape of every model that the line will have. */
export function modelShape({ quantiser, spec, metric, fold }: Omit<ModelLine, 'foldId'>): ModelShape {
  const laneBits = laneBitsOf(metric, fold.classes).predictions;
  const inputs = featuresOf(quantiser).length;
  return { ...sizesOfModels(spec, metric, fold.classes), inputs, laneBits };
}

/**
 * What a policy says of how its candidates are trained, on which rows of a contribution, and whether they say classes or
 * scores. Hyperparameters are text, for those with a point have no other form.
 */
export function trainSpecHashOf(spec: TrainSpec, { maxRows, replace }: IntegrationTerms, metric: Metric): Hex {
  const { framework, modelType, hyperparameters } = spec;
  const always = {
    evaluator: EVALUATOR,
    model: modelType,
    integration: { maxRows: maxRows ?? null, replace: replace ? { ...replace } : null },
    // Another model follows from the same rows.
    ...(isRanking(metric) && { predicts: 'scores' }),
  };
  if (framework !== 'reference') {
    const { command = [], runtime, module } = spec;
    const given = { framework, command, packages: packagesOf(spec), hyperparameters: JSON.stringify(hyperparameters) };
    const network = { ...(runtime && { runtime }), ...(module && { module: moduleHash(module) }) };
    return keccak256(stringToHex(canonicalJson({ ...always, ...given, ...network })));
  }
  const { search } = spec;
  const searched = search && { search: { cv: search.cv, param_grid: textsOf(search.param_grid) } };
  return keccak256(stringToHex(canonicalJson({ ...always, ...textsOf(hyperparameters), ...searched })));
}

/** Each value as JSON, in which the keys of an object are in order. */
export const textsOf = (values: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, JSON.stringify(ordered(value))]));

function ordered(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The model line of a configuration's files.
 *
 * @throws HokusaiError `configuration` LINE_MISFIT when baseline or benchmark do not fit the schema, with all problems,
 *   LINE_KEY when rows cannot be told apart by the key of integration, LINE_TASK when metric, terms or type of model are not for its label; SCORE_TOO_LARGE,
 *   INFERENCE_TOO_LARGE, INFERENCE_SCORES
 */
export async function ownedLine(config: Config, secrets: OwnerSecrets, options: LineOptions = {}): Promise<ModelLine> {
  const { data, training: spec, integration, policy } = config;
  const schema = parseSchema(JSON.parse(await readFile(data.schema, 'utf8')));
  const [baseline, benchmark] = [await readCsv(data.baseline), await readCsv(data.benchmark)];
  const problems = [baseline, benchmark].flatMap((table) =>
    checkTable(table, schema).map(({ message }) => `${table.file}: ${message}`),
  );
  if (problems.length > 0) {
    throw new HokusaiError('configuration', 'LINE_MISFIT', problems.join('\n'), {
      details: { problems },
      next: `Correct the files, or infer the schema ${data.schema} again.`,
    });
  }
  refuseOtherTask(config, schema);
  refuseKey(config, schema);
  const given = { schema, metric: policy.metric, spec, integration, baseline, benchmark, secrets };
  const imported = await findBaseline(config);
  const line = { ...(await modelLine(given, options)), ...(imported && { imported }) };
  // Before anything is trained: whether it can be proven follows from the table.
  scoreCircuit(policy.metric, line.fold.classes, line.fold.n);
  if (config.assurance === 'inferred') inferenceCircuit(modelShape(line));
  return line;
}

/** What a policy asks for that the counts of so many classes do not tell, so that no candidate would ever be paid. */
function refuseOtherTask({ policy, training, file }: Config, { label }: Schema): void {
  const classes = classesOf(label);
  const { metric, gate } = policy;
  const kind = classes === 0 ? 'a number' : `one of ${classes} classes`;
  const problems = Object.entries({
    [`training.model_type ${training.modelType} is for a ${taskOfSpec(training)}`]:
      (taskOfSpec(training) === 'regression') === (classes === 0),
    [`policy.metric ${metric} is not counted of it`]: countsLength(metric, classes) > 0,
    'policy.min_positives asks for positives, which are of two classes': classes === 2 || gate.minPositives === 0,
    'policy.guardrails guard other metrics, which are counted of two classes alone':
      classes === 2 || gate.guardrails.length === 0,
  }).flatMap(([problem, holds]) => (holds ? [] : [problem]));
  if (problems.length > 0) {
    const text = `${file}: the label ${label.name} is ${kind}, but ${problems.join('; ')}`;
    throw new HokusaiError('configuration', 'LINE_TASK', text, {
      details: { classes, problems },
      next: 'Correct the configuration, or make the project anew with hokusai init.',
    });
  }
  if (training.framework !== 'reference') return;
  for (const point of pointsOf(training)) trainerOf(point, classes, classNames(label));
}

/** A key is of columns that dataRoots commit to: others could be exchanged after the commit. */
function refuseKey({ integration, file }: Config, { columns, label }: Schema): void {
  const learned = columns.filter(({ type }) => type !== 'ignored').map(({ name }) => name);
  const problems = (integration.replace?.key ?? []).flatMap((name) => {
    if (learned.includes(name)) return [];
    if (name === label.name) return [`${name} is the label`];
    const ignored = columns.some((column) => column.name === name);
    return [`${name} ${ignored ? 'is ignored by the schema, so nobody commits to it' : 'is not in the schema'}`];
  });
  if (problems.length === 0) return;
  throw new HokusaiError('configuration', 'LINE_KEY', `${file}: integration.key: ${problems.join('; ')}`, {
    details: { key: integration.replace?.key, problems },
    next: `Name columns that are learned from: ${learned.join(', ')}.`,
  });
}

/** What a fold commits to: rows in the order of their digests. */
interface FoldInput {
  readonly rows: Table;
  readonly schema: Schema;
  readonly metric: Metric;
  readonly quantiser: Quantiser;
  readonly featureBits: number;
  /** Behind its salts. */
  readonly secret: Uint8Array;
}

/** The fold, taken from the cache where one of the same cells, schema and secret is there. */
async function keptFold(given: FoldInput, { cache, onTaken }: LineOptions): Promise<Fold> {
  if (!cache) return foldOf(given);
  const { rows, schema, metric, quantiser, featureBits, secret } = given;
  const cells = sha256(Buffer.from(JSON.stringify(rows.columns)));
  const inputs = {
    cells,
    schema,
    metric,
    featureBits,
    quantiserHash: quantiserHash(quantiser),
    secret: sha256(secret),
  };
  const { labelsRoot, featuresRoot, ...fold } = await cache.remember(
    { step: 'commit', inputs, by: 'an earlier run', onTaken },
    async () => {
      const { labelsRoot, featuresRoot, ...made } = await foldOf(given);
      return { ...made, labelsRoot: String(labelsRoot), featuresRoot: String(featuresRoot) };
    },
  );
  return { ...fold, labelsRoot: BigInt(labelsRoot), featuresRoot: BigInt(featuresRoot) };
}

async function foldOf({ rows, schema, metric, quantiser, featureBits, secret }: FoldInput): Promise<Fold> {
  const classes = classesOf(schema.label);
  const laneBits = laneBitsOf(metric, classes).labels;
  const salt = (name: string) => saltOf(secret, name);
  return {
    labelsRoot: await vectorRoot({ name: 'labels', laneBits, values: labelsOf(rows, schema), salt: salt('labels') }),
    featuresRoot: await featuresRoot(quantise(rows, quantiser), salt('features'), featureBits),
    rowsRoot: rowsRoot(rowDigests(rows, schema, 'features'), secret),
    quantiserHash: quantiserHash(quantiser),
    metric: metricId(metric),
    n: rows.rows,
    classes,
  };
}
