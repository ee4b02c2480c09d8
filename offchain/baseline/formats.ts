/** Which files are models that can be a line's head, and which never are. A loader for a further format has its place here. */
import { existsSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { HokusaiError } from '../errors.ts';
import { MAX_MODEL_BYTES } from '../train/external.ts';
import { loadOnnx } from './onnx.ts';
import { loadOwn } from './own.ts';
import type { Loader } from './predict.ts';
import { loadSkops } from './skops.ts';

/** What reads the models of each format. */
export const LOADERS = { hokusai: loadOwn, onnx: loadOnnx, skops: loadSkops } as const satisfies Record<string, Loader>;

export type Format = keyof typeof LOADERS;

/** What can run any code when it is loaded. */
const PICKLES = ['.pkl', '.pickle', '.joblib', '.pt', '.pth', '.dill', '.cloudpickle'];
/** Keras and TensorFlow, by what their files are called. */
const TENSORFLOW = ['.h5', '.keras', '.pb', '.tflite'];
const BY_NAME: Readonly<Record<string, Format>> = { '.json': 'hokusai', '.onnx': 'onnx', '.skops': 'skops' };
/** What a ZIP file begins with, as skops writes them; pickles begin with 0x80, or are text. */
const ZIP = 'PK\x03\x04';

const CONVERT =
  'Convert it to ONNX (skl2onnx, torch.onnx.export, tf2onnx) or, of scikit-learn, to skops, and name that file.';

/**
 * The format of a model's file, by its name and what it begins with; nothing of it is loaded.
 *
 * @throws HokusaiError `configuration` BASELINE_UNREADABLE, BASELINE_PICKLE, BASELINE_FORMAT, BASELINE_TOO_LARGE
 */
export async function formatOf(file: string): Promise<Format> {
  const name = basename(file);
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw unusable('BASELINE_UNREADABLE', `The baseline ${file} cannot be read: ${error.code}.`, { file });
  });
  if (found.isDirectory()) throw unusable('BASELINE_FORMAT', `${file} is ${kindOfFolder(file)}.`, { file }, CONVERT);
  if (found.size > MAX_MODEL_BYTES) {
    const text = `The baseline ${name} has ${found.size} bytes; at most ${MAX_MODEL_BYTES} are taken.`;
    throw unusable('BASELINE_TOO_LARGE', text, { file, bytes: found.size }, 'Make it smaller, without external data.');
  }
  const start = await startOf(file);
  const extension = extname(name).toLowerCase();
  if (PICKLES.includes(extension) || start[0] === 0x80) {
    const text = `${name} is a pickle, which can run any code when it is loaded: it is never opened.`;
    throw unusable('BASELINE_PICKLE', text, { file }, CONVERT);
  }
  if (TENSORFLOW.includes(extension)) {
    throw unusable('BASELINE_FORMAT', `${name} is of TensorFlow, which is not read here.`, { file }, CONVERT);
  }
  const format = BY_NAME[extension];
  if (format === undefined || (format === 'skops' && start.toString('latin1') !== ZIP)) {
    const known = Object.keys(BY_NAME).join(', ');
    throw unusable('BASELINE_FORMAT', `${name} is none of the models that are read: ${known}.`, { file }, CONVERT);
  }
  return format;
}

function kindOfFolder(folder: string): string {
  if (existsSync(join(folder, 'saved_model.pb'))) return 'a SavedModel, which is not read here';
  return 'a folder, and not the file of a model';
}

async function startOf(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

const unusable = (code: string, message: string, details: Record<string, unknown>, next?: string): HokusaiError =>
  new HokusaiError('configuration', code, message, { details, ...(next && { next }) });
