import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { network } from 'hardhat';
import { type Hex, hexToString, stringToHex } from 'viem';
import { type GateTerms, type Score, score } from '../../offchain/delta/delta.ts';
import { CELLS, CLASSES, cells, type Drawn, drawn, packLanes } from '../offchain/delta-rows.ts';
import { readDeltaVectors } from '../vectors/delta.ts';

describe('DeltaOne.sol', async () => {
  const { viem } = await network.create();
  const library = await viem.deployContract('DeltaOne');
  const { read } = await viem.deployContract('DeltaOneHarness', [], { libraries: { DeltaOne: library.address } });

  const args = (metric: string, classes: number, counts: readonly bigint[], terms: GateTerms) => [
    stringToHex(metric, { size: 32 }),
    BigInt(classes),
    counts,
    {
      ...{ alpha30: Number(terms.alpha30), zMicro: Number(terms.zMicro), minDeltaBps: Number(terms.minDeltaBps) },
      ...{ minRows: Number(terms.minRows), minPositives: Number(terms.minPositives) },
      guardrails: terms.guardrails.map((guardrail) => ({
        metric: stringToHex(guardrail.metric, { size: 32 }),
        maxLossBps: Number(guardrail.maxLossBps),
      })),
    },
  ];
  const onChain = async (...of: Parameters<typeof args>): Promise<Score> => {
    const { failed, ...figures } = (await read.score!(args(...of))) as Omit<Score, 'failed'> & { failed: Hex };
    return { ...figures, failed: hexToString(failed).replaceAll('\0', '') as Score['failed'] };
  };

  for (const { name, metric, classes, counts, terms, expected, error, paid } of readDeltaVectors()) {
    it(`vector: ${name}`, async () => {
      if (error) {
        const reverting = read.score!(args(metric, classes, counts, terms));
        await viem.assertions.revertWithCustomError(reverting, library, error as 'DeltaOneCountsLength');
        return;
      }
      assert.deepEqual(await onChain(metric, classes, counts, terms), expected);
      assert.equal(await read.reward!([expected.payableBps, paid.tokensPerDeltaOne, paid.cap]), paid.reward);
    });
  }

  it('pays for one basis point, and nothing for none', async () => {
    const paid = await Promise.all([-1n, 0n, 1n].map((bps) => read.reward!([bps, 100n, 10n])));
    assert.deepEqual(paid, [0n, 0n, 1n]);
  });

  it('asks the exact test of 225 changed rows, and of no more', async () => {
    // A bound that passes where the exact test would not.
    const terms = { alpha30: 53_687_091n, zMicro: 1_500_000n, minDeltaBps: 0n, minRows: 1n, minPositives: 0n };
    const failed = async (b: bigint, c: bigint) => {
      const counts = [packLanes([1_000n, 500n + c, 500n + b, b, c], CLASSES)];
      return (await onChain('accuracy', 3, counts, { ...terms, guardrails: [] })).failed;
    };
    assert.deepEqual([await failed(125n, 100n), await failed(125n, 101n)], ['exact', '']);
  });

  it('attack: a bit above the sums of placements', async () => {
    const { counts, terms } = readDeltaVectors().find(({ metric, error }) => metric === 'auroc' && !error)!;
    for (const [word, bit] of [
      [0, 184n],
      [1, 186n],
    ] as const) {
      const forged = counts.with(word, counts[word]! | (1n << bit));
      const reverting = read.score!(args('auroc', 2, forged, terms));
      await viem.assertions.revertWithCustomError(reverting, library, 'DeltaOneCountsOutOfRange');
    }
  });

  it('gives what TypeScript gives, whatever the counts and the terms', async () => {
    const accuracy = cells.map((x): Pick<Drawn, 'metric' | 'classes' | 'counts'> => {
      return { metric: 'accuracy', classes: 2, counts: [packLanes(x, CELLS)] };
    });
    const sums = cells.map(([both = 0n, none = 0n, b = 0n, c = 0n]): Pick<Drawn, 'metric' | 'classes' | 'counts'> => {
      const counts = [packLanes([both + none + b + c, both + c, both + b, b, c], CLASSES)];
      return { metric: 'accuracy', classes: 9, counts };
    });
    const guardrail = fc.record({
      metric: fc.constantFrom('accuracy', 'precision', 'recall', 'f1', 'mse', 'auroc', 'mape'),
      maxLossBps: fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 65_535n)),
    });
    const terms = fc.record({
      alpha30: fc.bigInt(0n, 2n ** 29n),
      zMicro: fc.oneof(fc.bigInt(0n, 100_000n), fc.bigInt(0n, 10_000_000n)),
      minDeltaBps: fc.oneof(fc.constant(0n), fc.bigInt(0n, 65_535n)),
      minRows: fc.oneof(fc.constant(0n), fc.bigInt(0n, 2n ** 32n - 1n)),
      minPositives: fc.oneof(fc.constant(0n), fc.bigInt(0n, 2n ** 32n - 1n)),
      guardrails: fc.array(guardrail, { maxLength: 3 }),
    });
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.oneof(accuracy, sums, drawn, drawn), terms, async ({ metric, classes, counts }, t) => {
        const expected = score(metric, classes, counts, t);
        seen.add(expected.failed);
        assert.deepEqual(await onChain(metric, classes, counts, t), expected);
      }),
      { seed: 21, numRuns: 1_500 },
    );
    assert.equal(seen.size, 7);
  });

  it('costs its caller at most 80,000 gas, whatever the metric, two guardrails included', async () => {
    const most = new Map<string, number>();
    for (const { metric, classes, counts, terms, error } of readDeltaVectors()) {
      if (error) continue;
      const gas = Number(await read.gasOfScore!(args(metric, classes, counts, terms)));
      const name = metric === 'accuracy' && classes > 2 ? 'accuracy of classes' : metric;
      most.set(name, Math.max(gas, most.get(name) ?? 0));
    }
    for (const [metric, gas] of most) console.log(`gas.score.${metric}: ${gas}`);
    assert(most.size === 8 && Math.max(...most.values()) < 80_000);
  });
});
