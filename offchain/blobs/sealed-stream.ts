/**
 * Authenticated encryption of streams in chunks: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, "Online
 * Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015) with AES-256-GCM. What comes out of
 * {@link unsealing} is what went into {@link sealing}, from its beginning, in its order; that it ends where it ended is
 * known once the stream ends without an error, and not before.
 *
 * A sealed stream is `hokusai1`, 32 bytes of salt, and chunks of 64 KiB of plaintext each with a tag of 16 bytes; the last
 * one may be shorter, and is empty only where the whole stream is.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { HokusaiError } from '../errors.ts';

const MAGIC = Buffer.from('hokusai1');
const SALT_BYTES = 32;
const HEADER_BYTES = MAGIC.length + SALT_BYTES;
const CHUNK_BYTES = 65536;
const TAG_BYTES = 16;

type Source = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * Seals a stream.
 *
 * @param key 32 bytes; it may seal many streams, since each has a key of its own, derived from it and the salt
 */
export async function* sealing(key: Uint8Array, source: Source): AsyncGenerator<Uint8Array, void> {
  const salt = randomBytes(SALT_BYTES);
  const streamKey = derive(key, salt);
  yield Buffer.concat([MAGIC, salt]);
  let at = 0;
  for await (const { bytes, isLast } of chunksOf(source, CHUNK_BYTES)) {
    const cipher = createCipheriv('aes-256-gcm', streamKey, nonce(at++, isLast));
    yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }
}

/**
 * Opens what {@link sealing} made.
 *
 * @throws HokusaiError SEAL_BROKEN (terminal) when the key is another, or a byte was changed, moved, added or taken away
 */
export async function* unsealing(key: Uint8Array, source: Source): AsyncGenerator<Uint8Array, void> {
  let streamKey: Uint8Array | undefined;
  let at = 0;
  for await (const { bytes, isLast } of chunksOf(source, CHUNK_BYTES + TAG_BYTES, HEADER_BYTES)) {
    if (!streamKey) {
      if (isLast || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw broken();
      streamKey = derive(key, bytes.subarray(MAGIC.length));
      continue;
    }
    // Only an empty stream ends with an empty chunk: one plaintext is sealed in one way.
    if (bytes.length < TAG_BYTES + (at > 0 ? 1 : 0)) throw broken();
    yield decrypted(streamKey, nonce(at++, isLast), bytes);
  }
}

function decrypted(key: Uint8Array, iv: Uint8Array, bytes: Buffer): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw broken(cause);
  }
}

const derive = (key: Uint8Array, salt: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', key, salt, 'hokusai sealed stream', 32));

/** 12 bytes: the number of the chunk, big-endian, and whether it is the last. */
function nonce(at: number, isLast: boolean): Uint8Array {
  const bytes = Buffer.alloc(12);
  bytes.writeUIntBE(at, 5, 6);
  bytes[11] = isLast ? 1 : 0;
  return bytes;
}

/** Cuts a stream into chunks of `size` bytes, the first of `first`, and says which is the last; there is always one. */
async function* chunksOf(
  source: Source,
  size: number,
  first = size,
): AsyncGenerator<{ bytes: Buffer; isLast: boolean }> {
  let held = Buffer.alloc(0);
  let next = first;
  for await (const piece of source) {
    held = Buffer.concat([held, piece]);
    let from = 0;
    // The last byte is held back, as it tells that the chunk before is not the last.
    for (; held.length - from > next; next = size) {
      yield { bytes: held.subarray(from, from + next), isLast: false };
      from += next;
    }
    held = held.subarray(from);
  }
  yield { bytes: held, isLast: true };
}

const broken = (cause?: unknown) =>
  new HokusaiError('terminal', 'SEAL_BROKEN', 'What was sealed does not open with this key, or is not whole.', {
    cause,
    next: 'Fetch it again, and check that the key belongs to it.',
  });
