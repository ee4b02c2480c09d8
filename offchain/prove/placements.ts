/** The rows of a binary benchmark in descending order of one model's scores, and how they fare in it. */
export interface Placements {
  /** Rows, those of the highest score first; of the same score, in their order. */
  readonly order: readonly number[];
  /**
   * Of each row, in halves: for a positive one twice the negative rows with a lower score and once those with the same;
   * for a negative one likewise the positive rows with a higher score.
   */
  readonly placements: readonly number[];
}

/**
 * The placements of DeLong, DeLong and Clarke-Pearson (1988): over all positive rows, or over all negative ones, they sum
 * to 2 m k AUROC of m positive and k negative rows.
 *
 * @param labels 0 or 1 a row
 */
export function placementsOf(labels: ArrayLike<number>, scores: ArrayLike<number>): Placements {
  const order = Array.from(scores, (_, row) => row).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const positives = order.reduce((sum, row) => sum + labels[row]!, 0);
  const placements = new Array<number>(order.length).fill(0);
  let above = 0;
  for (let start = 0, end = 0; start < order.length; start = end) {
    let inGroup = 0;
    for (end = start; end < order.length && scores[order[end]!] === scores[order[start]!]; end++) {
      inGroup += labels[order[end]!]!;
    }
    const upTo = above + inGroup;
    const negativesBehind = 2 * (order.length - positives) - (start - above) - (end - upTo);
    for (const row of order.slice(start, end)) placements[row] = labels[row] === 1 ? negativesBehind : above + upTo;
    above = upTo;
  }
  return { order, placements };
}
