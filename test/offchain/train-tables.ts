import { fileURLToPath } from 'node:url';
import { labelsOf } from '../../offchain/table/check-table.ts';
import { classesOf } from '../../offchain/table/label.ts';
import { fitQuantiser, quantise } from '../../offchain/table/quantise.ts';
import { inferSchema } from '../../offchain/table/schema.ts';
import { readCsv, selectRows } from '../../offchain/table/table.ts';
import type { TrainInput } from '../../offchain/train/trainer.ts';
import { xorshift } from './tables.ts';

const LABELS = {
  'breast-cancer/breast_cancer.csv': { label: 'benign' },
  'digits/digits.csv': { label: 'digit' },
  'diabetes/diabetes.csv': { label: 'progression', task: 'regression' },
} as const;

/** An example's rows with odd numbers to train on, and the others. */
export async function example(file: keyof typeof LABELS): Promise<[train: TrainInput, test: TrainInput]> {
  const table = await readCsv(fileURLToPath(new URL(`../../examples/${file}`, import.meta.url)));
  const { schema } = inferSchema(table, LABELS[file]);
  const halves = [1, 0].map((odd) =>
    selectRows(
      table,
      [...Array(table.rows).keys()].filter((row) => row % 2 === odd),
    ),
  );
  const quantiser = fitQuantiser(halves[0]!, schema);
  return halves.map(
    (half): TrainInput => ({
      features: quantise(half, quantiser),
      labels: labelsOf(half, schema),
      keys: keys(half.rows, 1),
      ...{ classes: classesOf(schema.label), quantiserHash: `0x${'00'.repeat(32)}` },
    }),
  ) as [TrainInput, TrainInput];
}

/** Rows of bytes of which some tell the label, with noise; 0 classes are numbers. */
export function drawn(rows: number, width: number, classes: number, seed: number): TrainInput {
  const next = xorshift(seed);
  const values = Uint8Array.from({ length: rows * width }, () => next() % 256);
  const most = classes || 65_536;
  const labels = Uint16Array.from({ length: rows }, (_, row) => {
    const told = values[row]! + (width > 1 ? values[rows + row]! : 0) + (next() % 128);
    return Math.min(most - 1, Math.floor((told * most) / 640));
  });
  return {
    features: { rows, columns: Array.from({ length: width }, (_, j) => `x${j}`), values },
    labels: classes > 0 ? Uint8Array.from(labels) : labels,
    keys: keys(rows, seed),
    ...{ classes, quantiserHash: `0x${'00'.repeat(32)}` },
  };
}

function keys(rows: number, seed: number): Uint32Array {
  const next = xorshift(seed + 1);
  return Uint32Array.from({ length: rows }, next);
}
