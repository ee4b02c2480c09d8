import assert from 'node:assert/strict';
import { it } from 'node:test';
import { PiiScanner } from '../../offchain/pii/scanner.ts';
import { type LabelledText, labelledColumn, labelledTexts } from './pii-labelled.ts';

interface Counts {
  found: number;
  missed: number;
  wrong: number;
}

/** Of persons and addresses half a value counts as found, of all else the whole alone. */
const isSame = (type: string, a: { start: number; end: number }, b: { start: number; end: number }): boolean => {
  const common = Math.min(a.end, b.end) - Math.max(a.start, b.start);
  const longer = Math.max(a.end - a.start, b.end - b.start);
  return type === 'person' || type === 'address' ? 2 * common >= longer : common === longer;
};

/** Of each type what was found and was there, was there alone, and was found alone. */
function count(texts: readonly LabelledText[]): Map<string, Counts> {
  const scanner = new PiiScanner(['note'], {});
  scanner.scan(
    0,
    texts.map(({ text }) => text),
    1,
  );
  const byRow = Map.groupBy(scanner.findings(), ({ row }) => row);
  const counts = new Map<string, Counts>();
  const of = (type: string) => counts.set(type, counts.get(type) ?? { found: 0, missed: 0, wrong: 0 }).get(type)!;
  for (const [at, { labels }] of texts.entries()) {
    const findings = byRow.get(at + 1) ?? [];
    for (const label of labels) {
      const hit = findings.some((finding) => finding.type === label.type && isSame(label.type, finding, label));
      of(label.type)[hit ? 'found' : 'missed']++;
    }
    for (const finding of findings) {
      const right = labels.some((label) => finding.type === label.type && isSame(label.type, finding, label));
      if (!right) of(finding.type).wrong++;
    }
  }
  return counts;
}

const AIMS: Readonly<Record<string, { recall?: number; precision?: number; f1?: number }>> = {
  person: { recall: 0.7, precision: 0.8 },
  address: { recall: 0.7, precision: 0.8 },
  phone: { f1: 0.9 },
};

it('finds in texts what is labelled, and little else', (t) => {
  const counts = count(labelledTexts(20_261, 12_000));
  t.diagnostic('type                        values  recall  precision  F1');
  for (const [type, { found, missed, wrong }] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const recall = found / (found + missed);
    const precision = found / (found + wrong);
    const f1 = (2 * found) / (2 * found + missed + wrong);
    t.diagnostic(
      `${type.padEnd(26)} ${String(found + missed).padStart(7)}  ${recall.toFixed(3)}      ${precision.toFixed(3)}  ${f1.toFixed(3)}`,
    );
    const aim = AIMS[type] ?? { f1: 0.97 };
    assert(recall >= (aim.recall ?? 0) && precision >= (aim.precision ?? 0) && f1 >= (aim.f1 ?? 0), type);
  }
});

it('finds numbers of telephones in a column that is called so', (t) => {
  for (const name of ['phone', 'mobilePhone', 'Contact Tel', 'phone_number']) {
    const cells = labelledColumn(7, 'phone', 2_000);
    const scanner = new PiiScanner([name], {});
    scanner.scan(0, cells, 1);
    const findings = scanner.findings();
    const there = cells.filter((cell) => cell && /\d/.test(cell)).length;
    const right = findings.filter(
      ({ type, row, start, end }) => type === 'phone' && cells[row - 1]!.length === end - start,
    ).length;
    const f1 = (2 * right) / (there + findings.length);
    t.diagnostic(`${name}: F1 ${f1.toFixed(3)}`);
    assert(f1 >= 0.9 && there > 1_500);
  }
});
