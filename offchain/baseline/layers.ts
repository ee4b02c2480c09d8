/** Models in TensorFlow.js's layers format, run in WebAssembly on one thread: no native code, and every processor the same bits. */
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { nodeProgram } from '../train/program.ts';
import { invalid, readWithin } from './files.ts';
import { type Loader, predictWith } from './predict.ts';

/** Of model.json and its weights together: in base64 they have to fit a string. */
const MAX_BYTES = 2 ** 28;

/** Bytes of a number, as a model is trained in it or as its weights were made smaller. */
const NUMBERS = { float32: 4, int32: 4, bool: 1 } as const;
const QUANTISED = { float16: 2, uint16: 2, uint8: 1 } as const;
const keys = <K extends string>(of: Readonly<Record<K, number>>) => Object.keys(of) as [K, ...K[]];

const zWeight = z.looseObject({
  name: z.string(),
  shape: z.array(z.int().min(0)),
  dtype: z.enum(keys(NUMBERS)),
  quantization: z.looseObject({ dtype: z.enum(keys(QUANTISED)) }).optional(),
});
const any = z.unknown().optional();
/** What describes it. A graph model has another format, and a graph of TensorFlow's instead of layers. */
const described = {
  format: z.literal('layers-model').optional(),
  modelTopology: z.record(z.string(), z.unknown()),
  ...{ generatedBy: any, convertedBy: any, trainingConfig: any, signature: any, userDefinedMetadata: any },
};
const zLayers = z.union([
  z.strictObject({ ...described, weightSpecs: z.array(zWeight), weightData: z.string() }),
  z.strictObject({
    ...described,
    weightsManifest: z.array(z.object({ paths: z.array(z.string().min(1)), weights: z.array(zWeight) })),
  }),
]);

/** Whether a JSON is meant for TensorFlow.js: ours have no topology, and no such key passes their check. */
export const isLayers = (json: unknown): boolean =>
  typeof json === 'object' && json !== null && Object.hasOwn(json, 'modelTopology');

/**
 * A model with its weights within, as a training of ours leaves it: that of `model.save()` or tensorflowjs_converter, whose
 * weights are in files beside it, is made one of those.
 *
 * @param file its model.json
 * @throws HokusaiError `configuration` BASELINE_INVALID with all problems: keys, weights that are missing, out of its folder,
 *   or more or fewer than their shapes say; BASELINE_TOO_LARGE
 */
export async function readLayers(file: string): Promise<Uint8Array> {
  const folder = dirname(file);
  const [bytes] = await readWithin(folder, [basename(file)], MAX_BYTES);
  const parsed = zLayers.safeParse(JSON.parse(bytes!.toString('utf8')));
  if (!parsed.success) throw invalid(file, problemsOf(parsed.error));
  const model = parsed.data;
  if ('weightData' in model) {
    refuseOtherSize(file, model.weightSpecs, Buffer.from(model.weightData, 'base64').length);
    return bytes!;
  }
  const { weightsManifest, ...rest } = model;
  const paths = weightsManifest.flatMap((group) => group.paths);
  const weights = Buffer.concat(await readWithin(folder, paths, MAX_BYTES - bytes!.length));
  const weightSpecs = weightsManifest.flatMap((group) => group.weights);
  refuseOtherSize(file, weightSpecs, weights.length);
  return Buffer.from(JSON.stringify({ ...rest, weightSpecs, weightData: weights.toString('base64') }));
}

/** Of each form what is wrong with it would be too much: of that which the file is meant to be. */
const problemsOf = (error: z.ZodError): string[] => {
  const [issue] = error.issues;
  const forms = issue?.code === 'invalid_union' ? issue.errors : [error.issues];
  const nearest = forms.reduce((best, one) => (one.length < best.length ? one : best));
  return nearest.slice(0, 20).map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`);
};

function refuseOtherSize(file: string, weights: readonly z.infer<typeof zWeight>[], found: number): void {
  const sizeOf = ({ shape, dtype, quantization }: z.infer<typeof zWeight>) =>
    shape.reduce((product, size) => product * size, quantization ? QUANTISED[quantization.dtype] : NUMBERS[dtype]);
  const expected = weights.reduce((sum, weight) => sum + sizeOf(weight), 0);
  if (found !== expected) throw invalid(file, [`its weights have ${found} bytes, by their shapes ${expected}`]);
}

export const loadLayers: Loader = (imported, options) =>
  predictWith({ framework: 'tensorflow', file: 'model.json', ...nodeProgram('predict', 'wasm') }, imported, options);
