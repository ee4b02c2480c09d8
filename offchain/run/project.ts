/** What a run begins with: a project's files, and a contribution to it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cache, type Kept, openCache, resultsFolder } from '../cache/cache.ts';
import { type Config, loadConfig } from '../config/load.ts';
import { HokusaiError } from '../errors.ts';
import { type ModelLine, ownedLine } from '../line.ts';
import { type RunSecrets, runSecrets } from '../secrets.ts';
import type { DataRoot } from '../table/data-root.ts';
import { readCsv, type Table } from '../table/table.ts';
import { validate } from '../table/validate.ts';
import type { StepEvent } from './executor.ts';

/** A project's configuration, files and secrets, read and checked. */
export interface Project {
  readonly config: Config;
  readonly line: ModelLine;
  readonly secrets: RunSecrets;
  /** What other runs have computed. */
  readonly cache?: Cache;
}

/**
 * @param cached whether results are shared with other runs; `onEvent` is told what was taken from them
 * @throws HokusaiError what `loadConfig` and `ownedLine` throw
 */
export async function openProject(
  configFile: string | undefined,
  { cached = false, onEvent = () => {} }: { cached?: boolean; onEvent?: (event: StepEvent) => void } = {},
): Promise<Project> {
  const config = loadConfig(configFile);
  const secrets = await runSecrets(join(config.output.directory, 'secrets'));
  const cache = cached ? await cacheOf(config, onEvent) : undefined;
  const onTaken = ({ step, by, seconds }: Kept) => onEvent({ type: 'cached', step, by, seconds });
  const line = await ownedLine(config, secrets.owner, { cache, onTaken });
  return { config, secrets, line, ...(cache && { cache }) };
}

/** The cache of a configuration; without one that can be trusted, a run computes everything itself. */
async function cacheOf({ output }: Config, onEvent: (event: StepEvent) => void): Promise<Cache | undefined> {
  if (output.cacheBytes === 0) return undefined;
  return openCache({ folder: resultsFolder(), bytes: output.cacheBytes }).catch((error) => {
    if (!(error instanceof HokusaiError)) throw error;
    onEvent({ type: 'warned', step: 'cache', error });
    return undefined;
  });
}

/** A contribution's file with what it commits to. */
export interface Offered {
  /** Names its files. */
  readonly name: string;
  readonly table: Table;
  readonly data: Uint8Array;
  readonly root: DataRoot;
}

/**
 * Checks a contribution as its contributor does before committing to it.
 *
 * @throws HokusaiError `CONTRIBUTION_MISFIT` (terminal) with all problems: nothing was sent.
 */
export async function offer(
  { line, secrets }: { line: Pick<ModelLine, 'schema'>; secrets: Pick<RunSecrets, 'contributionSecret'> },
  name: string,
  file: string,
): Promise<Offered> {
  const table = await readCsv(file);
  const validation = validate(table, line.schema, secrets.contributionSecret);
  if (validation.status === 'VALID') return { name, table, data: await readFile(file), root: validation };
  const problems = validation.problems.map(({ message }) => message);
  throw new HokusaiError(
    'terminal',
    'CONTRIBUTION_MISFIT',
    `${file} does not fit the schema:\n${problems.join('\n')}`,
    {
      details: { file, problems: validation.problems },
      next: 'Correct these rows or leave them out; nothing was sent or written.',
    },
  );
}
