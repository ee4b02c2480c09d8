// Whether the sources of what is deployed can be verified: the code on-chain is the compiled one but for its immutables and
// its library's address, and the hash that it ends with is that of metadata which names exactly these sources.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { network } from 'hardhat';
import { type Hex, hexToBytes, keccak256 } from 'viem';
import Hokusai from '../../scripts/Hokusai.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Range {
  readonly start: number;
  readonly length: number;
}
interface Compiled {
  readonly metadata: string;
  readonly evm: {
    readonly deployedBytecode: {
      readonly object: string;
      readonly immutableReferences: Record<string, readonly Range[]>;
      readonly linkReferences: Record<string, Record<string, readonly Range[]>>;
    };
  };
}
interface Artifact {
  readonly buildInfoId: string;
  readonly inputSourceName: string;
  readonly contractName: string;
}

const readJson = <T>(path: string): T => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));

/** What the compiler said of a contract of ours, or of a library's that is deployed as it is. */
function compiled(name: string): Compiled {
  const [path] = globSync(`artifacts/**/${name}.sol/${name}.json`, { cwd: ROOT });
  const { buildInfoId, inputSourceName, contractName } = readJson<Artifact>(path!);
  const { output } = readJson<{ output: { contracts: Record<string, Record<string, Compiled>> } }>(
    `artifacts/build-info/${buildInfoId}.output.json`,
  );
  return output.contracts[inputSourceName]![contractName]!;
}

/** The multihash that IPFS names a file of one block by: SHA-256 of a node of type file that holds its bytes. */
function ipfsHash(content: Uint8Array): string {
  const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);
  const field = (tag: number, bytes: Uint8Array) => Buffer.concat([Buffer.from([tag, ...varint(bytes.length)]), bytes]);
  const file = Buffer.concat([Buffer.from([8, 2]), field(18, content), Buffer.from([24, ...varint(content.length)])]);
  return createHash('sha256').update(field(10, file)).digest('hex');
}

describe('sources of what is deployed', async () => {
  const { ignition, viem } = await network.create();
  const publicClient = await viem.getPublicClient();
  const contracts = await ignition.deploy(Hokusai);
  const deployed = Object.entries(contracts).map(
    ([key, contract]) => [key.charAt(0).toUpperCase() + key.slice(1), contract] as const,
  );

  for (const [name, { address }] of deployed) {
    it(`${name} is what was compiled, and its metadata names its sources`, async () => {
      const { metadata, evm } = compiled(name);
      const { object, immutableReferences, linkReferences } = evm.deployedBytecode;
      const expected = Buffer.from(object.replace(/__\$[0-9a-f]{34}\$__/g, '0'.repeat(40)), 'hex');
      const actual = Buffer.from(hexToBytes((await publicClient.getCode({ address })) as Hex));
      assert.equal(actual.length, expected.length);
      const filled = [
        ...Object.values(immutableReferences),
        ...Object.values(linkReferences).flatMap((libraries) => Object.values(libraries)),
      ].flat();
      for (const { start, length } of filled) actual.fill(0, start, start + length);
      assert.ok(actual.equals(expected), 'the code differs elsewhere than in immutables and library addresses');

      const cbor = actual.subarray(-2 - actual.readUInt16BE(actual.length - 2), -2).toString('hex');
      assert.ok(cbor.includes(`64697066735822${'1220'}${ipfsHash(Buffer.from(metadata))}`), 'another metadata hash');
      const { sources } = JSON.parse(metadata) as { sources: Record<string, { keccak256: Hex; license?: string }> };
      for (const [path, source] of Object.entries(sources)) {
        const file = path.replace(/^project\//, '').replace(/^npm\/(@?[^@]+)@[^/]+\//, 'node_modules/$1/');
        assert.equal(keccak256(readFileSync(join(ROOT, file))), source.keccak256, path);
        assert.equal(source.license, 'MIT', path);
      }
    });
  }
});
