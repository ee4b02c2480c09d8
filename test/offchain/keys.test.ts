import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bn254 } from '@noble/curves/bn254.js';
import * as snarkjs from 'snarkjs';
import type { Hex } from 'viem';
import { sha256 } from '../../offchain/canonical.ts';
import { assertProductionKey, registerCircuit, registerKey } from '../../offchain/chain/circuit.ts';
import { connect } from '../../offchain/chain/connect.ts';
import { startLocalChain } from '../../offchain/chain/local.ts';
import { view } from '../../offchain/chain/send.ts';
import {
  contribute,
  finish,
  readTranscript,
  type Subject,
  start,
  type Transcript,
} from '../../offchain/keys/ceremony.ts';
import { contributionsOf } from '../../offchain/keys/contributions.ts';
import { PUBLISHED } from '../../offchain/keys/powers-of-tau.ts';
import { checkFiles, verifyCeremony } from '../../offchain/keys/verify.ts';
import { type CircuitName, circuitRecords, compiled, developmentKeyFile } from '../../offchain/prove/circuits.ts';
import { type Compiled, compile } from '../../offchain/prove/compile.ts';
import { hasDevelopmentAlphaOrBeta, hasDevelopmentTau } from '../../offchain/prove/development.ts';
import { inverse, mod } from '../../offchain/prove/field.ts';
import {
  circuitId,
  coordinateAt,
  DEVELOPMENT_TRAPDOOR,
  decodeVerificationKey,
  developmentKey,
  domainBits,
  encodeVerificationKey,
  lagrangeAt,
  polynomialsAt,
  sectionOf,
  type VerificationKey,
  verificationKey,
} from '../../offchain/prove/keys.ts';
import { contractProof, type Groth16Proof } from '../../offchain/prove/prove.ts';
import { provingCircuitId, provingKeyFile } from '../../offchain/prove/proving-key.ts';
import { readR1cs } from '../../offchain/prove/r1cs.ts';
import { proveScore } from '../../offchain/prove/score.ts';
import { verifyProof } from '../../offchain/prove/verify.ts';
import { openExecutor } from '../../offchain/run/executor.ts';
import { answer, refused, run } from '../e2e/acting.ts';
import { SCORE_CASES, SCORE_PROOF } from '../vectors/score.ts';

const G1 = bn254.G1.Point;
const G2 = bn254.G2.Point;
const BEACON = { value: 'c0ffee00c0ffee00', iterations: 10 };
const quiet = () => {};
/** A power of x, so many times x. */
const POWER = `pragma circom 2.2.0;
template Power(n) {
    signal input x;
    signal output y;
    signal powers[n];
    powers[0] <== x * x;
    for (var i = 1; i < n; i++) powers[i] <== powers[i - 1] * x;
    y <== powers[n - 1] * x;
}`;

let folder: string;
let subject: Subject;
let other: Subject;
let circuit: Compiled;
let ptau: string;
let otherPtau: string;
/** blake2b of the powers of tau, and of the other ones. */
let accepted: string;
let otherAccepted: string;
/** A ceremony with two contributions and a beacon. */
let ceremony: string;
let hashes: string[];

/** Powers of tau whose secret nobody kept, prepared for phase 2. */
async function powersOfTau(name: string, prepared = true): Promise<string> {
  const file = (part: string) => join(folder, `${name}${part}.ptau`);
  const curve = await snarkjs.curves.getCurveFromName('bn128');
  await snarkjs.powersOfTau.newAccumulator(curve, 5, file('.0'));
  await snarkjs.powersOfTau.contribute(file('.0'), file('.1'), 'nobody', name);
  if (prepared) await snarkjs.powersOfTau.preparePhase2(file('.1'), file(''));
  return prepared ? file('') : file('.1');
}

const terminate = () =>
  (globalThis as unknown as { curve_bn128?: { terminate(): Promise<void> } }).curve_bn128?.terminate();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hokusai-keys-'));
  const sources = join(folder, 'sources');
  await mkdir(sources);
  await writeFile(join(sources, 'power.circom'), POWER);
  const main = { file: 'power.circom', template: 'Power', args: [6], publicInputs: [] };
  circuit = await compile(main, sources);
  subject = { circuit: 'power', r1cs: circuit.r1cs };
  other = { circuit: 'power', r1cs: (await compile({ ...main, args: [7] }, sources, 'O2', false)).r1cs };
  [ptau, otherPtau] = [await powersOfTau('one'), await powersOfTau('two')];
  ceremony = join(folder, 'ceremony');
  const unpublished = start(subject, { ptau, folder: ceremony }, quiet);
  accepted = await unpublished.then(
    () => assert.fail('powers of tau that nobody published were taken'),
    (error) => error.details.blake2b,
  );
  await start(subject, { ptau, folder: ceremony, accepted }, quiet);
  otherAccepted = await start(other, { ptau: otherPtau, folder: join(folder, 'never') }, quiet).catch(
    (error) => error.details.blake2b,
  );
  const alice = await contribute(ceremony, 'alice', quiet);
  // On a machine of her own, with nothing but the newest key.
  const machine = join(folder, 'machine of bob');
  await mkdir(machine);
  await cp(alice.file, join(machine, '0001.zkey'));
  const bob = await contribute(join(machine, '0001.zkey'), 'bob', quiet);
  await cp(bob.file, join(ceremony, '0002.zkey'));
  hashes = [alice.hash, bob.hash];
  await finish(ceremony, BEACON, quiet);
});

after(async () => {
  await terminate();
  await rm(folder, { recursive: true });
});

const verify = async (where: string, of = subject, with_ = { ptau, accepted }) =>
  verifyCeremony(where, await readTranscript(where), of, with_, quiet);

/** A copy of the ceremony with its final key changed, and, unless told otherwise, a transcript that says so. */
async function forged(
  change: (zkey: Buffer, transcript: Transcript) => Uint8Array | undefined,
  admit = true,
): Promise<string> {
  const copy = await mkdtemp(join(folder, 'forged-'));
  await cp(ceremony, copy, { recursive: true });
  const transcript = structuredClone(await readTranscript(copy)) as {
    -readonly [K in keyof Transcript]: Transcript[K];
  };
  const zkey = await readFile(join(copy, 'final.zkey'));
  const changed = change(zkey, transcript) ?? zkey;
  if (admit) {
    const key = verificationKey(changed);
    transcript.zkey = sha256(changed);
    transcript.circuitId = circuitId(key);
    await writeFile(join(copy, 'verification_key.json'), JSON.stringify(key));
  }
  await writeFile(join(copy, 'final.zkey'), changed);
  await writeFile(join(copy, 'transcript.json'), JSON.stringify(transcript));
  return copy;
}

/** Where the bytes of a section begin in a key. */
const at = (zkey: Buffer, section: number) => sectionOf(zkey, section).byteOffset - zkey.byteOffset;

/** snarkjs's proof of x^8 for x = 3. */
async function proof(zkey: string): Promise<{ proof: Groth16Proof; publicSignals: string[] }> {
  const witness = { type: 'mem' as const, data: new Uint8Array() };
  await snarkjs.wtns.calculate({ x: '3' }, circuit.wasm, witness);
  return snarkjs.groth16.prove(zkey, witness);
}

describe('a ceremony', () => {
  it('makes a key of two contributions and a beacon, with a transcript of them, that verifies', async () => {
    await verify(ceremony);
    const transcript = await readTranscript(ceremony);
    assert.deepEqual(transcript.contributions, [
      { name: 'alice', hash: hashes[0] },
      { name: 'bob', hash: hashes[1] },
    ]);
    assert.equal(transcript.beacon.value, BEACON.value);
    assert.equal(transcript.r1cs, sha256(subject.r1cs));
    assert.deepEqual(
      (await readdir(ceremony)).filter((name) => name.endsWith('.part')),
      [],
    );
  });

  it('names contributions as snarkjs does', async () => {
    const file = join(folder, 'snarkjs.zkey');
    const hash = await snarkjs.zKey.contribute(join(ceremony, '0002.zkey'), file, 'carol', 'entropy');
    const last = contributionsOf(await readFile(file)).at(-1)!;
    assert.deepEqual(last, { name: 'carol', hash: Buffer.from(hash).toString('hex') });
  });

  it('draws another secret each time', async () => {
    const again = [];
    for (const name of ['once', 'twice']) {
      await mkdir(join(folder, name));
      await cp(join(ceremony, '0000.zkey'), join(folder, name, '0000.zkey'));
      again.push(await contribute(join(folder, name), 'same', quiet));
    }
    assert.notEqual(again[0]!.hash, again[1]!.hash);
  });

  it('makes proofs that the chain accepts, of its key only', async () => {
    const chain = await startLocalChain();
    try {
      const client = await connect({ ...chain, account: chain.accounts.outsider });
      const key = await checkFiles(ceremony, await readTranscript(ceremony), subject);
      const sent = await registerKey(client, 'power', key);
      assert.equal(sent!.result, circuitId(key));
      assert.equal(await registerKey(client, 'power', key), undefined);
      const made = await proof(join(ceremony, 'final.zkey'));
      const accepts = (id: Hex, signals: readonly string[], { proof } = made) =>
        view(client, {
          contract: 'circuitRegistry',
          functionName: 'verify',
          args: [id, contractProof(proof), signals.map(BigInt)],
        });
      assert.deepEqual(made.publicSignals, [String(3 ** 8)]);
      assert.equal(await accepts(circuitId(key), made.publicSignals), true);
      assert.equal(await accepts(circuitId(key), ['6562']), false);
      assert.equal(await accepts(circuitId(key), made.publicSignals, await proof(join(ceremony, '0002.zkey'))), false);
      const read = await view(client, {
        contract: 'circuitRegistry',
        functionName: 'verificationKey',
        args: [circuitId(key)],
      });
      assert.deepEqual(decodeVerificationKey(read), key);
      assertProductionKey(1, key);
    } finally {
      await chain.stop();
    }
  });

  it('says what is wrong with how it is called, and leaves nothing behind', async () => {
    const configuration = (code: string) => ({ kind: 'configuration', code });
    const inNew = (given: string) => start(subject, { ptau: given, folder: join(folder, 'new'), accepted }, quiet);
    await assert.rejects(inNew(join(folder, 'none.ptau')), configuration('PTAU_UNREADABLE'));
    await assert.rejects(inNew(join(ceremony, '0000.zkey')), configuration('PTAU_FORMAT'));
    await assert.rejects(inNew(await powersOfTau('raw', false)), configuration('PTAU_UNPREPARED'));
    const large = { circuit: 'score512', r1cs: compiled('score512', 'r1cs') };
    await assert.rejects(start(large, { ptau, folder: join(folder, 'new'), accepted }, quiet), {
      ...configuration('PTAU_TOO_SMALL'),
      message: /up to 2\^5; the circuit needs 2\^13/,
      next: /powersOfTau28_hez_final_13\.ptau/,
    });
    assert.ok(!(await readdir(folder)).includes('new'));
    await assert.rejects(start(subject, { ptau, folder: ceremony, accepted }, quiet), configuration('CEREMONY_FOLDER'));
    await assert.rejects(contribute(ceremony, 'late', quiet), configuration('CEREMONY_FINISHED'));
    await assert.rejects(contribute(join(folder, 'once/0000.zkey'), 'second', quiet), configuration('CEREMONY_TAKEN'));
    await assert.rejects(contribute(join(folder, 'sources'), 'x', quiet), configuration('CEREMONY_KEY_NAME'));
    await assert.rejects(finish(ceremony, BEACON, quiet), configuration('CEREMONY_FINISHED'));
    const empty = join(folder, 'empty');
    await start(subject, { ptau, folder: empty, accepted }, quiet);
    await assert.rejects(readTranscript(empty), configuration('CEREMONY_UNFINISHED'));
    await assert.rejects(finish(empty, BEACON, quiet), configuration('CEREMONY_EMPTY'));
    await assert.rejects(readTranscript(folder), configuration('CEREMONY_TRANSCRIPT'));
  });
});

describe('verification of a ceremony', () => {
  const terminal = (code: string, message?: RegExp) => ({ kind: 'terminal', code, ...(message && { message }) });

  it('attack: a final key with another point, whether the transcript admits it or not', async () => {
    for (const section of [5, 7, 8, 9]) {
      const change = (zkey: Buffer) => {
        // The next point in the place of one: on the curve, and wrong.
        const size = section === 7 ? 128 : 64;
        const point = (first: number) => zkey.subarray(first, first + size);
        let first = at(zkey, section);
        while (point(first).equals(point(first + size))) first += size;
        point(first + size).copy(zkey, first);
        return zkey;
      };
      await assert.rejects(verify(await forged(change, false)), terminal('CEREMONY_KEY'));
      await assert.rejects(verify(await forged(change)), terminal('CEREMONY_KEY_FORGED', /section/));
    }
  });

  it('attack: another circuit', async () => {
    await assert.rejects(verify(ceremony, other), terminal('CEREMONY_CIRCUIT'));
    const admitted = await forged((_, transcript) => {
      Object.assign(transcript, { r1cs: sha256(other.r1cs) });
      return undefined;
    });
    await assert.rejects(verify(admitted, other), terminal('CEREMONY_KEY_FORGED'));
  });

  it('attack: other powers of tau, or ones that are no powers', async () => {
    await assert.rejects(
      verify(ceremony, subject, { ptau: otherPtau, accepted: otherAccepted }),
      terminal('CEREMONY_PTAU'),
    );
    const admitted = await forged((_, { powersOfTau }) => {
      Object.assign(powersOfTau, { blake2b: otherAccepted });
      return undefined;
    });
    await assert.rejects(
      verify(admitted, subject, { ptau: otherPtau, accepted: otherAccepted }),
      terminal('CEREMONY_KEY_FORGED'),
    );
    await assert.rejects(verify(ceremony, subject, { ptau, accepted: '00'.repeat(64) }), { code: 'PTAU_UNKNOWN' });
    const broken = await readFile(ptau);
    // A point of the Lagrange polynomials, near the end of the file, in the place of another.
    broken.copy(broken, broken.length - 64, broken.length - 192, broken.length - 128);
    const file = join(folder, 'powersOfTau28_hez_final_05.ptau');
    await writeFile(file, broken);
    const fresh = { ptau: file, folder: join(folder, 'broken') };
    const { blake2b } = (await start(subject, fresh, quiet).catch((error) => error)).details;
    await assert.rejects(start(subject, { ...fresh, accepted: blake2b }, quiet), terminal('PTAU_INVALID', /tau/i));
  });

  it('attack: a contribution is left out, renamed, or only listed', async () => {
    const lists: ((all: Transcript['contributions']) => Transcript['contributions'])[] = [
      (all) => all.slice(1),
      (all) => [all[0]!, { ...all[1]!, name: 'mallory' }],
      (all) => [...all, { name: 'mallory', hash: 'ab'.repeat(64) }],
      (all) => all.toReversed(),
    ];
    for (const list of lists) {
      const wrong = await forged((_, transcript) => {
        Object.assign(transcript, { contributions: list(transcript.contributions) });
        return undefined;
      });
      await assert.rejects(verify(wrong), terminal('CEREMONY_CONTRIBUTIONS'));
    }
    // In the key itself: bob's secret takes the place of both, but the product in delta stays.
    const torn = await forged((zkey) => {
      const first = at(zkey, 10) + 68;
      zkey[first] = zkey[first]! ^ 1;
      return zkey;
    });
    await assert.rejects(verify(torn), terminal('CEREMONY_CONTRIBUTIONS'));
  });

  it('attack: only a beacon, so that everybody knows delta', async () => {
    const file = join(folder, 'only.zkey');
    await snarkjs.zKey.beacon(join(ceremony, '0000.zkey'), file, 'beacon', BEACON.value, BEACON.iterations);
    const zkey = await readFile(file);
    const { hash, beacon } = contributionsOf(zkey)[0]!;
    const alone = await forged((_, transcript) => {
      Object.assign(transcript, { contributions: [], beacon: { ...beacon, hash } });
      return zkey;
    });
    await assert.rejects(verify(alone), terminal('CEREMONY_CONTRIBUTIONS', /nobody/));
  });

  it('attack: another beacon than the transcript, or the key, was made with', async () => {
    const stated = await forged((_, { beacon }) => {
      Object.assign(beacon, { value: 'c0ffee00c0ffee01' });
      return undefined;
    });
    await assert.rejects(verify(stated), terminal('CEREMONY_BEACON'));
    const admitted = await forged((zkey, { beacon }) => {
      Object.assign(beacon, { value: 'c0ffee00c0ffee01' });
      zkey[zkey.indexOf(Buffer.from(BEACON.value, 'hex')) + 7] = 1;
      return zkey;
    });
    await assert.rejects(verify(admitted), terminal('CEREMONY_KEY_FORGED', /beacon/));
    const missing = await readFile(join(ceremony, '0002.zkey'));
    await assert.rejects(verify(await forged(() => missing)), terminal('CEREMONY_BEACON'));
  });

  it('attack: delta equals gamma, which contributions that cancel would give', async () => {
    const unsafe = await forged((zkey) => {
      const header = at(zkey, 2) + 84;
      zkey.copy(zkey, header + 448, header + 256, header + 384);
      return zkey;
    });
    await assert.rejects(verify(unsafe), terminal('CEREMONY_DELTA', /delta equals gamma/));
  });

  it('attack: a verification key or circuitId of another key', async () => {
    const wrong = await forged((_, transcript) => {
      Object.assign(transcript, { circuitId: `0x${'12'.repeat(32)}` });
      return undefined;
    }, false);
    await assert.rejects(verify(wrong), terminal('CEREMONY_VERIFICATION_KEY'));
    await rm(join(wrong, 'verification_key.json'));
    await assert.rejects(verify(wrong), { code: 'CEREMONY_FILE', kind: 'configuration' });
  });

  it('attack: a development key, alone or with contributions and a beacon', async () => {
    const [made, from] = [join(folder, 'development.zkey'), join(folder, 'development.from.zkey')];
    await writeFile(from, developmentKey(readR1cs(subject.r1cs)));
    await assert.rejects(
      verify(await forged(() => Buffer.concat([...developmentKey(readR1cs(subject.r1cs))]))),
      terminal('DEVELOPMENT_KEY'),
    );
    await snarkjs.zKey.contribute(from, made, 'mallory', 'entropy');
    const contributed = await readFile(made);
    await assert.rejects(verify(await forged(() => contributed)), terminal('DEVELOPMENT_KEY', /mend nothing/));
    assert.throws(() => assertProductionKey(1, verificationKey(contributed)), terminal('DEVELOPMENT_KEY'));
    assertProductionKey(31_337, verificationKey(contributed));
  });
});

describe('the secret of the development keys', () => {
  const { tau, delta } = DEVELOPMENT_TRAPDOOR;
  const times = (scalar: bigint) => G1.BASE.multiply(mod(scalar));
  const g1 = (point: InstanceType<typeof G1>) => {
    const { x, y } = point.toAffine();
    return [String(x), String(y), '1'];
  };
  const g2 = (point: InstanceType<typeof G2>) => {
    const { x, y } = point.toAffine();
    return [
      [String(x.c0), String(x.c1)],
      [String(y.c0), String(y.c1)],
      ['1', '0'],
    ];
  };

  it('is recognised by tau alone, under another alpha, beta and delta', () => {
    const r1cs = readR1cs(subject.r1cs);
    const key = (at: bigint): VerificationKey => {
      const [alpha, beta, secret] = [1_001n, 1_002n, 1_003n];
      const { a, b, c } = polynomialsAt(r1cs, lagrangeAt(at, domainBits(r1cs)));
      const ic = [0, 1].map((s) => g1(times(beta * a[s]! + alpha * b[s]! + c[s]!)));
      const points = { vk_alpha_1: g1(times(alpha)), vk_beta_2: g2(G2.BASE.multiply(beta)), vk_gamma_2: g2(G2.BASE) };
      return {
        protocol: 'groth16',
        curve: 'bn128',
        nPublic: 1,
        ...points,
        vk_delta_2: g2(G2.BASE.multiply(secret)),
        IC: ic,
      };
    };
    assert.equal(hasDevelopmentAlphaOrBeta(key(tau)), false);
    assert.equal(hasDevelopmentTau(key(tau), r1cs), true);
    assert.equal(hasDevelopmentTau(key(tau + 1n), r1cs), false);
    assert.equal(hasDevelopmentTau(key(tau), readR1cs(compiled('score512', 'r1cs'))), false);
    assert.deepEqual(decodeVerificationKey(encodeVerificationKey(key(tau))), key(tau));
  });

  it('attack: forges a proof from tau and public files, with a key whose delta nobody knows', async () => {
    const [from, made] = [join(folder, 'known.zkey'), join(folder, 'unknown.zkey')];
    const r1cs = readR1cs(subject.r1cs);
    await writeFile(from, developmentKey(r1cs));
    await snarkjs.zKey.contribute(from, made, 'honest', 'entropy that is thrown away');
    const zkey = await readFile(made);
    const key = verificationKey(zkey);
    assert.notEqual(g2(G2.BASE.multiply(delta))[0]![0], key.vk_delta_2[0]![0]);
    const point = (section: number, i: number) => {
      const [x, y] = [0, 32].map((offset) => coordinateAt(sectionOf(zkey, section), 64 * i + offset));
      return x === 0n && y === 0n ? G1.ZERO : G1.fromAffine({ x: x!, y: y! });
    };
    // A witness of nothing: all signals are 5, and x^8 = 5 has no reason to hold.
    const w = Array.from({ length: r1cs.signals }, (_, s) => (s === 0 ? 1n : 5n));
    const bits = domainBits(r1cs);
    const { a, b, c } = polynomialsAt(r1cs, lagrangeAt(tau, bits));
    const sum = (values: readonly bigint[]) => mod(values.reduce((all, value, s) => all + value * w[s]!, 0n));
    const [u, v, quotient] = [sum(a), sum(b), mod(sum(a) * sum(b) - sum(c))];
    assert.notEqual(quotient, 0n);
    // H_0 is L(tau) / delta for a Lagrange polynomial L that who knows tau can evaluate.
    const scale = mod(quotient * inverse(lagrangeAt(tau, bits + 1)[1]!));
    const alpha = G1.fromAffine({ x: BigInt(key.vk_alpha_1[0]!), y: BigInt(key.vk_alpha_1[1]!) });
    const coordinate = ([c0, c1]: readonly string[]) => ({ c0: BigInt(c0!), c1: BigInt(c1!) });
    const beta = G2.fromAffine({ x: coordinate(key.vk_beta_2[0]!), y: coordinate(key.vk_beta_2[1]!) });
    let pi_c = point(9, 0).multiply(scale);
    for (let s = 2; s < r1cs.signals; s++) pi_c = pi_c.add(point(8, s - 2).multiply(w[s]!));
    const forgery: Groth16Proof = {
      pi_a: g1(alpha.add(times(u))),
      pi_b: g2(beta.add(G2.BASE.multiply(v))),
      pi_c: g1(pi_c),
      protocol: 'groth16',
      curve: 'bn128',
    };
    assert.equal(verifyProof(key, ['5'], forgery), true);
    assert.equal(verifyProof(key, ['6'], forgery), false);
  });
});

describe('production keys', () => {
  const id = async () => (await readTranscript(ceremony)).circuitId as Hex;

  it('are found by their circuitId in HOKUSAI_KEYS_DIR, before development keys', async () => {
    const keys = join(folder, 'keys');
    const place = join(keys, 'score');
    const { developmentCircuitId } = circuitRecords().score512;
    assert.equal(provingCircuitId('score512'), developmentCircuitId);
    await cp(ceremony, place, { recursive: true });
    const transcript = { ...(await readTranscript(ceremony)), circuit: 'score512' };
    await writeFile(join(place, 'transcript.json'), JSON.stringify(transcript));
    process.env.HOKUSAI_KEYS_DIR = keys;
    try {
      assert.equal(provingCircuitId('score512'), await id());
      assert.equal(provingCircuitId('score4096'), circuitRecords().score4096.developmentCircuitId);
      assert.equal(await provingKeyFile('score512', await id()), join(place, 'final.zkey'));
      assert.equal(await provingKeyFile('score512', developmentCircuitId), await developmentKeyFile('score512'));
      const missing = { kind: 'configuration', code: 'KEY_MISSING' };
      await assert.rejects(provingKeyFile('score4096', await id()), missing);
      await assert.rejects(provingKeyFile('score512', `0x${'12'.repeat(32)}`), missing);
      await cp(join(ceremony, '0002.zkey'), join(place, 'final.zkey'));
      await assert.rejects(provingKeyFile('score512', await id()), { kind: 'terminal', code: 'KEY_CIRCUIT_MISMATCH' });
      await cp(place, join(keys, 'again'), { recursive: true });
      assert.throws(() => provingCircuitId('score512'), { kind: 'configuration', code: 'KEYS_AMBIGUOUS' });
      process.env.HOKUSAI_KEYS_DIR = join(folder, 'nowhere');
      assert.throws(() => provingCircuitId('score512'), { kind: 'configuration', code: 'KEYS_FOLDER' });
    } finally {
      delete process.env.HOKUSAI_KEYS_DIR;
    }
  });

  it('are what a score is proven and registered with, and what a validator lacks is named', async () => {
    const keys = join(folder, 'of scores');
    await mkdir(join(keys, 'score512'), { recursive: true });
    const file = join(keys, 'score512', 'final.zkey');
    // Made from the development key, which a local chain takes.
    await snarkjs.zKey.contribute(await developmentKeyFile('score512'), file, 'alice', 'entropy');
    const zkey = await readFile(file);
    const id = circuitId(verificationKey(zkey));
    const transcript = { circuit: 'score512', circuitId: id, zkey: sha256(zkey) };
    await writeFile(join(keys, 'score512', 'transcript.json'), JSON.stringify(transcript));
    const { score } = SCORE_CASES.find(({ name }) => name === SCORE_PROOF.case)!;
    const chain = await startLocalChain();
    const executor = await openExecutor(join(folder, 'run'));
    process.env.HOKUSAI_KEYS_DIR = keys;
    try {
      const client = await connect({ ...chain, account: chain.accounts.outsider });
      assert.equal(await registerCircuit(client, 'score512'), id);
      const proven = await proveScore(score, executor);
      assert.equal(proven.circuitId, id);
      const args = [id, contractProof(proven.proof), proven.publicSignals.map(BigInt)] as const;
      assert.equal(await view(client, { contract: 'circuitRegistry', functionName: 'verify', args }), true);
      const elsewhere = proveScore(score, executor, undefined, `0x${'12'.repeat(32)}`);
      await assert.rejects(elsewhere, { code: 'KEY_MISSING', next: /HOKUSAI_KEYS_DIR/ });
      const mainnet = { ...client, deployment: { ...chain.deployment, chainId: 1 } };
      await assert.rejects(registerCircuit(mainnet, 'score512'), { code: 'DEVELOPMENT_KEY' });
    } finally {
      delete process.env.HOKUSAI_KEYS_DIR;
      await executor.close();
      await chain.stop();
    }
  });

  it('the published powers of tau are those of 2^8 to 2^28, each with a hash of its own', () => {
    const powers = Array.from({ length: 21 }, (_, i) => String(i + 8));
    assert.deepEqual(Object.keys(PUBLISHED), powers);
    assert.equal(new Set(Object.values(PUBLISHED)).size, 21);
    for (const hash of Object.values(PUBLISHED)) assert.match(hash, /^[0-9a-f]{128}$/);
  });
});

describe('hokusai keys', () => {
  it('derives development keys, and says what they are good for', async () => {
    const { keys, warning } = await answer(run('keys', 'dev', 'score512', '--json'));
    const { developmentCircuitId } = circuitRecords().score512;
    assert.equal(keys[0].circuitId, developmentCircuitId);
    assert.equal(keys[0].bytes, (await readFile(keys[0].file)).length);
    assert.match(warning, /anybody can prove anything/);
  });

  it('says all that is wrong with how it is called, and helps', async () => {
    await refused(run('keys', 'dev', 'score511'), 2, /expected a circuit: score512/);
    await refused(
      run('keys', 'ceremony', 'start', 'score512', '--accept-ptau', 'ab'),
      2,
      /128 hexadecimal digits; .*--ptau is missing; --out is missing/,
    );
    await refused(
      run('keys', 'ceremony', 'finish', ceremony, '--beacon', '0xab', '--iterations', '9'),
      2,
      /--beacon 0xab: .*--iterations 9: /,
    );
    await refused(run('keys', 'ceremony', 'contribute', ceremony, '--name', 'a\u202eb'), 2, /--name/);
    await refused(
      run('keys', 'ceremony', 'begin'),
      2,
      /hokusai keys ceremony: there is no verb begin; there are start, contribute, finish/,
    );
    for (const path of [
      ['dev'],
      ['ceremony', 'start'],
      ['ceremony', 'contribute'],
      ['ceremony', 'finish'],
      ['verify'],
      ['register'],
    ]) {
      const { stdout } = await run('keys', ...path, '--help');
      assert.ok(stdout.startsWith(`Usage: hokusai keys ${path.join(' ')} `) && stdout.includes('\nExample: '), stdout);
    }
    assert.match(
      (await run('keys')).stdout,
      /ceremony +make a production key in a ceremony: start, contribute, finish/,
    );
    assert.match(
      (await run('keys', 'ceremony')).stdout,
      /^Usage: hokusai keys ceremony VERB[\s\S]*contribute +add a secret/,
    );
  });

  it('refuses with exit code 1 what fails for good, and a circuit that it does not know with 2', async () => {
    await refused(run('keys', 'verify', ceremony, '--ptau', ptau), 2, /This release knows no circuit power/);
    const claimed = await forged((_, transcript) => {
      Object.assign(transcript, { circuit: 'score512' satisfies CircuitName });
      return undefined;
    });
    await refused(run('keys', 'verify', claimed, '--ptau', ptau), 1, /another score512 than the score512/);
    const nowhere = ['--rpc', 'http://127.0.0.1:9', '--deployment', folder, '--keystore', 'none'];
    await refused(run('keys', 'register', claimed, ...nowhere), 1, /another score512/);
  });

  it('shows neither entropy nor secret on the way', async () => {
    const place = join(folder, 'shown');
    await mkdir(place);
    await cp(join(ceremony, '0000.zkey'), join(place, '0000.zkey'));
    const { stdout, stderr, code } = await run('keys', 'ceremony', 'contribute', place, '--name', 'alice');
    assert.equal(code, 0);
    const [hash] = contributionsOf(await readFile(join(place, '0001.zkey')));
    const long = [...(stdout + stderr).matchAll(/[0-9a-f]{32,}|\d{32,}/gi)].map(([match]) => match);
    assert.deepEqual(long, [hash!.hash]);
  });
});
