import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type GateTerms, reward, type Score, score } from '../../offchain/delta/delta.ts';
import * as reference from './delta-reference.ts';
import {
  absoluteCounts,
  aurocCounts,
  CELLS,
  CLASSES,
  cells,
  type Drawn,
  drawn,
  packLanes,
  type RegressionRow,
  type ScoredRow,
  squaredCounts,
} from './delta-rows.ts';

const { fraction } = reference;
const NONE: GateTerms = {
  ...{ minRows: 0n, minDeltaBps: 0n, zMicro: 1_644_854n, alpha30: 53_687_091n, minPositives: 0n, guardrails: [] },
};
/** Precision, recall and F1 round a root in units of 2^-85: that far, and no farther, a bound can miss its floor. */
const TOLERANCE = fraction(1n, 2n ** 60n);
const zMicro = fc.bigInt(0n, 10_000_000n);
const scoreOf = ({ metric, classes, counts }: Drawn, terms: Partial<GateTerms> = {}): Score =>
  score(metric, classes, counts, { ...NONE, ...terms });
const clipped = (bps: bigint, metric: string): bigint =>
  metric[0] !== 'm' ? bps : bps > 10_000n ? 10_000n : bps < -10_000n ? -10_000n : bps;

describe('the DeltaOne score of every metric', () => {
  it('estimates the floor of the exact gain', () => {
    fc.assert(
      fc.property(drawn, (x) => {
        const { n, deltaOneBps, failed } = scoreOf(x);
        assert.equal(n, x.n);
        assert.equal(failed === 'undefined', x.estimate === null);
        assert.equal(deltaOneBps, x.estimate ? clipped(reference.deltaOneBps(x.estimate), x.metric) : 0n);
      }),
      { seed: 11, numRuns: 3_000 },
    );
  });

  it('bounds never above the exact real value, and no more than rounding below it', () => {
    fc.assert(
      fc.property(drawn, zMicro, (x, z) => {
        fc.pre(x.estimate !== null);
        const bound = scoreOf(x, { zMicro: z }).payableBps;
        if (['mse', 'mae', 'auroc'].includes(x.metric)) {
          assert.equal(bound, clipped(reference.payableBps(x.estimate!, z), x.metric));
          return;
        }
        assert(reference.isAtMostLowerBound(fraction(bound), x.estimate!, z));
        const above = reference.plus(fraction(bound + 1n), TOLERANCE);
        assert(!reference.isAtMostLowerBound(above, x.estimate!, z));
      }),
      { seed: 12, numRuns: 3_000 },
    );
  });

  it('agrees with DeLong’s covariances of the scores themselves', () => {
    const side = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(side, side, (positives, negatives) => {
        const rows = [...positives.map((x) => [1, ...x]), ...negatives.map((x) => [0, ...x])] as unknown as ScoredRow[];
        const exact = reference.delong(positives, negatives);
        const { deltaOneBps, payableBps } = score('auroc', 2, aurocCounts(rows), NONE);
        assert.equal(deltaOneBps, reference.deltaOneBps(exact));
        assert.equal(payableBps, reference.payableBps(exact, NONE.zMicro));
      }),
      { seed: 13, numRuns: 400 },
    );
  });

  it('agrees with the errors of the rows themselves', () => {
    const value = fc.oneof(fc.nat(20), fc.nat(65_535));
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value, value), { minLength: 2, maxLength: 30 }), (rows) => {
        for (const [metric, counts, error] of [
          ['mse', squaredCounts(rows), (e: number) => e * e],
          ['mae', absoluteCounts(rows), Math.abs],
        ] as const) {
          const exact = ofRows(rows, error, metric);
          if (exact === null) continue;
          const { deltaOneBps, payableBps } = score(metric, 0, counts, NONE);
          assert.equal(deltaOneBps, clipped(reference.deltaOneBps(exact), metric));
          assert.equal(payableBps, clipped(reference.payableBps(exact, NONE.zMicro), metric));
        }
      }),
      { seed: 14, numRuns: 400 },
    );
  });

  it('improves as much as the other way round worsens', () => {
    fc.assert(
      fc.property(drawn, (x) => {
        const other = score(x.metric, x.classes, swapped(x), NONE);
        const one = scoreOf(x);
        fc.pre(one.failed !== 'undefined' && other.failed !== 'undefined');
        fc.pre(x.metric !== 'precision' || x.positives > 0n);
        assert([0n, -1n].includes(one.deltaOneBps + other.deltaOneBps), `${one.deltaOneBps}, ${other.deltaOneBps}`);
        assert(one.payableBps <= 0n || other.payableBps <= 0n);
      }),
      { seed: 15, numRuns: 2_000 },
    );
  });

  it('scores two classes alike, counted as cells or as classes', () => {
    fc.assert(
      fc.property(cells, (x) => {
        const n = x.reduce((a, b) => a + b);
        const [b, c] = [x[2]! + x[5]!, x[3]! + x[4]!];
        const right = x[0]! + x[7]!;
        const counts = [packLanes([n, right + c, right + b, b, c], CLASSES)];
        assert.deepEqual(score('accuracy', 7, counts, NONE), score('accuracy', 2, [packLanes(x, CELLS)], NONE));
      }),
      { seed: 16, numRuns: 300 },
    );
  });

  it('pays in order: nothing below the gate, then at most the estimate, and never more than one', () => {
    fc.assert(
      fc.property(drawn, zMicro, fc.bigInt(0n, 9_999n), (x, z, minDeltaBps) => {
        const s = scoreOf(x, { zMicro: z, minDeltaBps });
        assert(s.failed === 'undefined' || s.payableBps <= s.deltaOneBps);
        if (s.failed !== '') return;
        assert(minDeltaBps < s.payableBps && s.deltaOneBps <= 10_000n);
        assert(reward(s.payableBps, 10n ** 18n, 2n ** 128n) <= reward(s.deltaOneBps, 10n ** 18n, 2n ** 128n));
      }),
      { seed: 17, numRuns: 2_000 },
    );
  });
});

describe('attacks on the DeltaOne score of other metrics', () => {
  const binary = (...x: number[]) => [packLanes(x.map(BigInt), CELLS)];

  it('attack: call two rows positive, both by luck, for a precision of 1', () => {
    // 40 % of what the baseline calls positive is positive; the candidate's two hits may be chance.
    const counts = binary(700, 58, 60, 38, 0, 0, 0, 2);
    assert.equal(score('precision', 2, counts, NONE).failed, '');
    const { failed, deltaOneBps } = score('precision', 2, counts, { ...NONE, minPositives: 30n });
    assert.deepEqual([failed, deltaOneBps], ['positives', 6_000n]);
  });

  it('attack: call no row positive', () => {
    const { failed, deltaOneBps } = score('precision', 2, binary(700, 60, 60, 40, 0, 0, 0, 0), NONE);
    assert.deepEqual([failed, deltaOneBps], ['bound', -4_000n]);
    for (const metric of ['recall', 'f1']) {
      assert.equal(score(metric, 2, binary(700, 60, 60, 40, 0, 0, 0, 0), NONE).failed, 'bound');
    }
  });

  it('attack: be paid for a metric that the baseline does not have', () => {
    const zero = { ...NONE, zMicro: 0n };
    assert.equal(score('precision', 2, binary(700, 60, 0, 0, 0, 40, 0, 0), zero).failed, 'undefined');
    assert.equal(score('recall', 2, binary(700, 0, 60, 0, 0, 0, 0, 0), zero).failed, 'undefined');
    assert.equal(
      score(
        'mse',
        0,
        squaredCounts([
          [5, 1, 5],
          [5, 9, 5],
        ]),
        zero,
      ).failed,
      'undefined',
    );
    assert.equal(
      score(
        'mae',
        0,
        absoluteCounts([
          [5, 1, 5],
          [5, 9, 5],
        ]),
        zero,
      ).failed,
      'undefined',
    );
    assert.equal(
      score(
        'auroc',
        2,
        aurocCounts([
          [1, 1, 9],
          [1, 3, 8],
          [1, 2, 5],
        ]),
        zero,
      ).failed,
      'undefined',
    );
  });

  it('attack: buy recall with precision', () => {
    const better = binary(700, 20, 10, 0, 150, 80, 10, 100);
    assert.equal(score('recall', 2, better, NONE).failed, '');
    const guarded = (metric: string, maxLossBps: bigint, on = better) =>
      score('recall', 2, on, { ...NONE, guardrails: [{ metric, maxLossBps }] }).failed;
    // Precision falls from 100 / 120 to 180 / 340: by 3,039.2 bps, which is a floor of -3,040.
    assert.deepEqual([guarded('precision', 3_039n), guarded('precision', 3_040n)], ['guardrail', '']);
    assert.deepEqual([guarded('f1', 0n), guarded('recall', 0n), guarded('accuracy', 0n)], ['', '', 'guardrail']);
  });

  it('attack: a guardrail that the counts cannot tell of', () => {
    const fails = (metric: string, classes: number, counts: bigint[], guardrail: string) => {
      const guardrails = [{ metric: guardrail, maxLossBps: 65_535n }];
      assert.equal(
        score(metric, classes, counts, { ...NONE, guardrails }).failed,
        'guardrail',
        `${metric} ${guardrail}`,
      );
    };
    const gained = binary(500, 10, 0, 100, 0, 300, 0, 100);
    for (const name of ['auroc', 'mse', 'balanced', '']) fails('accuracy', 2, gained, name);
    // Nobody calls anything positive at first: there is no precision to lose.
    fails('recall', 2, binary(500, 10, 0, 0, 0, 300, 0, 0), 'precision');
    fails('accuracy', 3, [packLanes([900n, 300n, 700n, 450n, 50n], CLASSES)], 'recall');
    const rows: RegressionRow[] = Array.from({ length: 40 }, (_, i) => [i * 100, i * 100 + 900 + i, i * 100 + 5]);
    fails('mse', 0, squaredCounts(rows), 'mae');
    const scored: ScoredRow[] = Array.from({ length: 60 }, (_, i) => [
      i & 1,
      (i * 7) % 13,
      (i & 1) * 50 + ((i * 7) % 60),
    ]);
    fails('auroc', 2, aurocCounts(scored), 'accuracy');
    const own = [{ metric: 'auroc', maxLossBps: 0n }];
    assert.equal(score('auroc', 2, aurocCounts(scored), { ...NONE, guardrails: own }).failed, '');
  });

  it('attack: a baseline much worse than a constant', () => {
    const rows: RegressionRow[] = Array.from({ length: 100 }, (_, i) => [
      1_000 + i,
      60_000 + i,
      1_000 + ((i * 7) % 100),
    ]);
    for (const [metric, counts] of [
      ['mse', squaredCounts(rows)],
      ['mae', absoluteCounts(rows)],
    ] as const) {
      assert.deepEqual(score(metric, 0, counts, NONE), {
        ...{ n: 100n, deltaOneBps: 10_000n, payableBps: 10_000n, failed: '' },
      });
    }
  });

  it('attack: ask for positives where there are none to count', () => {
    const rows: RegressionRow[] = Array.from({ length: 40 }, (_, i) => [i * 100, i * 100 + 900 + i, i * 100 + 5]);
    assert.equal(score('mse', 0, squaredCounts(rows), { ...NONE, minPositives: 1n }).failed, 'positives');
    const classes = [packLanes([900n, 300n, 700n, 450n, 50n], CLASSES)];
    assert.equal(score('accuracy', 3, classes, { ...NONE, minPositives: 1n }).failed, 'positives');
  });
});

/** The same comparison with the two models in each other's place. */
function swapped({ metric, counts: [first = 0n, second = 0n] }: Drawn): bigint[] {
  const lane = (from: number, bits: number) => BigInt.asUintN(bits, first >> BigInt(from));
  if (metric === 'mse') return [packLanes([lane(0, 31), lane(94, 63), lane(31, 63)], [31, 63, 63]), second];
  if (metric === 'auroc') return [packLanes([lane(0, 62), lane(123, 61), lane(62, 61)], [62, 61, 61]), second];
  if (metric === 'mae') {
    return [packLanes([lane(0, 31), lane(78, 47), lane(31, 47), lane(125, 62)], [31, 47, 47, 62]), second];
  }
  const x = CELLS.map((_, k) => lane(31 * k, 31));
  return [packLanes([x[0]!, x[1]!, x[4]!, x[5]!, x[2]!, x[3]!, x[6]!, x[7]!], CELLS)];
}

/** The gain of skill by the definition of variance, row by row; `null` where the labels are all the same. */
function ofRows(rows: readonly RegressionRow[], error: (e: number) => number, metric: string) {
  const n = BigInt(rows.length);
  const d = rows.map(([y, b, c]) => BigInt(error(b - y) - error(c - y)));
  const mean = fraction(
    d.reduce((a, b) => a + b),
    n,
  );
  const deviations = (values: bigint[], from: reference.Fraction) =>
    values.reduce((sum, value) => {
      const away = reference.minus(fraction(value), from);
      return reference.plus(sum, reference.times(away, away));
    }, fraction(0n));
  const labels = rows.map(([y]) => y).sort((a, b) => a - b);
  const centre = labels[(labels.length - 1) >> 1]!;
  const y = labels.map(BigInt);
  const C =
    metric === 'mse'
      ? deviations(
          y,
          fraction(
            y.reduce((a, b) => a + b),
            n,
          ),
        )
      : fraction(labels.reduce((sum, label) => sum + BigInt(Math.abs(label - centre)), 0n));
  if (C[0] === 0n) return null;
  const unit = reference.over(C, fraction(n));
  const variance = reference.over(deviations(d, mean), fraction((n - 1n) * n));
  return { point: reference.over(mean, unit), variance: reference.over(variance, reference.times(unit, unit)) };
}
