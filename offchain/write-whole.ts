import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a file so that a reader, or a crash, sees the old one or all of the new one; once it returns, a power failure
 * does not take the file away. A temporary file beside it is named by chance, because processes on several machines may
 * share a number.
 *
 * @param mode    permissions, less the umask
 * @param replace a file that is there; where it is false, one that is there stays, and the error's code is `EEXIST`
 */
export async function writeWhole(
  file: string,
  bytes: string | Uint8Array | AsyncIterable<Uint8Array>,
  { mode = 0o666, replace = true }: { mode?: number; replace?: boolean } = {},
): Promise<void> {
  await makeFolder(dirname(file));
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (replace) await rename(temporary, file);
    else await link(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(file));
}

/** Makes a folder with those above it, all of them on disk before it returns. */
export async function makeFolder(folder: string): Promise<void> {
  const highest = await mkdir(folder, { recursive: true });
  if (highest === undefined) return;
  for (let at = folder; ; at = dirname(at)) {
    await syncFolder(dirname(at));
    if (at === highest || at === dirname(at)) return;
  }
}

/** Makes the names in a folder survive a power failure. Windows has no such call, and needs none. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
