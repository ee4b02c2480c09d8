/** DuckDB for a moment: Parquet in, Parquet out, and what it leaves behind is removed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBType, type Json } from '@duckdb/node-api';
import { HokusaiError } from '../errors.ts';
import { storageError } from '../run/journal.ts';
import { makeFolder } from '../write-whole.ts';
import { literal } from './schema.ts';
import { WORK } from './store.ts';

/** More is spilled to the work folder. */
const MEMORY = '512MB';

export class Duck {
  /** A folder for files, removed at the end. */
  readonly folder: string;
  readonly #connection: DuckDBConnection;

  constructor(folder: string, connection: DuckDBConnection) {
    this.folder = folder;
    this.#connection = connection;
  }

  async run(sql: string): Promise<void> {
    await this.#telling(() => this.#connection.run(sql));
  }

  /** The rows with their columns in order; large integers, dates and decimals as text. */
  async rows(sql: string): Promise<Json[][]> {
    return this.#telling(async () => (await this.#connection.runAndReadAll(sql)).getRowsJson());
  }

  /** The columns of a query, by name, in order. */
  async columns(sql: string): Promise<Map<string, DuckDBType>> {
    return this.#telling(async () => {
      const result = await this.#connection.run(`SELECT * FROM (${sql}) LIMIT 0`);
      const types = result.columnTypes();
      return new Map(result.columnNames().map((name, at) => [name, types[at]!]));
    });
  }

  async #telling<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw this.#error(String(error));
    }
  }

  /** DuckDB's messages quote values, which may be personal: only what kind of error it is is passed on. */
  #error(message: string): HokusaiError {
    if (/no space left|file too large|disk quota|max_temp_directory_size|failed to offload/i.test(message)) {
      return storageError({ code: 'ENOSPC' }, this.folder);
    }
    if (/out of memory/i.test(message)) {
      return new HokusaiError('retryable', 'LAKE_MEMORY', `DuckDB needs more than ${MEMORY}.`, {
        next: 'Write fewer rows at a time.',
      });
    }
    const [kind] = /\b[A-Z][A-Za-z ]* Error\b/.exec(message) ?? ['error'];
    return new HokusaiError('terminal', 'LAKE_UNREADABLE', `A file could not be read or written (DuckDB: ${kind}).`, {
      details: { kind },
      next: 'Check that the Parquet files are whole, and that none was changed since it was written.',
    });
  }
}

/**
 * Opens DuckDB, and closes it when `use` has ended.
 *
 * @param parent where the work folder is made
 */
export async function withDuck<T>(parent: string, use: (duck: Duck) => Promise<T>): Promise<T> {
  const folder = await makeWorkFolder(parent);
  try {
    const instance = await DuckDBInstance.create(':memory:', {
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      memory_limit: MEMORY,
      temp_directory: join(folder, 'spilled'),
    });
    const connection = await instance.connect();
    try {
      await connection.run("SET TimeZone = 'UTC'");
      return await use(new Duck(folder, connection));
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeWorkFolder(parent: string): Promise<string> {
  try {
    await makeFolder(parent);
    return await mkdtemp(join(parent, WORK));
  } catch (error) {
    throw storageError(error, parent);
  }
}

/** A local file to read as SQL, in which DuckDB sees no wildcards and no URL; files to write are literals to it. */
export const sqlFile = (file: string): string =>
  literal(resolve(file).replace(/[[\]*?]/g, (special) => `[${special}]`));
