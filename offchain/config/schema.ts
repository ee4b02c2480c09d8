/** The whole file: each section's own check, and what sections mean together. */
import { z } from 'zod';
import { METRIC_NAMES } from '../metrics/names.ts';
import { CLASS_METRICS, ERROR_METRICS, METRICS } from '../metrics.ts';
import { isTrackingUri } from '../mlflow/destination.ts';
import { DEFAULTS } from './defaults.ts';
import { zEvaluation } from './evaluation.ts';
import { zIntegration } from './integration.ts';
import { zPolicy } from './policy.ts';
import { taskOfTraining, zTraining } from './training.ts';
import { holds, int, text } from './values.ts';

const zPipeline = z.strictObject({
  name: text.default(DEFAULTS.name),
  version: text.default(DEFAULTS.version),
  random_seed: int().min(0).default(DEFAULTS.randomSeed),
});

const zMetaflow = z.strictObject({
  max_workers: int().min(1).max(256).default(DEFAULTS.maxWorkers),
  max_retry_count: int().min(0).max(100).default(DEFAULTS.maxRetryCount),
});

const zMlflow = z.strictObject({
  enabled: z.boolean().default(true),
  tracking_uri: text.refine(isTrackingUri, 'expected an http(s) URL or a folder').default(DEFAULTS.trackingUri),
  experiment_name: text.max(500).optional(),
});

/** Of the policy what depends on how rows are merged. */
const zLeast = z.object({ min_contribution_rows: z.number() });
/** Of the policy what depends on the type of model. */
const zPaid = z.object({ metric: z.enum(METRICS), guardrails: z.array(z.unknown()) });

/** The file as its user wrote it, with defaults filled in. */
export const zConfigFile = z
  .strictObject({
    pipeline: zPipeline.prefault({}),
    metaflow: zMetaflow.prefault({}),
    training: zTraining.prefault({}),
    evaluation: zEvaluation.prefault({}),
    data: z.strictObject({ schema: text, baseline: text, contribution: text, benchmark: text }),
    policy: zPolicy.prefault({}),
    integration: zIntegration.prefault({}),
    output: z.strictObject({ directory: text.default(DEFAULTS.directory) }).prefault({}),
    mlflow: zMlflow.prefault({}),
    assurance: z.enum(['scored', 'inferred'], { error: 'only scored and inferred run so far' }).default('scored'),
  })
  .superRefine(
    ({ training, policy, evaluation, assurance }, { addIssue }) => {
      const task = taskOfTraining(training);
      const paid = task === 'regression' ? ERROR_METRICS : CLASS_METRICS;
      const refuse = (names: readonly string[], metric: string, ...path: (string | number)[]) => {
        if (names.includes(metric)) return;
        const message = `${training.model_type} is for a ${task}, and its metrics are ${names.join(', ')}`;
        addIssue({ code: 'custom', path, message, input: metric });
      };
      refuse(paid, policy.metric, 'policy', 'metric');
      for (const [at, name] of (evaluation.metrics ?? []).entries()) {
        refuse(METRIC_NAMES[task], name, 'evaluation', 'metrics', at);
      }
      if (assurance === 'inferred' && training.framework !== 'reference') {
        const message = 'what a model of another framework predicts is not proven: use framework reference, or scored';
        addIssue({ code: 'custom', path: ['assurance'], message, input: assurance });
      }
      if (task === 'regression' && policy.guardrails.length > 0) {
        const message = 'the counts of a regression tell of its own metric alone: there is no other to guard';
        addIssue({ code: 'custom', path: ['policy', 'guardrails'], message, input: policy.guardrails });
      }
    },
    { when: ({ value }) => holds(value, { training: zTraining, policy: zPaid, evaluation: zEvaluation }) },
  )
  .refine(({ integration: { max_rows: most }, policy }) => most === 'all' || most >= policy.min_contribution_rows, {
    error: 'has to be at least policy.min_contribution_rows, or no contribution would ever do',
    path: ['integration', 'max_rows'],
    when: ({ value }) => holds(value, { integration: zIntegration, policy: zLeast }),
  });
