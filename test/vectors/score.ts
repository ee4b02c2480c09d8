import { readFileSync } from 'node:fs';
import type { Hex } from 'viem';
import type { CircuitName } from '../../offchain/prove/circuits.ts';
import type { Groth16Proof } from '../../offchain/prove/prove.ts';
import { laneBitsOf, type Score, type ScoreSignals } from '../../offchain/prove/score.ts';

type Texts = Record<Exclude<keyof Score, 'classes'>, string> & { classes: number };
type Signals = Record<Exclude<keyof ScoreSignals, 'counts'>, string> & { counts: readonly string[] };

interface Table {
  readonly cases: readonly { name: string; score: Texts; signals: Signals }[];
  readonly proof: { circuit: CircuitName; case: string; key: Hex; publicSignals: readonly string[]; proof: Groth16Proof };
}

const table: Table = JSON.parse(readFileSync(new URL('score.json', import.meta.url), 'utf8'));

/** Values of so many bits, each of so many hexadecimal digits. */
function values(text: string, bits: number): Uint8Array | Uint16Array {
  const digits = Math.ceil(bits / 4);
  const at = (i: number) => Number.parseInt(text.slice(digits * i, digits * (i + 1)), 16);
  const list = Array.from({ length: text.length / digits }, (_, i) => at(i));
  return bits > 8 ? Uint16Array.from(list) : Uint8Array.from(list);
}

function scoreOf({ metric, classes, labels, baselinePredictions, candidatePredictions, ...rest }: Texts): Score {
  const bits = laneBitsOf(metric, classes);
  return {
    ...{ metric, classes },
    labels: values(labels, bits.labels),
    baselinePredictions: values(baselinePredictions, bits.predictions),
    candidatePredictions: values(candidatePredictions, bits.predictions),
    labelsSalt: BigInt(rest.labelsSalt),
    baselineSalt: BigInt(rest.baselineSalt),
    candidateSalt: BigInt(rest.candidateSalt),
    contextHash: BigInt(rest.contextHash),
  };
}

/** Rows, and the public signals they must give everywhere, in the circuit's order. */
export const SCORE_CASES = table.cases.map(({ name, score, signals: { counts, contextHash, ...first } }) => ({
  name,
  score: scoreOf(score),
  signals: [...Object.values(first), ...counts, contextHash].map(BigInt),
}));

/** A real proof of one of the cases, with the development key of its circuit. */
export const SCORE_PROOF = table.proof;
