import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { network } from 'hardhat';
import { keccak256, numberToHex } from 'viem';
import { rowsRoot } from '../../offchain/data-root.ts';
import { leafOf, merkleTree } from '../merkle.ts';

const { viem } = await network.create();
const SECRET = Buffer.alloc(32, 9);
const digest = (row: number) => keccak256(numberToHex(row));

describe('rowsRoot on-chain', () => {
  it('OpenZeppelin’s MerkleProof accepts every row under its root, and no other row, for 1 to 9 rows', async () => {
    const harness = await viem.deployContract('MerkleProofHarness');
    for (let rows = 1; rows <= 9; rows++) {
      const digests = Array.from({ length: rows }, (_, row) => digest(row + 1));
      const root = rowsRoot(digests, SECRET);
      const { leaves, proofOfLeaf } = merkleTree(digests, SECRET);
      for (const leaf of leaves) assert.equal(await harness.read.verify!([proofOfLeaf(leaf), root, leaf]), true);
      const stranger = leafOf(digest(99), SECRET);
      assert.equal(await harness.read.verify!([proofOfLeaf(leaves[0]!), root, stranger]), false);
    }
  });
});
