/** Which files are models that can be a line's head, and which never are. A loader for a further format has its place here. */
import { existsSync } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { HokusaiError } from '../errors.ts';
import { MAX_MODEL_BYTES } from '../train/external.ts';
import { refuseTooLarge } from './files.ts';
import { isLayers, loadLayers, readLayers } from './layers.ts';
import { loadOnnx } from './onnx.ts';
import { jsonOf, loadOwn } from './own.ts';
import type { Loader } from './predict.ts';
import { isSavedModel, loadSavedModel, readSavedModel } from './saved-model.ts';
import { loadSkops } from './skops.ts';

/** What loads the models of each format. */
export const LOADERS = {
  ...{ hokusai: loadOwn, layers: loadLayers, onnx: loadOnnx, 'saved-model': loadSavedModel, skops: loadSkops },
} as const satisfies Record<string, Loader>;

export type Format = keyof typeof LOADERS;

/** A model's files, which lie on this machine, and what they are. */
export interface Found {
  /** Of several files the one that names the others, or their folder. */
  readonly file: string;
  readonly format: Format;
}

/** What makes one file of a model that has several. */
const PACKED: Partial<Readonly<Record<Format, (file: string) => Promise<Uint8Array>>>> = {
  layers: readLayers,
  'saved-model': readSavedModel,
};

/** The bytes that a model is known and kept by. @throws HokusaiError those of `readLayers` and `readSavedModel` */
export const bytesOf = ({ file, format }: Found): Promise<Uint8Array> => (PACKED[format] ?? readFile)(file);

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
 * The model at a path, by its name and what it begins with; of a JSON by its keys. Nothing of it is loaded.
 *
 * @param path of a file, or of the folder of a model in several files
 * @throws HokusaiError `configuration` BASELINE_UNREADABLE, BASELINE_PICKLE, BASELINE_FORMAT, BASELINE_TOO_LARGE
 */
export async function findModel(path: string): Promise<Found> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw unusable('BASELINE_UNREADABLE', `The baseline ${path} cannot be read: ${error.code}.`, { file: path });
  });
  if (found.isDirectory()) return inFolder(path);
  refuseTooLarge(path, found.size, MAX_MODEL_BYTES);
  return { file: path, format: await formatOf(path) };
}

/** A folder is named instead of the model in it. */
async function inFolder(folder: string): Promise<Found> {
  const layers = join(folder, 'model.json');
  const kinds = [existsSync(layers) && 'model.json', isSavedModel(folder) && 'saved_model.pb'].filter(Boolean);
  if (kinds.length !== 1) {
    const text =
      kinds.length === 0 ? 'a folder without model.json or saved_model.pb' : `one with ${kinds.join(' and ')}`;
    throw unusable('BASELINE_FORMAT', `${folder} is ${text}.`, { file: folder }, CONVERT);
  }
  return kinds[0] === 'model.json' ? findModel(layers) : { file: folder, format: 'saved-model' };
}

async function formatOf(file: string): Promise<Format> {
  const name = basename(file);
  const start = await startOf(file);
  const extension = extname(name).toLowerCase();
  if (PICKLES.includes(extension) || start[0] === 0x80) {
    const text = `${name} is a pickle, which can run any code when it is loaded: it is never opened.`;
    throw unusable('BASELINE_PICKLE', text, { file }, CONVERT);
  }
  if (TENSORFLOW.includes(extension)) {
    const text = `${name} is of TensorFlow, of which model.json and folders of SavedModels are read.`;
    throw unusable('BASELINE_FORMAT', text, { file }, CONVERT);
  }
  const format = BY_NAME[extension];
  if (format === undefined || (format === 'skops' && start.toString('latin1') !== ZIP)) {
    const known = Object.keys(BY_NAME).join(', ');
    throw unusable('BASELINE_FORMAT', `${name} is none of the models that are read: ${known}.`, { file }, CONVERT);
  }
  return format === 'hokusai' && isLayers(jsonOf(await readFile(file))) ? 'layers' : format;
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
