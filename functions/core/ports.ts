import type { Account, Endpoint } from "./account.ts";
import type { CallbackDelivery } from "./callback-delivery.ts";
import type { MessageStatusChanged } from "./events.ts";
import type { HandOverRecord } from "./hand-over-record.ts";
import type { Message, MessageRef } from "./message.ts";

/** The only source of time in the core; milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

/** The only sources of chance in the core. */
export interface Randomness {
  /** A new UUIDv7. */
  uuid(): string;
  /** At least 256 bits, printable, without characters that a shell or an URL would mind. */
  secret(): string;
  /** Uniform in [0, 1). */
  fraction(): number;
}

/** Bounds how long something may take. */
export interface TimeLimit {
  /** @throws Error where `work` has not ended within `ms`; it may still end later */
  within<T>(ms: number, work: Promise<T>): Promise<T>;
}

/** Where what cannot be processed is set aside for people to look at. */
export interface DeadLetters {
  put(what: unknown, cause: string): Promise<void>;
}

/** What may be changed of a stored message; `undefined` removes the field. */
export type MessageChange = {
  readonly [Field in keyof Omit<Message, "version" | "account" | "id" | "traceId">]?:
    | Message[Field]
    | undefined;
};

/** How a claim ended: got it; not to be had, as the message stands; no such message. */
export type Claim =
  | { readonly kind: "claimed"; readonly message: Message }
  | { readonly kind: "refused"; readonly message: Message }
  | { readonly kind: "absent" };

/**
 * The messages. Every method treats a message past its `removeAt` as absent. Methods throw
 * whatever the store throws when it cannot answer.
 */
export interface MessageStore {
  /** Stores a new message unless its account has one with its id; answers that one where it has. */
  insert(message: Message): Promise<{ inserted: true } | { inserted: false; existing: Message }>;
  /**
   * Undoes an insert nobody was told of.
   * @returns false where the message has moved on, and stays
   */
  withdraw(ref: MessageRef): Promise<boolean>;
  /** Reads one message, strongly consistent. */
  find(account: string, id: string): Promise<Message | undefined>;
  /**
   * Claims a message for hand-over: from QUEUED, or from a SENDING whose lease has run out, at a
   * time when it may be sent. Counts the attempt.
   */
  claim(ref: MessageRef, claim: ClaimRequest): Promise<Claim>;
  /**
   * Changes a message if it is still in the state, and under the lease if any, that it was seen in.
   * @returns the message as changed, or undefined where somebody else was faster
   */
  change(seen: MessageSeen, change: MessageChange): Promise<Message | undefined>;
}

/** A message, as far as it tells whether anybody has changed it since. */
export type MessageSeen = MessageRef & Pick<Message, "state" | "lease">;

/** A claim on a message. Times are milliseconds since the epoch. */
export interface ClaimRequest {
  readonly now: number;
  readonly lease: { readonly token: string; readonly until: number };
  readonly carrier: string;
}

/** The accounts and what belongs to them. */
export interface Directory {
  /** Reads one account, strongly consistent. */
  findAccount(account: string): Promise<Account | undefined>;
  /** Stores a new account. @returns false where the name is taken */
  insertAccount(account: Account): Promise<boolean>;
  /**
   * Replaces an account that was read before, unless somebody else has changed it since.
   * @returns false where it was, and nothing is changed
   */
  updateAccount(read: Account, changed: Account): Promise<boolean>;
  listAccounts(): Promise<Account[]>;
  listEndpoints(account: string): Promise<Endpoint[]>;
  putEndpoint(endpoint: Endpoint): Promise<void>;
  /** @returns false where there was none */
  removeEndpoint(account: string, endpointId: string): Promise<boolean>;
}

/** The way to dispatch: durable once it returns. */
export interface DispatchQueue {
  /**
   * @param notBefore milliseconds since the epoch; at once where it is not in the future
   * @throws where neither queue nor scheduler takes it
   */
  enqueue(ref: MessageRef, notBefore: number): Promise<void>;
  /** Keeps what became of a hand-over until it can be written down. */
  enqueueRecord(record: HandOverRecord): Promise<void>;
}

/** The way out of failed callbacks. */
export interface CallbackRetryQueue {
  /** @param delaySeconds 0 to 900 */
  enqueue(delivery: CallbackDelivery, delaySeconds: number): Promise<void>;
  /** Sets a delivery that will not be tried again aside for people to look at. */
  giveUp(delivery: CallbackDelivery, cause: string): Promise<void>;
}

/** The bus on which the world hears of changes. */
export interface EventBus {
  /** @returns the indices of the events that were not taken */
  publish(events: readonly MessageStatusChanged[]): Promise<number[]>;
}

/** A request to a customer's URL. */
export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How a request to a customer's URL went. `durationMs` is its elapsed time. */
export type WebhookResult =
  | { readonly kind: "answered"; readonly status: number; readonly durationMs: number }
  | { readonly kind: "failed"; readonly cause: string; readonly durationMs: number };

/** HTTP to customers: no redirects, no private addresses, a time limit. Never throws. */
export interface WebhookClient {
  post(request: WebhookRequest): Promise<WebhookResult>;
}
