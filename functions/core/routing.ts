import { createHash } from "node:crypto";
import * as z from "zod";
import { carrierNameSchema, LANES, type Lane } from "./carrier.ts";

const oneOrMore = <T extends z.ZodType>(schema: T) =>
  z.union([schema.transform((it) => [it]), z.array(schema).min(1)]).optional();

const countrySchema = z
  .string()
  .regex(/^[A-Z]{2}$/, "expected a country as two capital letters (ISO 3166-1 alpha-2)");

/** One line of a routing list: messages that match all that it names may go to its carrier. */
export const routeSchema = z.strictObject({
  /** The country of the phone's number. */
  country: oneOrMore(countrySchema),
  /** The phone's operator, whatever its case. */
  operator: oneOrMore(z.string().min(1).max(64)),
  subAccount: oneOrMore(z.string().min(1).max(64)),
  lane: z.enum(LANES).optional(),
  /** Of the messages that match, how many of a hundred go here first. */
  share: z.number().positive().max(100).optional(),
  carrier: carrierNameSchema,
});
export type Route = z.output<typeof routeSchema>;

/** A routing list as it is written. */
export type WrittenRoute = z.input<typeof routeSchema>;

/** The most lines of a routing list. */
const MAX_ROUTES = 50;

/** A routing list, in order. */
export const routesSchema = z.array(routeSchema).min(1).max(MAX_ROUTES);

/** What is known of a message when its way is chosen. */
export interface RoutedMessage {
  /** ISO 3166-1 alpha-2; absent where the number is of none. */
  readonly country: string | undefined;
  readonly operator: string | undefined;
  readonly subAccount: string | undefined;
  readonly lane: Lane;
  /** From [0, 100), the same for the same message however often it is routed. */
  readonly draw: number;
}

/**
 * The carriers for a message, in the order in which they are to be tried, each once.
 *
 * Lines are gone through in order. A line with a share takes its part of the messages that match it,
 * and lines with shares that match the same message divide them: 70 and 30 are 70 and 30 of a
 * hundred. Lines whose share has passed the message over come last, so that they are still there
 * when all others fail.
 */
export function carriersFor(routes: readonly Route[], message: RoutedMessage): string[] {
  const first: string[] = [];
  const passedOver: string[] = [];
  let shared = 0;
  for (const { share, carrier, ...conditions } of routes) {
    if (!matches(conditions, message)) continue;
    if (share === undefined) {
      first.push(carrier);
      continue;
    }
    const isDrawn = message.draw >= shared && message.draw < shared + share;
    shared += share;
    (isDrawn ? first : passedOver).push(carrier);
  }
  return [...new Set([...first, ...passedOver])];
}

function matches(
  { country, operator, subAccount, lane }: Omit<Route, "share" | "carrier">,
  message: RoutedMessage,
): boolean {
  const isOneOf = (allowed: readonly string[] | undefined, value: string | undefined) =>
    allowed === undefined || (value !== undefined && allowed.includes(value));
  return (
    isOneOf(country, message.country) &&
    isOneOf(operator?.map(lowerCase), message.operator && lowerCase(message.operator)) &&
    isOneOf(subAccount, message.subAccount) &&
    (lane === undefined || lane === message.lane)
  );
}

const lowerCase = (name: string) => name.toLowerCase();

const DRAWS = 2 ** 32;

/** What a message draws: uniform over messages, the same at each of its attempts. */
export function drawOf(traceId: string): number {
  return (createHash("sha256").update(traceId).digest().readUInt32BE(0) / DRAWS) * 100;
}
