import { ASSURANCE, type Attestation, TRUSTED_ALWAYS } from '../attestation/attest.ts';
import { circuitRecords } from '../prove/circuits.ts';
import { hashesSection, votesSection } from './evidence.ts';
import { type Html, html, page } from './html.ts';
import { grouped, points, seconds, tokens } from './numbers.ts';
import { stepBar } from './pictures.ts';
import { committeeSection, transactionsSection } from './round.ts';
import { METRIC, rowsSections, scoreSections } from './score.ts';

/** What each status means to whoever contributed. */
const MEANING: Readonly<Record<Attestation['status'], string>> = {
  SCORED: 'The model trained with the data is better on the sealed benchmark, by more than chance explains.',
  BELOW_GATE: 'The model trained with the data is not better by enough to rule out chance.',
  UNAVAILABLE: 'The data could not be fetched, was not the file committed to, or did not decrypt.',
  ROOT_MISMATCH: 'The data is not the data that was committed to.',
  OVERLAP: 'Rows of the benchmark are in the contribution.',
  SCHEMA: 'The data does not fit the model’s schema.',
  PII: 'The data holds personal data that was neither removed nor keyed-hashed.',
  TOO_FEW_ROWS: 'Too few rows are left that the model has not been trained on already.',
  TRAINING_FAILED: 'The registered training did not end in a model.',
};

/**
 * What an evaluation found, for people: one HTML page that needs nothing else, no network and no script, on screen in
 * light and dark and on paper. Everything from the attestation is escaped.
 */
export function reportHtml(attestation: Attestation): string {
  const verdict = attestation.accepted ? 'Accepted' : 'Rejected';
  return page(
    `${verdict}: ${attestation.name}, Hokusai evaluation`,
    html`${header(attestation, verdict)}
${scoreSections(attestation)}
${rowsSections(attestation)}
${contributionSection(attestation)}
${assuranceSection(attestation)}
${committeeSection(attestation)}
${stepsSection(attestation)}
${transactionsSection(attestation)}
${votesSection(attestation)}
${hashesSection(attestation)}
<footer><p>Written by ${attestation.evaluator}. No row, label or prediction of anybody’s data is in this page.</p></footer>`,
  );
}

function header(attestation: Attestation, verdict: string): Html {
  const { name, status, accepted, reason, delta, context } = attestation;
  const where = context.chainId === 0 ? 'dry run, on no chain' : `chain ${context.chainId}`;
  return html`<header>
<p class="eyebrow">Hokusai evaluation · ${name} · ${where}</p>
<h1 class="${accepted ? 'good' : 'bad'}">${accepted ? '✔' : '✖'} ${verdict}</h1>
<p class="lead">${MEANING[status]}</p>
<p class="soft">${reason}</p>
${delta ? figures(attestation, delta) : html`<p class="lead"><strong>Nothing is paid.</strong></p>`}
</header>`;
}

function figures({ accepted, benchmark, context }: Attestation, delta: NonNullable<Attestation['delta']>): Html {
  const paidBy = delta.payPoint ? 'the estimate' : 'the lower bound';
  const perPoint = `${tokens(delta.tokensPerDeltaOne)} for each point of ${paidBy}, at most ${tokens(delta.maxReward)}`;
  const reward = accepted
    ? `${context.chainId === 0 ? 'in a round it would be paid: ' : ''}${perPoint}`
    : 'nothing is paid below the gate';
  const figure = (term: string, value: string, unit: string, meaning: string) => html`<div>
<dt>${term}</dt>
<dd>${value} <small>${unit}</small></dd>
<dd class="soft">${meaning}</dd>
</div>`;
  const pp = 'pp';
  return html`<dl class="figures">
${figure('Reward', tokens(delta.reward), 'tokens', reward)}
${figure('DeltaOne', points(delta.deltaOneBps), pp, `percentage points of ${METRIC[benchmark.metric].name} gained: the estimate`)}
${figure('Payable', points(delta.payableBps), pp, 'the lower bound: the gain is at least that, but for a small chance')}
${figure('Gate', points(delta.minDeltaBps), pp, 'the lower bound has to be above it')}
</dl>`;
}

function contributionSection({ contribution, models }: Attestation): Html {
  const { rows, rowsUsed, duplicates, overlap, integration, quality } = contribution;
  const line = (term: string, value: number, meaning: string) =>
    html`<tr><th scope="row">${term}</th><td class="number">${grouped(value)}</td><td class="soft">${meaning}</td></tr>`;
  return html`<section>
<h2>What was contributed</h2>
<table>
<caption>Counts only: the page holds nothing of the rows themselves.</caption>
<thead><tr><th scope="col">What</th><th scope="col" class="number">Count</th><th scope="col">Meaning</th></tr></thead>
<tbody>
${line('Rows', rows, 'committed to')}
${line('New rows', rowsUsed, 'not in the model’s training set before, so the candidate learned from them')}
${line('Duplicates', duplicates, 'left out: twice in the contribution, or in the training set already')}
${integration && line('Over the limit', integration.overRows, 'new rows left out, since the policy takes no more of one contribution; a draw decides which')}
${integration && line('Conflicting', integration.conflicting, 'new rows left out, since others of the contribution have the same key')}
${integration && line('Not replacing', integration.overReplaced, 'new rows left out, since they would have replaced more of the model’s rows than the policy allows')}
${integration && line('Replaced', integration.replaced, 'rows of the training set whose place new rows with the same key took')}
${line('Overlap', overlap, 'rows whose features are in the benchmark too')}
${quality.positives !== undefined && line('Positive labels', quality.positives, 'among the rows')}
${line('Missing cells', quality.missingCells, `of ${grouped(quality.cells)}`)}
${models && line('Training rows before', models.baseline.trainingRows, 'of the baseline')}
${models && line('Training rows after', models.candidate.trainingRows, 'of the candidate')}
</tbody>
</table>
</section>`;
}

function assuranceSection({ proof, assurance, votes }: Attestation): Html {
  const levels = ASSURANCE.map(({ name, proven, trusted }, i) => {
    const here = proof && name === assurance;
    return html`<tr class="${here ? 'here' : ''}"><th scope="row">${i + 1} ${name}${here && html` <span class="badge">this one</span>`}</th><td data-head="Proven">${proven}</td><td data-head="Left to validators">${trusted}</td></tr>`;
  });
  const development =
    proof && Object.values(circuitRecords()).some((record) => record.developmentCircuitId === proof.circuitId);
  const warning = html`<p class="caution"><strong>Made with a development key.</strong> Its secrets are public, so anybody can make
such a proof of anything: good for trying out, worth nothing as evidence.</p>`;
  const without = html`<p>There is no proof with this attestation: it rests on ${votes.length > 0 ? 'the validators who signed it' : 'whoever wrote it'}.</p>`;
  return html`<section>
<h2>What was proven, and what was not</h2>
${proof ? undefined : without}
${development ? warning : undefined}
<table class="levels stack">
<caption>Who has to be trusted for what, by assurance level</caption>
<thead><tr><th scope="col">Level</th><th scope="col">Proven in zero knowledge</th><th scope="col">Left to validators</th></tr></thead>
<tbody>
${levels}
</tbody>
</table>
<p class="soft small">${TRUSTED_ALWAYS}</p>
</section>`;
}

function stepsSection({ steps }: Attestation): Html | undefined {
  if (steps.length === 0) return undefined;
  const total = steps.reduce((sum, step) => sum + step.seconds, 0);
  const lines = steps.map((step, i) => {
    const start = steps.slice(0, i).reduce((sum, earlier) => sum + earlier.seconds, 0);
    const badge = step.reused
      ? html`<span class="badge">${step.from ? `cache, ${step.from}` : 'reused'}</span>`
      : undefined;
    return html`<tr><th scope="row">${step.name}</th><td>${stepBar(start, step.seconds, total || 1, step.reused)}</td><td class="number">${seconds(step.seconds)}</td><td>${badge}</td></tr>`;
  });
  return html`<section>
<h2>What was done</h2>
<table class="bars">
<caption>The steps one after another, ${seconds(total)} in all. A reused one had been done before, one from the cache by another run.</caption>
<thead><tr><th scope="col">Step</th><th scope="col">When</th><th scope="col" class="number">Took</th><th scope="col">From</th></tr></thead>
<tbody>
${lines}
</tbody>
</table>
</section>`;
}
