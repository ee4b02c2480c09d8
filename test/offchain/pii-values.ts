import { createHash } from 'node:crypto';
import { getAddress } from 'viem';
import { RIGHT_NUMBERS } from './pii-numbers.ts';

/** Draws from a seeded source. */
export class Draw {
  readonly #uniform: () => number;
  constructor(uniform: () => number) {
    this.#uniform = uniform;
  }
  below = (limit: number): number => Math.floor(limit * this.#uniform());
  of = <T>(values: readonly T[]): T => values[this.below(values.length)]!;
  digits = (count: number, first = '0123456789'): string =>
    this.of([...first]) + Array.from({ length: count - 1 }, () => this.below(10)).join('');
  from = (alphabet: string, count: number): string =>
    Array.from({ length: count }, () => this.of([...alphabet])).join('');
}

const HEX = '0123456789abcdef';
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** People of several cultures, given and family name, from public lists of common names. */
const PEOPLE: readonly (readonly [given: string, family: string])[] = [
  ['James', 'Smith'],
  ['Mary', 'Johnson'],
  ['Robert', 'Williams'],
  ['Patricia', 'Brown'],
  ['Jennifer', 'Jones'],
  ['Michael', 'Miller'],
  ['Elizabeth', 'Davis'],
  ['William', 'Wilson'],
  ['Susan', 'Moore'],
  ['Charlotte', 'Taylor'],
  ['Oliver', 'Anderson'],
  ['Amelia', 'Thompson'],
  ['Liam', "O'Connor"],
  ['Siobhan', 'Murphy'],
  ['Hans', 'Müller'],
  ['Ursula', 'Schneider'],
  ['Jürgen', 'Hoffmann'],
  ['Klaus', 'Weber'],
  ['Sabine', 'Richter'],
  ['Pierre', 'Dubois'],
  ['Camille', 'Lefebvre'],
  ['Jean-Pierre', 'Moreau'],
  ['Élise', 'Girard'],
  ['Marco', 'Rossi'],
  ['Giulia', 'Ferrari'],
  ['Alessandro', 'Bianchi'],
  ['María', 'González'],
  ['José', 'Martínez'],
  ['Carmen', 'Navarro'],
  ['João', 'Silva'],
  ['Beatriz', 'Carvalho'],
  ['Piotr', 'Nowak'],
  ['Agnieszka', 'Wiśniewska'],
  ['Ivan', 'Petrov'],
  ['Natasha', 'Volkova'],
  ['Lars', 'Johansson'],
  ['Astrid', 'Lindgren'],
  ['Mikko', 'Virtanen'],
  ['Sanne', 'de Vries'],
  ['Pieter', 'van den Berg'],
  ['Wei', 'Zhang'],
  ['Xiaoming', 'Li'],
  ['Mei', 'Chen'],
  ['Hiroshi', 'Tanaka'],
  ['Yuki', 'Watanabe'],
  ['Minjun', 'Kim'],
  ['Seoyeon', 'Park'],
  ['Thi', 'Nguyen'],
  ['Priya', 'Sharma'],
  ['Rahul', 'Gupta'],
  ['Anjali', 'Krishnamurthy'],
  ['Mohammed', 'Al-Farsi'],
  ['Fatima', 'Hassan'],
  ['Yusuf', 'Demir'],
  ['Zeynep', 'Kaya'],
  ['Oluwaseun', 'Adeyemi'],
  ['Ngozi', 'Okafor'],
  ['Kwame', 'Mensah'],
  ['Thandiwe', 'Nkosi'],
  ['Carlos', 'Ramírez'],
  ['Ximena', 'Quispe'],
  ['Leilani', 'Kahale'],
  ['Tevita', 'Fonoti'],
  ['Dimitris', 'Papadopoulos'],
];

export function person(draw: Draw): string {
  const [given, family] = draw.of(PEOPLE);
  const form = draw.below(10);
  if (form === 0) return `${given} ${draw.of([...'ABCDEFGHJKLMNPRSTW'])}. ${family}`;
  if (form === 1) return `${given[0]}. ${family}`;
  return `${given} ${family}`;
}

const plain = (name: string): string =>
  name
    .normalize('NFD')
    .replace(/[^A-Za-z]/g, '')
    .toLowerCase();

export function email(draw: Draw): string {
  const [given, family] = draw.of(PEOPLE).map(plain) as [string, string];
  const local = draw.of([`${given}.${family}`, `${given[0]}${family}`, `${family}_${draw.digits(2)}`, `${given}+news`]);
  const domain = draw.of([
    'example.com',
    'mail.example.org',
    'company.co.uk',
    'uni-bonn.de',
    'example.museum',
    'x-y.io',
  ]);
  return draw.of([local, local.toUpperCase(), local]) + '@'.concat(domain);
}

/** Whether the sum of digits, every second doubled, ends in 0: written down the long way. */
const isLuhn = (digits: string): boolean =>
  [...digits]
    .reverse()
    .map((digit, at) => (at % 2 ? String(2 * Number(digit)) : digit))
    .join('')
    .split('')
    .reduce((sum, digit) => sum + Number(digit), 0) %
    10 ===
  0;

export function completed(start: string, right: (digits: string) => boolean): string {
  return Array.from({ length: 10 }, (_, digit) => start + digit).find(right)!;
}

export function creditCard(draw: Draw): string {
  const [first, length] = draw.of([
    ...[['4', 16] as const, ['4', 16] as const, ['51', 16] as const, ['55', 16] as const, ['2221', 16] as const],
    ...[['34', 15] as const, ['37', 15] as const, ['6011', 16] as const, ['3530', 16] as const, ['36', 14] as const],
  ]);
  const digits = completed(first + draw.digits(length - first.length - 1), isLuhn);
  if (length === 14) return digits.replace(/(.{4})(.{6})/, '$1 $2 ');
  if (length === 15) return draw.of([digits, digits.replace(/(.{4})(.{6})/, '$1 $2 ')]);
  return draw.of([digits, digits.replace(/(.{4})(?=.)/g, '$1 '), digits.replace(/(.{4})(?=.)/g, '$1-')]);
}

const asNumber = (text: string): bigint =>
  BigInt(text.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55)));

export function iban(draw: Draw): string {
  const [country, account] = draw.of([
    ['DE', draw.digits(18)],
    ['GB', draw.of(['NWBK', 'BARC', 'WEST']) + draw.digits(14)],
    ['FR', draw.digits(23)],
    ['NL', `ABNA${draw.digits(10)}`],
    ['ES', draw.digits(20)],
    ['CH', draw.digits(17)],
    ['NO', draw.digits(11)],
  ] as const);
  const check = String(98n - (asNumber(`${account}${country}00`) % 97n)).padStart(2, '0');
  const written = country + check + account;
  return draw.of([written, written.replace(/(.{4})(?=.)/g, '$1 ')]);
}

export function ip(draw: Draw): string {
  const group = () => draw.from(HEX, 4);
  if (draw.below(4) === 0)
    return draw.of([`2001:db8:${group()}::${group()}`, `fe80::${group()}:${group()}:${group()}`]);
  return [draw.of([10, 192, 172, 8, 93, 203]), draw.below(256), draw.below(256), 1 + draw.below(254)].join('.');
}

export function mac(draw: Draw): string {
  const pairs = Array.from({ length: 6 }, () => draw.from(HEX, 2));
  const written = pairs.join(draw.of([':', ':', '-']));
  return draw.of([written, written.toUpperCase()]);
}

export function url(draw: Draw): string {
  const host = draw.of(['db.example.com', 'files.example.org:8443', 'intranet.local']);
  const word = draw.from(ALPHANUMERIC, 10);
  return draw.of([
    `https://admin:${word}@${host}/backup`,
    `postgres://app:${word}@${host}/prod`,
    `ftp://anna:${word}@${host}/in/file.csv`,
    `https://${host}/reset?user=7&token=${word}${word}`,
    `https://${host}/v1/items?api_key=${word}${word}&page=2`,
  ]);
}

export const usSsn = (draw: Draw): string =>
  [100 + draw.below(560), String(1 + draw.below(99)).padStart(2, '0'), 1000 + draw.below(8999)]
    .join('-')
    .replace('666-', '665-');

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const twice = (bytes: Buffer): Buffer =>
  createHash('sha256').update(createHash('sha256').update(bytes).digest()).digest();

function base58(bytes: Buffer): string {
  let value = BigInt(`0x${bytes.toString('hex')}`);
  let written = '';
  for (; value > 0n; value /= 58n) written = BASE58[Number(value % 58n)] + written;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return '1'.repeat(zeros) + written;
}

/** Examples of BIP 173 and BIP 350. */
export const BECH32 = [
  'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
  'bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3',
  'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
  'bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y',
];

export function crypto(draw: Draw): string {
  const hash = Buffer.from(draw.from(HEX, 40), 'hex');
  const body = Buffer.concat([Buffer.from([draw.of([0, 5])]), hash]);
  const kind = draw.below(4);
  if (kind === 0) return draw.of(BECH32);
  if (kind === 1) return getAddress(`0x${hash.toString('hex')}`);
  if (kind === 2) return `0x${hash.toString('hex')}`;
  return base58(Buffer.concat([body, twice(body).subarray(0, 4)]));
}

export function secret(draw: Draw): string {
  const word = (count: number) => draw.from(ALPHANUMERIC, count);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return draw.of([
    `AKIA${draw.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`,
    `ghp_${word(36)}`,
    `xoxb-${draw.digits(12, '1')}-${word(24)}`,
    `sk_live_${word(24)}`,
    `AIza${word(35)}`,
    `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: draw.digits(6), iat: draw.below(1e9) })}.${word(43)}`,
  ]);
}

export const idNumber =
  (type: string) =>
  (draw: Draw): string =>
    draw.of(RIGHT_NUMBERS[type]!);

export function phone(draw: Draw): string {
  const area = draw.of(['212', '415', '312', '617', '206', '303', '512']);
  const [exchange, line] = [draw.digits(3, '23456789').replace(/(.)11/, '$112'), draw.digits(4)];
  return draw.of([
    `(${area}) ${exchange}-${line}`,
    `${area}-${exchange}-${line}`,
    `${area}.${exchange}.${line}`,
    `+1 ${area} ${exchange} ${line}`,
    `+1${area}${exchange}${line}`,
    `+44 20 7946 0${draw.digits(3)}`,
    `020 7946 0${draw.digits(3)}`,
    `+49 30 ${draw.digits(7, '23456789')}`,
    `+33 1 42 ${draw.digits(2)} ${draw.digits(2)} ${draw.digits(2)}`,
    `+91 98${draw.digits(3)} ${draw.digits(5)}`,
  ]);
}

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October'];

export function date(draw: Draw): string {
  const [year, month, day] = [1940 + draw.below(65), 1 + draw.below(10), 1 + draw.below(28)];
  const two = (value: number) => String(value).padStart(2, '0');
  return draw.of([
    `${year}-${two(month)}-${two(day)}`,
    `${two(day)}/${two(month)}/${year}`,
    `${day}.${month}.${year}`,
    `${day} ${MONTHS[month - 1]} ${year}`,
    `${MONTHS[month - 1]} ${day}, ${year}`,
  ]);
}

export function address(draw: Draw): string {
  const number = 1 + draw.below(980);
  return draw.of([
    `${number} ${draw.of(['Oak', 'Maple', 'Washington', 'Lincoln', 'Church'])} ${draw.of(['Street', 'St', 'Avenue', 'Road', 'Drive'])}`,
    `${number} ${draw.of(['Oak', 'Park', 'Lake'])} ${draw.of(['Ave', 'Blvd', 'Lane'])}, Springfield, IL 627${draw.digits(2)}`,
    `${draw.of(['Haupt', 'Garten', 'Bahnhof'])}straße ${number % 90}, 1${draw.digits(4)} Berlin`,
    `${number % 90} rue ${draw.of(['de la Paix', 'Victor Hugo', 'du Bac'])}, 750${draw.digits(2)} Paris`,
    `Calle ${draw.of(['Mayor', 'de Alcalá', 'Real'])} ${number % 90}`,
  ]);
}

/** What is nobody's and looks as if it were. */
export const NOBODYS: readonly ((draw: Draw) => string)[] = [
  (draw) => `order ${draw.digits(10, '123456789')}`,
  (draw) => `order no. ${draw.digits(4)}-${draw.digits(5)}`,
  (draw) => `ISBN 978-3-16-${draw.digits(6)}-${draw.digits(1)}`,
  (draw) => `ISBN 0-${draw.digits(3)}-${draw.digits(5)}-X`,
  (draw) => `version ${draw.below(20)}.${draw.below(20)}.${draw.below(20)}.${draw.below(20)}`,
  (draw) => `v${draw.below(9)}.${draw.below(20)}.${draw.below(40)}`,
  (draw) => `build 10.0.19045.${draw.digits(4, '3456789')}`,
  (draw) => `commit ${draw.from(HEX, 40)}`,
  (draw) => `sha256 ${draw.from(HEX, 64)}`,
  (draw) => `md5 ${draw.from(HEX, 32)}`,
  (draw) => `id ${[8, 4, 4, 4, 12].map((count) => draw.from(HEX, count)).join('-')}`,
  (draw) =>
    `at 20${draw.digits(2, '12')}-0${draw.digits(1, '123456789')}-1${draw.digits(1)} 1${draw.digits(1)}:30:0${draw.digits(1)}`,
  (draw) => `timestamp 16${draw.digits(8)}`,
  (draw) => `epoch 17${draw.digits(11)}`,
  (draw) => `at ${draw.below(90)}.${draw.digits(6)}, ${draw.below(180)}.${draw.digits(6)}`,
  (draw) => `a total of ${draw.below(999)},${draw.digits(3)}.${draw.digits(2)} EUR`,
  (draw) => `ratio 0.${draw.digits(12)}`,
  (draw) => `card ending in ${draw.digits(4)}`,
  (draw) => `number ${completed(`4${draw.digits(14)}`, (digits) => !isLuhn(digits))}`,
  (draw) => `tracking 1Z${draw.from('0123456789ABCDEF', 16)}`,
  (draw) => `SKU ${draw.from('ABCDEFGH', 3)}-${draw.digits(4)}-${draw.digits(4)}`,
  (draw) => `account GB01NWBK${draw.digits(14)}`,
  () => 'see https://www.example.com/products/item-42?page=3',
  () => 'docs at http://docs.example.org/guide/v2.1/index.html.',
  () => 'file icon@2x.png',
  () => 'package react@18.2.0',
  () => 'ping @support_team and #urgent',
  () => 'std::vector<int> and a::b',
  () => 'score 3-2, odds 10-1, rooms 101-104',
  () => 'CAS 7732-18-5 and DOI 10.1000/182',
  () => 'mask 255.255.255.0',
  () => 'Order Desk and Blue Widget Pro',
  () => 'the Golden Gate Bridge in San Francisco',
  () => 'New York City and Los Angeles',
  () => 'Microsoft Office and Adobe Photoshop',
  () => 'Deutsche Bank AG and Acme Widgets Ltd',
  () => 'University of Oxford, Department of Physics',
  () => 'Monday Morning Meeting in Conference Room',
  () => 'the Galaxy Ultra, the Surface Laptop and a Kindle Oasis',
  () => 'Terms and Conditions, Privacy Policy, Customer Service',
  () => 'Great Britain, South Africa and New Zealand',
  () => 'the Quarterly Report for North America',
];
