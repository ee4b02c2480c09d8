/** An array, or nothing where memory is short: for what makes a training quicker and is not needed. */
export function allocated<Numbers>(type: new (length: number) => Numbers, length: number): Numbers | undefined {
  try {
    return new type(length);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
