import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { canonicalJson } from '../../offchain/canonical.ts';
import { canonicalRow, checkTable, labelsOf } from '../../offchain/table/check-table.ts';
import { fitQuantiser, quantise, quantiserHash } from '../../offchain/table/quantise.ts';
import { inferSchema } from '../../offchain/table/schema.ts';
import { readCsv, selectRows, writeCsv } from '../../offchain/table/table.ts';
import { predict } from '../../offchain/train/linear.ts';
import { referenceTrainer } from '../../offchain/train/reference.ts';
import { tableOf, uniform, xorshift } from './tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'hokusai-messy-'));
after(() => rmSync(folder, { recursive: true }));

const ROWS = 50_000;
/** SHA-256 of the model's canonical JSON: another value on any machine is a defect. */
const GOLDEN = 'c65b7f7a38674a364898a96e26e081ad21f8494a0ec89c784d9ba93f1d4cefec';
const NUMBERS = 12;
const NAMES = [
  'customer_id',
  'email',
  'city',
  'plan',
  'comment',
  'country',
  ...Array.from({ length: NUMBERS }, (_, at) => `n${at}`),
  'paid_back',
];

/** Numbers with and without heavy tails, in several spellings, text, missing cells; a label that follows from some. */
function messyRows(): { rows: (string | null)[][]; ideal: Uint8Array } {
  const next = xorshift(20_240_101);
  const u = uniform(99);
  const ideal = new Uint8Array(ROWS);
  const rows = Array.from({ length: ROWS }, (_, row) => {
    const city = Math.floor(400 * u() * u() * u());
    const plan = next() % 4;
    const numbers = Array.from({ length: NUMBERS }, () => u() + u() + u() - 1.5);
    const signal = numbers.slice(0, 6).reduce((sum, z) => sum + z, 0) + (plan === 2 ? 1 : 0) + (city === 0 ? 0.5 : 0);
    ideal[row] = Number(signal > 0);
    const label = signal + 2 * (u() - 0.5) > 0 ? 'yes' : 'no';
    const cells = numbers.map((z, at) => {
      if (next() % 20 === 0) return ['', 'NA', '?'][next() % 3]!;
      const value = Math.round(1e4 * (at % 2 === 0 ? z : 10 / (1.6 - z)));
      return next() % 3 === 0 ? `${value}e-4` : (value / 1e4).toFixed(4);
    });
    const comment = next() % 3 === 0 ? null : `said "${next().toString(36)}",\n${row % 7}`;
    const person = [String(900_000 + 3 * row), `u${next()}@example.org`];
    return [
      ...person,
      `City ${city}, ${'é'.repeat(city % 3)}`,
      ['gold', 'free', 'pro', null][plan]!,
      comment,
      'JP',
      ...cells,
      label,
    ];
  });
  return { rows, ideal };
}

it('takes a messy table of 50,000 rows from file to model', async (t) => {
  const file = join(folder, 'messy.csv');
  const { rows, ideal } = messyRows();
  writeCsv(file, tableOf(NAMES, rows));

  let last = performance.now();
  const tell = (step: string): void => {
    const now = performance.now();
    t.diagnostic(`${step} ${Math.round(now - last)} ms`);
    last = now;
  };
  const table = await readCsv(file);
  tell('readCsv');
  for (const [column, { values }] of table.columns.entries()) {
    assert(values.every((value, row) => value === (rows[row]![column] || null)));
  }
  last = performance.now();
  const { schema, warnings } = inferSchema(table, { label: 'paid_back' });
  tell('inferSchema');
  assert.deepEqual(checkTable(table, schema), []);
  tell('checkTable');
  const kinds = schema.columns.map((column) => (column.type === 'ignored' ? column.reason : column.type));
  const numbers = Array.from({ length: NUMBERS }, () => 'number');
  assert.deepEqual(kinds, ['identifier', 'identifier', 'category', 'category', 'identifier', 'constant', ...numbers]);
  const told = warnings.map(({ code, column }) => `${code} ${column}`);
  assert.deepEqual(told, [
    'COLUMN_IDENTIFIER customer_id',
    'COLUMN_IDENTIFIER email',
    'COLUMN_IDENTIFIER comment',
    'COLUMN_CONSTANT country',
  ]);

  const canonical = canonicalRow(table, schema, 'row');
  const digests = Array.from({ length: ROWS }, (_, row) => createHash('sha256').update(canonical(row)).digest('hex'));
  tell('canonicalRow and SHA-256');
  const order = [...digests.keys()].sort((a, b) => (digests[a]! < digests[b]! ? -1 : 1));
  const [train, test] = [selectRows(table, order.slice(0, 40_000)), selectRows(table, order.slice(40_000))];
  tell('order and split');
  const quantiser = fitQuantiser(train, schema);
  tell('fitQuantiser');
  const features = quantise(train, quantiser);
  tell('quantise');
  const input = { features, labels: labelsOf(train, schema), classes: 2, quantiserHash: quantiserHash(quantiser) };
  const { model, report } = await referenceTrainer().train(input);
  tell(`train on 40,000 x ${features.columns.length}, ${report.optimum.iterations} iterations,`);
  t.diagnostic(`peak memory of the process ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);

  const labels = labelsOf(test, schema);
  const said = predict(model, quantise(test, quantiser));
  const right = (of: ArrayLike<number>): number =>
    labels.filter((label, row) => label === of[row]).length / labels.length;
  const [ours, best] = [right(said), right(order.slice(40_000).map((row) => ideal[row]!))];
  t.diagnostic(
    `accuracy ${ours}, of the rule behind the labels ${best}; changed by rounding ${report.rounding.changed}`,
  );
  assert(ours > best - 0.04);
  assert(report.rounding.changed <= 10);
  assert.equal(
    createHash('sha256')
      .update(canonicalJson({ ...model }))
      .digest('hex'),
    GOLDEN,
  );
});
