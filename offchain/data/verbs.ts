/** `hokusai data`: what contributors do with their data. */
import { BLOB_VERBS } from '../blobs/verbs.ts';
import { LAKE_VERBS } from '../lake/verbs.ts';
import type { Command } from '../verb.ts';

export const DATA: Command = {
  about: 'Data and its versions, in Delta Lake tables, and files sealed for others. All take --json.',
  verbs: { ...LAKE_VERBS, ...BLOB_VERBS },
};
