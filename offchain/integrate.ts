import { type RowDigest, rowDigests } from './data-root.ts';
import type { Schema } from './schema.ts';
import { selectRows, type Table } from './table.ts';

/** What of a contribution is new to the head's training set, and whether any of it is in the benchmark. */
export type Integration = {
  /** Numbers of the contribution's rows that are neither in the head's training set nor earlier in the contribution. */
  readonly fresh: readonly number[];
  /** Rows left out: known to the head, or twice in the contribution. No offence. */
  readonly duplicates: number;
  /** Rows whose features, whatever their label, are in the benchmark: an offence. */
  readonly overlap: number;
};

/** Merges a contribution into the head's training set. All three tables have passed `checkTable`. */
export function integrate(contribution: Table, trainingSet: Table, benchmark: Table, schema: Schema): Integration {
  const known = new Set(rowDigests(trainingSet, schema, 'row'));
  const fresh: number[] = [];
  for (const [row, digest] of rowDigests(contribution, schema, 'row').entries()) {
    if (!known.has(digest)) fresh.push(row);
    known.add(digest);
  }
  const sealed = new Set(rowDigests(benchmark, schema, 'features'));
  const overlap = rowDigests(contribution, schema, 'features').filter((digest) => sealed.has(digest)).length;
  return { fresh, duplicates: contribution.rows - fresh.length, overlap };
}

/** The distinct rows of a table in the order of their digests, in which every validator learns and predicts. */
export function byDigest(table: Table, schema: Schema): Table {
  const rows = new Map<RowDigest, number>();
  for (const [row, digest] of rowDigests(table, schema, 'row').entries()) if (!rows.has(digest)) rows.set(digest, row);
  return selectRows(
    table,
    [...rows.keys()].sort().map((digest) => rows.get(digest)!),
  );
}

/** Both tables' rows, with the columns of the first. */
export function append(first: Table, second: Table): Table {
  const columns = first.columns.map(({ name, values }) => {
    const more = second.columns.find((column) => column.name === name)?.values;
    return { name, values: [...values, ...(more ?? new Array<null>(second.rows).fill(null))] };
  });
  const lines = new Uint32Array(first.rows + second.rows);
  lines.set(first.lines);
  lines.set(second.lines, first.rows);
  return { file: first.file, rows: first.rows + second.rows, columns, lines };
}
