/** Rules of check digits. All take the characters of a number without separators, and answer whether it is right. */

const digitsOf = (digits: string): number[] => Array.from(digits, Number);

/** Of so many products. */
export const weighted = (digits: string, weights: readonly number[]): number =>
  weights.reduce((sum, weight, at) => sum + weight * Number(digits[at]), 0);

/** ISO/IEC 7812-1, annex B: every second digit from the right doubled, its digits summed. */
export function luhn(digits: string): boolean {
  let sum = 0;
  for (let at = digits.length - 1, double = false; at >= 0; at--, double = !double) {
    const digit = digits.charCodeAt(at) - 48;
    sum += double ? (digit > 4 ? 2 * digit - 9 : 2 * digit) : digit;
  }
  return sum % 10 === 0;
}

/** The rest of a number by 97; letters count as two digits, A as 10 (ISO/IEC 7064, as IBAN has it). */
export function rest97(characters: string): number {
  let rest = 0;
  for (const character of characters) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}

/** ISO/IEC 7064, MOD 11,10. */
export function mod1110(digits: string): boolean {
  let product = 10;
  for (const digit of digits.slice(0, -1)) {
    const sum = (Number(digit) + product) % 10 || 10;
    product = (2 * sum) % 11;
  }
  return (11 - product) % 10 === Number(digits.at(-1));
}

/** ISO/IEC 7064, MOD 11-2: the last may be X for 10. */
export function mod112(digits: string): boolean {
  let rest = 0;
  for (const digit of digits.slice(0, -1)) rest = ((rest + Number(digit)) * 2) % 11;
  return '10X98765432'[rest] === digits.at(-1);
}

/** Products in the group of the pentagon's symmetries: digits 0 to 4 turn it, 5 to 9 mirror it. */
function dihedral(a: number, b: number): number {
  const turned = a < 5 ? (a % 5) + (b % 5) : (a % 5) - (b % 5) + 5;
  return (turned % 5) + (a < 5 === b < 5 ? 0 : 5);
}

/** Verhoeff's permutation, applied once more for every place from the right. */
const VERHOEFF = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

export function verhoeff(digits: string): boolean {
  let sum = 0;
  for (const [place, digit] of digitsOf(digits).reverse().entries()) {
    let permuted = digit;
    for (let times = place % 8; times > 0; times--) permuted = VERHOEFF[permuted]!;
    sum = dihedral(sum, permuted);
  }
  return sum === 0;
}

/** EAN-13: weights 1 and 3 by turns. */
export const ean13 = (digits: string): boolean => weighted(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0;

/** Whether there is such a day. A year of two digits is taken as one of a leap year, if need be. */
export function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const leap = year < 100 ? year % 4 === 0 : year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]!;
}

/** Whether YYMMDD is a day. */
export const isShortDay = (digits: string): boolean =>
  isDay(Number(digits.slice(0, 2)), Number(digits.slice(2, 4)), Number(digits.slice(4, 6)));
