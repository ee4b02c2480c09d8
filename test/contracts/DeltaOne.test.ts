import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { network } from 'hardhat';

const vectors = JSON.parse(readFileSync(new URL('../vectors/delta.json', import.meta.url), 'utf8')) as (Record<
  string,
  string
> & { exactBinomialPasses: boolean; gate: boolean })[];

describe('DeltaOne.sol', async () => {
  const { viem } = await network.create();
  const { read } = await viem.deployContract('DeltaOneHarness');

  for (const v of vectors) {
    it(`vector: ${v.name}`, async () => {
      const big = (key: string) => BigInt(v[key]!);
      const [n, b, c] = [big('n'), big('b'), big('c')];
      const [payableBps, minDeltaBps] = [big('payableBps'), big('minDeltaBps')];
      assert.deepEqual(await read.unpack!([big('countsPacked')]), [n, b, c]);
      assert.equal(await read.deltaOneBps!([n, b, c]), big('deltaOneBps'));
      assert.equal(await read.payableBps!([n, b, c, big('zMicro')]), payableBps);
      assert.equal(await read.exactBinomialPasses!([b, c, big('alpha30')]), v.exactBinomialPasses);
      assert.equal(await read.gate!([n, b, c, payableBps, big('minRows'), minDeltaBps, big('alpha30')]), v.gate);
      assert.equal(await read.reward!([payableBps, big('tokensPerDeltaOne'), big('cap')]), big('reward'));
    });
  }
});
