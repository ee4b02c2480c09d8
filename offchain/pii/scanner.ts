import { HokusaiError } from '../errors.ts';
import { issuesOf } from '../issues.ts';
import { Cleaner, type REJECTED } from './clean.ts';
import { DECIDING_VALUES, type Decision, PiiColumn } from './column.ts';
import { Finder, type PiiSpan, resolveOverlaps } from './finder.ts';
import { type Action, type CheckedPiiOptions, type PiiOptions, zPii } from './options.ts';
import type { Recogniser } from './recogniser.ts';
import { recognisersFor } from './recognisers.ts';

/** Personal data in a cell; never its value. */
export interface PiiFinding {
  /** Counts data rows from 1. */
  readonly row: number;
  /** Its name. */
  readonly column: string;
  readonly type: string;
  /** UTF-16 offsets in the cell, the end exclusive. */
  readonly start: number;
  readonly end: number;
  /** In (0, 1]. */
  readonly score: number;
}

/** What a column has of one type. */
export interface PiiTypeReport {
  readonly type: string;
  readonly findings: number;
  /** Rows that have one, and their share of the rows that have a value. */
  readonly rows: number;
  readonly share: number;
  readonly action: Action;
}

/** What a column has. */
export interface PiiColumnReport {
  readonly column: string;
  /** Cells that are neither null nor blank. */
  readonly values: number;
  /** How many equally frequent values would be as varied as its first ones: two to the power of the collision entropy. */
  readonly variety: number;
  /** What it is taken to hold; empty for a text and for what is nobody's. */
  readonly decisions: readonly Decision[];
  /** By type. */
  readonly types: readonly PiiTypeReport[];
}

/** What was found, without a value. */
export interface PiiReport {
  readonly threshold: number;
  readonly columns: readonly PiiColumnReport[];
}

/** What is to stand in a cell: null where it is removed, `REJECTED` where its row is refused. */
export type Cleaned = string | null | typeof REJECTED;

interface ScannerParameters {
  /** Takes each finding; without it they are kept for `findings`. */
  readonly onFinding?: (finding: PiiFinding) => void;
  /** Takes what is to stand in a cell with findings, once for each that is not kept as it is, by row. */
  readonly onCleaned?: (column: number, row: number, value: Cleaned) => void;
  /** More than those that come along. */
  readonly recognisers?: readonly Recogniser[];
}

/** What another recogniser, such as a server, has found in the values of a call: by value; empty where nothing. */
export type OtherSpans = readonly (readonly PiiSpan[])[];

interface Waiting {
  readonly value: string;
  readonly row: number;
  readonly other: readonly PiiSpan[];
}

const NONE: readonly PiiSpan[] = [];

interface Tally {
  findings: number;
  rows: number;
}

/**
 * Looks for personal data in a table, column by column, in chunks of any size. What a column holds is decided by its
 * name and its first 1,000 values, which wait until then; all else depends on a cell alone. So the findings are the same
 * for any chunks.
 */
export class PiiScanner {
  readonly #options: CheckedPiiOptions;
  readonly #recognisers: readonly Recogniser[];
  readonly #columns: readonly PiiColumn[];
  readonly #waiting: (Waiting[] | undefined)[];
  readonly #values: number[];
  readonly #tallies: readonly Map<string, Tally>[];
  readonly #kept: PiiFinding[] = [];
  readonly #onFinding: (finding: PiiFinding) => void;
  readonly #onCleaned: ScannerParameters['onCleaned'];
  readonly #cleaner: Cleaner;
  readonly #actions: readonly ((type: string) => Action)[];

  /** @throws HokusaiError `configuration` PII_OPTIONS_INVALID with all problems */
  constructor(
    columnNames: readonly string[],
    options: PiiOptions,
    { onFinding, onCleaned, recognisers = [] }: ScannerParameters = {},
  ) {
    this.#options = checkOptions(options);
    const { threshold, ignore } = this.#options;
    this.#recognisers = [...recognisersFor(this.#options), ...recognisers].filter(({ type }) => !ignore.includes(type));
    const finder = new Finder(this.#recognisers, threshold);
    this.#columns = columnNames.map((name) => new PiiColumn(name, this.#recognisers, finder, threshold));
    this.#waiting = columnNames.map(() => []);
    this.#values = columnNames.map(() => 0);
    this.#tallies = columnNames.map(() => new Map());
    this.#onFinding = onFinding ?? ((finding) => this.#kept.push(finding));
    this.#onCleaned = onCleaned;
    this.#cleaner = new Cleaner(this.#recognisers, this.#options.key);
    this.#actions = columnNames.map((_, at) => (type) => this.#actionOf(at, type));
  }

  /**
   * Scans the next values of a column.
   *
   * @param firstRow - that of the first value; data rows count from 1
   * @param other - found in them by others, such as a `PresidioServer`; those below the threshold do not count
   */
  scan(column: number, values: readonly (string | null)[], firstRow: number, other?: OtherSpans): void {
    for (const [at, value] of values.entries()) {
      if (value !== null) this.scanValue(column, value, firstRow + at, other?.[at]);
    }
  }

  /** Scans the next value of a column. */
  scanValue(column: number, value: string, row: number, other: readonly PiiSpan[] = NONE): void {
    if (value.trim() === '') return;
    const waiting = this.#waiting[column];
    if (!waiting) this.#scanCell(column, value, row, other);
    else if (waiting.push({ value, row, other }) === DECIDING_VALUES) this.end(column);
  }

  /** Whether a column is decided on and only texts are expected of it, in which a cell without any anchor has nothing. */
  isText(column: number): boolean {
    return this.#waiting[column] === undefined && this.#columns[column]!.isText;
  }

  /** Counts so many values of such a column that are not blank, have nothing and were left out. */
  pass(column: number, count: number): void {
    this.#values[column]! += count;
  }

  /** Says that no more values come of a column; without it `findings`, `report` and `cleaner` do. */
  end(column: number): void {
    const waiting = this.#waiting[column];
    if (!waiting) return;
    this.#columns[column]!.decide(waiting.map(({ value }) => value));
    this.#waiting[column] = undefined;
    for (const { value, row, other } of waiting) this.#scanCell(column, value, row, other);
  }

  #scanCell(column: number, value: string, row: number, other: readonly PiiSpan[]): void {
    this.#values[column]!++;
    const spans = this.#spansOf(column, value, other);
    if (spans.length === 0) return;
    const tallies = this.#tallies[column]!;
    for (const [at, { type, start, end, score }] of spans.entries()) {
      const tally = tallies.get(type) ?? { findings: 0, rows: 0 };
      if (tally.findings++ === 0) tallies.set(type, tally);
      if (at === 0 || !spans.slice(0, at).some((earlier) => earlier.type === type)) tally.rows++;
      this.#onFinding({ row, column: this.#columns[column]!.name, type, start, end, score });
    }
    const actionOf = this.#actions[column]!;
    if (this.#onCleaned && spans.some(({ type }) => actionOf(type) !== 'keep')) {
      this.#onCleaned(column, row, this.#cleaner.clean(value, spans, actionOf));
    }
  }

  #spansOf(column: number, value: string, other: readonly PiiSpan[]): readonly PiiSpan[] {
    const ours = this.#columns[column]!.spansOf(value);
    if (other.length === 0) return ours;
    const { threshold, ignore } = this.#options;
    const theirs = other.filter(({ score, type }) => score >= threshold && !ignore.includes(type));
    return resolveOverlaps([...ours, ...theirs]);
  }

  #finish(): void {
    for (const column of this.#columns.keys()) this.end(column);
  }

  /** All findings by row, column and start, unless they went to `onFinding`. No more is scanned after it. */
  findings(): readonly PiiFinding[] {
    this.#finish();
    const place = new Map(this.#columns.map(({ name }, at) => [name, at]));
    return this.#kept.toSorted(
      (a, b) => a.row - b.row || place.get(a.column)! - place.get(b.column)! || a.start - b.start,
    );
  }

  /** What was found by column and type. No more is scanned after it. */
  report(): PiiReport {
    this.#finish();
    const columns = this.#columns.map(({ name, variety, decisions }, at): PiiColumnReport => {
      const values = this.#values[at]!;
      const types = [...this.#tallies[at]!].map(([type, { findings, rows }]) => ({
        ...{ type, findings, rows, share: rows / values, action: this.#actionOf(at, type) },
      }));
      return { column: name, values, variety, decisions, types: types.sort((a, b) => (a.type < b.type ? -1 : 1)) };
    });
    return { threshold: this.#options.threshold, columns };
  }

  /**
   * What makes cells clean, as the findings say. A column without findings is passed on as it is.
   *
   * @returns by column and value the cleaned value, null where it is removed, or `REJECTED` where its row is refused
   */
  cleaner(): (column: number, value: string | null, other?: readonly PiiSpan[]) => Cleaned {
    this.#finish();
    return (column, value, other = []) => {
      if (value === null || this.#tallies[column]!.size === 0) return value;
      const spans = this.#spansOf(column, value, other);
      return spans.length === 0 ? value : this.#cleaner.clean(value, spans, this.#actions[column]!);
    };
  }

  #actionOf(column: number, type: string): Action {
    const { columns, types, action } = this.#options;
    const chosen = columns[this.#columns[column]!.name] ?? types[type] ?? action;
    return type === 'secret' && chosen === 'hash' ? 'remove' : chosen;
  }
}

function checkOptions(options: PiiOptions): CheckedPiiOptions {
  const parsed = zPii.safeParse(options);
  if (parsed.success) return parsed.data;
  const problems = issuesOf(parsed.error).map(({ path, message }) => `${['pii', ...path].join('.')}: ${message}`);
  throw new HokusaiError(
    'configuration',
    'PII_OPTIONS_INVALID',
    `How personal data is treated is not clear:\n${problems.join('\n')}`,
    {
      details: { problems },
      next: 'Correct the options for personal data.',
    },
  );
}
