/** A model that there already is becomes the head that contributions are compared with. */
import { basename, join } from 'node:path';
import { sha256 } from '../canonical.ts';
import type { Config } from '../config/load.ts';
import { HokusaiError } from '../errors.ts';
import type { ExternalOptions } from '../train/external.ts';
import type { Model } from '../train/model.ts';
import { bytesOf, type Format, type Found, findModel, LOADERS } from './formats.ts';
import type { Imported } from './predict.ts';
import { fetchRegistered, isRegistered } from './registry.ts';

/** What an attestation says of where a baseline came from. */
export interface Origin {
  readonly framework: 'reference' | 'onnx' | 'scikit-learn' | 'tensorflow';
  readonly sha256: string;
}

/** A model's files, looked at and not yet loaded. */
export type Baseline = Origin & Found;

const FRAMEWORKS: Readonly<Record<Format, Origin['framework']>> = {
  hokusai: 'reference',
  layers: 'tensorflow',
  onnx: 'onnx',
  'saved-model': 'tensorflow',
  skops: 'scikit-learn',
};

/**
 * The baseline of a configuration, if it names one.
 *
 * @throws HokusaiError those of `findModel`, `bytesOf` and `fetchRegistered`; BASELINE_UNPROVABLE (configuration)
 */
export async function findBaseline({ data, mlflow, output, assurance }: Config): Promise<Baseline | undefined> {
  const path = data.baselinePath;
  if (path === undefined) return undefined;
  const folder = join(output.directory, 'baselines');
  const found = await findModel(isRegistered(path) ? await fetchRegistered(path, mlflow.trackingUri, folder) : path);
  const { file, format } = found;
  if (assurance === 'inferred' && format !== 'hokusai') {
    const text = `What ${basename(file)} predicts cannot be proven.`;
    throw new HokusaiError('configuration', 'BASELINE_UNPROVABLE', text, {
      details: { file, format },
      next: 'Use assurance: scored, or a model that a run of this program left in models/.',
    });
  }
  return { ...found, framework: FRAMEWORKS[format], sha256: sha256(await bytesOf(found)) };
}

/**
 * Loads a baseline, and has it predict the fold.
 *
 * @throws HokusaiError `configuration` BASELINE_CHANGED, BASELINE_INVALID
 */
export async function importBaseline(
  { file, format, sha256: expected }: Baseline,
  line: Omit<Imported, 'bytes' | 'sha256' | 'name'>,
  options: ExternalOptions,
): Promise<Model> {
  const bytes = await bytesOf({ file, format });
  const name = basename(file);
  if (sha256(bytes) !== expected) {
    const text = `The baseline ${name} was changed while it was used.`;
    throw new HokusaiError('configuration', 'BASELINE_CHANGED', text, { details: { file }, next: 'Run it again.' });
  }
  return LOADERS[format]({ ...line, bytes, sha256: expected, name }, options);
}
