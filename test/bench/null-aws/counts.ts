import type { Table, Units } from "./dynamodb/table.ts";
import { billedFor } from "./queues.ts";

type Numbers = Record<string, number>;

/** What was done since the counts were last reset. */
export interface CountsReport {
  /** Calls by service and operation. */
  readonly calls: Readonly<Record<string, Numbers>>;
  /** Bytes of bodies, by service. */
  readonly requestBytes: Numbers;
  readonly responseBytes: Numbers;
  /** Requests to SQS as they are billed: one per begun 64 KB. */
  readonly sqsRequests: number;
  readonly sqsRequestsFromEventBridge: number;
  readonly sqsRequestsFromScheduler: number;
  /** Of the billed requests, those that send messages with a group. */
  readonly sqsRequestsWithGroup: number;
  /** Events as they are billed: one per begun 64 KB of each. */
  readonly events: number;
  readonly schedulerInvocations: number;
  /** Capacity of DynamoDB, by table. */
  readonly units: Readonly<Record<string, Units>>;
  /** Errors that were answered, by service and code; those of single statements have the operation in front. */
  readonly errors: Readonly<Record<string, Numbers>>;
}

const bump = (numbers: Numbers, name: string, by = 1) => {
  numbers[name] = (numbers[name] ?? 0) + by;
};

const within = (record: Record<string, Numbers>, name: string): Numbers => {
  record[name] ??= {};
  return record[name];
};

const nothing = () => ({
  calls: {} as Record<string, Numbers>,
  requestBytes: {} as Numbers,
  responseBytes: {} as Numbers,
  sqsRequests: 0,
  sqsRequestsFromEventBridge: 0,
  sqsRequestsFromScheduler: 0,
  sqsRequestsWithGroup: 0,
  events: 0,
  schedulerInvocations: 0,
  errors: {} as Record<string, Numbers>,
});

/** Counts what is asked of the null AWS. */
export class Counts {
  #counts = nothing();

  call(service: string, operation: string): void {
    bump(within(this.#counts.calls, service), operation);
  }

  bytes(service: string, request: number, response: number): void {
    bump(this.#counts.requestBytes, service, request);
    bump(this.#counts.responseBytes, service, response);
  }

  error(service: string, code: string): void {
    bump(within(this.#counts.errors, service), code);
  }

  sqs(billed: number, isOfGroup: boolean): void {
    this.#counts.sqsRequests += billed;
    if (isOfGroup) this.#counts.sqsRequestsWithGroup += billed;
  }

  /** @param delivered the bytes of each message that rules have sent */
  events(billed: number, delivered: readonly number[]): void {
    this.#counts.events += billed;
    for (const bytes of delivered) {
      this.call("eventbridge-to-sqs", "SendMessage");
      this.#counts.sqsRequestsFromEventBridge += billedFor(bytes);
    }
  }

  /** @param delivered the bytes of each message that schedules have sent */
  fired(delivered: readonly number[]): void {
    this.#counts.schedulerInvocations += delivered.length;
    for (const bytes of delivered) {
      this.call("scheduler-to-sqs", "SendMessage");
      this.#counts.sqsRequestsFromScheduler += billedFor(bytes);
    }
  }

  report(tables: Iterable<Table>): CountsReport {
    const units = Object.fromEntries([...tables].map(({ name, units: it }) => [name, it]));
    return { ...this.#counts, units };
  }

  reset(tables: Iterable<Table>): void {
    this.#counts = nothing();
    for (const table of tables) table.resetUnits();
  }
}
