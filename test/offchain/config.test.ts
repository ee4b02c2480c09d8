import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { isMap, type ParsedNode, parseDocument } from 'yaml';
import { ENVIRONMENT } from '../../offchain/config/environment.ts';
import { knownKeys, trainings } from '../../offchain/config/keys.ts';
import { loadConfig } from '../../offchain/config/load.ts';
import type { ConfigProblem } from '../../offchain/config/problems.ts';
import { configText } from '../../offchain/config/text.ts';
import { HokusaiError } from '../../offchain/errors.ts';
import { METRIC_NAMES } from '../../offchain/metrics/names.ts';
import { MODEL_TYPES } from '../../offchain/train/spec.ts';
import { configurationPage } from '../../scripts/configuration-page.ts';

/** Other words that begin with MLFLOW are codes of errors. */
const VARIABLE = /\b(?:HOKUSAI_|METAFLOW_|MLFLOW_TRACKING_|MLFLOW_EXPERIMENT_NAME|AWS_)(?:[A-Z_]*[A-Z])?\b/g;

const folder = mkdtempSync(join(tmpdir(), 'hokusai-config-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'hokusai.yaml');

const DATA = 'data: { schema: schema.json, baseline: a/b.csv, contribution: ../c.csv, benchmark: /d.csv }';
/** As users of the Python pipeline wrote it. */
const PYTHON = `pipeline: { name: "hokusai-evaluation", version: "1.0.0", random_seed: 42 }
metaflow: { max_workers: 4, max_retry_count: 3 }
training:
  framework: "scikit-learn"
  model_type: "RandomForestClassifier"
  hyperparameters: { n_estimators: 100, max_depth: 10 }
evaluation: { test_split: 0.2, stratify: true, metrics: [accuracy, precision, recall, f1_score, auroc] }
${DATA}
`;

function load(source: string | Uint8Array, environment: NodeJS.ProcessEnv = {}) {
  writeFileSync(file, source);
  return loadConfig(file, environment);
}

function problemsOf(source: string | Uint8Array): { code: string; problems: ConfigProblem[] } {
  try {
    load(source);
  } catch (error) {
    assert(error instanceof HokusaiError && error.kind === 'configuration' && error.next !== undefined);
    const problems = error.details.problems as ConfigProblem[];
    const told = problems.map(({ line, path }) => (path === '' ? `${file}:${line}: ` : `${file}:${line}: ${path}: `));
    for (const [at, line] of error.message.split('\n').entries()) assert(line.startsWith(told[at]!), line);
    return { code: error.code, problems };
  }
  return { code: 'none', problems: [] };
}

describe('loadConfig', () => {
  it('takes what users of the Python pipeline wrote, once the framework is one that runs', () => {
    const { framework, ...rest } = { framework: 'reference', model: 'LinearSVC', C: '{ C: 0.5 }' };
    const config = load(
      PYTHON.replace('scikit-learn', framework)
        .replace('RandomForestClassifier', rest.model)
        .replace(/\{ n_.*\}/, rest.C),
    );
    assert.deepEqual(config.pipeline, { name: 'hokusai-evaluation', version: '1.0.0', randomSeed: 42 });
    assert.deepEqual(config.metaflow, { maxWorkers: 4, maxRetryCount: 3 });
    assert.deepEqual(config.training, {
      framework: 'reference',
      modelType: 'LinearSVC',
      hyperparameters: { C: 0.5, class_weight: null },
    });
    const metrics = ['accuracy', 'precision', 'recall', 'f1', 'auroc'];
    assert.deepEqual(config.evaluation, {
      metrics,
      customMetrics: [],
      learningCurve: 0,
      testSplit: 0.2,
      stratify: true,
    });
    assert.deepEqual(config.warnings, []);
  });

  it('says one thing of another framework, not what follows from it', () => {
    const message = 'expected one of reference, scikit-learn, pytorch, tensorflow, command; did you mean tensorflow?';
    assert.deepEqual(problemsOf(PYTHON.replace('scikit-learn', 'tensorfow')), {
      code: 'CONFIG_INVALID',
      problems: [{ line: 4, path: 'training.framework', message }],
    });
  });

  it('runs what users of the Python pipeline wrote, with scikit-learn and its hyperparameters', () => {
    const { training } = load(PYTHON);
    assert.deepEqual(training, {
      ...{ framework: 'scikit-learn', modelType: 'RandomForestClassifier', task: 'classification' },
      hyperparameters: { n_estimators: 100, max_depth: 10 },
      ...{ readable: [], timeout: 3_600, memory: 2 ** 34 },
    });
    const command = PYTHON.replace('scikit-learn', 'command').replace('\nevaluation', '\n  command: [a]\nevaluation');
    const { training: own } = load(`${command}output: { directory: here }`);
    assert(own.framework === 'command');
    assert.deepEqual([own.readable, own.hidden], [[folder], [join(folder, 'here')]]);
  });

  /** As users of the Python pipeline wrote it, with networks. */
  const network = (framework: string, more = '', hyperparameters = '{ epochs: 5, hidden_layer_sizes: [8, 4] }') =>
    PYTHON.replace('scikit-learn', framework)
      .replace('RandomForestClassifier', 'MLPClassifier')
      .replace(/\{ n_.*\}/, `${hyperparameters}${more}`);

  it('runs networks of pytorch and tensorflow by the same words, with all defaults', () => {
    const [one, other] = ['pytorch', 'tensorflow'].map((framework) => load(network(framework)).training);
    assert(one?.framework === 'pytorch' && other?.framework === 'tensorflow');
    assert.deepEqual(one.hyperparameters, other.hyperparameters);
    assert.deepEqual(one.hyperparameters, {
      ...{ hidden_layer_sizes: [8, 4], activation: 'relu', dropout: 0, epochs: 5, batch_size: 32 },
      ...{ learning_rate: 0.001, optimizer: 'adam', weight_decay: 0, early_stopping: false, validation_fraction: 0.1 },
      ...{ patience: 10, checkpoint_every: 10, random_state: 0, class_weight: null },
    });
    assert.deepEqual(one.runtime, { device: 'cpu', precision: 'float32', parallel: 'none' });
    assert.deepEqual(other.runtime, { backend: 'wasm', device: 'cpu', precision: 'float32' });
    assert.deepEqual([one.readable, one.task, other.task], [[], 'classification', 'classification']);
    const module = PYTHON.replace('scikit-learn', 'pytorch')
      .replace('RandomForestClassifier', 'NeuralNetClassifier')
      .replace(/\{ n_.*\}/, '{}\n  module: nets/net.py');
    const { training } = load(module);
    assert(training.framework === 'pytorch' && training.module === join(folder, 'nets/net.py'));
  });

  it('says all that is wrong with a network at once, with the nearest names', () => {
    const told = (source: string) =>
      Object.fromEntries(
        problemsOf(source).problems.map(({ path, message }) => [path.replace('training.', ''), message]),
      );
    const wrong = '{ epoch: 5, optimizer: adamm, dropout: 2, hidden_layer_sizes: 8 }';
    const found = told(network('tensorflow', '\n  precision: float16\n  device: cuda\n  python: x', wrong));
    assert.deepEqual(Object.keys(found).sort(), [
      ...['device', 'hyperparameters.dropout', 'hyperparameters.epoch', 'hyperparameters.hidden_layer_sizes'],
      ...['hyperparameters.optimizer', 'precision', 'python'],
    ]);
    assert.match(found['hyperparameters.epoch']!, /did you mean epochs/);
    assert.match(found.precision!, /no mixed precision: framework pytorch has/);
    assert.match(found.device!, /have no GPU/);
    const forest = told(PYTHON.replace('scikit-learn', 'pytorch'));
    assert.deepEqual(Object.keys(forest), ['model_type']);
    assert.match(forest.model_type!, /^pytorch trains MLPClassifier, .*; did you mean NeuralNetClassifier\?$/);
    for (const module of ['/net.py', '../net.py', 'net.pt']) {
      const source = network('pytorch', `\n  module: ${module}`, '{}').replace('MLP', 'NeuralNet');
      assert.match(told(source).module!, /expected a .py file in the folder of this configuration/);
    }
  });

  it('refuses to prove what other frameworks predict, estimators that there are not, and keys of another framework', () => {
    const told = (source: string) =>
      Object.fromEntries(problemsOf(source).problems.map(({ path, message }) => [path, message]));
    assert.match(told(`${PYTHON}assurance: inferred\n`).assurance ?? '', /is not proven/);
    const other = PYTHON.replace('Forest', 'Forrest').replace('\nevaluation', '\n  command: [a]\nevaluation');
    const problems = told(other);
    assert.match(problems['training.model_type'] ?? '', /did you mean RandomForestClassifier/);
    assert.match(problems['training.command'] ?? '', /unknown key/);
  });

  it('fills in defaults, and paths relative to the file', () => {
    const config = load(DATA);
    assert.deepEqual(config, {
      file,
      warnings: [],
      pipeline: { name: 'hokusai-evaluation', version: '1.0.0', randomSeed: 42 },
      metaflow: { maxWorkers: 4, maxRetryCount: 3 },
      training: { framework: 'reference', modelType: 'LinearSVC', hyperparameters: { C: 1, class_weight: null } },
      evaluation: {
        metrics: METRIC_NAMES.classification.filter((name) => !name.startsWith('f1_score')),
        ...{ customMetrics: [], learningCurve: 0, testSplit: 0.2, stratify: true },
      },
      data: {
        schema: join(folder, 'schema.json'),
        baseline: join(folder, 'a/b.csv'),
        contribution: resolve(folder, '../c.csv'),
        benchmark: '/d.csv',
      },
      policy: {
        alpha: 0.05,
        roundsPerFold: 20,
        metric: 'accuracy',
        gate: {
          alpha30: 2_684_354,
          zMicro: 2_807_034,
          minDeltaBps: 0,
          minRows: 1000,
          minPositives: 0,
          guardrails: [],
        },
        minContributionRows: 50,
        payPoint: false,
        tokensPerDeltaOne: 100n * 10n ** 18n,
        maxReward: 1000n * 10n ** 18n,
        epochReward: 10_000n * 10n ** 18n,
        epochDuration: 2_592_000,
        vestingDuration: 0,
        evaluationFee: 10n ** 16n,
        bond: 10n ** 16n,
        openDuration: 86_400,
        voteDuration: 86_400,
        revealDuration: 3600,
        settleDuration: 21_600,
        delay: 3600,
        threshold: 2,
        validators: 3,
      },
      integration: {},
      output: { directory: join(folder, 'runs'), cacheBytes: 2 ** 31 },
      mlflow: { enabled: true, trackingUri: join(folder, 'mlruns'), experimentName: 'hokusai-evaluation' },
      assurance: 'scored',
      resources: { logLevel: 'info' },
    });
    assert.equal(load(`${DATA}\npolicy: { validators: 8, pay: point }`).policy.threshold, 5);
    assert.equal(load(`${DATA}\npolicy: { validators: 8, pay: point }`).policy.payPoint, true);
  });

  it('takes a regression, with its own hyperparameters and metrics', () => {
    const training = 'training: { model_type: Ridge, hyperparameters: { alpha: 0.5 } }';
    const config = load(`${DATA}\n${training}\npolicy: { metric: mae }`);
    const { modelType, hyperparameters } = config.training;
    assert.deepEqual([modelType, hyperparameters], ['Ridge', { alpha: 0.5 }]);
    assert.deepEqual(config.evaluation.metrics, ['mse', 'mae', 'r2', 'mape']);
    assert.equal(config.policy.metric, 'mae');
    const silent = load(`${DATA}\ntraining: { model_type: Ridge }\npolicy: { metric: mse }`);
    assert.deepEqual(silent.training.hyperparameters, { alpha: 1 });
  });

  it('refuses metrics, guardrails and hyperparameters of another task, and types that there are not', () => {
    const found = (source: string) =>
      problemsOf(`${DATA}\n${source}`).problems.map(({ line, path, message }) => [line, path, message]);
    const text = (names: string) => `Ridge is for a regression, and its metrics are ${names}`;
    assert.deepEqual(
      found(`training: { model_type: Ridge }
evaluation: { metrics: [mse, recall] }
policy:
  guardrails: [{ metric: recall, max_loss_bps: 1 }]`),
      [
        [3, 'evaluation.metrics.1', text('mse, mae, r2, mape')],
        [4, 'policy.metric', text('mse, mae')],
        [5, 'policy.guardrails', 'the counts of a regression tell of its own metric alone: there is no other to guard'],
      ],
    );
    assert.deepEqual(
      found('policy: { metric: auroc, guardrails: [{ metric: recall, max_loss_bps: 1 }] }').map(([, path, text]) => [
        path,
        text,
      ]),
      [['policy.guardrails', 'the counts of auroc tell of it alone: there is no other to guard']],
    );
    const [[line, path, message]] = found('policy: { metric: mse }') as [[number, string, string]];
    assert.deepEqual([line, path], [2, 'policy.metric']);
    assert.match(message, /^LinearSVC is for a classification, and its metrics are accuracy, /);
    assert.deepEqual(found('training: { model_type: Ridge, hyperparameters: { C: 1 } }\npolicy: { metric: mse }'), [
      [2, 'training.hyperparameters.C', 'unknown key, did you mean alpha? Known here: alpha'],
    ]);
    assert.deepEqual(found('training: { model_type: MLPClassifier, hyperparameters: { max_iter: 1.5 } }'), [
      [2, 'training.hyperparameters.max_iter', 'wrong type, expected a whole number'],
    ]);
    assert.deepEqual(found('training: { model_type: SVC }'), [
      [2, 'training.model_type', `expected one of ${MODEL_TYPES.join(', ')}`],
    ]);
  });

  it('takes every metric by name, and refuses unknown ones with the nearest known one, all at once', () => {
    for (const name of METRIC_NAMES.classification) {
      const { metrics } = load(`${DATA}\nevaluation: { metrics: [${name}] }`).evaluation;
      assert.deepEqual(metrics, [name.replace('f1_score', 'f1')]);
    }
    const { problems } = problemsOf(`${DATA}
evaluation:
  metrics: [acuracy, recall_makro, logloss, auroc, roc]
  custom_metrics:
    - { name: accuracy, module: a.mjs }
    - { name: Profit, module: a.mjs, memory_mb: 1 }
    - { name: profit }`);
    assert.deepEqual(
      problems.map(({ line, path, message }) => [line, path, message.split('?')[0]]),
      [
        [3, 'evaluation.metrics.0', 'unknown metric, did you mean accuracy'],
        [3, 'evaluation.metrics.1', 'unknown metric, did you mean recall_macro'],
        [3, 'evaluation.metrics.2', 'unknown metric, did you mean log_loss'],
        [3, 'evaluation.metrics.4', 'unknown metric, did you mean auroc'],
        [5, 'evaluation.custom_metrics.0.name', 'there is a metric of that name'],
        [6, 'evaluation.custom_metrics.1.name', 'expected lower-case letters, digits and underscores'],
        [6, 'evaluation.custom_metrics.1.memory_mb', 'Too small: expected number to be >=128'],
        [7, 'evaluation.custom_metrics.2.module', 'missing, expected a string'],
      ],
    );
  });

  it('takes metrics of the owner, once each, and warns of a module that is not there', () => {
    const twice = `${DATA}\nevaluation: { custom_metrics: [{ name: a, module: x.mjs }, { name: a, module: y.mjs }] }`;
    assert.equal(problemsOf(twice).problems[0]!.message, 'a name is there twice');
    const { evaluation, warnings } = load(`${DATA}
evaluation:
  custom_metrics:
    - name: profit
      module: metrics/profit.mjs
      timeout_seconds: 2.5`);
    const module = join(folder, 'metrics/profit.mjs');
    assert.deepEqual(evaluation.customMetrics, [{ name: 'profit', module, timeoutSeconds: 2.5, memoryMb: 512 }]);
    const path = 'evaluation.custom_metrics.0.module';
    assert.deepEqual(warnings, [{ line: 5, path, message: 'is not there, so the metric will fail' }]);
  });

  it('takes any metric of the score circuit, with guardrails on others', () => {
    const guardrails = '[{ metric: accuracy, max_loss_bps: 100 }, { metric: f1, max_loss_bps: 0 }]';
    const { policy } = load(`${DATA}\npolicy: { metric: recall, min_positives: 30, guardrails: ${guardrails} }`);
    assert.equal(policy.metric, 'recall');
    assert.equal(policy.gate.minPositives, 30);
    assert.deepEqual(policy.gate.guardrails, [
      { metric: 'accuracy', maxLossBps: 100 },
      { metric: 'f1', maxLossBps: 0 },
    ]);
    for (const metric of ['accuracy', 'precision', 'recall', 'f1']) {
      assert.equal(load(`${DATA}\npolicy: { metric: ${metric} }`).policy.metric, metric);
    }
    const named = load(`${DATA}\nevaluation: { metrics: [f1, f1_score] }`).evaluation.metrics;
    assert.deepEqual(named, ['f1'], 'as the Python pipeline calls it, too');
  });

  it('reports all that is wrong with metric and guardrails at once', () => {
    const found = ({ problems }: ReturnType<typeof problemsOf>) =>
      problems.map(({ line, path, message }) => [line, path.replace('policy.', ''), message]);
    const source = `${DATA}
policy:
  metric: recall
  min_positives: -1
  guardrails:
    - metric: precision
      max_loss_bps: 10000
    - metric: recall
      max_loss_bps: 100
    - metric: mcc
      max_loss_bps: 0.5
    - max_los_bps: 3
      metric: precision
    - accuracy
`;
    const [options, max] = ['Invalid option: expected one of "accuracy"|"precision"|"recall"|"f1"', 'max_loss_bps'];
    assert.deepEqual(found(problemsOf(source)), [
      [4, 'min_positives', 'Too small: expected number to be >=0'],
      [7, 'guardrails.0.max_loss_bps', 'Too big: expected number to be <=9999'],
      [8, 'guardrails.1.metric', 'recall is what is paid for: guard another metric'],
      [10, 'guardrails.2.metric', options],
      [11, 'guardrails.2.max_loss_bps', 'wrong type, expected a whole number'],
      [12, 'guardrails.3.max_loss_bps', 'missing, expected a number'],
      [12, 'guardrails.3.max_los_bps', `unknown key, did you mean ${max}? Known here: ${max}, metric`],
      [13, 'guardrails.3.metric', 'precision has a guardrail already'],
      [14, 'guardrails.4', 'wrong type, expected keys and values'],
    ]);
    assert.deepEqual(found(problemsOf(`${DATA}\npolicy: { metric: f1_score, guardrails: recall }`)), [
      [2, 'metric', `${options}|"auroc"|"mse"|"mae"`],
      [2, 'guardrails', 'wrong type, expected a list'],
    ]);
    const many = (count: number) => {
      const all = Array.from({ length: count }, () => '{ metric: recall, max_loss_bps: 1 }').join(', ');
      return found(problemsOf(`${DATA}\npolicy: { guardrails: [${all}] }`)).map(([, path]) => path);
    };
    const again = [1, 2, 3, 4, 5, 6, 7].map((at) => `guardrails.${at}.metric`);
    assert.deepEqual([many(8), many(9)], [again, ['guardrails']]);
  });

  it('takes how contributions are merged, and refuses a limit that no contribution would pass', () => {
    const found = (terms: string) =>
      problemsOf(`${DATA}\n${terms}`).problems.map(({ line, path, message }) => [line, path, message.split(',')[0]]);
    assert.deepEqual(load(`${DATA}\nintegration: { max_rows: 50 }`).integration, { maxRows: 50 });
    assert.deepEqual(load(`${DATA}\nintegration: { max_rows: all }`).integration, {});
    assert.deepEqual(load(`${DATA}\nintegration: { near_bps: 9000 }`).integration, { nearBps: 9000 });
    assert.deepEqual(load(`${DATA}\nintegration: { near_bps: none }`).integration, {});
    const { replace } = load(`${DATA}\nintegration: { mode: replace, key: [b, a], max_replaced_bps: 9 }`).integration;
    assert.deepEqual(replace, { key: ['a', 'b'], maxReplacedBps: 9 });
    assert.deepEqual(found('integration: { mode: replace }'), [
      [2, 'integration.key', 'name the columns by which rows replace others'],
    ]);
    assert.deepEqual(found('integration: { key: [a, a], max_replaced_bps: 1 }'), [
      [2, 'integration.key', 'a column is there twice'],
      [2, 'integration.key', 'there is a key in mode replace alone'],
      [2, 'integration.max_replaced_bps', 'rows are replaced in mode replace alone'],
    ]);
    const low = [2, 'integration.max_rows', 'has to be at least policy.min_contribution_rows'];
    assert.deepEqual(found('integration: { max_rows: 49 }'), [low]);
    for (const value of ['some', '0', '1.5', '4294967296', '-1']) {
      const [[line, path, message], ...more] = found(`integration: { max_rows: ${value} }`) as [
        [number, string, string],
      ];
      assert.deepEqual([line, path, more.length], [2, 'integration.max_rows', 0], value);
      assert.match(message, /expected|wrong type/);
    }
  });

  it('takes the path and the output directory from the environment', () => {
    const directory = (environment: NodeJS.ProcessEnv) => loadConfig(undefined, environment).output.directory;
    load(`${DATA}\noutput: { directory: here }`);
    assert.equal(directory({ HOKUSAI_CONFIG_PATH: file }), join(folder, 'here'));
    assert.equal(directory({ HOKUSAI_CONFIG_PATH: file, HOKUSAI_OUTPUT_DIR: 'there' }), resolve('there'));
    assert.equal(directory({ HOKUSAI_CONFIG_PATH: file, HOKUSAI_OUTPUT_DIR: '' }), join(folder, 'here'));
    assert.equal(loadConfig(file, { HOKUSAI_CONFIG_PATH: '/no/such/file' }).file, file);
    assert.throws(() => loadConfig(undefined, {}), { code: 'CONFIG_UNREADABLE', kind: 'configuration' });
    assert.throws(() => loadConfig(folder, {}), {
      code: 'CONFIG_UNREADABLE',
      details: { file: folder, reason: 'EISDIR' },
    });
  });

  it('takes where runs are recorded from the environment, else from the file, else from the defaults', () => {
    const source = `${DATA}\npipeline: { name: Tumours }\nmlflow: { tracking_uri: ../runs, experiment_name: Ours }`;
    assert.deepEqual(load(source).mlflow, {
      enabled: true,
      trackingUri: resolve(folder, '../runs'),
      experimentName: 'Ours',
    });
    const environment = { MLFLOW_TRACKING_URI: 'https://example.org/', MLFLOW_EXPERIMENT_NAME: 'Theirs' };
    const { trackingUri, experimentName } = load(source, environment).mlflow;
    assert.deepEqual([trackingUri, experimentName], ['https://example.org/', 'Theirs']);
    assert.equal(load(source, { MLFLOW_TRACKING_URI: 'there' }).mlflow.trackingUri, resolve('there'));
    assert.equal(load(source, { MLFLOW_TRACKING_URI: '' }).mlflow.trackingUri, resolve(folder, '../runs'));
    assert.equal(load(`${DATA}\npipeline: { name: Tumours }`).mlflow.experimentName, 'Tumours');
    assert.equal(load(`${DATA}\nmlflow: { enabled: false }`).mlflow.enabled, false);
    assert.deepEqual(problemsOf(`${DATA}\nmlflow: { tracking_uri: "sqlite:///a.db" }`).problems, [
      { line: 2, path: 'mlflow.tracking_uri', message: 'expected an http(s) URL or a folder' },
    ]);
  });

  it('reports all problems at once, each with its path and line', () => {
    const source = `pipeline: { version: 1.0 }
max_workers: 3
evaluation:
  metrics:
    - accuracy
    - mcc
  test_split: 1
policy:
  alhpa: 0.05
  alpha: 0.5
  rounds_per_fold: 1
  validators: 5
  threshold: 2
  max_reward: 0.12345678901234567
  tokens_per_delta_one: 1e30
  min_delta_bps:
  pay: both
output:
assurance: trained
__proto__: 1
`;
    const { code, problems } = problemsOf(source);
    assert.equal(code, 'CONFIG_INVALID');
    assert.deepEqual(
      problems.map(({ line, path, message }) => [line, path, message.split(/[,:]/)[0]]),
      [
        [1, 'pipeline.version', 'wrong type'],
        [1, 'data', 'missing'],
        [2, 'max_workers', 'unknown key here'],
        [6, 'evaluation.metrics.1', 'unknown metric'],
        [7, 'evaluation.test_split', 'Too big'],
        [9, 'policy.alhpa', 'unknown key'],
        [10, 'policy.alpha', 'alpha / rounds_per_fold has to be at least 2^-30 and below 0.5'],
        [13, 'policy.threshold', 'a threshold is more than half of the validators'],
        [14, 'policy.max_reward', 'an amount of more than 15 digits has to be in quotes'],
        [15, 'policy.tokens_per_delta_one', 'expected whole tokens as a plain decimal number with at most 18 decimals'],
        [16, 'policy.min_delta_bps', 'no value'],
        [17, 'policy.pay', 'Invalid option'],
        [18, 'output', 'no value'],
        [19, 'assurance', 'only scored and inferred run so far'],
        [20, '__proto__', 'unknown key'],
      ],
    );
    const [, , elsewhere, , , near] = problems;
    assert(elsewhere!.message.endsWith('did you mean metaflow.max_workers?'));
    assert(near!.message.startsWith('unknown key, did you mean alpha? Known here: alpha, '));
  });

  const broken: [name: string, source: string | Uint8Array, code: string, lines: number[]][] = [
    ['two syntax errors', 'a: [1\nb: 2\n c: "x', 'CONFIG_NOT_YAML', [2, 2, 2, 3]],
    ['a key twice', `${DATA}\npolicy: {}\npolicy: {}`, 'CONFIG_NOT_YAML', [3]],
    ['tabs', 'data:\n\tschema: x', 'CONFIG_NOT_YAML', [2]],
    ['two documents', `${DATA}\n---\n${DATA}`, 'CONFIG_NOT_YAML', [2]],
    ['an unknown tag', `${DATA}\nassurance: !level scored`, 'CONFIG_NOT_YAML', [2]],
    ['aliases', `${DATA}\noutput: &o { directory: x }\npolicy: *o\npipeline: *p`, 'CONFIG_NOT_YAML', [3, 4]],
    ['other than UTF-8', Uint8Array.of(0x61, 0x3a, 0xff), 'CONFIG_NOT_YAML', [1]],
    ['an empty file', '', 'CONFIG_INVALID', [1]],
    ['a list', '- 1', 'CONFIG_INVALID', [1]],
  ];
  for (const [name, source, code, lines] of broken) {
    it(`refuses ${name}`, () => {
      const found = problemsOf(source);
      assert.deepEqual([found.code, found.problems.map(({ line }) => line)], [code, lines]);
    });
  }
});

describe('the environment', () => {
  it('limits proving and says what is told', () => {
    const environment = { METAFLOW_MEMORY: '4096', METAFLOW_CPU: '2', HOKUSAI_LOG_LEVEL: 'WARNING' };
    assert.deepEqual(load(DATA, environment).resources, { memory: 4.096e9, processors: 2, logLevel: 'warning' });
    assert.deepEqual(load(DATA).resources, { logLevel: 'info' });
  });

  it('refuses everything that is wrong in it at once', () => {
    const environment = { METAFLOW_MEMORY: '4GB', METAFLOW_CPU: '0', HOKUSAI_LOG_LEVEL: 'loud' };
    assert.throws(
      () => load(DATA, environment),
      (error: HokusaiError) =>
        error.kind === 'configuration' &&
        error.code === 'ENVIRONMENT_INVALID' &&
        Object.entries(environment).every(([name, value]) => error.message.includes(`${name} is ${value}, expected`)),
    );
  });

  it('is described as far as it is read', () => {
    const read = globSync('offchain/**/*.ts').flatMap((path) => readFileSync(path, 'utf8').match(VARIABLE) ?? []);
    const described = ENVIRONMENT.flatMap(({ name }) => name.split(', '));
    assert.deepEqual([...new Set(read)].sort(), [...described].sort());
  });
});

describe('docs/configuration.md', () => {
  it('is what the schema says', () => assert.equal(readFileSync('docs/configuration.md', 'utf8'), configurationPage()));

  it('says of every key what it means', () => {
    for (const { path, means } of [...knownKeys(), ...trainings().flatMap(({ keys }) => keys)]) {
      assert.notEqual(means, '', path.join('.'));
    }
  });
});

describe('the text that init writes', () => {
  for (const modelType of ['LinearSVC', 'Ridge'] as const) {
    it(`explains every key once, for ${modelType}`, () => explainsEveryKey(modelType));
  }
});

function explainsEveryKey(modelType: 'LinearSVC' | 'Ridge'): void {
  const values = {
    name: 'a "b"\n',
    modelType,
    randomSeed: 7,
    testSplit: 0.5,
    roundsPerFold: 3,
    minRows: 200,
  };
  const source = configText({ ...values, minContributionRows: 10 });
  const lines = source.split('\n');
  const isComment = (line: string | undefined): boolean => line?.trimStart().startsWith('# ') ?? false;
  for (const [at, line] of lines.entries()) if (/^ *\w+:/.test(line)) assert(isComment(lines[at - 1]), line);
  const keysOf = (node: ParsedNode | null): string[][] =>
    isMap(node)
      ? node.items.flatMap(({ key, value }) => [[String(key)], ...keysOf(value).map((path) => [String(key), ...path])])
      : [];
  const paths = keysOf(parseDocument(source).contents).map((path) => path.join('.'));
  assert.deepEqual(
    [...paths, ...[...source.matchAll(/^ *# (\w+):$/gm)].map(([, name]) => name)].map((path) =>
      path!.split('.').at(-1),
    ),
    knownKeys(modelType)
      .filter(({ path }) => !/^(policy\.guardrails|evaluation\.custom_metrics)\./.test(path.join('.')))
      .map(({ path }) => path.at(-1)),
  );
  // Of a list that is empty, the comment says which keys an item has.
  const comments = source.replaceAll(/\n *# /g, ' ');
  for (const list of ['guardrails', 'custom_metrics']) {
    const items = knownKeys().filter(({ path }) => path.at(-2) === list);
    assert(items.length > 0 && comments.includes(`keys ${items.map(({ path }) => path.at(-1)).join(', ')}.`));
  }
  const config = load(source);
  assert.equal(config.policy.metric, modelType === 'Ridge' ? 'mse' : 'accuracy');
  assert.equal(config.pipeline.name, values.name);
  assert.deepEqual(
    [config.policy.gate.minRows, config.policy.roundsPerFold, config.policy.minContributionRows],
    [200, 3, 10],
  );
  assert.deepEqual(config.warnings, []);
}
