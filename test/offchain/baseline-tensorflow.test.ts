// Models of TensorFlow as the head that contributions are compared with: layers of TensorFlow.js, and SavedModels.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { findBaseline } from '../../offchain/baseline/import.ts';
import { quantise } from '../../offchain/table/quantise.ts';
import { predictionsOf, probabilitiesIn } from '../../offchain/train/external.ts';
import { predict } from '../../offchain/train/model.ts';
import { nativeFolder } from '../../offchain/train/native-tensorflow.ts';
import { NETWORKS } from '../../offchain/train/network-spec.ts';
import { bubblewrap } from '../../offchain/train/process.ts';
import type { ExternalSpec } from '../../offchain/train/spec.ts';
import {
  expected,
  fileOf,
  type Given,
  given,
  imported,
  line,
  refused,
  root,
  WEIGHTS,
  withBaseline,
} from './baselines.ts';
import { inputOf, train } from './external-runs.ts';

await tf.setBackend('cpu');
const said = ({ model }: Awaited<ReturnType<typeof imported>>) => [
  ...predict(model, quantise(line.benchmark, line.quantiser)),
];

/** Of a table of the features, by one layer. */
function dense(kernel: number[][], activation: 'linear' | 'sigmoid' | 'softmax' = 'linear'): LayersModel {
  const model = sequential();
  const units = kernel[0]!.length;
  model.add(layers.dense({ units, activation, inputShape: [kernel.length], kernelInitializer: 'zeros' }));
  model.setWeights([tf.tensor2d(kernel), tf.zeros([units])]);
  return model;
}

interface Json {
  modelTopology: unknown;
  weightsManifest: { paths: string[]; weights: { name: string; shape: number[]; dtype: string }[] }[];
  [key: string]: unknown;
}

/** A folder as `model.save('file://...')` leaves it, with weights in so many files. */
async function saved(name: string, model: LayersModel, change: (json: Json) => void = () => {}, shards = 2) {
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  const artifacts = await new Promise<tf.io.ModelArtifacts>((resolve) =>
    model.save(
      tf.io.withSaveHandler(async (given) => {
        resolve(given);
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
      }),
    ),
  );
  const bytes = Buffer.from(artifacts.weightData as ArrayBuffer);
  const size = Math.ceil(bytes.length / shards);
  const paths = Array.from({ length: shards }, (_, at) => `./group1-shard${at + 1}of${shards}.bin`);
  for (const [at, path] of paths.entries())
    await writeFile(join(folder, path), bytes.subarray(at * size, (at + 1) * size));
  const { modelTopology, format, generatedBy, convertedBy } = artifacts;
  const json = {
    modelTopology,
    format,
    generatedBy,
    convertedBy,
    weightsManifest: [{ paths, weights: artifacts.weightSpecs! }],
  };
  change(json as unknown as Json);
  await writeFile(join(folder, 'model.json'), JSON.stringify(json));
  return folder;
}

describe('a model in TensorFlow.js’s layers format', () => {
  it('predicts the fold, named by its folder or its model.json, and is kept and committed to as one file', async () => {
    const folder = await saved('scores', dense(WEIGHTS));
    const { model, found, kept } = await imported(folder);
    assert.deepEqual(said({ model, found, kept }), expected());
    assert.ok(model.family === 'external' && model.framework === 'tensorflow' && model.sha256 === found.sha256);
    assert.equal(model.probabilities, undefined, 'scores are none');
    assert.deepEqual((await imported(join(folder, 'model.json'))).model, model, 'the same again');
    // What is kept has its weights within, and is the same model.
    const packed = await imported(await fileOf('packed.json', kept[0]!));
    assert.deepEqual(packed.model, model);
    const moved = await saved('moved', dense(WEIGHTS), undefined, 5);
    assert.deepEqual((await imported(moved)).model.family, 'external');
  });

  it('may say of two classes the probability of the positive one', async () => {
    const kernel = WEIGHTS.map(([zero, one]) => [one! - zero!]);
    const { model } = await imported(await saved('sigmoid', dense(kernel, 'sigmoid')));
    assert.ok(model.family === 'external');
    const [positive] = probabilitiesIn(model)!;
    assert.deepEqual(
      [...predictionsOf(model)],
      [...positive!].map((probability) => Number(probability > 0.5)),
    );
    assert.deepEqual([...predictionsOf(model)], expected());
    await refused(
      await saved('numbers', dense(kernel)),
      'BASELINE_INVALID',
      /predicts a number, expected the probability/,
    );
  });

  it('that a training of ours left predicts what it predicted there', async () => {
    for (const [file, label, modelType, task] of [
      ['breast-cancer/breast_cancer.csv', 'benign', 'MLPClassifier', 'classification'],
      ['diabetes/diabetes.csv', 'progression', 'MLPRegressor', 'regression'],
    ] as const) {
      const input = await inputOf(file, label, task === 'regression' ? task : undefined);
      const hyperparameters = NETWORKS[modelType].parse({ epochs: 2, hidden_layer_sizes: [8] });
      const spec = {
        framework: 'tensorflow',
        modelType,
        task,
        hyperparameters,
        readable: [],
        timeout: 120,
        memory: 2 ** 34,
      };
      const runtime = { backend: 'wasm', device: 'cpu', precision: 'float32' };
      const { model, kept } = await train({ ...spec, runtime } as unknown as ExternalSpec, input);
      const of: Given = { ...input, shape: given.shape, ranking: false };
      const again = (await imported(await fileOf('ours.json', kept), undefined, of)).model;
      assert.ok(again.family === 'external' && again.versions.backend?.startsWith('wasm'));
      assert.deepEqual([again.predictions, again.probabilities], [model.predictions, model.probabilities]);
    }
  });

  it('attack: whose weights are out of its folder, by their path or by a link, is refused', async () => {
    await fileOf('outside.bin', Buffer.alloc(4 * 62));
    const paths =
      (...given: string[]) =>
      (json: Json) => {
        json.weightsManifest[0]!.paths = given;
      };
    for (const path of ['../outside.bin', '/a/../../outside.bin', 'a/../../outside.bin', '.', 'x\0y']) {
      await refused(await saved('out', dense(WEIGHTS), paths(path)), 'BASELINE_INVALID', /leads out of its folder/);
    }
    // An absolute path is looked for within.
    await refused(await saved('out', dense(WEIGHTS), paths('/etc/passwd')), 'BASELINE_INVALID', /passwd is missing/);
    const linked = await saved('linked', dense(WEIGHTS), paths('link.bin', 'folder/outside.bin'));
    await symlink(join(root, 'outside.bin'), join(linked, 'link.bin'));
    await symlink(root, join(linked, 'folder'));
    await refused(linked, 'BASELINE_INVALID', /link\.bin leads out.*folder\/outside\.bin leads out/);
  });

  it('attack: whose weights are cut, too many, too large or missing is refused', async () => {
    const folder = await saved('cut', dense(WEIGHTS), undefined, 1);
    const weights = join(folder, 'group1-shard1of1.bin');
    for (const [bytes, code, message] of [
      [100, 'BASELINE_INVALID', /its weights have 100 bytes, by their shapes 248/],
      [252, 'BASELINE_INVALID', /have 252 bytes/],
      [2 ** 29, 'BASELINE_TOO_LARGE', /536870912 bytes/],
    ] as const) {
      await truncate(weights, bytes);
      await refused(folder, code, message);
    }
    await rm(weights);
    await refused(folder, 'BASELINE_INVALID', /shard1of1\.bin is missing/);
    const empty = (json: Json) => {
      json.weightsManifest = [];
    };
    await refused(await saved('empty', dense(WEIGHTS), empty), 'BASELINE_INVALID', /TensorFlow\.js cannot load it/);
  });

  it('attack: of another width, more classes, NaN or unknown layers is refused', async () => {
    const three = WEIGHTS.slice(0, 10).map(() => [1, 2, 3]);
    const narrow = await saved('narrow', dense(three));
    await refused(narrow, 'BASELINE_INVALID', /reads 10 features.*30; it tells 3 classes apart, the schema 2/);
    const nan = await saved('nan', dense(WEIGHTS.map(() => [Number.NaN, 1])));
    await refused(nan, 'BASELINE_INVALID', /no number in row 0/);
    const own = (json: Json) => {
      json.modelTopology = JSON.parse(JSON.stringify(json.modelTopology).replaceAll('"Dense"', '"Owned"'));
    };
    await refused(await saved('own', dense(WEIGHTS), own), 'BASELINE_INVALID', /has layers of its own/);
  });

  it('attack: that is a graph, ours as well, or none is refused with what is wrong', async () => {
    const graph = (json: Json) => void Object.assign(json, { format: 'graph-model', modelInitializer: {} });
    await refused(await saved('graph', dense(WEIGHTS), graph), 'BASELINE_INVALID', /format: .*"modelInitializer"/);
    const both = (json: Json) => void Object.assign(json, { version: 1, family: 'linear' });
    await refused(await saved('both', dense(WEIGHTS), both), 'BASELINE_INVALID', /"version", "family"/);
    const ours = await fileOf('ours.json', '{"version": 1, "family": "linear", "weightData": ""}');
    await refused(ours, 'BASELINE_INVALID', /weightData/);
    const text = (json: Json) => {
      json.weightsManifest[0]!.weights[0]!.dtype = 'string';
    };
    await refused(await saved('text', dense(WEIGHTS), text), 'BASELINE_INVALID', /weights\.0\.dtype/);
  });
});

const MODELS = join(import.meta.dirname, 'saved-models');

describe('a SavedModel', () => {
  const built = existsSync(join(nativeFolder(), 'built'));
  const skip = !built ? 'npm run tensorflow:native has not built it' : !bubblewrap() && 'there is no bubblewrap';

  it('predicts by TensorFlow’s own library, and is kept and committed to as one archive', { skip }, async () => {
    const { model, found, kept } = await imported(join(MODELS, 'scores'));
    assert.deepEqual(said({ model, found, kept }), expected());
    assert.ok(model.family === 'external' && model.framework === 'tensorflow' && model.file === 'model.tar');
    assert.deepEqual((await imported(join(MODELS, 'scores'))).model, model, 'the same again');
    const unpacked = join(root, 'unpacked');
    await mkdir(unpacked);
    execFileSync('tar', ['-xf', await fileOf('model.tar', kept[0]!), '-C', unpacked]);
    const weights = 'variables/variables.data-00000-of-00001';
    assert.deepEqual(await readFile(join(unpacked, weights)), await readFile(join(MODELS, 'scores', weights)));
    assert.deepEqual((await imported(unpacked)).model, model);
  });

  it('attack: whose graph reads or writes files of the machine cannot', { skip }, async () => {
    await refused(join(MODELS, 'reads'), 'BASELINE_INVALID', /TensorFlow cannot run it/);
    await refused(join(MODELS, 'writes'), 'BASELINE_INVALID', /TensorFlow cannot run it/);
    assert.equal(existsSync('/var/tmp/hokusai-escaped'), false);
  });

  it('attack: of another width, torn, or that is none is refused', { skip }, async () => {
    const diabetes = { ...(await inputOf('diabetes/diabetes.csv', 'progression', 'regression')), ranking: false };
    const narrow = { ...diabetes, shape: given.shape };
    const all = /reads 30 features, the schema gives 10; it predicts 2 numbers a row/;
    await refused(join(MODELS, 'scores'), 'BASELINE_INVALID', all, undefined, narrow);
    const torn = join(root, 'torn');
    await cp(join(MODELS, 'scores'), torn, { recursive: true });
    await truncate(join(torn, 'variables/variables.data-00000-of-00001'), 100);
    await refused(torn, 'BASELINE_INVALID', /TensorFlow cannot load it/);
    await writeFile(join(torn, 'saved_model.pb'), 'none');
    await refused(torn, 'BASELINE_INVALID', /cannot load it|no signature/);
    await symlink('/etc/passwd', join(torn, 'variables/users'));
    await refused(torn, 'BASELINE_INVALID', /variables\/users leads out of its folder/);
    await writeFile(join(torn, 'model.json'), '{}');
    await refused(torn, 'BASELINE_FORMAT', /model\.json and saved_model\.pb/);
  });

  it('is not read where the library is not built, or nothing keeps it in: what to do is told', async () => {
    const { HOKUSAI_CACHE_DIR: cache, PATH: path } = process.env;
    const look = () => findBaseline(withBaseline(join(MODELS, 'scores')));
    const code = 'BASELINE_NATIVE_MISSING';
    try {
      process.env.HOKUSAI_CACHE_DIR = root;
      await assert.rejects(look(), { code, next: /npm run tensorflow:native.*tf2onnx/ });
      await mkdir(nativeFolder(), { recursive: true });
      await writeFile(join(nativeFolder(), 'built'), '');
      process.env.PATH = root;
      await assert.rejects(look(), { code, next: /Install bubblewrap.*tf2onnx/ });
    } finally {
      process.env.PATH = path;
      if (cache === undefined) delete process.env.HOKUSAI_CACHE_DIR;
      else process.env.HOKUSAI_CACHE_DIR = cache;
    }
  });
});
