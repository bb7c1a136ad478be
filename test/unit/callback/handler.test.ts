import { describe, expect, it } from "vitest";
import { createHandler } from "../../../functions/callback/handler.ts";
import {
  callbackInputSchema,
  formatCallback,
  traceOf,
} from "../../../functions/callback/schema.ts";
import { messageStatusChanged } from "../../../functions/core/events.ts";
import type { Message } from "../../../functions/core/message.ts";
import {
  ManualClock,
  MemoryDirectory,
  MemoryRetryQueue,
  MemoryWebhooks,
} from "../../support/memory.ts";
import { RecordingMeter } from "../../support/recording-log.ts";
import { sampleAccount, sampleEndpoint, sampleMessage } from "../../support/samples.ts";

const at = Date.parse("2014-08-26T15:55:48.593Z");
const eventIn = (overrides: Partial<Message>) =>
  messageStatusChanged(sampleMessage(at, { id: "hs765939216", ...overrides }));
const bodyOf = (overrides: Partial<Message>) =>
  JSON.parse(formatCallback(eventIn(overrides), sampleAccount()).body);

describe("callbackMtRequest", () => {
  it("is the document's example to the letter", () => {
    const { body } = formatCallback(
      eventIn({ state: "DELIVERED", operator: "Claro" }),
      sampleAccount(),
    );
    expect(body).toBe(
      JSON.stringify({
        callbackMtRequest: {
          status: "03",
          statusMessage: "Delivered",
          statusDetail: "120",
          statusDetailMessage: "Message received by mobile",
          id: "hs765939216",
          received: "2014-08-26T12:55:48.593-03:00",
          mobileOperatorName: "Claro",
        },
      }),
    );
  });

  it("leaves the operator out where it is not known", () => {
    expect(bodyOf({ state: "FAILED", reason: "operator-unreachable" })).toEqual({
      callbackMtRequest: {
        status: "10",
        statusMessage: "Error",
        statusDetail: "160",
        statusDetailMessage: "Operator network error",
        id: "hs765939216",
        received: "2014-08-26T12:55:48.593-03:00",
      },
    });
  });

  it("carries neither the number nor the text", () => {
    expect(JSON.stringify(bodyOf({ state: "SENT" }))).not.toMatch(/5519900001111|Hello/);
  });
});

describe("the callback function", () => {
  const setUp = () => {
    const directory = new MemoryDirectory();
    directory.accounts.set("acme", sampleAccount());
    directory.endpoints.push(sampleEndpoint());
    const webhook = new MemoryWebhooks();
    const meter = new RecordingMeter();
    const retryQueue = new MemoryRetryQueue();
    const clock = new ManualClock(at + 1_500);
    const handle = createHandler({
      directory,
      webhook,
      retryQueue,
      format: formatCallback,
      clock,
      meter,
    });
    return { handle, webhook, meter, retryQueue };
  };

  it("takes an event as the bus gives it, and counts what it did", async () => {
    const { handle, webhook, meter } = setUp();
    const input = callbackInputSchema.parse(
      JSON.parse(JSON.stringify(eventIn({ state: "DELIVERED" }))),
    );
    const logged = await handle(input);
    expect(webhook.requests).toMatchObject([
      {
        url: "https://customer.example/callback",
        headers: { "content-type": "application/json; charset=utf-8" },
      },
    ]);
    expect(meter.counts).toEqual({ CallbackAttempts: 1, CallbacksDelivered: 1 });
    expect(meter.times).toEqual({ CallbackDuration: [1], ChangeToCallback: [1_500] });
    expect(logged).toMatchObject({ state: "DELIVERED", attempts: [{ outcome: "delivered" }] });
    expect(traceOf(input)).toBe("trace-1");
    expect(JSON.stringify(logged)).not.toContain("5519900001111");
  });

  it("takes a delivery as the retry queue gives it", async () => {
    const { handle, meter, retryQueue, webhook } = setUp();
    webhook.answers.set("https://customer.example/callback", {
      kind: "failed",
      cause: "timeout",
      durationMs: 10_000,
    });
    const delivery = {
      event: eventIn({ state: "DELIVERED" }),
      endpointId: "endpoint-1",
      attempts: 1,
    };
    await handle(callbackInputSchema.parse(JSON.parse(JSON.stringify(delivery))));
    expect(retryQueue.retries).toEqual([
      { delivery: { ...delivery, attempts: 2 }, delaySeconds: 60 },
    ]);
    expect(meter.counts).toEqual({ CallbackAttempts: 1, CallbacksRetried: 1 });
  });

  it("does not take anything else", () => {
    const event = eventIn({ state: "DELIVERED" });
    expect(callbackInputSchema.safeParse({ ...event, version: 2 }).success).toBe(false);
    expect(callbackInputSchema.safeParse({ ...event, state: "LOST" }).success).toBe(false);
  });
});
