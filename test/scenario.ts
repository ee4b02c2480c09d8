// A model with its registry, token and validators on an in-process chain, and the steps of a round. Each step takes what a
// test wants to be different and does the rest as an honest party would.
import '@nomicfoundation/hardhat-toolbox-viem';
import { network } from 'hardhat';
import {
  type Address,
  concat,
  encodeAbiParameters,
  getAddress,
  type Hex,
  keccak256,
  numberToHex,
  stringToHex,
  type WalletClient,
  zeroHash,
} from 'viem';
import { alpha30, zMicro } from '../offchain/power.ts';

export const STATUS = {
  SCORED: 0,
  BELOW_GATE: 1,
  UNAVAILABLE: 2,
  ROOT_MISMATCH: 3,
  OVERLAP: 4,
  SCHEMA: 5,
  PII: 6,
  TOO_FEW_ROWS: 7,
  TRAINING_FAILED: 8,
};
export const STATE = { NONE: 0, COMMITTED: 1, OPEN: 2, SETTLED: 3, FINALISED: 4, CLAIMED: 5, REJECTED: 6, VOIDED: 7 };
export const FEE = 1_000_000_007n;
export const UNIT = 10n ** 18n;
export const MAX_REWARD = 10n * UNIT;
export const CAP = 100n * UNIT;
export const ROWS = 4_096n;

/** Counts as the circuit packs them; the rows that did not change are right before and after. */
export function pack(n: bigint, b: bigint, c: bigint): bigint {
  return (n - b - c) | (b << (31n * 2n)) | (c << (31n * 3n));
}
/** 100 of 4,096 rows ahead: a point estimate of 244 bps. */
export const GOOD = pack(ROWS, 160n, 60n);

const tag = (text: string): Hex => keccak256(stringToHex(text));
const metric = stringToHex('accuracy', { size: 32 });
/** The root of a training set that grew by a contribution. */
export const nextRoot = (previous: Hex, dataRoot: Hex): Hex =>
  keccak256(concat([tag('hokusai.trainingSet'), previous, dataRoot]));
const addressOf = (wallet: WalletClient): Address => getAddress(wallet.account!.address);

export const VOTE_TYPES = {
  Vote: [
    { name: 'roundId', type: 'bytes32' },
    { name: 'status', type: 'uint8' },
    { name: 'baselinePredictionsRoot', type: 'uint256' },
    { name: 'candidateCommitment', type: 'uint256' },
    { name: 'candidatePredictionsRoot', type: 'uint256' },
    { name: 'trainingSetRoot', type: 'bytes32' },
    { name: 'metricsHash', type: 'bytes32' },
  ],
} as const;

export type Scenario = Awaited<ReturnType<typeof createScenario>>;

export async function createScenario(chainId = 31337) {
  const { viem, networkHelpers } = await network.create({ override: { chainId } });
  const publicClient = await viem.getPublicClient();
  const [owner, contributor, payee, settler, outsider, ...rest] = await viem.getWalletClients();
  const validators = rest.slice(0, 3).sort((a, b) => (BigInt(addressOf(a)) < BigInt(addressOf(b)) ? -1 : 1));
  const modelRegistry = await viem.deployContract('ModelRegistry');
  const circuitRegistry = await viem.deployContract('CircuitRegistryDouble');
  const { address: DeltaOne } = await viem.deployContract('DeltaOne');
  const registries = [modelRegistry.address, circuitRegistry.address] as const;
  const rounds = await viem.deployContract('Rounds', [...registries], { libraries: { DeltaOne } });
  const token = await viem.deployContract('RewardToken', ['Reward', 'RWD', CAP, rounds.address, addressOf(owner!)]);

  const policy = {
    circuitId: tag('a circuit'),
    metric,
    trainSpecHash: tag('train spec'),
    alpha30: Number(alpha30(0.05, 20)),
    zMicro: Number(zMicro(0.05, 20)),
    minDeltaBps: 10,
    minRows: 1_000,
    minContributionRows: 50,
    payPoint: false,
    threshold: 2,
    roundsPerFold: 3,
    roundDuration: 3_600,
    delay: 600,
    tokensPerDeltaOne: UNIT,
    maxReward: MAX_REWARD,
    evaluationFee: FEE,
    validators: validators.map(addressOf) as readonly Address[],
  };
  const fold = (i: number) => ({
    labelsRoot: 1_000n + BigInt(i),
    featuresRoot: 2_000n + BigInt(i),
    rowsRoot: numberToHex(3_000 + i, { size: 32 }),
    quantiserHash: tag('quantiser'),
    metric,
    n: Number(ROWS),
    classes: 2,
  });
  const head = { modelCommitment: 77n, trainingSetRoot: tag('initial set') };

  /** Registers a model of the owner's; its id follows from the salt. */
  async function registerModel(salt: Hex, changes: Partial<typeof policy> = {}, folds = [fold(0), fold(1)]) {
    const args = [salt, rounds.address, token.address, head, { ...policy, ...changes }, folds] as const;
    const { result } = await modelRegistry.simulate.registerModel([...args], { account: addressOf(owner!) });
    await modelRegistry.write.registerModel([...args], { account: owner!.account });
    return result;
  }
  const modelId = await registerModel(zeroHash);
  await rounds.write.allocateBudget([modelId, 4n * MAX_REWARD], { account: owner!.account });

  async function contribution(changes: Partial<Contribution> = {}): Promise<Contribution> {
    const model = await modelRegistry.read.model([changes.modelId ?? modelId]);
    return {
      modelId,
      contributor: addressOf(contributor!),
      payee: addressOf(payee!),
      dataRoot: tag('data'),
      rows: 100,
      ciphertextHash: tag('ciphertext'),
      policyHash: model.policyHash,
      salt: tag('salt'),
      ...changes,
    };
  }
  async function commit(given: Contribution) {
    const [commitment, roundId] = await rounds.read.commitmentOf([given]);
    await rounds.write.commit([commitment], { account: contributor!.account });
    return roundId;
  }
  /** Commits and opens; the salt tells one contribution from the next. */
  async function open(salt = 'salt', changes: Partial<Contribution> = {}) {
    const given = await contribution({ salt: tag(salt), ...changes });
    const roundId = await commit(given);
    await rounds.write.open([given], { account: contributor!.account, value: FEE });
    return roundId;
  }

  const vote = (changes: Partial<Vote> = {}): Vote => ({
    status: STATUS.SCORED,
    baselinePredictionsRoot: 501n,
    candidateCommitment: 78n,
    candidatePredictionsRoot: 502n,
    trainingSetRoot: nextRoot(head.trainingSetRoot, tag('data')),
    metricsHash: tag('metrics'),
    ...changes,
  });
  function sign(roundId: Hex, content: Vote, signers = validators.slice(0, 2), domain: { chainId?: number } = {}) {
    const typed = {
      domain: { name: 'Hokusai Rounds', version: '1', chainId, verifyingContract: rounds.address, ...domain },
      types: VOTE_TYPES,
      primaryType: 'Vote',
      message: { roundId, ...content },
    } as const;
    return Promise.all(signers.map((signer) => signer.signTypedData(typed)));
  }
  /** What CircuitRegistryDouble takes for a proof of these public signals. */
  async function prove(roundId: Hex, content: Vote, by: Address, countsPacked: bigint, attestationHash: bigint) {
    const signals = await rounds.read.publicSignals([roundId, content, by, countsPacked, attestationHash]);
    const hash = keccak256(encodeAbiParameters([{ type: 'uint256[]' }], [signals]));
    return proofOf(BigInt(hash));
  }
  /** The arguments of an honest `settle` by `by`. */
  async function settlement(roundId: Hex, changes: Settlement = {}) {
    const { headTrainingSetRoot, dataRoot } = await rounds.read.round([roundId]);
    const content = vote({ trainingSetRoot: nextRoot(headTrainingSetRoot, dataRoot), ...changes.vote });
    const counts = changes.countsPacked ?? GOOD;
    const signatures = changes.signatures ?? (await sign(roundId, content));
    const by = addressOf(changes.by ?? settler!);
    return [roundId, content, signatures, await prove(roundId, content, by, counts, 999n), counts, 999n] as const;
  }
  async function settle(roundId: Hex, changes: Settlement = {}) {
    const args = await settlement(roundId, changes);
    return rounds.write.settle([...args], { account: (changes.by ?? settler!).account });
  }
  async function reject(roundId: Hex, changes: Partial<Vote> = {}) {
    const content = vote({ status: STATUS.BELOW_GATE, ...changes });
    const signatures = await sign(roundId, content);
    return rounds.write.reject([roundId, content, signatures], { account: settler!.account });
  }
  async function finalise(roundId: Hex) {
    await networkHelpers.time.increase(policy.delay);
    return rounds.write.finalise([roundId], { account: outsider!.account });
  }

  const contracts = { modelRegistry, circuitRegistry, rounds, token };
  const people = {
    owner: owner!,
    contributor: contributor!,
    payee: payee!,
    settler: settler!,
    outsider: outsider!,
    validators,
  };
  const values = { policy, fold, head, modelId };
  const steps = { registerModel, contribution, commit, open, vote, sign, settlement, settle, reject, finalise };
  return { viem, networkHelpers, publicClient, ...contracts, ...people, ...values, ...steps };
}

export interface Contribution {
  modelId: Hex;
  contributor: Address;
  payee: Address;
  dataRoot: Hex;
  rows: number;
  ciphertextHash: Hex;
  policyHash: Hex;
  salt: Hex;
}

export interface Vote {
  status: number;
  baselinePredictionsRoot: bigint;
  candidateCommitment: bigint;
  candidatePredictionsRoot: bigint;
  trainingSetRoot: Hex;
  metricsHash: Hex;
}

interface Settlement {
  vote?: Partial<Vote>;
  signatures?: Hex[];
  countsPacked?: bigint;
  by?: WalletClient;
}

function proofOf(a0: bigint) {
  const a: readonly [bigint, bigint] = [a0, 0n];
  const b: readonly [readonly [bigint, bigint], readonly [bigint, bigint]] = [
    [0n, 0n],
    [0n, 0n],
  ];
  const c: readonly [bigint, bigint] = [0n, 0n];
  return { a, b, c };
}
