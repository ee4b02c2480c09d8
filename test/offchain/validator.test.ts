import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Address } from 'viem';
import { type ChainClient, connect } from '../../offchain/chain/connect.ts';
import { openKeystore } from '../../offchain/chain/keystore.ts';
import { type LocalChain, startLocalChain } from '../../offchain/chain/local.ts';
import { drawnSeed, round } from '../../offchain/chain/round.ts';
import { type Sent, send, view } from '../../offchain/chain/send.ts';
import { voteContent } from '../../offchain/chain/vote.ts';
import { init } from '../../offchain/init.ts';
import { payeesTree } from '../../offchain/payees.ts';
import { type Executor, openExecutor } from '../../offchain/run/executor.ts';
import {
  type LocalModelOptions,
  openLocalModel,
  registerLocalModel,
  startLocalValidator,
} from '../../offchain/run/local-model.ts';
import { openRound } from '../../offchain/run/local-round.ts';
import { type Offered, offer, openProject } from '../../offchain/run/project.ts';
import type { ForestModel } from '../../offchain/train/forest-model.ts';
import { createIdentity, encryptTo } from '../../offchain/validator/recipient.ts';
import type { Assignment, Ballot } from '../../offchain/validator/validator.ts';
import { TABLE } from '../e2e/hokusai.ts';

let folder: string;
let chain: LocalChain;
const executors: Executor[] = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hokusai-test-'));
  chain = await startLocalChain();
});
after(async () => {
  for (const executor of executors) await executor.close();
  await chain?.stop();
  await rm(folder, { recursive: true });
});

/** A project whose baseline knows few rows, with so many validators, and what its contributor offers. */
async function localProject(
  name: string,
  validators: number,
  modelType = 'LinearSVC',
): Promise<LocalModelOptions & { offered: Offered }> {
  const directory = join(folder, name);
  await init({ directory, data: TABLE, label: 'benign', baselineRows: 20, benchmarkRows: 284 });
  const file = join(directory, 'hokusai.yaml');
  const text = (await readFile(file, 'utf8')).replace(/^( +validators:).*$/m, `$1 ${validators}`);
  const training = text.replace(/^ +threshold:.*$/m, '').replace(/^( +model_type:) .*$/m, `$1 ${modelType}`);
  await writeFile(file, modelType === 'LinearSVC' ? training : training.replace(/^ +C: .*$/m, '    n_estimators: 5'));
  const project = await openProject(file);
  const offered = await offer(project, 'contribution', project.config.data.contribution);
  const executor = await openExecutor(join(directory, 'run'));
  executors.push(executor);
  const { config, line, secrets } = project;
  return { chain, config, line, secrets, folder: join(directory, 'run'), executor, offered };
}

const nothing = () => {};

const otherRecipient = () => createIdentity(join(folder, 'other-identity.txt'));

const votedBy = (client: ChainClient, { roundId }: Assignment, validator: Address) =>
  view(client, { contract: 'rounds', functionName: 'voteOf', args: [roundId, validator] });

/** A round that waits for the vote of its one validator. */
async function soleValidator(name: string, modelType?: string) {
  const options = await localProject(name, 1, modelType);
  const start = () => startLocalValidator(options, 1, nothing);
  const started = await start();
  const model = await registerLocalModel(options, [started], nothing);
  const contributor = await connect({ ...chain, account: chain.accounts.contributor });
  const { payeesRoot } = payeesTree([{ payee: chain.accounts.payee.address, weight: 1n }]);
  const assignment = await openRound(options, model, contributor, payeesRoot, options.offered, nothing);
  return { ...started, start, assignment, contributor };
}

describe('a validator', () => {
  it('whose registered recipient is none votes UNAVAILABLE, and keeps the key from nobody else', async () => {
    const options = await localProject('junk', 3);
    const model = await openLocalModel(options);
    try {
      const { password } = options.secrets;
      const account = await openKeystore(join(options.folder, 'validators/2/keystore.json'), password);
      const junk = await connect({ ...chain, account });
      const args = ['age1 is how a recipient begins'] as const;
      await send(junk, { action: '-', contract: 'validatorRegistry', functionName: 'setRecipient', args });
      const { name, data, root } = options.offered;
      const { settlement, ballots, round: ended } = await model.contribute(name, data, root);
      assert.ok(settlement);
      assert.equal(ballots.length, 2);
      for (const { validator, status } of ended.committee) {
        assert.equal(status, validator === account.address ? 'UNAVAILABLE' : 'SCORED');
      }
      assert.equal(
        ended.payments.some((payment) => payment.account === account.address),
        false,
        'no share of the fee',
      );
    } finally {
      model.stop();
    }
  });

  it('to whom the key was not encrypted, or in a broken file, votes UNAVAILABLE', async () => {
    const { validator, assignment } = await soleValidator('undelivered');
    try {
      const toOthers = await encryptTo([await otherRecipient()], new Uint8Array(32));
      for (const encryptedKey of [toOthers, assignment.encryptedKey.slice(0, -1), new Uint8Array()]) {
        const undelivered = { ...assignment, encryptedKey };
        const { vote, evaluated } = await validator.ask<Ballot>({ type: 'evaluate', assignment: undelivered });
        assert.deepEqual([vote.status, vote.candidateCommitment, evaluated], ['UNAVAILABLE', 0n, undefined]);
      }
      const { vote } = await validator.ask<Ballot>({ type: 'evaluate', assignment });
      assert.equal(vote.status, 'SCORED', 'nothing is kept of what was not delivered');
    } finally {
      validator.stop();
    }
  });

  it('attack: trains with what was drawn after the commit, so nobody chooses data by the rows that trees will draw', async () => {
    const { validator, assignment, contributor } = await soleValidator('drawn', 'RandomForestClassifier');
    try {
      const { agreed, evaluated } = await validator.ask<Ballot>({ type: 'evaluate', assignment });
      const seed = await drawnSeed(contributor, assignment.roundId);
      const { baseline, candidate } = agreed.models!;
      assert.deepEqual([candidate.seed, 'seed' in baseline], [seed, false]);
      const { trees } = evaluated!.models.candidate as ForestModel;
      assert.equal(trees.length, 5);
    } finally {
      validator.stop();
    }
  });

  it('that was killed between its two steps of voting reveals the same vote when it is back', async () => {
    const { validator, address, start, assignment, contributor } = await soleValidator('killed');
    const { roundId } = assignment;
    const first = await validator.ask<Ballot>({ type: 'evaluate', assignment });
    await validator.ask<Sent>({ type: 'voteCommit', roundId });
    validator.stop();
    const { validator: back, address: same } = await start();
    try {
      assert.equal(same, address);
      await assert.rejects(back.ask({ type: 'voteReveal', roundId }), {
        kind: 'retryable',
        code: 'ROUND_NOT_EVALUATED',
      });
      const again = await back.ask<Ballot>({ type: 'evaluate', assignment });
      assert.deepEqual(again.vote, first.vote);
      assert.deepEqual(
        again.steps.map(({ reused }) => reused),
        again.steps.map(() => true),
      );
      await assert.rejects(back.ask({ type: 'voteCommit', roundId }), /RoundsAlreadyVoted/);
      const { by } = await back.ask<Sent>({ type: 'voteReveal', roundId });
      assert.equal(by, address);
      const { revealed } = await round(contributor, roundId);
      assert.equal(revealed, 1);
      assert.equal(await votedBy(contributor, assignment, address), voteContent(first.vote));
    } finally {
      back.stop();
    }
  });
});
