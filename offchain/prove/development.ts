import { bn254 } from '@noble/curves/bn254.js';
import { Q } from './field.ts';
import { DEVELOPMENT_TRAPDOOR, domainBits, lagrangeAt, polynomialsAt, type VerificationKey } from './keys.ts';
import type { R1cs } from './r1cs.ts';

const { Point: G1 } = bn254.G1;
const { Point: G2 } = bn254.G2;

/**
 * Whether a key was made with the alpha or the beta of the development keys, whatever was contributed to it since.
 *
 * @throws Error where a point of the key is not on its curve
 */
export const hasDevelopmentAlphaOrBeta = (key: VerificationKey): boolean =>
  pointOfG1(key.vk_alpha_1).equals(G1.BASE.multiply(DEVELOPMENT_TRAPDOOR.alpha)) ||
  pointOfG2(key.vk_beta_2).equals(G2.BASE.multiply(DEVELOPMENT_TRAPDOOR.beta));

/**
 * Whether a circuit's key was made with the tau of the development keys, whatever alpha and beta are and whatever was
 * contributed to delta since.
 *
 * Who knows tau can forge proofs, and needs no other secret: for any witness, right or wrong, h = (a b - c) / t(tau) is a
 * number, and the key itself holds t(tau) / delta in the exponent to multiply it with. So delta's ceremony mends nothing.
 * What gives tau away is IC_0 = beta a_0(tau) + alpha b_0(tau) + c_0(tau): with gamma = 1, which snarkjs's keys have, it
 * can be checked by a pairing, e(IC_0 - b_0 alpha - c_0, G2) = e(a_0 G1, beta).
 *
 * @throws Error where a point of the key is not on its curve
 */
export function hasDevelopmentTau(key: VerificationKey, r1cs: R1cs): boolean {
  if (key.nPublic !== r1cs.publicSignals) return false;
  const { a, b, c } = polynomialsAt(r1cs, lagrangeAt(DEVELOPMENT_TRAPDOOR.tau, domainBits(r1cs)));
  const rest = pointOfG1(key.IC[0]!)
    .subtract(times(pointOfG1(key.vk_alpha_1), b[0]!))
    .subtract(times(G1.BASE, c[0]!));
  const [left, right] = [rest, times(G1.BASE, a[0]!).negate()];
  if (left.is0() || right.is0()) return left.is0() && right.is0();
  const pairs = [
    { g1: left, g2: G2.BASE },
    { g1: right, g2: pointOfG2(key.vk_beta_2) },
  ];
  return bn254.fields.Fp12.eql(bn254.pairingBatch(pairs), bn254.fields.Fp12.ONE);
}

const times = (point: InstanceType<typeof G1>, scalar: bigint) => (scalar === 0n ? G1.ZERO : point.multiply(scalar));

function pointOfG1([x, y]: readonly string[]) {
  const point = G1.fromAffine({ x: coordinate(x), y: coordinate(y) });
  point.assertValidity();
  return point;
}

function pointOfG2([x, y]: readonly (readonly string[])[]) {
  const pair = (parts: readonly string[] | undefined) => ({ c0: coordinate(parts?.[0]), c1: coordinate(parts?.[1]) });
  const point = G2.fromAffine({ x: pair(x), y: pair(y) });
  point.assertValidity();
  return point;
}

function coordinate(text: string | undefined): bigint {
  const value = BigInt(text!);
  if (value >= Q) throw new RangeError('no coordinate of a point of BN254');
  return value;
}
