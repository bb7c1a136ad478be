import * as z from "zod";
import { formatLocal } from "./time.ts";

/** The most parts (SMS) that an account or sub-account may send; absent means as many as it likes. */
export const limitsSchema = z.object({
  perDay: z.number().int().nonnegative().optional(),
  perMonth: z.number().int().nonnegative().optional(),
  /** Whether it may send what it has credit for and no more. */
  prepaid: z.boolean().default(false),
});
export type Limits = z.output<typeof limitsSchema>;

/** Whether there is anything to be counted at all. */
export function isLimited({ perDay, perMonth, prepaid }: Limits): boolean {
  return prepaid || perDay !== undefined || perMonth !== undefined;
}

/** Whose parts are counted: those of an account, or those of one of its sub-accounts. */
export interface UsageOwner {
  readonly account: string;
  readonly subAccount?: string | undefined;
}

/** What an owner has used of its limits, in parts. Days and months are those of the account's time zone. */
export const usageSchema = z.object({
  version: z.literal(1),
  /** As `2026-11-22`. */
  day: z.string(),
  usedToday: z.number().int(),
  /** As `2026-11`. */
  month: z.string(),
  usedThisMonth: z.number().int(),
  /** What is left to a prepaid owner. */
  credit: z.number().int(),
});
export type Usage = z.output<typeof usageSchema>;

/** A number of parts that an owner wants to send on a day of a month. */
export interface UsageRequest {
  readonly owner: UsageOwner;
  readonly limits: Limits;
  readonly day: string;
  readonly month: string;
  readonly parts: number;
  /**
   * Names this very request: asked for again under the same name, it counts once. Where much else
   * is counted in between, a `take` may be counted again, and a `giveBack` not at all: the counters
   * are then too high.
   */
  readonly token: string;
}

/** The counters of what was sent. Each method is one atomic step. */
export interface UsageCounters {
  /** Counts the parts where they fit into every limit. `left`: how many would have fitted. */
  take(
    request: UsageRequest,
  ): Promise<{ readonly taken: true } | { readonly taken: false; readonly left: number }>;
  /**
   * Undoes a `take` of these parts, of which nothing was sent.
   * @throws Error also where it cannot be known whether they were given back: at most once they are
   */
  giveBack(request: UsageRequest): Promise<void>;
  /** What was used; undefined where nothing was ever counted. */
  read(owner: UsageOwner): Promise<Usage | undefined>;
  /**
   * Adds to an owner's credit, or takes from it where `parts` is negative: once under a token,
   * whenever it is asked for again.
   * @returns the credit
   */
  addCredit(owner: UsageOwner, parts: number, token: string): Promise<number>;
}

/** The usage of an owner who has used nothing yet: its day is before all others. */
export const NOTHING_USED: Usage = {
  version: 1,
  day: "0000-01-01",
  usedToday: 0,
  month: "0000-01",
  usedThisMonth: 0,
  credit: 0,
};

/**
 * Usage as it stands on a day of a month, where nothing else was used since. That of a later day
 * stays what it is: around midnight the clocks of two functions do not agree on the day.
 */
export function usageOn(usage: Usage, { day, month }: Pick<Usage, "day" | "month">): Usage {
  return {
    ...usage,
    ...(usage.day < day && { day, usedToday: 0 }),
    ...(usage.month < month && { month, usedThisMonth: 0 }),
  };
}

/** How many parts still fit into every limit; negative where more is used than is allowed by now. */
export function roomIn({ perDay, perMonth, prepaid }: Limits, usage: Usage): number {
  return Math.min(
    perDay === undefined ? Number.POSITIVE_INFINITY : perDay - usage.usedToday,
    perMonth === undefined ? Number.POSITIVE_INFINITY : perMonth - usage.usedThisMonth,
    prepaid ? usage.credit : Number.POSITIVE_INFINITY,
  );
}

/** The day and the month that a time (milliseconds since the epoch) is in, by the clocks of a zone. */
export function calendarOf(at: number, zone: string): Pick<Usage, "day" | "month"> {
  const day = formatLocal(at, zone).slice(0, "2026-11-22".length);
  return { day, month: day.slice(0, "2026-11".length) };
}
