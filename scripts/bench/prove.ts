import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CIRCUITS, type CircuitName, circuitRecords, developmentKeyFile } from '../../offchain/prove/circuits.ts';
import { inferenceChunks } from '../../offchain/prove/inference.ts';
import { contractProof, NATIVE_PROVER, type Proven, prove } from '../../offchain/prove/prove.ts';
import { paddedInput } from '../../offchain/prove/score.ts';
import type { Figure } from '../bench.ts';

/** Times are the best of this many runs: what else the machine does can only add to them. */
const RUNS = 3;

/** All circuits, full of rows, with snarkjs and, where it is built, with the native prover; figures are named `prove.FAMILY.…`. */
export async function* benchProve(): AsyncIterable<Figure> {
  // A cache of its own, so that deriving the keys is measured too.
  process.env.HOKUSAI_CACHE_DIR = await mkdtemp(join(tmpdir(), 'hokusai-bench-'));
  try {
    for (const circuit of Object.keys(CIRCUITS) as CircuitName[]) yield* benchCircuit(circuit);
  } finally {
    await rm(process.env.HOKUSAI_CACHE_DIR, { recursive: true });
  }
}

async function* benchCircuit(circuit: CircuitName): AsyncIterable<Figure> {
  const { rows, input } = await filled(circuit);
  const derived = performance.now();
  const keyFile = await developmentKeyFile(circuit);
  const keySeconds = (performance.now() - derived) / 1000;
  const { constraints } = circuitRecords()[circuit];
  const name = (figure: string) => `prove.${circuit}.${figure}`;
  yield { name: name('constraints'), value: constraints, unit: 'constraints', rows };
  yield { name: name('constraintsPerRow'), value: constraints / rows, unit: 'constraints', rows };
  yield { name: name('keyMB'), value: statSync(keyFile).size / 1e6, unit: 'MB', rows };
  yield { name: name('keySeconds'), value: keySeconds, unit: 's', rows };

  const snarkjs = await best(circuit, input, keyFile, 'snarkjs');
  const { a, b, c } = contractProof(snarkjs.proof);
  yield { name: name('proofBytes'), value: 32 * [a, b, c].flat(2).length, unit: 'bytes', rows };
  yield* figures(name, rows, snarkjs);
  if (!existsSync(NATIVE_PROVER)) return;
  const native = await best(circuit, input, keyFile, 'native');
  for (const figure of figures((part) => name(`native.${part}`), rows, native)) {
    const peer = [...figures(name, rows, snarkjs)].find((other) => other.name === figure.name.replace('native.', ''))!;
    yield { ...figure, peer: 'snarkjs', ratio: figure.value / peer.value };
  }
}

function* figures(name: (figure: string) => string, rows: number, proven: Proven): Iterable<Figure> {
  yield { name: name('seconds'), value: proven.witnessSeconds + proven.proveSeconds, unit: 's', rows };
  yield { name: name('witnessSeconds'), value: proven.witnessSeconds, unit: 's', rows };
  yield { name: name('peakMB'), value: proven.peakBytes / 1e6, unit: 'MB', rows };
}

/** As many rows as the circuit holds; of an inference, one chunk of as many features. */
async function filled(circuit: CircuitName) {
  const { template, args } = CIRCUITS[circuit];
  if (template === 'LinearInference') {
    const [blocks, blockRows, widest] = args;
    const rows = blocks * blockRows;
    const columns = Array.from({ length: widest }, (_, j) => `x${j}`);
    const values = Uint8Array.from({ length: rows * widest }, (_, i) => i % 256);
    const weights = columns.map((_, j) => 1_000 * (j % 2) - 400);
    const model = { version: 1, family: 'linear', weights, bias: 7, scale: 9, quantiserHash: '0x00' } as const;
    const salts = { modelSalt: 1n, featuresSalt: 2n, predictionsSalt: 3n, stateSalt: BigInt };
    const [chunk] = await inferenceChunks({ model, features: { rows, columns, values }, ...salts });
    return { rows, input: chunk!.input };
  }
  const [rows] = args;
  const bits = (step: number) => Uint8Array.from({ length: rows }, (_, i) => (i % step === 0 ? 1 : 0));
  const salts = { labelsSalt: 1n, baselineSalt: 2n, candidateSalt: 3n, contextHash: 4n };
  const metric = { Score: 'accuracy', ClassesScore: 'accuracy', MseScore: 'mse', MaeScore: 'mae', AurocScore: 'auroc' }[
    template
  ];
  const score = {
    metric,
    classes: template === 'ClassesScore' ? 3 : 2,
    labels: bits(2),
    baselinePredictions: bits(3),
    candidatePredictions: bits(5),
    ...salts,
  };
  return { rows, input: paddedInput(score, rows) };
}

async function best(
  circuit: CircuitName,
  input: Parameters<typeof prove>[1],
  keyFile: string,
  prover: Proven['prover'],
): Promise<Proven> {
  const runs: Proven[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await prove(circuit, input, keyFile, { prover }));
  return runs.reduce((a, b) => (a.witnessSeconds + a.proveSeconds < b.witnessSeconds + b.proveSeconds ? a : b));
}
