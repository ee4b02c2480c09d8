import { DEFAULTS, MAX_BENCHMARK_ROWS, majority } from './config-schema.ts';
import { METRIC_NAMES } from './metrics/names.ts';
import { METRICS } from './metrics.ts';
import { MODEL_TYPES, taskOf } from './train/spec.ts';

/** What a configuration says of the table that it was made for; everything else in it is the default. */
export interface ConfigValues {
  name: string;
  randomSeed: number;
  testSplit: number;
  roundsPerFold: number;
  minRows: number;
  minContributionRows: number;
  /** What a project begins with, by its task. */
  modelType: 'LinearSVC' | 'Ridge';
}

/** The hyperparameters of a type of model, explained. */
const HYPERPARAMETERS = {
  LinearSVC: `    # Weight of the errors against the size of the weights, 0.000001 to 1000000. Default: 1.
    C: 1`,
  Ridge: `    # Weight of the size of the weights against the errors, 0.000001 to 1000000. Default: 1.
    alpha: 1`,
} as const;

/**
 * A configuration with a comment on every key. Strings are written as JSON, which is YAML as well. Longer than other
 * functions because it is the file, from top to bottom.
 */
export function configText(values: ConfigValues): string {
  const { modelType } = values;
  const isRegression = taskOf(modelType) === 'regression';
  const metrics = METRIC_NAMES[taskOf(modelType)];
  return `# Configuration of the Hokusai evaluator: \`hokusai run hokusai.yaml\`.
# A key that is left out has its default. Paths are relative to this file.

# What is evaluated, in reports and attestations.
pipeline:
  # Name. Default: ${DEFAULTS.name}.
  name: ${JSON.stringify(values.name)}
  # Version, in quotes. Default: "${DEFAULTS.version}".
  version: "${DEFAULTS.version}"
  # Seed of the split that made the files below. Whole number from 0. Default: ${DEFAULTS.randomSeed}.
  random_seed: ${values.randomSeed}

# How steps are run; the section keeps the name it had in the Python pipeline.
metaflow:
  # Steps at a time, 1 to 256. Default: ${DEFAULTS.maxWorkers}.
  max_workers: ${DEFAULTS.maxWorkers}
  # Further tries of a step that failed for a passing reason, 0 to 100. Default: ${DEFAULTS.maxRetryCount}.
  max_retry_count: ${DEFAULTS.maxRetryCount}

# How models are made.
training:
  # Trainer: "reference" gives the same bits on every machine, and what its models predict can be proven; "scikit-learn" and
  # "command" (any program) are described in docs/frameworks.md. Default: "reference".
  framework: "reference"
  # Kind of model: ${MODEL_TYPES.map((type) => `${type} for a ${taskOf(type)}`).join(', ')}. Default: ${JSON.stringify(DEFAULTS.modelType)}.
  model_type: ${JSON.stringify(modelType)}
  # Of the model type.
  hyperparameters:
${HYPERPARAMETERS[modelType]}

# How models are compared. What is paid for is policy.metric; the others are reported.
evaluation:
  # Any of ${metrics.join(', ')}.
  # Of more than two classes, one without an average is its macro average. Default: all.
  metrics: [${isRegression ? metrics.join(', ') : 'accuracy, precision, recall, f1, auroc, log_loss'}]
  # Metrics of your own, each once: "- name: profit" with "module: profit.mjs", an ES module whose default export takes
  # labels, predictions and scores and gives a number, with "timeout_seconds: ${DEFAULTS.customTimeout}" (1 to 3600) and "memory_mb: ${DEFAULTS.customMemory}" (128
  # to 65536). They are in metrics.json and evaluation.html and never paid for. Default: none.
  custom_metrics: []
  # Share of the table that is the benchmark, between 0 and 1: a record of how the files below were made, which
  # running does not use. Default: ${DEFAULTS.testSplit}.
  test_split: ${values.testSplit}
  # Whether each part has the table's share of each class; likewise a record. true or false. Default: ${DEFAULTS.stratify}.
  stratify: true

# Files. No defaults.
data:
  # What each column is and what the label's values mean, JSON.
  schema: "schema.json"
  # CSV that the baseline model is trained on.
  baseline: "baseline.csv"
  # CSV that is contributed: the candidate is trained on it and on the baseline's rows.
  contribution: "contribution.csv"
  # CSV that both models are tested on, 1 to ${MAX_BENCHMARK_ROWS} rows. Contributors must not see it.
  benchmark: "benchmark.csv"

# What is promised to contributors and asked of validators. A round pins it.
policy:
  # Chance of paying for a gain that is not real, for all rounds of a fold together; above 0, at most 0.5, and after
  # division by rounds_per_fold at least 2^-30 and below 0.5. Default: ${DEFAULTS.alpha}.
  alpha: ${DEFAULTS.alpha}
  # Rounds after which a benchmark is spent, 1 to 1000; each may take alpha / rounds_per_fold. More rounds mean that
  # each has to gain more to be accepted. Default: ${DEFAULTS.roundsPerFold}; here one for each 200 benchmark rows, 1 to 20.
  rounds_per_fold: ${values.roundsPerFold}
  # What is paid for: ${METRICS.join(', ')}; of more than two classes
  # accuracy alone, of a regression mse or mae, as skill: by how much of a constant's error it falls. By auroc models are
  # paid that rank rows: they commit to scores of 16 bits, up to 512 benchmark rows. A model keeps the one that it was
  # registered with. Default: ${DEFAULTS.metric}.
  metric: ${isRegression ? 'mse' : DEFAULTS.metric}
  # What the lower confidence bound of the gain has to exceed, in basis points (100 are one percentage point),
  # 0 to 9999. Default: ${DEFAULTS.minDeltaBps}.
  min_delta_bps: ${DEFAULTS.minDeltaBps}
  # Fewest benchmark rows, 1 to ${MAX_BENCHMARK_ROWS}. Default: ${DEFAULTS.minRows}; here all that there are.
  min_rows: ${values.minRows}
  # Fewest benchmark rows whose label is positive, 0 to ${MAX_BENCHMARK_ROWS}; for precision also fewest that either model
  # calls positive. Default: ${DEFAULTS.minPositives}.
  min_positives: ${DEFAULTS.minPositives}
  # Other metrics that must not fall, each once: "- metric: recall" with "max_loss_bps: 100" lets recall, as measured,
  # fall by one percentage point at most; 0 to 9999. Default: none.
  guardrails: []
  # Fewest rows of a contribution, 1 to 4294967295. Default: ${DEFAULTS.minContributionRows}.
  min_contribution_rows: ${values.minContributionRows}
  # What is paid for: the gain's lower confidence bound (lower_bound) or the gain as measured (point). Either has to
  # pass the same test. Default: ${DEFAULTS.pay}.
  pay: ${DEFAULTS.pay}
  # Reward for 1 DeltaOne, one percentage point, in whole tokens: a decimal number, up to 18 decimals, in quotes from
  # 16 digits on. At least 0.0000000000000001, below 2^128 / 10^18. Default: ${DEFAULTS.tokensPerDeltaOne}.
  tokens_per_delta_one: ${DEFAULTS.tokensPerDeltaOne}
  # Most that one round pays, in whole tokens, written likewise; above 0. Default: ${DEFAULTS.maxReward}.
  max_reward: ${DEFAULTS.maxReward}
  # Most that all rounds of one epoch pay, in whole tokens; at least max_reward. Default: ${DEFAULTS.epochReward}.
  epoch_reward: ${DEFAULTS.epochReward}
  # Seconds of an epoch, 3600 to 31622400 (366 days). Default: ${DEFAULTS.epochDuration} (30 days).
  epoch_duration: ${DEFAULTS.epochDuration}
  # Seconds over which a claimed reward vests, 0 (at once) to 126144000 (4 years). Default: ${DEFAULTS.vestingDuration}.
  vesting_duration: ${DEFAULTS.vestingDuration}
  # What a contributor pays the validators for their work, in ether. Default: ${DEFAULTS.evaluationFee}.
  evaluation_fee: ${DEFAULTS.evaluationFee}
  # What a contributor loses who does not open a contribution in its turn, does not deliver what was committed to, or
  # contributes rows of the benchmark, in ether. Default: ${DEFAULTS.bond}.
  bond: ${DEFAULTS.bond}
  # Seconds of a turn: to open a contribution once the model is free, and then to draw its committee. 60 to 2592000 (30
  # days). Default: ${DEFAULTS.openDuration}.
  open_duration: ${DEFAULTS.openDuration}
  # Seconds in which validators train, evaluate and commit to their votes, 60 to 1209600 (14 days). Default: ${DEFAULTS.voteDuration}.
  vote_duration: ${DEFAULTS.voteDuration}
  # Seconds in which they then reveal them, 60 to 259200 (3 days). Default: ${DEFAULTS.revealDuration}.
  reveal_duration: ${DEFAULTS.revealDuration}
  # Seconds in which a proof then settles, and once more for a rejection below the gate, 60 to 259200 (3 days). Default: ${DEFAULTS.settleDuration}.
  settle_duration: ${DEFAULTS.settleDuration}
  # Seconds from settlement to the earliest payment, time for objections, 0 to 604800 (7 days). Default: ${DEFAULTS.delay}.
  delay: ${DEFAULTS.delay}
  # Number of validators, 1 to 16; so many are started on a local chain. Default: ${DEFAULTS.validators}.
  validators: ${DEFAULTS.validators}
  # Equal votes that decide a round: more than half of the validators, at most all. Default: just more than half.
  threshold: ${majority(DEFAULTS.validators)}

# How a contribution is merged with the rows that the model has learned from. Rows that it knows are left out, and so is
# what is there twice. Validators agree on it: it is part of the trainSpecHash, which a round pins.
integration:
  # append adds its rows. replace also takes out the model's rows with the same key: a correction. Default: ${DEFAULTS.mode}.
  mode: ${DEFAULTS.mode}
  # Of mode replace: columns that together name a row, such as [patient, visit]. The schema must not ignore them, since a
  # contributor commits to no others; all features are a key, too. Rows that lack one replace nothing. Default: none.
  key: []
  # Of mode replace: most rows of each class that one contribution may replace, in basis points of the model's, 0 to
  # 10000; new rows that would replace more are left out, by the round's seed. Default: ${DEFAULTS.maxReplacedBps}, so that known keys stay as they are.
  max_replaced_bps: ${DEFAULTS.maxReplacedBps}
  # Most new rows of one contribution that are learned from, 1 to 4294967295, at least policy.min_contribution_rows; or
  # all. Of more, each class has its share, and the round's seed draws the rows. Default: ${DEFAULTS.maxRows}.
  max_rows: ${DEFAULTS.maxRows}

# Where results go.
output:
  # Folder for the runs, one folder each; HOKUSAI_OUTPUT_DIR goes first. Default: ${DEFAULTS.directory}.
  directory: ${JSON.stringify(DEFAULTS.directory)}

# Where runs are recorded for MLflow. Nothing of it is hashed or paid for.
mlflow:
  # false records nothing. Default: true.
  enabled: true
  # URL of a tracking server, http or https, or a folder in MLflow's file layout; MLFLOW_TRACKING_URI goes first. The server
  # is told the counts of rejected contributions, too. Default: ${DEFAULTS.trackingUri}.
  tracking_uri: ${JSON.stringify(DEFAULTS.trackingUri)}
  # Up to 500 characters; MLFLOW_EXPERIMENT_NAME goes first. Default: pipeline.name.
  experiment_name: ${JSON.stringify(values.name)}

# What is proven. scored: the counts follow from the committed labels and predictions. inferred: and the predictions from
# the two committed models on the committed benchmark (up to 30 or 64 features; minutes more of proving; of an
# MLPClassifier not by auroc). Default: scored.
assurance: scored
`;
}
