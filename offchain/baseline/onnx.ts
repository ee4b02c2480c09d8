/** Models in ONNX, run by onnxruntime in WebAssembly: a foreign file meets no native code, and every processor the same bits. */
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Loader, predictWith } from './predict.ts';

/** Of address space, which WebAssembly reserves generously; what it uses is at most 4 GB. */
const MEMORY = 2 ** 36;

export const loadOnnx: Loader = (imported, options) => {
  const script = join(import.meta.dirname, `onnx-child${extname(import.meta.filename)}`);
  // The folder of node_modules, for onnxruntime is in two packages.
  const packages = dirname(dirname(dirname(fileURLToPath(import.meta.resolve('onnxruntime-web/wasm')))));
  const program = process.execPath;
  return predictWith(
    {
      ...{ framework: 'onnx', file: 'model.onnx', memory: MEMORY },
      command: [program, '--no-warnings', script],
      readable: [dirname(program), dirname(script), packages, join(import.meta.dirname, '../../package.json')],
    },
    imported,
    options,
  );
};
