import { allocated } from './memory.ts';
import { type Packed, VALUES } from './packed.ts';
import type { TreeInput, TreeOptions } from './tree.ts';

/** Nodes of fewer rows are counted anew, which is quicker than to subtract. */
const FEWEST_KEPT = 1024;
/** Most bytes of histograms that are kept at a time. */
const MOST_KEPT = 2 ** 26;

/**
 * Sums over the rows of a node for each value of a feature. Where all features are looked at, a node's histograms are those
 * of its parent less its sister's: sums of integers, so the same bits as counted anew.
 */
export class Histograms {
  /** Numbers of one value: the weights of each class, or the weight and the sum of the numbers; and distinct rows where they limit a split. */
  readonly slots: number;
  /** Where the channels' sums begin among them. */
  readonly first: number;
  /** Whether distinct rows are counted, the last of the numbers. */
  readonly countsRows: boolean;
  /** Of the channels, over all rows of the node that was gathered or summed last. */
  readonly totals: Float64Array;
  readonly #input: TreeInput;
  readonly #looksAtAll: boolean;
  readonly #columns: readonly Uint8Array[];
  readonly #classes: boolean;
  /** Of the node's rows, one after the other. */
  readonly #channel: Uint8Array;
  readonly #weight: Float64Array;
  readonly #amount: Float64Array;
  readonly #packed: Packed | undefined;
  readonly #free: Float64Array[] = [];
  #made = 0;

  constructor(input: TreeInput, { minSamplesLeaf, maxFeatures }: TreeOptions) {
    const { rows, width, values, channels, packed, amounts } = input;
    this.#input = input;
    this.#looksAtAll = maxFeatures >= width;
    this.#columns = Array.from({ length: width }, (_, j) => values.subarray(j * rows, (j + 1) * rows));
    this.#classes = channels > 1;
    this.countsRows = minSamplesLeaf > 1;
    this.first = Number(!this.#classes);
    this.slots = (this.#classes ? channels : 2) + Number(this.countsRows);
    this.totals = new Float64Array(channels);
    this.#channel = new Uint8Array(this.#classes ? rows : 0);
    this.#weight = new Float64Array(rows);
    this.#amount = new Float64Array(this.#classes ? 0 : rows);
    this.#packed = packed?.takes(amounts) ? packed : undefined;
  }

  /** Those of all features, where every node looks at all of them and the rows are many; else none. */
  of(rows: Uint32Array, fewest = FEWEST_KEPT): Float64Array | undefined {
    const { width, amounts } = this.#input;
    if (!this.#looksAtAll || rows.length < fewest) return undefined;
    const size = width * VALUES * this.slots;
    let kept = this.#free.pop();
    if (!kept) {
      if ((this.#made + 1) * size * 8 > MOST_KEPT) return undefined;
      this.#made++;
      kept = allocated(Float64Array, size);
      if (!kept) return undefined;
    }
    kept.fill(0);
    if (this.#packed && rows.length >= FEWEST_KEPT) this.#packed.add(rows, amounts, kept, this.slots);
    else {
      this.gather(rows);
      for (let feature = 0; feature < width; feature++) this.fill(feature, rows, kept, feature * VALUES * this.slots);
    }
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
    const counted = needed && larger.length >= FEWEST_KEPT ? this.of(smaller, 1) : undefined;
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

  /** Puts what a node's rows add beside each other, and sums it into the totals. @returns the rows' weight */
  gather(rows: Uint32Array): number {
    const { weights, channel, amounts } = this.#input;
    this.totals.fill(0);
    let weight = 0;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      const own = weights ? weights[row]! : 1;
      weight += own;
      this.#weight[i] = own;
      if (this.#classes) {
        const c = channel[row]!;
        this.#channel[i] = c;
        this.totals[c]! += own;
      } else {
        const amount = own * amounts[row]!;
        this.#amount[i] = amount;
        this.totals[0]! += amount;
      }
    }
    return weight;
  }

  /** Sums a feature's histogram, which all rows are in, into the totals. @returns the rows' weight */
  sum(histograms: Float64Array): number {
    const [totals, slots] = [this.totals, this.slots];
    totals.fill(0);
    let weight = 0;
    for (let at = 0; at < VALUES * slots; at += slots) {
      weight += this.weightAt(histograms, at);
      for (let c = 0; c < totals.length; c++) totals[c]! += histograms[at + this.first + c]!;
    }
    return weight;
  }

  /** Adds the rows that were gathered to the histogram of a feature that begins at `start`. */
  fill(feature: number, rows: Uint32Array, histogram: Float64Array, start: number): void {
    const column = this.#columns[feature]!;
    const [slots, weight] = [this.slots, this.#weight];
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
    if (!this.countsRows) return;
    const last = start + slots - 1;
    for (let i = 0; i < count; i++) histogram[last + column[rows[i]!]! * slots]!++;
  }

  /** The weight of a value, whose numbers begin there. */
  weightAt(histogram: Float64Array, at: number): number {
    if (!this.#classes) return histogram[at]!;
    let weight = 0;
    for (let c = 0; c < this.totals.length; c++) weight += histogram[at + c]!;
    return weight;
  }
}
