// The bytes that outputs of a run's steps name, in `blobs/` of its folder, each file named after its SHA-256.
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../canonical.ts';
import { HokusaiError } from '../errors.ts';
import { makeFolder, writeWhole } from '../write-whole.ts';
import { storageError } from './journal.ts';

/** Makes the folder of a run's blobs where it is missing, and removes what writers that were killed have left in it. */
export async function openBlobs(folder: string): Promise<void> {
  const blobs = join(folder, 'blobs');
  await makeFolder(blobs);
  for (const name of await readdir(blobs)) if (name.endsWith('.tmp')) await rm(join(blobs, name), { force: true });
}

/** Stores bytes, on the disk when this returns. @returns their SHA-256 in hexadecimal digits */
export async function writeBlob(folder: string, bytes: Uint8Array): Promise<string> {
  const hash = sha256(bytes);
  const path = blobFile(folder, hash);
  await writeWhole(path, bytes).catch((error) => {
    throw storageError(error, path);
  });
  return hash;
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
