import { readFileSync } from "node:fs";
import {
  AccessDeniedExceptionReason,
  ConflictExceptionReason,
  ServiceQuotaExceededExceptionReason,
  ValidationExceptionReason,
} from "@aws-sdk/client-pinpoint-sms-voice-v2";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAwsSmsCarrier } from "../../../functions/adapters/carriers/aws-sms/carrier.ts";
import { awsSms } from "../../../functions/adapters/carriers/aws-sms/index.ts";
import {
  ACCESS_DENIED,
  CONFLICT,
  QUOTA,
  type Refusal,
  VALIDATION,
} from "../../../functions/adapters/carriers/aws-sms/outcomes.ts";
import { contextOf, refOf } from "../../../functions/adapters/carriers/aws-sms/reference.ts";
import { settings as settingsSchema } from "../../../functions/adapters/carriers/aws-sms/settings.ts";
import type { OutboundMessage } from "../../../functions/core/carrier.ts";
import { REASONS } from "../../../functions/core/lifecycle.ts";
import { segmentsOf } from "../../../functions/core/segments.ts";
import { closedPort, serveRaw } from "../../support/customer-server.ts";
import { ManualClock } from "../../support/memory.ts";
import { problemsOf } from "../../support/sms-voice-contract.ts";
import {
  clientOf,
  refused,
  type SmsVoiceAnswer,
  serveSmsVoice,
  taken,
} from "../../support/sms-voice-server.ts";

const message: OutboundMessage = {
  ref: { account: "acme", id: "id-1", traceId: "trace-1" },
  destination: "5519900001111",
  text: "Hello",
  segments: segmentsOf(["Hello"])[0] as OutboundMessage["segments"],
  lane: "singles",
  flash: false,
};

const clock = new ManualClock();

type Client = ReturnType<typeof clientOf>;

const carrierOf = (client: Client, said: object = {}, answerTimeoutMs = 2_000) =>
  createAwsSmsCarrier({
    name: "aws",
    client,
    settings: settingsSchema.parse(said),
    configurationSet: "torpedo-prod-aws",
    clock,
    answerTimeoutMs,
  });

async function setUp(answer?: () => SmsVoiceAnswer, said?: object) {
  const { received, client, connections } = await serveSmsVoice(answer);
  const carrier = carrierOf(client, said);
  return {
    received,
    connections,
    send: (overrides: Partial<OutboundMessage> = {}) => carrier.send({ ...message, ...overrides }),
    body: () => JSON.parse(received.at(-1)?.body ?? "null"),
  };
}

/** The outcome of one hand-over that is answered like this. */
async function outcomeOf(answer: SmsVoiceAnswer) {
  const { send, received } = await setUp(() => answer);
  const outcome = await send().catch((error: unknown) => error);
  expect(received).toHaveLength(1);
  return outcome;
}

describe("a hand-over to AWS", () => {
  it("is the request that the service knows", async () => {
    const { send, received, body } = await setUp();
    expect(await send()).toEqual({
      kind: "accepted",
      carrierMessageId: "message-1",
      receipts: true,
    });
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      method: "POST",
      url: "/",
      headers: {
        "x-amz-target": "PinpointSMSVoiceV2.SendTextMessage",
        "content-type": "application/x-amz-json-1.0",
        authorization: expect.stringMatching(
          /^AWS4-HMAC-SHA256 Credential=test\/\d{8}\/sa-east-1\/sms-voice\/aws4_request, SignedHeaders=/,
        ),
      },
    });
    expect(body()).toEqual({
      DestinationPhoneNumber: "+5519900001111",
      MessageBody: "Hello",
      MessageType: "TRANSACTIONAL",
      ConfigurationSetName: "torpedo-prod-aws",
      Context: {
        "torpedo-account": "acme",
        "torpedo-id": "id-1",
        "torpedo-trace": "trace-1",
      },
    });
  });

  it("says all that the stage does", async () => {
    const { send, body } = await setUp(undefined, {
      originationIdentity: "pool-0123456789abcdef",
      protectConfiguration: "protect-0123456789abcdef",
      maxPrice: "0.10",
    });
    await send({ expiresAt: clock.now() + 600_900 });
    expect(body()).toMatchObject({
      OriginationIdentity: "pool-0123456789abcdef",
      ProtectConfigurationId: "protect-0123456789abcdef",
      MaxPrice: "0.10",
      TimeToLive: 600,
    });
  });

  it.each([
    [{}, "singles", "TRANSACTIONAL"],
    [{}, "bulk", "PROMOTIONAL"],
    [{ messageTypes: { bulk: "TRANSACTIONAL" } }, "bulk", "TRANSACTIONAL"],
    [{ messageTypes: { singles: "PROMOTIONAL" } }, "singles", "PROMOTIONAL"],
  ] as const)("of a stage that says %j is, in the lane of %s, %s", async (said, lane, type) => {
    const { send, body } = await setUp(undefined, said);
    await send({ lane });
    expect(body()).toMatchObject({ MessageType: type });
  });

  it.each([
    ["27182", "27182", "27182"],
    ["5511955550100", "+5511955550100", "5511955550100"],
    ["+5511955550100", "+5511955550100", "5511955550100"],
    ["12345678", "12345678", "12345678"],
    ["ACME", "ACME", undefined],
    ["arn:aws:sms-voice:sa-east-1:111122223333:pool/pool-1", undefined, undefined],
  ])("from %s is", async (sender, identity = sender, shortCode) => {
    const { send, body } = await setUp(undefined, { originationIdentity: "pool-1" });
    const outcome = await send({ sender });
    expect(body()).toMatchObject({ OriginationIdentity: identity });
    expect(outcome).toEqual({
      kind: "accepted",
      carrierMessageId: "message-1",
      ...(shortCode && { shortCode }),
      receipts: true,
    });
  });

  it("lives no longer than AWS lets it", async () => {
    const { send, body } = await setUp();
    await send({ expiresAt: clock.now() + 5_000 });
    expect(body()).toMatchObject({ TimeToLive: 5 });
    await send({ expiresAt: clock.now() + 30 * 86_400_000 });
    expect(body()).toMatchObject({ TimeToLive: 259_200 });
  });

  it.each([4_999, 0, -1_000])("that expires in %i ms is not made", async (ms) => {
    const { send, received } = await setUp();
    expect(await send({ expiresAt: clock.now() + ms })).toMatchObject({
      kind: "unreachable",
      about: "message",
    });
    expect(received).toEqual([]);
  });

  it.each(["My.Shop", "My Shop", "A&B"])(
    "from %s, which AWS does not take, is not made",
    async (sender) => {
      const { send, received } = await setUp();
      const outcome = await send({ sender });
      expect(outcome).toMatchObject({ kind: "unreachable", about: "message" });
      expect(JSON.stringify(outcome)).not.toContain(sender);
      expect(received).toEqual([]);
    },
  );

  it("from any sender is what the service takes, or is not made", async () => {
    const { send, received } = await setUp();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", minLength: 1 }), async (sender) => {
        const before = received.length;
        const { kind } = await send({ sender });
        expect(kind).toBe(received.length > before ? "accepted" : "unreachable");
      }),
      { numRuns: 60 },
    );
  });

  it("is the whole of a long message, and a flash message an ordinary one", async () => {
    const { send, body } = await setUp();
    const text = "ã🐟".repeat(800);
    expect(await send({ text, flash: true })).toMatchObject({ kind: "accepted" });
    expect(body()).toMatchObject({ MessageBody: text });
    expect(carrierOf(clientOf(1)).takes).toBe("whole");
  });

  it.each(["", " \n", "a".repeat(1_601)])(
    "of a text that AWS takes for none is not made",
    async (text) => {
      const { send, received } = await setUp();
      expect(await send({ text })).toEqual({ kind: "blocked", reason: "invalid-message" });
      expect(received).toEqual([]);
    },
  );

  it.each(["\ud800", "🐟".repeat(64) + "-".repeat(33)])(
    "whose receipt could not be told apart is not made",
    async (id) => {
      const { send, received } = await setUp();
      expect(await send({ ref: { ...message.ref, id } })).toMatchObject({
        kind: "rejected",
        reason: "internal-error",
      });
      expect(received).toEqual([]);
    },
  );

  it("has a connection of its own", async () => {
    const { send, connections, received } = await setUp();
    await send();
    await send();
    expect(connections).toHaveLength(2);
    expect(received.map(({ headers }) => headers.connection)).toEqual(["close", "close"]);
  });
});

describe("the reference of a message", () => {
  const id = fc.string({ unit: "binary", minLength: 1, maxLength: 64 });

  it("comes back from what AWS keeps, whatever ids clients choose", () => {
    fc.assert(
      fc.property(id, id, fc.uuid(), (account, messageId, traceId) => {
        const ref = { account, id: messageId, traceId };
        const context = contextOf(ref);
        expect(context).toBeDefined();
        expect(problemsOf({ DestinationPhoneNumber: "+1425", Context: context })).toEqual({});
        expect(refOf(context ?? {})).toEqual(ref);
      }),
    );
  });
});

describe("what AWS refuses", () => {
  const NONE = { kind: "unreachable", detail: expect.any(String) };
  const OF_MESSAGE = { ...NONE, about: "message" };
  const verdict = (refusal: Refusal) => {
    if (refusal === "message") return OF_MESSAGE;
    // Nobody but the stage has said from whom.
    if (refusal === "identity" || refusal === "unreachable") return NONE;
    return { kind: "blocked", reason: refusal };
  };

  it.each([
    ["ValidationException", VALIDATION, ValidationExceptionReason, 400],
    ["ConflictException", CONFLICT, ConflictExceptionReason, 409],
    ["ServiceQuotaExceededException", QUOTA, ServiceQuotaExceededExceptionReason, 402],
    ["AccessDeniedException", ACCESS_DENIED, AccessDeniedExceptionReason, 403],
  ] as const)("with each reason of %s has a meaning", async (name, table, reasons, status) => {
    expect(Object.keys(table).sort()).toEqual(Object.values(reasons).sort());
    const allowed: readonly string[] = [...REASONS.BLOCKED, "unreachable", "message", "identity"];
    let Reason = "";
    const { send } = await setUp(() => refused(name, { status, Reason }));
    for ([Reason] of Object.entries(table)) {
      const refusal = (table as Readonly<Record<string, Refusal>>)[Reason] as Refusal;
      expect(allowed).toContain(refusal);
      expect(await send(), Reason).toEqual(verdict(refusal));
      const named = await send({ sender: "ACME" });
      expect(named, Reason).toEqual(refusal === "identity" ? OF_MESSAGE : verdict(refusal));
    }
  });

  it("for other reasons than the carrier's own stands in the documents, with what becomes of it", () => {
    const rows = readFileSync("docs/aws-sms.md", "utf8").split("\n");
    const written: Readonly<Record<string, string>> = {
      message: "`unreachable`, about the message",
      identity: "`unreachable`, about the message where it names its sender",
    };
    for (const [reason, refusal] of Object.entries({ ...VALIDATION, ...CONFLICT })) {
      if (refusal === "unreachable") continue;
      const row = rows.find((it) => it.includes(`\`${reason}\``) && it.startsWith("| "));
      const outcome = row?.split(" | ")[1]?.replace(/ \|$/, "");
      expect(outcome, reason).toBe(written[refusal] ?? `\`BLOCKED\`, \`${refusal}\``);
    }
  });

  it.each([
    ["SENDER_ID_NOT_REGISTERED", "ValidationException"],
    ["INVALID_IDENTITY_FOR_DESTINATION_COUNTRY", "ValidationException"],
    ["NO_ORIGINATION_IDENTITIES_FOUND", "ConflictException"],
    ["DESTINATION_PHONE_NUMBER_NOT_VERIFIED", "ConflictException"],
  ])("with %s is about the message, whoever named a sender", async (Reason, name) => {
    expect(await outcomeOf(refused(name, { Reason }))).toEqual(OF_MESSAGE);
  });

  it.each([
    ["ConflictException", { Reason: "RESOURCE_NOT_ACTIVE" }],
    ["ConflictException", { Reason: "REGISTRATION_NOT_COMPLETE" }],
    ["ResourceNotFoundException", { ResourceType: "sender-id" }],
    ["ResourceNotFoundException", { ResourceType: "phone-number" }],
    ["ResourceNotFoundException", { ResourceType: "pool" }],
    ["ValidationException", { Fields: [{ Name: "OriginationIdentity", Message: "is wrong" }] }],
  ])("with %s, %j, is about whoever named the sender", async (name, members) => {
    const { send } = await setUp(() => refused(name, members), { originationIdentity: "pool-1" });
    expect(await send()).toEqual(NONE);
    expect(await send({ sender: "ACME" })).toEqual(OF_MESSAGE);
  });

  it.each([
    ["ResourceNotFoundException", { ResourceType: "configuration-set" }],
    ["ResourceNotFoundException", { ResourceType: "protect-configuration" }],
    ["ResourceNotFoundException", {}],
    ["ThrottlingException", {}],
    ["AccessDeniedException", {}],
    ["ServiceQuotaExceededException", { Reason: "DAILY_DESTINATION_CALL_LIMIT" }],
  ])("with %s, %j, is about the carrier, whoever named a sender", async (name, members) => {
    const { send } = await setUp(() => refused(name, members));
    expect(await send({ sender: "ACME" })).toEqual(NONE);
  });

  it.each([
    ["ValidationException", "COUNTRY_NOT_ENABLED", { kind: "blocked", reason: "no-coverage" }],
    ["ValidationException", "PRICE_OVER_THRESHOLD", { kind: "blocked", reason: "no-coverage" }],
    [
      "ConflictException",
      "DESTINATION_PHONE_NUMBER_OPTED_OUT",
      { kind: "blocked", reason: "opt-out" },
    ],
    [
      "ConflictException",
      "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
      { kind: "blocked", reason: "no-coverage" },
    ],
    ["ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", NONE],
    ["AccessDeniedException", undefined, NONE],
    ["AccessDeniedException", "ACCOUNT_DISABLED", NONE],
    ["ResourceNotFoundException", undefined, NONE],
    ["ThrottlingException", undefined, NONE],
    ["ValidationException", undefined, NONE],
    ["ValidationException", "A_REASON_OF_TOMORROW", NONE],
    ["ConflictException", "toString", NONE],
    // Not in the model, but of every service of AWS.
    ["ExpiredTokenException", undefined, NONE],
    ["InvalidSignatureException", undefined, NONE],
    ["ANewException", undefined, NONE],
  ])("with %s, %s", async (name, Reason, outcome) => {
    expect(await outcomeOf(refused(name, { ...(Reason && { Reason }) }))).toMatchObject(outcome);
  });

  it.each([
    [{ Fields: [{ Name: "DestinationPhoneNumber", Message: "is no number" }] }, "invalid-number"],
    [{ Fields: [{ Name: "messageBody", Message: "is too long" }] }, "invalid-message"],
    [
      {
        Message:
          "1 validation error detected: Value at 'destinationPhoneNumber' failed to satisfy constraint",
      },
      "invalid-number",
    ],
    [{ Fields: [{ Name: "MaxPrice", Message: "is wrong" }] }, undefined],
  ])("for a field: %j", async (members, reason) => {
    const answer = refused("ValidationException", {
      Reason: "FIELD_VALIDATION_FAILED",
      ...members,
    });
    expect(await outcomeOf(answer)).toMatchObject(reason ? { kind: "blocked", reason } : NONE);
  });

  it("is told without number or text", async () => {
    expect(await outcomeOf(refused("ThrottlingException"))).toEqual({
      kind: "unreachable",
      detail: "ThrottlingException, HTTP 400",
    });
    expect(
      await outcomeOf(refused("AccessDeniedException", { Reason: "ACCOUNT_DISABLED" })),
    ).toMatchObject({ detail: "AccessDeniedException, ACCOUNT_DISABLED, HTTP 400" });
  });

  it("is what the service would refuse, where the model does", async () => {
    const { send } = await setUp();
    expect(await send({ destination: "0" })).toEqual({ kind: "blocked", reason: "invalid-number" });
  });
});

describe("what leaves open whether AWS has the message is thrown", () => {
  const html = { "content-type": "text/html" };

  it.each<[string, SmsVoiceAnswer]>([
    ["a fault of the service", refused("InternalServerException", { status: 500 })],
    ["a fault of what is before it", refused("ServiceUnavailableException", { status: 503 })],
    ["a page of HTML", { status: 200, headers: html, body: "<html>Hello +5519900001111</html>" }],
    ["a page of HTML about an error", { status: 502, headers: html, body: "<h1>Bad Gateway</h1>" }],
    ["somebody else's refusal", { status: 403, headers: html, body: "<h1>Forbidden</h1>" }],
    ["a refusal without a name", { status: 400, body: "{}" }],
    ["a request that came too slowly", refused("RequestTimeoutException", { status: 408 })],
    ["garbage", { status: 200, body: "\u0000\ufffd}{" }],
    ["nothing", { status: 200, body: "" }],
    ["no id", { status: 200, body: "{}" }],
    ["an empty id", taken("")],
    ["a redirection", { status: 307, headers: { location: "http://127.0.0.1:1/" }, body: "" }],
  ])("%s", async (_, answer) => {
    const error = await outcomeOf(answer);
    expect(error).toMatchObject({ name: "UnclearAnswerError" });
    expect(String(error)).not.toMatch(/Hello|5519900001111/);
  });

  it.each<[string, (socket: import("node:net").Socket) => void]>([
    ["a connection that is reset", (socket) => socket.once("data", () => socket.resetAndDestroy())],
    ["a connection that is closed", (socket) => socket.once("data", () => socket.end())],
    ["no answer", () => undefined],
    [
      "half an answer",
      (socket) =>
        socket.once("data", () => {
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
        }),
    ],
    [
      "an answer that is cut off",
      (socket) =>
        socket.once("data", () => {
          socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"MessageId":"');
        }),
    ],
  ])("%s", async (_, talk) => {
    const { port, connections } = await serveRaw(talk);
    const sent = carrierOf(clientOf(port), {}, 300).send(message);
    await expect(sent).rejects.toMatchObject({ name: "UnclearAnswerError" });
    expect(connections).toHaveLength(1);
  });
});

describe("what has not reached AWS was not taken", () => {
  it("where nobody listens", async () => {
    const carrier = carrierOf(clientOf(await closedPort()));
    expect(await carrier.send(message)).toEqual({
      kind: "unreachable",
      detail: "no connection: ECONNREFUSED",
    });
  });

  it("where no address of the host listens", async () => {
    const client = clientTo((_, callback) =>
      callback(null, [
        { address: "127.0.0.1", family: 4 },
        { address: "127.0.0.2", family: 4 },
      ]),
    );
    expect(await carrierOf(client).send(message)).toEqual({
      kind: "unreachable",
      detail: "no connection: ECONNREFUSED",
    });
  });

  it("where there is no such host", async () => {
    const client = clientTo((_, callback) => {
      const error = Object.assign(new Error("no such host"), {
        code: "ENOTFOUND",
        syscall: "getaddrinfo",
      });
      callback(error, []);
    });
    expect(await carrierOf(client).send(message)).toEqual({
      kind: "unreachable",
      detail: "no connection: ENOTFOUND",
    });
  });

  it("where the connection does not come about in time", async () => {
    const client = clientTo(() => undefined);
    expect(await carrierOf(client).send(message)).toEqual({
      kind: "unreachable",
      detail: "no connection in time",
    });
  });
});

type Addresses = readonly { readonly address: string; readonly family: number }[];

/** The real client, towards a host whose name is resolved like this. */
const clientTo = (
  lookup: (hostname: string, callback: (error: Error | null, addresses: Addresses) => void) => void,
) =>
  clientOf(1, "sms-voice.test", {
    connectionTimeout: 100,
    httpAgent: {
      keepAlive: false,
      autoSelectFamily: true,
      lookup: (
        hostname: string,
        _: object,
        callback: (error: Error | null, addresses: Addresses) => void,
      ) => lookup(hostname, callback),
    },
  });

describe("the settings", () => {
  it("are the same after they were told to a function", () => {
    const said = awsSms.settings.parse({
      maxPrice: "0.1",
      messageTypes: { bulk: "TRANSACTIONAL" },
    });
    expect(awsSms.settings.parse(JSON.parse(JSON.stringify(said)))).toEqual(said);
  });

  it("are few", () => {
    expect(awsSms.settings.parse({})).toEqual({
      messageTypes: { singles: "TRANSACTIONAL", bulk: "PROMOTIONAL" },
      twoWay: [],
    });
  });

  it.each([
    { maxPrice: "1" },
    { maxPrice: "100.0" },
    { originationIdentity: "a b" },
    { elsewhere: { region: "us-east-1" } },
    {
      elsewhere: {
        region: "s3",
        configurationSet: "a",
        topicArn: "arn:aws:sns:us-east-1:111122223333:a",
      },
    },
    { twoWay: ["27182"] },
    { messageTypes: { singles: "URGENT" } },
    { unheardOf: true },
  ])("do not hold: %j", (said) => {
    expect(awsSms.settings.safeParse(said).success).toBe(false);
  });

  it("make a carrier", async () => {
    const create = await awsSms.load();
    const said = awsSms.settings.parse({
      elsewhere: {
        region: "us-east-1",
        configurationSet: "theirs",
        topicArn: "arn:aws:sns:us-east-1:111122223333:theirs",
      },
    });
    const carrier = create({ ...said, configurationSet: "theirs" }, {
      name: "aws",
      clock,
    } as unknown as Parameters<typeof create>[1]);
    expect(carrier).toMatchObject({ name: "aws", takes: "whole" });
  });
});
