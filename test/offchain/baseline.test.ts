// Models that there already are, as the head that contributions are compared with: what fits, and what must not get in.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { findBaseline, importBaseline } from '../../offchain/baseline/import.ts';
import { isModelUri } from '../../offchain/baseline/registry.ts';
import { modelShape } from '../../offchain/line.ts';
import { modelCommitment } from '../../offchain/prove/inference.ts';
import { openExecutor } from '../../offchain/run/executor.ts';
import { openProject } from '../../offchain/run/project.ts';
import { run } from '../../offchain/run/run.ts';
import { quantise } from '../../offchain/table/quantise.ts';
import { predict } from '../../offchain/train/model.ts';
import { headTrained } from '../../offchain/train/step.ts';
import { TABLE } from '../e2e/hokusai.ts';
import {
  config,
  expected,
  fileOf,
  given,
  imported,
  line,
  names,
  refused,
  root,
  WEIGHTS,
  withBaseline,
} from './baselines.ts';
import { TrackingServer } from './mlflow-server.ts';
import { onnxModel } from './onnx-models.ts';

describe('a baseline in ONNX', () => {
  for (const says of ['class', 'scores'] as const) {
    it(`that says the ${says} predicts the fold from the columns of features.npy, and is committed to by its file`, async () => {
      const file = await fileOf(`${says}.onnx`, onnxModel({ weights: WEIGHTS, says }));
      const { model, found, kept } = await imported(file);
      const predictions = [...predict(model, quantise(line.benchmark, line.quantiser))];
      assert.deepEqual(predictions, expected());
      assert.ok(new Set(predictions).size === 2);
      assert.ok(model.family === 'external' && model.sha256 === found.sha256 && model.framework === 'onnx');
      assert.deepEqual(kept.map(String), [String(await readFile(file))]);
      assert.deepEqual((await imported(file)).model, model, 'the same again');
    });
  }

  it('may read each feature by its name, in any order', async () => {
    const order = names.map((_, i) => (i + 7) % names.length);
    const weights = order.map((at) => WEIGHTS[at]!);
    const file = await fileOf(
      'names.onnx',
      onnxModel({ weights, says: 'class', names: order.map((at) => names[at]!) }),
    );
    const { model } = await imported(file);
    assert.deepEqual([...predict(model, quantise(line.benchmark, line.quantiser))], expected());
  });

  it('attack: of another width, of more classes, of NaN, or none at all is refused with all that is wrong', async () => {
    const three = WEIGHTS.slice(0, 10).map(() => [1, 2, 3]);
    const narrow = await fileOf('narrow.onnx', onnxModel({ weights: three, says: 'scores' }));
    await refused(narrow, 'BASELINE_INVALID', /reads 10 features.*30; it tells 3 classes apart, the schema 2/);
    const nan = await fileOf('nan.onnx', onnxModel({ weights: WEIGHTS.map(() => [Number.NaN, 1]), says: 'scores' }));
    await refused(nan, 'BASELINE_INVALID', /no number in row 0/);
    const one = await fileOf('one.onnx', onnxModel({ weights: WEIGHTS.map(() => [1]), says: 'scores' }));
    await refused(one, 'BASELINE_INVALID', /predicts a number, expected a class/);
    const others = names.map((name) => (name === 'mean_radius' ? 'radius' : name));
    const named = await fileOf('others.onnx', onnxModel({ weights: WEIGHTS, says: 'class', names: others }));
    await refused(named, 'BASELINE_INVALID', /does not read mean_radius; it reads unknown radius/);
    await refused(await fileOf('noise.onnx', 'no model'), 'BASELINE_INVALID', /onnxruntime cannot read it/);
  });

  it('attack: whose data are outside its file is refused, whatever is there', async () => {
    for (const elsewhere of ['/etc/passwd', '../../secrets/model.hex', 'request.json']) {
      const file = await fileOf('elsewhere.onnx', onnxModel({ weights: WEIGHTS, says: 'class', elsewhere }));
      await refused(file, 'BASELINE_INVALID', /outside its file|cannot read it/);
    }
  });
});

describe('a file', () => {
  it('attack: that could run code when it is loaded is never opened, whatever it is called', async () => {
    const pickle = Buffer.from([0x80, 4, 0x95, 0]);
    for (const name of ['model.pkl', 'model.joblib', 'model.pt', 'model.skops', 'model.onnx']) {
      await refused(await fileOf(name, pickle), 'BASELINE_PICKLE', /is a pickle/);
    }
    await refused(await fileOf('text.skops', 'cos\nsystem\n(S"id"\ntR.'), 'BASELINE_FORMAT', /none of the models/);
  });

  it('that is too large, of another framework, or not there is refused before it is read', async () => {
    const huge = await fileOf('huge.onnx', '');
    await truncate(huge, 2 ** 31);
    await refused(huge, 'BASELINE_TOO_LARGE', /2147483648 bytes/);
    await mkdir(join(root, 'empty'), { recursive: true });
    await refused(join(root, 'empty'), 'BASELINE_FORMAT', /a folder without model.json or saved_model.pb/);
    await refused(await fileOf('model.keras', 'x'), 'BASELINE_FORMAT', /TensorFlow/);
    await refused(join(root, 'nothing.onnx'), 'BASELINE_UNREADABLE', /ENOENT/);
  });

  it('that cannot be proven is refused where the assurance asks for it', async () => {
    const file = await fileOf('class.onnx', onnxModel({ weights: WEIGHTS, says: 'class' }));
    await assert.rejects(findBaseline({ ...withBaseline(file), assurance: 'inferred' }), {
      code: 'BASELINE_UNPROVABLE',
    });
  });
});

describe('a model of our own', async () => {
  const executor = await openExecutor(join(root, 'journal'));
  after(() => executor.close());
  const { model: head } = await headTrained(line, executor);

  it('has the commitment that it had where it was trained, so it can be proven', async () => {
    const file = await fileOf('baseline.json', JSON.stringify(head));
    const { model, found } = await imported(file);
    assert.deepEqual(model, head);
    const committed = (one: typeof head) => modelCommitment(one, 1n, modelShape(line));
    assert.equal(await committed(model), await committed(head));
    assert.equal(found.framework, 'reference');
  });

  it('attack: that is of another line, or no integers in their bounds, is refused with all that is wrong', async () => {
    assert.ok(head.family === 'linear');
    const other = { ...head, weights: head.weights.slice(1), quantiserHash: `0x${'0'.repeat(64)}` };
    await refused(await fileOf('other.json', JSON.stringify(other)), 'BASELINE_INVALID', /quantiserHash.*features 29/);
    const wild = { ...head, bias: 2 ** 40, weights: head.weights.with(0, 0.5), extra: 1 };
    await refused(await fileOf('wild.json', JSON.stringify(wild)), 'BASELINE_INVALID', /weights\.0.*bias.*extra/s);
    const tree = { features: [0, 0, -1], values: [1, 1, 1] };
    const rest = { output: 'votes', classes: 2, width: 30, bias: 0, quantiserHash: line.fold.quantiserHash };
    const forest = { version: 1, family: 'forest', trees: [tree], ...rest };
    const shape = { ...given.shape, family: 'forest' as const, trees: 1, depth: 3 };
    const found = await findBaseline(withBaseline(await fileOf('forest.json', JSON.stringify(forest))));
    const options = { log: '', keep: async () => '' };
    await assert.rejects(importBaseline(found!, { ...given, shape }, options), /tree 0 is no tree of 30 features/);
    await refused(await fileOf('list.json', '[1, 2]'), 'BASELINE_INVALID', /the file/);
    await refused(await fileOf('broken.json', '{'), 'BASELINE_INVALID', /the file/);
  });

  it('attack: that was changed after it was looked at is not loaded', async () => {
    const file = await fileOf('changed.json', JSON.stringify(head));
    const found = await findBaseline(withBaseline(file));
    await writeFile(file, JSON.stringify({ ...head, bias: 1 }));
    const options = { log: '', keep: async () => '' };
    await assert.rejects(importBaseline(found!, given, options), { code: 'BASELINE_CHANGED' });
  });
});

describe('a model of MLflow’s registry', () => {
  const onnx = onnxModel({ weights: WEIGHTS, says: 'class' });
  const MLMODEL = 'flavors:\n  onnx:\n    data: model.onnx\n  python_function:\n    loader_module: mlflow.onnx\n';
  const PICKLED = 'flavors:\n  sklearn:\n    pickled_model: model.pkl\n    serialization_format: cloudpickle\n';

  it('is named by name and version', () => {
    for (const right of ['models:/churn/3', 'models:/a b/latest']) assert.ok(isModelUri(right), right);
    for (const wrong of ['models:/churn', 'models:/churn/0', 'models:/../3', 'models:/a/b/3', 'models:/churn@head']) {
      assert.ok(!isModelUri(wrong), wrong);
    }
  });

  it('is found in the file layout, by its version or the latest one', async () => {
    const trackingUri = join(root, 'mlruns');
    for (const [version, flavours] of [
      ['1', PICKLED],
      ['9', MLMODEL],
      ['10', MLMODEL],
    ] as const) {
      const [artifacts, meta] = [
        join(root, `artifacts ${version}`),
        join(trackingUri, 'models/churn', `version-${version}`),
      ];
      for (const folder of [artifacts, meta]) await mkdir(folder, { recursive: true });
      await writeFile(join(artifacts, 'MLmodel'), flavours);
      await writeFile(join(artifacts, 'model.onnx'), onnx);
      await writeFile(join(artifacts, 'model.pkl'), 'x');
      await writeFile(join(meta, 'meta.yaml'), `source: "${pathToFileURL(artifacts).href}"\nversion: ${version}\n`);
    }
    for (const [version, folder] of [
      ['9', 'churn-9'],
      ['latest', 'churn-latest'],
    ] as const) {
      const { found, model } = await imported(`models:/churn/${version}`, { trackingUri });
      assert.ok(model.family === 'external' && found.file.endsWith(join(folder, 'model.onnx')));
    }
    await refused('models:/churn/1', 'BASELINE_FLAVOUR', /pickle/, { trackingUri });
    await refused('models:/churn/8', 'BASELINE_VERSION', /no longer/, { trackingUri });
    await refused('models:/none/latest', 'BASELINE_VERSION', /no longer/, { trackingUri });
    await rm(join(root, 'artifacts 10'), { recursive: true });
    await refused('models:/churn/latest', 'BASELINE_VERSION', /no longer/, { trackingUri });
  });

  it('is found on a server, and a version that is gone is told as that', async () => {
    const server = await new TrackingServer().start();
    try {
      const trackingUri = server.url;
      server.models.set('churn', [
        { version: '1', run_id: 'r', source: 'mlflow-artifacts:/1/r/artifacts/old', tags: [] },
        { version: '2', run_id: 'r', source: 'mlflow-artifacts:/1/r/artifacts/model', tags: [] },
        { version: '3', run_id: 'r', source: 's3://bucket/model', tags: [] },
      ]);
      server.files.set('1/r/artifacts/model/MLmodel', Buffer.from(MLMODEL));
      server.files.set('1/r/artifacts/model/model.onnx', onnx);
      const { model } = await imported('models:/churn/2', { trackingUri });
      assert.deepEqual([...predict(model, quantise(line.benchmark, line.quantiser))], expected());
      await refused('models:/churn/3', 'BASELINE_VERSION', /cannot be fetched/, { trackingUri });
      await refused('models:/churn/latest', 'BASELINE_VERSION', /cannot be fetched/, { trackingUri });
      await refused('models:/churn/4', 'BASELINE_VERSION', /no longer/, { trackingUri });
      await refused('models:/none/latest', 'BASELINE_VERSION', /no longer/, { trackingUri });
    } finally {
      server.stop();
    }
  });
});

describe('a run with an imported baseline', () => {
  it('is registered and voted on by validators that agree, and its attestation says where the baseline came from', async () => {
    const file = await fileOf('head.onnx', onnxModel({ weights: WEIGHTS, says: 'class' }));
    const text = (await readFile(config.file, 'utf8')).replace('baseline_path: "none"', `baseline_path: "${file}"`);
    const project = await openProject(await fileOf('project/imported.yaml', text));
    const { attestation, folder } = await run(project, { chain: 'local' });
    assert.equal(attestation.votes.length, 3);
    const { imported: origin, commitment } = attestation.models!.baseline;
    assert.deepEqual(origin, { framework: 'onnx', sha256: project.line.imported!.sha256 });
    assert.notEqual(commitment, '0');
    assert.deepEqual(await readFile(join(folder, 'models/baseline.onnx')), await readFile(file));
  });
});

const python = process.env.HOKUSAI_PYTHON;
const hasSkops = python !== undefined && existsSync(python) && canImport(python);
function canImport(program: string): boolean {
  try {
    execFileSync(program, ['-c', 'import skops, sklearn'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('a model of skops', { skip: !hasSkops && 'HOKUSAI_PYTHON names no Python with skops' }, () => {
  const dump = (text: string, file: string) =>
    execFileSync(python!, ['-c', `import numpy as n, skops.io as s\n${text}\ns.dump(m, ${JSON.stringify(file)})`]);
  // The first column alone tells anything, and all rows of the fold have more than 3 there.
  const X = `X = n.zeros((60, ${names.length})); X[:, 0] = n.arange(60) % 7.0; y = (X[:, 0] > 3).astype(int)`;

  it('predicts, by numbers of classes or their names', async () => {
    for (const labels of ['y', 'n.where(y == 1, "1", "0")']) {
      const file = join(root, 'tree.skops');
      dump(`from sklearn.tree import DecisionTreeClassifier as T\n${X}\nm = T(max_depth=2).fit(X, ${labels})`, file);
      const { model } = await imported(file);
      assert.ok(model.family === 'external' && model.framework === 'scikit-learn' && model.probabilities);
      assert.deepEqual([...new Set(predict(model, quantise(line.benchmark, line.quantiser)))], [1]);
    }
  });

  it('attack: of another width, or with a function of its own, is refused', async () => {
    const file = join(root, 'narrow.skops');
    dump(`from sklearn.tree import DecisionTreeClassifier as T\n${X}\nm = T().fit(X[:, :4], y % 1)`, file);
    await refused(file, 'BASELINE_INVALID', /reads 4 features.*; it tells 1 classes/);
    dump(`import os\nfrom sklearn.preprocessing import FunctionTransformer as F\nm = F(os.system)`, file);
    await refused(file, 'BASELINE_INVALID', /not trusted: posix.system/);
    await copyFile(TABLE, file);
    await refused(file, 'BASELINE_FORMAT', /none of the models/);
  });
});
