import type * as z from "zod";
import {
  type CarrierEvent,
  InvalidReportError,
  type ReportContext,
  type ReportProtocol,
  type ReportRequest,
} from "../../../core/carrier.ts";
import { type Published, readMos, readPublished, readReceipts } from "./events.ts";
import {
  confirmationUrl,
  createSnsVerifier,
  type SnsEnvelope,
  signedEnvelopeSchema,
  snsEnvelopeSchema,
  type Visit,
} from "./sns.ts";

/** Less than the ingress has. */
const VISIT_TIMEOUT_MS = 3_000;
/** SNS says so of a subscription with raw message delivery, which leaves the envelope out. */
const RAW_DELIVERY = "x-amz-sns-rawdelivery";

/**
 * Reports by SNS over HTTPS (docs/aws-sms.md). A request to confirm a subscription is answered by
 * doing so: whoever sent it had the carrier's secret, and SNS has signed it.
 */
export function createAwsSmsProtocol(visit: Visit): ReportProtocol {
  const verifier = createSnsVerifier(visit);

  async function read<T>(
    request: ReportRequest,
    { carrier }: ReportContext,
    readMessage: (published: Published) => T[],
  ): Promise<T[]> {
    const envelope = envelopeOf(request);
    await verifier.verify(envelope);
    if (envelope.Type === "Notification") return readMessage(publishedIn(envelope, carrier));
    if (envelope.Type === "SubscriptionConfirmation") await visit(confirmationUrl(envelope));
    return [];
  }

  return {
    parseReceipts: (request, context) => read(request, context, readReceipts),
    parseMos: (request, context) => read(request, context, readMos),
    accept: () => ({ status: 200, contentType: "text/plain; charset=utf-8", body: "ok" }),
  };
}

/**
 * Asks SNS itself.
 * @throws Error where it does not answer in time, or with anything but a good answer
 */
export const visitSns: Visit = async (url) => {
  const signal = AbortSignal.timeout(VISIT_TIMEOUT_MS);
  const response = await fetch(url, { redirect: "error", signal });
  const text = await response.text();
  if (!response.ok) throw new Error(`SNS answered ${response.status}`);
  return text;
};

/** The protocol, towards the real SNS. */
export const awsSmsProtocol = createAwsSmsProtocol(visitSns);

/**
 * What a topic of ours has put on the carrier-events queue. Signatures are not asked for: the
 * queue's policy lets SNS in for our topics only. Subscriptions are made by the stack, so that one
 * that asks to be confirmed is somebody else's, and is not.
 *
 * @param body what the queue's message holds, read as JSON
 * @param topics the ARN of the topic of each carrier that reports by SNS, by what the stage calls it
 * @throws InvalidReportError
 */
export function parseSnsFromQueue(
  body: unknown,
  topics: Readonly<Record<string, string>>,
): readonly CarrierEvent[] {
  const envelope = parse(snsEnvelopeSchema, body);
  const [carrier] = Object.entries(topics).find(([, arn]) => arn === envelope.TopicArn) ?? [];
  if (!carrier) throw new InvalidReportError("TopicArn: is none of ours");
  if (envelope.Type !== "Notification") throw new InvalidReportError("Type: is no notification");
  return readPublished(publishedIn(envelope, carrier));
}

const publishedIn = ({ Message, Timestamp }: SnsEnvelope, carrier: string): Published => ({
  message: Message,
  publishedAt: Date.parse(Timestamp),
  carrier,
});

function envelopeOf({ method, headers, body }: ReportRequest) {
  if (method !== "POST") throw new InvalidReportError("reports are posted");
  if (headers[RAW_DELIVERY] === "true") {
    throw new InvalidReportError("the subscription has raw message delivery: turn it off");
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new InvalidReportError("body: is not JSON in UTF-8");
  }
  return parse(signedEnvelopeSchema, value);
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InvalidReportError(`${issue?.path.join(".") || "body"}: ${issue?.message}`);
}
