import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes a file so that a reader, or a crash, sees the old one or all of the new one. */
export async function writeWhole(file: string, bytes: string | Uint8Array): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
