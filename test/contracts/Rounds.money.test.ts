import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { encodeFunctionData, getAddress, type Hex, type WalletClient } from 'viem';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { CAP, createScenario, FEE, MAX_REWARD, STATE, STATUS } from '../scenario.ts';

describe('Rounds: attacks on time and money', async () => {
  const s = await createScenario();
  const { rounds, modelRegistry, token, modelId } = s;
  const { attack, reverts, start } = await prepareAttacks(s);

  attack('settle or reject after the deadline', async () => {
    const roundId = await s.open();
    const { deadline } = await rounds.read.round([roundId]);
    const args = await s.settlement(roundId);
    await s.networkHelpers.time.setNextBlockTimestamp(deadline + 1);
    const late = [roundId, BigInt(deadline), BigInt(deadline) + 1n];
    await reverts(rounds.write.settle([...args], as(s.settler)), 'RoundsDeadlinePassed', late);
    await s.networkHelpers.time.setNextBlockTimestamp(deadline + 2);
    await reverts(s.reject(roundId), 'RoundsDeadlinePassed', [roundId, BigInt(deadline), BigInt(deadline) + 2n]);
  });

  attack('expire a round before its deadline is over', async () => {
    const roundId = await s.open();
    const { deadline } = await rounds.read.round([roundId]);
    const args = await s.settlement(roundId);
    await s.networkHelpers.time.setNextBlockTimestamp(deadline);
    const early = [roundId, BigInt(deadline), BigInt(deadline)];
    await reverts(rounds.write.expire([roundId], as(s.outsider)), 'RoundsDeadlineNotPassed', early);
    await start.restore();
    await s.open();
    await s.networkHelpers.time.setNextBlockTimestamp(deadline);
    await rounds.write.settle([...args], as(s.settler));
  });

  attack('expire a round that is settled', async () => {
    const roundId = await s.open();
    await s.settle(roundId);
    await s.networkHelpers.time.increase(s.policy.roundDuration + 1);
    await reverts(rounds.write.expire([roundId], as(s.outsider)), 'RoundsWrongState', [
      ...[roundId, STATE.OPEN, STATE.SETTLED],
    ]);
  });

  attack('finalise before the delay is over, or twice', async () => {
    const roundId = await s.open();
    await s.settle(roundId);
    const { finalisableAt } = await rounds.read.round([roundId]);
    await s.networkHelpers.time.setNextBlockTimestamp(finalisableAt - 1);
    await reverts(rounds.write.finalise([roundId], as(s.settler)), 'RoundsDelayNotPassed', [
      ...[roundId, BigInt(finalisableAt), BigInt(finalisableAt) - 1n],
    ]);
    await s.networkHelpers.time.setNextBlockTimestamp(finalisableAt);
    await rounds.write.finalise([roundId], as(s.settler));
    await reverts(rounds.write.finalise([roundId], as(s.settler)), 'RoundsWrongState', [
      ...[roundId, STATE.SETTLED, STATE.FINALISED],
    ]);
  });

  attack('claim before it is final, in the payee’s stead, or twice', async () => {
    const roundId = await s.open();
    const claim = (wallet: WalletClient) => rounds.write.claim([roundId], as(wallet));
    await reverts(claim(s.payee), 'RoundsWrongState', [roundId, STATE.FINALISED, STATE.OPEN]);
    await s.settle(roundId);
    await reverts(claim(s.payee), 'RoundsWrongState', [roundId, STATE.FINALISED, STATE.SETTLED]);
    await s.finalise(roundId);
    for (const thief of [s.contributor, s.settler, s.owner]) {
      await reverts(claim(thief), 'RoundsNotPayee', [roundId, address(s.payee), address(thief)]);
    }
    await claim(s.payee);
    await reverts(claim(s.payee), 'RoundsWrongState', [roundId, STATE.FINALISED, STATE.CLAIMED]);
    assert.equal(await token.read.totalSupply(), (await rounds.read.round([roundId])).reward);
  });

  attack('take a fee that is another’s, or one’s own twice', async () => {
    const roundId = await s.open();
    const take = (wallet: WalletClient) => rounds.write.claimFee([roundId], as(wallet));
    const nothing = (wallet: WalletClient) => reverts(take(wallet), 'RoundsNothingToClaim', [roundId, address(wallet)]);
    const everybody = [s.contributor, s.payee, s.settler, s.owner, s.outsider, ...s.validators];
    for (const wallet of everybody) await nothing(wallet);
    await s.settle(roundId);
    for (const wallet of [s.contributor, s.payee, s.owner, s.outsider, s.validators[2]!]) await nothing(wallet);
    for (const wallet of [s.settler, s.validators[0]!, s.validators[1]!]) await take(wallet);
    for (const wallet of everybody) await nothing(wallet);
  });

  attack('take the refund of a time-out twice, or in the contributor’s stead', async () => {
    const roundId = await s.open();
    await s.networkHelpers.time.increase(s.policy.roundDuration + 1);
    await rounds.write.expire([roundId], as(s.settler));
    const take = (wallet: WalletClient) => rounds.write.claimFee([roundId], as(wallet));
    for (const wallet of [s.payee, s.settler, s.owner, ...s.validators]) {
      await reverts(take(wallet), 'RoundsNothingToClaim', [roundId, address(wallet)]);
    }
    await take(s.contributor);
    await reverts(take(s.contributor), 'RoundsNothingToClaim', [roundId, address(s.contributor)]);
    await reverts(rounds.write.expire([roundId], as(s.settler)), 'RoundsWrongState', [
      ...[roundId, STATE.OPEN, STATE.VOIDED],
    ]);
  });

  attack('block a round with a contributor and a settler that take no money', async () => {
    const trap = await s.viem.deployContract('RevertingRecipient');
    const send = (data: Hex, value = 0n) => trap.write.call!([rounds.address, data], { ...as(s.outsider), value });
    const { abi } = rounds;
    const given = await s.contribution({ contributor: getAddress(trap.address) });
    const timedOut = await s.commit(given);
    await send(encodeFunctionData({ abi, functionName: 'open', args: [given] }), FEE);
    await s.networkHelpers.time.increase(s.policy.roundDuration + 1);
    await rounds.write.expire([timedOut], as(s.outsider));
    const refund = encodeFunctionData({ abi, functionName: 'claimFee', args: [timedOut] });
    await reverts(send(refund), 'RoundsTransferFailed', [getAddress(trap.address), FEE]);

    const roundId = await s.open();
    const content = s.vote({ status: STATUS.SCHEMA });
    const args = [roundId, content, await s.sign(roundId, content)] as const;
    await send(encodeFunctionData({ abi, functionName: 'reject', args: [...args] }));
    const fee = encodeFunctionData({ abi, functionName: 'claimFee', args: [roundId] });
    const share = FEE / 3n + (FEE % 3n);
    await reverts(send(fee), 'RoundsTransferFailed', [getAddress(trap.address), share]);
    for (const validator of s.validators.slice(0, 2)) await rounds.write.claimFee([roundId], as(validator));
    await s.settle(await s.open('next'));
  });

  attack('allocate more than the token’s cap, over several models', async () => {
    const second = await s.registerModel(tag('second'));
    const left = CAP - 4n * MAX_REWARD;
    const tooMuch = rounds.write.allocateBudget([second, left + 1n], as(s.owner));
    await reverts(tooMuch, 'RoundsCapExceeded', [getAddress(token.address), CAP, CAP + 1n]);
    await rounds.write.allocateBudget([second, left], as(s.owner));
    assert.equal(await rounds.read.allocated([token.address]), CAP);
    const oneMore = rounds.write.allocateBudget([modelId, 1n], as(s.owner));
    await reverts(oneMore, 'RoundsCapExceeded', [getAddress(token.address), CAP, CAP + 1n]);
  });

  attack('allocate another’s token, or one that this contract cannot mint', async () => {
    const stolen = rounds.write.allocateBudget([modelId, 1n], as(s.outsider));
    const owners = [getAddress(token.address), address(s.owner), address(s.outsider)];
    await reverts(stolen, 'RoundsNotTokenOwner', owners);

    const parameters = ['Other', 'OTH', CAP, address(s.outsider), address(s.owner)] as const;
    const other = await s.viem.deployContract('RewardToken', [...parameters]);
    const args = [tag('unmintable'), rounds.address, other.address, s.head, s.policy, [s.fold(0)]] as const;
    const { result: model } = await modelRegistry.simulate.registerModel([...args], { account: address(s.owner) });
    await modelRegistry.write.registerModel([...args], as(s.owner));
    const unmintable = rounds.write.allocateBudget([model, 1n], as(s.owner));
    await reverts(unmintable, 'RoundsNotMinter', [getAddress(other.address), address(s.outsider)]);
  });

  attack('mint as anybody but the rounds contract, its owner included', async () => {
    for (const wallet of [s.owner, s.payee, s.settler]) {
      const minting = token.write.mint([address(wallet), 1n], as(wallet));
      const error = [getAddress(rounds.address), address(wallet)];
      await reverts(minting, 'RewardTokenNotMinter', error, token);
    }
  });
});
