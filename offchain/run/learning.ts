/** How a model grows with a contribution's rows: for people, and for nothing that is paid for. */
import { toHex } from 'viem';
import { trainingSetRoot } from '../attestation/context.ts';
import type { ModelLine } from '../line.ts';
import { merge } from '../table/integrate.ts';
import type { Model } from '../train/model.ts';
import { trained } from '../train/step.ts';
import type { Executor } from './executor.ts';
import { trainingFailed } from './finding.ts';
import { type Contribution, integrated } from './pipeline.ts';

/**
 * Models of the head's training set with more and more of a contribution's rows: a learning curve, for people.
 *
 * @param parts of equal size; without any row there is the baseline, and with the last of them the candidate
 */
export async function partialModels(
  line: ModelLine,
  contribution: Pick<Contribution, 'dataRoot' | 'file' | 'table' | 'seed'>,
  parts: number,
  executor: Executor,
): Promise<PartialModel[]> {
  const merged = await integrated(line, contribution, executor);
  const { seed, dataRoot, table } = contribution;
  const models: PartialModel[] = [];
  for (let part = 1; part < parts; part++) {
    const fresh = merged.fresh.slice(0, Math.round((merged.fresh.length * part) / parts));
    const rows = merge(line.trainingSet, table, { ...merged, fresh });
    const root = trainingSetRoot(trainingSetRoot(line.trainingSetRoot, dataRoot), toHex(fresh.length, { size: 32 }));
    // A picture has a point less where these rows make no model; the run goes on.
    const made = await trained(line, rows, root, executor, seed).catch(trainingFailed);
    if ('model' in made) models.push({ rows: rows.rows, model: made.model });
  }
  return models;
}

/** A model, and how many rows it learned from. */
export interface PartialModel {
  readonly rows: number;
  readonly model: Model;
}
