import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { decodeErrorResult, encodeFunctionData, getAddress, type Hex, type WalletClient } from 'viem';
import { payeesTree } from '../../offchain/payees.ts';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import {
  BUDGET,
  CAP,
  claimOf,
  createRewards,
  DAY,
  leafHash,
  MAX,
  nodeHash,
  REWARD,
  rootOf,
  START,
  senderOf,
} from '../rewards.ts';
import { UNIT } from '../scenario.ts';

describe('Rewards: attacks', async () => {
  const s = await createRewards();
  const { rewards, token, modelId, roundId, alice, bob, mallory } = s;
  const { attack, reverts: revertsIn, start } = await prepareAttacks(s.scenario);
  const reverts = (call: Promise<unknown>, error: string, args: readonly unknown[]) =>
    revertsIn(call, error, args, rewards);
  /** Where the hash that the contract finds is of no interest. */
  function refused(call: Promise<unknown>, error: string) {
    return s.viem.assertions.revertWithCustomError(call as never, rewards as never, error as never);
  }

  attack('claim a share twice', async () => {
    await s.awarded();
    for (const wallet of [alice, bob]) {
      const given = claimOf(s.tree, address(wallet));
      await s.claim(roundId, given, as(wallet));
      const twice = [roundId, address(wallet), given.place];
      await reverts(s.claim(roundId, given, as(wallet)), 'RewardsAlreadyClaimed', twice);
    }
    assert.equal(await token.read.totalSupply(), REWARD);
  });

  attack('claim from within the mint of one’s own token', async () => {
    const evil = await s.viem.deployContract('ReenteringToken', [rewards.address], { client: { wallet: mallory } });
    const model = await s.createModel('evil', evil.address);
    await rewards.write.allocateBudget([model.modelId, 10n], as(mallory));
    await rewards.write.reserve([model.modelId, roundId, 10n, 10n, DAY], model.rounds);
    const tree = payeesTree([{ payee: evil.address, weight: 1n }]);
    await rewards.write.award([model.modelId, roundId, tree.payeesRoot, 0], model.rounds);
    const { weight, place } = claimOf(tree, evil.address);
    const args = [model.modelId, roundId, weight, place, []] as const;
    await evil.write.claim!([encodeFunctionData({ abi: rewards.abi, functionName: 'claim', args })]);
    assert.equal(await evil.read.minted!(), 10n);
    const refusal = { abi: rewards.abi, data: (await evil.read.refusals!([0n])) as Hex };
    assert.equal(decodeErrorResult(refusal).errorName, 'RewardsAlreadyClaimed');
    assert.equal(await rewards.read.budget([modelId]), BUDGET);
  });

  attack('claim somebody else’s share, or more than one’s own', async () => {
    await s.awarded();
    const given = claimOf(s.tree, address(bob));
    const siblings = given.siblings[0]!;
    const computed = (leaf: Hex, weight: bigint) => {
      const node =
        given.place === 2n
          ? nodeHash(leaf, weight, siblings.hash, siblings.sum)
          : nodeHash(siblings.hash, siblings.sum, leaf, weight);
      return [roundId, s.tree.payeesRoot, rootOf(node, weight + siblings.sum)];
    };
    const stolen = s.claim(roundId, given, as(mallory));
    await reverts(stolen, 'RewardsNotInTree', computed(leafHash(address(mallory), 7n), 7n));
    const more = s.claim(roundId, { ...given, weight: 8n }, as(bob));
    await reverts(more, 'RewardsNotInTree', computed(leafHash(address(bob), 8n), 8n));
  });

  attack('claim by a forged sum on the way up', async () => {
    await s.awarded();
    const given = claimOf(s.tree, address(alice));
    for (const sum of [0n, 6n, 8n]) {
      const forged = { ...given, siblings: [{ ...given.siblings[0]!, sum }] };
      await refused(s.claim(roundId, forged, as(alice)), 'RewardsNotInTree');
    }
    const overflow = { ...given, siblings: [{ ...given.siblings[0]!, sum: MAX }] };
    await assert.rejects(s.claim(roundId, overflow, as(alice)), /panic code 0x11|overflow/i);
  });

  attack('claim a second time by another place of the same leaf', async () => {
    await s.awarded();
    const given = claimOf(s.tree, address(alice));
    await s.claim(roundId, given, as(alice));
    // The other side, above the root, a level deeper, and places whose low bits are the right ones.
    await refused(s.claim(roundId, { ...given, place: given.place ^ 1n }, as(alice)), 'RewardsNotInTree');
    for (const place of [0n, 1n, given.place + 4n, given.place + (1n << 255n)]) {
      await reverts(s.claim(roundId, { ...given, place }, as(alice)), 'RewardsWrongPlace', [roundId, place, 1n]);
    }
  });

  attack('pass a node off as a leaf, or a leaf as a node', async () => {
    const tree = payeesTree(
      [alice, bob, mallory, s.contributor].map((wallet, i) => ({ payee: address(wallet), weight: BigInt(i + 1) })),
    );
    await s.awarded(tree.payeesRoot);
    const { payee } = tree.payees[0]!;
    const given = claimOf(tree, payee);
    const by = await s.impersonate(payee);
    // The node above as if it were the leaf, with all the weight below it.
    const above = { weight: given.weight + given.siblings[0]!.sum, place: given.place >> 1n };
    await refused(s.claim(roundId, { ...above, siblings: given.siblings.slice(1) }, by), 'RewardsNotInTree');
    await refused(s.claim(roundId, { weight: 10n, place: 1n, siblings: [] }, by), 'RewardsNotInTree');
    // A leaf that pretends to be a node with itself below.
    const below = [{ hash: leafHash(payee, given.weight), sum: 0n }, ...given.siblings];
    await refused(s.claim(roundId, { ...given, place: given.place * 2n, siblings: below }, by), 'RewardsNotInTree');
    assert.equal(await token.read.totalSupply(), 0n);
  });

  attack('block a neighbour by a leaf of weight zero', async () => {
    const [zero, whole] = [leafHash(address(mallory), 0n), leafHash(address(alice), 5n)];
    await s.awarded(rootOf(nodeHash(zero, 0n, whole, 5n), 5n));
    const blocking = s.claim(roundId, { weight: 0n, place: 2n, siblings: [{ hash: whole, sum: 5n }] }, as(mallory));
    await reverts(blocking, 'RewardsNothingToClaim', [roundId, address(mallory), 0n]);
    await s.claim(roundId, { weight: 5n, place: 3n, siblings: [{ hash: zero, sum: 0n }] }, as(alice));
    assert.equal(await s.balance(address(alice)), REWARD);

    await start.restore();
    await s.awarded(rootOf(zero, 0n));
    const sole = s.claim(roundId, { weight: 0n, place: 1n, siblings: [] }, as(mallory));
    await reverts(sole, 'RewardsNothingToClaim', [roundId, address(mallory), 0n]);
  });

  attack('claim overlapping ranges of a tree that lies about its sums', async () => {
    // Both leaves weigh the whole; their node counts the left one only, or the right one only, or both.
    const [left, right] = [leafHash(address(alice), 5n), leafHash(address(mallory), 5n)];
    const cases = [
      { sums: [5n, 0n], paid: [REWARD, 0n] },
      { sums: [0n, 5n], paid: [0n, REWARD] },
      { sums: [5n, 5n], paid: [5n * UNIT, 5n * UNIT] },
      { sums: [2n, 3n], paid: [0n, 0n] },
    ] as const;
    for (const { sums, paid } of cases) {
      await start.restore();
      await s.awarded(rootOf(nodeHash(left, sums[0], right, sums[1]), sums[0] + sums[1]));
      const claims: readonly [WalletClient, bigint, Hex, bigint][] = [
        [alice, 2n, right, paid[0]],
        [mallory, 3n, left, paid[1]],
      ];
      for (const [wallet, place, sibling, expected] of claims) {
        for (const sum of [0n, 2n, 3n, 5n]) {
          const siblings = [{ hash: sibling, sum }];
          await s.claim(roundId, { weight: 5n, place, siblings }, as(wallet)).catch(() => undefined);
        }
        assert.equal(await s.balance(address(wallet)), expected);
      }
    }
    // A total that is less than the weights, in the root itself.
    await start.restore();
    await s.awarded(rootOf(nodeHash(left, 5n, right, 5n), 5n));
    const siblings = [{ hash: right, sum: 5n }];
    await refused(s.claim(roundId, { weight: 5n, place: 2n, siblings }, as(alice)), 'RewardsNotInTree');
  });

  attack('be paid in a round that one voted in', async () => {
    await s.awarded();
    await s.vote(roundId, address(alice));
    const claiming = s.claim(roundId, claimOf(s.tree, address(alice)), as(alice));
    await reverts(claiming, 'RewardsInterestedValidator', [roundId, address(alice)]);
    await s.claim(roundId, claimOf(s.tree, address(bob)), as(bob));
    assert.equal(await token.read.totalSupply(), 7n * UNIT);
  });

  attack('claim before the round is final, or of no round', async () => {
    const claiming = () => s.claim(roundId, claimOf(s.tree, address(alice)), as(alice));
    await reverts(claiming(), 'RewardsNotAwarded', [roundId]);
    await s.reserve(roundId);
    await reverts(claiming(), 'RewardsNotAwarded', [roundId]);
  });

  attack('move another model’s budget, as its owner, its token’s owner or another model’s Rounds', async () => {
    const other = await s.createModel('other');
    await s.reserve(roundId);
    const thieves = [other.rounds, as(s.owner), as(mallory)];
    for (const by of thieves) {
      const caller = senderOf(by);
      const error = ['RewardsNotRounds', [modelId, senderOf(s.asRounds), caller]] as const;
      await reverts(rewards.write.reserve([modelId, tag('next'), 1n, MAX, DAY], by), ...error);
      await reverts(rewards.write.keep([modelId, roundId, 0n], by), ...error);
      await reverts(rewards.write.award([modelId, roundId, s.tree.payeesRoot, 0], by), ...error);
    }
    const none = rewards.write.reserve([other.modelId, roundId, 1n, MAX, DAY], other.rounds);
    await reverts(none, 'RewardsBudgetExceeded', [other.modelId, 0n, 1n]);
    const unknown = rewards.write.reserve([tag('unknown'), roundId, 1n, MAX, DAY], other.rounds);
    await revertsIn(unknown, 'ModelRegistryUnknownModel', [tag('unknown')], s.modelRegistry);
  });

  attack('take another model’s roundId, before or after it', async () => {
    const other = await s.createModel('other');
    await s.allocate(other.modelId, UNIT);
    const mine = payeesTree([{ payee: address(mallory), weight: 1n }]);
    await rewards.write.reserve([other.modelId, roundId, UNIT, MAX, DAY], other.rounds);
    await rewards.write.award([other.modelId, roundId, mine.payeesRoot, 0], other.rounds);
    await s.awarded();
    const given = claimOf(mine, address(mallory));
    await rewards.write.claim([other.modelId, roundId, given.weight, given.place, []], as(mallory));
    await refused(s.claim(roundId, given, as(mallory)), 'RewardsNotInTree');
    // Nor does a vote there matter here.
    await other.vote(roundId, address(alice));
    for (const wallet of [alice, bob]) await s.claim(roundId, claimOf(s.tree, address(wallet)), as(wallet));
    assert.equal(await token.read.totalSupply(), 11n * UNIT);
    assert.equal(await rewards.read.budget([modelId]), 90n * UNIT);
  });

  attack('mint above the budget', async () => {
    await reverts(s.reserve(roundId, BUDGET + 1n), 'RewardsBudgetExceeded', [...[modelId, BUDGET, BUDGET + 1n]]);
    await s.reserve(roundId, 60n * UNIT);
    const more = s.reserve(tag('next'), 41n * UNIT);
    await reverts(more, 'RewardsBudgetExceeded', [modelId, 40n * UNIT, 41n * UNIT]);
    await reverts(s.reserve(roundId), 'RewardsAlreadyReserved', [modelId, roundId]);
    const raised = [roundId, 60n * UNIT, 60n * UNIT + 1n];
    await reverts(s.keep(roundId, 60n * UNIT + 1n), 'RewardsMoreThanReserved', raised);
    await s.keep(roundId, REWARD);
    await reverts(s.keep(roundId, 60n * UNIT), 'RewardsMoreThanReserved', [roundId, REWARD, 60n * UNIT]);
    assert.equal(await rewards.read.budget([modelId]), 90n * UNIT);
    await s.keep(roundId, 0n);
    assert.equal(await rewards.read.budget([modelId]), BUDGET);
  });

  attack('exceed the cap of an epoch, by what another epoch gave back too', async () => {
    const epoch = BigInt(START / DAY);
    const spent = (of: bigint) => rewards.read.spent([modelId, DAY, of]);
    const can = (amount: bigint) => rewards.read.canReserve([modelId, amount, 10n, DAY]);
    await s.networkHelpers.time.setNextBlockTimestamp(START);
    await s.reserve(tag('a'), 6n, 10n);
    assert.deepEqual([await can(4n), await can(5n)], [true, false]);
    await reverts(s.reserve(tag('b'), 5n, 10n), 'RewardsEpochExceeded', [modelId, epoch, 4n, 5n]);
    // Lowered below what is spent.
    await reverts(s.reserve(tag('b'), 1n, 5n), 'RewardsEpochExceeded', [modelId, epoch, 0n, 1n]);
    await s.keep(tag('a'), 2n);
    await s.reserve(tag('b'), 8n, 10n);
    await reverts(s.reserve(tag('c'), 1n, 10n), 'RewardsEpochExceeded', [modelId, epoch, 0n, 1n]);

    await s.networkHelpers.time.setNextBlockTimestamp(START + DAY - 1);
    await reverts(s.reserve(tag('c'), 1n, 10n), 'RewardsEpochExceeded', [modelId, epoch, 0n, 1n]);
    await s.networkHelpers.time.setNextBlockTimestamp(START + DAY);
    await s.reserve(tag('c'), 10n, 10n);
    // What is given back now was the last epoch's: there is room there, and none here.
    await s.keep(tag('b'), 1n);
    assert.deepEqual([await spent(epoch), await spent(epoch + 1n)], [3n, 10n]);
    await reverts(s.reserve(tag('d'), 1n, 10n), 'RewardsEpochExceeded', [modelId, epoch + 1n, 0n, 1n]);
    assert.equal(await can(1n), false);
    assert.equal(await rewards.read.budget([modelId]), BUDGET - 13n);
  });

  attack('reserve by epochs of no length', async () => {
    const call = rewards.write.reserve([modelId, roundId, 1n, 1n, 0], s.asRounds);
    await reverts(call, 'RewardsZeroEpochDuration', [modelId]);
    assert.equal(await rewards.read.canReserve([modelId, 1n, 1n, 0]), false);
  });

  attack('award twice, or give back what was awarded', async () => {
    await s.awarded();
    const mine = payeesTree([{ payee: address(mallory), weight: 1n }]);
    await reverts(s.award(roundId, mine.payeesRoot), 'RewardsAlreadyAwarded', [roundId]);
    await reverts(s.keep(roundId, 0n), 'RewardsAlreadyAwarded', [roundId]);
    await reverts(s.reserve(roundId), 'RewardsAlreadyReserved', [modelId, roundId]);
  });

  attack('award what nobody reserved, or what was all given back', async () => {
    await reverts(s.award(roundId, s.tree.payeesRoot), 'RewardsNotReserved', [modelId, roundId]);
    await reverts(s.keep(roundId, 0n), 'RewardsNotReserved', [modelId, roundId]);
    await s.reserve(roundId);
    await s.keep(roundId, 0n);
    await reverts(s.award(roundId, s.tree.payeesRoot), 'RewardsNotReserved', [modelId, roundId]);
  });

  attack('allocate more than the token’s cap, over several models', async () => {
    const other = await s.createModel('other');
    const left = CAP - BUDGET;
    const error = ['RewardsCapExceeded', [getAddress(token.address), CAP, CAP + 1n]] as const;
    await reverts(s.allocate(other.modelId, left + 1n), ...error);
    await s.allocate(other.modelId, left);
    assert.equal(await rewards.read.allocated([token.address]), CAP);
    await reverts(s.allocate(modelId, 1n), ...error);
  });

  attack('allocate another’s token, or one that this contract cannot mint', async () => {
    const stolen = rewards.write.allocateBudget([modelId, 1n], as(mallory));
    const owners = [getAddress(token.address), address(s.owner), address(mallory)];
    await reverts(stolen, 'RewardsNotTokenOwner', owners);
    const foreign = await s.createToken(address(mallory));
    const other = await s.createModel('other', foreign.address);
    const error = [getAddress(foreign.address), address(mallory)];
    await reverts(s.allocate(other.modelId, 1n), 'RewardsNotMinter', error);
  });

  attack('mint as anybody but Rewards, Rounds and owner included', async () => {
    for (const by of [as(s.owner), s.asRounds, as(alice)]) {
      const caller = senderOf(by);
      const error = ['RewardTokenNotMinter', [getAddress(rewards.address), caller]] as const;
      await revertsIn(token.write.mint([caller, 1n], by), ...error, token);
    }
  });
});
