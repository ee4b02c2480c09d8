import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect as dial } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Hex, zeroHash } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { assertProductionKey, assertProductionKeys, registerCircuit } from '../../offchain/chain/circuit.ts';
import { connect } from '../../offchain/chain/connect.ts';
import { type LocalChain, localAccounts, startLocalChain } from '../../offchain/chain/local.ts';
import * as actions from '../../offchain/chain/round.ts';
import { view } from '../../offchain/chain/send.ts';
import { payableBps, reward } from '../../offchain/delta/delta.ts';
import { CIRCUITS, type CircuitName, circuitRecords, compiled } from '../../offchain/prove/circuits.ts';
import { developmentVerificationKey } from '../../offchain/prove/keys.ts';
import { readR1cs } from '../../offchain/prove/r1cs.ts';
import * as real from '../real-round.ts';

let chain: LocalChain;
before(async () => {
  chain = await startLocalChain();
});
after(() => chain?.stop());

const LOCAL = fileURLToPath(new URL('../../offchain/chain/local.ts', import.meta.url));

/** A process that starts a chain, does what `then` says, and then says its pid and URL. */
async function parent(then: string) {
  const script = `const { startLocalChain } = await import(${JSON.stringify(LOCAL)});
    const { pid, url } = await startLocalChain(); ${then}
    console.log(JSON.stringify({ pid, url }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let printed = '';
  for await (const text of child.stdout.setEncoding('utf8')) {
    printed += text;
    if (printed.includes('\n')) break;
  }
  return { child, exited, ...(JSON.parse(printed) as { pid: number; url: string }) };
}

async function assertGone({ pid, url }: { pid: number; url: string }): Promise<void> {
  const isThere = () => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  for (let i = 0; i < 100 && isThere(); i++) await sleep(50);
  assert.equal(isThere(), false, `process ${pid} is still there`);
  const socket = dial(Number(new URL(url).port), '127.0.0.1');
  const [error] = await once(socket, 'error');
  assert.equal(error.code, 'ECONNREFUSED');
}

describe('a local chain', () => {
  it('has the same accounts and addresses at each start, stops when told to, and leaves nothing behind', async () => {
    const other = await startLocalChain();
    assert.deepEqual(other.deployment, chain.deployment);
    assert.deepEqual(
      other.accounts.validators.map(({ address }) => address),
      localAccounts().validators.map(({ address }) => address),
    );
    assert.notEqual(other.url, chain.url);
    await other.stop();
    await other.stop();
    await assertGone(other);
    assert.equal(existsSync(new URL('../../deployments/chain-31337', import.meta.url)), false);
  });

  it('ends with a parent that is killed, or that forgets it', async () => {
    const killed = await parent('setInterval(() => {}, 1000);');
    killed.child.kill('SIGKILL');
    await assertGone(killed);
    const forgetful = await parent('');
    assert.deepEqual(await forgetful.exited, [0, null]);
    await assertGone(forgetful);
  });

  it('outlives the Ctrl-C that its parent handles, and ends with it', async () => {
    const handling = await parent(
      `process.on('SIGINT', async () => { process.kill(pid, 'SIGINT'); await new Promise((r) => setTimeout(r, 300));
         const { status } = await fetch(url, { method: 'POST', body: '{}' }); process.exit(status === 200 ? 7 : 1); });
       setInterval(() => {}, 1000);`,
    );
    handling.child.kill('SIGINT');
    assert.deepEqual(await handling.exited, [7, null]);
    await assertGone(handling);
  });

  it('stops on a signal, while starting and after', async () => {
    const [early, late] = [new AbortController(), new AbortController()];
    const starting = startLocalChain({ signal: early.signal });
    setTimeout(() => early.abort(), 200);
    await assert.rejects(starting, { name: 'AbortError' });
    const started = await startLocalChain({ signal: late.signal });
    late.abort();
    await assertGone(started);
  });

  it('says which port is in use', async () => {
    const port = Number(new URL(chain.url).port);
    await assert.rejects(startLocalChain({ port }), {
      kind: 'configuration',
      code: 'PORT_IN_USE',
      details: { port, cause: 'EADDRINUSE' },
    });
  });

  it('lets time and blocks be moved', async () => {
    const { publicClient } = await connect(chain);
    const first = await publicClient.getBlock();
    await chain.advance(1_000);
    const second = await publicClient.getBlock();
    assert.ok(second.timestamp >= first.timestamp + 1_000n);
    await chain.mine();
    assert.equal(await publicClient.getBlockNumber(), second.number + 1n);
  });
});

describe('connect', () => {
  it('refuses another chain, and a chain without the contracts', async () => {
    const { url, deployment } = chain;
    await assert.rejects(connect({ url, deployment: { ...deployment, chainId: 1 } }), {
      kind: 'configuration',
      code: 'CHAIN_WRONG',
      details: { host: new URL(url).host, expected: 1, actual: 31_337 },
    });
    const rounds = chain.accounts.outsider.address;
    await assert.rejects(connect({ url, deployment: { ...deployment, rounds } }), { code: 'CHAIN_WRONG' });
    await assert.rejects(connect({ url: 'ftp://x', deployment }), { code: 'CHAIN_URL', kind: 'configuration' });
  });

  it('says that a chain does not answer, or turns us away, and not the key in its URL', async () => {
    const { deployment } = chain;
    const server = createServer((request, response) => {
      response.writeHead(request.url!.includes('busy') ? 503 : 401).end();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const fails = async (url: string, expected: Record<string, unknown>) => {
      await assert.rejects(connect({ url, deployment }), (error: Error) => {
        assert.deepEqual({ ...error, ...expected }, { ...error });
        assert.doesNotMatch(JSON.stringify([error.message, error, error.cause]), /s3cret/);
        return true;
      });
    };
    await fails(`http://127.0.0.1:${port}/busy/s3cret`, { kind: 'retryable', code: 'CHAIN_UNREACHABLE' });
    await fails(`http://127.0.0.1:${port}/s3cret`, { kind: 'configuration', code: 'CHAIN_REFUSED' });
    server.close();
    await fails('http://user:s3cret@127.0.0.1:1/', { kind: 'retryable', code: 'CHAIN_UNREACHABLE' });
  });
});

describe('the life of a round through the actions of a client', () => {
  let m: real.RealModel;
  before(async () => {
    m = await real.createRealModel(chain);
  });

  it('commit, open, draw, votes in two steps, settle with a real proof, finalise, claim, withdraw', async () => {
    const given = real.contribution(m);
    const { roundId } = await actions.commitmentOf(m.contributor, given);
    assert.equal((await actions.round(m.owner, roundId)).state, 'NONE');
    await assert.rejects(actions.commit(m.contributor, given, real.DEPOSIT - 1n), {
      ...{ kind: 'terminal', code: 'CHAIN_REVERTED' },
      message: 'commit was refused: RoundsWrongDeposit (expected 3000000018, actual 3000000017).',
      next: 'Send exactly what is expected: bond and evaluationFee to commit, the fee to veto.',
      details: {
        ...{ action: 'commit', error: 'RoundsWrongDeposit' },
        args: { expected: real.DEPOSIT, actual: real.DEPOSIT - 1n },
      },
    });
    const committed = await actions.commit(m.contributor, given, real.DEPOSIT);
    assert.deepEqual([committed.result, committed.by], [roundId, m.contributor.account.address]);
    const committing = actions.commit(m.contributor, given, real.DEPOSIT);
    await assert.rejects(committing, { code: 'CHAIN_REVERTED', next: 'It is committed: go on with `open`.' });
    const other = real.contribution(m, 'other');
    await actions.commit(m.contributor, other, real.DEPOSIT);
    await assert.rejects(actions.open(m.contributor, other), {
      ...{ kind: 'retryable', code: 'CHAIN_REVERTED', message: /RoundsNotInTurn/ },
    });
    assert.equal((await actions.open(m.contributor, given)).result, roundId);
    await assert.rejects(actions.draw(m.outsider, roundId), {
      ...{ kind: 'retryable', code: 'CHAIN_REVERTED', message: /RoundsDrawnTooEarly/ },
    });
    await chain.mine(3);
    await actions.draw(m.outsider, roundId);
    assert.equal((await actions.round(m.owner, roundId)).state, 'VOTING');
    await real.voteAll(m, roundId, await real.scored(m, roundId));

    const settlement = await real.settlement(m, roundId);
    const signals = await actions.publicSignals(m.settler, roundId, m.settler.account.address, settlement);
    assert.deepEqual(signals[0], settlement.attestationHash);
    const sent = await actions.settle(m.settler, roundId, settlement);
    const receipt = await m.settler.publicClient.getTransactionReceipt({ hash: sent.hash });
    assert.deepEqual([receipt.gasUsed, receipt.blockNumber], [sent.gas, sent.block]);
    const bound = payableBps({ n: BigInt(real.ROWS), b: real.FIXED, c: real.BROKEN }, BigInt(m.policy.gate.zMicro));
    const settled = await actions.round(m.owner, roundId);
    assert.deepEqual([settled.state, settled.status, settled.payableBps], ['SETTLED', 'SCORED', Number(bound)]);
    await assert.rejects(actions.finalise(m.outsider, roundId), {
      ...{ kind: 'retryable', code: 'CHAIN_REVERTED', message: /RoundsDelayNotPassed/ },
    });
    await chain.advance(real.DELAY);
    await actions.finalise(m.outsider, roundId);
    await actions.claim(m.payee, real.claimOf(m, roundId));
    const paid = await view(m.owner, {
      contract: 'rewardToken',
      functionName: 'balanceOf',
      args: [chain.accounts.payee.address],
    });
    assert.equal(paid, reward(bound, real.UNIT, m.policy.maxReward));
    const share = real.FEE / 4n;
    for (const [client, wei] of [
      [m.contributor, real.BOND],
      [m.validators[2]!, share],
      [m.settler, share + (real.FEE % 4n)],
    ] as const) {
      assert.equal(await actions.withdrawable(client, roundId, client.account.address), wei);
      await actions.withdraw(client, roundId);
      assert.equal(await actions.withdrawable(client, roundId, client.account.address), 0n);
    }
    assert.equal((await actions.round(m.owner, roundId)).state, 'FINALISED');
    assert.equal((await actions.model(m.owner, m.modelId)).head.modelCommitment, 78n);
  });

  it('two actions of one account at a time get a nonce each', async () => {
    const commits = ['a', 'b', 'c'].map((salt) => actions.commit(m.outsider, real.contribution(m, salt), real.DEPOSIT));
    assert.equal(new Set((await Promise.all(commits)).map(({ hash }) => hash)).size, 3);
  });

  it('a registered circuit is not registered again, and a revert of another contract is named too', async () => {
    const { developmentCircuitId } = circuitRecords().score512;
    const nonce = () => m.owner.publicClient.getTransactionCount({ address: m.owner.account.address });
    const sent = await nonce();
    assert.equal(await registerCircuit(m.owner, 'score512'), developmentCircuitId);
    assert.equal(await nonce(), sent);
    const allocating = actions.allocateBudget(m.owner, `0x${'12'.repeat(32)}`, 1n);
    await assert.rejects(allocating, {
      message: /ModelRegistryUnknownModel/,
      next: 'Check the modelId and the chain.',
    });
    const reading = view(m.owner, { contract: 'modelRegistry', functionName: 'model', args: [`0x${'12'.repeat(32)}`] });
    await assert.rejects(reading, { code: 'CHAIN_REVERTED', message: /^model was refused: ModelRegistryUnknownModel/ });
  });

  it('an account without ether is told how much it needs', async () => {
    const account = privateKeyToAccount(`0x${'42'.repeat(32)}`);
    const poor = await connect({ ...chain, account });
    await assert.rejects(actions.commit(poor, real.contribution(m, 'poor'), real.DEPOSIT), {
      ...{ kind: 'configuration', code: 'CHAIN_FUNDS', message: /has 0 wei and needs [1-9]\d*\.$/ },
    });
  });
});

describe('development keys', () => {
  const developmentCircuitId = circuitRecords().score512.developmentCircuitId as Hex;

  it('attack: a development key, for which anybody can forge proofs, on a chain that is not local', async () => {
    const refusal = { kind: 'terminal', code: 'DEVELOPMENT_KEY' };
    const local = await connect({ ...chain, account: chain.accounts.owner });
    const mainnet = { ...local, deployment: { ...chain.deployment, chainId: 1 } };
    await registerCircuit(local, 'score512');
    await assertProductionKeys(local, [developmentCircuitId]);
    await assert.rejects(assertProductionKeys(mainnet, [zeroHash, developmentCircuitId]), refusal);
    for (const circuit of Object.keys(CIRCUITS) as CircuitName[]) {
      const key = developmentVerificationKey(readR1cs(compiled(circuit, 'r1cs')));
      assert.throws(() => assertProductionKey(1, key), refusal);
      assertProductionKey(31_337, key);
    }
    await assert.rejects(registerCircuit(mainnet, 'score512'), refusal);
    for (const ids of [
      { circuitId: developmentCircuitId, inferenceCircuitId: zeroHash },
      { circuitId: zeroHash, inferenceCircuitId: developmentCircuitId },
    ]) {
      const policy = ids as unknown as actions.NewModel['policy'];
      const model = { salt: developmentCircuitId, policy } as actions.NewModel;
      await assert.rejects(actions.registerModel(mainnet, model), refusal);
      await assert.rejects(actions.updatePolicy(mainnet, developmentCircuitId, policy), refusal);
    }
  });
});
