import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { toLittleEndian } from './field.ts';

// iden3's BN254 in WebAssembly, the same arithmetic that snarkjs runs on. It imports its memory and keeps the address of
// the first free byte at address 0, from where on its batch operations put what they need for a while.
const WASM = createRequire(import.meta.url).resolve('wasmcurves/build/bn128.wasm');
const PAGE = 65_536;

/** What the batch operations need beyond the last allocation: two field elements for each of 4,096 points. */
const SCRATCH = 4_096 * 2 * 64 + PAGE;

interface CurveExports {
  readonly [name: string]: (...pointers: number[]) => void;
}

/** Bits of a scalar that one table look-up and one addition take care of: 22 additions a point, 90,112 table entries. */
const WINDOW = 12;
const WINDOWS = Math.ceil(254 / WINDOW);

/**
 * Multiplies the generator of G1 or G2 of BN254 by many scalars.
 *
 * One table of the multiples d * 2^(12 w) of the generator serves all of them, so a product is 22 mixed additions.
 */
export class FixedBase {
  /** Bytes of one point: affine coordinates x, y, in Montgomery form, little-endian; infinity is all zeros. */
  readonly pointBytes: number;
  readonly #memory = new WebAssembly.Memory({ initial: 64, maximum: 32_767 });
  readonly #curve: CurveExports;
  readonly #group: 'g1m' | 'g2m';
  readonly #table: number;
  constructor(group: 'G1' | 'G2') {
    this.#group = group === 'G1' ? 'g1m' : 'g2m';
    this.pointBytes = group === 'G1' ? 64 : 128;
    const module = new WebAssembly.Module(readFileSync(WASM));
    const instance = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    this.#curve = instance.exports as unknown as CurveExports;
    this.#table = this.#buildTable();
  }

  /** `scalar * generator` for each scalar in 0..R-1, one affine point after the other. */
  multiples(scalars: readonly bigint[]): Uint8Array {
    const result = new Uint8Array(scalars.length * this.pointBytes);
    const chunk = 4_096;
    const mark = this.#free;
    const sums = this.#allocate(chunk * this.#jacobianBytes);
    const points = this.#allocate(chunk * this.pointBytes);
    for (let start = 0; start < scalars.length; start += chunk) {
      const part = scalars.slice(start, start + chunk);
      for (const [k, scalar] of part.entries()) this.#multiply(scalar, sums + k * this.#jacobianBytes);
      this.#call('batchToAffine', sums, part.length, points);
      const bytes = new Uint8Array(this.#memory.buffer, points, part.length * this.pointBytes);
      result.set(bytes, start * this.pointBytes);
    }
    this.#free = mark;
    return result;
  }

  get #jacobianBytes(): number {
    return (this.pointBytes / 2) * 3;
  }

  #call(operation: string, ...pointers: number[]): void {
    this.#curve[`${this.#group}_${operation}`]!(...pointers);
  }

  get #free(): number {
    return new Uint32Array(this.#memory.buffer, 0, 1)[0]!;
  }

  set #free(pointer: number) {
    const missing = Math.ceil((pointer + SCRATCH - this.#memory.buffer.byteLength) / PAGE);
    if (missing > 0) this.#memory.grow(missing);
    new Uint32Array(this.#memory.buffer, 0, 1)[0] = pointer;
  }

  #allocate(bytes: number): number {
    const pointer = (this.#free + 7) & ~7;
    this.#free = pointer + bytes;
    return pointer;
  }

  #multiply(scalar: bigint, sum: number): void {
    this.#call('zero', sum);
    for (let window = 0, rest = scalar; rest > 0n; window++, rest >>= BigInt(WINDOW)) {
      const digit = Number(rest & ((1n << BigInt(WINDOW)) - 1n));
      const entry = this.#table + ((window << WINDOW) + digit) * this.pointBytes;
      if (digit > 0) this.#call('addMixed', sum, entry, sum);
    }
  }

  #buildTable(): number {
    const perWindow = 1 << WINDOW;
    const table = this.#allocate(WINDOWS * perWindow * this.pointBytes);
    const base = this.#allocate(this.pointBytes);
    const jacobian = this.#allocate(this.#jacobianBytes);
    const row = this.#allocate(perWindow * this.#jacobianBytes);
    this.#writeGenerator(base);
    for (let window = 0; window < WINDOWS; window++) {
      this.#call('zero', row);
      for (let digit = 1; digit < perWindow; digit++) {
        const previous = row + (digit - 1) * this.#jacobianBytes;
        this.#call('addMixed', previous, base, previous + this.#jacobianBytes);
      }
      this.#call('batchToAffine', row, perWindow, table + window * perWindow * this.pointBytes);
      this.#call('addMixed', row + (perWindow - 1) * this.#jacobianBytes, base, jacobian);
      this.#call('toAffine', jacobian, base);
    }
    return table;
  }

  /** The standard generators of alt_bn128 (EIP-197), brought into Montgomery form. */
  #writeGenerator(pointer: number): void {
    const coordinates =
      this.pointBytes === 64
        ? [1n, 2n]
        : [
            10857046999023057135944570762232829481370756359578518086990519993285655852781n,
            11559732032986387107991004021392285783925812861821192530917403151452391805634n,
            8495653923123431417604973247489272438418190587263600148770280649306958101930n,
            4082367875863433681332203403145435568316851327593401208105741076214120093531n,
          ];
    for (const [k, coordinate] of coordinates.entries()) {
      const at = pointer + 32 * k;
      toLittleEndian(new Uint8Array(this.#memory.buffer), at, coordinate);
      this.#curve.f1m_toMontgomery!(at, at);
    }
  }
}
