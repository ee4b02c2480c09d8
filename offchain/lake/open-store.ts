import { HokusaiError } from '../errors.ts';
import { FileStore } from './file-store.ts';
import { S3Store } from './s3-store.ts';
import type { Store } from './store.ts';

/**
 * The store of a table.
 *
 * @param location a folder, which need not be there yet, or s3://BUCKET/PREFIX
 * @throws HokusaiError LAKE_LOCATION, S3_CREDENTIALS (configuration)
 */
export function openStore(location: string): Store {
  if (/^s3:\/\//i.test(location)) return new S3Store(location);
  if (!/^[a-z][a-z0-9+]+:\/\//i.test(location)) return new FileStore(location);
  throw new HokusaiError('configuration', 'LAKE_LOCATION', `${location}: expected a folder or s3://BUCKET/PREFIX.`, {
    details: { location },
    next: 'Name a folder, or a place in an object store.',
  });
}
