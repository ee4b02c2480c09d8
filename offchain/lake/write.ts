/** What can be done to a table. Each is one commit, with its changes in the change feed. */
import { randomUUID } from 'node:crypto';
import { HokusaiError } from '../errors.ts';
import type { Action, Add, Author, MetaData } from './actions.ts';
import { type Committed, commit, type Plan } from './commit.ts';
import { asTable, given, isAmong, type NewFile, takeFile, type Writer, writeChanges, writeRows } from './data-file.ts';
import { withDuck } from './duck.ts';
import { CHANGE_FEED, COMMIT_TIMES, isOn, protocolOf } from './protocol.ts';
import { FILE, rowsOf, view } from './rows.ts';
import { type Field, literal, quoted, requireColumns, schemaOf, schemaString, sqlType } from './schema.ts';
import { requireLog, type Snapshot } from './snapshot.ts';
import type { Store } from './store.ts';

export type Value = string | number | bigint | boolean | null;

/** Rows in which each of these columns holds one of its values. */
export type Where = Readonly<Record<string, readonly Value[]>>;

/**
 * Adds the rows of a Parquet file, and makes the table where there is none.
 *
 * @throws HokusaiError LAKE_COLUMNS, LAKE_NULLS (configuration), and those of {@link commit}
 */
export function append(store: Store, file: string, author: Author = {}): Promise<Committed> {
  return writing(store, author, async (writer) => {
    const columns = await writer.duck.columns(given(file));
    let taken: NewFile | undefined;
    return async (base) => {
      const schema = base ? base.schema : schemaOf(columns);
      requireColumns(store.location, schema, columns);
      // Another's append does not touch what was written for ours.
      taken ??= await takeFile(writer, schema, file);
      if (!taken && base) return undefined;
      return {
        operation: base ? 'WRITE' : 'CREATE TABLE AS SELECT',
        parameters: { mode: 'Append' },
        metrics: { numFiles: taken ? 1 : 0, numOutputRows: taken?.rows ?? 0 },
        actions: [...(base ? [] : created(schema)), ...(taken ? [{ add: taken.add }] : [])],
      };
    };
  });
}

/** Puts the rows of a Parquet file in the place of all rows. */
export function overwrite(store: Store, file: string, author: Author = {}): Promise<Committed> {
  return writing(store, author, async (writer) => {
    const columns = await writer.duck.columns(given(file));
    return async (base) => {
      const schema = base ? base.schema : schemaOf(columns);
      requireColumns(store.location, schema, columns);
      const taken = await takeFile(writer, schema, file);
      return {
        operation: 'WRITE',
        parameters: { mode: 'Overwrite' },
        metrics: { numFiles: taken ? 1 : 0, numOutputRows: taken?.rows ?? 0, numRemovedFiles: base?.files.size ?? 0 },
        actions: [
          ...(base ? removals([...base.files.values()]) : created(schema)),
          ...(taken ? [{ add: taken.add }] : []),
        ],
      };
    };
  });
}

/**
 * Puts the rows of a Parquet file in the place of those rows that have the same key, and adds those whose key is new. A
 * key with an empty column is like no other.
 *
 * @param keys columns that together tell rows apart
 * @throws HokusaiError LAKE_KEY (configuration) where two rows of the file have the same key, or there is no such column
 */
export function merge(store: Store, file: string, keys: readonly string[], author: Author = {}): Promise<Committed> {
  return writing(store, author, async (writer) => {
    const columns = await writer.duck.columns(given(file));
    return async (base) => {
      const schema = base ? base.schema : schemaOf(columns);
      requireColumns(store.location, schema, columns);
      await requireKeys(writer, schema, file, keys);
      await view(writer.duck, 'source', asTable(schema, given(file)));
      const using = `USING (${keys.map(quoted).join(', ')})`;
      const touched = await touch(writer, base, `SEMI JOIN source ${using}`);
      return rewriting(writer, base, schema, touched, {
        operation: 'MERGE',
        parameters: { predicate: keys.join(', ') },
        rows: `SELECT * FROM touched ANTI JOIN source ${using} UNION ALL SELECT * FROM source`,
        changes: `SELECT *, 'update_preimage' AS _change_type FROM touched SEMI JOIN source ${using}
          UNION ALL SELECT *, 'update_postimage' FROM source SEMI JOIN touched ${using}
          UNION ALL SELECT *, 'insert' FROM source ANTI JOIN touched ${using}`,
      });
    };
  });
}

/**
 * Takes rows away.
 *
 * @throws HokusaiError LAKE_NO_TABLE, LAKE_WHERE (configuration) where there is no such column, or it cannot hold such a value
 */
export async function remove(store: Store, where: Where, author: Author = {}): Promise<Committed> {
  await requireLog(store);
  return writing(store, author, async (writer) => async (base) => {
    const { schema } = base!;
    const matches = await conditionOf(writer, schema, where);
    const touched = await touch(writer, base, `WHERE ${matches}`);
    if (touched.length === 0) return undefined;
    return rewriting(writer, base, schema, touched, {
      operation: 'DELETE',
      // The columns alone: values may be personal, and the log is kept.
      parameters: { predicate: Object.keys(where).join(', ') },
      rows: `SELECT * FROM touched WHERE NOT (${matches})`,
      changes: `SELECT *, 'delete' AS _change_type FROM touched WHERE ${matches}`,
    });
  });
}

/** Opens DuckDB for the plans of one commit. */
function writing(
  store: Store,
  author: Author,
  prepare: (writer: Writer) => Promise<(base: Snapshot | undefined) => Promise<Plan | undefined>>,
): Promise<Committed> {
  return withDuck(store.scratch, async (duck) => {
    const written = new Set<string>();
    return commit(store, author, await prepare({ duck, store, written }), written);
  });
}

/** The files with rows that a clause finds, whose rows are then to be had as `touched`. */
async function touch({ duck, store }: Writer, base: Snapshot | undefined, clause: string): Promise<Add[]> {
  if (!base) {
    await view(duck, 'touched', 'SELECT * FROM source WHERE false');
    return [];
  }
  await view(duck, 'target', await rowsOf(store, base, base.files.values()));
  const found = await duck.rows(`SELECT DISTINCT ${FILE} FROM target ${clause}`);
  const touched = found.map(([path]) => base.files.get(path as string)!);
  await view(duck, 'touched', `SELECT * EXCLUDE (${FILE}) FROM (${await rowsOf(store, base, touched)})`);
  return touched;
}

/** Puts new rows in the place of the touched files, and tells the change feed what has changed. */
async function rewriting(
  writer: Writer,
  base: Snapshot | undefined,
  schema: readonly Field[],
  touched: readonly Add[],
  { operation, parameters, rows, changes }: Pick<Plan, 'operation' | 'parameters'> & { rows: string; changes: string },
): Promise<Plan> {
  const added = await writeRows(writer, schema, rows);
  const { cdc, counts } = await writeChanges(writer, changes);
  const feed = cdc && (!base || isOn(base.metaData, CHANGE_FEED)) ? [{ cdc }] : [];
  return {
    operation,
    ...(parameters && { parameters }),
    metrics: {
      numAddedFiles: added ? 1 : 0,
      numRemovedFiles: touched.length,
      numInsertedRows: counts.get('insert') ?? 0,
      numUpdatedRows: counts.get('update_postimage') ?? 0,
      numDeletedRows: counts.get('delete') ?? 0,
    },
    actions: [...(base ? [] : created(schema)), ...removals(touched), ...(added ? [{ add: added.add }] : []), ...feed],
  };
}

/** The actions that make a table. */
function created(schema: readonly Field[]): Action[] {
  const metaData: MetaData = {
    id: randomUUID(),
    format: { provider: 'parquet', options: {} },
    schemaString: schemaString(schema),
    partitionColumns: [],
    configuration: { [CHANGE_FEED]: 'true', [COMMIT_TIMES]: 'true' },
    createdTime: Date.now(),
  };
  return [{ protocol: protocolOf(schema) }, { metaData }];
}

/** The actions that take files out of a table; the change feed wants them with their size. */
export function removals(files: readonly Add[]): Action[] {
  const deletionTimestamp = Date.now();
  return files.map(({ path, partitionValues, size }) => ({
    remove: { path, deletionTimestamp, dataChange: true, extendedFileMetadata: true, partitionValues, size },
  }));
}

async function requireKeys(
  { duck, store }: Writer,
  schema: readonly Field[],
  file: string,
  keys: readonly string[],
): Promise<void> {
  const unknown = keys.filter((key) => !schema.some(({ name }) => name === key));
  if (keys.length === 0 || unknown.length > 0) {
    throw keyError(store, `expected columns of the table as the key, not ${unknown.join(', ') || 'none'}`);
  }
  const names = keys.map(quoted);
  const all = names.map((name) => `${name} IS NOT NULL`).join(' AND ');
  const [[twice]] = (await duck.rows(
    `SELECT count(*)::INTEGER FROM (SELECT 1 FROM (${given(file)}) WHERE ${all} GROUP BY ${names} HAVING count(*) > 1)`,
  )) as [[number]];
  if (twice > 0) throw keyError(store, `${twice} keys (${keys.join(', ')}) are on more than one row of the file`);
}

const keyError = (store: Store, problem: string) =>
  new HokusaiError('configuration', 'LAKE_KEY', `${store.location}: ${problem}.`, {
    details: { location: store.location },
    next: 'Name columns whose values tell rows apart, and leave one row for each.',
  });

async function conditionOf({ duck }: Writer, schema: readonly Field[], where: Where): Promise<string> {
  const parts: string[] = [];
  for (const [column, values] of Object.entries(where)) {
    const field = schema.find(({ name }) => name === column);
    const type = field && typeof field.type === 'string' && values.length > 0 ? sqlType(field.type) : undefined;
    if (!field || !type) throw whereError(`${column}: expected a column of the table, with values`);
    const casts = values
      .filter((value) => value !== null)
      .map((value) => `TRY_CAST(${literal(String(value))} AS ${type})`);
    const [[misfits]] = (await duck.rows(
      `SELECT count(*)::INTEGER FROM (SELECT unnest([${[...casts, `NULL::${type}`].join(', ')}]) AS v) WHERE v IS NULL`,
    )) as [[number]];
    if (misfits > 1) throw whereError(`${column}: ${misfits - 1} values are no ${type}`);
    parts.push(isAmong(field, values));
  }
  if (parts.length > 0) return parts.join(' AND ');
  throw whereError('Expected at least one column by which rows are found');
}

const whereError = (problem: string) =>
  new HokusaiError('configuration', 'LAKE_WHERE', `${problem}.`, {
    next: 'See hokusai data show for the columns; overwrite a table to take all its rows away.',
  });
