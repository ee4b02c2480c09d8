import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { DATA } from '../../offchain/data/verbs.ts';
import { appendParquet } from '../../offchain/lake/append.ts';
import { history } from '../../offchain/lake/history.ts';
import { openStore } from '../../offchain/lake/open-store.ts';
import type { Store } from '../../offchain/lake/store.ts';
import { vacuum } from '../../offchain/lake/vacuum.ts';
import { merge, remove } from '../../offchain/lake/write.ts';
import { perform } from '../../offchain/verb.ts';
import { fails } from './executor-runs.ts';
import { asTexts, newPath, parquet, type Row, rowsAt } from './lake-tables.ts';

const data = (...args: string[]) => perform('data', DATA, args, () => {});
const row = (id: number, text = `row ${id}`): Row => ({ id, text, value: null });

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = newPath();
  store = openStore(folder);
  await appendParquet(folder, await parquet([row(1), row(2), row(3)]), { run: 'r1', step: 'commit', who: 'Ada' });
  await merge(store, await parquet([row(3, 'new'), row(4)]), ['id']);
  await remove(store, { id: [1] });
});

describe('hokusai data', () => {
  it('log: the latest version first, with time, operation, rows and who', async () => {
    const { text, json } = await data('log', folder);
    const lines = text.split('\n');
    assert.match(lines[0]!, /^version +time +operation +rows +who +run +step$/);
    assert.match(lines[1]!, /^2 +20..-.*Z +DELETE +3$/);
    assert.match(lines[3]!, /^0 .* CREATE TABLE AS SELECT +3 +Ada +r1 +commit$/);
    const { versions } = json as { versions: { version: number; rows: number; who?: string }[] };
    assert.deepEqual(
      versions.map(({ version, rows, who }) => [version, rows, who]),
      [
        [2, 3, undefined],
        [1, 4, undefined],
        [0, 3, 'Ada'],
      ],
    );
    assert.equal((await data('log', folder, '--limit', '1')).text.split('\n').length, 2);
  });

  it('diff: counts and, for people, rows; for machines rows only where they are asked for', async () => {
    const { text, json } = await data('diff', folder, '--from', '0', '--to', '2');
    assert.match(text, /^0 to 2: 1 inserted, 1 updated, 1 deleted\n/);
    assert.match(text, /3 +new +update_postimage +1 /);
    assert.deepEqual(json, { from: 0, to: 2, inserted: 1, updated: 1, deleted: 1 });
    const latest = await data('diff', folder, '--limit', '5');
    const { rows, ...counts } = latest.json as { rows: Record<string, unknown>[] };
    assert.deepEqual(counts, { from: 1, to: 2, inserted: 0, updated: 0, deleted: 1 });
    assert.deepEqual(
      rows.map(({ id, _change_type }) => [id, _change_type]),
      [['1', 'delete']],
    );
    assert.deepEqual(
      (await data('diff', folder, '--from', '1', '--to', '1')).text,
      '1 to 1: 0 inserted, 0 updated, 0 deleted',
    );
    await assert.rejects(data('diff', folder, '--from', '2', '--to', '1'), fails('USAGE', 'configuration'));
  });

  it('show: the rows of a version, by number or time, the latest by itself', async () => {
    const shown = async (...args: string[]) => {
      const { json } = await data('show', folder, ...args);
      return (json as { rows: Record<string, unknown>[] }).rows.map((each) => [each.id, each.text]);
    };
    const first = [
      ['1', 'row 1'],
      ['2', 'row 2'],
      ['3', 'row 3'],
    ];
    assert.deepEqual((await shown('--version', '0')).sort(), first);
    assert.deepEqual((await shown()).sort(), [
      ['2', 'row 2'],
      ['3', 'new'],
      ['4', 'row 4'],
    ]);
    const [, , { time }] = (await history(store)) as [unknown, unknown, { time: string }];
    assert.deepEqual((await shown('--timestamp', time)).sort(), first);
    const { text, json } = await data('show', folder, '--limit', '1');
    assert.deepEqual([(json as { total: number }).total, text.split('\n').length], [3, 4]);
    await assert.rejects(data('show', folder, '--version', '1', '--timestamp', time), fails('USAGE', 'configuration'));
    for (const wrong of ['noon', '1', '2026-01-31T12:00', '2026-13-01']) {
      await assert.rejects(
        data('show', folder, '--timestamp', wrong),
        fails('USAGE', 'configuration', /2026-01-31T12/),
      );
    }
    await assert.rejects(data('show', newPath()), fails('LAKE_NO_TABLE', 'configuration'));
    await assert.rejects(data('show', 'gopher://x/y'), fails('LAKE_LOCATION', 'configuration'));
  });

  it('show: nothing that a terminal would obey', async () => {
    await appendParquet(folder, await parquet([row(5, '\u001b[2J\u202e\r\nx')]));
    const { text } = await data('show', folder);
    assert.match(text, /5 +·\[2J···x/);
    assert.doesNotMatch(text.replaceAll('\n', ''), /\p{C}/u);
  });

  it('restore: a new version that equals an old one, by whom', async () => {
    const { json } = await data('restore', folder, '--version', '0', '--who', 'Eve', '--run', 'r2');
    assert.deepEqual(json, { version: 3 });
    assert.deepEqual(await rowsAt(store), asTexts([row(1), row(2), row(3)]));
    const [{ operation, who, run, step }] = (await history(store)) as [Awaited<ReturnType<typeof history>>[0]];
    assert.deepEqual([operation, who, run, step], ['RESTORE', 'Eve', 'r2', 'restore']);
    assert.deepEqual((await data('restore', folder, '--version', '0')).json, { version: 3 });
    await assert.rejects(data('restore', folder), fails('USAGE', 'configuration'));
    await assert.rejects(data('restore', folder, '--version', '9'), fails('LAKE_NO_VERSION', 'configuration'));
    await assert.rejects(data('restore', newPath(), '--version', '0'), fails('LAKE_NO_TABLE', 'configuration'));
  });
});

describe('hokusai data vacuum', () => {
  const files = () => readdirSync(folder, { recursive: true }).map(String).sort();
  const old = (path: string, hours: number) => {
    const seconds = Date.now() / 1000 - hours * 3600;
    utimesSync(join(folder, path), seconds, seconds);
  };

  it('takes away what only older versions need, after the retention, and says so in the history', async () => {
    const before = files();
    assert.deepEqual((await vacuum(store, {})).files, []);
    const { json, text } = await data('vacuum', folder, '--retain', '0', '--dry-run');
    const { files: doomed } = json as { files: string[] };
    assert.deepEqual([doomed.length, files()], [4, before], 'two files of rows, two of changes');
    assert.match(text, /4 files of \d+ bytes would be gone/);
    await data('vacuum', folder, '--retain', '0', '--who', 'Eve');
    assert.deepEqual(
      doomed.filter((path) => existsSync(join(folder, path))),
      [],
    );
    assert.deepEqual(await rowsAt(store), asTexts([row(2), row(3, 'new'), row(4)]));
    await assert.rejects(rowsAt(store, { version: 0 }), fails('LAKE_FILE_MISSING', 'terminal', /vacuum|part-/));
    await assert.rejects(data('restore', folder, '--version', '0'), fails('LAKE_FILES_GONE', 'configuration'));
    await assert.rejects(data('diff', folder, '--from', '0', '--to', '2'), fails('LAKE_FILE_MISSING', 'terminal'));
    const [end, start] = await history(store);
    assert.deepEqual([start!.operation, end!.operation, end!.who, end!.rows], ['VACUUM START', 'VACUUM END', 'Eve', 3]);
  });

  it('keeps files of writers at work for a day, and other engines’ for good', async () => {
    mkdirSync(join(folder, '.work-abc'));
    const unnamed = ['part-unnamed.parquet', '.work-abc/half.parquet', '_delta_log/0.json.x.tmp'];
    const others = ['_other/index', '.hidden', '_delta_log/note.txt'];
    mkdirSync(join(folder, '_other'));
    for (const path of [...unnamed, ...others]) writeFileSync(join(folder, path), 'x');
    for (const path of [...unnamed, ...others]) old(path, 23);
    const gone = async () =>
      (await vacuum(store, { hours: 0, dryRun: true })).files.filter(
        (path) => !path.includes('-0') && [...unnamed, ...others].includes(path),
      );
    assert.deepEqual(await gone(), []);
    for (const path of [...unnamed, ...others]) old(path, 25);
    assert.deepEqual(await gone(), unnamed.toSorted());
    await vacuum(store, { hours: 0 });
    assert.deepEqual(
      [...unnamed, '.work-abc'].filter((path) => existsSync(join(folder, path))),
      [],
    );
    assert.ok(others.every((path) => existsSync(join(folder, path))));
  });

  it('keeps for the retention what was removed, however old the file is', async () => {
    for (const path of files()) if (path.endsWith('.parquet')) old(path, 1000);
    const { files: doomed } = await vacuum(store, { hours: 1 });
    assert.deepEqual(
      doomed.filter((path) => !path.startsWith('_change_data/')),
      [],
    );
    assert.deepEqual(await rowsAt(store, { version: 0 }), asTexts([row(1), row(2), row(3)]));
    await assert.rejects(vacuum(store, { hours: 200 }), fails('LAKE_RETENTION', 'configuration', /168 hours/));
  });
});
