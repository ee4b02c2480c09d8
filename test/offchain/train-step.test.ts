// A network that finds too little memory: smaller batches where nothing is paid, and a word of what to do where something is.
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { init } from '../../offchain/init.ts';
import type { ModelLine } from '../../offchain/line.ts';
import { openExecutor } from '../../offchain/run/executor.ts';
import { openProject } from '../../offchain/run/project.ts';
import { NETWORKS } from '../../offchain/train/network-spec.ts';
import type { ExternalSpec, Json } from '../../offchain/train/spec.ts';
import { trained } from '../../offchain/train/step.ts';
import { TABLE } from '../e2e/hokusai.ts';

const root = await mkdtemp(join(tmpdir(), 'hokusai-step-test-'));
after(() => rm(root, { recursive: true, force: true }));
const { files } = await init({ directory: join(root, 'project'), data: TABLE, label: 'benign', benchmarkRows: 100 });
const { line } = await openProject(files.at(-1));

/** In the place of a Python: with a network of more than 16 rows a batch it finds no memory. */
const trains = `import { readFileSync, writeFileSync } from 'node:fs';
  const folder = process.argv.at(-1);
  const { hyperparameters: { batch_size } } = JSON.parse(readFileSync(folder + '/request.json'));
  if (batch_size > 16) {
    console.log(JSON.stringify({ error: 'retryable', reason: 'memory', message: 'no memory for ' + batch_size }));
    process.exit(3);
  }
  const [, rows] = /'shape': \\((\\d+)/.exec(readFileSync(folder + '/predict.npy').toString('latin1', 10, 200));
  const header = ("{'descr': '<f8', 'fortran_order': False, 'shape': (" + rows + ",), }").padEnd(117) + '\\n';
  const size = Buffer.from([header.length, 0]);
  const start = Buffer.concat([Buffer.from('\\x93NUMPY\\x01\\x00', 'latin1'), size, Buffer.from(header)]);
  writeFileSync(folder + '/predictions.npy', Buffer.concat([start, Buffer.from(new Float64Array(+rows).buffer)]));
  writeFileSync(folder + '/model.onnx', 'of ' + batch_size);`;

async function standIn(): Promise<string> {
  const python = join(root, 'python/bin/python');
  await mkdir(dirname(python), { recursive: true });
  await writeFile(join(dirname(python), 'train.mjs'), trains);
  const described = JSON.stringify([python, dirname(python), dirname(process.execPath)]);
  const train = `exec ${process.execPath} ${join(dirname(python), 'train.mjs')} "$@"`;
  await writeFile(python, `#!/bin/sh\nif [ "$1" = -I ]; then echo '${described}'; else ${train}; fi\n`);
  await chmod(python, 0o755);
  return python;
}

const python = await standIn();

async function train(batchSize: number, more: Partial<ModelLine>) {
  const hyperparameters = NETWORKS.MLPClassifier.parse({ batch_size: batchSize }) as Record<string, Json>;
  const spec: ExternalSpec = {
    ...{ framework: 'pytorch', modelType: 'MLPClassifier', task: 'classification', hyperparameters, python },
    ...{ readable: [process.execPath], timeout: 60, memory: 2 ** 44 },
    runtime: { device: 'cpu', precision: 'float32', parallel: 'none' },
  };
  const folder = await mkdtemp(join(root, 'run-'));
  const executor = await openExecutor(folder);
  try {
    const { trainingSet, trainingSetRoot } = line;
    const made = await trained({ ...line, spec, ...more }, trainingSet, trainingSetRoot, executor);
    assert.ok(made.model.family === 'external');
    return { ...made, kept: Buffer.from(await executor.get(made.model.sha256)).toString() };
  } finally {
    executor.close();
  }
}

describe('a network that finds too little memory', () => {
  it('learns from half as many rows at a time in a dry run, and is marked with what it learned by', async () => {
    const { hyperparameters, kept } = await train(66, { dry: true });
    assert.deepEqual([hyperparameters, kept], [{ batch_size: '16' }, 'of 16']);
    assert.deepEqual((await train(16, { dry: true })).hyperparameters, undefined, 'where there is enough');
  });

  it('learns nothing else where rewards follow: what to write instead is told', async () => {
    await assert.rejects(train(64, {}), (error: { code: string; kind: string; next: string }) => {
      assert.deepEqual([error.code, error.kind], ['TRAIN_OUT_OF_MEMORY', 'retryable']);
      assert.match(error.next, /batch_size: 32\. It is not changed by itself/);
      return true;
    });
  });
});
