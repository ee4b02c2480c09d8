import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { sha256 } from '../canonical.ts';
import { HokusaiError } from '../errors.ts';
import { sha256OfFile, writeDevelopmentKey } from './key-file.ts';

/**
 * Circuits by name: the template, the arguments of `main`, and its public inputs; of each template, the smallest class
 * first.
 */
export const CIRCUITS = {
  score512: { file: 'score.circom', template: 'Score', args: [512, 240], publicInputs: ['contextHash'] },
  score4096: { file: 'score.circom', template: 'Score', args: [4096, 240], publicInputs: ['contextHash'] },
  classes1024: {
    file: 'score-classes.circom',
    template: 'ClassesScore',
    args: [1024, 240, 15],
    publicInputs: ['contextHash'],
  },
  mse1024: { file: 'score-mse.circom', template: 'MseScore', args: [1024, 240, 15], publicInputs: ['contextHash'] },
  auroc512: { file: 'score-auroc.circom', template: 'AurocScore', args: [512, 240, 15], publicInputs: ['contextHash'] },
  mae512: { file: 'score-mae.circom', template: 'MaeScore', args: [512, 240, 15], publicInputs: ['contextHash'] },
  linear30: {
    file: 'linear-inference.circom',
    template: 'LinearInference',
    family: 'linear',
    args: [360, 240, 15, 30, 26, 1],
    publicInputs: [],
  },
  linearRegression30: {
    file: 'linear-inference.circom',
    template: 'LinearInference',
    family: 'linear-regression',
    args: [240, 240, 15, 30, 31, 16],
    publicInputs: [],
  },
  multiclass64: {
    file: 'dense-inference.circom',
    template: 'DenseInference',
    family: 'dense',
    args: [60, 240, 15, 64, 0, 16],
    publicInputs: [],
  },
  mlp30: {
    file: 'dense-inference.circom',
    template: 'DenseInference',
    family: 'dense',
    args: [60, 240, 15, 30, 32, 1],
    publicInputs: [],
  },
  mlp64: {
    file: 'dense-inference.circom',
    template: 'DenseInference',
    family: 'dense',
    args: [120, 240, 15, 64, 64, 16],
    publicInputs: [],
  },
  tree23: {
    file: 'forest-inference.circom',
    template: 'ForestInference',
    family: 'forest',
    args: [240, 240, 15, 54, 8, 1, 23, 2],
    publicInputs: [],
  },
  forest100: {
    file: 'forest-inference.circom',
    template: 'ForestInference',
    family: 'forest',
    args: [15, 240, 15, 64, 8, 100, 10, 8],
    publicInputs: [],
  },
  binaryForest100: {
    file: 'forest-inference.circom',
    template: 'ForestInference',
    family: 'forest',
    args: [15, 240, 15, 64, 1, 100, 10, 8],
    publicInputs: [],
  },
  regressionForest100: {
    file: 'forest-inference.circom',
    template: 'ForestInference',
    family: 'forest',
    args: [15, 240, 15, 64, 16, 100, 10, 8],
    publicInputs: [],
  },
} as const;

export type CircuitName = keyof typeof CIRCUITS;
export type Template = (typeof CIRCUITS)[CircuitName]['template'];
/** The names of a template's circuits. */
export type CircuitOf<T extends Template> = {
  [Name in CircuitName]: (typeof CIRCUITS)[Name]['template'] extends T ? Name : never;
}[CircuitName];
/** The names of circuits that prove what models of a family predict. */
export type InferenceCircuit = {
  [Name in CircuitName]: 'family' extends keyof (typeof CIRCUITS)[Name] ? Name : never;
}[CircuitName];
export type ScoreCircuit = Exclude<CircuitName, InferenceCircuit>;
export type ScoreTemplate = (typeof CIRCUITS)[ScoreCircuit]['template'];

/** The circuits of a template, the smallest class first. */
export const circuitsOf = <T extends Template>(template: T): CircuitOf<T>[] =>
  (Object.keys(CIRCUITS) as CircuitOf<T>[]).filter((name) => CIRCUITS[name].template === template);

/** The circuits that prove what models predict; of each family, the smallest class first. */
export const INFERENCE_CIRCUITS = (Object.keys(CIRCUITS) as CircuitName[]).filter(
  (name): name is InferenceCircuit => 'family' in CIRCUITS[name],
);

/** What `circuits/circuits.json` says of a compiled circuit; `npm run circuits` writes it and the tests compare. */
export interface CircuitRecord {
  readonly constraints: number;
  readonly signals: number;
  readonly publicSignals: number;
  /** SHA-256 of the constraint system and of the witness calculator, uncompressed. */
  readonly r1cs: string;
  readonly wasm: string;
  /** SHA-256 of the development proving key, and the circuitId of its verification key. */
  readonly developmentKey: string;
  readonly developmentCircuitId: `0x${string}`;
}

/** Where the circuits' sources, records and compiled files are. */
export const CIRCUITS_FOLDER = join(import.meta.dirname, '../../circuits');

/** The checked-in records of all compiled circuits. */
export const circuitRecords = (): Record<CircuitName, CircuitRecord> =>
  JSON.parse(readFileSync(join(CIRCUITS_FOLDER, 'circuits.json'), 'utf8'));

/**
 * The constraint system or the witness calculator of a circuit, as compiled and checked in.
 *
 * @throws HokusaiError `CIRCUIT_CORRUPT` (terminal) when the file is not the one that the record names.
 */
export function compiled(name: CircuitName, part: 'r1cs' | 'wasm'): Uint8Array {
  const file = join(CIRCUITS_FOLDER, 'compiled', `${name}.${part}.br`);
  const bytes = brotliDecompressSync(readFileSync(file));
  const expected = circuitRecords()[name][part];
  if (sha256(bytes) !== expected) {
    throw new HokusaiError(
      'terminal',
      'CIRCUIT_CORRUPT',
      `${file} is not the compiled circuit that circuits.json names.`,
      {
        details: { file, expected, actual: sha256(bytes) },
        next: 'Restore the file from version control, or run `npm run circuits` after changing a circuit.',
      },
    );
  }
  return bytes;
}

/** Where derived files are kept between runs: `HOKUSAI_CACHE_DIR`, else `$XDG_CACHE_HOME/hokusai`, else `~/.cache/hokusai`. */
export const cacheFolder = (): string =>
  process.env.HOKUSAI_CACHE_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hokusai');

/**
 * The path of a circuit's development proving key, derived on first use and kept by its hash.
 * A file with other bytes than the record says, say one cut short by a full disk, is made anew.
 *
 * @throws HokusaiError `KEY_CIRCUIT_MISMATCH` (terminal) when the key derived is not the one that the record names.
 */
export async function developmentKeyFile(name: CircuitName): Promise<string> {
  const expected = circuitRecords()[name].developmentKey;
  const file = join(cacheFolder(), 'keys', `${name}-${expected.slice(0, 16)}.zkey`);
  if (existsSync(file) && (await sha256OfFile(file)) === expected) return file;
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.${derived++}.tmp`;
  try {
    await writeDevelopmentKey(compiled(name, 'r1cs'), temporary);
    const actual = await sha256OfFile(temporary);
    if (actual !== expected) {
      const message = `The development key of ${name} is not the one on record.`;
      throw new HokusaiError('terminal', 'KEY_CIRCUIT_MISMATCH', message, {
        details: { circuit: name, expected, actual },
        next: 'Run `npm run circuits` after changing a circuit or the key derivation, and check what it changed.',
      });
    }
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
  return file;
}

/** How many this process has derived: two at the same time do not share a temporary file. */
let derived = 0;
