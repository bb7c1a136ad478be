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

/** For how long a callback is tried again; milliseconds. */
export const CALLBACK_GIVE_UP_AFTER_MS = 24 * 60 * 60_000;

/** Pauses before each further attempt of a callback in milliseconds; after these, the last again and again. */
const CALLBACK_PAUSES_MS = [5_000, 60_000, 5 * 60_000, 15 * 60_000, 60 * 60_000];

/** By what part of itself a pause may be shorter or longer, so that nobody is met by everybody at once. */
const CALLBACK_JITTER = 0.2;

/**
 * The pause before the next attempt of a callback.
 * @param step 0 after the first attempt
 * @param fraction uniform in [0, 1)
 * @returns milliseconds
 */
export function callbackPauseMs(step: number, fraction: number): number {
  const pause = CALLBACK_PAUSES_MS[Math.min(step, CALLBACK_PAUSES_MS.length - 1)] as number;
  return Math.round(pause * (1 - CALLBACK_JITTER + 2 * CALLBACK_JITTER * fraction));
}
