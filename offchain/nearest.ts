/** Longer words are compared by their beginnings: the distance takes time in the product of both lengths. */
const MAX_LENGTH = 64;

/** What a misspelt word may have meant, the nearest first; of equally near ones, in the order given. */
export function nearestFirst(word: string, candidates: readonly string[]): string[] {
  const distances = new Map(candidates.map((candidate) => [candidate, editDistance(word, candidate)]));
  return [...candidates].sort((a, b) => distances.get(a)! - distances.get(b)!);
}

/** Letters inserted, removed or replaced between two words (Levenshtein), upper and lower case being the same. */
function editDistance(one: string, other: string): number {
  const [a, b] = [one, other].map((word) => [...word.slice(0, MAX_LENGTH).toLowerCase()]) as [string[], string[]];
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [i, letter] of a.entries()) {
    const next = [i + 1];
    for (const [j, candidate] of b.entries()) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + Number(letter !== candidate)));
    }
    row = next;
  }
  return row[b.length]!;
}
