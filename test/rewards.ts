// A model whose Rounds is a double that the tests speak for, its token and its budget, where a test is about rewards.
import { type Account, type Address, encodeAbiParameters, getAddress, type Hex, keccak256 } from 'viem';
import { type PayeesTree, payeesTree } from '../offchain/payees.ts';
import { address, as, tag } from './attack.ts';
import { createScenario, UNIT } from './scenario.ts';

export const CAP = 2n ** 200n;
export const MAX = 2n ** 128n - 1n;
export const BUDGET = 100n * UNIT;
export const REWARD = 10n * UNIT;
export const DAY = 86_400;
/** Where an epoch of a day begins. */
export const START = 1_000_000 * DAY;

/** What `Rewards.claim` takes after model and round. */
export interface Claim {
  weight: bigint;
  place: bigint;
  siblings: { hash: Hex; sum: bigint }[];
}

export function claimOf(tree: PayeesTree, payee: Address): Claim {
  const { weight, place, siblings } = tree.proofOf(tree.indexOf(payee));
  return { weight, place, siblings: [...siblings] };
}

const hash = (types: string, words: readonly unknown[]): Hex =>
  keccak256(
    encodeAbiParameters(
      types.split(' ').map((type) => ({ type })),
      words,
    ),
  );
export const leafHash = (payee: Address, weight: bigint) =>
  hash('bytes32 address uint128', [tag('hokusai.payee'), payee, weight]);
export const nodeHash = (left: Hex, leftSum: bigint, right: Hex, rightSum: bigint) =>
  hash('bytes32 bytes32 uint128 bytes32 uint128', [tag('hokusai.payeeNode'), left, leftSum, right, rightSum]);
export const rootOf = (node: Hex, total: bigint) =>
  hash('bytes32 bytes32 uint128', [tag('hokusai.payees'), node, total]);

/** Who sends a transaction: a wallet's account, or an impersonated address. */
export type Sender = { account: Account | Address };
export const senderOf = ({ account }: Sender): Address =>
  getAddress(typeof account === 'string' ? account : account.address);

export async function createRewards() {
  const s = await createScenario();
  const { viem, networkHelpers, modelRegistry, owner } = s;
  const rewards = await viem.deployContract('Rewards', [modelRegistry.address]);
  const token = await createToken(rewards.address);

  function createToken(minter: Address) {
    return viem.deployContract('RewardToken', ['Reward', 'RWD', CAP, minter, address(owner)]);
  }
  async function impersonate(account: Address) {
    await networkHelpers.impersonateAccount(account);
    await networkHelpers.setBalance(account, 100n * UNIT);
    return { account };
  }
  async function createModel(name: string, rewardToken: Address = token.address) {
    const double = await viem.deployContract('RoundsDouble');
    const args = [tag(name), double.address, rewardToken, s.head, s.policy, [s.fold(0)]] as const;
    const { result: modelId } = await modelRegistry.simulate.registerModel([...args], { account: address(owner) });
    await modelRegistry.write.registerModel([...args], as(owner));
    const vote = (roundId: Hex, account: Address) => double.write.vote!([roundId, account]);
    return { modelId, rounds: await impersonate(double.address), vote };
  }
  const allocate = (modelId: Hex, amount: bigint) => rewards.write.allocateBudget([modelId, amount], as(owner));
  const { modelId, rounds, vote } = await createModel('model');
  await allocate(modelId, BUDGET);

  const roundId = tag('round');
  const reserve = (roundId: Hex, amount = REWARD, epochReward = MAX) =>
    rewards.write.reserve([modelId, roundId, amount, epochReward, DAY], rounds);
  const keep = (roundId: Hex, amount: bigint) => rewards.write.keep([modelId, roundId, amount], rounds);
  const award = (roundId: Hex, payeesRoot: Hex, vestingDuration = 0) =>
    rewards.write.award([modelId, roundId, payeesRoot, vestingDuration], rounds);
  const claim = (roundId: Hex, { weight, place, siblings }: Claim, by: Sender) =>
    rewards.write.claim([modelId, roundId, weight, place, siblings], by);
  const balance = (of: Address) => token.read.balanceOf([of]);

  const [alice, bob, mallory] = [s.payee, s.outsider, s.settler];
  /** Alice has 3 of 10, Bob 7. */
  const tree = payeesTree([
    { payee: address(alice), weight: 3n },
    { payee: address(bob), weight: 7n },
  ]);
  /** Reserves for the round and awards it. */
  async function awarded(payeesRoot: Hex = tree.payeesRoot, amount = REWARD, vestingDuration = 0) {
    await reserve(roundId, amount);
    await award(roundId, payeesRoot, vestingDuration);
  }

  const model = { modelId, asRounds: rounds, vote, roundId, tree };
  const people = { owner, alice, bob, mallory, contributor: s.contributor };
  const steps = { createToken, impersonate, createModel, allocate, reserve, keep, award, awarded, claim, balance };
  return { scenario: s, viem, networkHelpers, modelRegistry, rewards, token, ...model, ...people, ...steps };
}
