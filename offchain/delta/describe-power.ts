import type { Metric } from '../metrics/exact.ts';
import { type GateTerms, pack, score } from './delta.ts';
import { alpha30, zMicro } from './power.ts';

/** Share of the rows that the candidate is assumed to break: at a gain of 1 point, 4 % of the rows change. */
const BROKEN = 0.015;
/** Leaves some rows that do not change. */
const LARGEST_GAIN_BPS = 10_000 - 2 * 1e4 * BROKEN - 1;

/** What a benchmark can tell, for people to read before they spend anything on it. */
export interface Power {
  rows: number;
  /** alpha / K: the chance of a false gain that one round may take. */
  alpha: number;
  /** The least gain that is accepted with a probability of 80 % or more; null where there is none. */
  detectableBps: number | null;
  chances: { gainBps: number; probability: number }[];
  /** The same in words, with the assumptions. */
  text: string;
}

/**
 * What `rows` benchmark rows can tell apart under a policy: the chance that a true gain of accuracy passes the gate, summed
 * over the outcomes. Guardrails and fewest positives are left out: they depend on more than the gain. Assumed: each row is
 * broken with a probability of 1.5 % and fixed with that and the gain more, independent of the others. Floats, for people:
 * on few rows they are what the normal approximation of `power.ts` flatters (at 284 rows, K = 1 and a gain of 2 points:
 * 0.35, not 0.44; at 30 rows and 10 points: 0.18, not 0.45).
 */
export function describePower(
  { policy }: { policy: { alpha: number; roundsPerFold: number; gate: { minDeltaBps: number } } },
  rows: number,
): Power {
  const { alpha, roundsPerFold } = policy;
  const { minDeltaBps } = policy.gate;
  const level = { zMicro: zMicro(alpha, roundsPerFold), alpha30: alpha30(alpha, roundsPerFold) };
  const others = { minRows: 1n, minPositives: 0n, guardrails: [] };
  const needed = fewestFixed({ ...level, ...others, minDeltaBps: BigInt(minDeltaBps) }, rows);
  const chance = chanceOf(needed, rows);
  let [below, detectable] = [0, LARGEST_GAIN_BPS];
  while (detectable - below > 1) {
    const middle = (below + detectable) >> 1;
    if (chance(middle) >= 0.8) detectable = middle;
    else below = middle;
  }
  const detectableBps = chance(detectable) >= 0.8 ? detectable : null;
  const chances = [100, 200, 500].map((gainBps) => ({ gainBps, probability: chance(gainBps) }));
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const least =
    detectableBps === null ? 'No gain' : `Only a gain of ${(detectableBps / 100).toFixed(2)} percentage points or more`;
  const listed = chances.map(({ gainBps, probability }) => `${gainBps / 100}: ${percent(probability)}`).join(', ');
  const text = [
    `Benchmark of ${rows} rows, alpha ${alpha} divided by ${roundsPerFold} (rounds a fold), least gain ${minDeltaBps} bps.`,
    `${least} is accepted with a probability of 80 %.`,
    `Chance of acceptance by gain in percentage points: ${listed}.`,
    `Assumed: ${percent(BROKEN)} of the rows get worse, and the gain more than that better.`,
  ].join('\n');
  return { rows, alpha: alpha / roundsPerFold, detectableBps, chances, text };
}

/** What is asked of a metric besides a gain. */
export interface Asked {
  readonly alpha: number;
  readonly roundsPerFold: number;
  readonly metric: Metric;
  readonly gate: {
    readonly minDeltaBps: number;
    readonly minPositives: number;
    readonly guardrails: readonly unknown[];
  };
}

/** Why nothing can be said of a metric's power before a run: how often a gain is seen depends on more than the rows. */
export const noPower = (metric: Metric): string =>
  `What gain of ${metric} a benchmark can tell depends on how the models' errors vary, so a run has to be seen first: hokusai run --dry-run, then hokusai model power --like RUN_DIR.`;

/** What people are told of a benchmark before they spend anything on it. */
export function powerText(policy: Asked, rows: number): string {
  const { metric, gate } = policy;
  if (metric !== 'accuracy') return `Benchmark of ${rows} rows. ${noPower(metric)}`;
  const more = gate.minPositives > 0 || gate.guardrails.length > 0;
  const { text } = describePower({ policy }, rows);
  return more ? `${text}\nNot counted in: guardrails and fewest positives, which can only lower the chance.` : text;
}

/** By the number of broken rows, the fewest fixed ones with which the gate opens; ten standard deviations far. */
function fewestFixed(terms: GateTerms, rows: number): number[] {
  const mean = rows * BROKEN;
  const most = Math.min(rows, Math.ceil(mean + 10 * Math.sqrt(mean) + 10));
  const needed: number[] = [];
  let fixed = 0;
  for (let broken = 0; broken <= most; broken++) {
    const opens = (): boolean => {
      const cells = [rows - fixed - broken, 0, fixed, 0, broken, 0, 0, 0];
      return score('accuracy', 2, [pack(cells)], terms).failed === '';
    };
    while (fixed + broken <= rows && !opens()) fixed++;
    needed.push(fixed);
  }
  return needed;
}

/** The chance of at least so many fixed rows, by the trinomial distribution of fixed, broken and unchanged rows. */
function chanceOf(needed: number[], rows: number): (gainBps: number) => number {
  const logFactorial = [0];
  for (let i = 1; i <= rows; i++) logFactorial.push(logFactorial[i - 1]! + Math.log(i));
  return (gainBps) => {
    const fixedShare = BROKEN + gainBps / 1e4;
    const [logFixed, logBroken, logSame] = [fixedShare, BROKEN, 1 - fixedShare - BROKEN].map(Math.log) as [
      number,
      number,
      number,
    ];
    let sum = 0;
    for (const [broken, fewest] of needed.entries()) {
      for (let fixed = fewest; fixed <= rows - broken; fixed++) {
        const same = rows - broken - fixed;
        const ways = logFactorial[rows]! - logFactorial[broken]! - logFactorial[fixed]! - logFactorial[same]!;
        const probability = Math.exp(ways + fixed * logFixed + broken * logBroken + same * logSame);
        sum += probability;
        if (probability < 1e-15 && fixed > rows * fixedShare) break;
      }
    }
    return sum;
  };
}
