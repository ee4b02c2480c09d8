import { luhn } from './check-digits.ts';
import { saying } from './id-number.ts';
import { ANCHOR, compact, endsAt, type Recogniser, saysBefore, startsAt } from './recogniser.ts';

/** First digits that issuers have (ISO/IEC 7812), from and to, and the numbers' lengths. */
const ISSUERS: readonly (readonly [from: number, to: number, ...lengths: number[]])[] = [
  [4, 4, 13, 16, 19],
  [51, 55, 16],
  [2221, 2720, 16],
  [34, 34, 15],
  [37, 37, 15],
  [6011, 6011, 16, 17, 18, 19],
  [644, 659, 16, 17, 18, 19],
  [300, 305, 14, 16, 19],
  [309, 309, 14, 16, 19],
  [36, 36, 14, 16, 19],
  [38, 39, 14, 16, 19],
  [35, 35, 16, 17, 18, 19],
  [1800, 1800, 15],
  [2131, 2131, 15],
  [62, 62, 16, 17, 18, 19],
  [2200, 2204, 16, 17, 18, 19],
  [60, 60, 16],
  [81, 82, 16],
  [5018, 5018, 12, 13, 14, 15, 16, 17, 18, 19],
  [5020, 5020, 12, 13, 14, 15, 16, 17, 18, 19],
  [5038, 5038, 12, 13, 14, 15, 16, 17, 18, 19],
  [56, 58, 12, 13, 14, 15, 16, 17, 18, 19],
  [6304, 6304, 12, 13, 14, 15, 16, 17, 18, 19],
  [6390, 6390, 12, 13, 14, 15, 16, 17, 18, 19],
  [6759, 6763, 12, 13, 14, 15, 16, 17, 18, 19],
];

const hasIssuer = (digits: string): boolean =>
  ISSUERS.some(([from, to, ...lengths]) => {
    const first = Number(digits.slice(0, String(from).length));
    return first >= from && first <= to && lengths.includes(digits.length);
  });

const NUMBER = /\d{12,19}|\d{4}([ .-])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{3})?|\d{4}([ .-])\d{6}\2\d{4,5}/;
const STICKY = new RegExp(NUMBER.source, 'y');
const ENTIRE = new RegExp(`^(?:${NUMBER.source})$`);
const SAID = saying(
  'credit|debit|card|cards|visa|mastercard|amex|american express|discover|maestro|pan|cc|kreditkarte',
);
const OTHERWISE = saying('order|tracking|invoice|reference|ref|ticket|serial|sku|imei|parcel|shipment|isbn|ean|gtin');

/** So near before it that they speak of it. */
const NEAR = 18;

/** Luhn's check digit holds for every tenth number, so what is said, the issuer and how it is written count, too. */
function scoreOf(text: string, start: number, value: string): number {
  const digits = compact(value);
  if (!luhn(digits)) return 0;
  if (saysBefore(text, start, SAID)) return 0.95;
  if (!hasIssuer(digits)) return 0;
  if (digits !== value) return 0.9;
  if (saysBefore(text, start, OTHERWISE, NEAR)) return 0.4;
  return value.length >= 14 && value.length <= 16 ? 0.75 : 0.5;
}

export const creditCard: Recogniser = {
  ...{ type: 'credit_card', anchors: ANCHOR.NUMBER, lengths: [4, 19], shape: ENTIRE, tellsColumn: true },
  columns: / (?:credit card|card number|card no|card|cc number|cc num|cc|ccn|debit card|pan|kreditkarte) /,
  canonical: compact,
  find(text, from, _to, found) {
    STICKY.lastIndex = from;
    if (!STICKY.test(text)) return;
    const end = STICKY.lastIndex;
    if (!startsAt(text, from) || !endsAt(text, end)) return;
    const score = scoreOf(text, from, text.slice(from, end));
    if (score > 0) found(from, end, score);
  },
  whole(cell) {
    const digits = compact(cell);
    return ENTIRE.test(cell) && luhn(digits) && hasIssuer(digits) ? 0.95 : 0;
  },
};
