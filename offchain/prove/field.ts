/** Order of the scalar field of BN254 (alt_bn128), the field that circuits count in. */
export const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** Prime of the base field of BN254, the field of the points' coordinates. */
export const Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;

/** `value` reduced to 0..R-1, also where it is negative. */
export const mod = (value: bigint): bigint => {
  const rest = value % R;
  return rest < 0n ? rest + R : rest;
};

/** `base ** exponent` in the scalar field, for a non-negative exponent. */
export function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = mod(base), rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % R) {
    if (rest & 1n) result = (result * square) % R;
  }
  return result;
}

/** The inverse in the scalar field; 0 has none and gives 0. */
export const inverse = (value: bigint): bigint => power(value, R - 2n);

/** Inverts each value with one inversion in all (Montgomery's trick). No value may be 0. */
export function inverseAll(values: readonly bigint[]): bigint[] {
  const before: bigint[] = [];
  let product = 1n;
  for (const value of values) {
    before.push(product);
    product = (product * value) % R;
  }
  let rest = inverse(product);
  const result = new Array<bigint>(values.length);
  for (let i = values.length - 1; i >= 0; i--) {
    result[i] = (rest * before[i]!) % R;
    rest = (rest * values[i]!) % R;
  }
  return result;
}

/** A primitive root of unity of order 2^`bits`, the one snarkjs uses: 5^((R-1) / 2^bits); 5 is no square in the field. */
export const rootOfUnity = (bits: number): bigint => power(5n, (R - 1n) >> BigInt(bits));

/** The integer that 32 little-endian bytes stand for. */
export function fromLittleEndian(bytes: Uint8Array, offset: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 32);
  return (
    view.getBigUint64(0, true) |
    (view.getBigUint64(8, true) << 64n) |
    (view.getBigUint64(16, true) << 128n) |
    (view.getBigUint64(24, true) << 192n)
  );
}

/** Writes `value`, below 2^256, as 32 little-endian bytes. */
export function toLittleEndian(bytes: Uint8Array, offset: number, value: bigint): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 32);
  view.setBigUint64(0, value & 0xffffffffffffffffn, true);
  view.setBigUint64(8, (value >> 64n) & 0xffffffffffffffffn, true);
  view.setBigUint64(16, (value >> 128n) & 0xffffffffffffffffn, true);
  view.setBigUint64(24, value >> 192n, true);
}
