import { open, readFile } from 'node:fs/promises';
import type { Address, Hex, PrivateKeyAccount } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { HokusaiError } from '../errors.ts';

/** The environment variable that names the file with the keystore's password: a password itself would be seen by `ps`. */
export const PASSWORD_FILE_VARIABLE = 'HOKUSAI_KEYSTORE_PASSWORD_FILE';

/** A second's worth of modules, which only whoever has a keystore needs. */
const ethers = () => import('ethers');

/** geth's light parameters: a tenth of a second instead of several, for tests and keys that protect little. */
const LIGHT = { N: 4_096, r: 8, p: 6 };

/**
 * Writes a private key, encrypted, as the JSON keystore (version 3) that geth, Foundry and wallets read. Only its owner
 * may read the file; one that is there already is left alone.
 *
 * @param privateKey a new one unless given
 * @param light      weak key derivation
 * @throws HokusaiError `KEYSTORE_EXISTS` (configuration)
 */
export async function createKeystore(
  file: string,
  password: string,
  { privateKey = generatePrivateKey(), light = false }: { privateKey?: Hex; light?: boolean } = {},
): Promise<Address> {
  const { address } = privateKeyToAccount(privateKey);
  const { encryptKeystoreJson } = await ethers();
  const json = await encryptKeystoreJson({ address, privateKey }, password, light ? { scrypt: LIGHT } : {});
  const handle = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new HokusaiError('configuration', 'KEYSTORE_EXISTS', `${file} is there already, and may hold a key.`, {
      details: { file },
      next: 'Name another file, or move this one away yourself.',
    });
  });
  try {
    await handle.writeFile(`${json}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return address;
}

/**
 * The account whose key a keystore holds.
 *
 * @throws HokusaiError (configuration) `KEYSTORE_MISSING`, `KEYSTORE_MALFORMED`, `KEYSTORE_PASSWORD`. None of them holds
 *   the key, the password, or anything else of the file.
 */
export async function openKeystore(file: string, password: string): Promise<PrivateKeyAccount> {
  return privateKeyToAccount(await decryptKeystore(file, password));
}

/** The private key itself, for what cannot do with an account. @throws HokusaiError as {@link openKeystore} */
export async function decryptKeystore(file: string, password: string): Promise<Hex> {
  const { decryptKeystoreJson, isError, isKeystoreJson } = await ethers();
  const json = await read(file, 'KEYSTORE_MISSING', 'Make one with `hokusai keys`, or name the right file.');
  if (!isKeystoreJson(json)) throw malformed(file);
  try {
    const { privateKey } = await decryptKeystoreJson(json, password);
    return privateKey as Hex;
  } catch (error) {
    if (!isError(error, 'INVALID_ARGUMENT') || error.shortMessage !== 'incorrect password') throw malformed(file);
    throw new HokusaiError('configuration', 'KEYSTORE_PASSWORD', `The password does not open ${file}.`, {
      details: { file },
      next: `Check the file that ${PASSWORD_FILE_VARIABLE} names.`,
    });
  }
}

/**
 * The first line of the password file.
 *
 * @param file from the environment unless named
 * @throws HokusaiError `PASSWORD_MISSING` (configuration)
 */
export async function readPassword(file = process.env[PASSWORD_FILE_VARIABLE]): Promise<string> {
  const next = `Set ${PASSWORD_FILE_VARIABLE} to a file that holds the keystore's password, readable by you alone.`;
  if (!file) {
    throw new HokusaiError('configuration', 'PASSWORD_MISSING', 'No file with the keystore’s password is named.', {
      next,
    });
  }
  return (await read(file, 'PASSWORD_MISSING', next)).split(/\r?\n/, 1)[0]!;
}

async function read(file: string, code: string, next: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    throw new HokusaiError('configuration', code, `${file} cannot be read: ${reason}.`, {
      details: { file, reason },
      next,
    });
  }
}

const malformed = (file: string) =>
  new HokusaiError('configuration', 'KEYSTORE_MALFORMED', `${file} is no JSON keystore of version 3.`, {
    details: { file },
    next: 'Restore it from a copy: without an intact keystore the key is lost.',
  });
