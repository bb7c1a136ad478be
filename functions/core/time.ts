import { LRUCache } from "lru-cache";
// Its functions, and not Temporal's classes: what is not called is not in the bundles.
import * as Calendar from "temporal-polyfill/fns/Calendar";
import * as Instant from "temporal-polyfill/fns/Instant";
import * as PlainDateTime from "temporal-polyfill/fns/PlainDateTime";
import * as ZonedDateTime from "temporal-polyfill/fns/ZonedDateTime";
import type { TimeWindow } from "./message.ts";

/**
 * The zone in which a country's people are taken to live when an account names none: the zone of
 * the capital. Countries not listed fall back to UTC (Wavy document, `timeZone`).
 */
const ZONE_BY_COUNTRY: Readonly<Record<string, string>> = {
  AO: "Africa/Luanda",
  AR: "America/Argentina/Buenos_Aires",
  BO: "America/La_Paz",
  BR: "America/Sao_Paulo",
  CL: "America/Santiago",
  CO: "America/Bogota",
  CR: "America/Costa_Rica",
  EC: "America/Guayaquil",
  ES: "Europe/Madrid",
  GB: "Europe/London",
  MX: "America/Mexico_City",
  MZ: "Africa/Maputo",
  PA: "America/Panama",
  PE: "America/Lima",
  PT: "Europe/Lisbon",
  PY: "America/Asuncion",
  US: "America/New_York",
  UY: "America/Montevideo",
  VE: "America/Caracas",
};

/** The time zone of a country's capital, or UTC where the country is not known here. */
export function zoneOfCountry(country: string): string {
  return ZONE_BY_COUNTRY[country] ?? "UTC";
}

/** Temporal would also read the zone out of a date. */
const TIME_ZONE = /^(?:[A-Za-z][\w+/-]*|[+-]\d\d(?::?\d\d)?)$/;

/** Whether `zone` is a time zone that dates can be written in: an IANA name, `UTC`, or an offset. */
export function isTimeZone(zone: string): boolean {
  if (!TIME_ZONE.test(zone)) return false;
  try {
    zoned(0, zone);
    return true;
  } catch {
    return false;
  }
}

/** Date and time as ISO 8601 writes them; Temporal would also read zones and calendars out of brackets. */
const DATE_TIME =
  /^(?<local>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)(?<offset>Z|[+-]\d\d(?::?\d\d)?)?$/i;

/**
 * Reads a date with time, with or without seconds and offset. A time that daylight saving skips
 * is taken as much later, and of one that it repeats the first is meant (RFC 5545's rules).
 *
 * @param zone applies where the date has no offset of its own
 * @returns milliseconds since the epoch, or undefined where this is no such date
 */
export function parseDateTime(written: string, zone: string): number | undefined {
  const { local, offset } = DATE_TIME.exec(written.trim())?.groups ?? {};
  if (!local) return undefined;
  try {
    const at = offset
      ? Instant.fromString(`${local}${offset}`)
      : PlainDateTime.toZonedDateTime(PlainDateTime.fromString(local, Calendar.getISO), zone);
    return at.epochMilliseconds;
  } catch {
    return undefined;
  }
}

const zoned = (at: number, zone: string) =>
  Instant.toZonedDateTimeISO(Instant.fromEpochMilliseconds(at), zone);

/** `2014-08-23T02:01:23`: local time without offset, to the second (Mesago document, status query). */
export function formatLocal(at: number, zone: string): string {
  return PlainDateTime.toString(ZonedDateTime.toPlainDateTime(zoned(at, zone)), {
    smallestUnit: "second",
  });
}

const MINUTE_MS = 60_000;
/** From here on no zone's offset has seconds, and none changes within a minute. */
const WHOLE_MINUTES_SINCE = Date.UTC(1973, 0);
/** Campaigns have many things happen within a minute. */
const minutes = new LRUCache<string, { readonly before: string; readonly after: string }>({
  max: 500,
});

/** `2014-08-26T12:55:48.593-03:00`: local time with offset, to the millisecond (Mesago document, callbacks). */
export function formatWithOffset(at: number, zone: string): string {
  if (at < WHOLE_MINUTES_SINCE) return withOffset(at, zone);
  const minute = Math.floor(at / MINUTE_MS);
  const name = `${minute} ${zone}`;
  let known = minutes.get(name);
  if (!known) {
    const [before = "", after = ""] = withOffset(minute * MINUTE_MS, zone).split(":00.000");
    known = { before, after };
    minutes.set(name, known);
  }
  const seconds = ((at - minute * MINUTE_MS) / 1_000).toFixed(3).padStart(6, "0");
  return `${known.before}:${seconds}${known.after}`;
}

function withOffset(at: number, zone: string): string {
  return ZonedDateTime.toString(zoned(at, zone), {
    smallestUnit: "millisecond",
    timeZoneName: "never",
  });
}

/** `2015-01-08T16:02:09Z`: in UTC, to the second (Wavy document, `sentDate`). */
export function formatUtc(at: number): string {
  return `${new Date(at).toISOString().slice(0, -5)}Z`;
}

const MAX_HOURS_TO_OPENING = 50;

/** A stretch of time in which a message may be sent, in milliseconds since the epoch; open-ended without window. */
export interface Opening {
  readonly from: number;
  /** Exclusive. */
  readonly until: number;
}

/** No window at all: the end of time that a Date can hold. */
export const ALWAYS = 8_640_000_000_000_000;

/**
 * The present or, if the window is closed at `at`, the next opening of a time window. Hours are
 * those that a clock on the wall of the window's zone shows: an hour that daylight saving skips is
 * not an opening that day, and one that it repeats is open twice.
 *
 * @param window undefined means always open
 * @param at milliseconds since the epoch
 */
export function openingAt(window: TimeWindow | undefined, at: number): Opening {
  if (!window) return { from: at, until: ALWAYS };
  const open = new Set(window.hours);
  if (open.size === 24) return { from: at, until: ALWAYS };
  let hour = startOfHour(zoned(at, window.timeZone));
  for (let i = 0; i < MAX_HOURS_TO_OPENING && !open.has(hour.hour); i++) hour = nextHour(hour);
  const from = Math.max(at, hour.epochMilliseconds);
  while (open.has(hour.hour)) hour = nextHour(hour);
  return { from, until: hour.epochMilliseconds };
}

const startOfHour = (time: ZonedDateTime.Record) => ZonedDateTime.roundToHour(time, "floor");

/** An hour later in elapsed time, then back to where the wall clock's hour began: zones may shift by half hours. */
function nextHour(time: ZonedDateTime.Record): ZonedDateTime.Record {
  const anHourLater = ZonedDateTime.addHours(time, 1);
  const later = startOfHour(anHourLater);
  return ZonedDateTime.compare(later, time) > 0 ? later : anHourLater;
}
