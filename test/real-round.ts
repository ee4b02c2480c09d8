// A model on a local chain whose rounds settle with real proofs of the smallest score circuit, and the steps of a round as
// honest parties take them, through the actions that clients use.
import { readFile } from 'node:fs/promises';
import { type Hex, keccak256, type LocalAccount, stringToHex, zeroHash } from 'viem';
import { registerCircuit } from '../offchain/chain/circuit.ts';
import { connect, LOCAL_CHAIN_ID, type Sender } from '../offchain/chain/connect.ts';
import type { LocalChain } from '../offchain/chain/local.ts';
import * as actions from '../offchain/chain/round.ts';
import { send } from '../offchain/chain/send.ts';
import { orderSignatures, signVote, type Vote } from '../offchain/chain/vote.ts';
import { trainingSetRoot } from '../offchain/context.ts';
import { alpha30, zMicro } from '../offchain/power.ts';
import { developmentKeyFile } from '../offchain/prove/circuits.ts';
import { circuitId, encodeVerificationKey, verificationKey } from '../offchain/prove/keys.ts';
import { contractProof, prove } from '../offchain/prove/prove.ts';
import { type Score, scoreInput, scoreSignals } from '../offchain/prove/score.ts';

export const tag = (text: string): Hex => keccak256(stringToHex(text));
export const ROWS = 512;
export const FEE = 1_000_000_007n;
export const UNIT = 10n ** 18n;
export const DELAY = 600;
export const DURATION = 3_600;

/** The baseline is wrong in 64 of 512 rows; the candidate is right in those, and wrong in 8 others. */
const bits = (bit: (i: number) => boolean) => Uint8Array.from({ length: ROWS }, (_, i) => (bit(i) ? 1 : 0));
const label = (i: number) => i % 2 === 0;
export const FIXED = 64n;
export const BROKEN = 8n;
const rows = {
  labels: bits(label),
  baselinePredictions: bits((i) => label(i) !== (i % 8 === 0)),
  candidatePredictions: bits((i) => label(i) !== (i % 64 === 1)),
  labelsSalt: 11n,
  baselineSalt: 22n,
  candidateSalt: 33n,
} satisfies Omit<Score, 'contextHash'>;

export type RealModel = Awaited<ReturnType<typeof createRealModel>>;

/** Registers circuit, model and budget, for two rounds of the highest reward, as the owner. */
export async function createRealModel(chain: LocalChain) {
  const { accounts, url, deployment, chainId } = chain;
  const as = (account: LocalAccount) => connect({ url, deployment, account });
  const owner = await as(accounts.owner);
  const keyFile = await developmentKeyFile('score512');
  const roots = await scoreSignals({ ...rows, contextHash: 0n });
  const metric = stringToHex('accuracy', { size: 32 });
  const key = verificationKey(await readFile(keyFile));
  const policy = {
    circuitId: circuitId(key),
    metric,
    trainSpecHash: tag('train spec'),
    alpha30: Number(alpha30(0.05, 20)),
    zMicro: Number(zMicro(0.05, 20)),
    minDeltaBps: 10,
    minRows: 500,
    minContributionRows: 50,
    payPoint: false,
    threshold: 2,
    roundsPerFold: 3,
    roundDuration: DURATION,
    delay: DELAY,
    tokensPerDeltaOne: UNIT,
    maxReward: 100n * UNIT,
    evaluationFee: FEE,
    validators: accounts.validators.map(({ address }) => address),
  };
  const fold = (labelsRoot: bigint) => ({
    labelsRoot,
    featuresRoot: labelsRoot + 1n,
    rowsRoot: tag('rows'),
    quantiserHash: tag('quantiser'),
    metric,
    n: ROWS,
    classes: 2,
  });
  const head = { modelCommitment: 77n, trainingSetRoot: tag('initial set') };
  const model = { salt: zeroHash, head, policy, folds: [fold(roots.labelsRoot), fold(roots.labelsRoot + 2n)] };
  const modelId = await register(owner, chainId, encodeVerificationKey(key), model);
  await actions.allocateBudget(owner, modelId, 2n * policy.maxReward);
  const { policyHash } = await actions.model(owner, modelId);
  const clients = {
    owner,
    contributor: await as(accounts.contributor),
    payee: await as(accounts.payee),
    settler: await as(accounts.settler),
    outsider: await as(accounts.outsider),
  };
  return { chain, keyFile, policy, head, modelId, policyHash, roots, ...clients };
}

/** As an owner does it; on a chain that is not local, as one does who keeps development keys from nobody. */
async function register(owner: Sender, chainId: number, key: Hex, model: actions.NewModel): Promise<Hex> {
  if (chainId === LOCAL_CHAIN_ID) {
    await registerCircuit(owner, 'score512');
    return (await actions.registerModel(owner, model)).result;
  }
  const { rounds, rewardToken } = owner.deployment;
  const { salt, head, policy, folds } = model;
  await send(owner, { action: '-', contract: 'circuitRegistry', functionName: 'register', args: [key, 6n] });
  const args = [salt, rounds, rewardToken, head, policy, folds] as const;
  return (await send(owner, { action: '-', contract: 'modelRegistry', functionName: 'registerModel', args })).result;
}

export const contribution = ({ modelId, policyHash, chain }: RealModel, salt = 'salt'): actions.Contribution => ({
  modelId,
  contributor: chain.accounts.contributor.address,
  payee: chain.accounts.payee.address,
  dataRoot: tag('data'),
  rows: 100,
  ciphertextHash: tag('ciphertext'),
  policyHash,
  salt: tag(salt),
});

/** Commits and opens; the salt tells one contribution from the next. */
export async function openRound(m: RealModel, salt?: string): Promise<Hex> {
  const given = contribution(m, salt);
  await actions.commit(m.contributor, given);
  return (await actions.open(m.contributor, given, FEE)).result;
}

export const scored = ({ roots, head }: RealModel, changes: Partial<Vote> = {}): Vote => ({
  status: 'SCORED',
  baselinePredictionsRoot: roots.baselinePredictionsRoot,
  candidateCommitment: 78n,
  candidatePredictionsRoot: roots.candidatePredictionsRoot,
  trainingSetRoot: trainingSetRoot(head.trainingSetRoot, tag('data')),
  metricsHash: tag('metrics'),
  ...changes,
});

/** The signatures of two validators of three. */
export async function quorum({ chain }: RealModel, roundId: Hex, vote: Vote): Promise<Hex[]> {
  const { validators } = chain.accounts;
  const signing = validators
    .slice(0, 2)
    .map((validator) => signVote(validator, chain.chainId, chain.deployment.rounds, roundId, vote));
  return orderSignatures(await Promise.all(signing));
}

/** An honest settlement of a round by the settler, with a real proof. */
export async function settlement(m: RealModel, roundId: Hex): Promise<actions.Settlement> {
  const vote = scored(m);
  const settler = m.settler.account.address;
  const context = await actions.contextHash(m.settler, roundId, vote.candidateCommitment, settler);
  const { proof, publicSignals } = await prove(
    'score512',
    scoreInput({ ...rows, contextHash: context }, ROWS),
    m.keyFile,
  );
  const [attestationHash, , , , countsPacked] = publicSignals.map(BigInt);
  const signatures = await quorum(m, roundId, vote);
  return {
    ...{ vote, signatures, proof: contractProof(proof) },
    ...{ countsPacked: countsPacked!, attestationHash: attestationHash! },
  };
}
