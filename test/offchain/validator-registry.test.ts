import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { connect, type Sender } from '../../offchain/chain/connect.ts';
import { type LocalChain, startLocalChain } from '../../offchain/chain/local.ts';
import * as registry from '../../offchain/chain/validator-registry.ts';
import { createIdentity } from '../../offchain/validator/recipient.ts';

const STAKE = 10n ** 18n;
let chain: LocalChain;
let folder: string;
let client: Sender;
let account: Sender['account']['address'];
before(async () => {
  chain = await startLocalChain();
  folder = await mkdtemp(join(tmpdir(), 'hokusai-registry-'));
  const { url, deployment, accounts } = chain;
  client = await connect({ url, deployment, account: accounts.validators[0]! });
  account = client.account.address;
});
after(async () => {
  await chain?.stop();
  await rm(folder, { recursive: true });
});

it('a validator registers, pauses, resumes, leaves and withdraws, and is read at each step', async () => {
  await assert.rejects(registry.validator(client, account), {
    ...{ code: 'CHAIN_REVERTED', message: /ValidatorRegistryNotRegistered/ },
  });
  const recipient = await createIdentity(join(folder, 'identity'));
  assert.equal((await registry.register(client, recipient, STAKE)).result, 1);
  const record = await registry.validator(client, account);
  assert.deepEqual(
    [record.state, record.stake, record.ageRecipient, record.rounds],
    ['ACTIVE', STAKE, recipient, chain.deployment.rounds],
  );
  assert.equal(await registry.listed(client), 1n);
  await assert.rejects(registry.register(client, recipient, STAKE), { message: /AlreadyRegistered/, kind: 'terminal' });

  await registry.addStake(client, STAKE);
  await registry.pause(client);
  assert.equal(await registry.listed(client), 0n);
  await registry.resume(client);
  await registry.unbond(client);
  assert.equal((await registry.validator(client, account)).state, 'LEAVING');
  await assert.rejects(registry.withdraw(client), { message: /StillBonded/, kind: 'retryable' });
  await chain.advance((await registry.unbondingDelay(client)) + 1);
  await registry.withdraw(client);
  const { state, stake } = await registry.validator(client, account);
  assert.deepEqual([state, stake], ['PAUSED', 0n]);
  const other = await createIdentity(join(folder, 'other'));
  await registry.setRecipient(client, other);
  assert.equal((await registry.validator(client, account)).ageRecipient, other);
  assert.deepEqual(await registry.members(client, 1n), [account]);
  assert.equal(await registry.seatOf(client, (1n << 16n) | 2n, account), 2n);
});

it('registers nothing that keys cannot be encrypted to', async () => {
  for (const wrong of [registry.register(client, 'age1', STAKE), registry.setRecipient(client, 'age1x')]) {
    await assert.rejects(wrong, { kind: 'terminal', code: 'RECIPIENT_MALFORMED' });
  }
});

it('states are those of IValidatorRegistry.sol, in its order', async () => {
  const source = await readFile(new URL('../../contracts/IValidatorRegistry.sol', import.meta.url), 'utf8');
  const names = source.match(/enum ValidatorState \{([^}]*)\}/)![1]!.match(/\w+/g);
  assert.deepEqual([...registry.VALIDATOR_STATES], names);
});
