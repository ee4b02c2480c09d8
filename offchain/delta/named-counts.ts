/** The counts of a score with their names: all that a proof reveals of a fold's rows, as an attestation states it. */
import type { z } from 'zod';
import type { zCounts } from '../attestation/attest.ts';
import { isRanking } from './auroc.ts';
import { LANES, lanes, packLanes } from './counts.ts';
import { pack } from './delta.ts';

export type Counts = z.infer<typeof zCounts>;
/** Of the ROC curve. */
export type RankingCounts = Extract<Counts, { positives: number }>;

/**
 * What the words of a metric's counts say.
 *
 * @throws HokusaiError `DELTA_COUNTS_OUT_OF_RANGE` (terminal) for a word with bits outside its lanes
 */
export function namedCounts(metric: string, classes: number, [first = 0n, second = 0n]: readonly bigint[]): Counts {
  if (metric === 'mse') {
    const [n, baselineErrors, candidateErrors] = lanes(first, LANES.mse[0]).map(String);
    const [squares, labels, squaredLabels] = lanes(second, LANES.mse[1]).map(String);
    return { n: Number(n), baselineErrors, candidateErrors, squares, labels, squaredLabels } as Counts;
  }
  if (metric === 'mae') {
    const [n, baselineErrors, candidateErrors, below, above] = lanes(first, LANES.mae[0]).map(String);
    const [squares, deviations] = lanes(second, LANES.mae[1]).map(String);
    const rows = { n: Number(n), below: Number(below), above: Number(above) };
    return { ...rows, baselineErrors, candidateErrors, squares, deviations } as Counts;
  }
  if (isRanking(metric)) {
    const [positives, negatives, baselinePlacements, candidatePlacements] = lanes(first, LANES.auroc[0]).map(String);
    const [positiveSquares, negativeSquares] = lanes(second, LANES.auroc[1]).map(String);
    const rows = {
      n: Number(positives) + Number(negatives),
      positives: Number(positives),
      negatives: Number(negatives),
    };
    return { ...rows, baselinePlacements, candidatePlacements, positiveSquares, negativeSquares } as Counts;
  }
  if (classes > 2) {
    const [n, baselineCorrect, candidateCorrect, fixed, broken] = lanes(first, LANES.classes).map(Number);
    return { n, baselineCorrect, candidateCorrect, fixed, broken } as Counts;
  }
  const cells = lanes(first, LANES.cells).map(Number);
  const n = cells.reduce((sum, count) => sum + count, 0);
  return { cells, n, fixed: cells[2]! + cells[5]!, broken: cells[3]! + cells[4]! };
}

/**
 * The words of named counts: the inverse of {@link namedCounts}.
 *
 * @throws HokusaiError `DELTA_COUNTS_OUT_OF_RANGE` (terminal) for a count that its lane does not hold
 */
export function countWords(counts: Counts): bigint[] {
  if ('cells' in counts) return [pack(counts.cells)];
  if ('fixed' in counts) {
    const { n, baselineCorrect, candidateCorrect, fixed, broken } = counts;
    return [packed([n, baselineCorrect, candidateCorrect, fixed, broken], LANES.classes)];
  }
  if ('positives' in counts) {
    const { positives, negatives, baselinePlacements, candidatePlacements, positiveSquares, negativeSquares } = counts;
    const first = packed([positives, negatives, baselinePlacements, candidatePlacements], LANES.auroc[0]);
    return [first, packed([positiveSquares, negativeSquares], LANES.auroc[1])];
  }
  const { n, baselineErrors, candidateErrors, squares } = counts;
  if ('deviations' in counts) {
    const first = packed([n, baselineErrors, candidateErrors, counts.below, counts.above], LANES.mae[0]);
    return [first, packed([squares, counts.deviations], LANES.mae[1])];
  }
  const first = packed([n, baselineErrors, candidateErrors], LANES.mse[0]);
  return [first, packed([squares, counts.labels, counts.squaredLabels], LANES.mse[1])];
}

const packed = (values: readonly (number | string)[], bits: readonly number[]): bigint =>
  packLanes(values.map(BigInt), bits);
