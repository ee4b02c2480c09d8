import { stringify } from 'yaml';
import type { ColumnProfile } from './column-counter.ts';
import { type Database, literal } from './database.ts';
import type { Profiled } from './profile.ts';
import type { Rule, Rules } from './rules.ts';

/** A rule, and how sure it is. */
export interface Inferred {
  readonly rule: Rule;
  /** Laplace's rule of succession: (cells that fit the type + 1) / (cells + 2). */
  readonly confidence: number;
  /** What it was inferred from, for the comment. */
  readonly because: string;
  /** Whether all cells were seen to follow the rule, so that they need no check. */
  readonly holds: boolean;
}

export interface InferredRules {
  readonly rules: Rules;
  readonly columns: Readonly<Record<string, Inferred>>;
}

/** A type that fewer of the cells fit than this is not the column's. */
const MOST_FIT = 0.9;
const SAMPLE = 1000;
const MOST_ALLOWED = 32;
/** From so many rows on, distinct values are no chance. */
const MIN_UNIQUE = 20;
const DATE_FORMATS = [
  '%Y-%m-%d',
  '%Y-%m-%d %H:%M:%S',
  '%Y-%m-%dT%H:%M:%S',
  '%Y-%m-%dT%H:%M:%SZ',
  '%Y/%m/%d',
  '%d.%m.%Y',
  '%d/%m/%Y',
  '%m/%d/%Y',
];

/** Whether a canonical cell is a date of that format that exists, from year 1 to 9999. */
export const isDate = (cell: string, format: string): string =>
  `coalesce(try_strptime(${cell}, ${literal(format)}) BETWEEN TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59', false)`;

/**
 * Says what each column is, from all of its cells: its type where nine in ten fit, the range of its numbers, its values
 * where they are few and recur, one pattern where all follow it, and whether they are present and distinct everywhere.
 */
export async function inferRules(db: Database, table: Profiled, label?: string): Promise<InferredRules> {
  const columns: [string, Inferred][] = [];
  for (const [at, column] of table.profile.entries())
    columns.push([column.name, await inferColumn(db, table, at, column)]);
  const rules: Rules = {
    version: 1,
    ...(label !== undefined && { label }),
    ignored: [],
    columns: Object.fromEntries(columns.map(([name, { rule }]) => [name, rule])),
  };
  return { rules, columns: Object.fromEntries(columns) };
}

async function inferColumn(db: Database, table: Profiled, at: number, column: ColumnProfile): Promise<Inferred> {
  const { present, numbers, integers, least, most, distinct } = column;
  const common = { nullable: present < table.rows, unique: await isUnique(db, table, at, column) };
  const sure = (fit: number) => (fit + 1) / (present + 2);
  if (present === 0) {
    return { rule: { type: 'text', ...common }, confidence: 0.5, because: 'all cells are missing', holds: true };
  }
  if (numbers >= MOST_FIT * present) {
    const type = integers === numbers ? 'integer' : 'number';
    const because = `${numbers} of ${present} cells are numbers from ${least} to ${most}`;
    const rule: Rule = { type, ...common, min: least!, max: most! };
    return { rule, confidence: sure(numbers), because, holds: numbers === present };
  }
  const cell = `k${at}`;
  const sample = `(SELECT ${cell} FROM ${table.cells} WHERE ${cell} IS NOT NULL LIMIT ${SAMPLE})`;
  const format = await dateFormat(db, cell, sample);
  if (format !== undefined) {
    const [[fit]] = (await db.rows<[number]>(
      `SELECT count_if(${cell} IS NOT NULL AND ${isDate(cell, format)}) FROM ${table.cells}`,
    )) as [[number]];
    const because = `${fit} of ${present} cells are dates`;
    if (fit >= MOST_FIT * present) {
      return { rule: { type: 'date', ...common, format }, confidence: sure(fit), because, holds: fit === present };
    }
  }
  const rule: Rule = { type: 'text', ...common };
  const because = `about ${distinct} texts`;
  if (distinct <= MOST_ALLOWED && present >= 2 * distinct) {
    const allowed = await db.rows<[string]>(
      `SELECT DISTINCT ${cell} FROM ${table.cells} WHERE ${cell} IS NOT NULL ORDER BY ${cell}`,
    );
    return { rule: { ...rule, allowed: allowed.flat() }, confidence: sure(present), because, holds: true };
  }
  const pattern = await commonPattern(db, table, cell, sample);
  return { rule: { ...rule, ...(pattern && { pattern }) }, confidence: sure(present), because, holds: true };
}

/** By 64 bits of hash: two of a million values share one with a chance of 1 in 40 million. */
async function isUnique(db: Database, { cells, rows }: Profiled, at: number, { present, distinct }: ColumnProfile) {
  if (present < MIN_UNIQUE || present < rows || distinct < 0.7 * present) return false;
  const [[exact]] = (await db.rows<[number]>(`SELECT count(DISTINCT hash(k${at})) FROM ${cells}`)) as [[number]];
  return exact === present;
}

/** The first of the known formats that nine in ten of a sample follow. */
async function dateFormat(db: Database, cell: string, sample: string): Promise<string | undefined> {
  const counts = DATE_FORMATS.map((format) => `count_if(${isDate(cell, format)}) >= ${MOST_FIT} * count(*)`).join(', ');
  const [fits] = await db.rows<boolean[]>(`SELECT ${counts} FROM ${sample}`);
  return DATE_FORMATS.find((_, i) => fits![i]);
}

/** A pattern of letters, digits and fixed signs that all cells follow, such as [A-Z]{2}[0-9]{4}. */
async function commonPattern(db: Database, { cells }: Profiled, cell: string, sample: string) {
  const shapes = await db.rows<[string]>(`SELECT DISTINCT left(${cell}, 65) FROM ${sample}`);
  const patterns = new Set(shapes.map(([text]) => patternOf(text)));
  const [pattern] = patterns;
  if (patterns.size !== 1 || shapes.length < MIN_UNIQUE || pattern === undefined) return undefined;
  const [[misfits]] = (await db.rows<[number]>(
    `SELECT count_if(NOT regexp_full_match(${cell}, ${literal(pattern)})) FROM ${cells} WHERE ${cell} IS NOT NULL`,
  )) as [[number]];
  return misfits === 0 ? pattern : undefined;
}

function patternOf(text: string): string | undefined {
  if (text.length > 64 || !/^[\x20-\x7e]+$/.test(text)) return undefined;
  return text.replace(/[A-Z]+|[a-z]+|[0-9]+|[^A-Za-z0-9]/g, (run) => {
    const kind = /[A-Z]/.test(run) ? '[A-Z]' : /[a-z]/.test(run) ? '[a-z]' : /[0-9]/.test(run) ? '[0-9]' : undefined;
    if (kind === undefined) return run.replace(/[\\^$.|?*+(){}[\]]/, '\\$&');
    return run.length > 1 ? `${kind}{${run.length}}` : kind;
  });
}

/** The rules as YAML, each with what it was inferred from. */
export function rulesText({ rules, columns }: InferredRules, { path, rows }: Profiled): string {
  const quoted = (value: unknown) => stringify(value, { lineWidth: 0 }).trimEnd();
  const head = [
    `# Rules inferred from ${rows} rows of ${path.replaceAll(/[\r\n]/g, ' ')}. Correct them: a range that was seen is not yet a range that is allowed.`,
    '# Of a column: type (integer, number, text, date), nullable, unique, min, max, allowed, pattern (RE2, of the whole',
    '# cell), format (strftime, of dates), min_length, max_length.',
    'version: 1',
    ...(rules.label === undefined
      ? ['# label: the column that is to be predicted']
      : [`label: ${quoted(rules.label)}`]),
    '# Columns that rows are not told apart by, such as identifiers:',
    'ignored: []',
    'columns:',
  ];
  const lines = Object.entries(columns).flatMap(([name, { rule, confidence, because }]) => [
    `  ${quoted(name)}:`,
    `    # confidence ${Math.floor(confidence * 1000) / 1000}: ${because}`,
    ...quoted(rule)
      .split('\n')
      .map((line) => `    ${line}`),
  ]);
  return `${[...head, ...lines].join('\n')}\n`;
}
