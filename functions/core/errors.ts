/** Something we depend on did not take what we must not lose; the caller should try again later. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
}

/** Stored data that this version of the code cannot read: never guessed at. */
export class UnreadableItemError extends Error {
  override readonly name = "UnreadableItemError";
}
