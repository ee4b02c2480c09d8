import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createTestClient, createWalletClient, type Hex, http, parseEther, zeroHash } from 'viem';
import { abi } from '../../offchain/chain/contracts.ts';
import { type LocalChain, startLocalChain } from '../../offchain/chain/local.ts';
import * as actions from '../../offchain/chain/round.ts';
import { view } from '../../offchain/chain/send.ts';
import { orderSignatures, signVote } from '../../offchain/chain/vote.ts';
import { pack } from '../../offchain/delta.ts';
import { Q, R } from '../../offchain/prove/field.ts';
import * as real from '../real-round.ts';

const { quorum, scored } = real;
let chain: LocalChain;
let m: real.RealModel;
let roundId: Hex;
let honest: actions.Settlement;

before(async () => {
  chain = await startLocalChain();
  m = await real.createRealModel(chain);
  roundId = await real.openRound(m);
  honest = await real.settlement(m, roundId);
});
after(() => chain?.stop());

/** Each attack starts from an open round with an honest settlement at hand. */
const attack = (title: string, test: () => Promise<void>) =>
  it(`attack: ${title}`, async () => {
    const client = createTestClient({ mode: 'hardhat', transport: http(chain.url) });
    const id = await client.snapshot();
    try {
      await test();
    } finally {
      await client.revert({ id });
    }
  });

const refused = (sending: Promise<unknown>, error: string, args: Record<string, unknown> = {}) =>
  assert.rejects(sending, (thrown: { code?: string; details?: { error?: string; args?: Record<string, unknown> } }) => {
    assert.equal(thrown.code, 'CHAIN_REVERTED');
    assert.equal(thrown.details?.error, error);
    assert.deepEqual({ ...thrown.details?.args, ...args }, thrown.details?.args);
    return true;
  });

const settle = (changes: Partial<actions.Settlement> = {}, id = roundId, by = m.settler) =>
  actions.settle(by, id, { ...honest, ...changes });
const rewardPaid = () =>
  view(m.owner, { contract: 'rewardToken', functionName: 'balanceOf', args: [chain.accounts.payee.address] });

async function finaliseAndClaim(): Promise<bigint> {
  await chain.advance(real.DELAY);
  await actions.finalise(m.outsider, roundId);
  await actions.claim(m.payee, roundId);
  return rewardPaid();
}

describe('attacks with real proofs', () => {
  attack('forged counts: more fixed rows than were proven', async () => {
    const cells = Array.from({ length: 8 }, (_, lane) =>
      Number((honest.countsPacked >> (31n * BigInt(lane))) & 0x7fffffffn),
    );
    // Cell 4 is label 0, baseline right, candidate wrong; cell 2 the other way round. The sum stays n.
    [cells[2], cells[4]] = [cells[2]! + cells[4]!, 0];
    const countsPacked = pack(cells);
    assert.notEqual(countsPacked, honest.countsPacked);
    await refused(settle({ countsPacked }), 'RoundsInvalidProof', { roundId, circuitId: m.policy.circuitId });
    await refused(settle({ attestationHash: honest.attestationHash + 1n }), 'RoundsInvalidProof', { roundId });
    await settle();
  });

  attack('stale head: a gain over a baseline that is no longer the head', async () => {
    const client = createTestClient({ mode: 'hardhat', transport: http(chain.url) });
    const { rounds, modelRegistry } = chain.deployment;
    await client.impersonateAccount({ address: rounds });
    await client.setBalance({ address: rounds, value: parseEther('1') });
    const wallet = createWalletClient({ account: rounds, transport: http(chain.url) });
    const next = { modelCommitment: 1_234n, trainingSetRoot: m.head.trainingSetRoot };
    const request = { address: modelRegistry, abi: abi('ModelRegistry'), functionName: 'advanceHead' } as const;
    await wallet.writeContract({ ...request, chain: null, args: [m.modelId, zeroHash, next] });
    await refused(settle(), 'RoundsStaleHead', { roundId, expected: m.head.modelCommitment, actual: 1_234n });
  });

  attack('replay in a second round over the same head, fold, data and rows', async () => {
    const below = scored(m, { status: 'BELOW_GATE' });
    await actions.reject(m.settler, roundId, below, await quorum(m, roundId, below));
    const second = await real.openRound(m, 'second');
    const [one, two] = [await actions.round(m.owner, roundId), await actions.round(m.owner, second)];
    assert.deepEqual([two.foldId, two.labelsRoot, two.dataRoot], [one.foldId, one.labelsRoot, one.dataRoot]);
    await refused(settle({}, second), 'RoundsNotValidator', { roundId: second });
    const signatures = await quorum(m, second, honest.vote);
    await refused(settle({ signatures }, second), 'RoundsInvalidProof', { roundId: second });
  });

  attack('replay on a second chain with the same contracts, model and data', async () => {
    const other = await startLocalChain({ chainId: 31_338 });
    try {
      assert.equal(other.deployment.rounds, chain.deployment.rounds);
      const there = await real.createRealModel(other);
      const theirs = await real.openRound(there);
      await refused(settle({}, theirs, there.settler), 'RoundsNotValidator', { roundId: theirs });
      const signatures = await quorum(there, theirs, honest.vote);
      await refused(settle({ signatures }, theirs, there.settler), 'RoundsInvalidProof', { roundId: theirs });
    } finally {
      await other.stop();
    }
  });

  attack('a proof copied by another settler', async () => {
    const contextHash = await actions.contextHash(m.outsider, roundId, 78n, chain.accounts.outsider.address);
    await refused(settle({}, roundId, m.outsider), 'RoundsInvalidProof', { roundId, contextHash });
    await settle();
  });

  attack('a vote used twice to make a quorum of one', async () => {
    const [first] = honest.signatures;
    const signer = chain.accounts.validators[0]!.address;
    const signatures = [first!, first!];
    await refused(settle({ signatures }), 'RoundsUnorderedSigner', { roundId, previous: signer, signer });
    assert.equal(orderSignatures([signer, signer].map((voter) => ({ voter, signature: first! }))).length, 1);
  });

  attack('a vote for one status used for another', async () => {
    const below = scored(m, { status: 'BELOW_GATE' });
    await refused(actions.reject(m.outsider, roundId, below, honest.signatures), 'RoundsNotValidator', { roundId });
  });

  attack('a malleated proof, A and B negated, settling twice', async () => {
    const { a, b, c } = honest.proof;
    const [x, [y0, y1]] = b;
    const proof = { a: [a[0], Q - a[1]], b: [x, [Q - y0, Q - y1]], c } as const;
    await settle({ proof });
    const again = { roundId, expected: 2, actual: 3 };
    await refused(settle(), 'RoundsWrongState', again);
    await refused(settle({ proof }), 'RoundsWrongState', again);
    assert.equal(await finaliseAndClaim(), (await actions.round(m.owner, roundId)).reward);
  });

  attack('a public signal plus r, which is the same in the field', async () => {
    await refused(settle({ attestationHash: honest.attestationHash + R }), 'RoundsInvalidProof');
    await refused(settle({ countsPacked: honest.countsPacked + R }), 'RoundsInvalidProof');
    const vote = scored(m, { candidatePredictionsRoot: m.roots.candidatePredictionsRoot + R });
    await refused(settle({ vote, signatures: await quorum(m, roundId, vote) }), 'RoundsInvalidProof');
  });

  attack('a double settlement, for a second reward', async () => {
    await settle();
    await refused(settle(), 'RoundsWrongState', { roundId, expected: 2, actual: 3 });
    const paid = await finaliseAndClaim();
    await refused(actions.claim(m.payee, roundId), 'RoundsWrongState', { roundId, expected: 4, actual: 5 });
    await refused(settle(), 'RoundsWrongState', { roundId, expected: 2, actual: 5 });
    assert.equal(await rewardPaid(), paid);
  });

  attack('a claim by somebody else than the payee', async () => {
    await settle();
    await chain.advance(real.DELAY);
    await actions.finalise(m.outsider, roundId);
    const payee = chain.accounts.payee.address;
    for (const thief of [m.outsider, m.contributor, m.settler, m.owner]) {
      await refused(actions.claim(thief, roundId), 'RoundsNotPayee', { payee, caller: thief.account.address });
    }
    assert.equal(await rewardPaid(), 0n);
  });

  attack('validators sit a round out to keep the contributor’s fee: a time-out refunds it', async () => {
    await chain.advance(real.DURATION + 1);
    await refused(settle(), 'RoundsDeadlinePassed', { roundId });
    await actions.expire(m.outsider, roundId);
    await refused(actions.claimFee(m.settler, roundId), 'RoundsNothingToClaim');
    const { rounds } = chain.deployment;
    const escrowed = await m.owner.publicClient.getBalance({ address: rounds });
    await actions.claimFee(m.contributor, roundId);
    assert.equal(await m.owner.publicClient.getBalance({ address: rounds }), escrowed - real.FEE);
    assert.equal(escrowed, real.FEE);
    await refused(actions.claimFee(m.contributor, roundId), 'RoundsNothingToClaim');
    assert.equal((await actions.round(m.owner, roundId)).state, 'VOIDED');
  });

  attack('a replayed vote that another account signed', async () => {
    const { outsider, validators } = chain.accounts;
    const { rounds } = chain.deployment;
    const signing = [outsider, validators[0]!].map((by) => signVote(by, chain.chainId, rounds, roundId, honest.vote));
    const signatures = orderSignatures(await Promise.all(signing));
    await refused(settle({ signatures }), 'RoundsNotValidator', { roundId, signer: outsider.address });
  });
});
