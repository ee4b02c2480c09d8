import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { it } from 'node:test';
import fc from 'fast-check';
import type { HokusaiError } from '../../offchain/errors.ts';
import { hmacSha256, REJECTED } from '../../offchain/pii/clean.ts';
import { Finder } from '../../offchain/pii/finder.ts';
import { type PiiOptions, zPii } from '../../offchain/pii/options.ts';
import { ANCHOR, type Recogniser } from '../../offchain/pii/recogniser.ts';
import { recognisersFor } from '../../offchain/pii/recognisers.ts';
import { type PiiFinding, PiiScanner } from '../../offchain/pii/scanner.ts';
import { labelledTexts } from './pii-labelled.ts';
import { uniform } from './tables.ts';

const KEY = Uint8Array.from({ length: 32 }, (_, at) => at);

type Columns = Readonly<Record<string, readonly (string | null)[]>>;

function scanned(columns: Columns, options: PiiOptions = {}): PiiScanner {
  const scanner = new PiiScanner(Object.keys(columns), options);
  for (const [at, values] of Object.values(columns).entries()) scanner.scan(at, values, 1);
  return scanner;
}

/** Types that a column is taken to hold, by what. */
const decisions = (columns: Columns) =>
  Object.fromEntries(
    scanned(columns)
      .report()
      .columns.map((one) => [one.column, one.decisions.map(({ type, by }) => `${type} by ${by}`)]),
  );

const times = <T>(count: number, of: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => of(at));

it('tells what columns hold by their names and by their values', () => {
  const random = uniform(3);
  const digits = (count: number) => times(count, () => Math.floor(10 * random())).join('');
  const luhn = (start: string) => times(10, (last) => `${start}${last}`).find((one) => isLuhn(one))!;
  const mails = times(100, (at) => `u${at}@example.org`);
  assert.deepEqual(
    decisions({
      email: mails,
      kontakt: mails,
      firstName: times(100, (at) => `Vorname${'abcdefghij'[at % 10]}`),
      c7: times(100, () => luhn(`4${digits(14)}`)),
      order: times(100, () => `4${digits(15)}`),
      amount: times(100, (at) => `${at}.${digits(9)}`),
      note: times(100, (at) => `u${at}@example.org wrote that all is well with the order of last week`),
      phone: times(100, (at) => (at % 2 ? 'yes' : 'no')),
      name: times(100, (at) => ['Blue Widget', 'Red Widget', 'Green Box'][at % 3]!),
      dob: times(100, (at) => `19${10 + (at % 90)}-02-03`),
      due: times(100, (at) => `20${10 + (at % 90)}-02-03`),
      password: times(100, (at) => `hunter${at}`),
      home_address: times(100, (at) => `Dorfplatz, Haus ${at}`),
    }),
    {
      ...{ email: ['email by name'], kontakt: ['email by values'], firstName: ['person by name'] },
      ...{ c7: ['credit_card by values'], order: [], amount: [], note: [], phone: [], name: [] },
      ...{ dob: ['date_of_birth by name'], due: [], password: ['secret by name'], home_address: ['address by name'] },
    },
  );
});

const isLuhn = (digits: string): boolean =>
  [...digits].reverse().reduce((sum, digit, at) => {
    const value = Number(digit) * (1 + (at % 2));
    return sum + Math.floor(value / 10) + (value % 10);
  }, 0) %
    10 ===
  0;

it("takes numbers, times and random identifiers for nobody's unless the column says otherwise", () => {
  const cells = ['20240105', '3.14159265', '2024-01-05 10:30:00', '6e01ed2f-05ed-4ef1-afec-466253537234', '5552671'];
  assert.deepEqual(scanned({ value: cells, order_id: cells }, { threshold: 0.01 }).findings(), []);
  const types = (name: string) =>
    scanned({ [name]: cells })
      .findings()
      .map(({ type, row }) => `${type} ${row}`);
  assert.deepEqual(types('phone'), ['phone 1', 'phone 5']);
  assert.deepEqual(types('dateOfBirth'), ['date_of_birth 1', 'date_of_birth 3']);
});

it('takes right check digits for chance in a column of other numbers, and reports none', () => {
  const random = uniform(9);
  const numbers = times(3_000, () => `4${times(15, () => Math.floor(10 * random())).join('')}`);
  const right = numbers.filter(isLuhn).length;
  assert(right > 200);
  assert.deepEqual(scanned({ order: numbers }).findings(), []);
  assert.equal(scanned({ note: numbers.map((number) => `card ${number}`) }).findings().length, right);
});

it('removes, hashes, masks, keeps and rejects, by column before type before all', () => {
  const cells = { who: ['Mary.Jones@Example.com'], note: ['Ask mary.jones@example.com or (415) 555-2671.'] };
  const options: PiiOptions = { key: KEY, action: 'remove', types: { email: 'hash', phone: 'mask' } };
  const clean = scanned(cells, options).cleaner();
  const hash = createHmac('sha256', KEY).update('mary.jones@example.com').digest('hex');
  assert.equal(clean(0, cells.who[0]!), hash);
  assert.equal(clean(1, cells.note[0]!), `Ask [email:${hash}] or (***) ***-****.`);
  const by = (change: PiiOptions) => scanned(cells, { ...options, ...change }).cleaner();
  assert.equal(by({ columns: { who: 'remove' } })(0, cells.who[0]!), null);
  assert.equal(by({ columns: { who: 'mask' } })(0, cells.who[0]!), '****.*****@*******.***');
  assert.equal(by({ columns: { note: 'keep' } })(1, cells.note[0]!), cells.note[0]);
  assert.equal(by({ columns: { note: 'reject' } })(1, cells.note[0]!), REJECTED);
  assert.equal(by({ types: {} })(1, cells.note[0]!), 'Ask [email] or [phone].');
  assert.equal(clean(1, null), null);
});

it('hashes all spellings of a value to the same', () => {
  const spellings = {
    phone: ['(415) 555-2671', '+1 415 555 2671', '415.555.2671'],
    iban: ['GB82 WEST 1234 5698 7654 32', 'gb82west12345698765432'],
  };
  for (const [column, values] of Object.entries(spellings)) {
    const clean = scanned({ [column]: values }, { key: KEY, action: 'hash' }).cleaner();
    const hashes = new Set(values.map((value) => clean(0, value)));
    assert.equal(hashes.size, 1, column);
    assert.match(String([...hashes][0]), /^[0-9a-f]{64}$/);
  }
});

it('computes HMAC-SHA-256', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.string({ unit: 'binary' }), (key, text) => {
      assert.equal(hmacSha256(key)(text), createHmac('sha256', key).update(text).digest('hex'));
    }),
  );
});

it('refuses options that are not clear, all at once', () => {
  const wrong = { threshold: 2, action: 'hash', types: { secret: 'hash', Mail: 'mask' }, regions: ['XX'], colour: 1 };
  assert.throws(
    () => new PiiScanner(['a'], wrong as unknown as PiiOptions),
    (error: HokusaiError) =>
      error.code === 'PII_OPTIONS_INVALID' &&
      ['threshold', 'regions', 'colour', 'Mail'].every((part) => error.message.includes(part)),
  );
  assert.throws(() => new PiiScanner(['a'], { action: 'hash' }), /pii.key: hash takes a key/);
  assert.throws(() => new PiiScanner(['a'], { types: { secret: 'hash' }, key: KEY }), /of no use hashed/);
});

it('lists what scores low when asked to, and leaves out what is ignored', () => {
  const cells = { note: ['see https://example.com/a and a@example.org'] };
  const types = (options: PiiOptions) =>
    scanned(cells, options)
      .findings()
      .map(({ type }) => type);
  assert.deepEqual(types({}), ['email']);
  assert.deepEqual(types({ threshold: 0.3 }), ['url', 'email']);
  assert.deepEqual(types({ ignore: ['email'] }), []);
});

it('takes other recognisers, and what others have found', () => {
  const badge: Recogniser = {
    ...{ type: 'badge', anchors: ANCHOR.CODE, lengths: [5, 5], columns: / badge /, tellsColumn: true },
    find: (text, from, to, found) => {
      if (/^B\d{4}$/.test(text.slice(from, to))) found(from, to, 0.7);
    },
    whole: (cell) => (/^B\d{4}$/.test(cell) ? 0.9 : 0),
    canonical: (value) => value,
  };
  const scanner = new PiiScanner(['note'], {}, { recognisers: [badge] });
  const other = [
    [
      { type: 'nationality', start: 0, end: 6, score: 0.9 },
      { type: 'email', start: 0, end: 4, score: 0.2 },
    ],
  ];
  scanner.scan(0, ['French, badge B1234'], 1, other);
  assert.deepEqual(
    scanner.findings().map(({ type, start }) => `${type} ${start}`),
    ['nationality 0', 'badge 14'],
  );
  assert.equal(scanner.cleaner()(0, 'French, badge B1234', other[0]), '[nationality], badge [badge]');
});

const texts = labelledTexts(5, 2_500).map(({ text }) => text);

it('finds the same whatever the chunks', () => {
  const columns = { note: texts, phone: texts.map((_, at) => (at % 3 ? `555-01${at % 90}-${1000 + at}` : null)) };
  const whole = scanned(columns);
  const expected = { findings: whole.findings(), report: whole.report() };
  assert(expected.findings.length > 2_000);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 8 }), (sizes) => {
      const streamed: PiiFinding[] = [];
      const scanner = new PiiScanner(Object.keys(columns), {}, { onFinding: (finding) => streamed.push(finding) });
      for (let row = 0, chunk = 0; row < texts.length; chunk++) {
        const end = row + sizes[chunk % sizes.length]!;
        for (const [at, values] of Object.values(columns).entries()) scanner.scan(at, values.slice(row, end), row + 1);
        row = end;
      }
      assert.deepEqual(scanner.report(), expected.report);
      const order = (one: PiiFinding) => `${one.row} ${one.column} ${one.start}`;
      assert.deepEqual(new Set(streamed.map(order)), new Set(expected.findings.map(order)));
    }),
    { numRuns: 5 },
  );
});

it('never prints a value in its report', () => {
  const printed = JSON.stringify(scanned({ note: texts }).report());
  for (const { row, start, end } of scanned({ note: texts }).findings()) {
    const value = texts[row - 1]!.slice(start, end);
    if (value.length > 6) assert(!printed.includes(value));
  }
});

const isWord = (character: string | undefined): boolean => character !== undefined && /\w/.test(character);

/** Whether a value stands somewhere in a text as a word. */
function stands(text: string, value: string): boolean {
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
    if (!isWord(text[at - 1]) && !isWord(text[at + value.length])) return true;
  }
  return false;
}

it('leaves no found value in a cleaned text, and finds nothing in it', () => {
  for (const action of ['remove', 'mask', 'hash'] as const) {
    const scanner = scanned({ note: texts }, { key: KEY, action });
    const clean = scanner.cleaner();
    const cleaned = texts.map((text) => String(clean(0, text)));
    for (const { row, start, end } of scanner.findings()) {
      const value = texts[row - 1]!.slice(start, end);
      if (value.length >= 4) assert(!stands(cleaned[row - 1]!, value), `${action} ${row} ${start}`);
    }
    const left = scanned({ note: cleaned }).findings();
    assert(left.length < 0.002 * texts.length, `${action} ${JSON.stringify(left.slice(0, 5))}`);
  }
});

/** Pieces of which texts that are meant to confuse are made. */
const PIECES = [
  ...[
    '@',
    'a@b.co',
    '1',
    '12 ',
    '123-45-6789',
    '4111 1111 1111 1111',
    '+1 415 555 2671',
    '::',
    ':',
    '.',
    '-',
    '/',
    ' ',
    '\n',
  ],
  ...[
    '://',
    'https://u:p@x.io',
    'AB',
    'John ',
    'Smith',
    'Dr. ',
    'van ',
    '-----BEGIN RSA PRIVATE KEY-----',
    '-----END ',
    '(',
    ')',
  ],
  ...[
    '<',
    'password: ',
    'born ',
    'é',
    '\ud83d',
    '\udc00',
    '\u0000',
    '\u3000',
    '0x',
    'bc1',
    'eyJ',
    'A',
    'aB3',
    'ß',
    'İ',
    "'",
    '’',
  ],
  ...['10.0.0.1', 'GB82', '00:11:22:33:44:55', 'P<UTO', '<<<<', '12 Main Street', '8', '٣', '電話'],
];

it('keeps its spans in the text and apart from each other, whatever the text', () => {
  const finder = new Finder(recognisersFor(zPii.parse({})), 0.01);
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(text, (value) => {
      let last = 0;
      for (const { start, end, score } of finder.find(value)) {
        assert(start >= last && end > start && end <= value.length && score > 0 && score <= 1);
        last = end;
      }
      assert.deepEqual(finder.find(value), finder.find(value));
    }),
    { numRuns: 3_000 },
  );
});

/** What repeated makes texts that patterns take long over, if they can. */
const REPEATED = [
  ...[
    '1',
    'a',
    'A',
    '@',
    'a@',
    'a@a',
    'a.',
    '.',
    ':',
    '::',
    'a:',
    '://',
    'http://',
    '-',
    '1-',
    '1 ',
    '1.',
    '(1',
    'A1',
    'Ab ',
    'Ab-',
  ],
  ...[
    'Ab. ',
    "A'",
    '<',
    'P<',
    '4111 ',
    '12 Main ',
    'Straße 1',
    '-----BEGIN RSA PRIVATE KEY-----',
    'eyJ',
    'eyJa.',
    'sk-',
    '==',
    '0x',
  ],
  ...[
    'password: 1 ',
    'a@b.co ',
    '10.0.0.1 ',
    'John Smith ',
    '\u00e9',
    'É',
    'Éa ',
    '415-555-2671 ',
    'born 1990-01-01 ',
    'x=1&token=abcd ',
  ],
  ...['123-45-6789 ', '00:11:22:33:44:55 ', 'f:', '[', '%', '/a', '\n', '1'.repeat(20), '+1 ', 'bc1', '\u3000A'],
];

/** Calls of recognisers, and characters that they were asked about. */
function workOf(text: string): { calls: number; characters: number } {
  const work = { calls: 0, characters: 0 };
  const counted = recognisersFor(zPii.parse({})).map(
    (one): Recogniser => ({
      ...one,
      find(inner, from, to, found, anchor) {
        work.calls++;
        work.characters += to - from;
        one.find(inner, from, to, found, anchor);
      },
    }),
  );
  new Finder(counted, 0.5).find(text);
  return work;
}

it('works in proportion to a text of any kind', (t) => {
  const finder = new Finder(recognisersFor(zPii.parse({})), 0.5);
  /** Microseconds of CPU for a character. */
  const pace = (text: string): number => {
    const started = process.cpuUsage();
    finder.find(text);
    const { user, system } = process.cpuUsage(started);
    return (user + system) / text.length;
  };
  finder.find('Warm up, John Smith.');
  let steepest = { piece: '', small: 0, large: 0, growth: 0 };
  for (const piece of REPEATED) {
    const make = (length: number) => piece.repeat(Math.ceil(length / piece.length));
    const [few, many] = [workOf(make(2_000)), workOf(make(16_000))];
    assert(many.calls <= 9 * few.calls + 100 && many.characters <= 9 * few.characters + 16_000, piece);
    const [small, large] = [Math.min(pace(make(8_000)), pace(make(8_000))), pace(make(160_000))];
    const growth = large / (small + 0.5);
    if (growth > steepest.growth) steepest = { piece, small, large, growth };
  }
  t.diagnostic(`microseconds a character, steepest: ${JSON.stringify(steepest)}`);
  // Quadratic work would be 20 times as slow.
  assert(steepest.growth < 5, steepest.piece);
});
