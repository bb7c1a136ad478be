import type { Dialect } from "../core/message.ts";

/** How one of the two generations of this API calls things; the other names are those of the Mesago document. */
export interface Naming {
  readonly dialect: Dialect;
  /** What all its paths begin with. */
  readonly base: string;
  /** What stands between an operation and the id that it is about. */
  readonly beforeId: "/id" | "";
  /** Its names of fields, and ours. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Its additional name of the message that an MO answers. */
  readonly answeredId?: string;
  /**
   * Whether the answer to a message without id tells ours, which is not documented. Client
   * libraries of Zenvia refuse fields that they do not know, and send the message again.
   */
  readonly tellsOurId: boolean;
}

/** Mesago's own names; both spellings of the schedule are in its document. */
export const MESAGO: Naming = {
  dialect: "mesago",
  base: "/api",
  beforeId: "/id",
  aliases: { scheduleDate: "scheduledDate" },
  tellsOurId: true,
};

/** The names of the API that Mesago's descends from (supplement, section 2). */
export const ZENVIA: Naming = {
  dialect: "zenvia",
  base: "/services",
  beforeId: "",
  aliases: {
    to: "destination",
    msg: "messageText",
    id: "correlationId",
    schedule: "scheduledDate",
    expiryDate: "expiresDate",
    scheduleDate: "scheduledDate",
    aggregateId: "extraInfo",
    flashSms: "flashSMS",
    sendSmsRequestList: "messages",
  },
  answeredId: "mtId",
  tellsOurId: false,
};

/** The fields under our names. Where both names of a field are given, ours counts. */
export function canonical(
  fields: Readonly<Record<string, unknown>>,
  { aliases }: Naming,
): Record<string, unknown> {
  const renamed = { ...fields };
  for (const [alias, name] of Object.entries(aliases)) {
    renamed[name] ??= fields[alias];
  }
  return renamed;
}
