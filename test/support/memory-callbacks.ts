import type {
  Delivery,
  DeliveryKey,
  DeliveryTurn,
  EndpointGroup,
  ReleaseJob,
} from "../../functions/core/callback-delivery.ts";
import type {
  CallbackDeadLetters,
  CallbackQueue,
  DeadLetter,
  Deliveries,
  DeliveryChange,
  EndpointHealths,
  EndpointSlots,
  Slot,
} from "../../functions/core/callback-ports.ts";
import {
  type EndpointHealth,
  type EndpointKey,
  goodHealth,
} from "../../functions/core/endpoint-health.ts";
import { slotWidths } from "../../functions/core/endpoint-lanes.ts";
import type { Clock } from "../../functions/core/ports.ts";

const nameOfEndpoint = ({ account, endpointId }: EndpointKey) => `${account}#${endpointId}`;
const nameOf = ({ subject, level, ...endpoint }: DeliveryKey) =>
  `${nameOfEndpoint(endpoint)}#${subject}#${level}`;

/** Without the fields that are removed by giving no value. */
const withoutGaps = (delivery: object) =>
  Object.fromEntries(Object.entries(delivery).filter(([, value]) => value !== undefined));

/** Deliveries in memory, by the contract of the port; the contract's tests run against these and against DynamoDB. */
export class MemoryDeliveries implements Deliveries {
  readonly #deliveries = new Map<string, Delivery>();

  constructor(private readonly clock: Clock) {}

  #current(key: DeliveryKey) {
    const delivery = this.#deliveries.get(nameOf(key));
    return delivery && delivery.removeAt > this.clock.now() / 1_000 ? delivery : undefined;
  }

  #put(delivery: Delivery) {
    this.#deliveries.set(nameOf(delivery), delivery);
    return delivery;
  }

  #of(endpoint: EndpointKey) {
    return this.all().filter(
      (delivery) =>
        nameOfEndpoint(delivery) === nameOfEndpoint(endpoint) && this.#current(delivery),
    );
  }

  /** For tests to look at: everything that was ever stored. */
  all(): Delivery[] {
    return [...this.#deliveries.values()];
  }

  async insert(delivery: Delivery) {
    const stored = this.#current(delivery);
    if (stored) return stored;
    this.#put({ ...delivery });
    return delivery;
  }
  async insertMany(deliveries: readonly Delivery[]) {
    return Promise.all(deliveries.map((delivery) => this.insert(delivery)));
  }
  async insertTold(deliveries: readonly Delivery[]) {
    return this.insertMany(deliveries);
  }
  async noteTold() {}
  async find(key: DeliveryKey) {
    return this.#current(key);
  }
  async findMany(keys: readonly DeliveryKey[]) {
    return keys.flatMap((key) => this.#current(key) ?? []);
  }
  async record(turn: DeliveryTurn, change: DeliveryChange) {
    const stored = this.#current(turn);
    if (!stored || stored.turn > turn.turn) return undefined;
    return this.#put(withoutGaps({ ...stored, ...change }) as Delivery);
  }
  async list(endpoint: EndpointKey, { before, limit }: { before: number; limit: number }) {
    return this.#of(endpoint)
      .filter(({ createdAt }) => createdAt < before)
      .sort((one, other) => other.createdAt - one.createdAt)
      .slice(0, limit);
  }
  async listParked(
    endpoint: EndpointKey,
    { state, since, until }: Pick<ReleaseJob, "state" | "since" | "until">,
    limit: number,
  ) {
    return this.#of(endpoint)
      .flatMap((delivery) =>
        delivery.settledAt === undefined ? [] : [{ delivery, settledAt: delivery.settledAt }],
      )
      .filter(({ delivery }) => delivery.state === state && delivery.level !== "test")
      .filter(({ settledAt }) => since <= settledAt && settledAt <= until)
      .sort((one, other) => one.settledAt - other.settledAt)
      .slice(0, limit)
      .map(({ delivery }) => delivery);
  }
}

/** How endpoints fare, in memory, by the contract of the port. */
export class MemoryEndpointHealths implements EndpointHealths {
  readonly #healths = new Map<string, EndpointHealth>();

  async find(endpoint: EndpointKey) {
    return this.#healths.get(nameOfEndpoint(endpoint)) ?? goodHealth(endpoint);
  }
  async update(read: EndpointHealth, changed: EndpointHealth) {
    const stored = this.#healths.get(nameOfEndpoint(read));
    if ((stored?.revision ?? 0) !== read.revision) return false;
    this.#healths.set(nameOfEndpoint(read), changed);
    return true;
  }
  async remove(endpoint: EndpointKey) {
    this.#healths.delete(nameOfEndpoint(endpoint));
  }
}

/** Slots in memory, by the contract of the port. */
export class MemoryEndpointSlots implements EndpointSlots {
  /** Until when each slot is taken. */
  readonly #taken = new Map<string, number>();

  readonly #widths: readonly number[];

  /** @param atOnce how many requests may be under way to an endpoint */
  constructor(
    atOnce: number,
    private readonly clock: Clock,
  ) {
    this.#widths = slotWidths(atOnce);
  }

  async acquire({ account, endpointId }: EndpointKey, until: number, isForMany: boolean) {
    const all = [...this.#widths.entries()];
    for (const [slot, width] of isForMany ? all.reverse() : all) {
      const name = `${nameOfEndpoint({ account, endpointId })}#${slot}`;
      if ((this.#taken.get(name) ?? 0) > this.clock.now()) continue;
      this.#taken.set(name, until);
      return { account, endpointId, slot, width, until };
    }
    return undefined;
  }
  async release(slot: Slot) {
    const name = `${nameOfEndpoint(slot)}#${slot.slot}`;
    if (this.#taken.get(name) === slot.until) this.#taken.delete(name);
  }
}

/** The ways of deliveries, which remember what they were given, and can refuse. */
export class MemoryCallbackQueue implements CallbackQueue {
  readonly turns: DeliveryTurn[] = [];
  /** Of the turns, those that are not to come at once. */
  readonly delayed: { turn: DeliveryTurn; delaySeconds: number }[] = [];
  readonly later: { turn: DeliveryTurn; notBefore: number }[] = [];
  readonly groups: { group: EndpointGroup; delaySeconds: number }[] = [];
  readonly releases: { job: ReleaseJob; delaySeconds: number }[] = [];
  readonly givenUp: { turn: DeliveryTurn; cause: string }[] = [];
  refuses = false;

  #take<T>(list: T[], ...what: T[]) {
    if (this.refuses) throw new Error("the queue is away");
    list.push(...what);
  }

  async enqueue(turns: readonly DeliveryTurn[], delaySeconds = 0) {
    this.#take(this.turns, ...turns);
    if (delaySeconds > 0) for (const turn of turns) this.delayed.push({ turn, delaySeconds });
  }
  async enqueueGroups(groups: readonly EndpointGroup[], delaySeconds = 0) {
    this.#take(this.groups, ...groups.map((group) => ({ group, delaySeconds })));
  }
  async enqueueLater(turn: DeliveryTurn, notBefore: number) {
    this.#take(this.later, { turn, notBefore });
  }
  async enqueueRelease(job: ReleaseJob, delaySeconds: number) {
    this.#take(this.releases, { job, delaySeconds });
  }
  async giveUp(turn: DeliveryTurn, cause: string) {
    this.#take(this.givenUp, { turn, cause });
  }
}

const UNSEEN_MS = 60_000;

/** Dead letters of callbacks in memory, by the contract of the port. */
export class MemoryCallbackDeadLetters implements CallbackDeadLetters {
  /** What lies there, whether somebody looks at it now or not. */
  readonly letters: DeadLetter[] = [];
  /** The bodies of events that are told anew. */
  readonly resent: string[] = [];
  readonly #unseenUntil = new Map<string, number>();
  #count = 0;

  constructor(private readonly clock: Clock) {}

  /** For tests to begin with. */
  put(body: string, cause?: string) {
    this.letters.push({ body, cause, handle: `handle-${++this.#count}` });
  }

  async receive() {
    const now = this.clock.now();
    const seen = this.letters
      .filter(({ handle }) => (this.#unseenUntil.get(handle) ?? 0) <= now)
      .slice(0, 10);
    for (const { handle } of seen) this.#unseenUntil.set(handle, now + UNSEEN_MS);
    return seen;
  }
  async remove({ handle }: DeadLetter) {
    const index = this.letters.findIndex((letter) => letter.handle === handle);
    if (index >= 0) this.letters.splice(index, 1);
  }
  async resendEvent(body: string) {
    this.resent.push(body);
  }
}
