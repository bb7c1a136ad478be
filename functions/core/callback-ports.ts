import type {
  Delivery,
  DeliveryKey,
  DeliveryTurn,
  EndpointGroup,
  ReleaseJob,
} from "./callback-delivery.ts";
import type { EndpointHealth, EndpointKey } from "./endpoint-health.ts";

/** What may be changed of a delivery; `undefined` removes the field. */
export type DeliveryChange = {
  readonly [Field in
    | "state"
    | "cause"
    | "turn"
    | "step"
    | "attempts"
    | "deadline"
    | "settledAt"
    | "removeAt"]?: Delivery[Field] | undefined;
};

/**
 * What endpoints are told. Every method treats a delivery past its `removeAt` as absent, and throws
 * whatever the store throws when it cannot answer. Reads are strongly consistent, lists are not.
 */
export interface Deliveries {
  /**
   * Stores a delivery unless there is one with its key.
   * @returns the very object that was given where it is stored now, else the one that was there
   */
  insert(delivery: Delivery): Promise<Delivery>;
  /**
   * The same for many, of different keys, in far fewer requests than deliveries. Where it throws,
   * some may be stored.
   * @returns for each, in their order, what `insert` would
   */
  insertMany(deliveries: readonly Delivery[]): Promise<Delivery[]>;
  /**
   * The same for deliveries of one endpoint that need not be stored before: each is one small write.
   * `list` finds them by a list of them that is stored beside them.
   */
  insertTold(deliveries: readonly Delivery[]): Promise<Delivery[]>;
  /** Stores that list once more, for deliveries that lack it perhaps; twice does no harm. */
  noteTold(deliveries: readonly Delivery[]): Promise<void>;
  find(key: DeliveryKey): Promise<Delivery | undefined>;
  /** Those of many keys that there are, in any order. */
  findMany(keys: readonly DeliveryKey[]): Promise<Delivery[]>;
  /**
   * Records what became of a turn, unless that turn is over.
   * @returns the delivery as changed; undefined where its turn is greater than `turn`, or it is gone
   */
  record(turn: DeliveryTurn, change: DeliveryChange): Promise<Delivery | undefined>;
  /** An endpoint's deliveries created before a time, newest first. */
  list(endpoint: EndpointKey, page: { before: number; limit: number }): Promise<Delivery[]>;
  /** An endpoint's deliveries that are `held`, or `failed`, with a `settledAt` in a period (inclusive), oldest first. */
  listParked(
    endpoint: EndpointKey,
    which: Pick<ReleaseJob, "state" | "since" | "until">,
    limit: number,
  ): Promise<Delivery[]>;
}

/** What is known of how endpoints fare. Strongly consistent. */
export interface EndpointHealths {
  /** @returns that of an endpoint of which nothing is known, where nothing is stored */
  find(endpoint: EndpointKey): Promise<EndpointHealth>;
  /**
   * @param changed with a `revision` greater by one than that of `read`
   * @returns false where somebody else has changed it since it was read, and nothing is changed
   */
  update(read: EndpointHealth, changed: EndpointHealth): Promise<boolean>;
  remove(endpoint: EndpointKey): Promise<void>;
}

/** The right to talk to an endpoint for a time. */
export interface Slot extends EndpointKey {
  readonly slot: number;
  /** How many requests may be under way at once under it. */
  readonly width: number;
  readonly until: number;
}

/** Bounds how many requests are under way to one endpoint. */
export interface EndpointSlots {
  /**
   * @param until milliseconds since the epoch; a slot that is not released is free again then
   * @param isForMany whether a slot for several requests is wanted, as far as there are free ones
   * @returns undefined where all are taken
   */
  acquire(endpoint: EndpointKey, until: number, isForMany: boolean): Promise<Slot | undefined>;
  /** Gives a slot back, unless it has run out and is somebody else's. */
  release(slot: Slot): Promise<void>;
}

/** The ways of deliveries: durable once a method returns. */
export interface CallbackQueue {
  /**
   * Turns that wait for nobody's retries.
   * @param delaySeconds 0 to 900; at once where not given
   */
  enqueue(turns: readonly DeliveryTurn[], delaySeconds?: number): Promise<void>;
  /**
   * Events that endpoints are to be told of together, among the first turns.
   * @param delaySeconds 0 to 900; at once where not given
   */
  enqueueGroups(groups: readonly EndpointGroup[], delaySeconds?: number): Promise<void>;
  /** @param notBefore milliseconds since the epoch; at once where it is not in the future */
  enqueueLater(turn: DeliveryTurn, notBefore: number): Promise<void>;
  /** @param delaySeconds 0 to 900 */
  enqueueRelease(job: ReleaseJob, delaySeconds: number): Promise<void>;
  /** Sets a delivery that will not be tried again aside for people to look at. */
  giveUp(turn: DeliveryTurn, cause: string): Promise<void>;
}

/** A message of the dead-letter queue of callbacks. */
export interface DeadLetter {
  /** As it was written; JSON as a rule. */
  readonly body: string;
  readonly cause: string | undefined;
  /** What removes it. */
  readonly handle: string;
}

/** The dead-letter queues of callbacks, as far as their content is brought back. */
export interface CallbackDeadLetters {
  /** Up to ten that nobody else gets for a minute; none where nothing is left, as far as can be seen. */
  receive(): Promise<DeadLetter[]>;
  remove(letter: DeadLetter): Promise<void>;
  /** Has an event told anew, to all endpoints that want it. */
  resendEvent(body: string): Promise<void>;
}
