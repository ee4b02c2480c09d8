import { LANES, packLanes } from '../delta/counts.ts';
import { pack } from '../delta/delta.ts';
import { isSkill } from '../delta/skill.ts';
import { jointCounts } from '../metrics/exact.ts';
import { placementsOf } from './placements.ts';

/** The rows of a benchmark fold and what two models predict on them, all of length n. */
export interface ScoreRows {
  /** Of the fold: `accuracy`, `precision`, `recall`, `f1`, `mse`, `mae` or `auroc`. */
  readonly metric: string;
  /** Of the fold: 2 to 256, 0 for a regression. */
  readonly classes: number;
  /** A class each, below `classes`; of a regression 0..65535. */
  readonly labels: Uint8Array | Uint16Array;
  /** Likewise; for `auroc` scores, 0..65535. */
  readonly baselinePredictions: Uint8Array | Uint16Array;
  readonly candidatePredictions: Uint8Array | Uint16Array;
}

/** The counts that a score circuit reveals, in one word or two: what `DeltaOne.sol` decodes for the metric. */
export function countsOf(rows: ScoreRows): bigint[] {
  const { metric, classes, labels, baselinePredictions, candidatePredictions } = rows;
  const [n, b, c] = [labels, baselinePredictions, candidatePredictions].map(({ length }) => length);
  if (b !== n || c !== n) throw new RangeError(`${n} labels, ${b} and ${c} predictions`);
  if (isSkill(metric)) return errorCounts(metric, rows);
  if (metric === 'auroc') return placementCounts(rows);
  if (classes > 2) return [classCounts(rows)];
  return [pack(jointCounts(labels, baselinePredictions, candidatePredictions))];
}

/** Rows, rows that the baseline has right, rows that the candidate has right, rows that it fixed, rows that it broke. */
function classCounts({ labels, baselinePredictions, candidatePredictions }: ScoreRows): bigint {
  let [baseline, candidate, fixed, broken] = [0, 0, 0, 0];
  for (const [row, label] of labels.entries()) {
    const [b, c] = [baselinePredictions[row] === label, candidatePredictions[row] === label];
    baseline += Number(b);
    candidate += Number(c);
    fixed += Number(c && !b);
    broken += Number(b && !c);
  }
  return pack([labels.length, baseline, candidate, fixed, broken]);
}

/** Sums of errors, squared or absolute, of their squared differences, and of the errors that a constant makes. */
function errorCounts(metric: 'mse' | 'mae', rows: ScoreRows): bigint[] {
  const { labels, baselinePredictions, candidatePredictions } = rows;
  const errorOf = (a: number, b: number) => BigInt(metric === 'mse' ? (a - b) ** 2 : Math.abs(a - b));
  const centre = medianOf(labels);
  let [baseline, candidate, squares, sum, squaredLabels, deviations, below, above] = new Array<bigint>(8).fill(0n);
  for (const [row, label] of labels.entries()) {
    const errors = [errorOf(label, baselinePredictions[row]!), errorOf(label, candidatePredictions[row]!)] as const;
    baseline! += errors[0];
    candidate! += errors[1];
    squares! += (errors[0] - errors[1]) ** 2n;
    sum! += BigInt(label);
    squaredLabels! += BigInt(label ** 2);
    deviations! += BigInt(Math.abs(label - centre));
    if (label < centre) below!++;
    if (label > centre) above!++;
  }
  const n = BigInt(labels.length);
  if (metric === 'mse') {
    const first = packLanes([n, baseline!, candidate!], LANES.mse[0]);
    return [first, packLanes([squares!, sum!, squaredLabels!], LANES.mse[1])];
  }
  const first = packLanes([n, baseline!, candidate!, below!, above!], LANES.mae[0]);
  return [first, packLanes([squares!, deviations!], LANES.mae[1])];
}

/** Positive and negative rows, sums of the placements of the positive rows, and of the squared differences of both. */
function placementCounts({ labels, baselinePredictions, candidatePredictions }: ScoreRows): bigint[] {
  const baseline = placementsOf(labels, baselinePredictions).placements;
  const candidate = placementsOf(labels, candidatePredictions).placements;
  let [m, baselineSum, candidateSum, positives, negatives] = new Array<bigint>(5).fill(0n);
  for (const [row, label] of labels.entries()) {
    const square = BigInt((baseline[row]! - candidate[row]!) ** 2);
    if (label === 0) {
      negatives! += square;
      continue;
    }
    m!++;
    baselineSum! += BigInt(baseline[row]!);
    candidateSum! += BigInt(candidate[row]!);
    positives! += square;
  }
  const first = packLanes([m!, BigInt(labels.length) - m!, baselineSum!, candidateSum!], LANES.auroc[0]);
  return [first, packLanes([positives!, negatives!], LANES.auroc[1])];
}

/** The lower of the medians: at most half of the labels are below it, and at most half above. */
export const medianOf = (labels: Uint8Array | Uint16Array): number =>
  labels.toSorted()[Math.floor((labels.length - 1) / 2)]!;
