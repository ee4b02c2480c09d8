/** What a chain says of a model, in words. */
import { type Hex, hexToString, zeroHash } from 'viem';
import { duration, ether, tokenText } from '../chain/act.ts';
import type { ChainClient } from '../chain/connect.ts';
import { model, policy } from '../chain/round.ts';
import { view } from '../chain/send.ts';
import type { Answer } from '../verb.ts';

/** A fold with what became of it. */
export interface FoldUse {
  readonly foldId: Hex;
  readonly rows: number;
  /** Rounds drawn on it. */
  readonly rounds: number;
  readonly spent: boolean;
}

/** Reads the folds of a model's benchmark. */
export async function foldsOf(
  client: ChainClient,
  modelId: Hex,
  benchmarkId: Hex,
  roundsPerFold: number,
): Promise<FoldUse[]> {
  const foldIds = await view(client, { contract: 'modelRegistry', functionName: 'foldIds', args: [benchmarkId] });
  return Promise.all(
    foldIds.map(async (foldId) => {
      const { n } = await view(client, { contract: 'modelRegistry', functionName: 'fold', args: [foldId] });
      const use = await view(client, { contract: 'rounds', functionName: 'foldState', args: [modelId, foldId] });
      return { foldId, rows: n, rounds: use.rounds, spent: use.accepted || use.rounds >= roundsPerFold };
    }),
  );
}

/** The entries of a model's queue that have not had their turn, the next first, and whether each still waits. */
async function queueOf(client: ChainClient, modelId: Hex): Promise<{ roundId: Hex; waits: boolean }[]> {
  const [all, first] = await view(client, { contract: 'rounds', functionName: 'queue', args: [modelId] });
  return Promise.all(
    all.slice(Number(first)).map(async (roundId) => {
      const { state } = await view(client, { contract: 'rounds', functionName: 'round', args: [roundId] });
      return { roundId, waits: state === 1 };
    }),
  );
}

/** Who waits for a model's slot, the next first. Cancelled ones are left out. */
export async function waitingFor(client: ChainClient, modelId: Hex): Promise<Hex[]> {
  return (await queueOf(client, modelId)).filter(({ waits }) => waits).map(({ roundId }) => roundId);
}

/** How many entries at the head of a model's queue wait no more. */
export async function cancelledFirst(client: ChainClient, modelId: Hex): Promise<number> {
  const entries = await queueOf(client, modelId);
  const next = entries.findIndex(({ waits }) => waits);
  return next < 0 ? entries.length : next;
}

/** Reads all of a model that its owner or a contributor may want to know. */
export async function showModel(client: ChainClient, modelId: Hex): Promise<Answer> {
  const registered = await model(client, modelId);
  const terms = await policy(client, registered.policyHash);
  const [folds, waiting, slot, budget, tokens] = await Promise.all([
    foldsOf(client, modelId, registered.benchmarkId, terms.roundsPerFold),
    waitingFor(client, modelId),
    view(client, { contract: 'rounds', functionName: 'slot', args: [modelId] }),
    view(client, { contract: 'rewards', functionName: 'budget', args: [modelId] }),
    tokenText(client),
  ]);
  const metric = hexToString(registered.metric, { size: 32 });
  const { head, headRound } = registered;
  const shown: readonly (readonly [string, string])[] = [
    ['model', modelId],
    ['owner', registered.owner],
    ['metric', metric],
    ['head', `${head.modelCommitment}${headRound === zeroHash ? ', as registered' : `, of round ${headRound}`}`],
    ['training set', head.trainingSetRoot],
    ['budget', tokens(budget)],
    ['round', slot === zeroHash ? 'none is under way' : `${slot} is under way`],
    ['queue', waiting.length === 0 ? 'nobody waits' : `${waiting.length} wait, the next is ${waiting[0]}`],
    ...folds.map(
      ({ foldId, rows, rounds, spent }) =>
        [
          'fold',
          `${foldId}, ${rows} rows, ${rounds} of ${terms.roundsPerFold} rounds used${spent ? ', spent' : ''}`,
        ] as const,
    ),
    ['policy', registered.policyHash],
    ...policyLines(terms, tokens),
  ];
  return {
    text: shown.map(([name, value]) => `${name.padEnd(14)}${value}`).join('\n'),
    json: { modelId, ...registered, metric, policy: terms, folds, waiting, slot, budget },
  };
}

type Terms = Awaited<ReturnType<typeof policy>>;

function policyLines(p: Terms, tokens: (units: bigint) => string): (readonly [string, string])[] {
  const { gate } = p;
  const positives = gate.minPositives > 0 ? `, ${gate.minPositives} of them positive` : '';
  const guardrails = gate.guardrails.map(
    ({ metric, maxLossBps }) =>
      ['', `${hexToString(metric, { size: 32 })} falls by ${maxLossBps} bps at most`] as const,
  );
  const committee =
    p.committeeSize > 0
      ? `${p.committeeSize} validators by lot, each with ${ether(p.minStake)} at stake`
      : `${p.validators.length} named validators: ${p.validators.join(', ')}`;
  return [
    [
      '  pays',
      `${tokens(p.tokensPerDeltaOne)} a percentage point of the ${p.payPoint ? 'point estimate' : 'lower bound'}, at most ${tokens(p.maxReward)} a round and ${tokens(p.epochReward)} in ${duration(p.epochDuration)}${p.vestingDuration > 0 ? `, vested over ${duration(p.vestingDuration)}` : ''}`,
    ],
    [
      '  gate',
      `more than ${gate.minDeltaBps} bps at a level of ${(gate.alpha30 / 2 ** 30).toPrecision(3)}, on ${gate.minRows} rows or more${positives}`,
    ],
    ...guardrails,
    ['  asks', `${p.minContributionRows} rows or more; ${ether(p.evaluationFee)} fee and ${ether(p.bond)} bond`],
    ['  committee', `${committee}; ${p.threshold} of them agree`],
    [
      '  takes',
      `${duration(p.openDuration)} to open, as long to draw, ${duration(p.voteDuration)} to vote, ${duration(p.revealDuration)} to reveal, ${duration(p.settleDuration)} to settle, ${duration(p.delay)} of delay`,
    ],
  ];
}
