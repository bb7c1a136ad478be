import * as z from "zod";
import type { Account, Endpoint } from "../core/account.ts";
import {
  deliveryTurnSchema,
  endpointGroupSchema,
  eventGroupSchema,
  releaseJobSchema,
} from "../core/callback-delivery.ts";
import {
  isMessageReceived,
  type TorpedoEvent,
  torpedoEventSchema,
  traceOfEvent,
} from "../core/events.ts";
import type { WebhookRequest } from "../core/ports.ts";
import { cloudEvent } from "./cloud-event.ts";
import { callbackMo, callbackMt } from "./mesago.ts";
import { signatureHeaders } from "./signature.ts";
import { deliveryReport, forwardedMo, forwardedMoQuery, sentCallback } from "./wavy.ts";

/** A delivery that failed before deliveries were kept in a table; in the queue of a stack that has just been updated. */
const failedBeforeSchema = z.object({ event: torpedoEventSchema, endpointId: z.string().min(1) });

/**
 * What the callback function receives: events of an account, those that one endpoint is told of
 * together, a turn of a delivery, that deliveries are to go on, or a single event.
 */
export const callbackInputSchema = z.union([
  endpointGroupSchema,
  eventGroupSchema,
  releaseJobSchema,
  deliveryTurnSchema,
  failedBeforeSchema,
  torpedoEventSchema,
]);
export type CallbackInput = z.output<typeof callbackInputSchema>;

/** What the log calls the message that an input is about, where it is about one. */
export function traceOf(input: CallbackInput): string | undefined {
  if ("kind" in input || "events" in input) return undefined;
  if ("subject" in input) return input.subject;
  return traceOfEvent("event" in input ? input.event : input);
}

/** What events of a group cannot be read, and why. */
export interface UnreadableEvent {
  readonly value: unknown;
  readonly cause: string;
}

/**
 * The events of a group, each read by itself.
 * @param account whose they are; anybody's where not given
 */
export function readEvents(
  values: readonly unknown[],
  account?: string,
): { readonly events: TorpedoEvent[]; readonly unreadable: UnreadableEvent[] } {
  const events: TorpedoEvent[] = [];
  const unreadable: UnreadableEvent[] = [];
  for (const value of values) {
    const parsed = torpedoEventSchema.safeParse(value);
    if (!parsed.success) {
      unreadable.push({ value, cause: "the event is of no shape that is known" });
    } else if (account !== undefined && parsed.data.account !== account) {
      unreadable.push({ value, cause: "the event is another account's" });
    } else events.push(parsed.data);
  }
  return { events, unreadable };
}

/**
 * The signed HTTP request that tells an endpoint of an event, in the words that it is told in.
 * @param request.id the same for all requests that tell the same
 * @param request.at milliseconds since the epoch
 */
export function formatCallback(
  event: TorpedoEvent,
  account: Account,
  endpoint: Endpoint,
  request: { readonly id: string; readonly at: number },
): WebhookRequest {
  const content = contentOf(event, account, endpoint);
  const signature = signatureHeaders(endpoint.secrets, request, content.body ?? "");
  const own = Object.entries(endpoint.headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    ...content,
    headers: { ...USER_AGENT, ...Object.fromEntries(own), ...content.headers, ...signature },
  };
}

function contentOf(event: TorpedoEvent, account: Account, endpoint: Endpoint): WebhookRequest {
  const { url, format } = endpoint;
  switch (format === "dialect" ? event.dialect : format) {
    case "cloudevents":
      return posted(url, cloudEvent(event), "application/cloudevents+json; charset=utf-8");
    case "wavy":
      return inWordsOfWavy(event, endpoint);
    default:
      return posted(
        url,
        isMessageReceived(event) ? callbackMo(event, account) : callbackMt(event, account),
      );
  }
}

function inWordsOfWavy(event: TorpedoEvent, { url, method }: Endpoint): WebhookRequest {
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

function posted(
  url: string,
  content: object,
  type = "application/json; charset=utf-8",
): WebhookRequest {
  return {
    method: "POST",
    url,
    headers: { "content-type": type },
    body: JSON.stringify(content),
  };
}

function queried(url: string, query: URLSearchParams): WebhookRequest {
  const target = new URL(url);
  // Not by its searchParams, which would write anew what the customer's URL has there already.
  target.search = target.search ? `${target.search}&${query}` : String(query);
  return { method: "GET", url: target.href, headers: {} };
}
