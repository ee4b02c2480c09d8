// The verbs of the command line on a chain of their own, with a project, and keystores for whoever acts.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Hex, keccak256, stringToHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { connect, type Sender } from '../../offchain/chain/connect.ts';
import { CONTRACTS } from '../../offchain/chain/contracts.ts';
import { createKeystore, PASSWORD_FILE_VARIABLE } from '../../offchain/chain/keystore.ts';
import { type LocalChain, startLocalChain } from '../../offchain/chain/local.ts';
import { ROUNDS } from '../../offchain/chain/rounds-verbs.ts';
import { CONTRIBUTE } from '../../offchain/contribute/verbs.ts';
import { EXIT_CODE, HokusaiError } from '../../offchain/errors.ts';
import { jsonText } from '../../offchain/fail.ts';
import { init } from '../../offchain/init.ts';
import { KEYS } from '../../offchain/keys/verbs.ts';
import { MODEL } from '../../offchain/model/verbs.ts';
import { VALIDATOR } from '../../offchain/validator/verbs.ts';
import { type Command, perform } from '../../offchain/verb.ts';
import { type Finished, Started, TABLE } from './hokusai.ts';

export const VALIDATORS = ['validator 0', 'validator 1', 'validator 2'];
/** The keys of a local chain are made of names. */
export const keyOf = (role: string): Hex =>
  keccak256(stringToHex(`hokusai local chain, key known to everybody: ${role}`));
export const addressOf = (role: string) => privateKeyToAccount(keyOf(role)).address;

export let folder: string;
export let chain: LocalChain;
/** The project's configuration. */
export let config: string;
/** Where the contracts are, as options. */
export let on: string[];

/** Before all tests of a file. */
export async function start(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'hokusai-verbs-'));
  const project = join(folder, 'project');
  const sizes = { baselineRows: 20, benchmarkRows: 284 };
  const [made] = await Promise.all([
    init({ directory: project, data: TABLE, label: 'benign', ...sizes }),
    startLocalChain().then((started) => {
      chain = started;
    }),
  ]);
  config = made.files.at(-1)!;
  await writeFile(join(folder, 'password'), 'correct horse\n');
  process.env[PASSWORD_FILE_VARIABLE] = join(folder, 'password');
  for (const role of ['owner', 'contributor', 'payee', 'outsider', ...VALIDATORS]) {
    await createKeystore(keystore(role), 'correct horse', { privateKey: keyOf(role), light: true });
  }
  on = ['--rpc', chain.url, '--deployment', await deploymentFolder(chain.chainId)];
}

export async function stop(): Promise<void> {
  await chain?.stop();
  await rm(folder, { recursive: true });
}

export const keystore = (role: string) => join(folder, `${role}.json`);

/** What `npm run deploy` would have left, said to be on this chain. */
export async function deploymentFolder(chainId: number): Promise<string> {
  const path = join(folder, `chain-${chainId}`);
  await mkdir(path, { recursive: true });
  const addresses = Object.entries(CONTRACTS).map(([key, name]) => [
    `Hokusai#${name}`,
    chain.deployment[key as keyof typeof CONTRACTS],
  ]);
  await writeFile(join(path, 'deployed_addresses.json'), JSON.stringify(Object.fromEntries(addresses)));
  return path;
}

/** The command line in a process of its own: a few times, for what only that shows. */
export const child = (...parameters: string[]): Promise<Finished> =>
  new Started('offchain/cli.ts', parameters, {
    [PASSWORD_FILE_VARIABLE]: process.env[PASSWORD_FILE_VARIABLE]!,
  }).finished();

/** The same in this process, as most processes would spend their time on loading. */
export async function run(...[name = '', ...parameters]: string[]): Promise<Finished> {
  const asJson = parameters.includes('--json');
  const notes: string[] = [];
  try {
    const args = parameters.filter((parameter) => parameter !== '--json');
    const { text, json } = await perform(name, COMMANDS[name]!, args, (note) => notes.push(note));
    return { code: 0, signal: null, stdout: asJson ? jsonText(json) : text, stderr: notes.join('\n') };
  } catch (error) {
    if (!(error instanceof HokusaiError)) throw error;
    return { code: EXIT_CODE[error.kind], signal: null, stdout: '', stderr: `${error.message}\n${error.next}` };
  }
}
const COMMANDS: Readonly<Record<string, Command>> = {
  model: MODEL,
  contribute: CONTRIBUTE,
  validator: VALIDATOR,
  rounds: ROUNDS,
  keys: KEYS,
};
export const as = (role: string, ...parameters: string[]) => run(...parameters, ...on, '--keystore', keystore(role));

/** What a verb answers machines; it has to succeed. */
export async function answer(finished: Promise<Finished>) {
  const { code, stdout, stderr } = await finished;
  assert.equal(code, 0, stdout + stderr);
  return JSON.parse(stdout);
}
export async function refused(finished: Promise<Finished>, code: number, what: RegExp): Promise<void> {
  const { code: actual, stderr } = await finished;
  assert.match(stderr, what);
  assert.equal(actual, code, stderr);
}
export const clientOf = (role: string): Promise<Sender> =>
  connect({ url: chain.url, deployment: chain.deployment, account: privateKeyToAccount(keyOf(role)) });
export const nonceOf = async (role: string) =>
  (await clientOf('outsider')).publicClient.getTransactionCount({ address: addressOf(role) });
export const gasOf = (done: { transactions: { gas: string }[] }) => BigInt(done.transactions[0]!.gas);
