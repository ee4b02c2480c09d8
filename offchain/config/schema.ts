/** The whole file: each section's own check, and what sections mean together. */
import { z } from 'zod';
import { isModelUri, isRegistered } from '../baseline/registry.ts';
import { isRanking } from '../delta/auroc.ts';
import { ERROR_METRICS, METRICS } from '../metrics/exact.ts';
import { METRIC_NAMES } from '../metrics/names.ts';
import { isTrackingUri } from '../mlflow/destination.ts';
import { DEFAULTS } from './defaults.ts';
import { zEvaluation } from './evaluation.ts';
import { zIntegration } from './integration.ts';
import { MAX_BENCHMARK_ROWS, zPolicy } from './policy.ts';
import { taskOfTraining, zTraining } from './training.ts';
import { holds, int, text } from './values.ts';

const zPipeline = z.strictObject({
  name: text.default(DEFAULTS.name).describe('Name, in reports and attestations.'),
  version: text.default(DEFAULTS.version).describe('Version, in quotes.'),
  random_seed: int().min(0).default(DEFAULTS.randomSeed).describe('Seed of the split that made the files below.'),
});

const zMetaflow = z.strictObject({
  max_workers: int().min(1).max(256).default(DEFAULTS.maxWorkers).describe('Processes that prove at a time, at most.'),
  max_retry_count: int()
    .min(0)
    .max(100)
    .default(DEFAULTS.maxRetryCount)
    .describe('Further tries of a step that failed for a passing reason.'),
});

const zData = z.strictObject({
  schema: text.describe("What each column is and what the label's values mean, JSON."),
  baseline: text.describe('CSV that the baseline model is trained on.'),
  contribution: text.describe("CSV that is contributed: the candidate is trained on it and on the baseline's rows."),
  benchmark: text.describe(
    `CSV that both models are tested on, 1 to ${MAX_BENCHMARK_ROWS} rows. Contributors must not see it.`,
  ),
  baseline_path: text
    .refine((path) => !isRegistered(path) || isModelUri(path), 'expected models:/NAME/VERSION or models:/NAME/latest')
    .default(DEFAULTS.baselinePath)
    .describe(
      "A model that there already is, which contributions are compared with instead of one trained on the baseline's rows: model.onnx, or .skops, or a run's models/candidate.json, or model.json of TensorFlow.js, or the folder of a SavedModel, or models:/NAME/VERSION of MLflow; see docs/frameworks.md.",
    ),
});

const zOutput = z.strictObject({
  directory: text
    .default(DEFAULTS.directory)
    .describe('Folder for the runs, one folder each; HOKUSAI_OUTPUT_DIR goes first.'),
  cache_mb: int()
    .min(0)
    .max(2 ** 20)
    .default(DEFAULTS.cacheMb)
    .describe(
      'Megabytes of results that are kept for other runs, in HOKUSAI_CACHE_DIR or ~/.cache/hokusai, 0 for none; what was not used for longest goes first.',
    ),
});

const zMlflow = z.strictObject({
  enabled: z.boolean().default(true).describe('false records nothing.'),
  tracking_uri: text
    .refine(isTrackingUri, 'expected an http(s) URL or a folder')
    .default(DEFAULTS.trackingUri)
    .describe(
      "URL of a tracking server, http or https, or a folder in MLflow's file layout; MLFLOW_TRACKING_URI goes first. The server is told the counts of rejected contributions, too.",
    ),
  experiment_name: text.max(500).optional().describe('MLFLOW_EXPERIMENT_NAME goes first. Default: pipeline.name.'),
});

/** Of the policy what depends on how rows are merged. */
const zLeast = z.object({ min_contribution_rows: z.number() });
/** Of the policy what depends on the type of model. */
const zPaid = z.object({ metric: z.enum(METRICS), guardrails: z.array(z.unknown()) });

/** The file as its user wrote it, with defaults filled in. */
export const zConfigFile = z
  .strictObject({
    pipeline: zPipeline.prefault({}).describe('What is evaluated.'),
    metaflow: zMetaflow
      .prefault({})
      .describe('How steps are run; the section keeps the name it had in the Python pipeline.'),
    training: zTraining.prefault({}).describe('How models are made.'),
    evaluation: zEvaluation
      .prefault({})
      .describe('How models are compared. What is paid for is policy.metric; the others are reported.'),
    data: zData.describe('Files. Those without a default have to be there.'),
    policy: zPolicy.prefault({}).describe('What is promised to contributors and asked of validators. A round pins it.'),
    integration: zIntegration
      .prefault({})
      .describe(
        'How a contribution is merged with the rows that the model has learned from. Rows that it knows are left out, and so is what is there twice. Validators agree on it: it is part of the trainSpecHash, which a round pins.',
      ),
    output: zOutput.prefault({}).describe('Where results go.'),
    mlflow: zMlflow.prefault({}).describe('Where runs are recorded for MLflow. Nothing of it is hashed or paid for.'),
    assurance: z
      .enum(['scored', 'inferred'], { error: 'only scored and inferred run so far' })
      .default('scored')
      .describe(
        'What is proven. scored: the counts follow from the committed labels and predictions. inferred: and the predictions from the two committed models on the committed benchmark (up to 30 or 64 features; minutes more of proving; of an MLPClassifier not by auroc).',
      ),
  })
  .superRefine(
    ({ training, policy, evaluation, assurance }, { addIssue }) => {
      const task = taskOfTraining(training);
      const paid = METRICS.filter((metric) => ERROR_METRICS.some((one) => one === metric) === (task === 'regression'));
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
      if ((task === 'regression' || isRanking(policy.metric)) && policy.guardrails.length > 0) {
        const counted = task === 'regression' ? 'a regression tell of its own metric' : 'auroc tell of it';
        const message = `the counts of ${counted} alone: there is no other to guard`;
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
