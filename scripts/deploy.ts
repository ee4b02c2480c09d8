/**
 * Deploys the contracts by Hardhat Ignition, and leaves what it did in deployments/chain-<id>/, with a folder of
 * descriptors (ERC-7730) by which wallets show in words what is signed. A deployment that was
 * stopped goes on when the same command is given again; one that is complete is left alone.
 *
 *   npm run deploy -- --rpc URL --keystore FILE [--token-name NAME] [--token-symbol SYMBOL] [--token-cap UNITS]
 *
 * The keystore's password is the first line of the file that HOKUSAI_KEYSTORE_PASSWORD_FILE names.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createPublicClient, http } from 'viem';
import { readDeployment } from '../offchain/chain/contracts.ts';
import { decryptKeystore, readPassword } from '../offchain/chain/keystore.ts';
import { EXIT_CODE, HokusaiError } from '../offchain/errors.ts';
import { clearSigning } from './clear-signing.ts';
import Hokusai from './Hokusai.ts';

const text = { type: 'string' } as const;
const USAGE =
  'Usage: npm run deploy -- --rpc URL --keystore FILE [--token-name NAME] [--token-symbol SYMBOL] [--token-cap UNITS]';

async function deploy(rpc: string, keystore: string, parameters: Record<string, string | bigint>): Promise<void> {
  const chainId = await chainIdOf(rpc);
  const privateKey = await decryptKeystore(keystore, await readPassword());
  const { createHardhatRuntimeEnvironment } = await import('hardhat/hre');
  const { default: ignition } = await import('@nomicfoundation/hardhat-ignition-viem');
  const root = join(import.meta.dirname, '..');
  const target = { type: 'http' as const, chainType: 'l1' as const, url: rpc, accounts: [privateKey] };
  const config = { plugins: [ignition], paths: { ignition: '.' }, networks: { target } };
  const hre = await createHardhatRuntimeEnvironment(config, {}, root);
  const connection = await hre.network.create('target');
  const deployed = await connection.ignition.deploy(Hokusai, {
    deploymentId: `chain-${chainId}`,
    displayUi: true,
    parameters: { Hokusai: parameters },
  });
  for (const [name, { address }] of Object.entries(deployed)) console.log(`${name.padEnd(17)} ${address}`);
  const folder = join(root, 'deployments', `chain-${chainId}`);
  await mkdir(join(folder, 'clear-signing'), { recursive: true });
  for (const [name, descriptor] of Object.entries(clearSigning(readDeployment(folder)))) {
    await writeFile(join(folder, 'clear-signing', name), `${JSON.stringify(descriptor, null, 2)}\n`);
  }
}

async function chainIdOf(rpc: string): Promise<number> {
  try {
    return await createPublicClient({ transport: http(rpc) }).getChainId();
  } catch {
    // Not as the error's cause: its message holds the URL, and with it a provider's key.
    throw new HokusaiError('retryable', 'CHAIN_UNREACHABLE', 'The node at --rpc did not answer.', {
      next: 'Check the URL and the connection, and try again.',
    });
  }
}

const { values } = parseArgs({
  options: { rpc: text, keystore: text, 'token-name': text, 'token-symbol': text, 'token-cap': text },
});
if (!values.rpc || !values.keystore) {
  console.error(USAGE);
  process.exit(2);
}
try {
  await deploy(values.rpc, values.keystore, {
    ...(values['token-name'] && { tokenName: values['token-name'] }),
    ...(values['token-symbol'] && { tokenSymbol: values['token-symbol'] }),
    ...(values['token-cap'] && { tokenCap: BigInt(values['token-cap']) }),
  });
} catch (error) {
  if (!(error instanceof HokusaiError)) throw error;
  console.error(`✖ ${error.message}\n  ${error.next ?? ''}`);
  process.exitCode = EXIT_CODE[error.kind];
}
