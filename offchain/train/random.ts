import { createHash } from 'node:crypto';

/** Uniform integers in 0..`below` - 1, for `below` from 1 to 2^32. */
export type Random = (below: number) => number;

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** What a trainer draws from: the configuration's own seed, and the one of the round, where there is one. */
export const seedOf = (own: number, { seed }: { seed?: `0x${string}` }): string =>
  seed === undefined ? String(own) : `${own}/${seed}`;

/**
 * xoshiro128** (Blackman, Vigna: Scrambled Linear Pseudorandom Number Generators, ACM TOMS 47, 2021) on 32-bit integers,
 * begun with the first 16 bytes of the SHA-256 of `seed`: the same integers on every machine. Draws that would favour
 * small results are drawn again.
 */
export function randomOf(seed: string): Random {
  const digest = createHash('sha256').update(seed).digest();
  let [a, b, c, d] = [0, 4, 8, 12].map((at) => digest.readInt32LE(at)) as [number, number, number, number];
  const next = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return result;
  };
  return (below) => {
    const fair = 2 ** 32 - (2 ** 32 % below);
    for (;;) {
      const drawn = next();
      if (drawn < fair) return drawn % below;
    }
  };
}
