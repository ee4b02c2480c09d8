/** What `hokusai data` does to hand data to others, and to them alone. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hex } from 'viem';
import { readIdentity } from '../validator/recipient.ts';
import { id, type Parameter, place, required, text, usage, type Verb, verb } from '../verb.ts';
import { fetchBlob, putBlob } from './blob-store.ts';
import { keyFileOf, openFile, rewrapKey, sealFile } from './seal-file.ts';

const RECIPIENTS: Parameter<readonly string[] | undefined> = {
  read: (given) => given.split(',').map((one) => one.trim()),
  expected: 'recipients of age, age1…, with commas between them',
  many: true,
};

const seal = verb({
  summary: 'encrypt a file to others, who alone can open it',
  help: `Writes the ciphertext and, beside it, F.key, which holds its key for the recipients. Hand over both. The ciphertext
stays as it is when others are to open it, see rewrap. Neither file is ever overwritten.

  --to age1…           a recipient, as age-keygen and validators have it; again for others, or with commas between them
  --out F              the ciphertext
  --store LOCATION     puts the ciphertext into a folder or object store, too, under its SHA-256

Example: hokusai data seal rows.csv --to age1… --to age1… --out rows.sealed`,
  takes: {
    file: required(place('FILE', text)),
    to: required(RECIPIENTS),
    out: required(text),
    store: text,
  },
  async perform({ file, to, out, store }) {
    const { hash, bytes } = await sealFile(file, to, out);
    if (store) await putBlob(store, out);
    const key = keyFileOf(out);
    const says = `${out}: ${bytes} bytes, ${hash}\n${key}: its key; recipients: ${to.length}`;
    return { text: says, json: { sealed: out, key, hash, bytes, recipients: to } };
  },
});

const open = verb({
  summary: 'decrypt what was sealed to you',
  help: `Writes the file only if it is what was sealed, whole.

  F                    the ciphertext, or its SHA-256 if it is in a store
  --identity FILE      your identity, as age-keygen writes it
  --out FILE           must not be there yet
  --key FILE           the key of the ciphertext (default: F.key)
  --store LOCATION     where the ciphertext is: a folder, an object store, or https://…

Example: hokusai data open rows.sealed --identity identity.txt --out rows.csv`,
  takes: {
    sealed: required(place('F', text)),
    identity: required(text),
    out: required(text),
    key: text,
    store: text,
  },
  async perform({ sealed, identity, out, key, store }) {
    const own = await readIdentity(identity);
    const hash = id.read(sealed);
    if (store === undefined) await openFile(sealed, key ?? keyFileOf(sealed), own, out);
    else if (hash === undefined || key === undefined) throw usage('data open', ['--store takes the SHA-256 and --key']);
    else await fetched(store, hash, (file) => openFile(file, key, own, out));
    return { text: `${out} is what was sealed.`, json: { out } };
  },
});

const rewrap = verb({
  summary: 'let others open what was sealed to you, or fewer',
  help: `Replaces the key of a sealed file by the same one for other recipients; the ciphertext stays as it is. Whoever could
open it before may have kept its key: what they must not read is to be sealed anew.

  F                    the ciphertext
  --identity FILE      your identity, as age-keygen writes it
  --to age1…           who can open it from now on; again for others, or with commas between them
  --key FILE           the key of the ciphertext (default: F.key)

Example: hokusai data rewrap rows.sealed --identity identity.txt --to age1…`,
  takes: { sealed: required(place('F', text)), identity: required(text), to: required(RECIPIENTS), key: text },
  async perform({ sealed, identity, to, key = keyFileOf(sealed) }) {
    await rewrapKey(key, await readIdentity(identity), to);
    return { text: `${key}: recipients: ${to.length}`, json: { key, recipients: to } };
  },
});

/** The verbs of `hokusai data` for sealed files. */
export const BLOB_VERBS: Readonly<Record<string, Verb>> = { seal, open, rewrap };

async function fetched<T>(store: string, hash: Hex, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'hokusai-blob-'));
  try {
    const file = join(folder, 'sealed');
    await fetchBlob(store, hash, file);
    return await use(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}
