import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { HokusaiError } from '../errors.ts';
import type { ProvingJob, ProvingReply } from './child.ts';
import { type CircuitName, compiled } from './circuits.ts';
import { NATIVE_PROVER } from './native.ts';

/** A Groth16 proof over BN254 in snarkjs's form: projective coordinates as decimal strings. */
export type Groth16Proof = {
  readonly pi_a: readonly string[];
  readonly pi_b: readonly (readonly string[])[];
  readonly pi_c: readonly string[];
  readonly protocol: 'groth16';
  readonly curve: 'bn128';
};

/** A proof as the contracts take it: G2 coordinates with the imaginary part first (EIP-197). */
export interface ContractProof {
  readonly a: readonly [bigint, bigint];
  readonly b: readonly [readonly [bigint, bigint], readonly [bigint, bigint]];
  readonly c: readonly [bigint, bigint];
}

/** The same proof in the order that the contracts take it in. */
export function contractProof({ pi_a, pi_b, pi_c }: Groth16Proof): ContractProof {
  const [x0, x1] = pi_b[0]!.map(BigInt);
  const [y0, y1] = pi_b[1]!.map(BigInt);
  return {
    a: [BigInt(pi_a[0]!), BigInt(pi_a[1]!)],
    b: [
      [x1!, x0!],
      [y1!, y0!],
    ],
    c: [BigInt(pi_c[0]!), BigInt(pi_c[1]!)],
  };
}

/** A proof with its public signals as decimal strings, in the circuit's order, and what it cost. */
export interface Proven {
  readonly proof: Groth16Proof;
  readonly publicSignals: readonly string[];
  readonly prover: 'snarkjs' | 'native';
  readonly witnessSeconds: number;
  readonly proveSeconds: number;
  /** Largest resident set of the proving processes, in bytes. */
  readonly peakBytes: number;
}

/**
 * Computes the witness, proves, and checks the proof against the key it was made with.
 *
 * Proving runs in a process of its own: it can be stopped at any moment, gives all its memory back, and keeps the
 * prover's threads out of ours. The witness holds secrets and never touches the disk.
 *
 * @param keyFile the circuit's proving key
 * @param prover  `native` where it is built, else `snarkjs`, unless named
 * @throws HokusaiError `WITNESS_UNSATISFIED` when the inputs do not satisfy the circuit, `PROOF_INVALID` when the key
 *   belongs to another circuit, `PROVER_MISSING` (configuration), `PROVER_KILLED` (retryable).
 */
export function prove(
  circuit: CircuitName,
  input: ProvingJob['input'],
  keyFile: string,
  {
    prover = existsSync(NATIVE_PROVER) ? 'native' : 'snarkjs',
    signal,
  }: { prover?: Proven['prover']; signal?: AbortSignal } = {},
): Promise<Proven> {
  if (prover === 'native' && !existsSync(NATIVE_PROVER)) {
    throw new HokusaiError('configuration', 'PROVER_MISSING', `The native prover is not built: ${NATIVE_PROVER}.`, {
      next: 'Build it with `npm run prover:native` (needs Go), or prove with snarkjs.',
    });
  }
  const job: ProvingJob = {
    wasm: compiled(circuit, 'wasm'),
    input,
    keyFile,
    ...(prover === 'native' && { nativeProver: NATIVE_PROVER }),
  };
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, `child${extname(import.meta.filename)}`), {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      ...(signal && { signal }),
    });
    let complaint = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-1_000);
    });
    child.once('error', reject);
    child.once('exit', (code, killedBy) =>
      reject(
        new HokusaiError('retryable', 'PROVER_KILLED', `The prover of ${circuit} ended before its proof was there.`, {
          details: { circuit, code, killedBy, complaint },
          next: 'Run again; if it was stopped for want of memory, with more of it.',
        }),
      ),
    );
    child.once('message', (reply: ProvingReply) => {
      if (reply.ok) resolve({ ...reply.proven, prover });
      else
        reject(
          new HokusaiError('terminal', reply.code, `${circuit}: ${reply.message}`, { details: { circuit, keyFile } }),
        );
      child.disconnect();
    });
    child.send(job);
  });
}
