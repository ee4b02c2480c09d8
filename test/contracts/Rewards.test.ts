import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Address, getAddress, type Hex, numberToHex, parseAbi, zeroHash } from 'viem';
import { type PayeesTree, payeesTree } from '../../offchain/payees.ts';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { BUDGET, claimOf, createRewards, DAY, leafHash, nodeHash, REWARD, rootOf, START } from '../rewards.ts';
import { UNIT } from '../scenario.ts';
import { PAYEES_CASES } from '../vectors/payees.ts';

const VESTING = parseAbi([
  'function owner() view returns (address)',
  'function start() view returns (uint256)',
  'function duration() view returns (uint256)',
  'function release(address token)',
]);

describe('Rewards', async () => {
  const s = await createRewards();
  const { rewards, token, modelId, roundId, alice, bob } = s;
  const { reverts: revertsIn, start } = await prepareAttacks(s.scenario);
  const reverts = (call: Promise<unknown>, error: string, args: readonly unknown[]) =>
    revertsIn(call, error, args, rewards);
  const fresh = (title: string, test: () => Promise<void>) =>
    it(title, async () => {
      await start.restore();
      await test();
    });

  for (const { name, reward, payeesRoot, leaves } of PAYEES_CASES) {
    fresh(`vector: ${name}`, async () => {
      await s.allocate(modelId, reward);
      await s.awarded(payeesRoot, reward);
      for (const { payee, weight, place, siblings, share } of leaves) {
        const claiming = s.claim(roundId, { weight, place, siblings: [...siblings] }, await s.impersonate(payee));
        if (share === 0n) await reverts(claiming, 'RewardsNothingToClaim', [roundId, payee, weight]);
        else await claiming;
        assert.equal(await s.balance(payee), share);
        assert.equal(await rewards.read.isClaimed([modelId, roundId, place]), share > 0n);
      }
      assert.equal(await token.read.totalSupply(), reward);
    });
  }

  it('pays whatever payees what payees.ts says, and the whole reward', async () => {
    const payee = fc.bigInt(1_000n, 2n ** 160n - 1n).map((n) => getAddress(numberToHex(n, { size: 20 })));
    const weight = fc.oneof(fc.bigInt(1n, 9n), fc.bigInt(1n, 2n ** 120n));
    const payees = fc.array(fc.record({ payee, weight }), { minLength: 1, maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(payees, fc.bigInt(1n, BUDGET), async (given: (typeof s.tree.payees)[number][], reward) => {
        await start.restore();
        const tree = payeesTree(given);
        await s.awarded(tree.payeesRoot, reward);
        for (const [index, { payee }] of tree.payees.entries()) {
          const share = tree.shareOf(reward, index);
          if (share > 0n) await s.claim(roundId, claimOf(tree, payee), await s.impersonate(payee));
          assert.equal(await s.balance(payee), share);
        }
        assert.equal(await token.read.totalSupply(), reward);
      }),
      { seed: 1, numRuns: 15 },
    );
  });

  fresh('says of an award what it is, of a claim what it paid, and of a budget how much it is', async () => {
    await s.networkHelpers.time.setNextBlockTimestamp(START);
    await s.reserve(roundId);
    const none = { vestingDuration: 0, awarded: false, payeesRoot: zeroHash };
    const reserved = { reserved: REWARD, since: START, epochDuration: DAY };
    assert.deepEqual(await rewards.read.awardOf([modelId, roundId]), { ...reserved, ...none });
    await s.networkHelpers.time.setNextBlockTimestamp(START + 5);
    await s.award(roundId, s.tree.payeesRoot, 9);
    const terms = { since: START + 5, vestingDuration: 9, awarded: true, payeesRoot: s.tree.payeesRoot };
    assert.deepEqual(await rewards.read.awardOf([modelId, roundId]), { ...reserved, ...terms });
    const [event] = await rewards.getEvents.RewardAwarded();
    const stated = { payeesRoot: s.tree.payeesRoot, reward: REWARD, vestingDuration: 9n };
    assert.deepEqual(event!.args, { roundId, modelId, ...stated });

    await s.allocate(modelId, 3n);
    const [budget] = await rewards.getEvents.BudgetAllocated();
    assert.deepEqual(budget!.args, { modelId, rewardToken: getAddress(token.address), amount: 3n });

    await start.restore();
    await s.awarded();
    await s.claim(roundId, claimOf(s.tree, address(alice)), as(alice));
    const [claimed] = await rewards.getEvents.RewardClaimed();
    const [payee, wallet] = [address(alice), address(alice)];
    assert.deepEqual(claimed!.args, { roundId, modelId, payee, reward: 3n * UNIT, wallet });
  });

  fresh('mints a share that vests to a wallet of the payee’s that began at the award', async () => {
    await s.reserve(roundId);
    await s.networkHelpers.time.setNextBlockTimestamp(START);
    await s.award(roundId, s.tree.payeesRoot, 1_000);
    await s.networkHelpers.time.setNextBlockTimestamp(START + 100);
    await s.claim(roundId, claimOf(s.tree, address(bob)), as(bob));
    const [event] = await rewards.getEvents.RewardClaimed();
    const wallet = { address: event!.args.wallet!, abi: VESTING };
    assert.equal(await s.balance(wallet.address), 7n * UNIT);
    const read = (functionName: 'owner' | 'start' | 'duration') =>
      s.scenario.publicClient.readContract({ ...wallet, functionName });
    assert.deepEqual(await Promise.all([read('owner'), read('start'), read('duration')]), [
      ...[address(bob), BigInt(START), 1_000n],
    ]);
    await s.networkHelpers.time.setNextBlockTimestamp(START + 250);
    await bob.writeContract({ ...wallet, ...as(bob), chain: null, functionName: 'release', args: [token.address] });
    assert.equal(await s.balance(address(bob)), (7n * UNIT) / 4n);
  });

  fresh('mints to a wallet of its own what vests within a second', async () => {
    await s.awarded(s.tree.payeesRoot, REWARD, 1);
    await s.claim(roundId, claimOf(s.tree, address(bob)), as(bob));
    const [event] = await rewards.getEvents.RewardClaimed();
    assert.equal(await s.balance(event!.args.wallet!), 7n * UNIT);
    assert.equal(await s.balance(address(bob)), 0n);
  });

  fresh('makes a wallet for each leaf that vests, though two have one payee and one weight', async () => {
    const leaf = leafHash(address(alice), 1n);
    await s.awarded(rootOf(nodeHash(leaf, 1n, leaf, 1n), 2n), REWARD, DAY);
    const wallets = [];
    for (const place of [2n, 3n]) {
      await s.claim(roundId, { weight: 1n, place, siblings: [{ hash: leaf, sum: 1n }] }, as(alice));
      const [event] = await rewards.getEvents.RewardClaimed();
      wallets.push(event!.args.wallet!);
      assert.equal(await s.balance(event!.args.wallet!), REWARD / 2n);
    }
    assert.notEqual(wallets[0], wallets[1]);
  });

  fresh('costs what is on record', async () => {
    const many = Array.from({ length: 10_000 }, (_, i) => ({
      payee: i === 0 ? address(alice) : getAddress(numberToHex(2n ** 159n + BigInt(i), { size: 20 })),
      weight: BigInt(i % 1_000) + 1n,
    }));
    const tree = payeesTree(many);
    const neighbours = tree.payees.slice(5_000, 5_002).map(({ payee }) => payee);
    const sole = payeesTree([{ payee: address(alice), weight: 1n }]);
    const gas = async (sent: Promise<Hex>) =>
      Number((await s.scenario.publicClient.getTransactionReceipt({ hash: await sent })).gasUsed);
    const claiming = async (round: Hex, made: PayeesTree, payee: Address) =>
      gas(s.claim(round, claimOf(made, payee), await s.impersonate(payee)));
    const [first, second, vesting] = [tag('first'), tag('second'), tag('vesting')];
    assert.deepEqual(
      {
        reserve: await gas(s.reserve(first)),
        'reserve, again in the epoch': await gas(s.reserve(second)),
        keep: await gas(s.keep(first, UNIT)),
        award: await gas(s.award(first, sole.payeesRoot)),
        'claim, the token’s first': await claiming(first, sole, address(alice)),
        'award to 10,000': await gas(s.award(second, tree.payeesRoot)),
        'claim of 10,000': await claiming(second, tree, neighbours[0]!),
        'claim of 10,000, a neighbour': await claiming(second, tree, neighbours[1]!),
        'claim that vests': await (async () => {
          await s.reserve(vesting);
          await s.award(vesting, sole.payeesRoot, DAY);
          return claiming(vesting, sole, address(alice));
        })(),
      },
      {
        reserve: 76_235,
        'reserve, again in the epoch': 59_147,
        keep: 40_931,
        award: 55_266,
        'claim, the token’s first': 113_054,
        'award to 10,000': 55_278,
        'claim of 10,000': 113_776,
        'claim of 10,000, a neighbour': 96_726,
        'claim that vests': 666_681,
      },
    );
  });
});
