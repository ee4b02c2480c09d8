import { HokusaiError } from '../errors.ts';
import { FileStore } from './file-store.ts';
import type { Store } from './store.ts';

/**
 * The store of a table.
 *
 * @param location a folder, which need not be there yet
 * @throws HokusaiError LAKE_LOCATION (configuration)
 */
export function openStore(location: string): Store {
  if (!/^[a-z][a-z0-9+]+:\/\//i.test(location)) return new FileStore(location);
  throw new HokusaiError('configuration', 'LAKE_LOCATION', `${location}: expected a folder.`, {
    details: { location },
    next: 'Name a folder.',
  });
}
