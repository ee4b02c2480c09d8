/** What a benchmark can tell apart, before anything is registered. */
import { type Config, loadConfig } from '../config/load.ts';
import { noPower, powerText } from '../delta/describe-power.ts';
import { acceptanceProbability, type Effect, rowsNeeded } from '../delta/power.ts';
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
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/**
 * Rows needed, and the chance on the rows that there are: alpha, rounds a fold and rows from the configuration, unless
 * given.
 */
export async function answerPower(asked: PowerQuestion): Promise<Answer> {
  const { gain = 1, discordant = 4, power = 0.8 } = asked;
  const config = asked.config === undefined ? undefined : loadConfig(asked.config);
  const alpha = asked.alpha ?? config?.policy.alpha ?? 0.05;
  const roundsPerFold = asked.roundsPerFold ?? config?.policy.roundsPerFold ?? 20;
  const rows = asked.rows ?? (config && (await benchmarkRows(config)));
  const metric = config?.policy.metric ?? 'accuracy';
  if (metric !== 'accuracy') return { text: noPower(metric), json: { metric, alpha, roundsPerFold, rows } };
  const effect: Effect = { gainBps: gain * 100, discordantBps: discordant * 100 };
  const level = alpha / roundsPerFold;
  const needed = rowsNeeded({ ...effect, alpha: level, power });
  const neededOfOneRound = rowsNeeded({ ...effect, alpha, power });
  const probability = rows === undefined ? undefined : acceptanceProbability({ ...effect, alpha: level, rows });
  const lines = [
    `A gain of ${gain} percentage points of accuracy, where ${discordant} % of the rows change, is accepted with ${percent(power)} on ${grouped(needed)} rows or more:`,
    `alpha ${alpha} divided by the ${roundsPerFold} rounds of a fold. For a fold of one round: ${grouped(neededOfOneRound)} rows.`,
    ...(probability === undefined ? [] : [`On ${grouped(rows!)} rows its chance is ${percent(probability)}.`]),
    ...(config ? ['', powerText({ ...config.policy, alpha, roundsPerFold }, rows!)] : []),
  ];
  return {
    text: lines.join('\n'),
    json: { metric, gain, discordant, alpha, roundsPerFold, power, needed, neededOfOneRound, rows, probability },
  };
}

const benchmarkRows = async ({ data }: Config): Promise<number> => (await readCsv(data.benchmark)).rows;
