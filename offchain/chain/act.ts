/** Acting on a chain from the command line: as whom, at what cost, and what came of it. */
import { formatEther, formatUnits, zeroHash } from 'viem';
import { type Answer, flag, type Note, required, text } from '../verb.ts';
import { type ChainClient, connect, type Sender } from './connect.ts';
import { type Estimate, type Sent, view } from './send.ts';

/** Where the contracts are. */
export const ON_CHAIN = { rpc: required(text), deployment: required(text) };
/** And as whom to act there. */
export const SENDING = { ...ON_CHAIN, keystore: required(text), dryRun: flag };

export const ON_CHAIN_HELP = `  --rpc URL            JSON-RPC of the chain
  --deployment FOLDER  deployments/chain-<id>, which \`npm run deploy\` left`;
export const SENDING_HELP = `${ON_CHAIN_HELP}
  --keystore FILE      account that sends; its password is in the file that HOKUSAI_KEYSTORE_PASSWORD_FILE names
  --dry-run            try it on the chain's present state and say what it costs, and send nothing`;

interface At {
  readonly rpc: string;
  readonly deployment: string;
}

/** A client that reads. */
export const reading = ({ rpc, deployment }: At): Promise<ChainClient> => connect({ url: rpc, deployment });

/** Ether in words. */
export const ether = (wei: bigint): string => `${formatEther(wei)} ETH`;

/** How amounts of the deployment's reward token are written. */
export async function tokenText(client: ChainClient): Promise<(units: bigint) => string> {
  const symbol = await view(client, { contract: 'rewardToken', functionName: 'symbol', args: [] });
  return (units) => `${formatUnits(units, 18)} ${symbol}`;
}

/** Seconds in words, the two largest units of them. */
export function duration(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const;
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) return '0 s';
  let rest = seconds;
  const parts = units.slice(first, first + 2).flatMap(([name, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? [`${count} ${name}`] : [];
  });
  return parts.join(' ');
}

/** Seconds since 1970 as a date. */
export const dateText = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

/** What was done to a chain. */
export interface Acting extends Answer {
  /** In the order in which they were sent. */
  readonly sent?: readonly Sent[];
}

/**
 * Connects with the keystore's account, acts, and says before each transaction what it costs.
 *
 * @param act does it; what it says is what the verb answers
 */
export async function acting(
  given: At & { readonly keystore: string; readonly dryRun: boolean },
  note: Note,
  act: (client: Sender) => Promise<Acting>,
): Promise<Answer> {
  const dryRun = Boolean(given.dryRun);
  const reader = await connect({ url: given.rpc, deployment: given.deployment });
  // Here, because what only reads need not wait until the libraries for keys are loaded.
  const { openKeystore, readPassword } = await import('./keystore.ts');
  const account = await openKeystore(given.keystore, await readPassword());
  const costs: Estimate[] = [];
  const review = (estimate: Estimate): boolean => {
    costs.push(estimate);
    note(costText(estimate));
    return !dryRun;
  };
  const { text, json, sent = [] } = await act({ ...reader, account, review });
  const transactions = sent
    .filter(({ hash }) => hash !== zeroHash)
    .map(({ hash, gas, block }) => ({ hash, gas, block }));
  for (const { hash, gas, block } of transactions) note(`⛓ ${hash}, block ${block}, ${gas} gas`);
  return {
    text: dryRun ? `${text}\nA dry run: nothing was sent.` : text,
    json: { ...json, account: account.address, dryRun, costs, transactions },
  };
}

const costText = ({ action, gas, gasPrice, value }: Estimate): string => {
  const price = formatUnits(gasPrice, 9);
  const paid = value > 0n ? `${ether(value)} paid in, and ` : '';
  return `${action}: ${paid}at most ${ether(gas * gasPrice)} for ${gas} gas at ${price} gwei.`;
};
