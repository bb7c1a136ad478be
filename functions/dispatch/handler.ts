import {
  type DispatchDependencies,
  type DispatchOutcome,
  dispatchMessage,
  recordHandOver,
} from "../core/dispatch-message.ts";
import { UnreadableItemError } from "../core/errors.ts";
import type { HandOverRecord } from "../core/hand-over-record.ts";
import { type Message, type MessageRef, refOf } from "../core/message.ts";
import type { DispatchQueue, MessageStore } from "../core/ports.ts";
import { describeError, type Log } from "../runtime/telemetry.ts";
import type { DispatchInput } from "./schema.ts";

type HandlerDependencies = DispatchDependencies & {
  readonly messages: Pick<MessageStore, "findMany">;
  readonly dispatchQueue: Pick<DispatchQueue, "enqueueMany" | "enqueueRecord">;
  readonly log: Log;
};

/** Hands messages over, or writes down what became of one that was. */
export function createHandler(deps: HandlerDependencies) {
  return async (input: DispatchInput, receives: number) => {
    if ("messages" in input) {
      const refs = input.messages.map(refOf);
      // What has been here before has changed since, or most of it.
      return dispatchGroup(deps, refs, receives > 1 ? undefined : byRef(input.messages));
    }
    if ("group" in input) return dispatchGroup(deps, input.group);
    if ("ref" in input) return recordOrPutBack(deps, input);
    const outcome = await dispatchMessage(deps, input);
    if (outcome.kind === "held") await deps.dispatchQueue.enqueue(input, outcome.until);
    return outcome;
  };
}

/**
 * Writes down what became of a hand-over. What cannot be written comes again soon, many times before
 * others take its message for one that nobody knows anything of; not only when the queue, by itself,
 * delivers it again.
 * @throws whatever the store throws where there is hardly time for another try, or the queue does
 * not take it either
 */
async function recordOrPutBack(
  deps: HandlerDependencies,
  record: HandOverRecord,
): Promise<DispatchOutcome & { readonly detail?: string }> {
  try {
    return await recordHandOver(deps, record);
  } catch (error) {
    const isKnownLost = deps.clock.now() > record.lease.until + deps.lastCallMs;
    if (isKnownLost || error instanceof UnreadableItemError) throw error;
    try {
      await deps.dispatchQueue.enqueueRecord(record);
    } catch {
      throw error;
    }
    return { kind: "deferred", detail: String(describeError(error).error) };
  }
}

/**
 * Hands the messages of a group over side by side.
 * @param messages they themselves, where they came with the group: how they were a moment ago
 * @throws Error where some could not be; the group then comes again, and finds the others done
 */
async function dispatchGroup(
  deps: HandlerDependencies,
  group: readonly MessageRef[],
  messages?: ReadonlyMap<string, Message>,
) {
  const startedAt = deps.clock.now();
  const known = messages ?? (await findAll(deps, group));
  const settled = await Promise.allSettled(
    group.map((ref) => dispatchMessage(deps, ref, startedAt, known.get(keyOfRef(ref)))),
  );
  const outcomes: Record<string, number> = {};
  const details: { traceId: string; detail: string }[] = [];
  const failures: { traceId: string; error: unknown }[] = [];
  const held: { ref: MessageRef; notBefore: number; parts: number }[] = [];
  settled.forEach((result, index) => {
    const ref = group[index] as MessageRef;
    const { traceId } = ref;
    if (result.status === "rejected") {
      failures.push({ traceId, error: result.reason });
      deps.log.error("message of a group failed", { traceId, ...describeError(result.reason) });
      return;
    }
    const { value } = result;
    outcomes[keyOf(value)] = (outcomes[keyOf(value)] ?? 0) + 1;
    if (value.detail) details.push({ traceId, detail: value.detail });
    if (value.kind === "held") held.push({ ref, notBefore: value.until, parts: value.parts });
  });
  const error = failures.length > 0 ? groupError(group, failures) : undefined;
  // Where the whole group comes again, those that found no room come with it.
  if (!error || error instanceof UnreadableItemError) await putBack(deps, held);
  if (error) throw error;
  return { group: group.length, outcomes, ...(details.length > 0 && { details }) };
}

/** Together, until the last of them may go: a message of the queue for each would cost more than the wait. */
async function putBack(
  { dispatchQueue }: HandlerDependencies,
  held: readonly { ref: MessageRef; notBefore: number; parts: number }[],
): Promise<void> {
  if (held.length === 0) return;
  const notBefore = Math.max(...held.map((it) => it.notBefore));
  await dispatchQueue.enqueueMany(held.map((it) => ({ ...it, notBefore })));
}

const byRef = (messages: readonly Message[]) =>
  new Map(messages.map((message) => [keyOfRef(message), message]));

const keyOfRef = ({ account, id }: MessageRef) => `${account}#${id}`;

/** The messages of a group, read together; where one cannot be read, each is left to itself. */
async function findAll({ messages }: HandlerDependencies, group: readonly MessageRef[]) {
  const accounts = new Set(group.map(({ account }) => account));
  const idsOf = (name: string) =>
    group.flatMap(({ account, id }) => (account === name ? [id] : []));
  try {
    const found = await Promise.all(
      [...accounts].map((account) => messages.findMany(account, idsOf(account))),
    );
    return byRef(found.flat());
  } catch (error) {
    if (error instanceof UnreadableItemError) return new Map<string, Message>();
    throw error;
  }
}

/** What a group failed of, by the example of its first failure. */
function groupError(
  group: readonly MessageRef[],
  failures: readonly { readonly traceId: string; readonly error: unknown }[],
): Error {
  const [first] = failures;
  const { error: name, detail = "" } = describeError(first?.error);
  const message = `${failures.length} of a group of ${group.length} failed; ${first?.traceId}: ${name}: ${detail}`;
  // Where nothing else is left of it, the group need not come again.
  return failures.every(({ error }) => error instanceof UnreadableItemError)
    ? new UnreadableItemError(message)
    : new Error(message);
}

const keyOf = (outcome: DispatchOutcome) =>
  outcome.kind === "moved" ? outcome.state : outcome.kind;
