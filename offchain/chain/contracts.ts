import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ArtifactMap } from 'hardhat/types/artifacts';
import { type Abi, type Address, getAddress, isAddress } from 'viem';
import { HokusaiError } from '../errors.ts';

/** The contracts that a client talks to, and the library whose errors it may meet, by their names in Solidity. */
export type ContractName =
  | 'ModelRegistry'
  | 'CircuitRegistry'
  | 'InferenceRegistry'
  | 'ValidatorRegistry'
  | 'Rewards'
  | 'Rounds'
  | 'RewardToken'
  | 'DeltaOne';

/** What `hardhat build` writes. A package ships the folder beside its sources: whoever runs it needs no compiler. */
const ARTIFACTS = join(import.meta.dirname, '../../artifacts/contracts');

const abis = new Map<ContractName, Abi>();

/**
 * The interface of a contract as it was compiled, with its types.
 *
 * @throws HokusaiError `CONTRACTS_MISSING` (configuration) when the contracts are not compiled.
 */
export function abi<Name extends ContractName>(name: Name): ArtifactMap[Name]['abi'] {
  if (!abis.has(name)) {
    const file = join(ARTIFACTS, `${name}.sol`, `${name}.json`);
    if (!existsSync(file)) {
      throw new HokusaiError('configuration', 'CONTRACTS_MISSING', `The contracts are not compiled: no ${file}.`, {
        details: { file },
        next: 'Compile them with `npx hardhat build`; an installed package brings the folder artifacts/ along.',
      });
    }
    abis.set(name, JSON.parse(readFileSync(file, 'utf8')).abi);
  }
  return abis.get(name) as ArtifactMap[Name]['abi'];
}

/** Where the contracts are on one chain, by the names that scripts/Hokusai.ts gives them. */
export interface Deployment {
  readonly chainId: number;
  readonly modelRegistry: Address;
  readonly circuitRegistry: Address;
  readonly inferenceRegistry: Address;
  readonly validatorRegistry: Address;
  readonly rewards: Address;
  readonly rounds: Address;
  readonly rewardToken: Address;
}

/** What kind of contract each address of a {@link Deployment} is. */
export const CONTRACTS = {
  modelRegistry: 'ModelRegistry',
  circuitRegistry: 'CircuitRegistry',
  inferenceRegistry: 'InferenceRegistry',
  validatorRegistry: 'ValidatorRegistry',
  rewards: 'Rewards',
  rounds: 'Rounds',
  rewardToken: 'RewardToken',
} as const satisfies Record<Exclude<keyof Deployment, 'chainId'>, ContractName>;

export type ContractKey = keyof typeof CONTRACTS;

const ADDRESSES = 'deployed_addresses.json';

/**
 * Reads what Hardhat Ignition left of a deployment.
 *
 * @param path `deployments/chain-<id>`, or the `deployed_addresses.json` in it
 * @throws HokusaiError (configuration) `DEPLOYMENT_MISSING`, or `DEPLOYMENT_MALFORMED` with all its problems.
 */
export function readDeployment(path: string): Deployment {
  const file = existsSync(path) && statSync(path).isDirectory() ? join(path, ADDRESSES) : path;
  if (!existsSync(file)) {
    throw new HokusaiError('configuration', 'DEPLOYMENT_MISSING', `There is no deployment at ${file}.`, {
      details: { file },
      next: 'Name a folder deployments/chain-<id>, or deploy with `npx hardhat ignition deploy scripts/Hokusai.ts`.',
    });
  }
  const problems: string[] = [];
  const chainId = Number(/^chain-([1-9]\d{0,14})$/.exec(basename(dirname(file)))?.[1]);
  if (!chainId) problems.push(`its folder is named ${basename(dirname(file))}, not chain-<id>`);
  const addresses = readAddresses(file);
  const entries = Object.entries(CONTRACTS).map(([key, name]) => {
    const address = addresses[`Hokusai#${name}`];
    if (isAddress(String(address))) return [key, getAddress(String(address))];
    problems.push(`Hokusai#${name} is ${address === undefined ? 'missing' : 'no address'}`);
    return [key, undefined];
  });
  if (problems.length > 0) throw malformed(file, problems);
  return { chainId, ...Object.fromEntries(entries) };
}

function readAddresses(file: string): Record<string, unknown> {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (content !== null && typeof content === 'object') return content as Record<string, unknown>;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw malformed(file, ['it is no JSON object']);
}

const malformed = (file: string, problems: readonly string[]) =>
  new HokusaiError('configuration', 'DEPLOYMENT_MALFORMED', `${file}: ${problems.join('; ')}.`, {
    details: { file, problems },
    next: 'Deploy scripts/Hokusai.ts to the end: the same command of Hardhat Ignition goes on where it stopped.',
  });
