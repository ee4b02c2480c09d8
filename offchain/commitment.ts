import { buildPoseidon } from 'circomlibjs';

/** Poseidon over BN254's scalar field with 1 to 16 inputs, as circomlib's circuits compute it. */
export type Poseidon = (inputs: readonly bigint[]) => bigint;

let poseidonLoaded: Promise<Poseidon> | undefined;

/** Loads Poseidon once; its tables take a second to build. */
export function loadPoseidon(): Promise<Poseidon> {
  poseidonLoaded ??= buildPoseidon().then((hash) => (inputs) => hash.F.toObject(hash([...inputs])));
  return poseidonLoaded;
}

/** Rows of one block. Every circuit absorbs the same blocks, so a vector has one root everywhere. */
export const BLOCK_ROWS = 248;

/** An ASCII name as the integer of its bytes: keeps hashes of different things apart, here and in the circuits. */
export const tag = (name: string): bigint => BigInt(`0x${Buffer.from(name, 'ascii').toString('hex')}`);

/** What a vector may be; the name is its tag. */
export type VectorName = 'labels' | 'predictions';

/** A vector of n rows of `laneBits` bits each, with the salt that hides it. */
export interface Vector {
  readonly name: VectorName;
  /** Bits of one row; each value is in 0..2^laneBits - 1. */
  readonly laneBits: 1;
  readonly values: ArrayLike<number>;
  /** Secret of the vector's owner, in 0..R-1. */
  readonly salt: bigint;
}

/**
 * The Poseidon root of a vector: s(0) = Poseidon(tag, n, laneBits, salt), s(i+1) = Poseidon(s(i), block i), where a
 * block packs 248 rows, row j at bit j. The twin of `circuits/block-commitment.circom`.
 */
export async function vectorRoot({ name, laneBits, values, salt }: Vector): Promise<bigint> {
  const poseidon = await loadPoseidon();
  let state = poseidon([tag(name), BigInt(values.length), BigInt(laneBits), salt]);
  for (let start = 0; start < values.length; start += BLOCK_ROWS) {
    let block = 0n;
    for (let j = Math.min(BLOCK_ROWS, values.length - start) - 1; j >= 0; j--) {
      block = (block << BigInt(laneBits)) | BigInt(values[start + j]!);
    }
    state = poseidon([state, block]);
  }
  return state;
}
