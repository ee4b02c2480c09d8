import { block, br, brIf, type Code, get, i32, loop, select, set, step, when } from '../wasm.ts';

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

/** Greater than the 26 bits of a hash that do not say its bin. */
const EMPTY = 0x3fffffff;

/**
 * Code of a routine for cells of text in UTF-8, whose signatures' bands it hashes: none of the hashes is 0, but those of a
 * text that is too short to have a shingle.
 *
 * Its parameters: where the offsets of the first cell's start and end are, how many offsets the next cell's are further,
 * how many cells; bands, and bins of each.
 *
 * @param bytes where the offsets count from
 * @param minima room for 256 bytes
 * @param hashes where they go to: band after band those of all cells
 */
export function bandsCode(bytes: number, minima: number, hashes: number): Code {
  const [STARTS, ENDS, STRIDE, CELLS, BANDS, ROWS] = [0, 1, 2, 3, 4, 5];
  const [CELL, AT, TO, HIGH, LOW, HASH, BIN, NEXT, KEY, BAND, OUT, LONG] = [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];
  const ofCell = (offsets: number) => i32.load(i32.add(get(offsets), i32.mul(get(CELL), get(STRIDE), i32.const(4))));
  const times = (value: Code, factor: number) => i32.mul(value, i32.const(factor));
  const mixed = (local: number, right: number) => i32.xor(get(local), i32.shr(get(local), i32.const(right)));
  const one = i32.const(1);
  // The last eight bytes.
  const shift = [
    set(HIGH, i32.or(i32.shl(get(HIGH), i32.const(8)), i32.shr(get(LOW), i32.const(24)))),
    set(LOW, i32.or(i32.shl(get(LOW), i32.const(8)), i32.load8(get(AT), bytes))),
    step(AT, one),
  ];
  const shingle = [
    set(HASH, i32.xor(times(get(HIGH), 0x85ebca6b), times(get(LOW), 0x9e3779b1))),
    set(HASH, times(mixed(HASH, 15), 0x2c1b3c6d)),
    set(HASH, mixed(HASH, 13)),
    set(BIN, i32.shl(i32.and(get(HASH), i32.const(BINS - 1)), i32.const(2))),
    ...[set(HASH, i32.shr(get(HASH), i32.const(BIN_BITS))), set(NEXT, i32.load(get(BIN), minima))],
    i32.store(get(BIN), select(get(HASH), get(NEXT), i32.less(get(HASH), get(NEXT))), minima),
  ];
  const signature = [
    set(BIN, i32.const(0)),
    loop(
      i32.store(get(BIN), i32.const(EMPTY), minima),
      step(BIN, i32.const(4)),
      brIf(0, i32.less(get(BIN), i32.const(4 * BINS))),
    ),
    ...[set(KEY, i32.add(get(AT), i32.const(SHINGLE - 1))), loop(...shift, brIf(0, i32.less(get(AT), get(KEY))))],
    loop(...shift, ...shingle, brIf(0, i32.less(get(AT), get(TO)))),
    // Before the last bin comes the first, or the first that is filled.
    set(BIN, i32.const(0)),
    loop(set(NEXT, i32.load(get(BIN), minima)), step(BIN, i32.const(4)), brIf(0, i32.eq(get(NEXT), i32.const(EMPTY)))),
    set(BIN, i32.const(4 * BINS)),
    loop(
      ...[step(BIN, i32.const(-4)), set(HASH, i32.load(get(BIN), minima))],
      set(NEXT, select(get(NEXT), get(HASH), i32.eq(get(HASH), i32.const(EMPTY)))),
      ...[i32.store(get(BIN), get(NEXT), minima), brIf(0, get(BIN))],
    ),
  ];
  const bandHash = [
    set(KEY, i32.add(get(BAND), one)),
    set(TO, i32.add(get(BIN), i32.shl(get(ROWS), i32.const(2)))),
    loop(
      set(KEY, times(i32.xor(get(KEY), i32.load(get(BIN), minima)), 0x01000193)),
      ...[step(BIN, i32.const(4)), brIf(0, i32.less(get(BIN), get(TO)))],
    ),
    ...[set(KEY, times(mixed(KEY, 16), 0x85ebca6b)), set(KEY, times(mixed(KEY, 13), 0xc2b2ae35))],
    set(KEY, mixed(KEY, 16)),
    set(KEY, i32.or(get(KEY), i32.eqz(get(KEY)))),
  ];
  const isLong = i32.sub(one, i32.lessS(i32.sub(get(TO), get(AT)), i32.const(SHINGLE)));
  return block(
    loop(
      brIf(1, i32.eq(get(CELL), get(CELLS))),
      ...[set(AT, ofCell(STARTS)), set(TO, ofCell(ENDS)), set(LONG, isLong)],
      when(get(LONG), ...signature),
      ...[set(BAND, i32.const(0)), set(BIN, i32.const(0)), set(OUT, i32.shl(get(CELL), i32.const(2)))],
      loop(
        ...[set(KEY, i32.const(0)), when(get(LONG), ...bandHash), i32.store(get(OUT), get(KEY), hashes)],
        ...[step(OUT, i32.shl(get(CELLS), i32.const(2))), step(BAND, one), brIf(0, i32.less(get(BAND), get(BANDS)))],
      ),
      ...[step(CELL, one), br(0)],
    ),
  );
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
