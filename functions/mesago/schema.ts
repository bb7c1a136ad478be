import * as z from "zod";
import {
  MESAGO_DETAIL,
  MESAGO_STATUS,
  type MesagoCodes,
  type MesagoDetailCode,
  mesagoAnswer,
} from "../core/codes.ts";
import { CALLBACK_OPTIONS } from "../core/message.ts";
import { isTimeZone } from "../core/time.ts";

/** The longest `correlationId`, in characters; longer ones are 016 "ID overflow". */
const MAX_ID_LENGTH = 64;
/** The longest `extraInfo`, in characters. */
const MAX_EXTRA_INFO_LENGTH = 1_000;

/** What no queue carries: halves of surrogate pairs, and what is no character at all. */
const UNCARRIABLE = /[\p{Cs}\uFFFE\uFFFF]/u;
const CONTROL = /\p{Cc}/u;

/** Whether a message can have this id. */
export function isMessageId(id: string): boolean {
  return id.length <= MAX_ID_LENGTH && !UNCARRIABLE.test(id) && !CONTROL.test(id);
}

/** The envelopes of the answers, by operation. */
export type Envelope = "sendSmsResponse" | "getSmsStatusResp";

/** An answer's four fields of codes and descriptions (document: "Exemplo de retorno"). */
export function describeCodes({ statusCode, detailCode }: MesagoCodes) {
  return {
    statusCode,
    statusDescription: MESAGO_STATUS[statusCode],
    detailCode,
    detailDescription: MESAGO_DETAIL[detailCode],
  };
}

/** The answer to an operation, in its envelope, with whatever stands beside the codes. */
export function answerBody(envelope: Envelope, detailCode: MesagoDetailCode, beside: object = {}) {
  return { [envelope]: { ...describeCodes(mesagoAnswer(detailCode)), ...beside } };
}

/** An issue whose message is the code that names the field at fault. */
const code = (detailCode: MesagoDetailCode) => ({ error: detailCode });

/** A number that JSON has not rounded, in its digits. */
const wholeNumber = z.number().int().nonnegative().transform(String);

/** `null` says as much as leaving a field out. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => value ?? undefined, schema.optional());

/** Dates are not supported yet: any is answered as invalid. */
const noDateYet = optional(z.never(code("015")));

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
 * The fields of `sendSmsRequest` (document: "Envio de um único SMS", Attributes and examples).
 * Each issue's message is a detail code.
 */
const sendSmsRequestSchema = z.object(
  {
    destination: optional(z.union([z.string(), wholeNumber])).transform((value) => value ?? ""),
    messageText: optional(
      z.string(code("011")).refine((text) => text.isWellFormed(), "011"),
    ).transform((value) => value ?? ""),
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
          .max(MAX_EXTRA_INFO_LENGTH, "170")
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
        .array(hour.pipe(z.number().int("015").min(0, "015").max(23, "015")), code("015"))
        .min(1, "015")
        .transform((hours) => [...new Set(hours)].sort((a, b) => a - b)),
    ),
    timeZone: optional(z.string(code("015")).refine(isTimeZone, "015")),
    scheduledDate: noDateYet,
    scheduleDate: noDateYet,
    expiresDate: noDateYet,
  },
  code("170"),
);
export type SendSmsRequest = z.output<typeof sendSmsRequestSchema>;

const envelopeSchema = z.object({ sendSmsRequest: z.record(z.string(), z.unknown(), code("170")) });

/** A request that was read, or the code that says what is wrong with it and whether it was a message at all. */
export type ParsedRequest =
  | { readonly ok: true; readonly request: SendSmsRequest }
  | { readonly ok: false; readonly detailCode: MesagoDetailCode; readonly isMessage: boolean };

/** Reads the body of `POST /api/send-sms`. */
export function parseSendSms(body: unknown): ParsedRequest {
  const envelope = envelopeSchema.safeParse(body);
  if (!envelope.success) {
    const isMissing = z.object({ sendSmsRequest: z.null().optional() }).safeParse(body).success;
    return { ok: false, detailCode: isMissing ? "172" : "170", isMessage: false };
  }
  const request = sendSmsRequestSchema.safeParse(envelope.data.sendSmsRequest);
  if (request.success) return { ok: true, request: request.data };
  return { ok: false, detailCode: codeOfIssue(request.error.issues[0]), isMessage: true };
}

function codeOfIssue(issue: z.core.$ZodIssue | undefined): MesagoDetailCode {
  if (issue?.path[0] === "destination") return "013";
  return issue && issue.message in MESAGO_DETAIL ? (issue.message as MesagoDetailCode) : "170";
}
