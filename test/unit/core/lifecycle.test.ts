import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  canMove,
  isFinal,
  pathBetween,
  REASONS,
  STATES,
  type State,
  TRANSITIONS,
} from "../../../functions/core/lifecycle.ts";

describe("the lifecycle table", () => {
  it("has exactly these moves", () => {
    const moves = STATES.flatMap((from) => TRANSITIONS[from].map((to) => `${from} → ${to}`));
    expect(moves).toEqual([
      "SCHEDULED → QUEUED",
      "SCHEDULED → CANCELED",
      "SCHEDULED → BLOCKED",
      "QUEUED → SENDING",
      "QUEUED → BLOCKED",
      "QUEUED → EXPIRED",
      "SENDING → SENT",
      "SENDING → QUEUED",
      "SENDING → FAILED",
      "SENDING → BLOCKED",
      "SENT → DELIVERED",
      "SENT → NOT_DELIVERED",
    ]);
  });

  it("reaches every state, and from every state a final one", () => {
    const finals = STATES.filter((state) => isFinal(state));
    expect(finals).toEqual([
      "DELIVERED",
      "NOT_DELIVERED",
      "CANCELED",
      "BLOCKED",
      "EXPIRED",
      "FAILED",
    ]);
    for (const state of STATES) {
      expect(
        pathBetween("SCHEDULED", state) ?? pathBetween("QUEUED", state),
        `to ${state}`,
      ).toBeDefined();
      expect(
        finals.some((final) => pathBetween(state, final)),
        `from ${state}`,
      ).toBe(true);
    }
  });

  it("has SENT as the last word only where no receipts come", () => {
    expect(isFinal("SENT")).toBe(false);
    expect(isFinal("SENT", "no-receipts")).toBe(true);
  });

  it("has reasons only for states of the table", () => {
    expect(Object.keys(REASONS).filter((state) => !STATES.includes(state as State))).toEqual([]);
  });
});

const anyState = fc.constantFrom(...STATES);

describe("pathBetween", () => {
  it("takes only moves of the table, and ends where it should", () => {
    fc.assert(
      fc.property(anyState, anyState, (from, to) => {
        const path = pathBetween(from, to);
        if (!path) return !reachable(from).has(to);
        const steps = [from, ...path];
        return (
          steps.at(-1) === to && path.every((state, index) => canMove(steps[index] as State, state))
        );
      }),
    );
  });

  it("goes through acceptance on the way to a receipt", () => {
    expect(pathBetween("QUEUED", "DELIVERED")).toEqual(["SENDING", "SENT", "DELIVERED"]);
    expect(pathBetween("SENDING", "NOT_DELIVERED")).toEqual(["SENT", "NOT_DELIVERED"]);
    expect(pathBetween("DELIVERED", "DELIVERED")).toEqual([]);
    expect(pathBetween("FAILED", "DELIVERED")).toBeUndefined();
  });
});

function reachable(from: State, seen = new Set<State>([from])): Set<State> {
  for (const next of TRANSITIONS[from]) if (!seen.has(next)) reachable(next, seen.add(next));
  return seen;
}
