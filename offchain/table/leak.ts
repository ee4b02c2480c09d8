/** Fewer rows of the rarer class than this separate by chance too easily to say anything. */
const MIN_MINORITY = 10;
/** Only columns with at most so many distinct values are looked at value by value. */
const MAX_GROUPS = 32;

/**
 * Whether a column by itself tells the label: a copy or a code of it, or something known only afterwards.
 *
 * Guess each row's class from the column alone, by the majority of the rows with its value (at most 32 values), or for
 * numbers and two classes by one threshold; missing cells are a value of their own. The column gives the label away when
 * the wrong guesses are at most 1 % of the rows outside the most frequent class - not of all rows, or else every column
 * of a rare label would. On few rows this happens by chance, so ten rows have to be outside, and each value beyond the
 * number of classes counts as one wrong guess.
 *
 * @param texts - a cell's text per row, `null` where missing; decimal numbers when type is `number`
 * @param labels - the class of each row
 */
export function leaksLabel(
  type: 'number' | 'category',
  texts: (string | null)[],
  labels: readonly number[],
  classes: number,
): boolean {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]!++;
  const minority = labels.length - Math.max(...counts);
  if (minority < MIN_MINORITY) return false;
  const tolerated = Math.floor(minority / 100);
  if (errorsByValue(type, texts, labels, classes) <= tolerated) return true;
  if (type !== 'number' || classes !== 2) return false;
  return (
    errorsByThreshold(
      texts,
      labels.map((label) => label === 1),
    ) <= tolerated
  );
}

function errorsByValue(
  type: 'number' | 'category',
  texts: (string | null)[],
  labels: readonly number[],
  classes: number,
): number {
  const groups = new Map<number | string | null, number[]>();
  for (const [row, text] of texts.entries()) {
    const value = type === 'number' && text !== null ? Number(text) : text;
    const group = groups.get(value) ?? new Array<number>(classes).fill(0);
    group[labels[row]!]!++;
    groups.set(value, group);
    if (groups.size > MAX_GROUPS + 1) return Number.POSITIVE_INFINITY;
  }
  let errors = Math.max(0, groups.size - classes);
  for (const group of groups.values()) errors += group.reduce((sum, rows) => sum + rows) - Math.max(...group);
  return errors;
}

/** Fewest errors of "positive from t up" or "positive below t" over all t, plus the minority of the missing. */
function errorsByThreshold(texts: (string | null)[], positive: boolean[]): number {
  const sorted = [false, true].map((wanted) => {
    const values = texts.flatMap((text, row) => (text !== null && positive[row] === wanted ? [Number(text)] : []));
    return Float64Array.from(values).sort();
  });
  const [negatives, positives] = sorted as [Float64Array, Float64Array];
  const missing = texts.flatMap((text, row) => (text === null ? [positive[row]] : []));
  const missingPositive = missing.filter((is) => is).length;
  let best = Math.min(negatives.length, positives.length);
  let [n, p] = [0, 0];
  while (n < negatives.length || p < positives.length) {
    const value = Math.min(negatives[n] ?? Number.POSITIVE_INFINITY, positives[p] ?? Number.POSITIVE_INFINITY);
    while (negatives[n] === value) n++;
    while (positives[p] === value) p++;
    best = Math.min(best, p + negatives.length - n, n + positives.length - p);
  }
  return best + Math.min(missingPositive, missing.length - missingPositive);
}
