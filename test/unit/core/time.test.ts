import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { describe, expect, it } from "vitest";
import {
  ALWAYS,
  formatLocal,
  formatWithOffset,
  isTimeZone,
  openingAt,
  parseDateTime,
  zoneOfCountry,
} from "../../../functions/core/time.ts";

const at = Date.parse;

const hours = fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 23 });
const zones = fc.constantFrom(
  "UTC",
  "America/Sao_Paulo",
  "America/New_York",
  "Asia/Kolkata",
  "Australia/Lord_Howe",
  "+05:45",
);
const instants = fc.integer({ min: at("2015-01-01T00:00:00Z"), max: at("2030-01-01T00:00:00Z") });

describe("formats", () => {
  it("writes local time as the status query does", () => {
    expect(formatLocal(at("2014-08-23T05:01:23.999Z"), "America/Sao_Paulo")).toBe(
      "2014-08-23T02:01:23",
    );
  });

  it("writes time with offset as the callbacks do", () => {
    expect(formatWithOffset(at("2014-08-26T15:55:48.593Z"), "America/Sao_Paulo")).toBe(
      "2014-08-26T12:55:48.593-03:00",
    );
    expect(formatWithOffset(at("2014-08-26T15:55:48Z"), "UTC")).toBe(
      "2014-08-26T15:55:48.000+00:00",
    );
  });
});

describe("parseDateTime", () => {
  const saoPaulo = "America/Sao_Paulo";
  const iso = (written: string, zone = saoPaulo) => {
    const parsed = parseDateTime(written, zone);
    return parsed === undefined ? undefined : new Date(parsed).toISOString();
  };

  it.each([
    ["2016-06-08T10:00:00Z", "2016-06-08T10:00:00.000Z"],
    ["2016-06-08t10:00:00z", "2016-06-08T10:00:00.000Z"],
    ["2016-06-08T10:00:00+00:00", "2016-06-08T10:00:00.000Z"],
    ["2016-06-08T10:00:00-00:00", "2016-06-08T10:00:00.000Z"],
    ["2016-06-08T10:00:00-03:00", "2016-06-08T13:00:00.000Z"],
    ["2016-06-08T10:00:00-0300", "2016-06-08T13:00:00.000Z"],
    ["2016-06-08T10:00:00-03", "2016-06-08T13:00:00.000Z"],
    ["2016-06-08T10:00:00+05:45", "2016-06-08T04:15:00.000Z"],
    ["2016-06-08T10:00-03:00", "2016-06-08T13:00:00.000Z"],
  ])("reads an offset however it is written, whatever the zone: %s", (written, expected) => {
    expect(iso(written)).toBe(expected);
    expect(iso(written, "Asia/Tokyo")).toBe(expected);
  });

  it.each([
    ["2016-06-08T10:00:00", saoPaulo, "2016-06-08T13:00:00.000Z"],
    ["2016-06-08T10:00:00", "Asia/Kolkata", "2016-06-08T04:30:00.000Z"],
    ["2016-06-08T10:00:00", "+02:00", "2016-06-08T08:00:00.000Z"],
    ["2016-06-08 10:00:00", "UTC", "2016-06-08T10:00:00.000Z"],
    // São Paulo had daylight saving in January 2016.
    ["2016-01-08T10:00:00", saoPaulo, "2016-01-08T12:00:00.000Z"],
  ])("reads a date without offset in the zone: %s in %s", (written, zone, expected) => {
    expect(iso(written, zone)).toBe(expected);
  });

  it.each([
    ["2016-06-08T10:00", "2016-06-08T10:00:00.000Z"],
    ["2016-06-08T10:00:59", "2016-06-08T10:00:59.000Z"],
    ["2016-06-08T10:00:00.5", "2016-06-08T10:00:00.500Z"],
    ["2016-06-08T10:00:00,123", "2016-06-08T10:00:00.123Z"],
    ["2016-06-08T10:00:00.123456789", "2016-06-08T10:00:00.123Z"],
    [" 2016-06-08T10:00:00\n", "2016-06-08T10:00:00.000Z"],
    ["2016-02-29T00:00", "2016-02-29T00:00:00.000Z"],
  ])("takes a date with or without seconds, and fractions of them: %j", (written, expected) => {
    expect(iso(written, "UTC")).toBe(expected);
  });

  it("takes a time that daylight saving skips as much later", () => {
    // New York goes from 01:59 to 03:00 on 8 March 2026.
    expect(iso("2026-03-08T02:30:00", "America/New_York")).toBe("2026-03-08T07:30:00.000Z");
    expect(iso("2026-03-08T02:30:00", "America/New_York")).toBe(
      iso("2026-03-08T03:30:00", "America/New_York"),
    );
    // Lord Howe skips half an hour.
    expect(iso("2026-10-04T02:10:00", "Australia/Lord_Howe")).toBe(
      iso("2026-10-04T02:40:00", "Australia/Lord_Howe"),
    );
  });

  it("takes the first of a time that daylight saving repeats, and the other by its offset", () => {
    // New York goes from 01:59 back to 01:00 on 1 November 2026.
    expect(iso("2026-11-01T01:30:00", "America/New_York")).toBe("2026-11-01T05:30:00.000Z");
    expect(iso("2026-11-01T01:30:00-05:00", "America/New_York")).toBe("2026-11-01T06:30:00.000Z");
  });

  it.each([
    "",
    "tomorrow",
    "2016-06-08",
    "10:00:00",
    "20160608T100000",
    "08/06/2016 10:00",
    "2016-6-8T10:00:00",
    "2016-06-08T10",
    "2016-06-08T1:00",
    "2016-06-08T24:00:00",
    "2016-06-08T24:00:00Z",
    "2016-06-08T10:60:00",
    "2016-13-08T10:00:00",
    "2016-06-31T10:00:00",
    "2016-02-30T10:00:00",
    "2016-02-30T10:00:00Z",
    "2015-02-29T10:00:00-03:00",
    "2016-06-08T10:00:00+24:00",
    "2016-06-08T10:00:00+03:60",
    "2016-06-08T10:00:00.",
    "2016-06-08T10:00:00.1234567890",
    "2016-06-08T10:00:00 -03:00",
    "2016-06-08T10:00:00[America/Sao_Paulo]",
    "2016-06-08T10:00:00-03:00[America/Sao_Paulo]",
    "2016-06-08T10:00:00Z[u-ca=hebrew]",
    "+002016-06-08T10:00:00",
    "-000001-06-08T10:00:00",
    "1465380000000",
  ])("refuses what is no date with time: %j", (written) => {
    expect(parseDateTime(written, saoPaulo)).toBeUndefined();
  });

  it("refuses what is no zone where it needs one", () => {
    expect(parseDateTime("2016-06-08T10:00:00", "Mars/Base")).toBeUndefined();
  });

  it("writes what Temporal does, in every zone and at every time", () => {
    const zones = fc.constantFrom(...Intl.supportedValuesOf("timeZone"));
    const times = fc.integer({ min: -1_000_000_000_000, max: 4_000_000_000_000 });
    fc.assert(
      fc.property(zones, times, fc.nat(120_000), (zone, instant, later) => {
        for (const each of [instant, instant + later]) {
          const zoned = Temporal.Instant.fromEpochMilliseconds(each).toZonedDateTimeISO(zone);
          const written = { smallestUnit: "millisecond", timeZoneName: "never" } as const;
          expect(formatWithOffset(each, zone)).toBe(zoned.toString(written));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("reads what formatWithOffset writes, to the millisecond", () => {
    fc.assert(
      fc.property(instants, zones, zones, (instant, zone, other) => {
        expect(parseDateTime(formatWithOffset(instant, zone), other)).toBe(instant);
      }),
    );
  });

  it("reads what formatLocal writes in the same zone, but for what daylight saving repeats", () => {
    fc.assert(
      fc.property(instants, zones, (instant, zone) => {
        const written = formatLocal(instant, zone);
        const read = parseDateTime(written, zone) ?? 0;
        expect(formatLocal(read, zone)).toBe(written);
        expect(read).toBeLessThanOrEqual(instant);
      }),
    );
  });
});

describe("time zones", () => {
  it.each(["America/Sao_Paulo", "UTC", "+03:00", "-0100"])("knows %s", (zone) => {
    expect(isTimeZone(zone)).toBe(true);
  });
  it.each(["", "2020-01-01T00:00Z", "Sao Paulo", "America/Atlantis", "+99:00"])(
    "does not know %s",
    (zone) => {
      expect(isTimeZone(zone)).toBe(false);
    },
  );
  it("takes the capital's for a country, and UTC for one it does not know", () => {
    expect(zoneOfCountry("BR")).toBe("America/Sao_Paulo");
    expect(zoneOfCountry("XX")).toBe("UTC");
  });
});

const hourOf = (instant: number, zone: string) =>
  Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone).hour;

describe("openingAt", () => {
  it("is always open without a window, or with all hours in it", () => {
    const all = { hours: [...Array(24).keys()], timeZone: "UTC" };
    expect(openingAt(undefined, 1_000)).toEqual({ from: 1_000, until: ALWAYS });
    expect(openingAt(all, 1_000)).toEqual({ from: 1_000, until: ALWAYS });
  });

  it("is open within an hour of the window, until the last of the hours that follow each other", () => {
    const window = { hours: [11, 12, 18], timeZone: "America/Sao_Paulo" };
    expect(openingAt(window, at("2026-03-02T14:30:00Z"))).toEqual({
      from: at("2026-03-02T14:30:00Z"),
      until: at("2026-03-02T16:00:00Z"),
    });
  });

  it("opens at the next hour of the window, the next day if need be", () => {
    const window = { hours: [11, 12, 18], timeZone: "America/Sao_Paulo" };
    expect(openingAt(window, at("2026-03-02T16:00:00Z")).from).toBe(at("2026-03-02T21:00:00Z"));
    expect(openingAt(window, at("2026-03-02T22:00:00Z")).from).toBe(at("2026-03-03T14:00:00Z"));
  });

  it("runs over midnight", () => {
    const window = { hours: [22, 23, 0, 1], timeZone: "UTC" };
    expect(openingAt(window, at("2026-03-02T22:10:00Z")).until).toBe(at("2026-03-03T02:00:00Z"));
  });

  it("skips an hour that daylight saving skips", () => {
    // New York goes from 01:59 to 03:00 on 8 March 2026.
    const window = { hours: [2], timeZone: "America/New_York" };
    expect(openingAt(window, at("2026-03-08T06:30:00Z")).from).toBe(at("2026-03-09T06:00:00Z"));
  });

  it("is open twice in an hour that daylight saving repeats", () => {
    // New York goes from 01:59 back to 01:00 on 1 November 2026.
    const window = { hours: [1], timeZone: "America/New_York" };
    expect(openingAt(window, at("2026-11-01T05:15:00Z"))).toEqual({
      from: at("2026-11-01T05:15:00Z"),
      until: at("2026-11-01T07:00:00Z"),
    });
  });

  it("is never before the time asked, opens within two days, and is in the window from first to last", () => {
    fc.assert(
      fc.property(
        hours,
        zones,
        instants,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (open, timeZone, now, share) => {
          const { from, until } = openingAt({ hours: open, timeZone }, now);
          const within = Math.floor(from + (until - from) * share);
          return (
            from >= now &&
            from - now <= 50 * 3_600_000 &&
            until > from &&
            open.includes(hourOf(from, timeZone)) &&
            open.includes(hourOf(within, timeZone)) &&
            open.includes(hourOf(until - 1, timeZone)) &&
            !open.includes(hourOf(until, timeZone))
          );
        },
      ),
    );
  });

  it("is open at once where the hour is in the window", () => {
    fc.assert(
      fc.property(hours, zones, instants, (open, timeZone, now) => {
        const { from } = openingAt({ hours: open, timeZone }, now);
        return (from === now) === open.includes(hourOf(now, timeZone));
      }),
    );
  });
});
