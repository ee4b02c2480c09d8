/**
 * Writes test/vectors/score.json: rows with the public signals that they must give, and one real proof.
 * TypeScript, circom and Solidity run the same table; only a change of the protocol changes it.
 *
 *   npm run vectors
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { developmentKeyFile } from '../offchain/prove/circuits.ts';
import { encodeVerificationKey, verificationKey } from '../offchain/prove/keys.ts';
import { prove } from '../offchain/prove/prove.ts';
import { laneBitsOf, type Score, scoreCircuit, scoreInput, scoreSignals } from '../offchain/prove/score.ts';

// Knuth's MMIX generator: the same rows on every machine.
let state = 42n;
const random = (): bigint => {
  state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
  return state >> 40n;
};

const randomSalts = () => ({
  labelsSalt: random(),
  baselineSalt: random(),
  candidateSalt: random(),
  contextHash: random() ** 10n,
});

/** n rows whose two models err in one of `baselineErrs` and one of `candidateErrs` rows, by one class or more. */
function draw(n: number, baselineErrs: bigint, candidateErrs: bigint, classes = 2): Score {
  const labels = Uint8Array.from({ length: n }, () => Number(random() % BigInt(classes)));
  const other = (label: number) => (label + 1 + (classes === 2 ? 0 : Number(random() % BigInt(classes - 1)))) % classes;
  const predict = (errs: bigint) => labels.map((label) => (random() % errs === 0n ? other(label) : label));
  const [baselinePredictions, candidatePredictions] = [predict(baselineErrs), predict(candidateErrs)];
  return { metric: 'accuracy', classes, labels, baselinePredictions, candidatePredictions, ...randomSalts() };
}

const constant = (n: number, value: number, classes = 2): Score => {
  const values = new Uint8Array(n).fill(value);
  const salts = { labelsSalt: 0n, baselineSalt: 0n, candidateSalt: 0n, contextHash: (1n << 248n) - 1n };
  const same = { labels: values, baselinePredictions: values, candidatePredictions: values };
  return { metric: 'accuracy', classes, ...same, ...salts };
};

const sixteen = (n: number) => Uint16Array.from({ length: n }, () => Number(random() & 0xffffn));

/** n rows of labels and predictions that have nothing to do with each other: errors of every size and both signs. */
function drawRegression(metric: 'mse' | 'mae', n: number): Score {
  const [labels, baselinePredictions, candidatePredictions] = [sixteen(n), sixteen(n), sixteen(n)];
  return { metric, classes: 0, labels, baselinePredictions, candidatePredictions, ...randomSalts() };
}

/** n rows with scores of so many values, so that few of them or many are tied. */
function drawScores(n: number, values: number): Score {
  const labels = Uint8Array.from({ length: n }, () => Number(random() & 1n));
  const [baselinePredictions, candidatePredictions] = [sixteen(n), sixteen(n)].map((scores) =>
    scores.map((one, row) => (one % values) + labels[row]! * Math.floor(values / 9)),
  ) as [Uint16Array, Uint16Array];
  return { metric: 'auroc', classes: 2, labels, baselinePredictions, candidatePredictions, ...randomSalts() };
}

const CASES: Record<string, Score> = {
  'one row of ones': constant(1, 1),
  'one row of zeros, which is not an empty vector': constant(1, 0),
  'one row less than a block': draw(239, 10n, 20n),
  'one block': draw(240, 10n, 20n),
  'one row more than a block': draw(241, 10n, 20n),
  'two rows': draw(2, 10n, 20n),
  'seven rows': draw(7, 10n, 20n),
  'eleven rows': draw(11, 10n, 20n),
  'the demo benchmark': draw(284, 10n, 60n),
  'a candidate that errs more': draw(400, 60n, 10n),
  'the small class, full': draw(512, 10n, 20n),
  'the large class, one row more than the small one holds': draw(513, 10n, 20n),
  'the large class, full': draw(4096, 10n, 20n),
  'the large class, full of ones': constant(4096, 1),
  'one row of three classes': draw(1, 2n, 2n, 3),
  'the last class of 256 in every row': constant(1024, 255, 256),
  'rows of ten classes, one more than an element holds': draw(31, 4n, 8n, 10),
  'a block of ten classes': draw(240, 4n, 8n, 10),
  'one row more than a block of ten classes': draw(241, 8n, 4n, 10),
  'squared errors of one row': drawRegression('mse', 1),
  'squared errors of a block': drawRegression('mse', 240),
  'squared errors of the class, full': drawRegression('mse', 1024),
  'absolute errors of two rows': drawRegression('mae', 2),
  'absolute errors of one row more than a block': drawRegression('mae', 241),
  'absolute errors of the class, full': drawRegression('mae', 512),
  'the ROC curve of one row': drawScores(1, 9),
  'the ROC curve of a block, most rows tied': drawScores(240, 9),
  'the ROC curve of the class, full': drawScores(512, 50_000),
};

/** Integers as decimal strings, vectors as a hexadecimal string of so many digits a value. */
function toJson({ metric, classes, ...members }: Score) {
  const bits = laneBitsOf(metric, classes);
  const digits = (name: string) => Math.ceil((name === 'labels' ? bits.labels : bits.predictions) / 4);
  const text = (value: bigint | Uint8Array | Uint16Array, name: string) =>
    typeof value === 'bigint'
      ? String(value)
      : Array.from(value, (one) => one.toString(16).padStart(digits(name), '0')).join('');
  return { metric, classes, ...Object.fromEntries(Object.entries(members).map(([name, v]) => [name, text(v, name)])) };
}

const cases = [];
for (const [name, score] of Object.entries(CASES)) {
  const { counts, ...signals } = await scoreSignals(score);
  const strings = Object.fromEntries(Object.entries(signals).map(([key, value]) => [key, String(value)]));
  cases.push({ name, score: toJson(score), signals: { ...strings, counts: counts.map(String) } });
}

const proven = 'the demo benchmark';
const circuit = scoreCircuit('accuracy', 2, CASES[proven]!.labels.length);
const keyFile = await developmentKeyFile(circuit);
const { proof, publicSignals } = await prove(circuit, scoreInput(CASES[proven]!, circuit), keyFile, {
  prover: 'snarkjs',
});
const key = encodeVerificationKey(verificationKey(readFileSync(keyFile)));
const table = { cases, proof: { circuit, case: proven, key, publicSignals, proof } };
writeFileSync(new URL('../test/vectors/score.json', import.meta.url), `${JSON.stringify(table, null, 1)}\n`);
