import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { bn254 } from '@noble/curves/bn254.js';
import { network } from 'hardhat';
import { concat, type Hex, keccak256, numberToHex, size, slice } from 'viem';
import { circuitRecords, developmentKeyFile } from '../../offchain/prove/circuits.ts';
import { Q, R } from '../../offchain/prove/field.ts';
import { verificationKey } from '../../offchain/prove/keys.ts';
import { type ContractProof, contractProof } from '../../offchain/prove/prove.ts';
import { simulate } from '../simulate.ts';
import { SCORE_PROOF } from '../vectors/score.ts';

const { viem, networkHelpers } = await network.create();

const PUBLIC_SIGNALS = SCORE_PROOF.publicSignals.map(BigInt);
const PROOF = contractProof(SCORE_PROOF.proof);
const G2 = [
  11559732032986387107991004021392285783925812861821192530917403151452391805634n,
  10857046999023057135944570762232829481370756359578518086990519993285655852781n,
  4082367875863433681332203403145435568316851327593401208105741076214120093531n,
  8495653923123431417604973247489272438418190587263600148770280649306958101930n,
] as const;

/** The key with the words from `index` on replaced. */
function withWords(index: number, words: readonly bigint[], key: Hex = SCORE_PROOF.key): Hex {
  const tail = 32 * (index + words.length);
  const parts = [slice(key, 0, 32 * index), ...words.map((word) => numberToHex(word, { size: 32 }))];
  return concat(tail < size(key) ? [...parts, slice(key, tail)] : parts);
}

const flatten = ({ a, b, c }: ContractProof) => [...a, ...b[0], ...b[1], ...c];
const unflatten = ([a0, a1, b00, b01, b10, b11, c0, c1]: bigint[]) =>
  ({
    a: [a0, a1],
    b: [
      [b00, b01],
      [b10, b11],
    ],
    c: [c0, c1],
  }) as unknown as ContractProof;
const word = (index: number) => BigInt(slice(SCORE_PROOF.key, 32 * index, 32 * (index + 1)));

/** A key whose secrets are all known, and a proof under it with A at infinity, where 2 * 3 + inputs * 5 + c * 11 = 0. */
const { G1, G2: G2_POINTS, fields } = bn254;
const g1 = (scalar: bigint) => {
  const { x, y } = G1.Point.BASE.multiply(scalar).toAffine();
  return [x, y] as const;
};
const g2 = (scalar: bigint) => {
  const { x, y } = G2_POINTS.Point.BASE.multiply(scalar).toAffine();
  return [[x.c1, x.c0] as const, [y.c1, y.c0] as const] as const;
};
const openKey = (ic: readonly bigint[]) => {
  const points = [...g1(2n), ...g2(3n), ...g2(5n), ...g2(11n), ...ic.flatMap(g1)];
  return concat(points.flat().map((value) => numberToHex(value, { size: 32 })));
};
const openProof = (inputs: bigint): ContractProof => {
  const c = g1(fields.Fr.neg(fields.Fr.div(6n + 5n * inputs, 11n)));
  return { a: [0n, 0n], b: g2(1n), c };
};

async function deployed() {
  const registry = await viem.deployContract('CircuitRegistry');
  await registry.write.register([SCORE_PROOF.key, 6n]);
  return { registry, circuitId: keccak256(SCORE_PROOF.key) };
}

const fixture = () => networkHelpers.loadFixture(deployed);

describe('CircuitRegistry.register', () => {
  it('names a circuit by the hash of its key, keeps the key, and emits CircuitRegistered', async () => {
    const { registry, circuitId } = await fixture();
    assert.equal(circuitId, circuitRecords()[SCORE_PROOF.circuit].developmentCircuitId);
    assert.equal(await registry.read.verificationKey([circuitId]), SCORE_PROOF.key);
    const fresh = await viem.deployContract('CircuitRegistry');
    await viem.assertions.emitWithArgs(fresh.write.register([SCORE_PROOF.key, 6n]), fresh, 'CircuitRegistered', [
      circuitId,
      6n,
    ]);
  });

  it('overwriting a key: a second registration is refused', async () => {
    const { registry, circuitId } = await fixture();
    await viem.assertions.revertWithCustomErrorWithArgs(
      registry.write.register([SCORE_PROOF.key, 6n]),
      registry,
      'CircuitRegistryAlreadyRegistered',
      [circuitId],
    );
  });

  for (const signals of [5n, 7n]) {
    it(`a key of 6 signals registered for ${signals}: a public signal too many or too few`, async () => {
      const { registry } = await fixture();
      await viem.assertions.revertWithCustomErrorWithArgs(
        registry.write.register([SCORE_PROOF.key, signals]),
        registry,
        'CircuitRegistryKeyLength',
        [signals, 32n * (14n + 2n * (signals + 1n)), BigInt(size(SCORE_PROOF.key))],
      );
    });
  }

  const gamma = [6, 7, 8, 9].map(word);
  const unsafe: Record<string, readonly bigint[]> = {
    'delta = gamma': gamma,
    'delta = -gamma': [gamma[0]!, gamma[1]!, Q - gamma[2]!, Q - gamma[3]!],
    'delta = the generator of G2, as a set-up without phase 2 leaves it': G2,
  };
  for (const [name, delta] of Object.entries(unsafe)) {
    it(`a key that proves anything: ${name}`, async () => {
      const { registry } = await fixture();
      // With another gamma, so that only the check under test can refuse the third.
      const key = name.includes('generator') ? withWords(6, [10, 11, 12, 13].map(word)) : SCORE_PROOF.key;
      await viem.assertions.revertWithCustomErrorWithArgs(
        registry.write.register([withWords(10, delta, key), 6n]),
        registry,
        'CircuitRegistryUnsafeDelta',
        [delta[0]!, delta[1]!],
      );
    });
  }

  for (const index of [0, 2, 6, 10, 14, 16, 26]) {
    const width = index >= 2 && index < 14 ? 4 : 2;
    it(`a point at infinity or off the curve at word ${index}`, async () => {
      const { registry } = await fixture();
      const off = Array.from({ length: width }, (_, i) => (word(index + i) + (i === 0 ? 1n : 0n)) % Q);
      const tooLarge = Array.from({ length: width }, (_, i) => word(index + i) + (i === width - 1 ? Q : 0n));
      for (const words of [new Array<bigint>(width).fill(0n), off, tooLarge]) {
        if (words.every((value) => value < 1n << 256n)) {
          await viem.assertions.revertWithCustomErrorWithArgs(
            registry.write.register([withWords(index, words), 6n]),
            registry,
            'CircuitRegistryBadPoint',
            [BigInt(index)],
          );
        }
      }
    });
  }
});

describe('CircuitRegistry.verify', () => {
  const verify = async (proof: ContractProof, signals: readonly bigint[] = PUBLIC_SIGNALS) => {
    const { registry, circuitId } = await fixture();
    return registry.read.verify([circuitId, proof, signals]);
  };

  it('accepts the real proof', async () => assert.equal(await verify(PROOF), true));

  it('accepts (-A, -B), which anybody can make of a proof: proof bytes are never an identifier', async () => {
    const negated = { a: [PROOF.a[0], Q - PROOF.a[1]], b: [PROOF.b[0], PROOF.b[1].map((y) => Q - y)], c: PROOF.c };
    assert.equal(await verify(negated as unknown as ContractProof), true);
  });

  PUBLIC_SIGNALS.forEach((signal, i) => {
    it(`forged public signal ${i}`, async () => {
      for (const forged of [signal + 1n, signal - 1n, 0n, R - signal]) {
        if (forged !== signal) assert.equal(await verify(PROOF, PUBLIC_SIGNALS.with(i, forged)), false);
      }
    });

    it(`public signal ${i} plus r, the same signal to the curve`, async () => {
      for (let twin = signal + R; twin < 1n << 256n; twin += R)
        assert.equal(await verify(PROOF, PUBLIC_SIGNALS.with(i, twin)), false);
    });
  });

  it('malleated proof: each coordinate plus 1, plus q, zero, and the points exchanged', async () => {
    const flat = flatten(PROOF);
    assert.equal(await verify(unflatten(flat)), true);
    for (const [i, value] of flat.entries()) {
      for (const other of [(value + 1n) % Q, value + Q, 0n, Q - value, (1n << 256n) - 1n]) {
        assert.equal(await verify(unflatten(flat.with(i, other))), false, `coordinate ${i} = ${other}`);
      }
    }
    assert.equal(await verify({ ...PROOF, a: PROOF.c, c: PROOF.a }), false);
    assert.equal(await verify(unflatten(new Array<bigint>(8).fill(0n))), false);
  });

  it('forged proof of no statement: the key’s own alpha and beta, with a signal too large to be counted', async () => {
    const a = [word(0), word(1)] as const;
    const b = [[word(2), word(3)] as const, [word(4), word(5)] as const] as const;
    for (const i of PUBLIC_SIGNALS.keys())
      assert.equal(await verify({ a, b, c: [0n, 0n] }, PUBLIC_SIGNALS.with(i, R)), false);
  });

  it('malleated proof: a point at infinity is written in one way only', async () => {
    const { registry } = await fixture();
    const key = openKey([7n]);
    await registry.write.register([key, 0n]);
    const accepted = (a: ContractProof['a']) => registry.read.verify([keccak256(key), { ...openProof(7n), a }, []]);
    assert.equal(await accepted([0n, 0n]), true);
    assert.equal(await accepted([0n, Q]), false);
    assert.equal(await accepted(g1(1n)), false);
  });

  it('takes a signal of r - 1, the largest there is, and not r', async () => {
    const { registry } = await fixture();
    const key = openKey([7n, 1n]);
    await registry.write.register([key, 1n]);
    assert.equal(await registry.read.verify([keccak256(key), openProof(6n), [R - 1n]]), true);
    // Of the signal 0, which r is to the curve.
    assert.equal(await registry.read.verify([keccak256(key), openProof(7n), [0n]]), true);
    assert.equal(await registry.read.verify([keccak256(key), openProof(7n), [R]]), false);
  });

  it('a proof for another circuit', async () => {
    const { registry, circuitId } = await fixture();
    // Another valid key: alpha doubled is a point like any other, but not the one this proof was made for.
    const other = withWords(0, [word(14), word(15)]);
    await registry.write.register([other, 6n]);
    assert.equal(await registry.read.verify([keccak256(other), PROOF, PUBLIC_SIGNALS]), false);
    assert.equal(await registry.read.verify([circuitId, PROOF, PUBLIC_SIGNALS]), true);
  });

  it('refuses an unknown circuit and a wrong number of signals with their values', async () => {
    const { registry, circuitId } = await fixture();
    const unknown = numberToHex(1n, { size: 32 });
    await viem.assertions.revertWithCustomErrorWithArgs(
      registry.read.verify([unknown, PROOF, PUBLIC_SIGNALS]),
      registry,
      'CircuitRegistryUnknownCircuit',
      [unknown],
    );
    for (const signals of [PUBLIC_SIGNALS.slice(0, 5), [...PUBLIC_SIGNALS, 0n], []]) {
      await viem.assertions.revertWithCustomErrorWithArgs(
        registry.read.verify([circuitId, PROOF, signals]),
        registry,
        'CircuitRegistryPublicSignals',
        [circuitId, 6n, BigInt(signals.length)],
      );
    }
  });
});

describe('CircuitRegistry.verifyAll', async () => {
  const key = verificationKey(readFileSync(await developmentKeyFile(SCORE_PROOF.circuit)));
  const statement = (i: number) => PUBLIC_SIGNALS.map((signal, j) => (signal * BigInt(i + 1) + BigInt(j)) % R);
  /** The real proof, and simulated ones of other statements. */
  const batch = (count: number) => ({
    proofs: [PROOF, ...Array.from({ length: count - 1 }, (_, i) => simulate(key, statement(i + 1), BigInt(i + 7)))],
    signals: [PUBLIC_SIGNALS, ...Array.from({ length: count - 1 }, (_, i) => statement(i + 1))],
  });
  const verifyAll = async ({ proofs, signals }: { proofs: ContractProof[]; signals: bigint[][] }) => {
    const { registry, circuitId } = await fixture();
    return registry.read.verifyAll([circuitId, proofs, signals]);
  };

  it('accepts one proof or many, and the same one twice', async () => {
    for (const count of [1, 2, 5]) assert.equal(await verifyAll(batch(count)), true, `${count} proofs`);
    assert.equal(await verifyAll({ proofs: [PROOF, PROOF], signals: [PUBLIC_SIGNALS, PUBLIC_SIGNALS] }), true);
  });

  it('a bad proof among good ones: each coordinate of each plus 1, plus q, or zero', async () => {
    const { proofs, signals } = batch(3);
    for (const i of proofs.keys()) {
      const flat = flatten(proofs[i]!);
      for (const [k, value] of flat.entries()) {
        for (const other of [(value + 1n) % Q, value + Q, 0n]) {
          const bad = unflatten(flat.with(k, other));
          assert.equal(await verifyAll({ proofs: proofs.with(i, bad), signals }), false, `proof ${i}, coordinate ${k}`);
        }
      }
    }
  });

  it('malleated proofs: a point at infinity written otherwise, and a coordinate that is right once it is wrapped around', async () => {
    const { registry } = await fixture();
    const open = openKey([7n]);
    await registry.write.register([open, 0n]);
    const accepted = (a: ContractProof['a']) =>
      registry.read.verifyAll([keccak256(open), [{ ...openProof(7n), a }], [[]]]);
    assert.equal(await accepted([0n, 0n]), true);
    assert.equal(await accepted([0n, Q]), false);
    // q - y, in 256 bits, is the same for both.
    const wrapped = [PROOF.a[0], ((PROOF.a[1] + (1n << 256n)) % Q) + Q] as const;
    assert.equal(await verifyAll({ proofs: [{ ...PROOF, a: wrapped }], signals: [PUBLIC_SIGNALS] }), false);
  });

  it('forged public signals, one more or less, or plus r', async () => {
    const { proofs, signals } = batch(3);
    for (const [i, list] of signals.entries()) {
      for (const [j, signal] of list.entries()) {
        for (const forged of [(signal + 1n) % R, signal + R]) {
          assert.equal(
            await verifyAll({ proofs, signals: signals.with(i, list.with(j, forged)) }),
            false,
            `${i}, ${j}`,
          );
        }
      }
    }
  });

  it('a proof of zeros for signals that begin with r, behind which no other might be looked at', async () => {
    const zeros = PUBLIC_SIGNALS.map(() => 0n);
    const proofs = [simulate(key, zeros)];
    assert.equal(await verifyAll({ proofs, signals: [zeros] }), true);
    for (const rest of [zeros, PUBLIC_SIGNALS]) {
      assert.equal(await verifyAll({ proofs, signals: [rest.with(0, R)] }), false);
    }
  });

  it('proofs whose errors cancel out where all are weighed alike', async () => {
    const { proofs, signals } = batch(2);
    // C + P in one and C - P in the other: the plain product of both equations still holds.
    const shift = simulate(key, statement(9), 11n).c;
    const points = bn254.G1.Point;
    const p = points.fromAffine({ x: shift[0], y: shift[1] });
    const moved = ({ a, b, c }: ContractProof, by: typeof p): ContractProof => {
      const { x, y } = points.fromAffine({ x: c[0], y: c[1] }).add(by).toAffine();
      return { a, b, c: [x, y] };
    };
    const cancelling = [moved(proofs[0]!, p), moved(proofs[1]!, p.negate())];
    assert.equal(await verifyAll({ proofs: cancelling, signals }), false);
    // The same with the signals: one more in one statement and one less in the other.
    const more = signals[0]!.with(0, (signals[0]![0]! + 1n) % R);
    const less = signals[1]!.with(0, (signals[1]![0]! + R - 1n) % R);
    assert.equal(await verifyAll({ proofs, signals: [more, less] }), false);
  });

  it('statements exchanged, and a proof of another circuit', async () => {
    const { proofs, signals } = batch(2);
    assert.equal(await verifyAll({ proofs, signals: signals.toReversed() }), false);
    const { registry } = await fixture();
    const other = withWords(0, [word(14), word(15)]);
    await registry.write.register([other, 6n]);
    assert.equal(await registry.read.verifyAll([keccak256(other), proofs, signals]), false);
  });

  it('refuses an unknown circuit, no proof, other numbers of proofs and statements, and of signals', async () => {
    const { registry, circuitId } = await fixture();
    const { proofs, signals } = batch(2);
    const refused = (id: Hex, given: ContractProof[], stated: bigint[][], error: string, args: readonly unknown[]) =>
      viem.assertions.revertWithCustomErrorWithArgs(
        registry.read.verifyAll([id, given, stated]),
        registry,
        error as 'CircuitRegistryProofs',
        args as [bigint, bigint],
      );
    const unknown = numberToHex(1n, { size: 32 });
    await refused(unknown, proofs, signals, 'CircuitRegistryUnknownCircuit', [unknown]);
    await refused(circuitId, [], [], 'CircuitRegistryProofs', [0n, 0n]);
    await refused(circuitId, proofs, signals.slice(1), 'CircuitRegistryProofs', [2n, 1n]);
    const short = signals.with(1, signals[1]!.slice(1));
    await refused(circuitId, proofs, short, 'CircuitRegistryPublicSignals', [circuitId, 6n, 5n]);
  });
});
