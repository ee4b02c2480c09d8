import { parseDocument } from 'yaml';
import { z } from 'zod';
import { HokusaiError } from '../errors.ts';
import { issuesOf } from '../issues.ts';

export const TYPES = ['integer', 'number', 'text', 'date'] as const;

const zRule = z
  .strictObject({
    type: z.enum(TYPES),
    nullable: z.boolean().default(true),
    unique: z.boolean().default(false),
    /** Of numbers; both ends are allowed. */
    min: z.number().optional(),
    max: z.number().optional(),
    allowed: z
      .array(z.union([z.string(), z.number(), z.boolean()]).transform(String))
      .min(1)
      .max(10_000)
      .optional(),
    /** A regular expression (RE2) that the whole cell has to match. */
    pattern: z.string().min(1).max(1000).optional(),
    /** Of dates, as strftime writes it. */
    format: z.string().min(2).max(100).optional(),
    /** Characters of a text. */
    min_length: z.int().min(0).optional(),
    max_length: z.int().min(0).optional(),
  })
  .refine(({ type, format }) => (type === 'date') === (format !== undefined), {
    error: 'a date has a format, and nothing else does',
    path: ['format'],
  })
  .refine(({ type, min, max }) => type === 'integer' || type === 'number' || (min ?? max) === undefined, {
    error: 'only numbers have min and max',
    path: ['min'],
  })
  .refine(({ min, max }) => min === undefined || max === undefined || min <= max, {
    error: 'min is above max',
    path: ['min'],
  });

const zRules = z.strictObject({
  version: z.literal(1),
  /** What is to be predicted. */
  label: z.string().optional(),
  /** Columns that rows are not told apart by, such as identifiers. */
  ignored: z.array(z.string()).default([]),
  columns: z.record(z.string().min(1), zRule),
});

/** What the cells of a table have to be. */
export type Rules = z.output<typeof zRules>;
export type Rule = z.output<typeof zRule>;

/**
 * Reads rules that are written as YAML.
 *
 * @throws HokusaiError `configuration` RULES_INVALID with all problems
 */
export function parseRules(text: string, file: string): Rules {
  const document = parseDocument(text, { prettyErrors: true, stringKeys: true });
  const problems = document.errors.map(({ message }) => message.split('\n')[0]!);
  if (problems.length === 0) {
    const parsed = zRules.safeParse(document.toJS());
    if (parsed.success) return parsed.data;
    problems.push(...issuesOf(parsed.error).map(({ path, message }) => `${path.join('.')}: ${message}`));
  }
  throw new HokusaiError('configuration', 'RULES_INVALID', `${file}: ${problems.join('; ')}`, {
    details: { file, problems },
    next: 'Correct these lines, or infer the rules anew by --write-schema.',
  });
}
