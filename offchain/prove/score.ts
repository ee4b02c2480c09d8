import type { Hex } from 'viem';
import { canonicalJson, sha256 } from '../canonical.ts';
import { loadPoseidon, tag, vectorRoot } from '../commitment.ts';
import { countsLength } from '../delta/delta.ts';
import { HokusaiError } from '../errors.ts';
import type { Executor } from '../run/executor.ts';
import { CIRCUITS, circuitsOf, type ScoreCircuit, type ScoreTemplate } from './circuits.ts';
import { countsOf, medianOf, type ScoreRows } from './counts.ts';
import type { VerificationKey } from './keys.ts';
import { placementsOf } from './placements.ts';
import type { ProvingOptions } from './pool.ts';
import { type Groth16Proof, type Proven, prove } from './prove.ts';
import { provingCircuitId, provingKeyFile } from './proving-key.ts';

/** The committed rows of one benchmark fold and the two models' predictions on them, for one settlement. */
export interface Score extends ScoreRows {
  /** Field elements that hide the vectors: from the benchmarkSecret, and twice from the modelSecret. */
  readonly labelsSalt: bigint;
  readonly baselineSalt: bigint;
  readonly candidateSalt: bigint;
  /** The settlement that the proof is for, below 2^248, as `Rounds.contextHash` computes it. */
  readonly contextHash: bigint;
}

/** The public signals of a score circuit, by name and in the circuit's order. */
export interface ScoreSignals {
  readonly attestationHash: bigint;
  readonly labelsRoot: bigint;
  readonly baselinePredictionsRoot: bigint;
  readonly candidatePredictionsRoot: bigint;
  /** One word or two, as the metric has them. */
  readonly counts: readonly bigint[];
  readonly contextHash: bigint;
}

/** Bits of a committed label, and of a prediction, where this is paid for. */
export function laneBitsOf(metric: string, classes: number): { labels: 1 | 8 | 16; predictions: 1 | 8 | 16 } {
  if (metric === 'auroc') return { labels: 1, predictions: 16 };
  if (classes === 0) return { labels: 16, predictions: 16 };
  return classes === 2 ? { labels: 1, predictions: 1 } : { labels: 8, predictions: 8 };
}

/** What the public signals of the score circuit must be: the twin of all of them in TypeScript. */
export async function scoreSignals(score: Score): Promise<ScoreSignals> {
  const poseidon = await loadPoseidon();
  const bits = laneBitsOf(score.metric, score.classes);
  const root = (name: 'labels' | 'predictions', values: ArrayLike<number>, salt: bigint) =>
    vectorRoot({ name, laneBits: bits[name], values, salt });
  const labelsRoot = await root('labels', score.labels, score.labelsSalt);
  const baselinePredictionsRoot = await root('predictions', score.baselinePredictions, score.baselineSalt);
  const candidatePredictionsRoot = await root('predictions', score.candidatePredictions, score.candidateSalt);
  const { contextHash } = score;
  const roots = { labelsRoot, baselinePredictionsRoot, candidatePredictionsRoot };
  const counts = countsOf(score);
  const attestationHash = poseidon([tag('attestation'), ...Object.values(roots), ...counts, contextHash]);
  return { attestationHash, ...roots, counts, contextHash };
}

/**
 * The template that proves scores of a metric.
 *
 * @param classes of the fold: 2 or more, 0 for a regression
 * @throws HokusaiError `SCORE_UNSUPPORTED` (configuration) where there is none
 */
export function scoreTemplate(metric: string, classes: number): ScoreTemplate {
  if (countsLength(metric, classes) !== 0) {
    if (classes > 2) return 'ClassesScore';
    const own = TEMPLATES[metric];
    if (own) return own;
  }
  throw new HokusaiError(
    'configuration',
    'SCORE_UNSUPPORTED',
    `No circuit proves a score of ${metric} over ${classes} classes.`,
    { details: { metric, classes }, next: 'Choose a metric that the task has.' },
  );
}

/** Of two classes and of a regression. */
const TEMPLATES: Readonly<Record<string, ScoreTemplate>> = {
  accuracy: 'Score',
  precision: 'Score',
  recall: 'Score',
  f1: 'Score',
  mse: 'MseScore',
  mae: 'MaeScore',
  auroc: 'AurocScore',
};

/**
 * The smallest circuit that proves scores of a metric over `rows` rows.
 *
 * @param classes of the fold: 2 or more, 0 for a regression
 * @throws HokusaiError `SCORE_UNSUPPORTED` or `SCORE_TOO_LARGE` (configuration) when none does.
 */
export function scoreCircuit(metric: string, classes: number, rows: number): ScoreCircuit {
  const sizes = circuitsOf(scoreTemplate(metric, classes));
  const fitting = sizes.find((name) => CIRCUITS[name].args[0] >= rows);
  if (!fitting) {
    const largest = CIRCUITS[sizes.at(-1)!].args[0];
    throw new HokusaiError('configuration', 'SCORE_TOO_LARGE', `No circuit for ${metric} holds ${rows} rows.`, {
      details: { metric, classes, rows, largest },
      next: `Register a fold of at most ${largest} rows; a larger one is sampled by digest.`,
    });
  }
  return fitting;
}

/** The inputs of a circuit, by name: decimal strings. */
export type ScoreInput = Record<string, string | string[]>;

/** The private and public inputs of a score circuit. */
export const scoreInput = (score: Score, circuit: ScoreCircuit): ScoreInput =>
  paddedInput(score, CIRCUITS[circuit].args[0]);

/** Likewise, of a circuit that holds `rows` rows: what is missing is padded with zeros. */
export function paddedInput(score: Score, rows: number): ScoreInput {
  const padded = (values: ArrayLike<number>) =>
    Array.from({ length: rows }, (_, i) => (i < values.length ? String(values[i]) : '0'));
  return {
    active: Array.from({ length: rows }, (_, i) => (i < score.labels.length ? '1' : '0')),
    labels: padded(score.labels),
    baselinePredictions: padded(score.baselinePredictions),
    candidatePredictions: padded(score.candidatePredictions),
    labelsSalt: String(score.labelsSalt),
    baselineSalt: String(score.baselineSalt),
    candidateSalt: String(score.candidateSalt),
    contextHash: String(score.contextHash),
    ...(score.metric === 'mae' && { centre: String(medianOf(score.labels)) }),
    ...(score.metric === 'auroc' && sortedInput(score, rows)),
  };
}

/** The placements of the rows, and the order of the rows in which they are counted, by both models. */
function sortedInput({ labels, baselinePredictions, candidatePredictions }: Score, rows: number): ScoreInput {
  const of = (name: string, scores: ArrayLike<number>) => {
    const { order, placements } = placementsOf(labels, scores);
    const positives = order.reduce((sum, row) => sum + labels[row]!, 0);
    let upTo = 0;
    const sortedPositives = order.map((row) => (upTo += labels[row]!));
    const padded = (values: readonly number[], value: number) =>
      Array.from({ length: rows }, (_, i) => String(values[i] ?? value));
    return {
      [`${name}Placements`]: padded(placements, 0),
      [`${name}SortedScores`]: padded(
        order.map((row) => scores[row]! + 1),
        0,
      ),
      [`${name}SortedPositives`]: padded(sortedPositives, positives),
    };
  };
  return { ...of('baseline', baselinePredictions), ...of('candidate', candidatePredictions) };
}

/** A score with its proof, in snarkjs's forms, and the key that checks it. */
export type ProvenScore = {
  readonly circuit: ScoreCircuit;
  readonly circuitId: Hex;
  readonly attestationHash: string;
  readonly counts: readonly string[];
  readonly proof: Groth16Proof;
  readonly publicSignals: readonly string[];
  readonly verificationKey: VerificationKey;
  readonly prover: Proven['prover'];
};

/**
 * Proves a score with the circuit that fits. One proof is made for one context: a step.
 *
 * @param policyCircuitId of the key to prove with, where a policy names one
 */
export async function proveScore(
  score: Score,
  executor: Executor,
  options: ProvingOptions = {},
  policyCircuitId?: Hex,
): Promise<ProvenScore> {
  const circuit = scoreCircuit(score.metric, score.classes, score.labels.length);
  const circuitId = policyCircuitId ?? provingCircuitId(circuit);
  return executor.step(
    'prove',
    { circuitId, statement: statementOf(score) },
    async ({ signal }) => {
      const { attestationHash, counts } = await scoreSignals(score);
      const keyFile = await provingKeyFile(circuit, circuitId);
      const proven = await prove(circuit, scoreInput(score, circuit), keyFile, { ...options, signal });
      return {
        circuit,
        circuitId,
        attestationHash: String(attestationHash),
        counts: counts.map(String),
        proof: proven.proof,
        publicSignals: proven.publicSignals,
        verificationKey: proven.verificationKey,
        prover: proven.prover,
      };
    },
    { retries: 1, timeout: 600 },
  );
}

/** The hash of all that the public signals follow from, without the Poseidon that takes longer than all else of a rerun. */
function statementOf(score: Score): string {
  const { labels, baselinePredictions, candidatePredictions, ...rest } = score;
  const vectors = [labels, baselinePredictions, candidatePredictions].map((values) => Array.from(values));
  const others = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)]));
  return sha256(Buffer.from(canonicalJson({ vectors, ...others })));
}
