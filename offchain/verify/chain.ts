import {
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
  type Hex,
  type PublicClient,
  TransactionReceiptNotFoundError,
} from 'viem';
import type { Attestation } from '../attestation/attest.ts';
import { abi } from '../chain/contracts.ts';
import { HokusaiError } from '../errors.ts';
import { encodeVerificationKey, type VerificationKey } from '../prove/keys.ts';
import { checkOf, differences } from './attestation.ts';
import { headProblems, paymentProblems, rewardProblems, settlementProblems } from './chain-outcome.ts';
import {
  benchmarkProblems,
  committeeProblems,
  type Findings,
  type Problems,
  policyProblems,
  type Question,
  quorumProblems,
  roundProblems,
} from './chain-round.ts';
import type { Check } from './verify.ts';

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
    inferenceRegistry: lower(context.inferenceRegistry),
    validatorRegistry: lower(context.validatorRegistry),
    rewards: lower(context.rewards),
    roundId: context.roundId as Hex,
  };
  const always: readonly (readonly [name: string, problems: Problems, fine: string])[] = [
    ['chain', requireChain, `It is chain ${context.chainId}.`],
    ['contracts', contractProblems, `The rounds contract ${context.rounds} works with the stated registries.`],
    ['round', roundProblems, 'The chain keeps the same round.'],
    ['policy', policyProblems, 'The terms used are those that the round was opened under.'],
    ['benchmark', benchmarkProblems, 'The fold is one of the benchmark that the contribution was committed under.'],
    ['committee', committeeProblems, 'They were drawn, and revealed what is stated.'],
    ['quorum', quorumProblems, 'Enough of the committee revealed this vote.'],
    ['payments', paymentProblems, 'Fee and bond went where it is stated.'],
    ['transactions', transactionProblems, 'All stated ones succeeded, in their blocks, for their gas.'],
  ];
  const ifAccepted: typeof always = [
    ['settlement', settlementProblems, 'AttestationSettled says the same hashes, scores and reward.'],
    ['registered key', keyProblems, 'CircuitRegistry keeps the same key under the circuitId.'],
    ['reward', rewardProblems, 'Rewards awards it to the same payees.'],
    ['head', headProblems, 'It has advanced from the baseline to the candidate.'],
  ];
  const ifInferred: typeof always = [
    ['recorded inferences', inferenceProblems, 'InferenceRegistry has verified what both models predict.'],
  ];
  const asked = [...always, ...(attestation.accepted ? ifAccepted : []), ...(attestation.inference ? ifInferred : [])];
  const checks: Check[] = [];
  for (const [name, problems, fine] of asked) {
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

const REGISTRIES = ['modelRegistry', 'circuitRegistry', 'inferenceRegistry', 'validatorRegistry', 'rewards'] as const;

async function contractProblems(question: Question): Promise<string[]> {
  const { client, rounds } = question;
  const problems: string[] = [];
  for (const functionName of REGISTRIES) {
    const actual = await client.readContract({ address: rounds, abi: abi('Rounds'), functionName });
    problems.push(...differences({ [`context.${functionName}`]: [question[functionName], actual.toLowerCase()] }));
  }
  return problems;
}

async function transactionProblems({ attestation, client }: Question): Promise<string[]> {
  const problems: string[] = [];
  for (const [i, { by, hash, gas, block }] of attestation.transactions.entries()) {
    const receipt = await client.getTransactionReceipt({ hash: hash as Hex });
    problems.push(
      ...differences({
        [`transactions.${i}.by`]: [by.toLowerCase(), receipt.from.toLowerCase()],
        [`transactions.${i}.gas`]: [gas, receipt.gasUsed],
        [`transactions.${i}.block`]: [block, receipt.blockNumber],
        [`transactions.${i} (its outcome)`]: [receipt.status, 'success'],
      }),
    );
  }
  return problems;
}

async function inferenceProblems({ client, inferenceRegistry, attestation }: Question): Promise<string[]> {
  const { inference, models, benchmark } = attestation;
  const problems: string[] = [];
  for (const [name, { commitment, predictionsRoot }] of Object.entries(models ?? {})) {
    const { circuitId } = inference!;
    const statement = {
      circuitId: circuitId as Hex,
      modelCommitment: BigInt(commitment),
      foldId: benchmark.foldId as Hex,
      predictionsRoot: BigInt(predictionsRoot),
    };
    const contract = { address: inferenceRegistry, abi: abi('InferenceRegistry') };
    const proven = await client.readContract({ ...contract, functionName: 'isProven', args: [statement] });
    if (!proven) problems.push(`nobody has proven what the ${name} predicts`);
  }
  return problems;
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
