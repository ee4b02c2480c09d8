import { getCountries } from 'libphonenumber-js/max';
import { z } from 'zod';

/** What is done with personal data. `keep` reports it and leaves it; `reject` refuses its row. */
export const ACTIONS = ['remove', 'hash', 'mask', 'reject', 'keep'] as const;
export type Action = (typeof ACTIONS)[number];

/** Bytes of the contributor's key. */
export const KEY_BYTES = 32;

const REGIONS = ['US', 'GB', 'DE', 'FR', 'IT', 'ES', 'NL', 'BE', 'PL', 'IN', 'AU', 'BR', 'MX', 'JP'] as const;

const zAction = z.enum(ACTIONS);
const zType = z.string().regex(/^[a-z][a-z0-9_]*$/, 'expected a type in snake case');

/** How personal data is looked for and what is done with it. */
export const zPii = z
  .strictObject({
    /** What scores less is not reported: 0.3 lists URLs without credentials, too, and bare numbers with check digits. */
    threshold: z.number().gt(0).max(1).default(0.5),
    /** Types that are not looked for. */
    ignore: z.array(zType).default([]),
    /** What is done with what no key below names. */
    action: zAction.default('remove'),
    /** By type. */
    types: z.record(zType, zAction).default({}),
    /** By a column's name; beats the type's. */
    columns: z.record(z.string(), zAction).default({}),
    /** Countries whose numbers of telephones may stand without a country's code; the first that fits counts. */
    regions: z
      .array(z.enum(getCountries()))
      .min(1)
      .default([...REGIONS]),
    /** The contributor's own, for `hash`. */
    key: z
      .instanceof(Uint8Array)
      .refine(({ length }) => length === KEY_BYTES, `expected ${KEY_BYTES} bytes`)
      .optional(),
  })
  .superRefine(({ action, types, columns, key }, context) => {
    const hashes = [action, ...Object.values(types), ...Object.values(columns)].includes('hash');
    if (hashes && !key) context.addIssue({ code: 'custom', path: ['key'], message: 'hash takes a key' });
    if (types.secret === 'hash') {
      context.addIssue({
        code: 'custom',
        path: ['types', 'secret'],
        message: 'a secret is of no use hashed: remove it',
      });
    }
  });

/** As given, and as checked. */
export type PiiOptions = z.input<typeof zPii>;
export type CheckedPiiOptions = z.output<typeof zPii>;
