import { type Address, getAddress, type Hex, keccak256, type LocalAccount, recoverTypedDataAddress } from 'viem';
import { hashWords, tag } from '../attestation/context.ts';
import { HokusaiError } from '../errors.ts';

/** Names of `Status` in IRounds.sol, in its order: the index is the number on-chain. */
export const STATUSES = [
  'SCORED',
  'BELOW_GATE',
  'UNAVAILABLE',
  'ROOT_MISMATCH',
  'OVERLAP',
  'SCHEMA',
  'PII',
  'TOO_FEW_ROWS',
  'TRAINING_FAILED',
] as const;

export type Status = (typeof STATUSES)[number];

/** Names of `State` in IRounds.sol, in its order. */
export const STATES = ['NONE', 'COMMITTED', 'OPEN', 'VOTING', 'SETTLED', 'FINALISED', 'REJECTED', 'VOIDED'] as const;

export type State = (typeof STATES)[number];

/** What a validator found in a round; IRounds.sol says what each member is. What a status has no value for is zero. */
export interface Vote {
  readonly status: Status;
  readonly baselinePredictionsRoot: bigint;
  readonly candidateCommitment: bigint;
  readonly candidatePredictionsRoot: bigint;
  readonly trainingSetRoot: Hex;
  readonly metricsHash: Hex;
}

/** A validator's signature with the validator that it recovers to. */
export interface SignedVote {
  readonly voter: Address;
  readonly signature: Hex;
}

/** Of the EIP-712 `Vote` in RoundVotes.sol. */
export const VOTE_TYPES = {
  Vote: [
    { name: 'roundId', type: 'bytes32' },
    { name: 'status', type: 'uint8' },
    { name: 'baselinePredictionsRoot', type: 'uint256' },
    { name: 'candidateCommitment', type: 'uint256' },
    { name: 'candidatePredictionsRoot', type: 'uint256' },
    { name: 'trainingSetRoot', type: 'bytes32' },
    { name: 'metricsHash', type: 'bytes32' },
  ],
} as const;

/** A vote as the contract takes it. */
export const encodeVote = (vote: Vote) => ({ ...vote, status: STATUSES.indexOf(vote.status) });

/**
 * What a validator commits to before it reveals its vote, as `Rounds.voteHash` computes it.
 *
 * @param salt 32 bytes that nobody else knows, or the vote could be guessed: there are few statuses
 */
export const voteHash = (
  chainId: number,
  rounds: Address,
  roundId: Hex,
  validator: Address,
  vote: Vote,
  salt: Hex,
): Hex => hashWords([tag('vote'), BigInt(chainId), rounds, roundId, validator, ...words(vote), salt]);

/**
 * What hides a validator's vote in one round until all are committed: made of a signature, so nobody without the account's
 * key can make it; and as ECDSA is deterministic here (RFC 6979), the validator makes the same again after a crash and has
 * nothing to keep.
 */
export async function voteSalt(account: LocalAccount, chainId: number, rounds: Address, roundId: Hex): Promise<Hex> {
  const hash = hashWords([tag('voteSalt'), BigInt(chainId), rounds, roundId]);
  return keccak256(await account.sign!({ hash }));
}

/** What `Rounds.voteOf` gives of a vote that was revealed. */
export const voteContent = (vote: Vote): Hex => hashWords(words(vote));

const words = (vote: Vote): readonly (Hex | bigint)[] => [
  BigInt(STATUSES.indexOf(vote.status)),
  vote.baselinePredictionsRoot,
  vote.candidateCommitment,
  vote.candidatePredictionsRoot,
  vote.trainingSetRoot,
  vote.metricsHash,
];

/** The EIP-712 typed data of a vote: its hash is `Rounds.voteDigest`. */
export const voteTypedData = (chainId: number, rounds: Address, roundId: Hex, vote: Vote) =>
  ({
    domain: { name: 'Hokusai Rounds', version: '1', chainId, verifyingContract: rounds },
    types: VOTE_TYPES,
    primaryType: 'Vote',
    message: { roundId, ...encodeVote(vote) },
  }) as const;

/** Signs a vote for one round of one contract on one chain. */
export async function signVote(
  account: LocalAccount,
  chainId: number,
  rounds: Address,
  roundId: Hex,
  vote: Vote,
): Promise<SignedVote> {
  const signature = await account.signTypedData(voteTypedData(chainId, rounds, roundId, vote));
  return { voter: getAddress(account.address), signature };
}

/** Half of the order of secp256k1: the contract takes no signature whose s is above it. */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/**
 * Who signed a vote. A signature over anything else recovers to some other address: compare it with the policy's
 * validators.
 *
 * @throws HokusaiError `VOTE_SIGNATURE` (terminal) for bytes that the contract would revert on, whoever signed them: one
 *   such signature among good ones would cost a settlement.
 */
export async function recoverVoter(
  chainId: number,
  rounds: Address,
  roundId: Hex,
  vote: Vote,
  signature: Hex,
): Promise<Address> {
  const s = /^0x[0-9a-f]{64}([0-9a-f]{64})(1b|1c)$/i.exec(signature)?.[1];
  if (s !== undefined && BigInt(`0x${s}`) <= HALF_ORDER) {
    try {
      return await recoverTypedDataAddress({ ...voteTypedData(chainId, rounds, roundId, vote), signature });
    } catch {
      // r or s is no coordinate or scalar of the curve: the library throws, the contract would revert.
    }
  }
  throw new HokusaiError('terminal', 'VOTE_SIGNATURE', 'A vote’s signature is not one that the contract takes.', {
    details: { roundId, signature },
    next: 'Leave it out: 65 bytes r, s, v are expected, with s in the lower half and v 27 or 28.',
  });
}
