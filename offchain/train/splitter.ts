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

/** Features have so many values. */
const VALUES = 256;
/** Nodes of fewer rows are counted anew, which is quicker than to subtract. */
const FEWEST_KEPT = 1024;
/** Most bytes of histograms that are kept at a time. */
const MOST_KEPT = 2 ** 26;
/**
 * A row's count and its amount in one double: of so many rows, the amounts add up to less than half of what stands for one
 * row, and all together to less than 2^53.
 */
const PACK = 2 ** 39;
const PACKED_ROWS = 16_000;
const MOST_PACKED = 2 ** 24;
type Four = readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];

/** Nodes of fewer rows list the values that occur, others look at all. */
const FEW = 192;

/**
 * Finds the best split of a node by histograms over the values of a feature. Where all features are looked at, a node's
 * histograms are those of its parent less its sister's: sums of integers, so the same bits as counted anew.
 */
export class Splitter {
  readonly #input: TreeInput;
  readonly #options: TreeOptions;
  readonly #random: Random;
  readonly #columns: readonly Uint8Array[];
  /** All features; each node shuffles them on. */
  readonly #features: Uint32Array;
  /** Numbers of one value: the weights of each class, or the weight and the sum of the numbers; and distinct rows where they limit a split. */
  readonly #slots: number;
  readonly #classes: boolean;
  readonly #countsRows: boolean;
  /** Of the channels' sums, among those of a value. */
  readonly #first: number;
  /** Of the node's rows, one after the other. */
  readonly #channel: Uint8Array;
  readonly #weight: Float64Array;
  readonly #amount: Float64Array;
  readonly #totals: Float64Array;
  readonly #left: Float64Array;
  readonly #own: Float64Array;
  /** The values that occur, ascending, and how many they are. */
  readonly #present = new Uint8Array(VALUES);
  readonly #seen = new Uint32Array(VALUES / 32);
  #packed: Float64Array | undefined;
  #packs = false;
  readonly #free: Float64Array[] = [];
  #made = 0;

  constructor(input: TreeInput, options: TreeOptions, random: Random) {
    const { rows, width, values, channels } = input;
    this.#input = input;
    this.#options = options;
    this.#random = random;
    this.#columns = Array.from({ length: width }, (_, j) => values.subarray(j * rows, (j + 1) * rows));
    this.#features = Uint32Array.from({ length: width }, (_, feature) => feature);
    this.#classes = channels > 1;
    this.#countsRows = options.minSamplesLeaf > 1;
    this.#first = Number(!this.#classes);
    this.#slots = (this.#classes ? channels : 2) + Number(this.#countsRows);
    this.#channel = new Uint8Array(this.#classes ? rows : 0);
    this.#weight = new Float64Array(rows);
    this.#amount = new Float64Array(this.#classes ? 0 : rows);
    this.#totals = new Float64Array(channels);
    this.#left = new Float64Array(channels);
    this.#own = new Float64Array(VALUES * this.#slots);
  }

  /** The histograms of all features, where every node looks at all of them and the rows are many; else none. */
  histograms(rows: Uint32Array, fewest = FEWEST_KEPT): Float64Array | undefined {
    const { width } = this.#input;
    if (this.#options.maxFeatures < width || rows.length < fewest) return undefined;
    const size = width * VALUES * this.#slots;
    let kept = this.#free.pop();
    if (!kept) {
      if ((this.#made + 1) * size * 8 > MOST_KEPT) return undefined;
      this.#made++;
      kept = allocated(size);
      if (!kept) return undefined;
    }
    kept.fill(0);
    this.#gather(rows);
    if (this.#packs) this.#fillPacked(rows, kept);
    else
      for (let feature = 0; feature < width; feature++) this.#fill(feature, rows, kept, feature * VALUES * this.#slots);
    return kept;
  }

  /** Those of two children: the smaller one's counted, the larger one's what is left of the parent's. */
  halve(
    parent: Float64Array | undefined,
    left: Uint32Array,
    right: Uint32Array,
    needed: boolean,
  ): [Float64Array?, Float64Array?] {
    if (!parent) return [];
    const leftIsSmaller = left.length <= right.length;
    const [smaller, larger] = leftIsSmaller ? [left, right] : [right, left];
    const counted = needed && larger.length >= FEWEST_KEPT ? this.histograms(smaller, 1) : undefined;
    if (!counted) {
      this.release(parent);
      return [];
    }
    for (let i = 0; i < parent.length; i++) parent[i]! -= counted[i]!;
    return leftIsSmaller ? [counted, parent] : [parent, counted];
  }

  /** Gives histograms back to be used again. */
  release(histograms: Float64Array | undefined): void {
    if (histograms) this.#free.push(histograms);
  }

  /** The best split, or none where all rows are the same, in what they add or in all features, or are too few. */
  best(rows: Uint32Array, histograms?: Float64Array): Split | undefined {
    const { minSamplesLeaf, minSamplesSplit = 2, maxFeatures } = this.#options;
    if (rows.length < Math.max(2 * minSamplesLeaf, minSamplesSplit)) return undefined;
    if (this.#pure(rows)) return undefined;
    const weight = histograms ? this.#sum(histograms) : this.#gather(rows);
    let best: Split | undefined;
    let varied = 0;
    for (let drawn = 0; drawn < this.#features.length; drawn++) {
      if (drawn >= maxFeatures && varied > 0) break;
      const feature = this.#draw(drawn);
      const start = histograms ? feature * VALUES * this.#slots : 0;
      if (!histograms) this.#fill(feature, rows, this.#own, 0);
      const present = this.#list(feature, rows, histograms ?? this.#own, start);
      if (present > 1) {
        varied++;
        const found = this.#scan(feature, present, histograms ?? this.#own, start, rows.length, weight);
        if (found && (!best || found.gain > best.gain)) best = found;
      }
      if (!histograms) this.#clear(present);
    }
    if (!best) return undefined;
    const gain = best.gain - squares(this.#totals) / weight;
    return { ...best, gain, ...(histograms && { histograms }) };
  }

  /** Puts what a node's rows add beside each other, and sums it into the totals. @returns the rows' weight */
  #gather(rows: Uint32Array): number {
    const { weights, channel, amounts } = this.#input;
    this.#totals.fill(0);
    let [weight, largest] = [0, 0];
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      const own = weights ? weights[row]! : 1;
      weight += own;
      this.#weight[i] = own;
      if (this.#classes) {
        const c = channel[row]!;
        this.#channel[i] = c;
        this.#totals[c]! += own;
      } else {
        const amount = own * amounts[row]!;
        this.#amount[i] = amount;
        this.#totals[0]! += amount;
        if (Math.abs(amount) > largest) largest = Math.abs(amount);
      }
    }
    this.#packs = !weights && !this.#classes && largest <= MOST_PACKED && rows.length >= FEWEST_KEPT;
    return weight;
  }

  /** Sums a feature's histogram, which all rows are in, into the totals. @returns the rows' weight */
  #sum(histograms: Float64Array): number {
    const [totals, slots] = [this.#totals, this.#slots];
    totals.fill(0);
    let weight = 0;
    for (let at = 0; at < VALUES * slots; at += slots) {
      weight += this.#weightAt(histograms, at);
      for (let c = 0; c < totals.length; c++) totals[c]! += histograms[at + this.#first + c]!;
    }
    return weight;
  }

  /** Whether all rows of the node add the same. */
  #pure(rows: Uint32Array): boolean {
    const added = this.#classes ? this.#input.channel : this.#input.amounts;
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

  /** Adds the rows that were gathered to the histogram of a feature that begins at `start`. */
  #fill(feature: number, rows: Uint32Array, histogram: Float64Array, start: number): void {
    const column = this.#columns[feature]!;
    const [slots, weight] = [this.#slots, this.#weight];
    const count = rows.length;
    if (this.#classes) {
      const channel = this.#channel;
      for (let i = 0; i < count; i++) histogram[start + column[rows[i]!]! * slots + channel[i]!]! += weight[i]!;
    } else {
      const amount = this.#amount;
      for (let i = 0; i < count; i++) {
        const at = start + column[rows[i]!]! * slots;
        histogram[at]! += weight[i]!;
        histogram[at + 1]! += amount[i]!;
      }
    }
    if (!this.#countsRows) return;
    const last = start + slots - 1;
    for (let i = 0; i < count; i++) histogram[last + column[rows[i]!]! * slots]!++;
  }

  /**
   * The histograms of all features, count and sum in one double, which is exact for a block of rows. Four columns at a time,
   * the block's rows and amounts staying in the cache.
   */
  #fillPacked(rows: Uint32Array, histogram: Float64Array): void {
    const { width } = this.#input;
    this.#packed ??= new Float64Array(width * VALUES);
    const [packed, columns, slots] = [this.#packed, this.#columns, this.#slots];
    for (let from = 0; from < rows.length; from += PACKED_ROWS) {
      const to = Math.min(from + PACKED_ROWS, rows.length);
      let j = 0;
      for (; j + 4 <= width; j += 4) {
        const four = [columns[j]!, columns[j + 1]!, columns[j + 2]!, columns[j + 3]!] as const;
        packFour(packed, j * VALUES, four, rows, this.#amount, from, to);
      }
      for (; j < width; j++) packOne(packed, j * VALUES, columns[j]!, rows, this.#amount, from, to);
      for (let i = 0, at = 0; i < packed.length; i++, at += slots) {
        const count = Math.round(packed[i]! / PACK);
        histogram[at]! += count;
        histogram[at + 1]! += packed[i]! - count * PACK;
        // Each row counts once.
        if (this.#countsRows) histogram[at + slots - 1]! += count;
        packed[i] = 0;
      }
    }
  }

  /** Lists the values of a feature that occur. @returns how many they are */
  #list(feature: number, rows: Uint32Array, histogram: Float64Array, start: number): number {
    const present = this.#present;
    let count = 0;
    if (rows.length >= FEW) {
      for (let value = 0; value < VALUES; value++) {
        if (this.#weightAt(histogram, start + value * this.#slots) > 0) present[count++] = value;
      }
      return count;
    }
    const column = this.#columns[feature]!;
    const seen = this.#seen;
    for (let i = 0; i < rows.length; i++) {
      const value = column[rows[i]!]!;
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

  #weightAt(histogram: Float64Array, at: number): number {
    if (!this.#classes) return histogram[at]!;
    let weight = 0;
    for (let c = 0; c < this.#left.length; c++) weight += histogram[at + c]!;
    return weight;
  }

  #clear(present: number): void {
    const slots = this.#slots;
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
    const [left, totals, slots] = [this.#left, this.#totals, this.#slots];
    const channels = left.length;
    const first = this.#first;
    let [threshold, best, leftRows, leftWeight] = [0, 0, 0, 0];
    left.fill(0);
    for (let i = 0; i + 1 < present; i++) {
      const value = this.#present[i]!;
      const at = start + value * slots;
      leftWeight += this.#weightAt(histogram, at);
      let [leftSquares, rightSquares] = [0, 0];
      for (let c = 0; c < channels; c++) {
        const sum = left[c]! + histogram[at + first + c]!;
        const rest = totals[c]! - sum;
        left[c] = sum;
        leftSquares += sum * sum;
        rightSquares += rest * rest;
      }
      if (this.#countsRows) {
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

/** Nothing where memory is short: what is not kept is counted anew. */
function allocated(size: number): Float64Array | undefined {
  try {
    return new Float64Array(size);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function packFour(
  packed: Float64Array,
  at: number,
  [a, b, c, d]: Four,
  rows: Uint32Array,
  amounts: Float64Array,
  from: number,
  to: number,
): void {
  const [second, third, fourth] = [at + VALUES, at + 2 * VALUES, at + 3 * VALUES];
  for (let i = from; i < to; i++) {
    const row = rows[i]!;
    const added = amounts[i]! + PACK;
    packed[at + a[row]!]! += added;
    packed[second + b[row]!]! += added;
    packed[third + c[row]!]! += added;
    packed[fourth + d[row]!]! += added;
  }
}

function packOne(
  packed: Float64Array,
  at: number,
  column: Uint8Array,
  rows: Uint32Array,
  amounts: Float64Array,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i++) packed[at + column[rows[i]!]!]! += amounts[i]! + PACK;
}

function squares(sums: Float64Array): number {
  let total = 0;
  for (const sum of sums) total += sum * sum;
  return total;
}
