import { HokusaiError } from '../errors.ts';
import { R } from './field.ts';

/** A circuit's inputs by name: numbers below R as decimal strings, in arrays of any depth. */
export type CircuitInput = Readonly<Record<string, string | readonly string[] | readonly (readonly string[])[]>>;

/** What the compiler's calculators export: version 2 of circom. Words are 32 bits, least significant first. */
interface Calculator {
  readonly memory: WebAssembly.Memory;
  /** Address of the words through which values go in and out. */
  getSharedRWMemoryStart(): number;
  getFieldNumLen32(): number;
  /** Forgets the values of the run before. */
  init(sanityCheck: number): void;
  getInputSize(): number;
  /** 0 where no input has this name. */
  getInputSignalSize(hashHigh: number, hashLow: number): number;
  /** Takes the value in the shared words; with the last input, computes the witness. */
  setInputSignal(hashHigh: number, hashLow: number, index: number): void;
  getWitnessSize(): number;
  /** Puts value `index` of the witness into the shared words. */
  getWitness(index: number): void;
  getMessageChar(): number;
}

const VALUE_BYTES = 32;
/** Of a witness file: magic, version, sections; the head of section 1 with field and count; the head of section 2. */
const HEADER_BYTES = 12 + 12 + 4 + VALUE_BYTES + 4 + 12;

/** Compiles a circuit's calculator once, for any number of witnesses. */
export class WitnessCalculator {
  readonly #module: WebAssembly.Module;
  #instance: Calculator | undefined;
  #complaint = '';

  constructor(wasm: Uint8Array) {
    this.#module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
  }

  /**
   * The witness, in the format of `.wtns` files.
   *
   * @throws HokusaiError `WITNESS_UNSATISFIED` (terminal) when an input is missing, not of the circuit, too short or too
   *   long, or does not satisfy a constraint: names the template and the line, and no value.
   */
  calculate(input: CircuitInput): Uint8Array {
    // After an error the state of an instance is unknown.
    const calculator = this.#instance ?? this.#instantiate();
    this.#instance = undefined;
    this.#complaint = '';
    calculator.init(0);
    const left = this.#setInputs(calculator, input);
    if (left > 0) throw unsatisfied(`${left} input values are missing.`);
    const witness = readWitness(calculator);
    this.#instance = calculator;
    return witness;
  }

  /** @returns how many of the circuit's inputs got no value */
  #setInputs(calculator: Calculator, input: CircuitInput): number {
    const start = calculator.getSharedRWMemoryStart();
    let left = calculator.getInputSize();
    for (const [name, values] of Object.entries(input)) {
      const [high, low] = hashOf(name);
      const flat: readonly string[] = [values].flat(3);
      const size = calculator.getInputSignalSize(high, low);
      if (size !== flat.length) {
        throw unsatisfied(size <= 0 ? `${name} is no input.` : `${name} has ${flat.length} values, expected ${size}.`);
      }
      for (const [i, text] of flat.entries()) {
        // A new view each time: the memory may have grown.
        writeValue(new Uint32Array(calculator.memory.buffer, start, VALUE_BYTES / 4), text);
        try {
          calculator.setInputSignal(high, low, i);
        } catch (error) {
          throw unsatisfied(`${(error as Error).message} ${this.#complaint}`, error);
        }
      }
      left -= flat.length;
    }
    return left;
  }

  #instantiate(): Calculator {
    const instance = new WebAssembly.Instance(this.#module, {
      runtime: {
        exceptionHandler: (code: number) => {
          throw new Error(EXCEPTIONS[code] ?? `Error ${code}.`);
        },
        printErrorMessage: () => {
          this.#complaint += `${messageOf(calculator)}\n`;
        },
        // What a circuit logs may be a value of the witness.
        writeBufferMessage: () => messageOf(calculator),
        showSharedRWMemory: () => {},
      },
    });
    const calculator = instance.exports as unknown as Calculator;
    return calculator;
  }
}

const EXCEPTIONS: readonly (string | undefined)[] = [
  undefined,
  'Signal not found.',
  'Too many signals set.',
  'Signal already set.',
  'Assert Failed.',
  'Not enough memory.',
  'Input signal array access exceeds the size.',
];

function unsatisfied(message: string, cause?: unknown): HokusaiError {
  return new HokusaiError('terminal', 'WITNESS_UNSATISFIED', message.trim(), { cause });
}

function messageOf(calculator: Calculator): string {
  let message = '';
  for (let char = calculator.getMessageChar(); char !== 0; char = calculator.getMessageChar()) {
    message += String.fromCharCode(char);
  }
  return message;
}

/** FNV-1a of 64 bits, by which calculators find an input. */
function hashOf(name: string): readonly [high: number, low: number] {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(name)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return [Number(hash >> 32n), Number(hash & 0xffffffffn)];
}

function writeValue(words: Uint32Array, text: string): void {
  words.fill(0);
  const small = text.length < 16 ? Number(text) : -1;
  // Most inputs are small, and numbers are many times as fast as big integers.
  if (small >= 0 && Number.isSafeInteger(small)) {
    words[0] = small % 2 ** 32;
    words[1] = Math.floor(small / 2 ** 32);
    return;
  }
  const value = BigInt(text);
  for (let i = 0, rest = value < 0n ? (value % R) + R : value % R; i < words.length; i++, rest >>= 32n) {
    words[i] = Number(rest & 0xffffffffn);
  }
}

function readWitness(calculator: Calculator): Uint8Array {
  const count = calculator.getWitnessSize();
  const bytes = new Uint8Array(HEADER_BYTES + count * VALUE_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from('wtns'));
  view.setUint32(4, 2, true);
  view.setUint32(8, 2, true);
  view.setUint32(12, 1, true);
  view.setBigUint64(16, BigInt(4 + VALUE_BYTES + 4), true);
  view.setUint32(24, VALUE_BYTES, true);
  for (let i = 0; i < 8; i++) view.setUint32(28 + 4 * i, Number((R >> BigInt(32 * i)) & 0xffffffffn), true);
  view.setUint32(60, count, true);
  view.setUint32(64, 2, true);
  view.setBigUint64(68, BigInt(count * VALUE_BYTES), true);
  const shared = new Uint8Array(calculator.memory.buffer, calculator.getSharedRWMemoryStart(), VALUE_BYTES);
  for (let i = 0; i < count; i++) {
    calculator.getWitness(i);
    bytes.set(shared, HEADER_BYTES + i * VALUE_BYTES);
  }
  return bytes;
}
