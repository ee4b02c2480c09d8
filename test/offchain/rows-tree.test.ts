import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { keccak_256 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import { bytesToHex, concat, hexToBytes } from 'viem';
import { tag } from '../../offchain/attestation/context.ts';
import { hashModule, INITIAL_STATE, KECCAK_MESSAGES, laneWord, SHA_MESSAGES } from '../../offchain/hash-module.ts';
import { type RowDigest, rowProof, rowsRoot } from '../../offchain/table/data-root.ts';
import { hashAt, hashesOf, sortDistinct } from '../../offchain/table/rows-tree.ts';

const digestOf = (value: number): RowDigest => `0x${createHash('sha256').update(String(value)).digest('hex')}`;

/** The tree as PROTOCOL says it, by libraries: node i has the children 2 i + 1 and 2 i + 2. */
function referenceRoot(digests: readonly RowDigest[], secret: Uint8Array): string {
  const leaves = [...new Set(digests)].map((digest) => {
    const salt = createHmac('sha256', secret).update(hexToBytes(digest)).digest();
    return keccak_256(keccak_256(hexToBytes(concat([tag('row'), digest, bytesToHex(salt)]))));
  });
  const tree: Uint8Array[] = new Array(Math.max(leaves.length - 1, 0));
  for (const leaf of leaves.sort(Buffer.compare).toReversed()) tree.push(leaf);
  for (let node = leaves.length - 2; node >= 0; node--) {
    tree[node] = keccak_256(Buffer.concat([tree[2 * node + 1]!, tree[2 * node + 2]!].sort(Buffer.compare)));
  }
  return bytesToHex(tree[0] ?? new Uint8Array(32));
}

describe('the hash module', () => {
  it('hashes as the libraries do, each message apart, whatever their bytes', () => {
    const { keccak, compress, lanes, state, block } = hashModule();
    const WORDS = 14;
    const ONE = Buffer.of(1);
    const message = fc.uint8Array({ minLength: 55, maxLength: 55 });
    fc.assert(
      fc.property(fc.tuple(message, message, message, message), (messages) => {
        for (const [m, bytes] of messages.slice(0, KECCAK_MESSAGES).entries()) {
          for (const [word, value] of hashesOf(Buffer.concat([bytes, ONE])).entries()) lanes[laneWord(word, m)] = value;
        }
        keccak(WORDS);
        for (const [m, bytes] of messages.slice(0, KECCAK_MESSAGES).entries()) {
          const words = Uint32Array.from({ length: 8 }, (_, word) => lanes[laneWord(word, m)]!);
          assert.deepEqual(hashAt(words, 0), keccak_256(Buffer.concat([bytes, ONE])));
        }

        for (const [m, bytes] of messages.entries()) {
          const padded = Buffer.concat([bytes, Buffer.alloc(9)]);
          padded[55] = 0x80;
          padded.writeUInt32BE(440, 60);
          for (let i = 0; i < 16; i++) block[SHA_MESSAGES * i + m] = padded.readUInt32BE(4 * i);
          for (let i = 0; i < 8; i++) state[SHA_MESSAGES * i + m] = INITIAL_STATE[i]!;
        }
        compress();
        for (const [m, bytes] of messages.entries()) {
          const words = Array.from({ length: 8 }, (_, i) => state[SHA_MESSAGES * i + m]!);
          const digest = words.map((word) => word.toString(16).padStart(8, '0')).join('');
          assert.equal(digest, createHash('sha256').update(bytes).digest('hex'));
        }
      }),
    );
  });
});

describe('rowsRoot', () => {
  it('is that of a tree made by libraries, for any number of rows, any repeats and any secret', () => {
    const values = fc.array(fc.nat({ max: 60 }), { maxLength: 90 });
    fc.assert(
      fc.property(values, fc.uint8Array({ maxLength: 100 }), (list, secret) => {
        const digests = list.map(digestOf);
        assert.equal(rowsRoot(digests, secret), referenceRoot(digests, secret));
      }),
      { numRuns: 60 },
    );
  });

  it('is opened by proofs that lead to it, and not for a digest that is not under it', () => {
    const secret = Buffer.alloc(32, 5);
    for (let count = 1; count < 20; count++) {
      const digests = Array.from({ length: count }, (_, i) => digestOf(i));
      const root = rowsRoot(digests, secret);
      for (const digest of digests) {
        const opened = rowProof(digests, secret, digest);
        const leaf = keccak_256(keccak_256(hexToBytes(concat([tag('row'), digest, opened.salt]))));
        const top = opened.proof.reduce(
          (node, sibling) => keccak_256(Buffer.concat([node, hexToBytes(sibling)].sort(Buffer.compare))),
          leaf,
        );
        assert.deepEqual([opened.root, bytesToHex(top)], [root, root]);
      }
      assert.throws(() => rowProof(digests, secret, digestOf(99)), RangeError);
    }
  });
});

describe('sortDistinct', () => {
  it('sorts hashes that begin alike, and drops repeated ones', () => {
    const prefixes = fc.constantFrom('00000000', '00000001', 'ffffffff', '80000000', '7fffffff');
    const hash = fc
      .tuple(prefixes, fc.constantFrom('00', '01', 'fe'), prefixes)
      .map(([a, b, c]) => (a + b + c).padEnd(64, '0'));
    fc.assert(
      fc.property(fc.array(hash, { minLength: 1, maxLength: 200 }), (list) => {
        const hashes = hashesOf(Buffer.from(list.join(''), 'hex'));
        const count = sortDistinct(hashes);
        const sorted = Array.from({ length: count }, (_, at) => Buffer.from(hashAt(hashes, at)).toString('hex'));
        assert.deepEqual(sorted, [...new Set(list)].sort());
      }),
    );
  });
});
