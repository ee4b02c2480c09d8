// What a user sees of a training by a program: its models; where it goes wrong an error with its next step, an exit code, and
// no attestation.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { hokusai, Started, TABLE } from './hokusai.ts';

/** The environment of every run, a secret in it that no program may see. */
const SECRET = 'correct horse battery staple';

let folder: string;
let file: string;
let written: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hokusai-faults-'));
  file = join(folder, 'project/hokusai.yaml');
  const from = ['--data', TABLE, '--label', 'benign', '--baseline-rows', '20', '--benchmark-rows', '284'];
  const { code, stderr } = await hokusai('init', dirname(file), ...from);
  assert.equal(code, 0, stderr);
  written = await readFile(file, 'utf8');
});
after(() => rm(folder, { recursive: true }));

/** A dry run with another training section, in a cache folder with nothing in it. */
async function run(training: string, ...chain: string[]) {
  const rest = written.replace(/^training:[\s\S]*?(?=^# How models are compared)/m, `training: ${training}\n`);
  // No gain does, so that nothing has to be proven.
  const strict = rest.replace(/min_delta_bps: \d+/, 'min_delta_bps: 9000');
  await writeFile(file, strict.replace(/max_retry_count: \d+/, 'max_retry_count: 0'));
  const env = { HOKUSAI_KEYSTORE_PASSWORD: SECRET, HOKUSAI_CACHE_DIR: join(folder, 'cache'), HOKUSAI_PYTHON: '' };
  return new Started('offchain/cli.ts', ['run', file, ...chain], env).finished();
}

/** Of a program for this Node, beside the configuration. */
async function command(source: string, more = ''): Promise<string> {
  await writeFile(join(dirname(file), 'train.mjs'), source);
  const program = [process.execPath, join(dirname(file), 'train.mjs')].map((path) => JSON.stringify(path)).join(', ');
  return `{ framework: command, model_type: ours, command: [${program}], memory: 4000000${more} }`;
}

const files = (name: string): string[] =>
  readdirSync(dirname(file), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith(name));

const said = (kind: string) => `console.log(JSON.stringify({ error: '${kind}', message: 'no' })); process.exit(3)`;
const network = 'model_type: MLPClassifier';
const faults: [name: string, training: () => Promise<string>, code: number, expected: RegExp][] = [
  [
    'is not there',
    async () => '{ framework: command, model_type: ours, command: [/no/program] }',
    2,
    /cannot be started/,
  ],
  ['says that its configuration is wrong', () => command(said('configuration')), 2, /training failed: no/],
  ['says that it may work later', () => command(said('retryable')), 75, /training failed: no/],
  ['is killed', () => command(`process.kill(process.pid, 'SIGKILL')`), 75, /ended by/],
  ['hangs', () => command('setInterval(() => {}, 1000)', ', timeout: 2'), 75, /longer than 2 seconds/],
  [
    'has no Python',
    async () => '{ framework: scikit-learn, model_type: LogisticRegression, python: /no/python }',
    2,
    /is no Python that runs/,
  ],
  ['has no PyTorch', async () => `{ framework: pytorch, ${network}, python: /no/python }`, 2, /is no Python that runs/],
  [
    'has no native back-end',
    async () => `{ framework: tensorflow, ${network}, backend: native }`,
    2,
    /tensorflow:native/,
  ],
  ['has no module', async () => '{ framework: pytorch, model_type: NeuralNetClassifier, module: net.py }', 2, /net.py/],
];

describe('a run whose training', () => {
  for (const [name, training, code, expected] of faults) {
    it(`${name} ends with ${code}, says what to do, and leaves no attestation`, async () => {
      const { code: found, stderr } = await run(await training());
      assert.equal(found, code, stderr);
      assert.match(stderr, expected);
      assert.match(stderr, /✖ .+\n {2}\S.+\.\n/);
      assert.deepEqual(files('attestation.json'), []);
    });
  }

  it('attack: prints and looks for secrets: it sees none of ours, and what it prints stays in its log', async () => {
    const source = `console.error('of-the-program', JSON.stringify(process.env)); console.log('of-the-program');
      process.exit(1);`;
    const { code, stdout, stderr } = await run(await command(source));
    assert.equal(code, 1);
    assert.doesNotMatch(stdout + stderr, /of-the-program|correct horse/);
    for (const log of files('training.log')) {
      const path = join(dirname(file), log);
      assert.equal((await stat(path)).mode & 0o777, 0o600);
      assert.doesNotMatch(await readFile(path, 'utf8'), /correct horse/);
    }
    const last = files('training.log').map((log) => readFile(join(dirname(file), log), 'utf8'));
    assert.ok((await Promise.all(last)).some((text) => text.includes('of-the-program')));
  });

  it('leaves predictions that are no numbers ends with 1, and leaves no attestation', async () => {
    const source = `import { readFileSync, writeFileSync } from 'node:fs';
      const given = readFileSync('predict.npy');
      const rows = Number(/'shape': \\((\\d+)/.exec(given.toString('latin1', 10, 200))[1]);
      const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (" + rows + ",), }".padEnd(117) + '\\n';
      const size = Buffer.alloc(2); size.writeUInt16LE(header.length);
      const start = Buffer.concat([Buffer.from('\\x93NUMPY\\x01\\x00', 'latin1'), size, Buffer.from(header)]);
      writeFileSync('predictions.npy', Buffer.concat([start, Buffer.from(new Float64Array(rows).fill(NaN).buffer)]));
      writeFileSync('model.txt', '');`;
    const { code, stderr } = await run(await command(source));
    assert.equal(code, 1, stderr);
    assert.match(stderr, /predictions.npy has no number in row 0/);
    assert.deepEqual(files('attestation.json'), []);
  });

  it('of a learning curve fails for one of its points draws the others, and the run goes on', async () => {
    const source = `import { readFileSync, writeFileSync } from 'node:fs';
      const shape = (name) => Number(/'shape': \\((\\d+)/.exec(readFileSync(name).toString('latin1', 10, 200))[1]);
      if (shape('labels.npy') > 100 && shape('labels.npy') < 180) process.exit(1);
      const rows = shape('predict.npy');
      const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (" + rows + ",), }".padEnd(117) + '\\n';
      const size = Buffer.alloc(2); size.writeUInt16LE(header.length);
      const start = Buffer.concat([Buffer.from('\\x93NUMPY\\x01\\x00', 'latin1'), size, Buffer.from(header)]);
      writeFileSync('predictions.npy', Buffer.concat([start, Buffer.from(new Float64Array(rows).fill(1).buffer)]));
      writeFileSync('model.txt', '');`;
    assert.match(written, /learning_curve: 4/);
    const { code, stderr } = await run(await command(source));
    assert.equal(code, 1, stderr);
    const [metrics] = files('metrics.json');
    const { evaluation } = JSON.parse(await readFile(join(dirname(file), metrics!), 'utf8'));
    const rows = evaluation.learningCurve.points.map((point: { rows: number }) => point.rows);
    assert.deepEqual(rows, [20, 86, 219, 285], 'without the second of three between both ends');
    for (const left of [dirname(metrics!), 'mlruns']) await rm(join(dirname(file), left), { recursive: true });
  });

  it('no two machines could do alike is not registered, so that no reward follows from it', async () => {
    const { code, stderr } = await run(`{ framework: tensorflow, ${network}, backend: auto }`, '--chain', 'local');
    assert.equal(code, 2, stderr);
    assert.match(stderr, /training.backend is auto: validators on other machines/);
    assert.doesNotMatch(stderr, /registerModel|✔ train/);
    assert.deepEqual(files('attestation.json'), []);
  });

  it('works, with TensorFlow, leaves its models beside their records', async () => {
    const { code, stderr } = await run(`{ framework: tensorflow, ${network}, hyperparameters: { epochs: 1 } }`);
    assert.equal(code, 1, stderr);
    const [attestation] = files('attestation.json');
    assert.equal(JSON.parse(await readFile(join(dirname(file), attestation!), 'utf8')).status, 'BELOW_GATE');
    const models = join(dirname(file), dirname(attestation!), 'models');
    for (const name of ['baseline', 'candidate']) {
      const bytes = await readFile(join(models, `${name}.model.json`));
      const record = JSON.parse(await readFile(join(models, `${name}.json`), 'utf8'));
      assert.equal(record.sha256, createHash('sha256').update(bytes).digest('hex'));
      assert.equal(JSON.parse(bytes.toString()).format, 'layers-model');
    }
  });
});
