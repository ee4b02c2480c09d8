/** A run as MLflow shows it: what is kept until it has been recorded there. */
import { z } from 'zod';

/** Limits of MLflow's API and of the columns of its database. */
export const LIMITS = {
  metricsPerBatch: 1000,
  paramsPerBatch: 100,
  tagsPerBatch: 100,
  paramCharacters: 6000,
  tagCharacters: 5000,
  digestCharacters: 36,
  experimentCharacters: 500,
} as const;

const text = z.string().min(1);
/** Milliseconds since 1970. */
const time = z.int().min(0);
/** Goes into paths. */
const relative = z.string().regex(/^[a-z_]+(\/[a-z_]+)*\.(json|html)$/);
const texts = z.record(z.string(), z.string());

export const zTrackedRun = z.strictObject({
  /** Name of the experiment. */
  experiment: text.max(LIMITS.experimentCharacters),
  /** Names the evaluation for good: 32 hexadecimal digits of the hash of experiment, parameters and round. */
  evaluation: z.string().regex(/^[0-9a-f]{32}$/),
  name: text,
  startTime: time,
  endTime: time,
  /** By name; at most 6,000 characters each. They never change. */
  params: z.record(z.string(), z.string().max(LIMITS.paramCharacters)),
  tags: texts,
  /** `null` for what is not defined. */
  metrics: z.array(z.strictObject({ key: text, value: z.number().nullable(), step: z.int().min(0) })),
  /** By digest; never a value. */
  datasets: z.array(
    z.strictObject({ name: text, digest: text, context: text, rows: z.int().min(0), root: text, columns: z.int() }),
  ),
  /** Files of the run's folder, and what they are called as artifacts. */
  artifacts: z.array(z.strictObject({ file: relative, path: relative })),
  /** A candidate that was accepted; the folder of its artifact. */
  model: z.strictObject({ name: text, path: text, tags: texts }).optional(),
});

export type TrackedRun = z.infer<typeof zTrackedRun>;

/** Where a recorded run is. */
export interface Recorded {
  readonly experimentId: string;
  readonly runId: string;
  /** For people: the page of the run, or its folder. */
  readonly at: string;
  /** Whether something of it cannot be kept there, one sentence. */
  readonly missing?: string;
}

/** What a dataset is called beside its name: as much of its root as there is room for. */
export const datasetOf = ({ name, digest, rows, root, columns }: TrackedRun['datasets'][number]) => ({
  name,
  digest,
  source_type: 'hokusai',
  source: JSON.stringify({ root }),
  profile: JSON.stringify({ num_rows: rows, num_columns: columns }),
});
