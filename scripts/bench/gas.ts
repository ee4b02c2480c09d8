import { startLocalChain } from '../../offchain/chain/local.ts';
import { claim, claimFee, commit, finalise, open, reject, settle } from '../../offchain/chain/round.ts';
import type { Sent } from '../../offchain/chain/send.ts';
import type { ContractProof } from '../../offchain/prove/prove.ts';
import {
  contribution,
  createRealModel,
  DELAY,
  FEE,
  openRound,
  quorum,
  ROWS,
  scored,
  settlement,
} from '../../test/real-round.ts';
import type { Figure } from '../bench.ts';

/**
 * What each step of a round costs: a model's first round, with a real proof on the real verifier and the signatures of 2
 * of 3 validators, and a rejection of the second. The same on every machine and in every run.
 */
export async function* benchGas(): AsyncIterable<Figure> {
  const chain = await startLocalChain();
  const figure = (action: string, gas: bigint): Figure => ({ name: `gas.${action}`, value: Number(gas), unit: 'gas' });
  try {
    const m = await createRealModel(chain);
    const given = contribution(m);
    yield figure('commit', (await commit(m.contributor, given)).gas);
    const opened: Sent<`0x${string}`> = await open(m.contributor, given, FEE);
    yield figure('open', opened.gas);
    const settling = await settlement(m, opened.result);
    const settled = await settle(m.settler, opened.result, settling);
    // A zero byte of calldata is 12 gas cheaper, and how many a blinded proof has is chance: as if it had none.
    yield { ...figure('settle.level1', settled.gas + 12n * zeroBytes(settling.proof)), rows: ROWS };
    await chain.advance(DELAY);
    yield figure('finalise', (await finalise(m.outsider, opened.result)).gas);
    yield figure('claim', (await claim(m.payee, opened.result)).gas);
    yield figure('claimFee', (await claimFee(m.settler, opened.result)).gas);

    const second = await openRound(m, 'second');
    const vote = scored(m, { status: 'BELOW_GATE' });
    yield figure('reject', (await reject(m.settler, second, vote, await quorum(m, second, vote))).gas);
  } finally {
    await chain.stop();
  }
}

function zeroBytes({ a, b, c }: ContractProof): bigint {
  const words = [a, b, c].flat(2).map((word) => word.toString(16).padStart(64, '0'));
  return BigInt(words.flatMap((word) => word.match(/../g)!).filter((byte) => byte === '00').length);
}
