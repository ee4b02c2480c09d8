import { HokusaiError } from '../errors.ts';
import type { ColumnProfile } from './column-counter.ts';
import { type Database, literal } from './database.ts';
import { type InferredRules, isDate } from './infer-rules.ts';
import { isNumber, type Profiled } from './profile.ts';
import type { Rule, Rules } from './rules.ts';

/** One thing that is asked of a column; `broken` is an SQL condition on a row. */
export interface Check {
  readonly column: string;
  readonly rule: 'present' | 'type' | 'range' | 'allowed' | 'pattern' | 'format' | 'length' | 'unique';
  readonly expected: string;
  /** As Great Expectations names it. */
  readonly expectation: string;
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** Number of the column. */
  readonly at: number;
  readonly broken?: string;
}

/** What came of a check; rows count from 1. */
export interface CheckResult extends Omit<Check, 'at' | 'broken'> {
  readonly count: number;
  /** The first of the rows concerned. */
  readonly rows: readonly number[];
  /** What the cells look like, with other letters and digits. */
  readonly examples: readonly string[];
}

export interface Checked {
  readonly results: readonly CheckResult[];
  /** Of the columns: absent ones, and such as no rule is about. */
  readonly absent: readonly string[];
  readonly unknown: readonly string[];
  /** Rows that break a rule. */
  readonly rejected: number;
  /** A table with `row` and `check`, the number of a result. */
  readonly broken: string;
}

/** Row numbers that a report lists for each check; a quarantine file has them all. */
const LISTED_ROWS = 1000;
const EXAMPLES = 3;
const AT_ONCE = 100;

/**
 * Checks every cell against every rule.
 *
 * @param inferred tells of columns whose rules are known to hold, because they were inferred from all cells
 * @throws HokusaiError `configuration` RULES_PATTERN for a pattern or format that cannot be read
 */
export async function checkRules(
  db: Database,
  table: Profiled,
  rules: Rules,
  inferred?: InferredRules,
): Promise<Checked> {
  const checks = checksOf(table, rules);
  const open = ({ column }: Check) => !inferred?.columns[column]?.holds;
  const broken = db.name('broken');
  await db.run(`CREATE TABLE ${broken} (row BIGINT, check_id INTEGER)`);
  const byRow = checks.flatMap((check, id) =>
    check.broken !== undefined && open(check) ? [{ condition: check.broken, id }] : [],
  );
  for (let from = 0; from < byRow.length; from += AT_ONCE) {
    const some = byRow.slice(from, from + AT_ONCE);
    const list = some.map(({ condition, id }) => `CASE WHEN ${condition} THEN ${id} END`).join(', ');
    const any = some.map(({ condition }) => `(${condition})`).join(' OR ');
    await db
      .run(
        `INSERT INTO ${broken} SELECT row, id FROM (SELECT row, unnest([${list}]) AS id FROM ${table.cells} WHERE ${any})
          WHERE id IS NOT NULL`,
      )
      .catch(() => {
        throw unreadablePattern(rules);
      });
  }
  for (const [id, check] of checks.entries()) {
    const { rule, at } = check;
    if (rule !== 'unique' || !open(check)) continue;
    await db.run(
      `INSERT INTO ${broken} SELECT row, ${id} FROM ${table.cells} WHERE k${at} IN (${twice(table.cells, at)})`,
    );
  }
  const counts = new Map(await db.rows<[number, number]>(`SELECT check_id, count(*) FROM ${broken} GROUP BY check_id`));
  const results: CheckResult[] = [];
  for (const [id, check] of checks.entries()) {
    const count = counts.get(id) ?? 0;
    results.push({ ...shown(check), count, ...(await where(db, table, broken, id, check.at, count)) });
  }
  const [[rejected]] = (await db.rows<[number]>(`SELECT count(DISTINCT row) FROM ${broken}`)) as [[number]];
  const known = Object.keys(rules.columns);
  const absent = known.filter((name) => !table.names.includes(name));
  const unknown = table.names.filter((name) => !known.includes(name));
  return { results, absent, unknown, rejected, broken };
}

/** The values that occur more than once: first those whose 64 bits of hash do, which take less room. */
function twice(cells: string, at: number): string {
  const hashes = `SELECT hash(k${at}) AS h FROM ${cells} WHERE k${at} IS NOT NULL GROUP BY h HAVING count(*) > 1`;
  return `SELECT k${at} FROM ${cells} WHERE hash(k${at}) IN (${hashes}) AND k${at} IS NOT NULL GROUP BY ALL HAVING count(*) > 1`;
}

function shown({ column, rule, expected, expectation, kwargs }: Check): Omit<Check, 'at' | 'broken'> {
  return { column, rule, expected, expectation, kwargs };
}

async function where(db: Database, { cells }: Profiled, broken: string, id: number, at: number, count: number) {
  if (count === 0) return { rows: [], examples: [] };
  const found = await db.rows<[number]>(
    `SELECT row FROM ${broken} WHERE check_id = ${id} ORDER BY row LIMIT ${LISTED_ROWS}`,
  );
  const rows = found.flat();
  const examples = await db.rows<[string | null]>(
    `SELECT k${at} FROM ${cells} WHERE row IN (${rows.slice(0, EXAMPLES).join(', ')}) ORDER BY row`,
  );
  return { rows, examples: [...new Set(examples.map(([cell]) => masked(cell)))] };
}

/** What a cell looks like: its signs, and 9, x and X for digits and letters. */
export function masked(cell: string | null): string {
  if (cell === null) return '(missing)';
  const kinds = [/\p{Lu}/u, /\p{L}/u, /\p{N}/u, /\p{C}/u];
  const shown = ['X', 'x', '9', '�'];
  const shape = cell
    .slice(0, 40)
    .replace(/[\p{L}\p{N}\p{C}]/gu, (sign) => shown[kinds.findIndex((kind) => kind.test(sign))]!);
  return cell.length > 40 ? `${shape}…` : shape;
}

function checksOf(table: Profiled, rules: Rules): Check[] {
  return table.names.flatMap((column, at) => {
    const rule = Object.hasOwn(rules.columns, column) ? rules.columns[column] : undefined;
    return rule ? checksOfColumn(table.profile[at]!, at, rule) : [];
  });
}

/** What the column's profile shows to hold everywhere is not looked for in its cells. */
function checksOfColumn(profile: ColumnProfile, at: number, rule: Rule): Check[] {
  const { name: column, present, numbers, integers, least, most } = profile;
  const cell = `k${at}`;
  const checks: Check[] = [];
  const check = (name: Check['rule'], expected: string, expectation: string, kwargs: object, broken?: string) =>
    checks.push({
      ...{ column, rule: name, expected, expectation, at },
      kwargs: { column, ...kwargs },
      ...(broken !== undefined && { broken }),
    });
  const isKind = rule.type === 'integer' ? `${isNumber(cell)} AND NOT contains(${cell}, '.')` : isNumber(cell);
  if (!rule.nullable)
    check(
      'present',
      'a value',
      'expect_column_values_to_not_be_null',
      {},
      profile.complete ? undefined : `${cell} IS NULL`,
    );
  if (rule.type === 'integer' || rule.type === 'number') {
    const type = rule.type === 'integer' ? 'a whole number' : 'a decimal number';
    const kwargs = { type_: rule.type === 'integer' ? 'int' : 'float' };
    const broken = `${cell} IS NOT NULL AND NOT (${isKind})`;
    const holds = present === (rule.type === 'integer' ? integers : numbers);
    check('type', type, 'expect_column_values_to_be_of_type', kwargs, holds ? undefined : broken);
  }
  if (rule.min !== undefined || rule.max !== undefined) {
    const { min = null, max = null } = rule;
    const ends = [
      min === null ? [] : [`TRY_CAST(${cell} AS DOUBLE) < ${double(min)}`],
      max === null ? [] : [`TRY_CAST(${cell} AS DOUBLE) > ${double(max)}`],
    ];
    const expected = `from ${min ?? 'any'} to ${max ?? 'any'}`;
    const kwargs = { min_value: min, max_value: max };
    const broken = `${isNumber(cell)} AND (${ends.flat().join(' OR ')})`;
    const holds = least === null || (least >= (min ?? least) && most! <= (max ?? most!));
    check('range', expected, 'expect_column_values_to_be_between', kwargs, holds ? undefined : broken);
  }
  if (rule.format !== undefined) {
    const kwargs = { strftime_format: rule.format };
    const broken = `${cell} IS NOT NULL AND NOT ${isDate(cell, rule.format)}`;
    check('format', `a date as ${rule.format}`, 'expect_column_values_to_match_strftime_format', kwargs, broken);
  }
  if (rule.allowed !== undefined) {
    const broken = `${cell} IS NOT NULL AND ${cell} NOT IN (${rule.allowed.map((value) => `canonical(${literal(value)})`).join(', ')})`;
    const expected = `one of ${rule.allowed.length} values`;
    check('allowed', expected, 'expect_column_values_to_be_in_set', { value_set: rule.allowed }, broken);
  }
  if (rule.pattern !== undefined) {
    const broken = `${cell} IS NOT NULL AND NOT regexp_full_match(${cell}, ${literal(rule.pattern)})`;
    check('pattern', rule.pattern, 'expect_column_values_to_match_regex', { regex: `^(?:${rule.pattern})$` }, broken);
  }
  if (rule.min_length !== undefined || rule.max_length !== undefined) {
    const [min, max] = [rule.min_length ?? 0, rule.max_length ?? null];
    const broken = `length(${cell}) < ${min}${max === null ? '' : ` OR length(${cell}) > ${max}`}`;
    const kwargs = { min_value: min, max_value: max };
    const expected = `${min} to ${max ?? 'any number of'} characters`;
    check('length', expected, 'expect_column_value_lengths_to_be_between', kwargs, broken);
  }
  if (rule.unique) check('unique', 'a value of its own', 'expect_column_values_to_be_unique', {});
  return checks;
}

const double = (value: number): string => `CAST(${literal(String(value))} AS DOUBLE)`;

function unreadablePattern({ columns }: Rules): HokusaiError {
  const named = Object.entries(columns).filter(([, { pattern, format }]) => pattern ?? format);
  const names = named.map(([name]) => name);
  return new HokusaiError(
    'configuration',
    'RULES_PATTERN',
    `A pattern or format cannot be read; there are some of ${names.join(', ')}`,
    {
      details: { columns: names },
      next: 'Write patterns as RE2 understands them: without look-around and back-references.',
    },
  );
}
