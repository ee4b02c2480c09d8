import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type Counts,
  deltaOneBps,
  exactBinomialPasses,
  payableBps,
  reward,
  score,
  unpack,
} from '../../offchain/delta/delta.ts';
import { deltaVectors } from '../../scripts/delta-vectors.ts';
import { readDeltaVectors } from '../vectors/delta.ts';
import * as reference from './delta-reference.ts';

const table = readFileSync(new URL('../vectors/delta.json', import.meta.url), 'utf8');
const vectors = readDeltaVectors();

/** Counts over all of the documented domain, small, large and nearly all discordant. */
const counts: fc.Arbitrary<Counts> = fc
  .oneof(fc.bigInt(1n, 300n), fc.bigInt(1n, 10_000n), fc.bigInt(1n, 2n ** 34n - 8n))
  .chain((n) => fc.oneof(fc.bigInt(0n, n < 250n ? n : 250n), fc.bigInt(0n, n)).map((m) => ({ n, m })))
  .chain(({ n, m }) => fc.bigInt(0n, m).map((b) => ({ n, b, c: m - b })));
const zMicro = fc.bigInt(1n, 10_000_000n);
const alpha30 = fc.bigInt(1n, 2n ** 29n);

describe('the DeltaOne score', () => {
  it('has vectors that follow from the definitions', () => assert.equal(table, deltaVectors()));

  for (const { name, metric, classes, counts, terms, expected, error, paid } of vectors) {
    it(`vector: ${name}`, () => {
      if (error) {
        const code = error
          .replace('DeltaOne', 'Delta')
          .replace(/(?<=[a-z])(?=[A-Z])/g, '_')
          .toUpperCase();
        assert.throws(() => score(metric, classes, counts, terms), { code });
        return;
      }
      assert.deepEqual(score(metric, classes, counts, terms), expected);
      assert.equal(reward(expected.payableBps, paid.tokensPerDeltaOne, paid.cap), paid.reward);
    });
  }

  it('refuses bits above the eight lanes', () => {
    assert.throws(() => unpack(2n ** 248n), { code: 'DELTA_COUNTS_OUT_OF_RANGE' });
    assert.throws(() => unpack(-1n), { code: 'DELTA_COUNTS_OUT_OF_RANGE' });
    assert.equal(unpack(2n ** 248n - 1n).n, 8n * (2n ** 31n - 1n));
  });

  it('is undefined over no rows', () => {
    assert.throws(() => deltaOneBps({ n: 0n, b: 0n, c: 0n }), { code: 'DELTA_NO_ROWS' });
    assert.throws(() => payableBps({ n: 0n, b: 0n, c: 0n }, 1n), { code: 'DELTA_NO_ROWS' });
  });

  it('point estimate equals the reference', () => {
    fc.assert(
      fc.property(counts, (x) => deltaOneBps(x) === reference.deltaOneBps(reference.accuracy(x.n, x.b, x.c))),
      { seed: 1 },
    );
  });

  it('lower bound is never above the exact real value, and less than 1 bps below it', () => {
    fc.assert(
      fc.property(counts, zMicro, ({ n, b, c }, z) => {
        const bound = payableBps({ n, b, c }, z);
        const exact = reference.accuracy(n, b, c);
        assert(reference.isAtMostLowerBound(reference.fraction(bound), exact, z));
        assert(!reference.isAtMostLowerBound(reference.fraction(bound + 1n), exact, z));
      }),
      { seed: 2, numRuns: 2_000 },
    );
  });

  it('exact test equals the sum over Pascal’s triangle', () => {
    const pair = fc.bigInt(0n, 230n).chain((m) => fc.bigInt(0n, m).map((b) => ({ b, c: m - b })));
    fc.assert(
      fc.property(
        pair,
        alpha30,
        ({ b, c }, a) => exactBinomialPasses(b, c, a) === reference.exactBinomialPasses(b, c, a),
      ),
      { seed: 3, numRuns: 2_000 },
    );
  });

  it('attack: break a row, or leave one unfixed, to be paid more', () => {
    const paid = (x: Counts, z: bigint, a: bigint) => {
      const passes = payableBps(x, z) > 0n && exactBinomialPasses(x.b, x.c, a);
      return passes ? reward(payableBps(x, z), 10n ** 18n, 2n ** 128n) : 0n;
    };
    fc.assert(
      fc.property(counts, zMicro, alpha30, ({ n, b, c }, z, a) => {
        fc.pre(b + c < n);
        assert(paid({ n, b: b + 1n, c }, z, a) >= paid({ n, b, c }, z, a));
        // At 226 discordant rows the exact test ends; see the step in DeltaOne.sol.
        if (b + c !== 225n) assert(paid({ n, b, c: c + 1n }, z, a) <= paid({ n, b, c }, z, a));
      }),
      { seed: 4, numRuns: 2_000 },
    );
  });

  it('the step at 226 discordant rows pays at most 17 bps at the alphas that policies state', () => {
    let most = 0n;
    for (const [z, a] of [
      [1_644_854n, 53_687_091n],
      [2_807_034n, 2_684_354n],
      [3_090_233n, 1_073_741n],
    ] as const) {
      for (let b = 113n; b <= 225n; b++) {
        const bound = payableBps({ n: 226n, b, c: 226n - b }, z);
        if (!exactBinomialPasses(b, 225n - b, a) && bound > most) most = bound;
      }
    }
    assert.equal(most, 17n);
  });

  it('reward is capped, never negative, and rounded down', () => {
    assert.equal(reward(-1n, 10n ** 18n, 5n), 0n);
    assert.equal(reward(0n, 10n ** 18n, 5n), 0n);
    assert.equal(reward(1n, 199n, 5n), 1n);
    assert.equal(reward(10_000n, 2n ** 128n - 1n, 2n ** 128n - 1n), 2n ** 128n - 1n);
    fc.assert(
      fc.property(
        fc.bigInt(-10_000n, 10_000n),
        fc.bigInt(0n, 2n ** 128n),
        fc.bigInt(0n, 2n ** 128n),
        (paid, rate, cap) => assert.equal(reward(paid, rate, cap), reference.reward(paid, rate, cap)),
      ),
      { seed: 5 },
    );
  });
});
