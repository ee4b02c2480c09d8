import { HokusaiError } from '../errors.ts';

/** What a classifier says of rows whose classes are known. */
export interface ClassRows {
  /** 2 to 256. */
  readonly classes: number;
  /** Class of each row, below `classes`; of two, 1 is positive. */
  readonly labels: Uint8Array;
  readonly predictions: Uint8Array;
  /** Where the model has them: one vector of two classes, more being more positive; one per class of more. */
  readonly scores?: readonly Float64Array[];
  /** In the same shape, 0 to 1; of more than two classes those of a row sum to 1. */
  readonly probabilities?: readonly Float64Array[];
}

/** What a regression says of rows whose numbers are known, both in the same units. */
export interface NumberRows {
  readonly labels: Float64Array;
  readonly predictions: Float64Array;
}

export type Rows = ClassRows | NumberRows;

/** One value each of a record of metrics; NaN where one is not defined. */
export type Values = Readonly<Record<string, number>>;

/** Some metrics of rows, each row taken so many times: made once, measured often. */
export type Measure = (weights?: ArrayLike<number>) => Values;

/**
 * Checks what metrics are to be computed of.
 *
 * @throws HokusaiError `terminal` METRIC_ROWS with all problems: no rows, vectors of other lengths, classes that do not
 *   exist, numbers that are none, probabilities outside 0..1
 */
export function checkRows(rows: Rows): void {
  const problems = 'classes' in rows ? classProblems(rows) : numberProblems(rows);
  const n = rows.labels.length;
  if (n === 0) problems.push('there are no rows');
  if (rows.predictions.length !== n) problems.push(`${n} labels and ${rows.predictions.length} predictions`);
  if (problems.length === 0) return;
  throw new HokusaiError('terminal', 'METRIC_ROWS', `no metric can be computed: ${problems.join('; ')}`, {
    details: { problems },
    next: 'Correct what the model gives: a number for each row.',
  });
}

function classProblems({ classes, labels, predictions, scores, probabilities }: ClassRows): string[] {
  const problems: string[] = [];
  const vectors = classes === 2 ? 1 : classes;
  for (const [name, values] of Object.entries({ labels, predictions })) {
    const unknown = count(values, (value) => value >= classes);
    if (unknown > 0) problems.push(`${unknown} ${name} are no class below ${classes}`);
  }
  for (const [name, columns] of Object.entries({ scores, probabilities })) {
    if (columns === undefined) continue;
    if (columns.length !== vectors) problems.push(`${columns.length} vectors of ${name} instead of ${vectors}`);
    for (const [at, { length }] of columns.entries()) {
      if (length !== labels.length) problems.push(`${labels.length} labels and ${length} ${name} of vector ${at}`);
    }
    const bad = columns.reduce((sum, column) => sum + count(column, (value) => !Number.isFinite(value)), 0);
    if (bad > 0) problems.push(`${bad} ${name} are not finite`);
  }
  const outside = (value: number) => value < 0 || value > 1;
  const wrong = (probabilities ?? []).reduce((sum, column) => sum + count(column, outside), 0);
  if (wrong > 0) problems.push(`${wrong} probabilities are not within 0..1`);
  return problems;
}

function numberProblems({ labels, predictions }: NumberRows): string[] {
  return Object.entries({ labels, predictions }).flatMap(([name, values]) => {
    const bad = count(values, (value) => !Number.isFinite(value));
    return bad > 0 ? [`${bad} ${name} are not finite`] : [];
  });
}

function count(values: ArrayLike<number>, holds: (value: number) => boolean): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) if (holds(values[i]!)) sum++;
  return sum;
}
