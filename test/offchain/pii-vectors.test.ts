import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Finder } from '../../offchain/pii/finder.ts';
import { zPii } from '../../offchain/pii/options.ts';
import { recognisersFor } from '../../offchain/pii/recognisers.ts';
import { RIGHT_NUMBERS } from './pii-numbers.ts';
import { BECH32 } from './pii-values.ts';

const recognisers = recognisersFor(zPii.parse({}));
const finder = new Finder(recognisers, 0.5);

const accepts = (type: string, value: string): boolean =>
  recognisers.some((one) => one.type === type && one.whole(value) > 0);

const found = (text: string): string[] =>
  finder.find(text).map(({ type, start, end }) => `${type} ${text.slice(start, end)}`);

/** A value with one character replaced by each other of its kind. */
function* changes(value: string, of: readonly number[]): Generator<string> {
  for (const at of of) {
    const kind = ['0123456789', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz'].find((one) =>
      one.includes(value[at]!),
    );
    for (const other of kind ?? '') if (other !== value[at]) yield value.slice(0, at) + other + value.slice(at + 1);
  }
}

const digitsOf = (value: string): number[] => [...value].map((_, at) => at).filter((at) => /\d/.test(value[at]!));

/** Without check digit. */
const UNCHECKED = ['us_ssn', 'us_itin', 'uk_nino', 'in_pan'];
/** Whose rule leaves a digit out or lets changes of some digits pass: here the last digit alone is changed. */
const WEAK = ['kr_rrn', 'mx_curp', 'be_national_number'];
/** The last is the number of the card. */
const UNCHECKED_LAST = ['au_medicare'];

for (const [type, numbers] of Object.entries(RIGHT_NUMBERS)) {
  it(`takes right numbers of ${type}, and none with a digit changed`, () => {
    for (const number of numbers) {
      assert(accepts(type, number), number);
      if (UNCHECKED.includes(type)) continue;
      const all = digitsOf(number);
      const digits = WEAK.includes(type) ? all.slice(-1) : UNCHECKED_LAST.includes(type) ? all.slice(0, -1) : all;
      for (const wrong of changes(number, digits)) assert(!accepts(type, wrong), `${number} ${wrong}`);
    }
  });
}

it('takes the examples of issuers, registries and standards, and none with a digit changed', () => {
  const examples: Record<string, string[]> = {
    credit_card: [
      ...['4111111111111111', '4012888888881881', '5555555555554444', '2223003122003222', '378282246310005'],
      ...['6011111111111117', '3530111333300000', '30569309025904', '6200000000000005'],
    ],
    iban: [
      ...['GB29NWBK60161331926819', 'DE89370400440532013000', 'FR1420041010050500013M02606', 'NO9386011117947'],
      ...['MT84MALT011000012345MTLCAST001S', 'SA0380000000608010167519', 'BR1800360305000010009795493C1'],
    ],
    crypto: [
      ...[
        '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
        '3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy',
        'rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh',
      ],
      ...['0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359', ...BECH32],
    ],
  };
  for (const [type, values] of Object.entries(examples)) {
    for (const value of values) {
      assert(accepts(type, value), value);
      for (const wrong of changes(value, digitsOf(value).slice(2))) assert(!accepts(type, wrong), `${value} ${wrong}`);
    }
  }
});

it('doubts an IBAN of another length than its country has', () => {
  const scores = (text: string) => finder.find(text).map(({ score }) => score);
  assert.deepEqual(scores('to GB82WEST12345698765432 now'), [0.98]);
  assert.deepEqual(scores('to GB10MGXK5568652500889 now'), [0.8]);
  assert.deepEqual(scores('to GB10MGXK5568652500888 now'), []);
  assert.deepEqual(scores('to ZZ10MGXK5568652500889 now'), []);
});

it('refuses an address of Ethereum with the case of a letter changed, and one of Bitcoin with mixed case', () => {
  assert(!accepts('crypto', '0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed'));
  assert(!accepts('crypto', 'bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'));
});

it('reads the machine-readable zone of the ICAO specimen, and none with a digit changed', () => {
  const line = 'L898902C36UTO7408122F1204159ZE184226B<<<<<10';
  assert.deepEqual(found(`Scan: ${line}`), [`passport ${line}`]);
  for (const wrong of changes(line, digitsOf(line)))
    assert(!found(wrong).some((one) => one.startsWith('passport')), wrong);
});

it('keeps to the bounds that numbers of social security have', () => {
  assert.deepEqual(found('856-45-6789'), ['us_ssn 856-45-6789']);
  for (const none of ['000-12-3456', '666-12-3456', '123-00-4567', '123-45-0000', '1123-45-6789', '123-45-67890']) {
    assert.deepEqual(found(none), [], none);
  }
  assert.deepEqual(found('ITIN 912-70-1234'), ['us_itin 912-70-1234']);
  assert.deepEqual(found('912-40-1234'), []);
});

it('takes what looks alike for nothing', () => {
  const nothing = [
    'version 10.2.33.4 and 300.1.1.1, 1.2.3, 1.2.3.4.5',
    'at 12:30:45, std::vector, a::b, ::1, 12:34',
    'ff:ff:ff:ff:ff:ff and 01:23:45:67:89 and 0123.4567.8901',
    'react@18.2.0, icon@2x.png, @handle, a@b, "x@"',
    'https://example.com/a?page=2 http://x.org git@ ssh://git@github.com/a/b.git',
    '4111111111111112, order 1234-5678-9012, ISBN 978-3-16-148410-0',
    'GB82WEST12345698765433, DE8937040044053201300',
    '550e8400-e29b-41d4-a716-446655440000, e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '2024-01-05 10:30:00, 1700000000, 1700000000000, 20240105, 05.01.2024',
    '52.520008, 13.404954; 1,234,567.89; 12.345.678; 0.123456789012',
    'Blue Widget Pro, New York City, Deutsche Bank AG, Monday Morning',
    'Section 123-4567, rooms 101-104, 3-2, 1/2, CAS 7732-18-5',
  ];
  for (const text of nothing) assert.deepEqual(found(text), [], text);
});

it('finds secrets by what their issuers put in front, by what is said, and by how varied they are', () => {
  const key = 'Ab3dEf9hIj2kLm5nOpQr7tUvWx0yZa1bCd4eFg6h';
  assert.deepEqual(found('AKIAIOSFODNN7EXAMPLE'), ['secret AKIAIOSFODNN7EXAMPLE']);
  assert.deepEqual(found('the password: hunter2!x'), ['secret hunter2!x']);
  assert.deepEqual(found(`left ${key} there`), [`secret ${key}`]);
  assert.deepEqual(found('api_key=0123456789abcdef0123456789abcdef'), ['secret 0123456789abcdef0123456789abcdef']);
  assert.deepEqual(found(`left ${'aB1'.repeat(14)} there`), []);
  const pem = '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----';
  assert.deepEqual(found(`x ${pem} y`), [`secret ${pem}`]);
  assert.deepEqual(found('-----BEGIN CERTIFICATE-----\nMHcCAQEE\n-----END CERTIFICATE-----'), []);
});
