import type { CircuitName } from './circuits.ts';
import type { VerificationKey } from './keys.ts';
import { openProver, type ProvingOptions } from './pool.ts';
import type { CircuitInput } from './witness.ts';

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
  /** Of the key that it was made with, against which it was checked. */
  readonly verificationKey: VerificationKey;
  readonly prover: 'snarkjs' | 'native';
  readonly witnessSeconds: number;
  readonly proveSeconds: number;
  /** Largest resident set of the proving processes so far, in bytes. */
  readonly peakBytes: number;
}

/**
 * One proof by provers of its own; see {@link openProver}, which also says what is thrown.
 *
 * @param keyFile the circuit's proving key
 */
export async function prove(
  circuit: CircuitName,
  input: CircuitInput,
  keyFile: string,
  { signal, machines: _, ...options }: ProvingOptions & { signal?: AbortSignal } = {},
): Promise<Proven> {
  const prover = openProver(circuit, async () => keyFile, options);
  try {
    return await prover.prove(input, signal);
  } finally {
    prover.close();
  }
}
