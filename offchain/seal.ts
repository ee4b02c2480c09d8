import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Hex } from 'viem';
import { HokusaiError } from './errors.ts';

/** What validators are given: the contribution's file and the secret behind its dataRoot. */
export interface Contents {
  /** The contribution as CSV. */
  readonly data: Uint8Array;
  /** 32 bytes. */
  readonly contributionSecret: Uint8Array;
}

/** SHA-256 of a ciphertext, which the commitment on-chain names. */
export const ciphertextHash = (ciphertext: Uint8Array): Hex =>
  `0x${createHash('sha256').update(ciphertext).digest('hex')}`;

/** Seals a contribution with AES-256-GCM under a key of its own: nonce (12 bytes), ciphertext, tag (16 bytes). */
export function seal({ data, contributionSecret }: Contents, key: Uint8Array): Uint8Array {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  return Buffer.concat([
    nonce,
    cipher.update(contributionSecret),
    cipher.update(data),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

/**
 * Opens what `seal` sealed.
 *
 * @throws HokusaiError `SEAL_BROKEN` (terminal) when the key is another or a byte was changed.
 */
export function unseal(ciphertext: Uint8Array, key: Uint8Array): Contents {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, ciphertext.subarray(0, 12));
    decipher.setAuthTag(ciphertext.subarray(-16));
    const plain = Buffer.concat([decipher.update(ciphertext.subarray(12, -16)), decipher.final()]);
    return { contributionSecret: plain.subarray(0, 32), data: plain.subarray(32) };
  } catch (cause) {
    throw new HokusaiError('terminal', 'SEAL_BROKEN', 'The sealed contribution does not open with its key.', { cause });
  }
}
