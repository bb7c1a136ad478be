import type { Account, Endpoint } from "./account.ts";
import { ConflictError, getAccount, InvalidRequestError } from "./accounts.ts";
import { type DELIVERY_STATES, type Delivery, parseDeliveryId } from "./callback-delivery.ts";
import type { CallbackQueue, Deliveries, EndpointHealths } from "./callback-ports.ts";
import { codesOf } from "./codes.ts";
import { newDelivery, turnOf } from "./deliver-callbacks.ts";
import type { EndpointKey } from "./endpoint-health.ts";
import { getEndpoint } from "./endpoints.ts";
import type { MessageReceived, MessageStatusChanged, TorpedoEvent } from "./events.ts";
import type { Clock, Directory, Randomness } from "./ports.ts";
import { releaseDelivery } from "./release-deliveries.ts";

/** What looking at callbacks, and having them told again, needs. */
export interface CallbackDependencies {
  readonly directory: Pick<Directory, "findAccount" | "findEndpoint" | "listEndpoints">;
  readonly deliveries: Deliveries;
  readonly endpointHealths: Pick<EndpointHealths, "find">;
  readonly callbackQueue: Pick<CallbackQueue, "enqueue" | "enqueueLater" | "enqueueRelease">;
  readonly clock: Clock;
  /** For how long it is known what endpoints were told. */
  readonly callbackRetentionMs: number;
}

type Reading = Pick<CallbackDependencies, "directory" | "deliveries">;

/** Which of an account's callbacks are listed. */
export interface CallbackQuery {
  readonly account: string;
  readonly endpointId?: string | undefined;
  readonly state?: (typeof DELIVERY_STATES)[number] | undefined;
  /** Those that are older, in milliseconds since the epoch. */
  readonly before: number;
  readonly limit: number;
}

/** Callbacks, newest first. `next`: what the next page is before; absent where there is none. */
export interface CallbackPage {
  readonly callbacks: readonly Delivery[];
  readonly next?: number | undefined;
}

/** Read at once where only some of them are wanted. */
const LOOKED_AT_TOGETHER = 200;
/** Of which one page with only some of them is made; where that is too few, the next page goes on. */
const LOOKED_AT_MOST = 2_000;

/**
 * Lists callbacks, newest first. A page ends with a moment, which the next one is before: it may be
 * a little longer than its limit where several callbacks are of the same moment.
 * @throws InvalidRequestError where there is no such account or endpoint
 */
export async function listCallbacks(deps: Reading, query: CallbackQuery): Promise<CallbackPage> {
  const { account, endpointId, state, limit } = query;
  await getAccount(deps.directory, account);
  const endpoints =
    endpointId === undefined
      ? await deps.directory.listEndpoints(account)
      : [await getEndpoint(deps, account, endpointId)];
  if (state === undefined) return newest(deps.deliveries, endpoints, query.before, limit);
  const found: Delivery[] = [];
  let next: number | undefined = query.before;
  for (let seen = 0; next !== undefined && found.length < limit && seen < LOOKED_AT_MOST; ) {
    const page: CallbackPage = await newest(deps.deliveries, endpoints, next, LOOKED_AT_TOGETHER);
    found.push(...page.callbacks.filter((delivery) => delivery.state === state));
    seen += page.callbacks.length;
    next = page.next;
  }
  return firstMoments(found, limit, next);
}

async function newest(
  deliveries: Pick<Deliveries, "list">,
  endpoints: readonly EndpointKey[],
  before: number,
  limit: number,
): Promise<CallbackPage> {
  // What is more than the limit tells that the last moment is there whole.
  for (let wanted = limit + 1; ; wanted *= 2) {
    const lists = await Promise.all(
      endpoints.map((endpoint) => deliveries.list(endpoint, { before, limit: wanted })),
    );
    const found = lists.flat().sort((one, other) => other.createdAt - one.createdAt);
    const page = firstMoments(found.slice(0, wanted), limit, undefined);
    if (found.length < wanted || page.callbacks.length < wanted) return page;
  }
}

/** Up to the moment in which the limit is reached. `next`: what comes after all of them. */
function firstMoments(
  newestFirst: readonly Delivery[],
  limit: number,
  next: number | undefined,
): CallbackPage {
  const last = newestFirst[limit - 1]?.createdAt ?? Number.NEGATIVE_INFINITY;
  const callbacks = newestFirst.filter(({ createdAt }) => createdAt >= last);
  return { callbacks, next: callbacks.length < newestFirst.length ? last : next };
}

/**
 * The callback of this id.
 * @throws InvalidRequestError where the account has none
 */
export async function getCallback(
  { deliveries }: Pick<Reading, "deliveries">,
  account: string,
  callbackId: string,
): Promise<Delivery> {
  const found = await findCallback(deliveries, account, callbackId);
  if (found) return found;
  throw new InvalidRequestError(`account "${account}" has no callback ${callbackId}`);
}

/** The callback of this id, if the account has one. */
export async function findCallback(
  deliveries: Pick<Deliveries, "find">,
  account: string,
  callbackId: string,
): Promise<Delivery | undefined> {
  const key = parseDeliveryId(account, callbackId);
  return key && deliveries.find(key);
}

/**
 * Has a callback told again, from the beginning of its schedule of retries. One that is on its way
 * already does not wait for its next turn, which may be an hour away, or be lost.
 * @returns the callback, on its way
 * @throws InvalidRequestError where there is none, or its endpoint is gone or disabled
 */
export async function replayCallback(
  deps: CallbackDependencies,
  account: string,
  callbackId: string,
): Promise<Delivery> {
  const delivery = await getCallback(deps, account, callbackId);
  await assertNotDisabled(deps, await getEndpoint(deps, account, delivery.endpointId));
  await releaseDelivery(releasing(deps), delivery, deps.callbackRetentionMs);
  return getCallback(deps, account, callbackId);
}

const releasing = ({ deliveries, callbackQueue, clock }: CallbackDependencies) => ({
  deliveries,
  queue: callbackQueue,
  clock,
});

/** What is sent to a disabled endpoint has failed before it begins. */
async function assertNotDisabled(
  { endpointHealths }: Pick<CallbackDependencies, "endpointHealths">,
  endpoint: Endpoint,
): Promise<void> {
  if (!(await isDisabled(endpointHealths, endpoint))) return;
  throw new ConflictError(`endpoint ${endpoint.endpointId} is disabled; enable it first`);
}

async function isDisabled(
  endpointHealths: Pick<EndpointHealths, "find">,
  endpoint: Endpoint,
): Promise<boolean> {
  const { state } = await endpointHealths.find(endpoint);
  return state === "disabled";
}

/**
 * Has everything told again that an endpoint was to be told and that has failed since a time; in
 * the background, because it may be much.
 *
 * @param since milliseconds since the epoch
 * @throws InvalidRequestError where there is no such endpoint, or it is disabled
 */
export async function replayFailed(
  deps: CallbackDependencies,
  account: string,
  endpointId: string,
  since: number,
): Promise<void> {
  const endpoint = await getEndpoint(deps, account, endpointId);
  await assertNotDisabled(deps, endpoint);
  await releaseFailed(deps, endpoint, since);
}

/**
 * The same of all of an account's endpoints but those that are disabled.
 * @returns the endpoints that are told
 * @throws InvalidRequestError where there is no such account
 */
export async function replayAllFailed(
  deps: CallbackDependencies,
  account: string,
  since: number,
): Promise<Endpoint[]> {
  await getAccount(deps.directory, account);
  const told: Endpoint[] = [];
  for (const endpoint of await deps.directory.listEndpoints(account)) {
    if (await isDisabled(deps.endpointHealths, endpoint)) continue;
    await releaseFailed(deps, endpoint, since);
    told.push(endpoint);
  }
  return told;
}

async function releaseFailed(
  { callbackQueue, clock }: CallbackDependencies,
  { account, endpointId }: EndpointKey,
  since: number,
): Promise<void> {
  // Without what fails again, which would be told for ever.
  const until = clock.now();
  const job = { kind: "release", account, endpointId, state: "failed", since, until } as const;
  await callbackQueue.enqueueRelease(job, 0);
}

/**
 * Tells an endpoint of something made up, once, by the way that everything takes; also one that is
 * paused or disabled, which is how one sees whether it answers again.
 * @returns the callback, on its way
 * @throws InvalidRequestError where there is no such endpoint
 */
export async function testEndpoint(
  deps: CallbackDependencies & { readonly randomness: Pick<Randomness, "uuid"> },
  account: string,
  endpointId: string,
): Promise<Delivery> {
  const endpoint = await getEndpoint(deps, account, endpointId);
  const event = sampleEvent(await getAccount(deps.directory, account), endpoint, {
    now: deps.clock.now(),
    uuid: deps.randomness.uuid(),
  });
  const subject = `test-${deps.randomness.uuid()}`;
  const delivery = newDelivery({ account, endpointId, subject, level: "test" }, event, {
    now: deps.clock.now(),
    retentionMs: deps.callbackRetentionMs,
  });
  const stored = await deps.deliveries.insert(delivery);
  await deps.callbackQueue.enqueue([turnOf(stored)]);
  return stored;
}

/** Nobody's. */
const SAMPLE_NUMBER = "5500000000000";
const SAMPLE_SHORT_CODE = "00000";

/** What an endpoint could be told: a status, if it wants any, else an MO; all of it made up. */
function sampleEvent(
  account: Account,
  endpoint: Endpoint,
  made: { readonly now: number; readonly uuid: string },
): TorpedoEvent {
  const { events, format } = endpoint;
  const dialect = format === "dialect" || format === "cloudevents" ? account.moDialect : format;
  const wants = (event: (typeof events)[number]) => events.includes(event);
  const whose = {
    account: account.account,
    ...(endpoint.subAccount !== undefined && { subAccount: endpoint.subAccount }),
    dialect,
  };
  if (wants("any") || wants("sent")) return sampleStatus(whose, "SENT", made);
  if (wants("delivered")) return sampleStatus(whose, "DELIVERED", made);
  return sampleMo(whose, made);
}

type Whose = Pick<MessageReceived, "account" | "subAccount" | "dialect">;

function sampleStatus(
  whose: Whose,
  state: "SENT" | "DELIVERED",
  { now, uuid }: { readonly now: number; readonly uuid: string },
): MessageStatusChanged {
  const at = new Date(now).toISOString();
  return {
    version: 1,
    eventId: `${uuid}.${state}.${now}`,
    traceId: uuid,
    id: uuid,
    ...whose,
    destination: SAMPLE_NUMBER,
    state,
    previousState: state === "SENT" ? "SENDING" : "SENT",
    final: state === "DELIVERED",
    at,
    acceptedAt: at,
    sentAt: at,
    attempts: 1,
    parts: 1,
    codes: codesOf(state, undefined),
  };
}

function sampleMo(
  whose: Whose,
  { now, uuid }: { readonly now: number; readonly uuid: string },
): MessageReceived {
  return {
    version: 1,
    eventId: `${whose.account}.mo.0`,
    moId: 0,
    ...whose,
    from: SAMPLE_NUMBER,
    shortCode: SAMPLE_SHORT_CODE,
    text: "Test",
    receivedAt: new Date(now).toISOString(),
    carrier: "test",
    uuid,
  };
}
