import * as z from "zod";
import { WAVY_DELIVERED, WAVY_SENT } from "../core/codes.ts";
import { campaignSchema, flowSchema, MAX_CONTENT_LENGTH, templateSchema } from "../core/content.ts";
import type { TimeWindow } from "../core/message.ts";
import { MAX_BATCH_SIZE } from "../core/send-batch.ts";
import { subAccountNameSchema } from "../core/sub-account.ts";
import { isTimeZone, parseDateTime } from "../core/time.ts";

/** The longest `correlationId`, in UTF-16 code units as all lengths here (document: table of fields). */
const MAX_CORRELATION_ID_LENGTH = 64;
/** The longest `extraInfo` (document: table of fields). */
const MAX_EXTRA_INFO_LENGTH = 255;
/** Longer than any message's own id. */
const MAX_ID_LENGTH = 64;
/** More than anybody writes. */
const MAX_NAME_LENGTH = 100;
const MAX_HOURS = 100;
const MAX_PARAMS = 100;
/** The most ids of one search. */
const MAX_SEARCHED = 1_000;
/** How far back MOs can be searched (document: "Não é possivel recuperar MOs anteriores a 5 dias"). */
const MO_SEARCH_MS = 5 * 24 * 60 * 60 * 1_000;

/** Unix times below this are in seconds (supplement, section 1). */
const FIRST_IN_MILLISECONDS = 100_000_000_000;
/** The last one whose year has four digits, as dates are written. */
const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
/** The largest 32-bit integer; added to the present it stays below `LAST_INSTANT`. */
const MAX_MINUTES = 2_147_483_647;
const MINUTE_MS = 60_000;

/** What no queue carries: halves of surrogate pairs, and what is no character at all. */
const UNCARRIABLE = /[\p{Cs}\uFFFE\uFFFF]/u;
const isCarriable = (text: string) => !UNCARRIABLE.test(text);
const UNCARRIABLE_PROBLEM = "holds what is no Unicode character";

type Fields = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isNothing = (value: unknown) => value === undefined || value === null;

/** Without the fields that are null, which says as much as leaving them out. */
const withoutNulls = (fields: Fields): Fields =>
  Object.values(fields).some(isNothing)
    ? Object.fromEntries(Object.entries(fields).filter(([, value]) => !isNothing(value)))
    : fields;

const isBlank = (text: string | undefined) => text === undefined || text.trim() === "";

/** An error of its own for a field that is not there. */
const missingOr = (problem: string) => ({
  error: ({ input }: { readonly input?: unknown }) => (input === undefined ? "missing" : problem),
});

/** The error of a list that is too long. */
const atMost = (max: number) => ({
  error: ({ input }: { readonly input?: unknown }) =>
    `${Array.isArray(input) ? input.length : "too many"} elements; at most ${max} are taken`,
});

/** A whole number, or its digits: what comes in a query is text. */
const wholeNumber = (min: number, max: number) => {
  const problem = `not a whole number from ${min} to ${max}`;
  return z
    .union(
      [z.int(problem).min(min, problem).max(max, problem), z.string().regex(/^\d{1,15}$/, problem)],
      problem,
    )
    .transform(Number)
    .refine((value) => value >= min && value <= max, problem);
};

/** A text of so many UTF-16 code units; zod and JSON Schema count code points, of which there are fewer. */
const textUpTo = (max: number, prefix = "") => {
  const problem = `${prefix}longer than ${max} characters`;
  return z
    .string(`${prefix}not a text`)
    .max(max, problem)
    .refine((text) => text.length <= max, problem);
};

const NOT_TEXT_OR_NUMBER = "neither a text nor a whole number";

/** A text of the client's that comes back to it; of a number, the digits. */
const clientText = (max: number) =>
  z
    .union([textUpTo(max), z.int(NOT_TEXT_OR_NUMBER)], NOT_TEXT_OR_NUMBER)
    .transform(String)
    .refine(isCarriable, UNCARRIABLE_PROBLEM);

const destination = z
  .union(
    [textUpTo(MAX_NAME_LENGTH), z.int(NOT_TEXT_OR_NUMBER).nonnegative("negative")],
    missingOr(NOT_TEXT_OR_NUMBER),
  )
  .transform(String)
  .refine(isCarriable, UNCARRIABLE_PROBLEM);

const isTooMany = (values: Fields) => Object.keys(values).length > MAX_PARAMS;
const TOO_MANY_PARAMS = `more than ${MAX_PARAMS} placeholders`;

/** Values by placeholder; counted before anything else, since each is looked at. */
const params = z.preprocess(
  (value, context) => {
    if (!isRecord(value)) return value;
    if (!isTooMany(value)) return withoutNulls(value);
    context.addIssue({ code: "custom", message: TOO_MANY_PARAMS });
    return z.NEVER;
  },
  z.record(
    z.string().max(MAX_NAME_LENGTH),
    textUpTo(MAX_CONTENT_LENGTH, "a value is ").refine(
      (value) => value.isWellFormed(),
      UNCARRIABLE_PROBLEM,
    ),
    `not an object of texts whose names have at most ${MAX_NAME_LENGTH} characters`,
  ),
);

/** The fields of one message (document: table of fields). */
const messageSchema = z.object({
  destination: destination
    .optional()
    .describe("The phone's number with its country code, such as 5511900000000."),
  messageText: textUpTo(MAX_CONTENT_LENGTH)
    .refine((text) => text.isWellFormed(), UNCARRIABLE_PROBLEM)
    .optional()
    .describe("The text. Needed unless a template or a flow gives it, which then counts."),
  correlationId: clientText(MAX_CORRELATION_ID_LENGTH)
    .optional()
    .describe("The client's own id, by which statuses can be found. Need not be unique."),
  extraInfo: clientText(MAX_EXTRA_INFO_LENGTH)
    .optional()
    .describe("Anything that is to come back with the message's statuses."),
  flashSMS: z
    .union([z.boolean(), z.enum(["true", "false"])], "neither true nor false")
    .transform((value) => value === true || value === "true")
    .optional()
    .describe("Whether the phone shows the message at once, without keeping it."),
  params: params
    .optional()
    .describe(
      `Values of the text's placeholders, {{name}}, by name; at most ${MAX_PARAMS}. Where they and the placeholders do not match, the message is marked as invalid and sent all the same.`,
    ),
});
type MessageFields = z.output<typeof messageSchema>;

const unixTime = wholeNumber(0, LAST_INSTANT).transform((at) =>
  at < FIRST_IN_MILLISECONDS ? at * 1_000 : at,
);

const NO_DATE = "not a date such as 2026-01-28T02:30:43";
/** A date with time; without offset it is in the request's zone. */
const date = z
  .string(NO_DATE)
  .max(MAX_NAME_LENGTH, { error: NO_DATE, abort: true })
  .refine((written) => parseDateTime(written, "UTC") !== undefined, NO_DATE);

const NO_ZONE = "not a time zone such as America/Sao_Paulo, UTC or -03:00";

const NO_HOURS = "not a list of hours";

const scheduledDate = date
  .optional()
  .describe("Not sent before this date, yyyy-MM-ddTHH:mm:ss in `timeZone`.");

/**
 * The fields that hold for all messages of a request (document: table of fields; supplement,
 * section 1).
 */
const settingsShape = {
  scheduledAt: unixTime
    .optional()
    .describe("Not sent before this Unix time, in milliseconds, or in seconds below 10^11."),
  delayedInMinutes: wholeNumber(0, MAX_MINUTES)
    .optional()
    .describe("Not sent before so many minutes have passed."),
  scheduledDate,
  scheduleDate: scheduledDate.describe("Another spelling of `scheduledDate`."),
  expiresAt: unixTime
    .optional()
    .describe("Not sent after this Unix time, in milliseconds, or in seconds below 10^11."),
  expiresInMinutes: wholeNumber(1, MAX_MINUTES)
    .optional()
    .describe("Not sent after so many minutes have passed."),
  expiresDate: date
    .optional()
    .describe("Not sent after this date, yyyy-MM-ddTHH:mm:ss in `timeZone`."),
  timeZone: z
    .string(NO_ZONE)
    .max(MAX_NAME_LENGTH, { error: NO_ZONE, abort: true })
    .refine(isTimeZone, NO_ZONE)
    .optional()
    .describe(
      "The zone of dates and of `timeWindow`: an IANA name, UTC, or an offset such as +03:00 or -0100. Where it is left out: the user's, else that of the user's country, else the account's.",
    ),
  timeWindow: z
    .array(wholeNumber(0, 23), NO_HOURS)
    .min(1, "an empty list of hours")
    .max(MAX_HOURS, atMost(MAX_HOURS))
    .optional()
    .describe("The hours in which the message may be sent, each meaning hh:00 to hh:59."),
  campaignAlias: campaignSchema.shape.alias.optional().describe("The alias of a campaign."),
  flowId: flowSchema.shape.flowId.optional().describe("The flow that gives the text."),
  templateId: wholeNumber(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe("The number of the template that gives the text."),
  templateName: templateSchema.shape.name
    .optional()
    .describe("The name of the template that gives the text; it must be of one template only."),
  subAccount: subAccountNameSchema
    .optional()
    .describe("The sub-account to send for; administrators only."),
};
type SettingsFields = z.output<z.ZodObject<typeof settingsShape>>;

/** Of each of these, one field at most can be given (document: table of fields). */
const EXCLUSIVE_FIELDS = [
  ["scheduledAt", "delayedInMinutes", "scheduledDate", "scheduleDate"],
  ["expiresAt", "expiresInMinutes", "expiresDate"],
  ["flowId", "templateId"],
  ["flowId", "templateName"],
] as const satisfies (keyof SettingsFields)[][];

function refuseExclusive(fields: SettingsFields, context: z.core.$RefinementCtx): void {
  for (const group of EXCLUSIVE_FIELDS) {
    const present = group.filter((name) => fields[name] !== undefined);
    if (present.length > 1) {
      context.addIssue({ code: "custom", message: `${present.join(" and ")} exclude each other` });
    }
  }
}

/** Whether the text is that of a template or a flow. */
const hasTextElsewhere = ({ flowId, templateId, templateName }: SettingsFields) =>
  flowId !== undefined || templateId !== undefined || templateName !== undefined;

/** The request of `/v1/send-sms` (document: table of fields); as a query, its values are texts. */
export const singleRequestSchema = z
  .object({
    ...messageSchema.shape,
    destination: destination
      .refine((written) => !isBlank(written), "missing")
      .describe("The phone's number with its country code, such as 5511900000000."),
    ...settingsShape,
  })
  .superRefine(refuseExclusive)
  .refine((fields) => hasTextElsewhere(fields) || !isBlank(fields.messageText), {
    error: "missing",
    path: ["messageText"],
  })
  .describe("One message. A field that is null counts as left out.");

const bulkRequestOf = <Element extends z.ZodType>(element: Element) =>
  z
    .object({
      messages: z
        .array(element, missingOr("not a list"))
        .min(1, "an empty list")
        .max(MAX_BATCH_SIZE, atMost(MAX_BATCH_SIZE))
        .describe("The messages, each with at least a destination of its own or by default."),
      defaultValues: messageSchema
        .optional()
        .describe("Fields of a message, for those that leave them out; `params` are merged."),
      ...settingsShape,
    })
    .superRefine(refuseExclusive)
    .describe(
      "Many messages. A field that is null counts as left out. A message with wrong fields is not sent and has its final status at once; the others are sent.",
    );

/** The request of `/v1/send-bulk-sms` (document: "Envio em Lote"). */
export const bulkRequestSchema = bulkRequestOf(messageSchema);

/** The same, of which the messages are still to be read, each by itself. */
const bulkReadingSchema = bulkRequestOf(z.unknown());

const searched = (what: string) => {
  const problem = `not all of them are texts of 1 to ${MAX_ID_LENGTH} characters`;
  return z
    .array(
      z
        .string(problem)
        .min(1, problem)
        .max(MAX_ID_LENGTH, problem)
        .refine((id) => id.isWellFormed(), problem),
      "not a list",
    )
    .max(MAX_SEARCHED, atMost(MAX_SEARCHED))
    .optional()
    .describe(what);
};

/** The request of `/v1/sms/status/search` (document: "Para consultar o status"). */
export const searchRequestSchema = z
  .object({
    ids: searched("Ids that answers to sending gave, in any case of letters."),
    correlationIds: searched("The client's own ids."),
  })
  .superRefine(({ ids = [], correlationIds = [] }, context) => {
    const count = ids.length + correlationIds.length;
    const message =
      count === 0
        ? "nothing to search for: neither ids nor correlationIds"
        : `${count} ids and correlationIds; at most ${MAX_SEARCHED} are taken together`;
    if (count === 0 || count > MAX_SEARCHED) context.addIssue({ code: "custom", message });
  })
  .describe(`At least one id or correlationId, and at most ${MAX_SEARCHED} together.`);

/** The query of `/v1/sms-status` (supplement, section 1). */
export const statusQuerySchema = z.object({
  id: z
    .string("missing")
    .trim()
    .min(1, "missing")
    .max(MAX_ID_LENGTH, `longer than ${MAX_ID_LENGTH} characters`)
    .describe("The id that the answer to sending gave, in any case of letters."),
});

const ISO_DATE = /^\d{4}-\d\d-\d\d$/;
const NO_ISO_DATE = "not an ISO 8601 date such as 2016-09-12T00:00:00";

/** A point in time; a date without time is the day's beginning or, for the end of a period, its end. */
const isoInstant = (timeOfDay: string) =>
  z
    .string(NO_ISO_DATE)
    .max(MAX_NAME_LENGTH, { error: NO_ISO_DATE, abort: true })
    .transform((written, context) => {
      const text = withPlus(written).trim();
      const full = ISO_DATE.test(text) ? `${text}T${timeOfDay}` : text;
      const at = parseDateTime(full, "UTC");
      if (at !== undefined) return at;
      context.addIssue({ code: "custom", message: NO_ISO_DATE });
      return z.NEVER;
    });

/** The query of `/v1/sms/receive/search` (document: "A requisição de busca"). */
export const periodQuerySchema = z.object({
  start: isoInstant("00:00:00")
    .optional()
    .describe("ISO 8601; UTC where it has no offset. Five days ago unless given."),
  end: isoInstant("23:59:59.999")
    .optional()
    .describe("ISO 8601; UTC where it has no offset. Now unless given."),
});

/** The query of `/v1/sms/receive/list`, and part of that of `search` (document: "como usuário administrador"). */
export const subAccountQuerySchema = z.object({
  subAccount: subAccountNameSchema
    .optional()
    .describe(
      "The sub-account whose messages or MOs are wanted; another than one's own as administrator only.",
    ),
});

/** What reading a request takes. */
export interface ReadingContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The zone of dates and windows where the request names none. */
  readonly zone: string;
}

/** What holds for all messages of a request. Times are milliseconds since the epoch. */
export interface Settings {
  readonly scheduledAt?: number | undefined;
  readonly expiresAt?: number | undefined;
  readonly window?: TimeWindow | undefined;
  readonly campaignAlias?: string | undefined;
  /** Never together with a template. */
  readonly flowId?: string | undefined;
  readonly templateId?: number | undefined;
  readonly templateName?: string | undefined;
  readonly subAccount?: string | undefined;
}

/** A message that can be sent, as far as its fields tell. */
export interface GoodMessage {
  readonly ok: true;
  /** As written by the client; empty where a message of a bulk has none that could be one. */
  readonly destination: string;
  /** Absent exactly where a template or a flow gives the text. */
  readonly messageText?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly extraInfo?: string | undefined;
  readonly flash: boolean;
  readonly params?: Readonly<Record<string, string>> | undefined;
}

/** A message of a bulk that cannot be sent, and what can be told of it all the same. */
export interface BadMessage {
  readonly ok: false;
  readonly problem: string;
  /** Empty where there is none. */
  readonly destination: string;
  readonly correlationId?: string | undefined;
  readonly extraInfo?: string | undefined;
}
export type ReadMessage = GoodMessage | BadMessage;

/** What was read, or what is wrong with the request as a whole, for who writes the client. */
export type Read<T> =
  | ({ readonly ok: true } & T)
  | { readonly ok: false; readonly problem: string };

const refuse = (problem: string) => ({ ok: false, problem }) as const;
const NOT_AN_OBJECT = "the request is not an object";

/** Reads the fields of `/v1/send-sms`, from a body or by way of `fieldsOfQuery`. */
export function readSingle(
  fields: unknown,
  context: ReadingContext,
): Read<{ readonly settings: Settings; readonly message: GoodMessage }> {
  if (!isRecord(fields)) return refuse(NOT_AN_OBJECT);
  const parsed = singleRequestSchema.safeParse(given(fields));
  if (!parsed.success) return refuse(problemOf(parsed.error));
  return {
    ok: true,
    settings: settingsOf(parsed.data, context),
    message: goodMessage(parsed.data, hasTextElsewhere(parsed.data)),
  };
}

/**
 * Reads the body of `/v1/send-bulk-sms`. Its messages are in their order; one that is wrong does
 * not sink the others. What belongs to the root of the request is ignored inside of `messages`
 * and, since that is a message too, of `defaultValues` (supplement, section 1).
 */
export function readBulk(
  body: unknown,
  context: ReadingContext,
): Read<{ readonly settings: Settings; readonly messages: readonly ReadMessage[] }> {
  if (!isRecord(body)) return refuse(NOT_AN_OBJECT);
  const { defaultValues: usual, ...root } = given(body);
  const parsed = bulkReadingSchema.safeParse({
    ...root,
    defaultValues: isRecord(usual) ? given(usual) : usual,
  });
  if (!parsed.success) return refuse(problemOf(parsed.error));
  const { messages, defaultValues = {}, ...fields } = parsed.data;
  const isTextElsewhere = hasTextElsewhere(fields);
  return {
    ok: true,
    settings: settingsOf(fields, context),
    messages: messages.map((element) => readElement(element, defaultValues, isTextElsewhere)),
  };
}

function readElement(
  element: unknown,
  defaults: MessageFields,
  isTextElsewhere: boolean,
): ReadMessage {
  if (!isRecord(element)) return { ...refuse("the message is not an object"), destination: "" };
  const own = given(element);
  const { destination: _, ...others } = own;
  const parsed = messageSchema.safeParse(others);
  if (!parsed.success) return badMessage(problemOf(parsed.error), own, defaults);
  const merged = merge(defaults, parsed.data);
  const problem = problemOfMerged(merged, isTextElsewhere);
  if (problem !== undefined) return badMessage(problem, own, defaults);
  return goodMessage({ ...merged, destination: numberOf(own, defaults) }, isTextElsewhere);
}

/** One that cannot be a number is none: the message then fails as one with a wrong number does. */
const numberOf = (own: Fields, defaults: MessageFields) =>
  toldOf("destination", own, defaults) ?? "";

/** The value of a field for a message that may have wrong ones. */
const toldOf = (
  name: "destination" | "correlationId" | "extraInfo",
  own: Fields,
  defaults: MessageFields,
) =>
  own[name] === undefined ? defaults[name] : messageSchema.shape[name].safeParse(own[name]).data;

const badMessage = (problem: string, own: Fields, defaults: MessageFields): BadMessage => ({
  ...refuse(problem),
  destination: numberOf(own, defaults),
  correlationId: toldOf("correlationId", own, defaults),
  extraInfo: toldOf("extraInfo", own, defaults),
});

function goodMessage(
  { destination: number = "", messageText, flashSMS = false, ...rest }: MessageFields,
  isTextElsewhere: boolean,
): GoodMessage {
  const { correlationId, extraInfo, params: values } = rest;
  return {
    ok: true,
    destination: number,
    messageText: isTextElsewhere ? undefined : messageText,
    correlationId,
    extraInfo,
    flash: flashSMS,
    params: values,
  };
}

const merge = (defaults: MessageFields, own: MessageFields): MessageFields => ({
  ...defaults,
  ...own,
  // V8 takes fifty times as long to spread as many keys into an object that has some.
  ...(defaults.params && own.params && { params: Object.assign({}, defaults.params, own.params) }),
});

/** What is wrong with fields of which each is right by itself. */
function problemOfMerged(fields: MessageFields, isTextElsewhere: boolean): string | undefined {
  if (!isTextElsewhere && isBlank(fields.messageText)) return "messageText: missing";
  return isTooMany(fields.params ?? {}) ? `params: ${TOO_MANY_PARAMS}` : undefined;
}

function settingsOf(fields: SettingsFields, { now, zone: usualZone }: ReadingContext): Settings {
  const { campaignAlias, flowId, templateId, templateName, subAccount, timeWindow } = fields;
  const zone = fields.timeZone ?? usualZone;
  const inMinutes = (minutes?: number) =>
    minutes === undefined ? undefined : now + minutes * MINUTE_MS;
  const instant = (written?: string) =>
    written === undefined ? undefined : parseDateTime(written, zone);
  return {
    scheduledAt:
      fields.scheduledAt ??
      inMinutes(fields.delayedInMinutes) ??
      instant(fields.scheduledDate ?? fields.scheduleDate),
    expiresAt:
      fields.expiresAt ?? inMinutes(fields.expiresInMinutes) ?? instant(fields.expiresDate),
    window: timeWindow && {
      hours: [...new Set(timeWindow)].sort((a, b) => a - b),
      timeZone: zone,
    },
    campaignAlias,
    flowId,
    templateId,
    templateName,
    subAccount,
  };
}

/** Of these, an empty text is not the same as none: a message without text must not get the default one. */
const MEANT_WHEN_EMPTY = ["destination", "messageText"];

/** Without the fields that say as much as if they were not there. */
const given = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) => !isNothing(value) && (value !== "" || MEANT_WHEN_EMPTY.includes(name)),
    ),
  );

/** The first problem, under the name of its field; names that the client made up are not repeated. */
function problemOf({ issues: [issue] }: z.ZodError): string {
  const depth = issue?.path[0] === "defaultValues" ? 2 : 1;
  const field = issue?.path.slice(0, depth).join(".");
  return field ? `${field}: ${issue?.message}` : (issue?.message ?? "");
}

/** A plus sign that came unescaped in a query has become a space. */
const withPlus = (written: string) =>
  written
    .slice(0, MAX_NAME_LENGTH + 1)
    .replace(/^ (?=\d)|(?<=T[\d:.,]+) (?=\d\d(?::?\d\d)?$)/, "+");

const WITH_OFFSET = ["scheduledDate", "scheduleDate", "expiresDate", "timeZone"];

type Query = Readonly<Record<string, string | undefined>>;

/** In lower case: their names may be written in any case of letters. */
const CREDENTIALS = ["username", "authenticationtoken"] as const;

/** The credentials that a query carries (supplement, section 1). */
export function credentialsOfQuery(query: Query): {
  readonly username: string | undefined;
  readonly authenticationToken: string | undefined;
} {
  const [username, authenticationToken] = CREDENTIALS.map(
    (credential) => Object.entries(query).find(([name]) => name.toLowerCase() === credential)?.[1],
  );
  return { username, authenticationToken };
}

const isCredential = (name: string) => CREDENTIALS.some((it) => it === name.toLowerCase());

/**
 * The fields of `/v1/send-sms` that came as a query (document: "Via método GET"), without the
 * credentials that may be among them (supplement, section 1). A window is written `[11,12]` or
 * `11,12`, and params as JSON; everything else is the text that it is.
 */
export function fieldsOfQuery(query: Query): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(query)
      .filter(([name]) => !isCredential(name))
      .map(([name, value]) => [name, value && fieldOfQuery(name, value)]),
  );
}

function fieldOfQuery(name: string, value: string): unknown {
  if (name === "timeWindow") return value.match(/[^\s,;"[\]]+/g) ?? [];
  if (name === "params") return valueOfJson(value);
  return WITH_OFFSET.includes(name) ? withPlus(value) : value;
}

/** What a JSON text says; a text that is none stays what it is. */
function valueOfJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Reads what statuses are wanted (document: "Para consultar o status"), each id once, in any
 * case of letters: the document's own example has capitals.
 */
export function readSearch(
  body: unknown,
): Read<{ readonly ids: readonly string[]; readonly correlationIds: readonly string[] }> {
  if (!isRecord(body)) return refuse(NOT_AN_OBJECT);
  const parsed = searchRequestSchema.safeParse(withoutNulls(body));
  if (!parsed.success) return refuse(problemOf(parsed.error));
  const { ids = [], correlationIds = [] } = parsed.data;
  return {
    ok: true,
    ids: [...new Set(ids.flatMap(spellingsOf))],
    correlationIds: [...new Set(correlationIds)],
  };
}

/** Reads which message's status is wanted, by the ids that it can have, of `/v1/sms-status` (supplement, section 1). */
export function readStatusQuery(query: Query): Read<{ readonly ids: readonly string[] }> {
  const parsed = statusQuerySchema.safeParse(query);
  return parsed.success
    ? { ok: true, ids: spellingsOf(parsed.data.id) }
    : refuse(problemOf(parsed.error));
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Ids that we make are in lower case; those that Mesago's clients choose are as they wrote them. */
const spellingsOf = (id: string) => (UUID.test(id) ? [id, id.toLowerCase()] : [id]);

/**
 * Reads the period of `/v1/sms/receive/search`, in milliseconds since the epoch. What is older
 * than five days is not found: of a period that begins earlier its end is left, of one that ends
 * earlier a single instant.
 */
export function readPeriod(
  query: Query,
  { now }: Pick<ReadingContext, "now">,
): Read<{ readonly from: number; readonly to: number }> {
  const parsed = periodQuerySchema.safeParse(given(query));
  if (!parsed.success) return refuse(problemOf(parsed.error));
  const oldest = now - MO_SEARCH_MS;
  const { start = oldest, end = now } = parsed.data;
  if (start > end && parsed.data.start !== undefined) return refuse("start is after end");
  const to = Math.max(end, 0);
  return { ok: true, from: Math.min(Math.max(start, oldest), to), to };
}

/** Reads whose messages or MOs are wanted (document: "como usuário administrador"). */
export function readSubAccount(query: Query): Read<{ readonly subAccount?: string | undefined }> {
  const parsed = subAccountQuerySchema.safeParse(given(query));
  if (!parsed.success) return refuse(problemOf(parsed.error));
  return { ok: true, subAccount: parsed.data.subAccount };
}

const optionalId = z.string().optional().describe("The client's own id, where it gave one.");
const unixMs = z.int().nonnegative();
const utcDate = z.string().describe("UTC, such as 2015-01-08T16:02:09Z.");

/** What is told of a message that was taken (document: "Ao fazer o envio, você receberá"). */
export const acceptedMessageSchema = z.object({
  id: z.string().describe("The message's id."),
  correlationId: optionalId,
});

/** The answer of `/v1/send-sms`. */
export const singleAnswerSchema = z.array(acceptedMessageSchema);

/** The answer of `/v1/send-bulk-sms`: its messages are in the request's order. */
export const bulkAnswerSchema = z.object({
  id: z.string().describe("The id of the batch."),
  messages: z.array(acceptedMessageSchema),
});

const codesIn = <Code extends number>(table: Readonly<Record<Code, string>>) =>
  z.literal(Object.keys(table).map(Number) as Code[]);

const carrierShape = {
  carrierId: z.int().optional().describe("The operator's number, where it has one."),
  carrierName: z.string().optional().describe("The operator's name, once it is known."),
};

/** A message's status (document: "Campos JSON de resposta"). */
export const messageStatusSchema = z.object({
  id: z.string(),
  correlationId: optionalId,
  ...carrierShape,
  destination: z.string(),
  sentStatusCode: codesIn(WAVY_SENT).optional().describe("Absent until it is known."),
  sentStatus: z.enum(WAVY_SENT).optional(),
  sentStatusAt: unixMs.optional(),
  sentStatusDate: utcDate.optional(),
  deliveredStatusCode: codesIn(WAVY_DELIVERED).optional().describe("Absent until it is known."),
  deliveredStatus: z.enum(WAVY_DELIVERED).optional(),
  deliveredAt: unixMs.optional(),
  deliveredDate: utcDate.optional(),
  campaignId: z.int().optional(),
  extraInfo: z.string().optional(),
});
export type MessageStatus = z.output<typeof messageStatusSchema>;

/** The answer of `status/search` and `status/list` (supplement, section 1). */
export const statusesAnswerSchema = z.object({
  total: z.int().nonnegative(),
  messages: z.array(messageStatusSchema),
});

/** An MO (document: "Exemplo JSON enviado para sua API" and the tables after it). */
export const receivedMessageSchema = z.object({
  id: z.string(),
  subAccount: z.string().optional(),
  campaignAlias: z.string().optional(),
  ...carrierShape,
  source: z.string().describe("The phone's number."),
  shortCode: z.string(),
  messageText: z.string(),
  receivedAt: unixMs,
  receivedDate: utcDate,
  mt: z
    .object({
      id: z.string(),
      correlationId: optionalId,
      username: z.string().optional(),
      email: z.string().optional(),
    })
    .optional()
    .describe("The message that it answers, if any."),
});
export type ReceivedMessage = z.output<typeof receivedMessageSchema>;

/** The answer of `receive/list` and `receive/search` (document: "Exemplo de JSON de resposta"). */
export const receivedAnswerSchema = z.object({
  total: z.int().nonnegative(),
  start: utcDate,
  end: utcDate,
  messages: z.array(receivedMessageSchema),
});

/** The body of every answer that is an error (supplement, section 1). */
export const errorAnswerSchema = z.object({ errorCode: z.string(), errorMessage: z.string() });
