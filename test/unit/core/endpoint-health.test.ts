import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AttemptEnd,
  afterAttempt,
  asProbed,
  asTold,
  ENDPOINT_STATES,
  type EndpointHealth,
  endpointHealthSchema,
  inState,
  type Verdict,
  verdictOf,
} from "../../../functions/core/endpoint-health.ts";
import { answered } from "../../support/memory.ts";
import { DAY, failed, HOUR, healthOf, MINUTE, SECOND } from "../callback/support.ts";

const NOW = Date.parse("2026-03-02T15:00:00Z");
const end = (verdict: Verdict, change: Partial<AttemptEnd> = {}): AttemptEnd => ({
  verdict,
  now: NOW,
  retryAt: undefined,
  fraction: 0.999_999,
  durationMs: 100,
  ...change,
});

/** An endpoint's health after attempts that ended so, one after the other. */
const healthAfter = (health: EndpointHealth, ...ends: AttemptEnd[]) =>
  ends.reduce((now, one) => afterAttempt(now, one) ?? now, health);
const failures = (count: number, change: Partial<AttemptEnd> = {}) =>
  Array<AttemptEnd>(count).fill(end("transient", change));

describe("verdictOf", () => {
  it.each([
    [100, "permanent"],
    [199, "permanent"],
    [200, "delivered"],
    [204, "delivered"],
    [299, "delivered"],
    [301, "permanent"],
    [307, "permanent"],
    [400, "permanent"],
    [404, "permanent"],
    [408, "transient"],
    [409, "permanent"],
    [410, "gone"],
    [411, "permanent"],
    [429, "transient"],
    [499, "permanent"],
    [500, "transient"],
    [503, "transient"],
    [599, "transient"],
  ] as const)("takes an answer of %d for %s", (status, verdict) => {
    expect(verdictOf(answered(status))).toBe(verdict);
  });

  it("takes no answer for something that another try may mend, and a forbidden address hardly", () => {
    expect(verdictOf(failed("timeout"))).toBe("transient");
    expect(verdictOf({ kind: "refused", cause: "forbidden-address", durationMs: 1 })).toBe(
      "permanent",
    );
  });
});

describe("the circuit", () => {
  it("opens at the fifth failure, for half a minute at most", () => {
    const closed = healthAfter(healthOf(), ...failures(4));
    expect(closed).toMatchObject({ failures: 4, openings: 0, failingSince: NOW });
    expect(closed.openUntil).toBeUndefined();
    const open = healthAfter(closed, end("transient"));
    expect(open).toMatchObject({ failures: 5, openings: 1, openUntil: NOW + 30 * SECOND });
    expect(healthAfter(closed, end("transient", { fraction: 0 })).openUntil).toBe(
      NOW + 15 * SECOND,
    );
  });

  it.each(["delivered", "permanent"] as const)("begins to count anew after %s", (verdict) => {
    const shaky = healthAfter(healthOf(), ...failures(4), end(verdict), ...failures(4));
    expect(shaky).toMatchObject({ failures: 4, openings: 0 });
    expect(shaky.openUntil).toBeUndefined();
  });

  it("opens again at a single failure after a break, for twice as long, up to a quarter of an hour", () => {
    let health = healthAfter(healthOf(), ...failures(5));
    const breaks = [];
    for (let opening = 1; opening <= 8; opening++) {
      const now = health.openUntil as number;
      expect(health.openings).toBe(opening);
      breaks.push(now - (health.lastFailureAt as number));
      health = healthAfter(asProbed(health, now), end("transient", { now }));
    }
    expect(breaks.map((ms) => ms / SECOND)).toEqual([30, 60, 120, 240, 480, 900, 900, 900]);
  });

  it.each(["delivered", "permanent"] as const)("closes after %s", (verdict) => {
    const open = asProbed(healthAfter(healthOf(), ...failures(7)), NOW + HOUR);
    const closed = healthAfter(open, end(verdict, { now: NOW + HOUR }));
    expect(closed).toMatchObject({ failures: 0, openings: 0 });
    expect(closed.openUntil).toBeUndefined();
  });

  it("forgets the streak of an endpoint that takes something", () => {
    const { revision: _, ...recovered } = healthAfter(healthOf(), ...failures(7), end("delivered"));
    const { revision: __, ...good } = healthOf();
    expect(recovered).toEqual(good);
  });

  it("costs an endpoint that is well no change", () => {
    expect(afterAttempt(healthOf(), end("delivered"))).toBeUndefined();
    expect(
      afterAttempt(healthOf({ state: "paused", stateAt: 1 }), end("delivered")),
    ).toBeUndefined();
  });

  it("is held open for half a minute by who tries it after a break", () => {
    const open = healthAfter(healthOf(), ...failures(5));
    expect(asProbed(open, NOW + MINUTE)).toEqual({
      ...open,
      openUntil: NOW + MINUTE + 30 * SECOND,
      revision: open.revision + 1,
    });
  });

  it("has every break be positive and no longer than a quarter of an hour, whatever comes", () => {
    const ends = fc.record({
      verdict: fc.constantFrom<Verdict>("delivered", "transient", "permanent"),
      wait: fc.nat({ max: HOUR }),
      retry: fc.option(fc.integer({ min: 1, max: 1_000 * DAY }), { nil: undefined }),
      fraction: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      durationMs: fc.nat({ max: 11_000 }),
    });
    fc.assert(
      fc.property(fc.array(ends, { maxLength: 40 }), (all) => {
        let health = healthOf();
        let now = NOW;
        for (const { verdict, wait, retry, fraction, durationMs } of all) {
          now += wait;
          const retryAt = retry === undefined ? undefined : now + retry;
          const next = afterAttempt(health, { verdict, now, retryAt, fraction, durationMs });
          if (!next) continue;
          expect(endpointHealthSchema.parse(next)).toEqual(next);
          expect(next.revision).toBe(health.revision + 1);
          if (verdict !== "transient") expect(next.openUntil).toBeUndefined();
          if (next.openUntil !== undefined) {
            expect(next.openUntil).toBeGreaterThanOrEqual(now);
            expect(next.openUntil).toBeLessThanOrEqual(now + 15 * MINUTE);
          }
          health = next;
        }
      }),
    );
  });
});

describe("an endpoint that says when to come back", () => {
  const retryAt = NOW + 2 * MINUTE;

  it("is left alone until then, without its circuit being open", () => {
    const health = healthAfter(healthOf(), end("transient", { retryAt }));
    expect(health).toMatchObject({ failures: 1, openings: 0, openUntil: retryAt });
  });

  it("is left alone for the whole of a break that is longer", () => {
    const health = healthAfter(
      healthOf({ failures: 9, openings: 5 }),
      end("transient", { retryAt }),
    );
    expect(health).toMatchObject({ openings: 6, openUntil: NOW + 15 * MINUTE });
  });

  it("is left alone longer than its break where it wants to", () => {
    const health = healthAfter(healthOf(), ...failures(4), end("transient", { retryAt }));
    expect(health).toMatchObject({ openings: 1, openUntil: retryAt });
  });

  it("is not left alone for longer than a quarter of an hour", () => {
    const health = healthAfter(healthOf(), end("transient", { retryAt: NOW + 365 * DAY }));
    expect(health.openUntil).toBe(NOW + 15 * MINUTE);
  });
});

describe("an endpoint whose answers take long", () => {
  const slow = (change: Partial<AttemptEnd> = {}) =>
    end("delivered", { durationMs: 3_000, ...change });

  it.each(["delivered", "transient", "permanent", "gone"] as const)(
    "is slow for a minute, also where they are %s",
    (verdict) => {
      const health = healthAfter(healthOf(), slow({ verdict }));
      expect(health.slowUntil).toBe(NOW + MINUTE);
    },
  );

  it("is not, where they take a little less", () => {
    expect(afterAttempt(healthOf(), slow({ durationMs: 2_999 }))).toBeUndefined();
  });

  it("is written down once in half a minute, as long as it is", () => {
    const health = healthAfter(healthOf(), slow());
    expect(afterAttempt(health, slow({ now: NOW + 30 * SECOND - 1 }))).toBeUndefined();
    const later = healthAfter(health, slow({ now: NOW + 30 * SECOND }));
    expect(later).toMatchObject({ slowUntil: NOW + 90 * SECOND, revision: 2 });
  });

  it("stays so for its minute although one of its answers is fast", () => {
    const health = healthAfter(healthOf(), slow(), end("transient"), end("delivered"));
    expect(health).toMatchObject({ failures: 0, slowUntil: NOW + MINUTE });
  });
});

describe("an endpoint that fails for long", () => {
  /** Failures every so often, from now on. */
  const failingEvery = (ms: number, until: number, verdict: Verdict = "transient") => {
    let health = healthOf();
    let now = NOW;
    for (; health.state === "active" && now <= NOW + until; now += ms) {
      health = healthAfter(health, end(verdict, { now }));
    }
    return { health, disabledAfter: health.stateAt && health.stateAt - NOW };
  };

  it.each(["transient", "permanent"] as const)(
    "is disabled after five days, by answers that are %s",
    (verdict) => {
      const { health, disabledAfter } = failingEvery(HOUR, 10 * DAY, verdict);
      expect(health).toMatchObject({ state: "disabled", disabledReason: "failing" });
      expect(health.failingSince).toBe(NOW);
      expect(disabledAfter).toBe(5 * DAY);
    },
  );

  it("is not, where nothing was tried for more than two days in between", () => {
    expect(failingEvery(2 * DAY, 20 * DAY).disabledAfter).toBe(6 * DAY);
    expect(failingEvery(2 * DAY + 1, 20 * DAY).health.state).toBe("active");
  });

  it("is not, where anything succeeded in between", () => {
    const failing = failingEvery(HOUR, 5 * DAY - HOUR).health;
    const now = NOW + 5 * DAY;
    expect(healthAfter(failing, end("transient", { now })).state).toBe("disabled");
    const recovered = healthAfter(
      failing,
      end("delivered", { now: now - 1 }),
      end("transient", { now }),
    );
    expect(recovered).toMatchObject({ state: "active", failingSince: now });
  });

  it("is disabled while it is paused as well, by what was under way", () => {
    const paused = healthOf({
      state: "paused",
      failingSince: NOW - 5 * DAY,
      lastFailureAt: NOW - HOUR,
    });
    expect(healthAfter(paused, end("transient"))).toMatchObject({ state: "disabled" });
  });
});

describe("an endpoint that is gone", () => {
  it("is disabled at once", () => {
    expect(healthAfter(healthOf(), end("gone"))).toMatchObject({
      state: "disabled",
      disabledReason: "gone",
      stateAt: NOW,
    });
  });

  it("that was disabled before stays disabled as it was", () => {
    const disabled = healthOf({ state: "disabled", disabledReason: "by-hand", stateAt: NOW - DAY });
    for (const verdict of ["gone", "transient", "permanent"] as const) {
      expect(healthAfter(disabled, end(verdict))).toMatchObject({
        disabledReason: "by-hand",
        stateAt: NOW - DAY,
      });
    }
  });
});

describe("an endpoint whose owner puts it into a state", () => {
  const troubled = healthOf({
    state: "disabled",
    disabledReason: "failing",
    stateAt: NOW - DAY,
    toldAt: NOW - DAY,
    failures: 40,
    openings: 9,
    openUntil: NOW + HOUR,
    failingSince: NOW - 6 * DAY,
    lastFailureAt: NOW - DAY,
    revision: 60,
  });

  it.each(ENDPOINT_STATES)("%s begins anew", (state) => {
    expect(inState(troubled, state, NOW)).toEqual(
      healthOf({
        state,
        stateAt: NOW,
        ...(state === "disabled" && { disabledReason: "by-hand" }),
        revision: 61,
      }),
    );
  });

  it("has five days more from then on", () => {
    const enabled = inState(troubled, "active", NOW);
    expect(healthAfter(enabled, end("transient"))).toMatchObject({
      state: "active",
      failingSince: NOW,
    });
  });

  it("is known to have been told", () => {
    expect(asTold(troubled, NOW)).toEqual({ ...troubled, toldAt: NOW, revision: 61 });
  });
});
