import { type Html, html, page } from '../report/html.ts';
import type { NearDuplicates } from './duplicates.ts';
import type { Summary } from './summary.ts';

const LISTED = 100;

/** The report as a page that needs nothing else. */
export function summaryPage(summary: Summary): string {
  const { quality, duplicates } = summary;
  const figure = (name: string, value: string | number) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return page(
    summary.path,
    html`<p class="eyebrow">${summary.path}</p>
<h1 class="${summary.valid ? 'good' : 'bad'}">${summary.valid ? 'Valid' : 'Not valid'}</h1>
<dl class="figures">${[
      figure('Rows', summary.rows),
      figure('Rows that break a rule', summary.rejectedRows),
      figure('Duplicates', duplicates.exact),
      figure('Quality of 100', quality.score),
    ]}</dl>
${list('Problems', summary.problems)}
${table(
  'Violations',
  ['Column', 'Expected', 'Rows', 'Which', 'Looks like'],
  summary.violations.map(({ column, expected, count, rows, examples }) => [
    column,
    expected,
    count,
    rows.slice(0, LISTED).join(', ') + (count > LISTED ? ', …' : ''),
    examples.join(' '),
  ]),
)}
${table(
  'Against the model’s schema',
  ['Column', 'Problem', 'Rows'],
  summary.misfits.map(({ column, problem, count }) => [column, problem, count]),
)}
${table(
  'Personal data',
  ['Column', 'Type', 'Rows', 'Action'],
  summary.pii.map(({ column, type, rows, action }) => [column, type, rows, action]),
)}
${table(
  'In other tables',
  ['Table', 'Rows', 'But for the label'],
  duplicates.against.map(({ path, rows, features }) => [path, rows, features]),
)}
${table('Near duplicates', ['In', 'Rows near to an earlier one', 'From similarity'], nearOf(duplicates.near))}
${table(
  'Quality',
  ['Part', 'Value', 'Weight', 'Because'],
  quality.parts.map(({ name, value, weight, because }) => [
    name,
    `${(100 * value).toFixed(1)}\u00a0%`,
    weight,
    because,
  ]),
)}
${table(
  'Drift',
  ['Column', 'PSI', 'KS'],
  (summary.drift ?? []).map(({ column, psi, ks }) => [column, psi.toFixed(3), ks?.toFixed(3) ?? '']),
)}
${table(
  'Columns',
  ['Column', 'Type', 'Missing'],
  summary.columns.map(({ name, type, missing }) => [name, type, missing]),
)}
${list('Warnings', summary.warnings)}`,
  );
}

function list(title: string, items: readonly string[]): Html | false {
  if (items.length === 0) return false;
  return html`<section><h2>${title}</h2><ul>${items.map((item) => html`<li>${item}</li>`)}</ul></section>`;
}

function nearOf(near: NearDuplicates | undefined): (readonly [string, number, number])[] {
  if (!near) return [];
  const texts = Object.entries(near.texts).map(([column, count]) => [column, count, near.threshold] as const);
  return [['numbers', near.numeric, near.threshold], ...texts];
}

type Cell = string | number;

const isNumeric = (cell: Cell): boolean => typeof cell === 'number' || /^(?:\d+\.\d+(?:\u00a0%)?)?$/.test(cell);

function table(title: string, heads: readonly string[], rows: readonly (readonly Cell[])[]): Html | false {
  if (rows.length === 0) return false;
  const kinds = heads.map((_, i) => rows.every((row) => isNumeric(row[i]!)) && 'number');
  const cells = (row: readonly Cell[]) =>
    row.map((cell, i) => html`<td class="${kinds[i]}" data-head="${heads[i]}">${cell}</td>`);
  const titles = heads.map((head, i) => html`<th class="${kinds[i]}">${head}</th>`);
  return html`<section class="long"><h2>${title}</h2><table><thead><tr>${titles}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${cells(row)}</tr>`)}</tbody></table></section>`;
}
