/** A model that there already is becomes the head that contributions are compared with. */

import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { sha256 } from '../canonical.ts';
import type { Config } from '../config/load.ts';
import { HokusaiError } from '../errors.ts';
import type { ExternalOptions } from '../train/external.ts';
import type { Model } from '../train/model.ts';
import { type Format, formatOf, LOADERS } from './formats.ts';
import type { Imported } from './predict.ts';
import { fetchRegistered, isRegistered } from './registry.ts';

/** What an attestation says of where a baseline came from. */
export interface Origin {
  readonly framework: 'reference' | 'onnx' | 'scikit-learn';
  readonly sha256: string;
}

/** A model's file, looked at and not yet loaded. */
export interface Baseline extends Origin {
  readonly file: string;
  readonly format: Format;
}

const FRAMEWORKS: Readonly<Record<Format, Origin['framework']>> = {
  hokusai: 'reference',
  onnx: 'onnx',
  skops: 'scikit-learn',
};

/**
 * The baseline of a configuration, if it names one.
 *
 * @throws HokusaiError those of `formatOf` and `fetchRegistered`; BASELINE_UNPROVABLE (configuration)
 */
export async function findBaseline({ data, mlflow, output, assurance }: Config): Promise<Baseline | undefined> {
  const path = data.baselinePath;
  if (path === undefined) return undefined;
  const folder = join(output.directory, 'baselines');
  const file = isRegistered(path) ? await fetchRegistered(path, mlflow.trackingUri, folder) : path;
  const format = await formatOf(file);
  if (assurance === 'inferred' && format !== 'hokusai') {
    const text = `What ${basename(file)} predicts cannot be proven.`;
    throw new HokusaiError('configuration', 'BASELINE_UNPROVABLE', text, {
      details: { file, format },
      next: 'Use assurance: scored, or a model that a run of this program left in models/.',
    });
  }
  return { file, format, framework: FRAMEWORKS[format], sha256: sha256(await readFile(file)) };
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
  const bytes = await readFile(file);
  const name = basename(file);
  if (sha256(bytes) !== expected) {
    const text = `The baseline ${name} was changed while it was used.`;
    throw new HokusaiError('configuration', 'BASELINE_CHANGED', text, { details: { file }, next: 'Run it again.' });
  }
  return LOADERS[format]({ ...line, bytes, sha256: expected, name }, options);
}
