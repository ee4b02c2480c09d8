import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { writeWhole } from '../write-whole.ts';

/** How often it is worth to keep what a step has done, in seconds. */
const EVERY_SECONDS = 5;
const HASH_BYTES = 32;

/** What a part of a step that is not done has come to. Any state of it leads to the same output, so the last one is as good as any. */
export interface Partial {
  /** What was saved last, also by a process that was killed; nothing where the bytes are not those that were saved. */
  load(): Promise<Uint8Array | undefined>;
  /** Replaces it, on the disk when this returns. */
  save(state: Uint8Array): Promise<void>;
  /** Whether so much time has passed since it was opened or saved that it is worth saving again. */
  due(): boolean;
}

/** A file of a state, after its SHA-256. */
export function openPartial(file: string, everySeconds = EVERY_SECONDS): Partial {
  let saved = performance.now();
  const hashOf = (state: Uint8Array): Buffer => createHash('sha256').update(state).digest();
  return {
    async load() {
      let bytes: Buffer;
      try {
        bytes = await readFile(file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
      const state = bytes.subarray(HASH_BYTES);
      return hashOf(state).equals(bytes.subarray(0, HASH_BYTES)) ? state : undefined;
    },
    async save(state) {
      await writeWhole(file, Buffer.concat([hashOf(state), state]));
      saved = performance.now();
    },
    due: () => performance.now() - saved >= everySeconds * 1000,
  };
}
