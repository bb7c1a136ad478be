import * as z from "zod";
import { limitsSchema } from "./limits.ts";
import { CALLBACK_OPTIONS, DIALECTS } from "./message.ts";
import { optOutSchema } from "./opt-out.ts";
import { SEGMENTATIONS } from "./segments.ts";

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

/** What the operator can switch for an account; absent is as when it was created. */
export const accountSettingsSchema = z.object({
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

/** What an endpoint can be told: hand-over to the operator, receipt by the phone, replies. */
export const ENDPOINT_EVENTS = ["sent", "delivered", "received"] as const;
export type EndpointEvent = (typeof ENDPOINT_EVENTS)[number];

/** How MOs can be told: as JSON in the body of a POST, or in the query of a GET. */
export const ENDPOINT_METHODS = ["POST", "GET"] as const;

/** Where an account wants its callbacks. */
export const endpointSchema = z.object({
  version: z.literal(1),
  account: accountIdSchema,
  endpointId: z.string().min(1),
  /** The sub-account whose messages it is told of; absent means all of the account's. */
  subAccount: z.string().min(1).optional(),
  /** Of MOs to Wavy's clients; everything else is posted. */
  method: z.enum(ENDPOINT_METHODS).default("POST"),
  url: z.url({ protocol: /^https?$/ }),
  events: z.array(z.enum(ENDPOINT_EVENTS)).min(1),
  /** Applies to messages whose request did not say. */
  callbackOption: z.enum(CALLBACK_OPTIONS),
  createdAt: instant,
});
export type Endpoint = z.infer<typeof endpointSchema>;
