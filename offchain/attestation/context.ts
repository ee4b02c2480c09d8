// The twins of what ModelRegistry, RoundRecords and RoundVotes compute on-chain, for whoever checks without a chain.
import { type Address, encodeAbiParameters, type Hex, keccak256, stringToHex, zeroHash } from 'viem';
import type { Vote } from '../chain/vote.ts';
import type { Attestation } from './attest.ts';

/** Keeps hashes of different things apart, as the contracts' TAG constants do. */
export const tag = (name: string): Hex => keccak256(stringToHex(`hokusai.${name}`));

/** keccak256 over 32-byte words: abi.encode of anything without dynamic members. */
export const hashWords = (words: readonly (Hex | bigint)[]): Hex =>
  keccak256(
    encodeAbiParameters(
      words.map(() => ({ type: 'uint256' as const })),
      words.map(BigInt),
    ),
  );

/** A metric as the contracts name it: a short string. */
export const metricId = (metric: string): Hex => stringToHex(metric, { size: 32 });

/** foldId = keccak256(abi.encode(TAG_FOLD, fold)), as ModelRegistry names a fold. */
export function foldId(fold: Omit<Attestation['benchmark'], 'foldId'>): Hex {
  return hashWords([
    tag('fold'),
    BigInt(fold.labelsRoot),
    BigInt(fold.featuresRoot),
    fold.rowsRoot as Hex,
    fold.quantiserHash as Hex,
    metricId(fold.metric),
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
    contribution.payeesRoot as Hex,
    benchmark.foldId as Hex,
    context.policyHash as Hex,
    context.trainSpecHash as Hex,
    circuitId as Hex,
    BigInt(models.candidate.commitment),
    context.settler as Address,
  ]);
  return BigInt(encoded) >> 8n;
}

/** What validators sign of a finding; what its status has no value for is zero, so that votes of one finding are equal. */
export function voteOf({
  status,
  models,
  metricsHash,
}: Pick<Attestation, 'status' | 'models'> & { metricsHash: string }): Vote {
  return {
    status,
    baselinePredictionsRoot: BigInt(models?.baseline.predictionsRoot ?? 0),
    candidateCommitment: BigInt(models?.candidate.commitment ?? 0),
    candidatePredictionsRoot: BigInt(models?.candidate.predictionsRoot ?? 0),
    trainingSetRoot: (models?.candidate.trainingSetRoot ?? zeroHash) as Hex,
    metricsHash: metricsHash as Hex,
  };
}
