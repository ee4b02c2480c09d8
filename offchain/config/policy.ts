import { z } from 'zod';
import { alpha30, zMicro } from '../delta/power.ts';
import { CLASS_METRICS, METRICS } from '../metrics/exact.ts';
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

const zValidators = int()
  .min(1)
  .max(16)
  .default(DEFAULTS.validators)
  .describe('Number of validators; so many are started on a local chain.');
const zThreshold = int()
  .min(1)
  .max(16)
  .optional()
  .describe(
    'Equal votes that decide a round: more than half of the validators, at most all. Default: just more than half.',
  );
const zAlpha = z
  .number()
  .gt(0)
  .max(0.5)
  .default(DEFAULTS.alpha)
  .describe(
    'Chance of paying for a gain that is not real, for all rounds of a fold together; after division by rounds_per_fold at least 2^-30 and below 0.5.',
  );
const zRoundsPerFold = int()
  .min(1)
  .max(1000)
  .default(DEFAULTS.roundsPerFold)
  .describe(
    'Rounds after which a benchmark is spent; each may take alpha / rounds_per_fold. More rounds mean that each has to gain more to be accepted.',
  );
/** A metric that must not fall by more than so much; one whose loss may be all of it would guard nothing. */
const zGuardrail = z.strictObject({
  metric: z.enum(CLASS_METRICS).describe('Another one than policy.metric, once.'),
  max_loss_bps: int().min(0).max(9999).describe('By how much it may fall, as measured, in basis points.'),
});
const zMaxReward = tokens(1n, DEFAULTS.maxReward).describe('Most that one round pays.');
const zEpochReward = tokens(1n, DEFAULTS.epochReward).describe(
  'Most that all rounds of one epoch pay; at least max_reward.',
);
/** The fewest votes that two quorums of different content cannot both have. */
export const majority = (validators: number): number => Math.floor(validators / 2) + 1;

/** The bounds are those that `Policy` in `IModelRegistry.sol` states, so that a mistake costs no transaction. */
export const zPolicy = z
  .strictObject({
    alpha: zAlpha,
    rounds_per_fold: zRoundsPerFold,
    metric: z
      .enum(METRICS)
      .default(DEFAULTS.metric)
      .describe(
        "What is paid for; of more than two classes accuracy alone, of a regression mse or mae, as skill: by how much of a constant's error it falls. By auroc models are paid that rank rows: they commit to scores of 16 bits, up to 512 benchmark rows. A model keeps the one that it was registered with.",
      ),
    min_delta_bps: int()
      .min(0)
      .max(9999)
      .default(DEFAULTS.minDeltaBps)
      .describe(
        'What the lower confidence bound of the gain has to exceed, in basis points (100 are one percentage point).',
      ),
    min_rows: int().min(1).max(MAX_BENCHMARK_ROWS).default(DEFAULTS.minRows).describe('Fewest benchmark rows.'),
    min_positives: int()
      .min(0)
      .max(MAX_BENCHMARK_ROWS)
      .default(DEFAULTS.minPositives)
      .describe(
        'Fewest benchmark rows whose label is positive; for precision also fewest that either model calls positive.',
      ),
    guardrails: z.array(zGuardrail).max(MAX_GUARDRAILS).default([]).describe('Other metrics that must not fall.'),
    min_contribution_rows: int()
      .min(1)
      .max(MAX_UINT32)
      .default(DEFAULTS.minContributionRows)
      .describe('Fewest rows of a contribution.'),
    pay: z
      .enum(['lower_bound', 'point'])
      .default(DEFAULTS.pay)
      .describe(
        "What is paid for: the gain's lower confidence bound (lower_bound) or the gain as measured (point). Either has to pass the same test.",
      ),
    tokens_per_delta_one: tokens(100n, DEFAULTS.tokensPerDeltaOne).describe(
      'Reward for 1 DeltaOne, one percentage point; at least 0.0000000000000001.',
    ),
    max_reward: zMaxReward,
    epoch_reward: zEpochReward,
    epoch_duration: int()
      .min(3600)
      .max(YEAR + DAY)
      .default(DEFAULTS.epochDuration)
      .describe('Seconds of an epoch.'),
    vesting_duration: int()
      .min(0)
      .max(4 * YEAR)
      .default(DEFAULTS.vestingDuration)
      .describe('Seconds over which a claimed reward vests; 0 pays at once.'),
    evaluation_fee: ether(DEFAULTS.evaluationFee).describe('What a contributor pays the validators for their work.'),
    bond: ether(DEFAULTS.bond).describe(
      'What a contributor loses who does not open a contribution in its turn, does not deliver what was committed to, or contributes rows of the benchmark.',
    ),
    open_duration: phase(30, DEFAULTS.openDuration).describe(
      'Seconds of a turn: to open a contribution once the model is free, and then to draw its committee.',
    ),
    vote_duration: phase(14, DEFAULTS.voteDuration).describe(
      'Seconds in which validators train, evaluate and commit to their votes.',
    ),
    reveal_duration: phase(3, DEFAULTS.revealDuration).describe('Seconds in which they then reveal them.'),
    settle_duration: phase(3, DEFAULTS.settleDuration).describe(
      'Seconds in which a proof then settles, and once more for a rejection below the gate.',
    ),
    delay: int()
      .min(0)
      .max(7 * DAY)
      .default(DEFAULTS.delay)
      .describe('Seconds from settlement to the earliest payment, time for objections.'),
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
