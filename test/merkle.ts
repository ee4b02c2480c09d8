// Membership proofs under the roots that offchain/table/data-root.ts makes.
import { createHmac } from 'node:crypto';
import { concat, type Hex, hexToBytes, keccak256, stringToHex } from 'viem';

/** What hides a digest under its owner's secret. */
export const saltOf = (digest: Hex, secret: Uint8Array): Hex =>
  `0x${createHmac('sha256', secret).update(hexToBytes(digest)).digest('hex')}`;

export const leafOf = (digest: Hex, secret: Uint8Array): Hex =>
  keccak256(keccak256(concat([keccak256(stringToHex('hokusai.row')), digest, saltOf(digest, secret)])));

/** A tree in OpenZeppelin's array: children of i at 2 i + 1 and 2 i + 2, leaves in descending order from the end. */
export function merkleTree(digests: readonly Hex[], secret: Uint8Array) {
  const leaves = [...new Set(digests)].map((digest) => leafOf(digest, secret)).sort();
  const size = 2 * leaves.length - 1;
  const value = (node: number): Hex =>
    node >= leaves.length - 1
      ? leaves[size - 1 - node]!
      : keccak256(concat([value(2 * node + 1), value(2 * node + 2)].sort()));
  /** The siblings on the way from a node to the root. */
  const proofOf = (from: number): Hex[] => {
    const proof: Hex[] = [];
    for (let node = from; node > 0; node = (node - 1) >> 1) proof.push(value(node % 2 === 1 ? node + 1 : node - 1));
    return proof;
  };
  const nodeOf = (leaf: Hex) => size - 1 - leaves.indexOf(leaf);
  return { leaves, value, proofOf, proofOfLeaf: (leaf: Hex) => proofOf(nodeOf(leaf)) };
}
