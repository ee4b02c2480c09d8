import type { Author } from './actions.ts';
import { openStore } from './open-store.ts';
import { append } from './write.ts';

/**
 * Adds the rows of a local Parquet file to a table, and makes the table where there is none. The file stays.
 *
 * @returns the version in which they are, on disk
 * @throws HokusaiError, see {@link append}
 */
export async function appendParquet(location: string, file: string, author: Author = {}): Promise<{ version: number }> {
  const { version } = await append(openStore(location), file, author);
  return { version };
}
