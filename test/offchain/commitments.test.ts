import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  featureBitsOf,
  featuresRoot,
  loadPoseidon,
  parametersOf,
  parametersRoot,
  saltOf,
  tag,
  vectorRoot,
} from '../../offchain/commitment.ts';
import { ciphertextHash, seal, unseal } from '../../offchain/seal.ts';
import { dataRootOf, rowDigests, rowsRoot } from '../../offchain/table/data-root.ts';
import { append, byDigest, integrate } from '../../offchain/table/integrate.ts';
import { parseSchema } from '../../offchain/table/schema.ts';
import type { Table } from '../../offchain/table/table.ts';

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
    const line = { trainingSet: head, benchmark, schema: SCHEMA, integration: {} };
    const { fresh, ...counts } = integrate(contribution, line);
    assert.deepEqual([...fresh].sort(), [1, 3]);
    assert.deepEqual(counts, {
      replaced: [],
      ignored: { known: 1, repeated: 1, conflicting: 0, overReplaced: 0, overRows: 0 },
      near: { trainingSet: 0, benchmark: 1 },
      overlap: 1,
      balance: { before: [1, 1], after: [2, 2] },
    });
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

describe('commitments to vectors, features and models', async () => {
  const poseidon = await loadPoseidon();
  const featuresOf = (rows: number, count: number) => ({
    rows,
    columns: Array.from({ length: count }, (_, j) => `x${j}`),
    values: Uint8Array.from({ length: rows * count }, (_, i) => i * 7),
  });

  it('absorb fifteen rows of features at a time, and 240 labels, as their formulas say', async () => {
    const [rows, count] = [17, 33];
    const features = featuresOf(rows, count);
    // 33 bytes a row: one element of 31, and one of 2; so two groups a block of 15 rows.
    let state = poseidon([tag('features'), 17n, 8n + 256n, 5n]);
    for (const block of [0, 15]) {
      for (const [from, to] of [
        [0, 31],
        [31, 33],
      ] as const) {
        const group = Array.from({ length: 15 }, (_, k) => {
          const row = block + k;
          const bytes = Array.from({ length: to - from }, (_, j) => features.values[(from + j) * rows + row]!);
          return row < rows ? bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n) : 0n;
        });
        state = poseidon([state, ...group]);
      }
    }
    assert.equal(await featuresRoot(features, 5n, 8), state);
    // A block of one element is absorbed alone.
    const bits = Array.from({ length: 240 }, (_, row) => row % 2);
    const packed = bits.reduceRight((sum, bit) => sum * 2n + BigInt(bit), 0n);
    const root = poseidon([poseidon([tag('labels'), 240n, 1n, 5n]), packed]);
    assert.equal(await vectorRoot({ name: 'labels', laneBits: 1, values: bits, salt: 5n }), root);
  });

  it('absorb a feature of nine rows at a time for a linear model, as its formula says', async () => {
    const [rows, count] = [11, 17];
    const features = featuresOf(rows, count);
    // Two groups of 15 features a block of nine rows.
    let state = poseidon([tag('features'), 11n, 26n + 256n, 5n]);
    for (const block of [0, 9]) {
      for (const group of [0, 15]) {
        const elements = Array.from({ length: 15 }, (_, k) => {
          const value = (i: number) => (group + k < count ? features.values[(group + k) * rows + block + i]! : 0);
          const lanes = Array.from({ length: Math.min(9, rows - block) }, (_, i) => BigInt(value(i)) << BigInt(26 * i));
          return lanes.reduce((sum, lane) => sum + lane, 0n);
        });
        state = poseidon([state, ...elements]);
      }
    }
    assert.equal(await featuresRoot(features, 5n, featureBitsOf('linear')), state);
  });

  it('differ by further columns of zeros where a row needs another element', async () => {
    const rootOf = (count: number) => {
      const features = featuresOf(10, count);
      return featuresRoot({ ...features, values: new Uint8Array(10 * count) }, 5n, 8);
    };
    const roots = await Promise.all([1, 31, 32, 62, 63].map(rootOf));
    assert.equal(new Set(roots).size, 3);
  });

  it('pack values of eight and of sixteen bits, and tell their widths apart', async () => {
    const values = Array.from({ length: 250 }, (_, row) => (row * 37) % 256);
    for (const [laneBits, lanes, groups] of [
      [8, 30, 1],
      [16, 15, 2],
    ] as const) {
      let state = poseidon([tag('labels'), 250n, BigInt(laneBits + 256 * (groups - 1)), 5n]);
      for (const block of [0, 240]) {
        const elements = Array.from({ length: 15 * groups }, (_, e) => {
          const from = block + e * lanes;
          const lane = values.slice(from, Math.max(from, Math.min(from + lanes, block + 240)));
          return lane.reduceRight((sum, value) => (sum << BigInt(laneBits)) + BigInt(value), 0n);
        });
        for (let g = 0; g < groups; g++) state = poseidon([state, ...elements.slice(15 * g, 15 * g + 15)]);
      }
      assert.equal(await vectorRoot({ name: 'labels', laneBits, values, salt: 5n }), state, String(laneBits));
    }
  });

  it('differ for another model, a sign, an exchange of weights, and another salt', async () => {
    const model = {
      version: 1,
      family: 'linear',
      weights: [1, -2, 3],
      bias: 4,
      scale: 5,
      quantiserHash: '0x00',
    } as const;
    const commit = (changes: object, salt = 1n) => parametersRoot(parametersOf({ ...model, ...changes }), salt);
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

  it('have a salt of its own for each purpose, below the field', () => {
    const salts = [saltOf(SECRET, 'a', 'b'), saltOf(SECRET, 'ab'), saltOf(SECRET, 'a'), saltOf(Buffer.alloc(32), 'a')];
    assert.equal(new Set(salts).size, salts.length);
    assert.ok(salts.every((salt) => salt >= 0n && salt < 1n << 248n));
  });
});

describe('seal', () => {
  const key = Buffer.alloc(32, 3);
  const contents = { data: Buffer.from('a,y\n1,yes\n'), contributionSecret: SECRET };

  it('opens with its key to what went in, and no two ciphertexts of the same are alike', async () => {
    const ciphertext = await seal(contents, key);
    const opened = await unseal(ciphertext, key);
    assert.deepEqual(Buffer.from(opened.data), contents.data);
    assert.deepEqual(Buffer.from(opened.contributionSecret), contents.contributionSecret);
    assert.notEqual(ciphertextHash(ciphertext), ciphertextHash(await seal(contents, key)));
  });

  it('does not open with another key, with any byte changed, or cut short', async () => {
    const ciphertext = await seal(contents, key);
    const broken = { code: 'SEAL_BROKEN', kind: 'terminal' };
    await assert.rejects(unseal(ciphertext, Buffer.alloc(32, 4)), broken);
    for (let at = 0; at < ciphertext.length; at++) {
      await assert.rejects(unseal(Buffer.from(ciphertext).fill(ciphertext[at]! ^ 1, at, at + 1), key), broken);
    }
    for (const length of [0, 5, 27, ciphertext.length - 1])
      await assert.rejects(unseal(ciphertext.subarray(0, length), key), broken);
  });
});
