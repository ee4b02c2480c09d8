import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Hex, keccak256, parseEther, stringToHex, zeroHash } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { createKeystore } from '../../offchain/chain/keystore.ts';
import { reject, voteCommit, voteReveal } from '../../offchain/chain/round.ts';
import { send } from '../../offchain/chain/send.ts';
import { signVote, type Vote, voteHash } from '../../offchain/chain/vote.ts';
import { GAS } from '../../offchain/contribute/estimate.ts';
import { jsonText } from '../../offchain/fail.ts';
import { unseal } from '../../offchain/seal.ts';
import { decryptWith, readIdentity } from '../../offchain/validator/recipient.ts';
import {
  addressOf,
  answer,
  as,
  chain,
  child,
  clientOf,
  config,
  deploymentFolder,
  folder,
  gasOf,
  keyOf,
  keystore,
  nonceOf,
  on,
  refused,
  run,
  start,
  stop,
  VALIDATORS,
} from './acting.ts';

const DAY = 86_400;

before(start);
after(stop);

describe('hokusai model, contribute and validator', () => {
  let modelId: Hex;
  let roundId: Hex;
  let kept: string;

  it('say all that is wrong with how they are called', async () => {
    const { code, stderr } = await child(
      'contribute',
      'commit',
      '--modle',
      '0x1',
      '--payee',
      '0x12',
      'a',
      'b',
      '--rpc',
    );
    assert.equal(code, 2);
    for (const problem of [
      '--modle is not known, did you mean --model?',
      '--payee 0x12: expected an address',
      'b is one too many',
      '--rpc: expected a value',
      '--model is missing',
      '--keystore is missing',
    ]) {
      assert.ok(stderr.includes(problem), `${problem} is not in ${stderr}`);
    }
    await refused(run('model', 'power', '--alpha', '0.7', '--rows', '-1'), 2, /--alpha 0\.7.*--rows/);
    await refused(run('model', 'fly'), 2, /there is no verb fly; there are power, register/);
    assert.match((await child('contribute', '--help')).stdout, /estimate[\s\S]*expire/);
  });

  it('tell the rows that a gain needs before anything is registered', async () => {
    const asked = await answer(run('model', 'power', '--rows', '2471', '--json'));
    assert.deepEqual([asked.needed, asked.neededOfOneRound], [5_323, 2_471]);
    const once = await answer(run('model', 'power', '--rows', '2471', '--rounds-per-fold', '1', '--json'));
    assert.ok(Math.abs(once.probability - 0.8) < 1e-3);
    assert.match((await run('model', 'power', config)).stdout, /On 284 rows its chance is/);
  });

  it('print to a terminal and for machines, and end with the documented codes', async () => {
    const budget = ['model', 'budget', zeroHash, '1', ...on, '--keystore', keystore('owner')];
    const failed = await child(...budget);
    assert.equal(failed.code, 1);
    assert.match(
      failed.stderr,
      /✖ allocateBudget was refused: ModelRegistryUnknownModel \(modelId 0x0+\)\.\n {2}Check the modelId/,
    );
    const machine = await child(...budget, '--json');
    assert.equal(JSON.parse(machine.stdout).error.details.error, 'ModelRegistryUnknownModel');
    const silent = ['--rpc', 'http://127.0.0.1:9/a-key-of-a-provider', ...on.slice(2)];
    const away = await child('model', 'show', zeroHash, ...silent);
    assert.equal(away.code, 75);
    assert.doesNotMatch(away.stderr, /a-key-of-a-provider/);
  });

  it('register validators, a model and its budget', async () => {
    const identity = (role: string) => ['--identity', join(folder, `${role}.txt`), '--stake', '1'];
    await answer(as('validator 0', 'validator', 'register', ...identity('validator 0'), '--dry-run', '--json'));
    assert.equal(existsSync(join(folder, 'validator 0.txt')), false);
    for (const role of VALIDATORS.slice(0, 2)) {
      await answer(as(role, 'validator', 'register', ...identity(role), '--json'));
    }
    // Whatever a validator writes is registered.
    await send(await clientOf('validator 2'), {
      action: 'register',
      contract: 'validatorRegistry',
      functionName: 'register',
      args: [chain.deployment.rounds, 'age1nobody'],
      value: parseEther('1'),
    });
    assert.match((await run('validator', 'show', addressOf('validator 2'), ...on)).stdout, /it gets no keys/);

    const register = ['model', 'register', config, '--committee', '3', '--min-stake', '1'];
    await refused(as('owner', ...register.slice(0, 3)), 2, /name them by --validators, or draw them by --committee 3/);
    const nonce = await nonceOf('owner');
    const dry = await as('owner', ...register, '--dry-run');
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stderr, /register the model: at most [\d.]+ ETH for \d+ gas/);
    assert.match(dry.stdout, /nothing was sent/);
    assert.equal(await nonceOf('owner'), nonce);
    ({ modelId } = await answer(as('owner', ...register, '--json')));
    await refused(as('owner', ...register), 1, /ModelRegistryModelExists/);

    await refused(as('contributor', 'model', 'budget', modelId, '5000'), 1, /RewardsNotTokenOwner/);
    await answer(as('owner', 'model', 'budget', modelId, '5000', '--json'));
    const shown = await run('model', 'show', modelId, ...on);
    assert.match(shown.stdout, /budget +5000 HKR/);
    assert.match(shown.stdout, /3 validators by lot, each with 1 ETH at stake; 2 of them agree/);
  });

  it('estimate a contribution, and commit to it once', async () => {
    const estimate = await answer(run('contribute', 'estimate', config, '--model', modelId, ...on, '--json'));
    assert.equal(estimate.deposit, String(parseEther('0.02')));
    assert.deepEqual([estimate.before, estimate.problems], [0, []]);

    const commit = ['contribute', 'commit', config, '--model', modelId, '--payee', addressOf('payee')];
    const nonce = await nonceOf('contributor');
    const dry = await as('contributor', ...commit, '--dry-run');
    assert.match(dry.stderr, /commit: 0\.02 ETH paid in, and at most [\d.]+ ETH for \d+ gas/);
    assert.equal(existsSync(join(config, '../runs/contributions')), false);
    assert.equal(await nonceOf('contributor'), nonce);

    const done = await answer(as('contributor', ...commit, '--json'));
    ({ roundId, folder: kept } = done);
    assert.ok(GAS.commit >= gasOf(done) && GAS.commit < 2n * gasOf(done), `commit ${gasOf(done)}`);
    for (const file of ['contribution.json', ...readdirSync(join(kept, 'secrets')).map((name) => `secrets/${name}`)]) {
      assert.equal((await stat(join(kept, file))).mode & 0o077, 0, `${file} is open to others`);
    }
    const again = await as('contributor', ...commit);
    assert.match(again.stdout, /it was committed before, and is COMMITTED/);
    assert.equal(await nonceOf('contributor'), nonce + 1);
    const other = [...commit.slice(0, -2), '--folder', kept];
    await refused(as('contributor', ...other), 2, /holds a contribution with another payees/);
  });

  it('hold a place in the queue, which is cancelled and refunded', async () => {
    const commit = ['contribute', 'commit', config, '--model', modelId, '--json'];
    const { roundId: second, folder: secondFolder } = await answer(as('outsider', ...commit));
    await refused(as('outsider', 'contribute', 'open', secondFolder), 75, /RoundsNotInTurn/);
    assert.match((await run('contribute', 'status', second, ...on)).stdout, /1 are before it/);
    await refused(as('contributor', 'contribute', 'cancel', second), 1, /RoundsNotSponsor/);
    await refused(as('contributor', 'contribute', 'cancel', roundId), 1, /RoundsInTurn/);
    await answer(as('outsider', 'contribute', 'cancel', secondFolder, '--json'));
    assert.match(
      (await run('contribute', 'status', second, ...on)).stdout,
      /Void: it was cancelled[\s\S]*can withdraw 0\.02/,
    );
    const { amount } = await answer(as('outsider', 'contribute', 'withdraw', second, '--json'));
    assert.equal(amount, String(parseEther('0.02')));
    await refused(as('outsider', 'contribute', 'withdraw', second), 1, /RoundsNothingToWithdraw/);
    const tried = await answer(as('outsider', 'model', 'skip', modelId, '--dry-run', '--json'));
    assert.deepEqual([tried.skipped, tried.transactions], [0, []], 'the first one waits');
    const shown = await answer(run('model', 'show', modelId, ...on, '--json'));
    assert.deepEqual(shown.waiting, [roundId]);
  });

  it('open it by a relayer with a signature, draw, and deliver the key to the committee alone', async () => {
    await refused(as('outsider', 'contribute', 'open', kept), 1, /RoundsNotContributor/);
    await refused(as('outsider', 'contribute', 'sign', kept), 2, /is not the contributor/);
    await refused(run('contribute', 'deliver', kept, ...on), 75, /The round is COMMITTED/);
    const { file, signature } = await answer(as('contributor', 'contribute', 'sign', kept, '--json'));
    assert.match(signature, /^0x[0-9a-f]{130}$/);
    const opened = await answer(as('outsider', 'contribute', 'open', file, '--json'));
    assert.ok(GAS.open >= gasOf(opened) && GAS.open < 2n * gasOf(opened), `open ${gasOf(opened)}`);
    await refused(as('outsider', 'contribute', 'draw', roundId), 75, /RoundsDrawnTooEarly/);
    await chain.mine(3);
    assert.match(
      (await run('contribute', 'status', kept, ...on)).stdout,
      /OPEN\n.*Anybody draws fold and committee, now/,
    );
    const drawn = await answer(as('outsider', 'contribute', 'draw', kept, '--json'));
    assert.ok(GAS.draw >= gasOf(drawn) && GAS.draw < 2n * gasOf(drawn), `draw ${gasOf(drawn)}`);

    const { members, leftOut, key, sealed } = await answer(run('contribute', 'deliver', kept, ...on, '--json'));
    assert.deepEqual([members.length, leftOut], [2, [addressOf('validator 2')]]);
    const identity = await readIdentity(join(folder, 'validator 0.txt'));
    const { data } = await unseal(await readFile(sealed), await decryptWith(identity, await readFile(key)));
    assert.deepEqual(Buffer.from(data), await readFile(join(config, '../contribution.csv')));
  });

  it('say how the votes stand, and pay back the bond of a round that was rejected', async () => {
    const vote: Vote = {
      status: 'SCHEMA',
      ...{ baselinePredictionsRoot: 0n, candidateCommitment: 0n, candidatePredictionsRoot: 0n },
      ...{ trainingSetRoot: zeroHash, metricsHash: keccak256(stringToHex('metrics')) },
    };
    const salt = keccak256(stringToHex('salt'));
    const { rounds } = chain.deployment;
    for (const role of VALIDATORS.slice(0, 2)) {
      await voteCommit(
        await clientOf(role),
        roundId,
        voteHash(chain.chainId, rounds, roundId, addressOf(role), vote, salt),
      );
    }
    const { stdout } = await run('contribute', 'status', roundId, ...on);
    assert.equal(stdout.match(/has committed its vote/g)?.length, 2, stdout);
    assert.match(stdout, /has not voted[\s\S]*The committee commits its votes/);
    await chain.advance(DAY + 1);
    for (const role of VALIDATORS.slice(0, 2)) await voteReveal(await clientOf(role), roundId, vote, salt);
    const shown = (await run('contribute', 'status', roundId, ...on)).stdout;
    assert.equal(shown.match(/has shown its vote/g)?.length, 2, shown);
    assert.match(shown, /Who can, settles with a proof or rejects/);
    await refused(as('outsider', 'contribute', 'expire', roundId), 75, /RoundsDeadlineNotPassed/);
    await refused(as('owner', 'model', 'veto', roundId), 1, /RoundsWrongState/);
    await reject(await clientOf('validator 0'), roundId, vote);
    assert.match(
      (await run('contribute', 'status', roundId, ...on)).stdout,
      /Rejected as SCHEMA[\s\S]*can withdraw 0\.01/,
    );
    await refused(as('payee', 'contribute', 'claim', kept), 1, /RewardsNotAwarded/);
    const paid = await answer(as('contributor', 'contribute', 'withdraw', kept, '--json'));
    assert.equal(paid.amount, String(parseEther('0.01')));
    assert.ok(GAS.withdraw >= gasOf(paid) && GAS.withdraw < 2n * gasOf(paid), `withdraw ${gasOf(paid)}`);
  });

  it('leave nobody who signed two votes with a stake', async () => {
    const account = privateKeyToAccount(keyOf('validator 2'));
    const { rounds } = chain.deployment;
    const evidence = async (status: Vote['status']) => {
      const nothing = { baselinePredictionsRoot: 0n, candidateCommitment: 0n, candidatePredictionsRoot: 0n };
      const vote: Vote = { status, ...nothing, trainingSetRoot: zeroHash, metricsHash: zeroHash };
      return { vote, signature: (await signVote(account, chain.chainId, rounds, roundId, vote)).signature };
    };
    const [first, second] = [await evidence('SCHEMA'), await evidence('PII')];
    const [one, two, torn] = ['first.json', 'second.json', 'torn.json'].map((name) => join(folder, name));
    await writeFile(one!, jsonText(first));
    await writeFile(two!, jsonText(second));
    await writeFile(torn!, jsonText({ vote: { ...first.vote, status: 'FINE', metricsHash: '0x12' }, signature: 1 }));
    const prove = (by: string, ...more: string[]) => as(by, 'validator', 'prove-double-vote', roundId, ...more);
    await refused(prove('outsider', one!, torn!), 2, /torn.json: vote.status: .*vote.metricsHash: .*signature: /);
    await refused(prove('outsider', join(folder, 'nowhere.json'), torn!), 2, /nowhere.json: ENOENT.*torn.json: vote/);
    await refused(prove('outsider', one!, one!), 1, /Both files hold the same vote of 0x/);
    const others = privateKeyToAccount(keyOf('outsider'));
    const foreign = await signVote(others, chain.chainId, rounds, roundId, second.vote);
    await writeFile(torn!, jsonText({ vote: second.vote, signature: foreign.signature }));
    await refused(prove('outsider', one!, torn!), 1, /One is signed by 0x\w+, the other by 0x/);
    const dry = await prove('outsider', one!, two!, '--dry-run');
    assert.match(dry.stderr, /proveDoubleVote: at most [\d.]+ ETH for \d+ gas/);
    assert.match(dry.stdout, /loses 1 ETH\. 0\.5 ETH for you\.\nA dry run/);
    const shown = await answer(prove('outsider', one!, two!, '--json'));
    assert.deepEqual([shown.validator, shown.share], [account.address, String(parseEther('0.5'))]);
    const again = await prove('outsider', one!, two!, '--dry-run');
    assert.match(again.stderr, /has nothing at stake/);
    assert.match((await run('validator', 'show', account.address, ...on)).stdout, /SLASHED\n0 ETH at stake/);
  });

  it('let a validator pause, add stake, change its identity and leave', async () => {
    const act = (...parameters: string[]) => answer(as('validator 1', 'validator', ...parameters, '--json'));
    const shown = async () => (await run('validator', 'show', addressOf('validator 1'), ...on)).stdout;
    await act('pause');
    await act('stake', '0.5');
    assert.match(await shown(), /PAUSED\n1\.5 ETH at stake; not drawn by lot/);
    await act('resume');
    const { recipient } = await act('recipient', '--identity', join(folder, 'next.txt'));
    assert.match(await shown(), new RegExp(`ACTIVE\n[^\n]*drawn since block \\d+\nkeys go to ${recipient}`));
    await act('unbond');
    await refused(as('validator 1', 'validator', 'withdraw'), 75, /ValidatorRegistryStillBonded/);
    await chain.advance(64 * DAY);
    await act('withdraw');
    assert.match(await shown(), /PAUSED\n0 ETH at stake/);
  });

  it('keep a contribution that could not be paid for, and refuse it once its policy is replaced', async () => {
    const poor = keccak256(stringToHex('poor'));
    await createKeystore(keystore('poor'), 'correct horse', { privateKey: poor, light: true });
    const stale = join(folder, 'stale');
    const commit = ['contribute', 'commit', config, '--model', modelId, '--folder', stale];
    await refused(as('poor', ...commit), 2, /has 0 wei and needs/);
    assert.ok(existsSync(join(stale, 'contribution.json')));

    const changed = join(config, '../changed.yaml');
    const text = await readFile(config, 'utf8');
    await writeFile(changed, text.replace(/^( *max_reward:).*$/m, '$1 900'));
    await refused(as('outsider', 'model', 'policy', modelId, changed), 1, /ModelRegistryNotOwner/);
    await answer(as('owner', 'model', 'policy', modelId, changed, '--json'));
    const shown = await answer(run('model', 'show', modelId, ...on, '--json'));
    assert.equal(shown.policy.maxReward, String(parseEther('900')));
    assert.equal(shown.policy.committeeSize, 3);
    const replaced = await answer(as('owner', 'model', 'benchmark', modelId, changed, '--json'));
    assert.deepEqual([replaced.rows, replaced.benchmarkId], [284, shown.benchmarkId]);

    const { publicClient } = await clientOf('owner');
    const funded = [privateKeyToAccount(poor).address, `0x${parseEther('1').toString(16)}`];
    await publicClient.request({ method: 'hardhat_setBalance', params: funded } as never);
    await refused(as('poor', ...commit), 1, /RoundsStalePolicy/);
  });

  it('refuse another chain, a folder that is none, and a wrong password', async () => {
    const elsewhere = ['--rpc', chain.url, '--deployment', await deploymentFolder(1)];
    await refused(run('model', 'show', modelId, ...elsewhere), 2, /is chain 31337; the contracts are on chain 1/);
    await refused(run('model', 'show', zeroHash, ...on), 1, /ModelRegistryUnknownModel/);
    await refused(run('contribute', 'status', join(folder, 'nowhere'), ...on), 2, /nowhere cannot be read/);
    await writeFile(join(folder, 'password'), 'wrong\n');
    await refused(as('owner', 'model', 'budget', modelId, '1'), 2, /The password does not open/);
  });
});
