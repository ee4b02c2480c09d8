import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Hex, keccak256, zeroAddress, zeroHash } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { abi, readDeployment } from '../../offchain/chain/contracts.ts';
import { createKeystore, openKeystore, readPassword } from '../../offchain/chain/keystore.ts';
import { localAccounts } from '../../offchain/chain/local.ts';
import {
  recoverVoter,
  STATES,
  STATUSES,
  signVote,
  type Vote,
  voteContent,
  voteHash,
  voteSalt,
} from '../../offchain/chain/vote.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hokusai-test-'));
});
after(() => rm(folder, { recursive: true }));

describe('keystore', () => {
  const password = 'correct horse';
  const privateKey: Hex = `0x${'5a'.repeat(32)}`;

  it('comes back as the account whose key it holds, readable by its owner alone', async () => {
    const file = join(folder, 'key.json');
    const address = await createKeystore(file, password, { privateKey, light: true });
    assert.equal(address, privateKeyToAccount(privateKey).address);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.doesNotMatch(await readFile(file, 'utf8'), /5a5a5a5a/i);
    const account = await openKeystore(file, password);
    assert.deepEqual(
      [account.address, await account.signMessage({ message: 'm' })],
      [...[address, await privateKeyToAccount(privateKey).signMessage({ message: 'm' })]],
    );
    await assert.rejects(createKeystore(file, password, { light: true }), { code: 'KEYSTORE_EXISTS' });
    assert.equal((await openKeystore(file, password)).address, address);
  });

  it('makes a key of its own, another each time', async () => {
    const made = await Promise.all(['a', 'b'].map((name) => createKeystore(join(folder, name), 'x', { light: true })));
    assert.notEqual(made[0], made[1]);
  });

  it('does not open with another password, cut short, changed or missing, and its errors hold no secret', async () => {
    const file = join(folder, 'other.json');
    await createKeystore(file, password, { privateKey, light: true });
    const json = await readFile(file, 'utf8');
    const fails = async (given: string, code: string) =>
      assert.rejects(openKeystore(file, given), (error: Error & { kind?: string; code?: string }) => {
        assert.deepEqual([error.kind, error.code, error.cause], ['configuration', code, undefined]);
        assert.doesNotMatch(JSON.stringify([error, error.message, error.stack]), /hors|wrong pass|5a5a|ciphertext/i);
        return true;
      });
    await fails('wrong pass', 'KEYSTORE_PASSWORD');
    await fails('', 'KEYSTORE_PASSWORD');
    const parsed = JSON.parse(json);
    for (const broken of [
      json.slice(0, -20),
      '{}',
      'not JSON',
      JSON.stringify({ ...parsed, address: zeroAddress }),
      JSON.stringify({ ...parsed, Crypto: undefined, crypto: undefined }),
    ]) {
      await writeFile(file, broken);
      await fails(password, 'KEYSTORE_MALFORMED');
    }
    await rm(file);
    await fails(password, 'KEYSTORE_MISSING');
  });

  it('takes the password from the first line of a file that the environment names', async () => {
    const file = join(folder, 'password');
    await writeFile(file, `${password}\r\nand more\n`);
    assert.equal(await readPassword(file), password);
    await assert.rejects(readPassword(join(folder, 'no such file')), { code: 'PASSWORD_MISSING' });
    await assert.rejects(readPassword(''), { kind: 'configuration', code: 'PASSWORD_MISSING' });
  });
});

describe('votes', () => {
  const [rounds, roundId]: [Hex, Hex] = [`0x${'ab'.repeat(20)}`, `0x${'cd'.repeat(32)}`];
  const vote: Vote = {
    status: 'OVERLAP',
    baselinePredictionsRoot: 1n,
    candidateCommitment: 2n,
    candidatePredictionsRoot: 3n,
    trainingSetRoot: roundId,
    metricsHash: roundId,
  };
  const { validators } = localAccounts();
  const [first, , third] = validators;

  it('statuses and states are those of IRounds.sol, in its order', async () => {
    const source = await readFile(new URL('../../contracts/IRounds.sol', import.meta.url), 'utf8');
    const members = (name: string) => source.match(new RegExp(`enum ${name} \\{([^}]*)\\}`))![1]!.match(/\w+/g);
    assert.deepEqual([...STATUSES], members('Status'));
    assert.deepEqual([...STATES], members('State'));
  });

  it('recover to their voter, and with anything changed to somebody else', async () => {
    const { voter, signature } = await signVote(first!, 31_337, rounds, roundId, vote);
    assert.equal(voter, first!.address);
    assert.equal(await recoverVoter(31_337, rounds, roundId, vote, signature), voter);
    const changed: readonly (readonly [number, Hex, Hex, Vote])[] = [
      [1, rounds, roundId, vote],
      [31_337, zeroAddress, roundId, vote],
      [31_337, rounds, `0x${'ce'.repeat(32)}`, vote],
      ...Object.entries(vote).map(([key, value]): [number, Hex, Hex, Vote] => [
        ...([31_337, rounds, roundId] as const),
        { ...vote, [key]: key === 'status' ? 'PII' : typeof value === 'bigint' ? value + 1n : `0x${'00'.repeat(32)}` },
      ]),
    ];
    for (const [chainId, contract, round, content] of changed) {
      assert.notEqual(await recoverVoter(chainId, contract, round, content, signature), voter);
    }
    assert.equal(changed.length, 3 + 6);
  });

  it('attack: a malleated or broken signature that would cost a settlement its gas', async () => {
    const { signature } = await signVote(first!, 31_337, rounds, roundId, vote);
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const high = (order - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0');
    const v = signature.endsWith('1b') ? '1c' : '1b';
    for (const broken of [
      `${signature.slice(0, 66)}${high}${v}`,
      `${signature.slice(0, 130)}00`,
      `${signature}00`,
      signature.slice(0, 130),
      `0x${'00'.repeat(64)}1b`,
      '0x',
    ]) {
      const recovering = recoverVoter(31_337, rounds, roundId, vote, broken as Hex);
      await assert.rejects(recovering, { kind: 'terminal', code: 'VOTE_SIGNATURE' }, broken);
    }
  });

  it('are hidden by a salt that the voter makes again, and that is another for each voter, round, contract and chain', async () => {
    const salt = (voter = first!, chainId = 31_337, contract = rounds, round = roundId) =>
      voteSalt(voter, chainId, contract, round);
    const own = await salt();
    assert.match(own, /^0x[0-9a-f]{64}$/);
    const file = join(folder, 'voter.json');
    const privateKey: Hex = `0x${'5b'.repeat(32)}`;
    await createKeystore(file, 'x', { privateKey, light: true });
    assert.equal(
      await salt(await openKeystore(file, 'x')),
      await salt(privateKeyToAccount(privateKey)),
      'after a restart',
    );
    assert.equal(await salt(), own);
    const others = [
      salt(third!),
      salt(first!, 1),
      salt(first!, 31_337, zeroAddress),
      salt(first!, 31_337, rounds, `0x${'ce'.repeat(32)}`),
    ];
    assert.equal(new Set([own, ...(await Promise.all(others))]).size, 5);
  });

  it('attack: a vote is guessed from its voteHash: its salt is in nothing that is published', async () => {
    const salt = await voteSalt(first!, 31_337, rounds, roundId);
    const { signature } = await signVote(first!, 31_337, rounds, roundId, vote);
    const hashed = voteHash(31_337, rounds, roundId, first!.address, vote, salt);
    const known = [zeroHash, roundId, hashed, voteContent(vote), keccak256(signature), keccak256(first!.address)];
    for (const guess of known) {
      for (const status of STATUSES) {
        const tried = voteHash(31_337, rounds, roundId, first!.address, { ...vote, status }, guess);
        assert.notEqual(tried, hashed);
      }
    }
    assert.doesNotMatch(JSON.stringify([signature, hashed]), new RegExp(salt.slice(2)));
  });
});

describe('deployments', () => {
  const addresses = [
    'ModelRegistry',
    'CircuitRegistry',
    'Rounds',
    'RewardToken',
    'ValidatorRegistry',
    'Rewards',
    'InferenceRegistry',
  ].map((name, i) => [...[`Hokusai#${name}`, `0x${`${i + 1}`.repeat(40)}`]]);

  it('are read from the file of Ignition or its folder, and every problem is named', async () => {
    const chain = join(folder, 'deployments', 'chain-11155111');
    const file = join(chain, 'deployed_addresses.json');
    await mkdir(chain, { recursive: true });
    await assert.rejects(async () => readDeployment(chain), { code: 'DEPLOYMENT_MISSING', kind: 'configuration' });
    await writeFile(file, JSON.stringify(Object.fromEntries(addresses)));
    const { chainId, rounds } = readDeployment(chain);
    assert.deepEqual([chainId, rounds], [11_155_111, `0x${'3'.repeat(40)}`]);
    assert.deepEqual(readDeployment(file), readDeployment(chain));
    await writeFile(file, JSON.stringify({ 'Hokusai#Rounds': '0x12', 'Hokusai#RewardToken': `0x${'4'.repeat(40)}` }));
    assert.throws(() => readDeployment(file), {
      code: 'DEPLOYMENT_MALFORMED',
      message:
        /ModelRegistry is missing; Hokusai#CircuitRegistry is missing; Hokusai#InferenceRegistry is missing; Hokusai#ValidatorRegistry is missing; Hokusai#Rewards is missing; Hokusai#Rounds is no address\.$/,
    });
    for (const broken of ['', 'null', '[1', '7']) {
      await writeFile(file, broken);
      assert.throws(() => readDeployment(file), { code: 'DEPLOYMENT_MALFORMED' }, broken);
    }
  });

  it('have interfaces with the functions that clients call', () => {
    const names = abi('Rounds').flatMap((item) => ('name' in item ? [item.name] : []));
    assert.ok(names.includes('settle'));
  });
});
