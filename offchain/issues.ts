import type { z } from 'zod';

/** Where something is wrong in a value, and what. */
export interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** What is wrong with a value; of one that fits no member of a union, what is wrong with the one that it is nearest to. */
export const issuesOf = (error: z.ZodError): Issue[] => error.issues.flatMap(ofNearest);

function ofNearest(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const [nearest] = issue.errors.toSorted((a, b) => a.length - b.length);
  return nearest!.map(({ path, message }) => ({ path: [...issue.path, ...path], message }));
}
