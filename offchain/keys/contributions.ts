import { createHash } from 'node:crypto';
import { HokusaiError } from '../errors.ts';
import { coordinateAt, sectionOf } from '../prove/keys.ts';

/** What somebody, or a beacon, did to a key's delta. */
export interface Contribution {
  /** As who contributed says; no hash holds it. */
  readonly name: string;
  /** Hash that snarkjs names a contribution by: blake2b-512 of its points, and so of all before it. */
  readonly hash: string;
  /** Where it follows from a public value: that value in hexadecimal, and the power of two of how often it was hashed. */
  readonly beacon?: { readonly value: string; readonly iterations: number };
}

const G1 = 64;
const G2 = 128;
/** deltaAfter, s G1, s x G1, s' x G2, and the hash of what came before. */
const FIXED = 3 * G1 + G2 + 64;

/**
 * The contributions to a proving key, in their order: section 10 of the file. Whether they are right is not looked at.
 *
 * @throws HokusaiError `KEY_FORMAT` (terminal) when the bytes are no Groth16 proving key
 */
export function contributionsOf(zkey: Uint8Array): Contribution[] {
  const section = sectionOf(zkey, 10);
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  try {
    let position = 68;
    return Array.from({ length: view.getUint32(64, true) }, () => {
      const fixed = section.subarray(position, position + FIXED);
      const beacon = view.getUint32(position + FIXED, true) === 1;
      const length = view.getUint32(position + FIXED + 4, true);
      const parameters = parametersOf(section.subarray(position + FIXED + 8, position + FIXED + 8 + length));
      position += FIXED + 8 + length;
      const name = Buffer.from(parameters.get(1) ?? []).toString();
      const made = { name, hash: hashOf(fixed) };
      if (!beacon) return made;
      const value = Buffer.from(parameters.get(3)!).toString('hex');
      return { ...made, beacon: { value, iterations: parameters.get(2)![0]! } };
    });
  } catch (error) {
    throw new HokusaiError('terminal', 'KEY_FORMAT', 'The contributions of the proving key end before they should.', {
      cause: error,
    });
  }
}

/** Each a byte that says what it is: 1 a name and 3 a beacon, with their lengths before them, 2 a number of one byte. */
function parametersOf(bytes: Uint8Array): Map<number, Uint8Array> {
  const parameters = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length; ) {
    const [type, next] = [bytes[at]!, bytes[at + 1]!];
    const [first, length] = type === 2 ? [at + 1, 1] : [at + 2, next];
    parameters.set(type, bytes.subarray(first, first + length));
    at = first + length;
  }
  return parameters;
}

/** Points are hashed as numbers with the highest byte first, and of G2 the imaginary part first. */
function hashOf(fixed: Uint8Array): string {
  const coordinate = (at: number) => Buffer.from(coordinateAt(fixed, at).toString(16).padStart(64, '0'), 'hex');
  const g1 = [0, 1, 2, 3, 4, 5].map((i) => coordinate(32 * i));
  const g2 = [1, 0, 3, 2].map((i) => coordinate(3 * G1 + 32 * i));
  return createHash('blake2b512')
    .update(Buffer.concat([...g1, ...g2, fixed.subarray(FIXED - 64)]))
    .digest('hex');
}
