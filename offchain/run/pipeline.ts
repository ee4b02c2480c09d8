/** The order of the steps, from an opened contribution to what a validator votes. */

import type { Hex } from 'viem';
import { trainingSetRoot } from '../attestation/context.ts';
import { type Canonical, sha256 } from '../canonical.ts';
import { saltOf } from '../commitment.ts';
import { delta, statedTerms } from '../delta/delta.ts';
import { countWords } from '../delta/named-counts.ts';
import type { ModelLine } from '../line.ts';
import { type ProvenInference, proveInference } from '../prove/inference.ts';
import type { ProvingOptions } from '../prove/pool.ts';
import { labelsOf } from '../table/check-table.ts';
import { drawsRows, type Integration, integrate, merge } from '../table/integrate.ts';
import { classNames } from '../table/label.ts';
import type { Table } from '../table/table.ts';
import { type Validation, validate } from '../table/validate.ts';
import { isDrawn } from '../train/spec.ts';
import { hashOf, headTrained, type TrainedModel, trained } from '../train/step.ts';
import { evaluate, inferenceOf, predictionsSalt, type Trained, valuesOf } from './evaluate.ts';
import type { Executor } from './executor.ts';
import {
  agreed,
  type Committed,
  type Finding,
  type Known,
  type Refusal,
  refuse,
  type TrainingSetChange,
  trainingFailed,
} from './finding.ts';
import type { Offer } from './offer.ts';

/** A contribution as a validator has it after opening it. */
export interface Contribution extends Committed {
  readonly contributionSecret: Uint8Array;
  /** SHA-256 of the file, which names it in the journal. */
  readonly file: string;
  readonly table: Table;
  /** Drawn with the round's fold and committee; absent in a dry run. */
  readonly seed?: Hex;
}

/** What both models predict, proven. */
export type Inferences = Readonly<Record<'baseline' | 'candidate', ProvenInference>>;

/**
 * Proves what both models of a scored finding predict on the line's fold.
 *
 * @param circuitId of the key to prove with, where a policy names one
 */
export async function proveInferences(
  line: ModelLine,
  { agreed, evaluated }: Finding,
  executor: Executor,
  proving?: ProvingOptions,
  circuitId?: Hex,
): Promise<Inferences> {
  const proven = (name: 'baseline' | 'candidate') => {
    const inference = inferenceOf(evaluated!.models[name], agreed.models![name].trainingSetRoot as Hex, line);
    return proveInference(inference, executor, proving, circuitId);
  };
  return { baseline: await proven('baseline'), candidate: await proven('candidate') };
}

/** Evaluates a contribution: validate, integrate, train, evaluate, delta. Each step is journaled by content hashes. */
export async function evaluateContribution(
  line: ModelLine,
  offer: Offer,
  contribution: Contribution,
  executor: Executor,
): Promise<Finding> {
  const { file, contributionSecret } = contribution;
  const given = { file, schema: line.schema, secret: sha256(contributionSecret) };
  const validation = await executor.step('validate', given, async () =>
    validate(contribution.table, line.schema, contributionSecret),
  );
  const problem = invalid(validation, contribution);
  if (problem) return refuse(line, offer, contribution, problem);
  const { quality } = validation as Extract<Validation, { status: 'VALID' }>;

  const merged = await integrated(line, contribution, executor);
  const known = { quality, ...countsOf(line, merged) };
  const refusal = unusable(merged, offer);
  if (refusal) return refuse(line, offer, contribution, refusal, known);

  const nextRoot = trainingSetRoot(line.trainingSetRoot, contribution.dataRoot);
  const rows = merge(line.trainingSet, contribution.table, merged);
  const baseline = await headTrained(line, executor);
  const seed = isDrawn(line.spec) || drawsRows(line.integration) ? contribution.seed : undefined;
  const candidate = await trained(line, rows, nextRoot, executor, seed).catch(trainingFailed);
  if ('reason' in candidate) return refuse(line, offer, contribution, candidate, known);
  return scored(line, offer, contribution, executor, { known, merged, nextRoot, rows, seed, baseline, candidate });
}

/** A contribution merged with the head's training set, in a step. */
export function integrated(
  line: ModelLine,
  { dataRoot, file, table, seed }: Pick<Contribution, 'dataRoot' | 'file' | 'table' | 'seed'>,
  executor: Executor,
): Promise<Integration> {
  const { trainingSetRoot, foldId, trainSpecHash } = line;
  // A seed of which nothing depends would keep the step from being taken from the journal in another round.
  const drawn = drawsRows(line.integration) && seed && { seed };
  const inputs = { dataRoot, file, trainingSetRoot, foldId, trainSpecHash, schema: hashOf(line.schema), ...drawn };
  return executor.step('integrate', inputs, async () => integrate(table, line, seed));
}

/** What is told of it to everybody. */
function countsOf(
  { integration }: ModelLine,
  { fresh, replaced, ignored, overlap }: Integration,
): Omit<Known, 'quality'> {
  const { known, repeated, ...left } = ignored;
  const counts = { rowsUsed: fresh.length, duplicates: known + repeated, overlap };
  return { ...counts, ...(drawsRows(integration) && { integration: { ...left, replaced: replaced.length } }) };
}

function changeOf({ schema }: ModelLine, { ignored, near, replaced, balance }: Integration): TrainingSetChange {
  return { ignored, near, replaced: replaced.length, classes: classNames(schema.label), balance };
}

function invalid(validation: Validation, { dataRoot, rows }: Contribution): Refusal | undefined {
  if (validation.status === 'SCHEMA') {
    return {
      status: 'SCHEMA',
      reason: `The data does not fit the schema: ${validation.problems.map(({ message }) => message).join('; ')}`,
    };
  }
  if (validation.dataRoot === dataRoot && validation.rows === rows) return undefined;
  return { status: 'ROOT_MISMATCH', reason: `The data has ${validation.rows} rows and another root than committed.` };
}

function unusable({ fresh, overlap }: Integration, { minContributionRows }: Offer): Refusal | undefined {
  if (overlap > 0) return { status: 'OVERLAP', reason: `${overlap} rows are in the benchmark too.` };
  if (fresh.length >= minContributionRows) return undefined;
  const text = `${fresh.length} rows are new to the model; the policy asks for at least ${minContributionRows}.`;
  return { status: 'TOO_FEW_ROWS', reason: text };
}

/** All that an evaluation follows from. Salts follow from the secrets. */
function evaluating(
  { foldId, trainSpecHash, schema, secrets }: ModelLine,
  trained: Readonly<Record<'baseline' | 'candidate', Trained>>,
): Canonical {
  const { modelSecret, benchmarkSecret } = secrets;
  const [baseline, candidate] = [trained.baseline, trained.candidate].map(({ model, trainingSetRoot }) => ({
    model: hashOf(model as Canonical),
    trainingSetRoot,
  }));
  const hidden = sha256(Buffer.concat([modelSecret, benchmarkSecret]));
  return { foldId, trainSpecHash, schema: hashOf(schema), secrets: hidden, baseline: baseline!, candidate: candidate! };
}

/** Both models, and what the candidate was trained on. */
type Candidates = {
  readonly known: Known;
  readonly merged: Integration;
  readonly nextRoot: Hex;
  readonly rows: Table;
  readonly seed: Hex | undefined;
  readonly baseline: TrainedModel;
  readonly candidate: TrainedModel;
};

async function scored(
  line: ModelLine,
  offer: Offer,
  contribution: Contribution,
  executor: Executor,
  { known, merged, nextRoot, rows, seed, ...made }: Candidates,
): Promise<Finding> {
  const models = { baseline: made.baseline.model, candidate: made.candidate.model };
  const trained = {
    baseline: { model: models.baseline, trainingSetRoot: line.trainingSetRoot },
    candidate: { model: models.candidate, trainingSetRoot: nextRoot },
  };
  const { baseline, candidate, counts, metrics } = await executor.step('evaluate', evaluating(line, trained), () =>
    evaluate(line, trained),
  );
  const { metric } = line;
  const { classes } = line.fold;
  const words = countWords(counts);
  const inputs = { metric, classes, counts: words.map(String), terms: statedTerms(offer.terms) };
  // Of integers alone, and sooner computed than looked for.
  const compute = async () => delta(metric, classes, words, offer.terms);
  const score = await executor.step('delta', inputs, compute, { cached: false });

  const accepted = score.failed === '';
  const told = accepted || offer.tellRejected;
  const model = (which: 'baseline' | 'candidate', evaluated: typeof baseline, root: Hex, trainingRows: number) => ({
    commitment: evaluated.commitment,
    trainingSetRoot: root,
    trainingRows,
    predictionsRoot: evaluated.predictionsRoot,
    ...(made[which].hyperparameters && { hyperparameters: made[which].hyperparameters }),
    ...(told && { metrics: metrics[which] }),
  });
  const imported = line.imported && { framework: line.imported.framework, sha256: line.imported.sha256 };
  const refusal = { status: 'BELOW_GATE' as const, reason: 'The improvement does not pass the gate of the policy.' };
  const verdict = accepted
    ? { status: 'SCORED' as const, reason: 'The improvement passes the gate of the policy.' }
    : refusal;
  return {
    agreed: {
      ...agreed(line, offer, contribution, verdict, known),
      models: {
        baseline: {
          ...model('baseline', baseline, line.trainingSetRoot, line.trainingSet.rows),
          ...(imported && { imported }),
        },
        candidate: { ...model('candidate', candidate, nextRoot, rows.rows), ...(seed && { seed }) },
      },
      ...(told && { counts, delta: score }),
    },
    evaluated: {
      counts,
      delta: score,
      metrics,
      models,
      ...(made.baseline.report &&
        made.candidate.report && { training: { baseline: made.baseline.report, candidate: made.candidate.report } }),
      integration: changeOf(line, merged),
      score: {
        metric,
        classes,
        labels: labelsOf(line.benchmark, line.schema),
        baselinePredictions: valuesOf(baseline),
        candidatePredictions: valuesOf(candidate),
        labelsSalt: saltOf(line.secrets.benchmarkSecret, 'labels'),
        baselineSalt: predictionsSalt(line.trainingSetRoot, line),
        candidateSalt: predictionsSalt(nextRoot, line),
      },
    },
  };
}
