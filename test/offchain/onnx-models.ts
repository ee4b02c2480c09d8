// Models in ONNX, written byte by byte (onnx.proto: numbers of the fields), so that no Python is needed to have some.

const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);
const field = (number: number, content: Uint8Array | string | number): Buffer => {
  if (typeof content === 'number') return Buffer.from([...varint(number << 3), ...varint(content)]);
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([...varint((number << 3) | 2), ...varint(bytes.length)]), bytes]);
};
const message = (...fields: Buffer[]): Buffer => Buffer.concat(fields);

const FLOAT = 1;
const INT64 = 7;

/** A tensor of rows and so many columns; of none, one value a row. */
const value = (name: string, type: number, columns?: number): Buffer => {
  const rows = field(1, field(2, 'rows'));
  const shape = columns === undefined ? rows : message(rows, field(1, field(1, columns)));
  return message(field(1, name), field(2, field(1, message(field(1, type), field(2, shape)))));
};

interface Shape {
  /** A row of weights for each feature, with one for each class. */
  readonly weights: readonly (readonly number[])[];
  /** What comes first: the class, or the scores that the largest is taken of. */
  readonly says: 'class' | 'scores';
  /** Where the weights are, instead of in the file. */
  readonly elsewhere?: string;
  /** A column for each feature under these names, instead of one tensor. */
  readonly names?: readonly string[];
}

/** scores = features x weights; class = argmax(scores). */
export function onnxModel({ weights, says, elsewhere, names }: Shape): Buffer {
  const [inputs, outputs] = [weights.length, weights[0]!.length];
  const values = Buffer.from(Float32Array.from(weights.flat()).buffer);
  const entry = (key: string, text: string) => field(13, message(field(1, key), field(2, text)));
  const stored = elsewhere
    ? message(entry('location', elsewhere), entry('offset', '0'), entry('length', String(values.length)), field(14, 1))
    : field(9, values);
  const tensor = message(field(1, inputs), field(1, outputs), field(2, FLOAT), field(8, 'weights'), stored);
  const node = (type: string, given: readonly string[], output: string, ...attributes: Buffer[]) =>
    field(1, message(...given.map((name) => field(1, name)), field(2, output), field(4, type), ...attributes));
  const attribute = (name: string, number: number) => field(5, message(field(1, name), field(3, number), field(20, 2)));
  const graph = message(
    ...(names ? [node('Concat', names, 'features', attribute('axis', 1))] : []),
    node('MatMul', ['features', 'weights'], 'scores'),
    ...(says === 'class' ? [node('ArgMax', ['scores'], 'label', attribute('axis', 1), attribute('keepdims', 0))] : []),
    field(2, 'hokusai'),
    field(5, tensor),
    ...(names ?? ['features']).map((name) => field(11, value(name, FLOAT, names ? 1 : inputs))),
    ...(says === 'class' ? [field(12, value('label', INT64))] : []),
    field(12, value('scores', FLOAT, outputs)),
  );
  return message(field(1, 8), field(7, graph), field(8, message(field(1, ''), field(2, 13))));
}
