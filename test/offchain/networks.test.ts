// Networks of TensorFlow and PyTorch, by the same words, in their sandbox.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  type ExternalInput,
  type ExternalModel,
  predictionsOf,
  probabilitiesIn,
} from '../../offchain/train/external.ts';
import { nativeFolder } from '../../offchain/train/native-tensorflow.ts';
import { NETWORKS, type NetworkType, refuseUnpayable, taskOfNetwork } from '../../offchain/train/network-spec.ts';
import type { ExternalSpec, Json } from '../../offchain/train/spec.ts';
import { folder, inputOf, log, refused, SEED, sha256, train } from './external-runs.ts';

const TUMOURS = await inputOf('breast-cancer/breast_cancer.csv', 'benign');
const DIABETES = await inputOf('diabetes/diabetes.csv', 'progression', 'regression');

type Given = Record<string, Json>;

/** A specification as the configuration makes it. */
const specOf =
  (framework: 'tensorflow' | 'pytorch', always: Partial<ExternalSpec>) =>
  (modelType: NetworkType, hyperparameters: Given = {}, more: Partial<ExternalSpec> = {}): ExternalSpec => ({
    ...{ framework, modelType, task: taskOfNetwork(modelType) },
    hyperparameters: NETWORKS[modelType].parse(hyperparameters) as Given,
    ...{ readable: [], timeout: 120, memory: 2 ** 34 },
    ...always,
    ...more,
  });

const tensorflow = (backend: string) =>
  specOf('tensorflow', { runtime: { backend, device: 'cpu', precision: 'float32' } });

/** Python with PyTorch, or why there is none. */
function torch(): { python: string; skip: string | false } {
  const python = process.env.HOKUSAI_PYTHON ?? '';
  try {
    execFileSync(python, ['-c', 'import numpy, onnx, torch'], { stdio: 'ignore' });
    return { python, skip: false };
  } catch {
    return { python, skip: 'HOKUSAI_PYTHON names no Python that has torch, numpy and onnx' };
  }
}
const { python, skip: noTorch } = torch();
const noPython = spawnSync('python3', ['-c', '']).status !== 0 && 'there is no python3';
const ON_CPU = { device: 'cpu', precision: 'float32', parallel: 'none' };
const pytorch = specOf('pytorch', { python, runtime: ON_CPU });
const built = existsSync(join(nativeFolder(), 'built'));

const KINDS = [
  ['TensorFlow, wasm', tensorflow('wasm'), false],
  ['TensorFlow, native', tensorflow('native'), !built && 'npm run tensorflow:native has not built it'],
  ['PyTorch', pytorch, noTorch],
] as const;

/** The share of rows whose class was said. */
function accuracy(model: ExternalModel, { benchmark, schema: { label } }: ExternalInput): number {
  const classes = 'classes' in label ? label.classes : 'positive' in label ? [label.negative, label.positive] : [];
  const cells = benchmark.columns.find(({ name }) => name === label.name)!.values;
  return predictionsOf(model).filter((said, row) => classes[said] === String(cells[row])).length / cells.length;
}

/** Squared error against that of the mean. */
function unexplained(model: ExternalModel, { benchmark, schema: { label } }: ExternalInput): number {
  const [low, high] = [Number((label as { low: string }).low), Number((label as { high: string }).high)];
  const cells = benchmark.columns.find(({ name }) => name === label.name)!.values.map(Number);
  const mean = cells.reduce((sum, cell) => sum + cell, 0) / cells.length;
  const squares = (of: (row: number) => number) => cells.reduce((sum, cell, row) => sum + (cell - of(row)) ** 2, 0);
  const said = predictionsOf(model);
  return squares((row) => low + ((high - low) / 65_535) * said[row]!) / squares(() => mean);
}

for (const [name, spec, skip] of KINDS) {
  describe(name, { skip }, () => {
    const small = { epochs: 4, batch_size: 16, learning_rate: 0.01, hidden_layer_sizes: [16], dropout: 0.1 };

    it('learns classes, with the same bits three times, and others from another seed', async () => {
      const network = spec('MLPClassifier', small);
      const { model, kept } = await train(network, TUMOURS);
      assert.ok(accuracy(model, TUMOURS) > 0.93, String(accuracy(model, TUMOURS)));
      for (const _ of [2, 3]) assert.deepEqual(await train(network, TUMOURS), { model, kept });
      const other = await train(network, { ...TUMOURS, seed: SEED });
      assert.notEqual(other.model.sha256, model.sha256);
      const [positive] = probabilitiesIn(model)!;
      assert.deepEqual(
        predictionsOf(model),
        Uint16Array.from(positive!, (share) => Number(share > 0.5)),
      );
    });

    it('learns numbers, in the label’s own unit', async () => {
      const { model } = await train(spec('MLPRegressor', { ...small, epochs: 15, dropout: 0 }), DIABETES);
      assert.ok(unexplained(model, DIABETES) < 0.65, String(unexplained(model, DIABETES)));
    });

    it('goes on from the checkpoint of a training that was stopped, to the same bits', async () => {
      const network = spec('MLPClassifier', { ...small, early_stopping: true, epochs: 9, checkpoint_every: 2 });
      const whole = await train(network, TUMOURS);
      const work = join(folder, 'work');
      const stop = new AbortController();
      const texts: string[] = [];
      const onProgress = (_: number, text: string) => {
        texts.push(text);
        if (text === 'epoch 5 of 9') stop.abort();
      };
      const { code, kind } = await refused(network, TUMOURS, stop.signal, { folder: work, onProgress });
      assert.deepEqual([code, kind], ['TRAIN_ABORTED', 'retryable']);
      const [checkpoint, ...rest] = await readdir(work);
      assert.match(checkpoint!, /^checkpoint\.(json|pt)$/);
      assert.deepEqual(rest, []);
      assert.deepEqual(await train(network, TUMOURS, undefined, { folder: work, onProgress }), whole);
      assert.ok(
        texts.some((text) => /goes on from epoch [4-9]/.test(text)),
        texts.join(),
      );
      assert.equal(existsSync(work), false);
    });

    it('begins anew where a checkpoint is of another training, or cannot be read', async () => {
      const network = spec('MLPClassifier', { epochs: 1 });
      const whole = await train(network, TUMOURS);
      const work = join(folder, 'anew');
      for (const text of ['{"of": "another", "epoch": 7}', 'torn']) {
        await mkdir(work);
        for (const name of ['checkpoint.json', 'checkpoint.pt']) await writeFile(join(work, name), text);
        assert.deepEqual(await train(network, TUMOURS, undefined, { folder: work }), whole);
      }
    });

    it('says what is wrong with data and hyperparameters, and when nothing can be learned', async () => {
      const few = await refused(spec('MLPClassifier', { ...small, class_weight: [1, 2, 3] }), TUMOURS);
      assert.deepEqual([few.kind, few.code], ['configuration', 'TRAIN_PROCESS_FAILED']);
      assert.match(few.message, /class_weight has 3 weights, and there are 2 classes/);
      const wild = await refused(
        spec('MLPRegressor', { ...small, optimizer: 'sgd', learning_rate: 10, epochs: 30 }),
        DIABETES,
      );
      assert.deepEqual([wild.kind, wild.code], ['terminal', 'TRAIN_PROCESS_FAILED']);
      assert.match(wild.message, /smaller learning_rate/);
    });

    it('that takes too long is ended, and that lacks memory is tried again', async () => {
      const long = spec('MLPClassifier', { ...small, epochs: 1_000_000 }, { timeout: 3 });
      const late = await refused(long, TUMOURS);
      assert.deepEqual([late.kind, late.code], ['retryable', 'TRAIN_TIMEOUT']);
      const large = { ...small, hidden_layer_sizes: [65_536, 65_536], epochs: 1 };
      const short = await refused(spec('MLPClassifier', large, { memory: 2 ** 33 }), TUMOURS);
      assert.equal(short.kind, 'retryable', short.message);
    });
  });
}

describe('PyTorch', () => {
  it('is not installed by itself, and says how', async () => {
    const { python: _, ...spec } = pytorch('MLPClassifier');
    const given = process.env.HOKUSAI_PYTHON;
    delete process.env.HOKUSAI_PYTHON;
    try {
      const { kind, code, next } = await refused(spec, TUMOURS);
      assert.deepEqual([kind, code], ['configuration', 'PYTORCH_MISSING']);
      assert.match(next!, /pip install .*pytorch\.lock/);
    } finally {
      if (given !== undefined) process.env.HOKUSAI_PYTHON = given;
    }
  });

  it('is not there where the Python that is named has none of it', { skip: noPython }, async () => {
    const environment = join(folder, 'empty');
    execFileSync('python3', ['-m', 'venv', '--without-pip', environment]);
    const bare = pytorch('MLPClassifier', {}, { python: join(environment, 'bin/python') });
    const { kind, code, message } = await refused(bare, TUMOURS);
    assert.deepEqual([kind, code], ['configuration', 'TRAIN_PROCESS_FAILED']);
    assert.match(message, /the Python package numpy is not installed/);
  });

  const cases: [name: string, source: string, expected: RegExp][] = [
    ['no build', 'x = 1', /gives no network by build\(inputs, outputs\): AttributeError/],
    ['a network of another shape', 'build = lambda inputs, outputs: nn.Linear(inputs, 7)', /gives \(2, 7\) for 2 rows/],
  ];
  for (const [name, source, expected] of cases) {
    it(`refuses a module with ${name}`, { skip: noTorch }, async () => {
      const module = join(folder, 'net.py');
      await writeFile(module, `from torch import nn\n${source}\n`);
      const { kind, message } = await refused(pytorch('NeuralNetClassifier', {}, { module }), TUMOURS);
      assert.equal(kind, 'configuration');
      assert.match(message, expected);
    });
  }

  it('trains the owner’s own module, which sees nothing but itself', { skip: noTorch }, async () => {
    const module = join(folder, 'net.py');
    await writeFile(join(folder, 'secret'), 'do not tell');
    await writeFile(
      module,
      `import os, torch
from torch import nn
if os.path.exists(${JSON.stringify(join(folder, 'secret'))}): raise RuntimeError('it sees more')
class Gated(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.one, self.gate, self.out = nn.Linear(inputs, 8), nn.Linear(inputs, 8), nn.Linear(8, outputs)
    def forward(self, rows):
        return self.out(self.one(rows) * torch.sigmoid(self.gate(rows)))
build = Gated
`,
    );
    const network = pytorch('NeuralNetClassifier', { epochs: 8, learning_rate: 0.01 }, { module });
    const { model, kept } = await train(network, TUMOURS);
    assert.ok(accuracy(model, TUMOURS) > 0.93);
    assert.deepEqual(await train(network, TUMOURS), { model, kept });
    assert.equal(model.file, 'model.onnx');
  });

  it('attack: a checkpoint with code in it is not run, and training begins anew', { skip: noTorch }, async () => {
    const work = join(folder, 'attacked');
    await mkdir(work);
    const code = `import torch
class Evil:
    def __reduce__(self): return (print, ('it ran',))
torch.save({'of': Evil(), 'epoch': 1}, ${JSON.stringify(join(work, 'checkpoint.pt'))})`;
    execFileSync(python, ['-c', code]);
    const { model } = await train(pytorch('MLPClassifier', { epochs: 1 }), TUMOURS, undefined, { folder: work });
    assert.equal(model.file, 'model.onnx');
    assert.match(await readFile(log, 'utf8'), /Weights only load failed/);
  });

  it('says a clear word where this machine has not what is asked for', { skip: noTorch }, async () => {
    const runs = async (runtime: Record<string, string>) =>
      train(pytorch('MLPClassifier', { epochs: 2 }, { runtime: { ...ON_CPU, ...runtime } }), TUMOURS);
    const gpu = execFileSync(python, ['-c', 'import torch; print(torch.cuda.is_available())']).toString().trim();
    if (gpu === 'False') {
      await assert.rejects(runs({ device: 'cuda' }), /finds no such GPU here/);
      await assert.rejects(runs({ precision: 'float16' }), /float16 is for GPUs/);
      await assert.rejects(runs({ parallel: 'data' }), /takes two GPUs or more/);
      assert.equal((await runs({ device: 'auto' })).model.versions.device, 'cpu');
    }
    const { model: half } = await runs({ precision: 'bfloat16' });
    const { model: full } = await runs({});
    assert.notEqual(half.sha256, full.sha256);
  });
});

describe('what validators could not do alike', () => {
  it('is refused for what is paid for, all of it at once', () => {
    for (const runtime of [ON_CPU, { backend: 'wasm' }, { backend: 'native' }]) {
      refuseUnpayable(pytorch('MLPClassifier', {}, { runtime }));
    }
    refuseUnpayable({ framework: 'reference', modelType: 'LinearSVC', hyperparameters: { C: 1, class_weight: null } });
    const runtime = { device: 'auto', precision: 'bfloat16', parallel: 'data' };
    assert.throws(() => refuseUnpayable(pytorch('MLPClassifier', {}, { runtime })), {
      ...{ kind: 'configuration', code: 'TRAIN_NOT_PAYABLE' },
      details: runtime,
      message: /device is auto, training.precision is bfloat16, training.parallel is data/,
    });
    assert.throws(() => refuseUnpayable(tensorflow('auto')('MLPClassifier')), { details: { backend: 'auto' } });
  });

  it('is told apart by a model’s bytes', async () => {
    const network = { epochs: 1, hidden_layer_sizes: [4] };
    const shas = await Promise.all(
      ['wasm', 'cpu'].map(async (backend) => {
        const { model, kept } = await train(tensorflow(backend)('MLPClassifier', network), TUMOURS);
        assert.equal(model.sha256, sha256(kept));
        assert.match(model.versions.backend!, new RegExp(`^${backend}`));
        return model.sha256;
      }),
    );
    assert.notEqual(shas[0], shas[1]);
  });
});
