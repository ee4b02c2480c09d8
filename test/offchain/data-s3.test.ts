/** `hokusai data commit` and `prove` with a table in an object store. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { commitData, folderOf } from '../../offchain/data/commit.ts';
import { proveRow } from '../../offchain/data/prove-row.ts';
import { inspecting, scratch, withDatabase } from './data-tables.ts';
import { S3Server } from './s3-server.ts';

const { folder, write } = scratch();
const server = new S3Server();
const location = 's3://bucket/hospital/patients';
const here = process.cwd();

before(async () => {
  const credentials = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-north-1' };
  Object.assign(process.env, credentials, { AWS_ENDPOINT_URL: await server.listen() });
  // The secret and the records of such a table are kept where the command is given.
  const own = join(folder, 'own');
  mkdirSync(own);
  process.chdir(own);
});
after(() => {
  process.chdir(here);
  server.close();
});

describe('a contribution to a table in an object store', () => {
  it('is committed to, appended to, and proven, as in a folder', async () => {
    const rows = Array.from({ length: 500 }, (_, i) => `${i},${20 + (i % 50)},a@b${i}.example.com,${i % 2}\n`);
    const file = write(`id,age,mail,label\n${rows.join('')}`);
    const pii = { action: 'remove' } as const;
    const commit = (to: string) =>
      inspecting(file, { label: 'label', pii }, (inspection, db) => commitData(db, to, inspection, {}));
    const [first, second] = [await commit(location), await commit(location)];
    assert.deepEqual([first.version, second.version, first.rows], [0, 1, 500]);
    assert.equal(first.dataRoot, second.dataRoot);
    assert.deepEqual(readdirSync('.'), [folderOf(location)]);
    assert.notEqual(folderOf(location), folderOf('s3://another/patients/'));
    const keys = [...server.objects.keys()];
    assert(keys.every((key) => key.startsWith('hospital/patients/')));
    assert(keys.includes('hospital/patients/_delta_log/00000000000000000001.json'));
    for (const { bytes } of server.objects.values()) assert(!bytes.includes('example.com'));
    const proof = await withDatabase((db) => proveRow(db, location, 1, 17));
    assert.equal(proof.dataRoot, second.dataRoot);
    const again = await withDatabase((db) => proveRow(db, location, 0, proof.digest));
    assert.deepEqual(again.proof, proof.proof);
    await assert.rejects(
      withDatabase((db) => proveRow(db, location, 0, 501)),
      { code: 'ROW_UNKNOWN' },
    );
  });

  it('is not recorded where the store refuses it', async () => {
    const file = write('id,label\n1,a\n2,b\n');
    server.fault = (method) => (method === 'PUT' ? 'refused' : undefined);
    await assert.rejects(
      inspecting(file, { label: 'label' }, (inspection, db) => commitData(db, `${location}2`, inspection, {})),
      { kind: 'retryable' },
    );
    server.fault = () => undefined;
    assert.deepEqual(
      readdirSync(folderOf(`${location}2`)).filter((name) => name.startsWith('version')),
      [],
    );
  });
});
