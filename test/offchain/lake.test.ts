import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { history } from '../../offchain/lake/history.ts';
import { openStore } from '../../offchain/lake/open-store.ts';
import { restore } from '../../offchain/lake/restore.ts';
import { readSnapshot } from '../../offchain/lake/snapshot.ts';
import type { Store } from '../../offchain/lake/store.ts';
import { append, merge, overwrite, remove } from '../../offchain/lake/write.ts';
import { fails } from './executor-runs.ts';
import { asTexts, changesAt, newPath, parquet, parquetOf, type Row, rowsAt } from './lake-tables.ts';

let folder: string;
let store: Store;
beforeEach(() => {
  folder = newPath();
  store = openStore(folder);
});

const row = (id: number, text = `row ${id}`): Row => ({ id, text, value: id / 4 });
const rows = (...ids: number[]): Row[] => ids.map((id) => row(id));

const anyRow: fc.Arbitrary<Row> = fc.record({
  id: fc.option(fc.integer({ min: 0, max: 9 }), { freq: 9 }),
  text: fc.option(fc.string({ unit: 'binary', maxLength: 4 }).filter((text) => !text.includes('\0'))),
  value: fc.option(fc.double()),
});
const anyRows = fc.array(anyRow, { maxLength: 6 });
const anyKeyedRows = fc.uniqueArray(anyRow, { maxLength: 6, selector: ({ id }) => id ?? {} });
const operation = fc.oneof(
  fc.record({ does: fc.constant('append' as const), rows: anyRows }),
  fc.record({ does: fc.constant('overwrite' as const), rows: anyRows }),
  fc.record({ does: fc.constant('merge' as const), rows: anyKeyedRows }),
  fc.record({
    does: fc.constant('remove' as const),
    ids: fc.array(fc.option(fc.nat(9)), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ does: fc.constant('restore' as const), version: fc.nat(20) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** What a table would hold, by version. */
function modelled(versions: Row[][], doing: Operation): Row[] {
  const before = versions.at(-1) ?? [];
  switch (doing.does) {
    case 'append':
      return [...before, ...doing.rows];
    case 'overwrite':
      return doing.rows;
    case 'merge': {
      const keys = new Set(doing.rows.flatMap(({ id }) => (id === null ? [] : [id])));
      return [...before.filter(({ id }) => id === null || !keys.has(id)), ...doing.rows];
    }
    case 'remove':
      return before.filter(({ id }) => !doing.ids.includes(id));
    case 'restore':
      return versions[doing.version % versions.length]!;
  }
}

async function perform(doing: Operation, versions: number): Promise<number> {
  switch (doing.does) {
    case 'append':
      return (await append(store, await parquet(doing.rows))).version;
    case 'overwrite':
      return (await overwrite(store, await parquet(doing.rows))).version;
    case 'merge':
      return (await merge(store, await parquet(doing.rows), ['id'])).version;
    case 'remove':
      return (await remove(store, { id: doing.ids })).version;
    case 'restore':
      return (await restore(store, { version: doing.version % versions })).version;
  }
}

describe('a table', () => {
  it('holds at every version what a model in memory held, and its change feed leads from each to the next', async () => {
    const property = fc.asyncProperty(anyRows, fc.array(operation, { maxLength: 12 }), async (first, operations) => {
      store = openStore(newPath());
      await append(store, await parquet(first));
      const versions = [first];
      for (const doing of operations) {
        const after = modelled(versions, doing);
        const version = await perform(doing, versions.length);
        // What changes nothing is no version.
        if (version === versions.length) versions.push(after);
        else assert.deepEqual([version, asTexts(after)], [versions.length - 1, asTexts(versions.at(-1)!)]);
      }
      for (const [version, expected] of versions.entries()) {
        assert.deepEqual(await rowsAt(store, { version }), asTexts(expected), `version ${version}`);
        assert.deepEqual(
          followed(asTexts(versions[version - 1] ?? []), await changesAt(store, version)),
          asTexts(expected),
        );
      }
    });
    await fc.assert(property, { numRuns: process.env.LONG ? 100 : 8 });
  });

  /** Rows after changes, all of which they must have had. */
  function followed(before: readonly string[], changes: ReadonlyMap<string, string[]>): string[] {
    const after = [...before];
    for (const gone of [...(changes.get('delete') ?? []), ...(changes.get('update_preimage') ?? [])]) {
      const at = after.indexOf(gone);
      assert.ok(at >= 0, 'a row that was not there is told to be gone');
      after.splice(at, 1);
    }
    return [...after, ...(changes.get('insert') ?? []), ...(changes.get('update_postimage') ?? [])].sort();
  }

  it('tells updated rows from new ones in its change feed', async () => {
    await append(store, await parquet(rows(1, 2)));
    await merge(store, await parquet([row(2, 'new'), row(3)]), ['id']);
    const changes = await changesAt(store, 1);
    assert.deepEqual(Object.fromEntries(changes), {
      update_preimage: asTexts(rows(2)),
      update_postimage: asTexts([row(2, 'new')]),
      insert: asTexts(rows(3)),
    });
  });

  it('keeps run, step and who of each version, and how many rows it had', async () => {
    await append(store, await parquet(rows(1, 2)), { run: 'a1', step: 'commit', who: 'Ada' });
    await remove(store, { id: [1], text: ['row 1'] });
    const [second, first] = await history(store);
    assert.deepEqual([first!.run, first!.step, first!.who, first!.rows], ['a1', 'commit', 'Ada', 2]);
    assert.deepEqual([second!.operation, second!.rows, second!.metrics.numDeletedRows], ['DELETE', 1, '1']);
  });

  it('is read as of a time, which is told by its commits, whatever became of their files', async () => {
    await append(store, await parquet(rows(1)));
    const first = (await readSnapshot(store)).time;
    while (Date.now() <= first) await new Promise((resolve) => setTimeout(resolve, 1));
    await append(store, await parquet(rows(2)));
    const second = (await readSnapshot(store)).time;
    for (const name of readdirSync(join(folder, '_delta_log'))) utimesSync(join(folder, '_delta_log', name), 1, 1);
    for (const [timestamp, version] of [
      [first, 0],
      [second - 1, 0],
      [second, 1],
      [second + 1e9, 1],
    ] as const) {
      assert.equal((await readSnapshot(store, { timestamp })).version, version);
    }
    await assert.rejects(readSnapshot(store, { timestamp: first - 1 }), fails('LAKE_NO_VERSION', 'configuration'));
    await assert.rejects(
      readSnapshot(store, { version: 2 }),
      fails('LAKE_NO_VERSION', 'configuration', /latest version is 1/),
    );
  });

  it('has commit times that rise although the clock was set back', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 2_000_000_000_000 });
    await append(store, await parquet(rows(1)));
    t.mock.timers.setTime(1_000_000_000_000);
    await append(store, await parquet(rows(2)));
    assert.equal((await readSnapshot(store)).time, 2_000_000_000_001);
  });

  it('may lie in a folder of any name', async () => {
    store = openStore(join(newPath(), "a [b] {c} *?'%20 ü"));
    await append(store, await parquet(rows(1, 2)));
    await merge(store, await parquet(rows(2, 3)), ['id']);
    for (let i = 2; i < 12; i++) await append(store, await parquet(rows(i)));
    assert.equal((await readSnapshot(store)).checkpoint, 9);
    assert.deepEqual(await rowsAt(store, { version: 0 }), asTexts(rows(1, 2)));
    assert.equal((await rowsAt(store)).length, 13);
  });

  it('is read from a checkpoint of every tenth version alike', async () => {
    const file = await parquet(rows(1));
    for (let i = 0; i < 22; i++) await append(store, file);
    await remove(store, { id: [1] });
    const last = JSON.parse(readFileSync(join(folder, '_delta_log/_last_checkpoint'), 'utf8'));
    assert.deepEqual([last.version, (await readSnapshot(store)).checkpoint], [19, 19]);
    assert.equal((await rowsAt(store, { version: 18 })).length, 19);
    assert.equal((await rowsAt(store, { version: 19 })).length, 20);
    assert.equal((await rowsAt(store, { version: 21 })).length, 22);
    assert.equal((await rowsAt(store)).length, 0);
    // Readers that begin at the checkpoint need nothing before it.
    for (let i = 0; i < 19; i++) rmSync(join(folder, `_delta_log/${String(i).padStart(20, '0')}.json`));
    assert.equal((await rowsAt(store, { version: 21 })).length, 22);
    await assert.rejects(rowsAt(store, { version: 3 }), fails('LAKE_LOG_GAP', 'terminal', /version 0/));
  });
});

/** Statistics of the file of version 0. */
async function statsOf(query: string) {
  await append(store, await parquetOf(query));
  const [{ stats }] = [...(await readSnapshot(store)).files.values()] as unknown as [{ stats: string }];
  return { text: stats, json: JSON.parse(stats) };
}

describe('the statistics of a file', () => {
  it('are exact for whole numbers that JSON readers of ours would round', async () => {
    const { text } = await statsOf('SELECT unnest([-9223372036854775808, 9223372036854775807, NULL]) AS i');
    assert.match(text, /"minValues":\{"i":-9223372036854775808\},"maxValues":\{"i":9223372036854775807\}/);
    assert.match(text, /"numRecords":3.*"nullCount":\{"i":1\}/);
  });

  it('never exclude a value: none with NaN or infinity, both zeros, floats as doubles, times to the microsecond', async () => {
    const { json, text } = await statsOf(`SELECT * FROM (VALUES
      ('nan'::DOUBLE, 'inf'::FLOAT, 0.0::DOUBLE, 0.1::FLOAT, TIMESTAMP '2020-01-01 00:00:00.000001', TIMESTAMPTZ '2020-01-01 00:00:00.999999Z', 'infinity'::DATE),
      (1, 1, 0, 0.1, TIMESTAMP '2020-01-01', TIMESTAMPTZ '2020-01-01 00:00:00Z', DATE '2020-01-01')) t(n, i, z, f, s, tz, d)`);
    assert.deepEqual(Object.keys(json.maxValues), ['z', 'f', 's', 'tz']);
    assert.match(text, /"minValues":\{"z":-0.0,/);
    assert.match(text, /"maxValues":\{"z":0.0,/);
    assert.ok(json.maxValues.f >= Math.fround(0.1) && json.minValues.f <= Math.fround(0.1));
    assert.deepEqual(
      [json.maxValues.s, json.maxValues.tz],
      ['2020-01-01T00:00:00.000001', '2020-01-01T00:00:00.999999Z'],
    );
  });

  it('are of each of very many columns', async () => {
    const { json } = await statsOf(`SELECT ${Array.from({ length: 1201 }, (_, at) => `${at}::BIGINT AS c${at}`)}`);
    const expected = Object.fromEntries(Array.from({ length: 1201 }, (_, at) => [`c${at}`, at]));
    assert.deepEqual([json.minValues, json.maxValues], [expected, expected]);
  });

  it('do not believe a file of pyarrow, whose own bounds leave NaN out', async () => {
    await append(store, join(import.meta.dirname, '../vectors/nan-of-pyarrow.parquet'));
    const [{ stats }] = [...(await readSnapshot(store)).files.values()] as unknown as [{ stats: string }];
    assert.deepEqual(JSON.parse(stats), { numRecords: 3, minValues: {}, maxValues: {}, nullCount: { x: 0 } });
    await remove(store, { x: ['NaN'] });
    assert.deepEqual(await rowsAt(store), ['[1]', '[2]']);
  });

  it('have no texts, which may be personal, and neither has the log anywhere', async () => {
    await append(store, await parquet([row(1, 'zaphod@example.org')]));
    await merge(store, await parquet([row(1, 'zaphod@example.net')]), ['id']);
    await remove(store, { text: ['zaphod@example.net'] });
    for (const name of readdirSync(join(folder, '_delta_log'))) {
      assert.doesNotMatch(readFileSync(join(folder, '_delta_log', name), 'utf8'), /zaphod/);
    }
  });
});

describe('a write', () => {
  it('that cannot be says all that is wrong, and leaves nothing', async () => {
    await append(store, await parquet(rows(1)));
    const before = readdirSync(folder);
    const other = await parquetOf('SELECT 1::INTEGER AS id, true AS more, 2.0::DOUBLE AS value');
    const says = /id is INTEGER; expected BIGINT; text is missing; more is no column/;
    for (const write of [append, overwrite]) {
      await assert.rejects(write(store, other), fails('LAKE_COLUMNS', 'configuration', says));
    }
    await assert.rejects(merge(store, other, ['id']), fails('LAKE_COLUMNS', 'configuration', says));
    await assert.rejects(merge(store, await parquet(rows(2, 2)), ['id']), fails('LAKE_KEY', 'configuration', /1 keys/));
    await assert.rejects(merge(store, await parquet(rows(2)), ['no']), fails('LAKE_KEY', 'configuration'));
    await assert.rejects(remove(store, { no: [1] }), fails('LAKE_WHERE', 'configuration'));
    await assert.rejects(
      remove(store, { id: ['x', '2', 'y'] }),
      fails('LAKE_WHERE', 'configuration', /2 values are no BIGINT/),
    );
    await assert.rejects(remove(store, {}), fails('LAKE_WHERE', 'configuration'));
    await assert.rejects(remove(openStore(newPath()), { id: [1] }), fails('LAKE_NO_TABLE', 'configuration'));
    assert.deepEqual(readdirSync(folder), before);
    assert.equal((await readSnapshot(store)).version, 0);
  });

  it('of types that Delta Lake has not names them all, and those that fit in a larger type are kept', async () => {
    const wrong = await parquetOf("SELECT TIME '12:00' AS t, INTERVAL 1 DAY AS i, 1 AS _change_type, 1 AS fine");
    await assert.rejects(
      append(store, wrong),
      fails('LAKE_COLUMNS', 'configuration', /t is TIME.*i is .*_change_type/),
    );
    const narrow =
      "SELECT 255::UTINYINT AS a, 4294967295::UINTEGER AS b, 18446744073709551615::UBIGINT AS c, 'x'::ENUM('x') AS d";
    await append(store, await parquetOf(narrow));
    assert.deepEqual(
      (await readSnapshot(store)).schema.map(({ type }) => type),
      ['short', 'long', 'decimal(20,0)', 'string'],
    );
    assert.deepEqual(await rowsAt(store), ['[255,"4294967295","18446744073709551615","x"]']);
  });

  it('takes columns in any order', async () => {
    await append(store, await parquet(rows(1)));
    await append(store, await parquetOf("SELECT 0.5::DOUBLE AS value, 'row 2' AS text, 2::BIGINT AS id"));
    assert.deepEqual(await rowsAt(store), asTexts(rows(1, 2)));
  });

  it('of a file that is no Parquet file quotes nothing of it', async () => {
    const file = `${newPath()}.parquet`;
    writeFileSync(file, 'ada@example.org');
    await assert.rejects(append(store, file), (error) => {
      fails('LAKE_UNREADABLE', 'terminal')(error);
      assert.doesNotMatch(JSON.stringify(error) + (error as Error).stack, /ada/);
      return true;
    });
  });
});
