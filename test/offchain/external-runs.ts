// Trainings by programs, for tests.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HokusaiError } from '../../offchain/errors.ts';
import { byDigest } from '../../offchain/table/integrate.ts';
import { fitQuantiser, quantiserHash } from '../../offchain/table/quantise.ts';
import { inferSchema } from '../../offchain/table/schema.ts';
import { readCsv, selectRows, type Table } from '../../offchain/table/table.ts';
import { type ExternalInput, type ExternalOptions, trainExternal } from '../../offchain/train/external.ts';
import type { ExternalSpec } from '../../offchain/train/spec.ts';

export const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
export const FOLD = `0x${'0f'.repeat(32)}` as const;
export const SEED = `0x${'5e'.repeat(32)}` as const;

/** Of this test file, removed after it. */
export const folder: string = await mkdtemp(join(tmpdir(), 'hokusai-test-'));
export const log: string = join(folder, 'training.log');
after(() => rm(folder, { recursive: true }));

/** Trained on the rows of even numbers, predicts the others. */
export async function inputOf(file: string, label: string, task?: 'regression'): Promise<ExternalInput> {
  const table = await readCsv(join(EXAMPLES, file));
  const { schema } = inferSchema(table, { label, ...(task && { task }) });
  const half = (odd: number): Table =>
    selectRows(
      table,
      [...Array(table.rows).keys()].filter((row) => row % 2 === odd),
    );
  const [trainingSet, benchmark] = [half(0), byDigest(half(1), schema)];
  const quantiser = fitQuantiser(trainingSet, schema);
  return { trainingSet, benchmark, foldId: FOLD, schema, quantiser, quantiserHash: quantiserHash(quantiser) };
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What a program leaves, and the bytes of its model. */
export async function train(
  spec: ExternalSpec,
  input: ExternalInput,
  signal?: AbortSignal,
  options: Partial<ExternalOptions> = {},
) {
  let kept = new Uint8Array();
  const keep = async (bytes: Uint8Array) => {
    kept = Uint8Array.from(bytes);
    return sha256(bytes);
  };
  const model = await trainExternal(spec, input, { log, keep, ...(signal && { signal }), ...options });
  return { model, kept };
}

export async function refused(
  spec: ExternalSpec,
  input: ExternalInput,
  signal?: AbortSignal,
  options: Partial<ExternalOptions> = {},
): Promise<HokusaiError> {
  try {
    await train(spec, input, signal, options);
  } catch (error) {
    if (error instanceof HokusaiError) return error;
    throw error;
  }
  return assert.fail('it was not refused');
}
