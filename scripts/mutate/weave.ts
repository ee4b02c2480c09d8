import type { Mutant } from './operators.ts';

/** A mutant in force where the code ends in its number. */
export interface Numbered {
  readonly number: number;
  readonly mutant: Mutant;
}
/** Where in the woven source a mutant is. */
export interface Strand extends Numbered {
  readonly start: number;
  readonly end: number;
}

/**
 * The number of the mutant in force: the last word of the code, which is else of the hash of its metadata. Reading it is
 * pure, so that it can be asked for in every function, a library's too.
 */
const IN_FORCE = `
function mutantInForce() pure returns (uint256 inForce) {
  assembly ("memory-safe") {
    codecopy(0, sub(codesize(), 32), 32)
    inForce := mload(0)
  }
}
`;

/**
 * One source with many mutants, each an alternative to the body of its function: to compile takes longer than to test.
 * What is not in a body can only be woven alone, and is always in force.
 */
export function weave(source: Buffer, numbered: readonly Numbered[]): { text: Buffer; strands: Strand[] } {
  const parts: Buffer[] = [];
  const strands: Strand[] = [];
  let [at, length] = [0, 0];
  const put = (part: Buffer | string) => {
    parts.push(Buffer.from(part as string));
    length += parts.at(-1)!.length;
  };
  const putChanged = (entry: Numbered, [from, to]: readonly [number, number]) => {
    const start = length;
    put(source.subarray(from, entry.mutant.start));
    put(entry.mutant.replacement);
    put(source.subarray(entry.mutant.end, to));
    strands.push({ ...entry, start, end: length });
  };
  for (const [first, of] of Map.groupBy(numbered, ({ mutant }) => mutant.body?.[0] ?? mutant.start)) {
    const body = of[0]!.mutant.body;
    const [from, to] = body ?? [first, of[0]!.mutant.end];
    put(source.subarray(at, from));
    if (!body) putChanged(of[0]!, [from, to]);
    else {
      put('{');
      for (const entry of of) {
        put(`if (mutantInForce() == ${entry.number}) `);
        putChanged(entry, body);
        put(' else ');
      }
      put(source.subarray(from, to));
      put('}');
    }
    at = to;
  }
  put(source.subarray(at));
  put(IN_FORCE);
  return { text: Buffer.concat(parts), strands };
}
