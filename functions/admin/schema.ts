import * as z from "zod";
import {
  type Account,
  accountSettingsSchema,
  ENDPOINT_EVENTS,
  ENDPOINT_FORMATS,
  ENDPOINT_METHODS,
  type Endpoint,
  endpointHeadersSchema,
  endpointSchema,
} from "../core/account.ts";
import { wordsOf } from "../core/accounts.ts";
import type { BlockedNumber, OptedOutNumber } from "../core/blocked-number.ts";
import {
  DELIVERY_LEVELS,
  DELIVERY_STATES,
  type Delivery,
  deliveryIdOf,
} from "../core/callback-delivery.ts";
import type { CallbackPage } from "../core/callback-records.ts";
import { LANES } from "../core/carrier.ts";
import {
  type Campaign,
  campaignSchema,
  type Flow,
  flowSchema,
  type Template,
  templateSchema,
} from "../core/content.ts";
import { DISABLED_REASONS, ENDPOINT_STATES, type EndpointHealth } from "../core/endpoint-health.ts";
import { DEFAULT_EVENTS } from "../core/endpoints.ts";
import { isMessageReceived } from "../core/events.ts";
import { type Limits, limitsSchema, type Usage } from "../core/limits.ts";
import { CALLBACK_OPTIONS, DIALECTS } from "../core/message.ts";
import { optOutSchema } from "../core/opt-out.ts";
import { SEGMENTATIONS } from "../core/segments.ts";
import { type SubAccount, subAccountNameSchema } from "../core/sub-account.ts";
import { formatUtc } from "../core/time.ts";
import { USER_ROLES, type User, usernameSchema } from "../core/user.ts";
import { STATUS_OF_ERROR } from "./errors.ts";

/** The most that one answer lists. */
export const MAX_LISTED = 1_000;
const MAX_KEYWORDS = 50;
const MAX_URL_LENGTH = 2_048;
/** A year. */
const MAX_OVERLAP_MINUTES = 525_600;
/** A day. */
const SIGNING_OVERLAP_MINUTES = 1_440;
const MAX_CREDIT = 1_000_000_000;
/** The most callbacks that one answer lists. */
const MAX_CALLBACKS = 200;
const DEFAULT_CALLBACKS = 50;

const NOT_WELL_FORMED = "not well-formed Unicode";
const isWellFormed = (text: string) => text.isWellFormed();

const instant = z.string().meta({ description: "ISO 8601, in UTC.", format: "date-time" });

/** Null, too, where it removes a field or brings its default back. */
const clearable = <T extends z.ZodType>(schema: T) => schema.nullable().optional();

const parts = z.number().int().nonnegative();

/** What reads, and describes, something that comes in or goes out. */
export type Schema<Output = unknown, Input = unknown> = z.ZodType<Output, Input>;
export type ObjectSchema = z.ZodObject;

const MAX_ISSUES = 3;
const MAX_UNKNOWN = 5;
const MAX_QUOTED = 64;

/** A name of the client's, cut to what shows which one is meant. */
const quote = (name: string) => `"${name.slice(0, MAX_QUOTED).toWellFormed()}"`;

/** What is wrong with what came in, for who writes the client; `whole` is what it is called. */
export function describeIssues(issues: readonly z.core.$ZodIssue[], whole: string): string {
  return issues
    .slice(0, MAX_ISSUES)
    .map((issue) => {
      const where = issue.path.length > 0 ? issue.path.map(String).join(".") : `the ${whole}`;
      if (issue.code !== "unrecognized_keys") return `${where}: ${wordsOf(issue)}`;
      const unknown = issue.keys.slice(0, MAX_UNKNOWN).map(quote).join(", ");
      return `${where}: there is no field ${unknown}`;
    })
    .join("; ");
}

// What requests carry.

/** What is asked for of limits. */
const limitFields = {
  perDay: clearable(limitsSchema.shape.perDay.unwrap()).meta({
    description: "The most parts (SMS) a day; null for as many as one likes.",
  }),
  perMonth: clearable(limitsSchema.shape.perMonth.unwrap()).meta({
    description: "The most parts (SMS) a month; null for as many as one likes.",
  }),
};
export const accountLimitsChange = z.strictObject(limitFields).meta({
  id: "AdminAccountLimitsChange",
  description:
    "Limits of the account itself. They can be set and lowered; only the operator raises or removes them, or has the account prepay.",
});
export const limitsChange = z
  .strictObject({
    ...limitFields,
    prepaid: limitsSchema.shape.prepaid.removeDefault().optional().meta({
      description: "Whether it may send what it has credit for and no more.",
    }),
  })
  .meta({ id: "AdminLimitsChange", description: "Limits; what is left out stays as it is." });

const { shape: optOut } = optOutSchema;
const keywords = (schema: z.ZodDefault<z.ZodArray<z.ZodString>>) =>
  clearable(
    z.array(schema.removeDefault().element.refine(isWellFormed, NOT_WELL_FORMED)).max(MAX_KEYWORDS),
  );
const confirmation = (schema: z.ZodDefault<z.ZodString>) =>
  clearable(schema.removeDefault().refine(isWellFormed, NOT_WELL_FORMED));
const optOutChange = z
  .strictObject({
    enabled: clearable(optOut.enabled.removeDefault()),
    keywords: keywords(optOut.keywords).meta({
      description: "What a person can answer not to be sent anything any more.",
    }),
    backKeywords: keywords(optOut.backKeywords).meta({
      description: "What a person can answer to be sent things again.",
    }),
    confirmation: confirmation(optOut.confirmation).meta({
      description: "What answers the first opt-out; empty for nothing.",
    }),
    backConfirmation: confirmation(optOut.backConfirmation).meta({
      description: "What answers the way back; empty for nothing.",
    }),
  })
  .meta({
    id: "AdminOptOutChange",
    description:
      "How people opt out by a reply; null brings a field's default back. No word can be one of both lists, compared without regard to case, accents and surrounding punctuation.",
  });

const email = z.email().max(254);

export const accountChange = z
  .strictObject({
    email: clearable(email).meta({
      description:
        "Who is told of endpoints that are disabled because they do not answer; the administrators where there is none.",
    }),
    moDialect: clearable(z.enum(DIALECTS)).meta({
      description: "The API in whose words messages from phones that answer no message are told.",
    }),
    transliterate: clearable(z.boolean()).meta({
      description: "Whether accents that the GSM alphabet lacks are replaced by plain letters.",
    }),
    optOut: clearable(optOutChange),
  })
  .meta({
    id: "AdminAccountChange",
    description: "Settings; what is left out stays as it is, null brings a default back.",
  });

export const subAccountCreation = z
  .strictObject({
    subAccount: subAccountNameSchema,
    limits: limitsChange.optional(),
    optOut: optOutChange.optional(),
  })
  .meta({ id: "AdminSubAccountCreation", description: "A sub-account to be." });
export const subAccountChange = z
  .strictObject({
    optOut: clearable(optOutChange).meta({
      description: "How people opt out of this sub-account; null makes it as the account's again.",
    }),
  })
  .meta({ id: "AdminSubAccountChange", description: "What is left out stays as it is." });

export const creditAddition = z
  .strictObject({
    parts: z
      .number()
      .int()
      .min(-MAX_CREDIT)
      .max(MAX_CREDIT)
      .refine((parts) => parts !== 0, "the parts to add are a whole number other than 0")
      .meta({ description: "How many parts (SMS) to add; negative to take." }),
    requestId: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, "an id has 1 to 64 letters, digits, '.', '_' or '-'")
      .optional()
      .meta({
        description:
          "Names this very request: sent again with the same id it counts once, as it was first sent, whatever `parts` says then.",
      }),
  })
  .meta({ id: "AdminCreditAddition", description: "Credit to be added." });

const timeZone = z
  .string()
  .min(1)
  .max(64)
  .meta({ examples: ["America/Sao_Paulo"] });
const country = z
  .string()
  .length(2)
  .meta({ description: "ISO 3166-1 alpha-2.", examples: ["BR"] });
const ofRegularUser = "The sub-account of a regular user; an administrator has none.";
const role = z.enum(USER_ROLES).meta({
  description:
    "An administrator sees every sub-account and may use this API; a regular user belongs to one sub-account.",
});
export const userCreation = z
  .strictObject({
    username: usernameSchema,
    email: email.optional(),
    role,
    subAccount: subAccountNameSchema.optional().meta({ description: ofRegularUser }),
    timeZone: timeZone.optional(),
    country: country.optional(),
  })
  .meta({ id: "AdminUserCreation", description: "A user to be." });
export const userChange = z
  .strictObject({
    email: clearable(email),
    role: role.optional(),
    subAccount: clearable(subAccountNameSchema).meta({ description: ofRegularUser }),
    state: z.enum(["active", "disabled"]).optional(),
    timeZone: clearable(timeZone),
    country: clearable(country),
  })
  .meta({
    id: "AdminUserChange",
    description: "What is left out stays as it is; null removes a field.",
  });
export const tokenRotation = z
  .strictObject({
    overlapMinutes: z.number().int().nonnegative().max(MAX_OVERLAP_MINUTES).default(0).meta({
      description: "For how long the old token stays valid beside the new one.",
    }),
  })
  .meta({ id: "AdminTokenRotation", description: "May be left out." });

const templateName = templateSchema.shape.name.refine(isWellFormed, NOT_WELL_FORMED);
const ofTemplate = "Whose users alone may use it; all of the account's where there is none.";
export const templateCreation = z
  .strictObject({
    name: templateName.meta({ description: "Need not be unique." }),
    text: templateSchema.shape.text.meta({ description: "Placeholders are written `{{name}}`." }),
    subAccount: subAccountNameSchema.optional().meta({ description: ofTemplate }),
    templateId: templateSchema.shape.templateId.optional().meta({
      description: "The account's next number where there is none.",
    }),
  })
  .meta({ id: "AdminTemplateCreation", description: "A template to be." });
export const templateChange = z
  .strictObject({
    name: templateName.optional(),
    text: templateSchema.shape.text.optional(),
    subAccount: clearable(subAccountNameSchema).meta({ description: ofTemplate }),
  })
  .meta({ id: "AdminTemplateChange", description: "What is left out stays as it is." });

export const campaignCreation = z
  .strictObject({ alias: campaignSchema.shape.alias.refine(isWellFormed, NOT_WELL_FORMED) })
  .meta({ id: "AdminCampaignCreation", description: "A campaign to be." });

const flowText = flowSchema.shape.text.meta({
  description: "Placeholders are written `{{name}}`.",
});
export const flowCreation = z
  .strictObject({
    flowId: flowSchema.shape.flowId.optional().meta({
      description: "An UUID where there is none.",
    }),
    text: flowText,
  })
  .meta({ id: "AdminFlowCreation", description: "A flow to be." });
export const flowReplacement = z
  .strictObject({ text: flowText })
  .meta({ id: "AdminFlowReplacement", description: "A flow's text." });

const endpointUrl = z
  .string()
  .min(1)
  .max(MAX_URL_LENGTH)
  .refine(isWellFormed, NOT_WELL_FORMED)
  .meta({
    description:
      "A public address, without user name and password: those go into a header, `Authorization`.",
    examples: ["https://customer.example/callback"],
  });
const endpointEvents = z.array(z.enum(ENDPOINT_EVENTS)).min(1).max(ENDPOINT_EVENTS.length);
const ofEvents =
  "What it is told of: hand-over to the operator, receipt by the phone, replies; or anything there is, now and later.";
const callbackOption = z.enum(CALLBACK_OPTIONS);
const ofCallbackOption = "Which statuses of messages whose request did not say.";
const endpointMethod = z.enum(ENDPOINT_METHODS);
const ofMethod = "How it is told of replies in Wavy's words; everything else is posted.";
const endpointFormat = z.enum(ENDPOINT_FORMATS);
const ofFormat =
  "In whose words it is told: those of the API that a message came through (`dialect`), always those of one API, or as CloudEvents 1.0 in JSON.";
const ofEndpoint = "Whose messages alone it is told of; all of the account's where there is none.";
const headerName = endpointHeadersSchema.keyType;
const headerValue = endpointHeadersSchema.valueType;
export const endpointCreation = z
  .strictObject({
    url: endpointUrl,
    events: endpointEvents.default([...DEFAULT_EVENTS]).meta({ description: ofEvents }),
    callbackOption: callbackOption.default("ALL").meta({ description: ofCallbackOption }),
    method: endpointMethod.default("POST").meta({ description: ofMethod }),
    format: endpointFormat.default("dialect").meta({ description: ofFormat }),
    headers: endpointHeadersSchema.optional().meta({
      description:
        "Headers that come with each callback, as names and values. Only the names are ever shown.",
    }),
    subAccount: subAccountNameSchema.optional().meta({ description: ofEndpoint }),
  })
  .meta({ id: "AdminEndpointCreation", description: "An endpoint to be." });
export const endpointChange = z
  .strictObject({
    url: endpointUrl.optional(),
    events: clearable(endpointEvents).meta({ description: ofEvents }),
    callbackOption: clearable(callbackOption).meta({ description: ofCallbackOption }),
    method: clearable(endpointMethod).meta({ description: ofMethod }),
    format: clearable(endpointFormat).meta({ description: ofFormat }),
    headers: clearable(z.record(headerName, headerValue.nullable())).meta({
      description: "Header by header: what is not named stays, null removes one, or all.",
    }),
    subAccount: clearable(subAccountNameSchema).meta({ description: ofEndpoint }),
  })
  .meta({
    id: "AdminEndpointChange",
    description: "What is left out stays as it is; null brings a default back.",
  });
export const signingSecretRotation = z
  .strictObject({
    overlapMinutes: z
      .number()
      .int()
      .nonnegative()
      .max(MAX_OVERLAP_MINUTES)
      .default(SIGNING_OVERLAP_MINUTES)
      .meta({ description: "For how long the old secret signs beside the new one." }),
  })
  .meta({ id: "AdminSigningSecretRotation", description: "May be left out." });
const endpointState = z.enum(ENDPOINT_STATES).meta({
  description:
    "`active`: it is told. `paused`: what it is to be told is held until it is active again. `disabled`: it is written down that it was not told.",
});
export const endpointStateChange = z.strictObject({ state: endpointState }).meta({
  id: "AdminEndpointStateChange",
  description:
    "The state that an endpoint is to have. What it failed at before is forgotten; one that is disabled cannot be paused.",
});
const moment = z.iso
  .datetime({ offset: true, message: "not a time such as 2026-11-22T12:00:00Z" })
  .transform((written) => Date.parse(written));
const describedMoment = (description: string) =>
  moment.meta({ description, override: { type: "string", format: "date-time" } });
export const endpointReplay = z
  .strictObject({
    since: describedMoment("What has failed since then is told again."),
  })
  .meta({ id: "AdminEndpointReplay", description: "What is to be told again." });
export const callbackReplay = z
  .strictObject({
    since: describedMoment("What has failed since then is told again; everything unless given.")
      .optional()
      .transform((since = 0) => since),
  })
  .meta({ id: "AdminCallbackReplay", description: "May be left out." });

const wholeNumber = z
  .string()
  .regex(/^\d{1,9}$/, "not a whole number")
  .transform(Number);
/** Which of a list's items are answered. */
export const page = z.strictObject({
  limit: wholeNumber
    .refine((limit) => limit >= 1 && limit <= MAX_LISTED, `not from 1 to ${MAX_LISTED}`)
    .optional()
    .meta({
      description: "The most to list.",
      override: { type: "integer", minimum: 1, maximum: MAX_LISTED, default: MAX_LISTED },
    }),
  offset: wholeNumber.optional().meta({
    description: "How many to skip.",
    override: { type: "integer", minimum: 0, default: 0 },
  }),
});
export type Page = z.output<typeof page>;
/** Where there is nothing to ask or to say. */
export const nothing = z.strictObject({});
/** Whose opt-outs are meant. */
export const ofSubAccount = z.strictObject({
  subAccount: subAccountNameSchema.optional().meta({
    description: "Those of one sub-account's messages.",
  }),
});

const endpointId = z.string().regex(/^[A-Za-z0-9-]{1,64}$/, "not the id of an endpoint");
/** Which callbacks are listed. */
export const callbackQuery = z.strictObject({
  endpoint: endpointId.optional().meta({ description: "Those to one endpoint." }),
  state: z.enum(DELIVERY_STATES).optional().meta({ description: "Those in one state." }),
  before: describedMoment("Those that are older: `next` of the page before.").optional(),
  limit: wholeNumber
    .refine((limit) => limit >= 1 && limit <= MAX_CALLBACKS, `not from 1 to ${MAX_CALLBACKS}`)
    .default(DEFAULT_CALLBACKS)
    .meta({
      description: "How many; a few more are listed where several are of the same moment.",
      override: { type: "integer", minimum: 1, maximum: MAX_CALLBACKS, default: DEFAULT_CALLBACKS },
    }),
});

// What is found in a path.

/** The parameters of paths. What is none of these there is not, either. */
export const PATH_PARAMETERS = {
  subAccount: subAccountNameSchema,
  username: usernameSchema,
  templateId: z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number)
    .refine(Number.isSafeInteger)
    .meta({ override: { type: "integer", minimum: 0 } }),
  flowId: flowSchema.shape.flowId,
  alias: campaignSchema.shape.alias.refine(isWellFormed, NOT_WELL_FORMED),
  endpointId,
  callbackId: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,256}$/)
    .meta({ description: "What the callback carries as `webhook-id`." }),
  number: z
    .string()
    .min(1)
    .max(40)
    .meta({
      description: "As people write numbers; without country code, one of the account's country.",
      examples: ["5519900001111"],
    }),
};
export type PathParameter = keyof typeof PATH_PARAMETERS;
/** What is made of them. */
export type PathParameters = {
  [Name in PathParameter]: z.output<(typeof PATH_PARAMETERS)[Name]>;
};

// What answers carry.

/** Every refusal. */
export const errorAnswer = z
  .object({
    errorCode: z.enum(Object.keys(STATUS_OF_ERROR) as (keyof typeof STATUS_OF_ERROR)[]),
    errorMessage: z.string(),
  })
  .meta({ id: "AdminError", description: "Why a request was refused." });

/** What a list answers, under its name, beside how many there are. */
export const listOf = <Name extends string, Item extends z.ZodType>(name: Name, item: Item) =>
  z.object({
    total: z.number().int().meta({ description: "How many there are." }),
    [name]: z.array(item),
  } as { total: z.ZodNumber } & { [N in Name]: z.ZodArray<Item> });

const optOutAnswer = z.object({
  enabled: z.boolean(),
  keywords: z.array(z.string()),
  backKeywords: z.array(z.string()),
  confirmation: z.string(),
  backConfirmation: z.string(),
});

const routeAnswer = z
  .object({
    country: z.array(z.string()).optional().meta({ description: "The country of the phone." }),
    operator: z.array(z.string()).optional().meta({ description: "The phone's operator." }),
    subAccount: z.array(z.string()).optional(),
    lane: z.enum(LANES).optional().meta({ description: "Whether it was sent alone or in bulk." }),
    share: z.number().optional().meta({
      description: "How many of a hundred of these messages go here first.",
    }),
    carrier: z.string(),
  })
  .meta({
    id: "AdminRoute",
    description:
      "Where messages may go that match all that is named; any of a list's values will do.",
  });
export const accountAnswer = z
  .object({
    account: z.string(),
    state: z.enum(["active", "disabled"]),
    email: z.string().optional(),
    country: z.string(),
    timeZone: z.string(),
    longMessages: z.boolean(),
    segmentation: z.enum(SEGMENTATIONS),
    transliterate: z.boolean(),
    operatorOfMo: z.boolean(),
    shortCodes: z.array(z.string()),
    moDialect: z.enum(DIALECTS),
    optOut: optOutAnswer,
    senders: z.array(z.string()).meta({
      description:
        "From whom its messages come: the first that the phone's country and the carrier allow, else the carrier's own.",
    }),
    routes: z.array(routeAnswer).optional().meta({
      description:
        "Its own ways to carriers, in order; those of the operator where there are none.",
    }),
    rateLimits: accountSettingsSchema.shape.rateLimits.unwrap().meta({
      description: "The account's own, where it has any.",
    }),
    createdAt: instant,
  })
  .meta({ id: "AdminAccount", description: "The account; its limits are under /limits." });

export function describeAccount({
  version: _,
  credentials: __,
  revision: ___,
  limits: ____,
  ...account
}: Account): z.input<typeof accountAnswer> {
  return { ...account, createdAt: formatUtc(account.createdAt) };
}

const limitsAnswerFields = {
  perDay: parts.optional(),
  perMonth: parts.optional(),
  prepaid: z.boolean(),
};
export const usageAnswer = z
  .object({
    ...limitsAnswerFields,
    usage: z.object({
      day: z.string().meta({ examples: ["2026-11-22"] }),
      usedToday: z.number().int(),
      month: z.string().meta({ examples: ["2026-11"] }),
      usedThisMonth: z.number().int(),
      credit: z.number().int().meta({ description: "What is left to who prepays." }),
    }),
  })
  .meta({ id: "AdminLimits", description: "Limits, and what is used of them, in parts (SMS)." });

export function describeUsage(found: {
  limits: Limits;
  usage: Omit<Usage, "version">;
}): z.input<typeof usageAnswer> {
  return { ...found.limits, usage: found.usage };
}

export const creditAnswer = z
  .object({ credit: z.number().int().meta({ description: "What there is now, in parts (SMS)." }) })
  .meta({ id: "AdminCredit", description: "Credit." });

export const subAccountAnswer = z
  .object({
    subAccount: z.string(),
    limits: z.object(limitsAnswerFields),
    optOut: optOutAnswer.optional().meta({ description: "As the account's where there is none." }),
    createdAt: instant,
  })
  .meta({ id: "AdminSubAccount", description: "A sub-account: a cost centre." });

export function describeSubAccount({
  subAccount,
  limits,
  optOut,
  createdAt,
}: SubAccount): z.input<typeof subAccountAnswer> {
  return { subAccount, limits, ...(optOut && { optOut }), createdAt: formatUtc(createdAt) };
}

const userAnswerFields = {
  username: z.string(),
  email: z.string().optional(),
  role,
  subAccount: z.string().optional(),
  state: z.enum(["active", "disabled"]),
  timeZone: z.string().optional(),
  country: z.string().optional(),
  tokens: z
    .array(z.object({ createdAt: instant, validUntil: instant.optional() }))
    .meta({ description: "When its tokens were made; the tokens themselves nobody can see." }),
  createdAt: instant,
};
export const userAnswer = z
  .object(userAnswerFields)
  .meta({ id: "AdminUser", description: "Somebody, or some system, that calls for the account." });
export const newTokenAnswer = z
  .object({
    ...userAnswerFields,
    authenticationToken: z.string().meta({ description: "Shown this once." }),
  })
  .meta({ id: "AdminNewToken", description: "A user and its new token." });

export function describeUser({
  version: _,
  account: __,
  revision: ___,
  tokens,
  createdAt,
  ...user
}: User): z.input<typeof userAnswer> {
  return {
    ...user,
    tokens: tokens.map(({ createdAt, validUntil }) => ({
      createdAt: formatUtc(createdAt),
      ...(validUntil !== undefined && { validUntil: formatUtc(validUntil) }),
    })),
    createdAt: formatUtc(createdAt),
  };
}

export const templateAnswer = z
  .object({
    templateId: z.number().int(),
    name: z.string(),
    text: z.string(),
    subAccount: z.string().optional(),
    createdAt: instant,
  })
  .meta({ id: "AdminTemplate", description: "A text under a number and a name." });

export function describeTemplate({
  version: _,
  account: __,
  ...template
}: Template): z.input<typeof templateAnswer> {
  return { ...template, createdAt: formatUtc(template.createdAt) };
}

export const campaignAnswer = z
  .object({ campaignId: z.number().int(), alias: z.string(), createdAt: instant })
  .meta({ id: "AdminCampaign", description: "What messages can be sent for." });

export function describeCampaign({
  campaignId,
  alias,
  createdAt,
}: Campaign): z.input<typeof campaignAnswer> {
  return { campaignId, alias, createdAt: formatUtc(createdAt) };
}

export const flowAnswer = z
  .object({ flowId: z.string(), text: z.string(), createdAt: instant })
  .meta({ id: "AdminFlow", description: "A text under an id." });

export function describeFlow({ flowId, text, createdAt }: Flow): z.input<typeof flowAnswer> {
  return { flowId, text, createdAt: formatUtc(createdAt) };
}

const endpointAnswerFields = {
  endpointId: z.string(),
  url: z.string(),
  ...endpointSchema.pick({ events: true, callbackOption: true }).shape,
  method: endpointMethod,
  format: endpointFormat,
  headers: z.array(z.string()).meta({ description: "The names; the values nobody can see." }),
  subAccount: z.string().optional(),
  secrets: z
    .array(z.object({ createdAt: instant, validUntil: instant.optional() }))
    .meta({ description: "When the secrets that sign were made, and when the old ones end." }),
  state: endpointState,
  disabledReason: z.enum(DISABLED_REASONS).optional().meta({
    description:
      "`by-hand`, `gone`: it answered 410, `failing`: nothing has succeeded for five days.",
  }),
  stateAt: instant.optional().meta({ description: "When it came into its state." }),
  failingSince: instant.optional().meta({ description: "Since when nothing has succeeded." }),
  circuitOpenUntil: instant
    .optional()
    .meta({ description: "Until when it is not called, because it does not answer." }),
  createdAt: instant,
};
export const endpointAnswer = z
  .object(endpointAnswerFields)
  .meta({ id: "AdminEndpoint", description: "An URL that is told of what becomes of messages." });
export const newEndpointAnswer = z
  .object({
    ...endpointAnswerFields,
    secret: z.string().meta({
      description: "What callbacks are signed with (Standard Webhooks). Shown this once.",
    }),
  })
  .meta({ id: "AdminNewEndpoint", description: "An endpoint and its new secret." });

/** Without secrets and the values of headers, which may be secrets, too. */
export function describeEndpoint(
  { version: _, account: __, revision: ___, secrets, headers, createdAt, ...endpoint }: Endpoint,
  health: EndpointHealth,
  now: number,
): z.input<typeof endpointAnswer> {
  const { state, disabledReason, stateAt, failingSince, openUntil = now } = health;
  return {
    ...endpoint,
    headers: Object.keys(headers),
    secrets: secrets
      .filter(({ validUntil = Number.POSITIVE_INFINITY }) => validUntil > now)
      .map((secret) => ({
        createdAt: formatUtc(secret.createdAt),
        ...(secret.validUntil !== undefined && { validUntil: formatUtc(secret.validUntil) }),
      })),
    state,
    ...(disabledReason && { disabledReason }),
    ...(stateAt !== undefined && { stateAt: formatUtc(stateAt) }),
    ...(failingSince !== undefined && { failingSince: formatUtc(failingSince) }),
    ...(openUntil > now && { circuitOpenUntil: formatUtc(openUntil) }),
    createdAt: formatUtc(createdAt),
  };
}

const exactInstant = instant.meta({ description: "ISO 8601, in UTC, to the millisecond." });
const callbackAnswerFields = {
  callbackId: z.string().meta({ description: "What it carries as `webhook-id`." }),
  endpointId: z.string(),
  level: z.enum(DELIVERY_LEVELS),
  messageId: z.string().optional().meta({ description: "Of the message that it tells of." }),
  moId: z.number().int().optional().meta({ description: "Of the reply that it tells of." }),
  state: z.enum(DELIVERY_STATES).meta({
    description:
      "`pending`: on its way. `waiting`: for what is to be told before. `held`: until its endpoint is active again.",
  }),
  cause: z.string().optional().meta({ description: "Why it has failed." }),
  attemptCount: z.number().int(),
  createdAt: exactInstant,
  settledAt: exactInstant.optional(),
};
export const callbackSummaryAnswer = z
  .object(callbackAnswerFields)
  .meta({ id: "AdminCallbackSummary", description: "What an endpoint was told, or is to be." });
export const callbackAnswer = z
  .object({
    ...callbackAnswerFields,
    deadline: exactInstant.meta({ description: "Until when it is tried again." }),
    attempts: z.array(
      z.object({
        at: exactInstant,
        durationMs: z.number().int(),
        status: z.number().int().optional().meta({ description: "HTTP's, if it was answered." }),
        failure: z.string().optional().meta({ description: "Why it was not answered." }),
        answer: z.string().optional().meta({ description: "The answer's first 1,024 bytes." }),
      }),
    ),
    event: z.looseObject({ eventId: z.string() }).meta({
      description: "What it tells, as it was on the bus.",
    }),
  })
  .meta({ id: "AdminCallback", description: "A callback with all its attempts." });
export const callbackListAnswer = z.object({
  callbacks: z.array(callbackSummaryAnswer),
  next: exactInstant.optional().meta({
    description: "What to ask the next page to be `before`; absent where there is none.",
  }),
});
export const callbackReplayAnswer = z
  .object({
    endpointIds: z
      .array(z.string())
      .meta({ description: "The endpoints that are told: all that are not disabled." }),
  })
  .meta({ id: "AdminCallbackReplayBegun", description: "Whom failed callbacks are told again." });

const exactly = (at: number) => new Date(at).toISOString();

export function describeCallbackSummary(delivery: Delivery): z.input<typeof callbackSummaryAnswer> {
  const { endpointId, level, event, state, cause, attempts, createdAt, settledAt } = delivery;
  return {
    callbackId: deliveryIdOf(delivery),
    endpointId,
    level,
    ...(isMessageReceived(event) ? { moId: event.moId } : { messageId: event.id }),
    state,
    ...(cause !== undefined && { cause }),
    attemptCount: attempts.length,
    createdAt: exactly(createdAt),
    ...(settledAt !== undefined && { settledAt: exactly(settledAt) }),
  };
}

export function describeCallback(delivery: Delivery): z.input<typeof callbackAnswer> {
  return {
    ...describeCallbackSummary(delivery),
    deadline: exactly(delivery.deadline),
    attempts: delivery.attempts.map(({ at, ...attempt }) => ({ at: exactly(at), ...attempt })),
    event: delivery.event,
  };
}

export function describeCallbackPage({
  callbacks,
  next,
}: CallbackPage): z.input<typeof callbackListAnswer> {
  return {
    callbacks: callbacks.map(describeCallbackSummary),
    ...(next !== undefined && { next: exactly(next) }),
  };
}

const phone = z.string().meta({
  description: "E.164 without the plus sign.",
  examples: ["5519900001111"],
});
export const numberAnswer = z
  .object({ number: phone })
  .meta({ id: "AdminNumber", description: "A phone's number." });
export const blockedNumberAnswer = z
  .object({ number: phone, createdAt: instant })
  .meta({ id: "AdminBlockedNumber", description: "A number that is not sent to." });

export function describeBlocked({
  number,
  createdAt,
}: BlockedNumber): z.input<typeof blockedNumberAnswer> {
  return { number, createdAt: formatUtc(createdAt) };
}

const subAccountOfOptOut = z.string().optional().meta({
  description: "Absent where the person opted out of the whole account.",
});
export const optOutWordAnswer = z
  .object({ number: phone, subAccount: subAccountOfOptOut })
  .meta({ id: "AdminOptOutOf", description: "A phone's number, and what it opted out of." });
export const optedOutAnswer = z
  .object({
    number: phone,
    subAccount: subAccountOfOptOut,
    origin: z.string().meta({
      description: "The id of the reply that said so; `admin` where it was written down by hand.",
    }),
    createdAt: instant,
  })
  .meta({ id: "AdminOptOut", description: "A person who does not want to be sent anything." });

export function describeOptedOut({
  number,
  subAccount,
  origin,
  createdAt,
}: OptedOutNumber): z.input<typeof optedOutAnswer> {
  return {
    number,
    ...(subAccount !== undefined && { subAccount }),
    origin,
    createdAt: formatUtc(createdAt),
  };
}
