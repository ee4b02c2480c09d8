import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { stringToHex, zeroAddress, zeroHash } from 'viem';
import { payableBps, unpack } from '../../offchain/delta.ts';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { createScenario, FEE, GOOD, MAX_REWARD, STATE } from '../scenario.ts';

describe('Rounds: attacks on commit and open', async () => {
  const s = await createScenario();
  const { rounds, modelRegistry, token, modelId } = s;
  const { attack, reverts } = await prepareAttacks(s);
  const now = async () => BigInt(await s.networkHelpers.time.latest());

  attack('commit what another has committed', async () => {
    const given = await s.contribution();
    const [commitment, roundId] = await rounds.read.commitmentOf([given]);
    await rounds.write.commit([commitment], as(s.outsider));
    await reverts(rounds.write.commit([commitment], as(s.contributor)), 'RoundsAlreadyCommitted', [
      roundId,
      commitment,
    ]);
    await reverts(rounds.write.open([given], { ...as(s.outsider), value: FEE }), 'RoundsNotContributor', [
      ...[roundId, address(s.contributor), address(s.outsider)],
    ]);
    await rounds.write.open([given], { ...as(s.contributor), value: FEE });
  });

  attack('open with other values than committed', async () => {
    const given = await s.contribution();
    await s.commit(given);
    const others = {
      payee: address(s.outsider),
      contributor: address(s.outsider),
      dataRoot: tag('other data'),
      rows: 101,
      ciphertextHash: tag('other'),
      salt: tag('other'),
      policyHash: tag('other'),
      modelId: tag('other'),
    };
    for (const [key, value] of Object.entries(others)) {
      const changed = { ...given, [key]: value };
      const [, roundId] = await rounds.read.commitmentOf([changed]);
      await reverts(rounds.write.open([changed], { ...as(s.contributor), value: FEE }), 'RoundsWrongState', [
        ...[roundId, STATE.COMMITTED, STATE.NONE],
      ]);
    }
  });

  attack('open twice', async () => {
    const given = await s.contribution();
    const roundId = await s.open();
    await reverts(rounds.write.open([given], { ...as(s.contributor), value: FEE }), 'RoundsWrongState', [
      ...[roundId, STATE.COMMITTED, STATE.OPEN],
    ]);
  });

  attack('take the slot of an open round', async () => {
    const roundId = await s.open();
    await reverts(s.open('second'), 'RoundsSlotTaken', [modelId, roundId]);
    await s.settle(roundId);
    await reverts(s.open('third'), 'RoundsSlotTaken', [modelId, roundId]);
  });

  attack('pay less or more than the fee', async () => {
    const given = await s.contribution();
    const roundId = await s.commit(given);
    for (const value of [0n, FEE - 1n, FEE + 1n]) {
      await reverts(rounds.write.open([given], { ...as(s.contributor), value }), 'RoundsWrongFee', [
        roundId,
        FEE,
        value,
      ]);
    }
  });

  attack('judge one’s own data: a validator as contributor or payee', async () => {
    for (const validator of s.validators) {
      const paid = await s.contribution({ payee: address(validator) });
      const paidRound = await s.commit(paid);
      const opening = rounds.write.open([paid], { ...as(s.contributor), value: FEE });
      await reverts(opening, 'RoundsInterestedValidator', [paidRound, address(validator)]);

      const own = await s.contribution({ contributor: address(validator) });
      const ownRound = await s.commit(own);
      const owning = rounds.write.open([own], { ...as(validator), value: FEE });
      await reverts(owning, 'RoundsInterestedValidator', [ownRound, address(validator)]);
    }
  });

  attack('lock the budget for a payee that can never claim', async () => {
    const [, roundId] = await rounds.read.commitmentOf([await s.contribution({ payee: zeroAddress })]);
    await reverts(s.open('salt', { payee: zeroAddress }), 'RoundsZeroPayee', [roundId]);
  });

  attack('contribute too few rows', async () => {
    const [, roundId] = await rounds.read.commitmentOf([await s.contribution({ rows: 49 })]);
    await reverts(s.open('salt', { rows: 49 }), 'RoundsTooFewRows', [roundId, 50n, 49n]);
  });

  attack('the owner changes the policy under a committed contribution', async () => {
    const given = await s.contribution();
    const roundId = await s.commit(given);
    await modelRegistry.write.updatePolicy([modelId, { ...s.policy, tokensPerDeltaOne: 100n }], as(s.owner));
    const { policyHash } = await modelRegistry.read.model([modelId]);
    await reverts(rounds.write.open([given], { ...as(s.contributor), value: FEE }), 'RoundsStalePolicy', [
      ...[roundId, given.policyHash, policyHash],
    ]);
  });

  attack('the owner changes policy and benchmark under an open round', async () => {
    const roundId = await s.open();
    await modelRegistry.write.updatePolicy([modelId, { ...s.policy, tokensPerDeltaOne: 100n }], as(s.owner));
    await modelRegistry.write.updateBenchmark([modelId, [s.fold(7)]], as(s.owner));
    await s.settle(roundId);
    const bound = payableBps(unpack(GOOD), BigInt(s.policy.zMicro));
    assert.equal((await rounds.read.round([roundId])).reward, (bound * s.policy.tokensPerDeltaOne) / 100n);
  });

  attack('exceed the budget: burns nothing', async () => {
    const model = await s.registerModel(tag('poor'));
    await rounds.write.allocateBudget([model, MAX_REWARD - 1n], as(s.owner));
    const given = await s.contribution({ modelId: model });
    const roundId = await s.commit(given);
    const before = await s.publicClient.getBalance({ address: rounds.address });
    const open = () => rounds.write.open([given], { ...as(s.contributor), value: FEE });
    await reverts(open(), 'RoundsBudgetExceeded', [model, MAX_REWARD - 1n, MAX_REWARD]);
    const [foldId] = await modelRegistry.read.foldIds([model]);
    assert.equal((await rounds.read.round([roundId])).state, STATE.COMMITTED);
    assert.equal(await rounds.read.budget([model]), MAX_REWARD - 1n);
    assert.equal(await rounds.read.slot([model]), zeroHash);
    assert.deepEqual(await rounds.read.foldState([model, foldId!]), { rounds: 0, accepted: false });
    assert.equal(await s.publicClient.getBalance({ address: rounds.address }), before);
    await rounds.write.allocateBudget([model, 1n], as(s.owner));
    await open();
  });

  attack('ask a fold until it answers: spent after K rounds, and all folds in the end', async () => {
    const [first, second] = await modelRegistry.read.foldIds([modelId]);
    for (const foldId of [first, first, first, second, second, second]) {
      const roundId = await s.open(`try ${await now()}`);
      assert.equal((await rounds.read.round([roundId])).foldId, foldId);
      await s.reject(roundId);
    }
    const { benchmarkId } = await modelRegistry.read.model([modelId]);
    await reverts(s.open('one more'), 'RoundsFoldsSpent', [modelId, benchmarkId]);
    await modelRegistry.write.updateBenchmark([modelId, [s.fold(1), s.fold(2)]], as(s.owner));
    const [, third] = await modelRegistry.read.foldIds([modelId]);
    const roundId = await s.open('a new fold');
    assert.equal((await rounds.read.round([roundId])).foldId, third, 'a spent fold stays spent in a new benchmark');
  });

  attack('let rounds time out instead of being rejected, for more tries', async () => {
    const roundId = await s.open();
    const { foldId } = await rounds.read.round([roundId]);
    await s.networkHelpers.time.increase(s.policy.roundDuration + 1);
    await rounds.write.expire([roundId], as(s.outsider));
    assert.deepEqual(await rounds.read.foldState([modelId, foldId]), { rounds: 1, accepted: false });
  });

  attack('burn another model’s folds and baseline with a model that names the same', async () => {
    const copy = await s.registerModel(tag('copy'));
    await rounds.write.allocateBudget([copy, MAX_REWARD], as(s.owner));
    const roundId = await s.open('copy', { modelId: copy });
    await s.settle(roundId, { vote: { baselinePredictionsRoot: 666n } });
    const { foldId } = await rounds.read.round([roundId]);
    assert.deepEqual(await rounds.read.foldState([modelId, foldId]), { rounds: 0, accepted: false });
    await s.settle(await s.open());
  });

  attack('open on a model that another contract pays for', async () => {
    const args = [tag('foreign'), s.outsider.account.address, token.address, s.head, s.policy, [s.fold(0)]] as const;
    const { result: foreign } = await modelRegistry.simulate.registerModel([...args], { account: address(s.owner) });
    await modelRegistry.write.registerModel([...args], as(s.owner));
    await reverts(s.open('foreign', { modelId: foreign }), 'RoundsForeignModel', [foreign, address(s.outsider)]);
    const allocating = rounds.write.allocateBudget([foreign, 1n], as(s.owner));
    await reverts(allocating, 'RoundsForeignModel', [foreign, address(s.outsider)]);
  });

  attack(
    'be paid for accuracy under the name of another metric, or with more classes than the counts hold',
    async () => {
      const f1 = stringToHex('f1_score', { size: 32 });
      for (const [metric, classes] of [
        [f1, 2],
        [s.policy.metric, 3],
      ] as const) {
        const folds = [{ ...s.fold(0), metric, classes }];
        const model = await s.registerModel(tag(`${metric}`), { metric }, folds);
        await rounds.write.allocateBudget([model, MAX_REWARD], as(s.owner));
        await reverts(s.open(metric, { modelId: model }), 'RoundsUnsupportedMetric', [metric, BigInt(classes)]);
      }
    },
  );
});
