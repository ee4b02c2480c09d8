import { eachAnchor } from './anchors.ts';
import { ANCHOR, isWordAt, type Recogniser } from './recogniser.ts';

/** Where a value of a type stands in a text: UTF-16 offsets, the end exclusive. */
export interface PiiSpan {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  /** In (0, 1]. */
  readonly score: number;
}

const NONE: readonly PiiSpan[] = [];

/** Of words that any recogniser counts; longer ones are as this. */
const MAX_LENGTH = 128;

const isCounted = (anchor: number): boolean => anchor === ANCHOR.NUMBER || anchor === ANCHOR.CODE;
const isBetween = (length: number, [shortest, longest]: Recogniser['lengths']): boolean =>
  length >= shortest && length <= longest;

/** Finds personal data in texts: all recognisers in one pass. */
export class Finder {
  readonly #threshold: number;
  /** By the anchor, and of a word by its length. */
  readonly #asked: readonly (readonly (readonly Pick<Recogniser, 'type' | 'find'>[])[])[];
  #text = '';
  #type = '';
  #spans: PiiSpan[] = [];

  /** @param threshold - what scores less is not reported, and hides nothing that scores more */
  constructor(recognisers: readonly Recogniser[], threshold: number) {
    this.#threshold = threshold;
    const lengths = Array.from({ length: MAX_LENGTH + 1 }, (_, length) => length);
    this.#asked = Object.values(ANCHOR).map((bit) => {
      const asked = recognisers.filter(({ anchors }) => (anchors & bit) !== 0);
      const fitting = (length: number) => asked.filter((one) => !isCounted(bit) || isBetween(length, one.lengths));
      // Objects of one shape, which calls are faster on.
      return lengths.map((length) => fitting(length).map((one) => ({ type: one.type, find: one.find.bind(one) })));
    });
  }

  /** What there is in a text, by start; no two overlap. */
  find(text: string): readonly PiiSpan[] {
    this.#text = text;
    eachAnchor(text, this.#ask);
    if (this.#spans.length === 0) return NONE;
    const spans = withRepeats(text, resolveOverlaps(this.#spans));
    this.#spans = [];
    return spans;
  }

  readonly #ask = (anchor: number, from: number, to: number): void => {
    const asked = this.#asked[31 - Math.clz32(anchor)]![Math.min(to - from, MAX_LENGTH)]!;
    for (const recogniser of asked) {
      this.#type = recogniser.type;
      recogniser.find(this.#text, from, to, this.#found, anchor);
    }
  };

  readonly #found = (start: number, end: number, score: number): void => {
    if (score >= this.#threshold) this.#spans.push({ type: this.#type, start, end, score });
  };
}

/** Values of longer texts and more values are found only where they are recognised, which keeps the time linear. */
const MAX_REPEATED = 32;
const SHORTEST_REPEATED = 4;

/** What is a value in one place is one wherever it stands as a word, as a name is that was introduced once. */
function withRepeats(text: string, spans: readonly PiiSpan[]): readonly PiiSpan[] {
  if (spans.length > MAX_REPEATED) return spans;
  const repeats: PiiSpan[] = [];
  for (const { type, start, end, score } of spans) {
    const value = text.slice(start, end);
    if (value.length < SHORTEST_REPEATED || text.length < 2 * value.length) continue;
    for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + value.length)) {
      const until = at + value.length;
      const inside = spans.some((span) => span.start < until && span.end > at);
      if (!inside && !isWordAt(text, at - 1) && !isWordAt(text, until))
        repeats.push({ type, start: at, end: until, score });
    }
  }
  return repeats.length === 0 ? spans : resolveOverlaps([...spans, ...repeats]);
}

/** Of those that overlap the one with the highest score stays, then the longest, then the first, then by type. By start. */
export function resolveOverlaps(spans: readonly PiiSpan[]): readonly PiiSpan[] {
  if (spans.length < 2) return spans;
  const byStart = spans.toSorted((a, b) => a.start - b.start);
  const kept: PiiSpan[] = [];
  for (let first = 0; first < byStart.length; ) {
    let end = byStart[first]!.end;
    let next = first + 1;
    for (; next < byStart.length && byStart[next]!.start < end; next++) end = Math.max(end, byStart[next]!.end);
    const cluster = byStart.slice(first, next);
    kept.push(...(cluster.length === 1 ? cluster : bestOf(cluster, end)));
    first = next;
  }
  return kept;
}

/** Of spans that hang together; the time is linear in their lengths, however many they are. */
function bestOf(cluster: readonly PiiSpan[], clusterEnd: number): PiiSpan[] {
  const offset = cluster[0]!.start;
  const taken = new Uint8Array(clusterEnd - offset);
  const best = cluster.toSorted(
    (a, b) =>
      b.score - a.score || b.end - b.start - (a.end - a.start) || a.start - b.start || (a.type < b.type ? -1 : 1),
  );
  const kept = best.filter(({ start, end }) => {
    const place = taken.subarray(start - offset, end - offset);
    if (place.includes(1)) return false;
    place.fill(1);
    return true;
  });
  return kept.sort((a, b) => a.start - b.start);
}
