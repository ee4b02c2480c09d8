/** Writers that are killed, that are many, and that find no room. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { changesOf, countChanges } from '../../offchain/lake/changes.ts';
import { withDuck } from '../../offchain/lake/duck.ts';
import { openStore } from '../../offchain/lake/open-store.ts';
import { readSnapshot } from '../../offchain/lake/snapshot.ts';
import { LOCAL_SCRATCH, type Store } from '../../offchain/lake/store.ts';
import { append } from '../../offchain/lake/write.ts';
import { fails, follow } from './executor-runs.ts';
import { deletes, ROWS, writesByVersion } from './lake-child.ts';
import { lakeRoot, newPath, parquet, rowsAt } from './lake-tables.ts';

const CHILD = join(import.meta.dirname, 'lake-child.ts');
const start = (...parameters: string[]) => {
  const output: string[] = [];
  const followed = follow(process.execPath, [CHILD, ...parameters]);
  followed.child.stdout.on('data', (chunk) => output.push(String(chunk)));
  return { ...followed, acknowledged: () => acknowledged(output.join('')) };
};

interface Acknowledged {
  id: number;
  version: number;
}

/** What a writer has said that it has; it may have been killed within a line. */
const acknowledged = (output: string): Acknowledged[] =>
  output.split('\n').flatMap((line) => (/^\{"id":\d+,"version":\d+\}$/.test(line) ? [JSON.parse(line)] : []));

let folder: string;
let store: Store;
beforeEach(() => {
  folder = newPath();
  store = openStore(folder);
});

/** What is there of a writer after its writes up to `last`, if it mixes them. */
const expectedAfter = (name: string, last: number): Record<string, number> => {
  const ids = Array.from({ length: last + 1 }, (_, id) => id);
  return Object.fromEntries(
    ids.filter((id) => !deletes(id) && !(deletes(id + 1) && id < last)).map((id) => [`${name} ${id}`, ROWS]),
  );
};

/** Checks that each acknowledged version has all that was written until then, and that no version has a part of a write. */
function requireKept(versions: Record<string, number>[], name: string, acks: readonly Acknowledged[]): void {
  for (const { id, version } of acks) {
    const mine = Object.entries(versions[version]!).filter(([write]) => write.startsWith(`${name} `));
    assert.deepEqual(
      Object.fromEntries(mine.sort()),
      Object.fromEntries(Object.entries(expectedAfter(name, id)).sort()),
    );
  }
  for (const version of versions) for (const count of Object.values(version)) assert.equal(count, ROWS);
}

describe('writers', () => {
  const kills = process.env.LONG ? 100 : 6;
  it(`killed ${kills} times: what was acknowledged is there, and every version is whole`, async () => {
    const all: [string, Acknowledged[]][] = [];
    for (let kill = 0; kill < kills; kill++) {
      const writer = start('mixed', folder, `killed${kill}`, '1000');
      // At any moment of a write, checkpoints among them; the first writer is let in to make the table.
      while (writer.acknowledged().length < kill % 3) await writer.says('version').then(() => pause(5));
      await pause((kill * 37) % 400);
      writer.child.kill('SIGKILL');
      await writer.ended;
      all.push([`killed${kill}`, writer.acknowledged()]);
    }
    assert.ok(
      all.some(([, acks]) => acks.length > 1),
      'nobody wrote anything',
    );
    const last = start('mixed', folder, 'last', '4');
    assert.equal((await last.ended).status, 0);
    const versions = await writesByVersion(store);
    for (const [name, acks] of [...all, ['last', last.acknowledged()] as const]) requireKept(versions, name, acks);
    assert.ok(!readdirSync(join(folder, '_delta_log')).some((name) => /^\d+\.json$/.test(name) && isEmpty(name)));
  });

  const isEmpty = (name: string) => readFileSync(join(folder, '_delta_log', name)).length === 0;
  const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  it('three at once: all of their writes are there, in one order', async () => {
    const count = process.env.LONG ? 40 : 6;
    const writers = ['a', 'b', 'c'].map((name) => ({ name, ...start('mixed', folder, name, String(count)) }));
    for (const { ended } of writers) {
      const { status, stderr } = await ended;
      assert.equal(status, 0, stderr);
    }
    const acks = writers.flatMap((writer) => writer.acknowledged());
    assert.deepEqual(
      acks.map(({ version }) => version).sort((a, b) => a - b),
      Array.from({ length: 3 * count }, (_, version) => version),
    );
    const versions = await writesByVersion(store);
    for (const { name, acknowledged } of writers) requireKept(versions, name, acknowledged());
    // The feed of all versions comes to what is there.
    const feed = await changesOf(store, -1, versions.length - 1);
    const { inserted, deleted } = await withDuck(LOCAL_SCRATCH, (duck) => countChanges(duck, feed));
    assert.equal(inserted - deleted, (await rowsAt(store)).length);
    // What was written for a version that another took is taken away.
    const named = (await readSnapshot(store)).files;
    const removed = (await readSnapshot(store)).removed;
    const data = readdirSync(folder).filter((name) => name.endsWith('.parquet'));
    assert.deepEqual(
      data.filter((name) => !named.has(name) && !removed.has(name)),
      [],
    );
  });

  it('that never have their turn give up, and leave nothing', {
    skip: !process.env.LONG && 'takes its time',
  }, async () => {
    await append(store, await parquet([]));
    const before = readdirSync(folder);
    store.putIfAbsent = async () => false;
    const file = await parquet([{ id: 1, text: 'a', value: 1 }]);
    await assert.rejects(append(store, file), fails('LAKE_BUSY', 'retryable', /40 times/));
    assert.deepEqual(readdirSync(folder), before);
  });

  it('that may not write say so, and the table stays readable', async () => {
    await append(store, await parquet([{ id: 1, text: 'a', value: 1 }]));
    // The child gives up root's rights, and then has to be let in this far.
    chmodSync(lakeRoot, 0o755);
    for (const at of ['', '_delta_log']) chmodSync(join(folder, at), 0o555);
    const { ended } = start('unprivileged', folder, 'x', '1');
    const { result } = await ended;
    assert.deepEqual([result.code, result.kind], ['FOLDER_UNWRITABLE', 'configuration']);
    assert.equal((await rowsAt(store)).length, 1);
    const file = newPath();
    writeFileSync(file, '');
    await assert.rejects(append(openStore(file), await parquet([])), fails('FOLDER_IS_FILE', 'configuration'));
  });

  const mounts = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/tmp']).status === 0;
  // A page more or less ends at another file: of data, of changes, of the log, or a checkpoint.
  for (const kilobytes of process.env.LONG ? [188, 192, 196, 200, 204, 208, 236] : [192, 200, 236]) {
    it(`on a disk of ${kilobytes} kB that is full: what was acknowledged is there, and it goes on when there is room`, {
      skip: !mounts && 'this user may not mount a disk of its own',
    }, async () => {
      const disk = newPath();
      mkdirSync(disk);
      const command = `mount -t tmpfs -o size=${kilobytes}k none ${disk} && exec "$0" "$@"`;
      const { child, ended } = follow('unshare', [
        '-rm',
        'sh',
        '-c',
        command,
        process.execPath,
        CHILD,
        'full',
        `${disk}/table`,
        'n',
        '100',
      ]);
      let output = '';
      child.stdout.on('data', (chunk) => {
        output += chunk;
      });
      const { result, stderr } = await ended;
      const lines = output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const error = lines.find(({ code }) => code);
      assert.deepEqual([error?.code, error?.kind], ['DISK_FULL', 'retryable'], stderr);
      const acks = acknowledged(output);
      const { versions } = result as { versions: Record<string, number>[] };
      assert.ok(acks.filter(({ id }) => id >= 1000).length === 3);
      requireKept(
        versions,
        'n',
        acks.filter(({ id }) => id < 1000),
      );
    });
  }

  it('whose files may not grow say so, and leave no part of a file', async () => {
    const command = 'ulimit -f 1; exec "$0" "$@"';
    const { ended } = follow('bash', ['-c', command, process.execPath, CHILD, 'append', folder, 'n', '9']);
    const { result } = await ended;
    assert.deepEqual([result.code, result.kind], ['DISK_FULL', 'retryable']);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.parquet')),
      [],
    );
  });
});

describe('a torn file', () => {
  const LAST = '_delta_log/00000000000000000002.json';
  beforeEach(async () => {
    for (const id of [1, 2, 3]) await append(store, await parquet([{ id, text: 'a', value: 1 }]));
  });

  for (const [how, bytes, says] of [
    ['that is empty', 0, /00002\.json is empty/],
    ['that is cut off within an action', -9, /00002\.json is broken on line 2: no JSON/],
    ['that is cut off between actions', 'line', /00002\.json is cut off: it has 1 of 2 actions/],
    ['that is filled with zeros', 4096, /00002\.json is broken on line 3: no JSON/],
  ] as const) {
    it(`of the log ${how} is refused, and versions before it are read`, async () => {
      const whole = readFileSync(join(folder, LAST));
      const length = bytes === 'line' ? whole.indexOf('\n') + 1 : bytes < 0 ? whole.length + bytes : bytes;
      truncateSync(join(folder, LAST), length);
      await assert.rejects(rowsAt(store), fails('LAKE_LOG_TORN', 'terminal', says));
      await assert.rejects(append(store, await parquet([])), fails('LAKE_LOG_TORN', 'terminal'));
      assert.equal((await rowsAt(store, { version: 1 })).length, 2);
    });
  }

  it('of the log with an action that is unknown or of the wrong form is refused', async () => {
    for (const line of ['{"replace":{}}', '{"add":{"path":"x"}}', '{"add":1,"remove":2}', '[]', '{}', 'null']) {
      writeFileSync(join(folder, LAST), `${line}\n`);
      await assert.rejects(rowsAt(store), fails('LAKE_LOG_TORN', 'terminal', /line 1/), line);
    }
  });

  it('of the log that is missing is told', async () => {
    writeFileSync(join(folder, '_delta_log/00000000000000000004.json'), readFileSync(join(folder, LAST)));
    await assert.rejects(rowsAt(store), fails('LAKE_LOG_GAP', 'terminal', /version 3/));
  });

  it('of data is refused by its size, and one that is gone is named', async () => {
    const [name] = readdirSync(folder).filter((each) => each.endsWith('.parquet')) as [string];
    truncateSync(join(folder, name), 100);
    await assert.rejects(rowsAt(store), fails('LAKE_FILE_TORN', 'terminal', new RegExp(`${name} has 100 bytes`)));
    await openStore(folder).delete(name);
    await assert.rejects(rowsAt(store), fails('LAKE_FILE_MISSING', 'terminal', new RegExp(name)));
  });

  it('that is a checkpoint is refused', async () => {
    for (let id = 3; id < 12; id++) await append(store, await parquet([{ id, text: 'a', value: 1 }]));
    truncateSync(join(folder, '_delta_log/00000000000000000009.checkpoint.parquet'), 900);
    await assert.rejects(rowsAt(store), fails('LAKE_LOG_TORN', 'terminal', /checkpoint\.parquet is no whole Parquet/));
    assert.equal((await rowsAt(store, { version: 8 })).length, 9);
  });
});
