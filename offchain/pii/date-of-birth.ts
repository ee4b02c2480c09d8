import { isDay } from './check-digits.ts';
import { saying } from './id-number.ts';
import { ANCHOR, endsAt, type Recogniser, saysBefore, startsAt } from './recogniser.ts';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\\.?';
const YEAR = '(?:18|19|20)\\d\\d';
/** Day or month first, as a number; year first; a month's name after or before the day. */
const FORMS = [
  `(?<year>${YEAR})[-/.](?<month>\\d{1,2})[-/.](?<day>\\d{1,2})`,
  `(?<a>\\d{1,2})[-/.](?<b>\\d{1,2})[-/.](?<short>${YEAR}|\\d\\d)`,
  `(?<day2>\\d{1,2})(?:st|nd|rd|th)?(?: of)?[ -](?<name2>${MONTH})[ ,-]{1,2}(?<year2>${YEAR})`,
  `(?<compact>${YEAR}[01]\\d[0-3]\\d)(?!\\d)`,
].join('|');
const DATE = new RegExp(FORMS, 'iy');
const ENTIRE = new RegExp(
  `^(?:${FORMS}|(?<name3>${MONTH}) (?<day3>\\d{1,2})(?:st|nd|rd|th)?,? (?<year3>${YEAR}))(?:[T ][0-9:.Z+-]{5,20})?$`,
  'i',
);
/** The rest of a date whose month, before it, is a word. */
const AFTER_MONTH = new RegExp(`(?<day3>\\d{1,2})(?:st|nd|rd|th)?,? (?<year3>${YEAR})`, 'iy');
const MONTH_BEFORE = new RegExp(`(?<![a-z])(?<name3>${MONTH}) $`, 'i');
const LONGEST_MONTH = 11;
const NEAR = 32;
const SAID = saying(
  'born|birth|dob|d o b|date of birth|birth ?date|birthday|bday|geboren|geb|geburtsdatum|ne le|né le|née le|naissance|' +
    'nacido|nacida|nacimiento|nato|nata|nascita|nascido|nascida|nascimento',
);

/** The parts of a date that one of the forms has found, as numbers; undefined where there is no such day. */
function dayOf(groups: Record<string, string | undefined>): readonly [number, number, number] | undefined {
  const { year, month, day, a, b, short, compact } = groups;
  const name = groups.name2 ?? groups.name3;
  const candidates: [string | number, string | number, string | number][] = [];
  if (compact) candidates.push([compact.slice(0, 4), compact.slice(4, 6), compact.slice(6)]);
  if (year) candidates.push([year, month!, day!]);
  if (short) candidates.push([short, a!, b!], [short, b!, a!]);
  if (name) {
    const written = MONTHS.indexOf(name.slice(0, 3).toLowerCase()) + 1;
    candidates.push([(groups.year2 ?? groups.year3)!, written, (groups.day2 ?? groups.day3)!]);
  }
  const numbers = candidates.map((parts) => parts.map(Number) as [number, number, number]);
  return numbers.find(([y, m, d]) => isDay(y, m, d));
}

/** Any date of a column that is called so; in a text one after a word that says so. */
export const dateOfBirth: Recogniser = {
  ...{ type: 'date_of_birth', anchors: ANCHOR.NUMBER, lengths: [1, 8], tellsColumn: false },
  columns:
    / (?:dob|d o b|birth ?date|birth ?day|date of birth|born|born on|date birth|geburtsdatum|naissance|nacimiento) /,
  find(text, from, to, found) {
    if (!' -/.,snrt'.includes(text[to] ?? 'x') && to - from !== 8) return;
    DATE.lastIndex = from;
    const match = DATE.exec(text);
    if (match) {
      const end = DATE.lastIndex;
      if (startsAt(text, from) && endsAt(text, end) && saysBefore(text, from, SAID, NEAR) && dayOf(match.groups!)) {
        found(from, end, 0.85);
      }
      return;
    }
    AFTER_MONTH.lastIndex = from;
    if (!AFTER_MONTH.test(text)) return;
    const month = MONTH_BEFORE.exec(text.slice(Math.max(0, from - LONGEST_MONTH), from));
    if (!month) return;
    const start = from - month[0].length;
    if (saysBefore(text, start, SAID, NEAR)) found(start, AFTER_MONTH.lastIndex, 0.85);
  },
  whole(cell) {
    const groups = ENTIRE.exec(cell)?.groups;
    return groups && dayOf(groups) ? 0.9 : 0;
  },
  /** Year, month and day, if it is clear which is which. */
  canonical(value) {
    const match = ENTIRE.exec(value.trim());
    const day = match && dayOf(match.groups!);
    return day ? day.map((part) => String(part).padStart(2, '0')).join('-') : value;
  },
};
