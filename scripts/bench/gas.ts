import { proveInference } from '../../offchain/chain/inference.ts';
import { startLocalChain } from '../../offchain/chain/local.ts';
import * as actions from '../../offchain/chain/round.ts';
import { type Sent, send, view } from '../../offchain/chain/send.ts';
import { type PayeesTree, payeesTree } from '../../offchain/payees.ts';
import { circuitId, encodeVerificationKey } from '../../offchain/prove/keys.ts';
import {
  claimOf,
  contribution,
  createRealModel,
  DELAY,
  DEPOSIT,
  manyPayees,
  openRound,
  REVEAL,
  type RealModel,
  ROWS,
  SETTLE,
  scored,
  settlement,
  tag,
  VOTE,
  voteAll,
} from '../../test/real-round.ts';
import { INFERENCE_KEY, simulatedChain } from '../../test/simulate.ts';
import type { Figure } from '../bench.ts';

const figure = (action: string, gas: bigint): Figure => ({ name: `gas.${action}`, value: Number(gas), unit: 'gas' });

const most = (sent: readonly Sent[]): bigint => sent.reduce((gas, one) => (one.gas > gas ? one.gas : gas), 0n);

/**
 * What each step of a round costs: a model's first round, with a real proof on the real verifier, three validators named
 * by the policy and two votes of them needed; the same for 10,000 payees; and a rejection. Of votes, the dearest. The
 * same on every machine and in every run.
 */
export async function* benchGas(): AsyncIterable<Figure> {
  const chain = await startLocalChain();
  try {
    const m = await createRealModel(chain, { folds: 3 });
    yield* inferences(m);
    yield figure('register', m.registered.at(-1)!.gas);
    yield* firstRound(m);
    yield* laterRound(m);
    yield* rejection(m);
    const tree = payeesTree(manyPayees(chain.accounts.contributor.address));
    yield* manyPayeesRound(await createRealModel(chain, { salt: tag('many payees'), folds: 3 }), tree);
  } finally {
    await chain.stop();
  }
}

/** One chunk, and what each further one adds. The model has folds whose featuresRoots are 1, 2 and 3. */
async function* inferences(m: RealModel): AsyncIterable<Figure> {
  const key = encodeVerificationKey(INFERENCE_KEY);
  const call = { action: 'register', contract: 'circuitRegistry', functionName: 'register' } as const;
  await send(m.owner, { ...call, args: [key, 5n] });
  const args = [m.benchmarkId] as const;
  const [foldId] = await view(m.owner, { contract: 'modelRegistry', functionName: 'foldIds', args });
  const inference = { circuitId: circuitId(INFERENCE_KEY), foldId: foldId!, predictionsRoot: 501n };
  const gas = async (modelCommitment: bigint, chunks: number) => {
    const what = { ...inference, modelCommitment };
    return (await proveInference(m.settler, what, simulatedChain(what, 1n, chunks)))[0]!.gas;
  };
  const one = await gas(1n, 1);
  yield figure('proveInference', one);
  yield figure('proveInference.furtherChunk', ((await gas(2n, 11)) - one) / 10n);
}

async function* firstRound(m: RealModel): AsyncIterable<Figure> {
  const given = contribution(m);
  yield figure('commit', (await actions.commit(m.contributor, given, DEPOSIT)).gas);
  const { gas, result: roundId } = await actions.open(m.contributor, given);
  yield figure('open', gas);
  await m.chain.mine(3);
  yield figure('draw', (await actions.draw(m.outsider, roundId)).gas);
  const { commits, reveals } = await voteAll(m, roundId, await scored(m, roundId));
  yield figure('voteCommit', most(commits));
  yield figure('voteReveal', most(reveals));
  yield { ...figure('settle.level1', await settleGas(m, roundId)), rows: ROWS };
  await m.chain.advance(DELAY);
  yield figure('finalise', (await actions.finalise(m.outsider, roundId)).gas);
  // Before it nobody has any of the token: whoever claims first pays for its total supply, too.
  yield figure('claim.first', (await actions.claim(m.payee, claimOf(m, roundId))).gas);
  yield figure('withdraw', (await actions.withdraw(m.validators[0]!, roundId)).gas);
}

/** By a payee who has none of the token, either. */
async function* laterRound(m: RealModel): AsyncIterable<Figure> {
  const payees = payeesTree([{ payee: m.outsider.account.address, weight: 1n }]);
  const roundId = await finalRound(m, payees);
  yield figure('claim', (await actions.claim(m.outsider, claimOf({ ...m, payees }, roundId))).gas);
}

async function* manyPayeesRound(m: RealModel, payees: PayeesTree): AsyncIterable<Figure> {
  let settled = 0n;
  const roundId = await finalRound(m, payees, (gas) => {
    settled = gas;
  });
  yield { ...figure('settle.payees10000', settled), rows: ROWS };
  const proof = payees.proofOf(payees.indexOf(m.contributor.account.address));
  const claimed = await actions.claim(m.contributor, { modelId: m.modelId, roundId, ...proof });
  yield figure('claim.payees10000', claimed.gas);
}

async function finalRound(m: RealModel, { payeesRoot }: PayeesTree, onSettled = (_: bigint) => {}) {
  const roundId = await openRound(m, 'later', { payeesRoot });
  await voteAll(m, roundId, await scored(m, roundId));
  onSettled(await settleGas(m, roundId));
  await m.chain.advance(DELAY);
  await actions.finalise(m.outsider, roundId);
  return roundId;
}

async function* rejection(m: RealModel): AsyncIterable<Figure> {
  const roundId = await openRound(m, 'rejected');
  const vote = await scored(m, roundId, { status: 'BELOW_GATE' });
  await voteAll(m, roundId, vote);
  await m.chain.advance(VOTE + REVEAL + SETTLE + 1);
  yield figure('reject', (await actions.reject(m.settler, roundId, vote)).gas);
}

/** A zero byte of calldata is 12 gas cheaper, and how many a proof and its hash have is chance: as if they had none. */
async function settleGas(m: RealModel, roundId: `0x${string}`): Promise<bigint> {
  const settling = await settlement(m, roundId);
  const { gas } = await actions.settle(m.settler, roundId, settling);
  const { a, b, c } = settling.proof;
  const words = [a, b, c, settling.attestationHash, BigInt(roundId)].flat(2);
  const bytes = words.flatMap((word) => word.toString(16).padStart(64, '0').match(/../g)!);
  return gas + 12n * BigInt(bytes.filter((byte) => byte === '00').length);
}
