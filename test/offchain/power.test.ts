import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { score } from '../../offchain/delta/delta.ts';
import {
  acceptanceProbability,
  acceptanceProbabilityLike,
  alpha30,
  rowsNeeded,
  rowsNeededLike,
  zMicro,
} from '../../offchain/delta/power.ts';
import { countsOf } from '../../offchain/prove/counts.ts';
import { uniform } from './tables.ts';

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

  it('accepts a gain like that of a run with the stated power on the rows it asks for, and not on one less', () => {
    const spread = { rows: 300, errorBps: 150 };
    for (const power of [0.5, 0.8, 0.99]) {
      const margin = { gainBps: 250, minDeltaBps: 50, alpha: 0.0025 };
      const on = rowsNeededLike(spread, { ...margin, power });
      assert(acceptanceProbabilityLike(spread, { ...margin, on }) >= power - 1e-6);
      assert(acceptanceProbabilityLike(spread, { ...margin, on: on - 1 }) < power);
    }
    assert.throws(() => rowsNeededLike(spread, { gainBps: 50, minDeltaBps: 50, alpha: 0.05, power: 0.8 }), {
      code: 'POWER_EFFECT',
    });
  });

  it('of an AUROC that is told from one run is what the gate says of others, of twice the rows', () => {
    const u = uniform(5);
    const normal = () => Math.sqrt(-2 * Math.log(1 - u())) * Math.cos(2 * Math.PI * u());
    const terms = { minRows: 1n, minPositives: 0n, minDeltaBps: 0n, zMicro: zMicro(0.05), alpha30: 0n, guardrails: [] };
    /** Two models whose scores share most of their noise; the candidate's less of its own. */
    const drawn = (rows: number) => {
      const labels = Uint8Array.from({ length: rows }, () => Number(u() < 0.4));
      const shared = Array.from(labels, (label) => label + 0.8 * normal());
      const scored = (noise: number) =>
        Uint16Array.from(shared, (x) => Math.max(0, Math.min(65_535, 32_768 + 4_000 * (x + noise * normal()))));
      const rowsOfBoth = { labels, baselinePredictions: scored(0.6), candidatePredictions: scored(0.35) };
      return score('auroc', 2, countsOf({ metric: 'auroc', classes: 2, ...rowsOfBoth }), terms);
    };
    const runs = Array.from({ length: 300 }, () => drawn(400));
    const mean = (of: readonly number[]) => of.reduce((sum, x) => sum + x, 0) / of.length;
    const gainBps = mean(runs.map(({ deltaOneBps }) => Number(deltaOneBps)));
    const errors = runs.map((run) => (Number(run.deltaOneBps - run.payableBps) * 1e6) / Number(terms.zMicro));
    const told = acceptanceProbabilityLike(
      { rows: 200, errorBps: mean(errors) * Math.SQRT2 },
      { gainBps, minDeltaBps: 0, alpha: 0.05, on: 400 },
    );
    const accepted = mean(runs.map(({ failed }) => Number(failed === '')));
    assert(Math.abs(told - accepted) < 0.06 && accepted > 0.3 && accepted < 0.95, `${told} and ${accepted}`);
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
