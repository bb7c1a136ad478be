import { makeMessage, refuse, type SendRequest, type SendResult } from "./accept-message.ts";
import type { Account } from "./account.ts";
import { type AdmissionDependencies, admit } from "./admit.ts";
import { type BatchRef, batchRefOf, hasSchedule } from "./batch.ts";
import { UnavailableError } from "./errors.ts";
import { isFinal } from "./lifecycle.ts";
import type { Message } from "./message.ts";
import type { BatchQueue, BatchStore, MessageStore, OpenMessage } from "./ports.ts";
import { slicesOf } from "./slices.ts";
import { type Opening, openingAt } from "./time.ts";

/** The most messages of one request (both vendor documents). */
export const MAX_BATCH_SIZE = 1_000;

const SCHEDULES_AT_ONCE = 25;

/** What sending a batch needs. */
export interface SendBatchDependencies extends AdmissionDependencies {
  readonly messages: Pick<MessageStore, "findMany">;
  readonly batches: Pick<BatchStore, "keep" | "open" | "withdraw" | "findOpen" | "begin">;
  readonly batchQueue: Pick<BatchQueue, "enqueue" | "schedule">;
}

/** What became of a batch: of each request in order, and the batch of those that were accepted, if any. */
export interface SendBatchResult {
  readonly batchId: string;
  readonly results: readonly SendResult[];
}

/**
 * Accepts the good ones among many messages. When this returns they are durable, found by their
 * ids, and on their way; making them items of their own happens behind the queue.
 *
 * @throws UnavailableError where they could not be put on their way; none is then accepted
 */
export async function sendBatch(
  deps: SendBatchDependencies,
  account: Account,
  requests: readonly SendRequest[],
): Promise<SendBatchResult> {
  const batch: BatchRef = { account: account.account, batchId: deps.randomness.uuid() };
  const now = deps.clock.now();
  const making = { ...deps, clock: { now: () => now }, openingAt: remembered(openingAt) };
  const made = requests.map((request) => makeMessage(making, account, request));
  try {
    const taken = await takenIds(deps, account.account, requests);
    const unique = made.map((result) => refuseDuplicate(result, taken));
    const admission = await admit(making, account, requests, unique);
    const { results } = admission;
    const messages = inBatch(batch, accepted(results));
    try {
      if (messages.length > 0) await putOnTheirWay(deps, batch, messages);
    } catch (error) {
      if (!(error instanceof LeftOpenError)) await admission.giveBack(messages);
      throw error;
    }
    return { batchId: batch.batchId, results };
  } catch (cause) {
    throw new UnavailableError("a batch was not taken", batch.batchId, { cause });
  }
}

/** What a thousand messages have in common is looked up once. */
function remembered(look: typeof openingAt): typeof openingAt {
  const known = new Map<string, Opening>();
  return (window, at) => {
    const key = JSON.stringify([window, at]);
    const opening = known.get(key) ?? look(window, at);
    known.set(key, opening);
    return opening;
  };
}

/** The ids of the requests that the account's messages have already. */
async function takenIds(
  deps: SendBatchDependencies,
  account: string,
  requests: readonly SendRequest[],
): Promise<Set<string>> {
  const ids = [...new Set(requests.flatMap(({ id }) => id ?? []))];
  if (ids.length === 0) return new Set();
  // In this order: a batch that is closed in between has made its messages items before.
  const open = await findKept(deps, account, ids);
  const stored = await deps.messages.findMany(account, ids);
  return new Set([...open.map(({ message }) => message.id), ...stored.map(({ id }) => id)]);
}

/** Refuses a message whose id is taken, and takes the id of one that is not. */
function refuseDuplicate(result: SendResult, taken: Set<string>): SendResult {
  if (!result.accepted) return result;
  if (taken.has(result.message.id)) return refuse("duplicate-id");
  taken.add(result.message.id);
  return result;
}

const accepted = (results: readonly SendResult[]): Message[] =>
  results.flatMap((result) => (result.accepted ? [result.message] : []));

/** Writes into each message which batch it came with. */
function inBatch({ batchId }: BatchRef, messages: readonly Message[]): Message[] {
  const dueTogether = new Map<number, number>();
  for (const { claimableFrom: due, state } of messages) {
    if (isFinal(state)) continue;
    dueTogether.set(due, (dueTogether.get(due) ?? 0) + 1);
  }
  return messages.map((message) => ({
    ...message,
    batch: { batchId, dueTogether: dueTogether.get(message.claimableFrom) ?? 1 },
  }));
}

async function putOnTheirWay(
  { batches, batchQueue, messages: store }: SendBatchDependencies,
  batch: BatchRef,
  messages: readonly Message[],
): Promise<void> {
  await batches.keep(batch, messages);
  // Before anybody can find the batch: one that goes off for nothing releases nothing.
  const dueTimes = new Set(messages.filter(hasSchedule).map(({ claimableFrom }) => claimableFrom));
  for (const slice of slicesOf([...dueTimes], SCHEDULES_AT_ONCE)) {
    await Promise.all(slice.map((due) => batchQueue.schedule({ ...batch, due })));
  }
  try {
    await batches.open(batch, messages);
    await batchQueue.enqueue({ kind: "expand", ...batch });
  } catch (error) {
    const isUndone = await withdraw(batches, store, batch, messages);
    if (isUndone) throw error;
  }
}

/** A batch that could be neither enqueued nor withdrawn: a retry with one of its ids puts it on its way. */
class LeftOpenError extends Error {
  override readonly name = "LeftOpenError";
}

/** @returns false where the batch has begun, or is done with: the queue had taken it, only its answer was lost */
async function withdraw(
  batches: Pick<BatchStore, "withdraw">,
  store: Pick<MessageStore, "findMany">,
  batch: BatchRef,
  messages: readonly Message[],
): Promise<boolean> {
  try {
    return (await batches.withdraw(batch)) && !(await isExpanded(store, batch, messages));
  } catch (cause) {
    throw new LeftOpenError("a batch was left open", { cause });
  }
}

/** Whether the messages of a batch that is not open are items of their own: it was closed, not withdrawn. */
async function isExpanded(
  store: Pick<MessageStore, "findMany">,
  { account }: BatchRef,
  messages: readonly Message[],
): Promise<boolean> {
  const traces = new Set(messages.map(({ traceId }) => traceId));
  const stored = await store.findMany(
    account,
    messages.map(({ id }) => id),
  );
  // A cancellation makes an item as well.
  return stored.some(({ traceId, state }) => traces.has(traceId) && state !== "CANCELED");
}

/** What looking for open batches takes, and seeing to it that what is found stays. */
interface OpenBatchDependencies {
  readonly batches: Pick<BatchStore, "findOpen" | "begin">;
  readonly batchQueue: Pick<BatchQueue, "enqueue">;
}

/**
 * Whether a batch that is not expanded yet has accepted a message with this id.
 * @throws whatever store or queue throws
 */
export async function isTakenByOpenBatch(
  deps: OpenBatchDependencies,
  { account, id }: Pick<Message, "account" | "id">,
): Promise<boolean> {
  return (await findKept(deps, account, [id])).length > 0;
}

/**
 * The messages with these ids in open batches that will be expanded. A request that died before
 * its batch was enqueued left one that nobody would expand: its retry enqueues it. One that has not
 * died but will fail must not withdraw what its retry was told is there: the retry begins with it.
 * What enqueuing a batch twice costs is one look at it.
 */
async function findKept(
  { batches, batchQueue }: OpenBatchDependencies,
  account: string,
  ids: readonly string[],
): Promise<OpenMessage[]> {
  const open = await batches.findOpen(account, ids);
  const waiting = new Map(
    open.flatMap(({ batch, begun }) => (begun ? [] : [[batch.batchId, batch] as const])),
  );
  const gone = new Set<string>();
  for (const batch of waiting.values()) {
    await batchQueue.enqueue({ kind: "expand", ...batchRefOf(batch) });
    if (!(await batches.begin(batch))) gone.add(batch.batchId);
  }
  return open.filter(({ batch }) => !gone.has(batch.batchId));
}
