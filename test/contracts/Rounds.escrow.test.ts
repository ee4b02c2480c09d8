import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { decodeErrorResult, encodeFunctionData, getAddress, type Hex, type WalletClient, zeroHash } from 'viem';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { BOND, createScenario, DEPOSIT, FEE, MAX_REWARD, RECIPIENT, STAKE, STATE, STATUS, VOID } from '../scenario.ts';

describe('Rounds: fee, bond and veto', async () => {
  const s = await createScenario();
  const { rounds, rewards, modelRegistry, validatorRegistry, modelId } = s;
  const { attack, fresh, reverts, emits } = await prepareAttacks(s);
  const [first, second, third] = s.validators as [WalletClient, WalletClient, WalletClient];
  const withdraw = (roundId: Hex, by: WalletClient) => rounds.write.withdraw([roundId], as(by));
  const owed = (roundId: Hex, wallet: WalletClient) => rounds.read.withdrawable([roundId, address(wallet)]);
  const nothing = (roundId: Hex, by: WalletClient) =>
    reverts(withdraw(roundId, by), 'RoundsNothingToWithdraw', [roundId, address(by)]);
  async function pays(roundId: Hex, by: WalletClient, amount: bigint) {
    assert.equal(await owed(roundId, by), amount);
    const paying = withdraw(roundId, by);
    await emits(paying, 'Withdrawn', [roundId, address(by), amount]);
    await s.viem.assertions.balancesHaveChanged(paying, [
      { address: address(by), amount },
      { address: rounds.address, amount: -amount },
    ]);
    await nothing(roundId, by);
  }
  async function settled(agreeing = s.validators.slice(0, 2)) {
    const roundId = await s.drawn();
    await s.voteAll(roundId, s.vote(), agreeing);
    await s.settle(roundId);
    return roundId;
  }
  const veto = (roundId: Hex, by: WalletClient = s.owner, value = FEE) =>
    rounds.write.veto([roundId], { ...as(by), value });

  fresh('validators and settler share the fee to the last wei, and the sponsor has the bond', async () => {
    for (const agreeing of [s.validators, s.validators.slice(0, 2)]) {
      const roundId = await s.drawn(`${agreeing.length}`);
      await s.voteAll(roundId, await s.scored(roundId), agreeing);
      await s.settle(roundId);
      await s.finalise(roundId);
      const parts = BigInt(agreeing.length) + 1n;
      assert.notEqual(FEE % parts, 0n);
      await pays(roundId, s.contributor, BOND);
      for (const validator of agreeing) await pays(roundId, validator, FEE / parts);
      await pays(roundId, s.settler, FEE / parts + (FEE % parts));
      assert.equal(await s.balance(rounds.address), 0n);
    }
  });

  fresh('who is validator, settler and sponsor at once has all of it in one', async () => {
    const given = await s.contribution();
    const roundId = await s.commit(given, { by: first });
    await s.openOnly(given);
    await s.draw(roundId);
    await s.voteAll(roundId, s.vote());
    await s.settle(roundId, { by: first });
    await s.finalise(roundId);
    await pays(roundId, first, BOND + 2n * (FEE / 3n) + (FEE % 3n));
    await pays(roundId, second, FEE / 3n);
    assert.equal(await s.balance(rounds.address), 0n);
  });

  fresh('a validator whom the others outvote is paid nothing, and not slashed', async () => {
    const roundId = await s.drawn();
    await s.reject(roundId, { status: STATUS.TOO_FEW_ROWS });
    await nothing(roundId, third);
    assert.equal((await validatorRegistry.read.validator([address(third)])).stake, STAKE);
    for (const wallet of [first, second, s.settler, s.contributor]) await withdraw(roundId, wallet);
    assert.equal(await s.balance(rounds.address), 0n);
  });

  attack('withdraw what is another’s, before the round has ended, or twice', async () => {
    const everybody = [s.contributor, s.payee, s.settler, s.owner, s.outsider, ...s.validators];
    const roundId = await s.drawn();
    for (const wallet of everybody) await nothing(roundId, wallet);
    await s.settle(roundId);
    for (const wallet of everybody) await nothing(roundId, wallet);
    await s.finalise(roundId);
    for (const wallet of [s.payee, s.owner, s.outsider, third]) await nothing(roundId, wallet);
    for (const wallet of [s.contributor, s.settler, first, second]) await withdraw(roundId, wallet);
    for (const wallet of everybody) await nothing(roundId, wallet);
  });

  attack('withdraw from one round what another is owed', async () => {
    const done = await settled();
    await s.finalise(done);
    const open = await s.open('open');
    for (const wallet of [s.contributor, s.settler, first, second]) await withdraw(done, wallet);
    assert.equal(await s.balance(rounds.address), DEPOSIT);
    for (const wallet of [s.contributor, s.settler, first, second]) {
      await nothing(done, wallet);
      await nothing(open, wallet);
    }
  });

  attack('withdraw again from within the withdrawal', async () => {
    const thief = await s.viem.deployContract('ReentrantValidator');
    const { abi } = rounds;
    const given = await s.contribution();
    const [commitment, roundId] = await rounds.read.commitmentOf([given]);
    const { policyHash, benchmarkId } = given;
    const committing = encodeFunctionData({
      abi,
      functionName: 'commit',
      args: [modelId, policyHash, benchmarkId, commitment],
    });
    await thief.write.call!([rounds.address, committing], { ...as(s.outsider), value: DEPOSIT });
    await s.openOnly(given);
    await s.until((await s.round(roundId)).deadline + 1);
    await rounds.write.expire([roundId], as(s.outsider));
    const before = await s.balance(rounds.address);
    const withdrawing = encodeFunctionData({ abi, functionName: 'withdraw', args: [roundId] });
    await thief.write.call!([rounds.address, withdrawing], as(s.outsider));
    assert.equal(await s.balance(thief.address), DEPOSIT);
    assert.equal(before - (await s.balance(rounds.address)), DEPOSIT);
    const refusal = (await thief.read.refusal!()) as Hex;
    const { errorName, args } = decodeErrorResult({ abi, data: refusal });
    assert.deepEqual([errorName, args], ['RoundsNothingToWithdraw', [roundId, getAddress(thief.address)]]);
  });

  attack('a validator and a settler that take no money block nobody', async () => {
    const trap = await s.viem.deployContract('RevertingRecipient');
    const send = (to: Hex, data: Hex, value = 0n) => trap.write.call!([to, data], { ...as(s.outsider), value });
    const { abi } = rounds;
    const registering = encodeFunctionData({
      ...{ abi: validatorRegistry.abi, functionName: 'register', args: [rounds.address, RECIPIENT] },
    });
    await send(validatorRegistry.address, registering, STAKE);
    const [trapped, one, two] = [getAddress(trap.address), first, second];
    const validators = [trapped, address(one), address(two)].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
    const model = await s.createModel('trap', { validators });
    const roundId = await s.drawn('trap', { modelId: model });
    const content = s.vote({ status: STATUS.SCHEMA });
    const hash = await rounds.read.voteHash([roundId, trapped, content, tag('vote salt')]);
    await send(rounds.address, encodeFunctionData({ abi, functionName: 'voteCommit', args: [roundId, hash] }));
    for (const validator of [one, two]) await s.voteCommit(roundId, content, validator);
    const args = [roundId, content, tag('vote salt')] as const;
    await send(rounds.address, encodeFunctionData({ abi, functionName: 'voteReveal', args }));
    for (const validator of [one, two]) await s.voteReveal(roundId, content, validator);
    await send(rounds.address, encodeFunctionData({ abi, functionName: 'reject', args: [roundId, content] }));

    const withdrawing = encodeFunctionData({ abi, functionName: 'withdraw', args: [roundId] });
    const refused = [trapped, 2n * (FEE / 4n) + (FEE % 4n)];
    await reverts(send(rounds.address, withdrawing), 'RoundsTransferFailed', refused);
    for (const validator of [one, two]) await pays(roundId, validator, FEE / 4n);
    await pays(roundId, s.contributor, BOND);
    assert.equal(await s.balance(rounds.address), refused[1]);
    await s.drawn('next', { modelId: model });
  });

  fresh('a veto: the owner pays the fee, the validators keep theirs, and the sponsor has everything back', async () => {
    const roundId = await settled();
    const vetoing = veto(roundId);
    await emits(vetoing, 'RoundVoided', [roundId, modelId, address(s.contributor), VOID.VETOED]);
    const { state, foldId } = await s.round(roundId);
    assert.equal(state, STATE.VOIDED);
    assert.equal(await rounds.read.slot([modelId]), zeroHash);
    assert.equal(await rewards.read.budget([modelId]), 4n * MAX_REWARD);
    assert.deepEqual(await modelRegistry.read.head([modelId]), s.head);
    assert.deepEqual(await rounds.read.foldState([modelId, foldId]), { rounds: 1, accepted: true });
    await pays(roundId, s.contributor, DEPOSIT);
    for (const validator of [first, second]) await pays(roundId, validator, FEE / 3n);
    await pays(roundId, s.settler, FEE / 3n + (FEE % 3n));
    for (const wallet of [s.owner, third]) await nothing(roundId, wallet);
    assert.equal(await s.balance(rounds.address), 0n);
    await reverts(s.claim(roundId), 'RewardsNotAwarded', [roundId], rewards);
    await reverts(veto(roundId), 'RoundsWrongState', [roundId, STATE.SETTLED, STATE.VOIDED]);
  });

  attack('veto another’s model', async () => {
    const roundId = await settled();
    for (const wallet of [s.outsider, s.contributor, first]) {
      const error = [modelId, address(s.owner), address(wallet)];
      await reverts(veto(roundId, wallet), 'RoundsNotModelOwner', error);
    }
  });

  attack('veto at the validators’ expense, or when the delay is over', async () => {
    const roundId = await settled();
    for (const value of [0n, FEE - 1n, FEE + 1n]) {
      await reverts(veto(roundId, s.owner, value), 'RoundsWrongDeposit', [FEE, value]);
    }
    const { finalisableAt } = await s.round(roundId);
    await s.until(finalisableAt);
    const late = [roundId, BigInt(finalisableAt), BigInt(finalisableAt)];
    await reverts(veto(roundId), 'RoundsDelayPassed', late);
    await s.finalise(roundId);
    await s.claim(roundId);
  });

  fresh('a policy without fee and bond escrows nothing and owes nothing', async () => {
    const model = await s.createModel('free', { evaluationFee: 0n, bond: 0n });
    const given = await s.contribution({ modelId: model });
    const roundId = await s.commit(given, { value: 0n });
    await s.openOnly(given);
    await s.draw(roundId);
    await s.reject(roundId, { status: STATUS.UNAVAILABLE });
    assert.deepEqual(await rounds.getEvents.BondForfeited({}, { fromBlock: 0n }), []);
    for (const wallet of [s.contributor, s.settler, first]) await nothing(roundId, wallet);
  });
});
