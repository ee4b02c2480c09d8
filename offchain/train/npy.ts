/** Arrays of numbers as NumPy keeps them in files (numpy.org/doc/stable/reference/generated/numpy.lib.format.html, 1.0). */
import { HokusaiError } from '../errors.ts';

const MAGIC = '\x93NUMPY\x01\x00';

/** A file of doubles: a column, or a table whose columns stand one after the other. */
export function npyOf(values: Float64Array, shape: readonly [rows: number] | readonly [rows: number, columns: number]) {
  const size = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const header = `{'descr': '<f8', 'fortran_order': ${shape.length === 1 ? 'False' : 'True'}, 'shape': ${size}, }`;
  // The numbers begin at a multiple of 64 bytes.
  const text = `${header.padEnd(63 - ((MAGIC.length + 2 + header.length) % 64) + header.length)}\n`;
  const start = Buffer.alloc(MAGIC.length + 2);
  start.write(MAGIC, 'latin1');
  start.writeUInt16LE(text.length, MAGIC.length);
  return Buffer.concat([start, Buffer.from(text, 'latin1'), littleEndian(values)]);
}

/**
 * The doubles of a file of one column.
 *
 * @throws HokusaiError `terminal` TRAIN_OUTPUT_INVALID where it is no such file, or has another number of rows
 */
export const readNpy = (bytes: Uint8Array, name: string, rows: number): Float64Array =>
  read(bytes, name, [rows]).values;

/** How many rows a file of doubles says that it has; 0 where it is no such file. */
export const rowsOfNpy = (bytes: Uint8Array): number =>
  Number(/'shape': \((\d+)/.exec(Buffer.from(bytes.subarray(0, 256)).toString('latin1'))?.[1] ?? 0);

/**
 * The columns of a file of a table.
 *
 * @throws HokusaiError likewise
 */
export function readNpyColumns(bytes: Uint8Array, name: string, rows: number, columns: number): Float64Array[] {
  const { values, fortranOrder } = read(bytes, name, [rows, columns]);
  return Array.from({ length: columns }, (_, column) =>
    Float64Array.from(
      { length: rows },
      (_, row) => values[fortranOrder ? column * rows + row : row * columns + column]!,
    ),
  );
}

function read(bytes: Uint8Array, name: string, expected: readonly number[]) {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = `(${expected.join(', ')}${expected.length === 1 ? ',' : ''})`;
  const refuse = (problem: string) =>
    new HokusaiError('terminal', 'TRAIN_OUTPUT_INVALID', `${name} ${problem}`, {
      details: { file: name, bytes: bytes.length, shape },
      next: `Write a NumPy file of float64, of shape ${shape}.`,
    });
  if (file.toString('latin1', 0, 6) !== MAGIC.slice(0, 6) || file[6] !== 1 || file.length < 10) {
    throw refuse('is no NumPy file of version 1.0');
  }
  const from = 10 + file.readUInt16LE(8);
  const header = file.toString('latin1', 10, from);
  if (!header.includes("'descr': '<f8'")) throw refuse('does not hold float64 in little-endian order');
  const found = /'shape': (\([^)]*\))/.exec(header)?.[1] ?? '()';
  const count = expected.reduce((product, size) => product * size, 1);
  if (found !== shape || file.length !== from + 8 * count) throw refuse(`has the shape ${found}, expected ${shape}`);
  const values = Float64Array.from({ length: count }, (_, at) => file.readDoubleLE(from + 8 * at));
  return { values, fortranOrder: header.includes("'fortran_order': True") };
}

function littleEndian(values: Float64Array): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let i = 0; i < values.length; i++) view.setFloat64(8 * i, values[i]!, true);
  return bytes;
}
