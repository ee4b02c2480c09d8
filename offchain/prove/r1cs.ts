import { HokusaiError } from '../errors.ts';
import { fromLittleEndian, R } from './field.ts';

/** A linear combination of signals: coefficient `values[k]`, in 1..R-1, for signal `signals[k]`. */
export interface Combination {
  readonly signals: Uint32Array;
  readonly values: readonly bigint[];
}

/** A rank-1 constraint system: for each constraint, a . w times b . w equals c . w, where w[0] = 1. */
export interface R1cs {
  /** How many signals a witness has, the constant 1 among them. */
  readonly signals: number;
  /** Public signals: w[1..publicSignals], outputs first, then public inputs. */
  readonly publicSignals: number;
  readonly outputs: number;
  readonly privateInputs: number;
  readonly constraints: readonly (readonly [a: Combination, b: Combination, c: Combination])[];
  /** The compiler's label of each signal, as the `.sym` file numbers them. */
  readonly labels: Uint32Array;
}

/**
 * Reads iden3's `r1cs` format, version 1 (https://github.com/iden3/r1csfile/blob/master/doc/r1cs_bin_format.md).
 *
 * @throws HokusaiError `R1CS_FORMAT` (terminal) when the bytes are no such file, or of another field than BN254's.
 */
export function readR1cs(bytes: Uint8Array): R1cs {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sections = sectionOffsets(bytes, view);
  const header = sections.get(1)!;
  if (view.getUint32(header, true) !== 32 || fromLittleEndian(bytes, header + 4) !== R) {
    throw new HokusaiError('terminal', 'R1CS_FORMAT', 'The constraint system is not over the scalar field of BN254.');
  }
  const at = (index: number) => view.getUint32(header + 36 + index, true);
  const count = at(24);
  let position = sections.get(2)!;
  const combination = (): Combination => {
    const length = view.getUint32(position, true);
    const signals = new Uint32Array(length);
    const values = new Array<bigint>(length);
    position += 4;
    for (let k = 0; k < length; k++, position += 36) {
      signals[k] = view.getUint32(position, true);
      values[k] = fromLittleEndian(bytes, position + 4);
    }
    return { signals, values };
  };
  const constraints = Array.from({ length: count }, () => [combination(), combination(), combination()] as const);
  const labelsAt = sections.get(3)!;
  return {
    signals: at(0),
    publicSignals: at(4) + at(8),
    outputs: at(4),
    privateInputs: at(12),
    constraints,
    labels: Uint32Array.from({ length: at(0) }, (_, i) => view.getUint32(labelsAt + 8 * i, true)),
  };
}

function sectionOffsets(bytes: Uint8Array, view: DataView): Map<number, number> {
  const sections = new Map<number, number>();
  if (bytes.length >= 12 && view.getUint32(0, false) === 0x72316373 && view.getUint32(4, true) === 1) {
    for (let position = 12; position + 12 <= bytes.length; ) {
      sections.set(view.getUint32(position, true), position + 12);
      position += 12 + Number(view.getBigUint64(position + 4, true));
    }
  }
  if (![1, 2, 3].every((id) => sections.has(id))) {
    throw new HokusaiError('terminal', 'R1CS_FORMAT', 'These bytes are not a complete r1cs file of version 1.');
  }
  return sections;
}
