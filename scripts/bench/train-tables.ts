import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { labelsOf } from '../../offchain/table/check-table.ts';
import { classesOf } from '../../offchain/table/label.ts';
import { fitQuantiser, quantise } from '../../offchain/table/quantise.ts';
import { inferSchema } from '../../offchain/table/schema.ts';
import { readCsv, selectRows, type Table } from '../../offchain/table/table.ts';
import { randomOf } from '../../offchain/train/random.ts';
import type { TrainInput } from '../../offchain/train/trainer.ts';

/** Rows to learn from and rows to be asked for, as both sides read them from a file. */
export interface Halves {
  readonly train: TrainInput;
  readonly test: TrainInput;
}

/** A table to measure on: four of five rows are learned from. */
export interface BenchTable {
  readonly name: string;
  /** Rows that are learned from. */
  readonly rows: number;
  readonly width: number;
  readonly classes: number;
}

const EXAMPLES = {
  'breast-cancer': ['breast-cancer/breast_cancer.csv', { label: 'benign' }],
  digits: ['digits/digits.csv', { label: 'digit' }],
  diabetes: ['diabetes/diabetes.csv', { label: 'progression', task: 'regression' }],
} as const;

/** Writes the tables of the examples beside each other, each to `FOLDER/NAME.bin`. */
export async function writeExamples(folder: string): Promise<BenchTable[]> {
  const tables: BenchTable[] = [];
  for (const [name, [file, options]] of Object.entries(EXAMPLES)) {
    const table = await readCsv(fileURLToPath(new URL(`../../examples/${file}`, import.meta.url)));
    const { schema } = inferSchema(table, options);
    const part = (test: boolean): Table =>
      selectRows(
        table,
        [...Array(table.rows).keys()].filter((row) => (row % 5 === 0) === test),
      );
    const quantiser = fitQuantiser(part(false), schema);
    const classes = classesOf(schema.label);
    const [train, test] = [part(false), part(true)].map(
      (rows): TrainInput => ({
        features: quantise(rows, quantiser),
        labels: labelsOf(rows, schema),
        ...{ classes, quantiserHash: '0x00' },
      }),
    );
    tables.push(writeHalves(folder, name, { train: train!, test: test! }));
  }
  return tables;
}

/** Numbers of which some tell the label, by a line and by pairs of them, some of them not. */
export function writeSynthetic(folder: string, rows: number, width: number, classes: 0 | 2): BenchTable {
  const random = randomOf(`synthetic ${rows} ${classes}`);
  const draw = (count: number): TrainInput => {
    const values = new Uint8Array(count * width);
    // The mean of four draws: near a normal distribution.
    for (let i = 0; i < values.length; i++) values[i] = (random(256) + random(256) + random(256) + random(256)) >> 2;
    const x = (row: number, column: number) => (values[column * count + row]! - 127.5) / 37;
    const labels = Uint16Array.from({ length: count }, (_, row) => {
      let score = 0;
      for (let j = 0; j < 10; j++) score += ((j % 2 === 0 ? 1 : -1) * x(row, j)) / (1 + j / 3);
      score += x(row, 10) * x(row, 11) + (x(row, 12) > 0 ? x(row, 13) : -x(row, 13));
      const noisy = score + (random(2000) - 1000) / 700;
      return classes === 2 ? Number(noisy > 0) : Math.min(Math.max(Math.floor(32_768 + 4_000 * noisy), 0), 65_535);
    });
    const columns = Array.from({ length: width }, (_, j) => `x${j}`);
    return { features: { rows: count, columns, values }, labels, classes, quantiserHash: '0x00' };
  };
  const name = `synthetic-${classes === 2 ? 'classes' : 'numbers'}-${rows}`;
  return writeHalves(folder, name, { train: draw(rows), test: draw(Math.ceil(rows / 4)) });
}

/** Bytes of the features column by column, then labels of 16 bits: first of what is learned from, then of the rest. */
function writeHalves(folder: string, name: string, { train, test }: Halves): BenchTable {
  const parts = [train, test].flatMap(({ features, labels }) => [
    features.values,
    new Uint8Array(Uint16Array.from(labels).buffer),
  ]);
  writeFileSync(`${folder}/${name}.bin`, Buffer.concat(parts));
  return { name, rows: train.features.rows, width: train.features.columns.length, classes: train.classes };
}

/** What {@link writeHalves} wrote. */
export function readHalves(folder: string, { name, rows, width, classes }: BenchTable): Halves {
  const bytes = readFileSync(`${folder}/${name}.bin`);
  const tested = bytes.length / (width + 2) - rows;
  const half = (start: number, count: number): TrainInput => {
    const labels = new Uint8Array(bytes.subarray(start + count * width, start + count * (width + 2)));
    return {
      features: {
        rows: count,
        columns: Array.from({ length: width }, (_, j) => `x${j}`),
        values: new Uint8Array(bytes.subarray(start, start + count * width)),
      },
      labels: classes > 0 ? Uint8Array.from(new Uint16Array(labels.buffer)) : new Uint16Array(labels.buffer),
      classes,
      quantiserHash: '0x00',
    };
  };
  return { train: half(0, rows), test: half(rows * (width + 2), tested) };
}
