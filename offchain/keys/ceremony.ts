import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../canonical.ts';
import { HokusaiError } from '../errors.ts';
import { circuitId, domainBits, verificationKey } from '../prove/keys.ts';
import { readR1cs } from '../prove/r1cs.ts';
import type { Note } from '../verb.ts';
import { writeWhole } from '../write-whole.ts';
import type { Job } from './child.ts';
import { type Contribution, contributionsOf } from './contributions.ts';
import { perform } from './job.ts';
import { assertTrusted, readPowersOfTau } from './powers-of-tau.ts';

const hash = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const openedForm = {
  version: z.literal(1),
  circuit: z.string(),
  r1cs: hash(64),
  powersOfTau: z.strictObject({ power: z.int(), blake2b: hash(128) }),
};
const Opened = z.strictObject(openedForm);
const Finished = z.strictObject({
  ...openedForm,
  contributions: z.array(z.strictObject({ name: z.string(), hash: hash(128) })),
  beacon: z.strictObject({ value: z.string(), iterations: z.int(), hash: hash(128) }),
  zkey: hash(64),
  circuitId: z.templateLiteral(['0x', hash(64)]),
});

/** `transcript.json` of a ceremony that has started: what it makes keys for, by their SHA-256, and from what. */
export type OpenedTranscript = z.infer<typeof Opened>;
/** `transcript.json` of one that has finished: who contributed, the beacon, and what came of it. */
export type Transcript = z.infer<typeof Finished>;

/** Files of a ceremony's folder, besides `0000.zkey`, `0001.zkey` and so on. */
export const TRANSCRIPT = 'transcript.json';
export const FINAL_KEY = 'final.zkey';
export const VERIFICATION_KEY = 'verification_key.json';

/** A circuit: its name and its constraint system. */
export interface Subject {
  readonly circuit: string;
  readonly r1cs: Uint8Array;
}

/**
 * Starts a ceremony in a new folder: checks the powers of tau, and makes the key that the first contributes to.
 *
 * @param accepted hash of powers of tau that are not published
 * @throws HokusaiError `CEREMONY_FOLDER` (configuration), those of `readPowersOfTau`, `assertTrusted` and `perform`
 */
export async function start(
  { circuit, r1cs }: Subject,
  { ptau, folder, accepted }: { ptau: string; folder: string; accepted?: string | undefined },
  note: Note,
): Promise<OpenedTranscript & { readonly file: string }> {
  if (existsSync(folder) && (await readdir(folder)).length > 0) {
    throw misused('FOLDER', `${folder} is there and not empty.`, 'Name a new folder.', { folder });
  }
  const powersOfTau = await readPowersOfTau(ptau, domainBits(readR1cs(r1cs)));
  await assertTrusted(ptau, powersOfTau, accepted, note);
  await mkdir(folder, { recursive: true });
  const file = join(folder, keyName(0));
  await makeKey({ type: 'start', r1cs, ptau, zkey: file }, note);
  const transcript: OpenedTranscript = { version: 1, circuit, r1cs: sha256(r1cs), powersOfTau };
  await writeTranscript(folder, transcript);
  return { ...transcript, file };
}

/**
 * Contributes to the newest key of a folder, or to a key by its name, with a secret that nobody gets to know.
 *
 * @returns the new key, which lies beside the one that it was made from, and the contribution with its hash
 * @throws HokusaiError (configuration) `CEREMONY_FINISHED`, `CEREMONY_EMPTY`, `CEREMONY_KEY_NAME`, `CEREMONY_TAKEN`
 */
export async function contribute(
  path: string,
  name: string,
  note: Note,
): Promise<Contribution & { readonly file: string; readonly place: number }> {
  const from = await newestKey(path);
  if (existsSync(join(dirname(from), FINAL_KEY))) throw finished(dirname(from));
  const place = numberOf(from) + 1;
  const file = join(dirname(from), keyName(place));
  if (existsSync(file)) {
    const next = 'Contribute to the newest key: contributions follow one after the other.';
    throw misused('TAKEN', `Somebody has contributed to ${from} already.`, next, { from, file });
  }
  const before = contributionsOf(await readFile(from)).length;
  await makeKey({ type: 'contribute', from, zkey: file, name }, note);
  const contributions = contributionsOf(await readFile(file));
  if (contributions.length !== before + 1) throw new Error('A contribution was made and is not in the key.');
  return { ...contributions.at(-1)!, file, place };
}

/**
 * Ends a ceremony: adds a public value that nobody could know before the last contribution, and writes the final key, its
 * verification key and the transcript.
 *
 * @param beacon its value in hexadecimal, of 1 to 255 bytes, and how often it is hashed: 2^iterations times, 10 to 30
 * @throws HokusaiError (configuration) `CEREMONY_FINISHED`, `CEREMONY_EMPTY` where nobody has contributed
 */
export async function finish(
  folder: string,
  { value, iterations }: { value: string; iterations: number },
  note: Note,
): Promise<Transcript> {
  const opened = parsed(Opened, folder, await readTranscriptFile(folder));
  const from = await newestKey(folder);
  if (contributionsOf(await readFile(from)).length === 0) {
    const next = 'Contribute to it first: hokusai keys ceremony contribute.';
    throw misused('EMPTY', `Nobody has contributed to ${from}, so nothing in it is secret.`, next, { from });
  }
  const file = join(folder, FINAL_KEY);
  await makeKey({ type: 'beacon', from, zkey: file, value, iterations }, note);
  const zkey = await readFile(file);
  const all = contributionsOf(zkey);
  const key = verificationKey(zkey);
  const transcript: Transcript = {
    ...opened,
    contributions: all.slice(0, -1).map(({ name, hash }) => ({ name, hash })),
    beacon: { ...all.at(-1)!.beacon!, hash: all.at(-1)!.hash },
    zkey: sha256(zkey),
    circuitId: circuitId(key),
  };
  await writeWhole(join(folder, VERIFICATION_KEY), `${JSON.stringify(key, null, 2)}\n`);
  await writeTranscript(folder, transcript);
  return transcript;
}

/**
 * Reads the transcript of a ceremony that has finished.
 *
 * @throws HokusaiError (configuration) `CEREMONY_TRANSCRIPT`, `CEREMONY_UNFINISHED`
 */
export async function readTranscript(folder: string): Promise<Transcript> {
  const read = await readTranscriptFile(folder);
  if (Opened.safeParse(read).success) {
    const next = `hokusai keys ceremony finish ${folder} --beacon HEX`;
    throw misused('UNFINISHED', `The ceremony in ${folder} is not finished.`, next, { folder });
  }
  return parsed(Finished, folder, read);
}

async function readTranscriptFile(folder: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(folder, TRANSCRIPT), 'utf8'));
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'it is no JSON';
    const next = 'Name the folder of a ceremony, which hokusai keys ceremony start made.';
    throw misused('TRANSCRIPT', `${join(folder, TRANSCRIPT)} cannot be read: ${why}.`, next, { folder });
  }
}

function parsed<Form extends z.ZodType>(form: Form, folder: string, read: unknown): z.infer<Form> {
  const { success, data, error } = form.safeParse(read);
  if (success) return data;
  if (form === (Opened as z.ZodType) && Finished.safeParse(read).success) throw finished(folder);
  const problems = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const message = `${join(folder, TRANSCRIPT)} is no transcript of a ceremony: ${problems.join('; ')}.`;
  throw misused('TRANSCRIPT', message, 'Take it from where the ceremony was published.', { folder, problems });
}

const writeTranscript = (folder: string, transcript: object) =>
  writeWhole(join(folder, TRANSCRIPT), `${JSON.stringify(transcript, null, 2)}\n`);

/** The names of keys say how many contributions they hold. */
const keyName = (contributions: number): string => `${String(contributions).padStart(4, '0')}.zkey`;
const numberOf = (file: string): number => Number(/(\d{4})\.zkey$/.exec(file)![1]);

async function newestKey(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() && /(^|[/\\])\d{4}\.zkey$/.test(path)) return path;
  if (!found?.isDirectory()) {
    const next = 'Name the folder of a ceremony, or a key that bears its number, such as 0001.zkey.';
    throw misused('KEY_NAME', `${path} is neither.`, next, { path });
  }
  const names = await readdir(path);
  const newest = names
    .filter((name) => /^\d{4}\.zkey$/.test(name))
    .sort()
    .at(-1);
  if (newest) return join(path, newest);
  throw misused('KEY_NAME', `There is no key in ${path}.`, 'Put the newest key there, such as 0001.zkey.', { path });
}

const finished = (folder: string) =>
  misused('FINISHED', `The ceremony in ${folder} is finished.`, 'Verify it: hokusai keys verify.', { folder });

/** Makes a key, which gets its name when it is whole. */
async function makeKey(job: Exclude<Job, { type: 'verify' | 'verifyPowersOfTau' }>, note: Note): Promise<void> {
  const part = `${job.zkey}.part`;
  try {
    const { ok, reason } = await perform({ ...job, zkey: part }, note);
    if (ok) return await rename(part, job.zkey);
    throw new HokusaiError('terminal', 'CEREMONY_FAILED', `snarkjs made no key: ${reason}.`, {
      details: { job: job.type, reason },
      next: 'Check the files that it was given.',
    });
  } finally {
    await rm(part, { force: true });
  }
}

const misused = (code: string, message: string, next: string, details: Record<string, unknown>) =>
  new HokusaiError('configuration', `CEREMONY_${code}`, message, { details, next });
