import { saying } from './id-number.ts';
import { type NameWord, NO_NAME, nameWord } from './names.ts';
import { ANCHOR, type Found, isDigitAt, type Recogniser } from './recogniser.ts';

/** Letters of the Latin, Greek and Cyrillic scripts; what stands between A-Z and a-z is case-insensitive beyond ASCII. */
const UPPER = 'A-ZÀ-ÖØ-ÞĀ-ž\u0370-\u03ab\u0400-\u042f';
const LETTER = 'A-Za-zÀ-ÖØ-öø-ž\u0370-\u03ff\u0400-\u052f';
const WORD = `[${UPPER}](?:['’]?[${LETTER}]){0,24}(?:-[${UPPER}][${LETTER}]{1,24})?`;
const PARTICLES = new Set(
  'de la los der den da dos das do di del della van von bin binti ibn al el le ten ter af av y e'.split(' '),
);
const PARTICLE = `(?:(?:${[...PARTICLES].join('|')}) ){0,2}`;
const ABBREVIATED = '(?:Mrs?|Ms|Dr|Prof|Rev|Hon|Capt|Mme|Mlle|Sra?|Dott|St|Jr)';
/** Capitalised words that stand together, with titles, initials and particles. */
const SEQUENCE = new RegExp(
  `(?:${ABBREVIATED}\\.|${WORD})(?: ${PARTICLE}(?:${ABBREVIATED}\\.|[${UPPER}]\\.|${WORD})){0,15}(?![${LETTER}0-9_@])`,
  'y',
);
const INITIALS = new RegExp(
  `[${UPPER}]\\.(?: ?[${UPPER}]\\.){0,2} ${PARTICLE}${WORD}(?: ${WORD})?(?![${LETTER}0-9_@])`,
  'y',
);
const LONGEST_WORD = 26;
const TITLES = new Set(
  'mr mrs ms miss mx dr prof professor sir madam lady lord herr frau monsieur madame mme mlle señor señora sr sra dott signor signora don doña rev hon capt judge nurse'.split(
    ' ',
  ),
);
/** Words before a name. */
const INTRODUCED = saying(
  'name is|named|i am|contact|contacted|patient|customer|client|employee|colleague|manager|applicant|tenant|student|teacher|' +
    'spoke (?:with|to)|talked to|met(?: with)?|signed(?: by)?|written by|approved by|assigned to|reported by|requested by|' +
    'attn|attention|dear|hi|hello|regards|sincerely|thanks|cc|from|by|owner|holder|beneficiary|recipient|guest|passenger|' +
    'mother|father|wife|husband|sister|brother|son|daughter|friend|neighbou?r|according to|behalf of|emailed|e-mailed|called|phoned|told|asked|for|with',
);
/** Only words so near. */
const NEAR = 16;
/** Of what is a place, a saint or a ship. */
const PLACED = new Set('san santa santo st saint los las new port fort mount lake el the'.split(' '));

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly kind: NameWord;
  readonly initial: boolean;
}

/** The capitalised words of a sequence; particles between them are not pieces. */
function piecesOf(sequence: string, offset: number): Piece[] {
  const pieces: Piece[] = [];
  let start = offset;
  for (const written of sequence.split(' ')) {
    const text = written.endsWith('.') ? written.slice(0, -1) : written;
    const initial = text.length === 1;
    // Without a full stop a single letter may be a word.
    const kind = initial && text !== written ? NO_NAME : nameWord(text);
    if (!PARTICLES.has(text)) {
      pieces.push({ start, end: start + text.length, text, kind, initial });
    }
    start += written.length + 1;
  }
  return pieces;
}

const isUnknown = ({ kind, initial }: Piece): boolean =>
  !initial && !kind.given && !kind.family && !kind.either && !kind.common && !kind.never;
/** What may stand after a given name. */
const mayFollow = (piece: Piece): boolean => !piece.kind.never;
const isCapitals = ({ text }: Piece): boolean => text.length > 1 && text === text.toUpperCase();

/** How far a name goes that starts at a piece: initials, and then up to three words. */
function endOfName(pieces: readonly Piece[], first: number): number {
  let last = first;
  let longWords = 1;
  for (let next = first + 1; next < pieces.length && longWords < 4; next++) {
    const piece = pieces[next]!;
    if (!piece.initial) {
      if (!mayFollow(piece) || (longWords > 1 && piece.kind.common)) break;
      longWords++;
      last = next;
    }
  }
  return last;
}

/** The score of the words from first to last as a name, given whether words before say that a name comes. */
function scoreOf(pieces: readonly Piece[], first: number, last: number, introduced: boolean): number {
  const start = pieces[first]!;
  const end = pieces[last]!;
  const next = pieces[last + 1];
  if (next?.kind.organisation) return 0;
  if (last === first) return introduced && start.kind.given ? 0.55 : 0;
  if (isCapitals(start) && !(start.kind.given && end.kind.family)) return 0;
  if (start.kind.given)
    return end.kind.family ? 0.9 : end.kind.either || end.kind.given ? 0.8 : isUnknown(end) ? 0.75 : 0.6;
  if (start.kind.either)
    return end.kind.family ? 0.75 : isUnknown(end) || end.kind.either ? (introduced ? 0.65 : 0.45) : 0;
  if (start.initial) return end.kind.family || end.kind.given ? 0.7 : introduced ? 0.5 : 0;
  if (isUnknown(start)) return end.kind.family ? 0.65 : introduced && isUnknown(end) ? 0.6 : 0;
  if (start.kind.family) return end.kind.given ? 0.7 : end.kind.family && introduced ? 0.55 : 0;
  return 0;
}

function findIn(text: string, pieces: readonly Piece[], found: Found): void {
  for (let first = 0; first < pieces.length; first++) {
    const piece = pieces[first]!;
    const before = pieces[first - 1];
    if (before && PLACED.has(before.text.toLowerCase())) continue;
    const titled = before !== undefined && TITLES.has(before.text.toLowerCase());
    if (TITLES.has(piece.text.toLowerCase()) || (piece.kind.never && !titled)) continue;
    const introduced =
      titled || (piece.kind.common ? false : INTRODUCED.test(text.slice(Math.max(0, piece.start - NEAR), piece.start)));
    const last = endOfName(pieces, first);
    const score = titled && !piece.kind.never ? 0.85 : scoreOf(pieces, first, last, introduced);
    if (score === 0) continue;
    found(piece.start, pieces[last]!.end, score);
    first = last;
  }
}

const isLetter = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code >= 0xc0;

/** Whether a word starts here that does not go on with a capitalised word before it, and is no part of an address. */
function isFirst(text: string, from: number): boolean {
  if (from === 0) return true;
  const before = text.charCodeAt(from - 1);
  if (isLetter(before) || "'’_@./-".includes(text[from - 1]!) || isDigitAt(text, from - 1)) return false;
  if (before !== 32) return true;
  let start = from - 1;
  while (start > 0 && from - start < LONGEST_WORD && isLetter(text.charCodeAt(start - 1))) start--;
  const initial = text[start]!;
  return start === from - 1 || initial === initial.toLowerCase();
}

/** A capitalised word or several, and no digit. */
const ENTIRE = new RegExp(`^[${LETTER}][${LETTER}'’. ,-]{0,79}$`);
const COLUMNS =
  / (?:(?:first|last|full|given|family|middle|maiden|nick|customer|patient|employee|contact|client|person|applicant|student|author|member|guest|holder|owner|manager|legal|real|display|account holder|cardholder|emergency contact|mother|father|spouse) ?names?|surname|lastname|firstname|fullname|forename|vorname|nachname|nombre|apellidos?|prenom|nom|cognome|person) /;

/** Names of persons, by compromise's lexicon, more names of several cultures, and the words around. */
export const person: Recogniser = {
  ...{ type: 'person', anchors: ANCHOR.CAPITAL, lengths: [0, 0], columns: COLUMNS, tellsColumn: false },
  find(text, from, _to, found) {
    if (!isFirst(text, from)) return;
    const pattern = text[from + 1] === '.' ? INITIALS : SEQUENCE;
    pattern.lastIndex = from;
    const sequence = pattern.exec(text)?.[0];
    if (sequence === undefined || (!sequence.includes(' ') && !nameWord(sequence).given)) return;
    findIn(text, piecesOf(sequence, from), found);
  },
  whole: (cell) => (ENTIRE.test(cell) ? 0.85 : 0),
  canonical: (value) => value.normalize('NFKC').toLowerCase().replace(/\s+/g, ' '),
};
