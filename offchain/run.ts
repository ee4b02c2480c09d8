/** Runs the whole pipeline for one project: without a chain, or on a local one with validators of its own. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Hex, zeroAddress, zeroHash } from 'viem';
import { type Attestation, metricsHash } from './attest.ts';
import { type Cache, type Kept, openCache, resultsFolder } from './cache/cache.ts';
import { type Canonical, canonicalJson } from './canonical.ts';
import type { startLocalChain } from './chain/local.ts';
import { type Config, loadConfig } from './config/load.ts';
import { contextHash } from './context.ts';
import type { DataRoot } from './data-root.ts';
import { termsOf } from './delta.ts';
import { HokusaiError } from './errors.ts';
import { type Executor, openExecutor, type StepEvent, type StepRecord } from './executor.ts';
import { type ModelLine, ownedLine } from './line.ts';
import type { LocalModel } from './local-model.ts';
import type { Action, Outcome } from './local-round.ts';
import { customOf, type Described, evaluation } from './metrics/evaluation.ts';
import { type Logged, logRun } from './mlflow/log-run.ts';
import {
  type Agreed,
  type Contribution,
  evaluateContribution,
  type Finding,
  type Inferences,
  offerOf,
  type PartialModel,
  partialModels,
  proveInferences,
  type TrainingSetChange,
} from './pipeline.ts';
import { sha256 } from './prove/circuits.ts';
import type { ProvingOptions } from './prove/pool.ts';
import { provingCircuitId } from './prove/proving-key.ts';
import { type ProvenScore, proveScore, scoreCircuit } from './prove/score.ts';
import { type Published, publish } from './publish.ts';
import { type RunSecrets, runSecrets } from './secrets.ts';
import { readCsv, type Table } from './table.ts';
import { validate } from './validate.ts';
import type { Ballot } from './validator.ts';

export interface RunOptions {
  /** `local` plays a round on a chain of its own with validators; `none` does everything but touch a chain. */
  readonly chain: 'local' | 'none';
  /** Of the local chain; a free one unless named. */
  readonly port?: number;
  readonly proving?: ProvingOptions;
  readonly signal?: AbortSignal;
  /** @param who `validator 2`, say, or nothing for this process */
  readonly onEvent?: (event: StepEvent, who?: string) => void;
  readonly onAction?: (action: Action) => void;
}

/** Where the results are, and what they say. */
export interface RunResult {
  readonly folder: string;
  readonly attestation: Attestation;
  /** What went wrong and nothing else depends on. */
  readonly warnings: readonly string[];
  /** Absent where no model was trained. */
  readonly integration?: TrainingSetChange;
  /** Absent where `mlflow.enabled` is false. */
  readonly mlflow?: Logged;
}

/** A project's configuration, files and secrets, read and checked. */
export interface Project {
  readonly config: Config;
  readonly line: ModelLine;
  readonly secrets: RunSecrets;
  /** What other runs have computed. */
  readonly cache?: Cache;
}

/**
 * @param cached whether results are shared with other runs; `onEvent` is told what was taken from them
 * @throws HokusaiError what `loadConfig` and `ownedLine` throw
 */
export async function openProject(
  configFile: string | undefined,
  { cached = false, onEvent = () => {} }: { cached?: boolean; onEvent?: (event: StepEvent) => void } = {},
): Promise<Project> {
  const config = loadConfig(configFile);
  const secrets = await runSecrets(join(config.output.directory, 'secrets'));
  const cache = cached ? await cacheOf(config, onEvent) : undefined;
  const onTaken = ({ step, by, seconds }: Kept) => onEvent({ type: 'cached', step, by, seconds });
  const line = await ownedLine(config, secrets.owner, { cache, onTaken });
  return { config, secrets, line, ...(cache && { cache }) };
}

/** The cache of a configuration; without one that can be trusted, a run computes everything itself. */
async function cacheOf({ output }: Config, onEvent: (event: StepEvent) => void): Promise<Cache | undefined> {
  if (output.cacheBytes === 0) return undefined;
  return openCache({ folder: resultsFolder(), bytes: output.cacheBytes }).catch((error) => {
    if (!(error instanceof HokusaiError)) throw error;
    onEvent({ type: 'warned', step: 'cache', error });
    return undefined;
  });
}

/** A contribution's file with what it commits to. */
export interface Offered {
  /** Names its files. */
  readonly name: string;
  readonly table: Table;
  readonly data: Uint8Array;
  readonly root: DataRoot;
}

/**
 * Checks a contribution as its contributor does before committing to it.
 *
 * @throws HokusaiError `CONTRIBUTION_MISFIT` (terminal) with all problems: nothing was sent.
 */
export async function offer(
  { line, secrets }: { line: Pick<ModelLine, 'schema'>; secrets: Pick<RunSecrets, 'contributionSecret'> },
  name: string,
  file: string,
): Promise<Offered> {
  const table = await readCsv(file);
  const validation = validate(table, line.schema, secrets.contributionSecret);
  if (validation.status === 'VALID') return { name, table, data: await readFile(file), root: validation };
  const problems = validation.problems.map(({ message }) => message);
  throw new HokusaiError(
    'terminal',
    'CONTRIBUTION_MISFIT',
    `${file} does not fit the schema:\n${problems.join('\n')}`,
    {
      details: { file, problems: validation.problems },
      next: 'Correct these rows or leave them out; nothing was sent or written.',
    },
  );
}

/** Runs a project's contribution through the pipeline and writes the results to `OUTPUT_DIR/RUN_ID/`. */
export async function run(project: Project, options: RunOptions): Promise<RunResult> {
  const offered = await offer(project, 'contribution', project.config.data.contribution);
  const folder = join(project.config.output.directory, runId(project, offered, options.chain));
  await mkdir(folder, { recursive: true });
  const { signal, onEvent } = options;
  const { config, cache } = project;
  const { maxRetryCount: retries } = config.metaflow;
  const watching = { ...(signal && { signal }), ...(onEvent && { onEvent }) };
  const executor = await openExecutor(folder, { retries, cache, ...watching });
  try {
    if (options.chain === 'none') return await dryRun(project, offered, folder, executor, options);
    return await withLocalModel(project, folder, executor, options, (model) =>
      settleOn(model, project, offered, folder, executor),
    );
  } finally {
    await executor.close();
  }
}

/** The same files, configuration and secrets make the same run, which is how one that was stopped goes on. */
function runId({ config, line, secrets }: Project, { data }: Offered, chain: string): string {
  const { policy, pipeline, assurance } = config;
  const terms = JSON.parse(
    JSON.stringify({ policy, pipeline }, (_, value) => (typeof value === 'object' ? value : String(value))),
  ) as Canonical;
  const identity = {
    terms,
    chain,
    assurance,
    ...(line.imported && { imported: line.imported.sha256 }),
    foldId: line.foldId,
    trainingSetRoot: line.trainingSetRoot,
    trainSpecHash: line.trainSpecHash,
    data: sha256(data),
    secrets: sha256(secrets.dataKey),
  };
  return sha256(Buffer.from(canonicalJson(identity))).slice(0, 12);
}

/** Starts a local chain and a model on it, and stops both whatever happens. */
export async function withLocalModel<Result>(
  { config, line, secrets, cache }: Project,
  folder: string,
  executor: Executor,
  { port, proving, signal, onEvent, onAction }: RunOptions,
  use: (
    model: LocalModel & { chainId: number; deployment: Awaited<ReturnType<typeof startLocalChain>>['deployment'] },
  ) => Promise<Result>,
): Promise<Result> {
  // Loaded here: a dry run does without, and starts in half the time.
  const { startLocalChain } = await import('./chain/local.ts');
  const { openLocalModel } = await import('./local-model.ts');
  const chain = await startLocalChain({ ...(port !== undefined && { port }), ...(signal && { signal }) });
  try {
    const model = await openLocalModel({
      chain,
      config,
      line,
      secrets,
      folder,
      executor,
      ...(cache && { cache: cache.options }),
      ...(proving && { proving }),
      ...(onAction && { onAction }),
      ...(onEvent && { onEvent: (validator: number, event: StepEvent) => onEvent(event, `validator ${validator}`) }),
    });
    // Stopped means now: a proof at work would go on for seconds.
    signal?.addEventListener('abort', model.stop, { once: true });
    try {
      return await use({ ...model, chainId: chain.chainId, deployment: chain.deployment });
    } finally {
      signal?.removeEventListener('abort', model.stop);
      model.stop();
    }
  } finally {
    await chain.stop();
  }
}

type OpenModel = Parameters<Parameters<typeof withLocalModel>[4]>[0];

/** Plays a round of a contribution on a local model, and publishes what came of it. */
export async function settleOn(
  model: OpenModel,
  project: Project,
  offered: Offered,
  folder: string,
  executor: Executor,
): Promise<RunResult> {
  const outcome = await model.contribute(offered.name, offered.data, offered.root);
  const [first] = outcome.ballots;
  const { chainId: _, rewardToken: __, ...contracts } = model.deployment;
  const context = {
    chainId: model.chainId,
    ...contracts,
    roundId: outcome.roundId,
    modelId: model.modelId,
    policyHash: model.policyHash,
    benchmarkId: model.benchmarkId,
    trainSpecHash: project.line.trainSpecHash,
    settler: first!.voter,
  };
  const steps = [...executor.steps(), ...first!.steps, ...(outcome.settlement?.steps ?? [])];
  const transactions = [...model.transactions, ...outcome.transactions];
  const votes = outcome.ballots.map(({ voter, signature }) => ({ validator: voter, signature }));
  const { proven, inferences } = outcome.settlement ?? {};
  const proofs = { ...(proven && { proven }), ...(inferences && { inferences }) };
  const parts = { context, round: outcome.round, votes, transactions, steps, ...proofs };
  const attestation = attest(first!.agreed, parts);
  const evaluated = await withEvaluation(project, offered, first!, executor);
  return conclude(project, folder, executor, { attestation, ...proofs, ...evaluated });
}

/** Publishes the results, and then records the run. */
async function conclude(project: Project, folder: string, executor: Executor, all: Published): Promise<RunResult> {
  const published = await publish(folder, all);
  const mlflow = await logRun(project, published, executor);
  return { ...published, ...(mlflow && { mlflow }) };
}

/** The context of a dry run: no chain, and no round. */
const NO_CHAIN = {
  chainId: 0,
  modelRegistry: zeroAddress,
  circuitRegistry: zeroAddress,
  inferenceRegistry: zeroAddress,
  validatorRegistry: zeroAddress,
  rewards: zeroAddress,
  rounds: zeroAddress,
  roundId: zeroHash,
  modelId: zeroHash,
  policyHash: zeroHash,
  benchmarkId: zeroHash,
  settler: zeroAddress,
};

async function dryRun(
  project: Project,
  offered: Offered,
  folder: string,
  executor: Executor,
  { proving }: RunOptions,
): Promise<RunResult> {
  const { config, line, secrets } = project;
  const { table, data, root } = offered;
  const contribution: Contribution = {
    contributor: zeroAddress,
    payeesRoot: zeroHash,
    dataRoot: root.dataRoot,
    rows: root.rows,
    contributionSecret: secrets.contributionSecret,
    file: sha256(data),
    table,
  };
  const finding = await evaluateContribution(line, offerOf(config, true), contribution, executor);
  const context = { ...NO_CHAIN, trainSpecHash: line.trainSpecHash };
  const proven = await proveFinding(finding, context, executor, proving);
  const inferred = proven && config.assurance === 'inferred';
  const inferences = inferred ? await proveInferences(line, finding, executor, proving) : undefined;
  const proofs = { ...(proven && { proven }), ...(inferences && { inferences }) };
  const attestation = attest(finding.agreed, {
    ...{ context, votes: [], transactions: [], steps: executor.steps() },
    ...proofs,
  });
  const evaluated = await withEvaluation(project, offered, finding, executor);
  return conclude(project, folder, executor, { attestation, ...proofs, ...evaluated });
}

/**
 * What was evaluated, with all that its owner may read of it. The bootstrap, which takes longest, is a step; modules of the
 * owner's own may do what they like, and are run again.
 */
async function withEvaluation(
  { config, line }: Project,
  { table, data, root }: Offered,
  { agreed, evaluated }: Pick<Ballot, 'agreed' | 'evaluated'>,
  executor: Executor,
): Promise<Pick<Published, 'evaluated'>> {
  if (!evaluated) return {};
  const { models, delta } = evaluated;
  const { seed } = agreed.models!.candidate;
  const contribution = { table, file: sha256(data), dataRoot: root.dataRoot, ...(seed && { seed: seed as Hex }) };
  const { metrics, customMetrics, learningCurve: parts } = config.evaluation;
  const end = (which: 'baseline' | 'candidate'): PartialModel => ({
    rows: agreed.models![which].trainingRows,
    model: models[which],
  });
  const between = parts > 0 ? await partialModels(line, contribution, parts, executor) : [];
  const learning = parts > 0 ? [end('baseline'), ...between, end('candidate')] : [];
  const { foldId, trainSpecHash, schema } = line;
  const made = sha256(Buffer.from(JSON.stringify([models, learning])));
  // As text, for it is of doubles, which have no canonical form.
  const told = await executor.step(
    'describe',
    { foldId, trainSpecHash, schema, metrics: [...metrics], delta, models: made },
    async () => JSON.stringify(evaluation(line, models, { metrics, terms: termsOf(delta), learning })),
  );
  const custom = await customOf(customMetrics, line, models);
  return { evaluated: { ...evaluated, evaluation: { ...(JSON.parse(told) as Described), custom } } };
}

/** Proves what would be settled; there is no proof of a score below the gate. */
async function proveFinding(
  { agreed, evaluated }: Finding,
  context: Attestation['context'],
  executor: Executor,
  proving: ProvingOptions | undefined,
): Promise<ProvenScore | undefined> {
  if (agreed.status !== 'SCORED') return undefined;
  const score = evaluated!.score;
  const circuitId = provingCircuitId(scoreCircuit(score.metric, score.classes, score.labels.length));
  const hash = contextHash({ context, ...agreed, models: agreed.models!, circuitId });
  return proveScore({ ...score, contextHash: hash }, executor, proving, circuitId);
}

interface Parts {
  readonly context: Attestation['context'];
  readonly round?: Outcome['round'];
  readonly votes: Attestation['votes'];
  readonly transactions: readonly Action[];
  readonly steps: readonly StepRecord[];
  readonly proven?: ProvenScore;
  readonly inferences?: Inferences;
}

function attest(
  agreed: Agreed,
  { context, round, votes, transactions, steps, proven, inferences }: Parts,
): Attestation {
  return {
    ...agreed,
    accepted: agreed.status === 'SCORED',
    assurance: inferences ? 'inferred' : 'scored',
    context,
    ...(proven && {
      proof: {
        circuit: proven.circuit,
        circuitId: proven.circuitId,
        attestationHash: proven.attestationHash,
        counts: [...proven.counts],
        contextHash: proven.publicSignals.at(-1)!,
        prover: proven.prover,
      },
    }),
    ...(inferences && {
      inference: {
        circuit: inferences.candidate.circuit,
        circuitId: inferences.candidate.circuitId,
        prover: inferences.candidate.prover,
      },
    }),
    ...(round && { round }),
    votes,
    metricsHash: metricsHash(agreed),
    transactions: [...transactions],
    steps: [...steps],
  };
}
