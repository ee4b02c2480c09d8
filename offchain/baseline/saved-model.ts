/** TensorFlow's SavedModels: graphs, which TensorFlow's own library runs, as a program that is kept in. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HokusaiError } from '../errors.ts';
import { MAX_MODEL_BYTES } from '../train/external.ts';
import { nativeFolder } from '../train/native-tensorflow.ts';
import { bubblewrap } from '../train/process.ts';
import { nodeProgram } from '../train/program.ts';
import { invalid, readWithin } from './files.ts';
import { type Loader, predictWith } from './predict.ts';

/** Of a file in an archive, in bytes. */
const MAX_NAME = 100;
/** The graph, and the folders that it reads: what else is beside them is not needed to predict. */
const GRAPH = 'saved_model.pb';
const FOLDERS = ['assets', 'variables'];

export const isSavedModel = (folder: string): boolean => existsSync(join(folder, GRAPH));

/**
 * A SavedModel's files as one archive (ustar), the same bytes for the same files.
 *
 * @throws HokusaiError `configuration` BASELINE_NATIVE_MISSING where TensorFlow's library is not built, or nothing would keep
 *   the model's operations in; those of `readWithin`
 */
export async function readSavedModel(folder: string): Promise<Uint8Array> {
  refuseMissing(folder);
  const within = await Promise.all(
    FOLDERS.map(async (name) => {
      const entries = existsSync(join(folder, name)) ? await readdir(join(folder, name)) : [];
      return entries.map((entry) => `${name}/${entry}`);
    }),
  );
  const names = [GRAPH, ...within.flat()].sort();
  const long = names.filter((name) => Buffer.byteLength(name) > MAX_NAME);
  if (long.length > 0) throw invalid(folder, [`the names of its files may have ${MAX_NAME} bytes: ${long.join(', ')}`]);
  const files = await readWithin(folder, names, MAX_MODEL_BYTES - 1024 * (names.length + 1));
  const end = Buffer.alloc(1024);
  return Buffer.concat([...names.flatMap((name, at) => entryOf(name, files[at]!)), end]);
}

function refuseMissing(folder: string): void {
  const library = !existsSync(join(nativeFolder(), 'built')) && "TensorFlow's own library reads, and it is not built";
  const sandbox = !bubblewrap() && 'may read and write files, and bubblewrap, which keeps it in, is not installed';
  const problem = library || sandbox;
  if (!problem) return;
  const remedy = library ? 'Build it with `npm run tensorflow:native` (Linux on x86-64)' : 'Install bubblewrap';
  throw new HokusaiError('configuration', 'BASELINE_NATIVE_MISSING', `${folder} is a SavedModel, which ${problem}.`, {
    details: { folder, library: nativeFolder() },
    next: `${remedy}, or convert the model: python -m tf2onnx.convert --saved-model ${folder} --output model.onnx`,
  });
}

/** As IEEE Std 1003.1 has it for pax, under "ustar Interchange Format": of nobody, at no time. */
function entryOf(name: string, content: Buffer): [Buffer, Buffer, Buffer] {
  const header = Buffer.alloc(512);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(name, 0, MAX_NAME, 'utf8');
  header.write(octal(0o644, 7) + octal(0, 7) + octal(0, 7) + octal(content.length, 11) + octal(0, 11), 100, 'latin1');
  header.write(`${' '.repeat(8)}0`, 148, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)} `, 148, 'latin1');
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}

export const loadSavedModel: Loader = (imported, options) =>
  predictWith({ framework: 'tensorflow', file: 'model.tar', ...nodeProgram('predict', 'native') }, imported, options);
