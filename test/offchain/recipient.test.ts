import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  createIdentity,
  decryptWith,
  encryptTo,
  type Identity,
  isRecipient,
  readIdentity,
  recipientOf,
} from '../../offchain/validator/recipient.ts';

let folder: string;
let made = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hokusai-recipient-'));
});
after(() => rm(folder, { recursive: true }));

async function party(): Promise<{ file: string; recipient: string; identity: Identity }> {
  const file = join(folder, `identity-${made++}`);
  const recipient = await createIdentity(file);
  return { file, recipient, identity: await readIdentity(file) };
}
const dataKey = new Uint8Array(32).map((_, i) => i * 7);
/** bech32 of a point of low order, u = 0, with its right checksum. */
const LOW_ORDER = 'age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z';

describe('an identity', () => {
  it('is in a file that its owner alone reads, and is made once', async () => {
    const { file, recipient, identity } = await party();
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal(await recipientOf(identity), recipient);
    assert.ok(recipient.length <= 128, 'it fits on-chain');
    const text = await readFile(file, 'utf8');
    await assert.rejects(createIdentity(file), { kind: 'configuration', code: 'IDENTITY_EXISTS' });
    assert.equal(await readFile(file, 'utf8'), text);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.endsWith('.tmp')),
      [],
    );
    assert.notEqual((await party()).recipient, recipient);
  });

  it('attack: two make it at the same time, and one of them believes in a key that is lost', async () => {
    const file = join(folder, 'raced');
    const both = await Promise.allSettled([createIdentity(file), createIdentity(file)]);
    const recipients = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    assert.equal(recipients.length, 1);
    assert.equal(await recipientOf(await readIdentity(file)), recipients[0]);
  });

  it('cut short, changed, doubled or missing is said to be so, and nothing of it is told', async () => {
    const { file, identity } = await party();
    const fails = (code: string) =>
      assert.rejects(readIdentity(file), (error: Error & { kind?: string; code?: string }) => {
        assert.deepEqual([error.kind, error.code, error.cause], ['configuration', code, undefined]);
        assert.doesNotMatch(JSON.stringify([error, error.message, error.stack]), /SECRET-KEY-1/i);
        return true;
      });
    const changed = identity.slice(0, -1) + (identity.endsWith('Q') ? 'P' : 'Q');
    for (const broken of [identity.slice(0, -1), changed, `${identity}\n${identity}`, '', identity.toLowerCase()]) {
      await writeFile(file, broken);
      await fails('IDENTITY_MALFORMED');
    }
    await writeFile(file, `# created: now\r\n${identity}\r\n`);
    assert.equal(await readIdentity(file), identity);
    await rm(file);
    await fails('IDENTITY_MISSING');
  });
});

describe('a data key', () => {
  it('comes to each of its recipients, and to nobody else', async () => {
    const committee = await Promise.all(Array.from({ length: 16 }, party));
    const outsider = await party();
    const sealed = await encryptTo(
      committee.map(({ recipient }) => recipient),
      dataKey,
    );
    for (const { identity } of committee) assert.deepEqual(await decryptWith(identity, sealed), dataKey);
    const { identity, recipient } = outsider;
    await assert.rejects(decryptWith(identity, sealed), {
      ...{ kind: 'terminal', code: 'RECIPIENT_OTHER', details: { recipient } },
    });
  });

  it('is encrypted anew each time; nothing and much are encrypted too', async () => {
    const { recipient, identity } = await party();
    assert.notDeepEqual(await encryptTo([recipient], dataKey), await encryptTo([recipient], dataKey));
    for (const length of [0, 1, 65_536, 65_537, 200_000]) {
      const bytes = new Uint8Array(length).fill(length % 251);
      assert.deepEqual(await decryptWith(identity, await encryptTo([recipient], bytes)), bytes);
    }
  });

  it('cut short anywhere, changed anywhere or with more behind it does not decrypt', async () => {
    const { recipient, identity } = await party();
    const sealed = await encryptTo([recipient], dataKey);
    const fails = async (bytes: Uint8Array, codes: RegExp) =>
      assert.rejects(
        decryptWith(identity, bytes),
        ({ kind, code, cause }: Error & { kind?: string; code?: string }) => {
          assert.deepEqual([kind, cause], ['terminal', undefined]);
          assert.match(code!, codes);
          return true;
        },
      );
    for (let length = 0; length < sealed.length; length++)
      await fails(sealed.subarray(0, length), /^ENCRYPTION_BROKEN$/);
    for (let i = 0; i < sealed.length; i++) {
      const changed = sealed.with(i, sealed[i]! ^ 1);
      await fails(changed, /^(ENCRYPTION_BROKEN|RECIPIENT_OTHER)$/);
    }
    await fails(Buffer.concat([sealed, new Uint8Array(1)]), /^ENCRYPTION_BROKEN$/);
    // At the boundary of a chunk of 64 KiB, where only the last one's mark says that it is the last.
    const long = await encryptTo([recipient], new Uint8Array(65_536 + 10));
    await fails(long.subarray(0, long.length - 26), /^ENCRYPTION_BROKEN$/);
  });

  it('attack: a recipient on-chain that is none, to keep the key from the others', async () => {
    const { recipient, identity } = await party();
    const last = recipient.endsWith('q') ? 'p' : 'q';
    const malformed = ['', 'age1', recipient.toUpperCase(), recipient.slice(0, -1) + last, `${recipient}\n`, LOW_ORDER];
    for (const one of malformed) assert.equal(await isRecipient(one), false, one);
    assert.equal(await isRecipient(recipient), true);
    await assert.rejects(encryptTo([...malformed, recipient], dataKey), {
      ...{ kind: 'terminal', code: 'RECIPIENT_MALFORMED', details: { malformed } },
    });
    await assert.rejects(encryptTo([], dataKey), { code: 'RECIPIENT_MALFORMED' });
    assert.deepEqual(await decryptWith(identity, await encryptTo([recipient], dataKey)), dataKey);
  });
});
