/** Predicts with a model of TensorFlow that somebody else made, in the folder that it and the rows are in. */
import { readFileSync } from 'node:fs';
import { leave, matrixIn, outputsBy } from './files.ts';
import { layersIn } from './layers.ts';
import type { Matrix } from './network.ts';
import { savedModelIn } from './saved-model.ts';
import { refuse, say, startBackend } from './start.ts';

/** What `request.json` says, as far as it is of use here. */
interface Request {
  readonly model: string;
  /** 0 where numbers are predicted. */
  readonly classes: number;
  readonly features: readonly string[];
}

const [folder, native] = process.argv.slice(2).reverse() as [string, string | undefined];
process.chdir(folder);
const { model: file, classes, features }: Request = JSON.parse(readFileSync('request.json', 'utf8'));
const versions = await startBackend(native ? 'native' : 'wasm', native);
const { predictor, width, columns } = native ? await savedModelIn(file, native) : await layersIn(file);
const problems = [
  width !== null && width !== features.length && `it reads ${width} features, the schema gives ${features.length}`,
  columns !== null && misfit(columns),
].filter((problem) => problem !== false && problem !== '');
if (problems.length > 0) refuse('configuration', problems.join('; '));
const said = outputsBy(predictor, matrixIn('predict.npy', features.length));
const found = misfit(said.columns);
if (found) refuse('configuration', found);
leave(classes === 2 && said.columns === 1 ? ofBoth(said) : said, classes);
say({ versions });

/** What is wrong with so many values for each row. */
function misfit(columns: number): string {
  if (columns === (classes || 1) || (classes === 2 && columns === 1)) return '';
  return classes > 0
    ? `it tells ${columns} classes apart, the schema ${classes}`
    : `it predicts ${columns} numbers a row, expected 1`;
}

/** One value for each row, by which two are told apart, is the probability of the second. */
function ofBoth({ values, rows }: Matrix): Matrix {
  if (values.some((value) => value < 0 || value > 1)) {
    refuse('configuration', 'it predicts a number, expected the probability of the positive class or a score for each');
  }
  const both = Float32Array.from({ length: 2 * rows }, (_, at) => {
    const positive = values[at >> 1]!;
    return at % 2 === 1 ? positive : 1 - positive;
  });
  return { values: both, rows, columns: 2 };
}
