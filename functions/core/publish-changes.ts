import { type MessageStatusChanged, messageStatusChanged, type TorpedoEvent } from "./events.ts";
import type { Message } from "./message.ts";
import type { EventBus } from "./ports.ts";

/** One write to a message, as the stream of its table shows it. */
export interface MessageWrite {
  readonly before?: Message | undefined;
  readonly after: Message;
}

/**
 * The event that a write gives rise to: none where the state stayed as it was. A message that
 * took the place of an expired one with the same id is a new one.
 */
export function eventOf({ before, after }: MessageWrite): MessageStatusChanged | undefined {
  const previous = before?.traceId === after.traceId ? before : undefined;
  if (previous?.state === after.state && previous.attempts === after.attempts) return undefined;
  return messageStatusChanged(after, previous?.state);
}

const ATTEMPTS = 3;

/**
 * Puts events on the bus, again those that it did not take.
 * @returns the indices of the events that were never taken
 */
export async function publishEvents(
  bus: EventBus,
  events: readonly TorpedoEvent[],
): Promise<number[]> {
  let left = events.map((_, index) => index);
  for (let attempt = 0; attempt < ATTEMPTS && left.length > 0; attempt++) {
    const refused = await bus.publish(left.map((index) => events[index] as TorpedoEvent));
    left = refused.map((position) => left[position] as number);
  }
  return left;
}
