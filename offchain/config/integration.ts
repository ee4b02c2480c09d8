import { z } from 'zod';
import type { IntegrationTerms } from '../table/integrate.ts';
import { DEFAULTS } from './defaults.ts';
import { int, MAX_UINT32, text } from './values.ts';

/** How contributions are merged with the head's training set; the trainSpecHash binds it, so that a round pins it. */
export const zIntegration = z
  .strictObject({
    mode: z
      .enum(['append', 'replace'])
      .default(DEFAULTS.mode)
      .describe("append adds its rows. replace also takes out the model's rows with the same key: a correction."),
    key: z
      .array(text)
      .default([])
      .describe(
        'Of mode replace: columns that together name a row, such as [patient, visit]. The schema must not ignore them, since a contributor commits to no others; all features are a key, too. Rows that lack one replace nothing.',
      ),
    max_replaced_bps: int()
      .min(0)
      .max(10_000)
      .default(DEFAULTS.maxReplacedBps)
      .describe(
        "Of mode replace: most rows of each class that one contribution may replace, in basis points of the model's; new rows that would replace more are left out, by the round's seed. 0 keeps known keys as they are.",
      ),
    max_rows: z
      .union([z.literal('all'), int().min(1).max(MAX_UINT32)], {
        error: `expected all, or a whole number from 1 to ${MAX_UINT32}`,
      })
      .default(DEFAULTS.maxRows)
      .describe(
        "Most new rows of one contribution that are learned from, at least policy.min_contribution_rows. Of more, each class has its share, and the round's seed draws the rows.",
      ),
    near_bps: z
      .union([z.literal('none'), int().min(1000).max(9999)], {
        error: 'expected none, or a whole number from 1000 to 9999',
      })
      .default(DEFAULTS.nearBps)
      .describe(
        "Leaves out new rows that are nearly in the model's training set, label and all, or nearly in the benchmark, from that similarity on, in basis points: with 8000 all numbers within about a hundredth of their spread and all else equal. With none they are learned from, and their number is told at 8000.",
      ),
  })
  .superRefine(({ mode, key, max_replaced_bps: most }, { addIssue }) => {
    const problem = (message: string, name: string, input: unknown) =>
      addIssue({ code: 'custom', path: [name], message, input });
    if (new Set(key).size < key.length) problem('a column is there twice', 'key', key);
    if (mode === 'replace' && key.length === 0) problem('name the columns by which rows replace others', 'key', key);
    if (mode === 'append' && key.length > 0) problem('there is a key in mode replace alone', 'key', key);
    if (mode === 'append' && most > 0) problem('rows are replaced in mode replace alone', 'max_replaced_bps', most);
  });

/** How contributions are merged, as `integrate` takes it. */
export function toIntegration(integration: z.infer<typeof zIntegration>): IntegrationTerms {
  const { mode, key, max_replaced_bps: maxReplacedBps, max_rows: maxRows, near_bps: nearBps } = integration;
  return {
    ...(maxRows !== 'all' && { maxRows }),
    ...(nearBps !== 'none' && { nearBps }),
    // In one order, so that it has one hash.
    ...(mode === 'replace' && { replace: { key: [...key].sort(), maxReplacedBps } }),
  };
}
