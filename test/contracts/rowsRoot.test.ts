import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { network } from 'hardhat';
import { concat, type Hex, hexToBytes, keccak256, numberToHex, stringToHex } from 'viem';
import { rowsRoot } from '../../offchain/data-root.ts';

const { viem } = await network.create();
const SECRET = Buffer.alloc(32, 9);
const digest = (row: number) => keccak256(numberToHex(row));

function leafOf(row: number): Hex {
  const salt: Hex = `0x${createHmac('sha256', SECRET)
    .update(hexToBytes(digest(row)))
    .digest('hex')}`;
  return keccak256(keccak256(concat([keccak256(stringToHex('hokusai.row')), digest(row), salt])));
}

/** The siblings on the way from a leaf to the root, in OpenZeppelin's array: children of i at 2 i + 1 and 2 i + 2. */
function proofOf(leaves: readonly Hex[], leaf: Hex): Hex[] {
  const size = 2 * leaves.length - 1;
  const value = (node: number): Hex =>
    node >= leaves.length - 1
      ? leaves[size - 1 - node]!
      : keccak256(concat([value(2 * node + 1), value(2 * node + 2)].sort()));
  const proof: Hex[] = [];
  let node = size - 1 - leaves.indexOf(leaf);
  for (; node > 0; node = (node - 1) >> 1) proof.push(value(node % 2 === 1 ? node + 1 : node - 1));
  return proof;
}

describe('rowsRoot on-chain', () => {
  it('OpenZeppelin’s MerkleProof accepts every row under its root, and no other row, for 1 to 9 rows', async () => {
    const harness = await viem.deployContract('MerkleProofHarness');
    for (let rows = 1; rows <= 9; rows++) {
      const numbers = Array.from({ length: rows }, (_, row) => row + 1);
      const root = rowsRoot(numbers.map(digest), SECRET);
      const leaves = numbers.map(leafOf).sort();
      for (const leaf of leaves) assert.equal(await harness.read.verify!([proofOf(leaves, leaf), root, leaf]), true);
      assert.equal(await harness.read.verify!([proofOf(leaves, leaves[0]!), root, leafOf(99)]), false);
    }
  });
});
