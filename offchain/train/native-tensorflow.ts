import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HokusaiError } from '../errors.ts';
import { cacheFolder } from '../prove/circuits.ts';

/** The release of TensorFlow.js that is trained with, on every back-end. */
export const TENSORFLOW = '4.22.0';

/** Where `npm run tensorflow:native` puts TensorFlow's own library and what calls it. */
export const nativeFolder = (): string => join(cacheFolder(), `tensorflow-${TENSORFLOW}`);

/**
 * The native back-end's folder where this back-end may use it: of `auto` none where it was not built.
 *
 * @throws HokusaiError `configuration` TENSORFLOW_NATIVE_MISSING where it was asked for and not built
 */
export function tensorflowNative(backend: string): string[] {
  if (backend !== 'native' && backend !== 'auto') return [];
  const folder = nativeFolder();
  if (existsSync(join(folder, 'built'))) return [folder];
  if (backend === 'auto') return [];
  throw new HokusaiError(
    'configuration',
    'TENSORFLOW_NATIVE_MISSING',
    'The native back-end of TensorFlow is not built.',
    {
      details: { folder },
      next: 'Build it with `npm run tensorflow:native`, or write training.backend: wasm.',
    },
  );
}
