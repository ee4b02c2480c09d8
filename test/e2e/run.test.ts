import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Attestation } from '../../offchain/attestation/attest.ts';
import { DIABETES, type Finished, hokusai, Started, TABLE } from './hokusai.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hokusai-e2e-'));
});
after(() => rm(folder, { recursive: true }));

/** A project whose baseline knows few rows, so that the rest are worth something. */
async function project(name: string, ...options: string[]): Promise<string> {
  const directory = join(folder, name);
  const made = await hokusai(
    'init',
    directory,
    '--data',
    TABLE,
    '--label',
    'benign',
    '--baseline-rows',
    '20',
    '--benchmark-rows',
    '284',
    ...options,
  );
  assert.equal(made.code, 0, made.stderr);
  return directory;
}

const attestationOf = async (directory: string): Promise<Attestation & { folder: string }> => {
  const runs = readdirSync(join(directory, 'runs')).filter((name) => name !== 'secrets');
  assert.equal(runs.length, 1);
  const run = join(directory, 'runs', runs[0]!);
  return { ...JSON.parse(await readFile(join(run, 'attestation.json'), 'utf8')), folder: run };
};

/** What honest runs of the same project agree on. */
const settled = ({ steps, transactions, proof, folder: _, ...rest }: Attestation & { folder: string }) => ({
  ...rest,
  attestationHash: proof?.attestationHash,
});

/**
 * The configuration of one project twice, with the secrets that a first run makes.
 *
 * @param options of that run
 */
async function twins(name: string, ...options: string[]): Promise<[file: string, other: string]> {
  const directory = await project(name);
  const file = join(directory, 'hokusai.yaml');
  // Neither is to take what the other has computed.
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/cache_mb: \d+/, 'cache_mb: 0'));
  await runUntil(file, '✔ validate', ...options);
  const other = `${directory}-too`;
  await cp(directory, other, { recursive: true });
  for (const one of [directory, other]) {
    const runs = readdirSync(join(one, 'runs')).filter((entry) => entry !== 'secrets');
    for (const run of runs) await rm(join(one, 'runs', run), { recursive: true });
  }
  return [file, join(other, 'hokusai.yaml')];
}

/** Runs until this is seen, and kills it. What it said. */
async function runUntil(file: string, seen: string, ...options: string[]): Promise<string> {
  const started = new Started('offchain/cli.ts', ['run', file, ...options]);
  await started.seen(seen);
  started.child.kill('SIGKILL');
  assert.equal((await started.finished()).signal, 'SIGKILL');
  return started.stderr;
}

describe('hokusai run --dry-run', () => {
  it('makes a project, evaluates and proves it, and the result verifies', async () => {
    const directory = await project('dry');
    const configFile = join(directory, 'hokusai.yaml');
    const custom = 'custom_metrics: [{ name: rows, module: rows.mjs }, { name: none, module: no.mjs }]';
    await writeFile(configFile, (await readFile(configFile, 'utf8')).replace('custom_metrics: []', custom));
    await writeFile(join(directory, 'rows.mjs'), 'export default (labels) => labels.length;');
    const ran = await hokusai('run', join(directory, 'hokusai.yaml'));
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stderr, /Chance of acceptance by gain/);
    assert.match(ran.stdout, /Accepted\.[\s\S]*284 benchmark rows: \d+ fixed, \d+ broken/);
    const { folder: run, ...attestation } = await attestationOf(directory);
    assert.equal(attestation.accepted, true);
    const files = [
      'attestation.json',
      'evaluation.html',
      'metrics.json',
      'models',
      'proof.json',
      'public.json',
      'report.html',
      'verification_key.json',
    ];
    for (const file of files) assert.ok(existsSync(join(run, file)), file);
    const [rows, none] = JSON.parse(await readFile(join(run, 'metrics.json'), 'utf8')).evaluation.custom;
    assert.deepEqual(rows, { metric: 'rows', payable: false, baseline: 284, candidate: 284, change: 0 });
    assert.equal(none.error.code, 'CUSTOM_METRIC_UNREADABLE');
    assert.match(ran.stderr, /custom_metrics\.1\.module is not there[\s\S]*✔ prove[\s\S]*⚠ none: .* cannot be loaded/);
    const verified = await hokusai('verify', run, '--json');
    assert.equal(verified.code, 0, verified.stdout);
    assert.equal(JSON.parse(verified.stdout).level, 1);
    await writeFile(join(run, 'public.json'), JSON.stringify(['1', '2', '3', '4', '5', '6']));
    assert.equal((await hokusai('verify', run)).code, 1);
  });

  it('goes on after each kill -9: the same result as without, and no finished step again', async () => {
    const [file, killed] = await twins('killed');
    assert.equal((await hokusai('run', file)).code, 0);
    for (const moment of ['integrate', 'train', 'delta']) await runUntil(killed, `✔ ${moment}`);
    const again = await hokusai('run', killed);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /↺ delta/);
    // The models of the learning curve are trained after the proof.
    assert.doesNotMatch(again.stderr.split('✔ prove')[0]!, /✔ (validate|integrate|train|evaluate|delta)/);
    assert.deepEqual(settled(await attestationOf(dirname(killed))), settled(await attestationOf(dirname(file))));
  });

  it('takes a second run of the same thing from the journal, and goes on without MLflow', async () => {
    const file = join(await project('twice'), 'hokusai.yaml');
    assert.equal((await hokusai('run', file)).code, 0);
    const again = await hokusai('run', file);
    assert.equal(again.code, 0);
    assert.match(again.stderr, /↺ prove/);
    assert.doesNotMatch(again.stderr, /✔/);
    const there = join(dirname(file), 'mlruns');
    assert.ok(again.stdout.includes(`in MLflow at ${there}`), again.stdout);

    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    server.close();
    const unsent = await new Started('offchain/cli.ts', ['run', file], { MLFLOW_TRACKING_URI: url }).finished();
    assert.equal(unsent.code, 0, unsent.stderr);
    assert.ok(unsent.stderr.includes(`⚠ mlflow: ${url} cannot be reached (ECONNREFUSED).`), unsent.stderr);
    assert.match(unsent.stdout, /not in MLflow yet; runs that wait for it: 1/);
  });
});

describe('hokusai run --chain local', () => {
  /** What was done before, once a step was seen to be finished or begun. */
  const MOMENTS: readonly (readonly [seen: string, reused: readonly string[]])[] = [
    ['✔ integrate', []],
    ['⛓ voteReveal', ['validate', 'integrate']],
    ['✔ prove', ['validate', 'integrate', 'train', 'evaluate', 'delta']],
  ];

  it('goes on after kill -9 in train, in prove and in submit, and ends in the same attestation, claimed and paid out', async () => {
    const [file, killed] = await twins('local', '--chain', 'local');
    const untouched = await hokusai('run', file, '--chain', 'local');
    assert.equal(untouched.code, 0, untouched.stderr);
    for (const [seen, reused] of MOMENTS) {
      const stderr = await runUntil(killed, seen, '--chain', 'local');
      for (const step of reused) assert.match(stderr, new RegExp(`↺ ${step}`));
    }
    const again = await hokusai('run', killed, '--chain', 'local');
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /↺ prove/);
    assert.match(again.stdout, /claim [\d,]+, withdraw \d x [\d,]+/);
    const { folder: run, ...attestation } = await attestationOf(dirname(killed));
    assert.match(
      attestation.transactions.map(({ action }) => action).join(' '),
      /commit open draw( voteCommit){3}( voteReveal){3} settle finalise claim( withdraw){4}$/,
    );
    assert.equal(attestation.votes.length, 3);
    assert.equal((await hokusai('verify', run)).code, 0);
    // Validators have other accounts and sealing is random, so round and context are others.
    const agreed = ({ status, contribution, models, counts, delta, metricsHash }: Attestation) => ({
      ...{ status, contribution, models, counts, delta, metricsHash },
    });
    assert.deepEqual(agreed(attestation), agreed(await attestationOf(dirname(file))));
  });

  const inferred = 'proves what both models predict, puts it on record, and settles at assurance level 2';
  it(inferred, { skip: process.env.LONG !== '1' && 'npm run test:long' }, async () => {
    const directory = await project('inferred');
    const file = join(directory, 'hokusai.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('assurance: scored', 'assurance: inferred'));
    const ran = await hokusai('run', file, '--chain', 'local');
    assert.equal(ran.code, 0, ran.stderr);
    const { folder: run, transactions, assurance } = await attestationOf(directory);
    assert.equal(assurance, 'inferred');
    assert.equal(transactions.filter(({ action }) => action === 'proveInference').length, 2);
    const verified = await hokusai('verify', run, '--json');
    assert.equal(verified.code, 0, verified.stdout);
    assert.equal(JSON.parse(verified.stdout).level, 2);
    const proof = (of: string) => join(run, `inference/${of}.1.proof.json`);
    const own = await readFile(proof('candidate'));
    await writeFile(proof('candidate'), await readFile(proof('baseline')));
    assert.equal((await hokusai('verify', run)).code, 1);
    await writeFile(proof('candidate'), own);
    assert.equal((await hokusai('verify', run)).code, 0);
    await rm(proof('candidate'));
    assert.equal((await hokusai('verify', run)).code, 1);
  });
});

describe('hokusai run for another metric than accuracy', () => {
  /** The example's candidate says positive less often: it gains precision, and loses 113 bps of recall. */
  async function paying(metric: string, maxLossBps: number): Promise<[directory: string, file: string]> {
    const directory = await project(`${metric}-${maxLossBps}`);
    const file = join(directory, 'hokusai.yaml');
    const guardrails = `guardrails: [{ metric: recall, max_loss_bps: ${maxLossBps} }]`;
    const text = (await readFile(file, 'utf8')).replace('metric: accuracy', `metric: ${metric}`);
    await writeFile(file, text.replace('guardrails: []', guardrails).replace('min_positives: 0', 'min_positives: 100'));
    return [directory, file];
  }

  it('a guardrail refuses what gains F1 and loses recall', async () => {
    const [directory, file] = await paying('f1', 100);
    const ran = await hokusai('run', file);
    assert.equal(ran.code, 1, ran.stderr);
    assert.match(ran.stderr, /What gain of f1 a benchmark can tell depends on/);
    assert.doesNotMatch(ran.stderr, /Chance of acceptance/);
    assert.match(ran.stdout, /BELOW_GATE[\s\S]*f1: deltaOne 3\.\d\d points, payable 1\.\d\d points, reward 0 tokens/);
    assert.match(ran.stdout, /the gate: another metric fell by more than its guardrail allows/);
    const { folder: run, ...attestation } = await attestationOf(directory);
    const { status, benchmark, delta, proof } = attestation;
    assert.deepEqual([status, benchmark.metric, delta!.failed, proof], ['BELOW_GATE', 'f1', 'guardrail', undefined]);
    assert.equal((await hokusai('verify', run)).code, 0);
    // As if nothing but F1 had been asked for.
    const forged = { ...attestation, delta: { ...delta!, guardrails: [] } };
    await writeFile(join(run, 'attestation.json'), JSON.stringify(forged));
    const verified = await hokusai('verify', run);
    assert.equal(verified.code, 1);
    assert.match(verified.stdout, /✖ deltaOne: delta\.failed is guardrail, but should be empty;/);
  });

  it('precision is proven, settled, paid and verified, where its guardrail holds', async () => {
    const [directory, file] = await paying('precision', 200);
    const ran = await hokusai('run', file, '--chain', 'local');
    assert.equal(ran.code, 0, ran.stderr);
    const { folder: run, benchmark, delta, transactions } = await attestationOf(directory);
    assert.deepEqual([benchmark.metric, delta!.failed, delta!.deltaOneBps], ['precision', '', '787']);
    assert.equal(BigInt(delta!.reward), BigInt(delta!.payableBps) * 10n ** 18n);
    assert.ok(transactions.some(({ action }) => action === 'claim'));
    const verified = await hokusai('verify', run, '--json');
    assert.equal(verified.code, 0, verified.stdout);
    assert.equal(JSON.parse(verified.stdout).level, 1);
  });
});

describe('hokusai run for AUROC', () => {
  it('commits to scores, which are proven, settled, paid and verified', async () => {
    const directory = await project('auroc', '--seed', '3');
    const file = join(directory, 'hokusai.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('metric: accuracy', 'metric: auroc'));
    const ran = await hokusai('run', file, '--chain', 'local');
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /178 positive, 106 negative\n {2}auroc: deltaOne 2\.15 points, payable 1\.01 points/);
    const { folder: run, ...attestation } = await attestationOf(directory);
    const { benchmark, delta, proof, transactions } = attestation;
    assert.deepEqual([benchmark.metric, delta!.failed, proof!.circuit], ['auroc', '', 'auroc512']);
    assert.equal(BigInt(delta!.reward), BigInt(delta!.payableBps) * 10n ** 18n);
    assert.ok(transactions.some(({ action }) => action === 'claim'));
    const verified = await hokusai('verify', run, '--json');
    assert.equal(verified.code, 0, verified.stdout);
    assert.equal(JSON.parse(verified.stdout).level, 1);
    assert.match(await readFile(join(run, 'report.html'), 'utf8'), /How well each model ranks/);
    // A variance smaller than the one that is proven, which would raise the bound.
    assert('positives' in attestation.counts!);
    const counts = { ...attestation.counts, positiveSquares: String(BigInt(attestation.counts.positiveSquares) - 1n) };
    await writeFile(join(run, 'attestation.json'), JSON.stringify({ ...attestation, counts }));
    const forged = await hokusai('verify', run);
    assert.equal(forged.code, 1);
    assert.match(forged.stdout, /✖ proven counts: /);
  });
});

describe('bad input', () => {
  const refused = ({ code, stderr, stdout }: Finished, expected: number, ...words: (string | RegExp)[]) => {
    assert.equal(code, expected, stderr);
    assert.equal(stdout, '');
    assert.doesNotMatch(stderr, /^\s+at .*\(.*\)/m, 'no stack');
    for (const word of words) assert.match(stderr, word instanceof RegExp ? word : new RegExp(word));
  };
  const table = async (name: string, text: string) => {
    const file = join(folder, name);
    await writeFile(file, text);
    return file;
  };
  const init = (data: string, label: string, ...more: string[]) =>
    hokusai('init', join(folder, 'never'), '--data', data, '--label', label, ...more);

  it('init: unknown label column, one class, missing labels, too few rows, malformed CSV, missing file; nothing is left', async () => {
    const rows = (n: number, label: (row: number) => string) =>
      `x,y\n${Array.from({ length: n }, (_, row) => `${row * 3.5},${label(row)}`).join('\n')}\n`;
    refused(await init(TABLE, 'benigne'), 2, 'benigne', 'benign');
    refused(
      await init(
        await table(
          'one.csv',
          rows(50, () => 'yes'),
        ),
        'y',
      ),
      1,
      /class/,
    );
    refused(
      await init(
        await table(
          'missing.csv',
          rows(50, (row) => (row === 7 ? '' : row % 2 ? 'a' : 'b')),
        ),
        'y',
      ),
      1,
      /9/,
    );
    refused(
      await init(
        await table(
          'few.csv',
          rows(6, (row) => (row % 2 ? 'a' : 'b')),
        ),
        'y',
      ),
      1,
      /rows/,
    );
    refused(await init(await table('torn.csv', 'x,y\n1,a\n2,b,c\n'), 'y'), 1, /3/);
    refused(await init(join(folder, 'nowhere.csv'), 'y'), 2, 'nowhere');
    refused(await hokusai('init', join(folder, 'never')), 2, '--data and --label missing');
    assert.equal(existsSync(join(folder, 'never')), false);
  });

  it('run: invalid YAML, several wrong keys at once, unknown column, too few new rows', async () => {
    const directory = await project('bad');
    const file = join(directory, 'hokusai.yaml');
    const good = await readFile(file, 'utf8');
    await writeFile(file, `${good}\n  - : [`);
    refused(await hokusai('run', file), 2, 'hokusai.yaml:');
    await writeFile(file, good.replace('alpha:', 'alfa:').replace(/max_reward: .*/, 'max_reward: -3'));
    refused(await hokusai('run', file), 2, 'policy.alfa', 'policy.max_reward');
    const text = await readFile(join(directory, 'contribution.csv'), 'utf8');
    await writeFile(file, good);
    await writeFile(join(directory, 'contribution.csv'), text.replace('mean_radius', 'radius'));
    refused(await hokusai('run', file), 1, 'mean_radius', 'radius');
    await writeFile(join(directory, 'contribution.csv'), `${text.split('\n').slice(0, 20).join('\n')}\n`);
    const few = await hokusai('run', file);
    assert.equal(few.code, 1);
    assert.match(few.stdout, /TOO_FEW_ROWS[\s\S]*19 rows[\s\S]*at least 50/);
    const { accepted, status, proof, counts } = await attestationOf(directory);
    assert.deepEqual([accepted, status, proof, counts], [false, 'TOO_FEW_ROWS', undefined, undefined]);
  });

  it('run: rows of the benchmark in the contribution', async () => {
    const directory = await project('overlap');
    const benchmark = (await readFile(join(directory, 'benchmark.csv'), 'utf8')).split('\n').slice(1, 4).join('\n');
    const file = join(directory, 'contribution.csv');
    await writeFile(file, `${(await readFile(file, 'utf8')).trimEnd()}\n${benchmark}\n`);
    const ran = await hokusai('run', join(directory, 'hokusai.yaml'));
    assert.equal(ran.code, 1);
    assert.match(ran.stdout, /OVERLAP[\s\S]*3 rows/);
  });

  it('run: a port in use, and wrong usage', async () => {
    const file = join(await project('port'), 'hokusai.yaml');
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    refused(await hokusai('run', file, '--chain', 'local', '--port', String(port)), 2, String(port), /free one/);
    server.close();
    refused(await hokusai('run', file, '--chain', 'mainnet'), 2, 'mainnet');
    refused(await hokusai('run', file, '--nonsense'), 2, 'nonsense');
    refused(await hokusai('fly'), 2, 'fly', 'init, run, verify');
    refused(await hokusai('verify', join(folder, 'nowhere')), 2, 'nowhere');
  });

  it('run: an output directory that cannot be written', async () => {
    const directory = await project('readonly');
    const taken = await table('taken', 'a file where a directory should be');
    const ran = new Started('offchain/cli.ts', ['run', join(directory, 'hokusai.yaml')], {
      HOKUSAI_OUTPUT_DIR: join(taken, 'runs'),
    });
    refused(await ran.finished(), 2, 'taken');
    if (process.getuid?.() !== 0) {
      await chmod(directory, 0o500);
      refused(await hokusai('run', join(directory, 'hokusai.yaml')), 2, 'may not be written');
      await chmod(directory, 0o700);
    }
  });
});

describe('hokusai run of a regression', () => {
  it('is trained, proven in squared errors, and verified', async () => {
    const directory = join(folder, 'diabetes');
    const from = ['--data', DIABETES, '--label', 'progression'];
    const unclear = await hokusai('init', directory, ...from);
    assert.equal(unclear.code, 2);
    assert.match(unclear.stderr, /--task regression for quantities, --task classification for classes/);
    const made = await hokusai('init', directory, ...from, '--task', 'regression');
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /label progression: a number from 25 to 346/);
    const file = join(directory, 'hokusai.yaml');
    const ran = await hokusai('run', file, '--dry-run');
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /221 benchmark rows: sum of errors \d+ before, \d+ now\n {2}mse: deltaOne \d/);
    const { folder: run, ...attestation } = await attestationOf(directory);
    assert.equal(attestation.benchmark.classes, 0);
    assert.deepEqual(attestation.benchmark.range, { low: '25', high: '346' });
    const verified = await hokusai('verify', run, '--json');
    assert.equal(verified.code, 0, verified.stdout);
    assert.equal(JSON.parse(verified.stdout).level, 1);
    assert.match(await readFile(join(run, 'report.html'), 'utf8'), /How far off each model is/);
    // A smaller error of the candidate than the one that is proven.
    const counts = { ...attestation.counts!, candidateErrors: '1' };
    await writeFile(join(run, 'attestation.json'), JSON.stringify({ ...attestation, counts }));
    const forged = await hokusai('verify', run);
    assert.equal(forged.code, 1);
    assert.match(forged.stdout, /✖ proven counts: /);
  });
});
