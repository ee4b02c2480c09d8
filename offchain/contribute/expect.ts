/**
 * What a contribution can be expected to gain, by rows that the model's owner has published: models with and without it,
 * on folds of the sample that neither has seen. Nothing leaves the machine, and the same files give the same figures.
 */

import { isRanking } from '../delta/auroc.ts';
import { delta, figuresOf, type Terms } from '../delta/delta.ts';
import { HokusaiError } from '../errors.ts';
import type { Metric } from '../metrics/exact.ts';
import { quantileOf } from '../metrics/quantile.ts';
import { countsOf } from '../prove/counts.ts';
import { labelsOf } from '../table/check-table.ts';
import { rowDigests } from '../table/data-root.ts';
import { byDigest, type IntegrationTerms, integrate, merge } from '../table/integrate.ts';
import { classesOf } from '../table/label.ts';
import { fitQuantiser, quantise } from '../table/quantise.ts';
import type { Schema } from '../table/schema.ts';
import { selectRows, type Table } from '../table/table.ts';
import { predict } from '../train/model.ts';
import { randomOf } from '../train/random.ts';
import type { ReferenceSpec } from '../train/spec.ts';
import { train } from '../train/train.ts';

/** Parts of the sample, each of which is predicted once by models that learned from the others. */
const FOLDS = 10;
/** Fewer rows tell nothing. */
const LEAST_ROWS = 20;
/** Benchmarks that are drawn from the sample. */
const DRAWS = 2000;

/** What is estimated. Both tables have passed `checkTable`. */
export interface Expecting {
  readonly sample: Table;
  readonly contribution: Table;
  readonly schema: Schema;
  readonly spec: ReferenceSpec;
  readonly integration: IntegrationTerms;
  readonly metric: Metric;
  readonly terms: Terms;
  /** Rows of the benchmark that is assumed. */
  readonly benchmarkRows: number;
}

/** Gains in percentage points of the metric, of errors of the skill; tokens in the smallest units. */
export interface Expectation {
  /** Rows that were predicted by both models, and rows of the contribution that they learned from, in the least fold. */
  readonly rows: number;
  readonly newRows: number;
  /** Rows of the sample that the contribution has, too: they are not tested on. */
  readonly shared: number;
  readonly benchmarkRows: number;
  readonly deltaOne: number;
  /** 95 %, of the gain itself. */
  readonly low: number;
  readonly high: number;
  /** Of passing the gate on a benchmark of so many rows. */
  readonly chance: number;
  /** On average over all that could come, a refusal paying nothing; and where it passes. */
  readonly reward: bigint;
  readonly rewardIfAccepted: bigint;
}

/** Of rows that both models have predicted. */
interface Predicted {
  readonly labels: number[];
  readonly before: number[];
  readonly after: number[];
}

/**
 * Estimates a contribution's gain.
 *
 * @throws HokusaiError `configuration` ESTIMATE_SAMPLE where the sample is too small, or a fold of it has one class alone
 */
export async function expectation(given: Expecting): Promise<Expectation> {
  const { contribution, schema } = given;
  const sample = byDigest(given.sample, schema);
  const own = new Set(rowDigests(contribution, schema, 'features'));
  const digests = rowDigests(sample, schema, 'features');
  // Whoever has rows of the sample would be tested on what the model has learned.
  const tested = digests.flatMap((digest, row) => (own.has(digest) ? [] : [row]));
  if (tested.length < LEAST_ROWS) throw tooSmall(tested.length, sample.rows - tested.length);
  const all: Predicted = { labels: [], before: [], after: [] };
  let newRows = Number.POSITIVE_INFINITY;
  for (let fold = 0; fold < FOLDS; fold++) {
    const test = tested.filter((row) => Number(BigInt(digests[row]!) % BigInt(FOLDS)) === fold);
    if (test.length === 0) continue;
    newRows = Math.min(newRows, await addFold(all, given, sample, test));
  }
  return { ...figures(all, given), newRows, shared: sample.rows - tested.length };
}

/** Trains both models without a fold's rows and has them predict those. @returns how many new rows the candidate has */
async function addFold(all: Predicted, given: Expecting, sample: Table, test: number[]): Promise<number> {
  const { contribution, schema, spec, integration } = given;
  const held = new Set(test);
  const rest = Array.from({ length: sample.rows }, (_, row) => row).filter((row) => !held.has(row));
  const [trainingSet, benchmark] = [selectRows(sample, rest), selectRows(sample, test)];
  const quantiser = fitQuantiser(trainingSet, schema);
  const merged = integrate(contribution, { trainingSet, benchmark, schema, integration });
  const ranking = isRanking(given.metric);
  const learn = (rows: Table) =>
    train(rows, { schema, quantiser, spec, metric: given.metric, ranking }).catch(asSample);
  const { model: head } = await learn(trainingSet);
  const { model: candidate } = await learn(merge(trainingSet, contribution, merged));
  const features = quantise(benchmark, quantiser);
  all.labels.push(...labelsOf(benchmark, schema));
  all.before.push(...predict(head, features));
  all.after.push(...predict(candidate, features));
  return merged.fresh.length;
}

/** What a training on a part of the sample cannot do is the sample's fault. */
function asSample(error: unknown): never {
  if (!(error instanceof HokusaiError) || error.kind !== 'terminal') throw error;
  throw new HokusaiError('configuration', 'ESTIMATE_SAMPLE', `The sample tells nothing: ${error.message}.`, {
    next: 'Ask the model’s owner for a sample with more rows of each class.',
    cause: error,
  });
}

const tooSmall = (rows: number, shared: number): HokusaiError =>
  new HokusaiError(
    'configuration',
    'ESTIMATE_SAMPLE',
    `The sample has ${rows} rows that are not in the contribution, too; ${LEAST_ROWS} or more tell something.`,
    { details: { rows, shared, least: LEAST_ROWS }, next: 'Ask the model’s owner for a larger sample.' },
  );

/**
 * The gain, and what benchmarks would say of it: each draw takes the sample's rows with replacement, for the sample is
 * chance, and of those as many as the benchmark has, for that is chance again.
 */
function figures(
  all: Predicted,
  { schema, metric, terms, benchmarkRows }: Expecting,
): Omit<Expectation, 'newRows' | 'shared'> {
  const classes = classesOf(schema.label);
  const n = all.labels.length;
  const counted = (rows: ArrayLike<number>) => {
    const of = (values: readonly number[]) => Uint16Array.from(rows, (row) => values[row]!);
    const [labels, baselinePredictions, candidatePredictions] = [of(all.labels), of(all.before), of(all.after)];
    return countsOf({ metric, classes, labels, baselinePredictions, candidatePredictions });
  };
  const gainOf = (words: readonly bigint[]) => Number(figuresOf(metric, classes, words, terms).deltaOneBps) / 100;
  const random = randomOf(`estimate/${metric}/${n}/${benchmarkRows}`);
  const drawn = (from: ArrayLike<number>, size: number) =>
    Uint32Array.from({ length: size }, () => from[random(from.length)]!);
  const every = Uint32Array.from({ length: n }, (_, row) => row);
  const gains = new Float64Array(DRAWS);
  let [accepted, paid] = [0, 0n];
  for (let draw = 0; draw < DRAWS; draw++) {
    const sample = drawn(every, n);
    gains[draw] = gainOf(counted(sample));
    const { failed, reward } = delta(metric, classes, counted(drawn(sample, benchmarkRows)), terms);
    accepted += Number(failed === '');
    paid += BigInt(reward);
  }
  gains.sort();
  return {
    rows: n,
    benchmarkRows,
    deltaOne: gainOf(counted(every)),
    low: quantileOf(gains, 0.025),
    high: quantileOf(gains, 0.975),
    chance: accepted / DRAWS,
    reward: paid / BigInt(DRAWS),
    rewardIfAccepted: accepted === 0 ? 0n : paid / BigInt(accepted),
  };
}
