import { createHash } from 'node:crypto';
import { type Hex, keccak256 } from 'viem';
import { HokusaiError } from '../errors.ts';
import { FixedBase } from './curve.ts';
import { fromLittleEndian, inverse, inverseAll, mod, power, Q, R, rootOfUnity, toLittleEndian } from './field.ts';
import type { Combination, R1cs } from './r1cs.ts';

/**
 * The secrets behind a proving key. Whoever knows them can prove anything: production keys come from a ceremony in
 * which nobody learns them.
 */
interface Trapdoor {
  readonly tau: bigint;
  readonly alpha: bigint;
  readonly beta: bigint;
  readonly delta: bigint;
}

/** What the secrets of every development key are derived from. It is public, so these keys prove nothing to anybody. */
export const DEVELOPMENT_SEED = 'hokusai development key, trapdoor known to everybody';

/**
 * Makes the development proving key of a circuit, straight from its constraints and the known trapdoor: the same bytes
 * on every machine, with no powers-of-tau file.
 *
 * @returns the key in snarkjs's `zkey` format for Groth16, piece by piece: whole, it need not fit into memory
 */
export const developmentKey = (r1cs: R1cs): Iterable<Uint8Array> => provingKey(r1cs, DEVELOPMENT_TRAPDOOR);

/** The verification key of {@link developmentKey} alone, in a tenth of the time. */
export const developmentVerificationKey = (r1cs: R1cs): VerificationKey =>
  verificationKey(Buffer.concat([...verificationSide(r1cs, DEVELOPMENT_TRAPDOOR).pieces]));

/** The secrets of every development key. */
export const DEVELOPMENT_TRAPDOOR = trapdoorOf(DEVELOPMENT_SEED);

function trapdoorOf(seed: string): Trapdoor {
  const secret = (name: string) =>
    1n + (BigInt(`0x${createHash('sha512').update(`${seed}:${name}`).digest('hex')}`) % (R - 1n));
  return { tau: secret('tau'), alpha: secret('alpha'), beta: secret('beta'), delta: secret('delta') };
}

/**
 * The key of Groth16 (https://eprint.iacr.org/2016/260, section 3.2) for a trapdoor, with gamma = 1 as snarkjs has it.
 * H holds, as snarkjs's prover wants it, the Lagrange polynomials of the odd points of a domain of twice the size.
 */
function* provingKey(r1cs: R1cs, trapdoor: Trapdoor): Iterable<Uint8Array> {
  const { g1, inputs, bits, polynomials, pieces } = verificationSide(r1cs, trapdoor);
  const { a, b, mixed } = polynomials;
  const perDelta = inverse(trapdoor.delta);
  yield* pieces;
  yield* coefficients(r1cs);
  yield* section(5, g1.multiples(a));
  yield* section(6, g1.multiples(b));
  yield* section(7, new FixedBase('G2').multiples(b));
  yield* section(8, g1.multiples(mixed.slice(inputs).map((value) => (value * perDelta) % R)));
  const odd = lagrangeAt(trapdoor.tau, bits + 1).filter((_, i) => i % 2 === 1);
  yield* section(9, g1.multiples(odd.map((value) => (value * perDelta) % R)));
  // No ceremony took place: no circuit hash to compare with, and no contributions.
  yield* section(10, new Uint8Array(64 + 4));
}

const SECTIONS = 10;

/** The beginning of a key, which is all that the verifier reads, and what the rest is made of. */
function verificationSide(r1cs: R1cs, { tau, alpha, beta, delta }: Trapdoor) {
  const inputs = r1cs.publicSignals + 1;
  const bits = domainBits(r1cs);
  const { a, b, c } = polynomialsAt(r1cs, lagrangeAt(tau, bits));
  const mixed = a.map((_, s) => mod(beta * a[s]! + alpha * b[s]! + c[s]!));
  const header = new Uint8Array(4 + 32 + 4 + 32 + 12);
  const view = new DataView(header.buffer);
  view.setUint32(0, 32, true);
  toLittleEndian(header, 4, Q);
  view.setUint32(36, 32, true);
  toLittleEndian(header, 40, R);
  view.setUint32(72, r1cs.signals, true);
  view.setUint32(76, r1cs.publicSignals, true);
  view.setUint32(80, 1 << bits, true);
  const [g1, g2] = [new FixedBase('G1'), new FixedBase('G2')];
  const [alphaBeta1, delta1] = [g1.multiples([alpha, beta]), g1.multiples([delta])];
  const [beta2, gamma2, delta2] = [g2.multiples([beta]), g2.multiples([1n]), g2.multiples([delta])];
  const pieces = [
    Buffer.from('zkey'),
    Uint8Array.of(1, 0, 0, 0, SECTIONS, 0, 0, 0),
    ...section(1, Uint8Array.of(1, 0, 0, 0)),
    ...section(2, header, alphaBeta1, beta2, gamma2, delta1, delta2),
    ...section(3, g1.multiples(mixed.slice(0, inputs))),
  ];
  return { g1, inputs, bits, polynomials: { a, b, mixed }, pieces };
}

/** The domain has 2^bits points: one for each constraint, one for each public signal and one for the constant. */
export const domainBits = (r1cs: R1cs): number => 32 - Math.clz32(r1cs.constraints.length + r1cs.publicSignals);

/** A section's head, then its parts. */
function section(id: number, ...parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const head = new Uint8Array(12);
  new DataView(head.buffer).setUint32(0, id, true);
  new DataView(head.buffer).setBigUint64(4, BigInt(parts.reduce((sum, part) => sum + part.length, 0)), true);
  return [head, ...parts];
}

/** L_i(tau) = (tau^n - 1) / n * w^i / (tau - w^i) for all n = 2^bits points of the domain. */
export function lagrangeAt(tau: bigint, bits: number): bigint[] {
  const root = rootOfUnity(bits);
  const points: bigint[] = [1n];
  for (let i = 1; i < 1 << bits; i++) points.push((points[i - 1]! * root) % R);
  const scale = mod((power(tau, 1n << BigInt(bits)) - 1n) * inverse(1n << BigInt(bits)));
  const inverses = inverseAll(points.map((point) => mod(tau - point)));
  return points.map((point, i) => (((scale * point) % R) * inverses[i]!) % R);
}

/** The polynomials A, B and C of each signal at tau, given the Lagrange polynomials there. */
export function polynomialsAt(r1cs: R1cs, lagrange: readonly bigint[]): Record<'a' | 'b' | 'c', bigint[]> {
  const zeros = () => new Array<bigint>(r1cs.signals).fill(0n);
  const [a, b, c] = [zeros(), zeros(), zeros()];
  const add = (sums: bigint[], { signals, values }: Combination, at: bigint) => {
    for (const [k, signal] of signals.entries()) sums[signal] = (sums[signal]! + values[k]! * at) % R;
  };
  for (const [i, constraint] of r1cs.constraints.entries()) {
    add(a, constraint[0], lagrange[i]!);
    add(b, constraint[1], lagrange[i]!);
    add(c, constraint[2], lagrange[i]!);
  }
  // One more row for each public signal keeps their polynomials independent, so that no proof fits other inputs.
  for (let s = 0; s <= r1cs.publicSignals; s++) a[s] = (a[s]! + lagrange[r1cs.constraints.length + s]!) % R;
  return { a, b, c };
}

/** Section 4: the entries of A and B as the prover evaluates them; values carry the factor 2^512 that snarkjs expects. */
function coefficients({ constraints, publicSignals }: R1cs): readonly Uint8Array[] {
  const entries = constraints.reduce((sum, [a, b]) => sum + a.signals.length + b.signals.length, publicSignals + 1);
  const bytes = new Uint8Array(4 + 44 * entries);
  const view = new DataView(bytes.buffer);
  const factor = power(2n, 512n);
  view.setUint32(0, entries, true);
  let position = 4;
  const put = (matrix: number, row: number, { signals, values }: Combination) => {
    for (const [k, signal] of signals.entries()) {
      view.setUint32(position, matrix, true);
      view.setUint32(position + 4, row, true);
      view.setUint32(position + 8, signal, true);
      toLittleEndian(bytes, position + 12, (values[k]! * factor) % R);
      position += 44;
    }
  };
  for (const [row, [a, b]] of constraints.entries()) {
    put(0, row, a);
    put(1, row, b);
  }
  for (let s = 0; s <= publicSignals; s++) {
    put(0, constraints.length + s, { signals: Uint32Array.of(s), values: [1n] });
  }
  return section(4, bytes);
}

/** A Groth16 verification key as snarkjs writes it, without the precomputed pairing `vk_alphabeta_12`. */
export type VerificationKey = {
  readonly protocol: 'groth16';
  readonly curve: 'bn128';
  readonly nPublic: number;
  readonly vk_alpha_1: readonly string[];
  readonly vk_beta_2: readonly (readonly string[])[];
  readonly vk_gamma_2: readonly (readonly string[])[];
  readonly vk_delta_2: readonly (readonly string[])[];
  readonly IC: readonly (readonly string[])[];
};

/**
 * A section of a proving key: 2 is the header, 3 what public signals are multiplied with, 10 the contributions.
 *
 * @throws HokusaiError `KEY_FORMAT` (terminal) when it is not there once and whole, or the bytes are no key over BN254.
 */
export function sectionOf(zkey: Uint8Array, wanted: number): Uint8Array {
  const view = new DataView(zkey.buffer, zkey.byteOffset, zkey.byteLength);
  const found: Uint8Array[] = [];
  if (zkey.length > 12 && Buffer.from(zkey.subarray(0, 4)).toString() === 'zkey') {
    for (let position = 12; position + 12 <= zkey.length; ) {
      const [id, length] = [view.getUint32(position, true), Number(view.getBigUint64(position + 4, true))];
      position += 12;
      if (id === wanted && position + length <= zkey.length) found.push(zkey.subarray(position, position + length));
      position += length;
    }
  }
  // Where there are two, programs could differ about which they read.
  if (found.length !== 1 || (wanted === 2 && (found[0]!.length < 660 || fromLittleEndian(found[0]!, 4) !== Q))) {
    throw new HokusaiError('terminal', 'KEY_FORMAT', 'These bytes are not a Groth16 proving key over BN254.');
  }
  return found[0]!;
}

/** 1 / 2^256 modulo Q: coordinates of points are kept in Montgomery form. */
const PER_MONTGOMERY = inverseModQ(2n ** 256n % Q);

/** The coordinate of a point, in 0..Q-1, that 32 bytes of a proving key stand for. */
export const coordinateAt = (bytes: Uint8Array, offset: number): bigint =>
  (fromLittleEndian(bytes, offset) * PER_MONTGOMERY) % Q;

/**
 * Reads the verification key out of a proving key.
 *
 * @throws HokusaiError `KEY_FORMAT` (terminal) when the bytes are no Groth16 proving key over BN254.
 */
export function verificationKey(zkey: Uint8Array): VerificationKey {
  const [header, ic] = [sectionOf(zkey, 2), sectionOf(zkey, 3)];
  const g1 = (bytes: Uint8Array, offset: number) => [
    ...[0, 32].map((at) => coordinateAt(bytes, offset + at).toString()),
    '1',
  ];
  const g2 = (offset: number) => {
    const [x0, x1, y0, y1] = [0, 32, 64, 96].map((at) => coordinateAt(header, offset + at).toString());
    return [
      [x0!, x1!],
      [y0!, y1!],
      ['1', '0'],
    ];
  };
  const nPublic = new DataView(header.buffer, header.byteOffset).getUint32(76, true);
  return {
    protocol: 'groth16',
    curve: 'bn128',
    nPublic,
    vk_alpha_1: g1(header, 84),
    vk_beta_2: g2(84 + 128),
    vk_gamma_2: g2(84 + 256),
    vk_delta_2: g2(84 + 448),
    IC: Array.from({ length: nPublic + 1 }, (_, i) => g1(ic, 64 * i)),
  };
}

function inverseModQ(value: bigint): bigint {
  let [a, b, x, y] = [value, Q, 1n, 0n];
  while (b > 0n) {
    const quotient = a / b;
    [a, b, x, y] = [b, a - quotient * b, y, x - quotient * y];
  }
  return ((x % Q) + Q) % Q;
}

/**
 * A verification key as CircuitRegistry keeps it: 32-byte words, G2 coordinates with the imaginary part first, as the
 * pairing precompile orders them (EIP-197): alpha, beta, gamma, delta, then IC.
 */
export function encodeVerificationKey(key: VerificationKey): Hex {
  const g1 = ([x, y]: readonly string[]) => [x!, y!];
  const g2 = ([x, y]: readonly (readonly string[])[]) => [x![1]!, x![0]!, y![1]!, y![0]!];
  const words = [key.vk_alpha_1].flatMap(g1);
  words.push(...[key.vk_beta_2, key.vk_gamma_2, key.vk_delta_2].flatMap(g2), ...key.IC.flatMap(g1));
  return `0x${words.map((word) => BigInt(word).toString(16).padStart(64, '0')).join('')}`;
}

/** The verification key that CircuitRegistry keeps: what {@link encodeVerificationKey} made of it. */
export function decodeVerificationKey(bytes: Hex): VerificationKey {
  const words = (bytes.slice(2).match(/.{64}/g) ?? []).map((word) => BigInt(`0x${word}`).toString());
  const g1 = (at: number) => [words[at]!, words[at + 1]!, '1'];
  const g2 = (at: number) => [
    [words[at + 1]!, words[at]!],
    [words[at + 3]!, words[at + 2]!],
    ['1', '0'],
  ];
  const nPublic = (words.length - 14) / 2 - 1;
  return {
    protocol: 'groth16',
    curve: 'bn128',
    nPublic,
    vk_alpha_1: g1(0),
    vk_beta_2: g2(2),
    vk_gamma_2: g2(6),
    vk_delta_2: g2(10),
    IC: Array.from({ length: nPublic + 1 }, (_, i) => g1(14 + 2 * i)),
  };
}

/** The name of a circuit with its keys: the hash of the verification key's bytes on-chain. */
export const circuitId = (key: VerificationKey): Hex => keccak256(encodeVerificationKey(key));
