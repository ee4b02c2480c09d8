// A model on a local chain whose rounds settle with real proofs of the smallest score circuit, and the steps of a round as
// honest parties take them, through the actions that clients use.
import { readFile } from 'node:fs/promises';
import { getAddress, type Hex, keccak256, type LocalAccount, stringToHex, zeroHash } from 'viem';
import { trainingSetRoot } from '../offchain/attestation/context.ts';
import { registerCircuit } from '../offchain/chain/circuit.ts';
import { connect, LOCAL_CHAIN_ID, type Sender } from '../offchain/chain/connect.ts';
import type { LocalChain } from '../offchain/chain/local.ts';
import * as actions from '../offchain/chain/round.ts';
import { type Sent, send, view } from '../offchain/chain/send.ts';
import { register as registerValidator } from '../offchain/chain/validator-registry.ts';
import { type Vote, voteHash } from '../offchain/chain/vote.ts';
import { alpha30, zMicro } from '../offchain/delta/power.ts';
import { type Payee, payeesTree } from '../offchain/payees.ts';
import { developmentKeyFile, type ScoreCircuit } from '../offchain/prove/circuits.ts';
import { circuitId, encodeVerificationKey, type VerificationKey, verificationKey } from '../offchain/prove/keys.ts';
import { contractProof, prove } from '../offchain/prove/prove.ts';
import { type Score, scoreCircuit, scoreInput, scoreSignals } from '../offchain/prove/score.ts';

export const tag = (text: string): Hex => keccak256(stringToHex(text));
export const ROWS = 512;
export const FEE = 1_000_000_007n;
export const BOND = 2_000_000_011n;
export const DEPOSIT = FEE + BOND;
export const STAKE = 10n ** 18n;
export const UNIT = 10n ** 18n;
/** Seconds of the phases. */
export const [OPEN, VOTE, REVEAL, SETTLE, DELAY] = [1_200, 3_600, 1_800, 900, 600];
/** Nobody encrypts anything to it here. */
const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

/** A score, but for the settlement that its proof is for. */
export type Rows = Omit<Score, 'contextHash'>;

/** The baseline is wrong in 64 of 512 rows; the candidate is right in those, and wrong in 8 others. */
const bits = (bit: (i: number) => boolean) => Uint8Array.from({ length: ROWS }, (_, i) => (bit(i) ? 1 : 0));
const label = (i: number) => i % 2 === 0;
export const FIXED = 64n;
export const BROKEN = 8n;
const BINARY = {
  ...{ metric: 'accuracy', classes: 2 },
  labels: bits(label),
  baselinePredictions: bits((i) => label(i) !== (i % 8 === 0)),
  candidatePredictions: bits((i) => label(i) !== (i % 64 === 1)),
  labelsSalt: 11n,
  baselineSalt: 22n,
  candidateSalt: 33n,
} satisfies Rows;

export type RealModel = Awaited<ReturnType<typeof createRealModel>>;

/**
 * Registers circuit, validators, model and budget, for four rounds of the highest reward.
 *
 * @param salt  tells the owner's models apart
 * @param folds with the same labels: a proof is good on each of them
 * @param rows  what the models predict on a fold
 */
export async function createRealModel(
  chain: LocalChain,
  { salt = zeroHash as Hex, folds = 1, rows = BINARY }: { salt?: Hex; folds?: number; rows?: Rows } = {},
) {
  const { accounts, url, deployment, chainId } = chain;
  const as = (account: LocalAccount) => connect({ url, deployment, account });
  const owner = await as(accounts.owner);
  const validators = await Promise.all(accounts.validators.map(as));
  const registered = await registerValidators(validators);
  const n = rows.labels.length;
  const circuit = scoreCircuit(rows.metric, rows.classes, n);
  const keyFile = await developmentKeyFile(circuit);
  const roots = await scoreSignals({ ...rows, contextHash: 0n });
  const metric = stringToHex(rows.metric, { size: 32 });
  const key = verificationKey(await readFile(keyFile));
  const policy = {
    circuitId: circuitId(key),
    inferenceCircuitId: zeroHash,
    metric,
    trainSpecHash: tag('train spec'),
    payPoint: false,
    roundsPerFold: 3,
    minContributionRows: 50,
    tokensPerDeltaOne: UNIT,
    maxReward: 100n * UNIT,
    epochReward: 400n * UNIT,
    epochDuration: 366 * 86_400,
    vestingDuration: 0,
    evaluationFee: FEE,
    bond: BOND,
    openDuration: OPEN,
    voteDuration: VOTE,
    revealDuration: REVEAL,
    settleDuration: SETTLE,
    delay: DELAY,
    threshold: 2,
    committeeSize: 0,
    minStake: STAKE,
    validators: accounts.validators.map(({ address }) => address),
    gate: {
      alpha30: Number(alpha30(0.05, 20)),
      zMicro: Number(zMicro(0.05, 20)),
      minDeltaBps: 10,
      minRows: Math.min(n, 500),
      minPositives: 0,
      guardrails: [],
    },
  };
  const fold = (_: unknown, i: number) => ({
    labelsRoot: roots.labelsRoot,
    featuresRoot: BigInt(i + 1),
    rowsRoot: tag('rows'),
    quantiserHash: tag('quantiser'),
    metric,
    n,
    classes: rows.classes,
  });
  const head = { modelCommitment: 77n, trainingSetRoot: tag('initial set') };
  const model = { salt, head, policy, folds: Array.from({ length: folds }, fold) };
  const modelId = await register(owner, chainId, circuit, key, model);
  await actions.allocateBudget(owner, modelId, 4n * policy.maxReward);
  const { policyHash, benchmarkId } = await actions.model(owner, modelId);
  const payees = payeesTree([{ payee: accounts.payee.address, weight: 1n }]);
  const clients = {
    owner,
    contributor: await as(accounts.contributor),
    payee: await as(accounts.payee),
    settler: await as(accounts.settler),
    outsider: await as(accounts.outsider),
    validators,
  };
  const ids = { modelId, policyHash, benchmarkId };
  return { chain, rows, circuit, keyFile, policy, head, ...ids, roots, payees, registered, ...clients };
}

/** One after another, so that each costs the same in every run; those who are registered already are left alone. */
async function registerValidators(validators: readonly Sender[]): Promise<Sent[]> {
  const registered: Sent[] = [];
  for (const validator of validators) {
    const args = [validator.account.address] as const;
    const id = await view(validator, { contract: 'validatorRegistry', functionName: 'idOf', args });
    if (id === 0) registered.push(await registerValidator(validator, RECIPIENT, STAKE));
  }
  return registered;
}

/** As an owner does it; on a chain that is not local, as one does who keeps development keys from nobody. */
async function register(
  owner: Sender,
  chainId: number,
  circuit: ScoreCircuit,
  key: VerificationKey,
  model: actions.NewModel,
): Promise<Hex> {
  if (chainId === LOCAL_CHAIN_ID) {
    await registerCircuit(owner, circuit);
    return (await actions.registerModel(owner, model)).result;
  }
  const { rounds, rewardToken } = owner.deployment;
  const { salt, head, policy, folds } = model;
  const encoded = [encodeVerificationKey(key), BigInt(key.nPublic)] as const;
  await send(owner, { action: '-', contract: 'circuitRegistry', functionName: 'register', args: encoded });
  const args = [salt, rounds, rewardToken, head, policy, folds] as const;
  return (await send(owner, { action: '-', contract: 'modelRegistry', functionName: 'registerModel', args })).result;
}

export const contribution = (
  { modelId, policyHash, benchmarkId, payees, chain }: RealModel,
  salt = 'salt',
  changes: Partial<actions.Contribution> = {},
): actions.Contribution => ({
  modelId,
  contributor: chain.accounts.contributor.address,
  payeesRoot: payees.payeesRoot,
  dataRoot: tag('data'),
  rows: 100,
  ciphertextHash: tag('ciphertext'),
  policyHash,
  benchmarkId,
  salt: tag(salt),
  ...changes,
});

/** Commits, opens and draws; the salt tells one contribution from the next. */
export async function openRound(m: RealModel, salt?: string, changes?: Partial<actions.Contribution>): Promise<Hex> {
  const given = contribution(m, salt, changes);
  await actions.commit(m.contributor, given, DEPOSIT);
  const { result: roundId } = await actions.open(m.contributor, given);
  await m.chain.mine(3);
  await actions.draw(m.outsider, roundId);
  return roundId;
}

/** What honest validators find in a round. */
export async function scored(m: RealModel, roundId: Hex, changes: Partial<Vote> = {}): Promise<Vote> {
  const { headTrainingSetRoot, dataRoot } = await actions.round(m.owner, roundId);
  return {
    status: 'SCORED',
    baselinePredictionsRoot: m.roots.baselinePredictionsRoot,
    candidateCommitment: 78n,
    candidatePredictionsRoot: m.roots.candidatePredictionsRoot,
    trainingSetRoot: trainingSetRoot(headTrainingSetRoot, dataRoot),
    metricsHash: tag('metrics'),
    ...changes,
  };
}

const SALT = tag('vote salt');

/** All validators commit to a vote and then reveal it. */
export async function voteAll(m: RealModel, roundId: Hex, vote: Vote): Promise<{ commits: Sent[]; reveals: Sent[] }> {
  const { chainId, deployment } = m.chain;
  const [commits, reveals]: [Sent[], Sent[]] = [[], []];
  for (const validator of m.validators) {
    const hash = voteHash(chainId, deployment.rounds, roundId, validator.account.address, vote, SALT);
    commits.push(await actions.voteCommit(validator, roundId, hash));
  }
  for (const validator of m.validators) reveals.push(await actions.voteReveal(validator, roundId, vote, SALT));
  return { commits, reveals };
}

/** An honest settlement of a round by the settler, with a real proof. */
export async function settlement(m: RealModel, roundId: Hex): Promise<actions.Settlement> {
  const vote = await scored(m, roundId);
  const settler = m.settler.account.address;
  const context = await actions.contextHash(m.settler, roundId, vote.candidateCommitment, settler);
  const score = { ...m.rows, contextHash: context };
  const { counts, attestationHash } = await scoreSignals(score);
  const { proof } = await prove(m.circuit, scoreInput(score, m.circuit), m.keyFile);
  return { vote, proof: contractProof(proof), counts, attestationHash };
}

/** The claim of a round's sole payee. */
export const claimOf = ({ modelId, payees }: RealModel, roundId: Hex): actions.Claim => ({
  modelId,
  roundId,
  ...payees.proofOf(0),
});

/** This payee among 9,999 others. */
export function manyPayees(payee: Hex): Payee[] {
  const others = Array.from({ length: 9_999 }, (_, i) => getAddress(`0x${(i + 1).toString(16).padStart(40, 'c')}`));
  return [payee, ...others].map((one, i) => ({ payee: one, weight: BigInt(i + 1) }));
}
