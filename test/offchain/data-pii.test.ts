import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scanPii } from '../../offchain/data/pii.ts';
import { profile } from '../../offchain/data/profile.ts';
import { stage } from '../../offchain/data/stage.ts';
import { REJECTED } from '../../offchain/pii/clean.ts';
import { type PiiFinding, PiiScanner } from '../../offchain/pii/scanner.ts';
import { scratch, withDatabase } from './data-tables.ts';

const { write } = scratch();

/** Cells in whose bytes has to be seen what a recogniser would: anchors of each kind, blanks of all kinds, numbers, NULs' kin. */
const ODD = [
  ...[
    'ask anna.smith@example.com today',
    'call +1 212 555 0143 now',
    'seen by Dr Anna Smith',
    'host 10.20.30.40 is up',
  ],
  ...[
    'https://me:secret@example.com/',
    'key AKIAIOSFODNN7EXAMPLE',
    '00:1b:44:11:3a:b7',
    'ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  ],
  ...[
    'été chez Élodie Martin',
    '\u00a0',
    '\u3000\u2003',
    ' ',
    '\t',
    '  padded  ',
    '12.50',
    ' 12.50 ',
    '2020-01-31',
    '-',
    'x',
  ],
  ...[
    '123456789012',
    '4111 1111 1111 1111',
    '"quoted", with a comma',
    'two\nlines',
    '\u0085',
    '\u001f',
    '\ufeff',
    'deadbeef'.repeat(5),
  ],
];

const ROWS = (cells: readonly string[]) => cells.map((cell) => `"${cell.replaceAll('"', '""')}",x\n`).join('');

describe('personal data of a staged table', () => {
  it('is found and cleaned as cell by cell, beyond the values that a column is decided by', async () => {
    const plain = Array.from({ length: 9000 }, (_, i) => `nothing to see here ${'abcdefghij'[i % 10]}`);
    const cells = [...plain, ...ODD, ...plain.slice(0, 50), ...ODD.toReversed()];
    const options = { action: 'mask', types: { email: 'remove', ip: 'reject' } } as const;
    const expected = new PiiScanner(['note', 'x'], options);
    expected.scan(0, cells, 1);
    expected.scan(
      1,
      Array.from(cells, () => 'x'),
      1,
    );
    const clean = expected.cleaner();
    const wanted = cells.map((cell) => clean(0, cell));
    await withDatabase(async (db) => {
      const staged = async (texts: readonly string[]) => profile(db, await stage(db, write(`note,x\n${ROWS(texts)}`)));
      const found: PiiFinding[] = [];
      const scanned = await scanPii(db, await staged(cells), options, (finding) => found.push(finding));
      assert.ok(found.length >= 12, `${found.length} findings`);
      assert.deepEqual(found, expected.findings());
      assert.deepEqual(scanned.report, expected.report());
      const { table, rejected } = await scanned.clean();
      const refused = wanted.flatMap((cell, i) => (cell === REJECTED ? [i + 1] : []));
      assert.ok(refused.length > 0);
      assert.deepEqual((await db.rows<[number]>(`SELECT row FROM ${rejected} ORDER BY row`)).flat(), refused);
      const again = await staged(wanted.map((cell, i) => (cell === REJECTED ? cells[i]! : (cell ?? ''))));
      const texts = (of: string) => db.rows<[string | null]>(`SELECT k0 FROM ${of} ORDER BY row`);
      assert.deepEqual(await texts(table.cells), await texts(again.cells));
    });
  });
});
