// Both models of real tables, evaluated for their owner.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type InitOptions, init } from '../../offchain/init.ts';
import { type ClassEvaluation, evaluation, type NumberEvaluation } from '../../offchain/metrics/evaluation.ts';
import { metricValues, modelMetrics } from '../../offchain/metrics/model-metrics.ts';
import { evaluationHtml } from '../../offchain/report/evaluation.ts';
import { grouped } from '../../offchain/report/numbers.ts';
import { reportHtml } from '../../offchain/report/report.ts';
import { openProject } from '../../offchain/run/project.ts';
import { publish } from '../../offchain/run/publish.ts';
import { labelsOf } from '../../offchain/table/check-table.ts';
import { append, integrate } from '../../offchain/table/integrate.ts';
import { classNames } from '../../offchain/table/label.ts';
import { quantise } from '../../offchain/table/quantise.ts';
import { readCsv, selectRows } from '../../offchain/table/table.ts';
import { predict } from '../../offchain/train/model.ts';
import type { ReferenceSpec } from '../../offchain/train/spec.ts';
import { train } from '../../offchain/train/train.ts';
import { belowGate, TERMS } from './attestations.ts';
import { elements } from './page.ts';

const folder = mkdtempSync(join(tmpdir(), 'hokusai-evaluation-'));
after(() => rmSync(folder, { recursive: true }));

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
const EXAMPLES: Record<string, Omit<InitOptions, 'directory'>> = {
  'two classes': { data: example('breast-cancer/breast_cancer.csv'), label: 'benign', baselineRows: 20 },
  'ten classes': { data: example('digits/digits.csv'), label: 'digit', baselineRows: 100, benchmarkRows: 500 },
  numbers: { data: example('diabetes/diabetes.csv'), label: 'progression', task: 'regression' },
};

const made = new Map<string, ReturnType<typeof evaluate>>();
/** Both models of a project made of a table, evaluated; once for all tests. */
function evaluated(name: string): ReturnType<typeof evaluate> {
  if (!made.has(name)) made.set(name, evaluate(name));
  return made.get(name)!;
}

async function evaluate(name: string) {
  const directory = join(folder, name.replace(' ', '-'));
  const { files } = await init({ ...EXAMPLES[name]!, directory });
  const { config, line } = await openProject(files.at(-1));
  const contribution = await readCsv(config.data.contribution);
  const rows = append(line.trainingSet, contribution);
  const own = { ...line, spec: line.spec as ReferenceSpec };
  const [before, after] = [await train(line.trainingSet, own), await train(rows, own)];
  const models = { baseline: before.model, candidate: after.model };
  const training = { baseline: before.report, candidate: after.report };
  const half = integrate(contribution, line).fresh.slice(0, contribution.rows >> 1);
  const more = append(line.trainingSet, selectRows(contribution, half));
  const learning = [
    { rows: line.trainingSet.rows, model: models.baseline },
    { rows: more.rows, model: (await train(more, own)).model },
    { rows: rows.rows, model: models.candidate },
  ];
  const evaluating = { ...config.evaluation, terms: TERMS, learning };
  const { ignored, near, replaced, balance } = integrate(contribution, line);
  const integration = { ignored, near, replaced: replaced.length, balance, classes: classNames(line.schema.label) };
  return {
    line,
    models,
    found: { ...evaluation(line, models, evaluating), custom: [] },
    evaluating,
    integration,
    training,
  };
}

describe('the evaluation of two models', () => {
  for (const name of Object.keys(EXAMPLES)) {
    it(`of ${name} has the exact metrics of the attestation, and is the same again`, async () => {
      const { line, models, found, evaluating } = await evaluated(name);
      const labels = labelsOf(line.benchmark, line.schema);
      const { label } = line.schema;
      for (const model of ['baseline', 'candidate'] as const) {
        const said = predict(models[model], quantise(line.benchmark, line.quantiser));
        const range = 'low' in label ? label : undefined;
        const exact = metricValues(modelMetrics(label, labels, said), range) as Record<string, number>;
        for (const metric of ['accuracy', 'precision', 'recall', 'f1', 'mse', 'mae']) {
          const own = found.metrics.find((one) => one.metric === metric);
          if (!own || !(metric in exact)) continue;
          assert.ok(Math.abs(own[model]! - exact[metric]!) <= 1e-9 * Math.max(1, exact[metric]!), metric);
        }
      }
      assert.deepEqual(
        JSON.parse(JSON.stringify({ ...evaluation(line, models, evaluating), custom: [] })),
        JSON.parse(JSON.stringify(found)),
      );
    });

    it(`of ${name} is a page that is well-formed, can be read by everybody and needs nothing else`, async () => {
      const { found, integration, training } = await evaluated(name);
      const page = evaluationHtml('<script>alert("x")</script>&', found, integration, training);
      // Of ridge there are no iterations.
      assert.equal(/<h2>Training<\/h2>/.test(page), name !== 'numbers');
      const all = elements(page);
      assert.ok(all.some(({ name: tag }) => tag === 'polyline'));
      assert.ok(!all.some(({ name: tag }) => tag === 'script'));
      for (const { name: tag, attributes } of all) {
        if (tag === 'svg' && !('viewBox' in attributes)) {
          assert.ok(attributes['aria-hidden'] === 'true' || attributes['aria-labelledby'], 'a picture without words');
        }
        if (tag === 'th') assert.ok(attributes.scope);
      }
      const ids = all.flatMap(({ attributes }) => attributes.id ?? []);
      assert.equal(new Set(ids).size, ids.length);
      const references = all.flatMap(({ attributes }) => attributes['aria-labelledby']?.split(' ') ?? []);
      for (const id of references) assert.ok(ids.includes(id), id);
      assert.doesNotMatch(page, /https?:|url\(|@import|<link|<img|<iframe|\ssrc=|\shref=|\son[a-z]+=|NaN|Infinity/i);
      assert.match(page, /not for publication/);
    });
  }
});

describe('the learning curve', () => {
  for (const name of Object.keys(EXAMPLES)) {
    it(`of ${name} begins with the baseline, ends with the candidate, and is drawn`, async () => {
      const { found, line, integration } = await evaluated(name);
      const { metric, points } = found.learningCurve!;
      assert.equal(metric, line.metric);
      const paid = found.metrics.find((one) => one.metric === metric)!;
      assert.deepEqual([points[0]!.value, points.at(-1)!.value], [paid.baseline, paid.candidate]);
      assert.ok(points[0]!.rows < points[1]!.rows && points[1]!.rows < points[2]!.rows);
      const page = evaluationHtml('x', found, integration);
      assert.match(page, /<h2>Learning curve<\/h2>/);
      for (const { rows } of points) assert.match(page, new RegExp(`with ${grouped(rows)}`));
    });
  }
});

describe('what of an evaluation is for whom', () => {
  it('of classes: counts of all rows, curves of both models, and what changed by class', async () => {
    const { line, found } = await evaluated('ten classes');
    const { confusion, perClass, curves, metrics } = found as ClassEvaluation;
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    assert.equal(sum(confusion.candidate.flat()), line.fold.n);
    assert.equal(sum(perClass.map(({ rows }) => rows)), line.fold.n);
    const right = ({ baseline, candidate }: typeof confusion) =>
      [baseline, candidate].map((table) => sum(table.map((row, at) => row[at]!)));
    const [before, now] = right(confusion);
    assert.equal(sum(perClass.map(({ fixed, broken }) => fixed - broken)), now! - before!);
    assert.equal(curves.length, 10);
    const named = metrics.map(({ metric }) => metric);
    assert.deepEqual(named, ['accuracy', 'precision_macro', 'recall_macro', 'f1_macro', 'auroc_macro', 'log_loss']);
    assert.deepEqual(
      metrics.filter(({ payable }) => payable).map(({ metric }) => metric),
      ['accuracy'],
    );
  });

  it('of numbers: residuals in units of the labels', async () => {
    const { found } = await evaluated('numbers');
    const { residuals, metrics } = found as NumberEvaluation;
    assert.ok(Math.max(...residuals.map(({ to }) => to)) > 50);
    assert.deepEqual(
      metrics.map(({ metric, payable }) => [metric, payable]),
      [
        ['mse', true],
        ['mae', true],
        ['r2', false],
        ['mape', false],
      ],
    );
  });

  it('the curves, and what is told of a rejected contribution, stay out of what is published', async () => {
    const { found, models, integration } = await evaluated('two classes');
    const attestation = belowGate();
    const { counts, delta, models: told, ...public_ } = attestation;
    const { baseline, candidate } = told!;
    const metrics = { baseline: baseline.metrics!, candidate: candidate.metrics! };
    const evaluatedToo = { counts: counts!, delta: delta!, metrics, models, integration, evaluation: found };
    const run = join(folder, 'published');
    await publish(run, { attestation: public_, evaluated: evaluatedToo });
    const read = (name: string) => readFileSync(join(run, name), 'utf8');
    assert.equal(read('report.html'), reportHtml(public_));
    for (const word of ['ROC', 'calibration', 'threshold', 'polyline', 'auroc', 'log_loss', 'confusion', 'balance']) {
      assert.doesNotMatch(read('report.html'), new RegExp(word, 'i'), word);
      assert.doesNotMatch(read('attestation.json'), new RegExp(word, 'i'), word);
    }
    assert.match(read('evaluation.html'), /ROC curve/);
    assert.deepEqual(Object.keys(JSON.parse(read('metrics.json'))), [
      'metrics',
      'fractions',
      'counts',
      'delta',
      'integration',
      'evaluation',
    ]);
  });
});
