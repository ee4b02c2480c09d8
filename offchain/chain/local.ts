import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { type Address, createTestClient, type Hex, http, keccak256, type PrivateKeyAccount, stringToHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { HokusaiError } from '../errors.ts';
import { LOCAL_CHAIN_ID } from './connect.ts';
import { abi, type ContractKey, type Deployment } from './contracts.ts';

/** What the child is told, and what it answers. */
export interface LocalChainJob {
  readonly root: string;
  readonly port: number;
  readonly chainId: number;
  readonly privateKeys: readonly Hex[];
}
export type LocalChainReply =
  | { readonly ok: true; readonly url: string; readonly addresses: Record<ContractKey, Address> }
  | { readonly ok: false; readonly code: string | undefined; readonly message: string };

const ROLES = ['owner', 'contributor', 'payee', 'settler', 'outsider'] as const;
const VALIDATORS = 3;

/** Who acts on a local chain. The owner has deployed the contracts and owns the reward token; all have ether. */
export type LocalAccounts = Readonly<Record<(typeof ROLES)[number], PrivateKeyAccount>> & {
  /** By ascending address, as policies list them. */
  readonly validators: readonly PrivateKeyAccount[];
};

/** A chain of its own in a child process, with the contracts on it. */
export interface LocalChain {
  readonly url: string;
  readonly chainId: number;
  readonly deployment: Deployment;
  readonly accounts: LocalAccounts;
  readonly pid: number;
  /** Moves the clock of the chain forward, and mines a block at the new time. */
  advance(seconds: number): Promise<void>;
  /** Mines blocks, one unless told; every transaction also gets one of its own at once. */
  mine(blocks?: number): Promise<void>;
  /** Ends the process. Nothing is kept. */
  stop(): Promise<void>;
}

/** The private key of a role, derived from its name: the same everywhere, and known to everybody. */
const privateKey = (role: string): Hex =>
  keccak256(stringToHex(`hokusai local chain, key known to everybody: ${role}`));

/** The accounts of every local chain. Their keys are public: worth nothing anywhere else. */
export function localAccounts(): LocalAccounts {
  const roles = ROLES.map((role) => [role, privateKeyToAccount(privateKey(role))] as const);
  const validators = Array.from({ length: VALIDATORS }, (_, i) => privateKeyToAccount(privateKey(`validator ${i}`)));
  validators.sort((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1));
  return { ...(Object.fromEntries(roles) as Record<(typeof ROLES)[number], PrivateKeyAccount>), validators };
}

/**
 * Starts Hardhat's simulated chain in a child process, serves it on 127.0.0.1 over HTTP and WebSocket, and deploys the
 * contracts with scripts/Hokusai.ts. Accounts and addresses are the same at each start.
 *
 * The child ends with this process, however that ends, and does not keep it alive.
 *
 * @param port    0 for any that is free
 * @param chainId of Hardhat's chain, unless two chains are to differ
 * @param signal  stops the chain
 * @throws HokusaiError (configuration) `PORT_IN_USE`, `CONTRACTS_MISSING`; (terminal) `LOCAL_CHAIN_FAILED`.
 */
export async function startLocalChain({
  port = 0,
  chainId = LOCAL_CHAIN_ID,
  signal,
}: {
  port?: number;
  chainId?: number;
  signal?: AbortSignal;
} = {}): Promise<LocalChain> {
  signal?.throwIfAborted();
  abi('Rounds');
  const child = fork(join(import.meta.dirname, `local-child${extname(import.meta.filename)}`), {
    // Flags that this process was started with, say for a test or a debugger, are not for the child.
    execArgv: [],
    // Hardhat's progress is no output of ours; what it says before it fails is.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  const aborted = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', aborted, { once: true });
  child.once('exit', () => signal?.removeEventListener('abort', aborted));
  const privateKeys = [...ROLES, ...Array.from({ length: VALIDATORS }, (_, i) => `validator ${i}`)].map(privateKey);
  const root = join(import.meta.dirname, '../..');
  try {
    const { url, addresses } = await answer(child, { root, port, chainId, privateKeys });
    child.unref();
    child.channel?.unref();
    (child.stderr as unknown as { unref(): void }).unref();
    const deployment = { chainId, ...addresses };
    return { url, chainId, deployment, accounts: localAccounts(), pid: child.pid!, ...controls(url), stop };
  } catch (error) {
    await stop();
    signal?.throwIfAborted();
    throw error;
  }
}

function answer(child: ChildProcess, job: LocalChainJob): Promise<LocalChainReply & { ok: true }> {
  return new Promise((resolve, reject) => {
    let complaint = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-1_000);
    });
    const failed = (message: string, details: Record<string, unknown>) =>
      reject(
        new HokusaiError('terminal', 'LOCAL_CHAIN_FAILED', `The local chain did not start: ${message}`, { details }),
      );
    child.once('error', (error) => failed(error.message, {}));
    child.once('exit', (code, killedBy) => failed('its process ended.', { code, killedBy, complaint }));
    child.once('message', (reply: LocalChainReply) => {
      if (reply.ok) resolve(reply);
      else if (reply.code === 'EADDRINUSE' || reply.code === 'EACCES') reject(portTaken(job.port, reply.code));
      else failed(reply.message, { complaint });
    });
    child.send(job);
  });
}

const portTaken = (port: number, cause: string) =>
  new HokusaiError('configuration', 'PORT_IN_USE', `A local chain cannot be served on port ${port}: ${cause}.`, {
    details: { port, cause },
    next: 'Stop what uses the port, or leave the port out: a free one is taken.',
  });

/** Time and blocks, which only a simulated chain lets one move. */
function controls(url: string): Pick<LocalChain, 'advance' | 'mine'> {
  const client = createTestClient({ mode: 'hardhat', transport: http(url) });
  return {
    async advance(seconds) {
      await client.increaseTime({ seconds });
      await client.mine({ blocks: 1 });
    },
    mine: (blocks = 1) => client.mine({ blocks }),
  };
}
