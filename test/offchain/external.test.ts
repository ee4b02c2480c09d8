// Programs that train, good and bad, in their sandbox. Those of these tests are scripts for Node, which is here for sure.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { HokusaiError } from '../../offchain/errors.ts';
import { asNumbers, quantise } from '../../offchain/table/quantise.ts';
import { selectRows } from '../../offchain/table/table.ts';
import { predictionsOf } from '../../offchain/train/external.ts';
import { npyOf, readNpy } from '../../offchain/train/npy.ts';
import { bubblewrap } from '../../offchain/train/process.ts';
import { lockHash, python } from '../../offchain/train/python.ts';
import type { ExternalSpec, Json } from '../../offchain/train/spec.ts';
import { folder, inputOf, log, refused, SEED, sha256, train } from './external-runs.ts';

const caged = { skip: bubblewrap() === undefined && 'bubblewrap is not installed' };

/** One that has ended may wait for a slow init to take note of it. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const state = `/proc/${pid}/stat`;
  return !existsSync(state) || !/\) Z /.test(readFileSync(state, 'utf8'));
}

/** A specification of a script; `leave(values)` in it writes predictions and a model. */
async function script(text: string, { timeout = 60 } = {}): Promise<ExternalSpec> {
  const file = join(folder, 'train.mjs');
  const leave = `
    import { readFileSync, writeFileSync } from 'node:fs';
    const request = JSON.parse(readFileSync('request.json'));
    const rows = JSON.parse(readFileSync('predict.npy').toString('latin1', 10).match(/'shape': \\((\\d+)/)[1]);
    function leave(values) {
      const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (" + values.length + ",), }".padEnd(117) + "\\n";
      const size = Buffer.alloc(2); size.writeUInt16LE(header.length);
      const start = Buffer.concat([Buffer.from('\\x93NUMPY\\x01\\x00', 'latin1'), size, Buffer.from(header)]);
      writeFileSync('predictions.npy', Buffer.concat([start, Buffer.from(Float64Array.from(values).buffer)]));
      writeFileSync('model.txt', 'a model');
    }\n`;
  await writeFile(file, leave + text);
  return {
    ...{ framework: 'command', modelType: 'script', task: 'classification', hyperparameters: { depth: 3 } },
    ...{ command: [process.execPath, file], readable: [folder, dirname(dirname(process.execPath))], timeout },
    memory: 2 ** 44,
  };
}

describe('a program that trains', async () => {
  const input = await inputOf('breast-cancer/breast_cancer.csv', 'benign');
  const { rows } = input.benchmark;

  it('is given a request and files, and leaves predictions and a model', async () => {
    const spec = await script(`
      console.log('chatter');
      console.log(JSON.stringify({ progress: 0.5, text: 'half' }));
      console.log(JSON.stringify({ versions: { ...request.hyperparameters, seed: request.seed, node: 'any' } }));
      leave(Array.from({ length: rows }, (_, row) => row % request.classes));`);
    const { model, kept } = await train(spec, input);
    assert.deepEqual(
      predictionsOf(model),
      Uint16Array.from({ length: rows }, (_, row) => row % 2),
    );
    assert.deepEqual([Buffer.from(kept).toString(), model.file, model.sha256], ['a model', 'model.txt', sha256(kept)]);
    assert.deepEqual(model.versions, { depth: '3', seed: '0', node: 'any' });
    const { model: drawn } = await train(spec, { ...input, seed: SEED });
    assert.notEqual(drawn.versions.seed, '0');
    assert.equal((await stat(log)).mode & 0o777, 0o600);
  });

  it('is ranked by the probabilities that it leaves, and refused where it leaves none', async () => {
    const { rows: n } = input.benchmark;
    const probabilities = Array.from({ length: n }, (_, row) => [1 - row / n, row / n]);
    const flat = (values: readonly (readonly number[])[]) => JSON.stringify(values.flat());
    const leaving = await script(`
      leave(Array(rows).fill(0));
      const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (" + rows + ", 2), }".padEnd(117) + "\\n";
      const start = Buffer.from('\\x93NUMPY\\x01\\x00' + String.fromCharCode(header.length, 0) + header, 'latin1');
      const values = Buffer.from(Float64Array.from(${flat(probabilities)}).buffer);
      writeFileSync('probabilities.npy', Buffer.concat([start, values]));`);
    const { model } = await train(leaving, { ...input, ranking: true });
    const expected = probabilities.map(([, positive]) => Math.floor(positive! * 65_535 + 0.5));
    assert.deepEqual([...predictionsOf(model)], expected);
    const error = await refused(await script('leave(Array(rows).fill(0))'), { ...input, ranking: true });
    assert.equal(error.code, 'TRAIN_OUTPUT_INVALID');
    assert.match(error.message, /probabilities\.npy is missing: rows are ranked by it/);
  });

  const cases: [name: string, text: string, expected: Partial<HokusaiError>][] = [
    ['NaN', 'leave(Array(rows).fill(NaN))', { kind: 'terminal', code: 'TRAIN_OUTPUT_INVALID' }],
    ['infinity', 'leave(Array(rows).fill(1 / 0))', { kind: 'terminal', code: 'TRAIN_OUTPUT_INVALID' }],
    ['a class that there is not', 'leave(Array(rows).fill(2))', { kind: 'terminal', code: 'TRAIN_OUTPUT_INVALID' }],
    ['half a class', 'leave(Array(rows).fill(0.5))', { kind: 'terminal', code: 'TRAIN_OUTPUT_INVALID' }],
    ['a row too few', 'leave(Array(rows - 1).fill(1))', { kind: 'terminal', code: 'TRAIN_OUTPUT_INVALID' }],
    ['nothing', '', { kind: 'terminal', code: 'TRAIN_OUTPUT_INVALID' }],
    [
      'a file that is none of NumPy’s',
      `leave([]); writeFileSync('predictions.npy', 'what?')`,
      { kind: 'terminal', code: 'TRAIN_OUTPUT_INVALID' },
    ],
    ['an exception', 'throw new Error("at row 3: secret")', { kind: 'terminal', code: 'TRAIN_PROCESS_FAILED' }],
    [
      'that memory is what it is short of',
      `console.log(JSON.stringify({ error: 'retryable', message: 'no', reason: 'memory' })); process.exit(3)`,
      { kind: 'retryable', code: 'TRAIN_OUT_OF_MEMORY' },
    ],
    [
      'that it is short of memory',
      `console.log(JSON.stringify({ error: 'retryable', message: 'no memory' })); process.exit(3)`,
      { kind: 'retryable', code: 'TRAIN_PROCESS_FAILED' },
    ],
    ['its own death', `process.kill(process.pid, 'SIGKILL')`, { kind: 'retryable', code: 'TRAIN_KILLED' }],
  ];
  for (const [name, text, expected] of cases) {
    it(`that leaves ${name} makes no model`, async () => {
      const { kind, code, message, details } = await refused(await script(text), input);
      assert.deepEqual({ kind, code }, expected);
      assert.doesNotMatch(message + JSON.stringify(details), /secret|what\?/);
    });
  }

  it('attack: a link instead of a file, to what is not the program’s to give', async () => {
    for (const name of ['predictions.npy', 'model.txt']) {
      const text = `import { rmSync, symlinkSync } from 'node:fs';
        leave(Array(rows).fill(1)); rmSync('${name}'); symlinkSync('/etc/passwd', '${name}');`;
      assert.equal((await refused(await script(text), input)).code, 'TRAIN_OUTPUT_INVALID');
    }
  });

  it('that hangs is ended with all that it started, and so is one that is not wanted any more', async () => {
    const text = `import { spawn } from 'node:child_process';
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      console.error('started ' + child.pid); setInterval(() => {}, 1000);`;
    const { kind, code } = await refused(await script(text, { timeout: 3 }), input);
    assert.deepEqual([kind, code], ['retryable', 'TRAIN_TIMEOUT']);
    const child = /started (\d+)/.exec(await readFile(log, 'utf8'))![1]!;
    // In a sandbox its number is another one, and nothing of that number is ours.
    if (!bubblewrap()) assert(!runs(Number(child)));
    assert.equal((await refused(await script(text), input, AbortSignal.timeout(1500))).code, 'TRAIN_ABORTED');
  });

  it('that is not there is told of as a matter of configuration', async () => {
    for (const command of [['/no/such/program'], ['no-such-program']]) {
      const { kind, code } = await refused({ ...(await script('')), command }, input);
      assert.deepEqual([kind, code], ['configuration', 'TRAIN_PROGRAM_MISSING']);
    }
  });

  it('attack: sees no secret of ours in its environment', async () => {
    process.env.HOKUSAI_TEST_SECRET = 'do not tell';
    try {
      const text = `if (process.env.HOKUSAI_TEST_SECRET) throw new Error(); leave(Array(rows).fill(1));`;
      assert.equal((await train(await script(text), input)).model.family, 'external');
    } finally {
      delete process.env.HOKUSAI_TEST_SECRET;
    }
  });

  it('attack: writes beside its folder, or reads what is not shown to it', caged, async () => {
    const home = process.env.HOME!;
    for (const text of [
      `writeFileSync('${join(folder, 'planted')}', 'x')`,
      `writeFileSync('${join(home, 'planted')}', 'x')`,
      `readFileSync('/etc/passwd')`,
    ]) {
      const spec = await script(text);
      assert.equal(
        (await refused({ ...spec, readable: [...spec.readable, home] }, input)).code,
        'TRAIN_PROCESS_FAILED',
        text,
      );
    }
  });

  it('attack: reads what is kept from it within what it may read, or writes there', caged, async () => {
    const runs = join(folder, 'runs');
    await mkdir(join(runs, 'secrets'), { recursive: true });
    await writeFile(join(runs, 'secrets/keystore-password.hex'), 'do not tell');
    const text = `import { existsSync, readdirSync } from 'node:fs';
      let wrote = true;
      try { writeFileSync('${runs}/planted', 'x'); } catch { wrote = false; }
      if (wrote || existsSync('${runs}/secrets') || readdirSync('${folder}').length < 2) throw new Error();
      leave(Array(rows).fill(1));`;
    const spec = { ...(await script(text)), hidden: [runs] };
    assert.equal((await train(spec, input, undefined, { folder: join(runs, 'work') })).model.family, 'external');
  });

  it('attack: opens a socket', caged, async () => {
    let met = 0;
    const server = createServer(() => met++).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as { port: number };
      const text = `import { connect } from 'node:net';
        connect(${port}, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(5));`;
      assert.equal((await refused(await script(text), input)).code, 'TRAIN_PROCESS_FAILED');
      assert.equal(met, 0);
    } finally {
      server.close();
    }
  });

  it('is ended by the system where it takes more memory than it may', async () => {
    const spec = {
      ...(await script('')),
      command: ['/bin/sh', '-c', 'x=$(head -c 600000000 /dev/zero | tr "\\\\0" x)'],
    };
    const { code } = await refused({ ...spec, memory: 2 ** 28 }, input);
    assert.match(code, /TRAIN_PROCESS_FAILED|TRAIN_KILLED/);
  });
});

describe('the files of arrays', () => {
  it('say what they are given, at a multiple of 64 bytes', () => {
    const values = Float64Array.of(1.5, -0, 2 ** -1074, Number.MAX_VALUE, NaN, 7);
    const file = npyOf(values, [6]);
    assert.deepEqual(readNpy(file, 'x', 6), values);
    assert.equal(file.indexOf('\n') % 64, 63);
    assert.match(npyOf(values, [3, 2]).toString('latin1'), /'fortran_order': True, 'shape': \(3, 2\)/);
    assert.throws(() => readNpy(npyOf(values, [3, 2]), 'x', 6), { code: 'TRAIN_OUTPUT_INVALID' });
    assert.throws(() => readNpy(file.subarray(0, -1), 'x', 6), { code: 'TRAIN_OUTPUT_INVALID' });
  });

  it('have the features that a quantiser names, as numbers', async () => {
    const { trainingSet, quantiser } = await inputOf('breast-cancer/breast_cancer.csv', 'benign');
    const [numbers, bytes] = [asNumbers(trainingSet, quantiser), quantise(trainingSet, quantiser)];
    assert.deepEqual(numbers.columns, bytes.columns);
    const column = trainingSet.columns.find(({ name }) => name === numbers.columns[0])!;
    assert.deepEqual([...numbers.values.subarray(0, trainingSet.rows)], column.values.map(Number));
  });
});

/** The Python to test with, or why there is none. */
function pythonFor(): { given: string | undefined; skip: string | false } {
  const given = process.env.HOKUSAI_PYTHON;
  if (given) return { given, skip: false };
  try {
    const version = execFileSync('python3', ['-c', 'import sys; print(sys.version_info >= (3, 11))']).toString();
    return { given, skip: version.trim() !== 'True' && 'python3 is older than 3.11' };
  } catch {
    return { given, skip: 'there is no python3' };
  }
}

describe('scikit-learn', async () => {
  const { given, skip } = pythonFor();
  let packages = skip;
  if (!packages) {
    // What cannot be fetched is not what is tested here.
    await python('scikit-learn', given).catch((error) => {
      packages = `its packages cannot be installed: ${error.code}`;
    });
  }
  const spec = (
    modelType: string,
    task: 'classification' | 'regression',
    hyperparameters: Record<string, Json> = {},
  ) => ({
    ...({
      framework: 'scikit-learn',
      modelType,
      task,
      hyperparameters,
      readable: [],
      timeout: 300,
      memory: 2 ** 35,
    } as const),
    ...(given && { python: given }),
  });

  it('that has too little memory says so, and blames no data', {
    skip: packages,
  }, async () => {
    const input = await inputOf('digits/digits.csv', 'digit');
    const forest = spec('RandomForestClassifier', 'classification', { n_estimators: 5 });
    for (const megabytes of [20, 60, 150]) {
      const { kind, code, next } = await refused({ ...forest, memory: megabytes * 2 ** 20 }, input);
      assert.deepEqual([kind, code], ['retryable', 'TRAIN_OUT_OF_MEMORY'], `with ${megabytes} MB`);
      assert.match(next!, /allow more by training\.memory/);
    }
  });

  it('that fails tells of which kind its exception was, and none of its words', { skip: packages }, async () => {
    const input = await inputOf('breast-cancer/breast_cancer.csv', 'benign');
    const labels = input.trainingSet.columns.find(({ name }) => name === 'benign')!.values;
    const same = [...labels.keys()].filter((row) => labels[row] === labels[0]);
    const one = { ...input, trainingSet: selectRows(input.trainingSet, same) };
    const { kind, code, message } = await refused(spec('LogisticRegression', 'classification'), one);
    assert.deepEqual([kind, code], ['terminal', 'TRAIN_PROCESS_FAILED']);
    assert.equal(message, 'The training failed: it ended with ValueError.');
    assert.match(await readFile(log, 'utf8'), /ValueError: .*classes/);
  });

  it('learns classes, the same bits each time, and others from another seed', { skip: packages }, async () => {
    const input = await inputOf('digits/digits.csv', 'digit');
    const forest = spec('RandomForestClassifier', 'classification', { n_estimators: 20, max_depth: 8 });
    const { model, kept } = await train(forest, input);
    const labels = input.benchmark.columns.find(({ name }) => name === 'digit')!.values;
    const classes = (input.schema.label as { classes: string[] }).classes;
    const right = predictionsOf(model).filter((predicted, row) => classes[predicted] === labels[row]).length;
    assert.ok(right / labels.length > 0.9, `${right} of ${labels.length}`);
    assert.equal(model.file, 'model.onnx');
    assert.match(model.versions.sklearn!, /^\d+\.\d+/);
    const again = await train(forest, input);
    assert.deepEqual([again.model, sha256(again.kept)], [model, sha256(kept)]);
    assert.notEqual((await train(forest, { ...input, seed: SEED })).model.sha256, model.sha256);
  });

  it('learns numbers', { skip: packages }, async () => {
    const input = await inputOf('diabetes/diabetes.csv', 'progression', 'regression');
    const { model } = await train(spec('Ridge', 'regression', { alpha: 0.1 }), input);
    const { low, high } = input.schema.label as unknown as Record<'low' | 'high', string>;
    const unit = (Number(high) - Number(low)) / 65_535;
    const cells = input.benchmark.columns.find(({ name }) => name === 'progression')!.values.map(Number);
    const mean = cells.reduce((sum, cell) => sum + cell, 0) / cells.length;
    const squares = (of: (row: number) => number) => cells.reduce((sum, cell, row) => sum + (cell - of(row)) ** 2, 0);
    const predicted = predictionsOf(model);
    assert.ok(squares((row) => Number(low) + unit * predicted[row]!) < 0.7 * squares(() => mean));
  });

  it('refuses hyperparameters that it does not know, or whose value is wrong', { skip: packages }, async () => {
    const input = await inputOf('breast-cancer/breast_cancer.csv', 'benign');
    for (const hyperparameters of [{ n_trees: 3 }, { n_estimators: -3 }] as Record<string, Json>[]) {
      const error = await refused(spec('RandomForestClassifier', 'classification', hyperparameters), input);
      assert.deepEqual([error.kind, error.code], ['configuration', 'TRAIN_PROCESS_FAILED']);
      assert.match(error.message, new RegExp(Object.keys(hyperparameters)[0]!));
    }
  });

  it('is not there where the Python that is named has none of it, or is none', { skip }, async () => {
    const input = await inputOf('breast-cancer/breast_cancer.csv', 'benign');
    const environment = join(folder, 'empty');
    execFileSync('python3', ['-m', 'venv', '--without-pip', environment]);
    const bare = { ...spec('Ridge', 'classification'), python: join(environment, 'bin/python') };
    const error = await refused(bare, input);
    assert.deepEqual([error.kind, error.code], ['configuration', 'TRAIN_PROCESS_FAILED']);
    assert.match(error.message, /numpy is not installed/);
    assert.equal((await refused({ ...bare, python: '/no/python' }, input)).code, 'PYTHON_MISSING');
  });

  it('has a lock file of its own name', () => assert.match(lockHash('scikit-learn'), /^[0-9a-f]{64}$/));
});
