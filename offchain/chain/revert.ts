import { type Abi, type AbiParameter, BaseError, ContractFunctionRevertedError, type Hex } from 'viem';
import { type ErrorKind, HokusaiError } from '../errors.ts';
import { abi, CONTRACTS } from './contracts.ts';

/** What to do about a revert; those that pass by themselves are worth another try. */
const ADVICE: Readonly<Record<string, { next: string; kind?: ErrorKind }>> = {
  RoundsAlreadyCommitted: { next: 'It is committed: go on with `open`.' },
  RoundsWrongState: { next: 'Read the round: somebody, perhaps you, has taken this step or a later one.' },
  RoundsOpenedTooEarly: { next: 'Open it in the next block.', kind: 'retryable' },
  RoundsNotContributor: { next: 'Open it with the account that the contribution names.' },
  RoundsNotPayee: { next: 'Claim with the payee’s account.' },
  RoundsStalePolicy: { next: 'The owner has replaced the policy: commit again if the new one suits you.' },
  RoundsInterestedValidator: { next: 'Contributor and payee must not be validators of the model.' },
  RoundsTooFewRows: { next: 'Contribute at least minContributionRows rows.' },
  RoundsWrongFee: { next: 'Send exactly the evaluationFee of the policy.' },
  RoundsSlotTaken: { next: 'Wait until the round that holds the slot is over.', kind: 'retryable' },
  RoundsFoldsSpent: { next: 'Ask the model’s owner to register new folds.' },
  RoundsBudgetExceeded: { next: 'Ask the owner of the reward token to allocate a budget to the model.' },
  RoundsDeadlinePassed: { next: 'Too late for this round: `expire` gives the fee back.' },
  RoundsDeadlineNotPassed: { next: 'Wait for the deadline.', kind: 'retryable' },
  RoundsDelayNotPassed: { next: 'Wait until finalisableAt.', kind: 'retryable' },
  RoundsTooFewSignatures: { next: 'Collect more votes on the same finding.' },
  RoundsNotValidator: { next: 'Leave this signature out: it is of another vote, or of no validator of the policy.' },
  RoundsUnorderedSigner: { next: 'Bring each validator’s signature once, by ascending address.' },
  RoundsStaleHead: { next: 'The head has moved: let the round expire, and commit again.' },
  RoundsStaleTrainingSet: { next: 'The head has moved: let the round expire, and commit again.' },
  RoundsBaselineMismatch: { next: 'Score the head again: its recorded predictions on this fold are others.' },
  RoundsInvalidProof: { next: 'Prove for this round, candidate, counts and the account that settles.' },
  RoundsWrongRows: { next: 'Score all rows of the fold, and no others.' },
  RoundsBelowGate: { next: 'The gain is not certain enough to be paid: vote BELOW_GATE and `reject`.' },
  RoundsNothingToClaim: { next: 'The round owes this account nothing, or has paid it already.' },
  RoundsNotTokenOwner: { next: 'Allocate with the account that owns the reward token.' },
  RoundsCapExceeded: { next: 'Allocate no more than the token’s cap leaves.' },
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

/** Contracts call each other: a revert may carry the error of any of them. */
export const errorAbi = (): Abi =>
  Object.values(CONTRACTS).flatMap((name) => (abi(name) as Abi).filter(({ type }) => type === 'error'));

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
