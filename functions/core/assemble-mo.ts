import * as z from "zod";
import { type InboundMessage, inboundSchema } from "./carrier.ts";
import type { Clock } from "./ports.ts";
import { type ReceiveDependencies, type ReceiveOutcome, receiveMo } from "./receive-mo.ts";

/** For how long an MO waits for the rest of its parts, from its first on (milliseconds). */
export const PARTS_WAIT_MS = 15 * 60_000;
/** Parts whose times, by the carrier's clock, are further apart are not of the same MO: phones use references again. */
const SAME_MO_WITHIN_MS = 60 * 60_000;
/** Longer than what wakes an MO can lie in its queue, and after that among the dead letters: 14 days in each. */
const UNRECEIVED_RETENTION_MS = 30 * 24 * 60 * 60_000;
/** Tries at changing what others are changing, too: parts of one MO come together. */
const MAX_RACES = 20;
/** As JSON: three bytes each at the most, and well within what a store takes for an item. */
const MOST_CHARACTERS = 120_000;

const instant = z.number().int().nonnegative();

const moPartSchema = z.object({
  order: z.number().int().positive(),
  carrierMessageId: z.string(),
  /** Empty once the MO has been received. Either end may be half of a character. */
  text: z.string(),
  at: instant,
  operator: z.string().optional(),
});
type MoPart = z.infer<typeof moPartSchema>;

/** What is there of an MO that comes in parts. */
export const moInPartsSchema = z.object({
  /** Made of the part that came first: by this it is woken. */
  id: z.string(),
  /** The time of that part (milliseconds since the epoch). */
  at: instant,
  /** Only an open one takes parts. One that is closed is received with what it has. */
  state: z.enum(["open", "closed", "received"]),
  parts: z.array(moPartSchema),
  /** Seconds since the epoch. */
  removeAt: z.number().int(),
});
export type MoInParts = z.infer<typeof moInPartsSchema>;

const partsKeySchema = inboundSchema
  .pick({ carrier: true, from: true, shortCode: true })
  .extend({ reference: instant, total: z.number().int().positive() });
/** What the parts of an MO have in common, and now and then those of another. */
export type PartsKey = z.infer<typeof partsKeySchema>;

/** That an MO has waited for its parts for long enough; it travels in the carrier-events queue. */
export const partsDueSchema = partsKeySchema.extend({
  type: z.literal("mo-parts-due"),
  /** The MO's id. */
  id: z.string(),
});
export type PartsDue = z.infer<typeof partsDueSchema>;

/** Where MOs are until all of their parts are there. What is past its `removeAt` is absent. */
export interface MoParts {
  /** All MOs with this key, in the order in which they began; `revision` is for `replace`. */
  find(
    key: PartsKey,
  ): Promise<{ readonly revision: number; readonly mos: readonly MoInParts[] } | undefined>;
  /**
   * Stores MOs in place of those that were found.
   * @param revision of what was found; undefined where nothing was
   * @returns false where something else is there by now; also where a try of this very call took
   *   effect, and its answer was lost
   */
  replace(key: PartsKey, revision: number | undefined, mos: readonly MoInParts[]): Promise<boolean>;
}

/** What comes back after a while. */
export interface PartsTimer {
  /** Has this come to `receiveOverdue`. It is durable once this returns. @param afterMs milliseconds */
  wake(due: PartsDue, afterMs: number): Promise<void>;
}

/** An MO of which a carrier reports one part. */
type InboundPart = InboundMessage & { readonly part: NonNullable<InboundMessage["part"]> };

/** What receiving MOs in parts needs. */
export interface AssembleDependencies extends ReceiveDependencies {
  readonly moParts: MoParts;
  readonly partsTimer: PartsTimer;
}

/** What became of a part, or of an MO whose time was up. */
export type AssembleOutcome =
  /** The MO was received, with so many of its parts. */
  | (ReceiveOutcome & { readonly parts: number; readonly total: number })
  /** So many of the MO's parts are there by now. */
  | { readonly kind: "kept"; readonly parts: number; readonly total: number }
  /** There was nothing to be done any more. */
  | { readonly kind: "settled" };

/**
 * Keeps a part of an MO until the others are there, and receives the MO when they are: in whatever
 * order they come, and as one MO however often. Where some do not come, `receiveOverdue` receives
 * what is there. A part that comes later than that begins an MO of its own.
 *
 * Whenever this fails or dies, the part is delivered again, finds what was done, and goes on there:
 * each step is one write, and can be taken again.
 *
 * @param receives the how-manieth delivery of the part it is, 1 for the first
 * @throws whatever a store or queue throws; the queue then delivers the part again
 */
export async function assembleMo(
  deps: AssembleDependencies,
  inbound: InboundPart,
  receives: number,
): Promise<AssembleOutcome> {
  const { part, ...message } = inbound;
  const { carrier, from, shortCode } = inbound;
  const { reference, order, total } = part;
  const key: PartsKey = { carrier, from, shortCode, reference, total };
  const kept =
    order <= total ? await keep(deps, key, { ...message, order }, idOf(message, order)) : undefined;
  if (!kept) {
    const { text } = message;
    const alone = { ...message, carrierMessageId: idOf(message, order), text: text.toWellFormed() };
    return { ...(await receiveMo(deps, alone, receives)), parts: 1, total };
  }
  if (kept.state === "received") return { kind: "settled" };
  if (kept.parts.length === total) return receive(deps, key, kept, receives);
  return { kind: "kept", parts: kept.parts.length, total };
}

/**
 * Receives an MO that has not been received in time, with those of its parts that are there.
 * @param receives the how-manieth delivery of `due` it is, 1 for the first
 * @throws whatever a store or queue throws; the queue then delivers `due` again
 */
export async function receiveOverdue(
  deps: AssembleDependencies,
  due: PartsDue,
  receives: number,
): Promise<AssembleOutcome> {
  const { type: _, id, ...key } = due;
  // Before it is received: what is received is what was there then, each time that this is tried.
  const closed = await change(deps, key, async (mos) => {
    const mo = mos.find((other) => other.id === id);
    if (mo?.state !== "open") return { result: mo };
    const result: MoInParts = { ...mo, state: "closed" };
    return { result, mos: withIt(mos, result) };
  });
  if (closed?.state !== "closed") return { kind: "settled" };
  return receive(deps, key, closed, receives);
}

/** An id for what a part begins, or is alone; the ids of whole MOs of the carrier's are others. */
const idOf = ({ carrierMessageId }: Pick<InboundMessage, "carrierMessageId">, order: number) =>
  `${carrierMessageId}/${order}`;

const withIt = (mos: readonly MoInParts[], mo: MoInParts): MoInParts[] =>
  mos.map((other) => (other.id === mo.id ? mo : other));

/**
 * Stores a part with its MO, unless it is there already.
 * @param id of the MO that it begins, if it begins one
 * @returns the MO with the part; undefined where there is more than can be kept
 */
async function keep(
  deps: AssembleDependencies,
  key: PartsKey,
  given: MoPart,
  id: string,
): Promise<MoInParts | undefined> {
  const part = moPartSchema.parse(given);
  return change<MoInParts | undefined>(deps, key, async (mos) => {
    const known = mos.find(({ parts }) => parts.some((other) => isSame(other, part)));
    if (known) return { result: known };
    const its = fitting(mos, part);
    const result: MoInParts = its
      ? { ...its, parts: [...its.parts, part] }
      : {
          id,
          at: part.at,
          state: "open",
          parts: [part],
          removeAt: Math.ceil((deps.clock.now() + UNRECEIVED_RETENTION_MS) / 1_000),
        };
    const changed = its ? withIt(mos, result) : [...mos, result];
    if (JSON.stringify(changed).length > MOST_CHARACTERS) return { result: undefined };
    // Before there is anything to be woken: a part that is stored is acknowledged, and should the
    // rest not come, nothing else would remember it. What is woken for nothing does no harm.
    if (!its) await deps.partsTimer.wake({ type: "mo-parts-due", ...key, id }, PARTS_WAIT_MS);
    return { result, mos: changed };
  });
}

const isSame = (one: MoPart, other: MoPart) =>
  one.order === other.order && one.carrierMessageId === other.carrierMessageId;

/** The MO that a part is of: of those that lack it, the one whose time is the nearest. */
function fitting(mos: readonly MoInParts[], part: MoPart): MoInParts | undefined {
  const distance = ({ at }: MoInParts) => Math.abs(at - part.at);
  return mos
    .filter(({ state, parts }) => state === "open" && parts.every((it) => it.order !== part.order))
    .filter((mo) => distance(mo) <= SAME_MO_WITHIN_MS)
    .toSorted((one, other) => distance(one) - distance(other))
    .at(0);
}

/** Receives what there is of an MO, which is stored once, and then forgets its texts. */
async function receive(
  deps: AssembleDependencies,
  key: PartsKey,
  mo: MoInParts,
  receives: number,
): Promise<AssembleOutcome> {
  const outcome = await receiveMo(deps, wholeOf(key, mo), receives);
  const removeAt = Math.ceil((deps.clock.now() + deps.moRetentionMs) / 1_000);
  const parts = mo.parts.map((part) => ({ ...part, text: "" }));
  await change(deps, key, async (mos) => {
    const isThere = mos.some(({ id }) => id === mo.id);
    const received: MoInParts = { ...mo, state: "received", parts, removeAt };
    return { result: undefined, ...(isThere && { mos: withIt(mos, received) }) };
  });
  return { ...outcome, parts: mo.parts.length, total: key.total };
}

/**
 * An MO as a carrier would have reported it that puts parts together. Its time and its id are made
 * of its first part, which is no other's: they are the same in whatever order the parts came.
 */
function wholeOf({ carrier, from, shortCode }: PartsKey, mo: MoInParts): InboundMessage {
  const parts = mo.parts.toSorted((one, other) => one.order - other.order);
  const [first] = parts;
  const operator = parts.find((part) => part.operator !== undefined)?.operator;
  return {
    type: "mo",
    carrier,
    carrierMessageId: first ? idOf(first, first.order) : mo.id,
    from,
    shortCode,
    // Where a part is missing, halves of characters are left over.
    text: parts
      .map(({ text }) => text)
      .join("")
      .toWellFormed(),
    at: first?.at ?? mo.at,
    ...(operator !== undefined && { operator }),
  };
}

/**
 * Changes what is stored under a key, again and again until nobody else has changed it meanwhile.
 * @param decide the result, and what is to be stored in place of what was found, if anything
 * @throws OvertakenError where others are faster too often
 */
async function change<T>(
  { moParts, clock }: { readonly moParts: MoParts; readonly clock: Clock },
  key: PartsKey,
  decide: (
    mos: readonly MoInParts[],
  ) => Promise<{ readonly result: T; readonly mos?: readonly MoInParts[] }>,
): Promise<T> {
  for (let races = 0; races < MAX_RACES; races++) {
    const found = await moParts.find(key);
    const there = (found?.mos ?? []).filter(({ removeAt }) => removeAt > clock.now() / 1_000);
    const { result, mos } = await decide(there);
    if (!mos || (await moParts.replace(key, found?.revision, mos))) return result;
  }
  throw new OvertakenError("parts of the same MO come too fast");
}

class OvertakenError extends Error {
  override readonly name = "OvertakenError";
}
