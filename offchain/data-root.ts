import { createHash, createHmac } from 'node:crypto';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, type Hex, hexToBytes, zeroHash } from 'viem';
import { canonicalRow } from './check-table.ts';
import { hashWords, tag } from './context.ts';
import type { Schema } from './schema.ts';
import type { Table } from './table.ts';

const TAG_ROW = hexToBytes(tag('row'));

/** SHA-256 of a row's canonical form, its identity: independent of column order, file format and ignored columns. */
export type RowDigest = Hex;

/** Digests of all rows of a table in its order; `features` leaves the label out. The table has passed `checkTable`. */
export function rowDigests(table: Table, schema: Schema, part: 'row' | 'features'): RowDigest[] {
  const canonical = canonicalRow(table, schema, part);
  const digest = (row: number): RowDigest => `0x${createHash('sha256').update(canonical(row)).digest('hex')}`;
  return Array.from({ length: table.rows }, (_, row) => digest(row));
}

/**
 * The Merkle root over the distinct digests, each salted with HMAC-SHA-256 under the owner's secret: the same for any
 * order and any duplicates, open to membership proofs, and no help to who guesses rows.
 *
 * A leaf is keccak256(keccak256(abi.encode(TAG_ROW, digest, salt))), leaves are sorted, and a node hashes its two
 * children in ascending order, so OpenZeppelin's MerkleProof verifies membership.
 */
export function rowsRoot(digests: Iterable<RowDigest>, secret: Uint8Array): Hex {
  return bytesToHex(rowsTree(digests, secret)[0] ?? new Uint8Array(32));
}

/** What shows a digest to be under a root of `rowsRoot`, without the secret and the other rows. */
export interface RowProof {
  readonly root: Hex;
  readonly salt: Hex;
  /** Siblings from the leaf to the root. */
  readonly proof: readonly Hex[];
}

/** Opens the leaf of one of the digests. */
export function rowProof(digests: Iterable<RowDigest>, secret: Uint8Array, digest: RowDigest): RowProof {
  const tree = rowsTree(digests, secret);
  const { salt, leaf } = salted(hexToBytes(digest), secret);
  const proof: Hex[] = [];
  let node = tree.findLastIndex((value) => Buffer.compare(value, leaf) === 0);
  for (; node > 0; node = (node - 1) >> 1) proof.push(bytesToHex(tree[node % 2 === 1 ? node + 1 : node - 1]!));
  return { root: bytesToHex(tree[0]!), salt: bytesToHex(salt), proof };
}

/**
 * OpenZeppelin's complete tree in an array: node i has the children 2 i + 1 and 2 i + 2, leaves fill it from the end.
 *
 * Bytes all the way: hashing is the largest cost of a large contribution, and hexadecimal text would treble it.
 */
function rowsTree(digests: Iterable<RowDigest>, secret: Uint8Array): Uint8Array[] {
  const leaves = [...new Set(digests)].map((digest) => salted(hexToBytes(digest), secret).leaf);
  const tree: Uint8Array[] = new Array(Math.max(leaves.length - 1, 0));
  for (const leaf of leaves.sort(Buffer.compare).toReversed()) tree.push(leaf);
  for (let node = leaves.length - 2; node >= 0; node--) {
    const pair = [tree[2 * node + 1]!, tree[2 * node + 2]!].sort(Buffer.compare);
    tree[node] = keccak_256(Buffer.concat(pair));
  }
  return tree;
}

function salted(digest: Uint8Array, secret: Uint8Array): { salt: Uint8Array; leaf: Uint8Array } {
  const salt = createHmac('sha256', secret).update(digest).digest();
  return { salt, leaf: keccak_256(keccak_256(Buffer.concat([TAG_ROW, digest, salt]))) };
}

/** A contribution's root and the number of distinct rows that it holds. */
export interface DataRoot {
  readonly dataRoot: Hex;
  readonly rows: number;
}

/** What a contributor commits to: keccak256(abi.encode(TAG_DATA, root of rows, root of their features, row count)). */
export function dataRootOf(table: Table, schema: Schema, contributionSecret: Uint8Array): DataRoot {
  const digests = rowDigests(table, schema, 'row');
  const rows = new Set(digests).size;
  const root = rowsRoot(digests, contributionSecret);
  const featuresRoot = rowsRoot(rowDigests(table, schema, 'features'), contributionSecret);
  return { dataRoot: hashWords([tag('data'), root, featuresRoot, BigInt(rows)]), rows };
}

/** What the first training set of a model line grew from. */
export const EMPTY_TRAINING_SET: Hex = zeroHash;
