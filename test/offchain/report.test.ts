import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Attestation } from '../../offchain/attestation/attest.ts';
import { delta, pack } from '../../offchain/delta/delta.ts';
import { circuitRecords } from '../../offchain/prove/circuits.ts';
import { html } from '../../offchain/report/html.ts';
import { grouped, percent, points, seconds, tokens } from '../../offchain/report/numbers.ts';
import { intervalPicture } from '../../offchain/report/pictures.ts';
import { reportHtml } from '../../offchain/report/report.ts';
import { belowGate, cellCounts, overlapping, TERMS, unproven } from './attestations.ts';
import { elements } from './page.ts';

/** A round's attestation with every part that a report shows; its hashes need not be right for that. */
function settled(): Attestation {
  const hash = `0x${'ab'.repeat(32)}` as const;
  const attestation = unproven(`0x${'c1'.repeat(20)}`, hash);
  attestation.context.chainId = 10;
  const { developmentCircuitId } = circuitRecords().score512;
  const signals = { attestationHash: '111', counts: ['222'], contextHash: '333' };
  attestation.proof = { circuit: 'score512', circuitId: developmentCircuitId, ...signals, prover: 'native' };
  attestation.votes = [{ validator: `0x${'12'.repeat(20)}`, signature: `0x${'34'.repeat(65)}` }];
  const [seat, contributor] = [`0x${'12'.repeat(20)}`, attestation.contribution.contributor];
  attestation.context.settler = seat;
  attestation.round = {
    committee: [
      { validator: seat, status: 'SCORED' },
      { validator: `0x${'13'.repeat(20)}`, status: 'UNAVAILABLE' },
      { validator: `0x${'14'.repeat(20)}` },
    ],
    ...{ voteDeadline: 1_800_000_000, revealDeadline: 1_800_003_600, deadline: 1_800_007_200 },
    finalisableAt: 1_800_000_600,
    payments: [
      { account: contributor, wei: '20000000000000000' },
      { account: seat, wei: '5000000000000001' },
    ],
  };
  attestation.transactions = [
    { action: 'commit', by: contributor, hash, gas: 254_116, block: 7 },
    { action: 'settle', by: seat.toUpperCase().replace('0X', '0x'), hash, gas: 426_661, block: 10 },
    { action: 'claim', by: `0x${'15'.repeat(20)}`, hash, gas: 117_416, block: 12 },
  ];
  return attestation;
}

const PAGES: Readonly<Record<string, () => Attestation>> = {
  settled,
  'a dry run below the gate': belowGate,
  'rejected before training': overlapping,
};

/** What a reader reads, in order. */
const textOf = (attestation: Attestation) =>
  reportHtml(attestation)
    .replace(/.*<body>/s, '')
    .replaceAll(/<[^<>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');

describe('report', () => {
  for (const [title, attestation] of Object.entries(PAGES)) {
    it(`is well-formed and can be read by everybody: ${title}`, () => {
      const all = elements(reportHtml(attestation()));
      const named = (...names: string[]) => all.filter(({ name }) => names.includes(name));
      assert.equal(named('html')[0]!.attributes.lang, 'en');
      assert.equal(named('h1').length, 1);
      assert.ok(named('h2').length >= 4);
      assert.equal(named('caption').length, named('table').length);
      for (const cell of named('th')) assert.ok(cell.attributes.scope, cell.text);
      for (const { attributes } of named('svg')) {
        assert.ok(attributes['aria-hidden'] === 'true' || attributes['aria-labelledby'], 'a picture without words');
      }
      const ids = all.flatMap(({ attributes }) => attributes.id ?? []);
      assert.equal(new Set(ids).size, ids.length);
      const references = all.flatMap(({ attributes }) => attributes['aria-labelledby']?.split(' ') ?? []);
      for (const id of references) assert.ok(ids.includes(id), id);
    });

    it(`needs no network and no script: ${title}`, () => {
      const page = reportHtml(attestation());
      assert.doesNotMatch(page, /https?:|url\(|@import|<script|<link|<img|<iframe|\ssrc=|\shref=|\son[a-z]+=/i);
    });
  }

  it('escapes what others named', () => {
    const hostile = `<script>alert("x")</script>&amp;'"><svg onload=alert(1)>`;
    const attestation = settled();
    Object.assign(attestation, { name: hostile, evaluator: hostile, reason: hostile });
    attestation.steps = [{ name: hostile, seconds: 1, reused: false }];
    attestation.transactions[0]!.action = hostile;
    attestation.proof!.circuit = hostile;
    const page = reportHtml(attestation);
    const all = elements(page);
    assert.ok(!all.some(({ name, attributes }) => name === 'script' || 'onload' in attributes));
    const escaped =
      '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;amp;&#39;&quot;&gt;&lt;svg onload=alert(1)&gt;';
    assert.equal(page.split(escaped).length - 1, 7);
  });

  it('says of an accepted contribution what it gains, in tokens and percentage points', () => {
    const attestation = settled();
    attestation.delta!.reward = '4790000000000000001';
    const text = textOf(attestation);
    assert.match(text, /✔ Accepted/);
    assert.match(text, /Reward 4\.790000000000000001 tokens/);
    assert.match(text, /DeltaOne \+7\.74 pp/);
    assert.match(text, /Payable \+4\.79 pp/);
    assert.match(text, /fixed 24 and broke 2: 22 more are right/);
    assert.match(text, /Accuracy right of all; what is paid for 91\.20 % 98\.94 % \+7\.74 /, 'rounded as deltaOne is');
    assert.match(text, /Guardrail: recall \+10\.00 pp ≥ −1\.00 pp ✔ yes/);
    assert.match(text, /Positive rows \d+ ≥ 40 ✔ yes/);
    assert.match(text, /1 scored this one/);
    assert.match(text, /Made with a development key\./);
    assert.match(text, /validate 0\.21 s reused integrate 0\.40 s /);
    assert.match(text, /commit contributor 254,116 7 0xabab.* settle seat 1 426,661 10 0xabab/);
    assert.match(text, /claim 0x1515151515\w+ 117,416 12 0xabab/);
    assert.match(text, /hokusai verify FOLDER --rpc URL/);
  });

  it('says who was drawn, what each voted, by when, and what fee and bond came to', () => {
    const attestation = settled();
    const text = textOf(attestation);
    assert.match(text, /3 validators were drawn/);
    assert.match(text, /Contributor 0x(c1){20} has no vote 0\.02 /);
    assert.match(text, /Seat 1 0x(12){20} ✔ SCORED, and ended the round/);
    assert.match(text, /ended the round 0\.005000000000000001 /);
    assert.match(text, /Seat 2 0x(13){20} UNAVAILABLE 0 Seat 3 0x(14){20} revealed no vote 0 /);
    assert.match(text, /Votes committed 2027-01-15 08:00:00 UTC Votes revealed 2027-01-15 09:00:00 UTC/);
    delete attestation.round!.payments;
    attestation.round!.finalisableAt = 0;
    const open = textOf(attestation);
    assert.match(open, /has no vote later /);
    assert.doesNotMatch(open, /Objections/);
    assert.doesNotMatch(textOf(overlapping()), /Who took part/);
  });

  it('shows every hash in full', () => {
    const attestation = settled();
    const page = reportHtml(attestation);
    const values = JSON.stringify(attestation).match(/0x[0-9a-f]{40,}|(?<=")\d{70,}(?=")/gi)!;
    assert.ok(values.length > 20);
    for (const value of values) assert.ok(page.includes(`<code>${value}</code>`), value);
  });

  it('warns of a development key only where it is one', () => {
    const attestation = settled();
    attestation.proof!.circuitId = `0x${'00'.repeat(32)}`;
    assert.doesNotMatch(textOf(attestation), /development key/);
  });

  it('says why a contribution was rejected, whether or not it was scored', () => {
    const below = textOf(belowGate());
    assert.match(below, /✖ Rejected The model trained with the data is not better by enough/);
    assert.match(below, /Reward 0 tokens nothing is paid below the gate DeltaOne −7\.75 pp/);
    assert.match(below, /Lower bound −10\.59 pp &gt; \+0\.10 pp ✖ no/);
    assert.match(below, /no proof with this attestation: it rests on whoever wrote it/);
    assert.match(below, /hokusai verify FOLDER /);
    const overlap = textOf(overlapping());
    assert.match(
      overlap,
      /✖ Rejected Rows of the benchmark are in the contribution\. Four rows are in the benchmark too\. Nothing is paid\./,
    );
    assert.doesNotMatch(overlap, /Is the gain real|Accuracy|DeltaOne/);
    assert.match(overlap, /Overlap 4 /);
  });

  it('shows the metric that is paid for, its exact test if it has one, and which guardrail failed', () => {
    const attestation = settled();
    const { benchmark } = attestation;
    const counts = cellCounts(attestation);
    const guardrails = [{ metric: 'accuracy' as const, maxLossBps: 0n }];
    // Eight of 40 positive rows more are found, and 13 more negative rows are said to be positive.
    counts.cells = [187, 2, 4, 0, 13, 8, 40, 30];
    for (const metric of ['recall', 'f1'] as const) {
      benchmark.metric = metric;
      attestation.delta = delta(metric, 2, [pack(counts.cells)], { ...TERMS, guardrails, minPositives: 0n });
      const text = textOf(attestation);
      assert.equal(attestation.delta.failed, metric === 'recall' ? 'guardrail' : 'bound');
      assert.match(text, /Guardrail: accuracy −0\.\d\d pp ≥ 0\.00 pp ✖ no/);
      assert.match(text, new RegExp(`${metric === 'f1' ? 'F1' : 'Recall'} [a-z ]+; what is paid for `));
      assert.match(text, new RegExp(`Percentage points of ${metric === 'f1' ? 'F1' : metric}\\.`));
      assert.equal(/Exact test 8 fixed of 8 changed/.test(text), metric === 'recall');
      assert.doesNotMatch(text, /Positive rows/);
    }
    counts.cells = [200, 40, 0, 0, 22, 22, 0, 0];
    benchmark.metric = 'precision';
    attestation.delta = delta('precision', 2, [pack(counts.cells)], { ...TERMS, guardrails, minPositives: 0n });
    assert.equal(attestation.delta.failed, 'undefined');
    assert.match(textOf(attestation), /Lower bound undefined &gt; \+0\.10 pp ✖ no/);
  });

  it('shows undefined metrics, and an exact test that does not apply, as such', () => {
    const attestation = settled();
    // A baseline that never says positive: lanes 2, 3, 6 and 7 are empty.
    const cells = cellCounts(attestation).cells.map((count, cell, all) =>
      (cell & 2) !== 0 ? 0 : count + all[cell + 2]!,
    );
    Object.assign(attestation.counts!, { cells, fixed: 200, broken: 26 });
    const text = textOf(attestation);
    assert.match(text, /said to be undefined 98\.58 % Recall/);
    assert.match(text, /not needed for more than 225 changed rows/);
  });
});

describe('pictures and numbers', () => {
  it('the picture keeps the order of bound, gate, zero and estimate, and inside its frame', () => {
    for (const interval of [
      { deltaOneBps: 774, payableBps: 479, minDeltaBps: 10 },
      { deltaOneBps: -775, payableBps: -1059, minDeltaBps: 10 },
      { deltaOneBps: 0, payableBps: 0, minDeltaBps: 0 },
      { deltaOneBps: 5, payableBps: -3, minDeltaBps: 9_999 },
    ]) {
      const { markup } = intervalPicture(interval);
      const x = (pattern: RegExp) => Number(pattern.exec(markup)![1]);
      const [bound, gate] = [x(/x="([\d.]+)%" y="104"/), x(/x="([\d.]+)%" y="17"/)];
      const [zero, estimate] = [x(/x="([\d.]+)%" y="141"/), x(/<circle cx="([\d.]+)%"/)];
      const { deltaOneBps, payableBps, minDeltaBps } = interval;
      const drawn = [bound, gate, zero, estimate];
      const values = [payableBps, minDeltaBps, 0, deltaOneBps];
      for (const [i, a] of values.entries()) {
        assert.ok(drawn[i]! >= 5 && drawn[i]! <= 95);
        for (const [j, b] of values.entries()) assert.equal(Math.sign(drawn[i]! - drawn[j]!), Math.sign(a - b));
      }
      assert.equal(markup.includes('var(--good)'), payableBps > minDeltaBps);
    }
  });

  it('numbers read the same everywhere', () => {
    assert.deepEqual([0, 999, 1_000, 1_234_567].map(grouped), ['0', '999', '1,000', '1,234,567']);
    assert.deepEqual(['0', '5', '-1059', '774'].map(points), ['0.00', '+0.05', '−10.59', '+7.74']);
    assert.deepEqual(['0', '1', '4790000000000000000'].map(tokens), ['0', '0.000000000000000001', '4.79']);
    assert.deepEqual([0.214, 12.34, 123.4].map(seconds), ['0.21 s', '12.3 s', '123 s']);
    assert.equal(percent(1, 3), '33.3 %');
  });

  it('escapes text, leaves markup, and leaves out what is not there', () => {
    assert.equal(
      html`<b>${'<&"\'>'}${html`<i></i>`}${undefined}${false}${[1, '>']}</b>`.markup,
      '<b>&lt;&amp;&quot;&#39;&gt;<i></i>1&gt;</b>',
    );
  });
});
