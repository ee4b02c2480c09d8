import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelType } from '../../offchain/train/spec.ts';
import type { Figure } from '../bench.ts';
import { type BenchTable, writeExamples, writeSynthetic } from './train-tables.ts';

const ROWS = [100_000, 1_000_000];
const WIDTH = 30;
/** Times are the best of so many runs where a run is short: what else the machine does can only add to them. */
const RUNS = 3;
const SHORT_SECONDS = 10;

/** What one training took; the score is accuracy, or R2. */
export interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly predictSeconds: number;
  readonly score: number;
  readonly peakMB: number;
}

/** What a child process is told. */
export interface Job {
  readonly folder: string;
  readonly table: BenchTable;
  readonly modelType: ModelType;
  readonly hyperparameters: Readonly<Record<string, unknown>>;
  readonly peer: Peer;
}

/** An estimator of scikit-learn. */
interface Peer {
  readonly module: string;
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** What ours learns by, and those it is measured against: as alike as both can say it. */
interface Compared {
  readonly hyperparameters?: Readonly<Record<string, unknown>>;
  readonly peers: readonly Peer[];
  /** Of a million rows, so that a bench ends within an hour. */
  readonly large?: Readonly<Record<string, unknown>>;
}

const forest = (kind: 'Classifier' | 'Regressor'): Compared => {
  // A regressor looks at all features, and takes scikit-learn some 30 times as long for a tree.
  const shared = { n_estimators: kind === 'Classifier' ? 100 : 10, max_depth: 10, random_state: 0 };
  const parameters = { ...shared, n_jobs: -1 };
  return {
    hyperparameters: shared,
    peers: [{ module: 'ensemble', name: `RandomForest${kind}`, parameters }],
    large: { n_estimators: 10 },
  };
};
const boosting = (kind: 'Classifier' | 'Regressor'): Compared => {
  const shared = { max_depth: 3, learning_rate: 0.1, random_state: 0 };
  const histogram = { ...shared, max_iter: 100, early_stopping: false };
  return {
    hyperparameters: { ...shared, n_estimators: 100 },
    peers: [
      { module: 'ensemble', name: `HistGradientBoosting${kind}`, parameters: histogram },
      { module: 'ensemble', name: `GradientBoosting${kind}`, parameters: { ...shared, n_estimators: 100 } },
    ],
  };
};

/** What is measured, and can be named. */
export const TRAINED: Readonly<Partial<Record<ModelType, Compared>>> = {
  LinearSVC: { peers: [{ module: 'svm', name: 'LinearSVC', parameters: { C: 1, dual: false } }] },
  LogisticRegression: {
    hyperparameters: { max_iter: 1000 },
    peers: [{ module: 'linear_model', name: 'LogisticRegression', parameters: { C: 1, max_iter: 1000 } }],
  },
  Ridge: { peers: [{ module: 'linear_model', name: 'Ridge', parameters: { alpha: 1 } }] },
  RandomForestClassifier: forest('Classifier'),
  RandomForestRegressor: forest('Regressor'),
  GradientBoostingClassifier: boosting('Classifier'),
  GradientBoostingRegressor: boosting('Regressor'),
};

/** Estimators that would take a quarter of an hour and more for a million rows. */
const SMALL_ONLY = new Set(['GradientBoostingClassifier', 'GradientBoostingRegressor']);

/**
 * What training takes on the examples and on synthetic tables of 30 columns, beside scikit-learn where `HOKUSAI_BENCH_PYTHON` (or
 * python3) has it.
 *
 * @param parts - types of model
 * @param rows - of the one synthetic table
 */
export async function* benchTrain(parts: readonly string[], rows?: number): AsyncIterable<Figure> {
  const folder = mkdtempSync(join(tmpdir(), 'hokusai-bench-train-'));
  try {
    const version = peerVersion();
    if (!version) console.error(`${python()} has no scikit-learn (HOKUSAI_BENCH_PYTHON names another): ours alone.\n`);
    const synthetic = (count: number) =>
      [0, 2].map((classes) => writeSynthetic(folder, count, WIDTH, classes as 0 | 2));
    const tables = rows ? synthetic(rows) : [...(await writeExamples(folder)), ...ROWS.flatMap(synthetic)];
    for (const [modelType, compared] of Object.entries(TRAINED)) {
      if (parts.length > 0 && !parts.includes(modelType)) continue;
      for (const table of tables) {
        if (!learns(modelType, table)) continue;
        yield* figures({ folder, table, modelType: modelType as ModelType }, compared, version);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function learns(modelType: string, { classes }: BenchTable): boolean {
  if (modelType === 'Ridge' || modelType.endsWith('Regressor')) return classes === 0;
  return modelType === 'GradientBoostingClassifier' ? classes === 2 : classes > 0;
}

function* figures(
  job: Pick<Job, 'folder' | 'table' | 'modelType'>,
  { hyperparameters, peers, large }: Compared,
  version: string | undefined,
): Iterable<Figure> {
  const { table, modelType } = job;
  const own = table.rows >= 1_000_000 ? large : {};
  const costs = (program: string, script: string, peer: Peer) => {
    const parameters = { ...peer.parameters, ...own };
    const whole = { ...job, hyperparameters: { ...hyperparameters, ...own }, peer: { ...peer, parameters } };
    return best(program, join(import.meta.dirname, script), whole);
  };
  const ours = costs(process.execPath, 'train-child.ts', peers[0]!);
  if (!ours) throw new Error(`${modelType} failed on ${table.name}`);
  for (const peer of peers) {
    if (table.rows >= 1_000_000 && SMALL_ONLY.has(peer.name)) continue;
    const theirs = version === undefined ? undefined : costs(python(), 'train-peer.py', peer);
    for (const [key, unit] of Object.entries(UNITS) as [keyof Cost, string][]) {
      const name = key === 'score' && table.classes === 0 ? 'r2' : key === 'score' ? 'accuracy' : key;
      yield {
        ...{ name: `train.${modelType}.${name}`, value: ours[key], unit, rows: table.rows, source: table.name },
        ...(theirs && { peer: `scikit-learn ${version} ${peer.name}`, ratio: ours[key] / theirs[key] }),
      };
    }
    if (!theirs) break;
  }
}

const UNITS: Readonly<Record<keyof Cost, string>> = {
  seconds: 's',
  cpuSeconds: 's',
  predictSeconds: 's',
  peakMB: 'MB',
  score: '',
};

const python = (): string => process.env.HOKUSAI_BENCH_PYTHON ?? 'python3';

function peerVersion(): string | undefined {
  const { status, stdout } = spawnSync(python(), ['-c', 'import sklearn; print(sklearn.__version__)'], {
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : undefined;
}

/** @returns undefined where the program failed, which it says */
function best(program: string, script: string, job: Job): Cost | undefined {
  let least: Cost | undefined;
  for (let run = 0; run < RUNS; run++) {
    const { status, stdout, stderr } = spawnSync(program, [script, JSON.stringify(job)], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
    if (status !== 0) {
      console.error(stderr);
      return undefined;
    }
    const cost = JSON.parse(stdout.trim().split('\n').at(-1)!) as Cost;
    if (!least || cost.seconds < least.seconds) least = cost;
    if (cost.seconds > SHORT_SECONDS) break;
  }
  return least;
}
