import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { loadPoseidon, modelCommitment, saltOf, tag, vectorRoot } from '../../offchain/commitment.ts';
import { dataRootOf, rowDigests, rowsRoot } from '../../offchain/data-root.ts';
import { append, byDigest, integrate } from '../../offchain/integrate.ts';
import { parseSchema } from '../../offchain/schema.ts';
import { ciphertextHash, seal, unseal } from '../../offchain/seal.ts';
import type { Table } from '../../offchain/table.ts';

const SCHEMA = parseSchema({
  version: 1,
  label: { name: 'y', positive: 'yes', negative: 'no' },
  columns: [
    { name: 'a', type: 'number' },
    { name: 'b', type: 'category', categories: ['p', 'q'], other: true },
    { name: 'id', type: 'ignored', reason: 'identifier' },
  ],
});
const SECRET = Buffer.alloc(32, 7);

type Row = readonly [a: string, b: string | null, y: string];

const tableOf = (rows: readonly Row[], order: readonly number[] = [2, 0, 1]): Table => {
  const columns = ['a', 'b', 'y'].map((name, at) => ({ name, values: rows.map((row) => row[at]!) }));
  const ids = { name: 'id', values: rows.map((_, row) => String(row)) };
  const lines = Uint32Array.from(rows, (_, row) => row + 2);
  return { file: 'test.csv', rows: rows.length, columns: [...order.map((at) => columns[at]!), ids], lines };
};

const someRow: fc.Arbitrary<Row> = fc.tuple(
  fc.integer({ min: -50, max: 50 }).map(String),
  fc.constantFrom('p', 'q', 'r', null),
  fc.constantFrom('yes', 'no'),
);
const someRows: fc.Arbitrary<Row[]> = fc.array(someRow, { minLength: 1, maxLength: 20 });
const root = (table: Table, secret = SECRET) => dataRootOf(table, SCHEMA, secret);

describe('dataRoot', () => {
  it('is the same for any order of rows and columns, any duplicates, any spelling of a number, and any ignored value', () => {
    fc.assert(
      fc.property(someRows, fc.nat(), (rows, at) => {
        const spelled = rows.map(([a, b, y]): Row => [`${a}.0`, b, y]).toReversed();
        const again = [...spelled, spelled[at % spelled.length]!];
        assert.deepEqual(root(tableOf(again, [0, 1, 2])), root(tableOf(rows)));
      }),
    );
  });

  it('differs for any changed value, for a dropped or added row, and for another secret', () => {
    fc.assert(
      fc.property(someRows, fc.nat(), fc.constantFrom(0, 1, 2), (rows, at, column) => {
        const row = rows[at % rows.length]!;
        const other = [String(Number(row[0]) + 101), row[1] === 's' ? 't' : 's', row[2] === 'yes' ? 'no' : 'yes'][
          column
        ]!;
        const changed = row.with(column, other) as unknown as Row;
        const distinct = (given: readonly Row[]) =>
          [...new Set(given.map((each) => JSON.stringify(each)))].sort().join();
        const mutant = rows.with(at % rows.length, changed);
        if (distinct(mutant) === distinct(rows)) return;
        assert.notEqual(root(tableOf(mutant)).dataRoot, root(tableOf(rows)).dataRoot);
        assert.notEqual(root(tableOf([...rows, ['1000', 'p', 'yes']])).dataRoot, root(tableOf(rows)).dataRoot);
        assert.notEqual(root(tableOf(rows), Buffer.alloc(32, 8)).dataRoot, root(tableOf(rows)).dataRoot);
      }),
    );
  });

  it('keeps a row apart from its features, and one row apart from two', () => {
    const [one, two] = [
      tableOf([['1', 'p', 'yes']]),
      tableOf([
        ['1', 'p', 'yes'],
        ['1', 'p', 'no'],
      ]),
    ];
    const [features] = rowDigests(one, SCHEMA, 'features');
    assert.notEqual(features, rowDigests(one, SCHEMA, 'row')[0]);
    assert.deepEqual(rowDigests(two, SCHEMA, 'features'), [features, features]);
    assert.equal(root(two).rows, 2);
    assert.notEqual(rowsRoot([features!], SECRET), rowsRoot([features!], Buffer.alloc(32, 1)));
  });
});

describe('integrate', () => {
  it('leaves out what the head knows and what occurs twice, and counts rows that are in the benchmark under any label', () => {
    const [head, contribution, benchmark] = [
      tableOf([
        ['1', 'p', 'yes'],
        ['2', 'p', 'no'],
      ]),
      tableOf([
        ['1', 'p', 'yes'],
        ['3', 'p', 'no'],
        ['3.0', 'p', 'no'],
        ['9', null, 'yes'],
      ]),
      tableOf([
        ['9', null, 'no'],
        ['8', 'q', 'no'],
      ]),
    ];
    assert.deepEqual(integrate(contribution, head, benchmark, SCHEMA), { fresh: [1, 3], duplicates: 2, overlap: 1 });
  });

  it('orders by digest whatever the order in the file, so that every validator sums alike', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const digests = (table: Table) => rowDigests(byDigest(table, SCHEMA), SCHEMA, 'row');
        assert.deepEqual(digests(tableOf(rows.toReversed())), digests(tableOf(rows)));
        assert.deepEqual(digests(append(tableOf(rows), tableOf(rows, [1, 2, 0]))), digests(tableOf(rows)));
      }),
    );
  });
});

describe('vectorRoot', () => {
  it('absorbs blocks of 240 rows, column by column, in groups of fifteen elements, as its formula says', async () => {
    const poseidon = await loadPoseidon();
    const columns = [0, 1].map((column) => Array.from({ length: 250 }, (_, row) => (row * 7 + column * 31) % 256));
    // 8 bits, and two groups a block.
    let state = poseidon([tag('features'), 250n, 8n + 256n, 5n]);
    for (const block of [0, 240]) {
      // 30 bytes an element, so 8 elements a column, and 16 in all: one group of 15, and one of 1 and 14 zeros.
      const elements = columns.flatMap((column) =>
        Array.from({ length: 8 }, (_, element) => {
          const bytes = Array.from({ length: 30 }, (_, lane) =>
            element * 30 + lane < 240 ? (column[block + element * 30 + lane] ?? 0) : 0,
          );
          return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
        }),
      );
      state = poseidon([state, ...elements.slice(0, 15)]);
      state = poseidon([state, ...elements.slice(15), ...new Array<bigint>(14).fill(0n)]);
    }
    assert.equal(await vectorRoot({ name: 'features', laneBits: 8, columns, salt: 5n }), state);
    // A block of one element is absorbed alone.
    const bits = Array.from({ length: 240 }, (_, row) => row % 2);
    const packed = bits.reduceRight((sum, bit) => sum * 2n + BigInt(bit), 0n);
    const root = poseidon([poseidon([tag('labels'), 240n, 1n, 5n]), packed]);
    assert.equal(await vectorRoot({ name: 'labels', laneBits: 1, columns: [bits], salt: 5n }), root);
  });

  it('differs by a further column of zeros where that needs another group', async () => {
    const zeros = new Array<number>(10).fill(0);
    const rootOf = (count: number) =>
      vectorRoot({ name: 'features', laneBits: 8, columns: new Array<number[]>(count).fill(zeros), salt: 5n });
    const roots = await Promise.all([1, 2, 15, 30, 31].map(rootOf));
    assert.equal(new Set(roots).size, roots.length);
  });

  it('differs for another model, a sign, an exchange of weights, and another salt', async () => {
    const model = {
      version: 1,
      family: 'linear',
      weights: [1, -2, 3],
      bias: 4,
      scale: 5,
      quantiserHash: '0x00',
    } as const;
    const commit = (changes: object, salt = 1n) =>
      modelCommitment({ ...model, weights: [...model.weights], ...changes }, salt);
    const roots = [
      commit({}),
      commit({ bias: -4 }),
      commit({ weights: [1, 3, -2] }),
      commit({ weights: [1, 2, 3] }),
      commit({ weights: [1, -2, 3, 0] }),
      commit({}, 2n),
    ];
    assert.equal(new Set(await Promise.all(roots)).size, roots.length);
  });

  it('makes a salt of its own for each purpose, below the field', () => {
    const salts = [saltOf(SECRET, 'a', 'b'), saltOf(SECRET, 'ab'), saltOf(SECRET, 'a'), saltOf(Buffer.alloc(32), 'a')];
    assert.equal(new Set(salts).size, salts.length);
    assert.ok(salts.every((salt) => salt >= 0n && salt < 1n << 248n));
  });
});

describe('seal', () => {
  const key = Buffer.alloc(32, 3);
  const contents = { data: Buffer.from('a,y\n1,yes\n'), contributionSecret: SECRET };

  it('opens with its key to what went in, and no two ciphertexts of the same are alike', () => {
    const ciphertext = seal(contents, key);
    const opened = unseal(ciphertext, key);
    assert.deepEqual(Buffer.from(opened.data), contents.data);
    assert.deepEqual(Buffer.from(opened.contributionSecret), contents.contributionSecret);
    assert.notEqual(ciphertextHash(ciphertext), ciphertextHash(seal(contents, key)));
  });

  it('does not open with another key, with any byte changed, or cut short', () => {
    const ciphertext = seal(contents, key);
    const broken = { code: 'SEAL_BROKEN', kind: 'terminal' };
    assert.throws(() => unseal(ciphertext, Buffer.alloc(32, 4)), broken);
    for (let at = 0; at < ciphertext.length; at++) {
      assert.throws(() => unseal(Buffer.from(ciphertext).fill(ciphertext[at]! ^ 1, at, at + 1), key), broken);
    }
    for (const length of [0, 5, 27, ciphertext.length - 1])
      assert.throws(() => unseal(ciphertext.subarray(0, length), key), broken);
  });
});
