/** What a run ends with: an attestation, an evaluation for the model's owner, files, and a record elsewhere. */
import type { Hex } from 'viem';
import { type Attestation, metricsHash } from '../attestation/attest.ts';
import { sha256 } from '../canonical.ts';
import { termsOf } from '../delta/delta.ts';
import { customOf, type Described, evaluation } from '../metrics/evaluation.ts';
import { type Logged, logRun } from '../mlflow/log-run.ts';
import type { Ballot } from '../validator/validator.ts';
import type { Executor, StepRecord } from './executor.ts';
import type { Agreed, TrainingSetChange } from './finding.ts';
import { type PartialModel, partialModels } from './learning.ts';
import type { Action, Outcome } from './local-round.ts';
import type { Offered, Project } from './project.ts';
import { type Published, publish } from './publish.ts';

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

/** What is proven of a finding: nothing below the gate, and what models predict at assurance level 2 alone. */
export type Proofs = Pick<Published, 'proven' | 'inferences'>;

/** What led to a finding, and what came of it on the chain. */
interface Settled {
  readonly context: Attestation['context'];
  readonly round?: Outcome['round'];
  readonly votes: Attestation['votes'];
  readonly transactions: readonly Action[];
  readonly steps: readonly StepRecord[];
  readonly proofs: Proofs;
}

/** Attests a finding, describes its evaluation, publishes both, and then records the run. */
export async function conclude(
  project: Project,
  offered: Offered,
  found: Pick<Ballot, 'agreed' | 'evaluated'>,
  settled: Settled,
  folder: string,
  executor: Executor,
): Promise<RunResult> {
  const evaluated = await withEvaluation(project, offered, found, executor);
  const published = await publish(folder, {
    attestation: attest(found.agreed, settled),
    ...settled.proofs,
    ...evaluated,
  });
  const mlflow = await logRun(project, published, executor);
  return { ...published, ...(mlflow && { mlflow }) };
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

function attest(
  agreed: Agreed,
  { context, round, votes, transactions, steps, proofs: { proven, inferences } }: Settled,
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
