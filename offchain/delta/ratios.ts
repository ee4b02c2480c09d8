// The twin of contracts/DeltaOneRatios.sol: the DeltaOne scores of precision, recall and F1 as A / B over the eight cells,
// n < 2^31. The bound is derived there.
import { deltaOneBps as accuracyBps, exactBinomialPasses, unpack } from './accuracy.ts';
import { ceilDiv, ceilSqrt, type Figures, floorDiv, LANES, lanes, MAX_ROWS, requireThat } from './counts.ts';

/** What a row adds to numerator A and denominator B of a model's metric. */
type Parts = (label: bigint, predicted: bigint) => [a: bigint, b: bigint];

const PARTS: Readonly<Record<string, Parts>> = {
  precision: (label, predicted) => [label & predicted, predicted],
  recall: (label, predicted) => [label & predicted, label],
  f1: (label, predicted) => [2n * (label & predicted), label + predicted],
};

/** A metric of both models as fractions; a candidate's 0/0 is 0/1. */
interface Ratios {
  baselineA: bigint;
  baselineB: bigint;
  candidateA: bigint;
  candidateB: bigint;
}

export function isRatio(metric: string): boolean {
  return Object.hasOwn(PARTS, metric);
}

/** Positives are, for precision, the least of those by the label and by either model. */
export function ratioFigures(metric: string, countsPacked: bigint, zMicro: bigint, alpha30: bigint): Figures {
  const { cells, n } = unpackCells(countsPacked);
  const ratios = ratiosOf(metric, cells);
  let positives = positivesOf(cells);
  if (metric === 'precision') {
    for (const predicted of [ratios.baselineB, cells[4]! + cells[5]! + cells[6]! + cells[7]!]) {
      if (predicted < positives) positives = predicted;
    }
  }
  const exact = metric !== 'recall' || exactBinomialPasses(cells[5]!, cells[3]!, alpha30);
  const defined = ratios.baselineB !== 0n;
  return {
    ...{ n, positives, defined, exact },
    deltaOneBps: defined ? ratioDeltaOneBps(ratios) : 0n,
    payableBps: defined ? ratioPayableBps(metric, cells, ratios, zMicro) : 0n,
  };
}

/** The change of a metric for a guardrail, accuracy too; `null` where the baseline's is undefined. */
export function guardedBps(metric: string, countsPacked: bigint): bigint | null {
  if (metric === 'accuracy') {
    const counts = unpack(countsPacked);
    return counts.n === 0n ? null : accuracyBps(counts);
  }
  if (!isRatio(metric)) return null;
  const ratios = ratiosOf(metric, unpackCells(countsPacked).cells);
  return ratios.baselineB === 0n ? null : ratioDeltaOneBps(ratios);
}

/** The eight cells, which hold at most 2^31 - 1 rows together. */
export function unpackCells(countsPacked: bigint): { cells: readonly bigint[]; n: bigint } {
  const cells = lanes(countsPacked, LANES.cells);
  const n = cells.reduce((sum, cell) => sum + cell, 0n);
  requireThat(n <= MAX_ROWS, countsPacked);
  return { cells, n };
}

/** Rows whose label is positive. */
export function positivesOf(cells: readonly bigint[]): bigint {
  return cells[1]! + cells[3]! + cells[5]! + cells[7]!;
}

function ratiosOf(metric: string, cells: readonly bigint[]): Ratios {
  const sums: Ratios = { baselineA: 0n, baselineB: 0n, candidateA: 0n, candidateB: 0n };
  for (const [k, cell] of cells.entries()) {
    const [baseline, candidate] = partsOf(metric, k);
    sums.baselineA += cell * baseline[0];
    sums.baselineB += cell * baseline[1];
    sums.candidateA += cell * candidate[0];
    sums.candidateB += cell * candidate[1];
  }
  return sums.candidateB === 0n ? { ...sums, candidateB: 1n } : sums;
}

/** What a row of cell k adds to the fractions of the two models. */
function partsOf(metric: string, k: number): [baseline: ReturnType<Parts>, candidate: ReturnType<Parts>] {
  const parts = PARTS[metric]!;
  return [parts(BigInt(k & 1), BigInt((k >> 1) & 1)), parts(BigInt(k & 1), BigInt(k >> 2))];
}

/** floor(10^4 (A_c / B_c - A_b / B_b)), over the common denominator. */
function ratioDeltaOneBps(ratios: Ratios): bigint {
  return floorDiv(10_000n * difference(ratios), ratios.baselineB * ratios.candidateB);
}

/**
 * The lower bound by the delta method in bps, rounded down: R_c - R_b - z SE, SE^2 = sum of (N_k + 1/4) e_k^2,
 * e_k = (a_c - R_c b_c) / B_c - (a_b - R_b b_b) / B_b.
 */
function ratioPayableBps(metric: string, cells: readonly bigint[], r: Ratios, zMicro: bigint): bigint {
  let S = 0n;
  for (const [k, cell] of cells.entries()) {
    const [[baselineA, baselineB], [candidateA, candidateB]] = partsOf(metric, k);
    const D =
      (candidateA * r.candidateB - r.candidateA * candidateB) * r.baselineB ** 2n -
      (baselineA * r.baselineB - r.baselineA * baselineB) * r.candidateB ** 2n;
    S += (4n * cell + 1n) * D * D;
  }
  const Q = r.candidateB * r.baselineB;
  const V = ceilDiv(ceilDiv(S << 112n, Q * Q) * ((zMicro * zMicro * 10n ** 8n) << 56n), Q * Q);
  const point = floorDiv((difference(r) * 10n ** 10n) << 85n, Q);
  return floorDiv(point - ceilSqrt(V), (10n ** 6n) << 85n);
}

function difference(r: Ratios): bigint {
  return r.candidateA * r.baselineB - r.baselineA * r.candidateB;
}
