import { describe, expect, test } from "vitest";
import { matchesPattern } from "../../../bench/null-aws/event-pattern.ts";

const EVENT = {
  source: "torpedo",
  "detail-type": "Message Status Changed",
  detail: { state: "SENT", parts: 2, callback: { url: "https://a" }, tags: ["x", "y"], none: null },
};

describe("an event", () => {
  test.each<[object, boolean]>([
    [{}, true],
    [{ source: ["torpedo"] }, true],
    [{ source: ["other", "torpedo"], "detail-type": ["Message Status Changed"] }, true],
    [{ source: ["other"] }, false],
    [{ detail: { state: ["SENT"], parts: [2] } }, true],
    [{ detail: { state: ["SENT"], parts: ["2"] } }, false],
    [{ detail: { callback: { url: ["https://a"] } } }, true],
    [{ detail: { callback: { none: ["https://a"] } } }, false],
    [{ detail: { missing: { deeper: [{ exists: true }] } } }, false],
    [{ detail: { tags: ["y"] } }, true],
    [{ detail: { none: [null] } }, true],
    [{ detail: { state: [{ prefix: "SE" }] } }, true],
    [{ detail: { state: [{ suffix: "T" }] } }, true],
    [{ detail: { state: [{ "anything-but": "SENT" }] } }, false],
    [{ detail: { state: [{ "anything-but": ["QUEUED", "FAILED"] }] } }, true],
    [{ detail: { state: [{ "anything-but": { prefix: "S" } }] } }, false],
    [{ detail: { missing: [{ "anything-but": "x" }] } }, false],
    [{ detail: { state: [{ exists: true }], missing: [{ exists: false }] } }, true],
    [{ detail: { state: [{ exists: false }] } }, false],
    [{ detail: { parts: [{ numeric: [">", 1, "<=", 2] }] } }, true],
    [{ detail: { parts: [{ numeric: [">=", 3] }] } }, false],
    [{ detail: { $or: [{ state: ["FAILED"] }, { parts: [2] }] } }, true],
  ])("and %j: %s", (pattern, isMatch) => {
    expect(matchesPattern(pattern, EVENT)).toBe(isMatch);
  });

  test("is not compared in ways that are unknown", () => {
    expect(() => matchesPattern({ source: [{ wildcard: "*" }] }, EVENT)).toThrow("wildcard");
  });
});
