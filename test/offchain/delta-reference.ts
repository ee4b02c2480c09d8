// What offchain/delta.ts and contracts/DeltaOne.sol have to compute, from the definitions and by other means: no square
// root, no floor division, no recurrence. Slow, and meant to be read.

/** The greatest integer for which a property holds that holds below some point and not above it. */
function greatest(holds: (k: bigint) => boolean, from: bigint, to: bigint): bigint {
  if (!holds(from) || holds(to)) throw new Error('the greatest is not between the two');
  while (to - from > 1n) {
    const middle = from + (to - from) / 2n;
    if (holds(middle)) from = middle;
    else to = middle;
  }
  return from;
}

/** The greatest k with k / 10^4 <= (b - c) / n. */
export function deltaOneBps(n: bigint, b: bigint, c: bigint): bigint {
  return greatest((k) => k * n <= 10_000n * (b - c), -10_001n, 10_001n);
}

/**
 * Whether k / 10^4 <= (d - z sqrt(V)) / N, V = b + c + 1 - d^2 / N, over the reals: z sqrt(V) <= d - k N / 10^4, both sides
 * squared and multiplied by 10^12 N.
 */
export function isAtMostLowerBound(k: bigint, n: bigint, b: bigint, c: bigint, zMicro: bigint): boolean {
  const N = n + 2n;
  const d = b - c;
  const right = 10_000n * d - k * N;
  return right >= 0n && zMicro ** 2n * ((b + c + 1n) * N - d ** 2n) * 10n ** 8n <= (right * 1_000_000n) ** 2n * N;
}

export function payableBps(n: bigint, b: bigint, c: bigint, zMicro: bigint): bigint {
  return greatest((k) => isAtMostLowerBound(k, n, b, c, zMicro), -1_000_000n, 10_001n);
}

const pascal: bigint[][] = [[1n]];

/** P(Bin(m, 1/2) >= b) <= alpha30 / 2^30, over the reals, by Pascal's triangle. */
export function exactBinomialPasses(b: bigint, c: bigint, alpha30: bigint): boolean {
  const m = Number(b + c);
  if (m > 225) return true;
  if (m === 0) return false;
  while (pascal.length <= m) {
    const above = pascal.at(-1)!;
    pascal.push([...above.map((value, i) => value + (above[i - 1] ?? 0n)), 1n]);
  }
  const tail = pascal[m]!.slice(Number(b)).reduce((sum, value) => sum + value, 0n);
  return tail * 2n ** 30n <= alpha30 * 2n ** BigInt(m);
}

/** The greatest whole number of units that is neither above the rate's due nor above the cap, and not negative. */
export function reward(paidBps: bigint, tokensPerDeltaOne: bigint, cap: bigint): bigint {
  return paidBps <= 0n ? 0n : greatest((k) => k * 100n <= paidBps * tokensPerDeltaOne && k <= cap, 0n, cap + 1n);
}
