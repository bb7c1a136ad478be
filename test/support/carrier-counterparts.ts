import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { onTestFinished, vi } from "vitest";
import { parseSnsFromQueue } from "../../functions/adapters/carriers/aws-sms/reports.ts";
import type { SecretValues } from "../../functions/adapters/carriers/kind.ts";
import { createOpenSecret } from "../../functions/adapters/secrets/secrets.ts";
import type { ReportRequest } from "../../functions/core/carrier.ts";
import { segmentsOf } from "../../functions/core/segments.ts";
import {
  type Answer,
  type Behaviour,
  CARRIER_NAME,
  type Counterpart,
  type News,
  type TakenSms,
  type ToldMo,
} from "./carrier-contract.ts";
import { serve } from "./customer-server.ts";
import { problemsOf, SEND_TEXT_MESSAGE } from "./sms-voice-contract.ts";
import { refused, taken } from "./sms-voice-server.ts";
import { createSnsCertificate, notification, signed, TOPIC } from "./sms-voice-sns.ts";
import { stubbedAws, type WireRequest } from "./stub-aws.ts";

type Received = Awaited<ReturnType<typeof serve>>["received"][number];

const unused = () => {
  throw new Error("this carrier has no use for it");
};
/** For carriers that are to ask nothing of AWS but what they are. */
const noAws = {
  dynamodb: DynamoDBDocumentClient.from(new DynamoDBClient(stubbedAws(unused).config)),
  sqs: new SQSClient(stubbedAws(unused).config),
  openSecret: unused,
};

const postOf = (value: unknown): ReportRequest => ({
  method: "POST",
  headers: { "content-type": "application/json; charset=utf-8" },
  query: {},
  body: Buffer.from(JSON.stringify(value)),
});
const readJson = ({ body }: ReportRequest) => JSON.parse(Buffer.from(body).toString());

/** Of an object, a field is changed, or left out where there is no value. */
const withField = (of: object, field: string, value: unknown): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries({ ...of, [field]: value }).filter(([, it]) => it !== undefined),
  );

const withoutPlus = (number: string | undefined) => number?.replace(/^\+/, "");
const quote = ({ destination, text }: TakenSms) => `${destination} ${text}`;

/** What a service that is asked by HTTP says of a message, in its own words. */
interface Words {
  readonly accepted: (sms: TakenSms) => Answer;
  readonly refused: (sms: TakenSms) => Answer;
  readonly later: (sms: TakenSms) => Answer;
}

interface Exchange {
  readonly response: ServerResponse;
  readonly sms: TakenSms;
  readonly words: Words;
}

const say = ({ response }: Exchange, { status, headers, body }: Answer) =>
  response.writeHead(status, headers).end(body);
const write = ({ response }: Exchange, text: string) => response.socket?.write(text);

/** As it stands on the wire. */
const raw = ({ status, headers = {}, body }: Answer) =>
  [
    `HTTP/1.1 ${status} Said`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    "",
    body,
  ].join("\r\n");

const page = (status: number, sms: TakenSms): Answer => ({
  status,
  headers: { "content-type": "text/html" },
  body: `<html><h1>Hello</h1>${quote(sms)}</html>`,
});
/** As if it were well, but for what it says. */
const instead = ({ words, sms }: Exchange, body: string) => ({ ...words.accepted(sms), body });

const BEHAVIOURS: Readonly<Record<Behaviour, (exchange: Exchange) => unknown>> = {
  accepts: (it) => say(it, it.words.accepted(it.sms)),
  "refuses for good": (it) => say(it, it.words.refused(it.sms)),
  'says "later"': (it) => say(it, it.words.later(it.sms)),
  "is away": unused,
  "answers twice": (it) =>
    write(it, raw(it.words.accepted(it.sms)) + raw(it.words.refused(it.sms))),
  "answers garbage": (it) => say(it, instead(it, `\u0000\ufffd}{ ${quote(it.sms)}`)),
  "answers with a page of HTML": (it) => say(it, page(it.words.accepted(it.sms).status, it.sms)),
  "answers with a proxy's 502": (it) => say(it, page(502, it.sms)),
  "answers with nothing": (it) => say(it, instead(it, "")),
  "speaks no HTTP": (it) => write(it, `\u0001 ${quote(it.sms)}\r\n\r\n`),
  "breaks the connection after the request": ({ response }) => response.socket?.resetAndDestroy(),
  "never answers": () => undefined,
  "stops in the middle of its answer": (it) =>
    write(it, raw(it.words.accepted(it.sms)).slice(0, -1)),
};

/** Whoever says so has not taken it. What is in front of a service says 4xx instead of asking it, but for 408. */
const takes = (how: Behaviour | Answer) =>
  typeof how === "string"
    ? how !== "refuses for good" && how !== 'says "later"'
    : how.status < 400 || how.status === 408 || how.status >= 500;

/**
 * A service on loopback that meets messages as it is told to, until the test ends.
 * @param read the message that a request hands over, or the service's objection to the request
 */
async function serveMessages(read: (request: Received) => TakenSms | Answer, words: Words) {
  const messages: TakenSms[] = [];
  const news = new EventEmitter();
  let behaviour: Behaviour | Answer = "accepts";
  let numbers = 0;
  let server: Server | undefined;

  const respond = (response: ServerResponse, request: Received) => {
    const sms = read(request);
    news.emit("asked");
    if ("status" in sms) return response.writeHead(sms.status, sms.headers).end(sms.body);
    if (takes(behaviour)) messages.push(sms);
    const exchange = { response, sms, words };
    if (typeof behaviour === "string") return BEHAVIOURS[behaviour](exchange);
    return say(exchange, behaviour);
  };
  const { received, port } = await serve(
    (response) => respond(response, received.at(-1) as Received),
    (listener) => {
      server = createServer(listener);
      return server;
    },
  );
  return {
    url: `http://127.0.0.1:${port}`,
    taken: messages,
    asked: () => received.length,
    nextAsked: () => once(news, "asked"),
    behave(how: Behaviour | Answer) {
      behaviour = how;
      if (how === "is away") server?.close();
      numbers++;
      return `55119${String(numbers).padStart(8, "0")}`;
    },
  };
}

/** The cloud that the sandbox lives in: its books in a table, and a queue that receipts go to. */
export async function openSandbox(): Promise<Counterpart> {
  const messages: TakenSms[] = [];
  const news = new EventEmitter();
  const receipts: { ref: { id: string }; part?: number }[] = [];
  let isAway = false;
  let asked = 0;
  let numbers = 0;

  const table = stubbedAws(({ target, body }) => {
    if (isAway) throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    if (target === "DynamoDB_20120810.UpdateItem") {
      asked++;
      news.emit("asked");
      return { body: { Attributes: { attempts: { N: "1" } } } };
    }
    const entry = unmarshall(body.Item as never);
    const receipt = receipts.findLast(
      ({ ref, part }) => ref.id === entry.messageId && part === entry.part?.order,
    );
    if (entry.outcome === "accepted" || entry.outcome === "broken") {
      messages.push(smsOfEntry(entry, receipt));
    }
    return {};
  });
  const queue = stubbedAws(({ body }: WireRequest) => {
    receipts.push(JSON.parse(String(body.MessageBody)));
    return { body: { MessageId: "m" } };
  });
  return {
    settings: {},
    provisions: {
      outboxTable: "outbox",
      carrierEventsQueueUrl: "https://sqs.us-east-1.amazonaws.com/123456789012/reports",
    },
    resources: {
      dynamodb: DynamoDBDocumentClient.from(new DynamoDBClient(table.config)),
      sqs: new SQSClient({ ...queue.config, md5: false }),
      openSecret: unused,
    },
    secrets: [],
    taken: messages,
    asked: () => asked,
    nextAsked: () => once(news, "asked"),
    behave(how) {
      isAway = how === "is away";
      numbers++;
      return `5511${90_000 + numbers}${lastFourFor(how)}`;
    },
    mo: (mo) => postOf({ ...mo, at: new Date(mo.at).toISOString() }),
    change: (report, field, value) => postOf(withField(readJson(report), field, value)),
    fields: {
      receipt: { ref: "ref", outcome: "outcome", at: "at", part: undefined, operator: undefined },
      mo: {
        from: "from",
        shortCode: "shortCode",
        text: "text",
        carrierMessageId: "carrierMessageId",
        at: "at",
        operator: undefined,
      },
    },
  };
}

/** Its numbers do what they do (README). */
const LAST_FOUR: Readonly<Partial<Record<Behaviour, string>>> = {
  accepts: "0001",
  "is away": "0001",
  "refuses for good": "8400",
  'says "later"': "8501",
  "breaks the connection after the request": "8503",
};

function lastFourFor(how: Behaviour | Answer): string {
  const lastFour = typeof how === "string" ? LAST_FOUR[how] : undefined;
  if (lastFour === undefined) throw new Error("the sandbox has no number that does so");
  return lastFour;
}

function smsOfEntry(entry: object, queued: object | undefined): TakenSms {
  const { destination, text, sender, flash, messageId, part } = entry as TakenSms & {
    messageId: string;
    part?: { order: number; total: number };
  };
  return {
    destination,
    text,
    sender,
    flash: flash === true,
    numbering: part && { reference: messageId, ...part },
    receipt: queued && ((what, at) => postOf(sandboxReport(queued, what, at))),
  };
}

const sandboxReport = (queued: object, news: News, at: number) => ({
  ...queued,
  outcome: news,
  reason: news === "not-delivered" ? "inactive-number" : undefined,
  at: new Date(at).toISOString(),
});

/** Made once, as SNS has it: the function remembers it by its URL, which is another in each run. */
const snsCertificate = createSnsCertificate();
const SNS_CERTIFICATE_URL = `https://sns.sa-east-1.amazonaws.com/SimpleNotificationService-${randomBytes(16).toString("hex")}.pem`;

/** What we are known by to AWS. */
const AWS_CREDENTIALS = {
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI-EXAMPLEKEY",
};

/** AWS End User Messaging SMS by its model, which functions are led to by their environment, and SNS. */
export async function openSmsVoice(): Promise<Counterpart> {
  let ids = 0;
  const wire = await serveMessages(
    (request) => {
      ids++;
      return readSendTextMessage(request, `message-${ids}`);
    },
    {
      accepted: ({ id = "" }) => taken(id),
      refused: (sms) =>
        refused("ConflictException", {
          status: 409,
          Reason: "DESTINATION_PHONE_NUMBER_OPTED_OUT",
          Message: quote(sms),
        }),
      later: (sms) => refused("ThrottlingException", { Message: quote(sms) }),
    },
  );
  const environment = {
    ...AWS_CREDENTIALS,
    AWS_REGION: "sa-east-1",
    AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2: wire.url,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  // The host's name is SNS's own, and must be.
  vi.stubGlobal("fetch", async (url: unknown) =>
    url === SNS_CERTIFICATE_URL
      ? new Response(snsCertificate.cert)
      : new Response(null, { status: 404 }),
  );
  onTestFinished(() => {
    vi.unstubAllEnvs();
    vi.unstubAllGlobals();
  });
  return {
    ...wire,
    settings: {},
    provisions: { configurationSet: "torpedo-prod-operators-2" },
    resources: noAws,
    secrets: Object.values(AWS_CREDENTIALS),
    mo: (mo) =>
      published(mo.at, {
        originationNumber: `+${mo.from}`,
        destinationNumber: mo.shortCode,
        messageKeyword: "KEYWORD_27182",
        messageBody: mo.text,
        inboundMessageId: mo.carrierMessageId,
      }),
    change: changePublished,
    fields: {
      receipt: {
        ...ENVELOPE_FIELDS,
        isFinal: "isFinal",
        eventType: "Message",
        eventTimestamp: "eventTimestamp",
        carrierName: undefined,
        originationPhoneNumber: undefined,
      },
      mo: {
        ...ENVELOPE_FIELDS,
        originationNumber: "originationNumber",
        destinationNumber: "destinationNumber",
        inboundMessageId: "inboundMessageId",
        messageBody: undefined,
      },
    },
    forge: (report) => {
      const envelope = readJson(report);
      return postOf({ ...envelope, Message: envelope.Message.replace("27182", "31415") });
    },
    fromQueue: (report) => parseSnsFromQueue(readJson(report), { [CARRIER_NAME]: TOPIC }),
  };
}

/** What an envelope of SNS is nothing without. */
const ENVELOPE_FIELDS = Object.fromEntries(
  ["Type", "MessageId", "TopicArn", "Message", "Timestamp", "SignatureVersion", "Signature"]
    .concat("SigningCertURL")
    .map((field) => [field, field]),
);

function readSendTextMessage({ headers, body }: Received, id: string): TakenSms | Answer {
  const request = JSON.parse(body);
  const isOurs = headers["x-amz-target"] === SEND_TEXT_MESSAGE && headers.authorization;
  if (!isOurs || Object.keys(problemsOf(request)).length > 0) {
    return refused("ValidationException", { Reason: "OTHER", Message: body });
  }
  const { DestinationPhoneNumber, OriginationIdentity, MessageBody, MessageType, TimeToLive } =
    request;
  return {
    id,
    destination: DestinationPhoneNumber.slice(1),
    text: MessageBody,
    sender: withoutPlus(OriginationIdentity),
    lane: MessageType === "TRANSACTIONAL" ? "singles" : "bulk",
    validForMs: TimeToLive && TimeToLive * 1_000,
    receipt: (news, at) =>
      published(at, {
        ...TEXT_EVENTS[news],
        eventVersion: "1.0",
        eventTimestamp: at,
        originationPhoneNumber: OriginationIdentity ?? "27182",
        destinationPhoneNumber: DestinationPhoneNumber,
        isoCountryCode: "BR",
        carrierName: "Vivo",
        messageId: id,
        messageType: MessageType,
        context: request.Context,
        totalMessageParts: 1,
      }),
  };
}

const TEXT_EVENTS = {
  delivered: { eventType: "TEXT_DELIVERED", isFinal: true },
  "not-delivered": { eventType: "TEXT_UNREACHABLE", isFinal: true },
  "under-way": { eventType: "TEXT_PENDING", isFinal: false },
} as const satisfies Record<News, object>;

const sign = (envelope: Record<string, unknown>) =>
  postOf(signed(envelope, snsCertificate.privateKey));

const published = (at: number, message: unknown) =>
  sign(
    notification(message, {
      SigningCertURL: SNS_CERTIFICATE_URL,
      SignatureVersion: "2",
      Timestamp: new Date(at).toISOString(),
    }),
  );

/** The change is SNS's own, so it has signed what there is to be signed. */
function changePublished(report: ReportRequest, field: string, value: unknown): ReportRequest {
  const envelope = readJson(report);
  if (!(field in envelope)) {
    const message = withField(JSON.parse(envelope.Message), field, value);
    return sign({ ...envelope, Message: JSON.stringify(message) });
  }
  const changed = withField(envelope, field, value);
  const isSignable = typeof value === "string" && field !== "Signature";
  return isSignable ? sign(changed) : postOf(changed);
}

/** Its letters are encoded in an URL, by percent signs before what Kannel knows as escapes. */
const DLR_SECRET = "a-senha-da-operação";

/** Whom a Kannel lets in; the other end of the secret that the carrier reads. */
class KannelUser {
  /** As the carrier's secret has it now. */
  #stored = KannelUser.#values("password-of-the-first-day");
  #known = this.#stored;
  #isReadable = true;

  static #values(password: string): SecretValues {
    return {
      username: "a-user-of-kannel",
      password,
      dlrUrl: `https://api.example/carriers/${CARRIER_NAME}/dlr?secret=${encodeURIComponent(DLR_SECRET)}`,
    };
  }
  lets(headers: Received["headers"]): boolean {
    const { username, password } = this.#known;
    return headers["x-kannel-username"] === username && headers["x-kannel-password"] === password;
  }
  get secrets(): string[] {
    return [this.#stored, this.#known]
      .flatMap(({ username = "", password = "" }) => [username, password])
      .concat(DLR_SECRET);
  }
  readonly secret = {
    change: () => {
      this.#known = KannelUser.#values("password-of-the-next-day");
      this.#stored = this.#known;
    },
    changeThere: () => {
      this.#known = KannelUser.#values("password-that-nobody-told-us");
    },
    loseAccess: () => {
      this.#isReadable = false;
    },
  };
  /** What Secrets Manager answers with. */
  readonly #answer = () =>
    this.#isReadable
      ? { body: { SecretString: JSON.stringify(this.#stored) } }
      : { status: 400, body: { __type: "AccessDeniedException" } };
  readonly open = createOpenSecret(new SecretsManagerClient(stubbedAws(this.#answer).config));
}

/** The smsbox of a Kannel, as its source and its answers have it; what it would lose in silence it refuses. */
export async function openKannel(): Promise<Counterpart> {
  const user = new KannelUser();
  const wire = await serveMessages(
    (request) =>
      user.lets(request.headers)
        ? readSendsms(request)
        : { status: 403, body: "Authorization failed for sendsms" },
    {
      accepted: () => ({ status: 202, body: "0: Accepted for delivery" }),
      refused: (sms) => ({
        status: 400,
        body: `Number(s) has/have been denied by white- and/or black-lists. ${quote(sms)}`,
      }),
      later: (sms) => ({ status: 503, body: `Temporal failure, try again later. ${quote(sms)}` }),
    },
  );
  return {
    ...wire,
    settings: {
      url: `${wire.url}/cgi-bin/sendsms`,
      secret: "arn:aws:secretsmanager:sa-east-1:123456789012:secret:kannel-AbCdEf",
    },
    provisions: {},
    resources: { ...noAws, openSecret: user.open },
    get secrets() {
      return user.secrets;
    },
    secret: user.secret,
    mo: kannelMo,
    change: (report, field, value) => ({
      ...report,
      query: withField(report.query, field, asInUrl(value)) as ReportRequest["query"],
    }),
    fields: {
      receipt: {
        ref: "ref",
        dlr: "dlr",
        answer: undefined,
        at: undefined,
        from: undefined,
        part: undefined,
      },
      mo: {
        id: "id",
        from: "from",
        to: "to",
        hex: "hex",
        coding: "coding",
        charset: undefined,
        at: undefined,
        operator: undefined,
      },
    },
  };
}

const asInUrl = (value: unknown) =>
  typeof value === "string" || value === undefined ? value : JSON.stringify(value);

/** What an SMS holds, by Kannel's coding: alone, and with a header. */
const ROOM = { "0": { alone: 160, part: 153 }, "2": { alone: 70, part: 67 } } as const;

/** Septets of GSM 03.38 where the text has a place there, else UTF-16 code units. */
function sizeOf(text: string): { coding: keyof typeof ROOM; size: number } {
  const isGsm = segmentsOf([text])[0]?.coding === "gsm";
  const escaped = text.match(/[\f^{}\\[~\]|€]/g)?.length ?? 0;
  return isGsm ? { coding: "0", size: text.length + escaped } : { coding: "2", size: text.length };
}

function readSendsms({ method, url, headers, body }: Received): TakenSms | Answer {
  const of = (name: string) => {
    const value = headers[`x-kannel-${name}`];
    return typeof value === "string" ? value : undefined;
  };
  if (method !== "POST" || url !== "/cgi-bin/sendsms") return { status: 404, body: "Not found" };
  if (headers["content-type"] !== "text/plain; charset=UTF-8" || !of("to") || body === "") {
    return { status: 400, body: "Empty receiver number not allowed, rejected" };
  }
  const udh = of("udh");
  const coding = of("coding") as keyof typeof ROOM;
  const { coding: least, size } = sizeOf(body);
  // A text that is in GSM by itself can be one part of a message that is not.
  if (coding < least || size > ROOM[coding][udh === undefined ? "alone" : "part"]) {
    return { status: 400, body: "Message too long, or cannot be coded so; rejected" };
  }
  const [, , , reference = "", total = 0, order = 0] = Buffer.from(udh ?? "", "hex");
  const validity = of("validity");
  const dlrUrl = of("dlr-url");
  return {
    destination: of("to")?.replace(/^\+/, "") ?? "",
    text: body,
    sender: withoutPlus(of("from")),
    flash: of("mclass") === "0",
    lane: Number(of("priority")) > 0 ? "singles" : "bulk",
    validForMs: validity === undefined ? undefined : Number(validity) * 60_000,
    numbering: udh === undefined ? undefined : { reference: String(reference), order, total },
    receipt: dlrUrl === undefined ? undefined : (news, at) => kannelReceipt(dlrUrl, news, at),
  };
}

/** Type, and what the operator said. */
const KANNEL_NEWS = {
  delivered: ["1", "id:1f sub:001 dlvrd:001 stat:DELIVRD err:000"],
  "not-delivered": ["2", "id:1f sub:001 dlvrd:000 stat:UNDELIV err:011"],
  "under-way": ["8", "ACK/"],
} as const satisfies Record<News, readonly [string, string]>;

/** The request to an URL as Kannel fills it in, and as it arrives at the protocol. */
function kannelReceipt(dlrUrl: string, news: News, at: number): ReportRequest {
  const [type, answer] = KANNEL_NEWS[news];
  const values: Readonly<Record<string, string>> = {
    "%": "%",
    d: type,
    A: encodeURIComponent(answer),
    C: "UTF-8",
    T: String(at / 1_000),
    P: "27182",
    i: "VIVO",
  };
  const url = new URL(dlrUrl.replace(/%(.)/g, (whole, it) => values[it] ?? whole));
  const { secret, ...query } = Object.fromEntries(url.searchParams);
  if (secret !== DLR_SECRET) throw new Error("the ingress would not let this in");
  return { method: "GET", headers: {}, query, body: Buffer.alloc(0) };
}

const utf16 = (text: string) => Buffer.from(text, "utf16le").swap16();

/** An MO by POST, whose URL is that of docs/kannel.md. */
function kannelMo({ carrierMessageId, from, shortCode, text, at, part }: ToldMo): ReportRequest {
  const { coding } = sizeOf(text);
  const bytes = coding === "0" ? Buffer.from(text) : utf16(text);
  const udh = part && Buffer.from([5, 0, 3, part.reference, part.total, part.order]);
  return {
    method: "POST",
    headers: udh
      ? { "x-kannel-udh": udh.toString("hex").replace(/../g, (byte) => `%${byte}`) }
      : {},
    query: {
      id: carrierMessageId,
      at: String(at / 1_000),
      from: `+${from}`,
      to: shortCode,
      coding,
      charset: coding === "0" ? "UTF-8" : "UTF-16BE",
      hex: bytes.toString("hex").toUpperCase(),
      operator: "VIVO",
    },
    body: Buffer.alloc(0),
  };
}
