import type { Attestation } from '../attest.ts';
import { INFERENCE_CIRCUITS } from '../prove/circuits.ts';
import type { ProvenChunk } from '../prove/inference.ts';
import type { VerificationKey } from '../prove/keys.ts';
import { verifyProof } from '../prove/verify.ts';
import { checkOf, differences } from './attestation.ts';
import { circuitCheck } from './proof.ts';
import type { Check } from './verify.ts';

/** `inference.json`: the key, and of both models a proof and its public signals for each chunk of the fold's rows. */
export interface InferenceFile {
  readonly verificationKey: VerificationKey;
  readonly baseline: readonly ProvenChunk[];
  readonly candidate: readonly ProvenChunk[];
}

/** What can be checked of what both models are said to predict: that an unbroken chain of proofs leads to each root. */
export function inferenceChecks(attestation: Attestation, file: InferenceFile): Check[] {
  const { inference, models } = attestation;
  // Without models the check of the status has failed already.
  if (!inference || !models) return [];
  return [
    { ...circuitCheck(inference, 'inference', file.verificationKey, INFERENCE_CIRCUITS), name: 'inference circuit' },
    ...(['baseline', 'candidate'] as const).map((name) =>
      checkOf(
        `inference of the ${name}`,
        chainProblems(attestation, models[name], name, file),
        `The ${file[name].length} chunks prove that its predictions are those of its model on the fold’s features.`,
      ),
    ),
  ];
}

type Model = NonNullable<Attestation['models']>['baseline'];

/** A chain begins in state 0, each chunk takes up where the one before left off, and only the last has the roots. */
function chainProblems(
  { benchmark }: Attestation,
  { commitment, predictionsRoot }: Model,
  name: 'baseline' | 'candidate',
  { verificationKey, [name]: chunks }: InferenceFile,
): string[] {
  if (chunks.length === 0) return [`inference.json has no chunk of the ${name}`];
  return chunks.flatMap(({ proof, publicSignals }, i) => {
    const last = i === chunks.length - 1;
    const stateIn = i === 0 ? '0' : chunks[i - 1]!.publicSignals[4];
    const stateOut = last ? '0' : publicSignals[4];
    const roots = last ? [benchmark.featuresRoot, predictionsRoot] : ['0', '0'];
    const where = `inference.json ${name}.${i}`;
    const problems = differences({
      [`${where}.publicSignals`]: [publicSignals, [commitment, ...roots, stateIn, stateOut]],
    });
    if (stateOut === '0' && !last) problems.push(`${where} ends the chain before its end`);
    if (!verifyProof(verificationKey, publicSignals, proof)) problems.push(`${where} proves nothing`);
    return problems;
  });
}
