// Charts with axes, as inline SVG. Lines are stretched to the width that there is, text is not.
import { type Html, html } from './html.ts';

type Point = readonly [x: number, y: number];

/** A line of a chart. What it is is told by its dashes as well as by its colour. */
export interface Series {
  readonly points: readonly Point[];
  readonly looks: 'baseline' | 'candidate' | 'third';
  /** Filled to the line of zero, or between the points as they go round. */
  readonly fill?: boolean;
  /** Marks the points. */
  readonly dots?: boolean;
}

/** From `low` to `high`, with words at some of its values. */
export interface Axis {
  readonly label: string;
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

export interface Chart {
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** What chance, or perfection, would look like. */
  readonly diagonal?: boolean;
}

const LOOKS = {
  baseline: { colour: 'var(--soft)', dash: '5 4' },
  candidate: { colour: 'var(--mark)', dash: 'none' },
  third: { colour: 'var(--caution)', dash: '2 3' },
} as const;

/** Of the picture, in pixels: where its lines begin, and how high they go. */
const [TOP, HEIGHT] = [34, 220];
const BOTTOM = TOP + HEIGHT;
/** Where the lines begin, in percent: before are the values of the vertical axis. */
const LEFT = 10;
/** The lines' own units across and down. */
const UNITS = 1000;

const UNIT_TICKS = [0, 0.25, 0.5, 0.75, 1];

/** Axis of shares. */
export const shareAxis = (label: string): Axis => ({ label, low: 0, high: 1, ticks: UNIT_TICKS });

/** Axis that holds all values, with round numbers as ticks. */
export function axisOf(label: string, values: readonly number[]): Axis {
  const finite = values.filter(Number.isFinite);
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  const span = most - least || Math.abs(most) || 1;
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= 5)!;
  const [low, high] = [
    Math.floor(least / step) * step,
    Math.max(Math.ceil(most / step), Math.floor(least / step) + 1) * step,
  ];
  const count = Math.round((high - low) / step);
  return { label, low, high, ticks: Array.from({ length: count + 1 }, (_, i) => low + i * step) };
}

/** A number of a tick, without the digits that its sums may leave. */
const tickText = (value: number): string => String(Number(value.toPrecision(6)));

const shareOf = ({ low, high }: Axis, value: number): number => (value - low) / (high - low);

/** Lines over two axes. */
export function chart({ id, title, description, x, y, series, diagonal }: Chart): Html {
  const across = (value: number) => `${(LEFT + (100 - LEFT) * shareOf(x, value)).toFixed(2)}%`;
  const down = (value: number) => (BOTTOM - HEIGHT * shareOf(y, value)).toFixed(1);
  const anchor = (value: number) => (shareOf(x, value) < 0.05 ? 'start' : shareOf(x, value) > 0.95 ? 'end' : 'middle');
  const rows = y.ticks.map(
    (tick) => html`<line x1="${LEFT}%" x2="100%" y1="${down(tick)}" y2="${down(tick)}" stroke="var(--line)"/>
<text x="${LEFT - 1.5}%" y="${(Number(down(tick)) + 4).toFixed(1)}" text-anchor="end" class="soft">${tickText(tick)}</text>`,
  );
  const columns = x.ticks.map(
    (tick) =>
      html`<text x="${across(tick)}" y="${BOTTOM + 17}" text-anchor="${anchor(tick)}" class="soft">${tickText(tick)}</text>`,
  );
  return html`<svg role="img" aria-labelledby="${id}-title ${id}-description" width="100%" height="${BOTTOM + 42}">
<title id="${id}-title">${title}</title>
<desc id="${id}-description">${description}</desc>
<text x="0" y="12" class="soft">↑ ${y.label}</text>
${rows}
${columns}
${diagonal && html`<line x1="${LEFT}%" x2="100%" y1="${BOTTOM}" y2="${TOP}" stroke="var(--soft)" stroke-dasharray="2 4"/>`}
<svg x="${LEFT}%" y="${TOP}" width="${100 - LEFT}%" height="${HEIGHT}" viewBox="0 0 ${UNITS} ${UNITS}" preserveAspectRatio="none">
${series.map((one) => line(one, x, y))}
</svg>
${series.map((one) => dots(one, across, down))}
<text x="100%" y="${BOTTOM + 36}" text-anchor="end" class="soft">${x.label} →</text>
</svg>`;
}

function line({ points, looks, fill }: Series, x: Axis, y: Axis): Html {
  const { colour, dash } = LOOKS[looks];
  const path = points
    .map(([a, b]) => `${(UNITS * shareOf(x, a)).toFixed(1)},${(UNITS * (1 - shareOf(y, b))).toFixed(1)}`)
    .join(' ');
  const stroke = html`stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}" vector-effect="non-scaling-stroke"`;
  return fill
    ? html`<polygon points="${path}" fill="${colour}" fill-opacity="0.18" stroke="none"/>`
    : html`<polyline points="${path}" fill="none" ${stroke}/>`;
}

function dots({ points, looks, dots: marked }: Series, across: (x: number) => string, down: (y: number) => string) {
  if (!marked) return undefined;
  return points.map(
    ([x, y]) => html`<circle cx="${across(x)}" cy="${down(y)}" r="3.5" fill="${LOOKS[looks].colour}"/>`,
  );
}

/** What the lines are, in the order and with the looks of {@link Series}. */
export function legend(names: Partial<Record<Series['looks'], string>>): Html {
  const one = (
    looks: Series['looks'],
    name: string,
  ) => html`<span class="key"><svg aria-hidden="true" width="26" height="10">
<line x1="0" x2="26" y1="5" y2="5" stroke="${LOOKS[looks].colour}" stroke-width="2" stroke-dasharray="${LOOKS[looks].dash}"/></svg> ${name}</span>`;
  return html`<p class="small soft">${Object.entries(names).map(([looks, name]) => one(looks as Series['looks'], name))}</p>`;
}
