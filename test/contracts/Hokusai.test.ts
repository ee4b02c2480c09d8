import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { network } from 'hardhat';
import { getAddress } from 'viem';
import Hokusai from '../../scripts/Hokusai.ts';

describe('deployment', () => {
  it('leaves contracts that know each other, and a token that only the rounds contract can mint', async () => {
    const { ignition, viem } = await network.create();
    const deployed = await ignition.deploy(Hokusai, { parameters: { Hokusai: { tokenCap: 1_000n } } });
    const { modelRegistry, circuitRegistry, rounds, rewardToken, accessManager, validatorRegistry } = deployed;
    const [deployer] = await viem.getWalletClients();
    assert.equal(await rounds.read.modelRegistry(), getAddress(modelRegistry.address));
    assert.equal(await rounds.read.circuitRegistry(), getAddress(circuitRegistry.address));
    assert.equal(await rewardToken.read.minter(), getAddress(rounds.address));
    assert.equal(await rewardToken.read.owner(), getAddress(deployer!.account.address));
    assert.equal(await rewardToken.read.cap(), 1_000n);
    assert.equal(await rewardToken.read.totalSupply(), 0n);
    assert.equal(await validatorRegistry.read.authority(), getAddress(accessManager.address));
    assert.equal(await validatorRegistry.read.unbondingDelay(), 63 * 86_400);
    const ADMIN_ROLE = 0n;
    assert.deepEqual(await accessManager.read.hasRole([ADMIN_ROLE, deployer!.account.address]), [true, 0]);
  });
});
