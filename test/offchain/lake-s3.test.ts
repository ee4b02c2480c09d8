/**
 * Tables in object stores. HOKUSAI_TEST_S3 names another server that is to pass for S3, e.g. of
 * `pip install moto[server]; moto_server -p 5999`, with a bucket `bucket`.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { fetchBlob, putBlob } from '../../offchain/blobs/blob-store.ts';
import { history } from '../../offchain/lake/history.ts';
import { openStore } from '../../offchain/lake/open-store.ts';
import { restore } from '../../offchain/lake/restore.ts';
import { readSnapshot } from '../../offchain/lake/snapshot.ts';
import type { Store } from '../../offchain/lake/store.ts';
import { vacuum } from '../../offchain/lake/vacuum.ts';
import { append, merge, remove } from '../../offchain/lake/write.ts';
import { fails, follow } from './executor-runs.ts';
import { ROWS, writesByVersion } from './lake-child.ts';
import { asTexts, newPath, parquet, type Row, rowsAt } from './lake-tables.ts';
import { type Fault, S3Server } from './s3-server.ts';

const row = (id: number): Row => ({ id, text: `row ${id}`, value: null });
const server = new S3Server();
const other = process.env.HOKUSAI_TEST_S3 || undefined;
let own: string;
let location: string;
let store: Store;

before(async () => {
  own = await server.listen();
  const credentials = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-north-1' };
  Object.assign(process.env, credentials, { AWS_ENDPOINT_URL: own });
});
after(() => server.close());
beforeEach(() => {
  server.fault = () => undefined;
  server.ignoresConditions = false;
  process.env.AWS_ENDPOINT_URL = own;
  location = `s3://bucket/a b+ü/${randomUUID()}`;
  store = openStore(location);
});

for (const endpoint of ['its own server', other]) {
  const skip = endpoint === undefined && 'HOKUSAI_TEST_S3 names no server';
  describe(`a table in the object store of ${endpoint ?? 'HOKUSAI_TEST_S3'}`, { skip }, () => {
    beforeEach(() => {
      if (endpoint === other) process.env.AWS_ENDPOINT_URL = endpoint;
      store = openStore(location);
    });

    it('holds its versions, restores and vacuums', async () => {
      await append(store, await parquet([row(1), row(2)]));
      await merge(store, await parquet([row(2), row(3)]), ['id']);
      await remove(store, { id: [1] });
      for (let id = 4; id < 12; id++) await append(store, await parquet([row(id)]));
      await restore(store, { version: 2 });
      // Another process has none of the files yet.
      const reader = openStore(location);
      assert.equal((await readSnapshot(reader)).checkpoint, 9);
      for (const [version, rows] of [
        [0, [row(1), row(2)]],
        [1, [row(1), row(2), row(3)]],
        [11, [row(2), row(3)]],
      ] as const) {
        assert.deepEqual(await rowsAt(reader, { version }), asTexts(rows));
      }
      await vacuum(store, { hours: 0 });
      assert.deepEqual(await rowsAt(openStore(location)), asTexts([row(2), row(3)]));
      await assert.rejects(rowsAt(openStore(location), { version: 0 }), fails('LAKE_FILE_MISSING', 'terminal'));
      assert.equal((await history(store)).length, 14);
    });

    it('takes three writers at once, in one order', async () => {
      const count = 4;
      const child = join(import.meta.dirname, 'lake-child.ts');
      const writers = ['a', 'b', 'c'].map((name) =>
        follow(process.execPath, [child, 'append', location, name, String(count)]),
      );
      for (const { ended } of writers) {
        const { status, stderr } = await ended;
        assert.equal(status, 0, stderr);
      }
      const versions = await writesByVersion(store);
      assert.equal(versions.length, 3 * count);
      for (const [version, writes] of versions.entries()) {
        assert.deepEqual(Object.values(writes), Array(version + 1).fill(ROWS));
      }
    });

    it('keeps blobs by their hash', async () => {
      const file = newPath();
      writeFileSync(file, Buffer.alloc(1e6, 5));
      const hash = await putBlob(location, file);
      await fetchBlob(location, hash, `${file}.out`);
      assert.deepEqual(readFileSync(`${file}.out`), readFileSync(file));
      await assert.rejects(fetchBlob(location, `0x${'0'.repeat(64)}`, `${file}.2`), fails('BLOB_MISSING', 'terminal'));
    });
  });
}

describe('an object store', () => {
  /** Fails once, on the first put of a commit. */
  const failing = (fault: Fault) => {
    let failed = false;
    server.fault = (method, key) => {
      if (failed || method !== 'PUT' || !key.endsWith('0001.json')) return undefined;
      failed = true;
      return fault;
    };
  };

  for (const fault of ['lost', 'refused', 'collides'] as const) {
    it(`that answers a commit as if it had ${fault} is asked again, and the rows are there once`, async () => {
      await append(store, await parquet([row(1)]));
      failing(fault);
      assert.equal((await append(store, await parquet([row(2)]))).version, 1);
      assert.deepEqual(await rowsAt(store), asTexts([row(1), row(2)]));
    });
  }

  it('that overwrites in spite of a condition is refused, before anything is lost', async () => {
    server.ignoresConditions = true;
    await assert.rejects(append(store, await parquet([row(1)])), fails('S3_UNCONDITIONAL', 'configuration'));
    assert.deepEqual(
      (await store.list('')).filter(({ path }) => path.startsWith('_delta_log')),
      [],
    );
  });

  it('that is not there, or says no, is told apart', async () => {
    await assert.rejects(
      history(openStore('s3://other/table')),
      fails('S3_REFUSED', 'configuration', /404 NoSuchBucket/),
    );
    process.env.AWS_ACCESS_KEY_ID = 'nobody';
    await assert.rejects(history(openStore(location)), fails('S3_REFUSED', 'configuration', /403 AccessDenied/));
    delete process.env.AWS_ACCESS_KEY_ID;
    assert.throws(() => openStore(location), fails('S3_CREDENTIALS', 'configuration'));
    process.env.AWS_ACCESS_KEY_ID = 'key';
    process.env.AWS_ENDPOINT_URL = 'http://127.0.0.1:1';
    await assert.rejects(history(openStore(location)), fails('S3_UNREACHABLE', 'retryable'));
    assert.throws(() => openStore('s3://'), fails('LAKE_LOCATION', 'configuration'));
  });
});
