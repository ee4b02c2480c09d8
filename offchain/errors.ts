/** What a caller can do about an error: try again later, give up, or correct what was asked for. */
export type ErrorKind = 'retryable' | 'terminal' | 'configuration';

/** What the process exits with: 75 is `EX_TEMPFAIL` of sysexits.h, 2 is wrong usage, 1 is failed for good. */
export const EXIT_CODE: Readonly<Record<ErrorKind, number>> = { retryable: 75, terminal: 1, configuration: 2 };

/**
 * An error that a person or a machine can act on. Its kind is decided where it is born, because only there is it known
 * whether another try could succeed.
 */
export class HokusaiError extends Error {
  readonly kind: ErrorKind;
  /** Stable name in capitals, for machines. */
  readonly code: string;
  /** The offending values. Never a secret, never a value of somebody's row. */
  readonly details: Readonly<Record<string, unknown>>;
  /** What to do next, one sentence. */
  readonly next: string | undefined;

  constructor(
    kind: ErrorKind,
    code: string,
    message: string,
    options: { details?: Record<string, unknown>; next?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'HokusaiError';
    this.kind = kind;
    this.code = code;
    this.details = options.details ?? {};
    this.next = options.next;
  }
}
