import { createHmac } from 'node:crypto';
import { buildPoseidon } from 'circomlibjs';
import { canonicalJson } from './canonical.ts';
import type { Model } from './train/model.ts';

/** Poseidon over BN254's scalar field with 1 to 16 inputs, as circomlib's circuits compute it. */
export type Poseidon = (inputs: readonly bigint[]) => bigint;

let poseidonLoaded: Promise<Poseidon> | undefined;

/** Loads Poseidon once; its tables take a second to build. */
export function loadPoseidon(): Promise<Poseidon> {
  poseidonLoaded ??= buildPoseidon().then((hash) => (inputs) => hash.F.toObject(hash([...inputs])));
  return poseidonLoaded;
}

/** Rows of one block. Every circuit absorbs the same blocks, so a vector has one root everywhere. */
export const BLOCK_ROWS = 240;

/** An ASCII name as the integer of its bytes: keeps hashes of different things apart, here and in the circuits. */
export const tag = (name: string): bigint => BigInt(`0x${Buffer.from(name, 'ascii').toString('hex')}`);

/** What a commitment is to; the name is its tag. `linear` holds a linear model's bias and weights. */
export type VectorName = 'labels' | 'predictions' | 'features' | Model['family'];

/** n rows of one value or of several, each of `laneBits` bits, with the salt that hides them. */
export interface Vector {
  readonly name: VectorName;
  /** Bits of one value; each value is in 0..2^laneBits - 1. */
  readonly laneBits: 1 | 8 | 16 | 32;
  /** One vector of n values, or several of equal length. */
  readonly columns: readonly ArrayLike<number>[];
  /** Secret of the owner, in 0..R-1. */
  readonly salt: bigint;
}

/** Bits of a field element that are packed: 240 bits, 30 bytes or 15 values of 16 bits, so that blocks are of whole elements. */
const ELEMENT_BITS = 240;

/** How a vector is cut: rows of a block, and elements absorbed by one Poseidon where a block has more than one. */
export interface Shape {
  readonly blockRows: number;
  readonly width: number;
}

const SHAPE: Shape = { blockRows: BLOCK_ROWS, width: 15 };

/**
 * The Poseidon root of a vector: s = Poseidon(tag, n, encoding, salt), then its blocks of 240 rows are absorbed one after
 * another. A block of one element: s = Poseidon(s, element). Of several, those of all columns in turn: groups of 15, the
 * last one filled with zeros, each s = Poseidon(s, group). An element packs floor(240 / laneBits) values, the first in its
 * lowest bits; a block's elements are complete, with zeros after row n. encoding = laneBits + 256 (groups of a block - 1).
 * The twin of `circuits/block-commitment.circom`.
 */
export async function vectorRoot(vector: Vector): Promise<bigint> {
  const states = await vectorStates(vector);
  return states.at(-1)!;
}

/**
 * The state of a vector's commitment before its first block and after each; the last one is the root.
 *
 * @param shape another one for a circuit that is made small for a test
 */
export async function vectorStates({ name, laneBits, columns, salt }: Vector, shape: Shape = SHAPE): Promise<bigint[]> {
  const { blockRows, width } = shape;
  const poseidon = await loadPoseidon();
  const rows = columns[0]!.length;
  const encoding = laneBits + 256 * (groupsOfBlock(columns.length, laneBits, shape) - 1);
  const states = [poseidon([tag(name), BigInt(rows), BigInt(encoding), salt])];
  for (let start = 0; start < rows; start += blockRows) {
    const elements = columns.flatMap((column) => pack(column, start, laneBits, blockRows));
    while (elements.length > 1 && elements.length % width !== 0) elements.push(0n);
    let state = states.at(-1)!;
    for (let at = 0; at < elements.length; at += width) state = poseidon([state, ...elements.slice(at, at + width)]);
    states.push(state);
  }
  return states;
}

/** How many times a block of so many columns is absorbed. */
export const groupsOfBlock = (columns: number, laneBits: number, { blockRows, width }: Shape = SHAPE): number =>
  Math.ceil((columns * Math.ceil(blockRows / Math.floor(ELEMENT_BITS / laneBits))) / width);

/** The elements of one column's block that begins at row `start`. */
function pack(column: ArrayLike<number>, start: number, laneBits: number, blockRows: number): bigint[] {
  const lanes = Math.floor(ELEMENT_BITS / laneBits);
  return Array.from({ length: Math.ceil(blockRows / lanes) }, (_, element) => {
    const first = start + element * lanes;
    const end = Math.min(first + lanes, start + blockRows, column.length);
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
export const parametersOf = (model: Model): number[] => [model.bias, ...model.weights].map((value) => value + 2 ** 31);

export const modelCommitment = (model: Model, salt: bigint): Promise<bigint> =>
  vectorRoot({ name: model.family, laneBits: 32, columns: [parametersOf(model)], salt });
