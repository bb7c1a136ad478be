import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { added, sumOf, total, type Usage } from "./usage.ts";

const regionSchema = z.strictObject({
  dynamodbWriteUnitsPerMillion: z.number(),
  dynamodbReadUnitsPerMillion: z.number(),
  sqsRequestsPerMillion: z.number(),
  /** What a request costs more for messages with a message group ("fair queues"). */
  sqsGroupRequestsPerMillion: z.number(),
  eventbridgeEventsPerMillion: z.number(),
  schedulerInvocationsPerMillion: z.number(),
  lambdaRequestsPerMillion: z.number(),
  /** On arm64. */
  lambdaGigabyteSecond: z.number(),
  httpApiRequestsPerMillion: z.number(),
  logsPerGigabyte: z.number(),
});
export type Prices = z.output<typeof regionSchema>;

const pricesSchema = z.strictObject({
  asOf: z.string(),
  currency: z.string(),
  sources: z.array(z.url()),
  /** What is to be known of the prices. */
  notes: z.array(z.string()),
  regions: z.record(z.string(), regionSchema),
  /** How long the services, and those beside them, take to answer while Lambda's time is measured. */
  assumedLatencyMs: z.record(z.string(), z.number()),
});

/** What AWS asks, as the price table has it. */
export const PRICES = pricesSchema.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, "prices.json"), "utf8")),
);

/** The region by which goals are judged. */
export const REGION = "us-east-1";
/** All regions of the price table. */
export const REGIONS = Object.keys(PRICES.regions);

/** What a bill is split into, in the order in which charts stack it. */
export const BILLED = [
  "DynamoDB",
  "SQS",
  "EventBridge",
  "Scheduler",
  "Lambda",
  "API Gateway",
  "CloudWatch Logs",
] as const;
/** Dollars by service. */
export type Bill = Readonly<Record<(typeof BILLED)[number], number>>;

const MILLION = 1_000_000;
const BYTES_PER_GIGABYTE = 1_024 ** 3;
const MEGABYTES_PER_GIGABYTE = 1_024;
const MS_PER_SECOND = 1_000;

/** The prices of a region. @throws Error where the table has none */
export function pricesOf(region: string): Prices {
  const prices = PRICES.regions[region];
  if (!prices) throw new Error(`there are no prices of ${region}`);
  return prices;
}

/** What is paid for by the unit: DynamoDB's by table and index. */
export function unitsOf(usages: readonly Usage[]): Record<string, number> {
  const tables = usages.flatMap(({ counts }) =>
    Object.entries(counts.units).map(([table, { write, read, indexWrite }]) => {
      const name = table.replace(/Table[0-9A-F]{8}$/, "");
      const ofIndexes = Object.entries(indexWrite).map(([index, units]) => [
        `writes of ${name} in ${index}`,
        units,
      ]);
      return {
        [`writes of ${name}`]: write,
        [`reads of ${name}`]: read,
        ...Object.fromEntries(ofIndexes),
      };
    }),
  );
  const others = {
    "SQS requests of functions": total(usages, ({ counts }) => counts.sqsRequests),
    "SQS requests of EventBridge": total(usages, ({ counts }) => counts.sqsRequestsFromEventBridge),
    "SQS requests of Scheduler": total(usages, ({ counts }) => counts.sqsRequestsFromScheduler),
    "SQS requests of Lambda": total(usages, ({ pollerRequests }) => pollerRequests),
    events: total(usages, ({ counts }) => counts.events),
    schedules: total(usages, ({ counts }) => counts.schedulerInvocations),
    invocations: total(usages, ({ invocations }) => invocations),
    "GB-seconds": gigabyteSecondsOf(usages),
    "API requests": total(usages, ({ apiRequests }) => apiRequests),
    "bytes logged": total(usages, (usage) => usage.logBytes + usage.accessLogBytes),
  };
  const all = Object.entries(added([...tables, others]));
  return Object.fromEntries(all.filter(([, count]) => count > 0));
}

const gigabyteSecondsOf = (usages: readonly Usage[]) =>
  total(
    usages,
    ({ billedMs, memoryMegabytes }) =>
      (billedMs / MS_PER_SECOND) * (memoryMegabytes / MEGABYTES_PER_GIGABYTE),
  );

/** What usages would cost in a region, in dollars. */
export function billOf(usages: readonly Usage[], region: string): Bill {
  const prices = pricesOf(region);
  const units = Object.entries(unitsOf(usages));
  const count = (beginning: string) =>
    units.reduce((sum, [name, units]) => (name.startsWith(beginning) ? sum + units : sum), 0);
  const groups =
    total(usages, ({ counts }) => counts.sqsRequestsWithGroup) +
    total(usages, ({ pollerGroupRequests }) => pollerGroupRequests);
  const ofMillions = {
    DynamoDB:
      count("writes of ") * prices.dynamodbWriteUnitsPerMillion +
      count("reads of ") * prices.dynamodbReadUnitsPerMillion,
    SQS:
      count("SQS requests of ") * prices.sqsRequestsPerMillion +
      groups * prices.sqsGroupRequestsPerMillion,
    EventBridge: count("events") * prices.eventbridgeEventsPerMillion,
    Scheduler: count("schedules") * prices.schedulerInvocationsPerMillion,
    Lambda: count("invocations") * prices.lambdaRequestsPerMillion,
    "API Gateway": count("API requests") * prices.httpApiRequestsPerMillion,
  };
  const inDollars = Object.entries(ofMillions).map(([service, cost]) => [service, cost / MILLION]);
  const bill = Object.fromEntries(inDollars) as typeof ofMillions;
  return {
    ...bill,
    Lambda: bill.Lambda + count("GB-seconds") * prices.lambdaGigabyteSecond,
    "CloudWatch Logs": (count("bytes logged") / BYTES_PER_GIGABYTE) * prices.logsPerGigabyte,
  };
}

/** A bill for so many messages, as it would be for a million. */
export function perMillion(bill: Bill, messages: number): Bill {
  const scaled = Object.entries(bill).map(([service, cost]) => [
    service,
    (cost / messages) * MILLION,
  ]);
  return Object.fromEntries(scaled) as Bill;
}

/** All of a bill. */
export const sumOfBill = (bill: Bill): number => sumOf(bill);
