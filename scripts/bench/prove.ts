import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CIRCUITS, type CircuitName, circuitRecords, developmentKeyFile } from '../../offchain/prove/circuits.ts';
import { inferenceChunks, inferenceCircuit } from '../../offchain/prove/inference.ts';
import { NATIVE_PROVER } from '../../offchain/prove/native.ts';
import { openProver, sideBySide } from '../../offchain/prove/pool.ts';
import { contractProof, type Proven } from '../../offchain/prove/prove.ts';
import { paddedInput } from '../../offchain/prove/score.ts';
import type { CircuitInput } from '../../offchain/prove/witness.ts';
import { predict } from '../../offchain/train/linear.ts';
import type { Figure } from '../bench.ts';

/** Times are the best of this many runs: what else the machine does can only add to them. */
const RUNS = 3;

/** What is proven for one evaluation. */
interface Family {
  readonly rows: number;
  readonly circuit: CircuitName;
  /** One for each proof: of an inference, the chunks of both models. */
  readonly inputs: readonly CircuitInput[];
  /** Of which that many are of one model. */
  readonly chunks?: number;
}

/** Figures are named `prove.FAMILY.…`, with snarkjs, and `prove.FAMILY.native.…` where the native prover is built. */
const FAMILIES: Readonly<Record<string, () => Promise<Family>>> = {
  score4096: async () => score(4_096),
  linear: () => linear(1_024, 30),
};

/** What others publish or was measured of them, on other machines than this one. */
const ELSEWHERE: readonly Figure[] = [
  { name: 'zkDT.tree.seconds', value: 250, unit: 's', rows: 5_000, source: '54 features, no chain; as published' },
  { name: 'zkDT.tree.proofBytes', value: 287_000, unit: 'bytes', rows: 5_000, source: 'as published' },
  ...(
    [
      ['cpuSeconds', 513, 's'],
      ['peakMB', 15_800, 'MB'],
      ['gas', 1_550_000, 'gas'],
    ] as const
  ).map(([name, value, unit]) => ({
    ...{ name: `ezkl23.linear.${name}`, value, unit, rows: 284 },
    source: 'two models of 30 features, inputs and parameters committed; measured on another machine',
  })),
];

/** Every family's proofs, full of rows, and the field's figures beside them. */
export async function* benchProve(): AsyncIterable<Figure> {
  // A cache of its own, so that deriving the keys is measured too.
  process.env.HOKUSAI_CACHE_DIR = await mkdtemp(join(tmpdir(), 'hokusai-bench-'));
  try {
    for (const [name, family] of Object.entries(FAMILIES)) yield* benchFamily(name, await family());
  } finally {
    await rm(process.env.HOKUSAI_CACHE_DIR, { recursive: true });
  }
  yield* ELSEWHERE;
}

async function* benchFamily(family: string, proving: Family): AsyncIterable<Figure> {
  const { rows, circuit, chunks } = proving;
  const derived = performance.now();
  const keyFile = await developmentKeyFile(circuit);
  const keySeconds = (performance.now() - derived) / 1000;
  const { constraints } = circuitRecords()[circuit];
  const figure = (name: string, value: number, unit: string): Figure => ({
    ...{ name: `prove.${family}.${name}`, value, unit, rows },
  });
  yield figure('constraints', constraints, 'constraints');
  yield figure('constraintsPerRow', ((chunks ?? 1) * constraints) / rows, 'constraints');
  yield figure('keyMB', statSync(keyFile).size / 1e6, 'MB');
  yield figure('keySeconds', keySeconds, 's');
  yield figure('gas', gasOf(chunks), 'gas');

  const slow = await best(proving, keyFile, 'snarkjs');
  const words = slow.proofs.flatMap(({ proof }) => Object.values(contractProof(proof)).flat(2));
  yield figure('proofBytes', 32 * words.length, 'bytes');
  for (const [name, value, unit] of costs(slow)) yield figure(name, value, unit);
  if (!existsSync(NATIVE_PROVER)) return;
  const fast = await best(proving, keyFile, 'native');
  for (const [i, [name, value, unit]] of costs(fast).entries()) {
    yield { ...figure(`native.${name}`, value, unit), peer: 'snarkjs', ratio: value / costs(slow)[i]![1] };
  }
}

/** All proofs of an evaluation, and how long they took together. */
interface Measured {
  readonly seconds: number;
  readonly proofs: readonly Proven[];
}

function costs({ seconds, proofs }: Measured): (readonly [name: string, value: number, unit: string])[] {
  return [
    ['seconds', seconds, 's'],
    ['witnessSeconds', proofs.reduce((sum, { witnessSeconds }) => sum + witnessSeconds, 0), 's'],
    ['peakMB', Math.max(...proofs.map(({ peakBytes }) => peakBytes)) / 1e6, 'MB'],
  ];
}

async function best({ circuit, inputs }: Family, keyFile: string, prover: Proven['prover']): Promise<Measured> {
  const runs: Measured[] = [];
  for (let run = 0; run < RUNS; run++) {
    const started = performance.now();
    const opened = openProver(circuit, async () => keyFile, { prover });
    try {
      const proofs = await sideBySide(inputs, opened.jobs, (input) => opened.prove(input));
      runs.push({ seconds: (performance.now() - started) / 1000, proofs });
    } finally {
      opened.close();
    }
  }
  return runs.reduce((a, b) => (a.seconds < b.seconds ? a : b));
}

/** To settle on a chain, as on record; of an inference, with both models put on record before. */
function gasOf(chunks: number | undefined): number {
  const gas: Record<string, number> = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../test/contracts/gas.json'), 'utf8'),
  );
  const inference = gas['gas.proveInference']! + ((chunks ?? 1) - 1) * gas['gas.proveInference.furtherChunk']!;
  return gas['gas.settle.level1']! + (chunks === undefined ? 0 : 2 * inference);
}

function score(rows: (typeof CIRCUITS)['score512' | 'score4096']['args'][0]): Family {
  const bits = (step: number) => Uint8Array.from({ length: rows }, (_, i) => (i % step === 0 ? 1 : 0));
  const salts = { labelsSalt: 1n, baselineSalt: 2n, candidateSalt: 3n, contextHash: 4n };
  const score = {
    metric: 'accuracy',
    classes: 2,
    labels: bits(2),
    baselinePredictions: bits(3),
    candidatePredictions: bits(5),
    ...salts,
  };
  return { rows, circuit: `score${rows}`, inputs: [paddedInput(score, rows)] };
}

async function linear(rows: number, count: number): Promise<Family> {
  const shape = { family: 'linear', inputs: count, laneBits: 1 } as const;
  const columns = Array.from({ length: count }, (_, j) => `x${j}`);
  const values = Uint8Array.from({ length: rows * count }, (_, i) => (i * 7_919) % 256);
  const salts = { modelSalt: 1n, featuresSalt: 2n, predictionsSalt: 3n, stateSalt: BigInt };
  const models = [400, 300].map((step) => {
    const weights = columns.map((_, j) => 1_000 * (j % 2) - step);
    const model = { version: 1, family: 'linear', weights, bias: 7, scale: 9, quantiserHash: '0x00' } as const;
    const features = { rows, columns, values };
    return inferenceChunks({ model, shape, features, predictions: predict(model, features), ...salts });
  });
  const chunks = await Promise.all(models);
  const inputs = chunks.flat().map(({ input }) => input);
  return { rows, circuit: inferenceCircuit(shape), inputs, chunks: chunks[0]!.length };
}
