import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { pairedBootstrap, RESAMPLES } from '../../offchain/metrics/bootstrap.ts';
import { calibrationOf, curveOf } from '../../offchain/metrics/curves.ts';
import { measureOf } from '../../offchain/metrics/measure.ts';
import { residualBands, residualBins } from '../../offchain/metrics/residuals.ts';
import type { ClassRows, NumberRows } from '../../offchain/metrics/rows.ts';
import { significanceOf } from '../../offchain/metrics/significance.ts';
import { METRIC_CASES } from '../vectors/metrics.ts';
import { TERMS } from './delta-rows.ts';
import { uniform } from './tables.ts';

const near = (actual: readonly number[], expected: readonly number[], what: string) => {
  assert.equal(actual.length, expected.length, what);
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs(actual[i]! - value) <= 1e-9, `${what} at ${i}: ${actual[i]} instead of ${value}`);
  }
};

describe('curves agree with scikit-learn to 1e-9', () => {
  const cases = METRIC_CASES.filter(({ roc }) => roc);
  assert.ok(cases.length >= 5);
  for (const { name, labels, scores, probabilities, roc, precisionRecall, averagePrecision, calibration } of cases) {
    const column = Float64Array.from(scores![0]!);
    const shares = probabilities && Float64Array.from(probabilities[0]!);

    it(`of ${name}`, () => {
      const curve = curveOf(column, shares ?? column, Uint8Array.from(labels), 1, 0)!;
      const of = (key: 'recall' | 'falsePositiveRate' | 'precision') => curve.points.map((point) => point[key]);
      near([0, ...of('falsePositiveRate')], roc!.falsePositiveRate, 'false positive rate');
      near([0, ...of('recall')], roc!.truePositiveRate, 'true positive rate');
      // scikit-learn's ends where all are found.
      const found = precisionRecall!.recall.length;
      near(of('precision').slice(0, found), precisionRecall!.precision, 'precision');
      near(of('recall').slice(0, found), precisionRecall!.recall, 'recall');
      near([curve.averagePrecision], [averagePrecision!], 'average precision');
    });

    if (!calibration) continue;
    it(`of ${name}: calibration`, () => {
      const { bins } = calibrationOf(shares!, labels);
      near(
        bins.map(({ predicted }) => predicted),
        calibration.predicted,
        'predicted',
      );
      near(
        bins.map(({ observed }) => observed),
        calibration.observed,
        'observed',
      );
    });
  }
});

/** Rows of two classes whose scores tell the positive ones by so much. */
function drawn(n: number, skill: number, seed: number): ClassRows {
  const next = uniform(seed);
  const labels = Uint8Array.from({ length: n }, () => Math.floor(next() * 2));
  const scores = Float64Array.from(labels, (label) => Math.floor((next() + skill * label) * 1e6));
  const probabilities = scores.map((score) => score / 1e6 / (1 + skill));
  const predictions = Uint8Array.from(probabilities, (p) => Number(p > 0.5));
  return { classes: 2, labels, predictions, scores: [scores], probabilities: [probabilities] };
}

describe('a thinned curve', () => {
  it('has few points, the last among them, and is nowhere far from the whole one', () => {
    const { scores, probabilities, labels } = drawn(20_000, 0.3, 3);
    const [whole, thinned] = [0, undefined].map((step) => curveOf(scores![0]!, probabilities![0]!, labels, 1, step)!);
    assert.ok(thinned!.points.length < 450, `${thinned!.points.length} points`);
    assert.deepEqual(thinned!.points.at(-1), whole!.points.at(-1));
    assert.equal(thinned!.averagePrecision, whole!.averagePrecision);
    let at = 0;
    for (const point of whole!.points) {
      while (thinned!.points[at + 1] && thinned!.points[at + 1]!.threshold >= point.threshold) at++;
      assert.ok(Math.abs(thinned!.points[at]!.recall - point.recall) < 0.02);
    }
  });

  it('is none where all rows are of one class', () => {
    const column = Float64Array.of(1, 2);
    assert.equal(curveOf(column, column, Uint8Array.of(1, 1)), undefined);
    assert.equal(curveOf(column, column, Uint8Array.of(0, 0)), undefined);
  });
});

describe('pairedBootstrap', () => {
  const measures = (n: number, seed: number) => [
    measureOf(drawn(n, 0.2, seed)),
    measureOf({ ...drawn(n, 0.2, seed), ...pick(drawn(n, 0.6, seed)) }),
  ];
  const pick = ({ predictions, scores, probabilities }: ClassRows) => ({
    predictions,
    scores: scores!,
    probabilities: probabilities!,
  });

  it('gives the same intervals for the same seed, and others for another', () => {
    const [baseline, candidate] = measures(100, 5);
    const of = (seed: string) => pairedBootstrap(baseline!, candidate!, 100, { seed, resamples: 200 });
    assert.deepEqual(of('a'), of('a'));
    assert.notDeepEqual(of('a'), of('b'));
  });

  it('is wide as the normal approximation has it, which is right for a mean of many rows', () => {
    const n = 800;
    const next = uniform(11);
    const labels = Float64Array.from({ length: n }, next);
    const [before, after] = [0.3, 0.2].map((noise) => labels.map((label) => label + noise * (next() - 0.5)));
    const [baseline, candidate] = [before!, after!].map((predictions) => measureOf({ labels, predictions }));
    const { low, high, resamples } = pairedBootstrap(baseline!, candidate!, n, { seed: 'x' }).mae!;
    const changes = labels.map((label, i) => Math.abs(label - after![i]!) - Math.abs(label - before![i]!));
    const mean = changes.reduce((sum, change) => sum + change, 0) / n;
    const deviation = Math.sqrt(changes.reduce((sum, change) => sum + (change - mean) ** 2, 0) / n / n);
    assert.equal(resamples, RESAMPLES);
    assert.ok(Math.abs(low - (mean - 1.96 * deviation)) < 0.15 * deviation, `${low}`);
    assert.ok(Math.abs(high - (mean + 1.96 * deviation)) < 0.15 * deviation, `${high}`);
  });

  it('leaves out draws in which a metric is not defined, and says of how many it knows', () => {
    const [one, other] = [
      [1, 2, 3],
      [3, 2, 1],
    ].map((scores) =>
      measureOf({
        classes: 2,
        labels: Uint8Array.of(0, 0, 1),
        predictions: Uint8Array.of(0, 0, 1),
        scores: [Float64Array.from(scores)],
      }),
    );
    const { auroc, accuracy } = pairedBootstrap(one!, other!, 3, { seed: 'y' });
    // (2/3)^3 and (1/3)^3 of the draws have one class alone.
    assert.ok(Math.abs(auroc!.resamples / RESAMPLES - (1 - 9 / 27)) < 0.05, `${auroc!.resamples}`);
    assert.deepEqual([auroc!.low <= -0.5, auroc!.high <= 0], [true, true]);
    assert.deepEqual(accuracy, { low: 0, high: 0, resamples: RESAMPLES });
  });
});

describe('significanceOf', () => {
  const [baseline, candidate] = [drawn(600, 0.2, 9), drawn(600, 0.7, 9)];
  const compared = (after: ClassRows) => ({
    ...{ classes: 2, baseline, candidate: after, labels: baseline.labels },
    ...{ baselinePredictions: baseline.predictions, candidatePredictions: after.predictions },
  });

  it('takes the bounds of the chain where it has some, and marks what no policy can pay by', () => {
    const wanted = ['accuracy', 'recall', 'auroc', 'log_loss', 'f1_macro'];
    const found = significanceOf(compared(candidate), wanted, TERMS, 'z');
    assert.deepEqual(
      found.map(({ metric, payable, better, test: { method } }) => [metric, payable, better, method]),
      [
        ['accuracy', true, true, 'chain'],
        ['recall', true, true, 'chain'],
        ['auroc', true, true, 'chain'],
        ['log_loss', false, true, 'bootstrap'],
        ['f1_macro', false, true, 'bootstrap'],
      ],
    );
    for (const { metric, change, test } of found) {
      assert.ok(change !== null && metric === 'log_loss' ? change! < 0 : change! > 0, metric);
      if (test.method === 'chain') {
        assert.equal(test.deltaOneBps, String(Math.floor(1e4 * change! + 1e-6)), metric);
        assert.ok(Number(test.lowerBps) > 0 && Number(test.lowerBps) < Number(test.deltaOneBps));
      } else assert.ok(test.low! < change! && change! < test.high!, metric);
    }
  });

  it('finds nothing between a model and itself', () => {
    for (const { metric, better, change } of significanceOf(
      compared(baseline),
      ['accuracy', 'precision', 'f1', 'auroc', 'log_loss'],
      TERMS,
      'z',
    )) {
      assert.deepEqual([better, change], [false, 0], metric);
    }
  });

  it('is seldom wrong: of models that differ by chance alone, few are called better', () => {
    let better = 0;
    for (let seed = 0; seed < 40; seed++) {
      const [one, other] = [drawn(150, 0.4, 100 + seed), drawn(150, 0.4, 500 + seed)];
      // The labels of one, and the other's noise.
      const next = uniform(900 + seed);
      const noisy = (rows: ClassRows): ClassRows => {
        const scores = Float64Array.from(one.labels, (label) => Math.floor((next() + 0.4 * label) * 1e6));
        return { ...rows, labels: one.labels, scores: [scores], probabilities: [scores.map((s) => s / 1.4e6)] };
      };
      const [a, b] = [noisy(one), noisy(other)];
      const [measureA, measureB] = [measureOf(a), measureOf(b)];
      const { log_loss } = pairedBootstrap(measureA, measureB, 150, { seed: `${seed}`, resamples: 400 });
      better += Number(log_loss!.high < 0);
    }
    // 2.5 % of them; more than 6 of 40 would happen once in 10^4.
    assert.ok(better <= 6, `${better} of 40`);
  });
});

describe('residuals', () => {
  const numbers: fc.Arbitrary<[NumberRows, NumberRows]> = fc.integer({ min: 1, max: 200 }).chain((n) => {
    const column = fc
      .array(fc.integer({ min: -1000, max: 1000 }), { minLength: n, maxLength: n })
      .map((list) => Float64Array.from(list));
    return fc.tuple(column, column, column).map(([labels, before, after]) => [
      { labels, predictions: before },
      { labels, predictions: after },
    ]);
  });

  it('are each in one bin, and bands hold the middle of theirs', () => {
    fc.assert(
      fc.property(numbers, ([baseline, candidate]) => {
        const n = baseline.labels.length;
        const bins = residualBins(baseline, candidate);
        for (const model of ['baseline', 'candidate'] as const) {
          assert.equal(
            bins.reduce((sum, bin) => sum + bin[model], 0),
            n,
          );
        }
        const bands = residualBands(candidate);
        assert.equal(bands.length, Math.min(12, Math.floor(n / 10)));
        for (const [i, { prediction, tenth, median, ninetieth }] of bands.entries()) {
          assert.ok(tenth <= median && median <= ninetieth);
          assert.ok(i === 0 || bands[i - 1]!.prediction <= prediction);
        }
      }),
    );
  });
});
