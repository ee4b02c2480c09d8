/** Models of scikit-learn as skops keeps them, read by Python in its sandbox. */
import { dirname } from 'node:path';
import { programOf, python } from '../train/python.ts';
import { type Loader, predictWith } from './predict.ts';

export const loadSkops: Loader = async (imported, options) => {
  const { script } = programOf('skops');
  const { program, readable } = await python('skops', undefined, (text) => options.onProgress?.(0, text));
  return predictWith(
    {
      framework: 'scikit-learn',
      file: 'model.skops',
      command: [program, '-s', '-B', script],
      readable: [...readable, dirname(script)],
    },
    imported,
    options,
  );
};
