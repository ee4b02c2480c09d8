import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acceptanceProbability, alpha30, rowsNeeded, zMicro } from '../../offchain/delta/power.ts';

// Quantiles of the normal distribution to 15 decimals, as tables and R's qnorm(1 - alpha) give them.
const QUANTILES: [alpha: number, z: string][] = [
  [0.05, '1.644853626951473'],
  [0.025, '1.959963984540054'],
  [0.01, '2.326347874040841'],
  [0.005, '2.575829303548901'],
  [0.0025, '2.807033768343804'],
  [0.001, '3.090232306167814'],
  [0.0001, '3.719016485455681'],
];

describe('the power of a benchmark', () => {
  for (const [alpha, z] of QUANTILES) {
    it(`z at ${alpha} is right to the last millionth, rounded up`, () => {
      const micro = BigInt(z.replace('.', '').slice(0, 7));
      assert.equal(zMicro(alpha), micro + 1n);
    });
  }

  it('z at one half is zero, and alpha is divided among the rounds', () => {
    assert.equal(zMicro(0.5), 0n);
    assert.equal(zMicro(0.05, 20), zMicro(0.0025));
    assert.equal(alpha30(0.05, 20), alpha30(0.0025));
  });

  it('alpha30 is the floor of alpha * 2^30 / rounds, over the decimals of alpha', () => {
    assert.equal(alpha30(0.05), (5n * 2n ** 30n) / 100n);
    assert.equal(alpha30(0.05, 7), (5n * 2n ** 30n) / 700n);
    assert.equal(alpha30(0.5), 2n ** 29n);
    assert.equal(alpha30(1e-7), 2n ** 30n / 10_000_000n);
  });

  it('refuses levels that no policy can state', () => {
    for (const [alpha, rounds] of [[0], [0.51], [-1], [Number.NaN], [0.05, 0], [0.05, 1.5], [1e-10]] as const) {
      assert.throws(() => zMicro(alpha, rounds), { code: 'POWER_LEVEL' });
      assert.throws(() => alpha30(alpha, rounds), { code: 'POWER_LEVEL' });
    }
  });

  it('needs the rows of the reference points', () => {
    const effect = { gainBps: 100, discordantBps: 400, power: 0.8 };
    assert.equal(rowsNeeded({ ...effect, alpha: 0.05 }), 2_471);
    assert.equal(rowsNeeded({ ...effect, alpha: 0.05 / 20 }), 5_323);
  });

  it('accepts with the stated power on the rows it asks for, and not on one less', () => {
    for (const power of [0.5, 0.8, 0.9, 0.99]) {
      for (const alpha of [0.05, 0.0025]) {
        const effect = { gainBps: 100, discordantBps: 400, alpha };
        const rows = rowsNeeded({ ...effect, power });
        assert(acceptanceProbability({ ...effect, rows }) >= power);
        assert(acceptanceProbability({ ...effect, rows: rows - 1 }) < power);
      }
    }
  });

  it('refuses an effect that no model can have', () => {
    for (const [gainBps, discordantBps] of [
      [0, 100],
      [-1, 100],
      [101, 100],
      [1, 10_001],
      [10_000, 10_000],
    ] as const) {
      assert.throws(() => rowsNeeded({ gainBps, discordantBps, alpha: 0.05, power: 0.8 }), { code: 'POWER_EFFECT' });
    }
  });
});
