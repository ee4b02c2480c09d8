// A line whose baseline is imported, for tests.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { findBaseline, importBaseline } from '../../offchain/baseline/import.ts';
import type { Config } from '../../offchain/config/load.ts';
import { HokusaiError } from '../../offchain/errors.ts';
import { init } from '../../offchain/init.ts';
import { type ModelLine, modelShape } from '../../offchain/line.ts';
import { openProject } from '../../offchain/run/project.ts';
import { asNumbers, featuresOf } from '../../offchain/table/quantise.ts';
import { TABLE } from '../e2e/hokusai.ts';

/** Of this test file, removed after it. */
export const root: string = await mkdtemp(join(tmpdir(), 'hokusai-baseline-test-'));
after(() => rm(root, { recursive: true, force: true }));
const { files } = await init({ directory: join(root, 'project'), data: TABLE, label: 'benign', benchmarkRows: 100 });
const project = await openProject(files.at(-1));
export const config: Config = project.config;
export const line: ModelLine = project.line;
export const names: string[] = featuresOf(line.quantiser);

/** Of each feature the weights of both classes: the score of class 0 is mean_radius, and that of class 1 0.75 of mean_texture. */
export const WEIGHTS: number[][] = names.map((name) =>
  name === 'mean_radius' ? [1, 0] : name === 'mean_texture' ? [0, 0.75] : [0, 0],
);

export const fileOf = async (name: string, content: string | Uint8Array): Promise<string> => {
  const file = join(root, name);
  await writeFile(file, content);
  return file;
};

/** The configuration with another baseline. */
export const withBaseline = (baselinePath: string, mlflow: Partial<Config['mlflow']> = {}): Config => ({
  ...config,
  data: { ...config.data, baselinePath },
  mlflow: { ...config.mlflow, ...mlflow },
});

/** What a model is imported for. */
export type Given = Parameters<typeof importBaseline>[1];
export const given: Given = {
  ...{ benchmark: line.benchmark, foldId: line.foldId, schema: line.schema, quantiser: line.quantiser },
  ...{ quantiserHash: line.fold.quantiserHash, shape: modelShape(line), ranking: false },
};

export async function imported(path: string, mlflow?: Partial<Config['mlflow']>, of: Given = given) {
  const found = await findBaseline(withBaseline(path, mlflow));
  const kept: Uint8Array[] = [];
  const keep = async (bytes: Uint8Array) => String(kept.push(bytes));
  const model = await importBaseline(found!, of, { log: join(root, 'import.log'), keep });
  return { found: found!, model, kept };
}

export const refused = (
  path: string,
  code: string,
  message: RegExp,
  mlflow?: Partial<Config['mlflow']>,
  of?: Given,
): Promise<void> =>
  assert.rejects(imported(path, mlflow, of), (error: HokusaiError) => {
    assert.ok(error instanceof HokusaiError, String(error));
    assert.deepEqual([error.code, error.kind], [code, 'configuration'], error.message);
    assert.match(error.message, message);
    return true;
  });

/** What a model with the weights above says of each row of the fold. */
export function expected(): number[] {
  const { rows, values } = asNumbers(line.benchmark, line.quantiser);
  const at = (name: string, row: number) => values[names.indexOf(name) * rows + row]!;
  return Array.from({ length: rows }, (_, row) =>
    Number(Math.fround(0.75 * at('mean_texture', row)) > Math.fround(at('mean_radius', row))),
  );
}
