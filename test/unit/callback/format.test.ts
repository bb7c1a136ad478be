import { CloudEvent, HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { formatCallback } from "../../../functions/callback/schema.ts";
import { type Endpoint, endpointHeadersSchema } from "../../../functions/core/account.ts";
import { parseDeliveryId } from "../../../functions/core/callback-delivery.ts";
import {
  messageReceived,
  messageStatusChanged,
  type TorpedoEvent,
} from "../../../functions/core/events.ts";
import { sampleAccount, sampleEndpoint, sampleMessage, sampleMo } from "../../support/samples.ts";
import { DAY, MINUTE } from "./support.ts";

const at = Date.parse("2026-03-02T15:00:00.999Z");
const sent = messageStatusChanged(sampleMessage(at, { state: "SENT", sentAt: at, text: "Olá 😀" }));
const received = messageReceived(sampleMo(at, { text: "Não 😀\n" }));
const ID = "endpoint-1_trace-1_sent";
const secretOf = (name: string) => `whsec_${Buffer.from(name.padEnd(32)).toString("base64")}`;

const requestOf = (
  overrides: Partial<Endpoint> = {},
  event: TorpedoEvent = sent,
  request: { id: string; at: number } = { id: ID, at },
) => formatCallback(event, sampleAccount(), sampleEndpoint(overrides), request);

describe("the signature of a request", () => {
  const older = secretOf("older");
  const newer = secretOf("newer");
  const signed = { secrets: [{ secret: newer, createdAt: 0 }] };

  // Whoever verifies looks at the clock.
  beforeEach(() => {
    vi.useFakeTimers({ now: at, toFake: ["Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const verifying =
    (secret: string, { headers, body = "" }: ReturnType<typeof requestOf>) =>
    () => {
      new Webhook(secret).verify(body, { ...headers }, { jsonParse: false });
    };

  it.each([
    ["a status", sent, "dialect"],
    ["an MO", received, "dialect"],
    ["a status in Wavy's words", sent, "wavy"],
    ["an MO as a CloudEvent", received, "cloudevents"],
  ] as const)("of %s is what the specification's library takes", (_, event, format) => {
    const request = requestOf({ ...signed, format }, event);
    expect(verifying(newer, request)).not.toThrow();
    expect(verifying(older, request)).toThrow("No matching signature");
    expect(verifying(newer, { ...request, body: `${request.body} ` })).toThrow("No matching");
    const headers = { ...request.headers, "webhook-id": "other" };
    expect(verifying(newer, { ...request, headers })).toThrow("No matching");
  });

  it("names the delivery and the second of the request", () => {
    expect(requestOf(signed).headers).toMatchObject({
      "webhook-id": ID,
      "webhook-timestamp": String(Math.floor(at / 1_000)),
    });
    expect(parseDeliveryId("acme", ID)).toEqual({
      account: "acme",
      endpointId: "endpoint-1",
      subject: "trace-1",
      level: "sent",
    });
  });

  it("is another one at each attempt", () => {
    const again = requestOf(signed, sent, { id: ID, at: at + MINUTE });
    expect(again.headers["webhook-id"]).toBe(ID);
    expect(again.headers["webhook-signature"]).not.toBe(
      requestOf(signed).headers["webhook-signature"],
    );
    expect(verifying(newer, again)).not.toThrow();
  });

  describe("while a secret is being rotated out", () => {
    const rotating = {
      secrets: [
        { secret: newer, createdAt: at },
        { secret: older, createdAt: 0, validUntil: at + DAY },
      ],
    };

    it("is one by each secret", () => {
      const request = requestOf(rotating);
      expect(request.headers["webhook-signature"]?.split(" ")).toHaveLength(2);
      for (const secret of [newer, older]) expect(verifying(secret, request)).not.toThrow();
    });

    it("is by both until the last millisecond, and then by the new one alone", () => {
      vi.setSystemTime(at + DAY);
      const last = requestOf(rotating, sent, { id: ID, at: at + DAY - 1 });
      expect(verifying(older, last)).not.toThrow();
      const next = requestOf(rotating, sent, { id: ID, at: at + DAY });
      expect(verifying(newer, next)).not.toThrow();
      expect(verifying(older, next)).toThrow("No matching signature");
      expect(next.headers["webhook-signature"]?.split(" ")).toHaveLength(1);
    });
  });

  it("of a GET is that of an empty body", () => {
    const mo = messageReceived(sampleMo(at, { dialect: "wavy" }));
    const request = requestOf({ ...signed, method: "GET" }, mo);
    expect(request).toMatchObject({ method: "GET" });
    expect(request.body).toBeUndefined();
    expect(verifying(newer, request)).not.toThrow();
  });

  it("is missing where the endpoint has no secret, but not the rest", () => {
    const { headers } = requestOf({ secrets: [] });
    expect(headers).toHaveProperty("webhook-id");
    expect(headers).toHaveProperty("webhook-timestamp");
    expect(headers).not.toHaveProperty("webhook-signature");
  });

  it("is missing where all secrets have run out", () => {
    const secrets = [{ secret: older, createdAt: 0, validUntil: at }];
    expect(requestOf({ secrets }).headers).not.toHaveProperty("webhook-signature");
  });
});

describe("an endpoint's own headers", () => {
  it("are sent along, and can say who it is that calls", () => {
    const headers = { Authorization: "Bearer abc", "User-Agent": "Acme" };
    expect(requestOf({ headers }).headers).toEqual({
      authorization: "Bearer abc",
      "user-agent": "Acme",
      "content-type": "application/json; charset=utf-8",
      "webhook-id": ID,
      "webhook-timestamp": String(Math.floor(at / 1_000)),
    });
    expect(requestOf().headers["user-agent"]).toBe("Torpedo");
  });

  it("do not change what we say", () => {
    const own = requestOf({ secrets: [{ secret: secretOf("one"), createdAt: 0 }] }).headers;
    const headers = Object.fromEntries(
      Object.keys(own)
        .filter((name) => name !== "user-agent")
        .flatMap((name) => [
          [name, "forged"],
          [name.toUpperCase(), "forged"],
        ]),
    );
    const secrets = [{ secret: secretOf("one"), createdAt: 0 }];
    expect(requestOf({ headers, secrets }).headers).toEqual(own);
  });

  it.each([
    "Content-Type",
    "content-length",
    "Content-Encoding",
    "Host",
    "Connection",
    "Transfer-Encoding",
    "TE",
    "Upgrade",
    "Proxy-Authorization",
    "Expect",
    "webhook-id",
    "Webhook-Signature",
    "WEBHOOK-TIMESTAMP",
    "a header",
    "a:b",
    "",
    "ä",
    "a\nb",
  ])("cannot be %j", (name) => {
    expect(endpointHeadersSchema.safeParse({ [name]: "value" }).success).toBe(false);
  });

  it.each(["a\r\nb", "a\nb", "ä", "\u0000", "x".repeat(1_025)])(
    "cannot have the value %j",
    (value) => {
      expect(endpointHeadersSchema.safeParse({ "X-Key": value }).success).toBe(false);
    },
  );

  it("are twenty at most", () => {
    const headers = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`X-${index}`, ""]));
    expect(endpointHeadersSchema.safeParse(headers(20)).success).toBe(true);
    expect(endpointHeadersSchema.safeParse(headers(21)).success).toBe(false);
  });
});

describe("the words that an endpoint is told in", () => {
  const nameOf = (overrides: Partial<Endpoint>, event: TorpedoEvent) =>
    Object.keys(JSON.parse(requestOf(overrides, event).body ?? ""))[0];

  it.each([
    ["mesago", "dialect", "callbackMtRequest", "callbackMoRequest"],
    ["zenvia", "dialect", "callbackMtRequest", "callbackMoRequest"],
    ["wavy", "dialect", "id", "id"],
    ["wavy", "mesago", "callbackMtRequest", "callbackMoRequest"],
    ["wavy", "zenvia", "callbackMtRequest", "callbackMoRequest"],
    ["mesago", "wavy", "id", "id"],
    ["mesago", "cloudevents", "specversion", "specversion"],
    ["wavy", "cloudevents", "specversion", "specversion"],
  ] as const)("for %s and the format %s begin with %s and %s", (dialect, format, mt, mo) => {
    expect(nameOf({ format }, { ...sent, dialect })).toBe(mt);
    expect(nameOf({ format }, { ...received, dialect })).toBe(mo);
  });

  it("are by GET only those of Wavy", () => {
    const methodOf = (format: Endpoint["format"], event: TorpedoEvent) =>
      requestOf({ format, method: "GET" }, event).method;
    expect(methodOf("wavy", received)).toBe("GET");
    expect(methodOf("wavy", sent)).toBe("POST");
    expect(methodOf("cloudevents", received)).toBe("POST");
    expect(methodOf("mesago", received)).toBe("POST");
    expect(methodOf("mesago", { ...received, dialect: "wavy" })).toBe("POST");
  });

  it("tell a canceled message of Wavy's in Mesago's codes", () => {
    const canceled = messageStatusChanged(
      sampleMessage(at, { dialect: "wavy", state: "CANCELED" }),
    );
    expect(JSON.parse(requestOf({ format: "mesago" }, canceled).body ?? "")).toMatchObject({
      callbackMtRequest: { status: "09", statusDetail: "002" },
    });
  });
});

describe("a CloudEvent", () => {
  const cloudEventOf = (event: TorpedoEvent) => {
    const { headers, body } = requestOf({ format: "cloudevents" }, event);
    const parsed = HTTP.toEvent({ headers: { ...headers }, body });
    if (!(parsed instanceof CloudEvent)) throw new Error("one event was expected");
    return parsed;
  };

  it("of a status is one by the specification's library, and carries what the bus carries", () => {
    const event = cloudEventOf(sent);
    expect(event.validate()).toBe(true);
    expect(event.toJSON()).toEqual({
      specversion: "1.0",
      id: sent.eventId,
      source: "/torpedo/accounts/acme",
      type: "torpedo.message.status-changed",
      subject: "id-1",
      time: "2026-03-02T15:00:00.999Z",
      datacontenttype: "application/json",
      data: sent,
    });
  });

  it("of an MO is one, too", () => {
    const event = cloudEventOf(received);
    expect(event.validate()).toBe(true);
    expect(event.toJSON()).toMatchObject({
      id: "acme.mo.23190501",
      type: "torpedo.message.received",
      subject: "23190501",
      time: received.receivedAt,
      data: received,
    });
  });

  it("says so in the head of its request", () => {
    expect(requestOf({ format: "cloudevents" }).headers["content-type"]).toBe(
      "application/cloudevents+json; charset=utf-8",
    );
  });

  it("has a source that is a URI, whatever the account is called", () => {
    const event = cloudEventOf({ ...sent, account: "mail@acme.example" });
    expect(event.source).toBe("/torpedo/accounts/mail%40acme.example");
    expect(event.validate()).toBe(true);
  });
});
