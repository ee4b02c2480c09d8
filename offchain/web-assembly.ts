/** Puts WebAssembly modules together, of functions whose code is bytes: what few hot loops are worth it for. */

export type Code = readonly number[];

export const OP = { loop: 0x03, end: 0x0b, branchIf: 0x0d, get: 0x20, set: 0x21 } as const;
export const TYPE = { i32: 0x7f, i64: 0x7e, v128: 0x7b } as const;

/** A function of 32-bit integers that gives nothing: what it computes it leaves in memory. */
export interface WebAssemblyFunction {
  readonly parameters: number;
  /** What it has beside them, counted on from them. */
  readonly locals: readonly (readonly [count: number, type: number])[];
  readonly code: Code;
}

/**
 * @param pages - of the memory, 65,536 bytes each
 * @returns the functions by their names, and `memory`
 */
export function webAssembly<Name extends string>(
  functions: Readonly<Record<Name, WebAssemblyFunction>>,
  pages: number,
): Record<Name, (...parameters: number[]) => void> & { memory: WebAssembly.Memory } {
  const all = Object.entries<WebAssemblyFunction>(functions);
  const types = all.map(([, { parameters }]) => [0x60, ...vector(new Array(parameters).fill([TYPE.i32])), 0]);
  const names = all.map(([name], at) => [...text(name), 0, ...unsigned(at)]);
  const sections = [
    section(1, vector(types)),
    section(3, vector(all.map((_, at) => unsigned(at)))),
    section(5, vector([[0, ...unsigned(pages)]])),
    section(7, vector([...names, [...text('memory'), 2, 0]])),
    section(10, vector(all.map(([, own]) => body(own)))),
  ];
  const bytes = Uint8Array.from([...[0, 97, 115, 109], ...[1, 0, 0, 0], ...sections.flat()]);
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as ReturnType<typeof webAssembly<Name>>;
}

export const get = (local: number): Code => [OP.get, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, OP.set, ...unsigned(local)];

/** An access to memory, `offset` bytes behind the address. @param align - a power of 2, by its exponent */
export const at = (operation: number, align: number, offset: number): Code => [operation, align, ...unsigned(offset)];

const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];

const text = (name: string): Code => vector([...Buffer.from(name)].map((byte) => [byte]));

function body({ locals, code }: WebAssemblyFunction): Code {
  const content = [...vector(locals.map(([count, type]) => [...unsigned(count), type])), ...code, OP.end];
  return [...unsigned(content.length), ...content];
}

const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];

export function unsigned(value: number): Code {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

export function signed(value: bigint): Code {
  const byte = Number(value & 127n);
  const rest = value >> 7n;
  const done = (rest === 0n && byte < 64) || (rest === -1n && byte >= 64);
  return done ? [byte] : [byte | 128, ...signed(rest)];
}
