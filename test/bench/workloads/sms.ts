import type { Receipt } from "../../../functions/core/carrier.ts";
import { type Message, type MessageRef, refOf } from "../../../functions/core/message.ts";
import { slicesOf } from "../../../functions/core/slices.ts";
import { ACCOUNT } from "../customer.ts";
import type { HttpRequest } from "../http-events.ts";
import { CARRIER, SHORT_CODE } from "../stack.ts";
import type { Setting } from "./workload.ts";

/** The most messages of a bulk request. */
export const BULK_SIZE = 1_000;
const FIRST_NUMBER = 90_000_000;

/** A mobile phone in São Paulo, another one for each index below ten million. */
export const phoneOf = (index: number) => `55119${FIRST_NUMBER + index}`;

/** A client's message; its id is no other message's. */
export const smsOf = (run: number, index: number) => ({
  destination: phoneOf(index),
  messageText: `Ola Maria, o pedido ${10_000_000 + index} saiu para entrega e chega hoje ate as 18h. Acompanhe em https://loja.example/p/${10_000_000 + index}`,
  correlationId: idOf(run, index),
  callbackOption: "FINAL",
});

/** The id that the client gave a message. */
export const idOf = (run: number, index: number) =>
  `order-${String(run).padStart(3, "0")}-${String(index).padStart(7, "0")}`;

/** The requests that send so many messages, so many at once; one by one as single messages. */
export function sendRequests(
  { customer, run }: Setting,
  messages: number,
  { perRequest = BULK_SIZE, from = 0, fields = {} } = {},
): HttpRequest[] {
  const all = Array.from({ length: messages }, (_, index) => smsOf(run, from + index));
  return slicesOf(all, perRequest).map((slice) => ({
    method: "POST",
    path: "/api/send-sms-multiple",
    headers: customer.mesagoHeaders,
    body: { sendSmsMultiRequest: { messages: slice, ...fields } },
  }));
}

/** The requests that send so many single messages. */
export const sendSingles = ({ customer, run }: Setting, messages: number): HttpRequest[] =>
  Array.from({ length: messages }, (_, index) => ({
    method: "POST",
    path: "/api/send-sms",
    headers: customer.mesagoHeaders,
    body: { sendSmsRequest: smsOf(run, index) },
  }));

/** The carrier's good news of a message. */
const receiptOf = (ref: MessageRef): Receipt => ({
  type: "receipt",
  ref,
  carrier: CARRIER,
  at: Date.now(),
  shortCode: SHORT_CODE,
  outcome: "delivered",
});

/**
 * Receipts for so many messages that were handed over, put on the queue as whoever speaks with
 * operators does.
 * @throws Error where the carrier does not have one of them
 */
export async function putReceipts(setting: Setting, messages: number, from = 0): Promise<void> {
  const sent = await messagesIn(setting, "SENT", messages, from);
  await setting.world.outside(() => setting.customer.reports.enqueueMany(sent.map(receiptOf)));
}

/** @throws Error where there are not so many */
export function assertCount(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`${actual} ${what}, and not ${expected}`);
}

/**
 * So many messages of a run, by its own ids.
 * @throws Error where one of them is in another state
 */
export async function messagesIn(
  { world, customer, run }: Setting,
  state: Message["state"],
  messages: number,
  from = 0,
): Promise<readonly MessageRef[]> {
  const ids = Array.from({ length: messages }, (_, index) => idOf(run, from + index));
  return world.unseen(async () => {
    const refs: MessageRef[] = [];
    for (const slice of slicesOf(ids, BULK_SIZE)) {
      const found = await customer.messages.findMany(ACCOUNT, slice);
      const inState = found.filter((message) => message.state === state);
      assertCount(`messages ${state}`, inState.length, slice.length);
      refs.push(...inState.map(refOf));
    }
    return refs;
  });
}
