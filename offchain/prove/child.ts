/**
 * The process that `openProver` starts: it is told once what to prove with, then gives a reply to each job. While one
 * proof is made the next job's witness is computed, and given to the prover, so that it never waits for one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { HokusaiError } from '../errors.ts';
import type { VerificationKey } from './keys.ts';
import type { Proven } from './prove.ts';
import { verifyProof } from './verify.ts';
import { type CircuitInput, WitnessCalculator } from './witness.ts';

/** What all proofs of a child are made with. */
export interface ProvingSetup {
  /** The circuit's witness calculator. */
  readonly wasm: Uint8Array;
  readonly keyFile: string;
  readonly verificationKey: VerificationKey;
  /** Path of the native prover, where it is to be used. */
  readonly nativeProver?: string;
}

export interface ProvingJob {
  readonly id: number;
  readonly input: CircuitInput;
}

export type ProvingReply = { readonly id: number } & (
  | { readonly ok: true; readonly proven: Omit<Proven, 'prover' | 'verificationKey'> }
  | { readonly ok: false; readonly code: string; readonly message: string }
);

type Made = Pick<Proven, 'proof' | 'publicSignals'> & { readonly peakBytes?: number };
type Timed = Made & Pick<Proven, 'proveSeconds'>;
/** Proves one witness after the other, in the order given: each takes all processors, and the memory that there is. */
type Prove = (witness: Uint8Array) => Promise<Timed>;

process.once('message', (setup: ProvingSetup) => {
  const calculator = new WitnessCalculator(setup.wasm);
  const prove = setup.nativeProver ? serveNatively(setup.nativeProver, setup.keyFile) : withSnarkjs(setup.keyFile);
  process.on('message', async (job: ProvingJob) => {
    try {
      const started = performance.now();
      const witness = calculator.calculate(job.input);
      const witnessSeconds = (performance.now() - started) / 1000;
      const made = await prove(witness);
      reply({ id: job.id, ok: true, proven: { ...checked(setup.verificationKey, made), witnessSeconds } });
    } catch (error) {
      const code = error instanceof HokusaiError ? error.code : 'PROVER_FAILED';
      reply({ id: job.id, ok: false, code, message: (error as Error).message });
    }
  });
});
// snarkjs keeps worker threads alive, and the native prover ends with this process.
process.once('disconnect', () => process.exit());

const reply = (answer: ProvingReply) => process.send!(answer);

function checked(key: VerificationKey, made: Timed): Omit<Proven, 'prover' | 'verificationKey' | 'witnessSeconds'> {
  const { proof, publicSignals, proveSeconds, peakBytes = 0 } = made;
  if (!verifyProof(key, publicSignals, proof)) {
    const message = 'the proof does not verify; the key belongs to another circuit.';
    throw new HokusaiError('terminal', 'PROOF_INVALID', message);
  }
  return { proof, publicSignals, proveSeconds, peakBytes: process.resourceUsage().maxRSS * 1024 + peakBytes };
}

function withSnarkjs(keyFile: string): Prove {
  // Half a second of loading, which the native prover need not wait for.
  const loaded = import('snarkjs');
  let before: Promise<unknown> = loaded;
  return (data) => {
    const made = before.then(async () => {
      const started = performance.now();
      const proven = await (await loaded).groth16.prove(keyFile, { type: 'mem', data });
      return { ...proven, proveSeconds: (performance.now() - started) / 1000 };
    });
    before = made.catch(() => {});
    return made;
  };
}

/**
 * The native prover keeps the key in memory, reads witnesses from its standard input, one further while it is at work, and
 * answers each with a line.
 */
function serveNatively(binary: string, keyFile: string): Prove {
  const server = spawn(binary, ['serve', keyFile], { stdio: ['pipe', 'pipe', 'pipe'] });
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const ended = endOf(server);
  let answered = 0;
  return async (witness) => {
    const sent = performance.now();
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, witness.length, true);
    server.stdin.write(length);
    server.stdin.write(witness);
    const line = await lines.next();
    if (line.done) throw new Error(await ended);
    const started = Math.max(sent, answered);
    answered = performance.now();
    const answer: Made & { error?: string } = JSON.parse(line.value);
    if (answer.error !== undefined) throw new HokusaiError('terminal', 'PROOF_INVALID', answer.error);
    return { ...answer, proveSeconds: (answered - started) / 1000 };
  };
}

/** What the native prover said when it ended; where it was killed, so is this process, and somebody may try again. */
function endOf(server: ChildProcess): Promise<string> {
  let complaint = '';
  server.stderr!.setEncoding('utf8').on('data', (text: string) => {
    process.stderr.write(text);
    complaint += text;
  });
  server.stdin!.on('error', () => {});
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(error.message));
    server.once('close', (code) => {
      if (code === null) process.exit(1);
      resolve(complaint.trim());
    });
  });
}
