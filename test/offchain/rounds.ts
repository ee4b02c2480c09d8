// A round on an in-process chain, with a real proof, and the attestation of it.
import '@nomicfoundation/hardhat-toolbox-viem';
import { readFile } from 'node:fs/promises';
import { network } from 'hardhat';
import { type Address, type Hex, type WalletClient, zeroHash } from 'viem';
import { type Attestation, metricsHash } from '../../offchain/attestation/attest.ts';
import { contextHash, metricId, voteOf } from '../../offchain/attestation/context.ts';
import { encodeVote, STATUSES, type Status, type Vote, voteTypedData } from '../../offchain/chain/vote.ts';
import { payeesTree } from '../../offchain/payees.ts';
import { developmentKeyFile } from '../../offchain/prove/circuits.ts';
import { circuitId, encodeVerificationKey, verificationKey } from '../../offchain/prove/keys.ts';
import { contractProof, prove } from '../../offchain/prove/prove.ts';
import { scoreInput, scoreSignals } from '../../offchain/prove/score.ts';
import { deployContracts, PHASES, RECIPIENT, STAKE } from '../scenario.ts';
import { hash, overlapping, score, TERMS, UNIT, unproven } from './attestations.ts';

const METRIC = metricId('accuracy');
const ZKEY = await developmentKeyFile('score512');
const KEY = verificationKey(await readFile(ZKEY));
const [FEE, BOND] = [1_000_000_007n, 2_000_000_011n];
const SALT = hash('vote salt');
const NOTHING: Vote = {
  ...{ status: 'UNAVAILABLE', baselinePredictionsRoot: 0n, candidateCommitment: 0n, candidatePredictionsRoot: 0n },
  ...{ trainingSetRoot: zeroHash, metricsHash: zeroHash },
};

export type SettledRound = Awaited<ReturnType<typeof settledRound>>;

/** A round from `commit` to `settle`, in which one validator has had nothing: its attestation, its proof and its chain. */
export async function settledRound() {
  const chain = await createChain();
  const { attestation, sent } = await openRound(chain, unproven);
  const stated = { circuit: 'score512', circuitId: circuitId(KEY), prover: 'snarkjs' as const };
  attestation.proof = { ...stated, attestationHash: '0', counts: ['0'], contextHash: '0' };
  const proven = { ...score, contextHash: contextHash({ ...attestation, models: attestation.models!, ...stated }) };
  const signals = await scoreSignals(proven);
  attestation.proof.attestationHash = String(signals.attestationHash);
  attestation.proof.counts = signals.counts.map(String);
  attestation.proof.contextHash = String(signals.contextHash);
  const { proof, publicSignals } = await prove('score512', scoreInput(proven, 'score512'), ZKEY, { prover: 'snarkjs' });
  const vote = voteOf(attestation);
  sent.push(...(await voteAll(chain, attestation, [vote, vote, NOTHING])));
  const args = [encodeVote(vote), contractProof(proof), signals.counts, signals.attestationHash] as const;
  const roundId = attestation.context.roundId as Hex;
  sent.push(['settle', await chain.rounds.write.settle([roundId, ...args], as(chain.people.settler))]);
  await complete(chain, attestation, sent);
  return { ...chain, files: { attestation, proof, public: publicSignals, verification_key: KEY } };
}

/** A round that two validators rejected for its overlap, and the third did not vote in. */
export async function rejectedRound() {
  const chain = await createChain();
  const { attestation, sent } = await openRound(chain, overlapping);
  const vote = voteOf(attestation);
  sent.push(...(await voteAll(chain, attestation, [vote, vote])));
  const roundId = attestation.context.roundId as Hex;
  await chain.networkHelpers.time.increaseTo((await chain.rounds.read.round([roundId])).revealDeadline + 1);
  sent.push(['reject', await chain.rounds.write.reject([roundId, encodeVote(vote)], as(chain.people.settler))]);
  await complete(chain, attestation, sent);
  const { contributor, validators, settler } = chain.people;
  const payments = [];
  for (const account of [contributor, ...validators, settler].map(addressOf)) {
    payments.push({ account, wei: String(await chain.rounds.read.withdrawable([roundId, account])) });
  }
  attestation.round!.payments = payments.filter(({ wei }) => wei !== '0');
  await chain.rounds.write.withdraw([roundId], as(contributor));
  return { ...chain, files: { attestation } };
}

const as = (wallet: WalletClient) => ({ account: wallet.account! });

/** The signatures over what an attestation says. */
export function signVotes(
  attestation: Attestation,
  validators: readonly WalletClient[],
): Promise<Attestation['votes']> {
  const { chainId, rounds, roundId } = attestation.context;
  const typed = voteTypedData(chainId, rounds as Address, roundId as Hex, voteOf(attestation));
  return Promise.all(
    validators.map(async (validator) => ({
      validator: addressOf(validator),
      signature: await validator.signTypedData({ account: validator.account!, ...typed }),
    })),
  );
}

type Chain = Awaited<ReturnType<typeof createChain>>;
type Sent = [action: string, hash: Hex][];

async function openRound(chain: Chain, attest: (contributor: Address, payeesRoot: Hex) => Attestation) {
  const { modelRegistry, circuitRegistry, inferenceRegistry, validatorRegistry, rewards, rounds, people } = chain;
  const { payeesRoot } = payeesTree([{ payee: addressOf(people.payee), weight: 1n }]);
  const attestation = attest(addressOf(people.contributor), payeesRoot);
  const { sent, ...ids } = await chain.register(attestation);
  const [drawn] = await rounds.getEvents.RoundDrawn({ roundId: ids.roundId }, { fromBlock: 0n });
  if (attestation.models) attestation.models.candidate.seed = drawn!.args.seed!;
  attestation.context = {
    chainId: await chain.publicClient.getChainId(),
    modelRegistry: modelRegistry.address,
    circuitRegistry: circuitRegistry.address,
    inferenceRegistry: inferenceRegistry.address,
    validatorRegistry: validatorRegistry.address,
    rewards: rewards.address,
    rounds: rounds.address,
    settler: addressOf(people.settler),
    ...ids,
  };
  attestation.metricsHash = metricsHash(attestation);
  return { attestation, sent };
}

/** The validators commit to their votes and then reveal them, as far as there are votes. */
async function voteAll(
  { rounds, people, networkHelpers }: Chain,
  { context }: Attestation,
  votes: readonly Vote[],
): Promise<Sent> {
  const roundId = context.roundId as Hex;
  const sent: Sent = [];
  for (const [i, vote] of votes.entries()) {
    const validator = people.validators[i]!;
    const voteHash = await rounds.read.voteHash([roundId, addressOf(validator), encodeVote(vote), SALT]);
    sent.push(['voteCommit', await rounds.write.voteCommit([roundId, voteHash], as(validator))]);
  }
  // The time of those who do not vote is over.
  if (votes.length < people.validators.length) {
    await networkHelpers.time.increaseTo((await rounds.read.round([roundId])).voteDeadline + 1);
  }
  for (const [i, vote] of votes.entries()) {
    const args = [roundId, encodeVote(vote), SALT] as const;
    sent.push(['voteReveal', await rounds.write.voteReveal([...args], as(people.validators[i]!))]);
  }
  return sent;
}

/** What the chain says of the round now, who signed, and what was sent. */
async function complete(chain: Chain, attestation: Attestation, sent: Sent): Promise<void> {
  const { rounds, people, publicClient } = chain;
  attestation.votes = await signVotes(attestation, people.validators.slice(0, 2));
  const roundId = attestation.context.roundId as Hex;
  const { voteDeadline, revealDeadline, deadline, finalisableAt } = await rounds.read.round([roundId]);
  const revealed = await rounds.getEvents.VoteRevealed({ roundId }, { fromBlock: 0n });
  const committee = people.validators.map((validator) => {
    const event = revealed.find(({ args }) => args.validator?.toLowerCase() === addressOf(validator).toLowerCase());
    const status: { status?: Status } = event ? { status: STATUSES[event.args.status!]! } : {};
    return { validator: addressOf(validator), ...status };
  });
  attestation.round = { committee, voteDeadline, revealDeadline, deadline, finalisableAt };
  for (const [action, hash] of sent) {
    const { from: by, gasUsed, blockNumber } = await publicClient.getTransactionReceipt({ hash });
    attestation.transactions.push({ action, by, hash, gas: Number(gasUsed), block: Number(blockNumber) });
  }
}

const addressOf = (wallet: WalletClient): Address => wallet.account!.address;

async function createChain() {
  const { viem, networkHelpers } = await network.create();
  const publicClient = await viem.getPublicClient();
  const [owner, contributor, payee, settler, ...rest] = await viem.getWalletClients();
  const validators = rest.slice(0, 3).sort((a, b) => (BigInt(addressOf(a)) < BigInt(addressOf(b)) ? -1 : 1));
  const contracts = await deployContracts(viem, owner!, 'CircuitRegistry', 100n * UNIT);
  const { modelRegistry, circuitRegistry, validatorRegistry, rewards, rounds, token } = contracts;
  const people = {
    contributor: contributor!,
    payee: payee!,
    settler: settler!,
    validators,
    strangers: rest.slice(3, 5),
  } satisfies Record<string, WalletClient | WalletClient[]>;

  /** Registers the key and the model that the attestation is about, and opens and draws its round. */
  async function register({ benchmark, contribution, models }: Attestation) {
    for (const validator of validators) {
      await validatorRegistry.write.register([rounds.address, RECIPIENT], { ...as(validator), value: STAKE });
    }
    await circuitRegistry.write.register([encodeVerificationKey(KEY), BigInt(KEY.nPublic)]);
    const trainSpecHash = hash('train spec');
    const { labelsRoot, featuresRoot, rowsRoot, quantiserHash, n, classes } = benchmark;
    const fold = { rowsRoot: rowsRoot as Hex, quantiserHash: quantiserHash as Hex, metric: METRIC, n, classes };
    const folds = [{ ...fold, labelsRoot: BigInt(labelsRoot), featuresRoot: BigInt(featuresRoot) }];
    const head = {
      modelCommitment: BigInt(models?.baseline.commitment ?? 77),
      trainingSetRoot: (models?.baseline.trainingSetRoot ?? hash('initial set')) as Hex,
    };
    const policy = policyOf(trainSpecHash, validators.map(addressOf));
    await modelRegistry.write.registerModel([zeroHash, rounds.address, token.address, head, policy, folds]);
    const [registered] = await modelRegistry.getEvents.ModelRegistered();
    const modelId = registered!.args.modelId!;
    await rewards.write.allocateBudget([modelId, 20n * UNIT]);
    const { policyHash, benchmarkId } = await modelRegistry.read.model([modelId]);
    const given = {
      modelId,
      contributor: contribution.contributor as Address,
      payeesRoot: contribution.payeesRoot as Hex,
      dataRoot: contribution.dataRoot as Hex,
      rows: contribution.rows,
      ciphertextHash: hash('ciphertext'),
      policyHash,
      benchmarkId,
      salt: hash('salt'),
    };
    const [toCommit, roundId] = await rounds.read.commitmentOf([given]);
    const args = [modelId, policyHash, benchmarkId, toCommit] as const;
    const commit = await rounds.write.commit([...args], { ...as(contributor!), value: FEE + BOND });
    const open = await rounds.write.open([given, '0x'], as(contributor!));
    await networkHelpers.mine(3);
    const draw = await rounds.write.draw([roundId], as(contributor!));
    const sent: Sent = Object.entries({ commit, open, draw });
    return { modelId, policyHash, benchmarkId, trainSpecHash, roundId, sent };
  }
  return { viem, networkHelpers, publicClient, ...contracts, people, register };
}

const policyOf = (trainSpecHash: Hex, validators: readonly Address[]) => ({
  circuitId: circuitId(KEY),
  inferenceCircuitId: zeroHash,
  metric: METRIC,
  trainSpecHash,
  payPoint: TERMS.payPoint,
  roundsPerFold: 1,
  minContributionRows: 50,
  tokensPerDeltaOne: TERMS.tokensPerDeltaOne,
  maxReward: TERMS.maxReward,
  epochReward: TERMS.maxReward,
  epochDuration: 30 * 86_400,
  vestingDuration: 0,
  evaluationFee: FEE,
  bond: BOND,
  ...PHASES,
  threshold: 2,
  committeeSize: 0,
  minStake: STAKE,
  validators,
  gate: {
    alpha30: Number(TERMS.alpha30),
    zMicro: Number(TERMS.zMicro),
    minDeltaBps: Number(TERMS.minDeltaBps),
    minRows: Number(TERMS.minRows),
    minPositives: Number(TERMS.minPositives),
    guardrails: TERMS.guardrails.map(({ metric, maxLossBps }) => ({
      metric: metricId(metric),
      maxLossBps: Number(maxLossBps),
    })),
  },
});
