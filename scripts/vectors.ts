/**
 * Writes test/vectors/score.json: rows with the public signals that they must give, and one real proof.
 * TypeScript, circom and Solidity run the same table; only a change of the protocol changes it.
 *
 *   npm run vectors
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { CIRCUITS, developmentKeyFile } from '../offchain/prove/circuits.ts';
import { encodeVerificationKey, verificationKey } from '../offchain/prove/keys.ts';
import { prove } from '../offchain/prove/prove.ts';
import { type Score, scoreCircuit, scoreInput, scoreSignals } from '../offchain/prove/score.ts';

// Knuth's MMIX generator: the same rows on every machine.
let state = 42n;
const random = (): bigint => {
  state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
  return state >> 40n;
};

/** n rows whose two models err in one of `baselineErrs` and one of `candidateErrs` rows. */
function draw(n: number, baselineErrs: bigint, candidateErrs: bigint): Score {
  const labels = Uint8Array.from({ length: n }, () => Number(random() & 1n));
  const predict = (errs: bigint) => labels.map((label) => (random() % errs === 0n ? 1 - label : label));
  return {
    labels,
    baselinePredictions: predict(baselineErrs),
    candidatePredictions: predict(candidateErrs),
    labelsSalt: random(),
    baselineSalt: random(),
    candidateSalt: random(),
    contextHash: random() ** 10n,
  };
}

const constant = (n: number, bit: number): Score => {
  const bits = new Uint8Array(n).fill(bit);
  const salts = { labelsSalt: 0n, baselineSalt: 0n, candidateSalt: 0n, contextHash: (1n << 248n) - 1n };
  return { labels: bits, baselinePredictions: bits, candidatePredictions: bits, ...salts };
};

const CASES: Record<string, Score> = {
  'one row of ones': constant(1, 1),
  'one row of zeros, which is not an empty vector': constant(1, 0),
  'one row less than a block': draw(247, 10n, 20n),
  'one block': draw(248, 10n, 20n),
  'one row more than a block': draw(249, 10n, 20n),
  'the demo benchmark': draw(284, 10n, 60n),
  'a candidate that errs more': draw(400, 60n, 10n),
  'the small class, full': draw(512, 10n, 20n),
  'the large class, one row more than the small one holds': draw(513, 10n, 20n),
  'the large class, full': draw(4096, 10n, 20n),
  'the large class, full of ones': constant(4096, 1),
};

const toJson = (record: object) =>
  Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, typeof value === 'bigint' ? String(value) : value.join('')]),
  );

const cases = [];
for (const [name, score] of Object.entries(CASES)) {
  cases.push({ name, score: toJson(score), signals: toJson(await scoreSignals(score)) });
}

const proven = 'the demo benchmark';
const circuit = scoreCircuit(CASES[proven]!.labels.length);
const keyFile = await developmentKeyFile(circuit);
const { proof, publicSignals } = await prove(circuit, scoreInput(CASES[proven]!, CIRCUITS[circuit].args[0]), keyFile, {
  prover: 'snarkjs',
});
const key = encodeVerificationKey(verificationKey(readFileSync(keyFile)));
const table = { cases, proof: { circuit, case: proven, key, publicSignals, proof } };
writeFileSync(new URL('../test/vectors/score.json', import.meta.url), `${JSON.stringify(table, null, 1)}\n`);
