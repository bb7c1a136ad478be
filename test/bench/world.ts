import type {
  DynamoDBBatchResponse,
  DynamoDBRecord,
  SQSBatchResponse,
  SQSRecord,
} from "aws-lambda";
import { slicesOf } from "../../functions/core/slices.ts";
import type { MappingSettings } from "../faults/topology.ts";
import { matchesPattern } from "../infra/event-pattern.ts";
import type { RecordedInvocation } from "./floor/recording.ts";
import { accessLogBytes, type HttpRequest, httpEvent } from "./http-events.ts";
import { LambdaProcess, type Sum } from "./lambda/lambda-process.ts";
import type { Span } from "./lambda/protocol.ts";
import { EVERYTHING, type NullAws, type QueueMessage } from "./null-aws-client.ts";
import type { Stack, StackFunction } from "./stack.ts";
import { awsCallsOf, OUTSIDE, sumOf, type Usage, worldCallsOf } from "./usage.ts";

/** Lambda and API Gateway bill by these. */
const SQS_CHUNK_BYTES = 64 * 1_024;
const API_CHUNK_BYTES = 512 * 1_024;
/** With so much memory a function has one whole processor (AWS documentation, "Configure Lambda function memory"). */
const ONE_PROCESSOR_MEGABYTES = 1_769;
/** The most messages that Lambda's pollers take from, or delete of, a queue at once. */
const POLLER_MESSAGES = 10;
/** Queues are emptied from the beginning of a message's way to its end. */
const ON_THE_WAY = ["bulk", "dispatch", "carrier-events", "status-events", "callback"];

/** Those that tell of what others do. */
const TELLING = ["status-events", "callback"];

/** Forgets what waits in queues and streams. */
export async function discardWaiting(nullAws: NullAws, { queues, tables }: Stack): Promise<void> {
  for (const { url } of queues) await nullAws.receive(url, EVERYTHING);
  for (const { name } of tables) await nullAws.stream(name, EVERYTHING);
}

/** One deployment in which workloads run: the null AWS, and a process for each function. */
export class World {
  readonly stack: Stack;
  readonly nullAws: NullAws;
  /** What was used since it was last taken. */
  #usages: Usage[] = [];
  #stage = "";
  #telling = "";
  /** How far the functions believe themselves ahead of the machine's clock, in milliseconds. */
  aheadMs = 0;
  readonly #runtime: string;
  readonly #processes = new Map<string, LambdaProcess>();
  readonly #mappings: readonly MappingSettings[];
  #recordings: RecordedInvocation[] | undefined;
  #requests = 0;
  #spans = 0;
  /** Requests by the function that made them. */
  readonly #made = new Map<string, number>();

  constructor(deps: {
    readonly stack: Stack;
    readonly nullAws: NullAws;
    /** The bundle of `lambda/runtime.ts`. */
    readonly runtime: string;
  }) {
    this.stack = deps.stack;
    this.nullAws = deps.nullAws;
    this.#runtime = deps.runtime;
    this.#mappings = [...deps.stack.mappings].sort(
      (one, other) => this.#place(one) - this.#place(other),
    );
  }

  /**
   * Says what messages are on their way to now.
   * @param telling what the functions do that tell of it
   */
  enter(stage: string, telling = stage): void {
    this.#stage = stage;
    this.#telling = telling;
  }

  #stageOf({ capability }: StackFunction): string {
    return TELLING.includes(capability) ? this.#telling : this.#stage;
  }

  #place({ functionId }: MappingSettings): number {
    const place = ON_THE_WAY.indexOf(this.#function(functionId).capability);
    return place < 0 ? ON_THE_WAY.length : place;
  }

  #function(id: string): StackFunction {
    const found = this.stack.functions.find((it) => it.id === id);
    if (!found) throw new Error(`there is no function ${id}`);
    return found;
  }

  /** The process of a function; it begins when it is first needed. */
  #process(settings: StackFunction): LambdaProcess {
    const running = this.#processes.get(settings.id);
    if (running) return running;
    const begun = new LambdaProcess({ ...settings, runtime: this.#runtime });
    this.#processes.set(settings.id, begun);
    return begun;
  }

  /** Hands requests to their functions, one after another. @returns the bodies of the answers */
  async request(requests: readonly HttpRequest[]): Promise<readonly string[]> {
    const bodies: string[] = [];
    const byFunction = new Map<string, { requests: HttpRequest[] }>();
    for (const request of requests) {
      const { functionId } = httpEvent(this.stack.routes, request, 0);
      const group = byFunction.get(functionId) ?? { requests: [] };
      group.requests.push(request);
      byFunction.set(functionId, group);
    }
    for (const [functionId, group] of byFunction) {
      bodies.push(...(await this.#requestOf(this.#function(functionId), group.requests)));
    }
    return bodies;
  }

  async #requestOf(target: StackFunction, requests: readonly HttpRequest[]): Promise<string[]> {
    const usage = this.#begin(target);
    const bodies: string[] = [];
    for (const request of requests) {
      const { event } = httpEvent(this.stack.routes, request, ++this.#requests);
      const result = await this.#invoke(target, event, usage);
      const { statusCode, body = "" } = result as { statusCode?: number; body?: string };
      if (statusCode === undefined || statusCode >= 300) {
        throw new Error(`${target.name} answers ${statusCode}: ${body}`);
      }
      const size = Buffer.byteLength(event.body ?? "");
      usage.apiRequests += Math.max(
        Math.ceil(size / API_CHUNK_BYTES),
        Math.ceil(Buffer.byteLength(body) / API_CHUNK_BYTES),
        1,
      );
      usage.accessLogBytes += accessLogBytes(this.stack.accessLogFormat, event.routeKey);
      bodies.push(body);
    }
    await this.#end(usage);
    return bodies;
  }

  async #invoke(target: StackFunction, event: object, usage: OpenUsage): Promise<unknown> {
    const text = JSON.stringify(event);
    if (this.#recordings) await this.nullAws.control("record", { on: true, holdMs: 0 });
    const { result, span } = await this.#process(target).invoke(text, this.aheadMs);
    usage.add(span);
    if (this.#recordings) {
      const requests = await this.nullAws.recorded();
      this.#recordings.push({ stage: this.#stageOf(target), by: target.name, requests });
    }
    return result;
  }

  /** Begins to write down what each invocation asks of AWS and of those beside it. */
  record(): void {
    this.#recordings = [];
  }

  /** What was written down; ends it. */
  async takeRecordings(): Promise<readonly RecordedInvocation[]> {
    const recordings = this.#recordings ?? [];
    this.#recordings = undefined;
    await this.nullAws.control("record", { on: false });
    return recordings;
  }

  /** Has everything that waits in queues and in the stream worked on, until nothing waits any more. */
  async pump(): Promise<void> {
    await this.#pump(this.#mappings);
  }

  /** Has what waits for the functions of one capability worked on; what comes of it for others waits. */
  async pumpOnly(capability: string): Promise<void> {
    const mappings = this.#mappings.filter(
      ({ functionId }) => this.#function(functionId).capability === capability,
    );
    await this.#pump(mappings);
  }

  async #pump(mappings: readonly MappingSettings[]): Promise<void> {
    for (;;) {
      let moved = 0;
      for (const mapping of mappings) moved += await this.#drain(mapping);
      if (moved === 0) return;
    }
  }

  #drain(mapping: MappingSettings): Promise<number> {
    return mapping.isStream ? this.#drainStream(mapping) : this.#drainQueue(mapping);
  }

  async #drainQueue({ functionId, sourceId, batchSize }: MappingSettings): Promise<number> {
    const queue = this.stack.queues.find(({ id }) => id === sourceId);
    if (!queue) throw new Error(`there is no queue ${sourceId}`);
    const messages = await this.nullAws.receive(queue.url, EVERYTHING);
    if (messages.length === 0) return 0;
    const target = this.#function(functionId);
    const usage = this.#begin(target);
    for (const batch of slicesOf(messages, batchSize)) {
      for (const polled of slicesOf(batch, POLLER_MESSAGES)) usage.addPolling(polled);
      const Records = batch.map((message) => sqsRecord(message, queue.arn));
      const result = await this.#invoke(target, { Records }, usage);
      assertAllDone(target, (result as SQSBatchResponse).batchItemFailures);
    }
    await this.#end(usage);
    return messages.length;
  }

  async #drainStream(mapping: MappingSettings): Promise<number> {
    const { functionId, sourceId, batchSize, patterns } = mapping;
    const all = await this.nullAws.stream<DynamoDBRecord>(sourceId, EVERYTHING);
    if (all.length === 0) return 0;
    const records = all.filter((record) =>
      patterns.some((pattern) => matchesPattern(pattern, record)),
    );
    const target = this.#function(functionId);
    const usage = this.#begin(target);
    for (const Records of slicesOf(records, batchSize)) {
      const result = await this.#invoke(target, { Records }, usage);
      assertAllDone(target, (result as DynamoDBBatchResponse).batchItemFailures);
    }
    await this.#end(usage);
    return records.length;
  }

  /** Has somebody outside do something to AWS that is paid for, but not of our functions' doing. */
  async outside(work: () => Promise<unknown>): Promise<void> {
    await this.nullAws.takeCounts();
    await work();
    this.#usages.push({
      ...new OpenUsage(this.#stage, OUTSIDE, 0).closed(await this.nullAws.takeCounts()),
    });
  }

  /** Does something that nobody pays for. */
  async unseen<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      await this.nullAws.takeCounts();
    }
  }

  #begin(target: StackFunction): OpenUsage {
    return new OpenUsage(this.#stageOf(target), target.name, target.memoryMegabytes);
  }

  async #end(usage: OpenUsage): Promise<void> {
    const counts = await this.nullAws.takeCounts();
    this.#spans += usage.cpuMs;
    const requests = sumOf(awsCallsOf(counts)) + sumOf(worldCallsOf(counts));
    this.#made.set(usage.by, this.made(usage.by) + requests);
    this.#usages.push(usage.closed(counts));
  }

  /** How many requests a function has made since the world began. */
  made(by: string): number {
    return this.#made.get(by) ?? 0;
  }

  /** What was used since this was last asked. */
  takeUsages(): readonly Usage[] {
    const taken = this.#usages;
    this.#usages = [];
    return taken;
  }

  /**
   * What the processes have taken since they began, by function.
   * @param anew whether only later peaks of memory count from now on
   */
  async sumUp(anew = false): Promise<Readonly<Record<string, Sum>>> {
    const sums: Record<string, Sum> = {};
    for (const [id, process] of this.#processes) {
      sums[this.#function(id).name] = await process.sumUp(anew);
    }
    return sums;
  }

  /** The processor time of all invocations since the world began, in milliseconds. */
  get spansMs(): number {
    return this.#spans;
  }

  /** Ends the processes. */
  async close(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.close()));
    this.#processes.clear();
  }
}

/** A usage that is being added up. */
class OpenUsage {
  invocations = 0;
  cpuMs = 0;
  billedMs = 0;
  logBytes = 0;
  pollerRequests = 0;
  pollerGroupRequests = 0;
  apiRequests = 0;
  accessLogBytes = 0;
  readonly stage: string;
  readonly by: string;
  readonly memoryMegabytes: number;

  constructor(stage: string, by: string, memoryMegabytes: number) {
    this.stage = stage;
    this.by = by;
    this.memoryMegabytes = memoryMegabytes;
  }

  add({ cpuMicroseconds, wallMs, logBytes }: Span): void {
    const cpuMs = cpuMicroseconds / 1_000;
    this.invocations++;
    this.cpuMs += cpuMs;
    this.logBytes += logBytes;
    this.billedMs += billedMs(wallMs, cpuMs, this.memoryMegabytes);
  }

  /** One ReceiveMessage and one DeleteMessageBatch; what is received is billed by its size. */
  addPolling(messages: readonly QueueMessage[]): void {
    const bytes = messages.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
    const received = Math.max(1, Math.ceil(bytes / SQS_CHUNK_BYTES));
    this.pollerRequests += received + 1;
    if (messages.some(({ groupId }) => groupId !== undefined)) this.pollerGroupRequests += received;
  }

  closed(counts: Usage["counts"]): Usage {
    return { ...this, counts };
  }
}

/**
 * What Lambda would bill of an invocation: the time it took, and as much again as its part of a
 * processor is slower than a whole one; in whole milliseconds.
 */
export function billedMs(wallMs: number, cpuMs: number, memoryMegabytes: number): number {
  const slower = Math.max(0, ONE_PROCESSOR_MEGABYTES / memoryMegabytes - 1);
  return Math.ceil(wallMs + cpuMs * slower);
}

function assertAllDone(
  { name }: StackFunction,
  failures: readonly { readonly itemIdentifier: string }[],
): void {
  if (failures.length > 0) throw new Error(`${name} failed at ${failures.length} of a batch`);
}

const SENT_AT = "1795347060000";

function sqsRecord({ messageId, body, groupId }: QueueMessage, queueArn: string): SQSRecord {
  return {
    messageId,
    receiptHandle: `AQEB${messageId}`.padEnd(200, "x"),
    body,
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: SENT_AT,
      SenderId: "AROAEXAMPLE:torpedo",
      ApproximateFirstReceiveTimestamp: SENT_AT,
      ...(groupId !== undefined && { MessageGroupId: groupId }),
    },
    messageAttributes: {},
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: queueArn,
    awsRegion: "us-east-1",
  };
}
