// The sections that let a reader check: votes and hashes.
import type { Attestation } from '../attestation/attest.ts';
import { type Html, html } from './html.ts';

export function votesSection({ votes, status }: Attestation): Html | undefined {
  if (votes.length === 0) return undefined;
  const lines = votes.map(
    ({ validator, signature }) => html`<div><dt><code>${validator}</code></dt><dd><code>${signature}</code></dd></div>`,
  );
  return html`<section class="long">
<h2>Who signed it</h2>
<p class="soft">${votes.length === 1 ? 'One validator has' : `${votes.length} validators have`} trained and evaluated, come to ${status} with
the same hashes, and signed that.</p>
<dl class="hashes">
${lines}
</dl>
</section>`;
}

type Line = readonly [name: string, meaning: string, value: string];

/** All that the attestation is bound to, in the words of circuit and contract. */
function lines({ contribution, benchmark, models, proof, inference, context, metricsHash }: Attestation): Line[] {
  const of = (name: string, { commitment, trainingSetRoot, predictionsRoot }: NonNullable<typeof models>['baseline']) =>
    [
      [`${name} modelCommitment`, 'its parameters', commitment],
      [`${name} trainingSetRoot`, 'what it was trained on', trainingSetRoot],
      [`${name} predictionsRoot`, 'what it says of the benchmark', predictionsRoot],
    ] as const;
  const proven = proof && [
    [
      'attestationHash',
      'Poseidon hash of roots, counts and context, made inside the proof',
      proof.attestationHash,
    ] as const,
    ['counts', 'what the score is computed from, as the proof reveals it', proof.counts.join(', ')] as const,
    ['contextHash', 'the one settlement that the proof is good for', proof.contextHash] as const,
    ['circuitId', `the verification key of ${proof.circuit}; proven with ${proof.prover}`, proof.circuitId] as const,
  ];
  const inferred = inference && [
    [
      'inference circuitId',
      `the verification key of ${inference.circuit}; proven with ${inference.prover}`,
      inference.circuitId,
    ] as const,
  ];
  const chain: Line[] = [
    ['roundId', 'the round', context.roundId],
    ['modelId', 'the model line', context.modelId],
    ['policyHash', 'the terms of the round', context.policyHash],
    ['benchmarkId', 'the folds that one was drawn from', context.benchmarkId],
    ['trainSpecHash', 'how models are trained', context.trainSpecHash],
    ['settler', 'whose proof it is', context.settler],
    ['Rounds', 'the contract', context.rounds],
    ['ModelRegistry', 'the contract', context.modelRegistry],
    ['CircuitRegistry', 'the contract', context.circuitRegistry],
    ['InferenceRegistry', 'the contract', context.inferenceRegistry],
    ['ValidatorRegistry', 'the contract', context.validatorRegistry],
    ['Rewards', 'the contract', context.rewards],
  ];
  return [
    ...(proven ?? []),
    ...(inferred ?? []),
    ['metricsHash', 'the part of the attestation that validators agree on', metricsHash],
    ['dataRoot', 'the contributed rows', contribution.dataRoot],
    ['contributor', 'who contributed', contribution.contributor],
    ['payeesRoot', 'who is paid, and which share', contribution.payeesRoot],
    ['foldId', 'the benchmark’s part used here', benchmark.foldId],
    ['labelsRoot', 'its labels', benchmark.labelsRoot],
    ['featuresRoot', 'its features', benchmark.featuresRoot],
    ['rowsRoot', 'its rows, to show an overlap by', benchmark.rowsRoot],
    ['quantiserHash', 'how features became integers', benchmark.quantiserHash],
    ...(models ? [...of('baseline', models.baseline), ...of('candidate', models.candidate)] : []),
    ...chain,
  ];
}

export function hashesSection(attestation: Attestation): Html {
  const onChain = attestation.context.chainId !== 0;
  return html`<section class="long">
<h2>Check it yourself</h2>
<p>The folder of this page holds <code>attestation.json</code>${attestation.proof && ' and the proof'}. This recomputes every
count, score and hash from it${attestation.proof && ', and checks the proof'}${onChain && ', and asks a node of the chain whether it says the same'}:</p>
<pre>hokusai verify FOLDER${onChain && ' --rpc URL'}</pre>
<dl class="hashes">
${lines(attestation).map(([name, meaning, value]) => html`<div><dt>${name}<small>${meaning}</small></dt><dd><code>${value}</code></dd></div>`)}
</dl>
</section>`;
}
