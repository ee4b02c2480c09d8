// What a benchmark of a given size can tell apart, and the two integers by which a policy states its alpha.
//
// zMicro and alpha30 enter a policy and hence its hash, so they are computed in integers from alpha's shortest decimal
// (which ECMAScript defines) and are the same on every machine. Row counts and probabilities are for people: they are
// floats, and nothing is derived from them.
import { HokusaiError } from '../errors.ts';

/** A true effect on one row: how often a candidate's answer differs from the baseline's, and by how much more it is right. */
export interface Effect {
  /** Share of rows fixed minus share of rows broken, in bps. */
  gainBps: number;
  /** Share of rows fixed plus share of rows broken, in bps; at least gainBps. */
  discordantBps: number;
}

const DIGITS = 80n;
const ONE = 10n ** DIGITS;
/** 1 / sqrt(2 pi) to 80 digits. */
const INV_SQRT_2PI = 39894228040143267793994605993438186847585863116493465766592582967065792589930183n;
/** The policy's upper limit of zMicro. P(Z > 10) = 7.6e-24 is far below the least level, 2^-30. */
const MAX_Z_MICRO = 10_000_000n;

/**
 * The normal quantile at 1 - alpha / rounds, in millionths, rounded up: the least z with P(Z > z / 10^6) <= alpha / rounds.
 * @param alpha in (0, 0.5]
 * @param rounds K, among which alpha is divided (Bonferroni)
 */
export function zMicro(alpha: number, rounds = 1): bigint {
  const [numerator, denominator] = level(alpha, rounds);
  let low = -1n;
  let high = MAX_Z_MICRO;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (upperTail(middle) * denominator <= numerator * ONE) high = middle;
    else low = middle;
  }
  return high;
}

/** floor(2^30 * alpha / rounds). */
export function alpha30(alpha: number, rounds = 1): bigint {
  const [numerator, denominator] = level(alpha, rounds);
  return (numerator << 30n) / denominator;
}

/**
 * Rows with which a candidate of this effect is accepted with probability `power`, by the normal approximation to McNemar's
 * test: ((z_alpha sqrt(psi) + z_power sqrt(psi - delta^2)) / delta)^2, psi the discordant share and delta the gain (Connor,
 * "Sample size for testing differences in proportions for the paired-sample design", 1987).
 * @param power in [0.5, 1)
 */
export function rowsNeeded({
  gainBps,
  discordantBps,
  alpha,
  power,
}: Effect & { alpha: number; power: number }): number {
  const { delta, psi } = shares({ gainBps, discordantBps });
  const root = quantile(alpha) * Math.sqrt(psi) + quantile(1 - power) * Math.sqrt(psi - delta ** 2);
  return Math.ceil((root / delta) ** 2);
}

/** The probability, by the same approximation, that a candidate of this effect is accepted on `rows` rows. */
export function acceptanceProbability({
  gainBps,
  discordantBps,
  alpha,
  rows,
}: Effect & { alpha: number; rows: number }): number {
  const { delta, psi } = shares({ gainBps, discordantBps });
  return below((delta * Math.sqrt(rows) - quantile(alpha) * Math.sqrt(psi)) / Math.sqrt(psi - delta ** 2));
}

/** How much a gain of any metric varies by chance, as a run has found it on its rows. */
export interface Spread {
  readonly rows: number;
  /** Standard error of the gain on these rows, in bps, above 0. */
  readonly errorBps: number;
}

/** What a gain has to exceed, by how much it does so, and how surely that is to be seen. */
interface Margin {
  /** The true gain. */
  readonly gainBps: number;
  readonly minDeltaBps: number;
  readonly alpha: number;
}

/** Rows with which such a gain is accepted with probability `power`, where its error falls with the root of the rows. */
export function rowsNeededLike({ rows, errorBps }: Spread, { power, ...margin }: Margin & { power: number }): number {
  return Math.ceil(rows * ((errorBps * (quantile(margin.alpha) + quantile(1 - power))) / marginOf(margin)) ** 2);
}

/** The probability, by the same approximation, that such a gain's lower bound exceeds the least one on `on` rows. */
export function acceptanceProbabilityLike(
  { rows, errorBps }: Spread,
  { on, ...margin }: Margin & { on: number },
): number {
  return below(marginOf(margin) / (errorBps * Math.sqrt(rows / on)) - quantile(margin.alpha));
}

function marginOf({ gainBps, minDeltaBps }: Margin): number {
  if (gainBps > minDeltaBps) return gainBps - minDeltaBps;
  throw new HokusaiError(
    'configuration',
    'POWER_EFFECT',
    'the gain has to be above the least one that the policy pays',
    {
      details: { gainBps, minDeltaBps },
    },
  );
}

/** P(Z < z) */
function below(z: number): number {
  const micro = BigInt(Math.round(Math.min(Math.abs(z), 10) * 1e6));
  const tail = Number(upperTail(micro)) / Number(ONE);
  return z > 0 ? 1 - tail : tail;
}

function quantile(alpha: number): number {
  return Number(zMicro(alpha)) / 1e6;
}

/**
 * P(Z > zMicro / 10^6) in units of 10^-80, by the Taylor series of the normal integral around 0 (Abramowitz and Stegun,
 * 26.2.10): 1/2 - 1/sqrt(2 pi) * sum over k of (-1)^k x^(2k+1) / (k! 2^k (2k+1)). Up to x = 10 its terms stay below 10^21,
 * and each division truncates by less than one unit, so the error is far below 10^-70.
 */
function upperTail(micro: bigint): bigint {
  const square = (micro * micro * ONE) / 10n ** 12n;
  let power = (micro * ONE) / 10n ** 6n;
  let sum = power;
  for (let k = 1n; power !== 0n; k++) {
    power = -(power * square) / (2n * k * ONE);
    sum += power / (2n * k + 1n);
  }
  return ONE / 2n - (sum * INV_SQRT_2PI) / ONE;
}

/** alpha / rounds as a fraction, from the decimal that JavaScript prints for alpha. */
function level(alpha: number, rounds: number): [numerator: bigint, denominator: bigint] {
  const known = alpha > 0 && alpha <= 0.5 && Number.isSafeInteger(rounds) && rounds >= 1;
  if (!known || alpha / rounds < 2 ** -30) {
    throw new HokusaiError('configuration', 'POWER_LEVEL', 'alpha is at most 0.5, and alpha / rounds at least 2^-30', {
      details: { alpha, rounds },
    });
  }
  const [mantissa = '', exponent = '0'] = alpha.toString().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const decimals = BigInt(fraction.length - Number(exponent));
  return [BigInt(whole + fraction), 10n ** decimals * BigInt(rounds)];
}

function shares({ gainBps, discordantBps }: Effect): { delta: number; psi: number } {
  if (!(gainBps > 0 && gainBps <= discordantBps && discordantBps <= 10_000) || discordantBps * 1e4 <= gainBps ** 2) {
    throw new HokusaiError(
      'configuration',
      'POWER_EFFECT',
      '0 < gainBps <= discordantBps <= 10000, not all rows gained',
      {
        details: { gainBps, discordantBps },
      },
    );
  }
  return { delta: gainBps / 1e4, psi: discordantBps / 1e4 };
}
