/**
 * The permutation of Keccak and the compression of SHA-256 as a WebAssembly module, which is put together here. Row
 * digests are committed to by the million, and the libraries' calls cost ten times what the hashing itself does.
 *
 * Memory: Keccak's 25 lanes at 0, its round constants at 256; the eight words of SHA-256's state at 512 and the sixteen
 * of its block at 544. Words are in WebAssembly's own order, little-endian; SHA-256's are big-endian numbers.
 */

import { at, type Code, get, OP, set, signed, TYPE, type WebAssemblyFunction, webAssembly } from './web-assembly.ts';

/** What works on the memory of one module; JavaScript runs one call at a time, so nobody else writes in between. */
export interface HashModule {
  /** Keccak-f[1600] on the lanes. */
  readonly keccakF: () => void;
  /** SHA-256's compression of block into state. */
  readonly compress: () => void;
  /** 50 words: the lanes, low word first. */
  readonly lanes: Uint32Array;
  readonly state: Uint32Array;
  readonly block: Uint32Array;
}

const [CONSTANTS, STATE, BLOCK] = [256, 512, 544];
const I32 = {
  const: 0x41,
  load: 0x28,
  store: 0x36,
  lessThan: 0x49,
  add: 0x6a,
  and: 0x71,
  xor: 0x73,
  shr: 0x76,
  rotr: 0x78,
};
const I64 = { const: 0x42, load: 0x29, store: 0x37, and: 0x83, xor: 0x85, rotl: 0x89 };
const of = (operation: number, first: Code, ...others: readonly Code[]): Code => [
  ...first,
  ...others.flatMap((next) => [...next, operation]),
];
const rotl = (value: Code, by: number): Code =>
  by === 0 ? value : [...value, I64.const, ...signed(BigInt(by)), I64.rotl];
const by32 = (operation: number, value: Code, by: number): Code => [
  ...value,
  I32.const,
  ...signed(BigInt(by)),
  operation,
];
const zero: Code = [I32.const, 0];

export function hashModule(): HashModule {
  const { keccakF, compress, memory } = webAssembly({ keccakF: keccakCode(), compress: compressCode() }, 1);
  const words = (offset: number, length: number) => new Uint32Array(memory.buffer, offset, length);
  new BigUint64Array(memory.buffer, CONSTANTS, 24).set(roundConstants());
  return { keccakF, compress, lanes: words(0, 50), state: words(STATE, 8), block: words(BLOCK, 16) };
}

/** FIPS 202, section 3.2. Locals: 25 lanes, 25 permuted lanes, 5 column parities, one more, and the round times 8. */
function keccakCode(): WebAssemblyFunction {
  const [B, C, D, ROUND] = [25, 50, 55, 56];
  const locals = [
    [56, TYPE.i64],
    [1, TYPE.i32],
  ] as const;
  const code: number[] = [];
  for (let i = 0; i < 25; i++) code.push(...set(i, [...zero, ...at(I64.load, 3, 8 * i)]));
  code.push(OP.loop, 0x40);
  for (let x = 0; x < 5; x++) {
    code.push(...set(C + x, of(I64.xor, ...([0, 5, 10, 15, 20].map((y) => get(x + y)) as [Code]))));
  }
  for (let x = 0; x < 5; x++) {
    code.push(...set(D, of(I64.xor, get(C + ((x + 4) % 5)), rotl(get(C + ((x + 1) % 5)), 1))));
    for (let y = 0; y < 25; y += 5) code.push(...set(x + y, of(I64.xor, get(x + y), get(D))));
  }
  code.push(...set(B, get(0)));
  for (let t = 0, [x, y] = [1, 0] as [number, number]; t < 24; t++) {
    const to = y + 5 * ((2 * x + 3 * y) % 5);
    code.push(...set(B + to, rotl(get(x + 5 * y), (((t + 1) * (t + 2)) / 2) % 64)));
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  const ones: Code = [I64.const, ...signed(-1n)];
  for (let y = 0; y < 25; y += 5) {
    for (let x = 0; x < 5; x++) {
      const others = of(I64.and, of(I64.xor, get(B + y + ((x + 1) % 5)), ones), get(B + y + ((x + 2) % 5)));
      code.push(...set(x + y, of(I64.xor, get(B + x + y), others)));
    }
  }
  code.push(...set(0, of(I64.xor, get(0), [...get(ROUND), ...at(I64.load, 3, CONSTANTS)])));
  code.push(...set(ROUND, by32(I32.add, get(ROUND), 8)), ...by32(I32.lessThan, get(ROUND), 8 * 24));
  code.push(OP.branchIf, 0, OP.end);
  for (let i = 0; i < 25; i++) code.push(...zero, ...get(i), ...at(I64.store, 3, 8 * i));
  return { parameters: 0, locals, code };
}

/** FIPS 180-4, section 6.2.2. Locals: the eight working variables, sixteen words of the schedule, T1 and T2. */
function compressCode(): WebAssemblyFunction {
  const [W, T1, T2] = [8, 24, 25];
  const code: number[] = [];
  for (let i = 0; i < 8; i++) code.push(...set(i, [...zero, ...at(I32.load, 2, STATE + 4 * i)]));
  for (let i = 0; i < 16; i++) code.push(...set(W + i, [...zero, ...at(I32.load, 2, BLOCK + 4 * i)]));
  const three = (value: Code, [r1, r2, r3]: readonly number[], last: number) =>
    of(I32.xor, by32(I32.rotr, value, r1!), by32(I32.rotr, value, r2!), by32(last, value, r3!));
  for (let t = 0; t < 64; t++) {
    const w = (back: number) => get(W + ((t + 16 - back) % 16));
    if (t >= 16) {
      const [s0, s1] = [three(w(15), [7, 18, 3], I32.shr), three(w(2), [17, 19, 10], I32.shr)];
      code.push(...set(W + (t % 16), of(I32.add, w(16), s0, w(7), s1)));
    }
    // Instead of moving eight variables, each round names them anew.
    const [a, b, c, d, e, f, g, h] = Array.from({ length: 8 }, (_, i) => (i + 64 - t) % 8) as [number, ...number[]];
    const choice = of(I32.xor, get(g!), of(I32.and, get(e!), of(I32.xor, get(f!), get(g!))));
    const sum1 = three(get(e!), [6, 11, 25], I32.rotr);
    const constant: Code = [I32.const, ...signed(BigInt(root(3n, PRIMES[t]!) | 0))];
    code.push(...set(T1, of(I32.add, get(h!), sum1, choice, constant, get(W + (t % 16)))));
    const majority = of(I32.xor, of(I32.and, get(a), get(b!)), of(I32.and, get(c!), of(I32.xor, get(a), get(b!))));
    code.push(...set(T2, of(I32.add, three(get(a), [2, 13, 22], I32.rotr), majority)));
    code.push(...set(d!, of(I32.add, get(d!), get(T1))), ...set(h!, of(I32.add, get(T1), get(T2))));
  }
  for (let i = 0; i < 8; i++) {
    const sum = of(I32.add, [...zero, ...at(I32.load, 2, STATE + 4 * i)], get(i));
    code.push(...zero, ...sum, ...at(I32.store, 2, STATE + 4 * i));
  }
  return { parameters: 0, locals: [[26, TYPE.i32]], code };
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
