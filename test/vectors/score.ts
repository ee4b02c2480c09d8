import { readFileSync } from 'node:fs';
import type { Hex } from 'viem';
import type { CircuitName } from '../../offchain/prove/circuits.ts';
import type { Groth16Proof } from '../../offchain/prove/prove.ts';
import type { Score, ScoreSignals } from '../../offchain/prove/score.ts';

interface Table {
  readonly cases: readonly { name: string; score: Record<keyof Score, string>; signals: Record<keyof ScoreSignals, string> }[];
  readonly proof: { circuit: CircuitName; case: string; key: Hex; publicSignals: readonly string[]; proof: Groth16Proof };
}

const table: Table = JSON.parse(readFileSync(new URL('score.json', import.meta.url), 'utf8'));

const bits = (text: string) => Uint8Array.from(text, Number);

/** Rows, and the public signals they must give everywhere. */
export const SCORE_CASES = table.cases.map(({ name, score, signals }) => ({
  name,
  score: {
    labels: bits(score.labels),
    baselinePredictions: bits(score.baselinePredictions),
    candidatePredictions: bits(score.candidatePredictions),
    labelsSalt: BigInt(score.labelsSalt),
    baselineSalt: BigInt(score.baselineSalt),
    candidateSalt: BigInt(score.candidateSalt),
    contextHash: BigInt(score.contextHash),
  } satisfies Score,
  signals: Object.values(signals).map(BigInt),
}));

/** A real proof of one of the cases, with the development key of its circuit. */
export const SCORE_PROOF = table.proof;
