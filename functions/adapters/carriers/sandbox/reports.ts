import * as z from "zod";
import {
  type CarrierEvent,
  InvalidReportError,
  inboundSchema,
  type ReportProtocol,
  type ReportRequest,
  receiptSchema,
} from "../../../core/carrier.ts";

/** The most reports in one request. */
const MAX_REPORTS = 1_000;
/** More than any id of ours, or of a carrier. */
const MAX_NAME_LENGTH = 256;
/** An SMS has 255 parts at most, of 153 characters. */
const MAX_TEXT_LENGTH = 255 * 153;

const time = z.iso.datetime({ offset: true }).transform((at) => Date.parse(at));
const name = z.string().max(MAX_NAME_LENGTH);
const names = { operator: name.optional(), shortCode: name.optional() };

/** A report, of one kind, as it is told: with what only we know of it, and its time as we write it. */
const reportOf = <T extends CarrierEvent, Told extends z.ZodObject>(
  told: Told,
  known: Pick<T, "type" | "carrier">,
  schema: z.ZodType<T>,
) => told.transform((report) => ({ ...report, ...known }) as unknown).pipe(schema);

const receiptReport = z.looseObject({
  ...names,
  ref: z.object({ account: name, id: name, traceId: name }),
  at: time,
});
const moReport = z.looseObject({
  ...names,
  shortCode: name,
  carrierMessageId: name,
  text: z.string().max(MAX_TEXT_LENGTH),
  at: time,
});

/** The sandbox's reports (docs/carriers.md): JSON in the body of a POST, one report or a list of them. */
export const sandboxProtocol: ReportProtocol = {
  parseReceipts: (request, { carrier }) =>
    parse(request, reportOf(receiptReport, { type: "receipt", carrier }, receiptSchema)),
  parseMos: (request, { carrier }) =>
    parse(request, reportOf(moReport, { type: "mo", carrier }, inboundSchema)),
  accept: (events) => ({
    status: 200,
    contentType: "application/json; charset=utf-8",
    body: JSON.stringify({ taken: events.length }),
  }),
};

function parse<T>({ method, body }: ReportRequest, report: z.ZodType<T>): T[] {
  if (method !== "POST") throw new InvalidReportError("reports are posted");
  const value = readJson(body);
  const reports = Array.isArray(value) ? value : [value];
  const parsed = z.array(report).min(1).max(MAX_REPORTS).safeParse(reports);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = Array.isArray(value) ? issue?.path : issue?.path.slice(1);
  throw new InvalidReportError(`${path?.join(".") || "body"}: ${issue?.message}`);
}

function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new InvalidReportError("body: is not JSON in UTF-8");
  }
}
