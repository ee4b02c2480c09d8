// What can become of a settled round, by the verbs of the command line; each test begins where the round was settled.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Hex, keccak256, parseEther, stringToHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { trainingSetRoot } from '../../offchain/attestation/context.ts';
import { contextHash, round, settle, voteCommit, voteReveal } from '../../offchain/chain/round.ts';
import { signVote, type Vote, voteHash } from '../../offchain/chain/vote.ts';
import { saltOf } from '../../offchain/commitment.ts';
import { GAS } from '../../offchain/contribute/estimate.ts';
import { readRecord } from '../../offchain/contribute/record.ts';
import { jsonText } from '../../offchain/fail.ts';
import { developmentKeyFile } from '../../offchain/prove/circuits.ts';
import { contractProof, prove } from '../../offchain/prove/prove.ts';
import { scoreInput, scoreSignals } from '../../offchain/prove/score.ts';
import { openProject } from '../../offchain/run/project.ts';
import { labelsOf } from '../../offchain/table/check-table.ts';
import {
  addressOf,
  answer,
  as,
  chain,
  clientOf,
  config,
  folder,
  gasOf,
  keyOf,
  on,
  refused,
  run,
  start,
  stop,
  VALIDATORS,
} from './acting.ts';

const DAY = 86_400;
/** Two of three vote, who are just enough. */
const VOTERS = VALIDATORS.slice(0, 2);
const SALT = keccak256(stringToHex('salt'));

let modelId: Hex;
let roundId: Hex;
let vote: Vote;
/** Of `contribute commit`. */
let kept: string;

before(async () => {
  await start();
  const text = (await readFile(config, 'utf8')).replace('metric: accuracy', 'metric: recall');
  await writeFile(config, text.replace('guardrails: []', 'guardrails: [{ metric: accuracy, max_loss_bps: 100 }]'));
  // Two rows that the committee should have refused.
  const [file, benchmark] = ['contribution.csv', 'benchmark.csv'].map((name) => join(config, '..', name));
  const leaked = (await readFile(benchmark!, 'utf8')).split('\n').slice(1, 3).join('\n');
  await writeFile(file!, `${(await readFile(file!, 'utf8')).trimEnd()}\n${leaked}\n`);
  for (const role of VALIDATORS) {
    const own = ['--identity', join(folder, `${role}.txt`), '--stake', '1'];
    await answer(as(role, 'validator', 'register', ...own, '--json'));
  }
  const register = ['model', 'register', config, '--committee', '3', '--min-stake', '1', '--json'];
  ({ modelId } = await answer(as('owner', ...register)));
  await answer(as('owner', 'model', 'budget', modelId, '5000', '--json'));
  const commit = ['contribute', 'commit', config, '--model', modelId, '--payee', addressOf('payee'), '--json'];
  ({ roundId, folder: kept } = await answer(as('contributor', ...commit)));
  await answer(as('contributor', 'contribute', 'open', kept, '--json'));
  await chain.mine(3);
  await answer(as('contributor', 'contribute', 'draw', kept, '--json'));
  await answer(run('contribute', 'deliver', kept, ...on, '--json'));
  await settleByCollusion();
});
after(stop);

/** What a quorum that colludes can do at assurance level 1: score predictions that no model made. */
async function settleByCollusion(): Promise<void> {
  const { line, secrets } = await openProject(config);
  const labels = labelsOf(line.benchmark, line.schema);
  const settler = await clientOf(VOTERS[0]!);
  const candidateCommitment = 78n;
  const score = {
    ...{ metric: 'accuracy', classes: 2 },
    labels,
    // It misses one of sixteen rows that are positive.
    baselinePredictions: labels.map((label, row) => (row % 16 === 0 ? 0 : label)),
    candidatePredictions: labels,
    labelsSalt: saltOf(secrets.owner.benchmarkSecret, 'labels'),
    ...{ baselineSalt: 1n, candidateSalt: 2n },
    contextHash: await contextHash(settler, roundId, candidateCommitment, settler.account.address),
  };
  const { baselinePredictionsRoot, candidatePredictionsRoot, counts, attestationHash } = await scoreSignals(score);
  const { dataRoot } = (await readRecord(kept)).contribution;
  vote = {
    status: 'SCORED',
    ...{ baselinePredictionsRoot, candidateCommitment, candidatePredictionsRoot },
    trainingSetRoot: trainingSetRoot(line.trainingSetRoot, dataRoot),
    metricsHash: keccak256(stringToHex('metrics')),
  };
  for (const role of VOTERS) {
    const hash = voteHash(chain.chainId, chain.deployment.rounds, roundId, addressOf(role), vote, SALT);
    await voteCommit(await clientOf(role), roundId, hash);
  }
  await chain.advance(DAY + 1);
  for (const role of VOTERS) await voteReveal(await clientOf(role), roundId, vote, SALT);
  const { proof } = await prove('score512', scoreInput(score, 'score512'), await developmentKeyFile('score512'), {});
  await settle(settler, roundId, { vote, proof: contractProof(proof), counts, attestationHash });
}

/** A test that leaves the chain as it was. */
const afresh = (name: string, test: () => Promise<void>) =>
  it(name, async () => {
    const { publicClient } = await clientOf('outsider');
    const request = (method: string, params: unknown[]) => publicClient.request({ method, params } as never);
    const snapshot = await request('evm_snapshot', []);
    try {
      await test();
    } finally {
      await request('evm_revert', [snapshot]);
    }
  });

const status = async (target = roundId) => (await run('contribute', 'status', target, ...on)).stdout;
const withdraw = async (role: string, target = roundId) =>
  BigInt((await answer(as(role, 'contribute', 'withdraw', target, '--json'))).amount);
const [BOND, FEE] = [parseEther('0.01'), parseEther('0.01')];

describe('a settled round', () => {
  it('is of a metric whose power takes a run to be told, and that is what its model’s verbs say', async () => {
    const power = await answer(run('model', 'power', config, '--json'));
    assert.deepEqual([power.metric, power.rows, power.needed], ['recall', 284, undefined]);
    assert.match((await run('model', 'power', config)).stdout, /^What gain of recall a benchmark can tell depends on/);
    const { stdout } = await run('contribute', 'estimate', config, '--model', modelId, ...on);
    assert.match(stdout, /can pay +100 HKR a percentage point of recall, by the lower bound of the gain/);
    assert.doesNotMatch(stdout, /Chance of acceptance/);
  });

  afresh('waits while the guardian pauses all rounds, which status says', async () => {
    await refused(as('outsider', 'rounds', 'pause'), 1, /AccessManagedUnauthorized[\s\S]*gave the role for it/);
    await refused(as('owner', 'rounds', 'unpause'), 1, /RoundsNotPaused/);
    const dry = await as('owner', 'rounds', 'pause', '--dry-run');
    assert.match(dry.stderr, /pause: at most [\d.]+ ETH for \d+ gas/);
    assert.match((await run('rounds', 'show', ...on)).stdout, /^Not paused\.$/);
    assert.doesNotMatch(await status(), /aused/);

    await chain.advance(2 * 3600);
    const { pausedUntil } = await answer(as('owner', 'rounds', 'pause', '--json'));
    const { clock, ...shown } = await answer(run('contribute', 'status', roundId, ...on, '--json'));
    assert.equal(shown.pausedUntil, pausedUntil);
    assert.match(
      (await run('rounds', 'show', ...on)).stdout,
      /^Paused, until \d{4}-\d\d-\d\dT[\d:]+Z at the latest\.$/,
    );
    assert.match(
      await status(),
      /SETTLED\n⏸ Paused, until 20\S+Z at the latest: nothing is committed, opened, settled/,
    );
    await refused(as('outsider', 'contribute', 'finalise', roundId), 75, /RoundsPaused \(until \d+\)/);
    await chain.advance(DAY);
    assert.equal((await answer(run('contribute', 'status', roundId, ...on, '--json'))).clock, clock);

    await answer(as('owner', 'rounds', 'unpause', '--json'));
    await refused(as('owner', 'rounds', 'pause'), 75, /RoundsPausedTooSoon/);
    assert.doesNotMatch(await status(), /aused/);
    await answer(as('outsider', 'contribute', 'finalise', roundId, '--json'));
  });

  afresh('is final after its delay, and pays payee, sponsor and validators', async () => {
    assert.match(await status(), /Fraud can still be proven, and the owner can veto it, until/);
    await refused(as('outsider', 'contribute', 'finalise', roundId), 75, /RoundsDelayNotPassed/);
    await chain.advance(3601);
    assert.match(await status(), /Anybody can `finalise` it now/);
    const final = await answer(as('outsider', 'contribute', 'finalise', kept, '--json'));
    assert.ok(GAS.finalise >= gasOf(final) && GAS.finalise < 2n * gasOf(final), `finalise ${gasOf(final)}`);
    const { payableBps } = await round(await clientOf('outsider'), roundId);
    assert.match(await status(), /FINALISED[\s\S]*Its payees can `claim` their shares of/);

    await refused(as('outsider', 'contribute', 'claim', kept), 2, /is not among the payees/);
    const dry = await as('payee', 'contribute', 'claim', kept, '--dry-run');
    assert.match(dry.stderr, /claim: [\d.]+ HKR minted for you\.\nclaim: at most [\d.]+ ETH/);
    const claimed = await answer(as('payee', 'contribute', 'claim', kept, '--json'));
    assert.equal(claimed.share, String((BigInt(payableBps) * parseEther('100')) / 100n));
    assert.ok(GAS.claim >= gasOf(claimed) && GAS.claim < 2n * gasOf(claimed), `claim ${gasOf(claimed)}`);
    await refused(as('payee', 'contribute', 'claim', kept), 1, /RewardsAlreadyClaimed/);

    assert.equal(await withdraw('contributor'), BOND);
    assert.deepEqual(
      [await withdraw(VOTERS[0]!), await withdraw(VOTERS[1]!)].reduce((a, b) => a + b),
      FEE,
    );
    await refused(as(VALIDATORS[2]!, 'contribute', 'withdraw', roundId), 1, /RoundsNothingToWithdraw/);
    const { stdout } = await run('model', 'show', modelId, ...on);
    assert.match(stdout, new RegExp(`metric +recall\nhead +78, of round ${roundId}`));
    assert.match(stdout, /gate [^\n]*284 rows or more\n +accuracy falls by 100 bps at most\n/);
  });

  afresh('is void by the owner’s veto, who pays the sponsor a fee for it', async () => {
    await refused(as('outsider', 'model', 'veto', roundId), 1, /RoundsNotModelOwner/);
    const dry = await as('owner', 'model', 'veto', roundId, '--dry-run');
    assert.match(dry.stderr, /veto: 0\.01 ETH paid in, and at most/);
    await answer(as('owner', 'model', 'veto', roundId, '--json'));
    assert.match(await status(), /VOIDED\nVoid: the model’s owner vetoed it\./);
    assert.equal(await withdraw('contributor'), BOND + FEE);
    assert.equal((await withdraw(VOTERS[0]!)) + (await withdraw(VOTERS[1]!)), FEE);
    await refused(as('payee', 'contribute', 'claim', kept), 1, /RewardsNotAwarded/);
  });

  afresh('is void by a row that is in the benchmark, too, shown by who was given both', async () => {
    const own = (role: string) => ['--identity', join(folder, `${role}.txt`)];
    const files = ['--sealed', join(kept, 'contribution.sealed'), '--key', join(kept, 'key.age')];
    const show = (...more: string[]) => as('outsider', 'contribute', 'prove-overlap', roundId, config, ...more);
    const secret = join(folder, 'other.hex');
    await writeFile(secret, `${'12'.repeat(32)}\n`);
    const held = [...files, ...own(VALIDATORS[2]!)];
    await refused(show(...held, '--secret', secret), 2, /benchmark.csv and its secret are not those of the fold 0x/);
    await refused(show(...held, '--secret', join(folder, 'nowhere.hex')), 2, /nowhere.hex cannot be read: ENOENT/);
    await refused(show(...files.with(1, join(folder, 'nowhere')), ...own(VALIDATORS[2]!)), 2, /nowhere cannot be read/);
    await refused(show(...files.with(1, config), ...own(VALIDATORS[2]!)), 1, /does not open with this key/);
    await refused(show(...files), 2, /--identity is missing/);

    const dry = await show(...held, '--dry-run');
    assert.match(dry.stderr, /proveOverlap: at most [\d.]+ ETH for \d+ gas/, dry.stderr);
    assert.match(dry.stdout, /2 of its rows are in the benchmark\. 0\.005 ETH for you\.\nA dry run: nothing was sent/);
    assert.match(await status(), /SETTLED/);
    const shown = await answer(show(...held, '--json'));
    assert.deepEqual([shown.rows, shown.share], [2, String(BOND / 2n)]);
    assert.match(await status(), /Void: a row was in the contribution and in the benchmark\./);
    assert.equal(await withdraw('contributor'), FEE);
    await refused(show(...held), 1, /RoundsWrongState/);
  });

  afresh('has another contribution than the next one, whose files show nothing of it', async () => {
    const commit = ['contribute', 'commit', config, '--model', modelId, '--json'];
    const { roundId: other } = await answer(as('outsider', ...commit));
    const files = ['--sealed', join(kept, 'contribution.sealed'), '--key', join(kept, 'key.age')];
    const identity = ['--identity', join(folder, `${VALIDATORS[0]}.txt`)];
    const proving = as('outsider', 'contribute', 'prove-overlap', other, config, ...files, ...identity);
    await refused(proving, 2, /contribution\.sealed is not the contribution of round 0x/);
  });

  afresh('is void once a voter without whom there is no quorum signed another vote', async () => {
    const account = privateKeyToAccount(keyOf(VOTERS[0]!));
    const files = ['first.json', 'second.json'].map((name) => join(folder, name));
    for (const [i, one] of [vote, { ...vote, metricsHash: keccak256(stringToHex('others')) }].entries()) {
      const { signature } = await signVote(account, chain.chainId, chain.deployment.rounds, roundId, one);
      await writeFile(files[i]!, jsonText({ vote: one, signature }));
    }
    const proving = as('outsider', 'validator', 'prove-double-vote', roundId, ...files, '--json');
    assert.equal((await answer(proving)).share, String(parseEther('0.5')));
    assert.match(await status(), /Void: without validators who signed two votes there was no quorum/);
    assert.equal(await withdraw('contributor'), BOND + FEE);
  });

  afresh(
    'has a queue behind it, of which what was cancelled is skipped, and what missed its turn expires',
    async () => {
      const commit = (name: string) => ['commit', config, '--model', modelId, '--folder', join(folder, name), '--json'];
      const { roundId: second } = await answer(as('outsider', 'contribute', ...commit('second')));
      const { roundId: third } = await answer(as('contributor', 'contribute', ...commit('third')));
      await answer(as('outsider', 'contribute', 'cancel', second, '--json'));
      await refused(
        as('outsider', 'model', 'skip', modelId, '--max', '0'),
        2,
        /--max 0: expected a whole number from 1/,
      );
      const dry = await as('outsider', 'model', 'skip', modelId, '--dry-run');
      assert.match(dry.stderr, /skip: at most [\d.]+ ETH for \d+ gas/);
      assert.equal((await answer(as('outsider', 'model', 'skip', modelId, '--max', '5', '--json'))).skipped, 1);
      assert.equal((await answer(as('outsider', 'model', 'skip', modelId, '--json'))).skipped, 0);

      await answer(as('owner', 'model', 'veto', roundId, '--json'));
      await refused(as('outsider', 'contribute', 'expire', third), 75, /RoundsDeadlineNotPassed/);
      await chain.advance(DAY + 1);
      assert.match(await status(third), /Its turn ended .*: anybody can `expire` it/);
      await answer(as('outsider', 'contribute', 'expire', third, '--json'));
      // An accepted score has spent the only fold.
      assert.match(await status(third), /Void: its turn passed while it could not be opened\./);
      assert.equal(await withdraw('contributor', third), BOND + FEE);
    },
  );
});
