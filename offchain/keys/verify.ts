import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../canonical.ts';
import { HokusaiError } from '../errors.ts';
import { hasDevelopmentAlphaOrBeta, hasDevelopmentTau } from '../prove/development.ts';
import { circuitId, domainBits, type VerificationKey, verificationKey } from '../prove/keys.ts';
import { readR1cs } from '../prove/r1cs.ts';
import type { Note } from '../verb.ts';
import { FINAL_KEY, type Subject, type Transcript, VERIFICATION_KEY } from './ceremony.ts';
import { type Contribution, contributionsOf } from './contributions.ts';
import { perform } from './job.ts';
import { assertTrusted, readPowersOfTau } from './powers-of-tau.ts';

/**
 * Checks a finished ceremony from the circuit to the final key: that the key is what the transcript says, that it follows
 * from circuit, powers of tau, contributions and beacon, and that it is no development key.
 *
 * What no file can show: that one of the contributors forgot their secret, and that nobody knew the beacon's value before
 * the last contribution. Contributors look for their own hash in the transcript; everybody, whether the value is the one
 * that was announced.
 *
 * @param ptau     the powers of tau that it started from
 * @param accepted hash of powers of tau that are not published
 * @throws HokusaiError (terminal) those of {@link checkFiles}, `CEREMONY_PTAU`, `CEREMONY_KEY_FORGED`; those of
 *   `readPowersOfTau` and `assertTrusted`
 */
export async function verifyCeremony(
  folder: string,
  transcript: Transcript,
  { r1cs, ...subject }: Subject,
  { ptau, accepted }: { ptau: string; accepted?: string | undefined },
  note: Note,
): Promise<void> {
  await checkFiles(folder, transcript, { r1cs, ...subject });
  const powersOfTau = await readPowersOfTau(ptau, domainBits(readR1cs(r1cs)));
  const { blake2b } = transcript.powersOfTau;
  if (powersOfTau.blake2b !== blake2b) {
    throw refused('PTAU', `${ptau} is not what the ceremony started from.`, {
      expected: blake2b,
      actual: powersOfTau.blake2b,
    });
  }
  await assertTrusted(ptau, powersOfTau, accepted, note);
  const { ok, reason } = await perform({ type: 'verify', r1cs, ptau, zkey: join(folder, FINAL_KEY) }, note);
  if (ok) return;
  const message = `The final key does not follow from the circuit, the powers of tau and its contributions: ${reason}.`;
  throw refused('KEY_FORGED', message, { reason });
}

/**
 * The part of {@link verifyCeremony} that takes seconds and no powers of tau.
 *
 * @returns the verification key
 * @throws HokusaiError (terminal) `CEREMONY_CIRCUIT`, `CEREMONY_KEY`, `CEREMONY_VERIFICATION_KEY`, `DEVELOPMENT_KEY`,
 *   `CEREMONY_DELTA`, `CEREMONY_CONTRIBUTIONS`, `CEREMONY_BEACON`
 */
export async function checkFiles(
  folder: string,
  transcript: Transcript,
  { circuit, r1cs }: Subject,
): Promise<VerificationKey> {
  const constraints = sha256(r1cs);
  if (transcript.circuit !== circuit || transcript.r1cs !== constraints) {
    const message = `The ceremony made a key for another ${transcript.circuit} than the ${circuit} that is compiled here.`;
    throw refused('CIRCUIT', message, { expected: constraints, actual: transcript.r1cs });
  }
  const zkey = await read(folder, FINAL_KEY);
  if (sha256(zkey) !== transcript.zkey) {
    const message = `${FINAL_KEY} is not the key that the transcript names.`;
    throw refused('KEY', message, { expected: transcript.zkey, actual: sha256(zkey) });
  }
  const key = verificationKey(zkey);
  const stated: unknown = JSON.parse((await read(folder, VERIFICATION_KEY)).toString());
  if (circuitId(key) !== transcript.circuitId || JSON.stringify(stated) !== JSON.stringify(key)) {
    const message = `${VERIFICATION_KEY} or the circuitId of the transcript is not that of ${FINAL_KEY}.`;
    throw refused('VERIFICATION_KEY', message, { expected: circuitId(key), actual: transcript.circuitId });
  }
  checkDelta(key, r1cs);
  checkContributions(contributionsOf(zkey), transcript);
  return key;
}

function checkDelta(key: VerificationKey, r1cs: Uint8Array): void {
  if (hasDevelopmentAlphaOrBeta(key) || hasDevelopmentTau(key, readR1cs(r1cs))) {
    const message = 'The key is a development key, or was made from one by contributions, which mend nothing.';
    throw new HokusaiError('terminal', 'DEVELOPMENT_KEY', message, {
      next: 'Start a ceremony from published powers of tau: hokusai keys ceremony start.',
    });
  }
  if (JSON.stringify(key.vk_delta_2) === JSON.stringify(key.vk_gamma_2)) {
    throw refused('DELTA', 'delta equals gamma, so anybody can prove anything with the key.', {
      delta: key.vk_delta_2,
    });
  }
}

function checkContributions(all: readonly Contribution[], transcript: Transcript): void {
  const [beacon, people] = [all.at(-1), all.slice(0, -1)];
  const { value, iterations, hash } = transcript.beacon;
  const { beacon: made } = beacon ?? {};
  if (made?.value !== value || made.iterations !== iterations || beacon?.hash !== hash) {
    const message = 'The last contribution to the key is not the beacon that the transcript names.';
    throw refused('BEACON', message, { expected: transcript.beacon, actual: beacon });
  }
  const [listed, held] = [transcript.contributions, people.map(({ name, hash }) => ({ name, hash }))];
  const secret = people.every((one) => one.beacon === undefined) && people.length > 0;
  if (!secret || JSON.stringify(listed.map(({ name, hash }) => ({ name, hash }))) !== JSON.stringify(held)) {
    const names = (some: readonly { name: string }[]) => some.map(({ name }) => name).join(', ') || 'nobody';
    const message = `The transcript lists contributions of ${names(listed)}; the key holds those of ${names(held)}.`;
    throw refused('CONTRIBUTIONS', message, { listed, held });
  }
}

async function read(folder: string, name: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message = `${join(folder, name)} cannot be read: ${code}.`;
    throw new HokusaiError('configuration', 'CEREMONY_FILE', message, {
      details: { folder, name },
      next: 'Bring all files of the ceremony: the final key, the verification key and the transcript.',
    });
  }
}

const refused = (code: string, message: string, details: Record<string, unknown>) =>
  new HokusaiError('terminal', `CEREMONY_${code}`, message, {
    details,
    next: 'Do not use this key, and ask who published it.',
  });
