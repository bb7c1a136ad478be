import type { HttpRequest } from "./http.ts";

/** Whom a request is for, and what it wants there. */
export interface Addressee {
  readonly service: string;
  readonly operation: string;
}

/** What services call themselves in `x-amz-target`, before the operation. */
const TARGETS: Readonly<Record<string, string>> = {
  DynamoDB_20120810: "dynamodb",
  AmazonSQS: "sqs",
  AWSEvents: "eventbridge",
  secretsmanager: "secretsmanager",
  PinpointSMSVoiceV2: "sms-voice",
};

const SCHEDULE_OPERATIONS: Readonly<Record<string, string>> = {
  POST: "CreateSchedule",
  GET: "GetSchedule",
  DELETE: "DeleteSchedule",
};

/** Finds out whom a request is for: AWS, by the ways that its protocols say it, the carrier or a customer. */
export function addresseeOf({ method, url, headers, body }: HttpRequest): Addressee {
  const target = headers["x-amz-target"];
  if (typeof target === "string") {
    const dot = target.lastIndexOf(".");
    const name = target.slice(0, dot);
    return { service: TARGETS[name] ?? name, operation: target.slice(dot + 1) };
  }
  if (url.startsWith("/customer")) return { service: "customer", operation: method };
  if (url.startsWith("/carrier/cgi-bin/sendsms")) {
    return { service: "carrier", operation: "sendsms" };
  }
  if (url.startsWith("/schedules/")) {
    return { service: "scheduler", operation: SCHEDULE_OPERATIONS[method] ?? method };
  }
  if (url.startsWith("/v2/email/outbound-emails"))
    return { service: "ses", operation: "SendEmail" };
  const action = /(?:^|&)Action=(?<action>\w+)/.exec(body)?.groups?.action;
  if (action === "Publish" || action === "PublishBatch")
    return { service: "sns", operation: action };
  return { service: "unknown", operation: `${method} ${url}` };
}
