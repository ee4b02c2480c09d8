import type { ArtifactMap } from 'hardhat/types/artifacts';
import type { Address, ContractFunctionArgs, ContractFunctionName, Hex } from 'viem';
import type { ContractProof } from '../prove/prove.ts';
import { assertProductionKeys } from './circuit.ts';
import type { ChainClient, Sender } from './connect.ts';
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
 * @throws HokusaiError `DEVELOPMENT_KEY` (terminal) where the policy's circuit has one and the chain is not local.
 */
export async function registerModel(client: Sender, { salt, head, policy, folds }: NewModel): Promise<Sent<Hex>> {
  const { chainId, rounds, rewardToken } = client.deployment;
  await assertProductionKeys(chainId, policy.circuitId);
  return send(client, {
    action: 'register the model',
    contract: 'modelRegistry',
    functionName: 'registerModel',
    args: [salt, rounds, rewardToken, head, policy, folds],
  });
}

/** Lets a model's rounds pay `amount` more. By the reward token's owner. The one action that, repeated, acts again. */
export const allocateBudget = (client: Sender, modelId: Hex, amount: bigint): Promise<Sent> =>
  act(client, 'allocateBudget', [modelId, amount]);

/** Commits to a contribution and reveals nothing of it. The result is the roundId. */
export async function commit(client: Sender, contribution: Contribution): Promise<Sent<Hex>> {
  const { commitment } = await commitmentOf(client, contribution);
  return send(client, { action: 'commit', contract: 'rounds', functionName: 'commit', args: [commitment] });
}

/** Reveals a contribution, in a later block than its commit, and pays the policy's fee. The result is the roundId. */
export const open = (client: Sender, contribution: Contribution, evaluationFee: bigint): Promise<Sent<Hex>> =>
  send(client, {
    action: 'open',
    contract: 'rounds',
    functionName: 'open',
    args: [contribution],
    value: evaluationFee,
  });

/** What settles a round besides its id. */
export interface Settlement {
  readonly vote: Vote;
  /** In the order of `orderSignatures`. */
  readonly signatures: readonly Hex[];
  /** Made for this round, this candidate and the account that sends. */
  readonly proof: ContractProof;
  readonly countsPacked: bigint;
  readonly attestationHash: bigint;
}

/** Settles a round with the votes of a quorum and the proof of the score. */
export const settle = (client: Sender, roundId: Hex, settlement: Settlement): Promise<Sent> => {
  const { vote, signatures, proof, countsPacked, attestationHash } = settlement;
  return act(client, 'settle', [roundId, encodeVote(vote), signatures, proof, countsPacked, attestationHash]);
};

/** Closes a round without pay, with the votes of a quorum for any status but SCORED. */
export const reject = (client: Sender, roundId: Hex, vote: Vote, signatures: readonly Hex[]): Promise<Sent> =>
  act(client, 'reject', [roundId, encodeVote(vote), signatures]);

/** Gives the fee of a round back that nobody settled or rejected by its deadline. By anybody. */
export const expire = (client: Sender, roundId: Hex): Promise<Sent> => act(client, 'expire', [roundId]);

/** Advances the head to a settled round's candidate, once its delay is over. By anybody. */
export const finalise = (client: Sender, roundId: Hex): Promise<Sent> => act(client, 'finalise', [roundId]);

/** Mints the reward to the payee, who sends. */
export const claim = (client: Sender, roundId: Hex): Promise<Sent> => act(client, 'claim', [roundId]);

/** Pays the sender his shares of a round's fee. */
export const claimFee = (client: Sender, roundId: Hex): Promise<Sent> => act(client, 'claimFee', [roundId]);

function act<const Name extends 'allocateBudget' | 'settle' | 'reject' | 'expire' | 'finalise' | 'claim' | 'claimFee'>(
  client: Sender,
  functionName: Name,
  args: Args<'Rounds', Name>,
): Promise<Sent> {
  return send(client, { action: functionName, contract: 'rounds', functionName, args } as never);
}

/** What the registry keeps of a model: owner, head, policyHash and the rest. */
export const model = (client: ChainClient, modelId: Hex) =>
  view(client, { contract: 'modelRegistry', functionName: 'model', args: [modelId] });

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
  { vote, countsPacked, attestationHash }: Omit<Settlement, 'proof' | 'signatures'>,
): Promise<readonly bigint[]> =>
  view(client, {
    contract: 'rounds',
    functionName: 'publicSignals',
    args: [roundId, encodeVote(vote), settler, countsPacked, attestationHash],
  });
