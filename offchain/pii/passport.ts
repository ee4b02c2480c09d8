import { saying } from './id-number.ts';
import { ANCHOR, compact, endsAt, type Recogniser, saysBefore, startsAt } from './recogniser.ts';

/** The value of a character of a machine-readable zone (ICAO Doc 9303, part 3): A is 10, the filler 0. */
const numeral = (character: string): number => (character === '<' ? 0 : Number.parseInt(character, 36));

/** Weights 7, 3, 1 by turns, modulo 10. */
function isChecked(field: string, digit: string): boolean {
  const sum = Array.from(field).reduce((total, character, at) => total + [7, 3, 1][at % 3]! * numeral(character), 0);
  return sum % 10 === numeral(digit);
}

/** The second line of a passport: number, nationality, birth, sex, expiry, and check digits of them. */
const LINE = /[A-Z0-9<]{9}\d[A-Z<]{3}\d{7}[MFX<]\d{7}[A-Z0-9<]{14}[0-9<]\d/;
const LINES = new RegExp(`(?:P[A-Z<][A-Z<]{42}\\s{0,2})?(?<![A-Z0-9<])${LINE.source}(?![A-Z0-9<])`, 'g');

function isZone(value: string): boolean {
  const line = value.slice(-44);
  const fields = [line.slice(0, 9), line.slice(13, 19), line.slice(21, 27)];
  return (
    fields.every((field, at) => isChecked(field, line[[9, 19, 27][at]!]!)) &&
    isChecked(line.slice(0, 10) + line.slice(13, 20) + line.slice(21, 43), line[43]!)
  );
}

const NUMBER = /[A-Z]{0,2}\d{6,9}[A-Z]?/y;
const ENTIRE = /^[A-Z]{0,2}[0-9A-Z]{6,9}$/;
const SAID = saying('passport|passeport|reisepass|pasaporte|passaporto|paspoort|pass nr');

/** Machine-readable zones, and numbers of passports where a word says so. */
export const passport: Recogniser = {
  ...{ type: 'passport', anchors: ANCHOR.TOKEN | ANCHOR.NUMBER | ANCHOR.CODE, lengths: [7, 12], tellsColumn: false },
  columns: / (?:passport|passport (?:number|no|nr|num)|passeport|reisepass|pasaporte) /,
  find(text, from, to, found, anchor) {
    if (anchor === ANCHOR.TOKEN) {
      if (to - from < 44) return;
      for (const { 0: value, index } of text.slice(from, to).matchAll(LINES)) {
        if (isZone(value)) found(from + index, from + index + value.length, 0.98);
      }
      return;
    }
    NUMBER.lastIndex = from;
    if (!NUMBER.test(text) || NUMBER.lastIndex !== to || !startsAt(text, from) || !endsAt(text, to)) return;
    if (saysBefore(text, from, SAID)) found(from, to, 0.8);
  },
  whole: (cell) => (ENTIRE.test(cell) && /\d{5}/.test(cell) ? 0.8 : 0),
  canonical: compact,
};
