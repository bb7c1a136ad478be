import type { AttributeValue } from "./dynamodb/attribute-value.ts";
import type { TableDefinition } from "./dynamodb/table-definition.ts";
import type { Rule } from "./event-bus.ts";
import type { NullAws } from "./null-aws.ts";
import type { RecordedRequest } from "./recorder.ts";

/** What is held back while it is recorded, in milliseconds: long enough to see what is done side by side. */
const HOLD_MS = 25;

/** What the bench asks of the null AWS, by path; none of it is counted. */
type Controls = Readonly<Record<string, (aws: NullAws, input: never) => object>>;

const CONTROLS: Controls = {
  /** Creates tables, in place of those that have the same names. */
  tables: (
    { tables },
    input: { tables: readonly { name: string; definition: TableDefinition }[] },
  ) => {
    for (const { name, definition } of input.tables) tables.create(name, definition);
    return {};
  },

  /** Empties tables and their streams; all, where none are named. */
  "clear-tables": ({ tables }, { names }: { names?: readonly string[] }) => {
    const chosen = names?.map((name) => tables.called(name)) ?? tables.all();
    for (const table of chosen) table.clear();
    tables.transactions.clear();
    return {};
  },

  "put-items": (
    { tables },
    input: { table: string; items: readonly Record<string, AttributeValue>[] },
  ) => {
    const table = tables.called(input.table);
    for (const item of input.items) table.seed(item);
    return {};
  },

  items: ({ tables }, input: { table: string }) => {
    const { count, bytes } = tables.called(input.table);
    return { count, bytes };
  },

  "all-items": ({ tables }, input: { table: string }) => ({
    items: [...tables.called(input.table).all()],
  }),

  queues: ({ queues }, input: { queues: readonly { url: string; arn: string }[] }) => {
    for (const { url, arn } of input.queues) queues.create(url, arn);
    return {};
  },

  rules: ({ buses }, input: { rules: readonly Rule[] }) => {
    buses.rules = input.rules;
    return {};
  },

  secrets: ({ secrets }, input: { secrets: Readonly<Record<string, string>> }) => {
    for (const [name, value] of Object.entries(input.secrets)) secrets.set(name, value);
    return {};
  },

  latency: (aws, { ms }: { ms: Readonly<Record<string, number>> }) => {
    aws.latencyMs = ms;
    return {};
  },

  receive: ({ queues }, { queueUrl, max }: { queueUrl: string; max: number }) => {
    const queue = queues.find(queueUrl);
    if (!queue) throw new Error(`there is no queue ${queueUrl}`);
    return { messages: queue.messages.take(max) };
  },

  stream: ({ tables }, input: { table: string; max: number }) => ({
    records: tables.called(input.table).stream?.take(input.max) ?? [],
  }),

  schedules: ({ schedules }) => ({
    schedules: schedules.all().map(({ name, at, queueUrl, input }) => ({
      name,
      at,
      queueUrl,
      input,
    })),
  }),

  /** Lets the schedule of a name fire, those that are due by a time, or all. */
  fire: ({ schedules, counts }, { name, now }: { name?: string; now?: number }) => {
    const sent = schedules.fire((it) => {
      if (name !== undefined) return it.name === name;
      return now === undefined || it.at <= now;
    });
    counts.fired(sent);
    return { fired: sent.length };
  },

  "clear-schedules": ({ schedules }) => {
    schedules.clear();
    return {};
  },

  counts: ({ counts, tables }, { reset }: { reset?: boolean }) => {
    const report = structuredClone(counts.report(tables.all()));
    if (reset) counts.reset(tables.all());
    return report;
  },

  record: (aws, { on, holdMs = HOLD_MS }: { on: boolean; holdMs?: number }) => {
    aws.holdMs = holdMs;
    if (on) aws.recorder.start();
    else aws.recorder.stop();
    return {};
  },

  recorded: ({ recorder }) => ({ requests: recorder.all() }),

  /** Answers the given requests, or those that were recorded last, as they were answered then. */
  replay: (
    { replay, recorder },
    { on, requests }: { on: boolean; requests?: readonly RecordedRequest[] },
  ) => {
    if (!on) return replay.stop();
    replay.start(requests ?? recorder.all());
    return {};
  },
};

/** The input of a control is what the bench gives it: nobody else knows of it. */
type Control = (aws: NullAws, input: unknown) => object;

/** Does what the bench asks. @param body JSON, or nothing. @throws Error for what there is not */
export function control(aws: NullAws, name: string, body: string): object {
  const work = CONTROLS[name] as Control | undefined;
  if (!work) throw new Error(`there is no control ${name}`);
  return work(aws, body ? JSON.parse(body) : {});
}
