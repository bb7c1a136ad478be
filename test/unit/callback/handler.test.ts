import { describe, expect, it } from "vitest";
import { createHandler } from "../../../functions/callback/handler.ts";
import {
  callbackInputSchema,
  formatCallback,
  traceOf,
} from "../../../functions/callback/schema.ts";
import { messageReceived, messageStatusChanged } from "../../../functions/core/events.ts";
import type { Message } from "../../../functions/core/message.ts";
import {
  ManualClock,
  MemoryDirectory,
  MemoryRetryQueue,
  MemoryWebhooks,
} from "../../support/memory.ts";
import { RecordingMeter } from "../../support/recording-log.ts";
import { sampleAccount, sampleEndpoint, sampleMessage, sampleMo } from "../../support/samples.ts";

const at = Date.parse("2014-08-26T15:55:48.593Z");
const eventIn = (overrides: Partial<Message>) =>
  messageStatusChanged(sampleMessage(at, { id: "hs765939216", ...overrides }));

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
    return { handle, webhook, meter, retryQueue, endpoints: directory.endpoints };
  };

  it("takes an event as the bus gives it, and counts what it did", async () => {
    const { handle, webhook, meter } = setUp();
    const input = callbackInputSchema.parse(
      JSON.parse(JSON.stringify(eventIn({ state: "DELIVERED" }))),
    );
    const logged = await handle(input);
    expect(webhook.requests).toMatchObject([
      {
        method: "POST",
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

  it("takes a delivery that the version before this one left in the retry queue", async () => {
    const { handle, webhook } = setUp();
    const old = {
      event: {
        version: 1,
        eventId: "trace-1.DELIVERED.1409068548593",
        traceId: "trace-1",
        account: "acme",
        id: "hs765939216",
        dialect: "mesago",
        destination: "5519900001111",
        state: "DELIVERED",
        previousState: "SENT",
        final: true,
        at: "2014-08-26T15:55:48.593Z",
        acceptedAt: "2014-08-26T15:55:40.000Z",
        sentAt: "2014-08-26T15:55:42.000Z",
        attempts: 1,
        parts: 1,
        carrier: "sandbox",
        carrierMessageId: "sandbox-1",
        operator: "Claro",
        shortCode: "27182",
        codes: {
          mesago: { statusCode: "03", detailCode: "120" },
          wavy: { sent: 2, delivered: 4 },
        },
      },
      endpointId: "endpoint-1",
      attempts: 2,
    };
    const oldMo = {
      event: {
        version: 1,
        eventId: "acme.mo.23190501",
        account: "acme",
        moId: 23190501,
        dialect: "zenvia",
        from: "5519900001111",
        shortCode: "27182",
        text: "Sim",
        receivedAt: "2014-08-26T15:55:48.593Z",
        carrier: "sandbox",
        answers: { id: "id-1", traceId: "trace-1" },
      },
      endpointId: "endpoint-1",
      attempts: 2,
    };
    expect(callbackInputSchema.parse(old)).toEqual(old);
    expect(callbackInputSchema.parse(oldMo)).toEqual(oldMo);
    expect(await handle(callbackInputSchema.parse(old))).toMatchObject({
      attempts: [{ outcome: "delivered", attempt: 3 }],
    });
    expect(webhook.requests).toHaveLength(1);
  });

  it("takes an event of a time when messages had no parts", () => {
    const { parts: _, ...old } = eventIn({ state: "DELIVERED" });
    expect(callbackInputSchema.parse(old)).toEqual({ ...old, parts: 1 });
  });

  describe("given an MO", () => {
    const received = messageReceived(sampleMo(at, { text: "a reply" }));
    const overTheWire = (input: unknown) =>
      callbackInputSchema.parse(JSON.parse(JSON.stringify(input)));

    it("tells the account, and logs neither number nor text", async () => {
      const { handle, webhook, meter } = setUp();
      const input = overTheWire(received);
      const logged = await handle(input);
      expect(webhook.requests).toMatchObject([{ url: "https://customer.example/callback" }]);
      expect(JSON.parse(webhook.requests[0]?.body ?? "")).toMatchObject({
        callbackMoRequest: { id: "23190501", mobile: "5519900001111", body: "a reply" },
      });
      expect(meter.counts).toEqual({ CallbackAttempts: 1, CallbacksDelivered: 1 });
      expect(meter.times).toEqual({ CallbackDuration: [1], ChangeToCallback: [1_500] });
      expect(logged).toMatchObject({ state: "RECEIVED", attempts: [{ outcome: "delivered" }] });
      expect(JSON.stringify(logged)).not.toMatch(/5519900001111|a reply/);
      expect(traceOf(input)).toBe("acme.mo.23190501");
    });

    it("tells no endpoint that does not want MOs", async () => {
      const { handle, webhook, endpoints } = setUp();
      endpoints.splice(0, 1, sampleEndpoint({ events: ["sent", "delivered"] }));
      expect(await handle(overTheWire(received))).toMatchObject({ attempts: [] });
      expect(webhook.requests).toEqual([]);
    });

    it.each(["ALL", "FINAL", "NONE"] as const)(
      "tells an endpoint whose option for statuses is %s",
      async (callbackOption) => {
        const { handle, webhook, endpoints } = setUp();
        endpoints.splice(0, 1, sampleEndpoint({ callbackOption }));
        await handle(overTheWire(received));
        expect(webhook.requests).toHaveLength(1);
      },
    );

    it("goes on with a delivery that failed", async () => {
      const { handle, webhook, retryQueue } = setUp();
      webhook.answers.set("https://customer.example/callback", {
        kind: "answered",
        status: 503,
        durationMs: 1,
      });
      const delivery = { event: received, endpointId: "endpoint-1", attempts: 1 };
      const input = overTheWire(delivery);
      expect(await handle(input)).toMatchObject({ state: "RECEIVED" });
      expect(retryQueue.retries).toEqual([
        { delivery: { ...delivery, attempts: 2 }, delaySeconds: 60 },
      ]);
      expect(traceOf(input)).toBe("acme.mo.23190501");
    });
  });

  it("does not take anything else", () => {
    const received = messageReceived(sampleMo(at));
    expect(callbackInputSchema.safeParse({ ...received, version: 2 }).success).toBe(false);
    expect(callbackInputSchema.safeParse({ ...received, receivedAt: at }).success).toBe(false);
    const event = eventIn({ state: "DELIVERED" });
    expect(callbackInputSchema.safeParse({ ...event, version: 2 }).success).toBe(false);
    expect(callbackInputSchema.safeParse({ ...event, state: "LOST" }).success).toBe(false);
  });
});
