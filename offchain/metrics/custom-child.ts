/** The process in which a custom metric runs: told once, answers once. */
import { pathToFileURL } from 'node:url';
import type { CustomFunction } from './custom.ts';
import type { Rows } from './rows.ts';

export interface CustomJob {
  readonly module: string;
  /** Of each model. */
  readonly rows: readonly Rows[];
}

export type CustomReply =
  | { readonly values: number[] }
  | { readonly code: 'UNREADABLE' | 'NO_FUNCTION' | 'THREW' | 'NOT_FINITE'; readonly cause?: string };

process.once('disconnect', () => process.exit());
process.once('message', async (job: CustomJob) => process.send!(await answer(job)));

async function answer({ module, rows }: CustomJob): Promise<CustomReply> {
  let exported: unknown;
  try {
    ({ default: exported } = await import(pathToFileURL(module).href));
  } catch (error) {
    return { code: 'UNREADABLE', cause: String(error) };
  }
  if (typeof exported !== 'function') return { code: 'NO_FUNCTION' };
  const values: number[] = [];
  for (const given of rows) {
    const scores = 'classes' in given ? given.scores : undefined;
    try {
      values.push(await (exported as CustomFunction)(given.labels, given.predictions, scores));
    } catch (error) {
      return { code: 'THREW', cause: String(error) };
    }
  }
  return values.every(Number.isFinite) ? { values } : { code: 'NOT_FINITE' };
}
