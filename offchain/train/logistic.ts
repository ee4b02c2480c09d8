/** The leading 33 bits of ln 2, so that multiples up to 2^20 of it are exact, and the rest. */
const LN2_HIGH = 0x162e42fef / 2 ** 33;
const LN2_LOW = 7.440617110012397e-11;
/** Terms of the series, which below ln 2 / 2 leave less than 2^-53. */
const TERMS = 14;

/**
 * e^x to a relative error below 4e-16, with + - * / and Math.floor alone: the same bits on every machine, which
 * Math.exp does not promise. x = k ln 2 + r with |r| <= ln 2 / 2, and the series of e^r by Horner's rule.
 *
 * @param x - in -700..700
 */
export function exp(x: number): number {
  const k = Math.floor(x * Math.LOG2E + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let result = 1;
  for (let term = TERMS; term > 0; term--) result = 1 + (result * r) / term;
  const factor = k < 0 ? 0.5 : 2;
  for (let i = Math.abs(k); i > 0; i--) result *= factor;
  return result;
}

/** 1 / (1 + e^-x), for x in -700..700. */
export const logistic = (x: number): number => 1 / (1 + exp(-x));
