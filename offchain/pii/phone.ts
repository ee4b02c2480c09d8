import { type CountryCode, type PhoneNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { saying } from './id-number.ts';
import { ANCHOR, endsAt, isDigitAt, type Recogniser, saysBefore, startsAt } from './recogniser.ts';

/** Groups of digits with what people write between them. */
const CHAIN = /\+?\(?\+?\d{1,15}(?:(?: ?[-./\u00a0] ?| ?\(|\) ?-?| )\d{1,12}){0,7}/y;
const EXTENSION = /,? ?(?:ext\.?|extension|x) ?\d{1,6}(?!\w)/iy;
const ENTIRE = /^(?:[ ()+.\u00a0/-]*\d){7,17}\)?(?:,? ?(?:ext\.?|extension|x|#) ?\d{1,6})?$/i;
const SAID = saying(
  'phones?|telephone|tel|mobile|mob|cell|cellphone|call|called|calling|fax|dial|ring|reach|text|sms|whatsapp|contact|' +
    'number is|handy|telefon|telefono|teléfono|téléphone|telefone|celular|movil|móvil|portable|hotline|landline|callback',
);
const OTHERWISE = saying(
  'order|invoice|tracking|reference|ref|ticket|serial|sku|imei|isbn|issn|ean|gtin|case|account|acct|policy|part|batch|lot|' +
    'version|id|claim|booking|transaction|txn|po|ssn|sin|tfn|nhs|bsn|medicare|card|iban|parcel|shipment|code|model',
);
/** So near before a number that it is of it. */
const NEAR = 18;
const SHORTEST = 7;
const LONGEST = 15;
/** Dates, decimals, addresses of hosts and numbers of social security. */
const OTHER = new RegExp(
  [
    '^(?:19|20)\\d\\d[-./ ]\\d{1,2}[-./ ]\\d{1,2}(?: \\d{1,2})?$',
    '^\\d{1,2}[-./ ]\\d{1,2}[-./ ](?:19|20)?\\d\\d(?: \\d{1,2})?$',
    '^\\d+\\.\\d+$',
    '^\\d{1,3}(?:\\.\\d{1,3}){3}$',
    '^\\d{3}-\\d\\d-\\d{4}$',
  ].join('|'),
);
/** The same digit everywhere. */
const ONE_DIGIT = /^\D*(\d)(?:\D*\1)*\D*$/;
const THOUSANDS = /^\d{1,3}(?:[. ]\d{3})+$/;
/** As North Americans write theirs. */
const NANP = /^(?:(?:\+|00)?1[-. ]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])\d{3}[-. ]\d{4}$/;

const digitsOf = (value: string): string => value.replace(/\D/g, '');
const groupsOf = (value: string): string => (value.match(/\d+/g) ?? []).join(' ');

/** Keeps what parsing gave, because it takes tens of microseconds and values repeat. */
const MAX_PARSED = 16_384;

/**
 * Numbers of telephones as libphonenumber knows them.
 *
 * @param regions - whose numbers may stand without a country's code; the first that fits counts
 */
export function phone(regions: readonly CountryCode[]): Recogniser {
  const [inAll, inFirst] = [parserIn(regions), parserIn(regions.slice(0, 1))];

  /** The score of one in running text. */
  const score = (text: string, start: number, value: string): number => {
    const digits = digitsOf(value);
    if (digits.length < SHORTEST || digits.length > LONGEST || OTHER.test(value)) return 0;
    if (/^\(?\+/.test(value)) return inAll(value) ? 0.9 : digits.length > 9 ? 0.6 : 0;
    const otherwise = saysBefore(text, start, OTHERWISE, NEAR);
    const said = !otherwise && saysBefore(text, start, SAID);
    if (NANP.test(value)) return said ? 0.9 : otherwise ? 0.45 : 0.65;
    if (said && saysBefore(text, start, SAID, NEAR)) return 0.8;
    if (said) return digits.length > SHORTEST && inAll(value) ? 0.8 : 0;
    if (otherwise || !/\D/.test(value) || THOUSANDS.test(value)) return 0;
    const number = (/^[0(]/.test(value) ? inAll : inFirst)(value);
    return number && isWrittenAs(number, value) ? 0.65 : 0;
  };

  return {
    ...{ type: 'phone', anchors: ANCHOR.NUMBER, lengths: [1, LONGEST], tellsColumn: false },
    columns:
      / (?:phones?|telephone|telefon|telefono|tel|mobile|cell|cellphone|fax|msisdn|whatsapp|handy|phone(?: \w+)?) /,
    find(text, from, _to, found) {
      const start = startOf(text, from);
      if (!startsAt(text, start)) return;
      for (const end of endsOf(text, start)) {
        const value = score(text, start, text.slice(start, end));
        if (value > 0) return found(start, endWithExtension(text, end), value);
      }
    },
    whole(cell) {
      if (!ENTIRE.test(cell) || OTHER.test(cell) || ONE_DIGIT.test(cell)) return 0;
      return NANP.test(cell) || cell.startsWith('+') ? 0.95 : 0.7;
    },
    canonical: (value) => inAll(value)?.number ?? digitsOf(value),
  };
}

/** Reads numbers of these regions. */
function parserIn(regions: readonly CountryCode[]): (value: string) => PhoneNumber | undefined {
  const parsed = new Map<string, PhoneNumber | null>();
  return (value) => {
    let number = parsed.get(value);
    if (number === undefined) {
      number = parseIn(value, regions) ?? null;
      if (parsed.size === MAX_PARSED) parsed.clear();
      parsed.set(value, number);
    }
    return number ?? undefined;
  };
}

/** Of the first region where it is valid. */
function parseIn(value: string, regions: readonly CountryCode[]): PhoneNumber | undefined {
  const written = value.replace(/^\(?00(?=[1-9])/, '+');
  for (const region of written.startsWith('+') ? regions.slice(0, 1) : regions) {
    const number = parsePhoneNumberFromString(written, { defaultCountry: region, extract: false });
    if (number?.isValid()) return number;
  }
  return undefined;
}

/** With its plus sign and parenthesis. */
function startOf(text: string, from: number): number {
  let start = from;
  while (start > 0 && from - start < 2 && '(+'.includes(text[start - 1]!)) start--;
  return start;
}

const NO_ENDS: readonly number[] = [];

/** Where it may end: after all groups, or before those that a space divides off, the longest first. */
function endsOf(text: string, start: number): readonly number[] {
  CHAIN.lastIndex = start;
  if (!CHAIN.test(text) || CHAIN.lastIndex - start < SHORTEST) return NO_ENDS;
  const ends: number[] = [];
  for (let end = CHAIN.lastIndex; end > start; end = text.lastIndexOf(' ', end - 1)) {
    while (end > start && !isDigitAt(text, end - 1)) end--;
    const isTime = text[end] === ':' && isDigitAt(text, end + 1);
    if ((endsAt(text, end) && !isTime) || hasExtension(text, end)) ends.push(end);
  }
  return ends;
}

function hasExtension(text: string, end: number): boolean {
  EXTENSION.lastIndex = end;
  return EXTENSION.test(text);
}

const endWithExtension = (text: string, end: number): number => (hasExtension(text, end) ? EXTENSION.lastIndex : end);

/** Whether its digits are grouped as its region does. */
const isWrittenAs = (number: PhoneNumber, value: string): boolean =>
  [number.formatNational(), number.formatInternational()].some((format) => groupsOf(format) === groupsOf(value));
