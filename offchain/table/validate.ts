import type { Hex } from 'viem';
import { cellText } from './cell.ts';
import { checkTable, columnOf, labelsOf, type TableProblem } from './check-table.ts';
import { dataRootOf } from './data-root.ts';
import { classesOf, type Tally, tally } from './label.ts';
import type { Schema } from './schema.ts';
import type { Table } from './table.ts';

/** What is wrong with a contribution, or what it amounts to. */
export type Validation =
  | { readonly status: 'SCHEMA'; readonly problems: readonly TableProblem[] }
  | { readonly status: 'VALID'; readonly dataRoot: Hex; readonly rows: number; readonly quality: Quality };

/** Counts by which people judge a contribution. */
export type Quality = Readonly<Tally> & {
  /** Cells of the columns that the model learns from. */
  readonly cells: number;
  readonly missingCells: number;
};

/**
 * Checks a contribution against the model's schema and computes its dataRoot; the contributor before committing,
 * and each validator after opening, to compare.
 */
export function validate(table: Table, schema: Schema, contributionSecret: Uint8Array): Validation {
  const problems = checkTable(table, schema);
  if (problems.length > 0) return { status: 'SCHEMA', problems };
  return { status: 'VALID', ...dataRootOf(table, schema, contributionSecret), quality: qualityOf(table, schema) };
}

function qualityOf(table: Table, schema: Schema): Quality {
  const learned = schema.columns.filter(({ type }) => type !== 'ignored').map(({ name }) => columnOf(table, name));
  const missing = learned.map(({ values }) => values.filter((value) => cellText(value) === null).length);
  return {
    cells: learned.length * table.rows,
    missingCells: missing.reduce((sum, count) => sum + count, 0),
    ...tally(labelsOf(table, schema), classesOf(schema.label)),
  };
}
