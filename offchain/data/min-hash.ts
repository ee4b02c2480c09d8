/**
 * MinHash of texts by one permutation: each shingle falls into one of the bins by its hash, a bin keeps its least hash,
 * and an empty bin takes that of the next one that is not (rotation). Two texts agree in a bin with a probability of
 * about the share of shingles that they have in common, their Jaccard similarity.
 */

const BIN_BITS = 6;
const BINS = 2 ** BIN_BITS;
/**
 * Bytes of a shingle, and characters where texts are compared: more than a word, or else texts of few different words
 * would all be alike.
 */
const SHINGLE = 8;

/** Bands of so many rows of bins: texts that agree in a whole band are candidates. */
export interface Bands {
  readonly bands: number;
  readonly rows: number;
}

/** The bands whose threshold, (1 / bands)^(1 / rows), is nearest to the one wanted from below, so that few are missed. */
export function bandsFor(threshold: number): Bands {
  const all = [2, 4, 8, 16].map((rows) => ({ bands: BINS / rows, rows }));
  const at = ({ bands, rows }: Bands) => (1 / bands) ** (1 / rows);
  return all.findLast((bands) => at(bands) <= threshold) ?? all[0]!;
}

const minima = new Int32Array(BINS);
/** Greater than the 26 bits of a hash that do not say its bin. */
const EMPTY = 0x3fffffff;

/**
 * Hashes of the bands of the signature of a text in UTF-8, `bytes[from]` to `bytes[to - 1]`: none of them 0.
 *
 * @returns false where the text is too short to have a shingle
 */
export function bandHashes(
  bytes: Uint8Array,
  from: number,
  to: number,
  { bands, rows }: Bands,
  into: Uint32Array,
): boolean {
  if (to - from < SHINGLE) return false;
  minima.fill(EMPTY);
  // The last eight bytes.
  let [high, low] = [0, 0];
  for (let at = from; at < to; at++) {
    high = (high << 8) | (low >>> 24);
    low = (low << 8) | bytes[at]!;
    if (at - from < SHINGLE - 1) continue;
    const mixed = Math.imul(high, 0x85ebca6b) ^ Math.imul(low, 0x9e3779b1);
    const spread = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
    const hash = spread ^ (spread >>> 13);
    // The lesser one without a branch, which would be as good as random: half of the time.
    const less = (hash >>> BIN_BITS) - minima[hash & (BINS - 1)]!;
    minima[hash & (BINS - 1)]! += less & (less >> 31);
  }
  for (let bin = BINS - 1, next = firstFilled(); bin >= 0; bin--) {
    if (minima[bin] === EMPTY) minima[bin] = next;
    else next = minima[bin]!;
  }
  for (let band = 0; band < bands; band++) {
    let key = band + 1;
    for (let bin = band * rows; bin < (band + 1) * rows; bin++) key = Math.imul(key ^ minima[bin]!, 0x01000193);
    into[band] = mix(key) || 1;
  }
  return true;
}

function firstFilled(): number {
  for (const least of minima) if (least !== EMPTY) return least;
  return EMPTY;
}

/** MurmurHash3's finaliser. */
export function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The share of shingles that two texts have in common. */
export function jaccard(one: string, other: string): number {
  const [a, b] = [shingles(one), shingles(other)];
  let common = 0;
  for (const shingle of a) if (b.has(shingle)) common++;
  return common === 0 ? 0 : common / (a.size + b.size - common);
}

function shingles(text: string): Set<string> {
  const all = new Set<string>();
  for (let at = 0; at + SHINGLE <= text.length; at++) all.add(text.slice(at, at + SHINGLE));
  return all;
}
