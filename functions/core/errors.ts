/** Something we depend on did not take what we must not lose; the caller should try again later. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
  /** The trace of the message that was being accepted. */
  readonly traceId: string;
  /** Whether it is certain that nothing of it is left, so that no retry finds it and sends it. */
  readonly isUndone: boolean;

  constructor(
    message: string,
    traceId: string,
    { isUndone = false, ...options }: ErrorOptions & { readonly isUndone?: boolean } = {},
  ) {
    super(message, options);
    this.traceId = traceId;
    this.isUndone = isUndone;
  }
}

/** Stored data that this version of the code cannot read: never guessed at. */
export class UnreadableItemError extends Error {
  override readonly name = "UnreadableItemError";
}
