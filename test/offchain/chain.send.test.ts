import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { Hex } from 'viem';
import { connect } from '../../offchain/chain/connect.ts';
import { type LocalChain, startLocalChain } from '../../offchain/chain/local.ts';
import { send } from '../../offchain/chain/send.ts';
import * as real from '../real-round.ts';

let chain: LocalChain;
let m: real.RealModel;
before(async () => {
  chain = await startLocalChain();
  m = await real.createRealModel(chain);
});
after(() => chain?.stop());

/**
 * A network between client and chain. `interfere` sees each transaction on its way and says whether it arrives, and
 * whether the answer does.
 */
async function network(interfere: () => Promise<{ arrives: boolean; answered: boolean }>) {
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const fate = body.includes('eth_sendRawTransaction') ? await interfere() : { arrives: true, answered: true };
    const answer = fate.arrives ? await (await fetch(chain.url, { method: 'POST', body })).text() : '';
    if (fate.answered) response.end(answer);
    else response.destroy();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  server.unref();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = await connect({ url, deployment: chain.deployment, account: chain.accounts.contributor });
  return client;
}

const call = (byte: string) => {
  const args = [m.modelId, m.policyHash, m.benchmarkId, `0x${byte.repeat(32)}`] as [Hex, Hex, Hex, Hex];
  return { action: 'commit', contract: 'rounds', functionName: 'commit', args, value: real.DEPOSIT } as const;
};

describe('send, over a bad network', () => {
  it('a transaction whose answer is lost is found to be mined, and not sent twice', async () => {
    let tries = 0;
    const client = await network(async () => ({ arrives: ++tries === 1, answered: false }));
    const { address } = client.account;
    const nonce = await client.publicClient.getTransactionCount({ address });
    const { hash, result } = await send(client, call('01'));
    assert.equal((await client.publicClient.getTransactionReceipt({ hash })).status, 'success');
    assert.deepEqual([tries, await client.publicClient.getTransactionCount({ address })], [1, nonce + 1]);
    assert.match(result, /^0x[0-9a-f]{64}$/);
  });

  it('a transaction that never arrives is to be tried again, and then acts once', async () => {
    let up = false;
    const client = await network(async () => ({ arrives: up, answered: up }));
    await assert.rejects(send(client, call('03')), { kind: 'retryable', code: 'CHAIN_UNREACHABLE' });
    up = true;
    await send(client, call('03'));
    await assert.rejects(send(client, call('03')), { code: 'CHAIN_REVERTED', message: /RoundsAlreadyCommitted/ });
  });

  it('a transaction that reverts in its block, after it was simulated, says why', async () => {
    const direct = await connect({ ...chain, account: chain.accounts.outsider });
    const client = await network(async () => {
      await send(direct, call('04'));
      return { arrives: true, answered: true };
    });
    await assert.rejects(send(client, call('04')), {
      ...{ kind: 'terminal', code: 'CHAIN_REVERTED', message: /^commit was refused: RoundsAlreadyCommitted/ },
    });
  });
});
