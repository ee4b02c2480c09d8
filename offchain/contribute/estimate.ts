/** What a contribution costs and can bring, before anything is sent. */

import { randomBytes } from 'node:crypto';
import { formatUnits, type Hex, hexToString, zeroHash } from 'viem';
import { duration, ether, tokenText } from '../chain/act.ts';
import { type ChainClient, reach } from '../chain/connect.ts';
import { model, policy } from '../chain/round.ts';
import { view } from '../chain/send.ts';
import type { Config } from '../config/load.ts';
import { powerText } from '../delta/describe-power.ts';
import { HokusaiError } from '../errors.ts';
import type { Metric } from '../metrics/exact.ts';
import { foldsOf, waitingFor } from '../model/show.ts';
import { grouped } from '../report/numbers.ts';
import { offerOf } from '../run/offer.ts';
import type { Offered } from '../run/project.ts';
import { checkTable } from '../table/check-table.ts';
import type { Task } from '../table/label.ts';
import { readCsv } from '../table/table.ts';
import { HYPERPARAMETERS, type ReferenceSpec, taskOfSpec } from '../train/spec.ts';
import type { Answer } from '../verb.ts';
import { check, readSchema } from './commit.ts';
import { type Expectation, type Expecting, expectation } from './expect.ts';

/** Gas that a contributor's own steps use, about a tenth more than on a chain, with which a test compares most of them. */
export const GAS = {
  commit: 280_000n,
  open: 330_000n,
  draw: 200_000n,
  finalise: 160_000n,
  claim: 135_000n,
  withdraw: 60_000n,
};

/** What is known of a model. */
export interface EstimateOptions {
  /** On its chain, with the terms that it has there; without it the configuration's policy is assumed. */
  readonly at?: { readonly client: ChainClient; readonly modelId: Hex };
  /** CSV with rows that the owner has published. */
  readonly sample?: string | undefined;
  /** Rows of the benchmark, where it is not on a chain; else the policy's fewest. */
  readonly benchmarkRows?: number | undefined;
}

/** Reads the contribution, and what there is of chain and sample; nothing is sent, and nothing is written. */
export async function estimateContribution(config: Config, options: EstimateOptions): Promise<Answer> {
  const offered = await check(config, randomBytes(32));
  const { at, sample } = options;
  const known = at && (await onChain(at.client, offered, at.modelId));
  if (sample === undefined) return known!;
  const { terms, metric } = known ?? { terms: offerOf(config, true).terms, metric: config.policy.metric };
  const rows = known?.json.folds.filter(({ spent }) => !spent).map(({ rows }) => rows) ?? [];
  const benchmarkRows = options.benchmarkRows ?? rows[0] ?? config.policy.gate.minRows;
  const expected = await expectedOf(config, { offered, sample, terms, metric, benchmarkRows });
  const cost = `costs         a bond of ${ether(config.policy.bond)}, which comes back unless it is forfeited, and a fee of ${ether(config.policy.evaluationFee)}, by the configuration; with --model also the gas`;
  return {
    text: [...(known ? [known.text, ''] : []), ...expectedLines(expected, metric), ...(known ? [] : [cost])].join('\n'),
    json: { ...known?.json, metric, expected },
  };
}

/** Trains with and without the contribution on the sample. */
async function expectedOf(
  config: Config,
  {
    offered,
    sample: file,
    ...asked
  }: { offered: Offered; sample: string } & Pick<Expecting, 'terms' | 'metric' | 'benchmarkRows'>,
): Promise<Expectation & { readonly trainer: string }> {
  const schema = await readSchema(config.data.schema);
  const sample = await readCsv(file);
  const problems = checkTable(sample, schema).map(({ message }) => message);
  if (problems.length > 0) {
    const text = `The sample ${file} does not fit the schema:\n${problems.join('\n')}`;
    throw new HokusaiError('configuration', 'ESTIMATE_SAMPLE', text, {
      details: { file, problems },
      next: 'Take schema and sample that the model’s owner published together.',
    });
  }
  const { training, integration } = config;
  const spec = training.framework === 'reference' ? training : standIn(taskOfSpec(training));
  const { table: contribution } = offered;
  const found = await expectation({ ...asked, sample, contribution, schema, spec, integration });
  return { ...found, trainer: spec.modelType };
}

/** Of ours, where the model is another framework's. */
const standIn = (task: Task): ReferenceSpec =>
  task === 'regression'
    ? { framework: 'reference', modelType: 'Ridge', hyperparameters: HYPERPARAMETERS.Ridge.parse({}) }
    : { framework: 'reference', modelType: 'LinearSVC', hyperparameters: HYPERPARAMETERS.LinearSVC.parse({}) };

/** Of a sample, below which rare changes do not show. */
const FEW_ROWS = 100;

/** For people, with what nobody can know beforehand. */
function expectedLines(expected: Expectation & { readonly trainer: string }, metric: Metric): string[] {
  const { rows, newRows, shared, benchmarkRows, deltaOne, low, high, chance, reward, rewardIfAccepted } = expected;
  const points = (value: number) => value.toFixed(2);
  const tokens = (units: bigint) => `${Number(formatUnits(units, 18)).toFixed(2)} tokens`;
  return [
    `expected      deltaOne ${points(deltaOne)} points of ${metric}, 95 % between ${points(low)} and ${points(high)}`,
    `chance        ${(100 * chance).toFixed(1)} % to pass the gate on a benchmark of ${grouped(benchmarkRows)} rows`,
    `reward        ${tokens(reward)} on average, refusals included; ${tokens(rewardIfAccepted)} where it is accepted`,
    `by            ${grouped(rows)} rows of the sample, each predicted by a ${expected.trainer} that has not seen it, with ${grouped(newRows)} new rows and without`,
    ...(shared > 0
      ? [`⚠ ${grouped(shared)} rows of the sample are in the contribution, too, and were not tested on.`]
      : []),
    ...(rows < FEW_ROWS
      ? [`⚠ ${grouped(rows)} rows are few: what they never showed is missing from the interval and the chance.`]
      : []),
    '⚠ What cannot be known: the benchmark, if the sample is not like it; the rows that the head has learned from beside the',
    '  sample, which leave less to gain; contributions that come before this one; and another framework’s model.',
  ];
}

/** What the chain says: its terms, and the words and figures of the answer. */
async function onChain(client: ChainClient, { root }: Offered, modelId: Hex) {
  const { policyHash, benchmarkId } = await model(client, modelId);
  const terms = await policy(client, policyHash);
  const { maxReward, epochReward, epochDuration } = terms;
  const [folds, waiting, slot, budget, payable, gasPrice, tokens] = await Promise.all([
    foldsOf(client, modelId, benchmarkId, terms.roundsPerFold),
    waitingFor(client, modelId),
    view(client, { contract: 'rounds', functionName: 'slot', args: [modelId] }),
    view(client, { contract: 'rewards', functionName: 'budget', args: [modelId] }),
    view(client, {
      contract: 'rewards',
      functionName: 'canReserve',
      args: [modelId, maxReward, epochReward, epochDuration],
    }),
    reach(client.publicClient, () => client.publicClient.getGasPrice()),
    tokenText(client),
  ]);
  const unspent = folds.filter(({ spent }) => !spent);
  const deposit = terms.bond + terms.evaluationFee;
  const gas = Object.values(GAS).reduce((sum, each) => sum + each);
  const steps = Object.entries(GAS).map(([step, used]) => `${step} ${ether(used * gasPrice)}`);
  const metric = hexToString(terms.metric, { size: 32 }) as Metric;
  const level = { alpha: levelOf(terms), roundsPerFold: 1, metric, gate: terms.gate };
  const power = unspent.map(({ rows }) => powerText(level, rows));
  const problems = [
    ...(root.rows < terms.minContributionRows ? [`The model takes ${terms.minContributionRows} rows or more.`] : []),
    ...(unspent.length === 0 ? ['No fold is left: it could not be opened.'] : []),
    ...(payable ? [] : ['Budget or epoch do not hold the largest reward now: it could not be opened.']),
  ];
  const before = waiting.length + (slot === zeroHash ? 0 : 1);
  const lines = [
    `${root.rows} rows for model ${modelId}`,
    `deposit       ${ether(deposit)}: a bond of ${ether(terms.bond)}, which comes back unless it is forfeited, and a fee of ${ether(terms.evaluationFee)}, which is spent on validators`,
    `gas           ${ether(gas * gasPrice)} for all of your steps at ${formatUnits(gasPrice, 9)} gwei: ${steps.join(', ')}`,
    `can pay       ${tokens(terms.tokensPerDeltaOne)} a percentage point of ${metric}, by the ${terms.payPoint ? 'point estimate' : 'lower bound of the gain'}, at most ${tokens(maxReward)}; the model's budget is ${tokens(budget)}`,
    `queue         ${before === 0 ? 'nobody is before you' : `${before} before you`}; each round takes up to ${duration(longest(terms))}`,
    ...problems.map((problem) => `⚠ ${problem}`),
    '',
    ...new Set(power),
  ];
  return {
    metric,
    terms: termsOnChain(terms),
    text: lines.join('\n'),
    json: {
      modelId,
      rows: root.rows,
      deposit,
      bond: terms.bond,
      evaluationFee: terms.evaluationFee,
      gas: GAS,
      gasPrice,
      metric,
      tokensPerDeltaOne: terms.tokensPerDeltaOne,
      maxReward,
      budget,
      before,
      folds,
      problems,
    },
  };
}

type Terms = Awaited<ReturnType<typeof policy>>;

/** As the twin of the chain's library takes them. */
const termsOnChain = ({ gate, payPoint, tokensPerDeltaOne, maxReward }: Terms): Expecting['terms'] => ({
  minRows: BigInt(gate.minRows),
  minPositives: BigInt(gate.minPositives),
  minDeltaBps: BigInt(gate.minDeltaBps),
  zMicro: BigInt(gate.zMicro),
  alpha30: BigInt(gate.alpha30),
  guardrails: gate.guardrails.map(({ metric, maxLossBps }) => ({
    metric: hexToString(metric, { size: 32 }) as Expecting['terms']['guardrails'][number]['metric'],
    maxLossBps: BigInt(maxLossBps),
  })),
  ...{ payPoint, tokensPerDeltaOne, maxReward },
});

/** What a round may take, to three digits. */
const levelOf = ({ gate }: Terms) => Number((gate.alpha30 / 2 ** 30).toPrecision(3));

/** From a free slot to the next one. */
const longest = (terms: Terms): number =>
  2 * terms.openDuration + terms.voteDuration + terms.revealDuration + 2 * terms.settleDuration + terms.delay;
