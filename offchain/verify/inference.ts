import type { Attestation } from '../attestation/attest.ts';
import { INFERENCE_CIRCUITS } from '../prove/circuits.ts';
import type { ProvenChunk } from '../prove/inference.ts';
import { circuitId, type VerificationKey } from '../prove/keys.ts';
import { verifyProof } from '../prove/verify.ts';
import { checkOf, differences } from './attestation.ts';
import { circuitCheck } from './proof.ts';
import type { Check } from './verify.ts';

/** `inference/`: of both models a proof, its public signals and the key for each chunk of the fold's rows. */
export interface InferenceFiles {
  readonly baseline: readonly ChunkFiles[];
  readonly candidate: readonly ChunkFiles[];
}

export type ChunkFiles = ProvenChunk & { readonly verificationKey: VerificationKey };

/** What can be checked of what both models are said to predict: that an unbroken chain of proofs leads to each root. */
export function inferenceChecks(attestation: Attestation, files: InferenceFiles): Check[] {
  const { inference, models } = attestation;
  // Without models the check of the status has failed already.
  if (!inference || !models) return [];
  const { verificationKey } = files.baseline[0] ?? files.candidate[0] ?? {};
  return [
    ...(verificationKey
      ? [{ ...circuitCheck(inference, 'inference', verificationKey, INFERENCE_CIRCUITS), name: 'inference circuit' }]
      : []),
    ...(['baseline', 'candidate'] as const).map((name) =>
      checkOf(
        `inference of the ${name}`,
        chainProblems(attestation, models[name], name, files[name]),
        `${files[name].length === 1 ? 'The chunk proves' : `The ${files[name].length} chunks prove`} that its predictions are those of its model on the fold’s features.`,
      ),
    ),
  ];
}

type Model = NonNullable<Attestation['models']>['baseline'];

/** A chain begins in state 0, each chunk takes up where the one before left off, and only the last has the roots. */
function chainProblems(
  { benchmark, inference }: Attestation,
  { commitment, predictionsRoot }: Model,
  name: 'baseline' | 'candidate',
  chunks: readonly ChunkFiles[],
): string[] {
  if (chunks.length === 0) return [`inference/ has no chunk of the ${name}`];
  return chunks.flatMap(({ proof, publicSignals, verificationKey }, i) => {
    const last = i === chunks.length - 1;
    const stateIn = i === 0 ? '0' : chunks[i - 1]!.publicSignals[4];
    const stateOut = last ? '0' : publicSignals[4];
    const roots = last ? [benchmark.featuresRoot, predictionsRoot] : ['0', '0'];
    const where = `inference/${name}.${i + 1}`;
    const problems = differences({
      [`${where}.public.json`]: [publicSignals, [commitment, ...roots, stateIn, stateOut]],
    });
    if (stateOut === '0' && !last) problems.push(`${where} ends the chain before its end`);
    if (circuitId(verificationKey) !== inference!.circuitId)
      problems.push(`${where}.verification_key.json is another key`);
    if (!verifyProof(verificationKey, publicSignals, proof)) problems.push(`${where} proves nothing`);
    return problems;
  });
}
