import { vi } from "vitest";

const PATIENCE_MS = 45_000;

/** Waits until the assertions in `check` hold; fails with the last one that did not. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: PATIENCE_MS, interval: 200 });
}
