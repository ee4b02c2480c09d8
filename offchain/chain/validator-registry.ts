import type { Address } from 'viem';
import { HokusaiError } from '../errors.ts';
import { isRecipient } from '../validator/recipient.ts';
import type { ChainClient, Sender } from './connect.ts';
import { type Sent, send, view } from './send.ts';

/** Names of `ValidatorState` in IValidatorRegistry.sol, in its order. */
export const VALIDATOR_STATES = ['UNKNOWN', 'ACTIVE', 'PAUSED', 'LEAVING', 'SLASHED'] as const;

export type ValidatorState = (typeof VALIDATOR_STATES)[number];

/**
 * Registers the sender as a validator of this deployment's rounds, which are chosen for good and can take the stake. The
 * result is its id.
 *
 * @param recipient of `createIdentity`; rounds drawn from now on encrypt their keys to it
 * @param stake     wei
 * @throws HokusaiError `RECIPIENT_MALFORMED` (terminal), and those of `send`
 */
export async function register(client: Sender, recipient: string, stake: bigint): Promise<Sent<number>> {
  await requireRecipient(recipient);
  return send(client, {
    action: 'register as a validator',
    contract: 'validatorRegistry',
    functionName: 'register',
    args: [client.deployment.rounds, recipient],
    value: stake,
  });
}

/** Has keys of rounds drawn from now on encrypted to another recipient. @throws HokusaiError as {@link register} */
export async function setRecipient(client: Sender, recipient: string): Promise<Sent> {
  await requireRecipient(recipient);
  return send(client, {
    action: 'set the recipient',
    contract: 'validatorRegistry',
    functionName: 'setRecipient',
    args: [recipient],
  });
}

/** Adds wei to the sender's stake. Like `allocateBudget`, repeated it acts again. */
export const addStake = (client: Sender, amount: bigint): Promise<Sent> =>
  send(client, {
    action: 'add stake',
    contract: 'validatorRegistry',
    functionName: 'addStake',
    args: [],
    value: amount,
  });

/** Has the sender drawn no more until it resumes; votes in rounds already drawn go on. */
export const pause = (client: Sender): Promise<Sent> => act(client, 'pause');

/** Has the sender drawn again, by seeds that are not known yet. */
export const resume = (client: Sender): Promise<Sent> => act(client, 'resume');

/** Begins the unbonding delay. */
export const unbond = (client: Sender): Promise<Sent> => act(client, 'unbond');

/** Pays the sender's stake back after the unbonding delay. @throws HokusaiError retryable before */
export const withdraw = (client: Sender): Promise<Sent> => act(client, 'withdraw');

const act = (client: Sender, functionName: 'pause' | 'resume' | 'unbond' | 'withdraw'): Promise<Sent> =>
  send(client, { action: functionName, contract: 'validatorRegistry', functionName, args: [] });

/** What is kept of a validator, with its state by name. @throws HokusaiError for an account that never registered */
export async function validator(client: ChainClient, account: Address) {
  const record = await view(client, { contract: 'validatorRegistry', functionName: 'validator', args: [account] });
  return { ...record, state: VALIDATOR_STATES[record.state] as ValidatorState };
}

/** How many could be drawn for this deployment's rounds, whatever they have at stake. */
export const listed = (client: ChainClient): Promise<bigint> =>
  view(client, { contract: 'validatorRegistry', functionName: 'listed', args: [client.deployment.rounds] });

/** Seconds from `unbond` to `withdraw`. */
export const unbondingDelay = (client: ChainClient): Promise<number> =>
  view(client, { contract: 'validatorRegistry', functionName: 'unbondingDelay', args: [] });

/** The accounts of a packed committee, in its order. */
export const members = (client: ChainClient, committee: bigint): Promise<readonly Address[]> =>
  view(client, { contract: 'validatorRegistry', functionName: 'members', args: [committee] });

/**
 * The members of a packed committee, in its order, with where their keys are encrypted to. What a validator registered may be
 * no recipient at all: whoever encrypts leaves it out, and it keeps the key from nobody else.
 */
export async function committeeRecipients(
  client: ChainClient,
  committee: bigint,
): Promise<{ member: Address; ageRecipient: string; usable: boolean }[]> {
  return Promise.all(
    (await members(client, committee)).map(async (member) => {
      const { ageRecipient } = await validator(client, member);
      return { member, ageRecipient, usable: await isRecipient(ageRecipient) };
    }),
  );
}

/** 1 + the account's place in a packed committee; zero where it has none. */
export const seatOf = (client: ChainClient, committee: bigint, account: Address): Promise<bigint> =>
  view(client, { contract: 'validatorRegistry', functionName: 'seatOf', args: [committee, account] });

async function requireRecipient(recipient: string): Promise<void> {
  if (await isRecipient(recipient)) return;
  throw new HokusaiError('terminal', 'RECIPIENT_MALFORMED', `No age recipient: ${recipient}.`, {
    details: { malformed: [recipient] },
    next: 'Give the recipient that `createIdentity` returned.',
  });
}
