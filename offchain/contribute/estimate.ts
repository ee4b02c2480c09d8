/** What a contribution costs and can bring, before anything is sent. */

import { randomBytes } from 'node:crypto';
import { formatUnits, type Hex, hexToString, zeroHash } from 'viem';
import { duration, ether, tokenText } from '../act.ts';
import { type ChainClient, reach } from '../chain/connect.ts';
import { model, policy } from '../chain/round.ts';
import { view } from '../chain/send.ts';
import type { Config } from '../config/load.ts';
import { powerText } from '../describe-power.ts';
import type { Metric } from '../metrics.ts';
import { foldsOf, waitingFor } from '../model/show.ts';
import type { Answer } from '../verb.ts';
import { check } from './commit.ts';

/** Gas that a contributor's own steps use, about a tenth more than on a chain, with which a test compares most of them. */
export const GAS = {
  commit: 280_000n,
  open: 330_000n,
  draw: 200_000n,
  finalise: 160_000n,
  claim: 135_000n,
  withdraw: 60_000n,
};

/** Reads the contribution and the chain, and writes nothing. */
export async function estimateContribution(client: ChainClient, config: Config, modelId: Hex): Promise<Answer> {
  const { root } = await check(config, randomBytes(32));
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

/** What a round may take, to three digits. */
const levelOf = ({ gate }: Terms) => Number((gate.alpha30 / 2 ** 30).toPrecision(3));

/** From a free slot to the next one. */
const longest = (terms: Terms): number =>
  2 * terms.openDuration + terms.voteDuration + terms.revealDuration + 2 * terms.settleDuration + terms.delay;
