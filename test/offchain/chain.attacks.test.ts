import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createTestClient, createWalletClient, type Hex, http, parseEther, zeroHash } from 'viem';
import { abi } from '../../offchain/chain/contracts.ts';
import { type LocalChain, startLocalChain } from '../../offchain/chain/local.ts';
import * as actions from '../../offchain/chain/round.ts';
import { view } from '../../offchain/chain/send.ts';
import { type Vote, voteHash } from '../../offchain/chain/vote.ts';
import { pack } from '../../offchain/delta/delta.ts';
import { Q, R } from '../../offchain/prove/field.ts';
import * as real from '../real-round.ts';

const { scored } = real;
let chain: LocalChain;
let m: real.RealModel;
let roundId: Hex;
let honest: actions.Settlement;
/** A model of the same owner’s, in whose round nobody has voted yet. */
let silent: real.RealModel;
let unvoted: Hex;

before(async () => {
  chain = await startLocalChain();
  m = await real.createRealModel(chain);
  roundId = await real.openRound(m);
  await real.voteAll(m, roundId, await scored(m, roundId));
  honest = await real.settlement(m, roundId);
  silent = await real.createRealModel(chain, { salt: real.tag('silent') });
  unvoted = await real.openRound(silent);
});
after(() => chain?.stop());

const SALT = real.tag('a salt');
const hashOf = (voter: Hex, vote: Vote) => voteHash(chain.chainId, chain.deployment.rounds, unvoted, voter, vote, SALT);

/** Each attack starts from a round in which all have voted, with an honest settlement at hand. */
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
const reserved = async () =>
  (await view(m.owner, { contract: 'rewards', functionName: 'awardOf', args: [m.modelId, roundId] })).reserved;
const rewardPaid = () =>
  view(m.owner, { contract: 'rewardToken', functionName: 'balanceOf', args: [chain.accounts.payee.address] });

async function finaliseAndClaim(): Promise<bigint> {
  await chain.advance(real.DELAY);
  await actions.finalise(m.outsider, roundId);
  await actions.claim(m.payee, real.claimOf(m, roundId));
  return rewardPaid();
}

describe('attacks with real proofs', () => {
  attack('forged counts: more fixed rows than were proven', async () => {
    const cells = Array.from({ length: 8 }, (_, lane) =>
      Number((honest.counts[0]! >> (31n * BigInt(lane))) & 0x7fffffffn),
    );
    // Cell 4 is label 0, baseline right, candidate wrong; cell 2 the other way round. The sum stays n.
    [cells[2], cells[4]] = [cells[2]! + cells[4]!, 0];
    const counts = [pack(cells)];
    assert.notDeepEqual(counts, honest.counts);
    await refused(settle({ counts }), 'RoundsInvalidProof', { roundId, circuitId: m.policy.circuitId });
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
    await chain.advance(real.VOTE + real.REVEAL + 2 * real.SETTLE + 1);
    await actions.expire(m.outsider, roundId);
    const second = await real.openRound(m, 'second');
    const [one, two] = [await actions.round(m.owner, roundId), await actions.round(m.owner, second)];
    assert.deepEqual([two.foldId, two.headCommitment, two.dataRoot], [one.foldId, one.headCommitment, one.dataRoot]);
    await refused(settle({}, second), 'RoundsRevealStillOpen', { roundId: second });
    await real.voteAll(m, second, honest.vote);
    await refused(settle({}, second), 'RoundsInvalidProof', { roundId: second });
  });

  attack('replay on a second chain with the same contracts, model and data', async () => {
    const other = await startLocalChain({ chainId: 31_338 });
    try {
      assert.equal(other.deployment.rounds, chain.deployment.rounds);
      const there = await real.createRealModel(other);
      const theirs = await real.openRound(there);
      await real.voteAll(there, theirs, honest.vote);
      await refused(settle({}, theirs, there.settler), 'RoundsInvalidProof', { roundId: theirs });
    } finally {
      await other.stop();
    }
  });

  attack('a proof copied by another settler', async () => {
    const contextHash = await actions.contextHash(m.outsider, roundId, 78n, chain.accounts.outsider.address);
    await refused(settle({}, roundId, m.outsider), 'RoundsInvalidProof', { roundId, contextHash });
    await settle();
  });

  attack('a vote committed or revealed twice to make a quorum of one', async () => {
    const [validator] = silent.validators;
    const hash = hashOf(validator!.account.address, honest.vote);
    await actions.voteCommit(validator!, unvoted, hash);
    await refused(actions.voteCommit(validator!, unvoted, hash), 'RoundsAlreadyVoted', { roundId: unvoted });
    await chain.advance(real.VOTE + 1);
    await actions.voteReveal(validator!, unvoted, honest.vote, SALT);
    await refused(actions.voteReveal(validator!, unvoted, honest.vote, SALT), 'RoundsNoVote', { roundId: unvoted });
    await chain.advance(real.REVEAL);
    await refused(settle({}, unvoted), 'RoundsNoQuorum', { roundId: unvoted, threshold: 2n, votes: 1n });
  });

  attack('a vote for one status used for another', async () => {
    await chain.advance(real.VOTE + real.REVEAL + real.SETTLE + 1);
    const below = await scored(m, roundId, { status: 'BELOW_GATE' });
    await refused(actions.reject(m.outsider, roundId, below), 'RoundsNoQuorum', { roundId, votes: 0n });
  });

  attack('another vote revealed than was committed to, once the others are seen', async () => {
    for (const { account } of silent.validators) {
      const voter = silent.validators.find((one) => one.account === account)!;
      await actions.voteCommit(voter, unvoted, hashOf(account.address, honest.vote));
    }
    const other = { ...honest.vote, candidateCommitment: 79n };
    const [validator] = silent.validators;
    const expected = hashOf(validator!.account.address, honest.vote);
    await refused(actions.voteReveal(validator!, unvoted, other, SALT), 'RoundsVoteMismatch', {
      roundId: unvoted,
      expected,
    });
  });

  attack('a voteHash copied from another validator, to vote as he does', async () => {
    const [first, second, third] = silent.validators;
    const copied = hashOf(first!.account.address, honest.vote);
    for (const validator of [first!, second!, third!]) await actions.voteCommit(validator, unvoted, copied);
    await actions.voteReveal(first!, unvoted, honest.vote, SALT);
    await refused(actions.voteReveal(second!, unvoted, honest.vote, SALT), 'RoundsVoteMismatch', { roundId: unvoted });
  });

  attack('a malleated proof, A and B negated, settling twice', async () => {
    const { a, b, c } = honest.proof;
    const [x, [y0, y1]] = b;
    const proof = { a: [a[0], Q - a[1]], b: [x, [Q - y0, Q - y1]], c } as const;
    await settle({ proof });
    const again = { roundId, expected: 3, actual: 4 };
    await refused(settle(), 'RoundsWrongState', again);
    await refused(settle({ proof }), 'RoundsWrongState', again);
    assert.equal(await finaliseAndClaim(), await reserved());
  });

  attack('a public signal plus r, which is the same in the field', async () => {
    await refused(settle({ attestationHash: honest.attestationHash + R }), 'RoundsInvalidProof');
    await refused(settle({ counts: [honest.counts[0]! + R] }), 'RoundsInvalidProof');
    const settlement = await real.settlement(silent, unvoted);
    const vote = await scored(silent, unvoted, {
      candidatePredictionsRoot: silent.roots.candidatePredictionsRoot + R,
    });
    await real.voteAll(silent, unvoted, vote);
    const settling = actions.settle(silent.settler, unvoted, { ...settlement, vote });
    await refused(settling, 'RoundsInvalidProof', { roundId: unvoted });
  });

  attack('a double settlement, for a second reward', async () => {
    await settle();
    await refused(settle(), 'RoundsWrongState', { roundId, expected: 3, actual: 4 });
    const paid = await finaliseAndClaim();
    await refused(actions.claim(m.payee, real.claimOf(m, roundId)), 'RewardsAlreadyClaimed', { roundId, place: 1n });
    await refused(settle(), 'RoundsWrongState', { roundId, expected: 3, actual: 5 });
    assert.equal(await rewardPaid(), paid);
  });

  attack('a claim by somebody else than the payee', async () => {
    await settle();
    await chain.advance(real.DELAY);
    await actions.finalise(m.outsider, roundId);
    for (const thief of [m.outsider, m.contributor, m.settler, m.owner]) {
      await refused(actions.claim(thief, real.claimOf(m, roundId)), 'RewardsNotInTree', { roundId });
    }
    const [validator] = m.validators;
    await refused(actions.claim(validator!, real.claimOf(m, roundId)), 'RewardsInterestedValidator', { roundId });
    assert.equal(await rewardPaid(), 0n);
  });

  attack('validators sit a round out to keep the contributor’s fee: a time-out refunds it, with the bond', async () => {
    await chain.advance(real.VOTE + real.REVEAL + real.SETTLE + 1);
    await refused(settle({}, unvoted), 'RoundsDeadlinePassed', { roundId: unvoted });
    await chain.advance(real.SETTLE);
    await actions.expire(m.outsider, unvoted);
    for (const nobody of [m.settler, ...silent.validators]) {
      await refused(actions.withdraw(nobody, unvoted), 'RoundsNothingToWithdraw');
    }
    const { rounds } = chain.deployment;
    const escrowed = await m.owner.publicClient.getBalance({ address: rounds });
    await actions.withdraw(m.contributor, unvoted);
    assert.equal(await m.owner.publicClient.getBalance({ address: rounds }), escrowed - real.DEPOSIT);
    assert.equal(escrowed, 2n * real.DEPOSIT);
    await refused(actions.withdraw(m.contributor, unvoted), 'RoundsNothingToWithdraw');
    assert.equal((await actions.round(m.owner, unvoted)).state, 'VOIDED');
  });

  attack('a vote of somebody who was not drawn', async () => {
    for (const stranger of [m.outsider, m.contributor, m.owner]) {
      const hash = hashOf(stranger.account.address, honest.vote);
      await refused(actions.voteCommit(stranger, unvoted, hash), 'RoundsNotValidator', { roundId: unvoted });
    }
  });
});
