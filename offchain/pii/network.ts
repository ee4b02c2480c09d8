import { isIPv6 } from 'node:net';
import { saying } from './id-number.ts';
import { ANCHOR, endsAt, type Recogniser, saysBefore, startsAt } from './recogniser.ts';

const SAID = 0.9;
const DOUBTFUL = 0.3;

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = new RegExp(`${OCTET}(?:\\.${OCTET}){3}`, 'y');
/** This host, loop-back and masks, which are nobody's. */
const NOBODY = /^(?:0\.0\.0\.0|127\.\d+\.\d+\.\d+|255\.\d+\.\d+\.\d+|::1?)$/;
const VERSION = saying('versions?|ver|rv|v|release|build|firmware|driver|section|chapter|clause|revision|rev|oid');
/** So near before it that they speak of it. */
const NEAR = 12;

/** Where an address ends that starts here; -1 if none does. A prefix length or a port may follow it. */
function endOfIpv4(text: string, from: number): number {
  IPV4.lastIndex = from;
  if (!IPV4.test(text)) return -1;
  const end = IPV4.lastIndex;
  return startsAt(text, from) && (text[end] === '/' || endsAt(text, end)) ? end : -1;
}

const IP_COLUMNS = / (?:ips?|ip address|ip addr|ipv4|ipv6|remote addr|remote address) /;
const canonical = (value: string): string => value.toLowerCase();

const ipv4: Recogniser = {
  ...{ type: 'ip', anchors: ANCHOR.NUMBER, lengths: [1, 3], columns: IP_COLUMNS, tellsColumn: true, canonical },
  find(text, from, to, found) {
    const end = text[to] === '.' ? endOfIpv4(text, from) : -1;
    if (end < 0) return;
    const doubtful = NOBODY.test(text.slice(from, end)) || saysBefore(text, from, VERSION, NEAR);
    found(from, end, doubtful ? DOUBTFUL : SAID);
  },
  whole: (cell) => (endOfIpv4(cell, 0) === cell.length ? SAID : 0),
};

/** Runs of hexadecimal digits and colons, and a point's four decimals; at most as long as an address. */
const IPV6 = /(?<![0-9A-Za-z:._])[0-9A-Fa-f:]{3,39}(?:\.\d{1,3}){0,3}(?![0-9A-Za-z:_]|\.\d)/g;
/** An extended identifier of a device has this form of an address. */
const OCTETS = /^(?:[0-9A-Fa-f]{2}:){7}[0-9A-Fa-f]{2}$/;
/** Shorter ones, such as `a::b`, are operators of programs oftener than addresses. */
const SHORTEST_IPV6 = 6;

const isAddress = (value: string): boolean =>
  value.length >= SHORTEST_IPV6 && /\d/.test(value) && isIPv6(value) && !OCTETS.test(value);

const ipv6: Recogniser = {
  ...{ type: 'ip', anchors: ANCHOR.COLON, lengths: [0, 0], columns: IP_COLUMNS, tellsColumn: true, canonical },
  find(text, from, to, found) {
    if (!hasColons(text, from, to, 2)) return;
    for (const { 0: value, index } of text.slice(from, to).matchAll(IPV6)) {
      if (isAddress(value)) found(from + index, from + index + value.length, SAID);
    }
  },
  whole: (cell) => (isAddress(cell) ? SAID : 0),
};

function hasColons(text: string, from: number, to: number, least: number): boolean {
  let at = from - 1;
  for (let left = least; left > 0; left--) {
    at = text.indexOf(':', at + 1);
    if (at < 0 || at >= to) return false;
  }
  return true;
}

const PAIR = '[0-9A-Fa-f]{2}';
const QUAD = '[0-9A-Fa-f]{4}';
const MAC_FORMS = `${PAIR}(?::${PAIR}){5}|${PAIR}(?:-${PAIR}){5}|${QUAD}\\.${QUAD}\\.${QUAD}`;
const MAC = new RegExp(`(?<![0-9A-Za-z:_.-])(?:${MAC_FORMS})(?![0-9A-Za-z_]|[:.-][0-9A-Fa-f])`, 'g');
const ENTIRE_MAC = new RegExp(`^(?:${MAC_FORMS}|[0-9A-Fa-f]{12})$`);
/** Broadcast, nothing, and three decimal groups, which are a number. */
const NO_MAC = /^(?:(?:ff[:.-]?)+|(?:00[:.-]?)+|\d{4}\.\d{4}\.\d{4})$/i;

export const mac: Recogniser = {
  ...{ type: 'mac', anchors: ANCHOR.TOKEN, lengths: [0, 0], tellsColumn: true },
  columns: / (?:mac|mac address|mac addr|hardware address|bssid|ethernet) /,
  find(text, from, to, found) {
    for (const { 0: value, index } of text.slice(from, to).matchAll(MAC)) {
      found(from + index, from + index + value.length, NO_MAC.test(value) ? DOUBTFUL : 0.95);
    }
  },
  whole: (cell) => (ENTIRE_MAC.test(cell) && !NO_MAC.test(cell) ? 0.95 : 0),
  canonical: (value) => value.replace(/[^0-9A-Fa-f]/g, '').toLowerCase(),
};

const SCHEME = /[A-Za-z][A-Za-z0-9+.-]{0,31}$/;
const MAX_SCHEME = 32;
const MAX_URL = 2048;
/** What delimits an address in running text. */
const DELIMITER = /[<>"`{}|\\^]/;
/** What follows it in its sentence. */
const PUNCTUATION = "'’)].,;:!?*";
/** Up to the last `@` before path and query: user and password. */
const USER = /^([^/?#@]{0,256}(?:@[^/?#@]{1,256})?)@/;
/** Parameters that let in who knows them. */
const PARAMETERS =
  'access_token|api_?key|apikey|auth|auth_?token|client_secret|code|id_token|jwt|key|pass|passwd|password|pwd|refresh_token|' +
  'secret|session|session_?id|sid|sig|signature|token|x-amz-signature|x-amz-credential';
const SECRET_PARAMETER = new RegExp(`[?&#;](?:${PARAMETERS})=[^&#\\s]{4}`, 'i');

function scoreOfUrl(rest: string): number {
  const user = USER.exec(rest)?.[1];
  if (user?.includes(':')) return 0.98;
  if (SECRET_PARAMETER.test(rest)) return 0.85;
  return user !== undefined && user !== 'git' ? 0.7 : DOUBTFUL;
}

function urlPart(rest: string): string {
  const delimiter = rest.search(DELIMITER);
  let end = delimiter < 0 ? rest.length : delimiter;
  while (end > 0 && PUNCTUATION.includes(rest[end - 1]!)) end--;
  return rest.slice(0, end);
}

/** URLs; those without credentials score low. */
export const url: Recogniser = {
  ...{ type: 'url', anchors: ANCHOR.COLON, lengths: [0, 0], columns: /(?!)/, tellsColumn: false },
  find(text, from, to, found) {
    const token = text.slice(from, to);
    for (let at = token.indexOf('://'); at >= 0; at = token.indexOf('://', at + 3)) {
      const scheme = SCHEME.exec(token.slice(Math.max(0, at - MAX_SCHEME), at))?.[0];
      const rest = urlPart(token.slice(at + 3, at + MAX_URL));
      if (scheme && rest) found(from + at - scheme.length, from + at + 3 + rest.length, scoreOfUrl(rest));
      at += rest.length;
    }
  },
  whole: () => 0,
  canonical: (value) => value,
};

export const network: readonly Recogniser[] = [ipv4, ipv6, mac, url];
