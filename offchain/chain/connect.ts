import {
  BaseError,
  createPublicClient,
  defineChain,
  HttpRequestError,
  http,
  LimitExceededRpcError,
  type LocalAccount,
  type PublicClient,
  TimeoutError,
} from 'viem';
import { HokusaiError } from '../errors.ts';
import { type Deployment, readDeployment } from './contracts.ts';
import type { Estimate } from './send.ts';

/** The chain id of Hardhat's simulated chain: the only one on which development keys are taken. */
export const LOCAL_CHAIN_ID = 31337;

/** A chain on which the contracts are, and as whom to act there. */
export interface ChainClient<Account extends LocalAccount | undefined = LocalAccount | undefined> {
  readonly publicClient: PublicClient;
  readonly deployment: Deployment;
  /** Who signs what is sent; a client without one only reads. */
  readonly account: Account;
  /** Told what each transaction costs before it is signed; where it says false, nothing is sent. */
  readonly review?: (estimate: Estimate) => boolean;
}

/** A client that can send. */
export type Sender = ChainClient<LocalAccount>;

/**
 * Connects to a chain, and makes sure that it is the one on which the contracts are.
 *
 * @param url        JSON-RPC over HTTP. It often holds a provider's key, so errors name its host alone.
 * @param deployment or the path that {@link readDeployment} takes
 * @throws HokusaiError (configuration) `CHAIN_URL`, `CHAIN_WRONG` when the chain is another one or has no contract there,
 *   those of {@link reach} and of `readDeployment`.
 */
export async function connect<Account extends LocalAccount | undefined = undefined>({
  url,
  deployment: given,
  account,
}: {
  url: string;
  deployment: Deployment | string;
  account?: Account;
}): Promise<ChainClient<Account>> {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new HokusaiError(
      'configuration',
      'CHAIN_URL',
      'The RPC URL is not one that begins with http:// or https://.',
    );
  }
  const deployment = typeof given === 'string' ? readDeployment(given) : given;
  const chain = defineChain({
    id: deployment.chainId,
    name: `chain ${deployment.chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });
  // A local chain mines at once: there is no block to wait four seconds for, and no old block number to go by.
  const pace = deployment.chainId === LOCAL_CHAIN_ID ? { pollingInterval: 50, cacheTime: 0 } : {};
  const publicClient = createPublicClient({ chain, transport: http(url, { retryCount: 2, timeout: 20_000 }), ...pace });
  const wrong = (message: string, details: Record<string, unknown>) =>
    new HokusaiError('configuration', 'CHAIN_WRONG', message, {
      details: { host: host(publicClient), ...details },
      next: 'Name an RPC URL of the chain that the deployment is on, or the deployment of this chain.',
    });
  const expected = deployment.chainId;
  const actual = await reach(publicClient, () => publicClient.getChainId());
  if (actual !== expected) {
    const message = `${host(publicClient)} is chain ${actual}; the contracts are on chain ${expected}.`;
    throw wrong(message, { expected, actual });
  }
  const { rounds } = deployment;
  if (!(await reach(publicClient, () => publicClient.getCode({ address: rounds })))) {
    throw wrong(`There is no contract at ${rounds} on chain ${actual}.`, { expected, actual, rounds });
  }
  return { publicClient, deployment, account: account as Account };
}

/**
 * Runs what talks to the chain; an answer that did not come becomes an error to try again on.
 *
 * @throws HokusaiError `CHAIN_UNREACHABLE` (retryable), `CHAIN_REFUSED` (configuration) when the server turns us away.
 */
export async function reach<T>(publicClient: PublicClient, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const cause = unreachable(error);
    if (!cause) throw error;
    // Not as the error's cause: viem's messages hold the URL, and with it a provider's key.
    const details = { host: host(publicClient), reason: cause.shortMessage };
    const status = cause instanceof HttpRequestError ? cause.status : undefined;
    if (status !== undefined && status >= 400 && status < 500 && ![408, 425, 429].includes(status)) {
      const message = `${host(publicClient)} refused the request with HTTP status ${status}.`;
      throw new HokusaiError('configuration', 'CHAIN_REFUSED', message, {
        details: { ...details, status },
        next: 'Check the RPC URL, and the key in it.',
      });
    }
    throw new HokusaiError('retryable', 'CHAIN_UNREACHABLE', `${host(publicClient)} did not answer.`, {
      details: { ...details, ...(status !== undefined && { status }) },
      next: 'Try again; if it stays away, check the RPC URL and the connection to it.',
    });
  }
}

/** The part of an error that says that the chain was not reached, or had no time for us. */
function unreachable(error: unknown): BaseError | undefined {
  if (!(error instanceof BaseError)) return undefined;
  const kinds = [HttpRequestError, TimeoutError, LimitExceededRpcError];
  return error.walk((inner) => kinds.some((kind) => inner instanceof kind)) as BaseError | undefined;
}

const host = (publicClient: PublicClient): string => new URL(publicClient.chain!.rpcUrls.default.http[0]!).host;
