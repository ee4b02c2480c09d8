import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Hex, WalletClient } from 'viem';
import { STATUSES, voteContent, voteHash } from '../../offchain/chain/vote.ts';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { createScenario, FEE, STATE, STATUS } from '../scenario.ts';

describe('Rounds: votes', async () => {
  const s = await createScenario();
  const { rounds } = s;
  const { attack, fresh, reverts, emits } = await prepareAttacks(s);
  const [first, second, third] = s.validators as [WalletClient, WalletClient, WalletClient];
  const hashOf = (roundId: Hex, of: WalletClient, content = s.vote(), salt = tag('vote salt')) =>
    rounds.read.voteHash([roundId, address(of), content, salt]);
  const commitHash = (roundId: Hex, by: WalletClient, hash: Hex) => rounds.write.voteCommit([roundId, hash], as(by));
  const commitAll = async (roundId: Hex, content = s.vote()) => {
    for (const validator of s.validators) await s.voteCommit(roundId, content, validator);
  };

  fresh('each validator commits, then reveals', async () => {
    const roundId = await s.drawn();
    const content = s.vote();
    const hash = await hashOf(roundId, first);
    await emits(commitHash(roundId, first, hash), 'VoteCommitted', [roundId, address(first), hash]);
    assert.equal(await rounds.read.voteOf([roundId, address(first)]), hash);
    for (const validator of [second, third]) await s.voteCommit(roundId, content, validator);
    assert.deepEqual([(await s.round(roundId)).committed, (await s.round(roundId)).revealed], [7, 0]);
    assert.equal(await rounds.read.hasVoted([roundId, address(second)]), false);
    const revealed = [roundId, address(second), STATUS.SCORED, content];
    await emits(s.voteReveal(roundId, content, second), 'VoteRevealed', revealed);
    assert.deepEqual([(await s.round(roundId)).committed, (await s.round(roundId)).revealed], [7, 2]);
    assert.equal(await rounds.read.hasVoted([roundId, address(second)]), true);
    assert.equal(await rounds.read.hasVoted([roundId, address(first)]), false);
    const named = { ...content, status: STATUSES[content.status]! };
    assert.equal(await rounds.read.voteOf([roundId, address(second)]), voteContent(named));
  });

  fresh('votes may be revealed once the time to commit is over, whoever has not', async () => {
    const roundId = await s.drawn();
    for (const validator of [first, second]) await s.voteCommit(roundId, s.vote(), validator);
    await s.until((await s.round(roundId)).voteDeadline + 1);
    for (const validator of [first, second]) await s.voteReveal(roundId, s.vote(), validator);
    // All that were committed are shown, and nobody can commit any more.
    await s.settle(roundId);
    assert.equal((await s.round(roundId)).shareholders, 3);
  });

  attack('vote without a seat', async () => {
    const roundId = await s.drawn();
    for (const wallet of [s.outsider, s.owner, s.contributor]) {
      const refused = [roundId, address(wallet)];
      await reverts(commitHash(roundId, wallet, tag('x')), 'RoundsNotValidator', refused);
      await reverts(rounds.read.voteOf([roundId, address(wallet)]), 'RoundsNotValidator', refused);
    }
    await commitAll(roundId);
    const revealing = s.voteReveal(roundId, s.vote(), s.outsider);
    await reverts(revealing, 'RoundsNotValidator', [roundId, address(s.outsider)]);
  });

  attack('vote twice, or change one’s mind', async () => {
    const roundId = await s.drawn();
    await s.voteCommit(roundId, s.vote(), first);
    for (const content of [s.vote(), s.vote({ status: STATUS.PII })]) {
      await reverts(s.voteCommit(roundId, content, first), 'RoundsAlreadyVoted', [roundId, address(first)]);
    }
    for (const validator of [second, third]) await s.voteCommit(roundId, s.vote(), validator);
    await s.voteReveal(roundId, s.vote(), first);
    await reverts(s.voteReveal(roundId, s.vote(), first), 'RoundsNoVote', [roundId, address(first)]);
    await reverts(s.voteCommit(roundId, s.vote(), first), 'RoundsAlreadyVoted', [roundId, address(first)]);
  });

  attack('commit a vote after the deadline, when others are being revealed', async () => {
    const roundId = await s.drawn();
    const { voteDeadline } = await s.round(roundId);
    await s.voteCommit(roundId, s.vote(), first);
    const hash = await hashOf(roundId, second);
    await s.until(voteDeadline + 1);
    const late = [roundId, BigInt(voteDeadline), BigInt(voteDeadline) + 1n];
    await reverts(commitHash(roundId, second, hash), 'RoundsDeadlinePassed', late);
    await s.voteReveal(roundId, s.vote(), first);
    await reverts(s.voteReveal(roundId, s.vote(), second), 'RoundsNoVote', [roundId, address(second)]);
  });

  attack('reveal before all have committed, so that others can follow', async () => {
    const roundId = await s.drawn();
    const { voteDeadline } = await s.round(roundId);
    for (const validator of [first, second]) await s.voteCommit(roundId, s.vote(), validator);
    await s.until(voteDeadline);
    const early = [roundId, BigInt(voteDeadline), BigInt(voteDeadline)];
    await reverts(s.voteReveal(roundId, s.vote(), first), 'RoundsVoteStillOpen', early);
    await s.voteCommit(roundId, s.vote(), third);
    await s.voteReveal(roundId, s.vote(), first);
  });

  attack('reveal after the deadline, when the outcome is known', async () => {
    const roundId = await s.drawn();
    const { revealDeadline } = await s.round(roundId);
    await commitAll(roundId);
    await s.until(revealDeadline + 1);
    const late = [roundId, BigInt(revealDeadline), BigInt(revealDeadline) + 1n];
    await reverts(s.voteReveal(roundId, s.vote(), third), 'RoundsDeadlinePassed', late);
  });

  attack('reveal another vote than committed, or with another salt', async () => {
    const roundId = await s.drawn();
    await commitAll(roundId);
    const expected = await hashOf(roundId, first);
    for (const [content, salt] of [
      [s.vote({ status: STATUS.BELOW_GATE }), undefined],
      [s.vote({ baselinePredictionsRoot: 1n }), undefined],
      [s.vote({ candidateCommitment: 1n }), undefined],
      [s.vote({ candidatePredictionsRoot: 1n }), undefined],
      [s.vote({ trainingSetRoot: tag('other') }), undefined],
      [s.vote({ metricsHash: tag('other') }), undefined],
      [s.vote(), tag('other salt')],
    ] as const) {
      const actual = await hashOf(roundId, first, content, salt);
      const mismatch = [roundId, address(first), expected, actual];
      await reverts(s.voteReveal(roundId, content, first, salt), 'RoundsVoteMismatch', mismatch);
    }
    await s.voteReveal(roundId, s.vote(), first);
  });

  attack('copy another’s vote hash: it cannot be revealed', async () => {
    const roundId = await s.drawn();
    const copied = await hashOf(roundId, first);
    await s.voteCommit(roundId, s.vote(), first);
    await commitHash(roundId, second, copied);
    await s.voteCommit(roundId, s.vote(), third);
    await s.voteReveal(roundId, s.vote(), first);
    const actual = await hashOf(roundId, second);
    const mismatch = [roundId, address(second), copied, actual];
    await reverts(s.voteReveal(roundId, s.vote(), second), 'RoundsVoteMismatch', mismatch);
  });

  attack('a vote hash of another round, contract or chain', async () => {
    const roundId = await s.drawn();
    const named = { ...s.vote(), status: 'SCORED' } as const;
    const expected = await hashOf(roundId, first);
    const others = [
      voteHash(31337, rounds.address, tag('other'), address(first), named, tag('vote salt')),
      voteHash(31337, s.rewards.address, roundId, address(first), named, tag('vote salt')),
      voteHash(1, rounds.address, roundId, address(first), named, tag('vote salt')),
    ];
    const before = await s.networkHelpers.takeSnapshot();
    for (const other of others) {
      await commitHash(roundId, first, other);
      for (const validator of [second, third]) await s.voteCommit(roundId, s.vote(), validator);
      const mismatch = [roundId, address(first), other, expected];
      await reverts(s.voteReveal(roundId, s.vote(), first), 'RoundsVoteMismatch', mismatch);
      await before.restore();
    }
  });

  attack('commit the hash that a revealed vote has, to share without showing', async () => {
    // In the first seat: votes are counted up to the last seat that revealed.
    const roundId = await s.drawn();
    const content = s.vote();
    await commitHash(roundId, first, voteContent({ ...content, status: 'SCORED' }));
    for (const validator of [second, third]) await s.voteCommit(roundId, content, validator);
    for (const validator of [second, third]) await s.voteReveal(roundId, content, validator);
    const { read } = rounds;
    assert.equal(await read.voteOf([roundId, address(first)]), await read.voteOf([roundId, address(third)]));
    await s.until((await s.round(roundId)).revealDeadline + 1);
    await s.settle(roundId);
    assert.equal((await s.round(roundId)).shareholders, 6);
    await s.finalise(roundId);
    assert.equal(await read.withdrawable([roundId, address(third)]), FEE / 3n);
    await reverts(rounds.write.withdraw([roundId], as(first)), 'RoundsNothingToWithdraw', [roundId, address(first)]);
  });

  attack('make a quorum of one’s own with such hashes', async () => {
    const roundId = await s.drawn();
    const content = s.vote();
    for (const validator of [first, second]) {
      await commitHash(roundId, validator, voteContent({ ...content, status: 'SCORED' }));
    }
    await s.voteCommit(roundId, content, third);
    await s.voteReveal(roundId, content, third);
    await s.until((await s.round(roundId)).revealDeadline + 1);
    await reverts(s.settle(roundId), 'RoundsNoQuorum', [roundId, 2n, 1n]);
  });

  attack('settle or reject while votes can still be shown', async () => {
    const roundId = await s.drawn();
    const { revealDeadline } = await s.round(roundId);
    await commitAll(roundId);
    for (const validator of [first, second]) await s.voteReveal(roundId, s.vote(), validator);
    const args = await s.settlement(roundId);
    await s.until(revealDeadline);
    const open = [roundId, BigInt(revealDeadline), BigInt(revealDeadline)];
    await reverts(rounds.write.settle([...args], as(s.settler)), 'RoundsRevealStillOpen', open);
    const pii = s.vote({ status: STATUS.PII });
    await reverts(rounds.write.reject([roundId, pii], as(s.settler)), 'RoundsRevealStillOpen', open);
    await s.voteReveal(roundId, s.vote(), third);
    await rounds.write.settle([...args], as(s.settler));
    assert.equal((await s.round(roundId)).shareholders, 7);
  });

  attack('settle or reject before anybody voted, or without a quorum', async () => {
    const roundId = await s.drawn();
    const { voteDeadline, revealDeadline } = await s.round(roundId);
    await s.until(voteDeadline);
    const nobody = s.vote({ status: STATUS.PII });
    const open = [roundId, BigInt(revealDeadline), BigInt(voteDeadline)];
    await reverts(rounds.write.reject([roundId, nobody], as(s.settler)), 'RoundsRevealStillOpen', open);
    const args = await s.settlement(roundId);
    await reverts(rounds.write.settle([...args], as(s.settler)), 'RoundsRevealStillOpen', open);
    await s.until(voteDeadline + 1);
    await reverts(rounds.write.reject([roundId, nobody], as(s.settler)), 'RoundsNoQuorum', [roundId, 2n, 0n]);
    await reverts(rounds.write.settle([...args], as(s.settler)), 'RoundsNoQuorum', [roundId, 2n, 0n]);
  });

  attack('split the votes: nobody is paid, and nothing is minted', async () => {
    const roundId = await s.drawn();
    const contents = [s.vote(), s.vote({ candidatePredictionsRoot: 503n }), s.vote({ status: STATUS.PII })];
    for (const [i, validator] of s.validators.entries()) await s.voteCommit(roundId, contents[i]!, validator);
    for (const [i, validator] of s.validators.entries()) await s.voteReveal(roundId, contents[i]!, validator);
    for (const content of contents.slice(0, 2)) {
      await reverts(s.settle(roundId, { vote: content }), 'RoundsNoQuorum', [roundId, 2n, 1n]);
    }
    await reverts(rounds.write.reject([roundId, contents[2]!], as(s.settler)), 'RoundsNoQuorum', [roundId, 2n, 1n]);
    await s.until((await s.round(roundId)).deadline + s.policy.settleDuration + 1);
    await rounds.write.expire([roundId], as(s.outsider));
    assert.equal((await s.round(roundId)).state, STATE.VOIDED);
    for (const validator of s.validators) {
      assert.equal(await rounds.read.withdrawable([roundId, address(validator)]), 0n);
    }
  });
});
