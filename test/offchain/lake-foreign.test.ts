/** Tables of delta-rs, which are read here, and tables of ours, which delta-rs reads where it is installed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { changesOf } from '../../offchain/lake/changes.ts';
import { withDuck } from '../../offchain/lake/duck.ts';
import { history } from '../../offchain/lake/history.ts';
import { openStore } from '../../offchain/lake/open-store.ts';
import { restore } from '../../offchain/lake/restore.ts';
import { FILE, rowsOf } from '../../offchain/lake/rows.ts';
import { readSnapshot } from '../../offchain/lake/snapshot.ts';
import { LOCAL_SCRATCH, type Store } from '../../offchain/lake/store.ts';
import { vacuum } from '../../offchain/lake/vacuum.ts';
import { append, merge, overwrite, remove } from '../../offchain/lake/write.ts';
import { fails } from './executor-runs.ts';
import { changesAt, lakeRoot, newPath, parquet, parquetOf, rowsAt, sorted } from './lake-tables.ts';

const VECTORS = join(import.meta.dirname, '../vectors');
const expected = JSON.parse(readFileSync(join(VECTORS, 'delta-rs/expected.json'), 'utf8')) as {
  rows: Record<string, Record<string, string[]>>;
  changes: Record<string, string[]>;
};

/** A copy of a table of delta-rs, which may be written to. */
function foreign(name: string): Store {
  const copy = newPath();
  cpSync(join(VECTORS, 'delta-rs', name), copy, { recursive: true });
  return openStore(copy);
}

/** Rows of a query as sorted texts, each value as a text. */
const textsOf = (query: string) =>
  withDuck(LOCAL_SCRATCH, async (duck) => sorted(await duck.rows(`SELECT COLUMNS(*)::VARCHAR FROM (${query})`)));

async function textsAt(store: Store, version: number): Promise<string[]> {
  const snapshot = await readSnapshot(store, { version });
  return textsOf(`SELECT * EXCLUDE (${FILE}) FROM (${await rowsOf(store, snapshot, snapshot.files.values())})`);
}

describe('a table of delta-rs', () => {
  for (const [name, versions] of Object.entries(expected.rows)) {
    it(`is read at each version: ${name}`, async () => {
      for (const [version, rows] of Object.entries(versions)) {
        assert.deepEqual(await textsAt(foreign(name), Number(version)), rows.toSorted(), `version ${version}`);
      }
    });
  }

  it('has a change feed that is read', async () => {
    const store = foreign('changed');
    for (const [version, rows] of Object.entries(expected.changes)) {
      const query = await changesOf(store, Number(version) - 1, Number(version));
      const found = await textsOf(`SELECT * EXCLUDE (_commit_version, _commit_timestamp) FROM (${query})`);
      assert.deepEqual(found, rows.toSorted(), `version ${version}`);
    }
  });

  it('has a history, with the rows of each version', async () => {
    const entries = await history(foreign('changed'));
    const rows = Object.values(expected.rows.changed!).map((each) => each.length);
    assert.deepEqual(entries.map((entry) => entry.rows).reverse(), rows);
    assert.deepEqual(
      entries.slice(0, 2).map(({ operation }) => operation),
      ['RESTORE', 'WRITE'],
    );
    assert.equal((await history(foreign('checkpointed'))).at(0)?.rows, undefined);
  });

  it('without a change feed tells what is in other files alone as not changed', async () => {
    const store = foreign('evolved');
    await remove(store, { id: [1] });
    assert.deepEqual((await readSnapshot(store)).metaData.configuration, {});
    assert.deepEqual(Object.fromEntries(await changesAt(store, 2)), { delete: ['["1",null]'] });
    const { version } = await restore(store, { version: 1 });
    assert.deepEqual(Object.fromEntries(await changesAt(store, version)), { insert: ['["1",null]'] });
  });

  it('is written to, and its first rows and columns come back', async () => {
    const store = foreign('evolved');
    await append(store, await parquetOf("SELECT 3::BIGINT AS id, 'y' AS more"));
    assert.deepEqual(await rowsAt(store), ['["1",null]', '["2","x"]', '["3","y"]']);
    await restore(store, { version: 0 });
    assert.deepEqual(await rowsAt(store), ['["1"]']);
    assert.deepEqual(await rowsAt(store, { version: 2 }), ['["1",null]', '["2","x"]', '["3","y"]']);
  });

  it('with partitions or constraints is not written to, and one that only takes more rows loses none', async () => {
    const id = await parquetOf('SELECT 5::BIGINT AS id');
    const parts = await parquetOf("SELECT 5::BIGINT AS id, 'x' AS part, DATE '2020-01-01' AS day");
    await assert.rejects(append(foreign('partitioned'), parts), fails('LAKE_FEATURE', 'configuration', /partitions/));
    const constrained = fails('LAKE_FEATURE', 'configuration', /delta\.constraints\.positive/);
    await assert.rejects(append(foreign('constrained'), id), constrained);
    const store = foreign('appended');
    await append(store, id);
    for (const lose of [
      () => remove(store, { id: [5] }),
      () => overwrite(store, id),
      () => restore(store, { version: 0 }),
    ]) {
      await assert.rejects(lose(), fails('LAKE_APPEND_ONLY', 'configuration'));
    }
    assert.deepEqual(await rowsAt(store), ['["1"]', '["5"]']);
    assert.equal(readdirSync(store.location).filter((name) => name.endsWith('.parquet')).length, 2);
  });

  it('that does not take empty values is kept so', async () => {
    const store = openStore(newPath());
    const path = join(store.location, '_delta_log/00000000000000000000.json');
    await append(store, await parquet([]));
    writeFileSync(path, readFileSync(path, 'utf8').replace('\\"nullable\\":true', '\\"nullable\\":false'));
    const nulls = await parquet([{ id: null, text: 'a', value: 1 }]);
    await assert.rejects(append(store, nulls), fails('LAKE_NULLS', 'configuration', /no empty id/));
    assert.deepEqual(readdirSync(store.location), ['_delta_log']);
  });
});

/** A log of one commit, with changes to a protocol, columns and files that are fine. */
function logOf({ protocol = {}, metaData = {}, add = {}, type = 'long' }: Record<string, unknown>): Store {
  const folder = newPath();
  mkdirSync(join(folder, '_delta_log'), { recursive: true });
  const fields = [{ name: 'id', type, nullable: true, metadata: {} }];
  const actions = [
    { protocol: { minReaderVersion: 1, minWriterVersion: 2, ...(protocol as object) } },
    {
      metaData: {
        id: 'a',
        format: { provider: 'parquet', options: {} },
        schemaString: JSON.stringify({ type: 'struct', fields }),
        partitionColumns: [],
        configuration: {},
        ...(metaData as object),
      },
    },
    {
      add: {
        path: 'a.parquet',
        partitionValues: {},
        size: 1,
        modificationTime: 1,
        dataChange: true,
        ...(add as object),
      },
    },
  ];
  const lines = actions.map((action) => JSON.stringify(action)).join('\n');
  writeFileSync(join(folder, '_delta_log/00000000000000000000.json'), lines);
  return openStore(folder);
}

describe('a table that would be misread is refused:', () => {
  const named = (...readerFeatures: string[]) => ({
    protocol: { minReaderVersion: 3, minWriterVersion: 7, readerFeatures },
  });
  for (const [what, changes, says] of [
    [
      'column mapping by name',
      { metaData: { configuration: { 'delta.columnMapping.mode': 'name' } }, protocol: { minReaderVersion: 2 } },
      /columnMapping/,
    ],
    [
      'column mapping by id, as a feature',
      { ...named('columnMapping'), metaData: { configuration: { 'delta.columnMapping.mode': 'id' } } },
      /columnMapping/,
    ],
    ['deletion vectors', named('deletionVectors'), /deletionVectors/],
    [
      'a deletion vector',
      { add: { deletionVector: { storageType: 'u', pathOrInlineDv: 'ab', sizeInBytes: 1, cardinality: 1 } } },
      /deletionVectors/,
    ],
    ['checkpoints of format 2', named('v2Checkpoint'), /v2Checkpoint/],
    [
      'several features that are unknown',
      named('typeWidening', 'timestampNtz', 'variantType-preview'),
      /typeWidening, variantType-preview/,
    ],
    ['a reader version of the future', { protocol: { minReaderVersion: 4 } }, /reader version 4/],
    ['a type that is unknown', { type: 'variant' }, /types of columns/],
  ] as const) {
    it(what, async () => {
      await assert.rejects(readSnapshot(logOf(changes)), fails('LAKE_FEATURE', 'configuration', says));
    });
  }

  it('and one whose files are elsewhere', async () => {
    for (const path of [
      '/etc/passwd',
      '../a.parquet',
      'a/../../b',
      '%2e%2e/a',
      's3://b/a',
      'file:///a',
      '..%5ca',
      '%ff',
    ]) {
      await assert.rejects(rowsAt(logOf({ add: { path } })), fails('LAKE_PATH', 'configuration'), path);
    }
  });

  it('and one whose files are links to elsewhere', async () => {
    const store = logOf({ add: { path: 'in/a.parquet' } });
    cpSync(await parquetOf('SELECT 1::BIGINT AS id'), join(lakeRoot, 'a.parquet'));
    for (const target of [lakeRoot, join(lakeRoot, 'a.parquet')]) {
      rmSync(join(store.location, 'in'), { recursive: true, force: true });
      if (target === lakeRoot) symlinkSync(target, join(store.location, 'in'));
      else {
        mkdirSync(join(store.location, 'in'));
        symlinkSync(target, join(store.location, 'in/a.parquet'));
      }
      await assert.rejects(rowsAt(store), fails('LAKE_PATH', 'configuration'));
    }
  });

  it('column mapping that is off is no hindrance', async () => {
    const { schema } = await readSnapshot(logOf({ protocol: { minReaderVersion: 2, minWriterVersion: 5 } }));
    assert.deepEqual(
      schema.map(({ name }) => name),
      ['id'],
    );
  });

  it('not to be written: writer features that are unknown', async () => {
    const store = logOf({ protocol: { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['rowTracking'] } });
    await assert.rejects(
      append(store, await parquetOf('SELECT 1::BIGINT AS id')),
      fails('LAKE_FEATURE', 'configuration', /rowTracking/),
    );
  });
});

describe('a table of ours', () => {
  const python = process.env.DELTA_RS_PYTHON;
  it('is read by delta-rs at every version, with change feed and history, behind a checkpoint and after vacuum', {
    skip: !python && 'DELTA_RS_PYTHON names no Python that has deltalake',
  }, async () => {
    const store = openStore(newPath());
    const ids = [1, 2, 9007199254740993n, -5];
    const rows = (...ids: (number | bigint)[]) =>
      parquetOf(
        `SELECT unnest([${ids.join(', ')}])::BIGINT AS id, 'it''s ü ' || id AS text, unnest([-0.0, 0.5, -0.0, 3.5])::DOUBLE AS value, TIMESTAMP '2020-01-01 00:00:00.000001' AS at, [1] AS list`,
      );
    await append(store, await rows(...ids), { run: 'r', step: 's', who: 'w' });
    await append(store, await rows(5, 6, 7, 8));
    await merge(store, await rows(5, 6, 90, 91), ['id']);
    await remove(store, { id: [1, 7] });
    await overwrite(store, await rows(...ids));
    await restore(store, { version: 2 });
    for (let i = 0; i < 6; i++) await append(store, await rows(i, i, i, i));
    const read = () =>
      JSON.parse(
        execFileSync(python!, [join(VECTORS, 'delta-rs-reads.py'), store.location], {
          encoding: 'utf8',
          maxBuffer: 1e9,
        }),
      );
    const theirs = read();
    for (const [version, found] of theirs.rows.entries()) {
      const mine = await rowsAt(store, { version });
      const plain = mine.map((row) => JSON.stringify(JSON.parse(row).slice(0, 3)));
      assert.deepEqual(sorted(found), plain.sort());
      const sought = mine.filter((row) => BigInt(JSON.parse(row)[0]) >= 9007199254740993n && JSON.parse(row)[2] <= 0);
      assert.deepEqual(theirs.found[version], [[sought.length]], `version ${version}`);
    }
    assert.deepEqual(theirs.history.at(-1), [0, 'CREATE TABLE AS SELECT', 'r', 's', 'w']);
    const latest = theirs.rows.length - 1;
    for (let version = 0; version <= latest; version++) {
      // delta-rs tells all rows of an overwrite as changed; here those that stay are not.
      if (version === 4 || version === 5) continue;
      const found = theirs.changes.filter((change: unknown[]) => change[4] === version);
      const mine = [...(await changesAt(store, version))].flatMap(([type, changed]) =>
        changed.map((row) => [...JSON.parse(row).slice(0, 3), type]),
      );
      assert.deepEqual(sorted(found.map((change: unknown[]) => change.slice(0, 4))), sorted(mine));
    }
    await vacuum(store, { hours: 0 });
    const seen = execFileSync(
      python!,
      [
        '-c',
        `
from deltalake import DeltaTable, QueryBuilder
import pyarrow as pa
t = DeltaTable("${store.location}")
print(pa.table(QueryBuilder().register("t", t).execute("SELECT count(*) AS n FROM t").read_all()).to_pylist()[0]["n"], t.version())`,
      ],
      { encoding: 'utf8' },
    );
    assert.equal(seen.trim(), `${(await rowsAt(store)).length} ${latest + 2}`);
  });
});
