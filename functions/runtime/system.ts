import { randomBytes } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import type { Clock, Randomness, TimeLimit } from "../core/ports.ts";

const SECRET_BYTES = 32;

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() };

/** The machine's randomness; secrets come from the operating system's generator. */
export const systemRandomness: Randomness = {
  uuid: () => uuidv7(),
  secret: () => randomBytes(SECRET_BYTES).toString("base64url"),
  signingSecret: () => `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`,
  fraction: () => Math.random(),
};

/** The machine's timers. */
export const systemTimeLimit: TimeLimit = {
  async within(ms, work) {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new TimeLimitError(`not done within ${ms} ms`)), ms);
    });
    try {
      return await Promise.race([work, limit]);
    } finally {
      clearTimeout(timer);
    }
  },
};

class TimeLimitError extends Error {
  override readonly name = "TimeLimitError";
}
