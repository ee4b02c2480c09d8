/** Spellings that count as missing after trimming, whatever their case. */
const MISSING = new Set(['', 'na', 'n/a', 'nan', 'null', '?']);

const DECIMAL = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d+))?$/;
/** Longest text read as a number; the longest canonical form has 366 characters. */
export const MAX_LENGTH = 400;
/** Longest run of significant digits that a number may have. */
export const MAX_DIGITS = 64;
/** A number's magnitude is 0 or in [1e-300, 1e300), so that differences and products by 255 stay finite. */
export const MAX_EXPONENT = 300;

const SPACES = new Set([' ', '\t', '\r', '\n']);

/** Without spaces, tabs and line ends at either end. A loop, since a pattern takes quadratic time on crafted text. */
export function trimCell(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && SPACES.has(text[start]!)) start++;
  while (end > start && SPACES.has(text[end - 1]!)) end--;
  return text.slice(start, end);
}

/**
 * A cell's text without spaces, tabs and line ends at either end, or `null` where it is missing: empty, `NA`, `N/A`,
 * `NaN`, `null` or `?` in upper or lower case.
 *
 * Only these four ASCII characters are trimmed and Unicode is not normalised, because both `trim()` and
 * `normalize()` follow the Unicode version that a machine's Node was built with.
 */
export function cellText(cell: string | null): string | null {
  if (cell === null) return null;
  const text = trimCell(cell);
  return text.length <= 4 && MISSING.has(text.toLowerCase()) ? null : text;
}

/**
 * The one way to write a decimal number: plain digits, no exponent, no leading or trailing zeros, no `+`, `-0` as `0`.
 * Equal values give equal strings, by work on digits alone: `1.50`, `1.5` and `15e-1` all give `1.5`.
 *
 * Grammar: an optional sign; digits with an optional point and fraction, or a point and fraction; an optional exponent
 * `e` or `E` with an optional sign. ASCII digits; no spaces, separators of thousands, decimal comma, hexadecimal,
 * Infinity or NaN. Limits: {@link MAX_LENGTH}, {@link MAX_DIGITS}, {@link MAX_EXPONENT}.
 *
 * @returns `null` for a text that is not such a number or is beyond the limits
 */
export function canonicalDecimal(text: string): string | null {
  const match = text.length > MAX_LENGTH ? null : DECIMAL.exec(text);
  if (match === null) return null;
  const [, sign, whole = '', fraction = match[4] ?? '', , exponent = '0'] = match;
  const all = whole + fraction;
  const significant = all.replace(/^0+/, '');
  if (significant === '') return '0';
  const digits = significant.replace(/0+$/, '');
  /** Digits before the decimal point: the value is 0.digits x 10^point. */
  const point = whole.length - (all.length - significant.length) + Number(exponent);
  if (digits.length > MAX_DIGITS || point > MAX_EXPONENT || point <= -MAX_EXPONENT) return null;
  const minus = sign === '-' ? '-' : '';
  if (point <= 0) return `${minus}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return minus + digits + '0'.repeat(point - digits.length);
  return `${minus}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** A label's or category's text: a decimal number in its canonical form, so that `1` and `1.0` are one class. */
export function canonicalText(text: string): string {
  return canonicalDecimal(text) ?? text;
}

/**
 * 0 at low and below, `most` at high and above, linear between, halves rounded up. IEEE 754 operations in a fixed order
 * and `Math.floor`, so the same bits everywhere.
 */
export function toInteger(value: number, low: number, high: number, most: number): number {
  if (value <= low) return 0;
  if (value >= high) return most;
  return Math.floor(((value - low) * most) / (high - low) + 0.5);
}
