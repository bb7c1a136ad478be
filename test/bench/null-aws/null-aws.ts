import { type Addressee, addresseeOf } from "./addressee.ts";
import { AwsError } from "./aws-error.ts";
import { Counts } from "./counts.ts";
import { answerDynamoDb } from "./dynamodb/dynamodb.ts";
import { Tables } from "./dynamodb/tables.ts";
import { EventBuses } from "./event-bus.ts";
import { type HttpAnswer, type HttpRequest, jsonAnswer } from "./http.ts";
import { Queues } from "./queues.ts";
import { Recorder } from "./recorder.ts";
import { Replay } from "./replay.ts";
import { Schedules } from "./schedules.ts";
import { answerSqs } from "./sqs.ts";

const JSON_1_0 = "application/x-amz-json-1.0";
const JSON_1_1 = "application/x-amz-json-1.1";
/** What Kannel's smsbox says when it has taken an SMS. */
const TAKEN_BY_KANNEL = "0: Accepted for delivery";

/** An answer, and how long it is to be kept back, in milliseconds. */
export interface TimedAnswer {
  readonly answer: HttpAnswer;
  readonly delayMs: number;
  /** To be called when the answer goes out. */
  readonly onSent?: () => void;
}

/**
 * As much of AWS as the functions notice, and of the world beside it: a carrier that takes
 * everything and customers who are content with everything. It counts what it is asked.
 */
export class NullAws {
  readonly tables = new Tables();
  readonly queues = new Queues();
  readonly buses = new EventBuses(this.queues);
  readonly schedules = new Schedules(this.queues);
  readonly counts = new Counts();
  readonly recorder = new Recorder();
  readonly replay = new Replay();
  /** Values of secrets by their names or ARNs. */
  readonly secrets = new Map<string, string>();
  /** Milliseconds that answers take, by service. */
  latencyMs: Readonly<Record<string, number>> = {};
  /** Milliseconds that they take at least while they are recorded. */
  holdMs = 0;

  /** Answers whatever is asked of AWS, the carrier or a customer. */
  answer(request: HttpRequest): TimedAnswer {
    const addressee = addresseeOf(request);
    const { service, operation } = addressee;
    this.counts.call(service, operation);
    const recorded = this.recorder.add({ ...addressee, ...pathOf(request) });
    const answer = this.#remembered(addressee, request) ?? this.#answerAnew(addressee, request);
    this.counts.bytes(service, Buffer.byteLength(request.body), Buffer.byteLength(answer.body));
    const latency = this.latencyMs[service] ?? 0;
    if (!recorded) return { answer, delayMs: latency };
    return {
      answer,
      delayMs: Math.max(latency, this.holdMs),
      onSent: () => this.recorder.answered(recorded, answer),
    };
  }

  #remembered(addressee: Addressee, { body }: HttpRequest): HttpAnswer | undefined {
    return this.replay.isOn ? this.replay.answerTo({ ...addressee, body }) : undefined;
  }

  #answerAnew(addressee: Addressee, request: HttpRequest): HttpAnswer {
    try {
      return this.#answerOf(addressee, request);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      this.counts.error(addressee.service, error.code);
      return errorAnswer(addressee.service, error);
    }
  }

  #answerOf({ service, operation }: Addressee, request: HttpRequest): HttpAnswer {
    switch (service) {
      case "dynamodb":
        return jsonAnswer(
          answerDynamoDb(this.tables, operation, JSON.parse(request.body), (code) =>
            this.counts.error(service, `${operation}.${code}`),
          ),
          JSON_1_0,
        );
      case "sqs": {
        const { body, billed } = answerSqs(this.queues, operation, JSON.parse(request.body));
        this.counts.sqs(billed, request.body.includes('"MessageGroupId"'));
        return jsonAnswer(body, JSON_1_0);
      }
      case "eventbridge": {
        const { body, billed, delivered } = this.buses.answer(operation, JSON.parse(request.body));
        this.counts.events(billed, delivered);
        return jsonAnswer(body, JSON_1_1);
      }
      case "scheduler":
        return jsonAnswer(this.#schedule(operation, request));
      case "carrier":
        return { status: 202, headers: { "content-type": "text/html" }, body: TAKEN_BY_KANNEL };
      case "customer":
        return jsonAnswer({ ok: true });
      case "secretsmanager":
        return jsonAnswer(this.#secret(request), JSON_1_1);
      case "ses":
      case "sms-voice":
        return jsonAnswer({ MessageId: this.queues.newId() }, JSON_1_0);
      case "sns":
        return this.#published();
      default:
        throw new AwsError("UnknownOperationException", `the null AWS does not know ${operation}`);
    }
  }

  #schedule(operation: string, { url, body }: HttpRequest): object {
    const { pathname, searchParams } = new URL(url, "http://localhost");
    const name = decodeURIComponent(pathname.slice("/schedules/".length));
    const group = searchParams.get("groupName") ?? "default";
    return this.schedules.answer(operation, name, group, body ? JSON.parse(body) : {});
  }

  #secret({ body }: HttpRequest): object {
    const { SecretId } = JSON.parse(body) as { readonly SecretId: string };
    const SecretString = this.secrets.get(SecretId);
    if (SecretString === undefined) {
      throw new AwsError("ResourceNotFoundException", `There is no secret ${SecretId}.`);
    }
    return { ARN: SecretId, Name: SecretId, VersionId: this.queues.newId(), SecretString };
  }

  #published(): HttpAnswer {
    const id = this.queues.newId();
    return {
      status: 200,
      headers: { "content-type": "text/xml" },
      body: `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>${id}</MessageId></PublishResult><ResponseMetadata><RequestId>${id}</RequestId></ResponseMetadata></PublishResponse>`,
    };
  }
}

const pathOf = ({ method, url, headers, body }: HttpRequest) => ({
  method,
  path: url,
  headers,
  body,
});

/** What errors of a service are called besides their names. */
const NAMESPACES: Readonly<Record<string, string>> = {
  dynamodb: "com.amazonaws.dynamodb.v20120810#",
  sqs: "com.amazonaws.sqs#",
};

function errorAnswer(service: string, { code, message, members, status }: AwsError): HttpAnswer {
  const body = { __type: `${NAMESPACES[service] ?? ""}${code}`, message, ...members };
  const type = service === "scheduler" ? "application/json" : JSON_1_0;
  return jsonAnswer(body, type, status, { "x-amzn-errortype": code });
}
