import { createHmac } from 'node:crypto';
import { canonicalJson } from './canonical.ts';
import type { Features } from './table/quantise.ts';

/** Poseidon over BN254's scalar field with 1 to 16 inputs, as circomlib's circuits compute it. */
export type Poseidon = (inputs: readonly bigint[]) => bigint;

let poseidonLoaded: Promise<Poseidon> | undefined;

/** Loads Poseidon once; its tables take a second to build. */
export function loadPoseidon(): Promise<Poseidon> {
  poseidonLoaded ??= buildPoseidon();
  return poseidonLoaded;
}

async function buildPoseidon(): Promise<Poseidon> {
  // Loaded here, because a run that takes its results from the cache hashes nothing.
  const hash = await (await import('circomlibjs')).buildPoseidon();
  return (inputs) => hash.F.toObject(hash([...inputs]));
}

/** Rows of one block of labels or predictions. Every circuit absorbs the same blocks, so a vector has one root everywhere. */
export const BLOCK_ROWS = 240;

/** An ASCII name as the integer of its bytes: keeps hashes of different things apart, here and in the circuits. */
export const tag = (name: string): bigint => BigInt(`0x${Buffer.from(name, 'ascii').toString('hex')}`);

/** How a commitment is cut: rows of a block, and elements absorbed by one Poseidon where a block has more than one. */
export interface Shape {
  readonly blockRows: number;
  readonly width: number;
}

const SHAPE: Shape = { blockRows: BLOCK_ROWS, width: 15 };

/** n values of `laneBits` bits each, with the salt that hides them. */
export interface Vector {
  /** What the commitment is to; the name is its tag. */
  readonly name: 'labels' | 'predictions';
  /** 1 for two classes, 8 for more, 16 for the values of a regression; each value is in 0..2^laneBits - 1. */
  readonly laneBits: LaneBits;
  readonly values: ArrayLike<number>;
  /** Secret of the owner, in 0..R-1. */
  readonly salt: bigint;
}

export type LaneBits = 1 | 8 | 16;

/**
 * The Poseidon root of a vector: s = Poseidon(tag, n, encoding, salt), then its blocks of 240 rows are absorbed one after
 * another. A block of one element: s = Poseidon(s, element). Of several: groups of 15, the last one filled with zeros, each
 * s = Poseidon(s, group). An element packs floor(240 / laneBits) values, the first in its lowest bits; a block's elements
 * are complete, with zeros after row n. encoding = laneBits + 256 (groups of a block - 1).
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
export async function vectorStates(
  { name, laneBits, values, salt }: Vector,
  { blockRows, width }: Shape = SHAPE,
): Promise<bigint[]> {
  const poseidon = await loadPoseidon();
  const elements = Math.ceil(blockRows / lanesOf(laneBits));
  const encoding = laneBits + 256 * (elements === 1 ? 0 : Math.ceil(elements / width) - 1);
  const states = [poseidon([tag(name), BigInt(values.length), BigInt(encoding), salt])];
  for (let start = 0; start < values.length; start += blockRows) {
    const block = packBlock(values, laneBits, start, values.length, blockRows);
    states.push(elements === 1 ? poseidon([states.at(-1)!, ...block]) : absorb(poseidon, states.at(-1)!, block, width));
  }
  return states;
}

const lanesOf = (laneBits: number) => Math.floor(240 / laneBits);

/** The elements of a vector's block that begins at row `start`, with zeros from row `end` on. */
export function packBlock(
  values: ArrayLike<number>,
  laneBits: LaneBits,
  start: number,
  end: number,
  blockRows: number,
): bigint[] {
  const lanes = lanesOf(laneBits);
  return Array.from({ length: Math.ceil(blockRows / lanes) }, (_, element) => {
    const first = start + element * lanes;
    const behind = Math.min(first + lanes, start + blockRows, end);
    return pack(
      Array.from({ length: Math.max(behind - first, 0) }, (_, i) => values[first + i]!),
      laneBits,
    );
  });
}

/** Values side by side in one integer, the first in its lowest bits. */
function pack(values: readonly number[], bits: number): bigint {
  return values.reduceRight((packed, value) => (packed << BigInt(bits)) | BigInt(value), 0n);
}

/** Absorbs elements in groups of `width`, the last one filled with zeros. The twin of `AbsorbGroups`. */
export function absorb(poseidon: Poseidon, state: bigint, elements: readonly bigint[], width = SHAPE.width): bigint {
  let next = state;
  for (let at = 0; at < elements.length; at += width) {
    const group = elements.slice(at, at + width);
    next = poseidon([next, ...group, ...new Array<bigint>(width - group.length).fill(0n)]);
  }
  return next;
}

/** Bits that an element of features has at most. */
const ELEMENT_BITS = 248;

/**
 * Bits of a feature in its element, for models of a family: 8, side by side with others of its row. A linear model weighs a
 * feature of several rows at once, so they stand as far apart as scores are wide: |bias| + 255 |weights| is below half of
 * that.
 */
export function featureBitsOf(family: string): number {
  if (family === 'linear') return 26;
  return family === 'linear-regression' ? 31 : 8;
}

/** Rows whose features an element holds. */
export const elementRows = (bits: number): number => (bits === 8 ? 1 : Math.floor(ELEMENT_BITS / bits));

/** Rows of a block of features. */
export const featureBlockRows = (bits: number, width = SHAPE.width): number => (bits === 8 ? width : elementRows(bits));

/** Groups of elements of a block of so many features. */
export const featureGroups = (columns: number, bits: number, width = SHAPE.width): number =>
  Math.ceil(columns / (bits === 8 ? ELEMENT_BITS / 8 : width));

/**
 * The root of a fold's features: s = Poseidon("features", n, bits + 256 (groups of a block - 1), salt), then its blocks one
 * after another, each group as s = Poseidon(s, 15 elements). Where bits is 8, an element packs 31 features of a row, and
 * group g of a block of 15 rows holds element g of each. Else it packs one feature of each row of a block, `bits` bits each,
 * and group g holds the elements of features 15 g and on. The first is in the lowest bits; behind the last row or feature
 * are zeros. The twin of `AbsorbRows` and `AbsorbColumns`.
 */
export async function featuresRoot(features: Features, salt: bigint, bits: number): Promise<bigint> {
  const states = await featuresStates(features, salt, bits);
  return states.at(-1)!;
}

/** The state of the features' commitment before the first block and after each; the last one is the root. */
export async function featuresStates(
  features: Features,
  salt: bigint,
  bits: number,
  { width }: Shape = SHAPE,
): Promise<bigint[]> {
  const poseidon = await loadPoseidon();
  const { rows, columns } = features;
  const groups = featureGroups(columns.length, bits, width);
  const states = [poseidon([tag('features'), BigInt(rows), BigInt(bits + 256 * (groups - 1)), salt])];
  for (let start = 0; start < rows; start += featureBlockRows(bits, width)) {
    let state = states.at(-1)!;
    for (let group = 0; group < groups; group++) {
      const element = (k: number) =>
        bits === 8 ? rowElement(features, start + k, group) : columnElement(features, start, group * width + k, bits);
      state = poseidon([state, ...Array.from({ length: width }, (_, k) => element(k))]);
    }
    states.push(state);
  }
  return states;
}

/** The bytes of a row in an element; 0 behind the last row. */
function rowElement({ rows, columns, values }: Features, row: number, group: number): bigint {
  const from = (group * ELEMENT_BITS) / 8;
  const count = row < rows ? Math.min(ELEMENT_BITS / 8, columns.length - from) : 0;
  return pack(
    Array.from({ length: count }, (_, k) => values[(from + k) * rows + row]!),
    8,
  );
}

/** A feature of the rows from `start` on, as many as an element holds; 0 behind the last feature. */
export function columnElement(
  { rows, columns, values }: Features,
  start: number,
  column: number,
  bits: number,
): bigint {
  const count = column < columns.length ? Math.max(0, Math.min(elementRows(bits), rows - start)) : 0;
  return pack(
    Array.from({ length: count }, (_, k) => values[column * rows + start + k]!),
    bits,
  );
}

/** What a model is committed to by: its family, its sizes, and the parameters of each of its units. */
export interface Parameters {
  readonly family: string;
  /** The numbers of inputs, outputs and so on that say how many units there are, and how long. */
  readonly sizes: readonly number[];
  /** A unit is what is added, then a weight for each of its inputs: signed integers of magnitude below 2^31. */
  readonly units: readonly (readonly number[])[];
}

/**
 * The commitment to a model: s = Poseidon(tag of the family, sizes..., salt), then its units one after another. A unit's
 * parameters are packed with 2^31 added, 32 bits each, seven an element, and absorbed in groups of 15 elements, the last
 * one filled with zeros. The twin of `AbsorbUnit`.
 */
export async function parametersRoot(
  { family, sizes, units }: Parameters,
  salt: bigint,
  { width }: Shape = SHAPE,
): Promise<bigint> {
  const poseidon = await loadPoseidon();
  let state = poseidon([tag(family), ...sizes.map(BigInt), salt]);
  for (const unit of units) {
    const lanes = unit.map((parameter) => parameter + 2 ** 31);
    const elements = Array.from({ length: Math.ceil(lanes.length / 7) }, (_, e) =>
      pack(lanes.slice(7 * e, 7 * e + 7), 32),
    );
    state = absorb(poseidon, state, elements, width);
  }
  return state;
}

/**
 * A salt that only the holder of `secret` can make: the first 248 bits of HMAC-SHA-256 over the names and hashes that say
 * what it is for.
 */
export function saltOf(secret: Uint8Array, ...purpose: readonly string[]): bigint {
  const mac = createHmac('sha256', secret).update(canonicalJson(purpose)).digest('hex');
  return BigInt(`0x${mac}`) >> 8n;
}

/** A model of one unit: a classifier or a regression. */
export interface Linear {
  readonly family: 'linear' | 'linear-regression';
  readonly bias: number;
  readonly weights: readonly number[];
}

/** A model of one layer of units, or two: a classifier of several classes, or a perceptron. */
export interface Dense {
  readonly family: 'dense';
  readonly hidden: readonly Unit[];
  readonly outputs: readonly Unit[];
}

type Unit = Omit<Linear, 'family'>;

export function parametersOf(model: Linear | Dense): Parameters {
  const parameters = ({ bias, weights }: Unit) => [bias, ...weights];
  const { family } = model;
  if (family !== 'dense') return { family, sizes: [model.weights.length], units: [parameters(model)] };
  const { hidden, outputs } = model;
  const inputs = (hidden[0] ?? outputs[0]!).weights.length;
  return { family, sizes: [inputs, hidden.length, outputs.length], units: [...hidden, ...outputs].map(parameters) };
}
