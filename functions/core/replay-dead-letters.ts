import * as z from "zod";
import {
  type Delivery,
  type DeliveryTurn,
  deliveryTurnSchema,
  endpointGroupSchema,
  eventGroupSchema,
  isSettled,
  keyOfDelivery,
  type ReleaseJob,
  releaseJobSchema,
} from "./callback-delivery.ts";
import type { CallbackDeadLetters, CallbackQueue, DeadLetter } from "./callback-ports.ts";
import type { CallbackDependencies } from "./callback-records.ts";
import { torpedoEventSchema } from "./events.ts";
import { releaseDelivery } from "./release-deliveries.ts";

/** What bringing dead letters back needs. */
export interface DeadLetterDependencies
  extends Pick<
    CallbackDependencies,
    "directory" | "deliveries" | "endpointHealths" | "clock" | "callbackRetentionMs"
  > {
  readonly callbackQueue: Pick<CallbackQueue, "enqueueLater" | "enqueueRelease">;
  readonly callbackDeadLetters: CallbackDeadLetters;
}

/**
 * What became of dead letters.
 * - `replayed`: a callback is told again
 * - `resent`: what was to be done when it came is done anew
 * - `dropped`: there is nothing left to be done, or nothing can be: their endpoint is disabled, and
 *   what has failed of it stays in the table
 * - `left`: they lie where they lay, because they say nothing that is known
 */
type Fate = "replayed" | "resent" | "dropped" | "left";

/** How many dead letters met which fate; `more`: whether there may be others that were not looked at. */
export type DeadLetterReplay = Readonly<Record<Fate, number>> & { readonly more: boolean };

/** What one call may take: so many letters, and so long, within what nobody sees letters that are left. */
const MAX_LETTERS = 500;
const MAX_MS = 20_000;

type Content = { readonly account: string } & (
  | { readonly kind: "turn"; readonly turn: DeliveryTurn }
  | { readonly kind: "job"; readonly job: ReleaseJob }
  | { readonly kind: "event"; readonly body: object }
);

/**
 * What can lie there: the turn of a delivery, a job, events of an account, all or for one endpoint,
 * or an event: as the queue has it, for one endpoint alone, or as the bus had it.
 */
const contentSchema: z.ZodType<Content> = z.union([
  deliveryTurnSchema.transform((turn) => ({ kind: "turn" as const, account: turn.account, turn })),
  releaseJobSchema.transform((job) => ({ kind: "job" as const, account: job.account, job })),
  endpointGroupSchema.transform((group) => ({
    kind: "event" as const,
    account: group.account,
    // Whoever had it may have got to some of it.
    body: { ...group, again: true },
  })),
  eventGroupSchema.extend({ events: z.array(torpedoEventSchema).min(1) }).transform((body) => ({
    kind: "event" as const,
    account: body.events[0]?.account ?? "",
    body,
  })),
  z
    .object({ event: torpedoEventSchema, endpointId: z.string().min(1) })
    .transform((body) => ({ kind: "event" as const, account: body.event.account, body })),
  z
    .union([
      torpedoEventSchema,
      z.object({ detail: torpedoEventSchema }).transform(({ detail }) => detail),
    ])
    .transform((body) => ({ kind: "event" as const, account: body.account, body })),
]);

/**
 * Brings back what was set aside: of everybody, or of one account alone; the letters of others are
 * left untouched and are not counted. A letter is removed once what it asks for is on its way. Those
 * that stay are not seen for a minute, so that the next call gets further.
 *
 * @throws whatever the stores and queues throw; the letters that it met lie where they lay
 */
export async function replayDeadLetters(
  deps: DeadLetterDependencies,
  account?: string,
): Promise<DeadLetterReplay> {
  const { callbackDeadLetters, clock } = deps;
  const end = clock.now() + MAX_MS;
  const counts = { replayed: 0, resent: 0, dropped: 0, left: 0 };
  const take = async (letter: DeadLetter) => {
    const content = contentOf(letter);
    if (account !== undefined && content?.account !== account) return;
    const fate = content ? await bringBack(deps, content) : "left";
    if (fate !== "left") await callbackDeadLetters.remove(letter);
    counts[fate]++;
  };
  for (let seen = 0; seen < MAX_LETTERS && clock.now() < end; ) {
    const letters = await callbackDeadLetters.receive();
    if (letters.length === 0) return { ...counts, more: false };
    seen += letters.length;
    // Nothing goes on once this has answered, or thrown.
    const taken = await Promise.allSettled(letters.map(take));
    for (const it of taken) if (it.status === "rejected") throw it.reason;
  }
  return { ...counts, more: true };
}

function contentOf({ body }: DeadLetter): Content | undefined {
  try {
    return contentSchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

async function bringBack(deps: DeadLetterDependencies, content: Content): Promise<Fate> {
  if (content.kind === "turn") return bringBackTurn(deps, content.turn);
  if (content.kind === "job") await deps.callbackQueue.enqueueRelease(content.job, 0);
  else await deps.callbackDeadLetters.resendEvent(JSON.stringify(content.body));
  return "resent";
}

async function bringBackTurn(deps: DeadLetterDependencies, turn: DeliveryTurn): Promise<Fate> {
  const endpoint = await deps.directory.findEndpoint(turn.account, turn.endpointId);
  const delivery = endpoint && (await deps.deliveries.find(turn));
  if (!delivery) return "dropped";
  const { state } = await deps.endpointHealths.find(endpoint);
  const stuck = await stuckBehind(deps, delivery, state === "disabled");
  if (!stuck) return "dropped";
  const { deliveries, callbackQueue: queue, clock, callbackRetentionMs } = deps;
  await releaseDelivery({ deliveries, queue, clock }, stuck, callbackRetentionMs);
  return "replayed";
}

/**
 * What does not go on without help: a delivery that has failed, unless it would fail again; one that
 * is not settled, of which this may be the only turn; and what waits for one that is, because
 * nobody got to letting it go on.
 */
async function stuckBehind(
  { deliveries }: DeadLetterDependencies,
  delivery: Delivery,
  isDisabled: boolean,
): Promise<Delivery | undefined> {
  if (!isSettled(delivery)) return delivery;
  if (delivery.state === "failed" && !isDisabled) return delivery;
  if (delivery.level !== "sent") return undefined;
  const next = await deliveries.find({ ...keyOfDelivery(delivery), level: "delivered" });
  return next?.state === "waiting" ? next : undefined;
}
