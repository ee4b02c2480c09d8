import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../../offchain/canonical.ts';
import { canonicalDecimal, canonicalText, cellText } from '../../offchain/table/cell.ts';

/** A number as sign, digits and exponent of ten, so that it can be spelled in many ways. */
const parts = fc.record({
  minus: fc.boolean(),
  digits: fc.stringMatching(/^\d{1,40}$/),
  exponent: fc.integer({ min: -200, max: 200 }),
});
type Parts = typeof parts extends fc.Arbitrary<infer T> ? T : never;

/** The same number with the point moved, zeros added and another exponent. */
function spell({ minus, digits, exponent }: Parts, at: number, zeros: [number, number], big: boolean): string {
  const point = at % (digits.length + 1);
  const whole = '0'.repeat(zeros[0]) + digits.slice(0, point);
  const fraction = digits.slice(point) + '0'.repeat(zeros[1]);
  const power = exponent + digits.length - point;
  return `${minus ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}${big ? 'E+' : 'e'}${power}`.replace(
    '+-',
    '-',
  );
}

/** Value times 10^600. */
function scaled(text: string): bigint {
  const [, sign, whole, fraction = '', exponent = '0'] = /^([+-]?)(\d*)\.?(\d*)(?:[eE](.+))?$/.exec(text)!;
  const power = BigInt(600 + Number(exponent) - fraction.length);
  return BigInt(`${whole}${fraction}`) * 10n ** power * (sign === '-' ? -1n : 1n);
}

describe('canonicalDecimal', () => {
  const spellings: [string, string | null][] = [
    ['1.50', '1.5'],
    ['15e-1', '1.5'],
    ['+.5', '0.5'],
    ['5.', '5'],
    ['-0', '0'],
    ['-0.000E5', '0'],
    ['0e99999999999999999999', '0'],
    ['00100', '100'],
    ['123.4500e-2', '1.2345'],
    ['9007199254740993', '9007199254740993'],
    ['0.1000000000000000055511151231257827', '0.1000000000000000055511151231257827'],
    ['1e-300', `0.${'0'.repeat(299)}1`],
    ['1e-301', null],
    ['9e299', `9${'0'.repeat(299)}`],
    ['1e300', null],
    ['1'.repeat(64), '1'.repeat(64)],
    ['1'.repeat(65), null],
    [`1${'0'.repeat(300)}`, null],
    ...['', '.', '-', '1,5', '1 000', '0x1f', '1e', 'e5', '--1', 'Infinity', 'NaN', '1_000', '١', '1.2.3', ' 1'].map(
      (text): [string, null] => [text, null],
    ),
  ];
  for (const [text, expected] of spellings) {
    it(`gives ${expected?.slice(0, 20)} for "${text.slice(0, 30)}"`, () => {
      assert.equal(canonicalDecimal(text), expected);
    });
  }

  it('gives one string for all spellings of a value, and that value', () => {
    const spelling = fc.tuple(fc.nat(50), fc.tuple(fc.nat(5), fc.nat(5)), fc.boolean());
    fc.assert(
      fc.property(parts, spelling, spelling, (number, one, other) => {
        const text = spell(number, ...one);
        const canonical = canonicalDecimal(text)!;
        assert.equal(canonicalDecimal(spell(number, ...other)), canonical);
        assert.equal(scaled(canonical), scaled(text));
        assert.equal(canonicalDecimal(canonical), canonical);
        assert.equal(Number(canonical), Number(text) + 0);
      }),
    );
  });

  it('gives different strings for different values', () => {
    const integer = fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n });
    fc.assert(
      fc.property(integer, fc.oneof(integer, fc.constantFrom(0n, 1n, -1n, 10n)), fc.nat(30), (a, b, places) => {
        const [x, y] = [`${a}e-${places}`, `${b}e-${places}`];
        assert.equal(canonicalDecimal(x) === canonicalDecimal(y), a === b);
      }),
    );
  });

  it('takes a text of a million zeros in its stride (crafted cell)', () => {
    const start = performance.now();
    assert.equal(canonicalDecimal(`1${'0'.repeat(1e6)}1`), null);
    assert.equal(cellText(`a${' '.repeat(1e6)}b`)!.length, 1e6 + 2);
    assert(performance.now() - start < 1000);
  });
});

describe('cellText', () => {
  it('knows what is missing', () => {
    for (const cell of [null, '', ' \t', 'NA', 'n/a', 'NaN', ' null\r\n', 'NULL', '?'])
      assert.equal(cellText(cell), null);
  });

  it('trims ASCII spaces and leaves the rest', () => {
    assert.equal(cellText(' none \n'), 'none');
    assert.equal(cellText('\u00a0x'), '\u00a0x');
    assert.equal(cellText('Nan.'), 'Nan.');
  });
});

describe('canonicalText', () => {
  it('makes one class of 1 and 1.0, and keeps Unicode forms apart', () => {
    assert.equal(canonicalText('1.0'), '1');
    assert.notEqual(canonicalText('e\u0301'), canonicalText('\u00e9'));
  });
});

describe('canonicalJson', () => {
  it('sorts keys by UTF-16 code units at every depth (RFC 8785, 3.2.3)', () => {
    const value = { '€': 1, '\r': 2, '\u{1f600}': 3, '1': 4, '\ufb33': 5, ö: { b: [true, null], a: '\n"\u20ac' } };
    const expected = '{"\\r":2,"1":4,"ö":{"a":"\\n\\"€","b":[true,null]},"€":1,"😀":3,"\ufb33":5}';
    assert.equal(canonicalJson(value), expected);
  });

  it('refuses floats, unsafe integers and -0', () => {
    for (const number of [0.5, 2 ** 53, Number.NaN, -0]) assert.throws(() => canonicalJson([number]), RangeError);
  });
});
