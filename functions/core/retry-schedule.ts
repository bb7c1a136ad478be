/** How hand-overs that met a transient failure are tried again. */
export interface BackoffPolicy {
  /** Hand-overs in all, the first included. */
  readonly maxAttempts: number;
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * The pause after the given attempt: exponential, with jitter over its upper half so that a
 * carrier that comes back is not met by everybody at once.
 *
 * @param attempt 1 for the first
 * @param fraction uniform in [0, 1)
 * @returns milliseconds
 */
export function backoffMs(policy: BackoffPolicy, attempt: number, fraction: number): number {
  const full = Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1));
  return Math.round(full / 2 + (full / 2) * fraction);
}

/** Seconds to wait before each further attempt of a callback. */
export const CALLBACK_RETRY_SECONDS: readonly number[] = [5, 60, 300];
