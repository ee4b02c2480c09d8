import type { Attestation } from '../attestation/attest.ts';
import { contextHash } from '../attestation/context.ts';
import { loadPoseidon, tag } from '../commitment.ts';
import { countsLength } from '../delta/delta.ts';
import { countWords } from '../delta/named-counts.ts';
import { CIRCUITS, type CircuitName, circuitRecords, circuitsOf, type ScoreCircuit } from '../prove/circuits.ts';
import { circuitId, type VerificationKey } from '../prove/keys.ts';
import type { Groth16Proof } from '../prove/prove.ts';
import { scoreTemplate } from '../prove/score.ts';
import { verifyProof } from '../prove/verify.ts';
import { checkOf, differences } from './attestation.ts';
import type { Check } from './verify.ts';

/** The files beside an attestation, in snarkjs's formats. */
export interface ProofFiles {
  readonly proof: Groth16Proof;
  readonly publicSignals: readonly string[];
  readonly key: VerificationKey;
}

/** What can be checked of an attestation with its proof: that it is of this settlement, and that it proves the counts. */
export async function proofChecks(attestation: Attestation, files: ProofFiles): Promise<Check[]> {
  const { benchmark, models, counts, proof: stated } = attestation;
  // Without them the check of the status has failed already.
  if (!stated || !models || !counts) return [];
  const poseidon = await loadPoseidon();
  const bound = [
    benchmark.labelsRoot,
    models.baseline.predictionsRoot,
    models.candidate.predictionsRoot,
    ...stated.counts,
    stated.contextHash,
  ];
  const hash = poseidon([tag('attestation'), ...bound.map(BigInt)]);
  return [
    checkOf(
      'proven counts',
      differences({ 'proof.counts': [stated.counts, countWords(counts).map(String)] }),
      'They hold what the attestation states, lane by lane.',
    ),
    checkOf(
      'contextHash',
      differences({
        'proof.contextHash': [stated.contextHash, contextHash({ ...attestation, models, circuitId: stated.circuitId })],
      }),
      'The proof is good for this chain, round, contribution, candidate and settler, and for no other.',
    ),
    checkOf(
      'attestationHash',
      differences({ 'proof.attestationHash': [stated.attestationHash, hash] }),
      'It is the Poseidon hash of the roots, the counts and the context.',
    ),
    checkOf(
      'public signals',
      differences({ 'public.json': [files.publicSignals, [stated.attestationHash, ...bound]] }),
      'What the proof is checked against is what the attestation states.',
    ),
    scoreCircuitCheck(benchmark, stated, files.key),
    checkOf(
      'proof',
      verifyProof(files.key, files.publicSignals, files.proof) ? [] : ['proof.json does not prove public.json'],
      'It proves that the counts follow from the committed labels and predictions.',
    ),
  ];
}

function scoreCircuitCheck(
  { metric, classes, n }: Attestation['benchmark'],
  stated: NonNullable<Attestation['proof']>,
  key: VerificationKey,
): Check {
  // Without a score the check of deltaOne has failed already, and there is no template to compare with.
  if (countsLength(metric, classes) === 0)
    return checkOf('circuit', [`none proves ${metric} of ${classes} classes`], '');
  const check = circuitCheck(stated, 'proof', key, circuitsOf(scoreTemplate(metric, classes)));
  const holds = !check.ok || n <= CIRCUITS[stated.circuit as ScoreCircuit].args[0];
  return holds ? check : checkOf('circuit', [`${stated.circuit} does not hold ${n} rows`], '');
}

/**
 * Whether a key is that of the circuit that is stated, as far as its hash can tell.
 *
 * @param known circuits that may be stated
 * @param where the member of the attestation that states it
 */
export function circuitCheck(
  stated: { readonly circuit: string; readonly circuitId: string },
  where: string,
  key: VerificationKey,
  known: readonly CircuitName[],
): Check {
  const name = stated.circuit as CircuitName;
  if (!known.includes(name)) {
    return checkOf('circuit', [`${where}.circuit is ${stated.circuit}, which this release does not know`], '');
  }
  const problems = differences({ [`${where}.circuitId`]: [stated.circuitId, circuitId(key)] });
  const developmentOf = Object.entries(circuitRecords()).find(
    ([, { developmentCircuitId }]) => developmentCircuitId === stated.circuitId,
  )?.[0];
  if (developmentOf && developmentOf !== name) problems.push(`the key is that of ${developmentOf}, not of ${name}`);
  if (problems.length > 0 || !developmentOf) {
    return checkOf(
      'circuit',
      problems,
      `circuitId is the hash of the key; that it is ${name}’s, its ceremony has to show.`,
    );
  }
  const detail = `The key is ${name}’s development key. Its secrets are public: anybody can prove anything with it.`;
  return { name: 'circuit', ok: true, warning: true, detail };
}
