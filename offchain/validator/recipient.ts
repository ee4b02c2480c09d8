import { readFile } from 'node:fs/promises';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { HokusaiError } from '../errors.ts';
import { writeWhole } from '../write-whole.ts';

/** What age decrypts with, `AGE-SECRET-KEY-1…`: a secret. */
export type Identity = string & { readonly identity: unique symbol };

const IDENTITY = /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/;
/** An X25519 recipient. age has longer kinds, which do not fit on-chain. */
const RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/;

/**
 * Makes an age identity and writes it as `age-keygen` does, readable by its owner alone. A file that is there is left as
 * it is.
 *
 * @returns its recipient, for `ValidatorRegistry.register`
 * @throws HokusaiError `IDENTITY_EXISTS` (configuration)
 */
export async function createIdentity(file: string): Promise<string> {
  const identity = (await generateX25519Identity()) as Identity;
  const recipient = await recipientOf(identity);
  const text = `# public key: ${recipient}\n${identity}\n`;
  await writeWhole(file, text, { mode: 0o600, replace: false }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new HokusaiError('configuration', 'IDENTITY_EXISTS', `${file} is there already, and may hold an identity.`, {
      details: { file },
      next: 'Name another file, or move this one away yourself.',
    });
  });
  return recipient;
}

/**
 * The identity in a file of `createIdentity` or `age-keygen`: its one line that is no comment.
 *
 * @throws HokusaiError (configuration) `IDENTITY_MISSING`, `IDENTITY_MALFORMED`. Neither holds anything of the file.
 */
export async function readIdentity(file: string): Promise<Identity> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new HokusaiError('configuration', 'IDENTITY_MISSING', `${file} cannot be read: ${error.code}.`, {
      details: { file, reason: error.code },
      next: 'Name the file that the identity is in.',
    });
  });
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const identity = lines.join('\n').trim() as Identity;
  const recipient = IDENTITY.test(identity) && (await identityToRecipient(identity).catch(() => undefined));
  if (recipient) return identity;
  throw new HokusaiError('configuration', 'IDENTITY_MALFORMED', `${file} does not hold one age identity.`, {
    details: { file },
    next: 'Restore it from a copy: without it, what was encrypted to it is lost.',
  });
}

/** Where others encrypt to, `age1…`. */
export const recipientOf = (identity: Identity): Promise<string> => identityToRecipient(identity);

/**
 * Whether anything can be encrypted to a recipient. What is registered on-chain is whatever its validator wrote: leave
 * out whom this says no to, lest one of a committee keep the key from all.
 */
export async function isRecipient(recipient: string): Promise<boolean> {
  if (!RECIPIENT.test(recipient)) return false;
  try {
    await encrypt([recipient], new Uint8Array());
    return true;
  } catch {
    // A wrong checksum, or a point of low order.
    return false;
  }
}

/**
 * Encrypts to all of the recipients: each of them alone can decrypt it. An age file, which `age -d` opens too. Its length
 * tells how many they are, and nothing tells who encrypted it.
 *
 * @throws HokusaiError `RECIPIENT_MALFORMED` (terminal) with all of those that are no recipients; or there are none.
 */
export async function encryptTo(recipients: readonly string[], bytes: Uint8Array): Promise<Uint8Array> {
  const usable = await Promise.all(recipients.map(isRecipient));
  const malformed = recipients.filter((_, i) => !usable[i]);
  if (recipients.length > 0 && malformed.length === 0) return encrypt(recipients, bytes);
  const message =
    malformed.length > 0 ? `No age recipient: ${malformed.join(', ')}.` : 'There is nobody to encrypt to.';
  throw new HokusaiError('terminal', 'RECIPIENT_MALFORMED', message, {
    details: { malformed },
    next: 'Leave these out, and tell their validators to register the recipient of their identity.',
  });
}

/**
 * Decrypts what was encrypted to an identity's recipient, among others.
 *
 * @throws HokusaiError (terminal) `RECIPIENT_OTHER` when it was encrypted to others alone, `ENCRYPTION_BROKEN` when a
 *   byte is missing, changed or too many.
 */
export async function decryptWith(identity: Identity, bytes: Uint8Array): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(bytes);
  } catch (cause) {
    if (cause instanceof Error && cause.message === "no identity matched any of the file's recipients") {
      throw new HokusaiError('terminal', 'RECIPIENT_OTHER', 'It is encrypted to others.', {
        details: { recipient: await recipientOf(identity) },
        next: 'Use the identity whose recipient was registered when the committee was drawn.',
      });
    }
    throw new HokusaiError('terminal', 'ENCRYPTION_BROKEN', 'It is no age file, or not as it was encrypted.', {
      details: { bytes: bytes.length },
      next: 'Fetch it again.',
    });
  }
}

function encrypt(recipients: readonly string[], bytes: Uint8Array): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return encrypter.encrypt(bytes);
}
