// A model with its registry, token and validators on an in-process chain, and the steps of a round. Each step takes what a
// test wants to be different and does the rest as an honest party would. One file, because all steps close over one scenario.
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
import { CONTRIBUTION_TYPES } from '../offchain/chain/sign-contribution.ts';
import { VOTE_TYPES } from '../offchain/chain/vote.ts';
import { alpha30, zMicro } from '../offchain/delta/power.ts';
import { payeesTree } from '../offchain/payees.ts';

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
export const STATE = { NONE: 0, COMMITTED: 1, OPEN: 2, VOTING: 3, SETTLED: 4, FINALISED: 5, REJECTED: 6, VOIDED: 7 };
export const VOID = {
  CANCELLED: 0,
  MISSED_TURN: 1,
  NOT_OPENED: 2,
  NOT_DRAWN: 3,
  TIMED_OUT: 4,
  OVERLAP: 5,
  DOUBLE_VOTE: 6,
  VETOED: 7,
};
export const FEE = 1_000_000_007n;
export const BOND = 2_000_000_011n;
export const DEPOSIT = FEE + BOND;
export const STAKE = 10n ** 18n;
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
/** Long enough for a round and the delay after it. */
export const UNBONDING = 63 * 86_400;
/** Seconds of an epoch of the policy, and where one begins: a scenario has almost all of it before it. */
export const EPOCH = 30 * 86_400;
const EPOCH_BEGIN = new Date(690 * EPOCH * 1_000);
/** What a validator's identity could be; nobody encrypts anything here. */
export const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

const addressOf = (wallet: WalletClient): Address => getAddress(wallet.account!.address);

/** Seconds of the phases of a round, each another number. */
export const PHASES = {
  openDuration: 1_200,
  voteDuration: 3_600,
  revealDuration: 1_800,
  settleDuration: 900,
  delay: 600,
};

export type Scenario = Awaited<ReturnType<typeof createScenario>>;

type Viem = Awaited<ReturnType<typeof network.create>>['viem'];

/** All contracts, with each other's addresses; the owner owns the token and administers. */
export async function deployContracts<Circuits extends 'CircuitRegistry' | 'CircuitRegistryDouble'>(
  viem: Viem,
  owner: WalletClient,
  circuits: Circuits,
  cap: bigint,
) {
  const accessManager = await viem.deployContract('AccessManager', [addressOf(owner)]);
  const libraries = { DeltaOne: (await viem.deployContract('DeltaOne')).address };
  const modelRegistry = await viem.deployContract('ModelRegistry', [], { libraries });
  const circuitRegistry = await viem.deployContract(circuits);
  const inferenceRegistry = await viem.deployContract('InferenceRegistry', [
    modelRegistry.address,
    circuitRegistry.address,
  ]);
  const validatorRegistry = await viem.deployContract('ValidatorRegistry', [accessManager.address, UNBONDING]);
  const rewards = await viem.deployContract('Rewards', [modelRegistry.address]);
  const parts = {
    modelRegistry: modelRegistry.address,
    circuitRegistry: circuitRegistry.address,
    inferenceRegistry: inferenceRegistry.address,
    validatorRegistry: validatorRegistry.address,
    rewards: rewards.address,
  };
  const rounds = await viem.deployContract('Rounds', [parts, accessManager.address], { libraries });
  const token = await viem.deployContract('RewardToken', ['Reward', 'RWD', cap, rewards.address, addressOf(owner)]);
  const registries = { modelRegistry, circuitRegistry, inferenceRegistry, validatorRegistry };
  return { accessManager, ...registries, rewards, rounds, token };
}

export async function createScenario(chainId = 31337) {
  const { viem, networkHelpers } = await network.create({ override: { chainId, initialDate: EPOCH_BEGIN } });
  const publicClient = await viem.getPublicClient();
  const [owner, contributor, payee, settler, outsider, ...rest] = await viem.getWalletClients();
  const validators = rest.slice(0, 3).sort((a, b) => (BigInt(addressOf(a)) < BigInt(addressOf(b)) ? -1 : 1));
  const contracts = await deployContracts(viem, owner!, 'CircuitRegistryDouble', CAP);
  const { modelRegistry, validatorRegistry, rewards, rounds, token } = contracts;
  const here = { name: 'Hokusai Rounds', version: '1', chainId, verifyingContract: rounds.address };
  for (const { account } of validators) {
    await validatorRegistry.write.register([rounds.address, RECIPIENT], { account: account!, value: STAKE });
  }

  const policy = {
    circuitId: tag('a circuit'),
    inferenceCircuitId: zeroHash as Hex,
    metric,
    trainSpecHash: tag('train spec'),
    payPoint: false,
    roundsPerFold: 3,
    minContributionRows: 50,
    tokensPerDeltaOne: UNIT,
    maxReward: MAX_REWARD,
    epochReward: 3n * MAX_REWARD,
    epochDuration: EPOCH,
    vestingDuration: 0,
    evaluationFee: FEE,
    bond: BOND,
    ...PHASES,
    threshold: 2,
    committeeSize: 0,
    minStake: STAKE,
    validators: validators.map(addressOf) as readonly Address[],
    gate: {
      alpha30: Number(alpha30(0.05, 20)),
      zMicro: Number(zMicro(0.05, 20)),
      minDeltaBps: 10,
      minRows: 1_000,
      minPositives: 0,
      guardrails: [] as readonly { metric: Hex; maxLossBps: number }[],
    },
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
  await rewards.write.allocateBudget([modelId, 4n * MAX_REWARD], { account: owner!.account });
  /** A model of the owner's with a budget of its own. */
  async function createModel(name: string, changes: Partial<typeof policy> = {}, budget = 4n * MAX_REWARD) {
    const created = await registerModel(tag(name), changes);
    if (budget > 0n) await rewards.write.allocateBudget([created, budget], { account: owner!.account });
    return created;
  }
  const payees = payeesTree([{ payee: addressOf(payee!), weight: 1n }]);

  async function contribution(changes: Partial<Contribution> = {}): Promise<Contribution> {
    const { policyHash, benchmarkId } = await modelRegistry.read.model([changes.modelId ?? modelId]);
    return {
      modelId,
      contributor: addressOf(contributor!),
      payeesRoot: payees.payeesRoot,
      dataRoot: tag('data'),
      rows: 100,
      ciphertextHash: tag('ciphertext'),
      policyHash,
      benchmarkId,
      salt: tag('salt'),
      ...changes,
    };
  }
  async function commit(given: Contribution, { by = contributor!, value = DEPOSIT }: Payment = {}) {
    const [commitment, roundId] = await rounds.read.commitmentOf([given]);
    const { policyHash, benchmarkId } = given;
    await rounds.write.commit([given.modelId, policyHash, benchmarkId, commitment], { account: by.account!, value });
    return roundId;
  }
  /** What a contributor signs for whoever opens in his stead. */
  const signContribution = (given: Contribution, signer: WalletClient, domain: Partial<typeof here> = {}) =>
    signer.signTypedData({
      account: signer.account!,
      domain: { ...here, ...domain },
      types: CONTRIBUTION_TYPES,
      primaryType: 'Contribution',
      message: given,
    });
  /** Commits and opens; the salt tells one contribution from the next. */
  async function open(salt = 'salt', changes: Partial<Contribution> = {}) {
    const given = await contribution({ salt: tag(salt), ...changes });
    const roundId = await commit(given);
    await openOnly(given);
    return roundId;
  }
  const openOnly = (given: Contribution, signature: Hex = '0x', by: WalletClient = contributor!) =>
    rounds.write.open([given, signature], { account: by.account! });
  async function draw(roundId: Hex) {
    await networkHelpers.mine(3);
    await rounds.write.draw([roundId], { account: outsider!.account });
    return roundId;
  }
  /** A round whose committee can vote. */
  const drawn = async (salt?: string, changes?: Partial<Contribution>) => draw(await open(salt, changes));

  const vote = (changes: Partial<Vote> = {}): Vote => ({
    status: STATUS.SCORED,
    baselinePredictionsRoot: 501n,
    candidateCommitment: 78n,
    candidatePredictionsRoot: 502n,
    trainingSetRoot: nextRoot(head.trainingSetRoot, tag('data')),
    metricsHash: tag('metrics'),
    ...changes,
  });
  async function voteCommit(roundId: Hex, content: Vote, by: WalletClient, salt = tag('vote salt')) {
    const hash = await rounds.read.voteHash([roundId, addressOf(by), content, salt]);
    return rounds.write.voteCommit([roundId, hash], { account: by.account! });
  }
  const voteReveal = (roundId: Hex, content: Vote, by: WalletClient, salt = tag('vote salt')) =>
    rounds.write.voteReveal([roundId, content, salt], { account: by.account! });
  /** All of the committee vote, these for the content and the others for that nothing could be had. */
  async function voteAll(roundId: Hex, content: Vote, agreeing: readonly WalletClient[] = validators.slice(0, 2)) {
    const other = vote({
      status: STATUS.UNAVAILABLE,
      ...{ baselinePredictionsRoot: 0n, candidateCommitment: 0n, candidatePredictionsRoot: 0n },
      trainingSetRoot: zeroHash,
    });
    const of = (validator: WalletClient) => (agreeing.includes(validator) ? content : other);
    for (const validator of validators) await voteCommit(roundId, of(validator), validator);
    for (const validator of validators) await voteReveal(roundId, of(validator), validator);
  }
  /** A validator's signature over a vote, as it is published beside an attestation. */
  const sign = (roundId: Hex, content: Vote, signer: WalletClient, domain: Partial<typeof here> = {}) =>
    signer.signTypedData({
      account: signer.account!,
      domain: { ...here, ...domain },
      types: VOTE_TYPES,
      primaryType: 'Vote',
      message: { roundId, ...content },
    });
  /** What CircuitRegistryDouble takes for a proof of these public signals. */
  async function prove(roundId: Hex, content: Vote, by: Address, counts: readonly bigint[], attestationHash: bigint) {
    const signals = await rounds.read.publicSignals([roundId, content, by, counts, attestationHash]);
    const hash = keccak256(encodeAbiParameters([{ type: 'uint256[]' }], [signals]));
    return proofOf(BigInt(hash));
  }
  /** The honest vote of a round that passes. */
  async function scored(roundId: Hex, changes: Partial<Vote> = {}): Promise<Vote> {
    const { headTrainingSetRoot, dataRoot } = await rounds.read.round([roundId]);
    return vote({ trainingSetRoot: nextRoot(headTrainingSetRoot, dataRoot), ...changes });
  }
  /** The arguments of an honest `settle` by `by`. */
  async function settlement(roundId: Hex, changes: Settlement = {}) {
    const content = await scored(roundId, changes.vote);
    const counts = [changes.countsPacked ?? GOOD];
    const by = addressOf(changes.by ?? settler!);
    return [roundId, content, await prove(roundId, content, by, counts, 999n), counts, 999n] as const;
  }
  /** Votes where nobody has yet, and settles. */
  async function settle(roundId: Hex, changes: Settlement = {}) {
    const args = await settlement(roundId, changes);
    if ((await rounds.read.round([roundId])).committed === 0) await voteAll(roundId, args[1]);
    return rounds.write.settle([...args], { account: (changes.by ?? settler!).account });
  }
  /** Votes where nobody has yet, waits where it has to, and rejects. */
  async function reject(roundId: Hex, changes: Partial<Vote> = {}) {
    const content = await scored(roundId, { status: STATUS.BELOW_GATE, ...changes });
    if ((await rounds.read.round([roundId])).committed === 0) await voteAll(roundId, content);
    if (content.status === STATUS.BELOW_GATE) await until((await rounds.read.round([roundId])).deadline + 1);
    return rounds.write.reject([roundId, content], { account: settler!.account });
  }
  async function finalise(roundId: Hex) {
    await networkHelpers.time.increase(policy.delay);
    return rounds.write.finalise([roundId], { account: outsider!.account });
  }
  const claim = (roundId: Hex, by: WalletClient = payee!, tree = payees) => {
    const { weight, place, siblings } = tree.proofOf(tree.indexOf(addressOf(by)));
    return rewards.write.claim([modelId, roundId, weight, place, [...siblings]], { account: by.account! });
  };
  /** Lets the next block be at this time, which is that of the rounds' clock where it was never stopped. */
  const until = (time: number) => networkHelpers.time.setNextBlockTimestamp(time);

  /** All that is kept of a round. */
  const round = (roundId: Hex) => rounds.read.round([roundId]);
  const balance = (address: Address) => publicClient.getBalance({ address });

  const people = {
    owner: owner!,
    contributor: contributor!,
    payee: payee!,
    settler: settler!,
    outsider: outsider!,
    validators,
    /** Wallets without a part yet. */
    others: rest.slice(3),
  };
  const values = { policy, fold, head, modelId, payees, here, round, balance };
  const models = { registerModel, createModel };
  const opening = { contribution, commit, signContribution, openOnly, open, draw, drawn };
  const voting = { vote, scored, voteCommit, voteReveal, voteAll, sign };
  const ending = { settlement, settle, reject, finalise, claim, until };
  const steps = { ...models, ...opening, ...voting, ...ending };
  return { viem, networkHelpers, publicClient, ...contracts, ...people, ...values, ...steps };
}

export interface Contribution {
  modelId: Hex;
  contributor: Address;
  payeesRoot: Hex;
  dataRoot: Hex;
  rows: number;
  ciphertextHash: Hex;
  policyHash: Hex;
  benchmarkId: Hex;
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

interface Payment {
  by?: WalletClient;
  value?: bigint;
}

interface Settlement {
  vote?: Partial<Vote>;
  countsPacked?: bigint;
  by?: WalletClient;
}

/** What the double takes for a proof of the statement with this hash. */
export function proofOf(a0: bigint) {
  const a: readonly [bigint, bigint] = [a0, 0n];
  const b: readonly [readonly [bigint, bigint], readonly [bigint, bigint]] = [
    [0n, 0n],
    [0n, 0n],
  ];
  const c: readonly [bigint, bigint] = [0n, 0n];
  return { a, b, c };
}
