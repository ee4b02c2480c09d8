/** The leading 33 bits of ln 2, so that multiples up to 2^20 of it are exact, and the rest. */
const LN2_HIGH = 0x162e42fef / 2 ** 33;
const LN2_LOW = 7.440617110012397e-11;
/** 1 / k!, for so many terms of the series that below ln 2 / 2 they leave less than 2^-53. */
const TERMS = Float64Array.from({ length: 14 }, () => 1);
for (let k = 2; k < TERMS.length; k++) TERMS[k] = TERMS[k - 1]! / k;
/** The largest exponent that a result's may differ by from 0. */
const MOST = 1022;
const POWERS = new Float64Array(2 * MOST + 1).fill(1);
for (let k = 1; k <= MOST; k++) {
  POWERS[MOST + k] = POWERS[MOST + k - 1]! * 2;
  POWERS[MOST - k] = POWERS[MOST - k + 1]! / 2;
}

/**
 * e^x to a relative error below 4e-16, with + - * / and Math.floor alone: the same bits on every machine, which
 * Math.exp does not promise. x = k ln 2 + r with |r| <= ln 2 / 2, and the series of e^r by Horner's rule.
 *
 * @param x - in -700..700
 */
export function exp(x: number): number {
  const k = Math.floor(x * Math.LOG2E + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let result = TERMS[13]!;
  for (let term = 12; term >= 0; term--) result = result * r + TERMS[term]!;
  return result * POWERS[MOST + k]!;
}

/**
 * The natural logarithm to a relative error below 4e-16, likewise: x = 2^k m with m from sqrt(1/2) to sqrt(2), and the series of
 * the inverse hyperbolic tangent of (m - 1) / (m + 1).
 *
 * @param x - a normal double above 0
 */
export function log(x: number): number {
  DOUBLE[0] = x;
  let k = (WORDS[HIGH]! >>> 20) - 1023;
  WORDS[HIGH] = (WORDS[HIGH]! & 0xfffff) | (1023 << 20);
  let m = DOUBLE[0];
  if (m > Math.SQRT2) {
    m /= 2;
    k++;
  }
  const s = (m - 1) / (m + 1);
  const square = s * s;
  let sum = 0;
  for (let term = 23; term >= 3; term -= 2) sum = (sum + 1 / term) * square;
  return k * LN2_HIGH + (k * LN2_LOW + 2 * s * sum + 2 * s);
}

const DOUBLE = new Float64Array(1);
const WORDS = new Uint32Array(DOUBLE.buffer);
/** Which of a double's two words has its exponent. */
const HIGH = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;

/** 1 / (1 + e^-x), for x in -700..700. */
export const logistic = (x: number): number => 1 / (1 + exp(-x));

/** Where e^x is as good as 0, and `exp` ends. */
export const FAR = 700;

/** Turns scores into probabilities, in place. */
export function softmax(scores: Float64Array): void {
  let most = scores[0]!;
  for (const score of scores) if (score > most) most = score;
  let sum = 0;
  for (let c = 0; c < scores.length; c++) {
    scores[c] = exp(Math.max(scores[c]! - most, -FAR));
    sum += scores[c]!;
  }
  for (let c = 0; c < scores.length; c++) scores[c]! /= sum;
}
