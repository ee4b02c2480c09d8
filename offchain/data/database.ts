import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBUIntegerVector,
  type DuckDBValue,
  UINTEGER,
} from '@duckdb/node-api';
import { CANONICAL_SQL } from './canonical-sql.ts';
import { removeWorkFolder, workFolder } from './work-folder.ts';

export interface DatabaseOptions {
  /** Processors to use; no result depends on it. More of them finish sooner, and take more time and memory in all. */
  readonly threads?: number | undefined;
  /** What DuckDB may hold in memory; the rest goes to disk. */
  readonly memoryMB?: number | undefined;
}

const MEMORY_MB = 300;
/** DuckDB's writers wait for each other while rows are kept in order, and spin where memory or processors are scarce. */
const THREADS = 1;
/** Rows of a chunk of DuckDB's. */
const CHUNK = 2048;

/** A DuckDB database in a temporary directory, in which tables are staged. */
export class Database {
  /** For spool files; only its owner may read it. Removed by `close`. */
  readonly directory: string;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  #staged = 0;

  private constructor(directory: string, instance: DuckDBInstance, connection: DuckDBConnection) {
    this.directory = directory;
    this.#instance = instance;
    this.#connection = connection;
  }

  static async open({ threads = THREADS, memoryMB = MEMORY_MB }: DatabaseOptions = {}): Promise<Database> {
    const directory = workFolder();
    const instance = await DuckDBInstance.create(join(directory, 'stage.duckdb'), {
      threads: String(threads),
      memory_limit: `${memoryMB}MB`,
      temp_directory: join(directory, 'spill'),
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      preserve_insertion_order: 'true',
    });
    const connection = await instance.connect();
    // Finding the best compression of a table that is read a few times costs more than reading it.
    await connection.run("PRAGMA force_compression = 'uncompressed'");
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run(CANONICAL_SQL);
    return new Database(directory, instance, connection);
  }

  /** A name for a table that nothing has yet. */
  name(prefix: string): string {
    return `${prefix}${this.#staged++}`;
  }

  async run(sql: string): Promise<void> {
    await this.#connection.run(sql);
  }

  /** All rows of a small result, counts as numbers. */
  async rows<Row extends readonly unknown[]>(sql: string): Promise<Row[]> {
    const reader = await this.#connection.runAndReadAll(sql);
    return reader.getRows().map((row) => row.map(plain)) as unknown as Row[];
  }

  /** Writes the one text of each row of a result into a file, as it is and followed by a line's end. */
  async writeLines(sql: string, file: string): Promise<void> {
    // Without a sign for quotes, nothing is put into them.
    const nothing = "HEADER false, DELIM '\x02', QUOTE '', ESCAPE ''";
    await this.run(`COPY (${sql}) TO ${pathLiteral(file)} (FORMAT csv, ${nothing})`);
  }

  /** A large result, some thousand rows at a time. */
  async *stream<Row extends readonly unknown[]>(sql: string): AsyncGenerator<Row[]> {
    const result = await this.#connection.stream(sql);
    let fetched = 0;
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      yield chunk.getRows().map((row) => row.map(plain)) as unknown as Row[];
      if (++fetched % 256 === 0) collect();
    }
  }

  /** A large result of one column of unsigned integers of 32 bits, some thousand rows at a time; good until the next. */
  async *words(sql: string): AsyncGenerator<Uint32Array> {
    const result = await this.#connection.stream(sql);
    const words = new Uint32Array(CHUNK);
    let fetched = 0;
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      const vector = chunk.getColumnVector(0) as DuckDBUIntegerVector;
      for (let row = 0; row < vector.itemCount; row++) words[row] = vector.getItem(row)!;
      yield words.subarray(0, vector.itemCount);
      if (++fetched % 256 === 0) collect();
    }
  }

  /** Appends columns of equal lengths to a table of unsigned integers of 32 bits: a tenth of the time of a CSV file. */
  async append(
    table: string,
    blocks: AsyncIterable<readonly Uint32Array[]> | Iterable<readonly Uint32Array[]>,
  ): Promise<void> {
    // In one transaction, or else each block would be synchronised with the disk.
    await this.run('BEGIN');
    const appender = await this.#connection.createAppender(table);
    for await (const columns of blocks) {
      const { length } = columns[0]!;
      for (let from = 0; from < length; from += CHUNK) {
        const count = Math.min(CHUNK, length - from);
        const chunk = DuckDBDataChunk.create(
          columns.map(() => UINTEGER),
          count,
        );
        for (const [at, words] of columns.entries()) {
          const vector = chunk.getColumnVector(at) as DuckDBUIntegerVector;
          for (let i = 0; i < count; i++) vector.setItem(i, words[from + i]!);
          vector.flush();
        }
        appender.appendDataChunk(chunk);
      }
    }
    appender.closeSync();
    await this.run('COMMIT');
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
    removeWorkFolder(this.directory);
  }
}

const plain = (value: DuckDBValue): unknown => (typeof value === 'bigint' ? Number(value) : value);

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Frees what DuckDB's chunks hold, of which V8 sees nothing, every few hundred of them. */
export const collect = (): void => gc();

/** A text as an SQL literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A path as an SQL literal in which DuckDB sees no wildcards. */
export const pathLiteral = (path: string): string => literal(path.replace(/[[\]*?]/g, (special) => `[${special}]`));

/** A name as an SQL identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
