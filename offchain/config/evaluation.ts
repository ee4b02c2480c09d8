import { z } from 'zod';
import { METRIC_NAMES } from '../metrics/names.ts';
import { nearestFirst } from '../nearest.ts';
import type { Task } from '../table/label.ts';
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
    .refine((name) => !ALL_METRICS.some((known) => known === name), 'there is a metric of that name')
    .describe('Lower-case letters, digits and underscores.'),
  module: text.describe('An ES module whose default export takes labels, predictions and scores and gives a number.'),
  timeout_seconds: z
    .number()
    .min(1)
    .max(3600)
    .default(DEFAULTS.customTimeout)
    .describe('Seconds that its process may take.'),
  memory_mb: int().min(128).max(65_536).default(DEFAULTS.customMemory).describe('Megabytes that its process may take.'),
});

export const zEvaluation = z.strictObject({
  metrics: z
    .array(zMetricName)
    .min(1)
    .optional()
    .describe(
      'Metrics of the task. Of more than two classes, one without an average is its macro average. Default: all.',
    ),
  custom_metrics: z
    .array(zCustomMetric)
    .refine((metrics) => new Set(metrics.map(({ name }) => name)).size === metrics.length, 'a name is there twice')
    .default([])
    .describe('Metrics of your own. They are in metrics.json and evaluation.html and never paid for.'),
  learning_curve: int()
    .min(0)
    .max(20)
    .default(DEFAULTS.learningCurve)
    .describe(
      'Parts of the contribution for the learning curve in evaluation.html: so many models less one are trained beside the two, each with a part more. 0 draws none.',
    ),
  test_split: z
    .number()
    .gt(0)
    .lt(1)
    .default(DEFAULTS.testSplit)
    .describe(
      'Share of the table that is the benchmark when `hokusai init --config` splits it; afterwards a record, which running does not use.',
    ),
  stratify: z
    .boolean()
    .default(DEFAULTS.stratify)
    .describe("Whether each part has the table's share of each class; likewise a record."),
});

/** What is reported: the metrics that are named, else all that there are of the task. */
export function toMetrics({ metrics }: z.infer<typeof zEvaluation>, task: Task): string[] {
  const named = metrics ?? METRIC_NAMES[task];
  return [...new Set(named.map((name) => name.replace('f1_score', 'f1')))];
}
