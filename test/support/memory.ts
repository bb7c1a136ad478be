import { isDeepStrictEqual } from "node:util";
import type { Account, Endpoint } from "../../functions/core/account.ts";
import type { BatchJob, BatchRef, Release } from "../../functions/core/batch.ts";
import type { TorpedoEvent } from "../../functions/core/events.ts";
import type { HandOverRecord } from "../../functions/core/hand-over-record.ts";
import type { Message, MessageRef } from "../../functions/core/message.ts";
import type { Mo } from "../../functions/core/mo.ts";
import type {
  BatchQueue,
  BatchStore,
  Clock,
  DeadLetters,
  Directory,
  DispatchQueue,
  EventBus,
  MessageChange,
  MessageStore,
  MoStore,
  NewMos,
  OpenMessage,
  Randomness,
  TimeLimit,
  ToDispatch,
  WebhookClient,
  WebhookRequest,
  WebhookResult,
} from "../../functions/core/ports.ts";
import { hasListedChanges, isListed } from "../../functions/core/status-list.ts";

/** A clock that stands still until it is told to move. */
export class ManualClock implements Clock {
  constructor(public time = Date.parse("2026-03-02T15:00:00Z")) {}
  now() {
    return this.time;
  }
  advance(ms: number) {
    this.time += ms;
  }
}

/** Chance without chance: numbered ids and a fraction of one's choosing. */
export class CountingRandomness implements Randomness {
  #count = 0;
  constructor(private readonly chosenFraction = 0) {}
  uuid() {
    return `uuid-${++this.#count}`;
  }
  secret() {
    return `secret-${++this.#count}`;
  }
  signingSecret() {
    return `whsec_${Buffer.from(`signing-${++this.#count}`).toString("base64")}`;
  }
  fraction() {
    return this.chosenFraction;
  }
}

/** A time limit that is reached when the test says so, and never by itself. */
export class ManualTimeLimit implements TimeLimit {
  readonly asked: number[] = [];
  #reach: (error: Error) => void = () => {};

  async within<T>(ms: number, work: Promise<T>): Promise<T> {
    this.asked.push(ms);
    const limit = new Promise<never>((_, reject) => {
      this.#reach = reject;
    });
    return Promise.race([work, limit]);
  }
  reach() {
    this.#reach(new RangeError("out of time"));
  }
}

/**
 * Messages in memory, by the contract of the port; the contract's tests run against this store
 * and against DynamoDB.
 */
export class MemoryMessages implements MessageStore {
  readonly #messages = new Map<string, Message>();
  /** In which state each message was last taken from the list of changes, by trace. */
  readonly #taken = new Map<string, Message["state"]>();
  /** Every state that each message was in, by trace. */
  readonly history = new Map<string, Message["state"][]>();

  constructor(private readonly clock: Clock) {}

  async insert(message: Message) {
    const existing = this.#current(message.account, message.id);
    const isThisOne =
      existing?.traceId === message.traceId &&
      existing.state === message.state &&
      existing.stateAt === message.stateAt;
    if (isThisOne) return { inserted: true as const };
    if (existing) return { inserted: false as const, existing };
    this.#put(message);
    return { inserted: true as const };
  }

  async insertMany(messages: readonly Message[]) {
    return messages.map((message) => {
      const existing = this.#current(message.account, message.id);
      if (!existing) this.#put(message);
      return existing ?? message;
    });
  }

  async withdraw({ account, id, traceId }: MessageRef) {
    const message = this.#current(account, id);
    const waiting = message?.state === "QUEUED" || message?.state === "SCHEDULED";
    if (message?.traceId !== traceId) return true;
    if (!waiting || message.attempts > 0 || message.kept) return false;
    this.#messages.delete(`${account}#${id}`);
    return true;
  }

  async find(account: string, id: string) {
    return this.#current(account, id);
  }

  async findMany(account: string, ids: readonly string[]) {
    return ids.flatMap((id) => this.#current(account, id) ?? []);
  }

  async findLastSent(phone: string, shortCode: string, before: number) {
    return [...this.#messages.values()]
      .filter((message) => this.#current(message.account, message.id) === message)
      .filter(
        ({ destination, sentAt, ...message }) =>
          destination === phone &&
          message.shortCode === shortCode &&
          sentAt !== undefined &&
          sentAt <= before,
      )
      .sort((one, other) => (other.sentAt ?? 0) - (one.sentAt ?? 0))[0];
  }

  async findCorrelated(account: string, correlationIds: readonly string[]) {
    return [...this.#messages.values()].filter(
      ({ id, correlationId = "", ...message }) =>
        message.account === account &&
        correlationId !== "" &&
        correlationIds.includes(correlationId) &&
        this.#current(account, id),
    );
  }

  async takeChanged(account: string, limit: number, subAccount?: string) {
    const changed = [...this.#messages.values()]
      .filter((message) => message.account === account && hasListedChanges(message))
      .filter((message) => isListed(message) && this.#current(account, message.id) === message)
      .filter((message) => this.#taken.get(message.traceId) !== message.state)
      .filter((message) => subAccount === undefined || message.subAccount === subAccount)
      .slice(0, limit);
    for (const { traceId, state } of changed) this.#taken.set(traceId, state);
    return changed;
  }

  /** Without a pause, so that what is checked and what is changed are one step. */
  #current(account: string, id: string) {
    const message = this.#messages.get(`${account}#${id}`);
    return message && message.removeAt > this.clock.now() / 1_000 ? message : undefined;
  }

  async claim(ref: MessageRef, { now, lease, carrier }: Parameters<MessageStore["claim"]>[1]) {
    const message = this.#current(ref.account, ref.id);
    if (message?.traceId !== ref.traceId) return { kind: "absent" as const };
    const leaseRanOut =
      message.state === "SENDING" && message.lease?.lastCall === true && message.lease.until <= now;
    const inTime = message.claimableFrom <= now && message.claimableUntil > now;
    if (!(message.state === "QUEUED" || leaseRanOut) || !inTime) {
      return { kind: "refused" as const, message };
    }
    const claimed: Message = {
      ...message,
      state: "SENDING",
      stateAt: now,
      lease,
      carrier,
      attempts: message.attempts + 1,
    };
    this.#put(claimed);
    return { kind: "claimed" as const, message: claimed };
  }

  async change(seen: Message, change: MessageChange) {
    const stored = this.#current(seen.account, seen.id);
    const untouched =
      stored?.traceId === seen.traceId &&
      stored.state === seen.state &&
      stored.lease?.token === seen.lease?.token &&
      (!seen.parts || isDeepStrictEqual(stored.parts, seen.parts));
    if (!untouched) return undefined;
    this.#put({ ...stored, ...change } as Message);
    return { ...seen, ...change } as Message;
  }

  #put(message: Message) {
    this.#messages.set(`${message.account}#${message.id}`, message);
    const states = this.history.get(message.traceId) ?? [];
    if (states.at(-1) !== message.state) states.push(message.state);
    this.history.set(message.traceId, states);
  }
}

/** Accounts in memory. */
export class MemoryDirectory implements Directory {
  readonly accounts = new Map<string, Account>();
  readonly endpoints: Endpoint[] = [];
  lookUps = 0;

  async findAccount(account: string) {
    this.lookUps++;
    return this.accounts.get(account);
  }
  async insertAccount(account: Account) {
    if (this.accounts.has(account.account)) return false;
    this.accounts.set(account.account, account);
    return true;
  }
  async updateAccount(read: Account, changed: Account) {
    if (this.accounts.get(read.account)?.revision !== read.revision) return false;
    this.accounts.set(changed.account, changed);
    return true;
  }
  async listAccounts() {
    return [...this.accounts.values()];
  }
  async findAccountOfShortCode(shortCode: string) {
    return [...this.accounts.values()].find(({ shortCodes }) => shortCodes.includes(shortCode))
      ?.account;
  }
  async listEndpoints(account: string) {
    return this.endpoints.filter((endpoint) => endpoint.account === account);
  }
  async findEndpoint(account: string, endpointId: string) {
    return this.endpoints.find(
      (endpoint) => endpoint.account === account && endpoint.endpointId === endpointId,
    );
  }
  async putEndpoint(endpoint: Endpoint) {
    this.endpoints.push(endpoint);
  }
  async updateEndpoint(read: Endpoint, changed: Endpoint) {
    const index = this.endpoints.findIndex(
      (endpoint) => endpoint.account === read.account && endpoint.endpointId === read.endpointId,
    );
    const stored = this.endpoints[index];
    if (stored?.revision !== read.revision || stored.createdAt !== read.createdAt) return false;
    this.endpoints[index] = changed;
    return true;
  }
  async removeEndpoint(account: string, endpointId: string) {
    const index = this.endpoints.findIndex(
      (endpoint) => endpoint.account === account && endpoint.endpointId === endpointId,
    );
    if (index < 0) return false;
    this.endpoints.splice(index, 1);
    return true;
  }
}

/** A dispatch queue that remembers what it was given, and can refuse. */
export class MemoryDispatchQueue implements DispatchQueue {
  readonly entries: (Omit<ToDispatch, "parts"> & Partial<Pick<ToDispatch, "parts">>)[] = [];
  readonly records: HandOverRecord[] = [];
  readonly unscheduled: { ref: MessageRef; notBefore: number }[] = [];
  refuses = false;

  async enqueue(ref: MessageRef, notBefore: number) {
    if (this.refuses) throw new Error("the queue is away");
    this.entries.push({ ref, notBefore });
  }

  async enqueueMany(messages: readonly ToDispatch[]) {
    if (this.refuses) throw new Error("the queue is away");
    this.entries.push(...messages);
  }

  async unschedule(ref: MessageRef, notBefore: number) {
    if (this.refuses) throw new Error("the scheduler is away");
    this.unscheduled.push({ ref, notBefore });
  }

  async enqueueRecord(record: HandOverRecord) {
    if (this.refuses) throw new Error("the queue is away");
    this.records.push(record);
  }
}

/** A bus that takes everything but what it is told to refuse. */
export class MemoryBus implements EventBus {
  readonly events: TorpedoEvent[] = [];
  /** Asked for each event at each attempt. */
  refuses: (event: TorpedoEvent) => boolean = () => false;

  async publish(events: readonly TorpedoEvent[]) {
    const refused = events.flatMap((event, index) => (this.refuses(event) ? [index] : []));
    this.events.push(...events.filter((_, index) => !refused.includes(index)));
    return refused;
  }
}

/** An answer of a customer's server, within a millisecond. */
export function answered(status: number, retryAfter?: string): WebhookResult {
  return {
    kind: "answered",
    status,
    answer: "",
    durationMs: 1,
    ...(retryAfter !== undefined && { retryAfter }),
  };
}

/** Customers' servers: by URL, how each answers; 200 where it is not said. */
export class MemoryWebhooks implements WebhookClient {
  readonly requests: WebhookRequest[] = [];
  readonly answers = new Map<string, WebhookResult>();

  async send(request: WebhookRequest) {
    this.requests.push(request);
    return this.answers.get(request.url) ?? answered(200);
  }
}

/** Batches in memory, by the contract of the port. */
export class MemoryBatches implements BatchStore {
  readonly #kept = new Map<string, Message[]>();
  readonly #open = new Map<string, { batch: BatchRef; begun: boolean }>();
  readonly #canceled = new Map<string, Set<string>>();

  constructor(private readonly clock: Clock) {}

  #name({ account, batchId }: BatchRef) {
    return `${account}#${batchId}`;
  }

  #isOpen(batch: BatchRef) {
    return this.#open.has(this.#name(batch)) && this.#messages(batch).length > 0;
  }

  #messages(batch: BatchRef) {
    const kept = this.#kept.get(this.#name(batch)) ?? [];
    const last = Math.max(...kept.map(({ removeAt }) => removeAt));
    return last > this.clock.now() / 1_000 ? kept : [];
  }

  async keep(batch: BatchRef, messages: readonly Message[]) {
    this.#kept.set(this.#name(batch), [...messages]);
  }
  async open(batch: BatchRef) {
    this.#open.set(this.#name(batch), { batch, begun: false });
  }
  async withdraw(batch: BatchRef) {
    if (this.#open.get(this.#name(batch))?.begun) return false;
    this.#open.delete(this.#name(batch));
    return true;
  }
  async begin(batch: BatchRef) {
    const open = this.#open.get(this.#name(batch));
    if (open) open.begun = true;
    return open !== undefined;
  }
  async load(batch: BatchRef) {
    return this.#messages(batch);
  }
  async close(batch: BatchRef) {
    this.#open.delete(this.#name(batch));
  }
  async findOpen(account: string, ids: readonly string[], correlationIds: readonly string[] = []) {
    return [...this.#open.values()]
      .filter(({ batch }) => batch.account === account && this.#isOpen(batch))
      .flatMap(({ batch, begun }): OpenMessage[] =>
        this.#messages(batch)
          .filter(
            ({ id, correlationId = "" }) =>
              ids.includes(id) || correlationIds.includes(correlationId),
          )
          .map((message) => ({ message, batch, begun })),
      );
  }
  async noteCanceled({ due, ...batch }: Release, traceId: string) {
    const name = `${this.#name(batch)}@${due}`;
    const canceled = (this.#canceled.get(name) ?? new Set()).add(traceId);
    this.#canceled.set(name, canceled);
    return canceled.size;
  }
}

/** A queue of jobs on batches that remembers what it was given, and can refuse. */
export class MemoryBatchQueue implements BatchQueue {
  readonly jobs: BatchJob[] = [];
  readonly schedules: Release[] = [];
  refuses = false;
  refusesSchedules = false;

  async enqueue(job: BatchJob) {
    if (this.refuses) throw new Error("the queue is away");
    this.jobs.push(job);
  }
  async schedule(release: Release) {
    if (this.refusesSchedules) throw new Error("the scheduler is away");
    this.schedules.push(release);
  }
  async unschedule(release: Release) {
    if (this.refusesSchedules) throw new Error("the scheduler is away");
    const index = this.schedules.findIndex((other) => isDeepStrictEqual(other, release));
    if (index >= 0) this.schedules.splice(index, 1);
  }
}

/** MOs in memory, by the contract of the port. */
export class MemoryMos implements MoStore {
  readonly #mos: Mo[] = [];
  readonly #taken = new Set<Mo>();

  constructor(private readonly clock: Clock) {}

  #present(account: string) {
    return this.#mos
      .filter((mo) => mo.account === account && mo.removeAt > this.clock.now() / 1_000)
      .sort((one, other) => one.receivedAt - other.receivedAt);
  }

  async insert(mo: Mo) {
    const known = this.#mos.find(({ id }) => id === mo.id);
    if (!known) this.#mos.push(mo);
    const { account, subAccount, dialect } = known ?? mo;
    return { account, ...(subAccount !== undefined && { subAccount }), dialect };
  }
  async takeNew(account: string, limit: number, { subAccount, since = 0 }: NewMos = {}) {
    const taken = this.#present(account)
      .filter((mo) => !this.#taken.has(mo))
      .filter((mo) => mo.receivedAt >= since)
      .filter((mo) => subAccount === undefined || mo.subAccount === subAccount)
      .slice(0, limit);
    for (const mo of taken) this.#taken.add(mo);
    return taken;
  }
  async search(
    account: string,
    { from, to }: { from: number; to: number },
    limit: number,
    subAccount?: string,
  ) {
    return this.#present(account)
      .filter((mo) => subAccount === undefined || mo.subAccount === subAccount)
      .filter(({ receivedAt }) => receivedAt >= from && receivedAt <= to)
      .slice(0, limit);
  }
}

/** What was set aside. */
export class MemoryDeadLetters implements DeadLetters {
  readonly letters: { what: unknown; cause: string }[] = [];

  async put(what: unknown, cause: string) {
    this.letters.push({ what, cause });
  }
}
