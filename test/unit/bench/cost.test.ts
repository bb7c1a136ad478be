import { describe, expect, test } from "vitest";
import { billOf, perMillion, pricesOf, REGION, sumOfBill } from "../../bench/cost.ts";
import { billedMs } from "../../bench/world.ts";
import { sampleCounts, sampleUsage } from "./samples.ts";

const MILLION = 1_000_000;

describe("a bill", () => {
  test("has DynamoDB's units of tables and indexes", () => {
    const units = {
      Messages: { write: MILLION, read: 2 * MILLION, indexWrite: { sent: MILLION } },
    };
    const bill = billOf([sampleUsage({ counts: sampleCounts({ units }) })], REGION);
    expect(bill.DynamoDB).toBeCloseTo(2 * 0.625 + 2 * 0.125);
    expect(sumOfBill(bill)).toBeCloseTo(bill.DynamoDB);
  });

  test("has SQS requests of functions, of EventBridge, of Scheduler and of Lambda's pollers", () => {
    const counts = sampleCounts({
      sqsRequests: MILLION,
      sqsRequestsFromEventBridge: MILLION,
      sqsRequestsFromScheduler: MILLION,
      sqsRequestsWithGroup: MILLION,
    });
    const usage = sampleUsage({ counts, pollerRequests: MILLION, pollerGroupRequests: MILLION });
    expect(billOf([usage], REGION).SQS).toBeCloseTo(4 * 0.4 + 2 * 0.1);
  });

  test("has Lambda's requests and the time that it takes with its memory", () => {
    const usage = sampleUsage({
      invocations: MILLION,
      billedMs: 2 * MILLION,
      memoryMegabytes: 512,
    });
    expect(billOf([usage], REGION).Lambda).toBeCloseTo(0.2 + 1_000 * 0.0000133334);
  });

  test("has events, schedules, requests to the API, and logs by the gigabyte", () => {
    const usage = sampleUsage({
      counts: sampleCounts({ events: MILLION, schedulerInvocations: MILLION }),
      apiRequests: MILLION,
      logBytes: 1_024 ** 3,
      accessLogBytes: 1_024 ** 3,
    });
    expect(billOf([usage], REGION)).toMatchObject({
      EventBridge: 1,
      Scheduler: 1,
      "API Gateway": 1,
      "CloudWatch Logs": 1,
    });
  });

  test("is told for a million messages", () => {
    const usage = sampleUsage({ counts: sampleCounts({ events: 3_000 }) });
    expect(perMillion(billOf([usage], REGION), 1_000).EventBridge).toBeCloseTo(3);
  });

  test("needs prices of the region", () => {
    expect(() => pricesOf("mars-north-1")).toThrow("mars-north-1");
  });
});

describe("Lambda bills", () => {
  test("what an invocation takes where it has a whole processor", () => {
    expect(billedMs(12.2, 8, 1_769)).toBe(13);
  });

  test("the processor's time once more by what its share is smaller", () => {
    expect(billedMs(20, 10, 1_769 / 4)).toBe(20 + 3 * 10);
  });

  test("nothing less where it has more than one", () => {
    expect(billedMs(5, 5, 3_538)).toBe(5);
  });
});
