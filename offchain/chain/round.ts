/**
 * What is done with models, their rounds and payments, a function for each action of a contract. Longer than other files,
 * because they are many, and each is short.
 */
import type { ArtifactMap } from 'hardhat/types/artifacts';
import {
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type Hex,
  type PublicClient,
  zeroHash,
} from 'viem';
import { HokusaiError } from '../errors.ts';
import type { PayeeProof } from '../payees.ts';
import type { ContractProof } from '../prove/prove.ts';
import { assertProductionKeys } from './circuit.ts';
import { type ChainClient, reach, type Sender } from './connect.ts';
import { abi } from './contracts.ts';
import { reverted } from './revert.ts';
import { type Sent, send, view } from './send.ts';
import { encodeVote, STATES, STATUSES, type State, type Status, type Vote } from './vote.ts';

type Changing = 'nonpayable' | 'payable';
type Args<
  Contract extends 'ModelRegistry' | 'Rounds',
  Name extends ContractFunctionName<ArtifactMap[Contract]['abi'], Changing>,
> = ContractFunctionArgs<ArtifactMap[Contract]['abi'], Changing, Name>;

/** What a contribution commits to, and `open` reveals; IRounds.sol says what each member is. */
export type Contribution = Args<'Rounds', 'open'>[0];

/** What registers a model besides the addresses; IModelRegistry.sol says what each member is, and its range. */
export interface NewModel {
  /** Tells the owner's models apart: the modelId follows from chain, registry, owner and salt. */
  readonly salt: Hex;
  readonly head: Args<'ModelRegistry', 'registerModel'>[3];
  readonly policy: Args<'ModelRegistry', 'registerModel'>[4];
  readonly folds: Args<'ModelRegistry', 'registerModel'>[5];
}

/**
 * Registers a model whose rounds run in this deployment and pay with its token. The result is its modelId.
 *
 * @throws HokusaiError `DEVELOPMENT_KEY` (terminal) where a circuit of the policy has one and the chain is not local.
 */
export async function registerModel(client: Sender, { salt, head, policy, folds }: NewModel): Promise<Sent<Hex>> {
  const { rounds, rewardToken } = client.deployment;
  await assertProductionKeys(client, [policy.circuitId, policy.inferenceCircuitId]);
  return send(client, {
    action: 'register the model',
    contract: 'modelRegistry',
    functionName: 'registerModel',
    args: [salt, rounds, rewardToken, head, policy, folds],
  });
}

/** Replaces the policy of contributions committed from now on. By the model's owner. The result is its policyHash. */
export async function updatePolicy(client: Sender, modelId: Hex, policy: NewModel['policy']): Promise<Sent<Hex>> {
  await assertProductionKeys(client, [policy.circuitId, policy.inferenceCircuitId]);
  return send(client, {
    action: 'replace the policy',
    contract: 'modelRegistry',
    functionName: 'updatePolicy',
    args: [modelId, policy],
  });
}

/** Replaces the folds of contributions committed from now on. By the model's owner. The result is the benchmarkId. */
export const updateBenchmark = (client: Sender, modelId: Hex, folds: NewModel['folds']): Promise<Sent<Hex>> =>
  send(client, {
    action: 'replace the benchmark',
    contract: 'modelRegistry',
    functionName: 'updateBenchmark',
    args: [modelId, folds],
  });

/** Lets a model's rounds pay `amount` more. By the reward token's owner. The one action that, repeated, acts again. */
export const allocateBudget = (client: Sender, modelId: Hex, amount: bigint): Promise<Sent> =>
  send(client, {
    action: 'allocateBudget',
    contract: 'rewards',
    functionName: 'allocateBudget',
    args: [modelId, amount],
  });

/**
 * Queues a contribution of which nothing is shown, and pays its deposit. The result is the roundId.
 *
 * @param deposit the policy's bond and evaluationFee, in wei
 */
export async function commit(client: Sender, contribution: Contribution, deposit: bigint): Promise<Sent<Hex>> {
  const { commitment } = await commitmentOf(client, contribution);
  const { modelId, policyHash, benchmarkId } = contribution;
  return send(client, {
    action: 'commit',
    contract: 'rounds',
    functionName: 'commit',
    args: [modelId, policyHash, benchmarkId, commitment],
    value: deposit,
  });
}

/**
 * Reveals a contribution in its turn, in a later block than its commit. The result is the roundId.
 *
 * @param signature of its contributor (`signContribution`), where somebody else sends
 */
export const open = (client: Sender, contribution: Contribution, signature: Hex = '0x'): Promise<Sent<Hex>> =>
  send(client, { action: 'open', contract: 'rounds', functionName: 'open', args: [contribution, signature] });

/** What settles a round besides its id. */
export interface Settlement {
  /** What a quorum revealed. */
  readonly vote: Vote;
  /** Made for this round, this candidate and the account that sends. */
  readonly proof: ContractProof;
  readonly counts: readonly bigint[];
  readonly attestationHash: bigint;
}

/** Draws fold, seed and committee of an open round, three blocks after it was opened or later. By anybody. */
export const draw = (client: Sender, roundId: Hex): Promise<Sent> => act(client, 'draw', [roundId]);

/** Commits to a vote; `voteHash` of `vote.ts` makes the hash. */
export const voteCommit = (client: Sender, roundId: Hex, hash: Hex): Promise<Sent> =>
  act(client, 'voteCommit', [roundId, hash]);

/** Shows a vote that was committed to, once all are. */
export const voteReveal = (client: Sender, roundId: Hex, vote: Vote, salt: Hex): Promise<Sent> =>
  act(client, 'voteReveal', [roundId, encodeVote(vote), salt]);

/** Settles a round with the vote of a quorum and the proof of the score. */
export const settle = (client: Sender, roundId: Hex, settlement: Settlement): Promise<Sent> => {
  const { vote, proof, counts, attestationHash } = settlement;
  return act(client, 'settle', [roundId, encodeVote(vote), proof, counts, attestationHash]);
};

/** Closes a round without pay, with the vote of a quorum for any status but SCORED. */
export const reject = (client: Sender, roundId: Hex, vote: Vote): Promise<Sent> =>
  act(client, 'reject', [roundId, encodeVote(vote)]);

/** Takes a contribution out of the queue, with its deposit. By who committed it. */
export const cancel = (client: Sender, roundId: Hex): Promise<Sent> => act(client, 'cancel', [roundId]);

/** Ends a phase whose time is over. By anybody. */
export const expire = (client: Sender, roundId: Hex): Promise<Sent> => act(client, 'expire', [roundId]);

/** Advances the head to a settled round's candidate, once its delay is over. By anybody. */
export const finalise = (client: Sender, roundId: Hex): Promise<Sent> => act(client, 'finalise', [roundId]);

/**
 * Voids a settled round during its delay. By the model's owner, who pays the round's evaluationFee for it.
 *
 * @param fee wei, the round's evaluationFee
 */
export const veto = (client: Sender, roundId: Hex, fee: bigint): Promise<Sent> =>
  send(client, { action: 'veto', contract: 'rounds', functionName: 'veto', args: [roundId], value: fee });

/** Moves a model's queue over at most `max` entries that were cancelled. By anybody; rarely needed. */
export const skip = (client: Sender, modelId: Hex, max: bigint): Promise<Sent> => act(client, 'skip', [modelId, max]);

/** A row that is in a contribution and in a benchmark, opened under both roots. */
export type Overlap = Args<'Rounds', 'proveOverlap'>[1];

/** Voids a settled round during its delay, as it trained on what it is measured on. Half of the bond is the sender's. */
export const proveOverlap = (client: Sender, roundId: Hex, overlap: Overlap): Promise<Sent> =>
  act(client, 'proveOverlap', [roundId, overlap]);

/** A vote with a validator's signature over it, as `signVote` of `vote.ts` makes it. */
export interface Evidence {
  readonly vote: Vote;
  readonly signature: Hex;
}

/** Slashes a committee member that signed two different votes. Half of its stake, the smaller one, is the sender's. */
export const proveDoubleVote = (client: Sender, roundId: Hex, first: Evidence, second: Evidence): Promise<Sent> =>
  act(client, 'proveDoubleVote', [
    roundId,
    encodeVote(first.vote),
    first.signature,
    encodeVote(second.vote),
    second.signature,
  ]);

/** Stops `commit`, `open`, `settle`, `finalise` and the clock, for 14 days at most. By the guardian. */
export const pause = (client: Sender): Promise<Sent> => act(client, 'pause', []);

/** Ends a pause. By the guardian. */
export const unpause = (client: Sender): Promise<Sent> => act(client, 'unpause', []);

/**
 * When a pause ends at the latest, in seconds since 1970; undefined where there is none. No function tells, but what a
 * pause stops is refused with it before all else.
 */
export async function pausedUntil({ publicClient, deployment }: ChainClient): Promise<number | undefined> {
  const stopped = { abi: abi('Rounds'), functionName: 'finalise', args: [zeroHash] } as const;
  try {
    await reach(publicClient, () => publicClient.simulateContract({ address: deployment.rounds, ...stopped }));
    return undefined;
  } catch (error) {
    const refusal = reverted('finalise', error);
    if (!refusal) throw error;
    const { error: name, args } = refusal.details as { error: string; args: { until?: bigint } };
    return name === 'RoundsPaused' ? Number(args.until) : undefined;
  }
}

/** Pays the sender what an ended round owes him: bond and fee that come back, or shares of the fee. */
export const withdraw = (client: Sender, roundId: Hex): Promise<Sent> => act(client, 'withdraw', [roundId]);

/** Mints the sender's share of a final round's reward; `payeesTree` of `payees.ts` makes weight and siblings. */
export const claim = (client: Sender, { modelId, roundId, weight, place, siblings }: Claim): Promise<Sent> =>
  send(client, {
    action: 'claim',
    contract: 'rewards',
    functionName: 'claim',
    args: [modelId, roundId, weight, place, siblings],
  });

/** A payee's share, and its place in the tree of payees. */
export interface Claim extends PayeeProof {
  readonly modelId: Hex;
  readonly roundId: Hex;
}

type Acts =
  | 'draw'
  | 'voteCommit'
  | 'voteReveal'
  | 'settle'
  | 'reject'
  | 'cancel'
  | 'skip'
  | 'pause'
  | 'unpause'
  | 'expire'
  | 'finalise'
  | 'proveOverlap'
  | 'proveDoubleVote'
  | 'withdraw';

function act<const Name extends Acts>(client: Sender, functionName: Name, args: Args<'Rounds', Name>): Promise<Sent> {
  return send(client, { action: functionName, contract: 'rounds', functionName, args } as never);
}

/** What the registry keeps of a model: owner, head, policyHash and the rest. */
export const model = (client: ChainClient, modelId: Hex) =>
  view(client, { contract: 'modelRegistry', functionName: 'model', args: [modelId] });

/** What is promised to the contributions that were committed under it. */
export const policy = (client: ChainClient, policyHash: Hex) =>
  view(client, { contract: 'modelRegistry', functionName: 'policy', args: [policyHash] });

/** The commitment to a contribution, and the id of the round that it makes. */
export async function commitmentOf(client: ChainClient, contribution: Contribution) {
  const [commitment, roundId] = await view(client, {
    contract: 'rounds',
    functionName: 'commitmentOf',
    args: [contribution],
  });
  return { commitment, roundId };
}

/** What is kept of a round, with state and status by name. */
export async function round(client: ChainClient, roundId: Hex) {
  const record = await view(client, { contract: 'rounds', functionName: 'round', args: [roundId] });
  return { ...record, state: STATES[record.state] as State, status: STATUSES[record.status] as Status };
}

/**
 * What fold, committee and training of a round are drawn from; nobody knew it when the contribution was committed to.
 *
 * @throws HokusaiError `ROUND_NOT_DRAWN` (retryable)
 */
export async function drawnSeed(client: ChainClient, roundId: Hex): Promise<Hex> {
  const { publicClient, deployment } = client;
  const { anchorBlock } = await round(client, roundId);
  const from = BigInt(anchorBlock);
  const seed = await reach(publicClient, () => seedIn(publicClient, deployment.rounds, roundId, from));
  if (seed) return seed;
  throw new HokusaiError('retryable', 'ROUND_NOT_DRAWN', `Nothing has been drawn for the round ${roundId} yet.`, {
    details: { roundId, anchorBlock: String(anchorBlock) },
    next: 'Draw it, or try again when it is drawn.',
  });
}

/** The seed that the log says was drawn, from a block on; undefined where it says of none. */
export async function seedIn(client: PublicClient, rounds: Address, roundId: Hex, fromBlock: bigint) {
  const event = { address: rounds, abi: abi('Rounds'), eventName: 'RoundDrawn', args: { roundId } } as const;
  const [drawn] = await client.getContractEvents({ ...event, fromBlock, strict: true });
  return drawn?.args.seed;
}

/** What `withdraw` would pay an account, in wei; of a round that has not ended, nothing. */
export const withdrawable = (client: ChainClient, roundId: Hex, account: Address): Promise<bigint> =>
  view(client, { contract: 'rounds', functionName: 'withdrawable', args: [roundId, account] });

/** What a proof has to be made for: it settles this round with this candidate, by this account, and nothing else. */
export const contextHash = (
  client: ChainClient,
  roundId: Hex,
  candidateCommitment: bigint,
  settler: Address,
): Promise<bigint> =>
  view(client, { contract: 'rounds', functionName: 'contextHash', args: [roundId, candidateCommitment, settler] });

/** The public signals that a settlement by `settler` is verified against, in the circuit's order. */
export const publicSignals = (
  client: ChainClient,
  roundId: Hex,
  settler: Address,
  { vote, counts, attestationHash }: Omit<Settlement, 'proof'>,
): Promise<readonly bigint[]> =>
  view(client, {
    contract: 'rounds',
    functionName: 'publicSignals',
    args: [roundId, encodeVote(vote), settler, counts, attestationHash],
  });
