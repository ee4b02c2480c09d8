/** The looks of a report: system fonts, one accent for each verdict, light and dark, on screen and on paper. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #1b2227; --soft: #59656e; --line: #dde2e6; --tint: #f4f6f7;
  --good: #137a48; --bad: #b23a2c; --mark: #2a5db0; --caution: #8a5a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #13181b; --ink: #e4e8ea; --soft: #9ba7af; --line: #2d363c; --tint: #1a2125;
    --good: #4fc48d; --bad: #f18675; --mark: #82adf2; --caution: #e0b25a;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  print-color-adjust: exact; -webkit-print-color-adjust: exact;
}
main { max-width: 54rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1, h2, p, dl, dd, pre, table, figure { margin: 0; }
h1 { font-size: 2.5rem; line-height: 1.15; font-weight: 650; letter-spacing: -0.02em; }
h2 { font-size: 1.2rem; line-height: 1.3; font-weight: 650; letter-spacing: -0.005em; }
section { margin-top: 2.75rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
section > * + * { margin-top: 0.9rem; }
p { max-width: 44rem; }
.eyebrow { color: var(--soft); font-size: 0.9rem; margin-bottom: 0.4rem; overflow-wrap: anywhere; }
.lead { font-size: 1.12rem; margin-top: 0.6rem; overflow-wrap: anywhere; }
.soft, figcaption, caption { color: var(--soft); }
.small, figcaption, caption { font-size: 0.9rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
header .caution { margin-top: 0.9rem; }
.caution { border-left: 3px solid var(--caution); padding: 0.1rem 0 0.1rem 0.9rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1.25rem 2rem; margin-top: 1.75rem; }
.figures div { display: flex; flex-direction: column; border-top: 2px solid var(--ink); padding-top: 0.55rem; }
.figures dt { font-size: 0.85rem; font-weight: 600; }
.figures dd { font-size: 1.75rem; line-height: 1.25; font-weight: 600; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.figures dd small { font-size: 0.95rem; font-weight: 400; letter-spacing: 0; color: var(--soft); white-space: nowrap; }
.figures .soft { font-size: 0.82rem; line-height: 1.4; letter-spacing: 0; font-weight: 400; margin-top: 0.2rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 0.95rem; }
caption { text-align: left; padding-bottom: 0.5rem; }
caption strong { color: var(--ink); font-weight: 600; }
th, td { text-align: left; vertical-align: baseline; padding: 0.42rem 1rem 0.42rem 0; border-bottom: 1px solid var(--line); font-weight: 400; }
th:last-child, td:last-child { padding-right: 0; }
thead th { font-size: 0.82rem; color: var(--soft); border-bottom-color: var(--soft); }
tbody th { font-weight: 500; }
.number { text-align: right; white-space: nowrap; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1.5rem 2.5rem; }
.grid td, .grid th { text-align: center; padding: 0.55rem 0.5rem; border: 2px solid var(--paper); }
.grid thead th, .grid tbody th { border-bottom-color: var(--paper); color: var(--soft); font-size: 0.85rem; font-weight: 400; }
.grid tbody th { text-align: left; padding-left: 0; width: 30%; }
.grid td { font-size: 1.25rem; line-height: 1.25; font-weight: 600; background: color-mix(in srgb, var(--shade) calc(8% + var(--share) * 0.3), var(--paper)); }
.grid td small { display: block; font-size: 0.78rem; font-weight: 400; color: var(--soft); }
.dense td, .dense th { padding: 0.25rem 0.2rem; } .dense td { font-size: 0.9rem; font-weight: 500; }
.stacked > * + * { margin-top: 1.5rem; }
.right { --shade: var(--good); } .wrong { --shade: var(--bad); } .same { --shade: var(--soft); }
svg { display: block; overflow: visible; }
svg text { font: 500 13px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: var(--ink); font-variant-numeric: tabular-nums; }
svg text.soft { fill: var(--soft); font-weight: 400; }
.bars td:nth-child(2) { width: 55%; }
.bar { min-width: 7rem; width: 25%; }
.key { display: inline-flex; align-items: center; gap: 0.4rem; margin-right: 1.2rem; }
.parties small { display: block; color: var(--soft); font-weight: 400; }
.transactions code { font-size: 0.78em; }
.badge { font-size: 0.78rem; color: var(--soft); border: 1px solid var(--line); border-radius: 1rem; padding: 0.05rem 0.5rem; white-space: nowrap; }
.here th, .here td { background: var(--tint); }
.here th:first-child { box-shadow: inset 3px 0 var(--mark); }
.levels th:first-child { padding-left: 0.8rem; white-space: nowrap; }
.hashes { font-size: 0.88rem; }
.hashes div { display: grid; grid-template-columns: 15rem 1fr; gap: 0 1.5rem; padding: 0.45rem 0; border-bottom: 1px solid var(--line); }
.hashes dt { font-weight: 500; } .hashes dt small { display: block; color: var(--soft); font-weight: 400; line-height: 1.35; }
code, pre { font: 0.86em/1.5 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { background: var(--tint); padding: 0.8rem 1rem; white-space: pre-wrap; }
footer { margin-top: 3rem; color: var(--soft); font-size: 0.85rem; overflow-wrap: anywhere; }
@media (max-width: 36rem) {
  main { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 2rem; }
  .figures { grid-template-columns: 1fr 1fr; gap: 1rem; }
  .figures dd { font-size: 1.4rem; }
  .hashes div { grid-template-columns: 1fr; }
  .bars td:nth-child(2) { width: 38%; }
  th, td { padding-right: 0.6rem; }
  .wrap td { white-space: normal; }
  .bar, .stack .bar { display: none; }
  .stack .number { text-align: left; white-space: normal; }
  .stack thead { position: absolute; clip-path: inset(50%); height: 1px; overflow: hidden; }
  .stack tr { display: block; padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  .stack th, .stack td { display: block; border: 0; padding: 0.05rem 0.8rem; }
  .stack td::before { content: attr(data-head) ": "; color: var(--soft); }
}
@media print {
  :root {
    color-scheme: light;
    --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --tint: #f4f6f7;
    --good: #137a48; --bad: #b23a2c; --mark: #2a5db0; --caution: #8a5a00;
  }
  body { font-size: 11pt; }
  main { max-width: none; padding: 0; }
  section { margin-top: 1.5rem; padding-top: 1rem; }
  section, table, figure, .hashes div { break-inside: avoid; }
  section.long { break-inside: auto; }
}
@page { margin: 18mm 16mm; }
`;
