// Proofs without a witness, of any statement, by who knows the secrets behind a development key. They are what the contracts
// have to accept, made in milliseconds, and the reason why such keys are refused where money is.
import { createHash } from 'node:crypto';
import { bn254 } from '@noble/curves/bn254.js';
import type { Inference } from '../offchain/chain/inference.ts';
import { compiled } from '../offchain/prove/circuits.ts';
import { inverse, mod, R } from '../offchain/prove/field.ts';
import type { ProvenChunk } from '../offchain/prove/inference.ts';
import { DEVELOPMENT_SEED, developmentVerificationKey, type VerificationKey } from '../offchain/prove/keys.ts';
import type { ContractProof } from '../offchain/prove/prove.ts';
import { readR1cs } from '../offchain/prove/r1cs.ts';

const secret = (name: string): bigint =>
  1n + (BigInt(`0x${createHash('sha512').update(`${DEVELOPMENT_SEED}:${name}`).digest('hex')}`) % (R - 1n));

const { G1, G2 } = bn254;
const pointOf = ([x, y]: readonly string[]) => G1.Point.fromAffine({ x: BigInt(x!), y: BigInt(y!) });

/**
 * A proof of these public signals: A = a G1, B = b G2, and the C that makes e(A, B) = e(alpha, beta) e(IC, gamma) e(C, delta).
 *
 * @param a with b, tells one proof of a statement from the next
 */
export function simulate(key: VerificationKey, signals: readonly bigint[], a = 3n, b = 5n): ContractProof {
  const sum = signals.reduce(
    (point, signal, i) => (signal === 0n ? point : point.add(pointOf(key.IC[i + 1]!).multiply(signal))),
    pointOf(key.IC[0]!),
  );
  const factor = mod(a * b - secret('alpha') * secret('beta'));
  const c = G1.Point.BASE.multiply(factor)
    .subtract(sum)
    .multiply(inverse(secret('delta')))
    .toAffine();
  const inG1 = G1.Point.BASE.multiply(a).toAffine();
  const inG2 = G2.Point.BASE.multiply(b).toAffine();
  return {
    a: [inG1.x, inG1.y],
    b: [
      [inG2.x.c1, inG2.x.c0],
      [inG2.y.c1, inG2.y.c0],
    ],
    c: [c.x, c.y],
  };
}

/** The inference circuit, and its development key as far as a verifier needs it. */
export const LINEAR30 = readR1cs(compiled('linear30', 'r1cs'));
export const INFERENCE_KEY = developmentVerificationKey(LINEAR30);

/** Chunks of the inference circuit with these public signals. */
export const simulatedChunks = (signals: readonly (readonly bigint[])[]): ProvenChunk[] =>
  signals.map((list) => {
    const { a, b, c } = simulate(INFERENCE_KEY, list);
    const proof = {
      ...{ pi_a: [...a, 1n].map(String), pi_c: [...c, 1n].map(String) },
      pi_b: [b[0].toReversed(), b[1].toReversed(), [1n, 0n]].map((pair) => pair.map(String)),
      ...{ protocol: 'groth16', curve: 'bn128' },
    };
    return { proof: proof as unknown as ProvenChunk['proof'], publicSignals: list.map(String) };
  });

/** An honest chain of so many chunks, of a fold with this featuresRoot; the salt tells one from the next. */
export const simulatedChain = (
  { modelCommitment, predictionsRoot }: Inference,
  featuresRoot: bigint,
  count: number,
  salt = 100n,
): ProvenChunk[] =>
  simulatedChunks(
    Array.from({ length: count }, (_, i) => {
      const state = (j: number) => (j === 0 || j === count ? 0n : salt + BigInt(j));
      const roots = i === count - 1 ? [featuresRoot, predictionsRoot] : [0n, 0n];
      return [modelCommitment, ...roots, state(i), state(i + 1)];
    }),
  );
