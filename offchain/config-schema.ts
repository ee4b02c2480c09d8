import { parseUnits } from 'viem';
import { z } from 'zod';
import { isRanking } from './delta-auroc.ts';
import type { IntegrationTerms } from './integrate.ts';
import type { Task } from './label.ts';
import { METRIC_NAMES } from './metrics/names.ts';
import { CLASS_METRICS, ERROR_METRICS, METRICS } from './metrics.ts';
import { isTrackingUri } from './mlflow/destination.ts';
import { nearestFirst } from './nearest.ts';
import { alpha30, zMicro } from './power.ts';
import { ESTIMATORS, HYPERPARAMETERS, type Json, MODEL_TYPES, type ModelType, taskOf } from './train/spec.ts';

/** Rows of the largest class of the score circuit: a larger benchmark has no proof. */
export const MAX_BENCHMARK_ROWS = 4096;
/** Of ether and of the reward token. */
const DECIMALS = 18;
/** A decimal of so many digits survives the way through a double. */
const EXACT_DIGITS = 15;
/** `Policy` takes no more. */
const MAX_GUARDRAILS = 8;
const MAX_UINT32 = 2 ** 32 - 1;
const MAX_UINT128 = 2n ** 128n - 1n;
/** More wei than there are; `Policy` keeps fees in 96 bits. */
const MAX_WEI = 2n ** 90n - 1n;
const DAY = 24 * 3600;
const YEAR = 365 * DAY;

/** What is meant where the file is silent. */
export const DEFAULTS = {
  name: 'hokusai-evaluation',
  version: '1.0.0',
  randomSeed: 42,
  maxWorkers: 4,
  maxRetryCount: 3,
  modelType: 'LinearSVC',
  testSplit: 0.2,
  stratify: true,
  customTimeout: 60,
  customMemory: 512,
  alpha: 0.05,
  roundsPerFold: 20,
  metric: 'accuracy',
  minDeltaBps: 0,
  minRows: 1000,
  minPositives: 0,
  minContributionRows: 50,
  pay: 'lower_bound',
  tokensPerDeltaOne: '100',
  maxReward: '1000',
  mode: 'append',
  maxReplacedBps: 0,
  maxRows: 'all',
  evaluationFee: '0.01',
  bond: '0.01',
  openDuration: 24 * 3600,
  voteDuration: 24 * 3600,
  revealDuration: 3600,
  settleDuration: 6 * 3600,
  delay: 3600,
  epochReward: '10000',
  epochDuration: 30 * 24 * 3600,
  vestingDuration: 0,
  validators: 3,
  directory: 'runs',
  trackingUri: 'mlruns',
} as const;

const text = z.string().min(1);

/** A whole number. That of zod ends the check of all else around it. */
const int = () => z.number().refine(Number.isSafeInteger, 'wrong type, expected a whole number');

/** An amount of whole tokens, such as `100` or `"0.25"`, in the token's smallest units: at least `least`. */
const tokens = (least: bigint, amount: string) => decimal('tokens', least, MAX_UINT128, amount);

/** An amount of ether, in wei. */
const ether = (amount: string) => decimal('ether', 0n, MAX_WEI, amount);

/** Seconds of a phase of a round, at most so many days. */
const phase = (days: number, seconds: number) =>
  int()
    .min(60)
    .max(days * DAY)
    .default(seconds);

function decimal(unit: 'tokens' | 'ether', least: bigint, most: bigint, amount: string) {
  const schema = z.union([z.string(), z.number()], { error: `expected an amount of ${unit}, such as 100 or "0.25"` });
  return schema
    .transform((given, context) => {
      const written = String(given);
      const refuse = (message: string): never => {
        context.issues.push({ code: 'custom', message, input: given });
        return z.NEVER;
      };
      if (typeof given === 'number' && written.replace(/\D/g, '').length > EXACT_DIGITS) {
        return refuse('an amount of more than 15 digits has to be in quotes, or it would be rounded');
      }
      if (!/^\d+(\.\d{1,18})?$/.test(written)) {
        return refuse(`expected whole ${unit} as a plain decimal number with at most 18 decimals`);
      }
      const units = parseUnits(written, DECIMALS);
      if (units >= least && units <= most) return units;
      return refuse(
        `expected ${least} to 2^${most.toString(2).length} - 1 of the smallest units of ${unit} (10^18 are one)`,
      );
    })
    .prefault(amount);
}

const zPipeline = z.strictObject({
  name: text.default(DEFAULTS.name),
  version: text.default(DEFAULTS.version),
  random_seed: int().min(0).default(DEFAULTS.randomSeed),
});

const zMetaflow = z.strictObject({
  max_workers: int().min(1).max(256).default(DEFAULTS.maxWorkers),
  max_retry_count: int().min(0).max(100).default(DEFAULTS.maxRetryCount),
});

const zTrainingOf = <Type extends ModelType, Shape extends z.ZodRawShape>(
  type: Type,
  hyperparameters: z.ZodObject<Shape, z.core.$strict>,
) =>
  z.strictObject({
    framework: z.literal('reference'),
    model_type: z.literal(type),
    hyperparameters: z.preprocess((given) => (given === undefined ? {} : given), hyperparameters),
  });

const H = HYPERPARAMETERS;
const zReference = z.discriminatedUnion(
  'model_type',
  [
    zTrainingOf('LinearSVC', H.LinearSVC),
    zTrainingOf('Ridge', H.Ridge),
    zTrainingOf('RandomForestClassifier', H.RandomForestClassifier),
    zTrainingOf('RandomForestRegressor', H.RandomForestRegressor),
    zTrainingOf('GradientBoostingClassifier', H.GradientBoostingClassifier),
    zTrainingOf('GradientBoostingRegressor', H.GradientBoostingRegressor),
    zTrainingOf('MLPClassifier', H.MLPClassifier),
  ],
  { error: ({ code }) => (code === 'invalid_union' ? `expected one of ${MODEL_TYPES.join(', ')}` : undefined) },
);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const zJson: z.ZodType<Json> = z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.lazy(() => zJson))]);

/** What every program of another framework is given. */
const external = {
  /** Named by the framework, which checks them. */
  hyperparameters: z.record(text, zJson).default({}),
  /** Seconds. */
  timeout: int()
    .min(1)
    .max(30 * DAY)
    .default(3_600),
  /** Megabytes of address space. */
  memory: int()
    .min(256)
    .max(2 ** 22)
    .default(16_384),
  /** Further files and folders that it may read. */
  readable: z.array(text).default([]),
};
const zScikitLearn = z.strictObject({
  framework: z.literal('scikit-learn'),
  model_type: z.enum(Object.keys(ESTIMATORS), {
    error: ({ input }) =>
      `no estimator that is known; did you mean ${nearestFirst(String(input), Object.keys(ESTIMATORS))[0]}?`,
  }),
  /** A Python that has the packages, instead of an environment of our own. */
  python: text.optional(),
  ...external,
});
const zCommand = z.strictObject({
  framework: z.literal('command'),
  model_type: text,
  task: z.enum(['classification', 'regression']).default('classification'),
  command: z.array(text).min(1),
  ...external,
});

/** The framework, and of our own the type of model, decide what else there is to say. */
const zTraining = z.preprocess(
  (given) => (isRecord(given) ? { framework: 'reference', model_type: DEFAULTS.modelType, ...given } : given),
  z.discriminatedUnion('framework', [zReference, zScikitLearn, zCommand], {
    error: ({ code }) => (code === 'invalid_union' ? `only ${FRAMEWORKS.join(', ')} run so far` : undefined),
  }),
);
const FRAMEWORKS = ['reference', 'scikit-learn', 'command'];

/** What a configuration's models are for. */
export function taskOfTraining(training: z.infer<typeof zTraining>): Task {
  if (training.framework === 'reference') return taskOf(training.model_type);
  return training.framework === 'command' ? training.task : ESTIMATORS[training.model_type]![1];
}

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

const zEvaluation = z.strictObject({
  metrics: z.array(zMetricName).min(1).optional(),
  custom_metrics: z
    .array(zCustomMetric)
    .refine((metrics) => new Set(metrics.map(({ name }) => name)).size === metrics.length, 'a name is there twice')
    .default([]),
  test_split: z.number().gt(0).lt(1).default(DEFAULTS.testSplit),
  stratify: z.boolean().default(DEFAULTS.stratify),
});

const zValidators = int().min(1).max(16).default(DEFAULTS.validators);
const zThreshold = int().min(1).max(16).optional();
const zAlpha = z.number().gt(0).max(0.5).default(DEFAULTS.alpha);
const zRoundsPerFold = int().min(1).max(1000).default(DEFAULTS.roundsPerFold);
/** A metric that must not fall by more than so much; one whose loss may be all of it would guard nothing. */
const zGuardrail = z.strictObject({ metric: z.enum(CLASS_METRICS), max_loss_bps: int().min(0).max(9999) });
const zMaxReward = tokens(1n, DEFAULTS.maxReward);
const zEpochReward = tokens(1n, DEFAULTS.epochReward);
/** The fewest votes that two quorums of different content cannot both have. */
export const majority = (validators: number): number => Math.floor(validators / 2) + 1;

/** The bounds are those that `Policy` in `IModelRegistry.sol` states, so that a mistake costs no transaction. */
const zPolicy = z
  .strictObject({
    alpha: zAlpha,
    rounds_per_fold: zRoundsPerFold,
    metric: z.enum(METRICS).default(DEFAULTS.metric),
    min_delta_bps: int().min(0).max(9999).default(DEFAULTS.minDeltaBps),
    min_rows: int().min(1).max(MAX_BENCHMARK_ROWS).default(DEFAULTS.minRows),
    min_positives: int().min(0).max(MAX_BENCHMARK_ROWS).default(DEFAULTS.minPositives),
    guardrails: z.array(zGuardrail).max(MAX_GUARDRAILS).default([]),
    min_contribution_rows: int().min(1).max(MAX_UINT32).default(DEFAULTS.minContributionRows),
    pay: z.enum(['lower_bound', 'point']).default(DEFAULTS.pay),
    tokens_per_delta_one: tokens(100n, DEFAULTS.tokensPerDeltaOne),
    max_reward: zMaxReward,
    epoch_reward: zEpochReward,
    epoch_duration: int()
      .min(3600)
      .max(YEAR + DAY)
      .default(DEFAULTS.epochDuration),
    vesting_duration: int()
      .min(0)
      .max(4 * YEAR)
      .default(DEFAULTS.vestingDuration),
    evaluation_fee: ether(DEFAULTS.evaluationFee),
    bond: ether(DEFAULTS.bond),
    open_duration: phase(30, DEFAULTS.openDuration),
    vote_duration: phase(14, DEFAULTS.voteDuration),
    reveal_duration: phase(3, DEFAULTS.revealDuration),
    settle_duration: phase(3, DEFAULTS.settleDuration),
    delay: int()
      .min(0)
      .max(7 * DAY)
      .default(DEFAULTS.delay),
    validators: zValidators,
    threshold: zThreshold,
  })
  .refine(({ alpha, rounds_per_fold: rounds }) => alpha / rounds >= 2 ** -30 && zMicro(alpha, rounds) > 0n, {
    error: 'alpha / rounds_per_fold has to be at least 2^-30 and below 0.5',
    path: ['alpha'],
    when: ({ value }) => holds(value, { alpha: zAlpha, rounds_per_fold: zRoundsPerFold }),
  })
  .superRefine(
    ({ metric, guardrails }, { addIssue }) => {
      const metrics = guardrails.map((guardrail) => guardrail?.metric);
      for (const [at, guarded] of metrics.entries()) {
        const problem = (message: string) =>
          addIssue({ code: 'custom', path: ['guardrails', at, 'metric'], message, input: guarded });
        if (guarded !== undefined && guarded === metric)
          problem(`${guarded} is what is paid for: guard another metric`);
        if (guarded !== undefined && metrics.indexOf(guarded) < at) problem(`${guarded} has a guardrail already`);
      }
    },
    // Also of guardrails that are wrong in something else, so that everything is told at once.
    { when: ({ value }) => holds(value, { guardrails: z.array(z.unknown()) }) },
  )
  .refine(({ max_reward: reward, epoch_reward: epoch }) => reward <= epoch, {
    error: 'epoch_reward has to be at least max_reward',
    path: ['epoch_reward'],
    // They are in units already, where they are right by themselves.
    when: ({ value }) => holds(value, { max_reward: z.bigint(), epoch_reward: z.bigint() }),
  })
  .refine(({ threshold, validators }) => threshold === undefined || threshold >= majority(validators), {
    error: 'a threshold is more than half of the validators',
    path: ['threshold'],
    when: ({ value }) => holds(value, { threshold: zThreshold, validators: zValidators }),
  })
  .refine(({ threshold, validators }) => threshold === undefined || threshold <= validators, {
    error: 'a threshold is at most the number of validators',
    path: ['threshold'],
    when: ({ value }) => holds(value, { threshold: zThreshold, validators: zValidators }),
  });

/** Whether these members are right by themselves, so that what they mean together can be looked at. */
function holds(value: unknown, members: z.ZodRawShape): boolean {
  return z.object(members).safeParse(value).success;
}

/** How contributions are merged with the head's training set; the trainSpecHash binds it, so that a round pins it. */
const zIntegration = z
  .strictObject({
    mode: z.enum(['append', 'replace']).default(DEFAULTS.mode),
    key: z.array(text).default([]),
    max_replaced_bps: int().min(0).max(10_000).default(DEFAULTS.maxReplacedBps),
    max_rows: z
      .union([z.literal('all'), int().min(1).max(MAX_UINT32)], {
        error: `expected all, or a whole number from 1 to ${MAX_UINT32}`,
      })
      .default(DEFAULTS.maxRows),
  })
  .superRefine(({ mode, key, max_replaced_bps: most }, { addIssue }) => {
    const problem = (message: string, name: string, input: unknown) =>
      addIssue({ code: 'custom', path: [name], message, input });
    if (new Set(key).size < key.length) problem('a column is there twice', 'key', key);
    if (mode === 'replace' && key.length === 0) problem('name the columns by which rows replace others', 'key', key);
    if (mode === 'append' && key.length > 0) problem('there is a key in mode replace alone', 'key', key);
    if (mode === 'append' && most > 0) problem('rows are replaced in mode replace alone', 'max_replaced_bps', most);
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

type ConfigFile = z.infer<typeof zConfigFile>;

/** What is reported: the metrics that are named, else all that there are of the task. */
export function toMetrics({ training, evaluation }: ConfigFile): string[] {
  const named = evaluation.metrics ?? METRIC_NAMES[taskOfTraining(training)];
  return [...new Set(named.map((name) => name.replace('f1_score', 'f1')))];
}

/** How contributions are merged, as `integrate` takes it. */
export function toIntegration({ integration }: ConfigFile): IntegrationTerms {
  const { mode, key, max_replaced_bps: maxReplacedBps, max_rows: maxRows } = integration;
  return {
    ...(maxRows !== 'all' && { maxRows }),
    // In one order, so that it has one hash.
    ...(mode === 'replace' && { replace: { key: [...key].sort(), maxReplacedBps } }),
  };
}

/** The policy under the names that `Policy` in `IModelRegistry.sol` has for its members, as far as a file can know them. */
export function toPolicy({ policy }: ConfigFile) {
  const { alpha, rounds_per_fold: roundsPerFold } = policy;
  return {
    /** The chance of a false gain that all rounds of a fold may take together. */
    alpha,
    roundsPerFold,
    metric: policy.metric,
    gate: {
      alpha30: Number(alpha30(alpha, roundsPerFold)),
      zMicro: Number(zMicro(alpha, roundsPerFold)),
      minDeltaBps: policy.min_delta_bps,
      minRows: policy.min_rows,
      minPositives: policy.min_positives,
      guardrails: policy.guardrails.map(({ metric, max_loss_bps }) => ({ metric, maxLossBps: max_loss_bps })),
    },
    minContributionRows: policy.min_contribution_rows,
    payPoint: policy.pay === 'point',
    /** Smallest units of the token, like `maxReward`. */
    tokensPerDeltaOne: policy.tokens_per_delta_one,
    maxReward: policy.max_reward,
    epochReward: policy.epoch_reward,
    /** Seconds, like all durations. */
    epochDuration: policy.epoch_duration,
    vestingDuration: policy.vesting_duration,
    /** Wei, like the bond. */
    evaluationFee: policy.evaluation_fee,
    bond: policy.bond,
    openDuration: policy.open_duration,
    voteDuration: policy.vote_duration,
    revealDuration: policy.reveal_duration,
    settleDuration: policy.settle_duration,
    delay: policy.delay,
    threshold: policy.threshold ?? majority(policy.validators),
    /** How many there are; who they are is decided where they run. */
    validators: policy.validators,
  };
}
