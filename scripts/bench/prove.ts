import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CIRCUITS,
  type CircuitName,
  circuitRecords,
  developmentKeyFile,
  type ScoreCircuit,
} from '../../offchain/prove/circuits.ts';
import type { ScoreRows } from '../../offchain/prove/counts.ts';
import { inferenceChunks, inferenceCircuit, type ModelShape } from '../../offchain/prove/inference.ts';
import { NATIVE_PROVER } from '../../offchain/prove/native.ts';
import { openProver, sideBySide } from '../../offchain/prove/pool.ts';
import { contractProof, type Proven } from '../../offchain/prove/prove.ts';
import { laneBitsOf, paddedInput } from '../../offchain/prove/score.ts';
import type { CircuitInput } from '../../offchain/prove/witness.ts';
import { type Model, predict } from '../../offchain/train/model.ts';
import { HYPERPARAMETERS, type ModelType, type ReferenceSpec } from '../../offchain/train/spec.ts';
import { sizesOf, trainerOf } from '../../offchain/train/trainer-of.ts';
import { uniform } from '../../test/offchain/tables.ts';
import type { Figure } from '../bench.ts';

/** Times of one proof are the best of so many runs: what else the machine does can only add to them. */
const RUNS = 3;
/** Families of more proofs than this are proven by snarkjs only where there is no native prover. */
const MANY = 20;

/** What is proven for one evaluation. */
interface Family {
  readonly rows: number;
  readonly circuit: CircuitName;
  /** Of an inference, how many are proven; a score has none. */
  readonly models?: number;
  /** One for each proof: of an inference, the chunks of its models. Making them is measured, too. */
  inputs(): Promise<CircuitInput[]>;
  /** The field's figure for the same work, in seconds. */
  readonly peer?: { readonly name: string; readonly seconds: number };
}

/** Figures are named `prove.FAMILY.…`; where the native prover is built they are its own, and snarkjs's stand beside. */
export const FAMILIES: Readonly<Record<string, () => Promise<Family>>> = {
  score4096: async () => score({ ...bits(4_096), metric: 'accuracy', classes: 2 }, 'score4096'),
  auroc: async () => score({ ...scores(512), metric: 'auroc', classes: 2 }, 'auroc512'),
  linear: () =>
    inference(
      { framework: 'reference', modelType: 'LinearSVC', hyperparameters: { C: 1, class_weight: null } },
      { rows: 1_024, columns: 30, classes: 2 },
    ),
  regression: () =>
    inference(
      { framework: 'reference', modelType: 'Ridge', hyperparameters: { alpha: 1 } },
      { rows: 1_024, columns: 30, classes: 0 },
    ),
  multiclass: () =>
    inference(
      { framework: 'reference', modelType: 'LinearSVC', hyperparameters: { C: 1, class_weight: null } },
      { rows: 898, columns: 64, classes: 10 },
    ),
  mlp: () => inference(specOf('MLPClassifier', { hidden_layer_sizes: [32] }), { rows: 284, columns: 30, classes: 2 }),
  tree5000: async () => ({
    ...(await inference(
      specOf('RandomForestClassifier', { n_estimators: 1, max_depth: 23 }),
      { rows: 5_000, columns: 54, classes: 7 },
      1,
    )),
    peer: { name: 'zkDT (as published)', seconds: 250 },
  }),
  forest: () => inference(specOf('RandomForestClassifier', {}), { rows: 1_000, columns: 64, classes: 10 }, 1),
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

/** The proofs of the named families, or of every one, and the field's figures beside them. */
export async function* benchProve(names: readonly string[]): AsyncIterable<Figure> {
  // A cache of its own, so that deriving the keys is measured too.
  process.env.HOKUSAI_CACHE_DIR = await mkdtemp(join(tmpdir(), 'hokusai-bench-'));
  try {
    for (const name of names.length > 0 ? names : Object.keys(FAMILIES)) {
      yield* benchFamily(name, await FAMILIES[name]!());
    }
  } finally {
    await rm(process.env.HOKUSAI_CACHE_DIR, { recursive: true });
  }
  yield* ELSEWHERE;
}

async function* benchFamily(name: string, family: Family): AsyncIterable<Figure> {
  const { rows, circuit, models = 0, peer } = family;
  const derived = performance.now();
  const keyFile = await developmentKeyFile(circuit);
  const keySeconds = (performance.now() - derived) / 1000;
  const { constraints } = circuitRecords()[circuit];
  const figure = (figureName: string, value: number, unit: string): Figure => ({
    ...{ name: `prove.${name}.${figureName}`, value, unit, rows },
  });
  yield figure('constraints', constraints, 'constraints');
  yield figure('keyMB', statSync(keyFile).size / 1e6, 'MB');
  yield figure('keySeconds', keySeconds, 's');

  const native = existsSync(NATIVE_PROVER);
  const measured = await best(family, keyFile, native ? 'native' : 'snarkjs');
  const { proofs } = measured;
  yield figure('proofs', proofs.length, 'proofs');
  yield figure('constraintsPerRow', (proofs.length * constraints) / rows / Math.max(models, 1), 'constraints');
  const words = proofs.flatMap(({ proof }) => Object.values(contractProof(proof)).flat(2));
  yield figure('proofBytes', 32 * words.length, 'bytes');
  yield figure('gas', gasOf(proofs.length, models), 'gas');
  const slow = native && proofs.length <= MANY ? await best(family, keyFile, 'snarkjs') : undefined;
  for (const [i, [cost, value, unit]] of costs(measured).entries()) {
    const beside = slow && costs(slow)[i]![1];
    const other = cost === 'seconds' && peer ? { peer: peer.name, ratio: value / peer.seconds } : {};
    yield { ...figure(cost, value, unit), ...(beside ? { peer: 'snarkjs', ratio: value / beside } : other) };
  }
  if (slow) for (const [cost, value, unit] of costs(slow)) yield figure(`snarkjs.${cost}`, value, unit);
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
  for (let run = 0; run < (runs[0] && runs[0].proofs.length > 1 ? 1 : RUNS); run++) {
    const started = performance.now();
    const opened = openProver(circuit, async () => keyFile, { prover });
    try {
      const proofs = await sideBySide(await inputs(), opened.jobs, (input) => opened.prove(input));
      runs.push({ seconds: (performance.now() - started) / 1000, proofs });
    } finally {
      opened.close();
    }
  }
  return runs.reduce((a, b) => (a.seconds < b.seconds ? a : b));
}

/** To settle on a chain, as on record; of an inference, with its models put on record before. */
function gasOf(proofs: number, models: number): number {
  const gas: Record<string, number> = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../test/contracts/gas.json'), 'utf8'),
  );
  const further = models === 0 ? 0 : (proofs - models) * gas['gas.proveInference.furtherChunk']!;
  return gas['gas.settle.level1']! + models * gas['gas.proveInference']! + further;
}

const SALTS = { labelsSalt: 1n, baselineSalt: 2n, candidateSalt: 3n, contextHash: 4n };

function bits(rows: number) {
  const column = (step: number) => Uint8Array.from({ length: rows }, (_, i) => (i % step === 0 ? 1 : 0));
  return { labels: column(2), baselinePredictions: column(3), candidatePredictions: column(5) };
}

function scores(rows: number) {
  const column = (step: number) => Uint16Array.from({ length: rows }, (_, i) => (i * step) % 2 ** 16);
  return { ...bits(rows), baselinePredictions: column(7_919), candidatePredictions: column(104_729) };
}

function score(rows: ScoreRows, circuit: ScoreCircuit): Family {
  const { length } = rows.labels;
  return { rows: length, circuit, inputs: async () => [paddedInput({ ...rows, ...SALTS }, CIRCUITS[circuit].args[0])] };
}

/** A specification with the defaults of what is not given. */
const specOf = (modelType: ModelType, given: object): ReferenceSpec =>
  ({ framework: 'reference', modelType, hyperparameters: HYPERPARAMETERS[modelType].parse(given) }) as ReferenceSpec;

/** What models that are learnt from rows of a known law predict on as many others. */
async function inference(
  spec: ReferenceSpec,
  { rows, columns, classes }: { rows: number; columns: number; classes: number },
  models = 2,
): Promise<Family> {
  const random = uniform(7);
  const table = () => lawful(rows, columns, classes, random);
  const benchmark = table().features;
  const trained: Model[] = [];
  for (let i = 0; i < models; i++) {
    const { model } = await trainerOf(spec, classes).train({ ...table(), classes, quantiserHash: '0x00' });
    trained.push(model);
  }
  const shape: ModelShape = {
    ...sizesOf(spec, classes),
    inputs: columns,
    laneBits: laneBitsOf('accuracy', classes).predictions,
  };
  const salts = { modelSalt: 1n, featuresSalt: 2n, predictionsSalt: 3n, stateSalt: BigInt };
  const inputs = async () => {
    const chunks = trained.map((model) =>
      inferenceChunks({ model, shape, features: benchmark, predictions: predict(model, benchmark), ...salts }),
    );
    return (await Promise.all(chunks)).flat().map(({ input }) => input);
  };
  return { rows, circuit: inferenceCircuit(shape), models, inputs };
}

/** Bytes drawn evenly, and labels that follow from a few of them but for one row in five. */
function lawful(rows: number, columns: number, classes: number, random: () => number) {
  const values = Uint8Array.from({ length: rows * columns }, () => Math.floor(256 * random()));
  const law = (row: number) => {
    const [a, b, c] = [0, 1, 2].map((j) => values[j * rows + row]!) as [number, number, number];
    return (a + 2 * b + (a > 128 ? c : 255 - c)) / 1_021;
  };
  const most = classes || 2 ** 16;
  const label = (row: number) => Math.floor(most * (random() < 0.2 ? random() : law(row)));
  const labels = Array.from({ length: rows }, (_, row) => label(row));
  const features = { rows, columns: Array.from({ length: columns }, (_, j) => `x${j}`), values };
  return { features, labels: classes > 0 ? Uint8Array.from(labels) : Uint16Array.from(labels) };
}
