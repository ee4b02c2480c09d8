import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { developmentKey, type VerificationKey, verificationKey } from './keys.ts';
import { NATIVE_PROVER, runNative } from './native.ts';
import { readR1cs } from './r1cs.ts';

/**
 * Writes the development proving key of a circuit: the same bytes by the native prover, where it is built, as without it,
 * in a tenth of the time.
 *
 * @param r1cs the constraint system, as in its file
 */
export async function writeDevelopmentKey(
  r1cs: Uint8Array,
  file: string,
  prover: 'snarkjs' | 'native' = existsSync(NATIVE_PROVER) ? 'native' : 'snarkjs',
): Promise<void> {
  if (prover === 'native') return runNative(['devkey', '-', file], r1cs);
  const handle = await open(file, 'w');
  try {
    for (const piece of developmentKey(readR1cs(r1cs))) await handle.write(piece);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** SHA-256 of a file that need not fit into memory, in hexadecimal digits. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/**
 * Reads the verification key out of a file with a proving key, and no more than that of it.
 *
 * @throws HokusaiError `KEY_FORMAT` (terminal) when the file is no Groth16 proving key over BN254.
 */
export async function readVerificationKey(file: string): Promise<VerificationKey> {
  const handle = await open(file);
  try {
    const piece = async (position: number, length: number) => {
      const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(length), position });
      return buffer.subarray(0, bytesRead);
    };
    const pieces = [await piece(0, 12)];
    for (let position = 12, head = await piece(position, 12); head.length === 12; head = await piece(position, 12)) {
      const length = 12 + Number(head.readBigUInt64LE(4));
      // Section 2 is the header, 3 what public signals are multiplied with; no circuit's are longer than this.
      if ([2, 3].includes(head.readUInt32LE(0))) pieces.push(await piece(position, Math.min(length, 1 << 20)));
      position += length;
    }
    return verificationKey(Buffer.concat(pieces));
  } finally {
    await handle.close();
  }
}
