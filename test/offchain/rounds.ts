// A round on an in-process chain, with a real proof, and the attestation of it.
import '@nomicfoundation/hardhat-toolbox-viem';
import { readFile } from 'node:fs/promises';
import { network } from 'hardhat';
import { type Address, type Hex, stringToHex, type WalletClient, zeroHash } from 'viem';
import { type Attestation, metricsHash } from '../../offchain/attest.ts';
import { encodeVote, voteTypedData } from '../../offchain/chain/vote.ts';
import { contextHash, voteOf } from '../../offchain/context.ts';
import { developmentKeyFile } from '../../offchain/prove/circuits.ts';
import { circuitId, encodeVerificationKey, verificationKey } from '../../offchain/prove/keys.ts';
import { contractProof, prove } from '../../offchain/prove/prove.ts';
import { scoreInput, scoreSignals } from '../../offchain/prove/score.ts';
import { hash, overlapping, score, TERMS, UNIT, unproven } from './attestations.ts';

const METRIC = stringToHex('accuracy', { size: 32 });
const ZKEY = await developmentKeyFile('score512');
const KEY = verificationKey(await readFile(ZKEY));

export type SettledRound = Awaited<ReturnType<typeof settledRound>>;

/** A round from `commit` to `settle`: its attestation, its proof's files and its chain. */
export async function settledRound() {
  const chain = await createChain();
  const { attestation, opened } = await openRound(chain, unproven);
  const stated = { circuit: 'score512', circuitId: circuitId(KEY), prover: 'snarkjs' as const };
  attestation.proof = { ...stated, attestationHash: '0', countsPacked: '0', contextHash: '0' };
  const proven = { ...score, contextHash: contextHash({ ...attestation, models: attestation.models!, ...stated }) };
  const signals = await scoreSignals(proven);
  for (const name of ['attestationHash', 'countsPacked', 'contextHash'] as const) {
    attestation.proof[name] = String(signals[name]);
  }
  const { proof, publicSignals } = await prove('score512', scoreInput(proven, 512), ZKEY, { prover: 'snarkjs' });
  attestation.votes = await signVotes(attestation, chain.people.validators.slice(0, 2));
  const settle = await chain.rounds.write.settle(
    [...brought(attestation), contractProof(proof), signals.countsPacked, signals.attestationHash],
    { account: chain.people.settler.account! },
  );
  await recordTransactions(chain, attestation, { ...opened, settle });
  return { ...chain, files: { attestation, proof, public: publicSignals, verification_key: KEY } };
}

/** A round that validators rejected for its overlap. */
export async function rejectedRound() {
  const chain = await createChain();
  const { attestation, opened } = await openRound(chain, overlapping);
  attestation.votes = await signVotes(attestation, chain.people.validators.slice(0, 2));
  const reject = await chain.rounds.write.reject(brought(attestation), { account: chain.people.settler.account! });
  await recordTransactions(chain, attestation, { ...opened, reject });
  return { ...chain, files: { attestation } };
}

/** The votes over what an attestation says. */
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

/** The arguments that `settle` and `reject` share. */
const brought = (attestation: Attestation) =>
  [
    attestation.context.roundId as Hex,
    encodeVote(voteOf(attestation)),
    attestation.votes.map(({ signature }) => signature as Hex),
  ] as const;

type Chain = Awaited<ReturnType<typeof createChain>>;

async function openRound(
  chain: Chain,
  attest: (contributor: Address, payee: Address) => Attestation,
): Promise<{ attestation: Attestation; opened: Record<string, Hex> }> {
  const { modelRegistry, circuitRegistry, rounds, people } = chain;
  const attestation = attest(addressOf(people.contributor), addressOf(people.payee));
  const { opened, ...ids } = await chain.register(attestation);
  attestation.context = {
    chainId: await chain.publicClient.getChainId(),
    modelRegistry: modelRegistry.address,
    circuitRegistry: circuitRegistry.address,
    rounds: rounds.address,
    settler: addressOf(people.settler),
    ...ids,
  };
  attestation.metricsHash = metricsHash(attestation);
  return { attestation, opened };
}

async function recordTransactions({ publicClient }: Chain, attestation: Attestation, sent: Record<string, Hex>) {
  for (const [action, hash] of Object.entries(sent)) {
    const { gasUsed, blockNumber } = await publicClient.getTransactionReceipt({ hash });
    attestation.transactions.push({ action, hash, gas: Number(gasUsed), block: Number(blockNumber) });
  }
}

const addressOf = (wallet: WalletClient): Address => wallet.account!.address;

async function createChain() {
  const { viem, networkHelpers } = await network.create();
  const publicClient = await viem.getPublicClient();
  const [owner, contributor, payee, settler, ...rest] = await viem.getWalletClients();
  const validators = rest.slice(0, 3).sort((a, b) => (BigInt(addressOf(a)) < BigInt(addressOf(b)) ? -1 : 1));
  const modelRegistry = await viem.deployContract('ModelRegistry');
  const circuitRegistry = await viem.deployContract('CircuitRegistry');
  const { address: DeltaOne } = await viem.deployContract('DeltaOne');
  const registries = [modelRegistry.address, circuitRegistry.address] as const;
  const rounds = await viem.deployContract('Rounds', [...registries], { libraries: { DeltaOne } });
  const cap = 100n * UNIT;
  const token = await viem.deployContract('RewardToken', ['Reward', 'RWD', cap, rounds.address, addressOf(owner!)]);
  const people = {
    contributor: contributor!,
    payee: payee!,
    settler: settler!,
    validators,
    strangers: rest.slice(3, 5),
  } satisfies Record<string, WalletClient | WalletClient[]>;

  /** Registers the key and the model that the attestation is about, and opens its round. */
  async function register({ benchmark, contribution, models }: Attestation) {
    await circuitRegistry.write.register([encodeVerificationKey(KEY), BigInt(KEY.nPublic)]);
    const trainSpecHash = hash('train spec');
    const policy = {
      circuitId: circuitId(KEY),
      metric: METRIC,
      trainSpecHash,
      alpha30: Number(TERMS.alpha30),
      zMicro: Number(TERMS.zMicro),
      minDeltaBps: Number(TERMS.minDeltaBps),
      minRows: Number(TERMS.minRows),
      minContributionRows: 50,
      payPoint: TERMS.payPoint,
      threshold: 2,
      roundsPerFold: 1,
      roundDuration: 3_600,
      delay: 600,
      tokensPerDeltaOne: TERMS.tokensPerDeltaOne,
      maxReward: TERMS.maxReward,
      evaluationFee: 0n,
      validators: validators.map(addressOf),
    };
    const { labelsRoot, featuresRoot, rowsRoot, quantiserHash, n, classes } = benchmark;
    const fold = { rowsRoot: rowsRoot as Hex, quantiserHash: quantiserHash as Hex, metric: METRIC, n, classes };
    const folds = [{ ...fold, labelsRoot: BigInt(labelsRoot), featuresRoot: BigInt(featuresRoot) }];
    const head = {
      modelCommitment: BigInt(models?.baseline.commitment ?? 77),
      trainingSetRoot: (models?.baseline.trainingSetRoot ?? hash('initial set')) as Hex,
    };
    await modelRegistry.write.registerModel([zeroHash, rounds.address, token.address, head, policy, folds]);
    const [registered] = await modelRegistry.getEvents.ModelRegistered();
    const modelId = registered!.args.modelId!;
    await rounds.write.allocateBudget([modelId, 20n * UNIT]);
    const { policyHash } = await modelRegistry.read.model([modelId]);
    const given = {
      modelId,
      contributor: contribution.contributor as Address,
      payee: contribution.payee as Address,
      dataRoot: contribution.dataRoot as Hex,
      rows: contribution.rows,
      ciphertextHash: hash('ciphertext'),
      policyHash,
      salt: hash('salt'),
    };
    const [toCommit, roundId] = await rounds.read.commitmentOf([given]);
    const commit = await rounds.write.commit([toCommit]);
    const open = await rounds.write.open([given], { account: contributor!.account });
    return { modelId, policyHash, trainSpecHash, roundId, opened: { commit, open } };
  }
  return { viem, networkHelpers, publicClient, modelRegistry, circuitRegistry, rounds, people, register };
}
