import * as z from "zod";
import type { SendRequest } from "../core/accept-message.ts";
import type { Account } from "../core/account.ts";
import {
  MESAGO_DETAIL,
  MESAGO_STATUS,
  type MesagoCodes,
  type MesagoDetailCode,
  mesagoAnswer,
} from "../core/codes.ts";
import { CALLBACK_OPTIONS } from "../core/message.ts";
import { MAX_BATCH_SIZE } from "../core/send-batch.ts";
import { isTimeZone, parseDateTime } from "../core/time.ts";
import { canonical, type Naming } from "./naming.ts";

/** The longest `correlationId`, in characters; longer ones are 016 "ID overflow". */
const MAX_ID_LENGTH = 64;
/** The longest `extraInfo`, in characters. */
const MAX_EXTRA_INFO_LENGTH = 1_000;
/** More than anybody writes; a value for all of a bulk's messages is looked at once for each of them. */
const MAX_NAME_LENGTH = 100;
const MAX_HOURS = 100;

/** What no queue carries: halves of surrogate pairs, and what is no character at all. */
const UNCARRIABLE = /[\p{Cs}\uFFFE\uFFFF]/u;
const CONTROL = /\p{Cc}/u;

/** Whether a message can have this id. */
export function isMessageId(id: string): boolean {
  return [...id].length <= MAX_ID_LENGTH && !UNCARRIABLE.test(id) && !CONTROL.test(id);
}

/** An answer's four fields of codes and descriptions (document: "Exemplo de retorno"). */
export function describeCodes({ statusCode, detailCode }: MesagoCodes) {
  return {
    statusCode,
    statusDescription: MESAGO_STATUS[statusCode],
    detailCode,
    detailDescription: MESAGO_DETAIL[detailCode],
  };
}

/** The four fields of the answer with this detail code. */
export function describeAnswer(detailCode: MesagoDetailCode) {
  return describeCodes(mesagoAnswer(detailCode));
}

/** An issue whose message is the code that names the field at fault. */
const code = (detailCode: MesagoDetailCode) => ({ error: detailCode });
/** The same, of an issue after which nothing else is looked at. */
const atOnce = (detailCode: MesagoDetailCode) => ({ error: detailCode, abort: true });

/** A number that JSON has not rounded, in its digits. */
const wholeNumber = z.number().int().nonnegative().transform(String);

/** `null` says as much as leaving a field out. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => value ?? undefined, schema.optional());

/** A date with time; without offset it is in the request's zone. */
const date = optional(
  z
    .string(code("015"))
    .max(MAX_NAME_LENGTH, atOnce("015"))
    .refine((written) => parseDateTime(written, "UTC") !== undefined, "015"),
);

const hour = z.union(
  [
    z.number(),
    z
      .string()
      .regex(/^\d{1,2}$/, "015")
      .transform(Number),
  ],
  code("015"),
);

/**
 * The fields of `sendSmsRequest` (document: "Envio de um único SMS", Attributes and examples;
 * supplement, section 2, for `from`). Each issue's message is a detail code.
 */
export const smsSchema = z.object(
  {
    destination: optional(
      z.union([z.string().max(MAX_NAME_LENGTH, atOnce("013")), wholeNumber]),
    ).transform((value) => value ?? ""),
    messageText: optional(
      z.string(code("011")).refine((text) => text.isWellFormed(), "011"),
    ).transform((value) => value ?? ""),
    from: optional(z.string(code("011")).refine((label) => label.isWellFormed(), "011")).transform(
      (label) => (label?.trim() === "" ? undefined : label),
    ),
    correlationId: optional(
      z
        .union([z.string(), wholeNumber], code("135"))
        .pipe(z.string().max(MAX_ID_LENGTH, "016").refine(isMessageId, "135")),
    ).transform((id) => (id?.trim() === "" ? undefined : id)),
    callbackOption: optional(z.enum(CALLBACK_OPTIONS, code("170"))),
    extraInfo: optional(
      z.union([z.string(), wholeNumber], code("170")).pipe(
        z
          .string()
          .max(MAX_EXTRA_INFO_LENGTH, atOnce("170"))
          .refine((info) => !UNCARRIABLE.test(info), "170"),
      ),
    ),
    flashSMS: optional(
      z.union(
        [z.boolean(), z.enum(["true", "false"]).transform((value) => value === "true")],
        code("170"),
      ),
    ).transform((value) => value ?? false),
    timeWindow: optional(
      z
        .custom((value) => Array.isArray(value) && value.length <= MAX_HOURS, "015")
        .pipe(
          z
            .array(hour.pipe(z.number().int("015").min(0, "015").max(23, "015")), code("015"))
            .min(1, "015")
            .transform((hours) => [...new Set(hours)].sort((a, b) => a - b)),
        ),
    ),
    timeZone: optional(
      z.string(code("015")).max(MAX_NAME_LENGTH, atOnce("015")).refine(isTimeZone, "015"),
    ),
    scheduledDate: date,
    expiresDate: date,
  },
  code("170"),
);
type Sms = z.output<typeof smsSchema>;

type Fields = Readonly<Record<string, unknown>>;

/** A message that was read, or the code that says what is wrong with it. */
export type ParsedSms =
  | { readonly ok: true; readonly sms: Sms }
  | { readonly ok: false; readonly detailCode: MesagoDetailCode };

/** Reads the fields of one message. */
export function parseSms(fields: Fields, naming: Naming): ParsedSms {
  return readSms(given(canonical(fields, naming)));
}

function readSms(fields: unknown): ParsedSms {
  const parsed = smsSchema.safeParse(fields);
  if (parsed.success) return { ok: true, sms: parsed.data };
  return { ok: false, detailCode: codeOfIssue(parsed.error.issues[0]) };
}

function codeOfIssue(issue: z.core.$ZodIssue | undefined): MesagoDetailCode {
  if (issue?.path[0] === "destination") return "013";
  return issue && issue.message in MESAGO_DETAIL ? (issue.message as MesagoDetailCode) : "170";
}

/** What a request asks the core for; dates without offset are in its zone, else in the account's. */
export function sendRequestOf(sms: Sms, account: Account, naming: Naming): SendRequest {
  const zone = sms.timeZone ?? account.timeZone;
  const instant = (written: string | undefined) =>
    written === undefined ? undefined : parseDateTime(written, zone);
  return {
    dialect: naming.dialect,
    id: sms.correlationId,
    destination: sms.destination,
    text: sms.messageText,
    senderLabel: sms.from,
    flash: sms.flashSMS,
    callbackOption: sms.callbackOption,
    extraInfo: sms.extraInfo,
    scheduledAt: instant(sms.scheduledDate),
    expiresAt: instant(sms.expiresDate),
    window: sms.timeWindow && { hours: sms.timeWindow, timeZone: zone },
  };
}

/** What is wrong with a request as a whole; `hint` is for who writes the client. */
export interface BadRequest {
  readonly ok: false;
  readonly detailCode: MesagoDetailCode;
  readonly hint?: string;
}

/** The messages of a bulk request that was read, each by itself, in order. */
export type ParsedMultiple = { readonly ok: true; readonly elements: ParsedSms[] } | BadRequest;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The fields that a bulk request may give for all of its messages (document: examples; supplement, section 2). */
export const FIELDS_FOR_ALL = [
  "timeZone",
  "scheduledDate",
  "expiresDate",
  "timeWindow",
  "extraInfo",
  "callbackOption",
] as const;

/**
 * Reads the fields of a bulk request: a message's own fields count, then the defaults, then those
 * of the request (document: "Envio de vários SMSs simultaneamente").
 */
export function parseMultiple(fields: Fields, naming: Naming): ParsedMultiple {
  const { messages, defaultValues, ...root } = canonical(fields, naming);
  if (messages === undefined || messages === null) {
    return { ok: false, detailCode: "172", hint: "There is no list of messages." };
  }
  if (!Array.isArray(messages)) {
    return { ok: false, detailCode: "170", hint: "The messages are not a list." };
  }
  if (messages.length === 0) {
    return { ok: false, detailCode: "172", hint: "The list of messages is empty." };
  }
  if (messages.length > MAX_BATCH_SIZE) {
    const hint = `There are ${messages.length} messages; at most ${MAX_BATCH_SIZE} are taken.`;
    return { ok: false, detailCode: "170", hint };
  }
  if (defaultValues !== undefined && defaultValues !== null && !isFields(defaultValues)) {
    return { ok: false, detailCode: "170", hint: "The default values are not an object." };
  }
  const forAll = {
    ...given(Object.fromEntries(FIELDS_FOR_ALL.map((name) => [name, root[name]]))),
    ...given(canonical(defaultValues ?? {}, naming)),
  };
  const elements = messages.map((element: unknown): ParsedSms => {
    if (!isFields(element)) return { ok: false, detailCode: "170" };
    return readSms({ ...forAll, ...given(canonical(element, naming)) });
  });
  return { ok: true, elements };
}

/** The fields of which an empty text says as much as none. */
const MAY_BE_EMPTY = [
  "scheduledDate",
  "expiresDate",
  "timeZone",
  "callbackOption",
  "extraInfo",
  "flashSMS",
];

/** Without the fields that say as much as if they were not there. */
const given = (fields: Fields) =>
  Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) =>
        value !== undefined && value !== null && !(value === "" && MAY_BE_EMPTY.includes(name)),
    ),
  );

/** The fields of a request inside its envelope, or what is wrong with the body. */
export function openEnvelope(
  body: unknown,
  envelope: string,
): { readonly ok: true; readonly fields: Fields } | BadRequest {
  const content = isFields(body) ? body[envelope] : body;
  if (isFields(body) && isFields(content)) return { ok: true, fields: content };
  const isMissing = isFields(body) && (content === undefined || content === null);
  return isMissing
    ? { ok: false, detailCode: "172", hint: `There is no ${envelope}.` }
    : { ok: false, detailCode: "170", hint: `The body is no object with a ${envelope}.` };
}

/** The fields of a message that came as parameters of a query: texts, of which a window is a list of hours. */
export function fieldsOfQuery({
  version: _,
  ...query
}: Readonly<Record<string, string | undefined>>) {
  const { timeWindow } = query;
  return {
    ...query,
    ...(timeWindow !== undefined && { timeWindow: timeWindow.match(/[^\s,;[\]]+/g) ?? [] }),
  };
}

/** The period of `received/search`; its end includes the whole of its second. */
export function parsePeriod(
  { startDate, endDate }: Fields,
  account: Account,
): { readonly from: number; readonly to: number } | undefined {
  const from = instantOf(startDate, account);
  const to = instantOf(endDate, account);
  if (from === undefined || to === undefined || from > to) return undefined;
  return { from: storable(from), to: storable(Math.floor(to / 1_000) * 1_000 + 999) };
}

/** The store sorts by dates with years of four digits; nothing comes in before or after them. */
const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const storable = (at: number) => Math.min(Math.max(at, 0), LAST_INSTANT);

function instantOf(written: unknown, { timeZone }: Account): number | undefined {
  return typeof written === "string" ? parseDateTime(written, timeZone) : undefined;
}
