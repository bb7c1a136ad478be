import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { CountsReport } from "./null-aws/counts.ts";

/** A number by name. */
export type Tally = Readonly<Record<string, number>>;

/** What was counted. */
export type Counts = CountsReport;

/** A message that a queue gave. */
export interface QueueMessage {
  readonly messageId: string;
  readonly body: string;
  readonly delaySeconds: number;
  readonly groupId?: string;
}

/** A request of a function's, with its answer. */
export interface RecordedRequest {
  readonly service: string;
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How many of the requests recorded so far had been answered when this one came. */
  readonly startedAfter: number;
  readonly order: number;
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
}

/** More than there ever is in a queue or a stream. */
export const EVERYTHING = 1_000_000;

/** The null AWS: a process of its own that answers as AWS does, at once, and counts what it is asked. */
export class NullAws {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts it, with nothing in it. */
  static async start(): Promise<NullAws> {
    const child = spawn(
      process.execPath,
      ["--max-old-space-size=6144", "--import", "tsx", "test/bench/null-aws/main.ts"],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    const ended = once(child, "exit").then(() => {
      throw new Error("the null AWS ended before it listened");
    });
    const lines = createInterface({ input: child.stdout });
    const [line] = (await Promise.race([once(lines, "line"), ended])) as [string];
    const { port } = JSON.parse(line) as { port: number };
    ended.catch(() => {});
    return new NullAws(child, port);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** @throws Error where it does not do what it is told */
  async control<T>(operation: string, body: object = {}): Promise<T> {
    const response = await fetch(`${this.url}/control/${operation}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`/control/${operation}: ${response.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** What was counted since the last time, or the beginning. */
  takeCounts(): Promise<Counts> {
    return this.control("counts", { reset: true });
  }

  /** Takes messages from a queue, as many as there are up to `max`. */
  async receive(queueUrl: string, max: number): Promise<readonly QueueMessage[]> {
    const { messages } = await this.control<{ messages: QueueMessage[] }>("receive", {
      queueUrl,
      max,
    });
    return messages;
  }

  /** Takes records from the stream of a table, as many as there are up to `max`. */
  async stream<T>(table: string, max: number): Promise<readonly T[]> {
    const { records } = await this.control<{ records: T[] }>("stream", { table, max });
    return records;
  }

  /** What was asked since recording was begun, in the order in which it came. */
  async recorded(): Promise<readonly RecordedRequest[]> {
    const { requests } = await this.control<{ requests: RecordedRequest[] }>("recorded");
    return [...requests].sort((one, other) => one.order - other.order);
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.stdin?.end();
    await ended;
  }
}
