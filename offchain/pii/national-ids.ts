import { ean13, isDay, isShortDay, luhn, mod112, mod1110, verhoeff, weighted } from './check-digits.ts';
import { type IdNumber, idNumber } from './id-number.ts';
import type { Recogniser } from './recogniser.ts';

const number = (characters: string, start = 0, end?: number): number => Number(characters.slice(start, end));

/** The last digit, as a sum by a modulus has it. */
const lastIs = (characters: string, digit: number): boolean => number(characters, -1) === digit;

const SPANISH = 'TRWAGMYFPDXBNJZSQVHLCKE';

/** Of a Spanish NIF or NIE, whose first letter stands for a digit. */
const spanish = (characters: string): boolean =>
  SPANISH[number(characters.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)))) % 23] ===
  characters.at(-1);

/** Values of the characters in odd places of a codice fiscale: of digits and of letters, 0 as A. */
const ITALIAN_ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

function italian(characters: string): boolean {
  let sum = 0;
  for (let place = 0; place < 15; place++) {
    const value = Number.parseInt(characters[place]!, 36);
    const index = value > 9 ? value - 10 : value;
    sum += place % 2 === 0 ? ITALIAN_ODD[index]! : index;
  }
  return String.fromCharCode(65 + (sum % 26)) === characters[15];
}

const french = (characters: string): boolean =>
  97 - (number(characters.slice(0, 13).replace('2A', '19').replace('2B', '18')) % 97) === number(characters, 13);

/** One digit of the first ten twice or thrice, any other at most once. */
const german = (digits: string): boolean => [8, 9].includes(new Set(digits.slice(0, 10)).size) && mod1110(digits);

function nhs(digits: string): boolean {
  const check = 11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11);
  return check !== 10 && lastIs(digits, check % 11) && !/^(\d)\1*$/.test(digits);
}

/** The first nine digits by 97, preceded by a 2 for those born since 2000. */
const belgian = (digits: string): boolean =>
  isDay(number(digits, 0, 2), number(digits, 2, 4) % 20 || 1, number(digits, 4, 6) || 1) &&
  [digits.slice(0, 9), `2${digits.slice(0, 9)}`].some((born) => 97 - (Number(born) % 97) === number(digits, 9));

const polish = (digits: string): boolean =>
  isDay(number(digits, 0, 2), number(digits, 2, 4) % 20, number(digits, 4, 6)) &&
  weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;

/** A co-ordination number has 60 added to its day. */
const swedish = (digits: string): boolean =>
  isDay(number(digits, -10, -8), number(digits, -8, -6), number(digits, -6, -4) % 60) && luhn(digits.slice(-10));

const finnish = (characters: string): boolean =>
  isDay(number(characters, 4, 6), number(characters, 2, 4), number(characters, 0, 2)) &&
  '0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(characters.slice(0, 6) + characters.slice(-4, -1)) % 31] ===
    characters.at(-1);

function norwegian(digits: string): boolean {
  return (
    isDay(number(digits, 4, 6), number(digits, 2, 4), number(digits, 0, 2) % 40) &&
    weighted(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
    weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
  );
}

/** Eleven less the rest of weights that fall to two, and 0 for 10 and 11. */
const byEleven = (digits: string, weights: readonly number[]): number => {
  const rest = weighted(digits, weights) % 11;
  return rest < 2 ? 0 : 11 - rest;
};

const cpf = (digits: string): boolean =>
  !/^(\d)\1*$/.test(digits) &&
  byEleven(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) === number(digits, 9, 10) &&
  lastIs(digits, byEleven(digits, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]));

const cnpj = (digits: string): boolean =>
  !/^(\d)\1*$/.test(digits) &&
  byEleven(digits, [5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) === number(digits, 12, 13) &&
  lastIs(digits, byEleven(digits, [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]));

const chinese = (characters: string): boolean =>
  isDay(number(characters, 6, 10), number(characters, 10, 12), number(characters, 12, 14)) && mod112(characters);

const korean = (digits: string): boolean =>
  isShortDay(digits) && lastIs(digits, (11 - (weighted(digits, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11)) % 10);

const CURP = '0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ';

function mexican(characters: string): boolean {
  let sum = 0;
  for (let place = 0; place < 17; place++) sum += (18 - place) * CURP.indexOf(characters[place]!);
  return isShortDay(characters.slice(4)) && lastIs(characters, (10 - (sum % 10)) % 10);
}

const singaporean = (characters: string): boolean => {
  const first = characters[0]!;
  const sum = weighted(characters.slice(1), [2, 7, 6, 5, 4, 3, 2]) + ('TG'.includes(first) ? 4 : first === 'M' ? 3 : 0);
  const letters = 'ST'.includes(first) ? 'JZIHGFEDCBA' : first === 'M' ? 'KLJNPQRTUWX' : 'XWUTRQPNMLK';
  return letters[first === 'M' ? 10 - (sum % 11) : sum % 11] === characters.at(-1);
};

function turkish(digits: string): boolean {
  const odd = weighted(digits, [1, 0, 1, 0, 1, 0, 1, 0, 1]);
  const even = weighted(digits, [0, 1, 0, 1, 0, 1, 0, 1]);
  const tenth = (((7 * odd - even) % 10) + 10) % 10;
  return number(digits, 9, 10) === tenth && lastIs(digits, (odd + even + tenth) % 10);
}

const PESEL_LIKE = { written: 0.5, bare: 0.5, lengths: [11, 11] } as const;
/** Nine digits with one check digit: every tenth number is one. */
const NINE = { written: 0.4, bare: 0.2, lengths: [3, 9] } as const;

/** Each with the rule that its authority has published; a table, which is why this file is long. */
const KINDS: readonly IdNumber[] = [
  {
    ...{ type: 'us_ssn', written: 0.85, bare: 0.2, lengths: [3, 9], tellsColumn: false },
    pattern: /(?!000|666|9)\d{3}(?:([- ])(?!00)\d{2}\1|(?!00)\d{2})(?!0000)\d{4}/,
    valid: (digits) => !/^(\d)\1*$/.test(digits),
    words: 'ssn|social security(?: number| no)?|social',
  },
  {
    ...{ type: 'us_itin', written: 0.85, bare: 0.2, lengths: [3, 9], tellsColumn: false },
    pattern: /9\d{2}(?:([- ])(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\1|(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9]))\d{4}/,
    valid: () => true,
    words: 'itin|individual taxpayer|taxpayer id(?:entification)?|ssn',
  },
  {
    ...{ type: 'es_nif', written: 0.75, bare: 0.75, lengths: [8, 9] },
    pattern: /\d{8}[- ]?[A-HJ-NP-TV-Z]/,
    valid: spanish,
    words: 'dni|nif|documento',
  },
  {
    ...{ type: 'es_nie', written: 0.85, bare: 0.85, lengths: [1, 9] },
    pattern: /[XYZ]-?\d{7}-?[A-HJ-NP-TV-Z]/,
    valid: spanish,
    words: 'nie|extranjero',
  },
  {
    ...{ type: 'it_fiscal_code', written: 0.95, bare: 0.95, lengths: [6, 16] },
    pattern: /[A-Za-z]{6} ?\d{2}[ABCDEHLMPRSTabcdehlmprst]\d{2} ?[A-Za-z]\d{3}[A-Za-z]/,
    valid: italian,
    words: 'codice fiscale|cf|fiscal code',
  },
  {
    ...{ type: 'fr_nir', written: 0.9, bare: 0.75, lengths: [1, 15] },
    pattern: /[12] ?\d{2} ?(?:0[1-9]|[1-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}/,
    valid: french,
    words: 'nir|securite sociale|sécurité sociale|insee|numero de securite sociale',
  },
  {
    ...{ type: 'de_tax_id', written: 0.6, bare: 0.5, lengths: [2, 11] },
    pattern: /[1-9]\d ?\d{3} ?\d{3} ?\d{3}/,
    valid: german,
    words: 'steuer id|steueridentifikationsnummer|steuer identifikationsnummer|idnr|tax id|tin',
  },
  {
    ...{ type: 'uk_nhs', written: 0.45, bare: 0.2, lengths: [3, 10] },
    pattern: /\d{3}([ -]?)\d{3}\1\d{4}/,
    valid: nhs,
    words: 'nhs(?: number| no)?|national health service',
  },
  {
    ...{ type: 'uk_nino', written: 0.8, bare: 0.75, lengths: [2, 9] },
    pattern: /(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]/,
    valid: () => true,
    words: 'nino|ni number|national insurance(?: number| no)?',
  },
  {
    ...NINE,
    type: 'nl_bsn',
    pattern: /\d{3}([. ]?)\d{3}\1\d{3}|\d{4}[. ]\d{2}[. ]\d{3}/,
    valid: (digits) => weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0 && Number(digits) > 0,
    words: 'bsn|burgerservicenummer|sofinummer',
  },
  {
    ...{ type: 'be_national_number', written: 0.9, bare: 0.6, lengths: [2, 11] },
    pattern: /\d{2}([. ]?)\d{2}\1\d{2}[- ]?\d{3}[. ]?\d{2}/,
    valid: belgian,
    words: 'rijksregisternummer|registre national|numero national|national number|rrn|insz|niss',
  },
  { ...PESEL_LIKE, type: 'pl_pesel', pattern: /\d{11}/, valid: polish, words: 'pesel' },
  {
    ...{ type: 'se_personal_number', written: 0.8, bare: 0.35, lengths: [6, 12] },
    pattern: /(?:19|20)?\d{6}[-+]?\d{4}/,
    valid: swedish,
    words: 'personnummer|samordningsnummer|personal identity number|pnr',
  },
  {
    ...{ type: 'fi_personal_identity_code', written: 0.95, bare: 0.95, lengths: [6, 11] },
    pattern: /\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]/,
    valid: finnish,
    words: 'hetu|henkilotunnus|henkilötunnus',
  },
  {
    ...{ type: 'no_birth_number', written: 0.6, bare: 0.6, lengths: [6, 11] },
    pattern: /\d{6} ?\d{5}/,
    valid: norwegian,
    words: 'fodselsnummer|fødselsnummer|personnummer|d nummer',
  },
  {
    ...{ type: 'ch_ahv', written: 0.95, bare: 0.7, lengths: [3, 13] },
    pattern: /756([. ]?)\d{4}\1\d{4}\1\d{2}/,
    valid: ean13,
    words: 'ahv|avs|ahv nummer|numero avs',
  },
  {
    ...{ type: 'br_cpf', written: 0.9, bare: 0.45, lengths: [3, 11] },
    pattern: /\d{3}(?:\.\d{3}\.\d{3}-|\d{6}-?)\d{2}/,
    valid: cpf,
    words: 'cpf',
  },
  {
    ...{ type: 'br_cnpj', written: 0.9, bare: 0.45, lengths: [2, 14] },
    pattern: /\d{2}(?:\.\d{3}\.\d{3}\/|\d{6}\/?)\d{4}-?\d{2}/,
    valid: cnpj,
    words: 'cnpj',
  },
  {
    ...{ type: 'in_aadhaar', written: 0.7, bare: 0.4, lengths: [4, 12] },
    pattern: /[2-9]\d{3}([ -]?)\d{4}\1\d{4}/,
    valid: verhoeff,
    words: 'aadhaar|aadhar|uidai|uid',
  },
  {
    ...{ type: 'in_pan', written: 0.6, bare: 0.6, lengths: [10, 10] },
    pattern: /[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]/,
    valid: () => true,
    words: 'pan|permanent account number',
  },
  {
    ...{ type: 'cn_resident_id', written: 0.95, bare: 0.95, lengths: [18, 18] },
    pattern: /[1-8]\d{5}(?:18|19|20)\d{2}[01]\d[0-3]\d{4}[\dXx]/,
    valid: chinese,
    words: 'resident id|id card|身份证|shenfenzheng',
  },
  {
    ...{ type: 'kr_rrn', written: 0.85, bare: 0.55, lengths: [6, 13] },
    pattern: /\d{2}[01]\d[0-3]\d-?[1-8]\d{6}/,
    valid: korean,
    words: 'rrn|resident registration(?: number| no)?|주민등록번호',
  },
  {
    ...{ type: 'mx_curp', written: 0.95, bare: 0.95, lengths: [18, 18] },
    pattern: /[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[A-Z\d]\d/,
    valid: mexican,
    words: 'curp',
  },
  {
    ...NINE,
    type: 'ca_sin',
    pattern: /[1-79]\d{2}([- ]?)\d{3}\1\d{3}/,
    valid: luhn,
    words: 'sin|social insurance(?: number| no)?',
  },
  {
    ...NINE,
    type: 'au_tfn',
    pattern: /\d{3}([- ]?)\d{3}\1\d{3}/,
    valid: (digits) => Number(digits) > 0 && weighted(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0,
    words: 'tfn|tax file(?: number| no)?',
  },
  {
    ...{ type: 'au_medicare', written: 0.6, bare: 0.2, lengths: [4, 11] },
    pattern: /[2-6]\d{3}([- ]?)\d{5}\1\d(?:[-/ ]?\d)?/,
    valid: (digits) => weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === number(digits, 8, 9),
    words: 'medicare',
  },
  {
    ...{ type: 'za_id', written: 0.65, bare: 0.65, lengths: [6, 13] },
    pattern: /\d{6} ?\d{4} ?[01][89]\d/,
    valid: (digits) => isShortDay(digits) && luhn(digits),
    words: 'sa id|south african id|id number|rsa id',
  },
  {
    ...{ type: 'sg_nric', written: 0.85, bare: 0.85, lengths: [9, 9] },
    pattern: /[STFGM]\d{7}[A-Z]/,
    valid: singaporean,
    words: 'nric|fin',
  },
  {
    ...{ type: 'tr_id', written: 0.5, bare: 0.5, lengths: [11, 11] },
    pattern: /[1-9]\d{9}[02468]/,
    valid: turkish,
    words: 'tc kimlik(?: no)?|kimlik(?: no)?|tckn',
  },
];

/** Social security, tax, health and identity numbers of persons, by country. */
export const nationalIds: readonly Recogniser[] = KINDS.map(idNumber);
