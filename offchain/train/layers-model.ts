/** Models in TensorFlow.js's layers format, which others made: they predict in the sandbox that programs train in. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HokusaiError } from '../errors.ts';
import { npyOf, readNpyColumns } from './npy.ts';
import { runProcess } from './process.ts';
import { nodeProgram } from './program.ts';

/** Columns, one after the other, as `asNumbers` gives them. */
export interface NumberTable {
  readonly rows: number;
  readonly columns: readonly string[];
  readonly values: Float64Array;
}

export interface PredictOptions {
  /** Where what the process prints is kept. */
  readonly log: string;
  readonly backend?: 'wasm' | 'cpu' | 'native';
  /** Seconds; 600 by default. */
  readonly timeout?: number;
  /** Bytes of address space; 16 GiB by default. */
  readonly memory?: number;
  readonly signal?: AbortSignal;
}

/**
 * What a model in the layers format says of rows: of each output a value for each row, probabilities or numbers as the
 * model has it.
 *
 * @param files by name: `model.json`, and where that has no weights within the files that its `weightsManifest` names
 * @throws HokusaiError `configuration` LAYERS_MODEL_INVALID with what is missing; those of `runProcess` where it cannot be
 *   loaded, or takes another number of features
 */
export async function predictLayersModel(
  files: Readonly<Record<string, Uint8Array>>,
  features: NumberTable,
  { log, backend = 'wasm', timeout = 600, memory = 2 ** 34, signal }: PredictOptions,
): Promise<{ outputs: Float64Array[]; versions: Readonly<Record<string, string>> }> {
  const weights = weightsOf(files);
  const folder = await mkdtemp(join(tmpdir(), 'hokusai-predict-'));
  try {
    const { rows, columns, values } = features;
    const names = weights.map((_, at) => `weights-${at}.bin`);
    const request = JSON.stringify({ columns: columns.length, backend, weights: names });
    const write = (name: string, bytes: string | Uint8Array) => writeFile(join(folder, name), bytes, { mode: 0o600 });
    await write('request.json', request);
    await write('model.json', files['model.json']!);
    for (const [at, bytes] of weights.entries()) await write(names[at]!, bytes);
    await write('features.npy', npyOf(values, [rows, columns.length]));
    let said: { versions?: Record<string, string>; outputs?: number } = {};
    const { command, readable } = nodeProgram('predict', backend, folder);
    await runProcess(command, {
      ...{ folder, log, timeout, memory, readable, env: {} },
      ...(signal && { signal }),
      onSaid: (line) => {
        said = line;
      },
    });
    const bytes = await readFile(join(folder, 'outputs.npy'));
    const { versions = {}, outputs = 0 } = said;
    return { outputs: readNpyColumns(bytes, 'outputs.npy', rows, outputs), versions };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The files of weights in the order of the manifest; none where the model has them within. */
function weightsOf(files: Readonly<Record<string, Uint8Array>>): Uint8Array[] {
  const refuse = (problem: string) =>
    new HokusaiError('configuration', 'LAYERS_MODEL_INVALID', `The model cannot be read: ${problem}.`, {
      details: { files: Object.keys(files), problem },
      next: 'Give what model.save() of TensorFlow.js wrote: model.json and its files of weights.',
    });
  const { modelTopology, weightsManifest, weightData } = jsonOf(files['model.json']) ?? {};
  if (typeof modelTopology !== 'object' || modelTopology === null) throw refuse('there is no model.json with layers');
  if (typeof weightData === 'string' && weightsManifest === undefined) return [];
  if (!Array.isArray(weightsManifest)) throw refuse('model.json has neither weightData nor a weightsManifest');
  const paths = weightsManifest.flatMap((group) => (Array.isArray(group?.paths) ? group.paths.map(String) : []));
  const missing = paths.filter((path) => !Object.hasOwn(files, path));
  if (missing.length > 0) throw refuse(`${missing.join(', ')} of its weights is missing`);
  return paths.map((path) => files[path]!);
}

function jsonOf(bytes: Uint8Array | undefined): Record<string, unknown> | undefined {
  try {
    return JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
  } catch {
    // Told of as what it is: no model.
    return undefined;
  }
}
