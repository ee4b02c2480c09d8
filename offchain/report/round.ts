// The sections on how the round went: who was drawn and voted, by when, what was paid, and each transaction.
import type { Attestation } from '../attestation/attest.ts';
import { type Html, html } from './html.ts';
import { grouped, tokens } from './numbers.ts';

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/** Who was drawn, what each voted, and what fee and bond came to. */
export function committeeSection({ round, contribution, votes, context }: Attestation): Html | undefined {
  if (!round) return undefined;
  const { committee, payments = [] } = round;
  const paid = (account: string) => tokens(payments.find((payment) => same(payment.account, account))?.wei ?? '0');
  const known = [contribution.contributor, ...committee.map(({ validator }) => validator)];
  const others = payments.filter(({ account }) => !known.some((one) => same(one, account)));
  const line = (who: string, account: string, part: Html | string) =>
    html`<tr><th scope="row">${who}<small><code>${account}</code></small></th><td>${part}</td><td class="number">${round.payments ? paid(account) : 'later'}</td></tr>`;
  const seats = committee.map(({ validator, status }, i) => {
    const agrees = votes.some((vote) => same(vote.validator, validator));
    const role = same(validator, context.settler) ? ', and ended the round' : '';
    const part = html`${agrees ? '✔ ' : ''}${status ?? 'revealed no vote'}${role}`;
    return line(`Seat ${i + 1}`, validator, part);
  });
  return html`<section>
<h2>Who took part</h2>
<p>${committee.length === 1 ? 'One validator was' : `${committee.length} validators were`} drawn. Each committed to a vote before it could see
another one, and then revealed it. A ✔ marks the votes that agree in every hash, by which the round ended.</p>
<table class="parties">
<caption>What each did, and what fee and bond came to, in ether; the reward is not in it</caption>
<thead><tr><th scope="col">Who</th><th scope="col">Vote</th><th scope="col" class="number">Paid</th></tr></thead>
<tbody>
${line('Contributor', contribution.contributor, 'has no vote')}
${seats}
${others.map(({ account }) => line('Sponsor', account, 'has no vote'))}
</tbody>
</table>
${deadlines(round)}
</section>`;
}

function deadlines({ voteDeadline, revealDeadline, deadline, finalisableAt }: NonNullable<Attestation['round']>): Html {
  const time = (seconds: number) => new Date(1000 * seconds).toISOString().replace('T', ' ').replace('.000Z', ' UTC');
  const line = (what: string, seconds: number) =>
    html`<tr><th scope="row">${what}</th><td class="number">${time(seconds)}</td></tr>`;
  return html`<table>
<caption>By when; pauses would have put it off</caption>
<thead><tr><th scope="col">Phase</th><th scope="col" class="number">Until</th></tr></thead>
<tbody>
${line('Votes committed', voteDeadline)}
${line('Votes revealed', revealDeadline)}
${line('Settled with a proof', deadline)}
${finalisableAt > 0 && line('Objections, before the reward can be claimed', finalisableAt)}
</tbody>
</table>`;
}

/** Who sent a transaction, by part in the round; anybody else by address. */
function sender({ round, contribution }: Attestation, by: string): Html | string {
  if (same(by, contribution.contributor)) return 'contributor';
  const seat = round?.committee.findIndex(({ validator }) => same(validator, by)) ?? -1;
  return seat >= 0 ? `seat ${seat + 1}` : html`<code>${by}</code>`;
}

export function transactionsSection(attestation: Attestation): Html | undefined {
  const { transactions } = attestation;
  if (transactions.length === 0) return undefined;
  const total = transactions.reduce((sum, { gas }) => sum + gas, 0);
  const lines = transactions.map(
    ({ action, by, gas, block, hash }) =>
      html`<tr><th scope="row">${action}</th><td>${sender(attestation, by)}</td><td class="number">${grouped(gas)}</td><td class="number">${grouped(block)}</td><td><code>${hash}</code></td></tr>`,
  );
  return html`<section class="long">
<h2>What it cost on the chain</h2>
<table class="transactions">
<caption>Transactions, ${grouped(total)} gas in all</caption>
<thead><tr><th scope="col">Action</th><th scope="col">By</th><th scope="col" class="number">Gas</th><th scope="col" class="number">Block</th><th scope="col">Transaction</th></tr></thead>
<tbody>
${lines}
</tbody>
</table>
</section>`;
}
