/** How often each row counts; each once where it is left out. */
export type Weights = ArrayLike<number> | undefined;

/**
 * Sum of `term(i)` for i from 0 to n - 1, each taken `weights[i]` times, compensated (Neumaier: Rundungsfehleranalyse
 * einiger Verfahren zur Summation endlicher Summen, ZAMM 54, 1974): the error does not grow with the number of terms.
 */
export function sumOf(n: number, term: (i: number) => number, weights?: Weights): number {
  let [sum, lost] = [0, 0];
  for (let i = 0; i < n; i++) {
    const value = weights ? weights[i]! * term(i) : term(i);
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  // Beyond the range of doubles there is nothing to make up for, and the compensation is NaN.
  return Number.isFinite(sum) ? sum + lost : sum;
}

/** The mean of `term(i)`, weighted; NaN of no rows. */
export function meanOf(n: number, term: (i: number) => number, weights?: Weights): number {
  return sumOf(n, term, weights) / (weights ? sumOf(n, (i) => weights[i]!) : n);
}
