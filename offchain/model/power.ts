/** What a benchmark can tell apart, before anything is registered. */
import { type Config, loadConfig } from '../config/load.ts';
import { noPower, powerText } from '../delta/describe-power.ts';
import {
  acceptanceProbability,
  acceptanceProbabilityLike,
  type Effect,
  rowsNeeded,
  rowsNeededLike,
  type Spread,
} from '../delta/power.ts';
import { HokusaiError } from '../errors.ts';
import { grouped } from '../report/numbers.ts';
import { readCsv } from '../table/table.ts';
import type { Answer } from '../verb.ts';

/** What is asked. Percents and points, as people say them. */
export interface PowerQuestion {
  readonly config?: string | undefined;
  readonly rows?: number | undefined;
  readonly gain?: number | undefined;
  readonly discordant?: number | undefined;
  readonly alpha?: number | undefined;
  readonly roundsPerFold?: number | undefined;
  readonly power?: number | undefined;
  readonly like?: string | undefined;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/**
 * Rows needed, and the chance on the rows that there are: alpha, rounds a fold and rows from the configuration, unless
 * given.
 *
 * @throws HokusaiError `configuration`: POWER_EFFECT; POWER_RUN for a run whose attestation tells no bound; VERIFY_FILE
 */
export async function answerPower(asked: PowerQuestion): Promise<Answer> {
  const { gain = 1, power = 0.8 } = asked;
  const config = asked.config === undefined ? undefined : loadConfig(asked.config);
  const alpha = asked.alpha ?? config?.policy.alpha ?? 0.05;
  const roundsPerFold = asked.roundsPerFold ?? config?.policy.roundsPerFold ?? 20;
  const rows = asked.rows ?? (config && (await benchmarkRows(config)));
  const stated = { gain, alpha, roundsPerFold, power, rows };
  if (asked.like !== undefined) return likeRun(asked.like, stated, config?.policy.gate.minDeltaBps ?? 0);
  const metric = config?.policy.metric ?? 'accuracy';
  if (metric !== 'accuracy') return { text: noPower(metric), json: { metric, ...stated } };
  const { discordant = 4 } = asked;
  const effect: Effect = { gainBps: gain * 100, discordantBps: discordant * 100 };
  const level = alpha / roundsPerFold;
  const needed = rowsNeeded({ ...effect, alpha: level, power });
  const neededOfOneRound = rowsNeeded({ ...effect, alpha, power });
  const probability = rows === undefined ? undefined : acceptanceProbability({ ...effect, alpha: level, rows });
  const subject = `A gain of ${gain} percentage points of accuracy, where ${discordant} % of the rows change,`;
  const found = { needed, neededOfOneRound, probability };
  const description = config ? ['', powerText({ ...config.policy, alpha, roundsPerFold }, rows!)] : [];
  return {
    text: [...linesOf(subject, stated, found), ...description].join('\n'),
    json: { metric, discordant, ...stated, ...found },
  };
}

interface Stated {
  readonly gain: number;
  readonly alpha: number;
  readonly roundsPerFold: number;
  readonly power: number;
  readonly rows: number | undefined;
}
interface Found {
  readonly needed: number;
  readonly neededOfOneRound: number;
  readonly probability: number | undefined;
}

function linesOf(subject: string, { alpha, roundsPerFold, power, rows }: Stated, found: Found): string[] {
  const { needed, neededOfOneRound, probability } = found;
  return [
    `${subject} is accepted with ${percent(power)} on ${grouped(needed)} rows or more:`,
    `alpha ${alpha} divided by the ${roundsPerFold} rounds of a fold. For a fold of one round: ${grouped(neededOfOneRound)} rows.`,
    ...(probability === undefined ? [] : [`On ${grouped(rows!)} rows its chance is ${percent(probability)}.`]),
  ];
}

/** Of any metric, by how much the gain of a run varied. */
async function likeRun(path: string, stated: Stated, minDeltaBps: number): Promise<Answer> {
  const { readAttestation } = await import('../verify/verify.ts');
  const { benchmark, delta } = readAttestation(path);
  const { metric, n } = benchmark;
  const spread = delta && spreadOf(n, delta);
  if (!spread || !(spread.errorBps > 0)) {
    throw new HokusaiError('configuration', 'POWER_RUN', `${path} tells no lower bound below a gain of ${metric}.`, {
      details: { path, metric },
      next: 'Name a run that tells its counts, as those of hokusai run --dry-run do.',
    });
  }
  const { gain, alpha, roundsPerFold, power, rows = n } = stated;
  const margin = { gainBps: gain * 100, minDeltaBps };
  const level = alpha / roundsPerFold;
  const needed = rowsNeededLike(spread, { ...margin, power, alpha: level });
  const neededOfOneRound = rowsNeededLike(spread, { ...margin, power, alpha });
  const probability = acceptanceProbabilityLike(spread, { ...margin, alpha: level, on: rows });
  const found = { needed, neededOfOneRound, probability };
  const subject = `A gain of ${gain} percentage points of ${metric}, which varies like that of this run (standard error ${(spread.errorBps / 100).toFixed(2)} points on ${grouped(n)} rows),`;
  return {
    text: linesOf(subject, { ...stated, rows }, found).join('\n'),
    json: { metric, errorBps: spread.errorBps, ...stated, rows, ...found },
  };
}

/** The lower bound is z standard errors below the gain. Both are rounded down, so the error is off by 1 bps / z at most. */
const spreadOf = (
  rows: number,
  { deltaOneBps, payableBps, zMicro }: Readonly<Record<'deltaOneBps' | 'payableBps' | 'zMicro', string>>,
): Spread => ({ rows, errorBps: ((Number(deltaOneBps) - Number(payableBps)) * 1e6) / Number(zMicro) });

const benchmarkRows = async ({ data }: Config): Promise<number> => (await readCsv(data.benchmark)).rows;
