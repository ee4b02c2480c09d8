/** The order of scores, and what follows from it: doubles compared, never rounded. */
import type { ClassRows, Measure } from './rows.ts';

/** Where the digits of 11 bits begin that the high words of doubles are sorted by, one after the other. */
const SHIFTS = [0, 11, 22];
const MASK = 2 ** 11 - 1;

/** Rows in the order of their scores, the highest first, and where scores change. */
export interface Ranking {
  readonly order: Uint32Array;
  /** One more than the last place of each group of equal scores. */
  readonly ends: Uint32Array;
}

/**
 * Ranks finite scores, rows of one score in their order: sorts the high words of their bits digit by digit (radix sort),
 * and those of one high word by comparison, of which there are few.
 */
export function descending(scores: Float64Array): Ranking {
  const n = scores.length;
  let [keys, order] = [keysOf(scores), new Uint32Array(n)];
  let [nextKeys, nextOrder] = [new Uint32Array(n), new Uint32Array(n)];
  for (let row = 0; row < n; row++) order[row] = row;
  for (const shift of SHIFTS) {
    const starts = startsOf(keys, shift);
    if (!starts) continue;
    for (let i = 0; i < n; i++) {
      const key = keys[i]!;
      const at = starts[(key >>> shift) & MASK]!++;
      nextKeys[at] = key;
      nextOrder[at] = order[i]!;
    }
    [keys, nextKeys, order, nextOrder] = [nextKeys, keys, nextOrder, order];
  }
  const ends = nextOrder;
  let groups = 0;
  for (let start = 0, end = 1; start < n; start = end++) {
    while (end < n && keys[end] === keys[start]) end++;
    if (end - start > 1) {
      if (changesWithin(order, scores, start, end)) sortWithin(order, scores, start, end);
      for (let i = start + 1; i < end; i++) if (scores[order[i]!] !== scores[order[i - 1]!]) ends[groups++] = i;
    }
    ends[groups++] = end;
  }
  return { order, ends: ends.slice(0, groups) };
}

function changesWithin(order: Words, scores: Float64Array, start: number, end: number): boolean {
  const first = scores[order[start]!];
  for (let i = start + 1; i < end; i++) if (scores[order[i]!] !== first) return true;
  return false;
}

/** Up to so many rows, moving each to its place takes less time than calling a sort. */
const FEW = 16;

/** Sorts the rows from `start` on by descending score; of equal scores they are in their order already. */
function sortWithin(order: Words, scores: Float64Array, start: number, end: number): void {
  if (end - start > FEW) {
    order.subarray(start, end).sort((a, b) => scores[b]! - scores[a]! || a - b);
    return;
  }
  for (let i = start + 1; i < end; i++) {
    const row = order[i]!;
    let at = i;
    for (; at > start && scores[order[at - 1]!]! < scores[row]!; at--) order[at] = order[at - 1]!;
    order[at] = row;
  }
}

type Words = Uint32Array<ArrayBuffer>;

/** High words of bits, ascending where the scores are descending: negative numbers have all bits flipped, others the sign. */
function keysOf(scores: Float64Array): Words {
  const negated = new Float64Array(scores.length);
  // Adding 0 makes -0 and 0 one score.
  for (let i = 0; i < negated.length; i++) negated[i] = -scores[i]! + 0;
  const words = new Uint32Array(negated.buffer);
  const keys = new Uint32Array(scores.length);
  for (let i = 0; i < keys.length; i++) {
    const high = words[2 * i + 1]!;
    keys[i] = high ^ (-(high >>> 31) | 0x80000000);
  }
  return keys;
}

/** Where the rows of each value of a digit begin; nothing where all have the same, as whole numbers often do. */
function startsOf(digits: Words, shift: number): Uint32Array | undefined {
  const starts = new Uint32Array(MASK + 2);
  for (let i = 0; i < digits.length; i++) starts[((digits[i]! >>> shift) & MASK) + 1]!++;
  if (starts.includes(digits.length)) return undefined;
  for (let value = 1; value <= MASK; value++) starts[value]! += starts[value - 1]!;
  return starts;
}

/** How many positive and negative rows there are down to the end of each group of equal scores, the highest first. */
export function cumulated({ order, ends }: Ranking, labels: Uint8Array, positive = 1) {
  const [positives, negatives] = [new Float64Array(ends.length), new Float64Array(ends.length)];
  let [place, above] = [0, 0];
  for (const [group, end] of ends.entries()) {
    for (; place < end; place++) if (labels[order[place]!] === positive) above++;
    positives[group] = above;
    negatives[group] = end - above;
  }
  return { positives, negatives };
}

/**
 * The area under the ROC curve: how often a positive row has a higher score than a negative one, ties counted half; NaN
 * where there are rows of one kind only. Counts are of half rows, exact up to 10^8 rows.
 */
export function aurocOf(
  { order, ends }: Ranking,
  labels: Uint8Array,
  positive = 1,
  weights?: ArrayLike<number>,
): number {
  let [above, negatives, area, place] = [0, 0, 0, 0];
  for (let group = 0; group < ends.length; group++) {
    const end = ends[group]!;
    let [own, others] = [0, 0];
    for (; place < end; place++) {
      const row = order[place]!;
      const weight = weights ? weights[row]! : 1;
      if (labels[row] === positive) own += weight;
      else others += weight;
    }
    area += others * (above + own / 2);
    above += own;
    negatives += others;
  }
  return area / (above * negatives);
}

/**
 * AUROC by the scores that a model gives. Of more than two classes each against all others: `auroc_macro` is their mean,
 * NaN where a class has no rows, and `auroc_weighted` leaves such a class out. As scikit-learn's `roc_auc_score` of
 * binarised labels.
 */
export function aurocMeasure({ classes, labels, scores }: ClassRows & Required<Pick<ClassRows, 'scores'>>): Measure {
  const rankings = scores.map(descending);
  if (classes === 2) return (weights) => ({ auroc: aurocOf(rankings[0]!, labels, 1, weights) });
  return (weights) => {
    const areas = rankings.map((ranking, at) => aurocOf(ranking, labels, at, weights));
    const rows = new Float64Array(classes);
    for (let row = 0; row < labels.length; row++) rows[labels[row]!]! += weights ? weights[row]! : 1;
    const total = rows.reduce((sum, own) => sum + own, 0);
    const share = (area: number, at: number) => (rows[at] === 0 ? 0 : (area * rows[at]!) / total);
    return {
      auroc_macro: areas.reduce((sum, area) => sum + area, 0) / classes,
      auroc_weighted: areas.reduce((sum, area, at) => sum + share(area, at), 0),
    };
  };
}
