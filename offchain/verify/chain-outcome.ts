// What became of a round, against what an attestation says of it: settlement, head, reward, fee and bond.
import type { Address } from 'viem';
import { abi } from '../chain/contracts.ts';
import { STATES } from '../chain/vote.ts';
import { differences } from './attestation.ts';
import { type Findings, firstBlock, type Question, readRound } from './chain-round.ts';

export async function settlementProblems(question: Question): Promise<string[]> {
  const { client, rounds, roundId, attestation } = question;
  const { context, contribution, benchmark, delta, proof, metricsHash } = attestation;
  const events = await client.getContractEvents({
    address: rounds,
    abi: abi('Rounds'),
    eventName: 'AttestationSettled',
    args: { roundId },
    fromBlock: firstBlock(question),
    strict: true,
  });
  const event = events[0]?.args;
  if (!event) return ['there is no AttestationSettled of this round since the first of its transactions'];
  return differences({
    'context.modelId': [context.modelId, event.modelId],
    'contribution.contributor': [contribution.contributor.toLowerCase(), event.contributor.toLowerCase()],
    'proof.attestationHash': [proof?.attestationHash, event.attestationHash],
    'delta.deltaOneBps': [delta?.deltaOneBps, event.deltaOneBps],
    'delta.payableBps': [delta?.payableBps, event.payableBps],
    'delta.reward': [delta?.reward, event.reward],
    'benchmark.n': [benchmark.n, event.n],
    metricsHash: [metricsHash, event.metricsHash],
  });
}

/** Only HeadAdvanced tells: the head itself may have advanced further since. */
export async function headProblems(question: Question): Promise<Findings> {
  const { client, modelRegistry, roundId, attestation } = question;
  const final = STATES[(await readRound(question)).state] !== 'SETTLED';
  const events = await client.getContractEvents({
    address: modelRegistry,
    abi: abi('ModelRegistry'),
    eventName: 'HeadAdvanced',
    args: { roundId },
    fromBlock: firstBlock(question),
    strict: true,
  });
  const [baseline, candidate] = [attestation.models?.baseline, attestation.models?.candidate];
  const event = events[0]?.args;
  if (!event) {
    return final
      ? ['the round is final, but the head has not advanced']
      : { fine: 'It has not advanced yet: the round’s delay is not over, or nobody has finalised it.' };
  }
  return differences({
    'models.baseline.commitment': [baseline?.commitment, event.previousModelCommitment],
    'models.baseline.trainingSetRoot': [baseline?.trainingSetRoot, event.previousTrainingSetRoot],
    'models.candidate.commitment': [candidate?.commitment, event.modelCommitment],
    'models.candidate.trainingSetRoot': [candidate?.trainingSetRoot, event.trainingSetRoot],
  });
}

/** What Rewards has set aside for the payees and, once the round is final, lets them claim. */
export async function rewardProblems(question: Question): Promise<Findings> {
  const { client, rewards, roundId, attestation } = question;
  const { context, contribution, delta } = attestation;
  const final = STATES[(await readRound(question)).state] === 'FINALISED';
  const contract = { address: rewards, abi: abi('Rewards') };
  const args = [context.modelId as `0x${string}`, roundId] as const;
  const award = await client.readContract({ ...contract, functionName: 'awardOf', args });
  const problems = differences({
    'delta.reward': [delta?.reward, award.reserved],
    ...(final && { 'contribution.payeesRoot': [contribution.payeesRoot, award.payeesRoot] }),
    'the round (its reward)': [final ? 'awarded' : 'reserved', award.awarded ? 'awarded' : 'reserved'],
  });
  return problems.length === 0 && !final
    ? { fine: 'It is reserved; nobody can claim it before the round is final.' }
    : problems;
}

/** What an account has withdrawn and can still withdraw is what it is stated to be paid. */
export async function paymentProblems(question: Question): Promise<Findings> {
  const { client, rounds, roundId, attestation } = question;
  const stated = attestation.round?.payments;
  if (!stated) return { fine: 'None is stated: the attestation was written before the round had ended.' };
  const contract = { address: rounds, abi: abi('Rounds') };
  const round = await readRound(question);
  const filter = { eventName: 'Withdrawn', args: { roundId }, fromBlock: firstBlock(question), strict: true } as const;
  const withdrawn = await client.getContractEvents({ ...contract, ...filter });
  const paid = new Map(stated.map(({ account, wei }) => [account.toLowerCase(), wei]));
  const seats = attestation.round?.committee.map(({ validator }) => validator.toLowerCase()) ?? [];
  const problems: string[] = [];
  for (const account of new Set([round.sponsor.toLowerCase(), ...seats, ...paid.keys()])) {
    const args = [roundId, account as Address] as const;
    const open = await client.readContract({ ...contract, functionName: 'withdrawable', args });
    const sum = withdrawn.reduce(
      (wei, event) => wei + (event.args.account.toLowerCase() === account ? event.args.amount : 0n),
      open,
    );
    problems.push(...differences({ [`what ${account} is paid`]: [paid.get(account) ?? '0', sum] }));
  }
  return problems;
}
