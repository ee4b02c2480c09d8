import { z } from 'zod';
import { CLASS_METRICS, METRICS } from '../metrics.ts';
import { alpha30, zMicro } from '../power.ts';
import { DEFAULTS } from './defaults.ts';
import { DAY, ether, holds, int, MAX_UINT32, tokens } from './values.ts';

/** Rows of the largest class of the score circuit: a larger benchmark has no proof. */
export const MAX_BENCHMARK_ROWS = 4096;
/** `Policy` takes no more. */
const MAX_GUARDRAILS = 8;
const YEAR = 365 * DAY;

/** Seconds of a phase of a round, at most so many days. */
const phase = (days: number, seconds: number) =>
  int()
    .min(60)
    .max(days * DAY)
    .default(seconds);

const zValidators = int().min(1).max(16).default(DEFAULTS.validators);
const zThreshold = int().min(1).max(16).optional();
const zAlpha = z.number().gt(0).max(0.5).default(DEFAULTS.alpha);
const zRoundsPerFold = int().min(1).max(1000).default(DEFAULTS.roundsPerFold);
/** A metric that must not fall by more than so much; one whose loss may be all of it would guard nothing. */
const zGuardrail = z.strictObject({ metric: z.enum(CLASS_METRICS), max_loss_bps: int().min(0).max(9999) });
const zMaxReward = tokens(1n, DEFAULTS.maxReward);
const zEpochReward = tokens(1n, DEFAULTS.epochReward);
/** The fewest votes that two quorums of different content cannot both have. */
export const majority = (validators: number): number => Math.floor(validators / 2) + 1;

/** The bounds are those that `Policy` in `IModelRegistry.sol` states, so that a mistake costs no transaction. */
export const zPolicy = z
  .strictObject({
    alpha: zAlpha,
    rounds_per_fold: zRoundsPerFold,
    metric: z.enum(METRICS).default(DEFAULTS.metric),
    min_delta_bps: int().min(0).max(9999).default(DEFAULTS.minDeltaBps),
    min_rows: int().min(1).max(MAX_BENCHMARK_ROWS).default(DEFAULTS.minRows),
    min_positives: int().min(0).max(MAX_BENCHMARK_ROWS).default(DEFAULTS.minPositives),
    guardrails: z.array(zGuardrail).max(MAX_GUARDRAILS).default([]),
    min_contribution_rows: int().min(1).max(MAX_UINT32).default(DEFAULTS.minContributionRows),
    pay: z.enum(['lower_bound', 'point']).default(DEFAULTS.pay),
    tokens_per_delta_one: tokens(100n, DEFAULTS.tokensPerDeltaOne),
    max_reward: zMaxReward,
    epoch_reward: zEpochReward,
    epoch_duration: int()
      .min(3600)
      .max(YEAR + DAY)
      .default(DEFAULTS.epochDuration),
    vesting_duration: int()
      .min(0)
      .max(4 * YEAR)
      .default(DEFAULTS.vestingDuration),
    evaluation_fee: ether(DEFAULTS.evaluationFee),
    bond: ether(DEFAULTS.bond),
    open_duration: phase(30, DEFAULTS.openDuration),
    vote_duration: phase(14, DEFAULTS.voteDuration),
    reveal_duration: phase(3, DEFAULTS.revealDuration),
    settle_duration: phase(3, DEFAULTS.settleDuration),
    delay: int()
      .min(0)
      .max(7 * DAY)
      .default(DEFAULTS.delay),
    validators: zValidators,
    threshold: zThreshold,
  })
  .refine(({ alpha, rounds_per_fold: rounds }) => alpha / rounds >= 2 ** -30 && zMicro(alpha, rounds) > 0n, {
    error: 'alpha / rounds_per_fold has to be at least 2^-30 and below 0.5',
    path: ['alpha'],
    when: ({ value }) => holds(value, { alpha: zAlpha, rounds_per_fold: zRoundsPerFold }),
  })
  .superRefine(
    ({ metric, guardrails }, { addIssue }) => {
      const metrics = guardrails.map((guardrail) => guardrail?.metric);
      for (const [at, guarded] of metrics.entries()) {
        const problem = (message: string) =>
          addIssue({ code: 'custom', path: ['guardrails', at, 'metric'], message, input: guarded });
        if (guarded !== undefined && guarded === metric)
          problem(`${guarded} is what is paid for: guard another metric`);
        if (guarded !== undefined && metrics.indexOf(guarded) < at) problem(`${guarded} has a guardrail already`);
      }
    },
    // Also of guardrails that are wrong in something else, so that everything is told at once.
    { when: ({ value }) => holds(value, { guardrails: z.array(z.unknown()) }) },
  )
  .refine(({ max_reward: reward, epoch_reward: epoch }) => reward <= epoch, {
    error: 'epoch_reward has to be at least max_reward',
    path: ['epoch_reward'],
    // They are in units already, where they are right by themselves.
    when: ({ value }) => holds(value, { max_reward: z.bigint(), epoch_reward: z.bigint() }),
  })
  .refine(({ threshold, validators }) => threshold === undefined || threshold >= majority(validators), {
    error: 'a threshold is more than half of the validators',
    path: ['threshold'],
    when: ({ value }) => holds(value, { threshold: zThreshold, validators: zValidators }),
  })
  .refine(({ threshold, validators }) => threshold === undefined || threshold <= validators, {
    error: 'a threshold is at most the number of validators',
    path: ['threshold'],
    when: ({ value }) => holds(value, { threshold: zThreshold, validators: zValidators }),
  });

/** The policy under the names that `Policy` in `IModelRegistry.sol` has for its members, as far as a file can know them. */
export function toPolicy(policy: z.infer<typeof zPolicy>) {
  const { alpha, rounds_per_fold: roundsPerFold } = policy;
  return {
    /** The chance of a false gain that all rounds of a fold may take together. */
    alpha,
    roundsPerFold,
    metric: policy.metric,
    gate: {
      alpha30: Number(alpha30(alpha, roundsPerFold)),
      zMicro: Number(zMicro(alpha, roundsPerFold)),
      minDeltaBps: policy.min_delta_bps,
      minRows: policy.min_rows,
      minPositives: policy.min_positives,
      guardrails: policy.guardrails.map(({ metric, max_loss_bps }) => ({ metric, maxLossBps: max_loss_bps })),
    },
    minContributionRows: policy.min_contribution_rows,
    payPoint: policy.pay === 'point',
    /** Smallest units of the token, like `maxReward`. */
    tokensPerDeltaOne: policy.tokens_per_delta_one,
    maxReward: policy.max_reward,
    epochReward: policy.epoch_reward,
    /** Seconds, like all durations. */
    epochDuration: policy.epoch_duration,
    vestingDuration: policy.vesting_duration,
    /** Wei, like the bond. */
    evaluationFee: policy.evaluation_fee,
    bond: policy.bond,
    openDuration: policy.open_duration,
    voteDuration: policy.vote_duration,
    revealDuration: policy.reveal_duration,
    settleDuration: policy.settle_duration,
    delay: policy.delay,
    threshold: policy.threshold ?? majority(policy.validators),
    /** How many there are; who they are is decided where they run. */
    validators: policy.validators,
  };
}
