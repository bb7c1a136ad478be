import * as z from "zod";

/** From whom a message can come: a short number, a phone number, or a name. */
export const SENDER_KINDS = ["short-code", "long-code", "alphanumeric"] as const;
export type SenderKind = (typeof SENDER_KINDS)[number];

const SHAPES: Readonly<Record<SenderKind, RegExp>> = {
  "short-code": /^\d{3,8}$/,
  // E.164 without the plus sign.
  "long-code": /^\d{9,15}$/,
  // What the address field of an SMS holds in GSM 03.38 (3GPP TS 23.040, 9.1.2.5), with a letter in it.
  alphanumeric: /^(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 ._&-]{0,10}$/,
};

/** Which kind of sender this is; undefined where it is none. */
export function kindOfSender(sender: string): SenderKind | undefined {
  return SENDER_KINDS.find((kind) => SHAPES[kind].test(sender));
}

/** A sender identity: a short code, a phone number in E.164 without the plus sign, or a name of up to 11 characters. */
export const senderIdentitySchema = z
  .string()
  .refine(
    (sender) => kindOfSender(sender) !== undefined,
    "a sender is a short code of 3 to 8 digits, a number of 9 to 15 digits, or a name of up to 11 characters",
  );

/**
 * What may be shown as the sender, by the country of the phone. Elsewhere anything may, as far as
 * the carrier takes it.
 *
 * - BR: the operators let applications send from short codes of five or six digits only (Wavy
 *   document, "Short Code"); names and ordinary numbers are replaced or refused.
 * - US, CA: names are not carried; short codes have five or six digits, as the registries give them.
 */
const ALLOWED: Readonly<Record<string, Readonly<Partial<Record<SenderKind, RegExp>>>>> = {
  BR: { "short-code": /^\d{5,6}$/ },
  US: { "short-code": /^\d{5,6}$/, "long-code": /./ },
  CA: { "short-code": /^\d{5,6}$/, "long-code": /./ },
};

/**
 * Whether phones of a country can be sent messages from this sender.
 * @param country ISO 3166-1 alpha-2; anything goes where it is not known
 */
export function isSenderAllowed(sender: string, country: string | undefined): boolean {
  const kind = kindOfSender(sender);
  if (!kind) return false;
  const rules = country === undefined ? undefined : ALLOWED[country];
  return rules === undefined || rules[kind]?.test(sender) === true;
}

/**
 * From whom a message goes out: the first of its account's senders that the phone's country and the
 * carrier allow, else the carrier's first, where the country allows that: the others may be
 * somebody's.
 *
 * @param ofCarrier those that the carrier lets out, everybody's first; any where it has not said
 * @returns undefined where the carrier is to choose
 */
export function chooseSender(
  ofAccount: readonly string[],
  ofCarrier: readonly string[] | undefined,
  country: string | undefined,
): string | undefined {
  const allowed = (sender: string) => isSenderAllowed(sender, country);
  const own = ofAccount.find((sender) => allowed(sender) && (ofCarrier?.includes(sender) ?? true));
  return own ?? ofCarrier?.slice(0, 1).find(allowed);
}
