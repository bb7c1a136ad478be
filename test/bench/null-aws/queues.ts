import { Fifo } from "./fifo.ts";

/** A message as a queue has it. */
export interface QueueMessage {
  readonly messageId: string;
  readonly body: string;
  /** How long whoever sent it wanted it to wait. Here it does not. */
  readonly delaySeconds: number;
  readonly groupId?: string;
  readonly messageAttributes?: unknown;
}

/** Things that are sent, and how. */
export type NewMessage = Omit<QueueMessage, "messageId">;

/** A queue; what comes can be taken at once. */
export class Queue {
  readonly url: string;
  readonly arn: string;
  readonly messages = new Fifo<QueueMessage>();
  /** What was received and not deleted, by its receipt. */
  readonly received = new Map<string, QueueMessage>();

  constructor(url: string, arn: string) {
    this.url = url;
    this.arn = arn;
  }
}

const nameIn = (urlOrArn: string) => urlOrArn.slice(urlOrArn.search(/[^:/]+$/));

/** All queues, by URL, ARN and name. */
export class Queues {
  readonly #queues = new Map<string, Queue>();
  #count = 0;

  create(url: string, arn: string): void {
    const queue = new Queue(url, arn);
    for (const key of [url, arn, nameIn(url)]) this.#queues.set(key, queue);
  }

  /** @param reference an URL, an ARN or a name */
  find(reference: string): Queue | undefined {
    return this.#queues.get(reference) ?? this.#queues.get(nameIn(reference));
  }

  /** @returns the id of the message, which looks like those of AWS */
  put(queue: Queue, message: NewMessage): string {
    const messageId = this.newId();
    queue.messages.push({ messageId, ...message });
    return messageId;
  }

  /** Another id that nothing else has. */
  newId(): string {
    this.#count += 1;
    return `00000000-0000-4000-8000-${String(this.#count).padStart(12, "0")}`;
  }
}

/** An SQS request is billed once for each begun 64 KB. */
const BILLED_BYTES = 65_536;

/** For how many requests one with so many bytes of payload counts. */
export const billedFor = (bytes: number): number => Math.max(1, Math.ceil(bytes / BILLED_BYTES));
