import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const CHILD = join(import.meta.dirname, 'train-bits.ts');
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Of a model of each kind. Another value on any machine is a defect; one that a change of a trainer gives is written here. */
const HASHES = {
  linear: 'bfb116cd4da3f506a2c0c1439b5e44a78250f155758e0f2577430cd3a06f5b1b',
  'linear, balanced': 'effd40012e5ae24633e3eb9a5540ab5e022f60766cac30a16cb96818951ff9c5',
  'linear, many rows': '80eda8577e5831d8cef2881c5915c17f5c94b6a98cb4cbac6ddeb496a9361902',
  'linear, logistic': '2b83addbcf92d2db0876d9325f27237d39c0cbfe2a02638cfaccaeb782f489ee',
  'linear, logistic, many rows': '4c3314008720489d061986cb757e2eebe99100bd990a1dfb5dc32157f97b1258',
  'linear regression': 'a1075ea24699cb7b04a8a95d7d85d22512e3673ebc33915e4c51702d35de91ae',
  'dense without a hidden layer': 'dace3cac438c5da6512a92751a6cc7a5eb21ac5a95e7f95cd9efcc4251476391',
  'dense without a hidden layer, softmax': 'a584d1cdc1883908f3c87df28c7fdd26c12d2b6d9ffbbe53fd40b27c116fb8fb',
  dense: '7e573fabe60e61c1cb54727dba4258f7b6013c8415ac36826ae4e4244479a1fb',
  'dense, early': '18ef9c706404b52138ac0d5bee4215b4cb55377e038fa0717000acd9244939f8',
  'forest of votes': '80efc2bea0746f7dc57135ed874d7762ecfee2027d9cece63b48c51f9ac49337',
  'forest of shares': 'f61d8c1cf571afd48526b136f4eba65c64cf97ea75f3ef83a39f3600dfc56bf0',
  'forest of means': '874c08210d71b7823b81cbd6c0935dd0deb432d9b08cea7145b3a6de98be14dc',
  'boosting of classes': 'f95f228948e57c37c82a71555a8db3654169914306c66692c6739b2148fd86d4',
  'boosting of classes, many rows': 'a983d2dc26c2608ff416b70f7dfc1cd6e3b136ddd128c089a61e04524df4bd44',
  'boosting of classes, early': '31ccba921f43ad967197ffa636944b2ce1343794e8f3c6adeadf9e5ede997b6b',
  'boosting of numbers': '7cb2d54f5cb9056f05c7e46745477e42d0f0c7d97c0332d4e97edaa1fd541651',
};

const hashesOf = (command: string, ...parameters: string[]): unknown =>
  JSON.parse(execFileSync(command, parameters, { encoding: 'utf8', cwd: ROOT }).trim().split('\n').at(-1)!);

describe('the bits of models', () => {
  it(`are those of the table, on Node ${process.versions.node}`, () => {
    assert.deepEqual(hashesOf(process.execPath, CHILD), HASHES);
  });

  it('are the same with any number of threads', () => {
    for (const workers of ['2', '3']) assert.deepEqual(hashesOf(process.execPath, CHILD, workers), HASHES);
  });

  it('are the same without the optimising compiler', { skip: !process.env.LONG && 'takes minutes' }, () => {
    assert.deepEqual(hashesOf(process.execPath, '--max-opt=1', CHILD), HASHES);
  });

  const other = process.env.HOKUSAI_OTHER_NODE;
  const skip = !other && !process.env.LONG && 'HOKUSAI_OTHER_NODE names no other Node, and LONG fetches Node 24';
  it('are the same on another Node', { skip }, (t) => {
    const node = other ? [other] : ['npx', '-y', '-p', 'node@24', '--', 'node'];
    const [command, ...rest] = node as [string, ...string[]];
    t.diagnostic(execFileSync(command, [...rest, '--version'], { encoding: 'utf8' }).trim());
    assert.deepEqual(hashesOf(command, ...rest, CHILD, '2'), HASHES);
  });
});
