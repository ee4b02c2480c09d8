import { z } from 'zod';
import { HokusaiError } from '../errors.ts';
import { issuesOf } from '../issues.ts';
import { canonicalDecimal, canonicalText, cellText } from './cell.ts';
import {
  classesOf,
  classNames,
  inferLabel,
  type Label,
  type LabelOptions,
  MAX_CLASSES,
  type PositiveRule,
} from './label.ts';
import { leaksLabel } from './leak.ts';
import type { Column, Table } from './table.ts';

/** Categories kept for a column; the others share one feature. */
export const MAX_CATEGORIES = 32;
/** Below so many rows a column of distinct values says nothing about identifiers. */
const MIN_ROWS_IDENTIFIER = 20;
const IDENTIFIER_NAME = /(^|[^a-z])(id|ids|uuid|guid|key|index|idx|row|nr|no|number)$|[a-z](Id|ID|Uuid|Key|Nr|No)$/;

const name = z.string().min(1);
const zColumn = z.discriminatedUnion('type', [
  z.strictObject({ name, type: z.literal('number') }),
  z.strictObject({
    name,
    type: z.literal('category'),
    /** In canonical form, the most frequent first. */
    categories: z.array(name).min(1).max(MAX_CATEGORIES),
    /** Whether the column had more categories than are kept. */
    other: z.boolean(),
  }),
  z.strictObject({ name, type: z.literal('ignored'), reason: z.enum(['constant', 'empty', 'identifier', 'text']) }),
]);

const decimal = z.string().refine((text) => canonicalDecimal(text) === text, { error: 'not a canonical decimal' });
const zLabel = z.union([
  z.strictObject({ name, positive: name, negative: name }),
  z.strictObject({ name, classes: z.array(name).min(3).max(MAX_CLASSES) }),
  z.strictObject({ name, low: decimal, high: decimal }),
]);

const zSchema = z
  .strictObject({
    version: z.literal(1),
    label: zLabel,
    columns: z.array(zColumn),
  })
  .refine(({ label }) => distinct(classNames(label)), { error: 'the classes must differ', path: ['label'] })
  .refine(({ label }) => !('low' in label) || Number(label.low) < Number(label.high), {
    error: 'low must be below high',
    path: ['label'],
  })
  .refine(({ label, columns }) => !columns.some((column) => column.name === label.name), {
    error: 'the label must not be among the columns',
    path: ['columns'],
  })
  .refine(({ columns }) => columns.some((column) => column.type !== 'ignored'), {
    error: 'every column is ignored',
    path: ['columns'],
  })
  .refine(({ columns }) => distinct(columns.map((column) => column.name)), {
    error: 'a name occurs twice',
    path: ['columns'],
  })
  .refine(({ columns }) => columns.every((column) => column.type !== 'category' || distinct(column.categories)), {
    error: 'a category occurs twice',
    path: ['columns'],
  });

/** What each column of a table is. Plain JSON; `columns` in the order of the file they were inferred from. */
export type Schema = z.infer<typeof zSchema>;
export type SchemaColumn = Schema['columns'][number];

/** Something to look at before going on. Never holds a value of a row. */
export interface SchemaWarning {
  code:
    | 'COLUMN_CONSTANT'
    | 'COLUMN_EMPTY'
    | 'COLUMN_IDENTIFIER'
    | 'COLUMN_TEXT'
    | 'COLUMN_ALMOST_NUMBER'
    | 'COLUMN_NOT_NORMALISED'
    | 'COLUMN_GIVES_LABEL_AWAY'
    | 'LABEL_POSITIVE_GUESSED';
  column: string;
  message: string;
}

/**
 * Checks a schema that comes from a file.
 *
 * @throws HokusaiError `configuration` SCHEMA_INVALID with all problems, each with its path
 */
export function parseSchema(json: unknown): Schema {
  const parsed = zSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = issuesOf(parsed.error).map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new HokusaiError('configuration', 'SCHEMA_INVALID', `the schema is not valid: ${problems.join('; ')}`, {
    details: { problems },
    next: 'Correct these fields, or infer the schema again.',
  });
}

/**
 * Says what each column is. The result depends on the set of rows, not on their order.
 *
 * - `ignored` when all cells are missing (`empty`), when all hold one value (`constant`), or as `identifier` or `text`
 *   below, each with a warning;
 * - `number` when every cell that is not missing is a decimal number ({@link canonicalDecimal}); but an `identifier`
 *   when all are distinct integers without a gap, or distinct integers in a column named like an id (20 rows or more);
 * - other text: `identifier` when nine in ten of the values differ (20 rows or more); else `category` with all values
 *   when there are at most 32; else `category` with the 32 most frequent, equals in code-unit order, when values occur
 *   twice or more on average; else `text`.
 *
 * Categories are compared in canonical form without Unicode normalisation; names that differ in it alone are warned of.
 *
 * @param options - the label's name, and what else {@link inferLabel} is told of it
 * @throws HokusaiError those of {@link inferLabel}; `terminal` SCHEMA_NO_FEATURES when no column can be learned from
 */
export function inferSchema(
  table: Table,
  { label: labelName, ...options }: LabelOptions & { label: string },
): { schema: Schema; warnings: SchemaWarning[] } {
  const { label, rule } = inferLabel(table, labelName, options);
  const warnings: SchemaWarning[] = [];
  warnOfGuess(warnings, label, rule);
  const labels = classPerRow(table, label);
  const columns: SchemaColumn[] = [];
  for (const column of table.columns) {
    if (column.name === label.name) continue;
    const texts = column.values.map(cellText);
    const inferred = inferColumn(column, texts, table, warnings);
    columns.push(inferred);
    if (inferred.type !== 'ignored' && labels && leaksLabel(inferred.type, texts, labels, classesOf(label))) {
      const message = 'predicts the label almost perfectly by itself: remove it if it is known only after the label';
      warnings.push({ code: 'COLUMN_GIVES_LABEL_AWAY', column: column.name, message });
    }
  }
  if (columns.every((column) => column.type === 'ignored')) {
    throw new HokusaiError('terminal', 'SCHEMA_NO_FEATURES', `${table.file}: no column can be learned from`, {
      details: { file: table.file, columns },
      next: 'Give a table with numbers or repeated categories beside the label.',
    });
  }
  return { schema: { version: 1, label, columns }, warnings };
}

/** Of a number there are no classes that a column could give away. */
function classPerRow(table: Table, label: Label): number[] | undefined {
  if ('low' in label) return undefined;
  const position = new Map(classNames(label).map((text, at) => [text, at]));
  const cells = table.columns.find((column) => column.name === label.name)!.values;
  return cells.map((cell) => position.get(canonicalText(cellText(cell)!))!);
}

function warnOfGuess(warnings: SchemaWarning[], label: Label, rule: PositiveRule | undefined): void {
  if (rule !== 'rarer' || !('positive' in label)) return;
  const message = `${label.positive} is taken as the positive class because it is the rarer one: name it if that is wrong`;
  warnings.push({ code: 'LABEL_POSITIVE_GUESSED', column: label.name, message });
}

function inferColumn(column: Column, texts: (string | null)[], table: Table, warnings: SchemaWarning[]): SchemaColumn {
  const { name } = column;
  const ignore = (reason: 'constant' | 'empty' | 'identifier' | 'text', why: string): SchemaColumn => {
    const code = `COLUMN_${reason.toUpperCase() as Uppercase<typeof reason>}` as const;
    warnings.push({ code, column: name, message: `ignored: ${why}` });
    return { name, type: 'ignored', reason };
  };
  const decimals = texts.map((text) => (text === null ? null : canonicalDecimal(text)));
  const isNumber = decimals.every((decimal, row) => decimal !== null || texts[row] === null);
  if (!isNumber) warnOfAlmostNumber(warnings, name, texts, decimals, table.lines);
  const values = isNumber ? decimals : texts.map((text) => (text === null ? null : canonicalText(text)));
  const counts = countValues(values);
  const present = values.length - (counts.get(null) ?? 0);
  counts.delete(null);
  if (present === 0) return ignore('empty', 'all cells are missing');
  if (counts.size === 1 && present === values.length) return ignore('constant', 'all cells hold the same value');
  if (isNumber) {
    return isIdentifier(name, [...counts.keys()] as string[], present)
      ? ignore('identifier', 'distinct integers that look like row numbers or identifiers')
      : { name, type: 'number' };
  }
  if (present >= MIN_ROWS_IDENTIFIER && counts.size * 10 >= present * 9) {
    return ignore('identifier', 'nearly every row has a text of its own');
  }
  if (counts.size > MAX_CATEGORIES && counts.size * 2 > present) return ignore('text', 'too many distinct texts');
  const categories = ([...counts] as [string, number][]).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const names = categories.map(([category]) => category);
  warnOfForms(warnings, name, names);
  return { name, type: 'category', categories: names.slice(0, MAX_CATEGORIES), other: names.length > MAX_CATEGORIES };
}

function countValues(values: (string | null)[]): Map<string | null, number> {
  const counts = new Map<string | null, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function isIdentifier(name: string, values: string[], present: number): boolean {
  if (present < MIN_ROWS_IDENTIFIER || values.length < present || values.some((value) => value.includes('.'))) {
    return false;
  }
  const numbers = values.map(Number);
  const range = numbers.reduce((a, b) => Math.max(a, b)) - numbers.reduce((a, b) => Math.min(a, b));
  return range === present - 1 || IDENTIFIER_NAME.test(name) || IDENTIFIER_NAME.test(name.toLowerCase());
}

function warnOfAlmostNumber(
  warnings: SchemaWarning[],
  column: string,
  texts: (string | null)[],
  decimals: (string | null)[],
  lines: Uint32Array,
): void {
  const present = texts.filter((text) => text !== null).length;
  const bad = [...lines].filter((_, row) => texts[row] !== null && decimals[row] === null);
  if (bad.length * 10 > present) return;
  const where = bad.slice(0, 10).join(', ') + (bad.length > 10 ? ', ...' : '');
  const message = `read as text because ${bad.length} of ${present} values are not decimal numbers: line ${where}`;
  warnings.push({ code: 'COLUMN_ALMOST_NUMBER', column, message });
}

function warnOfForms(warnings: SchemaWarning[], column: string, categories: string[]): void {
  if (distinct(categories.map((category) => category.normalize('NFC').toLowerCase()))) return;
  const message = 'some categories differ only in case or Unicode form and are kept apart: write them in one way';
  warnings.push({ code: 'COLUMN_NOT_NORMALISED', column, message });
}

function distinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
