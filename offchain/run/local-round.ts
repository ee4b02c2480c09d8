/** The life of a round on a local chain, from commit to claim and to the last withdrawal. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Address, getAddress, type Hex, keccak256 } from 'viem';
import type { Attestation } from '../attestation/attest.ts';
import { connect, type Sender } from '../chain/connect.ts';
import { claim, commit, draw, finalise, open, round, withdraw, withdrawable } from '../chain/round.ts';
import type { Sent } from '../chain/send.ts';
import { committeeRecipients, members } from '../chain/validator-registry.ts';
import { HokusaiError } from '../errors.ts';
import { payeesTree } from '../payees.ts';
import { ciphertextHash, seal } from '../seal.ts';
import type { DataRoot } from '../table/data-root.ts';
import { encryptTo } from '../validator/recipient.ts';
import type { Assignment, Ballot, Settlement } from '../validator/validator.ts';
import { writeWhole } from '../write-whole.ts';
import type { LocalModelOptions, ModelIds, StartedValidator } from './local-model.ts';

/** A transaction of the run. */
export type Action = Attestation['transactions'][number];

type Round = NonNullable<Attestation['round']> & { readonly payments: { account: string; wei: string }[] };

/** What became of a round. */
export interface Outcome {
  readonly roundId: Hex;
  /** Of the validators who agree, by ascending address. The first of them settles or rejects. */
  readonly ballots: readonly Ballot[];
  /** Absent where the round was rejected. */
  readonly settlement?: Settlement;
  readonly round: Round;
  readonly transactions: readonly Action[];
}

export type Record = (action: string, sent: Sent) => void;

/** Keeps what is sent, in its order. */
export function journalOf(onAction?: (action: Action) => void): { actions: Action[]; record: Record } {
  const actions: Action[] = [];
  const record: Record = (action, { by, hash, gas, block }) => {
    actions.push({ action, by, hash, gas: Number(gas), block: Number(block) });
    onAction?.(actions.at(-1)!);
  };
  return { actions, record };
}

/** A contribution's file with what it commits to. */
interface Given {
  readonly name: string;
  readonly data: Uint8Array;
  readonly root: DataRoot;
}

/** Plays a round of a contribution to its end. */
export async function playRound(
  options: LocalModelOptions,
  model: ModelIds & { validators: readonly StartedValidator[] },
  given: Given,
): Promise<Outcome> {
  const { chain, config } = options;
  const { url, deployment, accounts } = chain;
  const { actions, record } = journalOf(options.onAction);
  const contributor = await connect({ url, deployment, account: accounts.contributor });
  const payee = await connect({ url, deployment, account: accounts.payee });
  const payees = payeesTree([{ payee: getAddress(payee.account.address), weight: 1n }]);
  const assignment = await openRound(options, model, contributor, payees.payeesRoot, given, record);
  const { roundId } = assignment;

  const ballots = await vote(model.validators, assignment, record);
  const agreeing = quorum(ballots, config.policy.threshold);
  const settler = model.validators.find(({ address }) => address === agreeing[0]!.voter)!.validator;
  const { status } = agreeing[0]!.vote;
  let settlement: Settlement | undefined;
  if (status === 'SCORED') {
    settlement = await settler.ask<Settlement>({ type: 'settle', roundId });
    for (const sent of settlement.inferred) record('proveInference', sent);
    record('settle', settlement);
    await chain.advance(config.policy.delay + 1);
    record('finalise', await finalise(contributor, roundId));
    record('claim', await claim(payee, { modelId: model.modelId, roundId, ...payees.proofOf(0) }));
  } else {
    // A score below the gate leaves the time to settle to a proof that would show otherwise.
    if (status === 'BELOW_GATE') await chain.advance(config.policy.voteDuration + 2 * config.policy.settleDuration);
    record('reject', await settler.ask<Sent>({ type: 'reject', roundId }));
  }
  const ended = await endOf(contributor, roundId, ballots);
  await payOut(ended, contributor, model.validators, roundId, record);
  return { roundId, ballots: agreeing, ...(settlement && { settlement }), round: ended, transactions: actions };
}

/** Commits, opens and draws, and then gives the committee the key to the data. */
export async function openRound(
  options: LocalModelOptions,
  { modelId, policyHash, benchmarkId }: ModelIds,
  contributor: Sender,
  payeesRoot: Hex,
  given: Given,
  record: Record,
): Promise<Assignment> {
  const { chain, config, secrets } = options;
  const sealed = await sealedFile(options, given);
  const { dataRoot, rows } = given.root;
  const contribution = {
    modelId,
    contributor: getAddress(contributor.account.address),
    payeesRoot,
    dataRoot,
    rows,
    ciphertextHash: sealed.ciphertextHash,
    policyHash,
    benchmarkId,
    salt: keccak256(secrets.contributionSecret),
  };
  record('commit', await commit(contributor, contribution, config.policy.bond + config.policy.evaluationFee));
  await chain.mine();
  const opened = await open(contributor, contribution);
  record('open', opened);
  const roundId = opened.result;
  await chain.mine(3);
  record('draw', await draw(contributor, roundId));
  const drawn = await committeeRecipients(contributor, (await round(contributor, roundId)).committee);
  const recipients = drawn.filter(({ usable }) => usable).map(({ ageRecipient }) => ageRecipient);
  const encryptedKey = await encryptTo(recipients, secrets.dataKey);
  return { contributor: contribution.contributor, payeesRoot, dataRoot, rows, roundId, ...sealed, encryptedKey };
}

/** The ciphertext is made once: sealing is random, and another file would be another contribution. */
async function sealedFile({ folder, secrets }: LocalModelOptions, { name, data }: Given) {
  const ciphertextFile = join(folder, `${name}.sealed`);
  const { contributionSecret, dataKey } = secrets;
  if (!existsSync(ciphertextFile)) await writeWhole(ciphertextFile, await seal({ data, contributionSecret }, dataKey));
  return { ciphertextFile, ciphertextHash: ciphertextHash(await readFile(ciphertextFile)) };
}

/** All validators evaluate, then commit to their votes, then reveal them. */
async function vote(validators: readonly StartedValidator[], assignment: Assignment, record: Record) {
  const ballots = await Promise.all(
    validators.map(({ validator }) => validator.ask<Ballot>({ type: 'evaluate', assignment })),
  );
  const { roundId } = assignment;
  for (const type of ['voteCommit', 'voteReveal'] as const) {
    for (const { validator } of validators) record(type, await validator.ask<Sent>({ type, roundId }));
  }
  return ballots;
}

/** The votes that agree in everything, if they are enough. */
function quorum(ballots: readonly Ballot[], threshold: number): Ballot[] {
  const alike = (a: Ballot, b: Ballot) =>
    Object.entries(a.vote).every(([name, value]) => b.vote[name as keyof typeof b.vote] === value);
  const agreeing = ballots.map((ballot) => ballots.filter((other) => alike(ballot, other)));
  const most = agreeing.reduce((best, group) => (group.length > best.length ? group : best));
  if (most.length >= threshold) return most;
  throw new HokusaiError(
    'terminal',
    'NO_QUORUM',
    `The validators do not agree: at most ${most.length} of ${ballots.length}.`,
    {
      details: { threshold, statuses: ballots.map(({ vote }) => vote.status) },
      next: 'Compare what they found; once the deadline is over, `expire` refunds.',
    },
  );
}

/** Who was drawn and what each voted, by when, and what the ended round owes each of them and its sponsor. */
async function endOf(client: Sender, roundId: Hex, ballots: readonly Ballot[]): Promise<Round> {
  const { committee, sponsor, voteDeadline, revealDeadline, deadline, finalisableAt } = await round(client, roundId);
  const seats = await members(client, committee);
  const statusOf = (validator: Address) => ballots.find(({ voter }) => voter === validator)?.vote.status;
  const owed = async (account: Address) => ({ account, wei: String(await withdrawable(client, roundId, account)) });
  const payments = await Promise.all([...new Set([sponsor, ...seats])].map(owed));
  return {
    committee: seats.map((validator) => ({ validator, ...optional(statusOf(validator)) })),
    ...{ voteDeadline, revealDeadline, deadline, finalisableAt },
    payments: payments.filter(({ wei }) => wei !== '0'),
  };
}

const optional = (status: Ballot['vote']['status'] | undefined) => (status === undefined ? {} : { status });

async function payOut(
  { payments }: Round,
  contributor: Sender,
  validators: readonly StartedValidator[],
  roundId: Hex,
  record: Record,
): Promise<void> {
  for (const { account } of payments) {
    const paid = validators.find(({ address }) => address === account);
    const sent = paid ? paid.validator.ask<Sent>({ type: 'withdraw', roundId }) : withdraw(contributor, roundId);
    record('withdraw', await sent);
  }
}
