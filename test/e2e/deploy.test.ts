import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createTestClient, http, parseEther } from 'viem';
import { connect } from '../../offchain/chain/connect.ts';
import { readDeployment } from '../../offchain/chain/contracts.ts';
import { createKeystore } from '../../offchain/chain/keystore.ts';
import { type LocalChain, startLocalChain } from '../../offchain/chain/local.ts';
import { Started } from './hokusai.ts';

/** Another than that of the other tests' chains, for a folder of its own. */
const CHAIN_ID = 31_338;
const DEPLOYMENT = join(import.meta.dirname, `../../deployments/chain-${CHAIN_ID}`);

describe('npm run deploy', () => {
  let chain: LocalChain;
  let folder: string;
  before(async () => {
    chain = await startLocalChain({ chainId: CHAIN_ID });
    folder = await mkdtemp(join(tmpdir(), 'hokusai-deploy-'));
    await writeFile(join(folder, 'password'), 'correct horse\n');
    const address = await createKeystore(join(folder, 'keystore.json'), 'correct horse', { light: true });
    await createTestClient({ mode: 'hardhat', transport: http(chain.url) }).setBalance({
      address,
      value: parseEther('1'),
    });
  });
  after(async () => {
    await chain.stop();
    await rm(folder, { recursive: true });
    await rm(DEPLOYMENT, { recursive: true, force: true });
  });

  const deploy = (rpc: string) =>
    new Started('scripts/deploy.ts', ['--rpc', rpc, '--keystore', join(folder, 'keystore.json')], {
      HOKUSAI_KEYSTORE_PASSWORD_FILE: join(folder, 'password'),
    }).finished();

  it('deploys once, records it where clients read it, and does nothing the second time', async () => {
    const first = await deploy(chain.url);
    assert.equal(first.code, 0, first.stderr);
    const deployment = readDeployment(DEPLOYMENT);
    await connect({ url: chain.url, deployment });
    const again = await deploy(chain.url);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /Nothing new to deploy/);
    assert.deepEqual(readDeployment(DEPLOYMENT), deployment);
  });

  it('says what it needs, and that a node does not answer, without its URL', async () => {
    assert.equal((await new Started('scripts/deploy.ts', []).finished()).code, 2);
    const silent = await deploy('http://127.0.0.1:9/a-key-of-a-provider');
    assert.equal(silent.code, 75);
    assert.doesNotMatch(silent.stderr, /a-key-of-a-provider/);
  });
});
