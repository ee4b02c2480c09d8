import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Attestation, zAttestation } from '../../offchain/attestation/attest.ts';
import { hokusai, Started } from './hokusai.ts';

const ROOT = join(import.meta.dirname, '../..');
const DEMO = join(ROOT, 'runs/demo');

const attestationOf = async (name: string): Promise<Attestation> =>
  zAttestation.parse(JSON.parse(await readFile(join(DEMO, name, 'attestation.json'), 'utf8')));

describe('npm run demo', () => {
  it('refuses noise and mints a reward for real rows, and says where everything is', async () => {
    const { code, stdout, stderr } = await new Started('scripts/demo.ts', []).finished();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Rejected \(BELOW_GATE\)[\s\S]*Accepted\.[\s\S]*deltaOne [\d.]+ points/);
    const [noise, real] = [await attestationOf('noise'), await attestationOf('real')];
    const actions = ({ transactions }: Attestation) => transactions.map(({ action }) => action).join(' ');
    const voted = 'commit open draw( voteCommit){3}( voteReveal){3}';
    assert.match(actions(noise), new RegExp(`${voted} reject( withdraw){4}$`));
    assert.match(actions(real), new RegExp(`${voted} settle finalise claim( withdraw){4}$`));
    assert.match(stdout, /voteCommit 3 x \d\d,\d{3}, voteReveal 3 x \d\d,\d{3}, reject \d{3},\d{3}, withdraw 4 x /);
    for (const { round } of [noise, real]) {
      assert.equal(round!.committee.length, 3);
      const paid = round!.payments!.map(({ wei }) => BigInt(wei));
      assert.equal(
        paid.reduce((sum, wei) => sum + wei, 0n),
        2n * 10n ** 16n,
        'bond and fee, and nothing else',
      );
    }
    assert.deepEqual(
      [noise.accepted, noise.status, noise.counts, noise.proof],
      [false, 'BELOW_GATE', undefined, undefined],
    );
    assert.equal(real.votes.length, 3);
    assert.ok(BigInt(real.delta!.reward) > 0n);
    assert.ok(real.transactions.find(({ action }) => action === 'settle')!.gas <= 450_000);
    for (const name of ['noise', 'real']) {
      assert.ok(existsSync(join(DEMO, name, 'report.html')));
      assert.equal((await hokusai('verify', join(DEMO, name))).code, 0);
    }
  });

  it('leaves no process behind when it is stopped by Ctrl-C', async () => {
    const child = spawn(process.execPath, [join(ROOT, 'scripts/demo.ts')], {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let printed = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    while (!printed.includes('✔ validate')) await once(child.stderr, 'data');
    // As a terminal does: to the whole group, of which the demo is the head.
    process.kill(-child.pid!, 'SIGINT');
    const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
    assert.equal(code, 130, printed);
    const isThere = () => {
      try {
        return process.kill(-child.pid!, 0);
      } catch {
        return false;
      }
    };
    for (let i = 0; i < 100 && isThere(); i++) await sleep(50);
    assert.equal(isThere(), false);
  });
});
