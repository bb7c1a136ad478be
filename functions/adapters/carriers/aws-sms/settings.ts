import * as z from "zod";

/** What the service takes for the name or ARN of something (SendTextMessage, "OriginationIdentity"). */
export const NAMED = /^[A-Za-z0-9_:/+-]{1,256}$/;

const named = z.string().regex(NAMED, "expected an id, a name, a number or an ARN of AWS");

const messageType = z.enum(["TRANSACTIONAL", "PROMOTIONAL"]);

/** What a stage says of AWS End User Messaging SMS; docs/aws-sms.md explains each. */
export const settings = z.strictObject({
  /**
   * From whom messages come that name no sender: a phone number, a short code, a sender id, a pool,
   * by id or ARN. AWS chooses where it is absent.
   */
  originationIdentity: named.optional(),
  /** Where SMS are sent from another region than the stack's; what is needed there is made by hand. */
  elsewhere: z
    .strictObject({
      region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "expected a region of AWS"),
      /** Has the topic for the destination of its events. */
      configurationSet: named,
      topicArn: z
        .string()
        .regex(/^arn:[\w-]+:sns:[a-z0-9-]+:\d{12}:[\w-]+$/, "expected the ARN of an SNS topic"),
    })
    .optional(),
  /** Which countries may be sent to: the id or the ARN of a protect configuration. */
  protectConfiguration: named.optional(),
  /** The most that a message may cost, in US dollars, such as `0.10`. */
  maxPrice: z
    .string()
    .regex(/^\d{0,2}\.\d{1,5}$/, 'expected dollars with up to five decimals, such as "0.10"')
    .optional(),
  /** As what messages are sent, by the lane they take. */
  messageTypes: z
    .strictObject({
      singles: messageType.default("TRANSACTIONAL"),
      bulk: messageType.default("PROMOTIONAL"),
    })
    .prefault({}),
  /** Whose MOs come to us: ids or ARNs of phone numbers and pools. */
  twoWay: z
    .array(
      z
        .string()
        .regex(
          /^(arn:[\w-]+:sms-voice:[a-z0-9-]+:\d{12}:(phone-number|pool)\/)?(phone|pool)-\w+$/,
          "expected the id or the ARN of a phone number or a pool",
        ),
    )
    .default([]),
});

/** What the stack makes for it. */
export const provisions = z.object({
  /** To whose destinations the events of our messages go. */
  configurationSet: named,
});
