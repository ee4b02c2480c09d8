/** Runs the whole pipeline for one project: without a chain, or on a local one with validators of its own. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { zeroAddress, zeroHash } from 'viem';
import type { Attestation } from '../attestation/attest.ts';
import { contextHash } from '../attestation/context.ts';
import { type Canonical, canonicalJson, sha256 } from '../canonical.ts';
import type { startLocalChain } from '../chain/local.ts';
import type { ProvingOptions } from '../prove/pool.ts';
import { provingCircuitId } from '../prove/proving-key.ts';
import { type ProvenScore, proveScore, scoreCircuit } from '../prove/score.ts';
import { conclude, type RunResult } from './conclude.ts';
import { type Executor, openExecutor, type StepEvent } from './executor.ts';
import type { Finding } from './finding.ts';
import type { LocalModel } from './local-model.ts';
import type { Action } from './local-round.ts';
import { offerOf } from './offer.ts';
import { type Contribution, evaluateContribution, proveInferences } from './pipeline.ts';
import { type Offered, offer, type Project } from './project.ts';

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
    if (options.chain === 'none') {
      const dry: Project = { ...project, line: { ...project.line, dry: true } };
      return await dryRun(dry, offered, folder, executor, options);
    }
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
  const { startLocalChain } = await import('../chain/local.ts');
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
  const settled = { context, round: outcome.round, votes, transactions, steps, proofs: outcome.settlement ?? {} };
  return conclude(project, offered, first!, settled, folder, executor);
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
  const inferences = inferred && (await proveInferences(line, finding, executor, proving));
  const proofs = { ...(proven && { proven }), ...(inferences && { inferences }) };
  const settled = { context, votes: [], transactions: [], steps: executor.steps(), proofs };
  return conclude(project, offered, finding, settled, folder, executor);
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
