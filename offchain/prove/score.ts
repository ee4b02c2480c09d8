import { readFile } from 'node:fs/promises';
import type { Hex } from 'viem';
import { loadPoseidon, tag, vectorRoot } from '../commitment.ts';
import { pack } from '../delta.ts';
import { HokusaiError } from '../errors.ts';
import type { Executor } from '../executor.ts';
import { jointCounts } from '../metrics.ts';
import { CIRCUITS, circuitRecords, circuitsOf, developmentKeyFile, type ScoreCircuit } from './circuits.ts';
import { type VerificationKey, verificationKey } from './keys.ts';
import { type Groth16Proof, type Proven, prove } from './prove.ts';

/** The committed rows of one benchmark fold and the two models' predictions on them, all bits, all of length n. */
export interface Score {
  readonly labels: Uint8Array;
  readonly baselinePredictions: Uint8Array;
  readonly candidatePredictions: Uint8Array;
  /** Field elements that hide the vectors: from the benchmarkSecret, and twice from the modelSecret. */
  readonly labelsSalt: bigint;
  readonly baselineSalt: bigint;
  readonly candidateSalt: bigint;
  /** The settlement that the proof is for, below 2^248, as `Rounds.contextHash` computes it. */
  readonly contextHash: bigint;
}

/** The public signals of the score circuit, by name and in the circuit's order. */
export interface ScoreSignals {
  readonly attestationHash: bigint;
  readonly labelsRoot: bigint;
  readonly baselinePredictionsRoot: bigint;
  readonly candidatePredictionsRoot: bigint;
  readonly countsPacked: bigint;
  readonly contextHash: bigint;
}

/** What the score circuit's public signals must be: its twin in TypeScript. */
export async function scoreSignals(score: Score): Promise<ScoreSignals> {
  const poseidon = await loadPoseidon();
  const predictions = (values: ArrayLike<number>, salt: bigint) =>
    vectorRoot({ name: 'predictions', laneBits: 1, values: values, salt });
  const labelsRoot = await vectorRoot({ name: 'labels', laneBits: 1, values: score.labels, salt: score.labelsSalt });
  const baselinePredictionsRoot = await predictions(score.baselinePredictions, score.baselineSalt);
  const candidatePredictionsRoot = await predictions(score.candidatePredictions, score.candidateSalt);
  const countsPacked = pack(jointCounts(score.labels, score.baselinePredictions, score.candidatePredictions));
  const bound = [labelsRoot, baselinePredictionsRoot, candidatePredictionsRoot, countsPacked, score.contextHash];
  return {
    attestationHash: poseidon([tag('attestation'), ...bound]),
    labelsRoot,
    baselinePredictionsRoot,
    candidatePredictionsRoot,
    countsPacked,
    contextHash: score.contextHash,
  };
}

/**
 * The smallest score circuit that holds `rows` rows.
 *
 * @throws HokusaiError `SCORE_TOO_LARGE` (configuration) when none does.
 */
export function scoreCircuit(rows: number): ScoreCircuit {
  const classes = circuitsOf('Score');
  const fitting = classes.find((name) => CIRCUITS[name].args[0] >= rows);
  if (!fitting) {
    const largest = CIRCUITS[classes.at(-1)!].args[0];
    throw new HokusaiError('configuration', 'SCORE_TOO_LARGE', `No score circuit holds ${rows} rows.`, {
      details: { rows, largest },
      next: `Register a fold of at most ${largest} rows; a larger one is sampled by digest.`,
    });
  }
  return fitting;
}

/** The private and public inputs of the score circuit of size class `rows`, padded with zeros. */
export function scoreInput(score: Score, rows: number): Record<string, string | string[]> {
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
  };
}

/** A score with its proof, in snarkjs's forms, and the key that checks it. */
export type ProvenScore = {
  readonly circuit: ScoreCircuit;
  readonly circuitId: Hex;
  readonly attestationHash: string;
  readonly countsPacked: string;
  readonly proof: Groth16Proof;
  readonly publicSignals: readonly string[];
  readonly verificationKey: VerificationKey;
  readonly prover: Proven['prover'];
};

/** Proves a score with the development key of the circuit that fits. One proof is made for one context: a step. */
export async function proveScore(score: Score, executor: Executor, prover?: Proven['prover']): Promise<ProvenScore> {
  const circuit = scoreCircuit(score.labels.length);
  const { attestationHash, countsPacked } = await scoreSignals(score);
  const circuitId = circuitRecords()[circuit].developmentCircuitId;
  return executor.step(
    'prove',
    { circuitId, attestationHash: String(attestationHash) },
    async ({ signal }) => {
      const keyFile = await developmentKeyFile(circuit);
      const input = scoreInput(score, CIRCUITS[circuit].args[0]);
      const proven = await prove(circuit, input, keyFile, { signal, ...(prover && { prover }) });
      return {
        circuit,
        circuitId,
        attestationHash: String(attestationHash),
        countsPacked: String(countsPacked),
        proof: proven.proof,
        publicSignals: proven.publicSignals,
        verificationKey: verificationKey(await readFile(keyFile)),
        prover: proven.prover,
      };
    },
    { retries: 1, timeout: 600 },
  );
}
