import type { Account, Endpoint } from "./account.ts";
import {
  type AttemptMade,
  addAttempts,
  type Ending,
  endOfFailure,
  makeAttempt,
  noteHealth,
  writeRequest,
} from "./attempt-callback.ts";
import {
  DELIVERY_LEVELS,
  type Delivery,
  type DeliveryKey,
  deliveryIdOf,
  type EndpointGroup,
  isSettled,
  subjectOf,
} from "./callback-delivery.ts";
import type { CallbackQueue, Deliveries } from "./callback-ports.ts";
import { codesOf } from "./codes.ts";
import {
  isAbandoned,
  isWanted,
  levelOf,
  newDelivery,
  sentBefore,
  turnOf,
} from "./deliver-callbacks.ts";
import { type AttemptEnd, afterAttempt, type EndpointHealth } from "./endpoint-health.ts";
import { isMessageReceived, type TorpedoEvent } from "./events.ts";
import { CALLBACK_GIVE_UP_AFTER_MS } from "./retry-schedule.ts";
import { makeUp, settle, type TurnDependencies, waitForSlotMs } from "./take-turn.ts";

/** What telling an endpoint of several events together needs. */
export interface TellDependencies extends TurnDependencies {
  readonly deliveries: TurnDependencies["deliveries"] &
    Pick<Deliveries, "findMany" | "insertMany" | "insertTold" | "noteTold">;
  readonly queue: TurnDependencies["queue"] & Pick<CallbackQueue, "enqueueGroups">;
}

/**
 * How an event of a group ended.
 * - `delivered`, `will-retry`, `given-up`: after a request
 * - `unwritable`: without one, because there is no request that says it
 * - `stored`: a turn of its own is on its way, because the endpoint is not as it should be
 * - `busy`: it comes again, because there is no time or no slot for it
 * - `early`: it comes again, because what is to be told before it is about to be told
 * - `known`: it was told, or is on its way, already
 */
export type ToldKind =
  | "delivered"
  | "will-retry"
  | "given-up"
  | "unwritable"
  | "stored"
  | "busy"
  | "early"
  | "known";

/** What became of one event of a group, for the log and the metrics. */
export interface Told {
  readonly key: DeliveryKey;
  readonly kind: ToldKind;
  readonly made?: AttemptMade;
  /** Whether this was the attempt by which its endpoint was disabled. */
  readonly disabled?: boolean;
}

/** For so long a receipt leaves it to others to tell that its message was sent, which are about to. */
const PATIENCE_MS = 15_000;
/** Longer than requests are begun under one slot: whoever tells of it now has then begun. */
const HEAD_START_SECONDS = 15;
/** For how long it goes unnoticed that others have found out how an endpoint fares. */
const HEALTH_MEMORY_MS = 1_000;

/** One event of a group. */
interface Telling {
  readonly key: DeliveryKey;
  readonly id: string;
  readonly event: TorpedoEvent;
}

/** What is to be done with an event. */
type Plan = "tell" | "store" | "wait" | "known";

/** What became of it. */
type Fate =
  | { readonly kind: "delivered"; readonly delivery: Delivery; readonly made: AttemptMade }
  | {
      readonly kind: "failed";
      readonly delivery: Delivery;
      readonly made: AttemptMade;
      readonly ending: Ending;
      readonly disabled: boolean;
    }
  | { readonly kind: "unwritable"; readonly delivery: Delivery; readonly cause: string }
  | { readonly kind: "stored" | "busy" | "early" | "known" };

/** A group with all that was read for it. */
interface Round {
  readonly deps: TellDependencies;
  readonly group: EndpointGroup;
  readonly isAgain: boolean;
  readonly account: Account | undefined;
  readonly endpoint: Endpoint | undefined;
  readonly tellings: readonly Telling[];
  /** By id, what is stored of these deliveries and of those that go with them, as far as it was asked for. */
  readonly known: ReadonlyMap<string, Delivery>;
}

/**
 * Tells an endpoint of several events, a few requests at a time under one slot, and then stores
 * together what became of them: what is taken at once is written once. What fails, and all that
 * goes to an endpoint that is not as it should be, becomes a delivery with turns of its own
 * (`takeTurn`).
 *
 * Until all is stored, the queue has the group. Who dies between an answer and that repeats the
 * requests of a group, with the same `webhook-id`.
 *
 * @param group of events that can be read, whose account is the group's
 * @param isRedelivery whether this very message was here before
 * @throws whatever the stores and queues throw; the group is then to come again
 */
export async function tellTogether(
  deps: TellDependencies,
  group: EndpointGroup,
  events: readonly TorpedoEvent[],
  isRedelivery: boolean,
): Promise<Told[]> {
  const isAgain = isRedelivery || group.again === true;
  const [account, endpoint, health] = await Promise.all([
    deps.directory.findAccount(group.account),
    deps.directory.findEndpoint(group.account, group.endpointId),
    deps.healths.find(group),
  ]);
  const tellings = tellingsOf(group, events);
  const known = await look(deps, endpoint, tellings, isAgain);
  const round: Round = { deps, group, isAgain, account, endpoint, tellings, known };
  const fates = new Map(tellings.map((telling) => [telling, fateBefore(round, telling)]));
  const failure = await tellAll(round, fates, health);
  await storeDelivered(round, fates);
  await storeFailed(round, fates);
  await storeForTurns(round, fates);
  await makeUpKnown(round);
  // All of it comes again, but what others of the group came to is not lost.
  if (failure) throw failure.reason;
  await putBack(round, fates);
  return tellings.map((telling) => toldOf(telling, fates.get(telling)));
}

/** Each delivery once, in their order. */
function tellingsOf(
  { account, endpointId }: EndpointGroup,
  events: readonly TorpedoEvent[],
): Telling[] {
  const tellings = new Map<string, Telling>();
  for (const event of events) {
    const level = levelOf(event);
    if (!level) continue;
    const key: DeliveryKey = { account, endpointId, subject: subjectOf(event), level };
    const id = deliveryIdOf(key);
    if (!tellings.has(id)) tellings.set(id, { key, id, event });
  }
  return [...tellings.values()];
}

const withLevel = (key: DeliveryKey, level: DeliveryKey["level"]): DeliveryKey => ({
  ...key,
  level,
});

/** What an endpoint wants to know before an event, if anything. */
function wantedBefore(endpoint: Endpoint | undefined, event: TorpedoEvent) {
  const before = endpoint && sentBefore(event);
  return before && isWanted(endpoint, before) ? before : undefined;
}

/** Whether an endpoint that is told that a message was sent wants to know of its receipt, too. */
function isReceiptWanted(endpoint: Endpoint | undefined, event: TorpedoEvent): boolean {
  if (!endpoint || isMessageReceived(event) || event.state !== "SENT") return false;
  const codes = codesOf("DELIVERED", undefined);
  return isWanted(endpoint, { ...event, state: "DELIVERED", final: true, codes });
}

/** What is stored of what an endpoint is to be told in order; and of everything, where some of it may have been told. */
async function look(
  { deliveries }: TellDependencies,
  endpoint: Endpoint | undefined,
  tellings: readonly Telling[],
  isAgain: boolean,
): Promise<Map<string, Delivery>> {
  const keys = new Map<string, DeliveryKey>();
  const want = (key: DeliveryKey) => keys.set(deliveryIdOf(key), key);
  for (const { key, event } of tellings) {
    if (isAgain) want(key);
    if (wantedBefore(endpoint, event)) {
      want(key);
      want(withLevel(key, "sent"));
    }
    if (isReceiptWanted(endpoint, event)) want(key);
  }
  const found = keys.size > 0 ? await deliveries.findMany([...keys.values()]) : [];
  return new Map(found.map((delivery) => [deliveryIdOf(delivery), delivery]));
}

/** What becomes of an event where no request is made for it; undefined where one is to be made. */
function fateBefore(round: Round, telling: Telling): Fate | undefined {
  switch (planOf(round, telling)) {
    case "tell":
      return undefined;
    case "store":
      return { kind: "stored" };
    case "wait":
      return { kind: "early" };
    case "known":
      return { kind: "known" };
  }
}

function planOf(round: Round, { key, id, event }: Telling): Plan {
  const { endpoint, known, tellings } = round;
  if (known.has(id)) return "known";
  if (key.level === "delivered" && wantedBefore(endpoint, event)) {
    const sent = deliveryIdOf(withLevel(key, "sent"));
    const before = known.get(sent);
    if (before) return isSettled(before) ? "tell" : "store";
    if (tellings.some((other) => other.id === sent)) return "tell";
    const { deps, group } = round;
    return deps.clock.now() < group.since + PATIENCE_MS ? "wait" : "store";
  }
  return "tell";
}

/**
 * Makes the requests there are to be, and writes down in `fates` what became of them.
 * @returns why some of it could not be known, if so
 */
async function tellAll(
  round: Round,
  fates: Map<Telling, Fate | undefined>,
  health: EndpointHealth,
): Promise<PromiseRejectedResult | undefined> {
  const { deps, account, endpoint, tellings } = round;
  const untold = tellings.filter((telling) => !fates.get(telling));
  if (!account || !endpoint || !isWell(deps, health)) {
    for (const telling of untold) fates.set(telling, { kind: "stored" });
    return undefined;
  }
  const watch = watchHealth(deps, endpoint, health);
  const told = await Promise.allSettled(
    chainsOf(untold).map(async (chain) => {
      const begun = await deps.lanes.inTurn(endpoint, async (isOpen) => {
        await tellChain({ ...round, account, endpoint, watch, isOpen }, chain, fates);
        return true;
      });
      if (!begun) for (const telling of chain) fates.set(telling, busy(round));
    }),
  );
  return told.find((result) => result.status === "rejected");
}

/** Those of one message together, in the order in which they are told. */
function chainsOf(tellings: readonly Telling[]): Telling[][] {
  const chains = new Map<string, Telling[]>();
  for (const telling of tellings) {
    const { subject } = telling.key;
    const others = chains.get(subject);
    if (others) others.push(telling);
    else chains.set(subject, [telling]);
  }
  const place = ({ key }: Telling) => DELIVERY_LEVELS.indexOf(key.level);
  for (const chain of chains.values()) chain.sort((one, other) => place(one) - place(other));
  return [...chains.values()];
}

/** A round whose endpoint may be asked. */
interface OpenRound extends Round {
  readonly account: Account;
  readonly endpoint: Endpoint;
  readonly watch: HealthWatch;
  readonly isOpen: () => boolean;
}

async function tellChain(
  round: OpenRound,
  chain: readonly Telling[],
  fates: Map<Telling, Fate | undefined>,
): Promise<void> {
  let last: Fate | undefined;
  for (const telling of chain) {
    if (last && last.kind !== "delivered") {
      // What was to be told before is not settled: this is as far as the rest gets here.
      fates.set(telling, last.kind === "busy" ? last : { kind: "stored" });
      continue;
    }
    last = await tellOne(round, telling);
    fates.set(telling, last);
  }
}

async function tellOne(round: OpenRound, { key, event }: Telling): Promise<Fate> {
  const { deps, account, endpoint, group, watch } = round;
  if (!round.isOpen()) return busy(round);
  if (!isWell(deps, await watch.current())) return { kind: "stored" };
  const { retentionMs } = deps;
  const delivery = newDelivery(key, event, { now: group.since, retentionMs });
  const addressed = { delivery, account, endpoint };
  let written: ReturnType<typeof writeRequest>;
  try {
    written = writeRequest(deps, addressed);
  } catch (error) {
    const cause = `there is no request for it: ${error instanceof Error ? error.message : "?"}`;
    return { kind: "unwritable", delivery, cause };
  }
  const made = await makeAttempt(deps, delivery, written);
  if (made.end.verdict === "delivered") {
    await watch.note(made.end);
    return { kind: "delivered", delivery, made };
  }
  const { ending, health, disabled } = await endOfFailure(deps, addressed, made);
  watch.know(health);
  return { kind: "failed", delivery, made, ending, disabled };
}

/** What has waited for its turn for a day becomes a delivery, which is given up the next time. */
function busy({ deps, group }: Round): Fate {
  const end = group.since + CALLBACK_GIVE_UP_AFTER_MS;
  return { kind: deps.clock.now() > end ? "stored" : "busy" };
}

/** Whether an endpoint may be asked without further ado. */
const isWell = (
  { clock }: Pick<TellDependencies, "clock">,
  { state, openUntil, slowUntil = 0 }: EndpointHealth,
) => state === "active" && openUntil === undefined && slowUntil <= clock.now();

/** How an endpoint fares, as known a moment ago. */
interface HealthWatch {
  current(): Promise<EndpointHealth>;
  /** Takes what was just read or written. */
  know(health: EndpointHealth): void;
  /** Writes down how a request went, where that changes anything. */
  note(end: AttemptEnd): Promise<void>;
}

function watchHealth(
  deps: TellDependencies,
  endpoint: Endpoint,
  first: EndpointHealth,
): HealthWatch {
  const { healths, clock } = deps;
  let latest = first;
  let at = clock.now();
  let asking: Promise<void> | undefined;
  const know = (health: EndpointHealth) => {
    latest = health;
    at = clock.now();
  };
  const ask = async () => {
    try {
      know(await healths.find(endpoint));
    } finally {
      asking = undefined;
    }
  };
  return {
    know,
    async current() {
      const age = clock.now() - at;
      if (age < 0 || age >= HEALTH_MEMORY_MS) {
        asking ??= ask();
        await asking;
      }
      return latest;
    },
    async note(end) {
      if (afterAttempt(latest, end)) know((await noteHealth(deps, endpoint, end)).health);
    },
  };
}

/** Stores what was taken; where somebody has stored it before, it is not to be told again. */
async function storeDelivered(
  { deps, group, isAgain, known }: Round,
  fates: ReadonlyMap<Telling, Fate | undefined>,
): Promise<void> {
  const now = deps.clock.now();
  const delivered = [...fates.values()].flatMap((fate) =>
    fate?.kind === "delivered" ? [settled(fate, { now, state: "delivered" })] : [],
  );
  if (delivered.length > 0) {
    const stored = await deps.deliveries.insertTold(delivered);
    const copies = delivered.flatMap((told, index) => {
      const other = stored[index];
      return other && other !== told && !isSettled(other) ? [{ told, other }] : [];
    });
    await Promise.all(
      copies.map(({ told, other }) =>
        settle(deps, turnOf(other), {
          state: "delivered",
          cause: undefined,
          attempts: addAttempts(other.attempts, told.attempts),
        }),
      ),
    );
  }
  if (!isAgain) return;
  // Who stored these may not have got to their list.
  const before = [...known.values()].filter(
    ({ state, createdAt }) => state === "delivered" && createdAt >= group.since,
  );
  if (before.length > 0) await deps.deliveries.noteTold(before);
}

/** A delivery that ends with its first attempt. */
function settled(
  { delivery, made }: { readonly delivery: Delivery; readonly made?: AttemptMade },
  change: { readonly now: number; readonly state: "delivered" | "failed"; readonly cause?: string },
): Delivery {
  const { now, state, cause } = change;
  return {
    ...delivery,
    // Those of a group are of one moment, under which they are listed.
    ...(state === "delivered" && {
      createdAt: now,
      deadline: now + CALLBACK_GIVE_UP_AFTER_MS,
    }),
    state,
    ...(cause !== undefined && { cause }),
    attempts: made?.attempts ?? [],
    turn: 2,
    settledAt: now,
  };
}

/**
 * Stores what failed, with its attempt; then puts the next turn on its way. Not before: a turn that
 * comes before its delivery is lost, while one that is missing is made up for when the group comes
 * again.
 */
async function storeFailed(
  { deps }: Round,
  fates: ReadonlyMap<Telling, Fate | undefined>,
): Promise<void> {
  const now = deps.clock.now();
  const failed: { delivery: Delivery; due?: number }[] = [];
  const givenUp: { delivery: Delivery; cause: string }[] = [];
  for (const fate of fates.values()) {
    if (fate?.kind === "unwritable") givenUp.push(fate);
    if (fate?.kind !== "failed") continue;
    const { delivery, made, ending } = fate;
    const { attempts } = made;
    if (ending.kind === "given-up") {
      givenUp.push({ delivery: { ...delivery, attempts }, cause: ending.cause });
    } else {
      failed.push({ delivery: { ...delivery, attempts, turn: 1, step: 1 }, due: ending.due });
    }
  }
  if (failed.length + givenUp.length === 0) return;
  await Promise.all(
    givenUp.map(({ delivery, cause }) => deps.queue.giveUp(turnOf(delivery), cause)),
  );
  for (const { delivery, cause } of givenUp) {
    failed.push({
      delivery: { ...delivery, state: "failed", cause, turn: 2, settledAt: now },
    });
  }
  const deliveries = failed.map(({ delivery }) => delivery);
  const stored = await deps.deliveries.insertMany(deliveries);
  await Promise.all(
    failed.map(({ delivery, due }, index) => {
      const other = stored[index];
      if (other && other !== delivery) return isSettled(other) ? undefined : makeUp(deps, other);
      return due === undefined
        ? undefined
        : deps.queue.enqueueLater({ ...turnOf(delivery), aside: true }, due);
    }),
  );
}

/** Stores what is to have turns of its own, with what is to be told before it, and puts it on its way. */
async function storeForTurns(
  { deps, group, isAgain, endpoint, known, tellings }: Round,
  fates: ReadonlyMap<Telling, Fate | undefined>,
): Promise<void> {
  const { retentionMs, clock } = deps;
  const now = clock.now();
  const isHere = new Set(tellings.map(({ id }) => id));
  const deliveries: Delivery[] = [];
  const late = new Set<Delivery>();
  const add = (key: DeliveryKey, event: TorpedoEvent) => {
    const delivery = newDelivery(key, event, { now: group.since, retentionMs });
    deliveries.push(delivery);
    return delivery;
  };
  for (const { key, event } of tellings.filter(
    (telling) => fates.get(telling)?.kind === "stored",
  )) {
    const before = wantedBefore(endpoint, event);
    const keyBefore = withLevel(key, "sent");
    const idBefore = deliveryIdOf(keyBefore);
    if (before && !known.has(idBefore) && !isHere.has(idBefore)) late.add(add(keyBefore, before));
    add(key, event);
  }
  if (deliveries.length === 0) return;
  const stored = await deps.deliveries.insertMany(deliveries);
  const isOurs = (delivery: Delivery, index: number) => {
    const other = stored[index];
    return other === delivery || (other !== undefined && isAbandoned(other, isAgain, now));
  };
  const turns = deliveries.filter(isOurs);
  const atOnce = turns.filter((delivery) => !late.has(delivery));
  const afterwards = turns.filter((delivery) => late.has(delivery));
  await Promise.all([
    atOnce.length > 0 && deps.queue.enqueue(atOnce.map(turnOf)),
    // Somebody may just be telling of it.
    afterwards.length > 0 && deps.queue.enqueue(afterwards.map(turnOf), HEAD_START_SECONDS),
  ]);
}

/** Does what those may not have got to who had the group before, or something else of the same messages. */
async function makeUpKnown({ deps, isAgain, known }: Round): Promise<void> {
  const now = deps.clock.now();
  const all = [...known.values()];
  const abandoned = all.filter((delivery) => isAbandoned(delivery, isAgain, now));
  if (abandoned.length > 0) await deps.queue.enqueue(abandoned.map(turnOf));
  if (!isAgain) return;
  const others = all.filter((delivery) => !abandoned.includes(delivery));
  await Promise.all(others.map((delivery) => makeUp(deps, delivery)));
}

/** What there was no time for comes again. */
async function putBack(
  { deps, group }: Round,
  fates: ReadonlyMap<Telling, Fate | undefined>,
): Promise<void> {
  const events = [...fates].flatMap(([{ event }, fate]) =>
    fate?.kind === "busy" || fate?.kind === "early" ? [event] : [],
  );
  if (events.length === 0) return;
  const { account, endpointId, since } = group;
  const waitMs = waitForSlotMs(deps, since);
  await deps.queue.enqueueGroups(
    [{ account, endpointId, events, since }],
    Math.ceil(waitMs / 1_000),
  );
}

function toldOf({ key }: Telling, fate: Fate | undefined): Told {
  if (!fate) return { key, kind: "busy" };
  if (fate.kind === "delivered") return { key, kind: "delivered", made: fate.made };
  if (fate.kind !== "failed") return { key, kind: fate.kind };
  const kind = fate.ending.kind === "later" ? "will-retry" : "given-up";
  return { key, kind, made: fate.made, disabled: fate.disabled };
}
