import { readFileSync } from "node:fs";
import { EventType } from "@aws-sdk/client-pinpoint-sms-voice-v2";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  readMos,
  readPublished,
  readReceipts,
  VERDICTS,
} from "../../../functions/adapters/carriers/aws-sms/events.ts";
import { awsSms } from "../../../functions/adapters/carriers/aws-sms/index.ts";
import { contextOf } from "../../../functions/adapters/carriers/aws-sms/reference.ts";
import {
  createAwsSmsProtocol,
  parseSnsFromQueue,
  visitSns,
} from "../../../functions/adapters/carriers/aws-sms/reports.ts";
import { carrierEventSchema, InvalidReportError } from "../../../functions/core/carrier.ts";
import { REASONS } from "../../../functions/core/lifecycle.ts";
import { serve } from "../../support/customer-server.ts";
import {
  CERTIFICATE_URL,
  confirmation,
  createSnsCertificate,
  notification,
  SUBSCRIBE_URL,
  signed,
  TOPIC,
} from "../../support/sms-voice-sns.ts";

const ref = { account: "acme", id: "id 1", traceId: "trace-1" };
const AT = 1_772_463_600_000;

/** An event as the service publishes it. */
const event = (eventType: string, overrides: object = {}) => ({
  eventType,
  eventVersion: "1.0",
  eventTimestamp: AT,
  isFinal: true,
  originationPhoneNumber: "27182",
  destinationPhoneNumber: "+5519900001111",
  isoCountryCode: "BR",
  isInternationalSend: false,
  mcc: "724",
  mnc: "11",
  carrierName: "Vivo",
  messageId: "message-1",
  messageRequestTimestamp: AT - 1_000,
  messageEncoding: "GSM",
  messageType: "TRANSACTIONAL",
  messageStatus: eventType.replace(/^TEXT_/, ""),
  messageStatusDescription: "Message has been accepted by phone",
  context: contextOf(ref),
  totalMessageParts: 2,
  totalMessagePrice: 0.09582,
  totalCarrierFee: 0,
  ...overrides,
});

const twoWay = (overrides: object = {}) => ({
  originationNumber: "+5519900001111",
  destinationNumber: "27182",
  messageKeyword: "KEYWORD_27182",
  messageBody: "Olá 🐟",
  inboundMessageId: "inbound-1",
  previousPublishedMessageId: "message-1",
  ...overrides,
});

const published = (message: unknown) => ({
  message: typeof message === "string" ? message : JSON.stringify(message),
  publishedAt: AT,
  carrier: "aws",
});

const TEXT_EVENTS = Object.values(EventType).filter(
  (type) => type.startsWith("TEXT_") && type !== EventType.TEXT_ALL,
);

describe("an event of a text", () => {
  it("has a meaning, whichever the SDK knows", () => {
    expect(Object.keys(VERDICTS).sort()).toEqual([...TEXT_EVENTS].sort());
  });

  it("stands in the documents, with what becomes of it", () => {
    const rows = readFileSync("docs/aws-sms.md", "utf8").split("\n");
    const words = (verdict: string | undefined) =>
      verdict === "delivered"
        ? "`DELIVERED`"
        : verdict === "under-way"
          ? "set aside"
          : `\`${verdict}\``;
    for (const type of TEXT_EVENTS) {
      const row = rows.find((it) => it.includes(`\`${type}\``) && it.startsWith("| "));
      expect(row, type).toContain(words(VERDICTS[type]));
    }
  });

  it("that is final is a receipt, with what it says of the operator", () => {
    expect(readReceipts(published(event("TEXT_DELIVERED")))).toEqual([
      {
        type: "receipt",
        ref,
        carrier: "aws",
        at: AT,
        operator: "Vivo",
        shortCode: "27182",
        outcome: "delivered",
      },
    ]);
  });

  it.each([
    ["TEXT_DELIVERED", undefined],
    ["TEXT_SUCCESSFUL", undefined],
    ["TEXT_TTL_EXPIRED", "operator-expired"],
    ["TEXT_UNREACHABLE", "operator-expired"],
    ["TEXT_INVALID", "inactive-number"],
    ["TEXT_INVALID_MESSAGE", "undeliverable"],
    ["TEXT_CARRIER_UNREACHABLE", "undeliverable"],
    ["TEXT_BLOCKED", "undeliverable"],
    ["TEXT_CARRIER_BLOCKED", "undeliverable"],
    ["TEXT_PROTECT_BLOCKED", "undeliverable"],
    ["TEXT_SPAM", "undeliverable"],
    ["TEXT_UNKNOWN", "undeliverable"],
  ])("%s is the end: %s", (type, reason) => {
    if (reason) expect(REASONS.NOT_DELIVERED).toContain(reason);
    expect(readReceipts(published(event(type)))).toMatchObject([
      reason ? { outcome: "not-delivered", reason } : { outcome: "delivered" },
    ]);
  });

  it.each(TEXT_EVENTS)("%s that is not final is none", (type) => {
    expect(readReceipts(published(event(type, { isFinal: false })))).toEqual([]);
  });

  it.each(["TEXT_QUEUED", "TEXT_PENDING", "TEXT_SENT", "TEXT_OF_TOMORROW", "TEXT_ALL"])(
    "%s cannot be the end",
    (type) => {
      expect(() => readReceipts(published(event(type)))).toThrow(InvalidReportError);
    },
  );

  it("from a name has no short code, and of an unknown network no operator", () => {
    const [receipt] = readReceipts(
      published(
        event("TEXT_DELIVERED", { originationPhoneNumber: "ACME", carrierName: undefined }),
      ),
    );
    expect(receipt).toEqual({
      type: "receipt",
      ref,
      carrier: "aws",
      at: AT,
      outcome: "delivered",
    });
  });

  it("from a number has it as its short code, without the plus sign", () => {
    const message = event("TEXT_DELIVERED", { originationPhoneNumber: "+5511955550100" });
    expect(readReceipts(published(message))).toMatchObject([{ shortCode: "5511955550100" }]);
  });

  it.each([[undefined], [null], [{}], [{ campaign: "theirs" }]])(
    "that others sent is none of ours: %j",
    (context) => {
      expect(readReceipts(published(event("TEXT_DELIVERED", { context })))).toEqual([]);
    },
  );

  it.each([
    [{ "torpedo-account": "acme" }],
    [{ ...contextOf(ref), "torpedo-id": "%" }],
    [{ ...contextOf(ref), "torpedo-trace": "" }],
  ])("of a message that cannot be told is set aside: %j", (context) => {
    expect(() => readReceipts(published(event("TEXT_DELIVERED", { context })))).toThrow(
      /^context: /,
    );
  });

  it.each([
    ["no time", { eventTimestamp: undefined }],
    ["half a time", { eventTimestamp: 1.5 }],
    ["a time before all time", { eventTimestamp: -1 }],
    ["no word whether it is final", { isFinal: undefined }],
    ["an answer that is neither", { isFinal: "true" }],
  ])("with %s is refused", (_, overrides) => {
    expect(() => readReceipts(published(event("TEXT_DELIVERED", overrides)))).toThrow(
      InvalidReportError,
    );
  });

  it("of a call, or a picture, is none", () => {
    expect(readReceipts(published({ eventType: "VOICE_COMPLETED", isFinal: true }))).toEqual([]);
    expect(readReceipts(published({ eventType: "MEDIA_DELIVERED", isFinal: true }))).toEqual([]);
  });
});

describe("a two-way message", () => {
  it("is an MO, when it was published", () => {
    expect(readMos(published(twoWay()))).toEqual([
      {
        type: "mo",
        carrier: "aws",
        carrierMessageId: "inbound-1",
        from: "5519900001111",
        shortCode: "27182",
        text: "Olá 🐟",
        at: AT,
      },
    ]);
  });

  it("to a long number has it as its short code", () => {
    expect(readMos(published(twoWay({ destinationNumber: "+12125550101" })))).toMatchObject([
      { shortCode: "12125550101" },
    ]);
  });

  it.each([[""], [null], [undefined]])("may be empty: %j", (messageBody) => {
    expect(readMos(published(twoWay({ messageBody })))).toMatchObject([{ text: "" }]);
  });

  it.each([
    { originationNumber: "ACME" },
    { originationNumber: undefined },
    { destinationNumber: "" },
    { inboundMessageId: "" },
    { inboundMessageId: undefined },
    { messageBody: 1 },
  ])("is refused with %j", (overrides) => {
    expect(() => readMos(published(twoWay(overrides)))).toThrow(InvalidReportError);
  });
});

describe("what is published", () => {
  it("is told apart", () => {
    expect(readPublished(published(event("TEXT_DELIVERED")))).toMatchObject([{ type: "receipt" }]);
    expect(readPublished(published(twoWay()))).toMatchObject([{ type: "mo" }]);
  });

  it("is read, or refused without quoting it, whatever it is", () => {
    const fields = (sample: object) =>
      fc.record(
        Object.fromEntries(
          Object.entries(sample).map(([name, value]) => [
            name,
            fc.oneof({ weight: 9, arbitrary: fc.constant(value) }, fc.jsonValue()),
          ]),
        ),
        { requiredKeys: [] },
      );
    const secret = "5519900001111";
    const anything = fc.oneof(
      fields(event("TEXT_DELIVERED")),
      fields(twoWay({ messageBody: secret })),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          anything.map((value) => JSON.stringify(value)),
          fc.string(),
        ),
        (message) => {
          try {
            for (const it of readPublished(published(message))) carrierEventSchema.parse(it);
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidReportError);
            expect(String(error)).not.toContain(secret);
          }
        },
      ),
    );
  });
});

describe("a queue that a topic feeds", () => {
  const topics = { kannel: `${TOPIC}-other`, aws: TOPIC };

  it("brings receipts and MOs of the topic's carrier", () => {
    expect(parseSnsFromQueue(notification(event("TEXT_DELIVERED")), topics)).toMatchObject([
      { type: "receipt", ref, carrier: "aws" },
    ]);
    expect(parseSnsFromQueue(notification(twoWay()), topics)).toMatchObject([
      { type: "mo", carrier: "aws", at: Date.parse("2026-03-02T15:00:00.123Z") },
    ]);
    const pending = event("TEXT_PENDING", { isFinal: false });
    expect(parseSnsFromQueue(notification(pending), topics)).toEqual([]);
  });

  it.each([
    [
      "of a topic that is not ours",
      notification(event("TEXT_DELIVERED"), { TopicArn: `${TOPIC}2` }),
      "TopicArn",
    ],
    ["that asks to be confirmed", confirmation(), "Type"],
    ["that says good-bye", confirmation({ Type: "UnsubscribeConfirmation" }), "Type"],
    ["of no type", notification("{}", { Type: "Hello" }), "Type"],
    ["without its envelope", event("TEXT_DELIVERED"), "Type"],
    ["without a time", notification(twoWay(), { Timestamp: "yesterday" }), "Timestamp"],
    ["that is not JSON", notification("Hello"), "Message"],
    ["that is nothing", null, "body"],
  ])("sets aside what is %s", (_, body, field) => {
    const parse = () => parseSnsFromQueue(body, topics);
    expect(parse).toThrow(InvalidReportError);
    expect(parse).toThrow(new RegExp(`^${field}: `));
  });
});

describe("SNS over HTTPS", () => {
  const { cert, privateKey } = createSnsCertificate();
  const context = { carrier: "aws", now: AT };

  function setUp(visits: Record<string, () => string> = {}) {
    const visited: string[] = [];
    const pages: Record<string, () => string> = {
      [CERTIFICATE_URL]: () => cert,
      [SUBSCRIBE_URL]: () => "<ConfirmSubscriptionResponse/>",
      ...visits,
    };
    const protocol = createAwsSmsProtocol(async (url) => {
      visited.push(url);
      const page = pages[url];
      if (!page) throw new Error(`nobody should ask for ${url}`);
      return page();
    });
    const request = (body: unknown, headers = {}) => ({
      method: "POST",
      headers: { "content-type": "text/plain; charset=UTF-8", ...headers },
      query: {},
      body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
    });
    return {
      visited,
      protocol,
      receipts: async (body: unknown, headers?: object) =>
        protocol.parseReceipts(request(body, headers), context),
      mos: async (body: unknown) => protocol.parseMos(request(body), context),
    };
  }

  const sign = (envelope: Record<string, unknown>) => signed(envelope, privateKey);

  it.each(["1", "2"])("is believed with a signature of version %s", async (SignatureVersion) => {
    const { receipts, mos } = setUp();
    const delivered = sign(notification(event("TEXT_DELIVERED"), { SignatureVersion }));
    expect(await receipts(delivered)).toMatchObject([{ type: "receipt", ref, carrier: "aws" }]);
    const mo = sign(notification(twoWay(), { SignatureVersion, Subject: "Olá" }));
    expect(await mos(mo)).toMatchObject([{ type: "mo", text: "Olá 🐟" }]);
  });

  it("may leave its subject empty", async () => {
    const envelope = { ...sign(notification(event("TEXT_DELIVERED"))), Subject: null };
    expect(await setUp().receipts(envelope)).toHaveLength(1);
  });

  it("is asked once for its certificate", async () => {
    const { receipts, visited } = setUp();
    const envelope = sign(notification(event("TEXT_DELIVERED")));
    await Promise.all([receipts(envelope), receipts(envelope)]);
    await receipts(envelope);
    expect(visited).toEqual([CERTIFICATE_URL]);
  });

  it.each([
    [
      "could not be had",
      () => {
        throw new Error("SNS answered 503");
      },
    ],
    ["is a page of HTML", () => "<html>Try again later</html>"],
  ])("is asked again where its certificate %s", async (_, failure) => {
    let page: () => string = failure;
    const { receipts } = setUp({ [CERTIFICATE_URL]: () => page() });
    const envelope = sign(notification(event("TEXT_DELIVERED")));
    const failed = await receipts(envelope).catch((error: unknown) => error);
    // It is not the report that is at fault: it has to come again.
    expect(failed).toBeInstanceOf(Error);
    expect(failed).not.toBeInstanceOf(InvalidReportError);
    page = () => cert;
    expect(await receipts(envelope)).toHaveLength(1);
  });

  it.each([
    ["another message", { Message: JSON.stringify(event("TEXT_INVALID")) }],
    ["another topic", { TopicArn: `${TOPIC}2` }],
    ["another time", { Timestamp: "2026-03-03T15:00:00.000Z" }],
    ["a subject", { Subject: "Hello" }],
    ["the signature of another version", { SignatureVersion: "2" }],
    ["no signature", { Signature: "" }],
  ])("is not believed with %s", async (_, overrides) => {
    const envelope = { ...sign(notification(event("TEXT_DELIVERED"))), ...overrides };
    await expect(setUp().receipts(envelope)).rejects.toThrow(
      new InvalidReportError("Signature: is not that of the message"),
    );
  });

  it("is not believed with the signature of somebody else", async () => {
    const forged = signed(notification(event("TEXT_DELIVERED")), createSnsCertificate().privateKey);
    await expect(setUp().receipts(forged)).rejects.toThrow(/^Signature: /);
  });

  const path = new URL(CERTIFICATE_URL).pathname;

  it.each([
    `http://sns.sa-east-1.amazonaws.com${path}`,
    `https://sns.sa-east-1.amazonaws.com.example.org${path}`,
    `https://sns.us-east-1.amazonaws.com${path}`,
    // A bucket that is called "sns".
    `https://sns.s3-sa-east-1.amazonaws.com${path}`,
    `https://sns.sa-east-1.amazonaws.com@example.org${path}`,
    `https://user@sns.sa-east-1.amazonaws.com${path}`,
    `https://sns.sa-east-1.amazonaws.com:8443${path}`,
    "https://sns.sa-east-1.amazonaws.com/elsewhere.pem",
    `https://sns.sa-east-1.amazonaws.com/a/..${path}?x=1`,
    "file:///etc/passwd",
    "",
  ])("has no certificate at %s", async (SigningCertURL) => {
    const { receipts, visited } = setUp();
    const envelope = sign(notification(event("TEXT_DELIVERED"), { SigningCertURL }));
    await expect(receipts(envelope)).rejects.toThrow(/^SigningCertURL: /);
    expect(visited).toEqual([]);
  });

  it("has its certificates in China at another host", async () => {
    const inChina = CERTIFICATE_URL.replace(
      "sa-east-1.amazonaws.com",
      "cn-north-1.amazonaws.com.cn",
    );
    const { receipts } = setUp({ [inChina]: () => cert });
    const envelope = notification(event("TEXT_DELIVERED"), {
      TopicArn: "arn:aws-cn:sns:cn-north-1:111122223333:torpedo",
      SigningCertURL: inChina,
    });
    expect(await receipts(sign(envelope))).toHaveLength(1);
  });

  it("is confirmed where it asks for it, at either path", async () => {
    const { receipts, mos, visited } = setUp();
    expect(await receipts(sign(confirmation()))).toEqual([]);
    expect(await mos(sign(confirmation()))).toEqual([]);
    expect(visited).toEqual([CERTIFICATE_URL, SUBSCRIBE_URL, SUBSCRIBE_URL]);
  });

  it("is asked to come again where it could not be confirmed", async () => {
    const { receipts } = setUp({
      [SUBSCRIBE_URL]: () => {
        throw new Error("SNS answered 500");
      },
    });
    await expect(receipts(sign(confirmation()))).rejects.toThrow("SNS answered 500");
  });

  it.each([
    "https://example.org/?Action=ConfirmSubscription",
    SUBSCRIBE_URL.replace("https:", "http:"),
    SUBSCRIBE_URL.replace("sa-east-1", "us-east-1"),
    SUBSCRIBE_URL.replace("ConfirmSubscription", "DeleteTopic"),
    SUBSCRIBE_URL.replace("torpedo-prod-aws", "another"),
    SUBSCRIBE_URL.replace("/?", "/path?"),
    undefined,
  ])("is not confirmed at %s", async (SubscribeURL) => {
    const { receipts, visited } = setUp();
    const { SubscribeURL: _, ...without } = confirmation();
    const envelope = SubscribeURL ? { ...without, SubscribeURL } : without;
    await expect(receipts(sign(envelope))).rejects.toThrow(/^SubscribeURL: /);
    expect(visited).toEqual([CERTIFICATE_URL]);
  });

  it("is not confirmed without its signature", async () => {
    const { receipts, visited } = setUp();
    const forged = signed(confirmation(), createSnsCertificate().privateKey);
    await expect(receipts(forged)).rejects.toThrow(/^Signature: /);
    expect(visited).toEqual([CERTIFICATE_URL]);
  });

  it("may say good-bye", async () => {
    const { receipts, visited } = setUp();
    expect(await receipts(sign(confirmation({ Type: "UnsubscribeConfirmation" })))).toEqual([]);
    expect(visited).toEqual([CERTIFICATE_URL]);
  });

  it("says so where it leaves the envelope out", async () => {
    await expect(
      setUp().receipts(event("TEXT_DELIVERED"), { "x-amz-sns-rawdelivery": "true" }),
    ).rejects.toThrow(
      new InvalidReportError("the subscription has raw message delivery: turn it off"),
    );
  });

  it.each([
    ["an unknown type", notification("{}", { Type: "Hello" }), "Type"],
    ["a signature of version 3", notification("{}", { SignatureVersion: "3" }), "SignatureVersion"],
    ["a signature that is none", notification("{}", { Signature: "?" }), "Signature"],
    [
      "no topic",
      notification("{}", { TopicArn: "arn:aws:sqs:sa-east-1:111122223333:a" }),
      "TopicArn",
    ],
    ["an MO where receipts belong", sign(notification(twoWay())), "Message"],
    ["no envelope", event("TEXT_DELIVERED"), "Type"],
    ["HTML", "<html></html>", "body"],
    ["nothing", "", "body"],
    ["a list", [], "body"],
  ])("is refused with %s", async (_, body, field) => {
    const receipts = setUp().receipts(body);
    await expect(receipts).rejects.toThrow(InvalidReportError);
    await expect(receipts).rejects.toThrow(new RegExp(`^${field}: `));
  });

  it("is refused where it is not posted", async () => {
    const { protocol } = setUp();
    const request = { method: "GET", headers: {}, query: {}, body: new Uint8Array() };
    await expect(protocol.parseReceipts(request, context)).rejects.toThrow("reports are posted");
  });

  it("is content with 200", () => {
    expect(setUp().protocol.accept([])).toMatchObject({ status: 200 });
  });

  it("is what the kind reports by", async () => {
    expect(await awsSms.loadReports?.()).toHaveProperty("parseReceipts");
  });
});

describe("a visit to SNS", () => {
  it("brings what is there", async () => {
    const { url, received } = await serve((response) => response.end("a certificate"));
    expect(await visitSns(url)).toBe("a certificate");
    expect(received).toMatchObject([{ method: "GET" }]);
  });

  it.each([
    [503, {}],
    [404, {}],
    [302, { location: "/elsewhere" }],
  ])("fails with %i", async (status, headers) => {
    const { url, received } = await serve((response) => response.writeHead(status, headers).end());
    await expect(visitSns(url)).rejects.toThrow();
    expect(received).toHaveLength(1);
  });
});
