import { describe, expect, it } from "vitest";
import { createHandler } from "../../../functions/callback/handler.ts";
import {
  callbackInputSchema,
  formatCallback,
  traceOf,
} from "../../../functions/callback/schema.ts";
import { messageReceived, messageStatusChanged } from "../../../functions/core/events.ts";
import type { Message } from "../../../functions/core/message.ts";
import type { Mo } from "../../../functions/core/mo.ts";
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

describe("callbackMoRequest", () => {
  const moBodyOf = (overrides: Partial<Mo>, timeZone = "America/Sao_Paulo") =>
    JSON.parse(
      formatCallback(messageReceived(sampleMo(at, overrides)), sampleAccount({ timeZone })).body,
    );

  it("is the document's example, with what real clients want beside it", () => {
    const mo = sampleMo(Date.parse("2014-08-26T15:27:08.488Z"), {
      account: "mesago.envio",
      id: 20690090,
      from: "555191951711",
      shortCode: "40001",
      text: "Sim",
      answers: { id: "hs765939061", traceId: "trace-1" },
    });
    const { headers, body } = formatCallback(messageReceived(mo), sampleAccount());
    expect(headers).toMatchObject({ "content-type": "application/json; charset=utf-8" });
    expect(JSON.parse(body)).toStrictEqual({
      callbackMoRequest: {
        id: "20690090",
        mobile: "555191951711",
        shortCode: "40001",
        account: "mesago.envio",
        body: "Sim",
        received: "2014-08-26T12:27:08.488-03:00",
        campaignId: "hs765939061",
        correlatedMessageSmsId: "hs765939061",
      },
    });
  });

  it("names no message where the MO answers none", () => {
    const { callbackMoRequest } = moBodyOf({ answers: undefined });
    expect(Object.keys(callbackMoRequest)).toEqual([
      "id",
      "mobile",
      "shortCode",
      "account",
      "body",
      "received",
    ]);
  });

  it("has the date in the account's zone", () => {
    expect(moBodyOf({}, "Asia/Kolkata").callbackMoRequest.received).toBe(
      "2014-08-26T21:25:48.593+05:30",
    );
    expect(moBodyOf({}, "UTC").callbackMoRequest.received).toBe("2014-08-26T15:55:48.593+00:00");
  });

  it("carries every text as it is, the empty one too", () => {
    for (const text of ["", 'Não 😀\n"quoted"']) {
      expect(moBodyOf({ text }).callbackMoRequest.body).toBe(text);
    }
  });

  it("carries the whole of a long id", () => {
    expect(moBodyOf({ id: 2 ** 52 - 1 }).callbackMoRequest.id).toBe("4503599627370495");
    expect(moBodyOf({ id: 0 }).callbackMoRequest.id).toBe("0");
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
