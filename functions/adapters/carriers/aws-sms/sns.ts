import { constants, type KeyObject, verify, X509Certificate } from "node:crypto";
import { LRUCache } from "lru-cache";
import * as z from "zod";
import { InvalidReportError } from "../../../core/carrier.ts";

/** A message of SNS in its envelope, as HTTP endpoints and queues get it that did not ask for raw messages. */
export const snsEnvelopeSchema = z.object({
  Type: z.enum(["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]),
  MessageId: z.string(),
  TopicArn: z.string(),
  Message: z.string(),
  /** When it was published, ISO 8601. */
  Timestamp: z.iso.datetime(),
});
export type SnsEnvelope = z.infer<typeof snsEnvelopeSchema>;

/** The same with what proves that it is from SNS. */
export const signedEnvelopeSchema = snsEnvelopeSchema.extend({
  Subject: z.string().nullish(),
  Token: z.string().optional(),
  SubscribeURL: z.string().optional(),
  SignatureVersion: z.enum(["1", "2"]),
  Signature: z.base64(),
  SigningCertURL: z.string(),
});
export type SignedEnvelope = z.infer<typeof signedEnvelopeSchema>;

/** The text at a URL. @throws Error for any answer but a good one */
export type Visit = (url: string) => Promise<string>;

const SIGNED_OF_CONFIRMATIONS = [
  "Message",
  "MessageId",
  "SubscribeURL",
  "Timestamp",
  "Token",
  "TopicArn",
  "Type",
] as const;

/** What is signed of each type, in this order (SNS, "Verifying message signatures"). */
const SIGNED = {
  Notification: ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
  SubscriptionConfirmation: SIGNED_OF_CONFIRMATIONS,
  UnsubscribeConfirmation: SIGNED_OF_CONFIRMATIONS,
} as const satisfies Record<SnsEnvelope["Type"], readonly (keyof SignedEnvelope)[]>;

const DIGESTS = { "1": "RSA-SHA1", "2": "RSA-SHA256" } as const;

const REGION_OF_TOPIC = /^arn:(?<partition>[\w-]+):sns:(?<region>[a-z]{2}(?:-[a-z]+)+-\d):\d{12}:/;
const CERTIFICATE_PATH = /^\/SimpleNotificationService-[0-9a-zA-Z]+\.pem$/;

/** AWS has one at a time for each region; they change about once a year. */
const CERTIFICATES_REMEMBERED = 16;

/**
 * The host of SNS in the region of a topic. Only this one is asked, for a certificate or to confirm:
 * other hosts below `amazonaws.com` are anybody's, such as those of buckets.
 * @throws InvalidReportError
 */
function hostOf({ TopicArn }: SnsEnvelope): string {
  const { partition, region } = REGION_OF_TOPIC.exec(TopicArn)?.groups ?? {};
  if (!region) throw new InvalidReportError("TopicArn: is none of a topic");
  return `sns.${region}.amazonaws.com${partition === "aws-cn" ? ".cn" : ""}`;
}

/** @throws InvalidReportError where the URL, which was in the field, leads elsewhere */
function urlAt(field: string, url: string, host: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isThere =
    parsed?.protocol === "https:" && parsed.host === host && !parsed.username && !parsed.password;
  if (!parsed || !isThere) throw new InvalidReportError(`${field}: leads to no host of SNS`);
  return parsed;
}

/** Says whether envelopes are from SNS. */
export interface SnsVerifier {
  /**
   * @throws InvalidReportError where it is not, or cannot be
   * @throws Error where its certificate could not be had; it may be later
   */
  verify(envelope: SignedEnvelope): Promise<void>;
}

/**
 * Verifies the signatures of SNS. Each certificate is fetched once, and one that could not be had
 * or read is asked for again with the next message.
 */
export function createSnsVerifier(visit: Visit): SnsVerifier {
  const keys = new LRUCache<string, Promise<KeyObject>>({ max: CERTIFICATES_REMEMBERED });

  const fetchKey = async (url: string) => new X509Certificate(await visit(url)).publicKey;

  async function keyAt(url: string): Promise<KeyObject> {
    const key = keys.get(url) ?? fetchKey(url);
    keys.set(url, key);
    try {
      return await key;
    } catch (error) {
      keys.delete(url);
      throw error;
    }
  }

  return {
    async verify(envelope) {
      const url = urlAt("SigningCertURL", envelope.SigningCertURL, hostOf(envelope));
      if (!CERTIFICATE_PATH.test(url.pathname) || url.search || url.hash) {
        throw new InvalidReportError("SigningCertURL: leads to no certificate of SNS");
      }
      const isSigned = verify(
        DIGESTS[envelope.SignatureVersion],
        Buffer.from(textToSign(envelope)),
        { key: await keyAt(url.href), padding: constants.RSA_PKCS1_PADDING },
        Buffer.from(envelope.Signature, "base64"),
      );
      if (!isSigned) throw new InvalidReportError("Signature: is not that of the message");
    },
  };
}

function textToSign(envelope: SignedEnvelope): string {
  return SIGNED[envelope.Type]
    .map((field) => [field, envelope[field]] as const)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([field, value]) => `${field}\n${value}\n`)
    .join("");
}

/**
 * The URL that confirms the subscription to the topic that the envelope is from.
 * @throws InvalidReportError where it would do anything else
 */
export function confirmationUrl(envelope: SignedEnvelope): string {
  const url = urlAt("SubscribeURL", envelope.SubscribeURL ?? "", hostOf(envelope));
  const asked = url.searchParams;
  const confirms =
    url.pathname === "/" &&
    asked.get("Action") === "ConfirmSubscription" &&
    asked.get("TopicArn") === envelope.TopicArn;
  if (!confirms) throw new InvalidReportError("SubscribeURL: confirms no subscription");
  return url.href;
}
