import { createHmac } from 'node:crypto';
import { buildPoseidon } from 'circomlibjs';
import { canonicalJson } from './canonical.ts';
import type { LinearModel } from './train/linear.ts';

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

/** What a commitment is to; the name is its tag. `linear` holds a linear model's bias and weights. */
export type VectorName = 'labels' | 'predictions' | 'features' | 'linear';

/** n rows of one value or of several, each of `laneBits` bits, with the salt that hides them. */
export interface Vector {
  readonly name: VectorName;
  /** Bits of one value; each value is in 0..2^laneBits - 1. */
  readonly laneBits: 1 | 8 | 32;
  /** One vector of n values, or several of equal length. */
  readonly columns: readonly ArrayLike<number>[];
  /** Secret of the owner, in 0..R-1. */
  readonly salt: bigint;
}

/** Bits of a field element that are packed: the most whole bytes below the field's 254 bits. */
const ELEMENT_BITS = 248;

/** Elements absorbed by one Poseidon beside the state. */
const WIDTH = 15;

/**
 * The Poseidon root of a vector: s = Poseidon(tag, n, laneBits, salt), then for each block of 248 rows, of all columns
 * in turn, the block's elements are absorbed, up to 15 at a time: s = Poseidon(s, elements). An element packs
 * floor(248 / laneBits) values, the first in its lowest bits; a block's elements are complete, with zeros after row n.
 * For bits the twin of `circuits/block-commitment.circom`.
 */
export async function vectorRoot({ name, laneBits, columns, salt }: Vector): Promise<bigint> {
  const poseidon = await loadPoseidon();
  const rows = columns[0]!.length;
  let state = poseidon([tag(name), BigInt(rows), BigInt(laneBits), salt]);
  for (let start = 0; start < rows; start += BLOCK_ROWS) {
    const elements = columns.flatMap((column) => pack(column, start, laneBits));
    for (let at = 0; at < elements.length; at += WIDTH) state = poseidon([state, ...elements.slice(at, at + WIDTH)]);
  }
  return state;
}

/** The elements of one column's block that begins at row `start`. */
function pack(column: ArrayLike<number>, start: number, laneBits: number): bigint[] {
  const lanes = Math.floor(ELEMENT_BITS / laneBits);
  return Array.from({ length: Math.ceil(BLOCK_ROWS / lanes) }, (_, element) => {
    const first = start + element * lanes;
    const end = Math.min(first + lanes, start + BLOCK_ROWS, column.length);
    let packed = 0n;
    for (let row = end - 1; row >= first; row--) packed = (packed << BigInt(laneBits)) | BigInt(column[row]!);
    return packed;
  });
}

/**
 * A salt that only the holder of `secret` can make: the first 248 bits of HMAC-SHA-256 over the names and hashes that say
 * what it is for.
 */
export function saltOf(secret: Uint8Array, ...purpose: readonly string[]): bigint {
  const mac = createHmac('sha256', secret).update(canonicalJson(purpose)).digest('hex');
  return BigInt(`0x${mac}`) >> 8n;
}

/** What a model is committed to by: bias and weights as 32-bit lanes, 2^31 added to each. */
export function modelCommitment(model: LinearModel, salt: bigint): Promise<bigint> {
  const parameters = [model.bias, ...model.weights].map((value) => value + 2 ** 31);
  return vectorRoot({ name: 'linear', laneBits: 32, columns: [parameters], salt });
}
