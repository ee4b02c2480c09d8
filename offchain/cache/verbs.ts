/** `hokusai cache`: what is kept between runs. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { grouped } from '../report/numbers.ts';
import { type Command, verb } from '../verb.ts';
import { entriesOf, readHeaders, resultsFolder } from './cache.ts';

const show = verb({
  summary: 'what is kept, by step',
  help: `Results of steps that another run takes instead of computing them again, in HOKUSAI_CACHE_DIR, else below
$XDG_CACHE_HOME or ~/.cache. output.cache_mb in hokusai.yaml limits them.

Example: hokusai cache show`,
  takes: {},
  perform: async () => {
    const folder = resultsFolder();
    const entries = await readHeaders(folder);
    const steps = Object.entries(Object.groupBy(entries, ({ step }) => step)).map(([step, all = []]) => ({
      step,
      entries: all.length,
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    }));
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    const lines = [
      `${grouped(entries.length)} results of ${grouped(bytes)} bytes in ${folder}`,
      ...steps.map((each) => `  ${each.step.padEnd(12)} ${grouped(each.entries)} of ${grouped(each.bytes)} bytes`),
    ];
    return { text: lines.join('\n'), json: { folder, entries: entries.length, bytes, steps } };
  },
});

const clear = verb({
  summary: 'remove all of it; runs compute it again',
  help: `Proving keys and Python environments, which are kept beside the results, stay.

Example: hokusai cache clear`,
  takes: {},
  perform: async () => {
    const folder = resultsFolder();
    const entries = await entriesOf(folder);
    for (const { name } of entries) await rm(join(folder, name), { force: true });
    const text = `${grouped(entries.length)} results removed from ${folder}.`;
    return { text, json: { folder, entries: entries.length } };
  },
});

export const CACHE: Command = {
  about: 'What is kept between runs, so that none computes again what another has. All take --json.',
  verbs: { show, clear },
};
