import { labelsOf } from '../check-table.ts';
import { byDigest } from '../integrate.ts';
import { type Quantiser, quantise, quantiserHash } from '../quantise.ts';
import type { Schema } from '../schema.ts';
import type { Table } from '../table.ts';
import type { LinearModel } from './linear.ts';
import { referenceTrainer } from './reference.ts';
import type { TrainProgress } from './trainer.ts';

/** How a model line learns; `C` is the weight of the errors against the regularisation. */
export interface TrainSpec {
  readonly C: number;
}

/** Learns from the distinct rows of a table, in the order of their digests. The table has passed `checkTable`. */
export async function train(
  table: Table,
  { schema, quantiser, spec }: { schema: Schema; quantiser: Quantiser; spec: TrainSpec },
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (progress: TrainProgress) => void } = {},
): Promise<LinearModel> {
  const rows = byDigest(table, schema);
  const { model } = await referenceTrainer(spec).train({
    features: quantise(rows, quantiser),
    labels: labelsOf(rows, schema),
    quantiserHash: quantiserHash(quantiser),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  return model;
}
