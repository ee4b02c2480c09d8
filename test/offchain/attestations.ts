// Attestations with everything in them right, of contributions that came more or less far.
import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Address, type Hex, keccak256, stringToHex, zeroAddress, zeroHash } from 'viem';
import { type Attestation, metricsHash } from '../../offchain/attestation/attest.ts';
import { foldId, trainingSetRoot } from '../../offchain/attestation/context.ts';
import { delta, pack, type Terms } from '../../offchain/delta/delta.ts';
import type { Counts } from '../../offchain/delta/named-counts.ts';
import { alpha30, zMicro } from '../../offchain/delta/power.ts';
import { confusionOf, jointCounts, metricsOf } from '../../offchain/metrics/exact.ts';
import { scoreSignals } from '../../offchain/prove/score.ts';
import { SCORE_CASES } from '../vectors/score.ts';

export const hash = (text: string): Hex => keccak256(stringToHex(text));
export const UNIT = 10n ** 18n;

/** 284 rows, of which the candidate fixes more than it breaks. */
export const { score } = SCORE_CASES.find(({ name }) => name === 'the demo benchmark')!;
const cells = jointCounts(score.labels, score.baselinePredictions, score.candidatePredictions);
const roots = await scoreSignals(score);

export const TERMS = {
  zMicro: zMicro(0.05, 1),
  alpha30: alpha30(0.05, 1),
  minDeltaBps: 10n,
  minRows: 200n,
  minPositives: 40n,
  guardrails: [{ metric: 'recall', maxLossBps: 100n }],
  payPoint: false,
  tokensPerDeltaOne: UNIT,
  maxReward: 10n * UNIT,
} satisfies Terms;

/** The counts of an attestation of two classes, to be changed. */
export function cellCounts({ counts }: Pick<Attestation, 'counts'>): Extract<Counts, { cells: number[] }> {
  assert(counts && 'cells' in counts);
  return counts;
}

function modelsAndCounts(dataRoot: Hex): Pick<Attestation, 'models' | 'counts' | 'delta'> {
  const head = hash('initial set');
  const counts = {
    cells,
    n: score.labels.length,
    fixed: cells[2]! + cells[5]!,
    broken: cells[3]! + cells[4]!,
  };
  return {
    models: {
      baseline: {
        commitment: '77',
        trainingSetRoot: head,
        trainingRows: 150,
        predictionsRoot: String(roots.baselinePredictionsRoot),
        metrics: metricsOf(confusionOf(cells, 'baseline')),
      },
      candidate: {
        commitment: '78',
        trainingSetRoot: trainingSetRoot(head, dataRoot),
        trainingRows: 230,
        predictionsRoot: String(roots.candidatePredictionsRoot),
        metrics: metricsOf(confusionOf(cells, 'candidate')),
      },
    },
    counts,
    delta: delta('accuracy', 2, [pack(cells)], TERMS),
  };
}

/** A dry run that was accepted, as far as that goes without its proof. */
export function unproven(contributor: Address, payeesRoot: Hex): Attestation {
  const dataRoot = hash('data');
  const fold = {
    labelsRoot: String(roots.labelsRoot),
    featuresRoot: '2000',
    rowsRoot: hash('rows'),
    quantiserHash: hash('quantiser'),
    metric: 'accuracy' as const,
    n: score.labels.length,
    classes: 2 as const,
  };
  const quality = { cells: 3_000, missingCells: 3, positives: 37 };
  const none = {
    ...{ modelRegistry: zeroAddress, circuitRegistry: zeroAddress, inferenceRegistry: zeroAddress },
    validatorRegistry: zeroAddress,
    ...{ rewards: zeroAddress, rounds: zeroAddress, settler: zeroAddress, benchmarkId: zeroHash },
  };
  return {
    version: 1,
    accepted: true,
    status: 'SCORED',
    reason: 'The candidate is better on 284 rows that neither model was trained on.',
    assurance: 'scored',
    name: 'breast cancer',
    evaluator: 'hokusai-evaluator 0.1.0',
    contribution: {
      ...{ contributor, payeesRoot, dataRoot, rows: 100, rowsUsed: 90, duplicates: 12, overlap: 0 },
      integration: { conflicting: 1, overReplaced: 2, overRows: 3, replaced: 10 },
      quality,
    },
    benchmark: { foldId: foldId(fold), ...fold },
    ...modelsAndCounts(dataRoot),
    context: {
      chainId: 0,
      ...none,
      roundId: zeroHash,
      modelId: hash('model'),
      policyHash: hash('policy'),
      trainSpecHash: hash('train spec'),
    },
    votes: [],
    metricsHash: zeroHash,
    transactions: [],
    steps: [
      { name: 'validate', seconds: 0.21, reused: true },
      { name: 'integrate', seconds: 0.4, reused: false },
      { name: 'train', seconds: 6.25, reused: false },
      { name: 'evaluate', seconds: 0.15, reused: false },
      { name: 'prove', seconds: 3.4, reused: false },
    ],
  };
}

/** Who contributes, and who is paid, where no chain says it. */
const [CONTRIBUTOR, PAYEES] = [`0x${'c1'.repeat(20)}`, hash('payees')] as const;

const withHash = (attestation: Attestation): Attestation => ({
  ...attestation,
  metricsHash: metricsHash(attestation),
});

/** A dry run whose candidate lost: the same rows with baseline and candidate exchanged. */
export function belowGate(): Attestation {
  const attestation = unproven(CONTRIBUTOR, PAYEES);
  const exchanged = cells.map((_, k) => cells[(k & 1) | ((k & 2) << 1) | ((k & 4) >> 1)]!);
  const { baseline, candidate } = attestation.models!;
  const counts = { ...cellCounts(attestation), cells: exchanged };
  [counts.fixed, counts.broken] = [counts.broken, counts.fixed];
  const models = {
    baseline: { ...baseline, metrics: candidate.metrics },
    candidate: { ...candidate, metrics: baseline.metrics },
  };
  const reason = 'The candidate is not better than the baseline.';
  const verdict = { accepted: false, status: 'BELOW_GATE' as const, reason };
  return withHash({
    ...attestation,
    ...verdict,
    models,
    counts,
    delta: delta('accuracy', 2, [pack(exchanged)], TERMS),
  });
}

/** A contribution that was rejected before anything was trained. */
export function overlapping(contributor: Address = CONTRIBUTOR, payeesRoot: Hex = PAYEES): Attestation {
  const { models: _, counts: __, delta: ___, ...rest } = unproven(contributor, payeesRoot);
  const contribution = { ...rest.contribution, overlap: 4 };
  const reason = 'Four rows are in the benchmark too.';
  return withHash({ ...rest, accepted: false, status: 'OVERLAP', reason, contribution });
}

/** Writes a run's files to a new folder; a value of undefined leaves its file out. */
export async function writeRun(files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hokusai-test-'));
  for (const [name, content] of Object.entries(files)) {
    if (content !== undefined) await writeFile(join(folder, `${name}.json`), JSON.stringify(content));
  }
  return folder;
}
