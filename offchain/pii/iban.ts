import { rest97 } from './check-digits.ts';
import { ANCHOR, compact, endsAt, isWordAt, type Recogniser, startsAt } from './recogniser.ts';

/** Lengths of IBANs by country, as the registry of ISO 13616 has them. */
const LENGTHS: Readonly<Record<string, number>> = {
  ...{ AD: 24, AE: 23, AL: 28, AT: 20, AZ: 28, BA: 20, BE: 16, BG: 22, BH: 22, BI: 27, BR: 29, BY: 28, CH: 21, CR: 22 },
  ...{ CY: 28, CZ: 24, DE: 22, DJ: 27, DK: 18, DO: 28, EE: 20, EG: 29, ES: 24, FI: 18, FK: 18, FO: 18, FR: 27, GB: 22 },
  ...{ GE: 22, GI: 23, GL: 18, GR: 27, GT: 28, HN: 28, HR: 21, HU: 28, IE: 22, IL: 23, IQ: 23, IS: 26, IT: 27, JO: 30 },
  ...{ KW: 30, KZ: 20, LB: 28, LC: 32, LI: 21, LT: 20, LU: 20, LV: 21, LY: 25, MC: 27, MD: 24, ME: 22, MK: 19, MN: 20 },
  ...{ MR: 27, MT: 31, MU: 30, NI: 28, NL: 18, NO: 15, OM: 23, PK: 24, PL: 28, PS: 29, PT: 25, QA: 29, RO: 24, RS: 22 },
  ...{ RU: 33, SA: 24, SC: 31, SD: 18, SE: 24, SI: 19, SK: 24, SM: 27, SO: 23, ST: 25, SV: 28, TL: 23, TN: 24, TR: 26 },
  ...{ UA: 29, VA: 22, VG: 24, XK: 20, YE: 30 },
};

const START = /[A-Za-z]{2}\d{2}/y;

/** Where the country's number of letters and digits ends, single spaces between them left out; -1 if earlier. */
function endOf(text: string, from: number, length: number): number {
  let at = from;
  for (let left = length; left > 0; left--, at++) {
    if (isWordAt(text, at)) continue;
    if (text[at] !== ' ' || !isWordAt(text, ++at)) return -1;
  }
  return endsAt(text, at) ? at : -1;
}

/** Check digits are 98 less a rest, so neither 00 nor 01 nor 99. */
const isIban = (characters: string): boolean =>
  !['00', '01', '99'].includes(characters.slice(2, 4)) && rest97(characters.slice(4) + characters.slice(0, 4)) === 1;

/** Whether a word is right but for its country's length, as made-up and mistyped ones are. */
const isOfOtherLength = (word: string): boolean => /^[A-Za-z0-9]{15,34}$/.test(word) && isIban(word.toUpperCase());

/** Where one ends that starts with a word, and its score; 0 for none. */
function match(text: string, from: number, to: number): readonly [end: number, score: number] {
  START.lastIndex = from;
  const length = START.test(text) ? LENGTHS[text.slice(from, from + 2).toUpperCase()] : undefined;
  if (length === undefined || !startsAt(text, from)) return NONE;
  const end = endOf(text, from, length);
  if (end > 0 && isIban(compact(text.slice(from, end)))) return [end, 0.98];
  return endsAt(text, to) && isOfOtherLength(text.slice(from, to)) ? [to, 0.8] : NONE;
}

const NONE = [0, 0] as const;

export const iban: Recogniser = {
  ...{ type: 'iban', anchors: ANCHOR.CODE, lengths: [4, 34], tellsColumn: true, canonical: compact },
  columns: / (?:iban|bank account|account iban) /,
  find(text, from, to, found) {
    const [end, score] = match(text, from, to);
    if (score > 0) found(from, end, score);
  },
  whole(cell) {
    const [end, score] = match(cell, 0, cell.length);
    return end === cell.length ? score : 0;
  },
};
