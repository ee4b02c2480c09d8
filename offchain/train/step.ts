/** The step of the pipeline that makes a model: trained by us or by a program, or imported; once, then taken from the journal. */
import { join } from 'node:path';
import { type Hex, keccak256, stringToHex } from 'viem';
import { importBaseline } from '../baseline/import.ts';
import { type Canonical, canonicalJson, sha256 } from '../canonical.ts';
import { isRanking } from '../delta/auroc.ts';
import { HokusaiError } from '../errors.ts';
import { type ModelLine, modelShape, textsOf, trainSpecHashOf } from '../line.ts';
import type { Executor } from '../run/executor.ts';
import type { Table } from '../table/table.ts';
import { type ExternalOptions, trainExternal } from './external.ts';
import type { Model } from './model.ts';
import { type ExternalSpec, isDrawn, type ReferenceSpec } from './spec.ts';
import { type TrainReport, train } from './train.ts';
import type { TrainProgress } from './trainer.ts';

/** Rows at a time, below which a network's batches are not made smaller. */
const LEAST_BATCH = 8;

/** A model, and of one of our own trainers how it was trained. */
export interface TrainedModel {
  readonly model: Model;
  /** What a search chose, or was changed for want of memory. */
  readonly hyperparameters?: Readonly<Record<string, string>>;
  readonly report?: TrainReport;
}

/** The line's current baseline: imported, or trained on its training set. */
export async function headTrained(line: ModelLine, executor: Executor): Promise<TrainedModel> {
  const { imported, trainingSet, trainingSetRoot, foldId, schema, fold, benchmark, quantiser } = line;
  if (!imported) return trained(line, trainingSet, trainingSetRoot, executor);
  const { quantiserHash } = fold;
  const shape = modelShape(line);
  const { format, sha256: file } = imported;
  const inputs = { format, file, foldId, quantiserHash, schema: hashOf(schema), shape: hashOf({ ...shape }) };
  const ranking = isRanking(line.metric);
  const given = { benchmark, foldId, schema, quantiser, quantiserHash, shape, ranking };
  const model = await executor.step(
    'import',
    inputs,
    async ({ signal, progress }) =>
      (await importBaseline(imported, given, keeping(executor, 'import.log', signal, progress))) as Canonical & Model,
    {
      cached: format !== 'skops' || process.env.HOKUSAI_PYTHON === undefined,
      blobs: (made) => (made.family === 'external' ? [made.sha256] : []),
    },
  );
  return { model };
}

/**
 * The model of a training set.
 *
 * @param root of the set, which stands for its rows
 * @param seed drawn after the data was committed to; absent for a first head
 */
export async function trained(
  line: ModelLine,
  table: Table,
  root: Hex,
  executor: Executor,
  seed?: Hex,
): Promise<TrainedModel> {
  const { schema, quantiser, spec, trainSpecHash, benchmark, foldId } = line;
  const drawn = seed && isDrawn(spec) && { seed };
  const { quantiserHash } = line.fold;
  // The seed is also what the rows follow from.
  const inputs = { trainingSetRoot: root, quantiserHash, trainSpecHash, schema: hashOf(schema), ...(seed && { seed }) };
  if (spec.framework === 'reference') return trainedByUs({ ...line, spec }, table, inputs, executor, drawn || {});
  const ranking = isRanking(line.metric);
  const given = { trainingSet: table, benchmark, foldId, schema, quantiser, quantiserHash, ranking, ...drawn };
  const work = keccak256(stringToHex(canonicalJson({ ...inputs, foldId })));
  const folder = join(executor.folder, 'training', work.slice(2, 18));
  try {
    const model = await executor.step(
      'train',
      { ...inputs, foldId },
      ({ signal, progress }) =>
        trainExternal(spec, given, { ...keeping(executor, 'training.log', signal, progress), folder }),
      { cached: isLocked(spec), blobs: (made) => [made.sha256] },
    );
    return { model };
  } catch (error) {
    const { spec: smaller, batchSize } = withSmallerBatches(line, spec, error);
    const trainSpecHash = trainSpecHashOf(smaller, line.integration, line.metric);
    const made = await trained({ ...line, spec: smaller, trainSpecHash }, table, root, executor, seed);
    return { ...made, hyperparameters: { batch_size: String(batchSize), ...made.hyperparameters } };
  }
}

/**
 * What a network learns from less memory by: half as many rows at a time, in a dry run. Another model follows from it, and on
 * another machine, which has more memory, it would not, so nobody is paid by it.
 *
 * @throws what the training ended with, if that is not for want of memory, or batches are small already; TRAIN_OUT_OF_MEMORY
 *   with the size of batches to write where rewards follow
 */
function withSmallerBatches(line: ModelLine, spec: ExternalSpec, error: unknown) {
  const { batch_size: size } = spec.hyperparameters;
  const short = error instanceof HokusaiError && error.code === 'TRAIN_OUT_OF_MEMORY';
  if (!short || typeof size !== 'number' || size < 2 * LEAST_BATCH) throw error;
  const batchSize = Math.floor(size / 2);
  if (!line.dry) {
    throw new HokusaiError(error.kind, error.code, error.message, {
      details: { ...error.details, batchSize },
      next: `Close other programs, or write training.hyperparameters.batch_size: ${batchSize}. It is not changed by itself, because all validators have to learn alike.`,
      cause: error,
    });
  }
  return { spec: { ...spec, hyperparameters: { ...spec.hyperparameters, batch_size: batchSize } }, batchSize };
}

/** What a search chose is part of the output, and how the training went a blob beside it: it holds doubles, which nothing hashes. */
async function trainedByUs(
  line: ModelLine & { readonly spec: ReferenceSpec },
  table: Table,
  inputs: Readonly<Record<string, Canonical>>,
  executor: Executor,
  drawn: { seed?: Hex },
): Promise<TrainedModel> {
  const { metric } = line;
  // A search chooses by the metric, and nothing else depends on it.
  const searched = line.spec.search ? { metric } : {};
  const output = await executor.step(
    'train',
    { ...inputs, ...searched },
    async ({ signal, progress, partial }) => {
      const onProgress = (at: TrainProgress) => progress(at.done, progressText(at));
      const options = { signal, onProgress, checkpoint: partial };
      const { model, report } = await train(table, { ...line, ranking: isRanking(metric), ...drawn }, options);
      const chosen = report.search && textsOf(report.search.points[report.search.best]!.hyperparameters);
      const record = await executor.put(Buffer.from(JSON.stringify(report), 'utf8'));
      return { model, record, hyperparameters: chosen ?? null };
    },
    { blobs: ({ record }) => [record] },
  );
  const { model, record, hyperparameters } = output as unknown as TrainOutput;
  const report = JSON.parse(Buffer.from(await executor.get(record)).toString('utf8')) as TrainReport;
  return { model, report, ...(hyperparameters !== null && { hyperparameters }) };
}

/** What the step gives. */
interface TrainOutput {
  readonly model: Model;
  /** Of the report. */
  readonly record: string;
  readonly hyperparameters: Readonly<Record<string, string>> | null;
}

const progressText = ({ name, value }: TrainProgress): string =>
  name === undefined || value === undefined ? '' : `${name.replace('_', ' ')} ${Number(value.toPrecision(4))}`;

/** What a program's model and its words are kept by. */
const keeping = (
  executor: Executor,
  log: string,
  signal: AbortSignal,
  onProgress: (fraction: number, text: string) => void,
): ExternalOptions => ({
  log: join(executor.folder, log),
  keep: (bytes) => executor.put(bytes),
  ...{ signal, onProgress },
});

/** Whether what a program does follows from the line alone: others may be another program tomorrow. */
const isLocked = ({ framework, python, runtime }: ExternalSpec): boolean =>
  framework === 'tensorflow'
    ? ['wasm', 'cpu'].includes(runtime?.backend ?? '')
    : framework === 'scikit-learn' && (python ?? process.env.HOKUSAI_PYTHON) === undefined;

/** By which a step's inputs name what is large. */
export const hashOf = (value: Canonical): string => sha256(Buffer.from(canonicalJson(value)));
