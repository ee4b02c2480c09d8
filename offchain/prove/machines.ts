/** Machines that prove chunks for others (`hokusai prover serve`), beside the processes of this one. */
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Hex } from 'viem';
import { z } from 'zod';
import { HokusaiError } from '../errors.ts';
import type { InferenceCircuit } from './circuits.ts';
import { readVerificationKey } from './key-file.ts';
import { openProver, type ProvingOptions } from './pool.ts';
import type { Proven } from './prove.ts';
import { verifyProof } from './verify.ts';
import type { CircuitInput } from './witness.ts';

/** Names the file with the token that a machine and who asks it share. */
export const TOKEN_FILE_VARIABLE = 'HOKUSAI_PROVERS_TOKEN_FILE';
/** What machines and who asks them say to each other is in the body of a POST to it. */
export const PROVE_PATH = '/prove';
/** A machine at work says something far more often: so one that lost its power, or the network, is not waited for. */
const SILENCE = 30_000;
/** Bytes of a proof with all that is said about it: about 2,000. */
const MOST_ANSWER = 65_536;

/** Where machines are, and what lets them work for us. */
export interface Machines {
  /** `http(s)://HOST:PORT`. */
  readonly urls: readonly string[];
  readonly tokenFile: string;
}

const numbers = z.array(z.string().max(80)).max(8);
const zAnswer = z.union([
  z.strictObject({ jobs: z.int().min(1).max(1_024) }),
  z.strictObject({
    proof: z.strictObject({
      ...{ pi_a: numbers, pi_b: z.array(numbers).max(3), pi_c: numbers },
      ...{ protocol: z.literal('groth16'), curve: z.literal('bn128') },
    }),
    publicSignals: numbers,
    prover: z.enum(['snarkjs', 'native']),
    ...{ witnessSeconds: z.number().min(0), proveSeconds: z.number().min(0), peakBytes: z.number().min(0) },
  }),
  z.strictObject({ error: z.string().max(100) }),
]);
/** What a machine answers: how much it does at once, a proof, or why there is none. */
export type MachineAnswer = z.infer<typeof zAnswer>;

/** @throws HokusaiError `PROVERS_TOKEN` (configuration) */
export async function readToken(file: string): Promise<string> {
  const token = await readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
  if (/^[\x21-\x7e]{32,512}$/.test(token)) return token;
  throw new HokusaiError('configuration', 'PROVERS_TOKEN', `${file} does not hold a token of 32 characters or more.`, {
    details: { file },
    next: `Write one with \`openssl rand -hex 32\`, name its file in ${TOKEN_FILE_VARIABLE}, here and on each machine.`,
  });
}

export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(host);

/** One proof is wanted, and what it has to say. */
export interface Wanted {
  readonly input: CircuitInput;
  /** The public signals, as decimal strings. */
  readonly signals: readonly string[];
}

/** Proves chunks of one circuit, here and elsewhere. */
export interface Provers {
  /** How many chunks keep all of them busy. */
  readonly jobs: number;
  prove(wanted: Wanted, signal?: AbortSignal): Promise<Proven>;
  close(): void;
}

/** Something that proves, with so many jobs at once, of which so many are given to it. */
interface Worker {
  readonly jobs: number;
  busy: number;
  prove(wanted: Wanted, signal?: AbortSignal): Promise<Proven>;
}

/**
 * Opens a prover here, and asks the machines there are. A machine that does not answer, or not with a proof of what was
 * asked of it, is given nothing more, and its chunks go to the others: nothing that comes from the network is believed.
 *
 * @param onLost told of each such machine
 * @throws HokusaiError those of `openProver`; `PROVERS_TOKEN` (configuration) where a machine refuses the token
 */
export async function openProvers(
  circuit: InferenceCircuit,
  circuitId: Hex,
  keyFile: () => Promise<string>,
  { machines, ...options }: ProvingOptions,
  onLost: (error: HokusaiError) => void,
): Promise<Provers> {
  const local = openProver(circuit, keyFile, options);
  const here: Worker = { jobs: local.jobs, busy: 0, prove: ({ input }, signal) => local.prove(input, signal) };
  if (!machines) return { jobs: here.jobs, prove: here.prove, close: () => local.close() };
  try {
    const token = await readToken(machines.tokenFile);
    const key = readVerificationKey(await keyFile());
    const asked = machines.urls.map((url) => openMachine(url, token, circuitId, key).catch(lost(url, onLost)));
    const workers = [here, ...(await Promise.all(asked)).filter((machine) => machine !== undefined)];
    const jobs = workers.reduce((sum, worker) => sum + worker.jobs, 0);
    return { jobs, prove: spread(workers, onLost), close: () => local.close() };
  } catch (error) {
    local.close();
    throw error;
  }
}

/** Gives each job to whom has the fewest for what it does at once; what a machine fails at is given to another. */
function spread(workers: Worker[], onLost: (error: HokusaiError) => void): Provers['prove'] {
  const [here] = workers as [Worker];
  return async (wanted, signal) => {
    for (;;) {
      const worker = workers.reduce((a, b) => (b.busy / b.jobs < a.busy / a.jobs ? b : a));
      worker.busy++;
      try {
        return await worker.prove(wanted, signal);
      } catch (error) {
        // Only what is here is believed when it says that there can be no proof.
        if (worker === here || signal?.aborted) throw error;
        const at = workers.indexOf(worker);
        // Of several jobs that it had, the first that fails tells.
        if (at > 0) onLost(workers.splice(at, 1) && (error as HokusaiError));
      } finally {
        worker.busy--;
      }
    }
  };
}

const lost = (url: string, onLost: (error: HokusaiError) => void) => (error: HokusaiError) => {
  if (error.kind === 'configuration') throw error;
  onLost(error instanceof HokusaiError ? error : failure(url, String(error)));
  return undefined;
};

/** A machine that has answered, and knows the circuit. */
async function openMachine(
  url: string,
  token: string,
  circuitId: Hex,
  verificationKey: Promise<Proven['verificationKey']>,
): Promise<Worker> {
  const ask = (body: object, signal?: AbortSignal) => post(url, token, JSON.stringify({ circuitId, ...body }), signal);
  const told = await ask({});
  if (!('jobs' in told)) throw failure(url, 'it does not say how much it does at once');
  const key = await verificationKey;
  const prove: Worker['prove'] = async ({ input, signals }, signal) => {
    const answer = await ask({ input }, signal);
    if (!('proof' in answer)) throw failure(url, 'error' in answer ? answer.error : 'there is no proof in its answer');
    if (String(answer.publicSignals) !== String(signals)) throw failure(url, 'its proof is of something else');
    if (!verifyProof(key, answer.publicSignals, answer.proof)) throw failure(url, 'its proof is wrong');
    return { ...answer, verificationKey: key };
  };
  return { jobs: told.jobs, busy: 0, prove };
}

const failure = (url: string, reason: string) =>
  new HokusaiError('retryable', 'PROVER_LOST', `The machine ${url} is given nothing more to prove: ${reason}.`, {
    details: { url },
    next: 'Its chunks are proven elsewhere. Look after it, or leave it out of --provers.',
  });

/** @throws HokusaiError `PROVER_LOST` (retryable), `PROVERS_TOKEN` (configuration); what the signal is aborted with */
async function post(base: string, token: string, body: string, signal?: AbortSignal): Promise<MachineAnswer> {
  const url = new URL(PROVE_PATH, base);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const length = { 'content-length': Buffer.byteLength(body) };
  const options = {
    ...{ method: 'POST', headers: { ...headers, ...length }, timeout: SILENCE, agent: false as const },
    ...(signal && { signal }),
  };
  const text = await new Promise<string>((resolve, reject) => {
    const fail = (error: Error) => reject(signal?.aborted ? signal.reason : failure(base, error.message));
    const asked = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.length > MOST_ANSWER) asked.destroy(new Error('it says too much'));
      });
      answer.on('error', fail);
      answer.on('end', () => {
        if (answer.statusCode === 401) reject(refusedToken(base));
        else if (answer.statusCode !== 200) fail(new Error(`it answers ${answer.statusCode}`));
        else resolve(text);
      });
    });
    asked.on('timeout', () => asked.destroy(new Error('it is silent')));
    asked.on('error', fail);
    asked.end(body);
  });
  try {
    return zAnswer.parse(JSON.parse(text));
  } catch {
    throw failure(base, 'it answers something else');
  }
}

const refusedToken = (url: string) =>
  new HokusaiError('configuration', 'PROVERS_TOKEN', `The machine ${url} refuses the token.`, {
    details: { url },
    next: `Name the file of the token that it was started with in ${TOKEN_FILE_VARIABLE}.`,
  });
