import { isFinal, type Reason, type State, TRANSITIONS } from "../../functions/core/lifecycle.ts";
import type { EndpointOfWorld, HandOver, Post, SentByClient, StateSeen } from "./ledger.ts";
import { type PlayedWorld, POISON } from "./world.ts";

/** "000" is accepted, "080" says that it was accepted before. */
const ACCEPTED = ["000", "080"];
const CANCELED = ["002", "132"];
const FIRST_STATES: readonly State[] = ["QUEUED", "SCHEDULED", "BLOCKED", "CANCELED"];

/** What was promised and is not so; empty where every promise was kept. */
export async function violationsOf(world: PlayedWorld): Promise<string[]> {
  return [
    ...deniedByRole(world),
    ...acceptedWithoutEnd(world),
    ...handedOverTwice(world),
    ...canceledInVain(world),
    ...doesNotFitTheCarrier(world),
    ...wentBackwards(world),
    ...untold(world),
    ...mosLostOrDoubled(world),
    ...leftOver(world),
    ...(await countedWrong(world)),
    ...(await calledBackWrong(world)),
  ];
}

/** Promise 7, from the other side: each function may do what it does. */
function* deniedByRole({ ledger }: PlayedWorld): Generator<string> {
  for (const denied of ledger.denied) yield `a role does not allow ${denied}`;
}

type Named = Pick<SentByClient, "account" | "id">;
const isOf = (sent: Named, other: Named | undefined) =>
  other?.account === sent.account && other.id === sent.id;

/** The lives of a message: of each trace that was stored under its id, and not withdrawn. */
function livesOf({ ledger }: PlayedWorld, sent: SentByClient): [string, StateSeen[]][] {
  return [...ledger.histories].filter(
    ([traceId, history]) => !ledger.withdrawn.has(traceId) && isOf(sent, history[0]),
  );
}

/** Promise 1: what was answered with 2xx reaches a final state; where the carrier tells nothing more, that is SENT. */
function* acceptedWithoutEnd(world: PlayedWorld): Generator<string> {
  for (const sent of world.ledger.sent) {
    const lives = livesOf(world, sent);
    const name = `${sent.account}/${sent.id}`;
    const isAccepted = sent.answers.some((answer) => ACCEPTED.includes(answer));
    if (isAccepted && lives.length === 0) yield `${name} was accepted, and is lost`;
    if (lives.length > 1) yield `${name} has ${lives.length} lives`;
    for (const [, history] of lives) {
      const end = history.at(-1) as StateSeen;
      const ends = isFinal(end.state, end.reason as Reason | undefined);
      const mayStaySent = end.state === "SENT" && !hasReceipts(sent, end.parts);
      // A client that was never answered may have left a message that nobody will send.
      if (isAccepted && !ends && !mayStaySent) yield `${name} (${sent.answers}) stays ${end.state}`;
    }
  }
}

/** Whether each part of a message gets a receipt. */
function hasReceipts({ plan: { carrier } }: SentByClient, parts: number): boolean {
  return carrier.receipts.some(({ isByPart }) => isByPart || parts >= 1);
}

/** Promise 3: once, except when a function dies between the carrier's acceptance and the record of it. */
function* handedOverTwice({ ledger }: PlayedWorld): Generator<string> {
  const byPart = new Map<string, HandOver[]>();
  for (const handOver of ledger.handOvers) {
    const key = `${handOver.account}/${handOver.id} part ${handOver.part}`;
    byPart.set(key, [...(byPart.get(key) ?? []), handOver]);
  }
  for (const [name, handOvers] of byPart) {
    for (const [index, again] of handOvers.slice(1).entries()) {
      const first = handOvers[index] as HandOver;
      if (mayComeAgain(first, again.at)) continue;
      const { cutOffBy = "lived" } = first.by;
      yield `${name} was handed over again, though it was ${first.isRecorded ? "" : "not "}recorded by who ${cutOffBy}`;
    }
  }
}

/**
 * Whether nobody can know of a hand-over any more: whoever did it is gone, and has written it down
 * neither in the table nor in the queue, because it died or because neither took it.
 */
function mayComeAgain({ by, isRecorded }: HandOver, at: number): boolean {
  if (isRecorded || by.endedAt > at) return false;
  return by.cutOffBy === "crashed" || (by.failedBy.has("dynamodb") && by.failedBy.has("sqs"));
}

/** What is canceled is never handed over. */
function* canceledInVain(world: PlayedWorld): Generator<string> {
  for (const sent of world.ledger.sent) {
    const name = `${sent.account}/${sent.id}`;
    if (!sent.cancellations.some((answer) => CANCELED.includes(answer))) continue;
    const handedOver = world.ledger.handOvers.filter((it) => isOf(sent, it));
    if (handedOver.length > 0) yield `${name} was canceled, and handed over`;
    for (const [, history] of livesOf(world, sent)) {
      const state = history.at(-1)?.state;
      if (state !== "CANCELED") yield `${name} was canceled, and is ${state}`;
    }
  }
}

/** What became of a message is what the carrier made of it. */
function* doesNotFitTheCarrier({ ledger }: PlayedWorld): Generator<string> {
  for (const [traceId, history] of ledger.histories) {
    const end = history.at(-1) as StateSeen;
    const handOvers = ledger.handOvers.filter((it) => it.traceId === traceId);
    const [first] = handOvers;
    const name = `${end.account}/${end.id}`;
    if (history.some(({ state }) => state === "SENT") && !first) {
      yield `${name} is SENT, and nobody handed it over`;
    }
    if (!first) continue;
    const { receipts, answer } = first.plan;
    if (end.state === "DELIVERED" && !receipts.some(({ isDelivered }) => isDelivered)) {
      yield `${name} is DELIVERED, and no receipt said so`;
    }
    if (end.state === "NOT_DELIVERED" && receipts.every(({ isDelivered }) => isDelivered)) {
      yield `${name} is NOT_DELIVERED, and no receipt said so`;
    }
    const isCertain = handOvers.every(({ by }) => !by.cutOffBy) && answer === "accepted";
    if (end.state === "FAILED" && end.parts === 1 && isCertain) {
      yield `${name} is FAILED, though the carrier has it and nobody had died`;
    }
  }
}

/** Promise 4: state only moves along the lifecycle. */
function* wentBackwards({ ledger }: PlayedWorld): Generator<string> {
  for (const history of ledger.histories.values()) {
    const [first] = history;
    if (first && !FIRST_STATES.includes(first.state)) {
      yield `${first.account}/${first.id} began ${first.state}`;
    }
    for (const [index, { account, id, state }] of history.slice(1).entries()) {
      const before = (history[index] as StateSeen).state;
      // A lease that has run out is claimed again.
      if (before === state && state === "SENDING") continue;
      if (!TRANSITIONS[before].includes(state)) {
        yield `${account}/${id} went from ${before} to ${state}`;
      }
    }
  }
}

/** Promise 2: each change of state that customers can be told of is told on the bus. */
function* untold({ ledger, bus }: PlayedWorld): Generator<string> {
  const told = new Set(bus.events.map(({ detail }) => `${detail.traceId} ${detail.state}`));
  for (const [traceId, history] of ledger.histories) {
    for (const { account, id, state } of history) {
      if (state !== "SENT" && !isFinal(state)) continue;
      if (!told.has(`${traceId} ${state}`))
        yield `nobody was told that ${account}/${id} is ${state}`;
    }
  }
}

/** What phones send is stored once, and told. */
function* mosLostOrDoubled({ ledger, bus }: PlayedWorld): Generator<string> {
  for (const [text, isSomebodys] of ledger.mosReported) {
    const stored = ledger.mosStored.filter((mo) => mo.text === text);
    const wanted = isSomebodys ? 1 : 0;
    if (stored.length !== wanted) yield `MO ${text} was stored ${stored.length} times`;
    const isTold = bus.events.some(({ detail }) => detail.text === text);
    if (isSomebodys && !isTold) yield `nobody was told of MO ${text}`;
  }
}

/** Nothing waits any more, and nothing was set aside but what nobody can do anything about, with its reason. */
function* leftOver({ queues, schedules, hasPoison }: PlayedWorld): Generator<string> {
  let isPoisonThere = false;
  for (const [queueId, messages] of queues.all()) {
    for (const { body, attributes } of messages) {
      const isPoison = body === POISON;
      isPoisonThere ||= isPoison;
      const isForPeople = isPoison || isStray(body) || isGivenUp(body);
      const isSetAside = queues.isForDeadLetters(queueId) && attributes.cause !== undefined;
      if (!isForPeople || !isSetAside) {
        yield `left in ${queueId}: ${body} ${JSON.stringify(attributes)}`;
      }
    }
  }
  if (hasPoison && !isPoisonThere) yield "what could not be read is lost";
  if (schedules.size > 0) yield `${schedules.size} schedules never fired`;
}

/** An MO that is nobody's is for people to look at, and so is a delivery that failed for good. */
const isStray = (body: string) => body.includes(`"stray-`);
const isGivenUp = (body: string) => "turn" in JSON.parse(body);

/** Counters agree with the messages: never too low, and too high only where nobody can know. */
async function countedWrong(world: PlayedWorld): Promise<string[]> {
  const { ledger } = world;
  const [account] = world.accounts;
  const usage = await world.read("DIRECTORY_TABLE", `USAGE#${account}`, "USAGE");
  const counted = Number(usage?.usedToday?.N ?? 0);
  let least = 0;
  let most = 0;
  for (const [traceId, [first]] of ledger.histories) {
    if (first?.account !== account || ledger.withdrawn.has(traceId)) continue;
    if (first.state !== "BLOCKED") most += first.parts;
    // What was canceled before it was anything may be of a batch that was not accepted in the end.
    if (first.state !== "BLOCKED" && first.state !== "CANCELED") least += first.parts;
  }
  const isTooMuch = counted > most && !ledger.mayCountTooMuch.has(account);
  return counted < least || isTooMuch
    ? [`${account} was counted ${counted} parts, and sent ${least} to ${most}`]
    : [];
}

type Level = "sent" | "delivered" | "received";

/** Something that an endpoint is to be told. */
interface Wanted {
  readonly endpoint: EndpointOfWorld;
  readonly subject: string;
  readonly level: Level;
}

const LEVEL_OF_STATE: Partial<Record<State, Level>> = {
  SENT: "sent",
  CANCELED: "sent",
  BLOCKED: "sent",
  EXPIRED: "sent",
  FAILED: "sent",
  DELIVERED: "delivered",
  NOT_DELIVERED: "delivered",
};

function* wantedOf({ ledger }: PlayedWorld): Generator<Wanted> {
  for (const endpoint of ledger.endpoints) {
    const listensTo = (level: Level) =>
      endpoint.plan.events.some((event) => event === "any" || event === level);
    for (const [traceId, history] of ledger.histories) {
      for (const { account, state, reason, callbackOption } of history) {
        const level = LEVEL_OF_STATE[state];
        if (account !== endpoint.account || !level || !listensTo(level)) continue;
        const option = callbackOption ?? endpoint.plan.callbackOption;
        const isLast = isFinal(state, reason as Reason | undefined);
        if (option === "ALL" || (option === "FINAL" && isLast)) {
          yield { endpoint, subject: traceId, level };
        }
      }
    }
    for (const { account, moId } of ledger.mosStored) {
      if (account !== endpoint.account || !listensTo("received")) continue;
      yield { endpoint, subject: `mo-${moId}`, level: "received" };
    }
  }
}

const idOfDelivery = ({ endpoint, subject, level }: Wanted) =>
  `${endpoint.endpointId}_${subject}_${level}`;

/** Every endpoint is told what it wants, in order, or the delivery is written down as failed; and nobody else is told anything. */
async function calledBackWrong(world: PlayedWorld): Promise<string[]> {
  const { ledger } = world;
  const violations: string[] = [];
  const wanted = new Map([...wantedOf(world)].map((it) => [idOfDelivery(it), it]));
  for (const { endpoint, deliveryId } of ledger.posts) {
    if (wanted.get(deliveryId)?.endpoint !== endpoint) {
      violations.push(`${endpoint.url} was told ${deliveryId}, which is not for it`);
    }
  }
  for (const [deliveryId, { endpoint, subject, level }] of wanted) {
    const posts = ledger.posts.filter((post) => post.deliveryId === deliveryId);
    const key = `${endpoint.account}#${endpoint.endpointId}#${subject}`;
    const state = (await world.read("CALLBACKS_TABLE", key, level))?.state?.S ?? "nowhere";
    const isTaken = posts.some((post) => post.isTaken);
    const isFailed = endpoint.plan.trouble !== "none" && state === "failed";
    if (!isFailed && !(isTaken && state === "delivered")) {
      violations.push(`${deliveryId} is ${state}, ${isTaken ? "and" : "but not"} taken`);
    }
    if (level !== "delivered") continue;
    const sentId = idOfDelivery({ endpoint, subject, level: "sent" });
    violations.push(...toldOutOfOrder(ledger.posts, sentId, deliveryId));
  }
  return violations;
}

/** DELIVERED is never told before SENT was taken, or given up. */
function* toldOutOfOrder(
  posts: readonly Post[],
  sentId: string,
  deliveredId: string,
): Generator<string> {
  const first = posts.findIndex(({ deliveryId }) => deliveryId === deliveredId);
  if (first < 0) return;
  const isSent = ({ deliveryId }: Post) => deliveryId === sentId;
  const sentBefore = posts.slice(0, first).filter(isSent);
  const isLater = posts.slice(first).some(isSent);
  if (isLater && !sentBefore.some(({ isTaken }) => isTaken)) {
    yield `${deliveredId} was told before ${sentId}`;
  }
}
