/**
 * A validator: a process of its own with a keystore and a journal of its own. It opens the sealed contribution, trains
 * and evaluates, and signs its vote; the one that settles also proves. Tasks come in over the channel one at a time.
 */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Hex, zeroHash } from 'viem';
import { metricsHash } from '../attestation/attest.ts';
import { voteOf } from '../attestation/context.ts';
import { type Cache, type CacheOptions, openCache } from '../cache/cache.ts';
import { connect, type Sender } from '../chain/connect.ts';
import type { Deployment } from '../chain/contracts.ts';
import { proveInference as sendInference } from '../chain/inference.ts';
import { openKeystore } from '../chain/keystore.ts';
import {
  contextHash,
  drawnSeed,
  policy,
  reject,
  round,
  settle,
  voteCommit,
  voteReveal,
  withdraw,
} from '../chain/round.ts';
import type { Sent } from '../chain/send.ts';
import { register } from '../chain/validator-registry.ts';
import { type SignedVote, signVote, type Vote, voteHash, voteSalt } from '../chain/vote.ts';
import { type Config, loadConfig } from '../config/load.ts';
import { HokusaiError } from '../errors.ts';
import { type ModelLine, type OwnerSecrets, ownedLine } from '../line.ts';
import type { ProvingOptions } from '../prove/pool.ts';
import { contractProof } from '../prove/prove.ts';
import { type ProvenScore, proveScore } from '../prove/score.ts';
import { type Executor, openExecutor, type StepEvent, type StepRecord } from '../run/executor.ts';
import { type Agreed, type Committed, type Finding, refuse } from '../run/finding.ts';
import { type Offer, offerOf } from '../run/offer.ts';
import { type Contribution, evaluateContribution, type Inferences, proveInferences } from '../run/pipeline.ts';
import { ciphertextHash, unseal } from '../seal.ts';
import { readCsv } from '../table/table.ts';
import { createIdentity, decryptWith, readIdentity, recipientOf } from './recipient.ts';

/** What a validator is started with. */
export interface Duty {
  readonly configFile: string;
  /** Journal, keystore, identity and the opened contribution; nobody else's. */
  readonly folder: string;
  readonly password: string;
  readonly url: string;
  readonly deployment: Deployment;
  readonly secrets: OwnerSecrets;
  /** Of this validator's own results; without it everything is computed. */
  readonly cache?: CacheOptions;
  readonly proving?: ProvingOptions;
}

/** A round to vote on. */
export interface Assignment extends Committed {
  readonly roundId: Hex;
  readonly ciphertextFile: string;
  readonly ciphertextHash: Hex;
  /** Opens the ciphertext; encrypted to the committee once it is drawn. */
  readonly encryptedKey: Uint8Array;
}

export interface Ballot extends SignedVote {
  readonly vote: Vote;
  readonly agreed: Agreed;
  readonly evaluated?: Omit<NonNullable<Finding['evaluated']>, 'score'>;
  readonly steps: readonly StepRecord[];
}

export interface Settlement extends Sent {
  readonly proven: ProvenScore;
  /** Where the policy asks for it: what both models predict, and the transactions that put it on record. */
  readonly inferences?: Inferences;
  readonly inferred: readonly Sent[];
  readonly steps: readonly StepRecord[];
}

export type Task =
  | { readonly type: 'start'; readonly duty: Duty }
  | { readonly type: 'evaluate'; readonly assignment: Assignment }
  | { readonly type: 'register'; readonly stake: bigint }
  | { readonly type: 'voteCommit' | 'voteReveal' | 'settle' | 'reject' | 'withdraw'; readonly roundId: Hex };

export type Reply =
  | { readonly type: 'event'; readonly event: StepEvent }
  | { readonly type: 'done'; readonly result: unknown }
  | { readonly type: 'failed'; readonly error: Pick<HokusaiError, 'kind' | 'code' | 'message' | 'details' | 'next'> };

let duty: Duty;
let client: Sender;

/** Registers with the recipient of this validator's identity, which is made where there is none. */
async function registerSelf(stake: bigint): Promise<Sent> {
  const file = join(duty.folder, 'identity.txt');
  const recipient = existsSync(file) ? await recipientOf(await readIdentity(file)) : await createIdentity(file);
  return register(client, recipient, stake);
}

/** The round that this validator has evaluated. */
let evaluated:
  | { readonly roundId: Hex; readonly vote: Vote; readonly line: ModelLine; readonly finding: Finding }
  | undefined;

async function start(given: Duty): Promise<Hex> {
  duty = given;
  const account = await openKeystore(join(duty.folder, 'keystore.json'), duty.password);
  client = await connect({ url: duty.url, deployment: duty.deployment, account });
  return account.address;
}

const openJournal = ({ metaflow }: Config, cache: Cache | undefined): Promise<Executor> =>
  openExecutor(duty.folder, { onEvent: report, retries: metaflow.maxRetryCount, cache });

async function evaluateRound(assignment: Assignment): Promise<Ballot> {
  const config = loadConfig(duty.configFile);
  const cache = duty.cache && (await openCache(duty.cache));
  const executor = await openJournal(config, cache);
  try {
    const line = await ownedLine(config, duty.secrets, { cache });
    const finding = await find(assignment, line, offerOf(config, false), executor);
    await requireSameLine(assignment.roundId, line, finding);
    const vote = voteOf({ ...finding.agreed, metricsHash: metricsHash(finding.agreed) });
    evaluated = { roundId: assignment.roundId, vote, line, finding };
    const { chainId, rounds } = duty.deployment;
    const signed = await signVote(client.account, chainId, rounds, assignment.roundId, vote);
    const { score: _, ...kept } = finding.evaluated ?? {};
    return {
      ...signed,
      vote,
      agreed: finding.agreed,
      ...(finding.evaluated && { evaluated: kept as Ballot['evaluated'] & object }),
      steps: executor.steps(),
    };
  } finally {
    await executor.close();
  }
}

/** What came was not what was committed to, or not for us. */
const UNAVAILABLE: ReadonlySet<string> = new Set(['SEAL_BROKEN', 'RECIPIENT_OTHER', 'ENCRYPTION_BROKEN']);

/** Opens the ciphertext that the commitment names, and evaluates what is in it. */
async function find(assignment: Assignment, line: ModelLine, offer: Offer, executor: Executor): Promise<Finding> {
  try {
    return await evaluateContribution(line, offer, await opened(assignment), executor);
  } catch (error) {
    if (!(error instanceof HokusaiError) || error.kind !== 'terminal') throw error;
    // Every validator finds the same of these bytes. Anything else that goes wrong is no finding about them.
    if (UNAVAILABLE.has(error.code)) {
      return refuse(line, offer, assignment, { status: 'UNAVAILABLE', reason: error.message });
    }
    if (!error.code.startsWith('TABLE_')) throw error;
    return refuse(line, offer, assignment, {
      status: 'SCHEMA',
      reason: 'The contribution is no well-formed CSV file.',
    });
  }
}

async function opened(assignment: Assignment): Promise<Contribution> {
  const ciphertext = await readFile(assignment.ciphertextFile);
  if (ciphertextHash(ciphertext) !== assignment.ciphertextHash) {
    throw new HokusaiError('terminal', 'SEAL_BROKEN', 'The ciphertext is not the one that was committed to.');
  }
  const identity = await readIdentity(join(duty.folder, 'identity.txt'));
  const key = await decryptWith(identity, assignment.encryptedKey);
  const { data, contributionSecret } = await unseal(ciphertext, key);
  const file = join(duty.folder, 'contribution.csv');
  await writeFile(file, data, { mode: 0o600 });
  const { contributor, payeesRoot, dataRoot, rows } = assignment;
  const committed = { contributor, payeesRoot, dataRoot, rows };
  const seed = await drawnSeed(client, assignment.roundId);
  return { ...committed, contributionSecret, file: ciphertextHash(data), table: await readCsv(file), seed };
}

/**
 * A validator who holds another fold or another head than the round has would vote against everybody else's truth.
 *
 * @throws HokusaiError `LINE_STALE` (configuration)
 */
async function requireSameLine(roundId: Hex, line: ModelLine, { agreed }: Finding): Promise<void> {
  const { foldId, headTrainingSetRoot, headCommitment } = await round(client, roundId);
  const head = agreed.models?.baseline.commitment ?? String(headCommitment);
  const same =
    foldId === line.foldId && headTrainingSetRoot === line.trainingSetRoot && String(headCommitment) === head;
  if (same) return;
  throw new HokusaiError(
    'configuration',
    'LINE_STALE',
    'The round is about another fold or another head than this one.',
    {
      details: {
        roundId,
        foldId,
        headTrainingSetRoot,
        ours: { foldId: line.foldId, trainingSetRoot: line.trainingSetRoot },
      },
      next: 'Fetch the model line of this head from its owner.',
    },
  );
}

/** What this validator found in a round. @throws HokusaiError `ROUND_NOT_EVALUATED` (retryable) after a crash, say */
function evaluatedIn(roundId: Hex) {
  if (evaluated?.roundId === roundId) return evaluated;
  throw new HokusaiError('retryable', 'ROUND_NOT_EVALUATED', 'This validator has not evaluated that round.', {
    details: { roundId },
    next: 'Have it evaluate the round: steps that it has finished are taken from its journal.',
  });
}

const saltOf = (roundId: Hex) => voteSalt(client.account, duty.deployment.chainId, duty.deployment.rounds, roundId);

async function commitVote(roundId: Hex): Promise<Sent> {
  const { chainId, rounds } = duty.deployment;
  const { vote } = evaluatedIn(roundId);
  const hash = voteHash(chainId, rounds, roundId, client.account.address, vote, await saltOf(roundId));
  return voteCommit(client, roundId, hash);
}

/** Proves what both models predict and puts it on record, where the round's policy asks for it. */
async function recordInferences(
  roundId: Hex,
  executor: Executor,
): Promise<Pick<Settlement, 'inferences' | 'inferred'>> {
  const { vote, line, finding } = evaluatedIn(roundId);
  const { policyHash, foldId, headCommitment } = await round(client, roundId);
  const { inferenceCircuitId: circuitId } = await policy(client, policyHash);
  if (circuitId === zeroHash) return { inferred: [] };
  const inferences = await proveInferences(line, finding, executor, duty.proving, circuitId);
  const { baselinePredictionsRoot, candidateCommitment, candidatePredictionsRoot } = vote;
  const on = { circuitId, foldId };
  const head = { ...on, modelCommitment: headCommitment, predictionsRoot: baselinePredictionsRoot };
  const next = { ...on, modelCommitment: candidateCommitment, predictionsRoot: candidatePredictionsRoot };
  const inferred = [
    ...(await sendInference(client, head, inferences.baseline.chunks)),
    ...(await sendInference(client, next, inferences.candidate.chunks)),
  ];
  return { inferences, inferred };
}

async function settleRound(roundId: Hex): Promise<Settlement> {
  const { vote, finding } = evaluatedIn(roundId);
  const cache = duty.cache && (await openCache(duty.cache));
  const executor = await openJournal(loadConfig(duty.configFile), cache);
  try {
    const context = await contextHash(client, roundId, vote.candidateCommitment, client.account.address);
    const recorded = await recordInferences(roundId, executor);
    const { circuitId } = await policy(client, (await round(client, roundId)).policyHash);
    const score = { ...finding.evaluated!.score, contextHash: context };
    const proven = await proveScore(score, executor, duty.proving, circuitId);
    const sent = await settle(client, roundId, {
      vote,
      proof: contractProof(proven.proof),
      counts: proven.counts.map(BigInt),
      attestationHash: BigInt(proven.attestationHash),
    });
    return { ...sent, proven, ...recorded, steps: executor.steps() };
  } finally {
    await executor.close();
  }
}

const report = (event: StepEvent) => {
  // An error event is followed by the failure itself; its class does not survive the channel.
  if (event.type !== 'failed' && event.type !== 'retrying') say({ type: 'event', event });
};

const say = (reply: Reply) => process.send!(reply);

async function perform(task: Task): Promise<unknown> {
  if (task.type === 'start') return start(task.duty);
  if (task.type === 'evaluate') return evaluateRound(task.assignment);
  if (task.type === 'register') return registerSelf(task.stake);
  if (task.type === 'voteCommit') return commitVote(task.roundId);
  if (task.type === 'voteReveal') {
    return voteReveal(client, task.roundId, evaluatedIn(task.roundId).vote, await saltOf(task.roundId));
  }
  if (task.type === 'settle') return settleRound(task.roundId);
  if (task.type === 'withdraw') return withdraw(client, task.roundId);
  return reject(client, task.roundId, evaluatedIn(task.roundId).vote);
}

process.on('message', (task: Task) => {
  perform(task).then(
    (result) => say({ type: 'done', result }),
    (error) => {
      const known =
        error instanceof HokusaiError
          ? error
          : new HokusaiError('terminal', 'VALIDATOR_FAILED', String(error?.stack ?? error));
      const { kind, code, message, details, next } = known;
      say({ type: 'failed', error: { kind, code, message, details, next } });
    },
  );
});
// Without the process that gives it its tasks a validator has nothing to do, however that process ended.
process.once('disconnect', () => process.exit());
process.on('SIGINT', () => {});
