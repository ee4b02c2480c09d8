/** The order of scores, and what follows from it: doubles compared, never rounded. */
import type { ClassRows, Measure } from './rows.ts';

/** Where the digits of 11 bits begin that keys are sorted by, one after the other. */
const SHIFTS = [0, 11, 22] as const;
const MASK = 2 ** 11 - 1;

/** Rows in the order of their scores, the highest first, and where scores change. */
export interface Ranking {
  readonly order: Uint32Array;
  /** One more than the last place of each group of equal scores. */
  readonly ends: Uint32Array;
}

/**
 * Ranks finite scores, rows of one score in their order: sorts keys of 32 bits digit by digit (radix sort), and those of one
 * key by comparison, of which there are few.
 */
export function descending(scores: Float64Array): Ranking {
  const n = scores.length;
  const pairs = sortedPairs(scores);
  const [order, ends] = [new Uint32Array(n), new Uint32Array(n)];
  let groups = 0;
  let start = 0;
  let last = pairs[0];
  for (let i = 0; i < n; i++) {
    const key = pairs[2 * i]!;
    order[i] = pairs[2 * i + 1]!;
    if (key === last) continue;
    if (i - start > 1) groups = splitGroup(order, scores, start, i, ends, groups);
    ends[groups++] = i;
    start = i;
    last = key;
  }
  groups = splitGroup(order, scores, start, n, ends, groups);
  if (n > 0) ends[groups++] = n;
  return { order, ends: ends.subarray(0, groups) };
}

/** Sorts the rows of one key by their scores, and adds where those change to the ends. @returns how many ends there are */
function splitGroup(
  order: Words,
  scores: Float64Array,
  start: number,
  end: number,
  ends: Uint32Array,
  groups: number,
): number {
  if (!changesWithin(order, scores, start, end)) return groups;
  sortWithin(order, scores, start, end);
  let count = groups;
  for (let i = start + 1; i < end; i++) if (scores[order[i]!] !== scores[order[i - 1]!]) ends[count++] = i;
  return count;
}

/** The key of each row and its number, beside each other so that both are moved at once, in the order of the keys. */
function sortedPairs(scores: Float64Array): Words {
  const n = scores.length;
  let pairs = pairsOf(scores);
  let next = new Uint32Array(2 * n);
  const counts = countsOf(pairs);
  for (const [at, shift] of SHIFTS.entries()) {
    const starts = startsOf(counts[at]!, n);
    if (!starts) continue;
    movePairs(pairs, next, starts, shift);
    [pairs, next] = [next, pairs];
  }
  return pairs;
}

/** Moves each pair as one double, whose bits stay as they are: with the number of a row in its upper half it is a number. */
function movePairs(pairs: Words, next: Words, starts: Uint32Array, shift: number): void {
  const [from, to] = [new Float64Array(pairs.buffer), new Float64Array(next.buffer)];
  for (let i = 0; i < from.length; i++) to[starts[(pairs[2 * i]! >>> shift) & MASK]!++] = from[i]!;
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

/**
 * Keys beside rows: bits, ascending where the scores are descending (negative numbers have all bits flipped, others the
 * sign), the 32 of them below those that all scores have alike.
 */
function pairsOf(scores: Float64Array): Words {
  const n = scores.length;
  const pairs = new Uint32Array(2 * n);
  const double = new Float64Array(1);
  const words = new Uint32Array(double.buffer);
  let least = 2 ** 32 - 1;
  let most = 0;
  for (let row = 0; row < n; row++) {
    // Adding 0 makes -0 and 0 one score.
    double[0] = -scores[row]! + 0;
    const flipped = -(words[1]! >>> 31);
    const high = (words[1]! ^ (flipped | 0x80000000)) >>> 0;
    pairs[2 * row] = words[0]! ^ flipped;
    pairs[2 * row + 1] = high;
    if (high < least) least = high;
    if (high > most) most = high;
  }
  const spare = Math.min(Math.clz32(most - least), 31);
  for (let row = 0; row < n; row++) {
    const low = spare > 0 ? pairs[2 * row]! >>> (32 - spare) : 0;
    pairs[2 * row] = ((pairs[2 * row + 1]! - least) << spare) | low;
    pairs[2 * row + 1] = row;
  }
  return pairs;
}

/** How many rows have each value of each digit, all in one pass. */
function countsOf(pairs: Words): [Uint32Array, Uint32Array, Uint32Array] {
  const counts = () => new Uint32Array(MASK + 1);
  const [first, second, third] = [counts(), counts(), counts()];
  const [, middle, high] = SHIFTS;
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i]!;
    first[key & MASK]!++;
    second[(key >>> middle) & MASK]!++;
    third[(key >>> high) & MASK]!++;
  }
  return [first, second, third];
}

/** Where the rows of each value of a digit begin; nothing where all have the same, as whole numbers often do. */
function startsOf(counts: Uint32Array, rows: number): Uint32Array | undefined {
  if (counts.includes(rows)) return undefined;
  const starts = new Uint32Array(counts.length);
  for (let value = 1; value < starts.length; value++) starts[value] = starts[value - 1]! + counts[value - 1]!;
  return starts;
}

/** 1 where a row is of that class, in the order of the ranking. */
function membersOf({ order }: Ranking, labels: Uint8Array, positive: number): Uint8Array {
  const members = new Uint8Array(order.length);
  for (let place = 0; place < members.length; place++) members[place] = Number(labels[order[place]!] === positive);
  return members;
}

/** How many positive and negative rows there are down to the end of each group of equal scores, the highest first. */
export function cumulated(ranking: Ranking, labels: Uint8Array, positive: number) {
  const members = membersOf(ranking, labels, positive);
  const { ends } = ranking;
  const [positives, negatives] = [new Float64Array(ends.length), new Float64Array(ends.length)];
  let [place, above] = [0, 0];
  for (const [group, end] of ends.entries()) {
    for (; place < end; place++) above += members[place]!;
    positives[group] = above;
    negatives[group] = end - above;
  }
  return { positives, negatives };
}

/**
 * The area under the ROC curve: how often a positive row has a higher score than a negative one, ties counted half; NaN
 * where there are rows of one kind only. Counts are of half rows, exact up to 10^8 rows.
 *
 * @param members - 1 where a row is positive, in the order of the ranking
 */
function areaOf({ order, ends }: Ranking, members: Uint8Array, weights?: ArrayLike<number>): number {
  let [above, negatives, area, place] = [0, 0, 0, 0];
  for (let group = 0; group < ends.length; group++) {
    const end = ends[group]!;
    let own = 0;
    let all = 0;
    if (!weights) {
      all = end - place;
      for (; place < end; place++) own += members[place]!;
    } else {
      for (; place < end; place++) {
        const weight = weights[order[place]!]!;
        own += weight * members[place]!;
        all += weight;
      }
    }
    area += (all - own) * (above + own / 2);
    above += own;
    negatives += all - own;
  }
  return area / (above * negatives);
}

/**
 * AUROC by the scores that a model gives. Of more than two classes each against all others: `auroc_macro` is their mean,
 * NaN where a class has no rows, and `auroc_weighted` leaves such a class out. As scikit-learn's `roc_auc_score` of
 * binarised labels.
 */
export function aurocMeasure({ classes, labels, scores }: ClassRows & Required<Pick<ClassRows, 'scores'>>): Measure {
  const areas = scores.map((column, at) => {
    const ranking = descending(column);
    const members = membersOf(ranking, labels, classes === 2 ? 1 : at);
    return (weights?: ArrayLike<number>) => areaOf(ranking, members, weights);
  });
  if (classes === 2) return (weights) => ({ auroc: areas[0]!(weights) });
  return (weights) => {
    const rows = new Float64Array(classes);
    for (let row = 0; row < labels.length; row++) rows[labels[row]!]! += weights ? weights[row]! : 1;
    const total = rows.reduce((sum, own) => sum + own, 0);
    let [sum, weighted] = [0, 0];
    for (const [at, of] of areas.entries()) {
      const area = of(weights);
      sum += area;
      if (rows[at] !== 0) weighted += (area * rows[at]!) / total;
    }
    return { auroc_macro: sum / classes, auroc_weighted: weighted };
  };
}
