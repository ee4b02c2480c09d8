// Inline SVG. Lengths across are percentages and nothing is scaled, so that text keeps its size at every width.
import { type Html, html } from './html.ts';
import { points } from './numbers.ts';

/** What the picture of the interval shows, in bps. */
export interface Interval {
  readonly deltaOneBps: number;
  readonly payableBps: number;
  readonly minDeltaBps: number;
}

/** The estimate and its lower bound against the gate and zero: the bound has to be right of the gate. */
export function intervalPicture({ deltaOneBps, payableBps, minDeltaBps }: Interval): Html {
  const all = [0, deltaOneBps, payableBps, minDeltaBps];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const span = Math.max(high - low, 1);
  const at = (bps: number) => 6 + (88 * (bps - low)) / span;
  const x = (bps: number) => `${at(bps).toFixed(2)}%`;
  // Labels lean inwards at the edges.
  const anchor = (bps: number) => (at(bps) < 18 ? 'start' : at(bps) > 82 ? 'end' : 'middle');
  const colour = payableBps > minDeltaBps ? 'var(--good)' : 'var(--bad)';
  const description = `On an axis of percentage points: zero, the gate at ${points(minDeltaBps)}, the lower bound at ${points(payableBps)}, the point estimate at ${points(deltaOneBps)}.`;
  return html`<svg role="img" aria-labelledby="interval-title interval-description" width="100%" height="150">
<title id="interval-title">The estimate and its lower bound against the gate</title>
<desc id="interval-description">${description}</desc>
<rect x="${x(minDeltaBps)}" y="26" width="${(100 - at(minDeltaBps)).toFixed(2)}%" height="92" fill="var(--tint)"/>
<line x1="0" x2="100%" y1="118" y2="118" stroke="var(--soft)"/>
<line x1="${x(0)}" x2="${x(0)}" y1="26" y2="124" stroke="var(--soft)"/>
<text x="${x(0)}" y="141" text-anchor="middle" class="soft">0</text>
<line x1="${x(minDeltaBps)}" x2="${x(minDeltaBps)}" y1="26" y2="118" stroke="var(--ink)" stroke-width="1.5" stroke-dasharray="4 3"/>
<text x="${x(minDeltaBps)}" y="17" text-anchor="${anchor(minDeltaBps)}">gate ${points(minDeltaBps)}</text>
<line x1="${x(deltaOneBps)}" x2="100%" y1="74" y2="74" stroke="${colour}" stroke-width="2" stroke-dasharray="2 5" opacity="0.7"/>
<line x1="${x(payableBps)}" x2="${x(deltaOneBps)}" y1="74" y2="74" stroke="${colour}" stroke-width="4"/>
<line x1="${x(payableBps)}" x2="${x(payableBps)}" y1="63" y2="85" stroke="${colour}" stroke-width="4"/>
<circle cx="${x(deltaOneBps)}" cy="74" r="7" fill="${colour}"/>
<text x="${x(payableBps)}" y="104" text-anchor="${anchor(payableBps)}">lower bound ${points(payableBps)}</text>
<text x="${x(deltaOneBps)}" y="53" text-anchor="${anchor(deltaOneBps)}">estimate ${points(deltaOneBps)}</text>
</svg>`;
}

/** One step's time, after the steps before it. A reused step, which took its time in an earlier run, is hollow. */
export function stepBar(start: number, seconds: number, total: number, reused: boolean): Html {
  const share = (value: number) => `${((100 * value) / total).toFixed(2)}%`;
  const looks = reused ? html`fill="none" stroke="var(--soft)" stroke-dasharray="3 2"` : html`fill="var(--mark)"`;
  // A bar is never too thin to be seen, and the last one stays inside.
  const width = Math.max(seconds, total / 200);
  const x = share(Math.min(start, total - width));
  return html`<svg aria-hidden="true" width="100%" height="12">
<line x1="0" x2="100%" y1="6" y2="6" stroke="var(--line)"/>
<rect x="${x}" y="1" width="${share(width)}" height="10" ${looks}/>
</svg>`;
}

/** How a share changed: from a ring to a dot, on a line of 0 to 1. The figures are told beside it. */
export function changeBar(before: number, after: number): Html {
  const x = (share: number) => `${(2 + 96 * share).toFixed(2)}%`;
  const colour = after > before ? 'var(--good)' : after < before ? 'var(--bad)' : 'var(--soft)';
  return html`<svg aria-hidden="true" width="100%" height="14">
<line x1="2%" x2="98%" y1="7" y2="7" stroke="var(--line)"/>
<line x1="${x(before)}" x2="${x(after)}" y1="7" y2="7" stroke="${colour}" stroke-width="3"/>
<circle cx="${x(before)}" cy="7" r="4" fill="var(--paper)" stroke="${colour}" stroke-width="1.5"/>
<circle cx="${x(after)}" cy="7" r="5" fill="${colour}"/>
</svg>`;
}
