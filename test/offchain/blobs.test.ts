import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import type { Hex } from 'viem';
import { fetchBlob, putBlob } from '../../offchain/blobs/blob-store.ts';
import { sealing, unsealing } from '../../offchain/blobs/sealed-stream.ts';
import { DATA } from '../../offchain/data/verbs.ts';
import { ciphertextHash } from '../../offchain/seal.ts';
import { createIdentity } from '../../offchain/validator/recipient.ts';
import { perform } from '../../offchain/verb.ts';
import { fails } from './executor-runs.ts';

const root = mkdtempSync(join(tmpdir(), 'blobs-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(root, 'a-'));
});

const KEY = Buffer.alloc(32, 7);
const HEADER = 40;
const CHUNK = 65536;
const SEALED = CHUNK + 16;
const sealed = (plain: Uint8Array) => buffer(sealing(KEY, [plain]));
const opened = (bytes: Uint8Array, key = KEY) => buffer(unsealing(key, [bytes]));

/** A stream cut into pieces in some other way. */
const cut = (bytes: Buffer, sizes: readonly number[]): Buffer[] => {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
};

describe('a sealed stream', () => {
  it('opens to what went in, however long it is and however it comes in pieces', async () => {
    const length = fc.oneof(
      fc.nat(200),
      fc.constantFrom(CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, 3 * CHUNK - 1),
    );
    const sizes = fc.array(fc.integer({ min: 1000, max: 200_000 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(length, sizes, sizes, async (bytes, before, between) => {
        const plain = randomBytes(bytes);
        const ciphertext = await buffer(sealing(KEY, cut(plain, before)));
        assert.equal(ciphertext.length, HEADER + bytes + 16 * Math.max(1, Math.ceil(bytes / CHUNK)));
        assert.deepEqual(await buffer(unsealing(KEY, cut(ciphertext, between))), plain);
      }),
      { numRuns: 40 },
    );
  });

  it('has another key each time, so that nothing tells that two are of the same', async () => {
    const [a, b] = [await sealed(Buffer.alloc(100)), await sealed(Buffer.alloc(100))];
    assert.notDeepEqual(a.subarray(HEADER, HEADER + 16), b.subarray(HEADER, HEADER + 16));
  });

  const broken = fails('SEAL_BROKEN', 'terminal');

  it('does not open where any one bit is changed', async () => {
    const ciphertext = await sealed(randomBytes(2 * CHUNK + 5));
    const at = fc.oneof(
      fc.nat(ciphertext.length - 1),
      fc.nat(HEADER + 20),
      fc.constantFrom(HEADER + SEALED, ciphertext.length - 1),
    );
    await fc.assert(
      fc.asyncProperty(at, fc.nat(7), async (byte, bit) => {
        const changed = Buffer.from(ciphertext);
        changed[byte]! ^= 1 << bit;
        await assert.rejects(opened(changed), broken);
      }),
    );
    await assert.rejects(opened(ciphertext, Buffer.alloc(32, 8)), broken);
  });

  it('does not open where it is cut short or longer, chunks are exchanged, repeated, left out, or of another stream', async () => {
    const ciphertext = await sealed(randomBytes(3 * CHUNK));
    const other = await sealed(randomBytes(3 * CHUNK));
    const header = ciphertext.subarray(0, HEADER);
    const chunks = [0, 1, 2].map((at) => ciphertext.subarray(HEADER + at * SEALED, HEADER + (at + 1) * SEALED));
    const [a, b, c] = chunks as [Buffer, Buffer, Buffer];
    const foreign = other.subarray(HEADER + SEALED, HEADER + 2 * SEALED);
    assert.equal((await opened(Buffer.concat([header, a, b, c]))).length, 3 * CHUNK);
    for (const parts of [
      [a, b],
      [a],
      [],
      [b, a, c],
      [a, a, b, c],
      [a, c],
      [a, foreign, c],
      [a, b, c, c],
      [a, b, c, Buffer.alloc(1)],
      [c],
    ]) {
      await assert.rejects(opened(Buffer.concat([header, ...parts])), broken);
    }
    await assert.rejects(opened(Buffer.concat([other.subarray(0, HEADER), a, b, c])), broken);
    for (const length of [
      0,
      1,
      HEADER - 1,
      HEADER,
      HEADER + 1,
      HEADER + 15,
      ciphertext.length - 1,
      ciphertext.length - SEALED + 1,
    ]) {
      await assert.rejects(opened(ciphertext.subarray(0, length)), broken, `${length} bytes`);
    }
  });

  it('gives nothing out that was not put in, even before it is found to be broken', async () => {
    const plain = randomBytes(3 * CHUNK);
    const ciphertext = await sealed(plain);
    const got: Uint8Array[] = [];
    const read = async () => {
      for await (const piece of unsealing(KEY, [ciphertext.subarray(0, -1)])) got.push(piece);
    };
    await assert.rejects(read(), broken);
    assert.deepEqual(Buffer.concat(got), plain.subarray(0, 2 * CHUNK));
  });

  it('takes no more memory for a file of 300 MB than for a small one', () => {
    const file = join(folder, 'large');
    writeFileSync(file, '');
    truncateSync(file, 300e6);
    const source = join(import.meta.dirname, '../../offchain/blobs/seal-file.ts');
    const recipients = join(import.meta.dirname, '../../offchain/validator/recipient.ts');
    const script = `
      import { sealFile, openFile } from ${JSON.stringify(source)};
      import { createIdentity, readIdentity } from ${JSON.stringify(recipients)};
      const recipient = await createIdentity('identity.txt');
      await sealFile('large', [recipient], 'sealed');
      await openFile('sealed', 'sealed.key', await readIdentity('identity.txt'), 'opened');
      console.log(process.resourceUsage().maxRSS);`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.ok(Number(stdout) > 0 && Number(stdout) < 250_000, `${stdout} kB ${stderr}`);
    assert.equal(statSync(join(folder, 'opened')).size, 300e6);
  });
});

describe('hokusai data seal, open and rewrap', () => {
  const data = (...args: string[]) => perform('data', DATA, args, () => {});
  const at = (name: string) => join(folder, name);
  const PLAIN = 'name,yes\nZaphod,1\n';
  let people: Record<'ada' | 'bob' | 'eve', string>;

  beforeEach(async () => {
    const identity = (name: string) => createIdentity(at(`${name}.txt`));
    people = { ada: await identity('ada'), bob: await identity('bob'), eve: await identity('eve') };
    writeFileSync(at('rows.csv'), PLAIN);
  });

  const opensFor = async (name: string, ...more: string[]) => {
    rmSync(at('out'), { force: true });
    await data('open', at('sealed'), '--identity', at(`${name}.txt`), '--out', at('out'), ...more);
    return readFileSync(at('out'), 'utf8');
  };

  it('open for each of those it was sealed to, and for nobody else', async () => {
    const { json } = await data('seal', at('rows.csv'), '--to', people.ada, '--to', people.bob, '--out', at('sealed'));
    const bytes = readFileSync(at('sealed'));
    assert.deepEqual([json.hash, json.bytes], [ciphertextHash(bytes), bytes.length]);
    assert.ok(!bytes.includes('Zaphod'));
    assert.equal(await opensFor('ada'), PLAIN);
    assert.equal(statSync(at('out')).mode & 0o777, 0o600);
    assert.equal(await opensFor('bob'), PLAIN);
    await assert.rejects(opensFor('eve'), fails('RECIPIENT_OTHER', 'terminal'));
    assert.ok(!existsSync(at('out')));
  });

  it('rewrap changes who can open it, and nothing of the ciphertext', async () => {
    await data('seal', at('rows.csv'), '--to', people.ada, '--out', at('sealed'));
    const before = readFileSync(at('sealed'));
    const rewrap = (who: string, ...to: string[]) =>
      data('rewrap', at('sealed'), '--identity', at(`${who}.txt`), '--to', to.join(','));
    await assert.rejects(rewrap('eve', people.eve), fails('RECIPIENT_OTHER', 'terminal'));
    await rewrap('ada', people.bob, people.eve);
    assert.deepEqual(readFileSync(at('sealed')), before);
    assert.equal(await opensFor('eve'), PLAIN);
    await assert.rejects(opensFor('ada'), fails('RECIPIENT_OTHER', 'terminal'));
    await assert.rejects(rewrap('bob', 'age1nobody'), fails('RECIPIENT_MALFORMED', 'terminal'));
    assert.equal(await opensFor('bob'), PLAIN);
  });

  it('write nothing where something is wrong', async () => {
    const seal = (...args: string[]) => data('seal', ...args, '--out', at('sealed'));
    await assert.rejects(
      seal(at('rows.csv'), '--to', `${people.ada},age1x`),
      fails('RECIPIENT_MALFORMED', 'terminal', /age1x/),
    );
    await assert.rejects(seal(at('rows.csv')), fails('USAGE', 'configuration', /--to is missing/));
    await assert.rejects(
      seal(at('none.csv'), '--to', people.ada),
      fails('FILE_UNREADABLE', 'configuration', /none\.csv/),
    );
    await assert.rejects(seal(folder, '--to', people.ada), fails('FILE_UNREADABLE', 'configuration', /EISDIR/));
    const names = ['ada.txt', 'bob.txt', 'eve.txt', 'rows.csv'];
    assert.deepEqual(readdirSync(folder).sort(), names);
    await seal(at('rows.csv'), '--to', people.ada);
    const again = readFileSync(at('sealed'));
    await assert.rejects(seal(at('rows.csv'), '--to', people.eve), fails('FILE_EXISTS', 'configuration'));
    assert.deepEqual(readFileSync(at('sealed')), again);
    writeFileSync(at('sealed'), again.subarray(0, -1));
    await assert.rejects(opensFor('ada'), fails('SEAL_BROKEN', 'terminal'));
    writeFileSync(at('sealed.key'), 'no age file');
    await assert.rejects(opensFor('ada'), fails('ENCRYPTION_BROKEN', 'terminal'));
    assert.deepEqual(readdirSync(folder).sort(), [...names, 'sealed', 'sealed.key']);
  });

  it('find the ciphertext in a store by its hash', async () => {
    const store = at('store');
    const { json } = await data('seal', at('rows.csv'), '--to', people.ada, '--out', at('sealed'), '--store', store);
    assert.deepEqual(readdirSync(store), [String(json.hash).slice(2)]);
    const open = (hash: string, ...more: string[]) =>
      data('open', hash, '--identity', at('ada.txt'), '--out', at('out'), '--store', store, ...more);
    await open(String(json.hash), '--key', at('sealed.key'));
    assert.equal(readFileSync(at('out'), 'utf8'), PLAIN);
    await assert.rejects(open('sealed', '--key', at('sealed.key')), fails('USAGE', 'configuration'));
    await assert.rejects(open(`0x${'0'.repeat(64)}`, '--key', at('sealed.key')), fails('BLOB_MISSING', 'terminal'));
  });
});

describe('a blob store', () => {
  it('of a folder keeps one file of what is put twice, and gives out nothing that was changed', async () => {
    const [store, file, out] = [join(folder, 'store'), join(folder, 'file'), join(folder, 'out')];
    writeFileSync(file, randomBytes(3e6));
    const hash = await putBlob(store, file);
    assert.equal(await putBlob(store, file), hash);
    assert.deepEqual(readdirSync(store), [hash.slice(2)]);
    await fetchBlob(store, hash, out);
    assert.deepEqual(readFileSync(out), readFileSync(file));
    await assert.rejects(fetchBlob(store, hash, out), fails('FILE_EXISTS', 'configuration'));
    truncateSync(join(store, hash.slice(2)), 2e6);
    await assert.rejects(fetchBlob(store, hash, `${out}2`), fails('BLOB_OTHER', 'terminal'));
    assert.ok(!readdirSync(folder).some((name) => name.startsWith('out2')));
  });

  it('of the web is asked by GET, and believed by hash alone', async () => {
    const blob = randomBytes(500_000);
    const hash = ciphertextHash(blob);
    const server = createServer((request, response) => {
      const [, how, name] = request.url!.split('/');
      if (how === 'good' && name === hash.slice(2)) response.end(blob);
      else if (how === 'other') response.end('something else');
      else if (how === 'cut') {
        response.writeHead(200, { 'content-length': blob.length });
        response.write(blob.subarray(0, 1000), () => response.destroy());
      } else response.writeHead(how === 'busy' ? 503 : 404).end();
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const fetching = (how: string, of: Hex = hash) => fetchBlob(`${base}/${how}`, of, join(folder, how));
      await fetching('good');
      assert.deepEqual(readFileSync(join(folder, 'good')), blob);
      await assert.rejects(fetching('other'), fails('BLOB_OTHER', 'terminal'));
      await assert.rejects(fetching('cut'), fails('BLOB_UNREACHABLE', 'retryable'));
      await assert.rejects(fetching('busy'), fails('BLOB_UNREACHABLE', 'retryable'));
      await assert.rejects(fetching('none'), fails('BLOB_MISSING', 'terminal'));
      assert.deepEqual(readdirSync(folder), ['good']);
    } finally {
      server.closeAllConnections();
      server.close();
    }
    await assert.rejects(fetchBlob(base, hash, join(folder, 'gone')), fails('BLOB_UNREACHABLE', 'retryable'));
  });
});
