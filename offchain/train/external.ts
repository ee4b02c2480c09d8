/**
 * Models of other frameworks: trained by a program on files, and scored by what it predicts on the fold. The program and
 * whoever asks for it meet in a folder alone, so any program will do; docs/frameworks.md describes the files.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hex } from 'viem';
import { loadPoseidon, tag } from '../commitment.ts';
import { HokusaiError } from '../errors.ts';
import { cellText, toInteger } from '../table/cell.ts';
import { columnOf, labelsOf } from '../table/check-table.ts';
import { byDigest } from '../table/integrate.ts';
import { classesOf } from '../table/label.ts';
import { asNumbers, type Quantiser } from '../table/quantise.ts';
import type { Schema } from '../table/schema.ts';
import type { Table } from '../table/table.ts';
import { npyOf, readNpy, readNpyColumns } from './npy.ts';
import { runProcess } from './process.ts';
import { programFor } from './program.ts';
import { ESTIMATORS, type ExternalSpec, type Json } from './spec.ts';

/** What a program left: its file and its predictions on one fold, by which it is scored. It is never loaded again. */
export type ExternalModel = {
  readonly version: 1;
  readonly family: 'external';
  readonly framework: ExternalSpec['framework'] | 'onnx';
  readonly modelType: string;
  /** As the program named it, `model.onnx`, say, and its SHA-256, by which it is kept and committed to. */
  readonly file: string;
  readonly sha256: string;
  readonly quantiserHash: Hex;
  readonly foldId: Hex;
  /** Of each row of the fold a class, or a value or score of 0 to 65535: two bytes, the lower one first, in base64. */
  readonly predictions: string;
  /** Of each class, of two of the positive one alone, where it says any: doubles, the lowest byte first, in base64. */
  readonly probabilities?: readonly string[];
  /** Of what it ran with, as it says. */
  readonly versions: Readonly<Record<string, string>>;
};

/** The largest file of a model. */
export const MAX_MODEL_BYTES = 2 ** 30;
const MODEL_FILE = /^model\.[a-z0-9]{1,16}$/;
/** The largest value of a regression. */
const MOST = 65_535;
const CHECKPOINT_FILE = /^checkpoint\.[a-z0-9]{1,16}$/;
/** The same bits in every run: one thread, one order of sets, one locale, and sums as every processor can do them. */
export const ENVIRONMENT = {
  ...{ LC_ALL: 'C.UTF-8', OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', PYTHONHASHSEED: '0' },
  ...{ ATEN_CPU_CAPABILITY: 'default', MKL_CBWR: 'COMPATIBLE', TF_ENABLE_ONEDNN_OPTS: '0' },
};

/** What is trained, and on which fold it predicts. Both tables have passed `checkTable`. */
export interface ExternalInput {
  readonly trainingSet: Table;
  /** In the order of its predictions. */
  readonly benchmark: Table;
  readonly foldId: Hex;
  readonly schema: Schema;
  readonly quantiser: Quantiser;
  readonly quantiserHash: Hex;
  /** Whether its predictions are to be scores, which are those of its probabilities. */
  readonly ranking?: boolean;
  readonly seed?: Hex;
}

export interface ExternalOptions {
  /** Where what the program prints is kept. */
  readonly log: string;
  /**
   * Where it works, for this training alone: made if it is missing, and removed at the end, except that after a failure
   * that may pass its `checkpoint.*` stay for the next try. A temporary folder if left out.
   */
  readonly folder?: string;
  /** Keeps the model's file, by its SHA-256. */
  readonly keep: (bytes: Uint8Array) => Promise<string>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number, text: string) => void;
}

/**
 * Has a program train on the distinct rows of a table, in the order of their digests, and predict a fold.
 *
 * @throws HokusaiError those of `runProcess` and `python`; TRAIN_OUTPUT_INVALID (terminal) where a file that it has to leave
 *   is missing or wrong: no number, a class that there is not, another number of rows
 */
export async function trainExternal(
  spec: ExternalSpec,
  input: ExternalInput,
  options: ExternalOptions,
): Promise<ExternalModel> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'hokusai-train-')));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let kept = false;
  try {
    await emptied(folder);
    await writeRequest(folder, spec, input);
    const versions = await run(spec, folder, options);
    const predicted = await predictedIn(folder, input);
    const file = (await readdir(folder)).find((name) => MODEL_FILE.test(name)) ?? 'model.onnx';
    const sha256 = await options.keep(await fileIn(folder, file));
    const { framework, modelType } = spec;
    const { quantiserHash, foldId } = input;
    const model = {
      version: 1,
      family: 'external',
      framework,
      modelType,
      file,
      sha256,
      quantiserHash,
      foldId,
    } as const;
    return { ...model, ...predicted, versions };
  } catch (error) {
    kept = options.folder !== undefined && error instanceof HokusaiError && error.kind === 'retryable';
    throw error;
  } finally {
    if (kept) await emptied(folder);
    else await rm(folder, { recursive: true, force: true });
  }
}

/** The fold that a program has predicted, and what its predictions have to fit. */
export type PredictedFold = Pick<ExternalInput, 'benchmark' | 'schema' | 'ranking'>;

/** What a program has left of predictions. @throws HokusaiError TRAIN_OUTPUT_INVALID (terminal) */
export async function predictedIn(
  folder: string,
  fold: PredictedFold,
): Promise<Pick<ExternalModel, 'predictions' | 'probabilities'>> {
  const said = predictionsIn(await fileIn(folder, 'predictions.npy'), fold);
  const probabilities = await probabilitiesLeft(folder, fold);
  const predictions = base64(fold.ranking ? scoresOf(probabilities) : said);
  return { predictions, ...(probabilities && { probabilities: probabilities.map(base64) }) };
}

/** Removes everything but checkpoints, which are files. */
async function emptied(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isFile() && CHECKPOINT_FILE.test(entry.name)) continue;
    await rm(join(folder, entry.name), { recursive: true });
  }
}

/** Starts the program and waits for its end: the versions that it tells. */
async function run(spec: ExternalSpec, folder: string, { log, signal, onProgress = () => {} }: ExternalOptions) {
  const { command, readable } = await programFor(spec, folder, (text) => onProgress(0, text));
  const onGpu = (spec.runtime?.device ?? 'cpu') !== 'cpu';
  let versions: Record<string, string> = {};
  await runProcess(command, {
    ...{ folder, readable, log, timeout: spec.timeout, memory: onGpu ? Infinity : spec.memory },
    trustedLog: spec.framework !== 'command',
    ...(onGpu && { devices: globSync('/dev/nvidia*') }),
    ...(spec.hidden && { hidden: spec.hidden }),
    env: { ...ENVIRONMENT, HOME: folder },
    ...(signal && { signal }),
    onSaid: ({ progress, text, versions: said }) => {
      if (typeof progress === 'number') onProgress(Math.min(Math.max(progress, 0), 1), String(text ?? ''));
      if (typeof said === 'object' && said !== null) versions = textsOf(said);
    },
  });
  return versions;
}

/** What it predicted on the fold that it was trained for. */
export function predictionsOf({ predictions }: ExternalModel): Uint16Array {
  const bytes = Buffer.from(predictions, 'base64');
  return Uint16Array.from({ length: bytes.length / 2 }, (_, row) => bytes.readUInt16LE(2 * row));
}

/** Of each class, of two of the positive one alone; undefined where it says none. For people: nothing is paid by them. */
export const probabilitiesIn = ({ probabilities }: ExternalModel): Float64Array[] | undefined =>
  probabilities?.map((text) => {
    const bytes = Buffer.from(text, 'base64');
    return Float64Array.from({ length: bytes.length / 8 }, (_, row) => bytes.readDoubleLE(8 * row));
  });

const base64 = ({ buffer, byteOffset, byteLength }: Uint16Array | Float64Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');

/** Poseidon(tag, both halves of the file's SHA-256, salt). */
export async function externalCommitment({ sha256 }: ExternalModel, salt: bigint): Promise<bigint> {
  const poseidon = await loadPoseidon();
  const [high, low] = [sha256.slice(0, 32), sha256.slice(32)].map((half) => BigInt(`0x${half}`)) as [bigint, bigint];
  return poseidon([tag('external'), high, low, salt]);
}

async function writeRequest(folder: string, spec: ExternalSpec, input: ExternalInput): Promise<void> {
  const { benchmark, schema, quantiser, seed } = input;
  const rows = byDigest(input.trainingSet, schema);
  const [features, predict] = [asNumbers(rows, quantiser), asNumbers(benchmark, quantiser)];
  const { random_state: own = 0, ...hyperparameters } = spec.hyperparameters;
  const [module] = ESTIMATORS[spec.modelType] ?? [];
  const request = {
    version: 1,
    task: spec.task,
    model_type: spec.modelType,
    ...(module && { estimator: `${module}.${spec.modelType}` }),
    hyperparameters,
    seed: drawn(own, seed),
    classes: classesOf(schema.label),
    features: features.columns,
    ...spec.runtime,
    ...(spec.module && { module: spec.module }),
  };
  const write = (name: string, bytes: string | Uint8Array) => writeFile(join(folder, name), bytes, { mode: 0o600 });
  await write('request.json', `${JSON.stringify(request, null, 2)}\n`);
  await write('features.npy', npyOf(features.values, [rows.rows, features.columns.length]));
  await write('labels.npy', npyOf(labelNumbers(rows, schema), [rows.rows]));
  await write('predict.npy', npyOf(predict.values, [benchmark.rows, features.columns.length]));
}

/** Classes by their numbers, or the numbers that the table has. */
const labelNumbers = (rows: Table, schema: Schema): Float64Array =>
  'low' in schema.label
    ? Float64Array.from(columnOf(rows, schema.label.name).values, (cell) => Number(cellText(cell)))
    : Float64Array.from(labelsOf(rows, schema));

/** 32 bits of the owner's seed and the round's, where there is one. */
function drawn(own: Json, seed: Hex | undefined): Json {
  if (seed === undefined) return own;
  return createHash('sha256').update(`${own}/${seed}`).digest().readUInt32LE(0);
}

/** @throws HokusaiError TRAIN_OUTPUT_INVALID (terminal) */
async function fileIn(folder: string, name: string): Promise<Buffer> {
  const path = join(folder, name);
  // A link could lead to what is not the program's to give.
  const found = await lstat(path).catch(() => undefined);
  const size = found?.isFile() ? found.size : undefined;
  if (size !== undefined && size <= MAX_MODEL_BYTES) return readFile(path);
  const problem = size === undefined ? 'is missing' : `has ${size} bytes, at most ${MAX_MODEL_BYTES} are taken`;
  throw invalid(name, problem);
}

const invalid = (file: string, problem: string): HokusaiError =>
  new HokusaiError('terminal', 'TRAIN_OUTPUT_INVALID', `The training left no result to use: ${file} ${problem}.`, {
    details: { file },
    next: 'docs/frameworks.md says which files a program has to leave.',
  });

function predictionsIn(bytes: Uint8Array, { benchmark, schema }: PredictedFold): Uint16Array {
  const values = readNpy(bytes, 'predictions.npy', benchmark.rows);
  const { label } = schema;
  const classes = classesOf(label);
  return Uint16Array.from(values, (value, row) => {
    if (!Number.isFinite(value)) throw invalid('predictions.npy', `has no number in row ${row}`);
    if ('low' in label) return toInteger(value, Number(label.low), Number(label.high), MOST);
    if (Number.isInteger(value) && value >= 0 && value < classes) return value;
    throw invalid('predictions.npy', `has no class of 0 to ${classes - 1} in row ${row}`);
  });
}

/** A file of rows x classes that a program may leave. */
async function probabilitiesLeft(folder: string, { benchmark, schema }: PredictedFold) {
  const [name, classes] = ['probabilities.npy', classesOf(schema.label)];
  if (classes === 0 || !existsSync(join(folder, name))) return undefined;
  const columns = readNpyColumns(await fileIn(folder, name), name, benchmark.rows, classes);
  if (columns.some((column) => column.some((value) => !(value >= 0 && value <= 1)))) {
    throw invalid(name, 'has what is no probability of 0 to 1');
  }
  return classes === 2 ? columns.slice(1) : columns;
}

/** Of two classes: the probability of the positive one in 65535ths. */
function scoresOf(probabilities: readonly Float64Array[] | undefined): Uint16Array {
  if (!probabilities) throw invalid('probabilities.npy', 'is missing: rows are ranked by it');
  return Uint16Array.from(probabilities[0]!, (probability) => toInteger(probability, 0, 1, MOST));
}

export const textsOf = (said: object): Record<string, string> =>
  Object.fromEntries(Object.entries(said).map(([name, version]) => [name, String(version)]));
