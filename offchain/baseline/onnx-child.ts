/**
 * Predicts with an ONNX model: request.json, predict.npy and the model in a folder, predictions.npy and, where it says any,
 * probabilities.npy out of it. It stands alone, for its sandbox shows it little else, and its first parameter is the folder.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-web/wasm';

const folder = process.argv[2]!;
interface Request {
  readonly model: string;
  /** 0 where numbers are predicted. */
  readonly classes: number;
  readonly class_names: readonly string[];
  readonly features: readonly string[];
}
const request = JSON.parse(readFileSync(join(folder, 'request.json'), 'utf8')) as Request;
const { classes, features } = request;
const width = features.length;

const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);
const refuse = (...problems: string[]): never => {
  say({ error: 'configuration', message: problems.join('; ') });
  process.exit(3);
};

/** Row by row, from float64 column by column, as `npyOf` writes them. */
function readRows(): Float32Array {
  const bytes = readFileSync(join(folder, 'predict.npy'));
  const start = 10 + bytes.readUInt16LE(8);
  const length = (bytes.length - start) / 8;
  const n = length / width;
  return Float32Array.from({ length }, (_, i) =>
    bytes.readDoubleLE(start + 8 * ((i % width) * n + Math.floor(i / width))),
  );
}

function writeNpy(name: string, values: Float64Array, shape: string): void {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117).concat('\n');
  const size = Buffer.alloc(2);
  size.writeUInt16LE(header.length);
  const start = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), size, Buffer.from(header)]);
  writeFileSync(join(folder, name), Buffer.concat([start, Buffer.from(values.buffer)]));
}

type Metadata = ort.InferenceSession.ValueMetadata & Partial<ort.InferenceSession.TensorValueMetadata>;

/** A dimension that is not said, by this runtime, is 2^32 - 1 or a name. */
const isSaid = (size: number | string | undefined): size is number => typeof size === 'number' && size < 2 ** 31;

/** What does not fit about its inputs: one tensor of all features, or a column for each of them under its name. */
function inputProblems(inputs: readonly Metadata[]): string[] {
  const problems = inputs.flatMap(({ name, type, isTensor }) =>
    isTensor && type !== 'float32' && type !== 'float64' ? [`its input ${name} is of ${type}, expected float32`] : [],
  );
  if (inputs.some(({ isTensor }) => !isTensor)) problems.push('an input of it is no tensor');
  const [only] = inputs;
  if (inputs.length === 1 && width !== 1) {
    const { shape = [] } = only!;
    if (shape.length !== 2) problems.push(`its input has ${shape.length} dimensions, expected rows x features`);
    else if (isSaid(shape[1]) && shape[1] !== width)
      problems.push(`it reads ${shape[1]} features, the schema gives ${width}`);
    return problems;
  }
  const names = inputs.map(({ name }) => name);
  const absent = features.filter((name) => !names.includes(name));
  const unknown = names.filter((name) => !features.includes(name));
  if (absent.length > 0 && inputs.length > 1) problems.push(`it does not read ${absent.slice(0, 10).join(', ')}`);
  if (unknown.length > 0 && inputs.length > 1) problems.push(`it reads unknown ${unknown.slice(0, 10).join(', ')}`);
  return problems;
}

function feedsOf(inputs: readonly Metadata[], rows: Float32Array): Record<string, ort.Tensor> {
  const n = rows.length / width;
  const tensor = ({ type }: Metadata, values: Float32Array, columns: number) =>
    type === 'float64'
      ? new ort.Tensor('float64', Float64Array.from(values), [n, columns])
      : new ort.Tensor('float32', values, [n, columns]);
  if (inputs.length === 1) return { [inputs[0]!.name]: tensor(inputs[0]!, rows, width) };
  return Object.fromEntries(
    inputs.map((input) => {
      const at = features.indexOf(input.name);
      return [
        input.name,
        tensor(
          input,
          Float32Array.from({ length: n }, (_, row) => rows[row * width + at]!),
          1,
        ),
      ];
    }),
  );
}

/** The class of each row by its number or name, that of the largest of its scores, or its number. */
function predictionsOf({ data, dims, type }: ort.Tensor, n: number): Float64Array {
  const columns = dims.length === 2 ? dims[1]! : 1;
  if (dims[0] !== n || dims.length > 2) refuse(`it predicts ${dims.join(' x ')} values for ${n} rows`);
  if (type === 'string') {
    return Float64Array.from(data as string[], (name) => {
      const at = request.class_names.indexOf(name);
      return at >= 0 ? at : refuse('a class that it names is not in the schema');
    });
  }
  const values = Float64Array.from(data as Float32Array, Number);
  if (columns === 1) return values;
  if (columns !== classes) refuse(`it tells ${columns} classes apart, the schema ${classes || 'has a number'}`);
  return Float64Array.from({ length: n }, (_, row) => {
    const scores = values.subarray(row * columns, (row + 1) * columns);
    return scores.some(Number.isNaN) ? Number.NaN : scores.indexOf(Math.max(...scores));
  });
}

/** A tensor of rows x classes whose values are probabilities. */
function probabilitiesIn(outputs: readonly ort.Tensor[], n: number): Float64Array | undefined {
  const found = outputs.find(({ type, dims }) => type.startsWith('float') && dims[0] === n && dims[1] === classes);
  const values = found && Float64Array.from(found.data as Float32Array, Number);
  return values?.every((value) => value >= 0 && value <= 1) ? values : undefined;
}

async function main(): Promise<void> {
  // One thread: more of them add up in another order.
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  const model = readFileSync(join(folder, request.model));
  const session = await ort.InferenceSession.create(model, { executionProviders: ['wasm'] }).catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    const external = /external data/i.test(error.message);
    return refuse(external ? 'it keeps data outside its file, which is not read' : 'onnxruntime cannot read it');
  });
  const inputs = session.inputMetadata as readonly Metadata[];
  const tensors = (session.outputMetadata as readonly Metadata[]).filter(({ isTensor }) => isTensor);
  const problems = inputProblems(inputs);
  if (tensors.length === 0) problems.push('it has no output that is a tensor');
  const last = tensors[0]?.shape?.[1];
  if (isSaid(last) && last !== 1 && last !== classes) {
    problems.push(
      classes ? `it tells ${last} classes apart, the schema ${classes}` : `it predicts ${last} numbers a row`,
    );
  }
  if (classes > 0 && tensors[0]?.type?.startsWith('float') && tensors[0].shape?.length === 2 && last === 1) {
    problems.push('it predicts a number, expected a class or a score for each class');
  }
  if (problems.length > 0) refuse(...problems);
  const rows = readRows();
  const n = rows.length / width;
  const names = tensors.map(({ name }) => name);
  const results = await session.run(feedsOf(inputs, rows), names);
  const outputs = names.map((name) => results[name] as ort.Tensor);
  writeNpy('predictions.npy', predictionsOf(outputs[0]!, n), `${n},`);
  const probabilities = classes > 0 ? probabilitiesIn(outputs, n) : undefined;
  if (probabilities) writeNpy('probabilities.npy', probabilities, `${n}, ${classes}`);
  say({ versions: { onnxruntime: ort.env.versions.web ?? '' } });
}

await main();
