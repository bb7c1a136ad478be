import * as z from "zod";
import type { Account } from "./account.ts";
import { carrierNameSchema } from "./carrier.ts";
import { isSenderAllowed, senderIdentitySchema } from "./sender-identity.ts";

/**
 * What the carriers of a stage offer, as JSON: an object by their names. `senders`: from whom a
 * carrier lets messages come; anybody where there is no list.
 */
export const offersSchema = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: "custom", message: "expected JSON" });
      return z.NEVER;
    }
  })
  .pipe(
    z.record(
      carrierNameSchema,
      z.object({ senders: z.array(senderIdentitySchema).min(1).optional() }),
    ),
  );

/** What the carriers of a stage offer, by their names. */
export type CarrierOffers = Readonly<
  Record<string, { readonly senders?: readonly string[] | undefined }>
>;

/** A way that an account's messages can go, and the countries of the phones at its end. */
interface Way {
  readonly carrier: string;
  readonly countries: readonly string[];
}

/**
 * What an account's senders and routes ask for that its stage does not offer.
 *
 * Routes lead to carriers of the stage. A sender is of use on one way at least: phones of that way's
 * country can be sent messages from it, and the carrier lets it out. Ways are the account's own
 * routes, or else all carriers of the stage; their country is the account's unless the route names it.
 *
 * @returns the first complaint, in words for the operator; undefined where there is none
 */
export function unofferedOf(
  { country, senders, routes }: Pick<Account, "country" | "senders" | "routes">,
  offers: CarrierOffers,
): string | undefined {
  const ofStage = Object.keys(offers);
  // Names such as "constructor" are something in every object.
  const stranger = routes?.findIndex(({ carrier }) => !Object.hasOwn(offers, carrier)) ?? -1;
  if (stranger >= 0) {
    const name = routes?.[stranger]?.carrier;
    return `routes.${stranger}.carrier: the stage has no carrier "${name}", but ${listed(ofStage)}`;
  }
  const ways = routes
    ? routes.map((route) => ({ carrier: route.carrier, countries: route.country ?? [country] }))
    : ofStage.map((carrier) => ({ carrier, countries: [country] }));
  for (const sender of senders) {
    const complaint = complaintOfSender(sender, ways, offers);
    if (complaint) return `senders: ${complaint}`;
  }
  return undefined;
}

function complaintOfSender(
  sender: string,
  ways: readonly Way[],
  offers: CarrierOffers,
): string | undefined {
  const open = ways.filter(({ countries }) =>
    countries.some((country) => isSenderAllowed(sender, country)),
  );
  if (open.length === 0) {
    const countries = listed(ways.flatMap((way) => way.countries));
    return `phones in ${countries} can be sent nothing from "${sender}"; other countries count where the account's routes name them`;
  }
  const isLetOut = open.some(({ carrier }) => offers[carrier]?.senders?.includes(sender) ?? true);
  if (isLetOut) return undefined;
  return `"${sender}" is let out by no carrier that the account's messages go to: ${listed(open.map(({ carrier }) => carrier))}`;
}

const listed = (names: readonly string[]) => [...new Set(names)].join(", ");
