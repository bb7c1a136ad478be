import { codesOf } from "./codes.ts";
import type { Message } from "./message.ts";

/**
 * Whether a list of new statuses tells of messages in this state: those of which there is something
 * to be told to Wavy's clients (Wavy document, "API de consulta").
 */
export function isListed({ state, reason }: Pick<Message, "state" | "reason">): boolean {
  return codesOf(state, reason).wavy.sent !== undefined;
}

/** Whether the changes of a message are listed at all: of Wavy's, but of those that nobody is told of. */
export function hasListedChanges({
  dialect,
  callbackOption,
}: Pick<Message, "dialect" | "callbackOption">): boolean {
  return dialect === "wavy" && callbackOption !== "NONE";
}
