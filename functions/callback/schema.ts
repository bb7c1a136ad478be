import * as z from "zod";
import type { Account, Endpoint } from "../core/account.ts";
import { callbackDeliverySchema } from "../core/callback-delivery.ts";
import {
  isMessageReceived,
  type TorpedoEvent,
  torpedoEventSchema,
  traceOfEvent,
} from "../core/events.ts";
import type { WebhookRequest } from "../core/ports.ts";
import { callbackMo, callbackMt } from "./mesago.ts";
import { deliveryReport, forwardedMo, forwardedMoQuery, sentCallback } from "./wavy.ts";

/** What the callback function receives: an event fresh from the bus, or a delivery that failed before. */
export const callbackInputSchema = z.union([callbackDeliverySchema, torpedoEventSchema]);
export type CallbackInput = z.output<typeof callbackInputSchema>;

/** What the log calls the message that an input is about. */
export function traceOf(input: CallbackInput): string {
  return traceOfEvent("endpointId" in input ? input.event : input);
}

/** The HTTP request that tells an endpoint of an event, in the words of the message's dialect. */
export function formatCallback(
  event: TorpedoEvent,
  account: Account,
  endpoint: Pick<Endpoint, "url" | "method">,
): WebhookRequest {
  const { url } = endpoint;
  if (event.dialect === "wavy") return formatWavy(event, endpoint);
  return posted(
    url,
    isMessageReceived(event) ? callbackMo(event, account) : callbackMt(event, account),
  );
}

function formatWavy(
  event: TorpedoEvent,
  { url, method }: Pick<Endpoint, "url" | "method">,
): WebhookRequest {
  if (isMessageReceived(event)) {
    return method === "GET"
      ? queried(url, forwardedMoQuery(event))
      : posted(url, forwardedMo(event));
  }
  return posted(
    url,
    event.codes.wavy.delivered === undefined ? sentCallback(event) : deliveryReport(event),
  );
}

const USER_AGENT = { "user-agent": "Torpedo" };

function posted(url: string, content: object): WebhookRequest {
  return {
    method: "POST",
    url,
    headers: { "content-type": "application/json; charset=utf-8", ...USER_AGENT },
    body: JSON.stringify(content),
  };
}

function queried(url: string, query: URLSearchParams): WebhookRequest {
  const target = new URL(url);
  // Not by its searchParams, which would write anew what the customer's URL has there already.
  target.search = target.search ? `${target.search}&${query}` : String(query);
  return { method: "GET", url: target.href, headers: USER_AGENT };
}
