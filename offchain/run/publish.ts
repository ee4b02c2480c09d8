import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Attestation } from '../attestation/attest.ts';
import type { Evaluation } from '../metrics/evaluation.ts';
import { metricValues } from '../metrics/model-metrics.ts';
import type { ProvenScore } from '../prove/score.ts';
import { evaluationHtml } from '../report/evaluation.ts';
import { reportHtml } from '../report/report.ts';
import { writeWhole } from '../write-whole.ts';
import { readBlob } from './blobs.ts';
import type { Finding } from './finding.ts';
import type { Inferences } from './pipeline.ts';

/** What a run leaves. */
export interface Published {
  readonly attestation: Attestation;
  readonly proven?: ProvenScore;
  readonly inferences?: Inferences;
  /** Stays on this machine: also holds the counts of a rejected contribution. */
  readonly evaluated?: Omit<NonNullable<Finding['evaluated']>, 'score'> & { readonly evaluation: Evaluation };
}

/**
 * Writes a run's results: `attestation.json`, `report.html`; where there is a proof `proof.json`, `public.json`,
 * `verification_key.json` (snarkjs's formats), and at assurance level 2 the same three for each chunk of both models'
 * predictions, `inference/baseline.1.proof.json` and so on; where models were trained `metrics.json`, `evaluation.html` and
 * `models/`, which are not for publication. The attestation comes last and all at once: where it is, everything is.
 *
 * @returns as `warnings` which of the owner's own metrics failed, and where models were trained how the training set changed
 */
export async function publish(folder: string, { attestation, proven, inferences, evaluated }: Published) {
  const write = (name: string, content: unknown) =>
    writeWhole(join(folder, name), typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`);
  await rm(join(folder, 'attestation.json'), { force: true });
  if (proven) {
    await write('proof.json', proven.proof);
    await write('public.json', proven.publicSignals);
    await write('verification_key.json', proven.verificationKey);
  }
  await rm(join(folder, 'inference'), { recursive: true, force: true });
  for (const [name, { chunks, verificationKey }] of Object.entries(inferences ?? {})) {
    for (const [i, { proof, publicSignals }] of chunks.entries()) {
      const chunk = `inference/${name}.${i + 1}`;
      await write(`${chunk}.proof.json`, proof);
      await write(`${chunk}.public.json`, publicSignals);
      await write(`${chunk}.verification_key.json`, verificationKey);
    }
  }
  if (evaluated) {
    const { counts, delta, metrics, models, training, integration, evaluation } = evaluated;
    const { range } = attestation.benchmark;
    const values = {
      baseline: metricValues(metrics.baseline, range),
      candidate: metricValues(metrics.candidate, range),
    };
    const all = { metrics: values, fractions: metrics, counts, delta, integration, evaluation, training };
    await write('metrics.json', all);
    await write('evaluation.html', evaluationHtml(attestation.name, evaluation, integration, training));
    for (const [name, model] of Object.entries(models)) {
      await write(`models/${name}.json`, model);
      if (model.family !== 'external') continue;
      // JSON would take the place of the record.
      const file = model.file === 'model.json' ? `${name}.model.json` : model.file.replace('model', name);
      await writeWhole(join(folder, 'models', file), await keptFile(folder, model.sha256));
    }
  }
  await write('report.html', reportHtml(attestation));
  await write('attestation.json', attestation);
  const custom = evaluated?.evaluation.custom ?? [];
  const integration = evaluated?.integration;
  const warnings = custom.flatMap((one) => ('error' in one ? [one.error.message] : []));
  return { folder, attestation, warnings, ...(integration && { integration }) };
}

/** A file that a step kept: in the journal of this run, or of one of its validators. */
async function keptFile(folder: string, sha256: string): Promise<Uint8Array> {
  const validators = join(folder, 'validators');
  const names = existsSync(validators) ? await readdir(validators) : [];
  const others = names.map((name) => join(validators, name));
  return readBlob(others.find((one) => existsSync(join(one, 'blobs', sha256))) ?? folder, sha256);
}
