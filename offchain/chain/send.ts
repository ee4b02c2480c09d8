import type { ArtifactMap } from 'hardhat/types/artifacts';
import {
  type Abi,
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  encodeFunctionData,
  type Hex,
  keccak256,
  TransactionNotFoundError,
  type TransactionSerializable,
  WaitForTransactionReceiptTimeoutError,
  zeroHash,
} from 'viem';
import { HokusaiError } from '../errors.ts';
import { type ChainClient, reach, type Sender } from './connect.ts';
import { abi, CONTRACTS, type ContractKey } from './contracts.ts';
import { errorAbi, refusal, reverted } from './revert.ts';

type AbiOf<Key extends ContractKey> = ArtifactMap[(typeof CONTRACTS)[Key]]['abi'];
type Changing = 'nonpayable' | 'payable';
type Viewing = 'pure' | 'view';

/** What a transaction costs, known before it is signed. */
export interface Estimate {
  readonly action: string;
  /** Gas that it is sent with: a tenth more than it would use now. */
  readonly gas: bigint;
  /** Wei that a gas costs at most. */
  readonly gasPrice: bigint;
  /** Wei that the contract is paid. */
  readonly value: bigint;
}

/** A transaction that was mined and did not revert; or one that the client's `review` kept from being sent. */
export interface Sent<Result = unknown> {
  /** The account that sent it. */
  readonly by: Address;
  /** Zero where it was not sent. */
  readonly hash: Hex;
  /** Gas that it used, or would be sent with. */
  readonly gas: bigint;
  /** Number of the block that it is in; zero where it was not sent. */
  readonly block: bigint;
  /** What the function returned when it was simulated, right before it was sent. */
  readonly result: Result;
}

/** A function of a contract with its arguments. */
export interface Call<Key extends ContractKey, Mutability extends Changing | Viewing, Name> {
  readonly contract: Key;
  readonly functionName: Name;
  readonly args: Name extends ContractFunctionName<AbiOf<Key>, Mutability>
    ? ContractFunctionArgs<AbiOf<Key>, Mutability, Name>
    : never;
}

interface Transaction {
  readonly action: string;
  readonly contract: ContractKey;
  readonly functionName: string;
  readonly args: readonly unknown[];
  readonly value?: bigint;
}

/**
 * Sends one transaction, and waits until it is mined.
 *
 * It is simulated first, on the pending state, so a refusal costs nothing and a transaction of ours that still waits is
 * seen. It is given to the chain once; where the answer is lost, the chain is asked whether it has the transaction. If it
 * has not, a repeat signs with the same nonce, so at most one of the two can be mined. A repeat after one was mined, say
 * after a crash, makes a new transaction; that it does not act twice is up to the contracts' states, which refuse every
 * step of a round the second time (`allocateBudget` alone adds up).
 *
 * @param action what is done, for errors
 * @param value  wei
 * @throws HokusaiError `CHAIN_REVERTED` (terminal, or retryable where time helps) with the contract's error by name;
 *   `CHAIN_UNREACHABLE` and `CHAIN_PENDING` (retryable), with the `hash` where one was sent; `CHAIN_FUNDS`
 *   (configuration).
 */
export async function send<Key extends ContractKey, const Name extends ContractFunctionName<AbiOf<Key>, Changing>>(
  client: Sender,
  call: Call<Key, Changing, Name> & { action: string; value?: bigint },
): Promise<Sent<ContractFunctionReturnType<AbiOf<Key>, Changing, Name>>> {
  const transaction = call as unknown as Transaction;
  const { publicClient } = client;
  return reach(publicClient, async () => {
    await requireFunds(client, transaction, transaction.value ?? 0n);
    const result = await simulate(client, transaction);
    const broadcasted = await inTurn(client, () => broadcast(client, transaction));
    const by = client.account.address;
    if (!('hash' in broadcasted)) return { by, ...broadcasted, hash: zeroHash, block: 0n, result: result as never };
    const { hash } = broadcasted;
    const receipt = await publicClient.waitForTransactionReceipt({ hash, checkReplacement: false }).catch((error) => {
      throw error instanceof WaitForTransactionReceiptTimeoutError ? pending(transaction, hash) : error;
    });
    if (receipt.status === 'reverted') {
      // Something came between the simulation and the block; asked again on that block, it says what.
      await simulate(client, transaction, receipt.blockNumber);
      throw refusal(transaction.action, undefined, {});
    }
    return { by, hash, gas: receipt.gasUsed, block: receipt.blockNumber, result: result as never };
  });
}

/**
 * Reads from a contract.
 *
 * @throws HokusaiError those of `send` that can happen without sending.
 */
export async function view<Key extends ContractKey, const Name extends ContractFunctionName<AbiOf<Key>, Viewing>>(
  client: ChainClient,
  call: Call<Key, Viewing, Name>,
): Promise<ContractFunctionReturnType<AbiOf<Key>, Viewing, Name>> {
  const { contract, functionName, args } = call as unknown as Transaction;
  const request = { ...target(client, contract), functionName, args };
  try {
    return (await reach(client.publicClient, () => client.publicClient.readContract(request))) as never;
  } catch (error) {
    throw reverted(functionName, error) ?? error;
  }
}

const target = ({ deployment }: ChainClient, contract: ContractKey) => ({
  address: deployment[contract],
  abi: [...(abi(CONTRACTS[contract]) as Abi), ...errorAbi()],
});

async function simulate(client: Sender, transaction: Transaction, blockNumber?: bigint): Promise<unknown> {
  const { action, contract, functionName, args, value } = transaction;
  const when = blockNumber === undefined ? { blockTag: 'pending' as const } : { blockNumber };
  const request = { ...target(client, contract), functionName, args, account: client.account, ...when };
  try {
    return (await client.publicClient.simulateContract({ ...request, ...(value !== undefined && { value }) })).result;
  } catch (error) {
    throw reverted(action, error) ?? error;
  }
}

/** Signs the transaction, once, and gives it to the chain, unless the client's review says no. */
async function broadcast(client: Sender, transaction: Transaction): Promise<{ hash: Hex } | { gas: bigint }> {
  const { publicClient, account } = client;
  const { address: to, abi: functions } = target(client, transaction.contract);
  const { functionName, args, value = 0n } = transaction;
  const data = encodeFunctionData({ abi: functions, functionName, args });
  const estimate = await publicClient.estimateGas({ account, to, data, value, blockTag: 'pending' });
  // A tenth more, because other transactions may come first and leave more to do.
  const gas = (estimate * 11n) / 10n;
  const nonce = await publicClient.getTransactionCount({ address: account.address, blockTag: 'pending' });
  const request = await publicClient.prepareTransactionRequest({
    ...{ account, chain: publicClient.chain!, to, data, value, gas, nonce },
    parameters: ['fees', 'type'],
  });
  const gasPrice = request.maxFeePerGas ?? request.gasPrice ?? 0n;
  if (client.review?.({ action: transaction.action, gas, gasPrice, value }) === false) return { gas };
  await requireFunds(client, transaction, value + gas * gasPrice);
  const chainId = client.deployment.chainId;
  const serializedTransaction = await account.signTransaction({ ...request, chainId } as TransactionSerializable);
  const hash = keccak256(serializedTransaction);
  try {
    await publicClient.sendRawTransaction({ serializedTransaction });
  } catch (error) {
    // The answer may have been lost, or say that the transaction was mined and reverted: then it is there all the same.
    if (!(await isKnown(client, hash))) throw error;
  }
  return { hash };
}

async function isKnown({ publicClient }: Sender, hash: Hex): Promise<boolean> {
  try {
    await publicClient.getTransaction({ hash });
    return true;
  } catch (error) {
    if (error instanceof TransactionNotFoundError) return false;
    throw error;
  }
}

async function requireFunds({ publicClient, account }: Sender, { action }: Transaction, needed: bigint): Promise<void> {
  const balance = await publicClient.getBalance({ address: account.address, blockTag: 'pending' });
  if (balance >= needed) return;
  const message = `${action}: ${account.address} has ${balance} wei and needs ${needed}.`;
  throw new HokusaiError('configuration', 'CHAIN_FUNDS', message, {
    details: { action, account: account.address, balance, needed },
    next: 'Send ether to this account, or act with another.',
  });
}

const pending = ({ action }: Transaction, hash: Hex) =>
  new HokusaiError('retryable', 'CHAIN_PENDING', `${action}: transaction ${hash} is not mined yet.`, {
    details: { action, hash },
    next: 'Wait for it; sending again is safe, the contracts take no step twice.',
  });

/** The end of the line of transactions of each account: two at a time would be given the same nonce. */
const lines = new Map<string, Promise<unknown>>();

function inTurn<T>({ account, deployment }: Sender, task: () => Promise<T>): Promise<T> {
  const key = `${deployment.chainId} ${account.address}`;
  const turn = (lines.get(key) ?? Promise.resolve()).then(task);
  lines.set(
    key,
    turn.catch(() => undefined),
  );
  return turn;
}
