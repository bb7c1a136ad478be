import { createHash } from "node:crypto";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { answered, failed, type WireAnswer, type WireRequest } from "./aws-wire.ts";
import type { FaultPlan } from "./faults.ts";
import type { Ending, World } from "./simulation.ts";
import { idOf, type MappingSettings, type QueueSettings } from "./topology.ts";

/** A message in a queue. */
export interface QueuedMessage {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  receives: number;
  visibleAt: number;
  /** Counts the times it was received, so that an old receipt of it does nothing. */
  receipt: number;
}

/** Runs a function for a batch. */
type Invoke = (functionId: string, event: SQSEvent, onEnd: (ending: Ending) => void) => void;

const LATE_MS = 45_000;

/** The queues of a world, and the event-source mappings behind them. Standard ones: what is in them comes at least once, in any order. */
export class Queues {
  readonly #queues: ReadonlyMap<string, QueueSettings>;
  readonly #mappings: ReadonlyMap<string, MappingSettings>;
  readonly #messages = new Map<string, QueuedMessage[]>();
  readonly #running = new Map<string, number>();
  readonly #world: World;
  readonly #faults: FaultPlan;
  readonly #invoke: Invoke;
  #count = 0;
  redeliveries = 0;

  constructor(deps: {
    readonly queues: readonly QueueSettings[];
    readonly mappings: readonly MappingSettings[];
    readonly world: World;
    readonly faults: FaultPlan;
    readonly invoke: Invoke;
  }) {
    this.#queues = new Map(deps.queues.map((queue) => [queue.id, queue]));
    this.#mappings = new Map(
      deps.mappings.filter(({ isStream }) => !isStream).map((it) => [it.sourceId, it]),
    );
    this.#world = deps.world;
    this.#faults = deps.faults;
    this.#invoke = deps.invoke;
  }

  /** What is in a queue, whether it can be seen or not. */
  messagesIn(queueId: string): readonly QueuedMessage[] {
    return this.#messages.get(queueId) ?? [];
  }

  /** What is in every queue. */
  all(): Iterable<[string, readonly QueuedMessage[]]> {
    return this.#messages;
  }

  /** Whether a queue takes what others set aside. */
  isForDeadLetters(queueId: string): boolean {
    return [...this.#queues.values()].some(({ redrive }) => redrive?.queueId === queueId);
  }

  /** Puts a message into a queue; now and then twice, or so that it is only seen later. */
  put(
    queueId: string,
    body: string,
    delaySeconds = 0,
    attributes: QueuedMessage["attributes"] = {},
  ): string {
    const id = `m${++this.#count}`;
    const copies = this.#faults.happens("delivered-twice") ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const late = this.#faults.happens("delivered-late")
        ? this.#world.chance.below(LATE_MS)
        : this.#world.chance.below(50);
      this.#add(queueId, { id, body, attributes }, delaySeconds * 1_000 + late);
    }
    return id;
  }

  #add(
    queueId: string,
    message: Pick<QueuedMessage, "id" | "body" | "attributes">,
    delayMs: number,
  ): void {
    const messages = this.#messages.get(queueId) ?? [];
    this.#messages.set(queueId, messages);
    const visibleAt = this.#world.timeline.now + delayMs;
    messages.push({ ...message, receives: 0, visibleAt, receipt: 0 });
    this.#lookAfter(queueId, delayMs);
  }

  /** Moves what was set aside back to where it came from, as an operator does. */
  redrive(): number {
    let moved = 0;
    for (const { id, redrive } of this.#queues.values()) {
      if (!redrive) continue;
      const messages = this.#messages.get(redrive.queueId) ?? [];
      // What a function has set aside itself goes to whichever queue the function works on.
      const own = messages.filter(({ attributes: { source = id } }) => source === id);
      this.#messages.set(
        redrive.queueId,
        messages.filter((message) => !own.includes(message)),
      );
      for (const { id: messageId, body } of own) {
        this.#add(id, { id: messageId, body, attributes: {} }, 0);
      }
      moved += own.length;
    }
    return moved;
  }

  #lookAfter(queueId: string, ms: number): void {
    if (!this.#mappings.has(queueId)) return;
    this.#world.timeline.after(ms, () => this.#look(queueId));
  }

  /** Starts as many invocations as the mapping allows. */
  #look(queueId: string): void {
    const mapping = this.#mappings.get(queueId);
    const queue = this.#queues.get(queueId);
    if (!mapping || !queue) return;
    while ((this.#running.get(queueId) ?? 0) < mapping.maxConcurrency) {
      const batch = this.#receive(queue, mapping.batchSize);
      if (batch.length === 0) return;
      this.#running.set(queueId, (this.#running.get(queueId) ?? 0) + 1);
      const receipts = new Map(batch.map((message) => [message, message.receipt]));
      this.#invoke(mapping.functionId, eventOf(queueId, batch), (ending) => {
        this.#running.set(queueId, (this.#running.get(queueId) ?? 0) - 1);
        const kept = new Set(notDone(ending, batch));
        for (const [message, receipt] of receipts) {
          if (!kept.has(message.id) && message.receipt === receipt) this.#remove(queueId, message);
        }
        this.#lookAfter(queueId, 0);
      });
    }
  }

  #receive(queue: QueueSettings, most: number): QueuedMessage[] {
    const { timeline, chance } = this.#world;
    const batch: QueuedMessage[] = [];
    const size = 1 + chance.below(most);
    while (batch.length < size) {
      const visible = this.messagesIn(queue.id).filter(
        ({ visibleAt }) => visibleAt <= timeline.now,
      );
      const message = visible[chance.below(visible.length)];
      if (!message) break;
      if (queue.redrive && message.receives >= queue.redrive.maxReceives) {
        this.#remove(queue.id, message);
        this.#add(queue.redrive.queueId, { ...message, attributes: { source: queue.id } }, 0);
        continue;
      }
      message.receives += 1;
      message.receipt += 1;
      if (message.receives > 1) this.redeliveries += 1;
      // Seldom, somebody else receives it as well before its time.
      const visibility = this.#faults.happens("delivered-twice")
        ? chance.below(2_000)
        : queue.visibilitySeconds * 1_000;
      message.visibleAt = timeline.now + visibility + 1;
      this.#lookAfter(queue.id, visibility + 1);
      batch.push(message);
    }
    return batch;
  }

  #remove(queueId: string, message: QueuedMessage): void {
    const messages = this.#messages.get(queueId) ?? [];
    const place = messages.indexOf(message);
    if (place >= 0) messages.splice(place, 1);
  }

  /** Answers a request to SQS. @param refused whether an entry of a batch is not taken */
  answer({ operation, body }: WireRequest, refused: () => boolean): WireAnswer {
    const queueId = idOf(String(body.QueueUrl));
    if (!this.#queues.has(queueId)) return failed(400, "com.amazonaws.sqs#QueueDoesNotExist");
    if (operation === "SendMessage") return answered(this.#take(queueId, body));
    if (operation === "SendMessageBatch") {
      const Successful: object[] = [];
      const Failed: object[] = [];
      for (const entry of body.Entries as Record<string, unknown>[]) {
        const { Id } = entry;
        if (refused()) Failed.push({ Id, Code: "InternalError", SenderFault: false });
        else Successful.push({ Id, ...this.#take(queueId, entry) });
      }
      return answered({ Successful, Failed });
    }
    throw new Error(`the played SQS does not know ${operation}`);
  }

  #take(queueId: string, entry: Readonly<Record<string, unknown>>) {
    const body = String(entry.MessageBody);
    const attributes = Object.entries(Object(entry.MessageAttributes ?? {})).map(
      ([name, value]) => [name, String((value as { StringValue?: string }).StringValue)],
    );
    const id = this.put(
      queueId,
      body,
      Number(entry.DelaySeconds ?? 0),
      Object.fromEntries(attributes),
    );
    return { MessageId: id, MD5OfMessageBody: createHash("md5").update(body).digest("hex") };
  }
}

/** The messages of a batch that come again. */
function notDone(ending: Ending, batch: readonly QueuedMessage[]): string[] {
  if (ending.kind !== "returned") return batch.map(({ id }) => id);
  const { batchItemFailures } = ending.value as SQSBatchResponse;
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

function eventOf(queueId: string, batch: readonly QueuedMessage[]): SQSEvent {
  return {
    Records: batch.map(({ id, body, receives, receipt }) => ({
      messageId: id,
      receiptHandle: `${id}#${receipt}`,
      body,
      attributes: {
        ApproximateReceiveCount: String(receives),
        SentTimestamp: "0",
        SenderId: "sender",
        ApproximateFirstReceiveTimestamp: "0",
      },
      messageAttributes: {},
      md5OfBody: "",
      eventSource: "aws:sqs",
      eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${queueId}`,
      awsRegion: "us-east-1",
    })),
  };
}
