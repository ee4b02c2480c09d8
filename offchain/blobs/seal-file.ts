/**
 * Files sealed for others: the ciphertext, which never changes, and beside it the key that opens it, encrypted by age to
 * whoever may. Who may changes by replacing the small file.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import type { Hex } from 'viem';
import { HokusaiError } from '../errors.ts';
import { storageError } from '../run/journal.ts';
import { decryptWith, encryptTo, type Identity } from '../validator/recipient.ts';
import { writeWhole } from '../write-whole.ts';
import { sealing, unsealing } from './sealed-stream.ts';

/** Where the key of a sealed file is, unless it is said. */
export const keyFileOf = (sealed: string): string => `${sealed}.key`;

/**
 * Seals a file, of any size, to recipients of age.
 *
 * @param out the ciphertext; its key is beside it
 * @returns the SHA-256 and the length of the ciphertext
 * @throws HokusaiError FILE_UNREADABLE, FILE_EXISTS (configuration), RECIPIENT_MALFORMED (terminal)
 */
export async function sealFile(
  file: string,
  recipients: readonly string[],
  out: string,
): Promise<{ hash: Hex; bytes: number }> {
  const dataKey = randomBytes(32);
  const hash = createHash('sha256');
  let bytes = 0;
  async function* counted() {
    for await (const piece of sealing(dataKey, streamOf(file))) {
      hash.update(piece);
      bytes += piece.length;
      yield piece;
    }
  }
  // The key is there first: what nobody can open is never there.
  await writeNew(keyFileOf(out), await encryptTo(recipients, dataKey));
  try {
    await writeNew(out, counted());
  } catch (error) {
    await rm(keyFileOf(out));
    throw error;
  }
  return { hash: `0x${hash.digest('hex')}`, bytes };
}

/**
 * Opens a sealed file. Nothing is there before all of it is found to be what was sealed.
 *
 * @param key what {@link sealFile} put beside the ciphertext
 * @throws HokusaiError FILE_UNREADABLE, FILE_EXISTS (configuration), SEAL_BROKEN, RECIPIENT_OTHER, ENCRYPTION_BROKEN
 *   (terminal)
 */
export async function openFile(sealed: string, key: string, identity: Identity, out: string): Promise<void> {
  const dataKey = await decryptWith(identity, await readGiven(key));
  await writeNew(out, unsealing(dataKey, streamOf(sealed)), 0o600);
}

/**
 * Lets others open a sealed file from now on. Whoever could before may have kept its key: what they must not read is to
 * be sealed anew.
 *
 * @throws HokusaiError FILE_UNREADABLE (configuration), RECIPIENT_MALFORMED, RECIPIENT_OTHER, ENCRYPTION_BROKEN (terminal)
 */
export async function rewrapKey(key: string, identity: Identity, recipients: readonly string[]): Promise<void> {
  const dataKey = await decryptWith(identity, await readGiven(key));
  await writeWhole(key, await encryptTo(recipients, dataKey)).catch((error) => {
    throw storageError(error, key);
  });
}

/** Writes a file where there is none. @throws HokusaiError FILE_EXISTS (configuration) */
export async function writeNew(
  out: string,
  content: Uint8Array | AsyncIterable<Uint8Array>,
  mode?: number,
): Promise<void> {
  await writeWhole(out, content, { replace: false, ...(mode !== undefined && { mode }) }).catch((error) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw storageError(error, out);
    throw new HokusaiError('configuration', 'FILE_EXISTS', `${out} is there already.`, {
      details: { file: out },
      next: 'Name another file, or move this one away yourself.',
    });
  });
}

/** The bytes of a file, a piece at a time. */
export async function* streamOf(file: string): AsyncGenerator<Uint8Array, void> {
  try {
    yield* createReadStream(file, { highWaterMark: 1 << 20 });
  } catch (error) {
    throw unreadable(file, error);
  }
}

const readGiven = (file: string): Promise<Uint8Array> =>
  readFile(file).catch((error) => {
    throw unreadable(file, error);
  });

function unreadable(file: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (!syscall) return error;
  return new HokusaiError('configuration', 'FILE_UNREADABLE', `${file} cannot be read: ${code}.`, {
    details: { file, reason: code },
    next: 'Name a file that you may read.',
  });
}
