import { formatUnits } from 'viem';
import type { Attestation } from './attestation/attest.ts';
import { LOG_LEVELS, type LogLevel } from './config/environment.ts';
import type { GATE_PARTS } from './delta/delta.ts';
import type { Logged } from './mlflow/log-run.ts';
import { grouped } from './report/numbers.ts';
import type { StepEvent } from './run/executor.ts';
import type { TrainingSetChange } from './run/finding.ts';
import type { Action } from './run/local-round.ts';

const bps = (value: string) => `${(Number(value) / 100).toFixed(2)} points`;

/** Training rows of more classes are in metrics.json and evaluation.html alone. */
const MOST_CLASSES = 10;

/** The parts of the gate as they fail. */
const FAILED: Readonly<Record<(typeof GATE_PARTS)[number], string>> = {
  rows: 'the benchmark has too few rows',
  positives: 'too few rows are positive',
  undefined: 'the metric of the baseline is undefined',
  bound: 'the lower bound does not exceed the least gain',
  exact: 'the exact test does not rule out chance',
  guardrail: 'another metric fell by more than its guardrail allows',
};

/** What each action used; of one that was taken several times, on average: `voteCommit 3 x 64,976`. */
export function gasOf(transactions: Attestation['transactions']): string {
  const used = new Map<string, number[]>();
  for (const { action, gas } of transactions) used.set(action, [...(used.get(action) ?? []), gas]);
  const text = ([action, all]: [string, number[]]) => {
    const average = grouped(Math.round(all.reduce((sum, gas) => sum + gas, 0) / all.length));
    return all.length === 1 ? `${action} ${average}` : `${action} ${all.length} x ${average}`;
  };
  return [...used].map(text).join(', ');
}

/** How many rows were learned from, and why others were not; nothing where none were counted. */
function rowsText({ contribution }: Attestation): string[] {
  const { rows, rowsUsed, duplicates, overlap, integration } = contribution;
  const counts = {
    duplicates,
    conflicting: integration?.conflicting ?? 0,
    'that would have replaced too many': integration?.overReplaced ?? 0,
    'over the most of one contribution': integration?.overRows ?? 0,
    'in the benchmark': overlap,
  };
  const told = Object.entries(counts).flatMap(([reason, count]) => (count > 0 ? [`${grouped(count)} ${reason}`] : []));
  if (integration?.replaced) told.push(`in the place of ${grouped(integration.replaced)} of the model’s`);
  if (rowsUsed === 0 && told.length === 0) return [];
  return [
    `  ${grouped(rowsUsed)} of ${grouped(rows)} rows are new and used${told.map((text) => `, ${text}`).join('')}`,
  ];
}

/** New rows that are nearly known ones: little is learned from the former, and the latter help to guess the benchmark. */
function nearText({ near }: TrainingSetChange): string[] {
  if (near.trainingSet + near.benchmark === 0) return [];
  const [training, sealed] = [grouped(near.trainingSet), grouped(near.benchmark)];
  return [`  of the new rows, ${training} are nearly in the training set and ${sealed} nearly in the benchmark`];
}

/** The training set by class, where that is a line. */
function balanceText({ classes, balance }: TrainingSetChange): string[] {
  if (classes.length === 0 || classes.length > MOST_CLASSES) return [];
  const told = classes.map((name, at) => `${name} ${grouped(balance.before[at]!)} → ${grouped(balance.after[at]!)}`);
  return [`  training rows by class: ${told.join(', ')}`];
}

/** From which level on an event is told. */
const LEVEL_OF: Readonly<Record<StepEvent['type'], LogLevel>> = {
  started: 'info',
  progress: 'info',
  finished: 'info',
  reused: 'info',
  cached: 'info',
  retrying: 'warning',
  warned: 'warning',
  failed: 'error',
};

function changeText(counts: NonNullable<Attestation['counts']>): string {
  if ('fixed' in counts) return `${counts.fixed} fixed, ${counts.broken} broken`;
  if ('positives' in counts) return `${counts.positives} positive, ${counts.negatives} negative`;
  return `sum of errors ${counts.baselineErrors} before, ${counts.candidateErrors} now`;
}

/** What a run prints while it goes on: a line for each finished step, and on a terminal the one at work. */
export class Progress {
  readonly #level: number;
  readonly #terminal = process.stderr.isTTY;

  /** @param level what is told; nothing without one, for `--json` */
  constructor(level: LogLevel | undefined) {
    this.#level = level === undefined ? -1 : LOG_LEVELS.indexOf(level);
  }

  note(text: string, level: LogLevel = 'info'): void {
    if (this.#tells(level)) process.stderr.write(`${text}\n\n`);
  }

  readonly step = (event: StepEvent, who = ''): void => {
    if (!this.#tells(LEVEL_OF[event.type])) return;
    const name = `${event.step.padEnd(10)} ${who}`.trimEnd();
    if (event.type === 'started' || event.type === 'progress') {
      const done = event.type === 'progress' ? ` ${Math.round(100 * event.fraction)} % ${event.text}` : '';
      if (this.#terminal) process.stderr.write(`\r\x1b[K… ${name}${done}`);
      else if (this.#tells('debug')) this.#line(`… ${name}${done}`);
      return;
    }
    if (event.type === 'warned') {
      const { message, next } = event.error;
      this.#line(`⚠ ${name}: ${message}${next === undefined ? '' : `\n  ${next}`}`);
      return;
    }
    const mark = { finished: '✔', reused: '↺', cached: '↺', retrying: '⟳', failed: '✖' }[event.type];
    const came = { reused: 'done before', cached: 'by' in event ? `taken from the cache, made by ${event.by}` : '' };
    const told = event.type in came ? came[event.type as keyof typeof came] : `${event.seconds.toFixed(2)} s`;
    this.#line(`${mark} ${name.padEnd(24)} ${told}`);
  };

  readonly action = ({ action, by, gas, hash }: Action): void => {
    const [who, which] = [by, hash].map((hex) => `${hex.slice(0, 10)}…`);
    if (this.#tells('info')) this.#line(`⛓ ${action.padEnd(24)} ${grouped(gas).padStart(7)} gas  ${which} by ${who}`);
  };

  /** What came of a run, and what to try next. */
  summary(
    folder: string,
    attestation: Attestation,
    { integration, mlflow }: { integration?: TrainingSetChange | undefined; mlflow?: Logged | undefined },
  ): void {
    const lines = [attestation.accepted ? 'Accepted.' : `Rejected (${attestation.status}): ${attestation.reason}`];
    lines.push(
      ...rowsText(attestation),
      ...(integration ? [...nearText(integration), ...balanceText(integration)] : []),
    );
    const { benchmark, counts, delta, transactions, proof } = attestation;
    if (counts && delta) {
      lines.push(
        `  ${counts.n} benchmark rows: ${changeText(counts)}`,
        `  ${benchmark.metric}: deltaOne ${bps(delta.deltaOneBps)}, payable ${bps(delta.payableBps)}, reward ${formatUnits(BigInt(delta.reward), 18)} tokens`,
      );
    }
    if (delta?.failed) lines.push(`  the gate: ${FAILED[delta.failed]}`);
    if (proof)
      lines.push(`  attestation ${proof.attestationHash}`, `  proved with ${proof.prover}, circuit ${proof.circuit}`);
    if (transactions.length > 0) lines.push(`  gas ${gasOf(transactions)}`);
    if (mlflow?.at !== undefined) lines.push(`  in MLflow at ${mlflow.at}`);
    else if (mlflow) lines.push(`  not in MLflow yet; runs that wait for it: ${mlflow.pending}`);
    lines.push(`  files in ${folder}`, `Next: hokusai verify ${folder}, or open ${folder}/report.html`);
    process.stdout.write(`\n${lines.join('\n')}\n`);
  }

  #tells(level: LogLevel): boolean {
    return this.#level >= LOG_LEVELS.indexOf(level);
  }

  #line(text: string): void {
    process.stderr.write(`${this.#terminal ? '\r\x1b[K' : ''}${text}\n`);
  }
}
