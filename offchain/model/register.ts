/** Puts a project's model on a chain: its circuit, policy, fold and head. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Address, type Hex, keccak256, stringToHex, zeroHash } from 'viem';
import { metricId } from '../attestation/context.ts';
import { registerCircuit } from '../chain/circuit.ts';
import type { Sender } from '../chain/connect.ts';
import { model, type NewModel, policy, registerModel, updateBenchmark, updatePolicy } from '../chain/round.ts';
import type { Sent } from '../chain/send.ts';
import { saltOf } from '../commitment.ts';
import { type Config, loadConfig } from '../config/load.ts';
import { HokusaiError } from '../errors.ts';
import { type ModelLine, modelShape, ownedLine, trainSpecHashOf } from '../line.ts';
import { circuitRecords } from '../prove/circuits.ts';
import { inferenceCircuit, modelCommitment } from '../prove/inference.ts';
import { scoreCircuit } from '../prove/score.ts';
import { type Executor, openExecutor } from '../run/executor.ts';
import { runSecrets } from '../secrets.ts';
import { refuseUnpayable } from '../train/network-spec.ts';
import { headTrained } from '../train/step.ts';

/** Who evaluates: those named, or so many by lot. */
export type Committee = Pick<NewModel['policy'], 'validators' | 'committeeSize' | 'minStake'>;

/**
 * The committee that options ask for.
 *
 * @throws HokusaiError `COMMITTEE` (configuration) unless one kind is given, of as many as the configuration says
 */
export function committeeOf(
  { policy: { validators: expected } }: Config,
  {
    validators,
    committee,
    minStake = 0n,
  }: { validators?: readonly Address[] | undefined; committee?: number | undefined; minStake?: bigint | undefined },
): Committee {
  const size = validators?.length ?? committee;
  if (size === expected && (validators === undefined) !== (committee === undefined)) {
    // The contract wants them by ascending address, each once.
    const sorted = [...(validators ?? [])].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
    return { validators: sorted, committeeSize: committee ?? 0, minStake };
  }
  const given = size === undefined ? 'neither was given' : `${size} were given`;
  throw new HokusaiError(
    'configuration',
    'COMMITTEE',
    `The policy is for ${expected} validators: name them by --validators, or draw them by --committee ${expected}; ${given}.`,
    {
      details: { expected, validators, committee },
      next: 'Give one of the two, or change policy.validators in the configuration.',
    },
  );
}

/** What the rounds of a policy are proven with. */
type Circuits = Pick<NewModel['policy'], 'circuitId' | 'inferenceCircuitId'>;

/** A configuration's promise as the contract takes it. */
export function policyOf(config: Config, circuits: Circuits, committee: Committee): NewModel['policy'] {
  const { alpha: _, validators: __, ...terms } = config.policy;
  const guardrails = terms.gate.guardrails.map(({ metric, maxLossBps }) => ({ metric: metricId(metric), maxLossBps }));
  const gate = { ...terms.gate, guardrails };
  const trainSpecHash = trainSpecHashOf(config.training, config.integration, terms.metric);
  return { ...terms, ...circuits, metric: metricId(terms.metric), gate, trainSpecHash, ...committee };
}

/** What was registered. */
export interface Registered {
  readonly modelId: Hex;
  readonly circuitId: Hex;
  readonly foldId: Hex;
  readonly rows: number;
  readonly secrets: string;
  readonly sent: readonly Sent[];
}

/** Registers a project's model, with the owner's secrets from its output directory. @see registerLine */
export async function registerProject(
  client: Sender,
  config: Config,
  committee: Committee,
  zkey?: string,
): Promise<Registered> {
  const secrets = join(config.output.directory, 'secrets');
  const { owner } = await runSecrets(secrets);
  const line = await ownedLine(config, owner);
  const key = zkey === undefined ? undefined : await readKey(zkey);
  const { maxRetryCount: retries } = config.metaflow;
  const executor = await openExecutor(join(config.output.directory, 'registration'), { retries });
  const registering = registerLine(client, { config, line, modelSecret: owner.modelSecret, committee, executor, key });
  const { circuitId, sent } = await registering.finally(() => executor.close());
  return { modelId: sent.result, circuitId, foldId: line.foldId, rows: line.fold.n, secrets, sent: [sent] };
}

/**
 * Registers the circuit unless it is, trains the head, and registers the model under the name of its pipeline.
 *
 * @param key of a ceremony; without it the development key, which only a local chain takes
 */
export async function registerLine(
  client: Sender,
  {
    config,
    line,
    modelSecret,
    committee,
    executor,
    key,
  }: {
    config: Config;
    line: ModelLine;
    modelSecret: Uint8Array;
    committee: Committee;
    executor: Executor;
    key?: Uint8Array | undefined;
  },
): Promise<{ circuitId: Hex; sent: Sent<Hex> }> {
  refuseUnpayable(config.training);
  const circuitId = await registerCircuit(client, scoreCircuit(line.metric, line.fold.classes, line.fold.n), key);
  const { model: head } = await headTrained(line, executor);
  const inferenceCircuitId =
    config.assurance === 'inferred' ? await registerCircuit(client, inferenceCircuit(modelShape(line))) : zeroHash;
  const salt = saltOf(modelSecret, 'model', line.trainingSetRoot);
  const sent = await registerModel(client, {
    salt: keccak256(stringToHex(config.pipeline.name)),
    head: {
      modelCommitment: await modelCommitment(head, salt, modelShape(line)),
      trainingSetRoot: line.trainingSetRoot,
    },
    policy: policyOf(config, { circuitId, inferenceCircuitId }, committee),
    folds: [line.fold],
  });
  return { circuitId, sent };
}

const readKey = (file: string): Promise<Uint8Array> =>
  readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new HokusaiError(
      'configuration',
      'KEY_UNREADABLE',
      `The proving key ${file} cannot be read: ${error.code}.`,
      {
        details: { file, reason: error.code },
        next: 'Name the .zkey file of the ceremony.',
      },
    );
  });

/** Replaces a model's policy by a configuration's; circuit and, unless given, committee stay. */
export async function replacePolicy(
  client: Sender,
  modelId: Hex,
  config: Config,
  committee?: Committee,
): Promise<Sent<Hex>> {
  refuseUnpayable(config.training);
  const present = await policy(client, (await model(client, modelId)).policyHash);
  const { circuitId, inferenceCircuitId, validators, committeeSize, minStake } = present;
  const size = committeeSize || validators.length;
  const kept = committee ?? { validators, committeeSize, minStake };
  if (!committee && size !== config.policy.validators) committeeOf(config, {});
  return updatePolicy(client, modelId, policyOf(config, { circuitId, inferenceCircuitId }, kept));
}

/**
 * Replaces a model's folds by the one of a configuration's benchmark.
 *
 * @throws HokusaiError `BENCHMARK_CIRCUIT` (configuration) where no score of it could be proven under the policy
 */
export async function replaceBenchmark(client: Sender, modelId: Hex, configFile: string | undefined) {
  const config = loadConfig(configFile);
  const { owner } = await runSecrets(join(config.output.directory, 'secrets'));
  const { fold, foldId, metric } = await ownedLine(config, owner);
  const { circuitId } = await policy(client, (await model(client, modelId)).policyHash);
  const known = Object.entries(circuitRecords()).find(([, record]) => record.developmentCircuitId === circuitId);
  const needed = scoreCircuit(metric, fold.classes, fold.n);
  if (known && known[0] !== needed) {
    const message = `A benchmark of ${fold.n} rows is proven by ${needed}; the model's policy names ${known[0]}.`;
    throw new HokusaiError('configuration', 'BENCHMARK_CIRCUIT', message, {
      details: { rows: fold.n, needed, registered: known[0] },
      next: 'Bring a benchmark of that size class, or register another model.',
    });
  }
  return { foldId, rows: fold.n, sent: await updateBenchmark(client, modelId, [fold]) };
}
