import type { Account, Endpoint } from "./account.ts";
import type { BatchJob, BatchRef, Release } from "./batch.ts";
import type { CarrierChanged, EndpointDisabled, TorpedoEvent } from "./events.ts";
import type { HandOverRecord } from "./hand-over-record.ts";
import type { Message, MessageRef } from "./message.ts";
import type { Mo } from "./mo.ts";

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
  /** A secret that callbacks are signed with: `whsec_`, and 256 bits in Base64. */
  signingSecret(): string;
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
  /**
   * Stores a new message unless its account has one with its id; answers that one where it has.
   * One that is there already as given counts as inserted.
   */
  insert(message: Message): Promise<{ inserted: true } | { inserted: false; existing: Message }>;
  /**
   * Stores those of many new messages of an account, all with different ids, whose ids are not taken.
   * @returns what is now stored under each message's id, in order: itself where it was inserted
   */
  insertMany(messages: readonly Message[]): Promise<Message[]>;
  /**
   * Undoes an insert nobody was told of.
   * @returns false where the message has moved on or is kept for a retry, and stays
   */
  withdraw(ref: MessageRef): Promise<boolean>;
  /** Reads one message, strongly consistent. */
  find(account: string, id: string): Promise<Message | undefined>;
  /** Reads those of many messages that there are, strongly consistent, in any order. */
  findMany(account: string, ids: readonly string[]): Promise<Message[]>;
  /**
   * The last message that a phone was sent from a short code, whoever's it was.
   * @param phone E.164 without the plus sign
   * @param before milliseconds since the epoch, inclusive
   */
  findLastSent(phone: string, shortCode: string, before: number): Promise<SentMessage | undefined>;
  /** The account's messages with these correlation ids, the newest of each; a new one may take a moment to be found. */
  findCorrelated(account: string, correlationIds: readonly string[]): Promise<Message[]>;
  /**
   * Takes up to `limit` of the account's messages, or of one sub-account's, whose status has changed
   * since it was last taken and is one that clients of the list are told (`isListed`): each change is
   * handed to one caller, once, unless another change overtakes it. Where it throws nothing was taken.
   */
  takeChanged(account: string, limit: number, subAccount?: string): Promise<Message[]>;
  /**
   * Claims a message for hand-over: from QUEUED, or from a SENDING whose lease has run out after
   * its last call, at a time when it may be sent. Counts the attempt.
   */
  claim(ref: MessageRef, claim: ClaimRequest): Promise<Claim>;
  /**
   * Changes a message if it is still in the state, under the lease if any, and with the parts if
   * any, that it was seen in.
   * @returns the message as it was seen with the change, or undefined where somebody else was faster
   */
  change(seen: Message, change: MessageChange): Promise<Message | undefined>;
}

/** What an MO needs to know of the message that it answers. */
export type SentMessage = Pick<
  Message,
  "account" | "id" | "traceId" | "dialect" | "correlationId" | "subAccount" | "campaign" | "sender"
>;

/** A message of a batch that is not expanded yet. `begun`: its expansion has been begun. */
export interface OpenMessage {
  readonly message: Message;
  readonly batch: BatchRef;
  readonly begun: boolean;
}

/**
 * Bulk requests. The messages of one are kept as they were accepted; while the batch is open they
 * are found here, because they are no items of their own yet.
 */
export interface BatchStore {
  /** Keeps the messages of a new batch. Nobody finds them before it is opened. */
  keep(batch: BatchRef, messages: readonly Message[]): Promise<void>;
  /** Opens a batch that is kept. */
  open(batch: BatchRef, messages: readonly Message[]): Promise<void>;
  /** @returns false where its expansion has begun, and it stays */
  withdraw(batch: BatchRef): Promise<boolean>;
  /** Begins with the expansion, or begins again. @returns false where the batch is not open */
  begin(batch: BatchRef): Promise<boolean>;
  /** The messages of a batch as they were accepted; none past the retention of the last. */
  load(batch: BatchRef): Promise<Message[]>;
  /** Its messages are items of their own now. */
  close(batch: BatchRef): Promise<void>;
  /** Those of the account's messages with these ids, or correlation ids, that are in open batches; strongly consistent. */
  findOpen(
    account: string,
    ids: readonly string[],
    correlationIds?: readonly string[],
  ): Promise<OpenMessage[]>;
  /** Counts a canceled message once. @returns how many of the release are canceled by now */
  noteCanceled(release: Release, traceId: string): Promise<number>;
}

/** The way to the worker on batches: durable once it returns. */
export interface BatchQueue {
  enqueue(job: BatchJob): Promise<void>;
  /** Has a batch's messages released when they are due, once for however often it is asked. */
  schedule(release: Release): Promise<void>;
  /** Deletes the schedule of a release, if there is one. */
  unschedule(release: Release): Promise<void>;
}

/** Whose an MO is, and how that one is told of it. */
export type MoOwner = Pick<Mo, "account" | "subAccount" | "dialect">;

/** Which new MOs: those of one sub-account, those received since a time in milliseconds since the epoch. */
export interface NewMos {
  readonly subAccount?: string | undefined;
  readonly since?: number | undefined;
}

/** What phones have sent. Every method treats an MO past its `removeAt` as absent. */
export interface MoStore {
  /**
   * Stores an MO, once however often it comes, also where it would be another account's by now.
   * @returns whose it is: as it was stored first
   */
  insert(mo: Mo): Promise<MoOwner>;
  /**
   * Takes up to `limit` of the account's new MOs: each is handed to one caller, once. Those of no
   * sub-account come first, then those of one after the other; all that are taken, oldest first.
   * Where it throws nothing was taken, unless the store did so and failed to answer again and again.
   */
  takeNew(account: string, limit: number, only?: NewMos): Promise<Mo[]>;
  /** The MOs of an account, or of one of its sub-accounts, received in a period (milliseconds since the epoch, inclusive), oldest first. */
  search(
    account: string,
    period: { from: number; to: number },
    limit: number,
    subAccount?: string,
  ): Promise<Mo[]>;
}

/** A claim on a message. Times are milliseconds since the epoch. */
export interface ClaimRequest {
  readonly now: number;
  readonly lease: { readonly token: string; readonly until: number };
  readonly carrier: string;
  /** How the message was a moment ago: then it need not be sent back, as a rule. */
  readonly known?: Message;
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
  /** The account that a short code's MOs are for when they answer no message; the first where several claim it. */
  findAccountOfShortCode(shortCode: string): Promise<string | undefined>;
  listEndpoints(account: string): Promise<Endpoint[]>;
  findEndpoint(account: string, endpointId: string): Promise<Endpoint | undefined>;
  putEndpoint(endpoint: Endpoint): Promise<void>;
  /** @returns false where somebody else has changed or removed it since it was read */
  updateEndpoint(read: Endpoint, changed: Endpoint): Promise<boolean>;
  /** @returns false where there was none */
  removeEndpoint(account: string, endpointId: string): Promise<boolean>;
}

/** One of many messages on their way to dispatch. */
export interface ToDispatch {
  readonly ref: MessageRef;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  /** How many SMS it is. */
  readonly parts: number;
  /** The message as it is now, which dispatch then need not read. */
  readonly message?: Message;
}

/** The way to dispatch: durable once it returns. */
export interface DispatchQueue {
  /**
   * @param notBefore milliseconds since the epoch; at once where it is not in the future
   * @throws where neither queue nor scheduler takes it
   */
  enqueue(ref: MessageRef, notBefore: number): Promise<void>;
  /** The same for many, in far fewer requests than messages. */
  enqueueMany(messages: readonly ToDispatch[]): Promise<void>;
  /** Deletes the schedule of a message that was enqueued for this time, if there is one. */
  unschedule(ref: MessageRef, notBefore: number): Promise<void>;
  /** Keeps what became of a hand-over until it can be written down. */
  enqueueRecord(record: HandOverRecord): Promise<void>;
}

/** The bus on which the world hears of changes. */
export interface EventBus {
  /** @returns the indices of the events that were not taken */
  publish(events: readonly (TorpedoEvent | EndpointDisabled | CarrierChanged)[]): Promise<number[]>;
}

/** A request to a customer's URL. */
export interface WebhookRequest {
  readonly method: Endpoint["method"];
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A GET has none. */
  readonly body?: string;
}

/**
 * How a request to a customer's URL went. `durationMs` is its elapsed time. `refused`: there is
 * nobody that we may talk to at this URL.
 */
export type WebhookResult =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** The first 1,024 bytes of the answer's body, as far as they came. */
      readonly answer: string;
      /** As the header says it. */
      readonly retryAfter?: string | undefined;
      readonly durationMs: number;
    }
  | {
      readonly kind: "failed" | "refused";
      readonly cause: string;
      readonly durationMs: number;
    };

/** HTTP to customers: no redirects, no private addresses, a time limit. Never throws. */
export interface WebhookClient {
  send(request: WebhookRequest): Promise<WebhookResult>;
}
