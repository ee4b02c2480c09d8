import { z } from 'zod';
import type { Task } from '../label.ts';
import { METRIC_NAMES } from '../metrics/names.ts';
import { nearestFirst } from '../nearest.ts';
import { DEFAULTS } from './defaults.ts';
import { int, text } from './values.ts';

const ALL_METRICS = [...METRIC_NAMES.classification, ...METRIC_NAMES.regression];
const zMetricName = z.enum(ALL_METRICS, {
  error: ({ input }) => {
    const nearest = nearestFirst(String(input), ALL_METRICS);
    return `unknown metric, did you mean ${nearest[0]}? Known: ${ALL_METRICS.join(', ')}`;
  },
});

/** A metric of the owner's own: a module, and what its process may take. */
const zCustomMetric = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}$/, 'expected lower-case letters, digits and underscores')
    .refine((name) => !ALL_METRICS.some((known) => known === name), 'there is a metric of that name'),
  module: text,
  timeout_seconds: z.number().min(1).max(3600).default(DEFAULTS.customTimeout),
  memory_mb: int().min(128).max(65_536).default(DEFAULTS.customMemory),
});

export const zEvaluation = z.strictObject({
  metrics: z.array(zMetricName).min(1).optional(),
  custom_metrics: z
    .array(zCustomMetric)
    .refine((metrics) => new Set(metrics.map(({ name }) => name)).size === metrics.length, 'a name is there twice')
    .default([]),
  test_split: z.number().gt(0).lt(1).default(DEFAULTS.testSplit),
  stratify: z.boolean().default(DEFAULTS.stratify),
});

/** What is reported: the metrics that are named, else all that there are of the task. */
export function toMetrics({ metrics }: z.infer<typeof zEvaluation>, task: Task): string[] {
  const named = metrics ?? METRIC_NAMES[task];
  return [...new Set(named.map((name) => name.replace('f1_score', 'f1')))];
}
