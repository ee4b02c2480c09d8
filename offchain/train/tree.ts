import type { Packed } from './packed.ts';
import type { Random } from './random.ts';
import { type Split, Splitter } from './splitter.ts';

/** What a tree learns from: a forest's features, and what each row adds to the sums that splits are judged by. */
export interface TreeInput {
  readonly rows: number;
  /** Number of features; feature f of row i is `values[f * rows + i]`, 0 to 255. */
  readonly width: number;
  readonly values: Uint8Array;
  /** Makes counting quicker, where rows add numbers, once each. */
  readonly packed?: Packed;
  /** How often each row counts, whole: the draws of a bootstrap, times its class's weight; rows that count 0 times are left out. Once each if left out. */
  readonly weights?: ArrayLike<number>;
  /** Number of sums: one for each class, or 1 where numbers are learnt. */
  readonly channels: number;
  /** Which sum each row adds to, and how much: its class and 1, or 0 and its number, an integer below 2^40. */
  readonly channel: Uint8Array;
  readonly amounts: Float64Array;
}

export interface TreeOptions {
  /** Splits from the root to a leaf, at most. */
  readonly maxDepth: number;
  /** Leaves at most; where given, the split that gains most comes first, else the one nearest to the root. */
  readonly maxLeafNodes?: number;
  /** Fewest distinct rows of a leaf. */
  readonly minSamplesLeaf: number;
  /** Fewest distinct rows of a node that is split; 2 if left out. */
  readonly minSamplesSplit?: number;
  /** How many features are drawn for each split; more, until one of them has two values. */
  readonly maxFeatures: number;
}

/** A node that rows go through: a leaf, or a split with what lies on both sides, right where the feature is >= threshold. */
export interface Node {
  readonly depth: number;
  /** Ascending in a leaf. */
  readonly rows: Uint32Array;
  split?: { readonly feature: number; readonly threshold: number; readonly left: Node; readonly right: Node };
}

/** A leaf that could be split. */
interface Candidate {
  readonly node: Node;
  readonly best: Split;
}

/**
 * Grows a tree greedily (CART: Breiman, Friedman, Olshen, Stone, 1984). A split is judged by the sum over both sides of
 * (sum of squares of the channels' sums) / weight: where rows add 1 to their class's channel, the largest is the least Gini
 * impurity; where they add numbers to one, the least squared error. Sums are exact integers; quotients and their sums are
 * doubles, in a fixed order. Of equal splits the first drawn feature's, and the lowest threshold's, is taken.
 *
 * Like scikit-learn, a split that gains nothing is made too, unless all rows are the same; the threshold lies halfway
 * between the two values that it parts, rounded up to the right-hand side.
 */
export function growTree(input: TreeInput, options: TreeOptions, random: Random): Node {
  const rows = countedRows(input);
  const scratch = new Uint32Array(rows.length);
  const splitter = new Splitter(input, options, random);
  const { histograms } = splitter;
  const root: Node = { depth: 0, rows };
  const candidates: Candidate[] = [];
  const consider = (node: Node, kept?: Float64Array): void => {
    const best = node.depth < options.maxDepth ? splitter.best(node.rows, kept) : undefined;
    if (best) candidates.push({ node, best });
    else histograms.release(kept);
  };
  consider(root, histograms.of(rows));
  for (let leaves = 1; candidates.length > 0 && leaves < (options.maxLeafNodes ?? Infinity); leaves++) {
    const { node, best } = take(candidates, options.maxLeafNodes !== undefined);
    const { feature, threshold } = best;
    const column = input.values.subarray(feature * input.rows, (feature + 1) * input.rows);
    const middle = part(node.rows, column, threshold, scratch);
    const depth = node.depth + 1;
    const left: Node = { depth, rows: node.rows.subarray(0, middle) };
    const right: Node = { depth, rows: node.rows.subarray(middle) };
    node.split = { feature, threshold, left, right };
    const halves = histograms.halve(best.histograms, left.rows, right.rows, depth < options.maxDepth);
    consider(left, halves[0]);
    consider(right, halves[1]);
  }
  return root;
}

function countedRows({ rows, weights }: TreeInput): Uint32Array {
  const counted = new Uint32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) if (!weights || weights[row]! > 0) counted[count++] = row;
  return counted.subarray(0, count);
}

/** Puts the rows below the threshold first, each side in its order. @returns how many they are */
function part(rows: Uint32Array, column: Uint8Array, threshold: number, scratch: Uint32Array): number {
  let [left, right] = [0, 0];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const goesRight = Number(column[row]! >= threshold);
    // Both are written and one is kept: quicker than a branch that cannot be foreseen.
    rows[left] = row;
    scratch[right] = row;
    left += 1 - goesRight;
    right += goesRight;
  }
  rows.set(scratch.subarray(0, right), left);
  return left;
}

/** Takes the first candidate out of the list, or the first of those that gain most. */
function take(candidates: Candidate[], byGain: boolean): Candidate {
  let at = 0;
  if (byGain) {
    for (const [i, { best }] of candidates.entries()) if (best.gain > candidates[at]!.best.gain) at = i;
  }
  return candidates.splice(at, 1)[0]!;
}
