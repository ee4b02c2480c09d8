import { Histograms } from './histograms.ts';
import { VALUES } from './packed.ts';
import type { Random } from './random.ts';
import type { TreeInput, TreeOptions } from './tree.ts';

export interface Split {
  readonly feature: number;
  readonly threshold: number;
  /** What it adds to the sum over nodes of (sum of squares of the channels' sums) / weight. */
  readonly gain: number;
  /** Of all features in the node, where they are kept. */
  readonly histograms?: Float64Array;
}

/** Nodes of fewer rows list the values that occur, others look at all. */
const FEW = 192;

/** Finds the best split of a node by {@link Histograms} over the values of a feature. */
export class Splitter {
  readonly histograms: Histograms;
  readonly #input: TreeInput;
  readonly #options: TreeOptions;
  readonly #random: Random;
  /** All features; each node shuffles them on. */
  readonly #features: Uint32Array;
  readonly #left: Float64Array;
  readonly #own: Float64Array;
  /** The values that occur, ascending, and how many they are. */
  readonly #present = new Uint8Array(VALUES);
  readonly #seen = new Uint32Array(VALUES / 32);

  constructor(input: TreeInput, options: TreeOptions, random: Random) {
    this.#input = input;
    this.#options = options;
    this.#random = random;
    this.histograms = new Histograms(input, options);
    this.#features = Uint32Array.from({ length: input.width }, (_, feature) => feature);
    this.#left = new Float64Array(input.channels);
    this.#own = new Float64Array(VALUES * this.histograms.slots);
  }

  /** The best split, or none where all rows are the same, in what they add or in all features, or are too few. */
  best(rows: Uint32Array, kept?: Float64Array): Split | undefined {
    const { minSamplesLeaf, minSamplesSplit = 2, maxFeatures } = this.#options;
    if (rows.length < Math.max(2 * minSamplesLeaf, minSamplesSplit)) return undefined;
    if (this.#pure(rows)) return undefined;
    const { slots, totals } = this.histograms;
    const weight = kept ? this.histograms.sum(kept) : this.histograms.gather(rows);
    let best: Split | undefined;
    let varied = 0;
    for (let drawn = 0; drawn < this.#features.length; drawn++) {
      if (drawn >= maxFeatures && varied > 0) break;
      const feature = this.#draw(drawn);
      const start = kept ? feature * VALUES * slots : 0;
      if (!kept) this.histograms.fill(feature, rows, this.#own, 0);
      const present = this.#list(feature, rows, kept ?? this.#own, start);
      if (present > 1) {
        varied++;
        const found = this.#scan(feature, present, kept ?? this.#own, start, rows.length, weight);
        if (found && (!best || found.gain > best.gain)) best = found;
      }
      if (!kept) this.#clear(present);
    }
    if (!best) return undefined;
    const gain = best.gain - squares(totals) / weight;
    return { ...best, gain, ...(kept && { histograms: kept }) };
  }

  /** Whether all rows of the node add the same. */
  #pure(rows: Uint32Array): boolean {
    const { channels, channel, amounts } = this.#input;
    const added = channels > 1 ? channel : amounts;
    const first = added[rows[0]!]!;
    for (let i = 1; i < rows.length; i++) if (added[rows[i]!]! !== first) return false;
    return true;
  }

  /** The next feature of a shuffle (Fisher, Yates). */
  #draw(drawn: number): number {
    const at = drawn + this.#random(this.#features.length - drawn);
    const feature = this.#features[at]!;
    this.#features[at] = this.#features[drawn]!;
    this.#features[drawn] = feature;
    return feature;
  }

  /** Lists the values of a feature that occur. @returns how many they are */
  #list(feature: number, rows: Uint32Array, histogram: Float64Array, start: number): number {
    const present = this.#present;
    let count = 0;
    if (rows.length >= FEW) {
      const { slots } = this.histograms;
      for (let value = 0; value < VALUES; value++) {
        if (this.histograms.weightAt(histogram, start + value * slots) > 0) present[count++] = value;
      }
      return count;
    }
    const { values, rows: all } = this.#input;
    const from = feature * all;
    const seen = this.#seen;
    for (let i = 0; i < rows.length; i++) {
      const value = values[from + rows[i]!]!;
      seen[value >>> 5]! |= 1 << (value & 31);
    }
    for (let word = 0; word < seen.length; word++) {
      for (let bits = seen[word]!; bits !== 0; bits &= bits - 1) {
        present[count++] = 32 * word + 31 - Math.clz32(bits & -bits);
      }
      seen[word] = 0;
    }
    return count;
  }

  #clear(present: number): void {
    const { slots } = this.histograms;
    for (let i = 0; i < present; i++) {
      const at = this.#present[i]! * slots;
      for (let slot = 0; slot < slots; slot++) this.#own[at + slot] = 0;
    }
  }

  /** The best threshold between two of the values; its gain is that of both sides, without what the node had. */
  #scan(
    feature: number,
    present: number,
    histogram: Float64Array,
    start: number,
    rows: number,
    weight: number,
  ): Split | undefined {
    const { minSamplesLeaf } = this.#options;
    const { totals, slots, first, countsRows } = this.histograms;
    const left = this.#left;
    const channels = left.length;
    let [threshold, best, leftRows, leftWeight] = [0, 0, 0, 0];
    left.fill(0);
    for (let i = 0; i + 1 < present; i++) {
      const value = this.#present[i]!;
      const at = start + value * slots;
      leftWeight += this.histograms.weightAt(histogram, at);
      let [leftSquares, rightSquares] = [0, 0];
      for (let c = 0; c < channels; c++) {
        const sum = left[c]! + histogram[at + first + c]!;
        const rest = totals[c]! - sum;
        left[c] = sum;
        leftSquares += sum * sum;
        rightSquares += rest * rest;
      }
      if (countsRows) {
        leftRows += histogram[at + slots - 1]!;
        if (leftRows < minSamplesLeaf || rows - leftRows < minSamplesLeaf) continue;
      }
      const gain = leftSquares / leftWeight + rightSquares / (weight - leftWeight);
      if (threshold !== 0 && gain <= best) continue;
      best = gain;
      threshold = Math.floor((value + this.#present[i + 1]!) / 2) + 1;
    }
    return threshold === 0 ? undefined : { feature, threshold, gain: best };
  }
}

function squares(sums: Float64Array): number {
  let total = 0;
  for (const sum of sums) total += sum * sum;
  return total;
}
