import {
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
  type Hex,
  type PublicClient,
  TransactionReceiptNotFoundError,
} from 'viem';
import type { Attestation } from '../attest.ts';
import { abi } from '../chain/contracts.ts';
import { STATES, STATUSES, voteContent } from '../chain/vote.ts';
import { voteOf } from '../context.ts';
import { HokusaiError } from '../errors.ts';
import { encodeVerificationKey, type VerificationKey } from '../prove/keys.ts';
import { type Comparison, checkOf, differences, problemsUnless } from './attestation.ts';
import type { Check } from './verify.ts';

/** What is wrong, or where nothing is, a sentence for that if the usual one does not do. */
type Findings = readonly string[] | { readonly fine: string };

/** An attestation and the chain that is asked about it. */
interface Question {
  readonly attestation: Attestation;
  /** The verification key beside the attestation, where it has a proof. */
  readonly key: VerificationKey | undefined;
  readonly client: PublicClient;
  readonly rounds: Address;
  readonly modelRegistry: Address;
  readonly circuitRegistry: Address;
  readonly roundId: Hex;
}

type Problems = (question: Question) => Promise<Findings>;

/** What the chain says of an attestation: one check for each contract or record that it states something of. */
export async function chainChecks(
  attestation: Attestation,
  key: VerificationKey | undefined,
  client: PublicClient,
): Promise<Check[]> {
  const { context } = attestation;
  const lower = (address: string) => address.toLowerCase() as Address;
  const question: Question = {
    attestation,
    key,
    client,
    rounds: lower(context.rounds),
    modelRegistry: lower(context.modelRegistry),
    circuitRegistry: lower(context.circuitRegistry),
    roundId: context.roundId as Hex,
  };
  const always: readonly (readonly [name: string, problems: Problems, fine: string])[] = [
    ['chain', requireChain, `It is chain ${context.chainId}.`],
    ['contracts', contractProblems, `The rounds contract ${context.rounds} works with the stated registries.`],
    ['round', roundProblems, 'The chain keeps the same round.'],
    ['policy', policyProblems, 'The terms used are those that the round was opened under.'],
    ['quorum', quorumProblems, 'Enough of the committee revealed this vote.'],
    ['transactions', transactionProblems, 'All stated ones succeeded, in their blocks, for their gas.'],
  ];
  const ifAccepted: typeof always = [
    ['settlement', settlementProblems, 'AttestationSettled says the same hashes, scores and reward.'],
    ['registered key', keyProblems, 'CircuitRegistry keeps the same key under the circuitId.'],
    ['head', headProblems, 'It has advanced from the baseline to the candidate.'],
  ];
  const checks: Check[] = [];
  for (const [name, problems, fine] of attestation.accepted ? [...always, ...ifAccepted] : always) {
    const findings = await answered(problems, question);
    checks.push('fine' in findings ? checkOf(name, [], findings.fine) : checkOf(name, findings, fine));
  }
  return checks;
}

/** A contract that reverts, or is not there, is an answer; no answer is an error. */
async function answered(problems: Problems, question: Question): Promise<Findings> {
  try {
    return await problems(question);
  } catch (cause) {
    if (!(cause instanceof BaseError)) throw cause;
    const answer = cause.walk(
      (error) =>
        error instanceof ContractFunctionRevertedError ||
        error instanceof ContractFunctionZeroDataError ||
        error instanceof TransactionReceiptNotFoundError,
    );
    if (answer) return [(answer as BaseError).shortMessage.replaceAll('\n', ' ')];
    throw new HokusaiError('retryable', 'VERIFY_CHAIN_UNREACHABLE', `The chain did not answer: ${cause.shortMessage}`, {
      next: 'Try again later, or another node with --rpc.',
      cause,
    });
  }
}

async function requireChain({ attestation, client }: Question): Promise<string[]> {
  const { chainId } = attestation.context;
  const actual = await client.getChainId();
  if (actual === chainId) return [];
  const stated = chainId === 0 ? 'a dry run, of no chain' : `of chain ${chainId}`;
  throw new HokusaiError(
    'configuration',
    'VERIFY_WRONG_CHAIN',
    `The attestation is ${stated}; the node is of chain ${actual}.`,
    {
      details: { chainId, actual },
      next: chainId === 0 ? 'Leave --rpc out.' : `Give --rpc the URL of a node of chain ${chainId}.`,
    },
  );
}

async function contractProblems({ client, rounds, modelRegistry, circuitRegistry }: Question): Promise<string[]> {
  const contract = { address: rounds, abi: abi('Rounds') };
  const actual = {
    modelRegistry: await client.readContract({ ...contract, functionName: 'modelRegistry' }),
    circuitRegistry: await client.readContract({ ...contract, functionName: 'circuitRegistry' }),
  };
  return differences({
    'context.modelRegistry': [modelRegistry, actual.modelRegistry.toLowerCase()],
    'context.circuitRegistry': [circuitRegistry, actual.circuitRegistry.toLowerCase()],
  });
}

const readRound = ({ client, rounds, roundId }: Question) =>
  client.readContract({ address: rounds, abi: abi('Rounds'), functionName: 'round', args: [roundId] });

async function roundProblems(question: Question): Promise<string[]> {
  const { accepted, status, contribution, benchmark, models, context } = question.attestation;
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
    'contribution.payeesRoot': [contribution.payeesRoot, round.payeesRoot],
    'contribution.dataRoot': [contribution.dataRoot, round.dataRoot],
    'contribution.rows': [contribution.rows, round.rows],
    'benchmark.foldId': [benchmark.foldId, round.foldId],
    status: [status, STATUSES[round.status]],
    ...(models && {
      'models.baseline.commitment': [models.baseline.commitment, round.headCommitment],
      'models.baseline.trainingSetRoot': [models.baseline.trainingSetRoot, round.headTrainingSetRoot],
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

async function policyProblems(question: Question): Promise<string[]> {
  const { context, proof, delta } = question.attestation;
  const policy = await readPolicy(question);
  const agreed = { ...policy, ...policy.gate };
  const terms = ['minDeltaBps', 'minRows', 'zMicro', 'alpha30', 'payPoint', 'tokensPerDeltaOne', 'maxReward'] as const;
  return differences({
    'context.trainSpecHash': [context.trainSpecHash, policy.trainSpecHash],
    ...(proof && { 'proof.circuitId': [proof.circuitId, policy.circuitId] }),
    ...(delta && Object.fromEntries(terms.map((term) => [`delta.${term}`, [delta[term], agreed[term]] as const]))),
  });
}

async function quorumProblems(question: Question): Promise<string[]> {
  const { client, rounds, roundId } = question;
  const { votes } = question.attestation;
  const { threshold } = await readPolicy(question);
  const expected = voteContent(voteOf(question.attestation));
  const problems: string[] = [];
  for (const { validator } of votes) {
    const args = [roundId, validator.toLowerCase() as Address] as const;
    const vote = await client.readContract({ address: rounds, abi: abi('Rounds'), functionName: 'voteOf', args });
    if (vote !== expected) problems.push(`${validator} has revealed another vote, or none`);
  }
  if (votes.length < threshold) problems.push(`${votes.length} signed where the policy asks for ${threshold}`);
  return problems;
}

async function transactionProblems({ attestation, client }: Question): Promise<string[]> {
  const problems: string[] = [];
  for (const [i, { hash, gas, block }] of attestation.transactions.entries()) {
    const receipt = await client.getTransactionReceipt({ hash: hash as Hex });
    problems.push(
      ...differences({
        [`transactions.${i}.gas`]: [gas, receipt.gasUsed],
        [`transactions.${i}.block`]: [block, receipt.blockNumber],
        [`transactions.${i} (its outcome)`]: [receipt.status, 'success'],
      }),
    );
  }
  return problems;
}

/** Nodes search few blocks at once, so the search begins where the attestation says that the round was first written of. */
function firstBlock({ attestation }: Question): bigint {
  const blocks = attestation.transactions.map(({ block }) => block);
  return BigInt(blocks.length === 0 ? 0 : Math.min(...blocks));
}

async function settlementProblems(question: Question): Promise<string[]> {
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

async function keyProblems({ client, circuitRegistry, attestation, key }: Question): Promise<string[]> {
  if (!attestation.proof || !key) return ['there is no proof'];
  const registered = await client.readContract({
    address: circuitRegistry,
    abi: abi('CircuitRegistry'),
    functionName: 'verificationKey',
    args: [attestation.proof.circuitId as Hex],
  });
  return registered === encodeVerificationKey(key) ? [] : ['verification_key.json is not the key that is registered'];
}

/** Only HeadAdvanced tells: the head itself may have advanced further since. */
async function headProblems(question: Question): Promise<Findings> {
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
