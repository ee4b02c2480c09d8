/** The process that `prove` starts: one job comes in over the channel, one reply goes out. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as snarkjs from 'snarkjs';
import { verificationKey } from './keys.ts';
import type { Groth16Proof, Proven } from './prove.ts';
import { verifyProof } from './verify.ts';

/** What is to be proven, and with what. */
export interface ProvingJob {
  /** The circuit's witness calculator. */
  readonly wasm: Uint8Array;
  /** The circuit's inputs by name, numbers as decimal strings. */
  readonly input: Readonly<Record<string, string | readonly string[] | readonly (readonly string[])[]>>;
  readonly keyFile: string;
  /** Path of the native prover, where it is to be used. */
  readonly nativeProver?: string;
}

export type ProvingReply =
  | { readonly ok: true; readonly proven: Omit<Proven, 'prover'> }
  | {
      readonly ok: false;
      readonly code: 'WITNESS_UNSATISFIED' | 'PROOF_INVALID' | 'PROVER_FAILED';
      readonly message: string;
    };

type Proof = Pick<Proven, 'proof' | 'publicSignals'>;

process.once('message', async (job: ProvingJob) => {
  const reply = await run(job).catch(
    (error: Error): ProvingReply => ({ ok: false, code: 'PROVER_FAILED', message: error.message }),
  );
  process.send!(reply);
});
// snarkjs keeps worker threads alive; this process has nothing to do after its one reply is read.
process.once('disconnect', () => process.exit());

async function run(job: ProvingJob): Promise<ProvingReply> {
  const started = performance.now();
  const witness = { type: 'mem' as const, data: new Uint8Array() };
  try {
    await snarkjs.wtns.calculate(job.input, job.wasm, witness);
  } catch (error) {
    // Names the template and line of the constraint that failed, and no value.
    return { ok: false, code: 'WITNESS_UNSATISFIED', message: (error as Error).message };
  }
  const witnessed = performance.now();
  const { proof, publicSignals } = await (job.nativeProver
    ? proveNatively(job.nativeProver, job.keyFile, witness.data)
    : snarkjs.groth16.prove(job.keyFile, witness));
  const proven = performance.now();
  const key = verificationKey(await readFile(job.keyFile));
  if (!verifyProof(key, publicSignals, proof)) {
    return {
      ok: false,
      code: 'PROOF_INVALID',
      message: 'the proof does not verify; the key belongs to another circuit.',
    };
  }
  return {
    ok: true,
    proven: {
      proof,
      publicSignals,
      witnessSeconds: (witnessed - started) / 1000,
      proveSeconds: (proven - witnessed) / 1000,
      peakBytes: process.resourceUsage().maxRSS * 1024,
    },
  };
}

/** The native prover reads the witness from its standard input, so that it stays in memory. */
async function proveNatively(binary: string, keyFile: string, witness: Uint8Array): Promise<Proof> {
  const folder = await mkdtemp(join(tmpdir(), 'hokusai-proof-'));
  try {
    const [proofFile, publicFile] = [join(folder, 'proof.json'), join(folder, 'public.json')];
    const running = promisify(execFile)(binary, ['prove', keyFile, '-', proofFile, publicFile]);
    running.child.stdin!.end(witness);
    await running;
    const proof: Groth16Proof = JSON.parse(await readFile(proofFile, 'utf8'));
    return { proof, publicSignals: JSON.parse(await readFile(publicFile, 'utf8')) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
