import type { Finder, PiiSpan } from './finder.ts';
import { columnWords, type Recogniser } from './recogniser.ts';

/** Values without null by which a column is decided on; those after them change nothing. */
export const DECIDING_VALUES = 1000;
/** Fewer say nothing without the column's name. */
const LEAST_VALUES = 10;
/** Share of the values that are of a type, from which the column is taken to hold it. */
const TELLING_SHARE = 0.5;
/** Share of right check digits below which they are taken to be chance, of so many that look alike; of ten one is right. */
const CHANCE_SHARE = 0.15;
const LEAST_ALIKE = 20;
/** A name or an address says little if a column of so many values has hardly any that differ. */
const LEAST_VARIETY = 4;
/**
 * Cells that are no text: a short number, a time, an identifier drawn by chance. They are somebody's only where the
 * column's name or its other values say so, and most cells of most tables are such.
 */
export const NO_TEXT =
  /^(?:[-+]?\d{1,8}(?:\.\d{1,20})?|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
/** Longer cells are texts. */
const LONGEST_WHOLE = 256;
/** Keeps the spans of so many values, because short values repeat. */
const MAX_REMEMBERED = 1024;
const LONGEST_REMEMBERED = 64;

const NONE: readonly PiiSpan[] = [];

/** What a column holds, and how that is known. */
export interface Decision {
  readonly type: string;
  readonly by: 'name' | 'values';
}

/** One column of a table: what it is expected to hold, and what its cells have. */
export class PiiColumn {
  readonly name: string;
  readonly #finder: Finder;
  readonly #recognisers: readonly Recogniser[];
  readonly #threshold: number;
  #expected: readonly Recogniser[] = [];
  #improbable = new Set<string>();
  readonly #remembered = new Map<string, readonly PiiSpan[]>();
  /** Of the values that decided: how many equally frequent ones would be as varied. */
  variety = 0;
  decisions: readonly Decision[] = [];

  constructor(name: string, recognisers: readonly Recogniser[], finder: Finder, threshold: number) {
    this.name = name;
    this.#recognisers = recognisers;
    this.#finder = finder;
    this.#threshold = threshold;
  }

  /** Decides what the column holds, by its name and its first values; at most `DECIDING_VALUES`, none empty. */
  decide(values: readonly string[]): void {
    this.variety = varietyOfValues(values);
    const cells = values.map((value) => value.trim());
    const found = cells.map((cell) => (NO_TEXT.test(cell) ? NONE : this.#finder.find(cell)));
    const words = columnWords(this.name);
    const decisions = new Map<string, Decision>();
    for (const recogniser of this.#recognisers) {
      const by = this.#decideOn(recogniser, words, cells, found);
      if (by) decisions.set(recogniser.type, { type: recogniser.type, by });
    }
    this.decisions = [...decisions.values()];
    this.#expected = this.#recognisers.filter(({ type }) => decisions.has(type));
    this.#improbable = new Set(this.#recognisers.filter((one) => isChance(one, cells)).map(({ type }) => type));
    for (const type of decisions.keys()) this.#improbable.delete(type);
    if (decisions.size > 0 || this.#improbable.size > 0) return;
    // What was found is what will be found.
    for (const [at, value] of values.entries()) {
      if (value === cells[at] && value.length <= LONGEST_REMEMBERED) this.#remembered.set(value, found[at]!);
    }
  }

  #decideOn(
    recogniser: Recogniser,
    words: string,
    cells: readonly string[],
    found: readonly (readonly PiiSpan[])[],
  ): Decision['by'] | undefined {
    const { type, tellsColumn } = recogniser;
    const whole = cells.map((cell) => cell.length <= LONGEST_WHOLE && recogniser.whole(cell) > 0);
    const wholes = whole.filter(Boolean).length;
    const varied = cells.length < LEAST_VALUES || this.variety >= LEAST_VARIETY;
    if (recogniser.columns.test(words)) return wholes > 0 && varied ? 'name' : undefined;
    const told = cells.filter((cell, at) => (tellsColumn && whole[at]) || isWhole(found[at]!, type, cell)).length;
    return cells.length >= LEAST_VALUES && varied && told >= TELLING_SHARE * cells.length ? 'values' : undefined;
  }

  /** Whether nothing but texts are expected: no cell counts as a whole because of the column's name or its other values. */
  get isText(): boolean {
    return this.#expected.length === 0;
  }

  /** What a cell has, by start; no two overlap. */
  spansOf(value: string): readonly PiiSpan[] {
    if (value.length > LONGEST_REMEMBERED) return this.#find(value);
    let spans = this.#remembered.get(value);
    if (spans === undefined) {
      spans = this.#find(value);
      if (this.#remembered.size < MAX_REMEMBERED) this.#remembered.set(value, spans);
    }
    return spans;
  }

  #find(value: string): readonly PiiSpan[] {
    const cell = value.trim();
    const start = cell === value ? 0 : value.indexOf(cell);
    const whole = this.#wholeCell(cell, start);
    if (whole) return [whole];
    if (NO_TEXT.test(cell)) return NONE;
    const spans = this.#finder.find(value);
    if (this.#improbable.size === 0) return spans;
    return spans.filter((span) => !(this.#improbable.has(span.type) && span.end - span.start === cell.length));
  }

  /** The cell as a whole, as what the column is expected to hold. */
  #wholeCell(cell: string, start: number): PiiSpan | undefined {
    if (cell.length > LONGEST_WHOLE) return undefined;
    let best: PiiSpan | undefined;
    for (const recogniser of this.#expected) {
      const score = recogniser.whole(cell);
      if (score >= this.#threshold && score > (best?.score ?? 0)) {
        best = { type: recogniser.type, start, end: start + cell.length, score };
      }
    }
    return best;
  }
}

const isWhole = (spans: readonly PiiSpan[], type: string, cell: string): boolean =>
  spans.length === 1 && spans[0]!.type === type && spans[0]!.end - spans[0]!.start === cell.length;

/** Whether most cells look like a number of this type and few are right, as random numbers are. */
function isChance({ shape, whole }: Recogniser, cells: readonly string[]): boolean {
  if (!shape) return false;
  const alike = cells.filter((cell) => shape.test(cell));
  return alike.length >= LEAST_ALIKE && alike.filter((cell) => whole(cell) > 0).length < CHANCE_SHARE * alike.length;
}

/** Two to the power of the collision entropy, from integers. */
function varietyOfValues(values: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let pairs = 0;
  for (const count of counts.values()) pairs += count * count;
  return values.length === 0 ? 0 : values.length ** 2 / pairs;
}
