/** A model with its validators on a local chain, and the life of a round there, from commit to claim. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Address, getAddress, type Hex, keccak256, numberToHex, stringToHex } from 'viem';
import { registerCircuit } from './chain/circuit.ts';
import { connect, type Sender } from './chain/connect.ts';
import type { LocalChain } from './chain/local.ts';
import { allocateBudget, claim, commit, draw, finalise, open, registerModel, round, withdraw } from './chain/round.ts';
import { type Sent, view } from './chain/send.ts';
import { validator as registered } from './chain/validator-registry.ts';
import { modelCommitment, saltOf } from './commitment.ts';
import type { Config } from './config.ts';
import type { DataRoot } from './data-root.ts';
import { HokusaiError } from './errors.ts';
import type { Executor, StepEvent } from './executor.ts';
import { ACCURACY, type ModelLine } from './line.ts';
import { payeesTree } from './payees.ts';
import { headOf } from './pipeline.ts';
import type { Proven } from './prove/prove.ts';
import { scoreCircuit } from './prove/score.ts';
import { encryptTo } from './recipient.ts';
import { ciphertextHash, seal } from './seal.ts';
import type { RunSecrets } from './secrets.ts';
import type { Assignment, Ballot, Settlement } from './validator.ts';
import { startValidator, type Validator } from './validators.ts';
import { writeWhole } from './write-whole.ts';

const TEN_ETHER = numberToHex(10n ** 19n);
/** What each validator has at stake, in wei: 1 ether. */
const STAKE = 10n ** 18n;

/** A transaction of the run. */
export interface Action {
  readonly action: string;
  readonly hash: Hex;
  readonly gas: number;
  readonly block: number;
}

/** What became of a round. */
export interface Outcome {
  readonly roundId: Hex;
  /** Of the validators who agree, by ascending address. The first of them settles or rejects. */
  readonly ballots: readonly Ballot[];
  /** Absent where the round was rejected. */
  readonly settlement?: Settlement;
  readonly transactions: readonly Action[];
}

/** A registered model whose validators are at work. */
export interface LocalModel {
  readonly modelId: Hex;
  readonly policyHash: Hex;
  readonly benchmarkId: Hex;
  /** Registration, before any round. */
  readonly transactions: readonly Action[];
  /** Plays a round to its end: claimed, or rejected. */
  contribute(name: string, data: Uint8Array, root: DataRoot): Promise<Outcome>;
  stop(): void;
}

export interface LocalModelOptions {
  readonly chain: LocalChain;
  readonly config: Config;
  readonly line: ModelLine;
  readonly secrets: RunSecrets;
  /** Holds the sealed contributions, and a folder for each validator. */
  readonly folder: string;
  readonly executor: Executor;
  readonly prover?: Proven['prover'];
  readonly onEvent?: (validator: number, event: StepEvent) => void;
  readonly onAction?: (action: Action) => void;
}

/** Registers a model and starts its validators. */
export async function openLocalModel(options: LocalModelOptions): Promise<LocalModel> {
  const { chain, config, secrets, folder, prover, onEvent } = options;
  const { url, deployment } = chain;
  const started: { validator: Validator; address: Address }[] = [];
  const stop = () => {
    for (const { validator } of started) validator.stop();
  };
  try {
    for (let i = 1; i <= config.policy.validators; i++) {
      const duty = {
        configFile: config.file,
        folder: join(folder, 'validators', String(i)),
        password: secrets.password,
      };
      const given = { ...duty, url, deployment, secrets: secrets.owner, ...(prover && { prover }) };
      started.push(await startValidator(given, (event) => onEvent?.(i, event)));
    }
    started.sort((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1));
    const journal = journalOf(options);
    const ids = await register(options, started, journal.record);
    const contribute = (name: string, data: Uint8Array, root: DataRoot) =>
      playRound(options, { ...ids, validators: started.map(({ validator }) => validator) }, { name, data, root });
    return { ...ids, transactions: journal.actions, contribute, stop };
  } catch (error) {
    stop();
    throw error;
  }
}

type Record = (action: string, sent: Sent) => void;

function journalOf({ onAction }: LocalModelOptions): { actions: Action[]; record: Record } {
  const actions: Action[] = [];
  const record: Record = (action, { hash, gas, block }) => {
    actions.push({ action, hash, gas: Number(gas), block: Number(block) });
    onAction?.(actions.at(-1)!);
  };
  return { actions, record };
}

async function register(
  { chain, config, line, secrets, executor }: LocalModelOptions,
  validators: readonly { validator: Validator; address: Address }[],
  record: Record,
): Promise<Ids> {
  const { url, deployment, accounts } = chain;
  const owner = await connect({ url, deployment, account: accounts.owner });
  for (const { validator, address } of validators) {
    await owner.publicClient.request({ method: 'hardhat_setBalance', params: [address, TEN_ETHER] } as never);
    record('register', await validator.ask<Sent>({ type: 'register', stake: STAKE }));
  }
  const circuitId = await registerCircuit(owner, scoreCircuit(line.fold.n));
  const head = await headOf(line, executor);
  const salt = saltOf(secrets.owner.modelSecret, 'linear', line.trainingSetRoot);
  const { alpha: _, validators: __, ...terms } = config.policy;
  const { result: modelId, ...sent } = await registerModel(owner, {
    salt: keccak256(stringToHex(config.pipeline.name)),
    head: { modelCommitment: await modelCommitment(head, salt), trainingSetRoot: line.trainingSetRoot },
    policy: {
      ...terms,
      circuitId,
      metric: ACCURACY,
      trainSpecHash: line.trainSpecHash,
      minStake: STAKE,
      committeeSize: 0,
      validators: validators.map(({ address }) => address),
    },
    folds: [line.fold],
  });
  record('registerModel', { ...sent, result: modelId });
  const budget = terms.maxReward * BigInt(terms.roundsPerFold);
  record('allocateBudget', await allocateBudget(owner, modelId, budget));
  const { policyHash, benchmarkId } = await view(owner, {
    contract: 'modelRegistry',
    functionName: 'model',
    args: [modelId],
  });
  return { modelId, policyHash, benchmarkId };
}

type Ids = Pick<LocalModel, 'modelId' | 'policyHash' | 'benchmarkId'>;

interface Given {
  readonly name: string;
  readonly data: Uint8Array;
  readonly root: DataRoot;
}

async function playRound(
  options: LocalModelOptions,
  model: Ids & { validators: readonly Validator[] },
  given: Given,
): Promise<Outcome> {
  const { chain, config } = options;
  const { url, deployment, accounts } = chain;
  const { actions, record } = journalOf(options);
  const contributor = await connect({ url, deployment, account: accounts.contributor });
  const payee = await connect({ url, deployment, account: accounts.payee });
  const payees = payeesTree([{ payee: getAddress(payee.account.address), weight: 1n }]);
  const assignment = await openRound(options, model, contributor, payees.payeesRoot, given, record);
  const { roundId } = assignment;

  const all = await Promise.all(
    model.validators.map((validator) => validator.ask<Ballot>({ type: 'evaluate', assignment })),
  );
  for (const type of ['voteCommit', 'voteReveal'] as const) {
    for (const validator of model.validators) record(type, await validator.ask<Sent>({ type, roundId }));
  }
  const ballots = quorum(all, config.policy.threshold);
  const settler = model.validators[all.indexOf(ballots[0]!)]!;
  const { status } = ballots[0]!.vote;
  if (status !== 'SCORED') {
    // A score below the gate leaves the time to settle to a proof that would show otherwise.
    if (status === 'BELOW_GATE') await chain.advance(config.policy.voteDuration + 2 * config.policy.settleDuration);
    record('reject', await settler.ask<Sent>({ type: 'reject', roundId }));
    record('withdraw', await withdraw(contributor, roundId));
    return { roundId, ballots, transactions: actions };
  }
  const settlement = await settler.ask<Settlement>({ type: 'settle', roundId });
  record('settle', settlement);
  await chain.advance(config.policy.delay + 1);
  record('finalise', await finalise(contributor, roundId));
  record('claim', await claim(payee, { modelId: model.modelId, roundId, ...payees.proofOf(0) }));
  record('withdraw', await withdraw(contributor, roundId));
  return { roundId, ballots, settlement, transactions: actions };
}

/** Commits, opens and draws, and then gives the committee the key to the data. */
async function openRound(
  options: LocalModelOptions,
  { modelId, policyHash, benchmarkId }: Ids,
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
  const { committee } = await round(contributor, roundId);
  const members = await view(contributor, {
    contract: 'validatorRegistry',
    functionName: 'members',
    args: [committee],
  });
  const recipients = await Promise.all(
    members.map(async (member) => (await registered(contributor, member)).ageRecipient),
  );
  const encryptedKey = await encryptTo(recipients, secrets.dataKey);
  return { contributor: contribution.contributor, payeesRoot, dataRoot, rows, roundId, ...sealed, encryptedKey };
}

/** The ciphertext is made once: sealing is random, and another file would be another contribution. */
async function sealedFile({ folder, secrets }: LocalModelOptions, { name, data }: Given) {
  const ciphertextFile = join(folder, `${name}.sealed`);
  const { contributionSecret, dataKey } = secrets;
  if (!existsSync(ciphertextFile)) await writeWhole(ciphertextFile, seal({ data, contributionSecret }, dataKey));
  return { ciphertextFile, ciphertextHash: ciphertextHash(await readFile(ciphertextFile)) };
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
    },
  );
}
