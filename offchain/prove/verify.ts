import { bn254 } from '@noble/curves/bn254.js';
import { Q, R } from './field.ts';
import type { VerificationKey } from './keys.ts';
import type { Groth16Proof } from './prove.ts';

const { Fp12 } = bn254.fields;

/**
 * Whether a proof proves the statement that its public signals make: e(A, B) = e(alpha, beta) e(sum, gamma) e(C, delta).
 *
 * An implementation of its own, sharing no code with the prover or with the contract. False, never an error, for
 * anything malformed: a number that is no canonical decimal, a signal of R or more, a point that is not in its group.
 */
export function verifyProof(key: VerificationKey, publicSignals: readonly string[], proof: Groth16Proof): boolean {
  if (publicSignals.length !== key.nPublic || key.IC.length !== key.nPublic + 1) return false;
  try {
    const signals = publicSignals.map((signal) => decimal(signal, R));
    let sum = g1(key.IC[0]!);
    for (const [i, signal] of signals.entries()) {
      if (signal > 0n) sum = sum.add(g1(key.IC[i + 1]!).multiply(signal));
    }
    const product = bn254.pairingBatch([
      { g1: g1(proof.pi_a).negate(), g2: g2(proof.pi_b) },
      { g1: g1(key.vk_alpha_1), g2: g2(key.vk_beta_2) },
      { g1: sum, g2: g2(key.vk_gamma_2) },
      { g1: g1(proof.pi_c), g2: g2(key.vk_delta_2) },
    ]);
    return Fp12.eql(product, Fp12.ONE);
  } catch {
    // The library throws for points off the curve or outside their group: such a proof is not valid.
    return false;
  }
}

function decimal(text: string | undefined, bound: bigint): bigint {
  if (text === undefined || !/^(0|[1-9]\d{0,77})$/.test(text)) throw new RangeError('no canonical decimal number');
  const value = BigInt(text);
  if (value >= bound) throw new RangeError('not below the bound');
  return value;
}

function g1([x, y, z]: readonly string[]) {
  const point = bn254.G1.Point.fromAffine({ x: decimal(x, Q), y: decimal(y, Q) });
  if (z !== '1') throw new RangeError('not affine');
  point.assertValidity();
  return point;
}

function g2([x, y, z]: readonly (readonly string[])[]) {
  const coordinate = (pair: readonly string[] | undefined) => ({
    c0: decimal(pair?.[0], Q),
    c1: decimal(pair?.[1], Q),
  });
  const point = bn254.G2.Point.fromAffine({ x: coordinate(x), y: coordinate(y) });
  if (z?.[0] !== '1' || z[1] !== '0') throw new RangeError('not affine');
  point.assertValidity();
  return point;
}
