import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { developmentKey } from './keys.ts';
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
