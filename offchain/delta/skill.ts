// The twin of contracts/DeltaOneSkill.sol: the DeltaOne scores of a regression, a gain of skill 1 - E / C over labels and
// predictions of 16 bits. The bound is derived there.
import { ceilDiv, ceilSqrt, type Figures, floorDiv, LANES, lanes, requireThat } from './counts.ts';

/** Sums over n rows; d is the baseline's error minus the candidate's, squared errors or absolute ones. */
interface Sums {
  n: bigint;
  baselineErrors: bigint;
  candidateErrors: bigint;
  /** Sum of d^2. */
  squares: bigint;
  /** C is constant / scale: the error of the labels' mean, or median. */
  constant: bigint;
  scale: bigint;
}

const MOST_BPS = 10_000n;

export function isSkill(metric: string): metric is 'mse' | 'mae' {
  return metric === 'mse' || metric === 'mae';
}

export function skillFigures(metric: 'mse' | 'mae', first: bigint, second: bigint, zMicro: bigint): Figures {
  const sums = metric === 'mse' ? unpackSquared(first, second) : unpackAbsolute(first, second);
  const defined = sums.n >= 2n && sums.constant !== 0n;
  return {
    ...{ n: sums.n, positives: 0n, defined, exact: true },
    deltaOneBps: defined ? skillDeltaOneBps(sums) : 0n,
    payableBps: defined ? skillPayableBps(sums, zMicro) : 0n,
  };
}

/** First word: n, sums of the squared errors of both; second: sum of d^2, of the labels, of their squares. */
function unpackSquared(first: bigint, second: bigint): Sums {
  const [n, baselineErrors, candidateErrors] = lanes(first, LANES.mse[0]);
  const [squares, labels, squaredLabels] = lanes(second, LANES.mse[1]);
  const constant = n * squaredLabels - labels * labels;
  requireThat(constant >= 0n, second);
  return withVariance({ n, baselineErrors, candidateErrors, squares, constant, scale: n }, second);
}

/** First word: n, sums of the absolute errors of both, labels below and above the centre; second: sum of d^2, C. */
function unpackAbsolute(first: bigint, second: bigint): Sums {
  const [n, baselineErrors, candidateErrors, below, above] = lanes(first, LANES.mae[0]);
  requireThat(2n * below <= n && 2n * above <= n, first);
  const [squares, constant] = lanes(second, LANES.mae[1]);
  return withVariance({ n, baselineErrors, candidateErrors, squares, constant, scale: 1n }, second);
}

function withVariance(sums: Sums, second: bigint): Sums {
  requireThat(sums.n * sums.squares >= gain(sums) ** 2n, second);
  return sums;
}

/** floor(10^4 D / C), within 10^4 of zero. */
function skillDeltaOneBps(sums: Sums): bigint {
  return bounded(floorDiv(10_000n * sums.scale * gain(sums), sums.constant));
}

/** The normal lower bound: 10^4 (D - z sqrt((n sum d^2 - D^2) / (n - 1))) / C, rounded down, within 10^4 of zero. */
function skillPayableBps(sums: Sums, zMicro: bigint): bigint {
  const { n, squares, constant, scale } = sums;
  const D = gain(sums);
  const V = ceilDiv((scale * zMicro) ** 2n * 10n ** 8n * (n * squares - D * D), n - 1n);
  return bounded(floorDiv(10n ** 10n * scale * D - ceilSqrt(V), 10n ** 6n * constant));
}

function gain({ baselineErrors, candidateErrors }: Sums): bigint {
  return baselineErrors - candidateErrors;
}

function bounded(bps: bigint): bigint {
  if (bps > MOST_BPS) return MOST_BPS;
  return bps < -MOST_BPS ? -MOST_BPS : bps;
}
