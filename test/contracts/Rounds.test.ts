import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeAbiParameters, hashTypedData, keccak256, zeroHash } from 'viem';
import { deltaOneBps, payableBps, reward, unpack } from '../../offchain/delta.ts';
import { address, tag } from '../attack.ts';
import { createScenario, FEE, GOOD, MAX_REWARD, ROWS, STATE, STATUS, UNIT, VOTE_TYPES } from '../scenario.ts';

describe('Rounds: the life of a round', async () => {
  const s = await createScenario();
  const { rounds, modelRegistry, token, viem, modelId } = s;
  const start = await s.networkHelpers.takeSnapshot();
  const fresh = (title: string, test: () => Promise<void>) =>
    it(title, async () => {
      await start.restore();
      await test();
    });

  fresh('commit, open, settle, finalise, claim: the reward is minted and the head advances', async () => {
    const given = await s.contribution();
    const [commitment, roundId] = await rounds.read.commitmentOf([given]);
    await viem.assertions.emitWithArgs(
      rounds.write.commit([commitment], { account: s.contributor.account }),
      rounds,
      'ContributionCommitted',
      [roundId, address(s.contributor), commitment],
    );
    const opening = rounds.write.open([given], { account: s.contributor.account, value: FEE });
    const seed = async () => {
      const { parentHash, number } = await s.publicClient.getBlock();
      const types = [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'bytes32' }] as const;
      return [
        keccak256(encodeAbiParameters(types, [tag('hokusai.seed'), given.dataRoot, parentHash])),
        number,
      ] as const;
    };
    await opening;
    const [expectedSeed] = await seed();
    const [foldId] = await modelRegistry.read.foldIds([modelId]);
    const opened = await rounds.read.round([roundId]);
    await viem.assertions.emitWithArgs(opening, rounds, 'RoundOpened', [
      ...[roundId, modelId, address(s.contributor), address(s.payee), given.dataRoot, given.rows],
      ...[given.ciphertextHash, given.policyHash, given.salt, foldId, s.head.modelCommitment, s.head.trainingSetRoot],
      ...[expectedSeed, BigInt(opened.deadline)],
    ] as never);
    assert.equal(opened.state, STATE.OPEN);
    assert.equal(opened.reward, MAX_REWARD);
    assert.equal(await rounds.read.budget([modelId]), 3n * MAX_REWARD);
    assert.equal(await rounds.read.slot([modelId]), roundId);

    const counts = unpack(GOOD);
    const bound = payableBps(counts, BigInt(s.policy.zMicro));
    const paid = reward(bound, UNIT, MAX_REWARD);
    await viem.assertions.emitWithArgs(s.settle(roundId), rounds, 'AttestationSettled', [
      ...[roundId, modelId, address(s.contributor), 999n, deltaOneBps(counts), bound, paid, ROWS, s.vote().metricsHash],
    ] as never);
    const settled = await rounds.read.round([roundId]);
    assert.deepEqual(
      [settled.state, settled.reward, settled.deltaOneBps, settled.payableBps, settled.n, settled.shareholders],
      [STATE.SETTLED, paid, Number(deltaOneBps(counts)), Number(bound), Number(ROWS), (1n << 255n) | 3n],
    );
    assert.equal(await rounds.read.budget([modelId]), 4n * MAX_REWARD - paid);
    assert.deepEqual(await rounds.read.foldState([modelId, foldId!]), { rounds: 1, accepted: true });
    assert.equal(await rounds.read.slot([modelId]), roundId, 'the slot is kept through the delay');

    const next = { modelCommitment: s.vote().candidateCommitment, trainingSetRoot: s.vote().trainingSetRoot };
    await viem.assertions.emitWithArgs(s.finalise(roundId), modelRegistry, 'HeadAdvanced', [
      ...[modelId, roundId, s.head.modelCommitment, s.head.trainingSetRoot, next.modelCommitment, next.trainingSetRoot],
    ] as never);
    assert.deepEqual(await modelRegistry.read.head([modelId]), next);
    assert.equal(await rounds.read.slot([modelId]), zeroHash);

    const claiming = rounds.write.claim([roundId], { account: s.payee.account });
    await viem.assertions.emitWithArgs(claiming, rounds, 'RewardClaimed', [roundId, modelId, address(s.payee), paid]);
    assert.equal(await token.read.balanceOf([address(s.payee)]), paid);
    assert.equal(await token.read.totalSupply(), paid);
  });

  fresh('the next round starts from the new head, on the next fold', async () => {
    const first = await s.open();
    await s.settle(first);
    await s.finalise(first);
    const second = await rounds.read.round([await s.open('second')]);
    const [, foldId] = await modelRegistry.read.foldIds([modelId]);
    assert.equal(second.headCommitment, s.vote().candidateCommitment);
    assert.equal(second.headTrainingSetRoot, s.vote().trainingSetRoot);
    assert.equal(second.foldId, foldId);
  });

  fresh('the ids, the vote digest, the context and the signals are what clients compute', async () => {
    const given = await s.contribution();
    const roundId = await s.open();
    const types = (...names: string[]) => names.map((type) => ({ type }));
    const contributionTypes = types(
      'bytes32',
      'address',
      'address',
      'bytes32',
      'uint32',
      'bytes32',
      'bytes32',
      'bytes32',
    );
    const here = [31337n, rounds.address] as const;
    const commitment = keccak256(
      encodeAbiParameters(
        [...types('bytes32', 'uint256', 'address'), ...contributionTypes],
        [tag('hokusai.commitment'), ...here, ...Object.values(given)],
      ),
    );
    const expectedRound = keccak256(
      encodeAbiParameters(types('bytes32', 'uint256', 'address', 'bytes32'), [
        tag('hokusai.round'),
        ...here,
        commitment,
      ]),
    );
    assert.deepEqual(await rounds.read.commitmentOf([given]), [commitment, expectedRound]);
    assert.equal(roundId, expectedRound);

    const content = s.vote();
    const domain = { name: 'Hokusai Rounds', version: '1', chainId: 31337, verifyingContract: rounds.address } as const;
    const digest = hashTypedData({ domain, types: VOTE_TYPES, primaryType: 'Vote', message: { roundId, ...content } });
    assert.equal(await rounds.read.voteDigest([roundId, content]), digest);

    const { foldId } = await rounds.read.round([roundId]);
    const context = keccak256(
      encodeAbiParameters(
        types(
          ...['bytes32', 'uint256', 'address', 'bytes32', 'bytes32', 'uint256', 'bytes32', 'bytes32', 'address'],
          ...['bytes32', 'bytes32', 'bytes32', 'bytes32', 'uint256', 'address'],
        ),
        [
          ...[tag('hokusai.context'), ...here, roundId, modelId, s.head.modelCommitment, s.head.trainingSetRoot],
          ...[given.dataRoot, given.payee, foldId, given.policyHash, s.policy.trainSpecHash, s.policy.circuitId],
          ...[content.candidateCommitment, address(s.settler)],
        ],
      ),
    );
    const contextHash = BigInt(context) >> 8n;
    assert.equal(await rounds.read.contextHash([roundId, 78n, address(s.settler)]), contextHash);
    assert.deepEqual(await rounds.read.publicSignals([roundId, content, address(s.settler), GOOD, 999n]), [
      ...[999n, s.fold(0).labelsRoot, content.baselinePredictionsRoot, content.candidatePredictionsRoot, GOOD],
      contextHash,
    ]);
  });

  fresh('a policy that pays the point pays the point', async () => {
    const pointModel = await s.registerModel(tag('point'), { payPoint: true });
    await rounds.write.allocateBudget([pointModel, MAX_REWARD], { account: s.owner.account });
    const roundId = await s.open('point', { modelId: pointModel });
    await s.settle(roundId);
    assert.equal((await rounds.read.round([roundId])).reward, reward(deltaOneBps(unpack(GOOD)), UNIT, MAX_REWARD));
  });

  fresh('the reward is capped by the policy', async () => {
    const capped = await s.registerModel(tag('capped'), { maxReward: 5n });
    await rounds.write.allocateBudget([capped, 5n], { account: s.owner.account });
    const roundId = await s.open('capped', { modelId: capped });
    await s.settle(roundId);
    assert.equal((await rounds.read.round([roundId])).reward, 5n);
    assert.equal(await rounds.read.budget([capped]), 0n);
  });

  fresh('a rejection gives back slot and reservation, counts as a try and says why', async () => {
    const roundId = await s.open();
    await viem.assertions.emitWithArgs(s.reject(roundId, { status: STATUS.OVERLAP }), rounds, 'RoundRejected', [
      ...[roundId, modelId, address(s.contributor), STATUS.OVERLAP],
    ] as never);
    const rejected = await rounds.read.round([roundId]);
    assert.deepEqual([rejected.state, rejected.status, rejected.reward], [STATE.REJECTED, STATUS.OVERLAP, 0n]);
    assert.equal(await rounds.read.slot([modelId]), zeroHash);
    assert.equal(await rounds.read.budget([modelId]), 4n * MAX_REWARD);
    assert.deepEqual(await rounds.read.foldState([modelId, rejected.foldId]), { rounds: 1, accepted: false });
    assert.equal(await rounds.read.baselinePredictionsRoot([modelId, 77n, rejected.foldId]), 0n);
  });

  fresh('a BELOW_GATE vote records what the head predicts', async () => {
    const roundId = await s.open();
    await s.reject(roundId);
    const { foldId } = await rounds.read.round([roundId]);
    assert.equal(await rounds.read.baselinePredictionsRoot([modelId, 77n, foldId]), 501n);
  });

  fresh('signers and settler share the fee, and no wei is lost', async () => {
    const roundId = await s.open();
    const content = s.vote();
    await s.settle(roundId, { signatures: await s.sign(roundId, content, s.validators) });
    const share = FEE / 4n;
    for (const validator of s.validators) {
      const paying = rounds.write.claimFee([roundId], { account: validator.account });
      await viem.assertions.emitWithArgs(paying, rounds, 'FeeClaimed', [roundId, address(validator), share]);
    }
    await viem.assertions.balancesHaveChanged(rounds.write.claimFee([roundId], { account: s.settler.account }), [
      { address: s.settler.account.address, amount: share + (FEE % 4n) },
    ]);
    assert.notEqual(FEE % 4n, 0n);
    assert.equal(await s.publicClient.getBalance({ address: rounds.address }), 0n);
  });

  fresh('a validator who also settles has two shares', async () => {
    const roundId = await s.open();
    const [first, second] = s.validators;
    await s.settle(roundId, { by: first! });
    await viem.assertions.balancesHaveChanged(rounds.write.claimFee([roundId], { account: first!.account }), [
      { address: first!.account.address, amount: 2n * (FEE / 3n) + (FEE % 3n) },
    ]);
    await rounds.write.claimFee([roundId], { account: second!.account });
    assert.equal(await s.publicClient.getBalance({ address: rounds.address }), 0n);
  });

  fresh('a time-out gives back slot, reservation and fee', async () => {
    const roundId = await s.open();
    await s.networkHelpers.time.increase(s.policy.roundDuration + 1);
    const expiring = rounds.write.expire([roundId], { account: s.outsider.account });
    await viem.assertions.emitWithArgs(expiring, rounds, 'RoundVoided', [roundId, modelId, address(s.contributor), 0]);
    assert.equal((await rounds.read.round([roundId])).state, STATE.VOIDED);
    assert.equal(await rounds.read.slot([modelId]), zeroHash);
    assert.equal(await rounds.read.budget([modelId]), 4n * MAX_REWARD);
    await viem.assertions.balancesHaveChanged(rounds.write.claimFee([roundId], { account: s.contributor.account }), [
      { address: s.contributor.account.address, amount: FEE },
    ]);
    assert.equal(await s.publicClient.getBalance({ address: rounds.address }), 0n);
  });

  fresh('gas of settle without the verifier stays below 195,000, first on its fold', async () => {
    const { gasUsed } = await s.publicClient.getTransactionReceipt({ hash: await s.settle(await s.open()) });
    console.log(`gas.settle without the verifier: ${gasUsed}`);
    assert(gasUsed < 195_000n);
  });
});
