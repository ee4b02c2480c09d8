import { createHash } from 'node:crypto';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { ANCHOR, type Recogniser } from './recogniser.ts';

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** The letters of the XRP Ledger. */
const RIPPLE58 = 'rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz';
/** A version, 160 bits and four bytes of a check sum. */
const BASE58_BYTES = 25;
/** First bytes of Bitcoin (two), Litecoin (two), Dogecoin (two), Dash (two) and Tron. */
const VERSIONS = [0x00, 0x05, 0x30, 0x32, 0x1e, 0x16, 0x4c, 0x10, 0x41];

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

function isBase58Check(address: string, alphabet: string, versions: readonly number[]): boolean {
  const bytes = new Uint8Array(BASE58_BYTES);
  for (const character of address) {
    let carry = alphabet.indexOf(character);
    if (carry < 0) return false;
    for (let at = BASE58_BYTES - 1; at >= 0; at--) {
      carry += 58 * bytes[at]!;
      bytes[at] = carry & 255;
      carry >>= 8;
    }
    if (carry > 0) return false;
  }
  const body = bytes.subarray(0, 21);
  return versions.includes(bytes[0]!) && sha256(sha256(body)).subarray(0, 4).equals(bytes.subarray(21));
}

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
/** What the check sum of BIP 173 and that of BIP 350 leave. */
const BECH32_RESTS = [1, 0x2bc830a3];

function polymod(values: readonly number[]): number {
  let rest = 1;
  for (const value of values) {
    const top = rest >>> 25;
    rest = ((rest & 0x1ffffff) << 5) ^ value;
    for (let bit = 0; bit < 5; bit++) if ((top >>> bit) & 1) rest ^= GENERATOR[bit]!;
  }
  return rest;
}

function isBech32(address: string): boolean {
  if (address !== address.toLowerCase() && address !== address.toUpperCase()) return false;
  const [prefix = '', data = ''] = address.toLowerCase().split('1', 2);
  const codes = Array.from(prefix, (letter) => letter.charCodeAt(0));
  const values = Array.from(data, (letter) => BECH32.indexOf(letter));
  const all = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31), ...values];
  return !values.includes(-1) && BECH32_RESTS.includes(polymod(all));
}

/** EIP-55: a letter is a capital where the hash of the address in small letters has a nibble of 8 or more. */
function isEthereum(address: string): boolean {
  const hex = address.slice(2);
  if (hex === hex.toLowerCase() || hex === hex.toUpperCase()) return new Set(hex.toLowerCase()).size > 4;
  const hash = Buffer.from(keccak_256(Buffer.from(hex.toLowerCase()))).toString('hex');
  return (
    Array.from(hex, (letter, at) => (hash[at]! >= '8' ? letter.toUpperCase() : letter.toLowerCase())).join('') === hex
  );
}

/** The score of a word, 0 if it is no address. */
function score(word: string): number {
  if (/^0x[0-9A-Fa-f]{40}$/.test(word)) return isEthereum(word) ? 0.95 : 0;
  if (/^(?:bc1|tb1|ltc1|BC1|TB1|LTC1)[02-9A-Za-z]{11,87}$/.test(word)) return isBech32(word) ? 0.98 : 0;
  if (/^[13LMDXAT79][1-9A-HJ-NP-Za-km-z]{24,34}$/.test(word)) return isBase58Check(word, BASE58, VERSIONS) ? 0.98 : 0;
  if (/^r[1-9A-HJ-NP-Za-km-z]{24,34}$/.test(word)) return isBase58Check(word, RIPPLE58, [0]) ? 0.98 : 0;
  return 0;
}

/** Addresses of accounts, all with a check sum but those of Ethereum in one case. */
export const crypto: Recogniser = {
  ...{ type: 'crypto', anchors: ANCHOR.NUMBER | ANCHOR.CODE, lengths: [25, 92], tellsColumn: true },
  columns:
    / (?:wallet|wallet address|crypto|crypto address|bitcoin|bitcoin address|btc|btc address|eth|eth address|ethereum) /,
  find(text, from, to, found) {
    const value = score(text.slice(from, to));
    if (value > 0) found(from, to, value);
  },
  whole: score,
  canonical: (value) => (/^(?:0x|bc1|tb1|ltc1)/i.test(value) ? value.toLowerCase() : value),
};
