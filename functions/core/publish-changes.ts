import {
  isMessageReceived,
  type MessageStatusChanged,
  messageStatusChanged,
  type TorpedoEvent,
} from "./events.ts";
import { isFinal, type State } from "./lifecycle.ts";
import type { Message } from "./message.ts";

/** As much of a message as tells what a write has changed. */
export type MessageHead = Pick<Message, "traceId" | "state" | "reason" | "attempts">;

/** One write to a message, as the stream of its table shows it. */
export interface MessageWrite {
  readonly before?: MessageHead | undefined;
  readonly after: Message;
}

/**
 * Whether a write changes a message's state, or why it is in it: a message that was sent can turn out
 * to have no receipts to wait for. A second claim finds the state of the first and is a change all
 * the same.
 */
export function changesState(before: MessageHead | undefined, after: MessageHead): boolean {
  const isSame =
    before?.state === after.state &&
    before.reason === after.reason &&
    before.attempts === after.attempts;
  return isNewMessage(before, after) || !isSame;
}

/** Whether a write makes a message: one that takes the place of an expired one with the same id does. */
export function isNewMessage(before: MessageHead | undefined, after: MessageHead): boolean {
  return before?.traceId !== after.traceId;
}

/** The event that a write gives rise to: none where the state stayed as it was. */
export function eventOf({ before, after }: MessageWrite): MessageStatusChanged | undefined {
  if (!changesState(before, after)) return undefined;
  return messageStatusChanged(after, isNewMessage(before, after) ? undefined : before);
}

/** Which changes go on the bus: those that customers can be told of, last words only, or every one. */
export type EventChoice = "told" | "final" | "every";

/** Whether customers can be told of a state: that a message was sent, and whatever is its last. */
const canBeTold = (state: State) => state === "SENT" || isFinal(state);

/** Whether anybody may want the event of a state, before it is known what else the event says. */
export function isOfInterest(choice: EventChoice, state: State): boolean {
  return choice === "every" || canBeTold(state);
}

/** Whether an event goes on the bus. */
export function isForBus(choice: EventChoice, event: TorpedoEvent): boolean {
  if (isMessageReceived(event) || choice === "every") return true;
  return choice === "final" ? event.final : canBeTold(event.state);
}

/** Whether an endpoint can want to be told of an event, as far as the event itself says. */
export function isForCallbacks(event: TorpedoEvent): boolean {
  if (isMessageReceived(event)) return true;
  if (!canBeTold(event.state) || event.callbackOption === "NONE") return false;
  return event.callbackOption !== "FINAL" || event.final;
}
