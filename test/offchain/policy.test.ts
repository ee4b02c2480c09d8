import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { loadConfig } from '../../offchain/config/load.ts';
import { MAX_BENCHMARK_ROWS } from '../../offchain/config/policy.ts';
import type { ConfigProblem } from '../../offchain/config/problems.ts';
import { alpha30, zMicro } from '../../offchain/delta/power.ts';
import { HokusaiError } from '../../offchain/errors.ts';
import { CIRCUITS } from '../../offchain/prove/circuits.ts';

const folder = mkdtempSync(join(tmpdir(), 'hokusai-policy-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'hokusai.yaml');

function policyOf(members: string) {
  writeFileSync(file, `data: { schema: s, baseline: b, contribution: c, benchmark: d }\npolicy: { ${members} }\n`);
  return loadConfig(file, {}).policy;
}

/** Paths of all problems. */
function refused(members: string): string[] {
  try {
    policyOf(members);
    return [];
  } catch (error) {
    assert(error instanceof HokusaiError && error.code === 'CONFIG_INVALID');
    return (error.details.problems as ConfigProblem[]).map(({ path }) => path);
  }
}

describe('the policy', () => {
  const AMOUNTS: readonly string[] = ['tokensPerDeltaOne', 'maxReward', 'epochReward'];
  const UNITS: Readonly<Record<string, bigint>> = { minutes: 60n, hours: 3_600n, days: 86_400n };
  const NAMED: Readonly<Record<string, bigint>> = {
    'type(uint32).max': 2n ** 32n - 1n,
    'type(uint128).max': 2n ** 128n - 1n,
  };
  /** A bound as Solidity writes it: a name, or numbers and units of time that are multiplied. */
  const value = (written: string): bigint =>
    NAMED[written] ??
    written.split(/ \* | /).reduce((product, word) => product * (UNITS[word] ?? BigInt(word.replaceAll('_', ''))), 1n);
  const written = (field: string, units: bigint): string =>
    AMOUNTS.includes(field) ? `"${units / 10n ** 18n}.${String(units % 10n ** 18n).padStart(18, '0')}"` : String(units);
  const contract = readFileSync(join(import.meta.dirname, '../../contracts/ModelRegistry.sol'), 'utf8');
  /** What a file cannot say, or says otherwise: levels, committees, and rows, of which a circuit has fewer. */
  const ELSEWHERE = 'alpha30 zMicro threshold validators committeeSize minPositives guardrails minRows'.split(' ');
  const bounds = [...contract.matchAll(/_requireWithin\("(\w+)", \w+\.\w+(?:\.length)?, ([^,]+), (.+)\);/g)].filter(
    ([, field]) => !ELSEWHERE.includes(field!),
  );
  /** An epoch pays at least what a round does. */
  const others = (field: string): string =>
    ({
      maxReward: `, epoch_reward: ${written('epochReward', 2n ** 128n - 1n)}`,
      epochReward: ', max_reward: "0.000000000000000001"',
    })[field] ?? '';

  it('has the bounds of ModelRegistry.sol, but no more rows than a score circuit has', () => {
    assert.equal(MAX_BENCHMARK_ROWS, CIRCUITS.score4096.args[0]);
    assert.deepEqual(
      [0, 1, MAX_BENCHMARK_ROWS, MAX_BENCHMARK_ROWS + 1].map((rows) => refused(`min_rows: ${rows}`).length),
      [1, 0, 0, 1],
    );
    assert.deepEqual(
      [-1, 0, MAX_BENCHMARK_ROWS, MAX_BENCHMARK_ROWS + 1].map((rows) => refused(`min_positives: ${rows}`).length),
      [1, 0, 0, 1],
    );
    assert.equal(bounds.length, 13);
    for (const [, field, least, most] of bounds) {
      const key = field!.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      const line = (units: bigint): string => `${key}: ${written(field!, units)}${others(field!)}`;
      const [from, to] = [value(least!), value(most === 'p.epochReward' ? 'type(uint128).max' : most!)];
      assert.deepEqual([refused(line(from)), refused(line(to))], [[], []], key);
      assert.deepEqual(refused(line(to + 1n)), [`policy.${key}`]);
      if (from > 0n) assert.deepEqual(refused(line(from - 1n)), [`policy.${key}`]);
    }
    assert.deepEqual(refused('max_reward: 7, epoch_reward: 6.5'), ['policy.epoch_reward']);
    assert.deepEqual(refused('min_delta_bps: -1, delay: -1'), ['policy.min_delta_bps', 'policy.delay']);
  });

  it('has a threshold of more than half of the validators and at most all', () => {
    for (const [validators, least] of [
      [1, 1],
      [2, 2],
      [3, 2],
      [4, 3],
      [15, 8],
      [16, 9],
    ] as const) {
      const of = (threshold: number) => refused(`validators: ${validators}, threshold: ${threshold}`);
      assert.deepEqual([of(least), of(validators)], [[], []]);
      assert.deepEqual([of(least - 1), of(validators + 1)], [['policy.threshold'], ['policy.threshold']]);
    }
    assert.deepEqual(refused('validators: 0'), ['policy.validators']);
    assert.deepEqual(refused('validators: 17'), ['policy.validators']);
  });

  it('has a level exactly where the contract takes both of its integers', () => {
    const digits = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 11 }));
    const level = digits.map(([mantissa, exponent]) => Number(`${mantissa}e-${exponent}`));
    fc.assert(
      fc.property(level, fc.constantFrom(1, 2, 20, 999, 1000), (alpha, rounds) => {
        let inside = alpha <= 0.5 && alpha / rounds >= 2 ** -30;
        if (inside) {
          const [a, z] = [alpha30(alpha, rounds), zMicro(alpha, rounds)];
          inside = a >= 1n && a <= 2n ** 29n && z >= 1n && z <= 10_000_000n;
        }
        assert.deepEqual(refused(`alpha: ${alpha}, rounds_per_fold: ${rounds}`), inside ? [] : ['policy.alpha']);
      }),
      { numRuns: 60 },
    );
  });

  it('reads amounts of ether to the last wei, of which none is an amount, too', () => {
    const of = (amount: string) => policyOf(`evaluation_fee: ${amount}, bond: ${amount}`);
    assert.deepEqual([of('0').bond, of('"0.000000000000000001"').evaluationFee], [0n, 1n]);
    const most = 2n ** 90n - 1n;
    const ether = (wei: bigint) => `"${wei / 10n ** 18n}.${String(wei % 10n ** 18n).padStart(18, '0')}"`;
    assert.deepEqual([of(ether(most)).bond, of(ether(most)).evaluationFee], [most, most]);
    assert.deepEqual(refused(`bond: ${ether(most + 1n)}`), ['policy.bond']);
    assert.deepEqual(refused('evaluation_fee: -1, bond: 1e-7'), ['policy.evaluation_fee', 'policy.bond']);
  });

  it('reads amounts of tokens to the last unit, and never rounds one', () => {
    fc.assert(
      fc.property(fc.bigInt(100n, 2n ** 128n - 1n), (units) => {
        const { tokensPerDeltaOne } = policyOf(`tokens_per_delta_one: ${written('maxReward', units)}`);
        assert.equal(tokensPerDeltaOne, units);
      }),
      { numRuns: 60 },
    );
    const of = (amount: string) => policyOf(`max_reward: ${amount}`).maxReward;
    assert.deepEqual([of('0.1'), of('"7"'), of('12.5')], [10n ** 17n, 7n * 10n ** 18n, 125n * 10n ** 17n]);
    for (const bad of [
      '-1',
      '1e-7',
      '1234567890.123456',
      '"1_000"',
      '"0.1234567890123456789"',
      '0x10000000000000000',
      '.inf',
      'true',
      '""',
    ]) {
      assert.deepEqual(refused(`max_reward: ${bad}`), ['policy.max_reward'], bad);
    }
  });
});
