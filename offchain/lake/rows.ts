/** The rows of files, as SQL. */
import { HokusaiError } from '../errors.ts';
import type { Add } from './actions.ts';
import { type Duck, sqlFile } from './duck.ts';
import { literal, quoted, sqlType } from './schema.ts';
import type { Snapshot } from './snapshot.ts';
import { outside, type Store } from './store.ts';

/** The column that says which file a row is from, by its path in the log. */
export const FILE = '_hokusai_file';

/** A file that was added, or removed, of which writers need not say all. */
type DataFile = Pick<Add, 'path'> & {
  readonly partitionValues?: Add['partitionValues'] | null | undefined;
  readonly size?: number | null | undefined;
};

/** Where a file of the log lies in the store. @throws HokusaiError LAKE_PATH (configuration) where it leaves the table */
export function storedPath(store: Store, path: string): string {
  const decoded = decoding(path);
  const inside = decoded !== undefined && !/^([a-z][a-z0-9+.-]*:|\/)|(^|\/)\.\.(\/|$)|\\/i.test(decoded);
  if (inside) return decoded;
  throw outside(store.location, path);
}

function decoding(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/**
 * A query for the rows of files: the columns of `schema` and {@link FILE}. Columns that a file lacks are NULL.
 *
 * @throws HokusaiError LAKE_FILE_MISSING, LAKE_FILE_TORN (terminal), LAKE_PATH (configuration)
 */
export async function rowsOf(
  store: Store,
  { metaData, schema }: Pick<Snapshot, 'metaData' | 'schema'>,
  files: Iterable<DataFile>,
): Promise<string> {
  const local = new Map<string, DataFile>();
  for (const file of files) local.set(await wholeFile(store, file), file);
  const { partitionColumns } = metaData;
  const inFiles = schema.filter(({ name }) => !partitionColumns.includes(name));
  const nulls = inFiles.map(({ name, type }) => `NULL::${sqlType(type)} AS ${quoted(name)}`);
  // Gives the columns that no file has, and their types to those that are of a narrower one in older files.
  const typed = `SELECT ${[...nulls, `NULL::VARCHAR AS ${FILE}`].join(', ')} WHERE false`;
  const stored = `SELECT ${[...inFiles.map(({ name }) => quoted(name)), FILE].join(', ')}
    FROM (${typed}${local.size > 0 ? ` UNION ALL BY NAME ${readParquet([...local.keys()])}` : ''})`;
  const columns = schema.map(({ name, type }) => `CAST(${quoted(name)} AS ${sqlType(type)}) AS ${quoted(name)}`);
  return `SELECT ${[...columns, `_path AS ${FILE}`].join(', ')}
    FROM (${stored}) JOIN ${logged(local, partitionColumns)} ON ${FILE} = _at`;
}

const readParquet = (files: readonly string[]) =>
  `SELECT * FROM read_parquet([${files.map(sqlFile).join(', ')}],
    union_by_name = true, hive_partitioning = false, filename = '${FILE}')`;

/** What the log says of files, by where they lie: their paths, and the columns by which they are partitioned. */
function logged(files: ReadonlyMap<string, DataFile>, partitionColumns: readonly string[]): string {
  const rows = [...files].map(([at, { path, partitionValues }]) => [
    literal(at),
    literal(path),
    ...partitionColumns.map((name) => partitionLiteral(partitionValues?.[name])),
  ]);
  const none = ['NULL', 'NULL', ...partitionColumns.map(() => 'NULL')];
  const values = (rows.length > 0 ? rows : [none]).map((row) => `(${row.join(', ')})`);
  return `(VALUES ${values.join(', ')}) AS _files(${['_at', '_path', ...partitionColumns.map(quoted)].join(', ')})`;
}

/** Delta writes NULL as an empty text, too. */
const partitionLiteral = (value: string | null | undefined) => (value ? literal(value) : 'NULL');

/** A local copy of a file that has the size that the log says. */
async function wholeFile(store: Store, { path, size }: DataFile): Promise<string> {
  const stored = storedPath(store, path);
  const { file, bytes } = await store.localFile(stored);
  if (bytes === (size ?? bytes)) return file;
  throw new HokusaiError(
    'terminal',
    'LAKE_FILE_TORN',
    `${store.location}: ${stored} has ${bytes} bytes; the log says ${size}.`,
    { details: { location: store.location, path: stored, bytes, expected: size }, next: 'Restore it from a copy.' },
  );
}

/** Runs a query on the rows of a snapshot. */
export const view = async (duck: Duck, name: string, query: string): Promise<void> =>
  duck.run(`CREATE OR REPLACE TEMP VIEW ${name} AS ${query}`);
