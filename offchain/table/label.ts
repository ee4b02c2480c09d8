import { HokusaiError } from '../errors.ts';
import { nearestFirst } from '../nearest.ts';
import { canonicalDecimal, canonicalText, cellText } from './cell.ts';
import type { Table } from './table.ts';

export const TASKS = ['classification', 'regression'] as const;
export type Task = (typeof TASKS)[number];

/** The label of two classes: both values in canonical form, `positive` is class 1. */
export interface BinaryLabel {
  name: string;
  positive: string;
  negative: string;
}

/** The label of 3 to 256 classes: their values in canonical form, class k at position k. */
export interface ClassesLabel {
  name: string;
  classes: string[];
}

/** The label of a regression: low and high, canonical decimals, are 0 and 65535; what is outside counts as they do. */
export interface NumberLabel {
  name: string;
  low: string;
  high: string;
}

export type Label = BinaryLabel | ClassesLabel | NumberLabel;

/** The values of a label's classes, by class; none of a number. */
export function classNames(label: Label): readonly string[] {
  if ('classes' in label) return label.classes;
  return 'positive' in label ? [label.negative, label.positive] : [];
}

/** How many classes a label has; 0 for a number, as the contracts count them. */
export const classesOf = (label: Label): number => classNames(label).length;

/** How many rows there are of each class: positives of two classes, a list by class of more, nothing of numbers. */
export interface Tally {
  positives?: number;
  perClass?: number[];
}

/** Rows of each class, by class; of 0 classes, where labels are numbers, an empty list. */
export function rowsByClass(labels: ArrayLike<number>, classes: number): number[] {
  const perClass = new Array<number>(classes).fill(0);
  for (let row = 0; row < labels.length && classes > 0; row++) perClass[labels[row]!]!++;
  return perClass;
}

/** @param labels - class of each row, or its number where there are 0 classes */
export function tally(labels: ArrayLike<number>, classes: number): Tally {
  const perClass = rowsByClass(labels, classes);
  if (classes === 2) return { positives: perClass[1]! };
  return classes > 2 ? { perClass } : {};
}

/** How the positive class was found; `rarer` is a guess worth a warning. */
export type PositiveRule = 'named' | 'known' | 'greater' | 'rarer';

/** What somebody says of a label beside its name. */
export interface LabelOptions {
  /** Else classification, where that is no guess. */
  task?: Task;
  /** The positive class of two. */
  positive?: string;
}

/** Pairs of positive and negative, compared in lower case. */
const KNOWN_PAIRS = [
  ['1', '0'],
  ['1', '-1'],
  ['true', 'false'],
  ['t', 'f'],
  ['yes', 'no'],
  ['y', 'n'],
  ['positive', 'negative'],
  ['pos', 'neg'],
  ['malignant', 'benign'],
  ['abnormal', 'normal'],
  ['present', 'absent'],
  ['case', 'control'],
  ['spam', 'ham'],
] as const;

/** A class is a byte in commitments and circuits. */
export const MAX_CLASSES = 256;
/** More different numbers than this may be classes or quantities: it has to be said which. */
const CLEARLY_CLASSES = 20;
const SHOWN = 10;

/**
 * Says what the values of a label column are.
 *
 * - `regression`: numbers, from the least to the greatest in the table.
 * - Two classes; positive is the one that the caller names; else the truthy one of a known pair (1/0, true/false, yes/no,
 *   malignant/benign ..., in any case); else the greater of two numbers; else the rarer one, of equally frequent ones the
 *   later in code-unit order.
 * - 3 to 256 classes: numbers in their order, else texts in code-unit order.
 *
 * @returns `rule` of two classes
 * @throws HokusaiError `configuration` LABEL_COLUMN_UNKNOWN, LABEL_POSITIVE_UNKNOWN, LABEL_TASK_UNCLEAR,
 * LABEL_NOT_NUMBER; `terminal` LABEL_MISSING_VALUES, LABEL_ONE_CLASS, LABEL_TOO_MANY_CLASSES
 */
export function inferLabel(
  table: Table,
  name: string,
  { task, positive }: LabelOptions = {},
): { label: Label; rule?: PositiveRule } {
  const counts = countValues(table, name);
  const values = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const shown = values.slice(0, SHOWN).map(([value, rows]) => ({ value: shorten(value), rows }));
  const found = { file: table.file, name, shown, count: values.length };
  if (values.length === 1) throw oneValue(found, task);
  if (task === 'regression') return { label: numberLabel(table.file, name, [...counts.keys()], positive) };
  const texts = values.map(([value]) => value);
  const numbers = texts.every((text) => canonicalDecimal(text) !== null);
  if (task === undefined && numbers && values.length > CLEARLY_CLASSES) throw unclear(found);
  if (values.length > MAX_CLASSES) throw tooManyClasses(found);
  if (values.length > 2) {
    if (positive !== undefined) throw noPositive(name, `has ${values.length} classes, none of which is positive`);
    const order = (a: string, b: string) => (numbers ? Number(a) - Number(b) : 0) || (a < b ? -1 : 1);
    return { label: { name, classes: texts.sort(order) } };
  }
  const [frequent, rare] = texts as [string, string];
  const chosen = positive === undefined ? findPositive(frequent, rare) : namePositive(name, positive, frequent, rare);
  const negative = chosen.positive === frequent ? rare : frequent;
  return { label: { name, positive: chosen.positive, negative }, rule: chosen.rule };
}

/** What was found in a label's column. */
interface Found {
  file: string;
  name: string;
  shown: { value: string; rows: number }[];
  count: number;
}

const listOf = ({ shown, count }: Found): string =>
  shown.map(({ value, rows }) => `${value} (${rows})`).join(', ') + (count > SHOWN ? ', ...' : '');

function oneValue(found: Found, task: Task | undefined): HokusaiError {
  const { file, name, shown } = found;
  const [what, next] =
    task === 'regression' ? ['value', 'Give rows of different values.'] : ['class', 'Give rows of both classes.'];
  const text = `${file}: label ${name} has one ${what} only: ${listOf(found)}`;
  return new HokusaiError('terminal', 'LABEL_ONE_CLASS', text, {
    details: { file, column: name, classes: shown },
    next,
  });
}

function unclear({ file, name, count }: Found): HokusaiError {
  const text = `${file}: label ${name} has ${count} different numbers, which may be classes or quantities`;
  return new HokusaiError('configuration', 'LABEL_TASK_UNCLEAR', text, {
    details: { file, column: name, count },
    next: 'Say which: --task regression for quantities, --task classification for classes.',
  });
}

function tooManyClasses(found: Found): HokusaiError {
  const { file, name, count, shown } = found;
  const text = `${file}: label ${name} has ${count} classes, at most ${MAX_CLASSES} are supported: ${listOf(found)}`;
  return new HokusaiError('terminal', 'LABEL_TOO_MANY_CLASSES', text, {
    details: { file, column: name, count, classes: shown },
    next: 'Name a label column with fewer values, or write one that groups them; for quantities, use --task regression.',
  });
}

function noPositive(name: string, why: string): HokusaiError {
  return new HokusaiError('configuration', 'LABEL_POSITIVE_UNKNOWN', `label ${name} ${why}`, {
    details: { column: name },
    next: 'Leave --positive out: it is for labels of two classes.',
  });
}

/** The range of the numbers; of several texts that are one double, code-unit order decides. */
function numberLabel(file: string, name: string, values: readonly string[], positive?: string): NumberLabel {
  if (positive !== undefined) throw noPositive(name, 'is a number, and has no positive class');
  const bad = values.filter((value) => canonicalDecimal(value) === null);
  if (bad.length > 0) {
    const list = bad.sort().slice(0, SHOWN).map(shorten).join(', ') + (bad.length > SHOWN ? ', ...' : '');
    throw new HokusaiError('configuration', 'LABEL_NOT_NUMBER', `${file}: label ${name} is not a number: ${list}`, {
      details: { file, column: name, count: bad.length },
      next: 'Name a label column of decimal numbers, or use --task classification.',
    });
  }
  const sorted = values.toSorted((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1));
  return { name, low: sorted[0]!, high: sorted.at(-1)! };
}

function countValues(table: Table, name: string): Map<string, number> {
  const column = table.columns.find((candidate) => candidate.name === name);
  if (column === undefined) {
    const columns = nearestFirst(
      name,
      table.columns.map((candidate) => candidate.name),
    );
    throw new HokusaiError('configuration', 'LABEL_COLUMN_UNKNOWN', `${table.file} has no column ${name}`, {
      details: { file: table.file, column: name, columns },
      next: `Name one of: ${columns.slice(0, SHOWN).join(', ')}${columns.length > SHOWN ? ', ...' : ''}.`,
    });
  }
  const counts = new Map<string, number>();
  const missing: number[] = [];
  for (const [row, cell] of column.values.entries()) {
    const text = cellText(cell);
    if (text === null) {
      missing.push(table.lines[row]!);
      continue;
    }
    const value = canonicalText(text);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  if (missing.length > 0) {
    const where = missing.slice(0, SHOWN).join(', ') + (missing.length > SHOWN ? ', ...' : '');
    const text = `${table.file}: label ${name} is missing in ${missing.length} rows: line ${where}`;
    throw new HokusaiError('terminal', 'LABEL_MISSING_VALUES', text, {
      details: { file: table.file, column: name, count: missing.length, lines: missing.slice(0, SHOWN) },
      next: 'Remove these rows or give them a label.',
    });
  }
  return counts;
}

/** A label is shown in messages, but no more of it than tells classes apart. */
export function shorten(value: string): string {
  return value.length > 40 ? `${value.slice(0, 40)}...` : value;
}

function namePositive(name: string, wanted: string, frequent: string, rare: string) {
  const positive = canonicalText(cellText(wanted) ?? '');
  if (positive !== frequent && positive !== rare) {
    const text = `label ${name} has the classes ${shorten(frequent)} and ${shorten(rare)}, not ${shorten(wanted)}`;
    throw new HokusaiError('configuration', 'LABEL_POSITIVE_UNKNOWN', text, {
      details: { column: name, found: [shorten(frequent), shorten(rare)], positive: shorten(wanted) },
      next: 'Name one of the two as the positive class.',
    });
  }
  return { positive, rule: 'named' as const };
}

function findPositive(frequent: string, rare: string): { positive: string; rule: PositiveRule } {
  const lower = [frequent.toLowerCase(), rare.toLowerCase()];
  const pair = KNOWN_PAIRS.find(([yes, no]) => lower.includes(yes) && lower.includes(no));
  if (pair !== undefined) return { positive: pair[0] === lower[0] ? frequent : rare, rule: 'known' };
  const numbers = [frequent, rare].map((value) => (canonicalDecimal(value) === null ? Number.NaN : Number(value)));
  if (numbers[0]! > numbers[1]!) return { positive: frequent, rule: 'greater' };
  if (numbers[0]! < numbers[1]!) return { positive: rare, rule: 'greater' };
  return { positive: rare, rule: 'rarer' };
}
