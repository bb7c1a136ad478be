import * as z from "zod";
import type { OutboundMessage } from "../../../core/carrier.ts";
import { type MessageRef, messageRefSchema } from "../../../core/message.ts";

/**
 * Where Kannel reports what became of an SMS. It fills in what stands behind a percent sign, also
 * where that begins a byte that was encoded (`%C3`), so each that is to stay is doubled.
 */
export function receiptUrl(
  dlrUrl: string,
  { ref, part }: Pick<OutboundMessage, "ref" | "part">,
  { smscsAreOperators }: { readonly smscsAreOperators: boolean },
): string {
  const url = new URL(dlrUrl);
  url.hash = "";
  url.searchParams.set("ref", encodeRef(ref));
  if (part) url.searchParams.set("part", String(part.order));
  // The type, what the operator said, when, and the sender; never the phone's number.
  const filledIn = ["dlr=%d", "answer=%A", "at=%T", "from=%P"];
  if (smscsAreOperators) filledIn.push("operator=%i");
  return [url.href.replaceAll("%", "%%"), ...filledIn].join("&");
}

/** Clients choose their ids: in letters and digits whatever they are, they mean nothing to an URL. */
const encodeRef = ({ account, id, traceId }: MessageRef) =>
  Buffer.from(JSON.stringify([account, id, traceId])).toString("base64url");

/** The inverse of what `receiptUrl` wrote. */
export const encodedRefSchema = z
  .string()
  .regex(/^[\w-]+$/)
  .transform((encoded, context) => {
    try {
      const bytes = Buffer.from(encoded, "base64url");
      return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
    } catch {
      context.addIssue("is not what a hand-over wrote");
      return z.NEVER;
    }
  })
  .pipe(
    z
      .tuple([z.string(), z.string(), z.string()])
      .transform(([account, id, traceId]) => ({ account, id, traceId })),
  )
  .pipe(messageRefSchema);
