// The table of test/vectors/delta.json as the score takes it and gives it.
import { readFileSync } from 'node:fs';
import type { GateTerms, Score } from '../../offchain/delta/delta.ts';

export interface DeltaVector {
  name: string;
  metric: string;
  classes: number;
  counts: bigint[];
  terms: GateTerms;
  expected: Score;
  paid: { tokensPerDeltaOne: bigint; cap: bigint; reward: bigint };
  /** What the contract reverts with instead. */
  error: string | undefined;
}

type Written = Record<string, string> & { guardrails: unknown; counts: unknown; classes: unknown };

export function readDeltaVectors(): DeltaVector[] {
  const table = JSON.parse(readFileSync(new URL('./delta.json', import.meta.url), 'utf8')) as Written[];
  return table.map((v) => {
    const big = (key: string) => BigInt(v[key] ?? 0);
    const guardrails = v.guardrails as { metric: string; maxLossBps: string }[];
    return {
      name: v.name!,
      metric: v.metric!,
      classes: Number(v.classes),
      counts: (v.counts as string[]).map(BigInt),
      terms: {
        alpha30: big('alpha30'),
        zMicro: big('zMicro'),
        minDeltaBps: big('minDeltaBps'),
        minRows: big('minRows'),
        minPositives: big('minPositives'),
        guardrails: guardrails.map(({ metric, maxLossBps }) => ({ metric, maxLossBps: BigInt(maxLossBps) })),
      },
      expected: {
        n: big('n'),
        deltaOneBps: big('deltaOneBps'),
        payableBps: big('payableBps'),
        failed: (v.failed ?? '') as Score['failed'],
      },
      paid: { tokensPerDeltaOne: big('tokensPerDeltaOne'), cap: big('cap'), reward: big('reward') },
      error: v.error,
    };
  });
}
