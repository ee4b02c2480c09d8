import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { network } from 'hardhat';
import { encodeFunctionData, getAddress, type Hex, toFunctionSelector } from 'viem';
import Hokusai from '../../scripts/Hokusai.ts';
import { address, as } from '../attack.ts';

const DAY = 86_400;
const [ADMIN, GUARDIAN, GOVERNOR] = [0n, 1n, 2n];

describe('deployment', async () => {
  const { ignition, viem } = await network.create();
  const deployed = await ignition.deploy(Hokusai, { parameters: { Hokusai: { tokenCap: 1_000n } } });
  const { modelRegistry, rewards, rounds, rewardToken, accessManager, validatorRegistry } = deployed;
  const [deployer, outsider] = await viem.getWalletClients();

  it('leaves contracts that know each other, and a token that only the rewards can mint', async () => {
    for (const part of [
      'modelRegistry',
      'circuitRegistry',
      'inferenceRegistry',
      'validatorRegistry',
      'rewards',
    ] as const) {
      assert.equal(await rounds.read[part](), getAddress(deployed[part].address));
    }
    assert.equal(await rewards.read.modelRegistry(), getAddress(modelRegistry.address));
    assert.equal(await rewardToken.read.minter(), getAddress(rewards.address));
    assert.equal(await rewardToken.read.owner(), address(deployer!));
    assert.equal(await rewardToken.read.cap(), 1_000n);
    assert.equal(await rewardToken.read.totalSupply(), 0n);
    assert.equal(await validatorRegistry.read.unbondingDelay(), 63 * DAY);
    for (const { read } of [validatorRegistry, rounds]) {
      assert.equal(await read.authority(), getAddress(accessManager.address));
    }
  });

  it('lets the deployer pause at once, and do all else with three days’ notice', async () => {
    const roles = async (role: bigint) => accessManager.read.hasRole([role, address(deployer!)]);
    assert.deepEqual(await Promise.all([ADMIN, GUARDIAN, GOVERNOR].map(roles)), [
      [true, 3 * DAY],
      [true, 0],
      [true, 3 * DAY],
    ]);
    const roleOf = (target: Hex, signature: string) =>
      accessManager.read.getTargetFunctionRole([target, toFunctionSelector(signature)]);
    assert.equal(await roleOf(rounds.address, 'function pause()'), GUARDIAN);
    assert.equal(await roleOf(rounds.address, 'function unpause()'), GUARDIAN);
    assert.equal(await roleOf(validatorRegistry.address, 'function setUnbondingDelay(uint40)'), GOVERNOR);
    await rounds.write.pause(as(deployer!));
    await rounds.write.unpause(as(deployer!));
    const { revertWithCustomErrorWithArgs: reverts } = viem.assertions;
    await reverts(rounds.write.pause(as(outsider!)), rounds, 'AccessManagedUnauthorized', [address(outsider!)]);
    const data = encodeFunctionData({
      abi: validatorRegistry.abi,
      functionName: 'setUnbondingDelay',
      args: [70 * DAY],
    });
    const operation = await accessManager.read.hashOperation([address(deployer!), validatorRegistry.address, data]);
    const setting = validatorRegistry.write.setUnbondingDelay([70 * DAY], as(deployer!));
    await reverts(setting, accessManager, 'AccessManagerNotScheduled', [operation]);
  });
});
