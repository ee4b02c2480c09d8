import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { encodeFunctionData, getAddress, type Hex, zeroHash } from 'viem';
import { payableBps, unpack } from '../../offchain/delta/accuracy.ts';
import { reward } from '../../offchain/delta/delta.ts';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { createScenario, DEPOSIT, FEE, GOOD, MAX_REWARD, STATE, VOID } from '../scenario.ts';

describe('Rounds: attacks on commit', async () => {
  const s = await createScenario();
  const { rounds, rewards, modelRegistry, modelId } = s;
  const { attack, reverts, emits } = await prepareAttacks(s);
  const terms = async () => {
    const { policyHash, benchmarkId } = await modelRegistry.read.model([modelId]);
    return [modelId, policyHash, benchmarkId] as const;
  };

  attack('copy a commitment from the mempool: the copier pays, and only the contributor opens', async () => {
    const given = await s.contribution();
    const [commitment, roundId] = await rounds.read.commitmentOf([given]);
    await s.commit(given, { by: s.outsider });
    await reverts(s.commit(given), 'RoundsAlreadyCommitted', [roundId, commitment]);
    const thief = [roundId, address(s.contributor), address(s.outsider)];
    await reverts(s.openOnly(given, '0x', s.outsider), 'RoundsNotContributor', thief);
    await s.openOnly(given);
    const { sponsor, contributor } = await s.round(roundId);
    assert.deepEqual([sponsor, contributor], [address(s.outsider), address(s.contributor)]);
    await s.draw(roundId);
    await s.settle(roundId);
    await s.finalise(roundId);
    await reverts(rounds.write.withdraw([roundId], as(s.contributor)), 'RoundsNothingToWithdraw', [
      ...[roundId, address(s.contributor)],
    ]);
    await emits(rounds.write.withdraw([roundId], as(s.outsider)), 'Withdrawn', [
      roundId,
      address(s.outsider),
      DEPOSIT - FEE,
    ]);
  });

  attack('copy a commitment and cancel it: another salt is another commitment', async () => {
    const given = await s.contribution();
    const [commitment, roundId] = await rounds.read.commitmentOf([given]);
    await s.open('busy');
    await s.commit(given, { by: s.outsider });
    await rounds.write.cancel([roundId], as(s.outsider));
    await reverts(s.commit(given), 'RoundsAlreadyCommitted', [roundId, commitment]);
    await s.commit({ ...given, salt: tag('another salt') });
  });

  attack('copy a commitment into the queue of another model, or under a later policy or benchmark', async () => {
    const given = await s.contribution();
    const [commitment, roundId] = await rounds.read.commitmentOf([given]);
    const copy = async (args: readonly [Hex, Hex, Hex]) =>
      rounds.write.commit([...args, commitment], { ...as(s.outsider), value: DEPOSIT });
    const model = await s.createModel('copy');
    const [, policyHash, benchmarkId] = await terms();
    const before = await s.networkHelpers.takeSnapshot();
    await copy([model, policyHash, benchmarkId]);
    await reverts(s.openOnly(given), 'RoundsForeignModel', [modelId, getAddress(rounds.address)]);
    await before.restore();
    await modelRegistry.write.updatePolicy([modelId, { ...s.policy, roundsPerFold: 4 }], as(s.owner));
    const stricter = await terms();
    await copy(stricter);
    await reverts(s.openOnly(given), 'RoundsStalePolicy', [policyHash, stricter[1]]);
    await before.restore();
    await modelRegistry.write.updateBenchmark([modelId, [s.fold(7)]], as(s.owner));
    const later = await terms();
    await copy(later);
    await reverts(s.openOnly(given), 'RoundsStaleBenchmark', [benchmarkId, later[2]]);
    await reverts(s.commit(given), 'RoundsStaleBenchmark', [benchmarkId, later[2]]);
    assert.equal((await s.round(roundId)).state, STATE.COMMITTED);
  });

  attack('commit twice, in every state that a round can have', async () => {
    const given = await s.contribution();
    const [commitment, roundId] = await rounds.read.commitmentOf([given]);
    const again = () => reverts(s.commit(given), 'RoundsAlreadyCommitted', [roundId, commitment]);
    await s.commit(given);
    await again();
    await s.openOnly(given);
    await again();
    await s.draw(roundId);
    await again();
    await s.settle(roundId);
    await again();
    await s.finalise(roundId);
    await again();
  });

  attack('pay less or more than bond and fee', async () => {
    const given = await s.contribution();
    for (const value of [0n, FEE, DEPOSIT - 1n, DEPOSIT + 1n]) {
      await reverts(s.commit(given, { value }), 'RoundsWrongDeposit', [DEPOSIT, value]);
    }
    await s.commit(given);
    assert.equal(await s.balance(rounds.address), DEPOSIT);
  });

  attack('the owner changes policy or benchmark right before a commit', async () => {
    const given = await s.contribution();
    await modelRegistry.write.updatePolicy([modelId, { ...s.policy, tokensPerDeltaOne: 100n }], as(s.owner));
    const [, policyHash] = await terms();
    await reverts(s.commit(given), 'RoundsStalePolicy', [given.policyHash, policyHash]);
    await modelRegistry.write.updatePolicy([modelId, s.policy], as(s.owner));
    await modelRegistry.write.updateBenchmark([modelId, [s.fold(7)]], as(s.owner));
    const [, , benchmarkId] = await terms();
    await reverts(s.commit(given), 'RoundsStaleBenchmark', [given.benchmarkId, benchmarkId]);
  });

  attack('the owner changes policy and benchmark between commit and open, and again during the round', async () => {
    const given = await s.contribution();
    const roundId = await s.commit(given);
    const validators = s.others
      .slice(0, 3)
      .map(address)
      .sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
    const worse = {
      ...s.policy,
      tokensPerDeltaOne: 100n,
      evaluationFee: 1n,
      bond: 1n,
      minContributionRows: 101,
      validators,
    };
    await modelRegistry.write.updatePolicy([modelId, worse], as(s.owner));
    await modelRegistry.write.updateBenchmark([modelId, [s.fold(7)]], as(s.owner));
    await s.openOnly(given);
    await s.draw(roundId);
    const { policyHash, benchmarkId, foldId, evaluationFee } = await s.round(roundId);
    assert.deepEqual([policyHash, benchmarkId, evaluationFee], [given.policyHash, given.benchmarkId, FEE]);
    assert((await modelRegistry.read.foldIds([benchmarkId])).includes(foldId));
    await modelRegistry.write.updatePolicy([modelId, { ...worse, payPoint: true }], as(s.owner));
    await s.settle(roundId);
    await s.finalise(roundId);
    const bound = payableBps(unpack(GOOD), BigInt(s.policy.gate.zMicro));
    const { reserved } = await rewards.read.awardOf([modelId, roundId]);
    assert.equal(reserved, reward(bound, s.policy.tokensPerDeltaOne, MAX_REWARD));
  });

  attack('commit on a model that another contract pays for, or that nobody registered', async () => {
    const args = [tag('foreign'), address(s.outsider), s.token.address, s.head, s.policy, [s.fold(0)]] as const;
    const { result: foreign } = await modelRegistry.simulate.registerModel([...args], { account: address(s.owner) });
    await modelRegistry.write.registerModel([...args], as(s.owner));
    const given = await s.contribution({ modelId: foreign });
    await reverts(s.commit(given), 'RoundsForeignModel', [foreign, address(s.outsider)]);
    const [, policyHash, benchmarkId] = await terms();
    const unknown = tag('unknown');
    const committing = rounds.write.commit([unknown, policyHash, benchmarkId, zeroHash], {
      ...as(s.outsider),
      value: DEPOSIT,
    });
    await reverts(committing, 'ModelRegistryUnknownModel', [unknown], modelRegistry);
  });

  attack('a sponsor that takes no money blocks nobody', async () => {
    const trap = await s.viem.deployContract('RevertingRecipient');
    const given = await s.contribution();
    const [commitment, roundId] = await rounds.read.commitmentOf([given]);
    const { abi } = rounds;
    const committing = encodeFunctionData({ abi, functionName: 'commit', args: [...(await terms()), commitment] });
    await trap.write.call!([rounds.address, committing], { ...as(s.outsider), value: DEPOSIT });
    await s.commit(await s.contribution({ salt: tag('next') }));
    await s.networkHelpers.time.increase(s.policy.openDuration + 1);
    await emits(rounds.write.expire([roundId], as(s.outsider)), 'RoundVoided', [
      ...[roundId, modelId, getAddress(trap.address), VOID.MISSED_TURN],
    ]);
    const refund = encodeFunctionData({ abi, functionName: 'withdraw', args: [roundId] });
    const refused = [getAddress(trap.address), FEE];
    await reverts(trap.write.call!([rounds.address, refund], as(s.outsider)), 'RoundsTransferFailed', refused);
    const [, next] = await rounds.read.commitmentOf([await s.contribution({ salt: tag('next') })]);
    assert.equal((await rounds.read.turn([modelId]))[0], next);
  });
});
