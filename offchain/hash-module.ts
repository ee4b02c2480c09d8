import {
  brIf,
  type Code,
  call,
  get,
  i32,
  i32x4,
  i64,
  i64x2,
  instantiate,
  loop,
  moduleOf,
  set,
  TYPE,
  v128,
} from './wasm.ts';

/**
 * Keccak-256 and SHA-256 as a WebAssembly module, of two and four short messages at once, side by side in its vectors. Row
 * digests are committed to by the million, and the libraries' calls cost ten times what the hashing itself does.
 *
 * Memory: Keccak's 25 lanes at 0, its round constants at 512; the eight words of SHA-256's state at 1024, the sixteen of
 * its block at 1152, the states after HMAC's two pads at 1408 and 1536. Words are in WebAssembly's own order,
 * little-endian; SHA-256's are big-endian numbers.
 */

/** What works on the memory of one module; JavaScript runs one call at a time, so nobody else writes in between. */
export interface HashModule {
  /** Keccak-256 of both messages of so many words in the lanes, an even number below 34; the hashes are the first eight. */
  readonly keccak: (words: number) => void;
  /** SHA-256's compression of block into state, of all four messages. */
  readonly compress: () => void;
  /** HMAC-SHA-256 of the first eight words of the block into state; `inner` and `outer` are the states after its pads. */
  readonly hmac: () => void;
  /** 25 lanes, of each those of two messages, of those two words, low word first: see `laneWord`. */
  readonly lanes: Uint32Array;
  /** Of each word those of four messages: word w of message m at 4 w + m. */
  readonly state: Uint32Array;
  readonly block: Uint32Array;
  readonly inner: Uint32Array;
  readonly outer: Uint32Array;
}

/** Messages that are hashed at once. */
export const KECCAK_MESSAGES = 2;
export const SHA_MESSAGES = 4;

const [CONSTANTS, STATE, BLOCK, INNER, OUTER, MEMORY] = [512, 1024, 1152, 1408, 1536, 1664];
const zero = i32.const(0);

export function hashModule(): HashModule {
  const module = moduleOf([
    { name: 'compress', locals: [[26, TYPE.v128]], code: compressCode() },
    { name: 'hmac', locals: [], code: hmacCode() },
    {
      name: 'keccak',
      parameters: 1,
      locals: [
        [56, TYPE.v128],
        [1, TYPE.i32],
      ],
      code: keccakCode(),
    },
  ]);
  type Routines = Pick<HashModule, 'keccak' | 'compress' | 'hmac'>;
  const [{ keccak, compress, hmac }, memory] = instantiate<Routines>(module, MEMORY);
  const words = (offset: number, length: number) => new Uint32Array(memory, offset, length);
  new BigUint64Array(memory, CONSTANTS, 24).set(roundConstants());
  return {
    ...{ keccak, compress, hmac, lanes: words(0, 100), state: words(STATE, 32), block: words(BLOCK, 64) },
    ...{ inner: words(INNER, 32), outer: words(OUTER, 32) },
  };
}

/** Where in `lanes` a word of a message is. */
export const laneWord = (word: number, message: number): number => 4 * (word >>> 1) + 2 * message + (word & 1);

const rotl = (value: number, by: number): Code =>
  by === 0 ? get(value) : v128.or(i64x2.shl(get(value), i32.const(by)), i64x2.shr(get(value), i32.const(64 - by)));

/** FIPS 202, sections 3.2 and 5.1, and Keccak's own padding. Locals: words; lanes, permuted lanes, column parities, one more, the round. */
function keccakCode(): Code {
  const [WORDS, A, B, C, D, ROUND] = [0, 1, 26, 51, 56, 57];
  const code: number[] = [];
  // An even number of words is as many times 8 bytes of both messages' lanes.
  const end = i32.mul(get(WORDS), i32.const(8));
  code.push(...v128.store(end, i64x2.splat(i64.const(1n))), ...set(ROUND, i32.add(end, i32.const(16))));
  code.push(
    ...loop(
      v128.store(get(ROUND), i64x2.splat(i64.const(0n))),
      set(ROUND, i32.add(get(ROUND), i32.const(16))),
      brIf(0, i32.less(get(ROUND), i32.const(400))),
    ),
  );
  const last = v128.xor(v128.load(zero, 256), i64x2.splat(i64.const(-(2n ** 63n))));
  code.push(...v128.store(zero, last, 256), ...set(ROUND, zero));
  for (let i = 0; i < 25; i++) code.push(...set(A + i, v128.load(zero, 16 * i)));
  const round: number[] = [];
  for (let x = 0; x < 5; x++) {
    round.push(...set(C + x, v128.xor(get(A + x), ...[5, 10, 15, 20].map((y) => get(A + x + y)))));
  }
  for (let x = 0; x < 5; x++) {
    round.push(...set(D, v128.xor(get(C + ((x + 4) % 5)), rotl(C + ((x + 1) % 5), 1))));
    for (let y = 0; y < 25; y += 5) round.push(...set(A + x + y, v128.xor(get(A + x + y), get(D))));
  }
  round.push(...set(B, get(A)));
  for (let t = 0, [x, y] = [1, 0] as [number, number]; t < 24; t++) {
    const to = y + 5 * ((2 * x + 3 * y) % 5);
    round.push(...set(B + to, rotl(A + x + 5 * y, (((t + 1) * (t + 2)) / 2) % 64)));
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  for (let y = 0; y < 25; y += 5) {
    for (let x = 0; x < 5; x++) {
      const others = v128.andNot(get(B + y + ((x + 2) % 5)), get(B + y + ((x + 1) % 5)));
      round.push(...set(A + x + y, v128.xor(get(B + x + y), others)));
    }
  }
  round.push(...set(A, v128.xor(get(A), i64x2.splat(i64.load(get(ROUND), CONSTANTS)))));
  round.push(...set(ROUND, i32.add(get(ROUND), i32.const(8))), ...brIf(0, i32.less(get(ROUND), i32.const(8 * 24))));
  code.push(...loop(round));
  for (let i = 0; i < 25; i++) code.push(...v128.store(zero, get(A + i), 16 * i));
  return code;
}

/** RFC 2104, of 32 bytes: after 64 bytes of pad they make 768 bits, and so does the inner hash. */
function hmacCode(): Code {
  const move = (from: number, to: number) =>
    Array.from({ length: 8 }, (_, i) => v128.store(zero, v128.load(zero, from + 16 * i), to + 16 * i)).flat();
  const word = (at: number, value: number) => v128.store(zero, i32x4.splat(i32.const(value)), BLOCK + 16 * at);
  const padding = [word(8, 0x80000000), ...[9, 10, 11, 12, 13, 14].map((at) => word(at, 0)), word(15, 768)].flat();
  const compress = call(0);
  return [move(INNER, STATE), padding, compress, move(STATE, BLOCK), move(OUTER, STATE), compress].flat();
}

const rotr = (value: Code, by: number): Code =>
  v128.or(i32x4.shr(value, i32.const(by)), i32x4.shl(value, i32.const(32 - by)));

/** FIPS 180-4, section 6.2.2. Locals: the eight working variables, sixteen words of the schedule, T1 and T2. */
function compressCode(): Code {
  const [W, T1, T2] = [8, 24, 25];
  const code: number[] = [];
  for (let i = 0; i < 8; i++) code.push(...set(i, v128.load(zero, STATE + 16 * i)));
  for (let i = 0; i < 16; i++) code.push(...set(W + i, v128.load(zero, BLOCK + 16 * i)));
  const two = (value: Code, one: number, other: number) => v128.xor(rotr(value, one), rotr(value, other));
  for (let t = 0; t < 64; t++) {
    const w = (back: number) => get(W + ((t + 16 - back) % 16));
    if (t >= 16) {
      const s0 = v128.xor(two(w(15), 7, 18), i32x4.shr(w(15), i32.const(3)));
      const s1 = v128.xor(two(w(2), 17, 19), i32x4.shr(w(2), i32.const(10)));
      code.push(...set(W + (t % 16), i32x4.add(w(16), s0, w(7), s1)));
    }
    // Instead of moving eight variables, each round names them anew.
    const [a, b, c, d, e, f, g, h] = Array.from({ length: 8 }, (_, i) => get((i + 64 - t) % 8)) as [Code, ...Code[]];
    const choice = v128.xor(g!, v128.and(e!, v128.xor(f!, g!)));
    const sum1 = v128.xor(two(e!, 6, 11), rotr(e!, 25));
    const constant = i32x4.splat(i32.const(root(3n, PRIMES[t]!)));
    code.push(...set(T1, i32x4.add(h!, sum1, choice, constant, get(W + (t % 16)))));
    const majority = v128.xor(v128.and(a, b!), v128.and(c!, v128.xor(a, b!)));
    code.push(...set(T2, i32x4.add(v128.xor(two(a, 2, 13), rotr(a, 22)), majority)));
    const [D, H] = [(3 + 64 - t) % 8, (7 + 64 - t) % 8];
    code.push(...set(D, i32x4.add(d!, get(T1))), ...set(H, i32x4.add(get(T1), get(T2))));
  }
  for (let i = 0; i < 8; i++) {
    const sum = i32x4.add(v128.load(zero, STATE + 16 * i), get(i));
    code.push(...v128.store(zero, sum, STATE + 16 * i));
  }
  return code;
}

const PRIMES = Array.from({ length: 311 }, (_, n) => n + 2).filter((n) => {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
});

/** The first 32 bits of the fraction of a prime's square or cube root, which are SHA-256's constants. */
function root(degree: bigint, prime: number): number {
  const wanted = BigInt(prime) << (32n * degree);
  let low = 0n;
  for (let bit = 1n << 40n; bit > 0n; bit >>= 1n) if ((low + bit) ** degree <= wanted) low += bit;
  return Number(low & 0xffffffffn);
}

/** SHA-256's state before the first block. */
export const INITIAL_STATE = Uint32Array.from(PRIMES.slice(0, 8), (prime) => root(2n, prime));

/** FIPS 202, algorithm 5: bits of a linear feedback shift register at the places 2^j - 1. */
function roundConstants(): BigUint64Array {
  let register = 1;
  return BigUint64Array.from({ length: 24 }, () => {
    let constant = 0n;
    for (let j = 0; j < 7; j++) {
      if (register & 1) constant |= 1n << BigInt(2 ** j - 1);
      register = (register << 1) ^ (register & 0x80 ? 0x171 : 0);
    }
    return constant;
  });
}
