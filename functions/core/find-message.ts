import type { Message, Part } from "./message.ts";
import type { BatchStore, MessageStore } from "./ports.ts";

/** What looking for a message needs. */
export interface FindDependencies {
  readonly messages: Pick<MessageStore, "find">;
  readonly batches: Pick<BatchStore, "findOpen">;
}

/** The account's message with this id, also where it was accepted in a batch that is not expanded yet. */
export async function findMessage(
  { messages, batches }: FindDependencies,
  account: string,
  id: string,
): Promise<Message | undefined> {
  const stored = await messages.find(account, id);
  if (stored) return stored;
  const [open] = await batches.findOpen(account, [id]);
  // Its batch may have been expanded and closed between the two.
  return open?.message ?? (await messages.find(account, id));
}

/** The id of one part of a message, by which clients can ask about it (Mesago document, `partId`). */
export function partId(id: string, order: number): string {
  return `${id}_${String(order).padStart(3, "0")}`;
}

const PART_ID = /^(?<id>.+)_(?<order>\d{3})$/s;

/** A message that was asked about, or one part of it. */
export interface FoundMessage {
  readonly message: Message;
  /** Only where the id asked about was that of a part. */
  readonly part?: Part;
}

/** What an id names: one of the account's messages, or one part of it. */
export async function findMessageOrPart(
  deps: FindDependencies,
  account: string,
  id: string,
): Promise<FoundMessage | undefined> {
  const message = await findMessage(deps, account, id);
  if (message) return { message };
  const named = PART_ID.exec(id)?.groups;
  const whole = named?.id && (await findMessage(deps, account, named.id));
  const part = whole ? whole.parts?.[Number(named.order) - 1] : undefined;
  return whole && part ? { message: whole, part } : undefined;
}
