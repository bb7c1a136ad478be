import { printable } from "../printable.ts";
import type { Report } from "./session.ts";

/** A time, in milliseconds since the epoch, as people and programs read it. */
export const isoTime = (at: number) => new Date(at).toISOString();

/** A stored item for the eyes of others: without our own bookkeeping, and with a time that can be read. */
export function describeItem<Item extends { createdAt: number }>(item: Item) {
  const { version: _, revision: __, ...shown } = item as Item & Partial<Record<string, unknown>>;
  return { ...shown, createdAt: isoTime(item.createdAt) };
}

/** When secrets were made and end, without their hashes. */
export const describeSecrets = (
  secrets: readonly { createdAt: number; validUntil?: number | undefined }[],
) =>
  secrets.map(({ createdAt, validUntil }) => ({
    createdAt: isoTime(createdAt),
    ...(validUntil !== undefined && { validUntil: isoTime(validUntil) }),
  }));

/** The lines of a list, or what is said where it is empty. */
export const linesOf = <Item>(
  items: readonly Item[],
  lineOf: (item: Item) => string,
  empty: string,
) => (items.length > 0 ? items.map(lineOf) : [empty]);

/** Reports one thing whole. */
export const reportWhole = (json: object): Report => ({
  lines: JSON.stringify(json, undefined, 2).split("\n").map(printable),
  json,
});
