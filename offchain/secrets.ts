import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HokusaiError } from './errors.ts';
import type { OwnerSecrets } from './line.ts';

/** The secrets of all parties of a run on one machine, each with its owner in PROTOCOL's sense. */
export interface RunSecrets {
  readonly owner: OwnerSecrets;
  /** The contributor's. */
  readonly contributionSecret: Uint8Array;
  /** What a contribution is sealed with. */
  readonly dataKey: Uint8Array;
  /** Of the validators' keystores. */
  readonly password: string;
}

/** The secrets in a folder, made on first use; a later run with the same ones comes to the same commitments. */
export async function runSecrets(folder: string): Promise<RunSecrets> {
  const secret = (name: string) => secretFile(join(folder, `${name}.hex`));
  return {
    owner: { benchmarkSecret: await secret('benchmark'), modelSecret: await secret('model') },
    contributionSecret: await secret('contribution'),
    dataKey: await secret('data-key'),
    password: Buffer.from(await secret('keystore-password')).toString('base64'),
  };
}

/** 32 random bytes in a file that only its owner may read, made once. */
export async function secretFile(file: string): Promise<Uint8Array> {
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(`${randomBytes(32).toString('hex')}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readSecret(file);
}

/**
 * A secret that somebody else made.
 *
 * @throws HokusaiError (configuration) `SECRET_MISSING`, `SECRET_MALFORMED`
 */
export async function readSecret(file: string): Promise<Uint8Array> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new HokusaiError('configuration', 'SECRET_MISSING', `The secret ${file} cannot be read: ${error.code}.`, {
      details: { file, reason: error.code },
      next: 'Name the file that it is in, or ask for it who made it.',
    });
  });
  if (/^[0-9a-f]{64}\s*$/.test(text)) return Buffer.from(text.trim(), 'hex');
  throw new HokusaiError('configuration', 'SECRET_MALFORMED', `${file} does not hold 64 hexadecimal digits.`, {
    details: { file },
    next: 'Restore it from a copy; with another secret all commitments change.',
  });
}
