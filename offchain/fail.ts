/** Says what went wrong, to people or to machines. */
import { EXIT_CODE, HokusaiError } from './errors.ts';

/** Says what went wrong, on standard error, and what to do next. @returns the exit code */
export function fail(error: unknown, asJson: boolean): number {
  if (!(error instanceof HokusaiError)) {
    const known = storage(error);
    if (known) return fail(known, asJson);
    console.error(error);
    return EXIT_CODE.terminal;
  }
  const { kind, code, message, details, next } = error;
  if (asJson) process.stdout.write(`${jsonText({ error: { kind, code, message, details, next } })}\n`);
  else console.error(`✖ ${message}${next ? `\n  ${next}` : ''}`);
  return EXIT_CODE[kind];
}

/** JSON, with large integers as strings. */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner));

/** Errors of the disk that reach us as they are. */
function storage(error: unknown): HokusaiError | undefined {
  const { code, path } = error as NodeJS.ErrnoException;
  const why = {
    ENOSPC: 'the disk is full',
    EROFS: 'the disk is read-only',
    EACCES: 'it may not be written',
    ENOTDIR: 'a part of it is a file',
  }[code ?? ''];
  if (!why) return undefined;
  return new HokusaiError(
    code === 'ENOSPC' ? 'retryable' : 'configuration',
    `STORAGE_${code}`,
    `${path ?? 'The output directory'}: ${why}.`,
    {
      details: { path },
      next: 'Make room, or name another directory in output.directory or HOKUSAI_OUTPUT_DIR.',
      cause: error,
    },
  );
}
