// Numbers for people, the same in every locale.
import { formatUnits } from 'viem';

const MINUS = '−';

/** A whole number with a comma at every three digits. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

/** Percentage points with two digits and a sign, of bps: 774 gives +7.74. */
export function points(bps: string | number): string {
  const value = Number(bps);
  const sign = value > 0 ? '+' : value < 0 ? MINUS : '';
  return `${sign}${(Math.abs(value) / 100).toFixed(2)}`;
}

/** Smallest units of a token with 18 decimals, exactly. */
export const tokens = (units: string): string => formatUnits(BigInt(units), 18);

export const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;

/** Seconds with as many digits as say something. */
export const seconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} s`;

/** Of a metric: five digits. */
export const figure = (value: number | null): string =>
  value === null ? 'undefined' : String(Number(value.toPrecision(5))).replace('-', '−');
