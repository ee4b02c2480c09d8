import { canonicalDecimal, canonicalText, cellText } from './cell.ts';
import { HokusaiError } from './errors.ts';
import { nearestFirst } from './nearest.ts';
import type { Table } from './table.ts';

/** The label of a binary task: both values in canonical form, `positive` is class 1. */
export interface Label {
  name: string;
  positive: string;
  negative: string;
}

/** How the positive class was found; `rarer` is a guess worth a warning. */
export type PositiveRule = 'named' | 'known' | 'greater' | 'rarer';

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

const SHOWN = 10;

/**
 * Finds the two classes of a label column and says which is positive: the one that the caller names; else the truthy
 * one of a known pair (1/0, true/false, yes/no, malignant/benign ..., in any case); else the greater of two numbers;
 * else the rarer one, of equally frequent ones the later in code-unit order.
 *
 * @throws HokusaiError `configuration` LABEL_COLUMN_UNKNOWN, LABEL_POSITIVE_UNKNOWN; `terminal` LABEL_MISSING_VALUES,
 * LABEL_ONE_CLASS, LABEL_TOO_MANY_CLASSES
 */
export function inferLabel(table: Table, name: string, positive?: string): { label: Label; rule: PositiveRule } {
  const counts = countClasses(table, name);
  const classes = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const shown = classes.slice(0, SHOWN).map(([value, rows]) => ({ value: shorten(value), rows }));
  const list = shown.map(({ value, rows }) => `${value} (${rows})`).join(', ');
  if (classes.length === 1) {
    throw new HokusaiError('terminal', 'LABEL_ONE_CLASS', `${table.file}: label ${name} has one class only: ${list}`, {
      details: { file: table.file, column: name, classes: shown },
      next: 'Give rows of both classes.',
    });
  }
  if (classes.length > 2) {
    const more = classes.length > SHOWN ? ', ...' : '';
    const text = `${table.file}: label ${name} has ${classes.length} classes, only two are supported so far: ${list}${more}`;
    throw new HokusaiError('terminal', 'LABEL_TOO_MANY_CLASSES', text, {
      details: { file: table.file, column: name, count: classes.length, classes: shown },
      next: 'Name a label column with two values, or write one, such as "is it class A?".',
    });
  }
  const [[frequent], [rare]] = classes as [[string, number], [string, number]];
  const found = positive === undefined ? findPositive(frequent, rare) : namePositive(name, positive, frequent, rare);
  const negative = found.positive === frequent ? rare : frequent;
  return { label: { name, positive: found.positive, negative }, rule: found.rule };
}

function countClasses(table: Table, name: string): Map<string, number> {
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
