import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { confusionOf, jointCounts, metricsOf, ratioValue } from '../../offchain/metrics/exact.ts';

const bits = fc.array(fc.tuple(fc.nat(1), fc.nat(1), fc.nat(1)), { maxLength: 50 });
const lane = (rows: [number, number, number][], at: 0 | 1 | 2): Uint8Array => Uint8Array.from(rows, (row) => row[at]);

describe('jointCounts', () => {
  it('puts label + 2 baseline + 4 candidate into its cell', () => {
    for (let cell = 0; cell < 8; cell++) {
      const counts = jointCounts(Uint8Array.of(cell & 1), Uint8Array.of((cell >> 1) & 1), Uint8Array.of(cell >> 2));
      assert.deepEqual(
        counts,
        Array.from({ length: 8 }, (_, at) => Number(at === cell)),
      );
    }
  });

  it('refuses vectors of different lengths', () => {
    assert.throws(() => jointCounts(new Uint8Array(2), new Uint8Array(2), new Uint8Array(1)), RangeError);
  });

  it('agrees with counting row by row, for both models', () => {
    fc.assert(
      fc.property(bits, (rows) => {
        const counts = jointCounts(lane(rows, 0), lane(rows, 1), lane(rows, 2));
        for (const [at, model] of [
          [1, 'baseline'],
          [2, 'candidate'],
        ] as const) {
          const count = (label: number, said: number): number =>
            rows.filter((row) => row[0] === label && row[at] === said).length;
          const [truePositive, falsePositive, falseNegative, trueNegative] = [
            count(1, 1),
            count(0, 1),
            count(1, 0),
            count(0, 0),
          ];
          assert.deepEqual(confusionOf(counts, model), { truePositive, falsePositive, falseNegative, trueNegative });
        }
      }),
    );
  });
});

describe('metricsOf', () => {
  it('gives exact fractions', () => {
    const metrics = metricsOf({ truePositive: 3, falsePositive: 1, falseNegative: 2, trueNegative: 4 });
    assert.deepEqual(metrics, {
      accuracy: { numerator: 7, denominator: 10 },
      precision: { numerator: 3, denominator: 4 },
      recall: { numerator: 3, denominator: 5 },
      f1: { numerator: 6, denominator: 9 },
    });
    assert.equal(ratioValue(metrics.accuracy), 0.7);
  });

  it('leaves 0/0 undefined instead of calling it 0', () => {
    const metrics = metricsOf({ truePositive: 0, falsePositive: 0, falseNegative: 0, trueNegative: 5 });
    const values = Object.values(metrics).map(ratioValue);
    assert.deepEqual(values, [1, null, null, null]);
    const silent = metricsOf({ truePositive: 0, falsePositive: 0, falseNegative: 2, trueNegative: 3 });
    assert.deepEqual(Object.values(silent).map(ratioValue), [0.6, null, 0, 0]);
  });
});
