import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SettledOutcome } from "../../../functions/core/carrier.ts";
import { REASONS, STATES } from "../../../functions/core/lifecycle.ts";
import type { Part } from "../../../functions/core/message.ts";
import {
  handedOver,
  isBehindItsParts,
  partCount,
  stateOfParts,
  textsOfParts,
} from "../../../functions/core/parts.ts";
import { sampleMessage } from "../../support/samples.ts";

const part = (state: Part["state"], reason?: Part["reason"]): Part => ({
  length: 1,
  state,
  ...(reason && { reason }),
});
const waiting = part("QUEUED");
const sent = part("SENT");
const unconfirmed = part("SENT", "no-receipts");
const delivered = part("DELIVERED");
const lost = part("NOT_DELIVERED", "inactive-number");
const failed = part("FAILED", "operator-rejected");
const blocked = part("BLOCKED", "content");

describe("the texts of parts", () => {
  it("are the message's, cut where the parts end", () => {
    const parts = [3, 1, 4].map((length) => ({ ...waiting, length }));
    expect(textsOfParts({ text: "abcdefgh", parts })).toEqual(["abc", "d", "efgh"]);
    expect(textsOfParts({ text: "abcdefgh" })).toEqual(["abcdefgh"]);
  });

  it("are counted: a message without parts is one", () => {
    expect(partCount({ parts: [sent, sent, sent] })).toBe(3);
    expect(partCount({})).toBe(1);
  });
});

describe("the state of parts", () => {
  it.each<[string, Part[], ReturnType<typeof stateOfParts>]>([
    ["none while one waits", [sent, waiting, delivered], undefined],
    ["none while one waits, though another is lost", [lost, waiting], undefined],
    ["SENT while receipts are missing", [delivered, sent], { state: "SENT", reason: undefined }],
    [
      "SENT without a last word while one receipt may come",
      [unconfirmed, sent, delivered],
      { state: "SENT", reason: undefined },
    ],
    [
      "SENT for good where no more receipts will come",
      [unconfirmed, delivered],
      { state: "SENT", reason: "no-receipts" },
    ],
    ["DELIVERED when all are", [delivered, delivered], { state: "DELIVERED", reason: undefined }],
    [
      "NOT_DELIVERED as soon as all are handed over and one is lost",
      [sent, lost, unconfirmed],
      { state: "NOT_DELIVERED", reason: "inactive-number" },
    ],
    [
      "FAILED as soon as one is refused, whatever the others are",
      [waiting, delivered, lost, blocked, failed],
      { state: "FAILED", reason: "operator-rejected" },
    ],
    [
      "BLOCKED as soon as one is",
      [waiting, blocked, delivered],
      { state: "BLOCKED", reason: "content" },
    ],
  ])("is %s", (_, parts, expected) => {
    expect(stateOfParts(parts)).toEqual(expected);
  });

  const parts = fc.array(
    fc.constantFrom(waiting, sent, unconfirmed, delivered, lost, failed, blocked),
    { minLength: 2, maxLength: 5 },
  );

  it("is the same in whatever order they stand", () => {
    fc.assert(
      fc.property(
        parts.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        ([all, shuffled]) => {
          expect(stateOfParts(shuffled)).toEqual(stateOfParts(all));
        },
      ),
    );
  });

  it("has a reason of its own where there is one, and is DELIVERED only when every part is", () => {
    fc.assert(
      fc.property(parts, (all) => {
        const { state, reason } = stateOfParts(all) ?? {};
        const reasons: Readonly<Record<string, readonly string[]>> = REASONS;
        if (reason) expect(reasons[state ?? ""]).toContain(reason);
        expect(state === "DELIVERED").toBe(all.every((it) => it.state === "DELIVERED"));
        expect(state === undefined).toBe(
          all.some((it) => it.state === "QUEUED") &&
            !all.some((it) => it.state === "FAILED" || it.state === "BLOCKED"),
        );
      }),
    );
  });
});

describe("a part after its hand-over", () => {
  const accepted: SettledOutcome = { kind: "accepted", carrierMessageId: "c-1", receipts: true };

  it.each<[SettledOutcome, Partial<Part>]>([
    [accepted, { state: "SENT", carrierMessageId: "c-1" }],
    [
      { ...accepted, receipts: false },
      { state: "SENT", reason: "no-receipts", carrierMessageId: "c-1" },
    ],
    [
      { kind: "rejected", reason: "operator-rejected" },
      { state: "FAILED", reason: "operator-rejected" },
    ],
    [
      { kind: "blocked", reason: "content" },
      { state: "BLOCKED", reason: "content" },
    ],
  ])("is what the carrier made of it: %j", (outcome, expected) => {
    expect(handedOver(waiting, outcome)).toEqual({ length: 1, ...expected });
  });

  it("stays as a receipt has left it that was faster, and is not handed over twice", () => {
    const outcomes = fc.constantFrom<SettledOutcome>(
      accepted,
      { kind: "rejected", reason: "operator-rejected" },
      { kind: "blocked", reason: "content" },
    );
    const others = fc.constantFrom(sent, unconfirmed, delivered, lost, failed, blocked);
    fc.assert(
      fc.property(others, outcomes, (it, outcome) => {
        expect(handedOver(it, outcome)).toEqual(it);
      }),
    );
  });
});

describe("a message that is behind its parts", () => {
  const isBehind = (state: (typeof STATES)[number], ...parts: Part[]) =>
    isBehindItsParts(sampleMessage(0, { state, ...(parts.length > 0 && { parts }) }));

  it("can still come to where they are", () => {
    expect(isBehind("SENT", delivered, delivered)).toBe(true);
    expect(isBehind("SENT", sent, lost)).toBe(true);
    expect(isBehind("SENDING", delivered, sent)).toBe(true);
    expect(isBehind("SENT", sent, delivered)).toBe(false);
    expect(isBehind("SENDING", delivered, waiting)).toBe(false);
  });

  it("is none that is final, and none without parts", () => {
    for (const state of ["DELIVERED", "NOT_DELIVERED", "CANCELED", "FAILED"] as const) {
      expect(isBehind(state, delivered, delivered)).toBe(false);
      expect(isBehind(state, lost, sent)).toBe(false);
    }
    for (const state of STATES) expect(isBehind(state)).toBe(false);
  });
});
