import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { Hex } from 'viem';
import { sealing, unsealing } from './blobs/sealed-stream.ts';

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

/** Seals a contribution, its secret first, see {@link sealing}. */
export const seal = ({ data, contributionSecret }: Contents, key: Uint8Array): Promise<Uint8Array> =>
  buffer(sealing(key, [contributionSecret, data]));

/**
 * Opens what `seal` sealed.
 *
 * @throws HokusaiError `SEAL_BROKEN` (terminal) when the key is another or a byte was changed.
 */
export async function unseal(ciphertext: Uint8Array, key: Uint8Array): Promise<Contents> {
  const plain = await buffer(unsealing(key, [ciphertext]));
  return { contributionSecret: plain.subarray(0, 32), data: plain.subarray(32) };
}
