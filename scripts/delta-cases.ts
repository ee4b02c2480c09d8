// The edge cases of the DeltaOne score that scripts/delta-vectors.ts makes a table of. Long, as it is one.
import type * as reference from '../test/offchain/delta-reference.ts';
import { ABSOLUTE, AUROC, CELLS, CLASSES, packLanes, SQUARED } from '../test/offchain/delta-rows.ts';

const LANE_MAX = 2n ** 31n - 1n;
export const Z05 = 1_644_854n;
const Z0025 = 2_807_034n;
export const A05 = 53_687_091n;
const A0025 = 2_684_354n;

type Row = [name: string, lanes: bigint[], zMicro: bigint, alpha30: bigint, minDeltaBps?: bigint];
type Guardrails = readonly (readonly [metric: string, maxLossBps: bigint])[];

/** Terms that a case wants to be different from the usual ones. */
export interface Changes {
  zMicro?: bigint;
  alpha30?: bigint;
  minDeltaBps?: bigint;
  minRows?: bigint;
  minPositives?: bigint;
  guardrails?: Guardrails;
}

/** Lanes of n rows, b fixed and c broken: the rest is right before and after. */
function lanes(n: bigint, b: bigint, c: bigint): bigint[] {
  return [n - b - c, 0n, b / 2n, c / 2n, c - c / 2n, b - b / 2n, 0n, 0n];
}

export const accuracies: Row[] = [
  ['one row, tied', lanes(1n, 0n, 0n), Z05, A05],
  ['one row, fixed', lanes(1n, 1n, 0n), Z05, A05],
  ['one row, broken', lanes(1n, 0n, 1n), Z05, A05],
  ['all fixed', lanes(1000n, 1000n, 0n), Z05, A05],
  ['all broken', lanes(1000n, 0n, 1000n), Z05, A05],
  ['nothing changed', lanes(1000n, 0n, 0n), Z05, A05],
  ['tie', lanes(1000n, 50n, 50n), Z05, A05],
  ['one ahead', lanes(1000n, 51n, 50n), Z05, A05],
  ['one behind', lanes(1000n, 50n, 51n), Z05, A05],
  ['minus a third of a bps is minus one bps', lanes(30_000n, 0n, 1n), Z05, A05],
  ['four fixed, alpha 1/16 would pass and 0.05 does not', lanes(100n, 4n, 0n), Z05, A05],
  ['five fixed pass the exact test at 0.05', lanes(100n, 5n, 0n), Z05, A05],
  ['exact test at equality: 1/2^5 <= 2^25/2^30', lanes(100n, 5n, 0n), Z05, 2n ** 25n],
  ['exact test one unit below equality', lanes(100n, 5n, 0n), Z05, 2n ** 25n - 1n],
  ['exact test at the largest alpha, one ahead', lanes(1000n, 51n, 50n), 1n, 2n ** 29n],
  ['exact test at the largest alpha, tied', lanes(1000n, 50n, 50n), 1n, 2n ** 29n],
  ['225 discordant, just passing', lanes(4096n, 126n, 99n), Z05, A05],
  ['225 discordant, just failing', lanes(4096n, 125n, 100n), Z05, A05],
  ['225 discordant, all fixed', lanes(225n, 225n, 0n), Z0025, A0025],
  ['226 discordant, the exact test does not apply', lanes(4096n, 113n, 113n), Z05, A05],
  ['226 discordant, ahead', lanes(4096n, 140n, 86n), Z05, A05],
  ['40 of 4,096 ahead at alpha 0.05', lanes(4096n, 102n, 62n), Z05, A05],
  ['40 of 4,096 ahead at alpha 0.05 / 20', lanes(4096n, 102n, 62n), Z0025, A0025],
  ['lower bound equal to the least gain is not above it', lanes(4096n, 302n, 62n), Z05, A05, 510n],
  ['lower bound one above the least gain', lanes(4096n, 302n, 62n), Z05, A05, 509n],
  ['with the root rounded down the bound would be 1,637', lanes(3n, 3n, 0n), 1_470_767n, A05],
  ['one row fewer than asked for', lanes(99n, 6n, 0n), Z05, A05],
  ['as many rows as asked for', lanes(100n, 6n, 0n), Z05, A05],
  ['one lane full', [LANE_MAX, 0n, 0n, 0n, 0n, 0n, 0n, 0n], Z05, A05],
  ['a full lane fixed', [0n, 0n, LANE_MAX, 0n, 0n, 0n, 0n, 0n], Z05, A05],
  ['a full lane broken', [0n, 0n, 0n, 0n, LANE_MAX, 0n, 0n, 0n], 10_000_000n, 1n],
  ['2^31 - 1 rows, 1 point ahead', lanes(LANE_MAX, 42_949_672n, 21_474_836n), Z0025, A0025],
];

/** Rows of cells 0 to 7, and what fails beside rows and bound: nothing of that is in the definitions of the metrics. */
export const binaries: [
  name: string,
  metric: reference.RatioMetric,
  cells: bigint[],
  failed?: string | undefined,
  changes?: Changes,
][] = [
  ['precision: gained', 'precision', [500n, 40n, 60n, 100n, 10n, 60n, 20n, 200n]],
  ['precision: lost', 'precision', [500n, 40n, 10n, 60n, 60n, 100n, 20n, 200n]],
  [
    'precision: a candidate that calls 21 rows positive, of 21',
    'precision',
    [500n, 100n, 60n, 80n, 4n, 9n, 2n, 6n],
    undefined,
    { minPositives: 21n },
  ],
  [
    'precision: a candidate that calls 21 rows positive, of 22',
    'precision',
    [500n, 100n, 60n, 80n, 4n, 9n, 2n, 6n],
    'positives',
    { minPositives: 22n },
  ],
  ['precision: nothing changed', 'precision', [500n, 100n, 0n, 0n, 0n, 0n, 60n, 300n]],
  ['precision: the baseline calls nothing positive', 'precision', [500n, 40n, 0n, 0n, 10n, 60n, 0n, 0n], 'undefined'],
  ['precision: the candidate calls nothing positive', 'precision', [500n, 40n, 20n, 60n, 0n, 0n, 0n, 0n]],
  ['precision: by two rows', 'precision', [700n, 58n, 60n, 38n, 0n, 0n, 0n, 2n]],
  [
    'precision: by two rows, of 30',
    'precision',
    [700n, 58n, 60n, 38n, 0n, 0n, 0n, 2n],
    'positives',
    { minPositives: 30n },
  ],
  [
    'precision: a baseline of 29, of 30',
    'precision',
    [700n, 58n, 20n, 3n, 0n, 70n, 1n, 5n],
    'positives',
    { minPositives: 30n },
  ],
  [
    'precision: a baseline of 30, of 30',
    'precision',
    [700n, 58n, 20n, 4n, 0n, 70n, 1n, 5n],
    undefined,
    { minPositives: 30n },
  ],
  ['recall: gained', 'recall', [500n, 40n, 60n, 20n, 10n, 90n, 20n, 200n]],
  [
    'recall: four fixed, the bound is above zero and the exact test fails',
    'recall',
    [100n, 1n, 0n, 0n, 0n, 4n, 0n, 2n],
    'exact',
  ],
  [
    'recall: one row, which is enough for the guardrail of accuracy',
    'recall',
    [0n, 0n, 0n, 0n, 0n, 1n, 0n, 0n],
    undefined,
    { minRows: 1n, zMicro: 1n, alpha30: 2n ** 29n, guardrails: [['accuracy', 0n]] },
  ],
  [
    'recall: a guardrail of which the baseline has one row',
    'recall',
    [500n, 40n, 0n, 0n, 0n, 90n, 0n, 1n],
    undefined,
    { guardrails: [['precision', 0n]] },
  ],
  ['recall: no positive row', 'recall', [500n, 0n, 60n, 0n, 10n, 0n, 20n, 0n], 'undefined'],
  [
    'recall: 349 positive rows, of 350',
    'recall',
    [500n, 40n, 60n, 20n, 10n, 89n, 20n, 200n],
    'positives',
    { minPositives: 350n },
  ],
  [
    'recall: with precision lost',
    'recall',
    [700n, 20n, 10n, 0n, 150n, 80n, 10n, 100n],
    'guardrail',
    {
      guardrails: [
        ['f1', 0n],
        ['precision', 3_039n],
      ],
    },
  ],
  [
    'recall: with precision lost as far as it may',
    'recall',
    [700n, 20n, 10n, 0n, 150n, 80n, 10n, 100n],
    undefined,
    {
      guardrails: [
        ['f1', 0n],
        ['precision', 3_040n],
      ],
    },
  ],
  [
    'recall: a guardrail that nobody knows',
    'recall',
    [700n, 20n, 10n, 0n, 150n, 80n, 10n, 100n],
    'guardrail',
    { guardrails: [['auroc', 65_535n]] },
  ],
  [
    'recall: a guardrail that is undefined',
    'recall',
    [700n, 20n, 0n, 0n, 150n, 80n, 0n, 0n],
    'guardrail',
    { guardrails: [['precision', 65_535n]] },
  ],
  [
    'f1: 366 positive rows, of 366',
    'f1',
    [500n, 41n, 62n, 23n, 14n, 95n, 26n, 207n],
    undefined,
    { minPositives: 366n },
  ],
  [
    'f1: 366 positive rows, of 367',
    'f1',
    [500n, 41n, 62n, 23n, 14n, 95n, 26n, 207n],
    'positives',
    { minPositives: 367n },
  ],
  ['f1: gained', 'f1', [500n, 40n, 60n, 20n, 10n, 90n, 20n, 200n]],
  [
    'f1: gained, and accuracy with it',
    'f1',
    [500n, 40n, 60n, 20n, 10n, 90n, 20n, 200n],
    undefined,
    { guardrails: [['accuracy', 0n]] },
  ],
  ['f1: the candidate calls nothing positive', 'f1', [500n, 40n, 20n, 60n, 0n, 0n, 0n, 0n]],
  ['f1: nothing is positive', 'f1', [500n, 0n, 0n, 0n, 0n, 0n, 0n, 0n], 'undefined'],
  ['f1: z at its limit', 'f1', [500n, 40n, 60n, 20n, 10n, 90n, 20n, 200n], undefined, { zMicro: 10_000_000n }],
  ['f1: as many rows as a fold may have', 'f1', [1n, 1n, 1n, 1n, 1n, LANE_MAX - 7n, 1n, 1n]],
  [
    'f1: as many rows, half of them broken',
    'f1',
    [1n, 0n, 0n, LANE_MAX / 2n, LANE_MAX / 2n, 0n, 0n, 0n],
    undefined,
    { zMicro: 10_000_000n },
  ],
  ['precision: as many rows as a fold may have', 'precision', [0n, 1n, LANE_MAX / 2n, 0n, 0n, LANE_MAX / 2n, 0n, 0n]],
  [
    'precision: one row',
    'precision',
    [0n, 0n, 1n, 0n, 0n, 0n, 0n, 0n],
    undefined,
    { minRows: 1n, zMicro: 10_000_000n },
  ],
];

/** n, right by the baseline, right by the candidate, fixed, broken. */
export const classes: [name: string, lanes: bigint[], failed?: string | undefined, changes?: Changes][] = [
  ['three classes: gained', [900n, 300n, 700n, 450n, 50n]],
  ['three classes: its own guardrail', [900n, 300n, 700n, 450n, 50n], undefined, { guardrails: [['accuracy', 0n]] }],
  [
    'three classes: another guardrail',
    [900n, 300n, 700n, 450n, 50n],
    'guardrail',
    { guardrails: [['recall', 65_535n]] },
  ],
  ['three classes: positives are not known', [900n, 300n, 700n, 450n, 50n], 'positives', { minPositives: 1n }],
  ['three classes: four fixed', [100n, 90n, 94n, 4n, 0n]],
  ['three classes: all broken', [LANE_MAX, LANE_MAX, 0n, 0n, LANE_MAX]],
];

/** n, errors of both, squares, sum of the labels and of their squares. */
export const squared: [name: string, sums: bigint[], failed?: string | undefined, changes?: Changes][] = [
  ['mse: gained', [400n, 9_000_000n, 7_000_000n, 300_000_000_000n, 400_000n, 420_000_000n]],
  [
    'mse: gained, and z at its limit',
    [400n, 9_000_000n, 7_000_000n, 300_000_000_000n, 400_000n, 420_000_000n],
    undefined,
    { zMicro: 10_000_000n },
  ],
  ['mse: lost', [400n, 7_000_000n, 9_000_000n, 300_000_000_000n, 400_000n, 420_000_000n]],
  ['mse: minus a little is minus one bps', [400n, 7_000_000n, 7_000_001n, 300n, 400_000n, 420_000_000n]],
  ['mse: each row the same better', [400n, 800n, 400n, 400n, 400_000n, 400_010_000n]],
  [
    'mse: a baseline much worse than the mean',
    [400n, 4_000_000_000n, 4_000_000n, 39_920_040_000_000_000n, 400_000n, 400_010_000n],
  ],
  [
    'mse: a candidate much worse than the mean',
    [400n, 4_000_000n, 4_000_000_000n, 39_920_040_000_000_000n, 400_000n, 400_010_000n],
  ],
  ['mse: the labels are all the same', [400n, 800n, 400n, 400n, 400_000n, 400_000_000n], 'undefined'],
  ['mse: one row', [1n, 800n, 400n, 160_000n, 40n, 1_600n], 'undefined', { minRows: 1n }],
  [
    'mse: no guardrail by accuracy',
    [400n, 800n, 400n, 400n, 400_000n, 400_010_000n],
    'guardrail',
    { guardrails: [['accuracy', 65_535n]] },
  ],
  [
    'mse: every lane at its most',
    [LANE_MAX, 2n ** 63n - 1n, 2n ** 62n, 2n ** 95n - 1n, 2n ** 46n, 2n ** 63n - 1n],
    undefined,
    { zMicro: 10_000_000n },
  ],
];

/** n, errors of both, labels below and above the centre, squares, C. */
export const absolute: [name: string, sums: bigint[], failed?: string | undefined, changes?: Changes][] = [
  ['mae: gained', [400n, 60_000n, 50_000n, 200n, 199n, 9_000_000n, 160_000n]],
  ['mae: a thousandth short of 9,000 bps', [8_999_999n, 9_000_000n, 1n, 0n, 0n, 8_999_999n, 10_000_000n]],
  ['mae: lost', [400n, 50_000n, 60_000n, 200n, 199n, 9_000_000n, 160_000n]],
  [
    'mae: least gain not exceeded',
    [400n, 60_000n, 50_000n, 200n, 199n, 9_000_000n, 160_000n],
    'bound',
    { minDeltaBps: 625n },
  ],
  ['mae: the labels are all the same', [400n, 50_000n, 40_000n, 0n, 0n, 9_000_000n, 0n], 'undefined'],
  ['mae: half of the labels above the centre', [400n, 60_000n, 50_000n, 199n, 200n, 9_000_000n, 160_000n]],
  [
    'mae: the second word full',
    [LANE_MAX, 2n ** 46n, 2n ** 45n, 0n, 0n, 2n ** 63n - 1n, 2n ** 47n - 1n],
    undefined,
    { zMicro: 10_000_000n },
  ],
  [
    'mae: every lane at its most',
    [LANE_MAX, 2n ** 46n, 2n ** 47n - 1n, 0n, 0n, 2n ** 63n - 1n, 1n],
    undefined,
    { zMicro: 10_000_000n },
  ],
];

/** m, k, placements of both, squares over the positives and over the negatives. */
export const areas: [name: string, sums: bigint[], failed?: string | undefined, changes?: Changes][] = [
  ['auroc: gained', [100n, 300n, 40_000n, 46_000n, 500_000n, 200_000n]],
  ['auroc: lost', [100n, 300n, 46_000n, 40_000n, 500_000n, 200_000n]],
  [
    'auroc: 99 positive rows, of 100',
    [99n, 301n, 40_000n, 46_000n, 500_000n, 200_000n],
    'positives',
    { minPositives: 100n },
  ],
  ['auroc: one positive row has no variance', [1n, 399n, 400n, 700n, 90_000n, 300n], 'undefined'],
  ['auroc: no negative row', [400n, 0n, 0n, 0n, 0n, 0n], 'undefined'],
  ['auroc: each placement the same better', [100n, 300n, 30_000n, 60_000n, 9_000_000n, 3_000_000n]],
  [
    'auroc: as many rows as a fold may have',
    [2n ** 30n - 1n, 2n ** 30n, 0n, 2n ** 61n - 2n ** 31n, 2n ** 92n, 2n ** 92n],
    undefined,
    { zMicro: 10_000_000n },
  ],
];

type Refused = [name: string, error: string, metric: string, classes: number, counts: bigint[], changes?: Changes];
const one = [packLanes([400n, 800n, 400n], SQUARED[0]), packLanes([400n, 400_000n, 400_010_000n], SQUARED[1])];
export const refused: Refused[] = [
  ['accuracy of one class', 'DeltaOneUnsupportedMetric', 'accuracy', 1, [1n]],
  ['f1 of three classes', 'DeltaOneUnsupportedMetric', 'f1', 3, [1n]],
  ['mse of two classes', 'DeltaOneUnsupportedMetric', 'mse', 2, [1n, 1n]],
  ['auroc of no classes', 'DeltaOneUnsupportedMetric', 'auroc', 0, [1n, 1n]],
  ['mape', 'DeltaOneUnsupportedMetric', 'mape', 0, [1n, 1n]],
  ['no counts', 'DeltaOneCountsLength', 'accuracy', 2, []],
  ['too few words', 'DeltaOneCountsLength', 'auroc', 2, [1n]],
  ['too many words', 'DeltaOneCountsLength', 'recall', 2, [1n, 1n]],
  ['alpha above one half', 'DeltaOneTermsOutOfRange', 'recall', 2, [1n], { alpha30: 2n ** 29n + 1n }],
  ['z above ten', 'DeltaOneTermsOutOfRange', 'mse', 0, one, { zMicro: 10_000_001n }],
  ['cells: a bit above the lanes', 'DeltaOneCountsOutOfRange', 'accuracy', 2, [1n << 248n]],
  ['cells: a bit above the lanes, for f1', 'DeltaOneCountsOutOfRange', 'f1', 2, [1n << 255n]],
  [
    'cells: more rows than a fold may have',
    'DeltaOneCountsOutOfRange',
    'accuracy',
    2,
    [packLanes(Array<bigint>(8).fill(LANE_MAX), CELLS)],
  ],
  [
    'cells: one row more than a fold may have',
    'DeltaOneCountsOutOfRange',
    'precision',
    2,
    [packLanes([LANE_MAX, 1n, 0n, 0n, 0n, 0n, 0n, 0n], CELLS)],
  ],
  ['classes: a bit above the lanes', 'DeltaOneCountsOutOfRange', 'accuracy', 3, [1n << 155n]],
  [
    'classes: more gained than fixed',
    'DeltaOneCountsOutOfRange',
    'accuracy',
    3,
    [packLanes([900n, 300n, 701n, 450n, 50n], CLASSES)],
  ],
  [
    'classes: more fixed than was wrong',
    'DeltaOneCountsOutOfRange',
    'accuracy',
    3,
    [packLanes([900n, 300n, 850n, 601n, 51n], CLASSES)],
  ],
  [
    'classes: more broken than was right',
    'DeltaOneCountsOutOfRange',
    'accuracy',
    3,
    [packLanes([900n, 30n, 80n, 100n, 50n], CLASSES)],
  ],
  [
    'mse: less variance than none',
    'DeltaOneCountsOutOfRange',
    'mse',
    0,
    [one[0]!, packLanes([399n, 400_000n, 400_010_000n], SQUARED[1])],
  ],
  [
    'mse: labels with less variance than none',
    'DeltaOneCountsOutOfRange',
    'mse',
    0,
    [one[0]!, packLanes([400n, 400_000n, 399_999_999n], SQUARED[1])],
  ],
  [
    'mse: a bit above the lanes of the first word',
    'DeltaOneCountsOutOfRange',
    'mse',
    0,
    [one[0]! + (1n << 157n), one[1]!],
  ],
  [
    'mse: a bit above the lanes of the second word',
    'DeltaOneCountsOutOfRange',
    'mse',
    0,
    [one[0]!, one[1]! + (1n << 205n)],
  ],
  [
    'mae: a centre that is no median',
    'DeltaOneCountsOutOfRange',
    'mae',
    0,
    [packLanes([400n, 9n, 9n, 201n, 0n], ABSOLUTE[0]), packLanes([9n, 9n], ABSOLUTE[1])],
  ],
  [
    'mae: a centre that is no median, as too many are above',
    'DeltaOneCountsOutOfRange',
    'mae',
    0,
    [packLanes([400n, 9n, 9n, 0n, 201n], ABSOLUTE[0]), packLanes([9n, 9n], ABSOLUTE[1])],
  ],
  [
    'mae: more labels below the centre than a fold has rows',
    'DeltaOneCountsOutOfRange',
    'mae',
    0,
    [packLanes([400n, 9n, 9n, 2n ** 30n, 0n], ABSOLUTE[0]), packLanes([9n, 9n], ABSOLUTE[1])],
  ],
  [
    'mae: more labels above the centre than a fold has rows',
    'DeltaOneCountsOutOfRange',
    'mae',
    0,
    [packLanes([400n, 9n, 9n, 0n, 2n ** 30n], ABSOLUTE[0]), packLanes([9n, 9n], ABSOLUTE[1])],
  ],
  [
    'mae: a bit above the lanes of the first word',
    'DeltaOneCountsOutOfRange',
    'mae',
    0,
    [packLanes([400n, 9n, 9n, 200n, 0n], ABSOLUTE[0]) + (1n << 187n), packLanes([9n, 9n], ABSOLUTE[1])],
  ],
  [
    'mae: a bit above the lanes of the second word',
    'DeltaOneCountsOutOfRange',
    'mae',
    0,
    [packLanes([400n, 9n, 9n, 200n, 0n], ABSOLUTE[0]), packLanes([9n, 9n], ABSOLUTE[1]) + (1n << 110n)],
  ],
  [
    'mae: less variance than none',
    'DeltaOneCountsOutOfRange',
    'mae',
    0,
    [packLanes([4n, 9n, 1n, 2n, 2n], ABSOLUTE[0]), packLanes([15n, 9n], ABSOLUTE[1])],
  ],
  [
    'auroc: a bit above the lanes of the first word',
    'DeltaOneCountsOutOfRange',
    'auroc',
    2,
    [packLanes([2n, 3n, 0n, 12n], AUROC[0]) + (1n << 184n), packLanes([72n, 48n], AUROC[1])],
  ],
  [
    'auroc: a bit above the lanes of the second word',
    'DeltaOneCountsOutOfRange',
    'auroc',
    2,
    [packLanes([2n, 3n, 0n, 12n], AUROC[0]), packLanes([72n, 48n], AUROC[1]) + (1n << 186n)],
  ],
  [
    'auroc: more placements than pairs',
    'DeltaOneCountsOutOfRange',
    'auroc',
    2,
    [packLanes([2n, 3n, 13n, 0n], AUROC[0]), packLanes([2n ** 90n, 2n ** 90n], AUROC[1])],
  ],
  [
    'auroc: more placements of the candidate than pairs',
    'DeltaOneCountsOutOfRange',
    'auroc',
    2,
    [packLanes([2n, 3n, 0n, 13n], AUROC[0]), packLanes([2n ** 90n, 2n ** 90n], AUROC[1])],
  ],
  [
    'auroc: less variance than none',
    'DeltaOneCountsOutOfRange',
    'auroc',
    2,
    [packLanes([2n, 3n, 0n, 12n], AUROC[0]), packLanes([72n, 47n], AUROC[1])],
  ],
  [
    'auroc: more rows than a fold may have',
    'DeltaOneCountsOutOfRange',
    'auroc',
    2,
    [packLanes([2n ** 30n, 2n ** 30n, 0n, 0n], AUROC[0]), 0n],
  ],
];
