import { AwsError } from "./aws-error.ts";
import { matchesPattern } from "./event-pattern.ts";
import { billedFor, type Queue, type Queues } from "./queues.ts";

const MAX_ENTRIES = 10;
/** Of all entries of a request together. */
const MAX_BYTES = 1_048_576;
/** An entry that says when it happened is so much larger. */
const TIME_BYTES = 14;

/** A rule: which events of a bus go to which queues. */
export interface Rule {
  readonly bus: string;
  readonly pattern: unknown;
  readonly queueUrls: readonly string[];
}

interface Entry {
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
  readonly EventBusName?: string;
  readonly Time?: unknown;
  readonly Resources?: readonly string[];
}

/** What is answered, how many events are billed, and what was delivered to queues. */
export interface EventsAnswer {
  readonly body: object;
  readonly billed: number;
  /** The bytes of each message that the bus has sent. */
  readonly delivered: readonly number[];
}

/** Event buses, with the rules that anything comes of. */
export class EventBuses {
  rules: readonly Rule[] = [];
  readonly #queues: Queues;

  constructor(queues: Queues) {
    this.#queues = queues;
  }

  /** Answers a request to EventBridge. @throws AwsError as EventBridge would */
  answer(operation: string, input: unknown): EventsAnswer {
    if (operation !== "PutEvents") {
      throw new AwsError("UnknownOperationException", `the null AWS does not know ${operation}`);
    }
    const { Entries } = input as { readonly Entries: readonly Entry[] };
    const sizes = Entries.map(sizeOf);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (Entries.length === 0 || Entries.length > MAX_ENTRIES || total > MAX_BYTES) {
      throw new AwsError(
        "ValidationException",
        `${Entries.length} entries of ${total} bytes are too many, or too few`,
      );
    }
    const delivered = Entries.flatMap((entry) => this.#deliver(entry));
    return {
      body: {
        FailedEntryCount: 0,
        Entries: Entries.map(() => ({ EventId: this.#queues.newId() })),
      },
      billed: sizes.reduce((sum, size) => sum + billedFor(size), 0),
      delivered,
    };
  }

  #deliver(entry: Entry): number[] {
    const { Source: source, DetailType, Detail, EventBusName = "default" } = entry;
    const rules = this.rules.filter(({ bus }) => isSameBus(bus, EventBusName));
    if (rules.length === 0) return [];
    const event = { source, "detail-type": DetailType, detail: JSON.parse(Detail) };
    const queues = rules
      .filter(({ pattern }) => matchesPattern(pattern, event))
      .flatMap(({ queueUrls }) => queueUrls.map((url) => this.#queueAt(url)));
    for (const queue of queues) this.#queues.put(queue, { body: Detail, delaySeconds: 0 });
    return queues.map(() => Buffer.byteLength(Detail));
  }

  /** @throws Error where a rule feeds a queue that nobody has created */
  #queueAt(url: string): Queue {
    const queue = this.#queues.find(url);
    if (!queue) throw new Error(`a rule feeds a queue that there is not: ${url}`);
    return queue;
  }
}

const isSameBus = (one: string, other: string) =>
  one === other || one.endsWith(`/${other}`) || other.endsWith(`/${one}`);

function sizeOf({ Source, DetailType, Detail, Time, Resources = [] }: Entry): number {
  const words = [Source, DetailType, Detail, ...Resources];
  const bytes = words.reduce((sum, word) => sum + Buffer.byteLength(word), 0);
  return bytes + (Time === undefined ? 0 : TIME_BYTES);
}
