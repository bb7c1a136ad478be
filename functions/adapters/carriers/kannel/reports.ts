import * as z from "zod";
import {
  InvalidReportError,
  inboundSchema,
  type ReportProtocol,
  type ReportRequest,
} from "../../../core/carrier.ts";
import type { ReasonFor } from "../../../core/lifecycle.ts";
import { decodeText } from "./mo-text.ts";
import { encodedRefSchema } from "./receipt-url.ts";
import { readConcatenation } from "./user-data-header.ts";

/** The bits of a receipt's type. */
const DELIVERED = 1;
const FAILED = 2;
const REFUSED = 16;
const EXPIRED = 32;

/** Of an operator's receipt, and of Kannel itself, where a message waited in it for too long. */
const EXPIRED_WORDS = /\bstat:EXPIRED\b|^NACK\/validity expired/i;

/** More than any id of ours, or of a carrier. */
const MAX_NAME_LENGTH = 256;
/** An SMS has 255 parts at most, of 140 octets; as UTF-8 in hex. */
const MAX_HEX_LENGTH = 255 * 153 * 3 * 2;
/** A Kannel whose clock is further behind has none; in milliseconds. */
const MAX_AGE_MS = 30 * 24 * 60 * 60_000;

/** Some operators give no sender or none that Kannel knows: then the field is there, and empty. */
const name = z.string().max(MAX_NAME_LENGTH);
const optionalName = name.transform((it) => it || undefined).optional();

const receiptQuery = z.object({
  ref: z
    .string()
    .max(8 * MAX_NAME_LENGTH)
    .pipe(encodedRefSchema),
  part: z.coerce.number().int().positive().optional(),
  dlr: z
    .string()
    .regex(/^\d{1,4}$/)
    .transform(Number),
  answer: z.string().default(""),
  at: z.string().optional(),
  from: optionalName,
  operator: optionalName,
});

const moQuery = z.object({
  id: name.min(1),
  from: name,
  to: name.min(1),
  hex: z
    .string()
    .max(MAX_HEX_LENGTH)
    .regex(/^(?:[\da-f]{2})*$/i, "expected bytes in hex"),
  coding: z
    .string()
    .regex(/^-?\d$/)
    .transform(Number),
  charset: z.string().max(64).default("UTF-8"),
  at: z.string().optional(),
  operator: optionalName,
});

/**
 * How a Kannel reports (docs/kannel.md): all of it in the query, receipts by GET, MOs by GET or
 * POST. An answer is empty, since what one to an MO says Kannel sends to the phone.
 */
export const kannelProtocol: ReportProtocol = {
  parseReceipts(request, { carrier, now }) {
    if (request.method !== "GET") throw new InvalidReportError("receipts come by GET");
    const told = parse(receiptQuery, request.query);
    const verdict = verdictOf(told.dlr, told.answer);
    if (!verdict) return [];
    return [
      {
        type: "receipt",
        ref: told.ref,
        ...(told.part !== undefined && { part: told.part }),
        carrier,
        at: timeOf(told.at, now),
        ...(told.operator && { operator: told.operator }),
        ...(told.from && { shortCode: withoutPlus(told.from) }),
        ...verdict,
      },
    ];
  },

  parseMos(request, { carrier, now }) {
    if (request.method !== "GET" && request.method !== "POST") {
      throw new InvalidReportError("MOs come by GET or POST");
    }
    const told = parse(moQuery, request.query);
    const part = readConcatenation(headerOf(request));
    const text = decodeText(Buffer.from(told.hex, "hex"), told.coding, told.charset);
    const mo = {
      type: "mo",
      carrier,
      carrierMessageId: told.id,
      from: phoneOf(told.from),
      shortCode: withoutPlus(told.to),
      text: part ? text : text.toWellFormed(),
      ...(part && { part }),
      at: timeOf(told.at, now),
      ...(told.operator && { operator: told.operator }),
    };
    return [parse(inboundSchema, mo)];
  },

  accept: () => ({ status: 200, contentType: "text/plain; charset=utf-8", body: "" }),
};

type Verdict =
  | { readonly outcome: "delivered" }
  | { readonly outcome: "not-delivered"; readonly reason: ReasonFor<"NOT_DELIVERED"> };

/** Undefined for reports that a message is on its way. Types are sums: a message that expired is 34. */
function verdictOf(type: number, answer: string): Verdict | undefined {
  if (type & DELIVERED) return { outcome: "delivered" };
  if (!(type & (FAILED | REFUSED | EXPIRED))) return undefined;
  const isExpired = type & EXPIRED || EXPIRED_WORDS.test(answer);
  return { outcome: "not-delivered", reason: isExpired ? "operator-expired" : "undeliverable" };
}

/** By Kannel's clock, in seconds, unless it cannot be that time. */
function timeOf(seconds: string | undefined, now: number): number {
  const at = /^\d{1,12}$/.test(seconds ?? "") ? Number(seconds) * 1_000 : now;
  return at > now || at < now - MAX_AGE_MS ? now : at;
}

const withoutPlus = (number: string) => number.replace(/^\+/, "");

/** The two ways to write that a number is international. */
const phoneOf = (number: string) => number.replace(/^(?:\+|00)/, "");

/**
 * Of an SMS that is a part of a long one, Kannel puts the header into one of a POST's, encoded as in
 * an URL. In the query it would be of no use: API Gateway takes its bytes for UTF-8.
 */
function headerOf({ headers }: ReportRequest): Buffer {
  const encoded = headers["x-kannel-udh"] ?? "";
  const bytes = encoded
    .replaceAll("+", " ")
    .replace(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1");
}

function parse<T>(schema: z.ZodType<T>, told: unknown): T {
  const parsed = schema.safeParse(told);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InvalidReportError(`${issue?.path.join(".")}: ${issue?.message}`);
}
