/** A model that somebody else made predicts the fold, in a process that can do nothing but that. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hex } from 'viem';
import { HokusaiError } from '../errors.ts';
import type { ModelShape } from '../prove/inference.ts';
import { classesOf, classNames } from '../table/label.ts';
import { asNumbers, type Quantiser } from '../table/quantise.ts';
import type { Schema } from '../table/schema.ts';
import type { Table } from '../table/table.ts';
import { ENVIRONMENT, type ExternalModel, type ExternalOptions, predictedIn, textsOf } from '../train/external.ts';
import type { Model } from '../train/model.ts';
import { npyOf } from '../train/npy.ts';
import { runProcess } from '../train/process.ts';

/** A model's file, and the fold that it is to predict. */
export interface Imported {
  readonly bytes: Uint8Array;
  readonly sha256: string;
  /** Without folders. */
  readonly name: string;
  readonly benchmark: Table;
  readonly foldId: Hex;
  readonly schema: Schema;
  readonly quantiser: Quantiser;
  readonly quantiserHash: Hex;
  /** Whether rows are ranked by probabilities, and not told apart. */
  readonly ranking: boolean;
  /** Of the models that the line trains. */
  readonly shape: ModelShape;
}

/** @throws HokusaiError `configuration` BASELINE_INVALID with all problems of the model */
export type Loader = (imported: Imported, options: ExternalOptions) => Promise<Model>;

/** What predicts: a command, to which the folder is added, and what it reads. */
interface Predictor {
  readonly framework: ExternalModel['framework'];
  /** What the model's file is called there. */
  readonly file: string;
  readonly command: readonly string[];
  readonly readable: readonly string[];
  /** Bytes of address space; {@link MEMORY} if left out. */
  readonly memory?: number;
}

/** Bytes of address space. */
const MEMORY = 2 ** 34;
/** Seconds that predicting a fold of 4096 rows may take. */
const TIMEOUT = 600;

/** Has a program predict the fold. It gets a copy of the model, so that it may do to it what it likes. */
export async function predictWith(
  { framework, file, command, readable, memory = MEMORY }: Predictor,
  imported: Imported,
  { log, keep, signal }: ExternalOptions,
): Promise<ExternalModel> {
  const { bytes, sha256, quantiserHash, foldId } = imported;
  const folder = await mkdtemp(join(tmpdir(), 'hokusai-baseline-'));
  try {
    await writeRequest(folder, file, imported);
    let versions: Record<string, string> = {};
    await runProcess([...command, folder], {
      ...{ folder, readable, log, timeout: TIMEOUT, memory, env: { ...ENVIRONMENT, HOME: folder } },
      // All that it reads is the owner's.
      trustedLog: true,
      ...(signal && { signal }),
      onSaid: ({ versions: said }) => {
        if (typeof said === 'object' && said !== null) versions = textsOf(said);
      },
    });
    const predicted = await predictedIn(folder, imported);
    await keep(bytes);
    const model = { version: 1, family: 'external', framework, modelType: 'imported', file, sha256 } as const;
    return { ...model, quantiserHash, foldId, ...predicted, versions };
  } catch (error) {
    throw error instanceof HokusaiError && error.code.startsWith('TRAIN_') ? unusable(error, imported.name) : error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeRequest(folder: string, file: string, { bytes, benchmark, schema, quantiser }: Imported) {
  const predict = asNumbers(benchmark, quantiser);
  const { label } = schema;
  const request = {
    version: 1,
    model: file,
    classes: classesOf(label),
    class_names: 'low' in label ? [] : classNames(label),
    features: predict.columns,
  };
  const write = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content, { mode: 0o600 });
  await write('request.json', JSON.stringify(request));
  await write('predict.npy', npyOf(predict.values, [benchmark.rows, predict.columns.length]));
  await write(file, bytes);
}

/** A model that does not fit is a mistake of the configuration; a machine that failed may do it another time. */
function unusable(cause: HokusaiError, name: string): HokusaiError {
  const reason = cause.message.replace(/^The training (failed|left no result to use): /, '').replace(/\.$/, '');
  const kind = cause.kind === 'terminal' ? 'configuration' : cause.kind;
  return new HokusaiError(kind, 'BASELINE_INVALID', `The baseline ${name} cannot be used: ${reason}.`, {
    details: { ...cause.details, name },
    next: 'docs/frameworks.md says which features a baseline is given, and what it has to predict.',
    cause,
  });
}
