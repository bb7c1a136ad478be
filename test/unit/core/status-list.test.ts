import { describe, expect, it } from "vitest";
import { codesOf } from "../../../functions/core/codes.ts";
import {
  isFinal,
  REASONS,
  type Reason,
  STATES,
  type State,
} from "../../../functions/core/lifecycle.ts";
import { CALLBACK_OPTIONS, DIALECTS } from "../../../functions/core/message.ts";
import { hasListedChanges, isListed } from "../../../functions/core/status-list.ts";

const situations = STATES.flatMap((state): { state: State; reason?: Reason }[] => [
  { state },
  ...((REASONS as Partial<Record<State, readonly Reason[]>>)[state] ?? []).map((reason) => ({
    state,
    reason,
  })),
]);

describe("the list of new statuses", () => {
  it("tells of the hand-over and of what comes behind it, not of what comes before", () => {
    const listed = STATES.filter((state) => isListed({ state }));
    expect(listed).toEqual(["SENT", "DELIVERED", "NOT_DELIVERED", "BLOCKED", "EXPIRED", "FAILED"]);
  });

  it.each(situations)("tells of what Wavy has a code for, and of nothing else: %j", (situation) => {
    const { sent } = codesOf(situation.state, situation.reason).wavy;
    expect(isListed(situation)).toBe(sent !== undefined);
    // Whether it is told of does not depend on why: a change is written without looking at the reason.
    expect(isListed(situation)).toBe(isListed({ state: situation.state }));
  });

  it("tells of every final state but of a cancellation, which its client asked for", () => {
    for (const { state, reason } of situations) {
      if (isFinal(state, reason)) expect(isListed({ state })).toBe(state !== "CANCELED");
    }
  });

  it("is of Wavy's messages, but of those that nobody is to be told of", () => {
    for (const dialect of DIALECTS) {
      for (const callbackOption of [...CALLBACK_OPTIONS, undefined]) {
        expect(hasListedChanges({ dialect, callbackOption })).toBe(
          dialect === "wavy" && callbackOption !== "NONE",
        );
      }
    }
  });
});
