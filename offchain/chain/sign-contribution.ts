import type { Address, Hex, LocalAccount } from 'viem';
import type { Contribution } from './round.ts';

/** Of the EIP-712 `Contribution` in RoundVotes.sol. */
export const CONTRIBUTION_TYPES = {
  Contribution: [
    { name: 'modelId', type: 'bytes32' },
    { name: 'contributor', type: 'address' },
    { name: 'payeesRoot', type: 'bytes32' },
    { name: 'dataRoot', type: 'bytes32' },
    { name: 'rows', type: 'uint32' },
    { name: 'ciphertextHash', type: 'bytes32' },
    { name: 'policyHash', type: 'bytes32' },
    { name: 'benchmarkId', type: 'bytes32' },
    { name: 'salt', type: 'bytes32' },
  ],
} as const;

/** The EIP-712 typed data of a contribution: its hash is `Rounds.contributionDigest`. */
export const contributionTypedData = (chainId: number, rounds: Address, contribution: Contribution) =>
  ({
    domain: { name: 'Hokusai Rounds', version: '1', chainId, verifyingContract: rounds },
    types: CONTRIBUTION_TYPES,
    primaryType: 'Contribution',
    message: contribution,
  }) as const;

/**
 * Allows anybody to open this contribution, on one contract of one chain: `open` takes the signature where its sender is
 * not the contributor.
 */
export const signContribution = (
  account: LocalAccount,
  chainId: number,
  rounds: Address,
  contribution: Contribution,
): Promise<Hex> => account.signTypedData(contributionTypedData(chainId, rounds, contribution));
