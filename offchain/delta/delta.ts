// The twin of contracts/DeltaOne.sol: the same names, the same integers, the same roundings. A validator learns from it
// what the chain will pay before it spends anything on a proof.
import type { Attestation } from '../attestation/attest.ts';
import { HokusaiError } from '../errors.ts';
import type { ClassMetric, Metric } from '../metrics/exact.ts';
import { accuracyFigures, unpack, unpackClasses } from './accuracy.ts';
import { aurocFigures } from './auroc.ts';
import type { Figures } from './counts.ts';
import { guardedBps, isRatio, positivesOf, ratioFigures, unpackCells } from './ratios.ts';
import { isSkill, skillFigures } from './skill.ts';

export {
  type Counts,
  deltaOneBps,
  EXACT_UP_TO,
  exactBinomialPasses,
  pack,
  payableBps,
  unpack,
} from './accuracy.ts';

/** A metric that must not fall by more than maxLossBps while another is paid for. */
export interface Guardrail {
  metric: string;
  maxLossBps: bigint;
}

/** The members of a policy that decide whether a score is paid. */
export interface GateTerms {
  /** Fewest benchmark rows. */
  minRows: bigint;
  /** The lower bound has to exceed it, in bps. */
  minDeltaBps: bigint;
  /** Normal quantile at 1 - alpha in millionths, rounded up, at most 10^7: `zMicro` of `power.ts`. */
  zMicro: bigint;
  /** floor(alpha * 2^30), at most 2^29: `alpha30` of `power.ts`. */
  alpha30: bigint;
  /** Fewest rows whose label is positive, and for precision fewest that either model calls positive; 0 asks for none. */
  minPositives: bigint;
  /** All have to hold. */
  guardrails: readonly Guardrail[];
}

/** All members of a policy that decide what is paid. */
export interface Terms extends GateTerms {
  guardrails: readonly (Guardrail & { metric: ClassMetric })[];
  /** Pay the point estimate instead of the lower bound. */
  payPoint: boolean;
  /** Smallest units of the reward token for 100 bps. */
  tokensPerDeltaOne: bigint;
  /** Most that one round pays, in smallest units. */
  maxReward: bigint;
}

/** The parts of the gate, in the order in which they are looked at. */
export const GATE_PARTS = ['rows', 'positives', 'undefined', 'bound', 'exact', 'guardrail'] as const;

/** What counts are worth. Where the gate is passed, 0 <= minDeltaBps < payableBps <= deltaOneBps <= 10^4. */
export interface Score {
  n: bigint;
  /** The point estimate, rounded down; 0 where it is undefined. */
  deltaOneBps: bigint;
  /** The lower bound, rounded down; 0 where it is undefined. */
  payableBps: bigint;
  /** The first part of the gate that failed; empty where it is passed. */
  failed: '' | (typeof GATE_PARTS)[number];
}

const MAX_ALPHA30 = 2n ** 29n;
const MAX_Z_MICRO = 10_000_000n;

const REFUSALS = {
  UNSUPPORTED_METRIC: 'there is no score of this metric with so many classes',
  COUNTS_LENGTH: 'the counts of this metric are another number of words',
  TERMS_OUT_OF_RANGE: 'a policy asks for a level that no registry admits',
};

/** How many words the counts of a metric are; 0 for what is not supported. A regression has 0 classes. */
export function countsLength(metric: string, classes: number): 0 | 1 | 2 {
  if (metric === 'accuracy') return classes >= 2 ? 1 : 0;
  if (isRatio(metric)) return classes === 2 ? 1 : 0;
  if (isSkill(metric)) return classes === 0 ? 2 : 0;
  return metric === 'auroc' && classes === 2 ? 2 : 0;
}

/**
 * The score of a metric's counts.
 *
 * @param counts as many words as {@link countsLength} says; DeltaOne.sol names the layout of each metric
 * @throws HokusaiError (terminal) where the contract reverts: `DELTA_UNSUPPORTED_METRIC`, `DELTA_COUNTS_LENGTH`,
 *   `DELTA_TERMS_OUT_OF_RANGE`, `DELTA_COUNTS_OUT_OF_RANGE`
 */
export function score(metric: string, classes: number, counts: readonly bigint[], terms: GateTerms): Score {
  const length = countsLength(metric, classes);
  if (length === 0) throw refused('UNSUPPORTED_METRIC', { metric, classes });
  if (counts.length !== length) throw refused('COUNTS_LENGTH', { expected: length, actual: counts.length });
  if (terms.alpha30 > MAX_ALPHA30) throw refused('TERMS_OUT_OF_RANGE', { alpha30: String(terms.alpha30) });
  if (terms.zMicro > MAX_Z_MICRO) throw refused('TERMS_OUT_OF_RANGE', { zMicro: String(terms.zMicro) });
  const figures = figuresOf(metric, classes, counts, terms);
  let failed = failedOf(figures, terms);
  if (failed === '' && !guarded(metric, classes, counts[0]!, figures.deltaOneBps, terms.guardrails)) {
    failed = 'guardrail';
  }
  return { n: figures.n, deltaOneBps: figures.deltaOneBps, payableBps: figures.payableBps, failed };
}

/**
 * min(max(paidBps, 0) * tokensPerDeltaOne / 100, cap), rounded down.
 * @param paidBps the lower bound, or the point estimate where the policy says so
 * @param tokensPerDeltaOne smallest units of the reward token for 100 bps
 */
export function reward(paidBps: bigint, tokensPerDeltaOne: bigint, cap: bigint): bigint {
  if (paidBps <= 0n) return 0n;
  const uncapped = (paidBps * tokensPerDeltaOne) / 100n;
  return uncapped < cap ? uncapped : cap;
}

/** The score of a metric's counts, with the terms it was scored by: integers as decimal strings. See {@link score}. */
export function delta(
  metric: Metric,
  classes: number,
  counts: readonly bigint[],
  terms: Terms,
): NonNullable<Attestation['delta']> {
  const { deltaOneBps, payableBps, failed } = score(metric, classes, counts, terms);
  const paid = terms.payPoint ? deltaOneBps : payableBps;
  return {
    deltaOneBps: String(deltaOneBps),
    payableBps: String(payableBps),
    ...statedTerms(terms),
    failed,
    reward: String(failed === '' ? reward(paid, terms.tokensPerDeltaOne, terms.maxReward) : 0n),
  };
}

/** Terms as an attestation states them. */
export const statedTerms = (terms: Terms) => ({
  minDeltaBps: String(terms.minDeltaBps),
  minRows: String(terms.minRows),
  minPositives: String(terms.minPositives),
  zMicro: String(terms.zMicro),
  alpha30: String(terms.alpha30),
  guardrails: terms.guardrails.map(({ metric, maxLossBps }) => ({ metric, maxLossBps: String(maxLossBps) })),
  payPoint: terms.payPoint,
  tokensPerDeltaOne: String(terms.tokensPerDeltaOne),
  maxReward: String(terms.maxReward),
});

/** The terms that an attestation states. */
export const termsOf = (stated: ReturnType<typeof statedTerms>): Terms => ({
  minDeltaBps: BigInt(stated.minDeltaBps),
  minRows: BigInt(stated.minRows),
  minPositives: BigInt(stated.minPositives),
  zMicro: BigInt(stated.zMicro),
  alpha30: BigInt(stated.alpha30),
  guardrails: stated.guardrails.map(({ metric, maxLossBps }) => ({ metric, maxLossBps: BigInt(maxLossBps) })),
  payPoint: stated.payPoint,
  tokensPerDeltaOne: BigInt(stated.tokensPerDeltaOne),
  maxReward: BigInt(stated.maxReward),
});

/** What the score of a metric's counts rests on. */
export function figuresOf(
  metric: string,
  classes: number,
  [first = 0n, second = 0n]: readonly bigint[],
  { zMicro, alpha30 }: GateTerms,
): Figures {
  if (isSkill(metric)) return skillFigures(metric, first, second, zMicro);
  if (metric === 'auroc') return aurocFigures(first, second, zMicro);
  if (isRatio(metric)) return ratioFigures(metric, first, zMicro, alpha30);
  if (classes > 2) return accuracyFigures(unpackClasses(first), 0n, zMicro, alpha30);
  return accuracyFigures(unpack(first), positivesOf(unpackCells(first).cells), zMicro, alpha30);
}

function failedOf(figures: Figures, terms: GateTerms): Score['failed'] {
  if (figures.n < terms.minRows) return 'rows';
  if (figures.positives < terms.minPositives) return 'positives';
  if (!figures.defined) return 'undefined';
  if (figures.payableBps <= terms.minDeltaBps) return 'bound';
  return figures.exact ? '' : 'exact';
}

/** Whether all guardrails hold. The eight cells tell of four metrics, other counts of the paid one alone. */
function guarded(
  metric: string,
  classes: number,
  countsPacked: bigint,
  paidBps: bigint,
  guardrails: readonly Guardrail[],
): boolean {
  const hasCells = classes === 2 && metric !== 'auroc';
  return guardrails.every((guardrail) => {
    const own = guardrail.metric === metric ? paidBps : null;
    const bps = hasCells ? guardedBps(guardrail.metric, countsPacked) : own;
    return bps !== null && bps >= -guardrail.maxLossBps;
  });
}

function refused(code: keyof typeof REFUSALS, details: Record<string, unknown>): HokusaiError {
  return new HokusaiError('terminal', `DELTA_${code}`, REFUSALS[code], { details });
}
