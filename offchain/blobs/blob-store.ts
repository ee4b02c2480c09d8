/** Blobs, named by their SHA-256: whoever knows the name knows that what they get is what was put. */
import { createHash, randomUUID } from 'node:crypto';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hex } from 'viem';
import { HokusaiError } from '../errors.ts';
import { openStore } from '../lake/open-store.ts';
import { WORK } from '../lake/store.ts';
import { storageError } from '../run/journal.ts';
import { makeFolder } from '../write-whole.ts';
import { streamOf, writeNew } from './seal-file.ts';

const nameOf = (hash: Hex) => hash.slice(2);

/**
 * Puts a file into a store.
 *
 * @param location a folder, or what {@link openStore} takes
 * @returns its SHA-256, by which it is fetched
 */
export async function putBlob(location: string, file: string): Promise<Hex> {
  const store = openStore(location);
  const copy = join(store.scratch, `${WORK}${randomUUID()}`);
  try {
    await makeFolder(store.scratch);
    await copyFile(file, copy);
    // Of the copy, which nobody changes between the reading and the putting.
    const hash = createHash('sha256');
    for await (const piece of streamOf(copy)) hash.update(piece);
    const name: Hex = `0x${hash.digest('hex')}`;
    await store.putFile(nameOf(name), copy);
    return name;
  } catch (error) {
    throw storageError(error, location);
  } finally {
    await rm(copy, { force: true });
  }
}

/**
 * Fetches a blob.
 *
 * @param location a folder, the URL of one on the web, or what {@link openStore} takes
 * @param out      the file to write; nothing is there before all of it is found to be the blob
 * @throws HokusaiError BLOB_OTHER, BLOB_MISSING (terminal), BLOB_UNREACHABLE (retryable), FILE_EXISTS (configuration)
 */
export async function fetchBlob(location: string, hash: Hex, out: string): Promise<void> {
  async function* checked() {
    const digest = createHash('sha256');
    for await (const piece of await pieces(location, hash)) {
      digest.update(piece);
      yield piece;
    }
    if (digest.digest('hex') === nameOf(hash)) return;
    throw new HokusaiError('terminal', 'BLOB_OTHER', `${location} gave something else than ${hash}.`, {
      details: { location, hash },
      next: 'Fetch it from elsewhere.',
    });
  }
  await writeNew(out, checked());
}

async function pieces(location: string, hash: Hex): Promise<AsyncIterable<Uint8Array>> {
  if (/^https?:/i.test(location)) return download(`${location.replace(/\/$/, '')}/${nameOf(hash)}`);
  const { file } = await openStore(location)
    .localFile(nameOf(hash))
    .catch((error) => {
      throw error.code === 'LAKE_FILE_MISSING' ? missing(location, hash) : error;
    });
  return streamOf(file);
}

async function* download(url: string): AsyncGenerator<Uint8Array, void> {
  try {
    const response = await fetch(url);
    if (response.status === 404 || response.status === 410) throw missing(url, 'it');
    if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
    yield* response.body;
  } catch (cause) {
    if (cause instanceof HokusaiError) throw cause;
    throw new HokusaiError('retryable', 'BLOB_UNREACHABLE', `${url} cannot be fetched.`, {
      details: { url },
      cause,
      next: 'Try again later.',
    });
  }
}

const missing = (location: string, what: string) =>
  new HokusaiError('terminal', 'BLOB_MISSING', `${location} does not have ${what}.`, {
    details: { location },
    next: 'Fetch it from elsewhere, or ask who sealed it.',
  });
