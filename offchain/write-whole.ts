import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** How many this process has written: two that write the same file at the same time do not share a temporary one. */
let written = 0;

/**
 * Writes a file so that a reader, or a crash, sees the old one or all of the new one.
 *
 * @param mode    permissions, less the umask
 * @param replace a file that is there; where it is false, one that is there stays, and the error's code is `EEXIST`
 */
export async function writeWhole(
  file: string,
  bytes: string | Uint8Array,
  { mode = 0o666, replace = true }: { mode?: number; replace?: boolean } = {},
): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true });
  const temporary = `${file}.${process.pid}.${written++}.tmp`;
  // One that a crash left may be open to others.
  await rm(temporary, { force: true });
  const handle = await open(temporary, 'w', mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (replace) return rename(temporary, file);
  try {
    await link(temporary, file);
  } finally {
    await rm(temporary);
  }
}
