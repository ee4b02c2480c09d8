import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { getAddress, zeroHash } from 'viem';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { createScenario, DEPOSIT, MAX_REWARD, STATE } from '../scenario.ts';

describe('Rounds: attacks on open', async () => {
  const s = await createScenario();
  const { rounds, rewards, modelRegistry } = s;
  const { attack, fresh, reverts } = await prepareAttacks(s);

  attack('open with other values than committed', async () => {
    const given = await s.contribution();
    await s.commit(given);
    const others = {
      payeesRoot: tag('other'),
      contributor: address(s.outsider),
      dataRoot: tag('other data'),
      rows: 101,
      ciphertextHash: tag('other'),
      salt: tag('other'),
      policyHash: tag('other'),
      benchmarkId: tag('other'),
      modelId: tag('other'),
    };
    assert.deepEqual(Object.keys(others).sort(), Object.keys(given).sort());
    for (const [key, value] of Object.entries(others)) {
      const changed = { ...given, [key]: value };
      const [, roundId] = await rounds.read.commitmentOf([changed]);
      await reverts(s.openOnly(changed), 'RoundsWrongState', [roundId, STATE.COMMITTED, STATE.NONE]);
    }
    await s.openOnly(given);
  });

  attack('commit and open in one block, when one has seen what others reveal', async () => {
    const given = await s.contribution();
    const [, roundId] = await rounds.read.commitmentOf([given]);
    const client = await s.viem.getTestClient();
    await client.setAutomine(false);
    await s.commit(given);
    const hash = await rounds.write.open([given, '0x'], { ...as(s.contributor), gas: 1_000_000n });
    await client.mine({ blocks: 1 });
    await client.setAutomine(true);
    const { status, blockNumber } = await s.publicClient.getTransactionReceipt({ hash });
    assert.equal(status, 'reverted');
    assert.equal((await s.round(roundId)).state, STATE.COMMITTED);
    // The same call, in the block of the commit.
    const call = { ...as(s.contributor), blockNumber };
    const { open } = rounds.read as unknown as Record<string, (...of: unknown[]) => Promise<unknown>>;
    await reverts(open!([given, '0x'], call), 'RoundsOpenedTooEarly', [roundId, blockNumber, blockNumber]);
    await s.openOnly(given);
  });

  attack(
    'open another’s contribution: without a signature, with another’s, of another chain, contract or content',
    async () => {
      const given = await s.contribution();
      const roundId = await s.commit(given);
      const refused = [roundId, address(s.contributor), address(s.outsider)];
      const signed = s.signContribution;
      const rootOfThief = { ...given, payeesRoot: tag('the thief’s') };
      for (const signature of [
        '0x' as const,
        await signed(given, s.outsider),
        await signed(given, s.contributor, { chainId: 1 }),
        await signed(given, s.contributor, { verifyingContract: modelRegistry.address }),
        await signed(given, s.contributor, { version: '2' }),
        await signed(rootOfThief, s.contributor),
      ]) {
        await reverts(s.openOnly(given, signature, s.outsider), 'RoundsNotContributor', refused);
      }
      await s.openOnly(given, await signed(given, s.contributor), s.outsider);
      assert.equal((await s.round(roundId)).contributor, address(s.contributor));
    },
  );

  fresh('a relayer pays, commits and opens for a contributor that has no coin', async () => {
    const given = await s.contribution();
    await s.networkHelpers.setBalance(address(s.contributor), 0n);
    const roundId = await s.commit(given, { by: s.outsider });
    await s.openOnly(given, await s.signContribution(given, s.contributor), s.outsider);
    const { sponsor, contributor, state } = await s.round(roundId);
    assert.deepEqual([sponsor, contributor, state], [address(s.outsider), address(s.contributor), STATE.OPEN]);
  });

  attack('open in the stead of a wallet that is a contract', async () => {
    const wallet = await s.viem.deployContract('ContractWallet', [address(s.contributor)]);
    const given = await s.contribution({ contributor: getAddress(wallet.address) });
    const roundId = await s.commit(given);
    const refused = [roundId, getAddress(wallet.address), address(s.outsider)];
    for (const signature of ['0x' as const, await s.signContribution(given, s.outsider)]) {
      await reverts(s.openOnly(given, signature, s.outsider), 'RoundsNotContributor', refused);
    }
    // Its owner is not the wallet, and has to sign like anybody.
    await reverts(s.openOnly(given), 'RoundsNotContributor', [
      roundId,
      getAddress(wallet.address),
      address(s.contributor),
    ]);
    await s.openOnly(given, await s.signContribution(given, s.contributor), s.outsider);
    assert.equal((await s.round(roundId)).contributor, getAddress(wallet.address));
  });

  attack('a contributor that is a contract, and no wallet', async () => {
    const given = await s.contribution({ contributor: getAddress(s.token.address) });
    const roundId = await s.commit(given);
    const signature = await s.signContribution(given, s.contributor);
    const refused = [roundId, getAddress(s.token.address), address(s.outsider)];
    await reverts(s.openOnly(given, signature, s.outsider), 'RoundsNotContributor', refused);
  });

  attack('open twice', async () => {
    const given = await s.contribution();
    const roundId = await s.open();
    await reverts(s.openOnly(given), 'RoundsWrongState', [roundId, STATE.COMMITTED, STATE.OPEN]);
  });

  attack('lock the budget for payees that are nobody', async () => {
    const given = await s.contribution({ payeesRoot: zeroHash });
    const roundId = await s.commit(given);
    await reverts(s.openOnly(given), 'RoundsNoPayees', [roundId]);
  });

  attack('contribute too few rows', async () => {
    const given = await s.contribution({ rows: 49 });
    const roundId = await s.commit(given);
    await reverts(s.openOnly(given), 'RoundsTooFewRows', [roundId, 50n, 49n]);
    assert.equal((await s.round(roundId)).state, STATE.COMMITTED);
    const enough = await s.contribution({ modelId: await s.createModel('another'), rows: 50 });
    await s.commit(enough);
    await s.openOnly(enough);
  });

  attack('exceed the budget: nothing is burnt, and the sponsor gets everything back', async () => {
    const model = await s.createModel('poor', {}, MAX_REWARD - 1n);
    const given = await s.contribution({ modelId: model });
    const roundId = await s.commit(given);
    await reverts(s.openOnly(given), 'RewardsBudgetExceeded', [model, MAX_REWARD - 1n, MAX_REWARD], rewards);
    assert.equal((await s.round(roundId)).state, STATE.COMMITTED);
    assert.equal(await rewards.read.budget([model]), MAX_REWARD - 1n);
    assert.deepEqual(await rounds.read.queue([model]), [[roundId], 0n]);
    assert.equal(await rounds.read.slot([model]), zeroHash);
    await rounds.write.cancel([roundId], as(s.contributor));
    assert.equal(await rounds.read.withdrawable([roundId, address(s.contributor)]), DEPOSIT);

    const next = await s.contribution({ modelId: model, salt: tag('next') });
    await s.commit(next);
    await rewards.write.allocateBudget([model, 1n], as(s.owner));
    await s.openOnly(next);
    assert.equal(await rewards.read.budget([model]), 0n);
  });

  attack('exceed the epoch: the same, until the next epoch', async () => {
    const model = await s.createModel('slow', { epochReward: MAX_REWARD, epochDuration: 3_600, maxReward: MAX_REWARD });
    const roundId = await s.drawn('first', { modelId: model });
    await s.settle(roundId);
    await s.finalise(roundId);
    const { reserved, since } = await rewards.read.awardOf([model, roundId]);
    assert(since > 0 && reserved < MAX_REWARD);
    const given = await s.contribution({ modelId: model, salt: tag('second') });
    const second = await s.commit(given);
    const now = await s.networkHelpers.time.latest();
    const epoch = BigInt(Math.floor(now / 3_600));
    const refused = [model, epoch, MAX_REWARD - reserved, MAX_REWARD];
    await reverts(s.openOnly(given), 'RewardsEpochExceeded', refused, rewards);
    assert.equal((await s.round(second)).state, STATE.COMMITTED);
    await s.until((Number(epoch) + 1) * 3_600);
    await s.openOnly(given);
    assert.equal((await s.round(second)).state, STATE.OPEN);
  });
});
