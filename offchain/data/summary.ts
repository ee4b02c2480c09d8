import type { CheckResult } from './check-rules.ts';
import type { ColumnDrift, Misfit } from './drift.ts';
import type { Duplicates } from './duplicates.ts';
import type { Inspection } from './inspect.ts';
import type { Quality } from './quality.ts';

/** What is reported of a table, for people and machines; holds no value of a cell. */
export interface Summary {
  readonly path: string;
  readonly files: number;
  readonly rows: number;
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly confidence?: number;
    readonly missing: number;
  }[];
  /** Of which file the rules are; without it they were inferred. */
  readonly schema?: string;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  /** The checks that failed. */
  readonly violations: readonly CheckResult[];
  readonly rejectedRows: number;
  readonly misfits: readonly Misfit[];
  readonly pii: readonly {
    readonly column: string;
    readonly type: string;
    readonly rows: number;
    readonly action: string;
  }[];
  readonly duplicates: Duplicates;
  readonly drift?: readonly ColumnDrift[];
  readonly quality: Quality;
  /** Whether nothing has to be mended. */
  readonly valid: boolean;
}

const PSI_LIMIT = 0.25;

export function summarise(inspection: Inspection, schema: string | undefined): Summary {
  const { table, rules, inferred, checked, pii, duplicates, drift, quality } = inspection;
  const problems = checked.absent.map((column) => `column ${column} is in the rules and not in the table`);
  const warnings = [
    ...checked.unknown.map((column) => `no rule is about column ${column}`),
    ...table.profile.flatMap(({ name, formulas, firstFormula }) =>
      formulas > 0
        ? [
            `${name} has cells that begin as a formula does, which a spreadsheet would run: ${formulas}, the first in row ${firstFormula}`,
          ]
        : [],
    ),
    ...(drift?.columns ?? []).flatMap(({ column, psi }) =>
      psi >= PSI_LIMIT ? [`${column} differs from the reference (PSI ${psi.toFixed(2)})`] : [],
    ),
  ];
  const violations = checked.results.filter(({ count }) => count > 0);
  const columns = table.profile.map(({ name, present }) => ({
    name,
    type: rules.columns[name]?.type ?? 'unknown',
    ...(inferred && { confidence: Math.floor(inferred.columns[name]!.confidence * 1000) / 1000 }),
    missing: table.rows - present,
  }));
  return {
    ...{ path: table.path, files: table.files.length, rows: table.rows, columns, problems, warnings, violations },
    ...(schema !== undefined && { schema }),
    ...{ rejectedRows: checked.rejected, misfits: inspection.misfits, duplicates, quality },
    pii: pii.report.columns.flatMap(({ column, types }) =>
      types.map(({ type, rows, action }) => ({ column, type, rows, action })),
    ),
    ...(drift && { drift: drift.columns }),
    valid: problems.length === 0 && violations.length === 0 && inspection.misfits.length === 0,
  };
}

const SHOWN = 10;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** Row numbers, the first ten of them. */
const listed = (rows: readonly number[], count: number): string =>
  rows.slice(0, SHOWN).join(', ') + (count > SHOWN ? ', …' : '');

export function summaryText(summary: Summary): string {
  const { rows, columns, violations, duplicates, quality } = summary;
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
  const width = Math.max(...columns.map(({ name }) => name.length), 0) + 2;
  const near = duplicates.near;
  return [
    `${summary.path}: ${rows} rows, ${columns.length} columns; ${summary.valid ? 'no violations' : 'not valid'}; quality ${quality.score} of 100`,
    ...section(
      summary.schema === undefined ? 'Columns, as inferred' : `Columns, by ${summary.schema}`,
      columns.map(({ name, type, confidence, missing }) =>
        [
          name.padEnd(width),
          type.padEnd(8),
          confidence === undefined ? '' : `confidence ${confidence}  `,
          missing > 0 ? `${missing} missing` : '',
        ]
          .join('')
          .trimEnd(),
      ),
    ),
    ...section('Problems', summary.problems),
    ...section(
      'Violations',
      violations.map(
        ({ column, expected, count, rows: where, examples }) =>
          `${column}: expected ${expected}; ${count} rows: ${listed(where, count)}; looks like ${examples.join(' ')}`,
      ),
    ),
    ...section(
      'Against the model’s schema',
      summary.misfits.map(({ column, problem, count }) => `${column} ${problem} (${count} rows)`),
    ),
    ...section(
      'Personal data',
      summary.pii.map(({ column, type, rows: count, action }) => `${column}: ${type} in ${count} rows: ${action}`),
    ),
    ...section('Duplicates', [
      `${duplicates.exact} rows are equal to an earlier one`,
      ...duplicates.against.map(
        ({ path, rows: same, features }) => `${same} rows are in ${path}, ${features} but for the label`,
      ),
      ...(near ? [`${near.numeric} rows have numbers near to an earlier row’s (threshold ${near.threshold})`] : []),
      ...Object.entries(near?.texts ?? {}).map(
        ([column, count]) => `${count} rows have a ${column} near to an earlier row’s`,
      ),
    ]),
    ...section(
      'Drift',
      (summary.drift ?? []).map(
        ({ column, psi, ks }) =>
          `${column.padEnd(width)}PSI ${psi.toFixed(3)}${ks === undefined ? '' : `  KS ${ks.toFixed(3)}`}`,
      ),
    ),
    ...section(
      'Quality',
      quality.parts.map(
        ({ name, value, weight, because }) =>
          `${name.padEnd(14)}${percent(value).padStart(8)}  weight ${weight}  ${because}`,
      ),
    ),
    ...section('Warnings', summary.warnings),
  ].join('\n');
}
