import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { getAddress, zeroHash } from 'viem';
import { deltaOneBps, payableBps, unpack } from '../../offchain/delta/accuracy.ts';
import { reward } from '../../offchain/delta/delta.ts';
import { payeesTree } from '../../offchain/payees.ts';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { BOND, createScenario, DEPOSIT, FEE, GOOD, MAX_REWARD, ROWS, STATE, STATUS, UNIT } from '../scenario.ts';

describe('Rounds: the life of a round', async () => {
  const s = await createScenario();
  const { rounds, rewards, modelRegistry, token, modelId } = s;
  const { fresh, attack, reverts, emits } = await prepareAttacks(s);
  const bound = payableBps(unpack(GOOD), BigInt(s.policy.gate.zMicro));
  const paid = reward(bound, UNIT, MAX_REWARD);

  fresh('commit, open, draw, vote, settle, finalise, claim: the reward is minted and the head advances', async () => {
    const given = await s.contribution();
    const [commitment, roundId] = await rounds.read.commitmentOf([given]);
    const { policyHash, benchmarkId } = given;
    const committing = rounds.write.commit([modelId, policyHash, benchmarkId, commitment], {
      ...as(s.contributor),
      value: DEPOSIT,
    });
    const committed = [roundId, modelId, address(s.contributor), commitment, policyHash, benchmarkId];
    await emits(committing, 'ContributionCommitted', committed);
    assert.equal((await s.round(roundId)).state, STATE.COMMITTED);
    assert.equal(await rewards.read.budget([modelId]), 4n * MAX_REWARD);

    const opening = s.openOnly(given);
    await opening;
    const { anchorBlock } = await s.round(roundId);
    assert.equal(BigInt(anchorBlock), await s.publicClient.getBlockNumber());
    await emits(opening, 'RoundOpened', [
      ...[roundId, modelId, address(s.contributor), given.payeesRoot, given.dataRoot, given.rows],
      ...[given.ciphertextHash, given.salt, s.head.modelCommitment, s.head.trainingSetRoot, BigInt(anchorBlock)],
    ]);
    assert.equal((await s.round(roundId)).state, STATE.OPEN);
    assert.equal(await rewards.read.budget([modelId]), 3n * MAX_REWARD);
    assert.equal(await rounds.read.slot([modelId]), roundId);

    await s.draw(roundId);
    const content = s.vote();
    await s.voteAll(roundId, content);
    const { foldId } = await s.round(roundId);
    await emits(s.settle(roundId), 'AttestationSettled', [
      ...[roundId, modelId, address(s.contributor), 999n, deltaOneBps(unpack(GOOD)), bound, paid, ROWS],
      content.metricsHash,
    ]);
    const settled = await s.round(roundId);
    assert.deepEqual(
      [settled.state, settled.status, settled.deltaOneBps, settled.payableBps, settled.shareholders, settled.settler],
      [STATE.SETTLED, STATUS.SCORED, Number(deltaOneBps(unpack(GOOD))), Number(bound), 3, address(s.settler)],
    );
    assert.equal(await rewards.read.budget([modelId]), 4n * MAX_REWARD - paid);
    assert.deepEqual(await rounds.read.foldState([modelId, foldId]), { rounds: 1, accepted: true });
    assert.equal(await rounds.read.slot([modelId]), roundId, 'the slot is kept through the delay');

    const next = { modelCommitment: content.candidateCommitment, trainingSetRoot: content.trainingSetRoot };
    const advanced = [modelId, roundId, s.head.modelCommitment, s.head.trainingSetRoot, ...Object.values(next)];
    const finalising = s.finalise(roundId);
    await emits(finalising, 'HeadAdvanced', advanced, modelRegistry);
    await emits(finalising, 'RewardAwarded', [roundId, modelId, given.payeesRoot, paid, 0n], rewards);
    assert.deepEqual(await modelRegistry.read.head([modelId]), next);
    assert.equal(await rounds.read.slot([modelId]), zeroHash);
    assert.equal((await s.round(roundId)).state, STATE.FINALISED);

    await emits(
      s.claim(roundId),
      'RewardClaimed',
      [roundId, modelId, ...[address(s.payee), paid, address(s.payee)]],
      rewards,
    );
    assert.equal(await token.read.balanceOf([address(s.payee)]), paid);
    assert.equal(await token.read.totalSupply(), paid);
    for (const wallet of [s.contributor, s.settler, ...s.validators.slice(0, 2)]) {
      await rounds.write.withdraw([roundId], as(wallet));
    }
    assert.equal(await s.balance(rounds.address), 0n);
  });

  fresh('the next round starts from the new head, on the fold that is left', async () => {
    const first = await s.drawn();
    await s.settle(first);
    await s.finalise(first);
    const second = await s.drawn('second', { dataRoot: tag('more data') });
    const { parentRound, headCommitment, headTrainingSetRoot, foldId } = await s.round(second);
    assert.deepEqual([parentRound, headCommitment, headTrainingSetRoot], [first, 78n, s.vote().trainingSetRoot]);
    assert.notEqual(foldId, (await s.round(first)).foldId);
    await s.settle(second, { vote: { candidateCommitment: 79n } });
    await s.finalise(second);
    assert.equal((await modelRegistry.read.head([modelId])).modelCommitment, 79n);
  });

  fresh('three payees claim exactly the reward, and one that voted cannot', async () => {
    const [voter] = s.validators;
    const weights = [s.payee, s.outsider, voter!].map((wallet, i) => ({
      payee: address(wallet),
      weight: 3n + BigInt(i),
    }));
    const tree = payeesTree(weights);
    const roundId = await s.drawn('three', { payeesRoot: tree.payeesRoot });
    await s.settle(roundId);
    await reverts(s.claim(roundId, s.payee, tree), 'RewardsNotAwarded', [roundId], rewards);
    await s.finalise(roundId);
    const interested = [roundId, address(voter!)];
    await reverts(s.claim(roundId, voter!, tree), 'RewardsInterestedValidator', interested, rewards);
    for (const wallet of [s.payee, s.outsider]) await s.claim(roundId, wallet, tree);
    const shares = tree.payees.map((_, index) => tree.shareOf(paid, index));
    assert.equal(
      shares.reduce((sum, share) => sum + share, 0n),
      paid,
    );
    const unclaimed = tree.shareOf(paid, tree.indexOf(address(voter!)));
    assert.equal(await token.read.totalSupply(), paid - unclaimed);

    const [third] = s.others;
    const all = payeesTree(weights.map((one, i) => (i === 2 ? { ...one, payee: address(third!) } : one)));
    const second = await s.drawn('all', { payeesRoot: all.payeesRoot });
    await s.settle(second, { vote: { candidateCommitment: 79n } });
    await s.finalise(second);
    for (const wallet of [s.payee, s.outsider, third!]) await s.claim(second, wallet, all);
    assert.equal(await token.read.totalSupply(), 2n * paid - unclaimed);
  });

  fresh(
    'a policy that pays the point pays the point; the reward is capped; what it vests with is passed on',
    async () => {
      for (const [name, changes, expected] of [
        ['point', { payPoint: true }, reward(deltaOneBps(unpack(GOOD)), UNIT, MAX_REWARD)],
        ['capped', { maxReward: 5n }, 5n],
        ['vests', { vestingDuration: 86_400 }, paid],
      ] as const) {
        const model = await s.createModel(name, changes, MAX_REWARD);
        const roundId = await s.drawn(name, { modelId: model });
        await s.settle(roundId);
        await s.finalise(roundId);
        const award = await rewards.read.awardOf([model, roundId]);
        const vesting = 'vestingDuration' in changes ? changes.vestingDuration : 0;
        assert.deepEqual([award.reserved, award.vestingDuration], [expected, vesting]);
        assert.equal(await rewards.read.budget([model]), MAX_REWARD - expected);
      }
    },
  );

  attack('mint as anybody but the rewards, the owner of the token and the rounds included', async () => {
    await s.networkHelpers.impersonateAccount(rounds.address);
    await s.networkHelpers.setBalance(rounds.address, UNIT);
    for (const by of [as(s.owner), as(s.payee), { account: rounds.address }]) {
      const caller = typeof by.account === 'string' ? getAddress(by.account) : getAddress(by.account.address);
      const error = [getAddress(rewards.address), caller];
      await reverts(token.write.mint([caller, 1n], by), 'RewardTokenNotMinter', error, token);
    }
  });

  fresh('gas of settle without the verifier stays below 235,000, first on its fold', async () => {
    const { gasUsed } = await s.publicClient.getTransactionReceipt({ hash: await s.settle(await s.drawn()) });
    console.log(`gas.settle without the verifier: ${gasUsed}`);
    assert(gasUsed < 235_000n);
    assert.equal(FEE + BOND, DEPOSIT);
  });
});
