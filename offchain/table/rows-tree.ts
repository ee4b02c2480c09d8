import { createHash } from 'node:crypto';
import { hexToBytes } from 'viem';
import { tag } from '../attestation/context.ts';
import { hashModule, INITIAL_STATE, KECCAK_MESSAGES, laneWord, SHA_MESSAGES } from '../hash-module.ts';

/** Hashes back to back, 32 bytes each, as eight words of memory. */
export type Hashes = Uint32Array;

const WORDS = 8;
const hasher = hashModule();

/** The big-endian number that is written as these four bytes, and back. */
const swap = (word: number): number =>
  ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;

/** Hashes from their bytes. */
export const hashesOf = (bytes: Uint8Array): Hashes => new Uint32Array(Uint8Array.from(bytes).buffer);
/** The bytes of one of them. */
export const hashAt = (hashes: Hashes, at: number): Uint8Array =>
  Uint8Array.from(new Uint8Array(hashes.buffer, hashes.byteOffset + 32 * at, 32));

/** Salts digests under one secret: HMAC-SHA-256 with its two pads prepared. */
export class Salter {
  readonly #inner: Uint32Array;
  readonly #outer: Uint32Array;

  constructor(secret: Uint8Array) {
    const key = Buffer.alloc(64);
    key.set(secret.length > 64 ? createHash('sha256').update(secret).digest() : secret);
    this.#inner = statesAfter(key.map((byte) => byte ^ 0x36));
    this.#outer = statesAfter(key.map((byte) => byte ^ 0x5c));
  }

  /** The salt of the digest at `at`, as words of memory. */
  salt(digests: Hashes, at: number): Uint32Array {
    const states = this.#salts(digests, at);
    return Uint32Array.from({ length: WORDS }, (_, i) => states[SHA_MESSAGES * i]!);
  }

  /** The salts of the digests from the one at `at`, side by side; good until the next call. Beyond the last, of it again. */
  #salts(digests: Hashes, at: number): Uint32Array {
    const { state, block, inner, outer, hmac } = hasher;
    const last = digests.length - WORDS;
    for (let message = 0; message < SHA_MESSAGES; message++) {
      const from = Math.min(WORDS * (at + message), last);
      for (let i = 0; i < WORDS; i++) block[SHA_MESSAGES * i + message] = swap(digests[from + i]!);
    }
    inner.set(this.#inner);
    outer.set(this.#outer);
    hmac();
    for (let i = 0; i < SHA_MESSAGES * WORDS; i++) state[i] = swap(state[i]!);
    return state;
  }

  /**
   * The leaf of each digest, written in its place: keccak256(keccak256(abi.encode(TAG_ROW, digest, salt))).
   *
   * @param count how many of them, from the first
   */
  leaves(digests: Hashes, count = digests.length / WORDS): void {
    const { lanes, state, keccak } = hasher;
    for (let at = 0; at < count; at++) {
      if (at % SHA_MESSAGES === 0) this.#salts(digests, at);
      const message = at % KECCAK_MESSAGES;
      for (let i = 0; i < WORDS; i++) {
        lanes[laneWord(i, message)] = TAG_ROW[i]!;
        lanes[laneWord(WORDS + i, message)] = digests[WORDS * at + i]!;
        lanes[laneWord(2 * WORDS + i, message)] = state[SHA_MESSAGES * i + (at % SHA_MESSAGES)]!;
      }
      if (message < KECCAK_MESSAGES - 1 && at < count - 1) continue;
      keccak(3 * WORDS);
      keccak(WORDS);
      for (let i = 0; i <= message; i++) takeHash(digests, at - message + i, i);
    }
  }
}

const TAG_ROW = hashesOf(hexToBytes(tag('row')));

function statesAfter(pad: Uint8Array): Uint32Array {
  const { state, block, compress } = hasher;
  for (let i = 0; i < state.length; i++) state[i] = INITIAL_STATE[Math.floor(i / SHA_MESSAGES)]!;
  const words = hashesOf(pad);
  for (let i = 0; i < block.length; i++) block[i] = swap(words[Math.floor(i / SHA_MESSAGES)]!);
  compress();
  return state.slice();
}

/** Writes a message's hash, which is in the lanes, to a place among others. */
function takeHash(hashes: Hashes, at: number, message: number): void {
  for (let i = 0; i < WORDS; i++) hashes[WORDS * at + i] = hasher.lanes[laneWord(i, message)]!;
}

function compare(a: Hashes, at: number, b: Hashes, other: number): number {
  for (let i = 0; i < WORDS; i++) {
    const [x, y] = [a[WORDS * at + i]!, b[WORDS * other + i]!];
    if (x !== y) return swap(x) < swap(y) ? -1 : 1;
  }
  return 0;
}

function move(to: Hashes, place: number, from: Hashes, at: number): void {
  for (let i = 0; i < WORDS; i++) to[WORDS * place + i] = from[WORDS * at + i]!;
}

/** So many hashes share a bucket on average. */
const PER_BUCKET = 4;

/**
 * Sorts hashes in place and drops repeated ones: into buckets by their leading bits, which are as good as random, then
 * by insertion. Needs no memory but a counter for each bucket.
 *
 * @returns how many distinct ones there are, from the first
 */
export function sortDistinct(hashes: Hashes, count = hashes.length / WORDS): number {
  const bits = Math.min(22, Math.max(1, Math.ceil(Math.log2(Math.max(count, 2) / PER_BUCKET))));
  const bucketOf = (list: Hashes, at: number) => swap(list[WORDS * at]!) >>> (32 - bits);
  const ends = new Uint32Array(2 ** bits + 1);
  for (let at = 0; at < count; at++) ends[bucketOf(hashes, at) + 1]!++;
  for (let bucket = 0; bucket < 2 ** bits; bucket++) ends[bucket + 1]! += ends[bucket]!;
  const next = ends.slice();
  const [held, other] = [new Uint32Array(WORDS), new Uint32Array(WORDS)];
  for (let bucket = 0; bucket < 2 ** bits; bucket++) {
    while (next[bucket]! < ends[bucket + 1]!) {
      move(held, 0, hashes, next[bucket]!);
      for (let to = bucketOf(held, 0); to !== bucket; to = bucketOf(held, 0)) {
        const place = next[to]!++;
        move(other, 0, hashes, place);
        move(hashes, place, held, 0);
        held.set(other);
      }
      move(hashes, next[bucket]!++, held, 0);
    }
  }
  let distinct = 0;
  for (let at = 0; at < count; at++) {
    move(held, 0, hashes, at);
    let place = distinct;
    while (place > 0 && compare(held, 0, hashes, place - 1) < 0) place--;
    if (place > 0 && compare(held, 0, hashes, place - 1) === 0) continue;
    for (let from = distinct; from > place; from--) move(hashes, from, hashes, from - 1);
    move(hashes, place, held, 0);
    distinct++;
  }
  return distinct;
}

/** Where a hash is among sorted ones; -1 where it is not. */
export function find(hashes: Hashes, count: number, wanted: Hashes): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compare(hashes, middle, wanted, 0);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -1;
}

/**
 * The Merkle root over sorted leaves, in their place: OpenZeppelin's complete tree, in which a node hashes its two
 * children in ascending order. In an array node i has the children 2 i + 1 and 2 i + 2 and leaves fill it from the end;
 * read from the end it is a queue, from which each node takes two and to which it goes, so it takes no more room than
 * the leaves.
 *
 * @param leaf of which the siblings up to the root are asked for
 */
export function merkle(leaves: Hashes, count: number, leaf?: number): { root: Uint8Array; proof: Uint8Array[] } {
  const proof: Uint8Array[] = [];
  if (count === 0) return { root: new Uint8Array(32), proof };
  let wanted = leaf ?? -1;
  let waiting = 0;
  for (let node = 0; node < count - 1; node++) {
    const [left, right] = [(2 * node) % count, (2 * node + 1) % count];
    if (wanted >= 0 && wanted >>> 1 === node) {
      proof.push(hashAt(leaves, wanted % 2 === 0 ? right : left));
      wanted = count + node;
    }
    const swapped = compare(leaves, left, leaves, right) > 0;
    giveHash(leaves, swapped ? right : left, 0, waiting);
    giveHash(leaves, swapped ? left : right, 1, waiting++);
    // The last nodes wait for no other, since each may be above the one before it.
    if (waiting < KECCAK_MESSAGES && node < count - KECCAK_MESSAGES - 2) continue;
    hasher.keccak(2 * WORDS);
    for (let message = 0; message < waiting; message++) takeHash(leaves, node - waiting + 1 + message, message);
    waiting = 0;
  }
  return { root: hashAt(leaves, Math.max(count - 2, 0)), proof };
}

/** Puts a hash into a message, after so many others. */
function giveHash(hashes: Hashes, at: number, place: number, message: number): void {
  for (let i = 0; i < WORDS; i++) hasher.lanes[laneWord(WORDS * place + i, message)] = hashes[WORDS * at + i]!;
}
