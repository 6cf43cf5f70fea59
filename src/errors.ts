// The one error class for expected failures: a stable code and a line that says what to do.

/** An expected failure: `code` is stable, `message` one line that says what failed, why and what to do. */
export class IoamctlError extends Error {
  readonly code: string;
  /** More than one line of evidence (the verifier's log), shown on request. */
  readonly detail: string | undefined;

  constructor(code: string, message: string, options?: { cause?: unknown; detail?: string }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = "IoamctlError";
    this.code = code;
    this.detail = options?.detail;
  }
}
