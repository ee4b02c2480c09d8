import type { Config } from '../config/load.ts';
import type { Terms } from '../delta/delta.ts';

/** What a model promises and how it is called. */
export interface Offer {
  readonly name: string;
  readonly terms: Terms;
  readonly minContributionRows: number;
  /** Whether counts below the gate are told: never to a contributor, who could look for benchmark rows by them. */
  readonly tellRejected: boolean;
}

/** What a configuration promises. */
export function offerOf({ pipeline, policy }: Config, tellRejected: boolean): Offer {
  return {
    name: pipeline.name,
    minContributionRows: policy.minContributionRows,
    tellRejected,
    terms: {
      minRows: BigInt(policy.gate.minRows),
      minPositives: BigInt(policy.gate.minPositives),
      minDeltaBps: BigInt(policy.gate.minDeltaBps),
      zMicro: BigInt(policy.gate.zMicro),
      alpha30: BigInt(policy.gate.alpha30),
      guardrails: policy.gate.guardrails.map(({ metric, maxLossBps }) => ({ metric, maxLossBps: BigInt(maxLossBps) })),
      payPoint: policy.payPoint,
      tokensPerDeltaOne: policy.tokensPerDeltaOne,
      maxReward: policy.maxReward,
    },
  };
}
