// What the chain keeps of a round, against what an attestation says of it: terms, benchmark, committee and votes.
import { type Address, type Hex, hexToString, isAddressEqual, type PublicClient, zeroHash } from 'viem';
import type { Attestation } from '../attestation/attest.ts';
import { voteOf } from '../attestation/context.ts';
import { abi } from '../chain/contracts.ts';
import { seedIn } from '../chain/round.ts';
import { STATES, STATUSES, voteContent } from '../chain/vote.ts';
import type { VerificationKey } from '../prove/keys.ts';
import { type Comparison, differences, problemsUnless } from './attestation.ts';

/** What is wrong, or where nothing is, a sentence for that if the usual one does not do. */
export type Findings = readonly string[] | { readonly fine: string };

/** An attestation and the chain that is asked about it. */
export interface Question {
  readonly attestation: Attestation;
  /** The verification key beside the attestation, where it has a proof. */
  readonly key: VerificationKey | undefined;
  readonly client: PublicClient;
  readonly rounds: Address;
  readonly modelRegistry: Address;
  readonly circuitRegistry: Address;
  readonly inferenceRegistry: Address;
  readonly validatorRegistry: Address;
  readonly rewards: Address;
  readonly roundId: Hex;
}

export type Problems = (question: Question) => Promise<Findings>;

export const readRound = ({ client, rounds, roundId }: Question) =>
  client.readContract({ address: rounds, abi: abi('Rounds'), functionName: 'round', args: [roundId] });

/** The accounts of the round's committee, by seat. */
async function readCommittee(question: Question): Promise<readonly Address[]> {
  const { client, validatorRegistry } = question;
  const { committee } = await readRound(question);
  const contract = { address: validatorRegistry, abi: abi('ValidatorRegistry') };
  return client.readContract({ ...contract, functionName: 'members', args: [committee] });
}

/** Nodes search few blocks at once, so the search begins where the attestation says that the round was first written of. */
export function firstBlock({ attestation }: Question): bigint {
  const blocks = attestation.transactions.map(({ block }) => block);
  return BigInt(blocks.length === 0 ? 0 : Math.min(...blocks));
}

const TIMES = ['voteDeadline', 'revealDeadline', 'deadline', 'finalisableAt'] as const;

export async function roundProblems(question: Question): Promise<string[]> {
  const { accepted, status, contribution, benchmark, models, context, round: stated } = question.attestation;
  const { client, rounds, roundId } = question;
  const round = await readRound(question);
  const state = STATES[round.state];
  const settled = ['SETTLED', 'FINALISED'];
  const problems = problemsUnless({
    'the round is not settled': !accepted || settled.includes(state!),
    'the round is not rejected': accepted || state === 'REJECTED',
  });
  const same: Comparison = {
    'context.modelId': [context.modelId, round.modelId],
    'context.policyHash': [context.policyHash, round.policyHash],
    'contribution.contributor': [contribution.contributor.toLowerCase(), round.contributor.toLowerCase()],
    'context.benchmarkId': [context.benchmarkId, round.benchmarkId],
    'contribution.payeesRoot': [contribution.payeesRoot, round.payeesRoot],
    'contribution.dataRoot': [contribution.dataRoot, round.dataRoot],
    'contribution.rows': [contribution.rows, round.rows],
    'benchmark.foldId': [benchmark.foldId, round.foldId],
    status: [status, STATUSES[round.status]],
    ...Object.fromEntries(TIMES.map((time) => [`round.${time}`, [stated?.[time], round[time]] as const])),
    ...(models && {
      'models.baseline.commitment': [models.baseline.commitment, round.headCommitment],
      'models.baseline.trainingSetRoot': [models.baseline.trainingSetRoot, round.headTrainingSetRoot],
    }),
    ...(models?.candidate.seed && {
      'models.candidate.seed': [models.candidate.seed, await seedIn(client, rounds, roundId, firstBlock(question))],
    }),
    ...(accepted && {
      'context.settler': [context.settler.toLowerCase(), round.settler.toLowerCase()],
      'models.candidate.commitment': [models?.candidate.commitment, round.candidateCommitment],
    }),
  };
  return [...problems, ...differences(same)];
}

const readPolicy = ({ client, modelRegistry, attestation }: Question) =>
  client.readContract({
    address: modelRegistry,
    abi: abi('ModelRegistry'),
    functionName: 'policy',
    args: [attestation.context.policyHash as Hex],
  });

/** What decides what is paid, but the guardrails. */
const TERMS = [
  ...(['minDeltaBps', 'minRows', 'minPositives', 'zMicro', 'alpha30'] as const),
  ...(['payPoint', 'tokensPerDeltaOne', 'maxReward'] as const),
];

export async function policyProblems(question: Question): Promise<string[]> {
  const { context, proof, inference, delta } = question.attestation;
  const policy = await readPolicy(question);
  const agreed = { ...policy, ...policy.gate };
  const guardrails = policy.gate.guardrails.map(({ metric, maxLossBps }) => ({
    metric: hexToString(metric, { size: 32 }),
    maxLossBps: String(maxLossBps),
  }));
  return differences({
    'context.trainSpecHash': [context.trainSpecHash, policy.trainSpecHash],
    ...(proof && { 'proof.circuitId': [proof.circuitId, policy.circuitId] }),
    ...(proof && { 'inference.circuitId': [inference?.circuitId ?? zeroHash, policy.inferenceCircuitId] }),
    ...(delta && {
      ...Object.fromEntries(TERMS.map((term) => [`delta.${term}`, [delta[term], agreed[term]] as const])),
      'delta.guardrails': [delta.guardrails, guardrails] as const,
    }),
  });
}

/** The fold is part of what the contribution was committed under; that it is the one drawn, the round says. */
export async function benchmarkProblems({ client, modelRegistry, attestation }: Question): Promise<string[]> {
  const { benchmarkId } = attestation.context;
  const contract = { address: modelRegistry, abi: abi('ModelRegistry') };
  const args = [benchmarkId as Hex] as const;
  const foldIds = await client.readContract({ ...contract, functionName: 'foldIds', args });
  const { foldId } = attestation.benchmark;
  return foldIds.some((id) => id === foldId) ? [] : [`the fold ${foldId} is none of the benchmark ${benchmarkId}`];
}

/** Who was drawn is who is stated to have been, and each revealed a vote with the status that is stated, or none. */
export async function committeeProblems(question: Question): Promise<string[]> {
  const { client, rounds, roundId, attestation } = question;
  const seats = await readCommittee(question);
  const args = { address: rounds, abi: abi('Rounds'), eventName: 'VoteRevealed', args: { roundId } } as const;
  const revealed = await client.getContractEvents({ ...args, fromBlock: firstBlock(question), strict: true });
  const statusOf = (validator: Address) => {
    const event = revealed.find((one) => isAddressEqual(one.args.validator, validator));
    return event && STATUSES[event.args.status];
  };
  const stated = attestation.round?.committee.map(({ validator, status }) => [validator.toLowerCase(), status]);
  const actual = seats.map((validator) => [validator.toLowerCase(), statusOf(validator)]);
  return differences({ 'round.committee': [stated, actual] });
}

/** Enough seats revealed this very vote, and none of those was shown to have signed another one, too. */
export async function quorumProblems(question: Question): Promise<string[]> {
  const { client, rounds, roundId, attestation } = question;
  const seats = await readCommittee(question);
  const { threshold } = await readPolicy(question);
  const { shareholders } = await readRound(question);
  const expected = voteContent(voteOf(attestation));
  const problems: string[] = [];
  let standing = 0;
  for (const { validator } of attestation.votes) {
    const seat = seats.findIndex((one) => isAddressEqual(one, validator as Address));
    if (seat < 0) {
      problems.push(`${validator} was not drawn`);
      continue;
    }
    const contract = { address: rounds, abi: abi('Rounds') };
    const args = [roundId, seats[seat]!] as const;
    const vote = await client.readContract({ ...contract, functionName: 'voteOf', args });
    if (vote !== expected) problems.push(`${validator} has revealed another vote, or none`);
    else standing += (shareholders >> seat) & 1;
  }
  if (standing < threshold) problems.push(`${standing} votes stand where the policy asks for ${threshold}`);
  return problems;
}
