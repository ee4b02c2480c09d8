import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { zCounts } from '../../offchain/attestation/attest.ts';
import { score } from '../../offchain/delta/delta.ts';
import { countWords, namedCounts } from '../../offchain/delta/named-counts.ts';
import { metricValues, modelMetrics } from '../../offchain/metrics/model-metrics.ts';
import { countsOf } from '../../offchain/prove/counts.ts';
import { TERMS } from './delta-rows.ts';

/** Rows of label, baseline and candidate, each at most `most`. */
const rowsOf = (most: number) =>
  fc.array(fc.tuple(fc.nat(most), fc.nat(most), fc.nat(most)), { minLength: 1, maxLength: 60 });

function scoreRows(metric: string, classes: number, rows: readonly (readonly [number, number, number])[]) {
  const of = (at: 0 | 1 | 2) => Uint16Array.from(rows, (row) => row[at]);
  return { metric, classes, labels: of(0), baselinePredictions: of(1), candidatePredictions: of(2) };
}

describe('counts by name', () => {
  it('go back to the words that the contract reads, of every metric', () => {
    for (const [metric, classes, most] of [
      ['recall', 2, 1],
      ['accuracy', 7, 6],
      ['mse', 0, 65_535],
      ['mae', 0, 65_535],
      ['auroc', 2, 65_535],
    ] as const) {
      fc.assert(
        fc.property(rowsOf(most), (drawn) => {
          const rows = drawn.map(([label, ...said]) => [metric === 'auroc' ? label % 2 : label, ...said] as const);
          const words = countsOf(scoreRows(metric, classes, rows));
          const counts = namedCounts(metric, classes, words);
          assert.deepEqual(zCounts.parse(counts), counts);
          assert.deepEqual(countWords(counts), words);
          assert.equal(counts.n, rows.length);
          score(metric, classes, words, TERMS);
        }),
      );
    }
  });

  it('name each lane for what it counts', () => {
    const rows = [
      [3, 3, 3],
      [3, 0, 3],
      [1, 1, 2],
      [2, 0, 1],
      [0, 1, 0],
    ] as const;
    const words = countsOf(scoreRows('accuracy', 4, rows));
    const counts = { n: 5, baselineCorrect: 2, candidateCorrect: 3, fixed: 2, broken: 1 };
    assert.deepEqual(namedCounts('accuracy', 4, words), counts);
    const numbers = [
      [10, 13, 10],
      [20, 20, 21],
      [60, 50, 58],
    ] as const;
    assert.deepEqual(namedCounts('mse', 0, countsOf(scoreRows('mse', 0, numbers))), {
      ...{ n: 3, baselineErrors: '109', candidateErrors: '5', squares: String(9 ** 2 + 1 + 96 ** 2) },
      ...{ labels: '90', squaredLabels: '4100' },
    });
    assert.deepEqual(namedCounts('mae', 0, countsOf(scoreRows('mae', 0, numbers))), {
      ...{ n: 3, below: 1, above: 1, baselineErrors: '13', candidateErrors: '3', squares: String(9 + 1 + 64) },
      deviations: '50',
    });
    const ranked = [
      [1, 40, 50],
      [1, 20, 30],
      [0, 20, 20],
      [0, 30, 10],
      [0, 10, 10],
    ] as const;
    assert.deepEqual(namedCounts('auroc', 2, countsOf(scoreRows('auroc', 2, ranked))), {
      ...{ n: 5, positives: 2, negatives: 3, baselinePlacements: '9', candidatePlacements: '12' },
      ...{ positiveSquares: '9', negativeSquares: String(1 + 4) },
    });
  });

  it('refuse a count that is too large for its lane, and bits outside of all lanes', () => {
    const counts = { n: 1, baselineErrors: String(2n ** 63n), candidateErrors: '0', squares: '0' };
    assert.throws(() => countWords({ ...counts, labels: '0', squaredLabels: '0' }), {
      code: 'DELTA_COUNTS_OUT_OF_RANGE',
    });
    assert.throws(() => namedCounts('accuracy', 3, [1n << 155n]), { code: 'DELTA_COUNTS_OUT_OF_RANGE' });
  });
});

describe('metrics of a model', () => {
  it('are, by class, those of the class against all others', () => {
    fc.assert(
      fc.property(rowsOf(3), (rows) => {
        const [labels, said] = [Uint8Array.from(rows, ([y]) => y), Uint8Array.from(rows, ([, x]) => x)];
        const metrics = modelMetrics({ name: 'y', classes: ['a', 'b', 'c', 'd'] }, labels, said);
        assert('perClass' in metrics);
        assert.equal(metrics.accuracy.numerator, rows.filter(([y, x]) => y === x).length);
        for (const [k, { precision, recall, f1, class: name }] of metrics.perClass.entries()) {
          const binary = (values: Uint8Array) => values.map((value) => Number(value === k));
          const own = modelMetrics({ name: 'y', positive: name, negative: 'other' }, binary(labels), binary(said));
          assert('f1' in own);
          assert.deepEqual({ precision, recall, f1 }, { precision: own.precision, recall: own.recall, f1: own.f1 });
        }
      }),
    );
  });

  it('of a regression are exact, and right in the units of the label', () => {
    const label = { name: 'y', low: '-1.5', high: '11.607' };
    // A unit is 0.0002; labels of 0, 1 and 2, predictions of 0.5, 1 and 1.
    const at = (value: number) => Math.round((value + 1.5) / 0.0002);
    const metrics = modelMetrics(label, Uint16Array.of(at(0.5), at(1), at(2)), Uint16Array.of(at(1), at(1), at(1)));
    assert('mse' in metrics);
    assert.deepEqual(metrics.mae, { numerator: 2500 + 5000, denominator: 3 });
    assert.deepEqual(metrics.mse, { numerator: 2500 ** 2 + 5000 ** 2, denominator: 3 });
    const values = metricValues(metrics, label) as Record<'mse' | 'mae' | 'r2' | 'mape', number>;
    const close = (found: number, expected: number) => assert(Math.abs(found - expected) < 1e-4, `${found}`);
    close(values.mse, (0.25 + 1) / 3);
    close(values.mae, 0.5);
    close(values.r2, 1 - 1.25 / (0.25 + 1 + 4 - 3.5 ** 2 / 3));
    close(values.mape, (1 + 0 + 0.5) / 3);
  });

  it('of a regression are null where a label is 0 or all are equal', () => {
    const same = modelMetrics({ name: 'y', low: '1', high: '2' }, Uint16Array.of(9, 9), Uint16Array.of(8, 9));
    assert.deepEqual([(same as { r2Bps: null }).r2Bps, (same as { mapeBps: string }).mapeBps], [null, '0']);
    const zero = modelMetrics({ name: 'y', low: '0', high: '2' }, Uint16Array.of(0, 9), Uint16Array.of(8, 9));
    assert.equal((zero as { mapeBps: null }).mapeBps, null);
    assert.equal((metricValues(zero) as { mape: null }).mape, null);
  });
});
