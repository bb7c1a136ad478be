import * as z from "zod";
import { limitsSchema } from "./limits.ts";
import { CALLBACK_OPTIONS, DIALECTS } from "./message.ts";
import { optOutSchema } from "./opt-out.ts";
import { routesSchema } from "./routing.ts";
import { SEGMENTATIONS } from "./segments.ts";
import { senderIdentitySchema } from "./sender-identity.ts";

/**
 * What an account may be called. It becomes the user name of Basic authentication, which is why a
 * colon cannot be in it, and part of the key of its messages, which is why `#` cannot.
 */
export const accountIdSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/,
    "an account's name has 1 to 64 letters, digits, '.', '_', '-' or '@', and begins with a letter or digit",
  );

const instant = z.number().int().nonnegative();

/** A secret of ours, as a hash. While one is being rotated out, two are valid. */
export const credentialSchema = z.object({
  hash: z.string().min(1),
  createdAt: instant,
  /** Milliseconds since the epoch; absent means until it is rotated. */
  validUntil: instant.optional(),
});
export type Credential = z.infer<typeof credentialSchema>;

/** Requests per second and source address. */
const rateLimitsSchema = z.object({
  requestsPerSecond: z.number().int().positive().optional(),
  statusQueriesPerSecond: z.number().int().positive().optional(),
});

const MAX_SENDERS = 20;

/** What the operator can switch for an account; absent is as when it was created. */
export const accountSettingsSchema = z.object({
  /** Where its owner is told of what it should know; its administrators are where it has none. */
  email: z.email().max(254).optional(),
  /** Whether texts of more than one part are sent (Mesago document, "Mensagens longas"). */
  longMessages: z.boolean().default(false),
  /** How texts are cut into parts. */
  segmentation: z.enum(SEGMENTATIONS).default("mesago"),
  /** Whether accents that the GSM alphabet lacks are replaced by plain letters. */
  transliterate: z.boolean().default(false),
  /** Whether the phone's operator is told with its MOs (Mesago document, "Consultar SMS recebidos"). */
  operatorOfMo: z.boolean().default(false),
  /** The short codes whose MOs are this account's when they answer no MT. */
  shortCodes: z.array(z.string().regex(/^\d{1,15}$/, "a short code is 1 to 15 digits")).default([]),
  /** The dialect in which MOs that answer no message are told. */
  moDialect: z.enum(DIALECTS).default("mesago"),
  limits: limitsSchema.prefault({}),
  optOut: optOutSchema.prefault({}),
  /** From whom its messages come, the one that is liked best first; the carrier's default where none is allowed. */
  senders: z.array(senderIdentitySchema).max(MAX_SENDERS).default([]),
  /** Its own ways to carriers, instead of the stage's. */
  routes: routesSchema.optional(),
  /** Its own requests per second and source address; absent means the stage's. */
  rateLimits: rateLimitsSchema.prefault({}),
});
export type AccountSettings = z.infer<typeof accountSettingsSchema>;

/** A customer. Times are milliseconds since the epoch. */
export const accountSchema = z.object({
  version: z.literal(1),
  account: accountIdSchema,
  state: z.enum(["active", "disabled"]),
  /** ISO 3166-1 alpha-2; fills in for a missing country code of a destination. */
  country: z.string().length(2),
  /** The zone of dates and time windows that name none. */
  timeZone: z.string().min(1),
  ...accountSettingsSchema.shape,
  /** Accounts from before there was any of this did not ask for it. */
  optOut: optOutSchema.prefault({ enabled: false }),
  credentials: z.array(credentialSchema),
  createdAt: instant,
  /** Counts the changes, so that of two at the same time one is refused. */
  revision: z.number().int().nonnegative(),
});
export type Account = z.infer<typeof accountSchema>;

/** What an endpoint can be told: hand-over to the operator, receipt by the phone, replies; or anything, also of kinds that are not known yet. */
export const ENDPOINT_EVENTS = ["sent", "delivered", "received", "any"] as const;
export type EndpointEvent = (typeof ENDPOINT_EVENTS)[number];

/** How MOs can be told: as JSON in the body of a POST, or in the query of a GET. */
export const ENDPOINT_METHODS = ["POST", "GET"] as const;

/** In whose words an endpoint is told: those of the dialect that the message came through, or always the same. */
export const ENDPOINT_FORMATS = ["dialect", ...DIALECTS, "cloudevents"] as const;

const MAX_HEADERS = 20;
const MAX_HEADER_LENGTH = 1_024;

/** What HTTP, the content or the signature decides (RFC 9110, section 7.6.1; Standard Webhooks, "Webhook headers"). */
const RESERVED_HEADERS =
  /^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|keep-alive|proxy-.*|expect|webhook-.*)$/i;

/** Headers that are sent along with each callback. */
export const endpointHeadersSchema = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, "a header's name is letters, digits and dashes")
      .refine((name) => !RESERVED_HEADERS.test(name), "this header is not for you to set"),
    z
      .string()
      .max(MAX_HEADER_LENGTH)
      .regex(/^[\t\x20-\x7e]*$/, "a header's value is one line of ASCII"),
  )
  .refine(
    (headers) => Object.keys(headers).length <= MAX_HEADERS,
    `at most ${MAX_HEADERS} headers`,
  );

/** A secret that callbacks are signed with: `whsec_` and Base64 (Standard Webhooks, "Secret serialization"). */
const signingSecretSchema = z.object({
  secret: z.string().regex(/^whsec_[A-Za-z0-9+/]+=*$/),
  createdAt: instant,
  /** Milliseconds since the epoch; absent means until it is rotated. */
  validUntil: instant.optional(),
});
export type SigningSecret = z.infer<typeof signingSecretSchema>;

/** Where an account wants its callbacks, and how. Whether it gets them now is its health's to say. */
export const endpointSchema = z.object({
  version: z.literal(1),
  account: accountIdSchema,
  endpointId: z.string().min(1),
  /** The sub-account whose messages it is told of; absent means all of the account's. */
  subAccount: z.string().min(1).optional(),
  /** Of MOs in Wavy's words; everything else is posted. */
  method: z.enum(ENDPOINT_METHODS).default("POST"),
  url: z.url({ protocol: /^https?$/ }),
  events: z.array(z.enum(ENDPOINT_EVENTS)).min(1),
  format: z.enum(ENDPOINT_FORMATS).default("dialect"),
  headers: endpointHeadersSchema.default({}),
  /** Newest first. Those of endpoints from before there was signing are none until one is made. */
  secrets: z.array(signingSecretSchema).default([]),
  /** Applies to messages whose request did not say. */
  callbackOption: z.enum(CALLBACK_OPTIONS),
  createdAt: instant,
  /** Counts the changes, so that of two at the same time one is refused. */
  revision: z.number().int().nonnegative().default(0),
});
export type Endpoint = z.infer<typeof endpointSchema>;
