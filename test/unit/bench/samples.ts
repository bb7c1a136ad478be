import type { Measurement } from "../../bench/measure.ts";
import type { Counts } from "../../bench/null-aws-client.ts";
import type { Results } from "../../bench/results.ts";
import type { Usage } from "../../bench/usage.ts";
import { STAGES } from "../../bench/workloads/workload.ts";

/** Counts of nothing. */
export const sampleCounts = (overrides: Partial<Counts> = {}): Counts => ({
  calls: {},
  requestBytes: {},
  responseBytes: {},
  sqsRequests: 0,
  sqsRequestsFromEventBridge: 0,
  sqsRequestsFromScheduler: 0,
  sqsRequestsWithGroup: 0,
  events: 0,
  schedulerInvocations: 0,
  units: {},
  errors: {},
  ...overrides,
});

/** A function that did nothing. */
export const sampleUsage = (overrides: Partial<Usage> = {}): Usage => ({
  stage: STAGES.accept,
  by: "dispatch",
  invocations: 0,
  cpuMs: 0,
  billedMs: 0,
  memoryMegabytes: 512,
  logBytes: 0,
  counts: sampleCounts(),
  pollerRequests: 0,
  pollerGroupRequests: 0,
  apiRequests: 0,
  accessLogBytes: 0,
  ...overrides,
});

const bill = {
  DynamoDB: 2,
  SQS: 1,
  EventBridge: 1.5,
  Scheduler: 0,
  Lambda: 0.4,
  "API Gateway": 0.001,
  "CloudWatch Logs": 0.2,
};

/** A thousand bulk messages. */
export const sampleMeasurement = (overrides: Partial<Measurement> = {}): Measurement => ({
  name: "bulk",
  title: "bulk messages",
  about: "1000 messages in a bulk request",
  messages: 1_000,
  shares: [
    {
      stage: STAGES.accept,
      by: "dispatch-bulk",
      cpuMs: 0.5,
      floorCpuMs: 0.4,
      invocations: 0.01,
      billedMs: 4,
      logBytes: 10,
      awsCalls: { "dynamodb.BatchExecuteStatement": 0.08 },
    },
    {
      stage: STAGES.receipt,
      by: "callback",
      cpuMs: 0.7,
      floorCpuMs: 0.5,
      invocations: 0.1,
      billedMs: 5,
      logBytes: 300,
      awsCalls: { "dynamodb.UpdateItem": 1 },
    },
  ],
  worldCalls: { carrier: 1, customer: 1 },
  bills: { "us-east-1": bill, "sa-east-1": bill },
  billByShare: {},
  units: { events: 1.5 },
  errors: {},
  peakMegabytes: { "dispatch-bulk": 120, callback: 110 },
  betweenCpuMs: 0.01,
  ...overrides,
});

const growthPoint = (size: number, cpuRatio: number) => ({
  size,
  cpuMs: cpuRatio,
  awsCalls: 1,
  dollars: 5,
  cpuRatio,
  dollarRatio: 1,
});

/** All that can be measured. */
export const sampleResults = (overrides: Partial<Results> = {}): Results => ({
  version: 1,
  at: "2026-11-22T11:31:00.000Z",
  machine: { cpu: "a processor", cores: 2, node: "v24.0.0" },
  runs: 5,
  isQuick: false,
  lambdaRuntime: "nodejs24.x",
  putItemMs: 0.5,
  workloads: [sampleMeasurement()],
  growth: {
    perRequest: [growthPoint(1, 3)],
    inTable: [growthPoint(1_000, 1), growthPoint(100_000, 1.02)],
    inCampaign: [growthPoint(1_000, 1), growthPoint(100_000, 0.9)],
  },
  coldStarts: [
    {
      capability: "mesago",
      ms: 150,
      cpuMs: 140,
      emptyMs: 125,
      emptyCpuMs: 120,
      ratio: 1.2,
      cpuRatio: 1.17,
      clients: ["@aws-sdk/client-sqs"],
      size: { all: 590_000, atStart: 500_000 },
    },
  ],
  ...overrides,
});
