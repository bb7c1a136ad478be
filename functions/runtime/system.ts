import { randomBytes } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import type { Clock, Randomness } from "../core/ports.ts";

const SECRET_BYTES = 32;

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() };

/** The machine's randomness; secrets come from the operating system's generator. */
export const systemRandomness: Randomness = {
  uuid: () => uuidv7(),
  secret: () => randomBytes(SECRET_BYTES).toString("base64url"),
  fraction: () => Math.random(),
};
