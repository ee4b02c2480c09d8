/** The rows of files, as SQL. */
import { HokusaiError } from '../errors.ts';
import type { Add } from './actions.ts';
import { type Duck, sqlFile } from './duck.ts';
import { literal, quoted, sqlType } from './schema.ts';
import type { Snapshot } from './snapshot.ts';
import type { Store } from './store.ts';

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
  throw new HokusaiError('configuration', 'LAKE_PATH', `${store.location} names a file outside of its folder.`, {
    details: { location: store.location, path },
    next: 'Copy the table with its files: clones that point to others are not read.',
  });
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
  const partitioned = new Set(metaData.partitionColumns);
  const plain = schema.filter(({ name }) => !partitioned.has(name));
  const nulls = [
    ...plain.map(({ name, type }) => `NULL::${sqlType(type)} AS ${quoted(name)}`),
    `NULL::VARCHAR AS ${FILE}`,
  ];
  const typed = `SELECT ${nulls.join(', ')} WHERE false`;
  const names = [...plain.map(({ name }) => quoted(name)), FILE];
  const from =
    local.size === 0
      ? typed
      : `${typed} UNION ALL BY NAME SELECT * FROM read_parquet([${[...local.keys()].map(sqlFile).join(', ')}],
          union_by_name = true, hive_partitioning = false, filename = '${FILE}')`;
  const columns = schema.map(({ name, type }) => `CAST(${quoted(name)} AS ${sqlType(type)}) AS ${quoted(name)}`);
  const lookUp = [...local].map(([at, { path, partitionValues }]) => {
    const values = metaData.partitionColumns.map((name) => partitionLiteral(partitionValues?.[name]));
    return `(${[literal(at), literal(path), ...values].join(', ')})`;
  });
  const described = ['_at', '_path', ...metaData.partitionColumns.map(quoted)].join(', ');
  const values =
    lookUp.length > 0
      ? `VALUES ${lookUp.join(', ')}`
      : `SELECT ${Array(2 + partitioned.size)
          .fill("''")
          .join(', ')}`;
  return `SELECT ${[...columns, `_path AS ${FILE}`].join(', ')} FROM (SELECT ${names.join(', ')} FROM (${from}))
    JOIN (${values}) AS _files(${described}) ON ${FILE} = _at`;
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
