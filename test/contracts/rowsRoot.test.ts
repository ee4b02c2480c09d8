import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { network } from 'hardhat';
import { keccak256, numberToHex } from 'viem';
import { rowProof, rowsRoot } from '../../offchain/table/data-root.ts';
import { leafOf, merkleTree, saltOf } from '../merkle.ts';

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
      for (const [at, one] of digests.entries()) {
        const opened = rowProof(digests, SECRET, one);
        assert.equal(opened.root, root);
        const leaf = leafOf(one, SECRET);
        assert.deepEqual([opened.salt, opened.proof], [saltOf(one, SECRET), proofOfLeaf(leaf)]);
        assert.equal(await harness.read.verify!([opened.proof, root, leaf]), true, `row ${at} of ${rows}`);
      }
      const stranger = leafOf(digest(99), SECRET);
      assert.equal(await harness.read.verify!([proofOfLeaf(leaves[0]!), root, stranger]), false);
    }
  });
});
