/** Something we depend on did not take what we must not lose; the caller should try again later. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
  /** The trace of the message that was being accepted. */
  readonly traceId: string;

  constructor(message: string, traceId: string, options?: ErrorOptions) {
    super(message, options);
    this.traceId = traceId;
  }
}

/** Stored data that this version of the code cannot read: never guessed at. */
export class UnreadableItemError extends Error {
  override readonly name = "UnreadableItemError";
}
