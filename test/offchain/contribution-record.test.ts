import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ContributionRecord, readPayees, readRecord, writeRecord } from '../../offchain/contribute/record.ts';

const [ALICE, BOB] = [
  '0x00000000000000000000000000000000000A11cE',
  '0x0000000000000000000000000000000000000B0b',
] as const;
const word = (digit: string) => `0x${digit.repeat(64)}` as const;
const record: ContributionRecord = {
  version: 1,
  chainId: 1,
  rounds: BOB,
  roundId: word('1'),
  contribution: {
    modelId: word('2'),
    contributor: ALICE,
    payeesRoot: word('3'),
    dataRoot: word('4'),
    rows: 100,
    ciphertextHash: word('5'),
    policyHash: word('6'),
    benchmarkId: word('7'),
    salt: word('8'),
  },
  payees: [{ payee: ALICE, weight: 2n ** 100n }],
};

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hokusai-record-'));
});
after(() => rm(folder, { recursive: true }));

const written = async (text: string) => {
  const file = join(folder, 'given');
  await writeFile(file, text);
  return file;
};

describe('the record of a contribution', () => {
  it('is read as it was written, and by nobody else', async () => {
    const file = join(folder, 'contribution.json');
    await writeRecord(file, record);
    assert.deepEqual(await readRecord(folder), record);
    assert.deepEqual(await readRecord(file), record);
    assert.equal((await stat(file)).mode & 0o077, 0);
  });

  it('is refused with all that is wrong with it', async () => {
    const { salt: _, ...unsalted } = record.contribution;
    const text = JSON.stringify({ ...record, roundId: '0x12', contribution: unsalted, payees: [] });
    const wrong = readRecord(await written(text));
    await assert.rejects(wrong, { code: 'RECORD_MALFORMED', message: /roundId: .*contribution\.salt: .*payees: /s });
    await assert.rejects(readRecord(await written('{')), { code: 'RECORD_MALFORMED' });
    await assert.rejects(readRecord(join(folder, 'nowhere')), { code: 'RECORD_MISSING', kind: 'configuration' });
  });
});

describe('readPayees', () => {
  it('reads the same of JSON and CSV', async () => {
    const payees = [
      { payee: ALICE, weight: 3n },
      { payee: BOB, weight: 10n ** 20n },
    ];
    const csv = `address,weight\r\n${ALICE},3\r\n${BOB},100000000000000000000\r\n`;
    assert.deepEqual(await readPayees(await written(csv)), payees);
    const json = `[{"payee": "${ALICE}", "weight": 3}, {"payee": "${BOB}", "weight": "100000000000000000000"}]`;
    assert.deepEqual(await readPayees(await written(json)), payees);
  });

  it('names the lines that are wrong, and sums nobody could claim', async () => {
    const wrong = (text: string, what: object) => async () => assert.rejects(readPayees(await written(text)), what);
    await wrong(`address,weight\n${ALICE},x\n${BOB},1\n0x12,1\n`, { message: /line 2 is not .*line 4 is not/ })();
    await wrong(`${ALICE},1\n`, { code: 'PAYEES_FILE', message: /line 1 is not address,weight/ })();
    await wrong(`address,weight\n${ALICE},0\n`, { code: 'PAYEES_INVALID' })();
    await wrong('address,weight\n', { code: 'PAYEES_INVALID' })();
    await wrong(`[{"payee": "${ALICE}"}]`, { code: 'PAYEES_FILE', message: /0\.weight/ })();
    await assert.rejects(readPayees(join(folder, 'nowhere')), { code: 'PAYEES_FILE', kind: 'configuration' });
  });
});
