import type { Receipt } from "./carrier.ts";
import type { CarrierCounter } from "./carrier-counter.ts";
import { NO_COUNTS } from "./carrier-health.ts";
import type { Clock, TimeLimit } from "./ports.ts";

/** What is learnt from carriers' reports, beside what they say of messages. Nothing of it may fail a report. */
export interface CarrierListener {
  /** @param sentAt when the message was handed over, milliseconds since the epoch */
  receipt(carrier: string, sentAt: number): void;
  /** @param phone E.164 without the plus sign */
  operator(phone: string, operator: string): Promise<void>;
  /** Writes down what was counted, now and then. Never throws, and takes two seconds at most. */
  flush(): Promise<void>;
}

/** How long a report waits for what is only good to know. */
const LEARNING_MS = 500;
/** How long the end of an invocation waits for the counts to be written. */
const COUNTING_MS = 2_000;

/** Hears how fast receipts come, by carrier, and which operators phones have. */
export function createCarrierListener(deps: {
  readonly counter: CarrierCounter;
  /** By carrier, how many seconds after a hand-over its receipt is late. */
  readonly receiptsAfterSeconds: Readonly<Record<Receipt["carrier"], number>>;
  /** Absent where the stage does not want to remember operators. */
  readonly learn?: ((phone: string, operator: string) => Promise<void>) | undefined;
  readonly clock: Clock;
  readonly timeLimit: TimeLimit;
  readonly onFailure: (what: string, error: unknown) => void;
}): CarrierListener {
  const { counter, receiptsAfterSeconds, learn, clock, timeLimit, onFailure } = deps;
  return {
    receipt(carrier, sentAt) {
      const seconds = receiptsAfterSeconds[carrier];
      if (seconds === undefined || clock.now() - sentAt > seconds * 1_000) return;
      counter.add(carrier, sentAt, { ...NO_COUNTS, prompt: 1 });
    },

    async operator(phone, operator) {
      try {
        if (learn) await timeLimit.within(LEARNING_MS, learn(phone, operator));
      } catch (error) {
        onFailure("an operator was not remembered", error);
      }
    },

    async flush() {
      try {
        await timeLimit.within(COUNTING_MS, counter.flush());
      } catch (error) {
        onFailure("receipts are still being counted", error);
      }
    },
  };
}
