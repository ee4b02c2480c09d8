import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pack, score } from '../../offchain/delta/delta.ts';
import { describePower, powerText } from '../../offchain/delta/describe-power.ts';
import { acceptanceProbability, alpha30, zMicro } from '../../offchain/delta/power.ts';
import { uniform } from './tables.ts';

const policyOf = (roundsPerFold: number, minDeltaBps = 0) => ({
  policy: { alpha: 0.05, roundsPerFold, gate: { minDeltaBps } },
});

describe('describePower', () => {
  it('is close to the normal approximation on many rows', () => {
    for (const [rows, rounds] of [
      [2_471, 1],
      [4_096, 20],
    ] as const) {
      const { alpha, chances } = describePower(policyOf(rounds), rows);
      for (const { gainBps, probability } of chances) {
        const approximate = acceptanceProbability({ gainBps, discordantBps: gainBps + 300, alpha, rows });
        assert(Math.abs(probability - approximate) < 0.03);
      }
    }
  });

  it('is what the gate says of drawn outcomes, on few rows and with a least gain', () => {
    const u = uniform(11);
    for (const minDeltaBps of [0, 150]) {
      const rows = 150;
      const level = { minDeltaBps: BigInt(minDeltaBps), zMicro: zMicro(0.05), alpha30: alpha30(0.05) };
      const terms = { ...level, minRows: 1n, minPositives: 0n, guardrails: [] };
      let accepted = 0;
      for (let draw = 0; draw < 2_000; draw++) {
        let [b, c] = [0, 0];
        for (let row = 0; row < rows; row++) {
          const x = u();
          if (x < 0.065) b++;
          else if (x < 0.08) c++;
        }
        const cells = [rows - b - c, 0, b, 0, c, 0, 0, 0];
        accepted += Number(score('accuracy', 2, [pack(cells)], terms).failed === '');
      }
      const { probability } = describePower(policyOf(1, minDeltaBps), rows).chances[2]!;
      assert(Math.abs(accepted / 2_000 - probability) < 0.04, `${accepted / 2_000} and ${probability}`);
    }
  });

  it('finds the least gain that is accepted often enough, or none', () => {
    const { detectableBps, text } = describePower(policyOf(1), 284);
    assert.equal(detectableBps, 408);
    assert.match(text, /^Benchmark of 284 rows, alpha 0.05 divided by 1 .*\nOnly a gain of 4\.\d\d percentage points/);
    assert.match(text, /points: 1: 13\.2 %, 2: 35\.2 %, 5: 90\.5 %\.\nAssumed: 1\.5 % /);
    assert(describePower(policyOf(20), 284).detectableBps! > detectableBps!);
    const none = describePower(policyOf(20), 5);
    assert.equal(none.detectableBps, null);
    assert.match(none.text, /\nNo gain is accepted/);
  });

  it('is of accuracy alone, and says what it does not count in', () => {
    const policy = { ...policyOf(1).policy, metric: 'accuracy' as const };
    const gate = { minDeltaBps: 0, minPositives: 0, guardrails: [] };
    assert.equal(powerText({ ...policy, gate }, 284), describePower(policyOf(1), 284).text);
    const guarded = powerText({ ...policy, gate: { ...gate, guardrails: [{}] } }, 284);
    assert.match(guarded, /points: 1: 13\.2 %[\s\S]*\nNot counted in: guardrails and fewest positives/);
    const recall = powerText({ ...policy, gate, metric: 'recall' }, 284);
    assert.match(
      recall,
      /^Benchmark of 284 rows\. What gain of recall a benchmark can tell depends on .* --like RUN_DIR\.$/,
    );
    assert.doesNotMatch(recall, /%/);
  });
});
