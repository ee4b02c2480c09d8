// The twins of what ModelRegistry, RoundRecords and RoundVotes compute on-chain, for whoever checks without a chain.
import { type Address, encodeAbiParameters, type Hex, keccak256, recoverTypedDataAddress, stringToHex } from 'viem';
import { type Attestation, STATUSES } from './attest.ts';

const tag = (name: string): Hex => keccak256(stringToHex(`hokusai.${name}`));

/** Half the order of secp256k1: OpenZeppelin's ECDSA takes no signature whose s is above it. */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/** The EIP-712 type that validators sign, under the domain "Hokusai Rounds", version "1". */
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

/** keccak256 over 32-byte words: abi.encode of anything without dynamic members. */
const hashWords = (words: readonly (Hex | bigint)[]): Hex =>
  keccak256(
    encodeAbiParameters(
      words.map(() => ({ type: 'uint256' as const })),
      words.map(BigInt),
    ),
  );

/** foldId = keccak256(abi.encode(TAG_FOLD, fold)), as ModelRegistry names a fold. */
export function foldId(fold: Omit<Attestation['benchmark'], 'foldId'>): Hex {
  return hashWords([
    tag('fold'),
    BigInt(fold.labelsRoot),
    BigInt(fold.featuresRoot),
    fold.rowsRoot as Hex,
    fold.quantiserHash as Hex,
    stringToHex(fold.metric, { size: 32 }),
    BigInt(fold.n),
    BigInt(fold.classes),
  ]);
}

/** The root of a training set that grew by a contribution. */
export const trainingSetRoot = (previous: Hex, dataRoot: Hex): Hex =>
  hashWords([tag('trainingSet'), previous, dataRoot]);

/** What a proof is good for, as `Rounds.contextHash` computes it. */
export function contextHash({
  context,
  contribution,
  benchmark,
  models,
  circuitId,
}: Pick<Attestation, 'context' | 'contribution' | 'benchmark'> & {
  models: NonNullable<Attestation['models']>;
  circuitId: string;
}): bigint {
  const encoded = hashWords([
    tag('context'),
    BigInt(context.chainId),
    context.rounds as Address,
    context.roundId as Hex,
    context.modelId as Hex,
    BigInt(models.baseline.commitment),
    models.baseline.trainingSetRoot as Hex,
    contribution.dataRoot as Hex,
    contribution.payee as Address,
    benchmark.foldId as Hex,
    context.policyHash as Hex,
    context.trainSpecHash as Hex,
    circuitId as Hex,
    BigInt(models.candidate.commitment),
    context.settler as Address,
  ]);
  return BigInt(encoded) >> 8n;
}

/** What validators sign of an attestation; what its status has no value for is zero, so that votes of one finding are equal. */
export function voteOf({ status, models, metricsHash }: Attestation) {
  return {
    status: STATUSES.indexOf(status),
    baselinePredictionsRoot: BigInt(models?.baseline.predictionsRoot ?? 0),
    candidateCommitment: BigInt(models?.candidate.commitment ?? 0),
    candidatePredictionsRoot: BigInt(models?.candidate.predictionsRoot ?? 0),
    trainingSetRoot: (models?.candidate.trainingSetRoot ?? `0x${'0'.repeat(64)}`) as Hex,
    metricsHash: metricsHash as Hex,
  };
}

/** Who signed the attestation's vote; undefined for a signature that the contract would not take, whoever made it. */
export async function voter(attestation: Attestation, signature: string): Promise<Address | undefined> {
  const { chainId, rounds, roundId } = attestation.context;
  const s = BigInt(`0x${signature.slice(66, 130)}`);
  if (s > HALF_ORDER || !/1[bc]$/.test(signature)) return undefined;
  try {
    return await recoverTypedDataAddress({
      domain: { name: 'Hokusai Rounds', version: '1', chainId, verifyingContract: rounds.toLowerCase() as Address },
      types: VOTE_TYPES,
      primaryType: 'Vote',
      message: { roundId: roundId as Hex, ...voteOf(attestation) },
      signature: signature as Hex,
    });
  } catch {
    // The library throws where no key could have made the signature.
    return undefined;
  }
}
