import type { Random } from './random.ts';

/** What a tree learns from: a forest's features, and what each row adds to the sums that splits are judged by. */
export interface TreeInput {
  readonly rows: number;
  /** Number of features; feature f of row i is `values[f * rows + i]`, 0 to 255. */
  readonly width: number;
  readonly values: Uint8Array;
  /** How often each row counts: the draws of a bootstrap; rows that count 0 times are left out. */
  readonly weights: ArrayLike<number>;
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
  /** How many features are drawn for each split; more, until one of them has two values. */
  readonly maxFeatures: number;
}

/** A node that rows go through: a leaf, or a split with what lies on both sides, right where the feature is >= threshold. */
export interface Node {
  readonly depth: number;
  readonly rows: Uint32Array;
  split?: { readonly feature: number; readonly threshold: number; readonly left: Node; readonly right: Node };
}

interface Split {
  readonly feature: number;
  readonly threshold: number;
  /** What it adds to the sum over nodes of (sum of squares of the channels' sums) / weight. */
  readonly gain: number;
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
  const splitter = new Splitter(input, options, random);
  const everyRow = Uint32Array.from({ length: input.rows }, (_, row) => row);
  const root: Node = { depth: 0, rows: everyRow.filter((row) => input.weights[row]! > 0) };
  const candidates: Candidate[] = [];
  const consider = (node: Node): void => {
    const best = node.depth < options.maxDepth ? splitter.best(node.rows) : undefined;
    if (best) candidates.push({ node, best });
  };
  consider(root);
  for (let leaves = 1; candidates.length > 0 && leaves < (options.maxLeafNodes ?? Infinity); leaves++) {
    const { node, best } = take(candidates, options.maxLeafNodes !== undefined);
    const { feature, threshold } = best;
    const goesRight = (row: number): boolean => input.values[feature * input.rows + row]! >= threshold;
    const left = { depth: node.depth + 1, rows: node.rows.filter((row) => !goesRight(row)) };
    const right = { depth: node.depth + 1, rows: node.rows.filter(goesRight) };
    node.split = { feature, threshold, left, right };
    consider(left);
    consider(right);
  }
  return root;
}

/** Takes the first candidate out of the list, or the first of those that gain most. */
function take(candidates: Candidate[], byGain: boolean): Candidate {
  let at = 0;
  if (byGain) {
    for (const [i, { best }] of candidates.entries()) if (best.gain > candidates[at]!.best.gain) at = i;
  }
  return candidates.splice(at, 1)[0]!;
}

/** Finds the best split of a node by histograms over the 256 values of a feature. */
class Splitter {
  readonly #input: TreeInput;
  readonly #options: TreeOptions;
  readonly #random: Random;
  /** All features; each node shuffles them on. */
  readonly #features: Uint32Array;
  /** For each value: distinct rows, their weight, and the channels' sums; all 0 between two uses. */
  readonly #rowsOf = new Uint32Array(256);
  readonly #weightOf = new Float64Array(256);
  readonly #sumsOf: Float64Array;
  readonly #totals: Float64Array;
  readonly #left: Float64Array;

  constructor(input: TreeInput, options: TreeOptions, random: Random) {
    this.#input = input;
    this.#options = options;
    this.#random = random;
    this.#features = Uint32Array.from({ length: input.width }, (_, feature) => feature);
    this.#sumsOf = new Float64Array(256 * input.channels);
    this.#totals = new Float64Array(input.channels);
    this.#left = new Float64Array(input.channels);
  }

  /** The best split, or none where all rows are the same, in what they add or in all features, or are too few. */
  best(rows: Uint32Array): Split | undefined {
    if (rows.length < 2 * this.#options.minSamplesLeaf || this.#pure(rows)) return undefined;
    const weight = this.#sum(rows);
    let best: Split | undefined;
    let varied = 0;
    for (let drawn = 0; drawn < this.#features.length; drawn++) {
      if (drawn >= this.#options.maxFeatures && varied > 0) break;
      const feature = this.#draw(drawn);
      const values = this.#fill(feature, rows);
      if (values.length > 1) {
        varied++;
        const found = this.#scan(feature, values, rows.length, weight);
        if (found && (!best || found.gain > best.gain)) best = found;
      }
      this.#clear(values);
    }
    if (!best) return undefined;
    return { ...best, gain: best.gain - squares(this.#totals) / weight };
  }

  #pure(rows: Uint32Array): boolean {
    const { channel, amounts } = this.#input;
    const [first] = rows as unknown as [number];
    return rows.every((row) => channel[row] === channel[first] && amounts[row] === amounts[first]);
  }

  /** Sums the channels over rows into the totals, and returns the rows' weight. */
  #sum(rows: Uint32Array): number {
    const { weights, channel, amounts } = this.#input;
    this.#totals.fill(0);
    let weight = 0;
    for (const row of rows) {
      weight += weights[row]!;
      this.#totals[channel[row]!]! += weights[row]! * amounts[row]!;
    }
    return weight;
  }

  /** The next feature of a shuffle (Fisher, Yates). */
  #draw(drawn: number): number {
    const at = drawn + this.#random(this.#features.length - drawn);
    const feature = this.#features[at]!;
    this.#features[at] = this.#features[drawn]!;
    this.#features[drawn] = feature;
    return feature;
  }

  /** Fills the histogram of a feature, and returns the values that occur, ascending. */
  #fill(feature: number, rows: Uint32Array): number[] {
    const { values, weights, channel, channels, amounts } = this.#input;
    const start = feature * this.#input.rows;
    for (const row of rows) {
      const value = values[start + row]!;
      this.#rowsOf[value]!++;
      this.#weightOf[value]! += weights[row]!;
      this.#sumsOf[value * channels + channel[row]!]! += weights[row]! * amounts[row]!;
    }
    const present: number[] = [];
    for (let value = 0; value < 256; value++) if (this.#rowsOf[value]! > 0) present.push(value);
    return present;
  }

  #clear(values: readonly number[]): void {
    const { channels } = this.#input;
    for (const value of values) {
      this.#rowsOf[value] = 0;
      this.#weightOf[value] = 0;
      this.#sumsOf.fill(0, value * channels, (value + 1) * channels);
    }
  }

  /** The best threshold between two of the values; its gain is that of both sides, without what the node had. */
  #scan(feature: number, values: readonly number[], rows: number, weight: number): Split | undefined {
    const { channels } = this.#input;
    const { minSamplesLeaf } = this.#options;
    let best: Split | undefined;
    let [leftRows, leftWeight] = [0, 0];
    this.#left.fill(0);
    for (let i = 0; i + 1 < values.length; i++) {
      const value = values[i]!;
      leftRows += this.#rowsOf[value]!;
      leftWeight += this.#weightOf[value]!;
      for (let c = 0; c < channels; c++) this.#left[c]! += this.#sumsOf[value * channels + c]!;
      if (leftRows < minSamplesLeaf || rows - leftRows < minSamplesLeaf) continue;
      let right = 0;
      for (let c = 0; c < channels; c++)
        right += (this.#totals[c]! - this.#left[c]!) * (this.#totals[c]! - this.#left[c]!);
      const gain = squares(this.#left) / leftWeight + right / (weight - leftWeight);
      if (!best || gain > best.gain) best = { feature, threshold: Math.floor((value + values[i + 1]!) / 2) + 1, gain };
    }
    return best;
  }
}

function squares(sums: Float64Array): number {
  let total = 0;
  for (const sum of sums) total += sum * sum;
  return total;
}
