import type { Account, Endpoint, EndpointEvent } from "./account.ts";
import type { CallbackDelivery } from "./callback-delivery.ts";
import {
  isMessageReceived,
  type MessageStatusChanged,
  type TorpedoEvent,
  timeOfEvent,
} from "./events.ts";
import type { State } from "./lifecycle.ts";
import type {
  CallbackRetryQueue,
  Clock,
  Directory,
  WebhookClient,
  WebhookRequest,
  WebhookResult,
} from "./ports.ts";
import { CALLBACK_RETRY_SECONDS } from "./retry-schedule.ts";

/** Writes what tells an endpoint of an event, in the words of the dialect that its message came through. */
export type FormatCallback = (
  event: TorpedoEvent,
  account: Account,
  endpoint: Endpoint,
) => WebhookRequest;

/** What delivering callbacks needs. */
export interface CallbackDependencies {
  readonly directory: Pick<Directory, "findAccount" | "listEndpoints">;
  readonly webhook: WebhookClient;
  readonly retryQueue: CallbackRetryQueue;
  readonly format: FormatCallback;
  readonly clock: Clock;
}

/** How one attempt went, for the log and the metrics. `sinceChangeMs`: from the change of state to now. */
export interface CallbackAttempt {
  readonly endpointId: string;
  readonly attempt: number;
  readonly outcome: "delivered" | "will-retry" | "given-up";
  readonly result: WebhookResult;
  readonly sinceChangeMs: number;
}

/** The level of status a state belongs to; undefined for those that are never called back. */
const LEVEL_OF_STATE: Readonly<Record<State, EndpointEvent | undefined>> = {
  SCHEDULED: undefined,
  QUEUED: undefined,
  SENDING: undefined,
  SENT: "sent",
  CANCELED: "sent",
  BLOCKED: "sent",
  EXPIRED: "sent",
  FAILED: "sent",
  DELIVERED: "delivered",
  NOT_DELIVERED: "delivered",
};

/**
 * Whether an endpoint is told of an event: never of another sub-account's than its own. For a
 * status, what the request asked for decides, else the endpoint's own option.
 */
export function isWanted(endpoint: Endpoint, event: TorpedoEvent): boolean {
  if (endpoint.subAccount !== undefined && endpoint.subAccount !== event.subAccount) return false;
  return isMessageReceived(event)
    ? endpoint.events.includes("received")
    : isStatusWanted(endpoint, event);
}

function isStatusWanted(endpoint: Endpoint, event: MessageStatusChanged): boolean {
  const level = LEVEL_OF_STATE[event.state];
  if (!level || !endpoint.events.includes(level) || !hasCode(event)) return false;
  const option = event.callbackOption ?? endpoint.callbackOption;
  return option === "ALL" || (option === "FINAL" && event.final);
}

/** Whether its dialect can say a status: Wavy has no code for a message that was canceled. */
const hasCode = ({ dialect, codes }: MessageStatusChanged) =>
  dialect !== "wavy" || codes.wavy.sent !== undefined;

/**
 * Tells every endpoint of the account that wants to know, each by itself: one that fails goes to
 * the retry queue and holds up nobody.
 *
 * @throws whatever the directory or the retry queue throws; the event is then delivered again, to
 *   all its endpoints
 */
export async function deliverEvent(
  deps: CallbackDependencies,
  event: TorpedoEvent,
): Promise<CallbackAttempt[]> {
  if (!isMessageReceived(event) && event.callbackOption === "NONE") return [];
  const wanting = (await deps.directory.listEndpoints(event.account)).filter((endpoint) =>
    isWanted(endpoint, event),
  );
  if (wanting.length === 0) return [];
  const account = await deps.directory.findAccount(event.account);
  if (!account) return [];
  const settled = await Promise.allSettled(
    wanting.map((endpoint) =>
      attempt(deps, account, endpoint, { event, endpointId: endpoint.endpointId, attempts: 0 }),
    ),
  );
  return settled.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

/**
 * Makes the next attempt of a delivery that has failed before. An endpoint removed meanwhile is
 * not called again.
 */
export async function retryDelivery(
  deps: CallbackDependencies,
  delivery: CallbackDelivery,
): Promise<CallbackAttempt[]> {
  const [account, endpoints] = await Promise.all([
    deps.directory.findAccount(delivery.event.account),
    deps.directory.listEndpoints(delivery.event.account),
  ]);
  const endpoint = endpoints.find(({ endpointId }) => endpointId === delivery.endpointId);
  return account && endpoint ? [await attempt(deps, account, endpoint, delivery)] : [];
}

async function attempt(
  deps: CallbackDependencies,
  account: Account,
  endpoint: Endpoint,
  delivery: CallbackDelivery,
): Promise<CallbackAttempt> {
  const result = await deps.webhook.send(deps.format(delivery.event, account, endpoint));
  const made: CallbackDelivery = { ...delivery, attempts: delivery.attempts + 1 };
  return {
    endpointId: endpoint.endpointId,
    attempt: made.attempts,
    outcome: await settle(deps.retryQueue, made, result),
    result,
    sinceChangeMs: deps.clock.now() - Date.parse(timeOfEvent(delivery.event)),
  };
}

async function settle(
  retryQueue: CallbackRetryQueue,
  made: CallbackDelivery,
  result: WebhookResult,
): Promise<CallbackAttempt["outcome"]> {
  if (result.kind === "answered" && result.status >= 200 && result.status < 300) return "delivered";
  const delaySeconds = CALLBACK_RETRY_SECONDS[made.attempts - 1];
  if (delaySeconds === undefined) {
    await retryQueue.giveUp(
      made,
      result.kind === "answered" ? `HTTP ${result.status}` : result.cause,
    );
    return "given-up";
  }
  await retryQueue.enqueue(made, delaySeconds);
  return "will-retry";
}
