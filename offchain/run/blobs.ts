// The bytes that outputs of a run's steps name, in `blobs/` of its folder, each file named after its SHA-256.
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../canonical.ts';
import { HokusaiError } from '../errors.ts';
import { storageError } from './journal.ts';

/**
 * Makes the folder where it is missing, and removes what writers that were killed have left in it.
 *
 * @param writer told apart from any other process that writes to the folder
 */
export async function openBlobs(folder: string, writer: string): Promise<Blobs> {
  const blobs = join(folder, 'blobs');
  await mkdir(blobs, { recursive: true });
  for (const name of await readdir(blobs)) if (name.endsWith('.tmp')) await rm(join(blobs, name), { force: true });
  await syncFolder(folder);
  return new Blobs(folder, writer);
}

export class Blobs {
  readonly #folder: string;
  readonly #writer: string;
  #temporary = 0;

  /** Use {@link openBlobs}. */
  constructor(folder: string, writer: string) {
    this.#folder = folder;
    this.#writer = writer;
  }

  /** Stores bytes, on the disk when this returns. @returns their SHA-256 in hexadecimal digits */
  async put(bytes: Uint8Array): Promise<string> {
    const hash = sha256(bytes);
    const path = blobFile(this.#folder, hash);
    // The counter keeps writers of the same bytes apart in this process.
    const temporary = `${path}.${this.#writer}-${this.#temporary++}.tmp`;
    try {
      const file = await open(temporary, 'wx');
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
      await syncFolder(join(this.#folder, 'blobs'));
    } catch (error) {
      await rm(temporary, { force: true });
      throw storageError(error, path);
    }
    return hash;
  }
}

function blobFile(folder: string, hash: string): string {
  if (!/^[0-9a-f]{64}$/.test(hash)) throw new RangeError(`${hash} is not the SHA-256 of a blob`);
  return join(folder, 'blobs', hash);
}

/**
 * Bytes that an executor of a run's folder has stored.
 *
 * @throws HokusaiError BLOB_CORRUPT where the file is missing or its bytes are not those of the hash
 */
export async function readBlob(folder: string, hash: string): Promise<Uint8Array> {
  const path = blobFile(folder, hash);
  let bytes: Buffer | undefined;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw storageError(error, path);
  }
  if (bytes && sha256(bytes) === hash) return bytes;
  throw new HokusaiError(
    'terminal',
    'BLOB_CORRUPT',
    `${path} ${bytes ? 'does not have the bytes that it is named after' : 'is missing'}`,
    {
      details: { path, bytes: bytes?.length },
      next: `Restore the file from a copy, or move ${folder} away and run the same command again, which then starts over.`,
    },
  );
}

/** Makes names that were added to a folder survive a power cut. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
