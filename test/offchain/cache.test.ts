// What runs take from each other: only what is theirs, whole, of the same inputs and of the same program.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { appendFile, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { zeroAddress, zeroHash } from 'viem';
import { type Cache, openCache } from '../../offchain/cache/cache.ts';
import { codeHashOf } from '../../offchain/cache/code-hash.ts';
import { type Canonical, sha256 } from '../../offchain/canonical.ts';
import { HokusaiError } from '../../offchain/errors.ts';
import { init } from '../../offchain/init.ts';
import { openExecutor, type StepEvent, type StepOptions } from '../../offchain/run/executor.ts';
import { offerOf } from '../../offchain/run/offer.ts';
import { evaluateContribution } from '../../offchain/run/pipeline.ts';
import { openProject } from '../../offchain/run/project.ts';
import { run } from '../../offchain/run/run.ts';
import { dataRootOf } from '../../offchain/table/data-root.ts';
import { readCsv } from '../../offchain/table/table.ts';
import { TABLE } from '../e2e/hokusai.ts';

const root = mkdtempSync(join(tmpdir(), 'hokusai-cache-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(root, 'test-')), 'results');
});

const open = (options: { bytes?: number; party?: string } = {}) => openCache({ folder, bytes: 2 ** 20, ...options });
const entry = (key: string) => join(folder, key);

/** A step in a new run's folder. @returns its output, what was told, and whether it ran */
async function step<T extends Canonical>(
  cache: Cache | undefined,
  inputs: Canonical,
  fn: (put: (bytes: Uint8Array) => Promise<string>) => Promise<T>,
  options?: StepOptions<T>,
) {
  const events: StepEvent[] = [];
  const run = mkdtempSync(join(root, 'run-'));
  const executor = await openExecutor(run, { cache, onEvent: (event) => events.push(event) });
  let ran = false;
  const work = async () => {
    ran = true;
    return fn((bytes) => executor.put(bytes));
  };
  const output = await executor.step('train', inputs, work, options);
  const blobs = options?.blobs?.(output) ?? [];
  for (const hash of blobs) assert.equal(sha256(await executor.get(hash)), hash);
  await executor.close();
  return { output, events, ran, steps: executor.steps(), name: run.split('/').at(-1) };
}

describe('a step of a second run', () => {
  it('is taken from the cache with its blobs, and says which run made it', async () => {
    const blobs = ({ file }: { file: string }) => [file];
    const work = async (put: (bytes: Uint8Array) => Promise<string>) => ({ file: await put(Buffer.from('a model')) });
    const first = await step(await open(), { rows: 1 }, work, { blobs });
    const second = await step(await open(), { rows: 1 }, work, { blobs });
    assert.deepEqual([first.ran, second.ran, second.output], [true, false, first.output]);
    const [event] = second.events;
    assert.ok(event?.type === 'cached' && event.by === `run ${first.name}`);
    assert.deepEqual(second.steps[0], {
      name: 'train',
      seconds: event.seconds,
      reused: true,
      from: `run ${first.name}`,
    });
  });

  it('runs where its inputs, its party or its own word say so, and where it has failed before', async () => {
    const work = async () => 'done';
    await step(await open(), { rows: 1 }, work);
    assert.ok((await step(await open(), { rows: 2 }, work)).ran, 'other inputs');
    assert.ok((await step(await open({ party: 'validator 1' }), { rows: 1 }, work)).ran, 'another party');
    assert.ok((await step(undefined, { rows: 1 }, work)).ran, '--no-cache');
    for (let i = 0; i < 2; i++) assert.ok((await step(await open(), { rows: 3 }, work, { cached: false })).ran);
    const fails = async () => {
      throw new HokusaiError('terminal', 'NO', 'No.');
    };
    await assert.rejects(step(await open(), { rows: 4 }, fails));
    assert.ok((await step(await open(), { rows: 4 }, work)).ran, 'a failure is not kept');
  });

  it('is computed by an upgraded program: other code, dependencies or lock file are another key', () => {
    const offchain = join(root, 'package', 'offchain');
    cpSync(join(import.meta.dirname, '../../offchain/train'), join(offchain, 'train'), { recursive: true });
    const dependencies = (version: string) =>
      writeFileSync(join(root, 'package/package.json'), JSON.stringify({ dependencies: { viem: version } }));
    dependencies('1.0.0');
    const hashes = [codeHashOf(offchain), codeHashOf(offchain)];
    assert.equal(hashes[0], hashes[1]);
    for (const file of ['forest.ts', 'python/scikit_learn.py', 'python/scikit-learn.lock']) {
      writeFileSync(join(offchain, 'train', file), '\n', { flag: 'a' });
      hashes.push(codeHashOf(offchain));
    }
    renameSync(join(offchain, 'train/forest.ts'), join(offchain, 'train/woods.ts'));
    hashes.push(codeHashOf(offchain));
    dependencies('1.0.1');
    hashes.push(codeHashOf(offchain));
    assert.equal(new Set(hashes).size, hashes.length - 1);
  });
});

describe('an entry', () => {
  const kept = { step: 'train', by: 'run a', seconds: 1, output: '{"weights":[1,2,3]}', blobs: [Buffer.from('blob')] };

  it('attack: of which any byte was changed, cut off or added is not believed', async () => {
    const cache = await open();
    const key = cache.key('train', {});
    await cache.keep(key, kept);
    const bytes = readFileSync(entry(key));
    const taken = await cache.take(key);
    assert.deepEqual([taken?.output, String(taken?.blobs[0])], [kept.output, 'blob']);
    const change = fc.record({ at: fc.nat(bytes.length - 1), bit: fc.nat(7) });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, bit }) => {
        const altered = Buffer.from(bytes);
        altered[at]! ^= 1 << bit;
        for (const wrong of [altered, bytes.subarray(0, at), Buffer.concat([bytes, altered.subarray(at)])]) {
          writeFileSync(entry(key), wrong);
          assert.equal(await cache.take(key), undefined);
        }
      }),
      { numRuns: 60 },
    );
    writeFileSync(entry(key), bytes);
    assert.ok(await cache.take(key));
  });

  it('attack: under another name is not believed, nor one that is a link or a folder', async () => {
    const cache = await open();
    const [key, other] = [cache.key('train', {}), cache.key('train', { other: true })];
    await cache.keep(key, kept);
    renameSync(entry(key), entry(other));
    assert.equal(await cache.take(other), undefined);
    renameSync(entry(other), join(root, 'elsewhere'));
    symlinkSync(join(root, 'elsewhere'), entry(key));
    assert.equal(await cache.take(key), undefined);
    mkdirSync(entry(other));
    assert.equal(await cache.take(other), undefined);
  });

  it('attack: is private, and one that others may write or read, or own, is not believed', async () => {
    const cache = await open();
    const key = cache.key('train', {});
    await cache.keep(key, kept);
    assert.equal(statSync(entry(key)).mode & 0o777, 0o600);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    for (const mode of [0o602, 0o620, 0o604]) {
      chmodSync(entry(key), mode);
      assert.equal(await cache.take(key), undefined);
    }
    chmodSync(entry(key), 0o600);
    assert.ok(await cache.take(key));
    if (process.getuid?.() !== 0) return;
    chownSync(entry(key), 12_345, 12_345);
    assert.equal(await cache.take(key), undefined);
  });

  it('attack: a folder that others may write in or own is refused, one that they may read is closed', async () => {
    await open();
    for (const mode of [0o777, 0o720]) {
      chmodSync(folder, mode);
      await assert.rejects(open(), { code: 'CACHE_UNSAFE', kind: 'configuration' });
    }
    chmodSync(folder, 0o755);
    await open();
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    if (process.getuid?.() === 0) {
      chownSync(folder, 12_345, 12_345);
      await assert.rejects(open(), { code: 'CACHE_UNSAFE' });
      chownSync(folder, 0, 0);
    }
    await rm(folder, { recursive: true });
    symlinkSync(root, folder);
    await assert.rejects(open(), { code: 'CACHE_UNSAFE' });
  });

  it('goes when there is no room, the one that was not used for longest first', async () => {
    const cache = await open({ bytes: 20_000 });
    const output = JSON.stringify('x'.repeat(4_000));
    const keys = [0, 1, 2, 3, 4, 5].map((i) => cache.key('train', { i }));
    for (const key of keys.slice(0, 4)) {
      await cache.keep(key, { ...kept, output });
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    assert.ok(await cache.take(keys[0]!));
    for (const key of keys.slice(4)) await cache.keep(key, { ...kept, output });
    await cache.evict();
    const there = await Promise.all(keys.map(async (key) => (await cache.take(key)) !== undefined));
    assert.deepEqual(there, [true, false, false, true, true, true]);
    const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    assert.ok(bytes <= 20_000, `${bytes} bytes`);
    await cache.keep(keys[1]!, { ...kept, output: JSON.stringify('x'.repeat(15_000)) });
    assert.equal(await cache.take(keys[1]!), undefined, 'what would take most of the room is not kept');
  });

  it('is whole for every reader, however many runs write, read and evict at once', async () => {
    const caches = await Promise.all(Array.from({ length: 8 }, () => open({ bytes: 60_000 })));
    const outputs = Array.from({ length: 6 }, (_, i) => JSON.stringify(String(i).repeat(6_000)));
    const works = caches.flatMap((cache, who) =>
      outputs.map(async (output, i) => {
        const key = cache.key('train', { i });
        await cache.keep(key, { ...kept, by: `run ${who}`, output });
        const taken = await cache.take(key);
        if (taken) assert.equal(taken.output, output);
        await cache.evict();
      }),
    );
    await Promise.all(works);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });

  it('that cannot be written costs a warning, and nothing of the run', async () => {
    const cache = await open();
    await rename(folder, `${folder}.away`);
    const { output, events } = await step(cache, {}, async () => 'done');
    assert.equal(output, 'done');
    assert.ok(events.some((event) => event.type === 'warned' && event.error.code === 'CACHE_UNUSABLE'));
  });
});

describe('a run', async () => {
  const directory = join(root, 'project');
  const { files } = await init({ directory, data: TABLE, label: 'benign', benchmarkRows: 100 });
  const file = files.at(-1)!;

  it('of the same thing in a new folder takes every step from the cache, and attests the same', async () => {
    const cache = await open();
    const play = async () => {
      const events: StepEvent[] = [];
      const project = { ...(await openProject(file)), cache };
      const result = await run(project, { chain: 'none', onEvent: (event) => events.push(event) });
      const { steps, ...attested } = result.attestation;
      const page = readFileSync(join(result.folder, 'evaluation.html'), 'utf8');
      return { result, steps, attested, page, types: events.map(({ type }) => type) };
    };
    const first = await play();
    await rename(first.result.folder, `${first.result.folder}.first`);
    const second = await play();
    // DeltaOne is sooner computed than looked for.
    assert.deepEqual(Map.groupBy(second.types, (type) => type).get('finished'), ['finished']);
    assert.ok(second.steps.every(({ name, reused, from }) => name === 'delta' || (reused && from?.startsWith('run '))));
    assert.deepEqual([second.attested, second.page], [first.attested, first.page]);
    // One altered entry costs its own step, and nothing else changes.
    await rm(second.result.folder, { recursive: true });
    const largest = (await readdir(folder)).sort((a, b) => statSync(entry(b)).size - statSync(entry(a)).size)[0]!;
    await appendFile(entry(largest), ' ');
    const third = await play();
    assert.equal(third.types.filter((type) => type === 'finished').length, 2);
    assert.deepEqual([third.attested, third.page], [first.attested, first.page]);
  });

  it('bug: the same rows with another secret, committed to once more, are not refused for the root of the first', async () => {
    const { config, line } = await openProject(file);
    const table = await readCsv(config.data.contribution);
    const executor = await openExecutor(mkdtempSync(join(root, 'validator-')));
    for (const byte of [1, 2]) {
      const contributionSecret = new Uint8Array(32).fill(byte);
      const { dataRoot, rows } = dataRootOf(table, line.schema, contributionSecret);
      const committed = { contributor: zeroAddress, payeesRoot: zeroHash, dataRoot, rows } as const;
      const contribution = { ...committed, contributionSecret, file: 'the same', table };
      const { agreed } = await evaluateContribution(line, offerOf(config, true), contribution, executor);
      assert.notEqual(agreed.status, 'ROOT_MISMATCH');
    }
    await executor.close();
  });
});
