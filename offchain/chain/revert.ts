import { type Abi, type AbiParameter, BaseError, ContractFunctionRevertedError, type Hex } from 'viem';
import { type ErrorKind, HokusaiError } from '../errors.ts';
import { abi, CONTRACTS } from './contracts.ts';

/** What to do about a revert; those that pass by themselves are worth another try. */
const ADVICE: Readonly<Record<string, { next: string; kind?: ErrorKind }>> = {
  RoundsAlreadyCommitted: { next: 'It is committed: go on with `open`.' },
  RoundsWrongState: { next: 'Read the round: somebody, perhaps you, has taken this step or a later one.' },
  RoundsOpenedTooEarly: { next: 'Open it in the next block.', kind: 'retryable' },
  RoundsDrawnTooEarly: { next: 'Draw three blocks after it was opened.', kind: 'retryable' },
  RoundsNotSponsor: { next: 'Act with the account that committed it.' },
  RoundsNotContributor: { next: 'Open it with the account that the contribution names, or bring its signature.' },
  RoundsNoPayees: { next: 'Name who is paid.' },
  RoundsStalePolicy: { next: 'The owner has replaced the policy: commit to the new one if it suits you.' },
  RoundsStaleBenchmark: { next: 'The owner has replaced the benchmark: commit to the new one if it suits you.' },
  RoundsTooFewRows: { next: 'Contribute at least minContributionRows rows.' },
  RoundsWrongDeposit: { next: 'Send exactly what is expected: bond and evaluationFee to commit, the fee to veto.' },
  RoundsNotInTurn: { next: 'Wait until the round named by `turn` has had its.', kind: 'retryable' },
  RoundsInTurn: { next: 'It is its turn: open it.' },
  RoundsFoldsSpent: { next: 'Cancel it, and ask the model’s owner to register new folds.' },
  RoundsTooFewValidators: {
    next: 'Wait until more validators are registered with enough at stake.',
    kind: 'retryable',
  },
  RoundsDeadlinePassed: { next: 'Too late for this step: once the phase is over, `expire` refunds.' },
  RoundsDeadlineNotPassed: { next: 'Wait for the deadline.', kind: 'retryable' },
  RoundsDelayNotPassed: { next: 'Wait until finalisableAt.', kind: 'retryable' },
  RoundsDelayPassed: { next: 'Too late: the delay is over, and the round can be finalised.' },
  RoundsNotValidator: { next: 'Only the committee that was drawn for the round votes.' },
  RoundsAlreadyVoted: { next: 'A vote is committed once: reveal it.' },
  RoundsNoVote: { next: 'There is no vote to reveal: it was not committed in time, or is revealed already.' },
  RoundsVoteMismatch: { next: 'Reveal the vote and the salt that were committed to.' },
  RoundsVoteStillOpen: { next: 'Wait until all of the committee have committed, or voteDeadline.', kind: 'retryable' },
  RoundsRevealStillOpen: { next: 'Wait until all have revealed, or revealDeadline.', kind: 'retryable' },
  RoundsNoQuorum: { next: 'Too few revealed this vote: end the round with the one that a quorum revealed, if any.' },
  RoundsStaleHead: { next: 'The head has moved: let the round expire, and commit again.' },
  RoundsStaleTrainingSet: { next: 'The head has moved: let the round expire, and commit again.' },
  RoundsBaselineMismatch: { next: 'Score the head again: its recorded predictions on this fold are others.' },
  RoundsInvalidProof: { next: 'Prove for this round, candidate, counts and the account that settles.' },
  RoundsWrongRows: { next: 'Score all rows of the fold, and no others.' },
  RoundsBelowGate: { next: 'The gain is not certain enough to be paid: vote BELOW_GATE and `reject`.' },
  RoundsNotModelOwner: { next: 'Only the model’s owner vetoes.' },
  RoundsDataRootMismatch: { next: 'Bring both roots that the dataRoot was made of.' },
  RoundsNoOverlap: { next: 'Open the same digest under both roots, each with its salt.' },
  RoundsNoDoubleVote: { next: 'Bring two signatures of one validator over two different votes.' },
  RoundsNothingToWithdraw: { next: 'The round owes this account nothing, has paid it already, or is not over.' },
  RoundsPaused: { next: 'Wait: a pause ends by itself within 14 days, and stops the clock.', kind: 'retryable' },
  RoundsNotPaused: { next: 'There is no pause to end.' },
  RoundsPausedTooSoon: { next: 'Wait until notBefore, 14 days after the last pause.', kind: 'retryable' },
  AccessManagedUnauthorized: { next: 'Act with an account that the AccessManager gave the role for it.' },
  RewardsBudgetExceeded: { next: 'Ask the owner of the reward token to allocate a budget to the model.' },
  RewardsEpochExceeded: { next: 'Wait for the next epoch.', kind: 'retryable' },
  RewardsNotTokenOwner: { next: 'Allocate with the account that owns the reward token.' },
  RewardsCapExceeded: { next: 'Allocate no more than the token’s cap leaves.' },
  RewardsNotAwarded: { next: 'Claim once the round is finalised.' },
  RewardsInterestedValidator: { next: 'Who voted in a round is not paid by it.' },
  RewardsNotInTree: { next: 'Claim with a payee’s account, its weight and its place among the payees committed to.' },
  RewardsAlreadyClaimed: { next: 'This share is claimed.' },
  InferenceRegistryAlreadyProven: { next: 'It is on record: go on with `settle`.' },
  InferenceRegistryInvalidProofs: { next: 'Bring the chunks that follow on `stateOf`, all of this inference.' },
  InferenceRegistryChunkAfterLast: { next: 'Bring the chunks in their order.' },
  InferenceRegistryNotProven: { next: 'Prove what both models predict, by `proveInference`, before `settle`.' },
  ModelRegistryModelExists: { next: 'The model is registered: read it, or register another under a new salt.' },
  ModelRegistryUnknownModel: { next: 'Check the modelId and the chain.' },
  ModelRegistryPolicyOutOfRange: { next: 'Correct the field of the policy that `field` names.' },
  ModelRegistryUnorderedValidator: { next: 'List the validators by ascending address, each once.' },
  ModelRegistryMetricMismatch: { next: 'Give policy and folds the metric of the model.' },
  ModelRegistryNotOwner: { next: 'Act with the account that registered the model.' },
  ValidatorRegistryAlreadyRegistered: {
    next: 'It is registered: read it, and add stake, resume or set its recipient.',
  },
  ValidatorRegistryNotRegistered: { next: 'Register with this account first.' },
  ValidatorRegistryFull: { next: 'Register with RESERVED_ID_STAKE or more; beyond 65,535 there are no ids.' },
  ValidatorRegistryTierFull: { next: 'Stake 2^(tier + 1) wei or more, which is the next tier.' },
  ValidatorRegistryRecipientLength: { next: 'Give the recipient of an age identity, which begins with age1.' },
  ValidatorRegistryWrongState: { next: 'Read the validator: this step follows from another state, or has been taken.' },
  ValidatorRegistryLeaving: { next: 'Withdraw when withdrawableAt has come; then add stake and resume.' },
  ValidatorRegistryStillBonded: { next: 'Wait until withdrawableAt.', kind: 'retryable' },
  ValidatorRegistrySlashed: { next: 'An account that equivocated is excluded for good.' },
  CircuitRegistryUnknownCircuit: { next: 'Register the circuit’s verification key on this chain.' },
};

/** Contracts call each other and their library: a revert may carry the error of any of them. */
export const errorAbi = (): Abi =>
  [...Object.values(CONTRACTS), 'DeltaOne' as const].flatMap((name) =>
    (abi(name) as Abi).filter(({ type }) => type === 'error'),
  );

/**
 * What a contract reverted with, as an error with the values by name; undefined when `error` is no revert.
 *
 * Its code is `CHAIN_REVERTED`, its details `{ action, error, args }`.
 */
export function reverted(action: string, error: unknown): HokusaiError | undefined {
  const revert = error instanceof BaseError && error.walk((inner) => inner instanceof ContractFunctionRevertedError);
  if (!(revert instanceof ContractFunctionRevertedError)) return undefined;
  const name = revert.data?.errorName;
  if (name === undefined) return refusal(action, undefined, {}, revert.raw);
  const inputs: readonly AbiParameter[] = 'inputs' in revert.data!.abiItem ? revert.data!.abiItem.inputs : [];
  const args = Object.fromEntries(inputs.map((input, i) => [input.name || String(i), revert.data!.args?.[i]]));
  return refusal(action, name, args);
}

/** The error of a revert; without a name where the chain did not say which. */
export function refusal(action: string, name: string | undefined, args: Record<string, unknown>, raw?: Hex) {
  const advice = ADVICE[name ?? ''];
  const values = Object.entries(args).map(([key, value]) => `${key} ${printable(value)}`);
  const why = name === undefined ? 'the chain did not say why' : `${name} (${values.join(', ')})`;
  return new HokusaiError(advice?.kind ?? 'terminal', 'CHAIN_REVERTED', `${action} was refused: ${why}.`, {
    details: { action, error: name, args, ...(raw !== undefined && { raw }) },
    next: advice?.next ?? 'Nothing was changed; IRounds.sol and its neighbours say what the error means.',
  });
}

/** Short strings on-chain are read as such; whatever else is long is what it is. */
function printable(value: unknown): string {
  if (typeof value === 'string' && /^0x([2-7][0-9a-f])+(00)+$/.test(value) && value.length === 66) {
    return Buffer.from(value.slice(2), 'hex').toString('latin1').replace(/\0+$/, '');
  }
  return String(value);
}
