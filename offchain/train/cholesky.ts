/**
 * Factor L of a symmetric positive definite matrix, A = L L', in place. Row-major, only the lower triangle is read and
 * written; sums run over ascending indices.
 *
 * @param matrix - size x size, diagonally dominated enough to have no pivot at 0 (here: identity plus a Gram matrix)
 */
export function factorise(matrix: Float64Array, size: number): Float64Array {
  for (let i = 0; i < size; i++) {
    const row = i * size;
    for (let j = 0; j <= i; j++) {
      const other = j * size;
      let sum = matrix[row + j]!;
      for (let k = 0; k < j; k++) sum -= matrix[row + k]! * matrix[other + k]!;
      matrix[row + j] = i === j ? Math.sqrt(sum) : sum / matrix[other + j]!;
    }
  }
  return matrix;
}

/** x of L L' x = right, by forward and back substitution. */
export function solve(factor: Float64Array, right: Float64Array): Float64Array<ArrayBuffer> {
  const size = right.length;
  const x = Float64Array.from(right);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) x[i]! -= factor[i * size + k]! * x[k]!;
    x[i]! /= factor[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) x[i]! -= factor[k * size + i]! * x[k]!;
    x[i]! /= factor[i * size + i]!;
  }
  return x;
}
