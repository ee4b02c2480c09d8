import { createHash } from 'node:crypto';
import { bytesToHex, type Hex, zeroHash } from 'viem';
import { hashWords, tag } from '../attestation/context.ts';
import { canonicalRow } from './check-table.ts';
import { find, type Hashes, hashAt, hashesOf, merkle, Salter, sortDistinct } from './rows-tree.ts';
import type { Schema } from './schema.ts';
import type { Table } from './table.ts';

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
  return packedRoot(packed(digests), secret).root;
}

/**
 * The same of packed digests, which it overwrites: it takes no memory beside theirs.
 *
 * @returns `rows`, how many distinct ones there are
 */
export function packedRoot(digests: Hashes, secret: Uint8Array): { root: Hex; rows: number } {
  new Salter(secret).leaves(digests);
  const rows = sortDistinct(digests);
  return { root: bytesToHex(merkle(digests, rows).root), rows };
}

/** What shows a digest to be under a root of `rowsRoot`, without the secret and the other rows. */
export interface RowProof {
  readonly root: Hex;
  readonly salt: Hex;
  /** Siblings from the leaf to the root. */
  readonly proof: readonly Hex[];
}

/**
 * Opens the leaf of one of the digests.
 *
 * @throws RangeError for a digest that is not among them
 */
export function rowProof(digests: Iterable<RowDigest>, secret: Uint8Array, digest: RowDigest): RowProof {
  return packedProof(packed(digests), secret, digest);
}

/** The same of packed digests, which it overwrites. */
export function packedProof(digests: Hashes, secret: Uint8Array, digest: RowDigest): RowProof {
  const salter = new Salter(secret);
  const leaf = packed([digest]);
  const salt = bytesToHex(hashAt(salter.salt(leaf, 0), 0));
  salter.leaves(leaf);
  salter.leaves(digests);
  const rows = sortDistinct(digests);
  const at = find(digests, rows, leaf);
  if (at < 0) throw new RangeError(`${digest} is not among the digests`);
  const { root, proof } = merkle(digests, rows, at);
  return { root: bytesToHex(root), salt, proof: proof.map((node) => bytesToHex(node)) };
}

/** The digests as the words that a tree is made of. */
function packed(digests: Iterable<RowDigest>): Hashes {
  return hashesOf(Buffer.from(Array.from(digests, (digest) => digest.slice(2)).join(''), 'hex'));
}

/** A contribution's root and the number of distinct rows that it holds. */
export interface DataRoot {
  readonly dataRoot: Hex;
  readonly rows: number;
}

/** What a contributor commits to: keccak256(abi.encode(TAG_DATA, root of rows, root of their features, row count)). */
export function dataRootOf(table: Table, schema: Schema, contributionSecret: Uint8Array): DataRoot {
  const { root, rows } = packedRoot(packed(rowDigests(table, schema, 'row')), contributionSecret);
  const features = packedRoot(packed(rowDigests(table, schema, 'features')), contributionSecret);
  return { dataRoot: dataRootFrom(root, features.root, rows), rows };
}

export const dataRootFrom = (rowsRoot: Hex, featuresRoot: Hex, rows: number): Hex =>
  hashWords([tag('data'), rowsRoot, featuresRoot, BigInt(rows)]);

/** What the first training set of a model line grew from. */
export const EMPTY_TRAINING_SET: Hex = zeroHash;
