import { marshall } from "@aws-sdk/util-dynamodb";
import { expect, it } from "vitest";
import { changeOfRecord } from "../../../functions/adapters/dynamodb/message-stream.ts";
import { messageStatusChanged } from "../../../functions/core/events.ts";
import { sampleMessage } from "../../support/samples.ts";

const now = Date.parse("2026-03-02T15:00:00Z");
const key = { pk: "acme#id-1", sk: "MT" };
const queued = sampleMessage(now);
const sent = sampleMessage(now, { state: "SENT", sentAt: now, attempts: 1 });

const changeOf = (after: object, before?: object) =>
  changeOfRecord({
    eventName: before ? "MODIFY" : "INSERT",
    dynamodb: {
      Keys: marshall(key),
      NewImage: marshall({ ...key, ...after }),
      ...(before && { OldImage: marshall({ ...key, ...before }) }),
    },
  } as never);

it("sees a new message, and what it came into", () => {
  expect(changeOf(queued)).toMatchObject({ isNew: true, state: "QUEUED" });
  expect(changeOf(queued, { ...sent, traceId: "old" })).toMatchObject({ isNew: true });
});

it("sees a change of state, and reads its event when it is asked for", () => {
  const change = changeOf(sent, queued);
  expect(change).toMatchObject({ isNew: false, state: "SENT" });
  expect(change?.toEvent()).toEqual(messageStatusChanged(sent, { state: "QUEUED" }));
});

it("sees that what was sent has no receipts to wait for", () => {
  const last = { ...sent, reason: "no-receipts" as const, stateAt: now + 5 };
  expect(changeOf(last, sent)?.toEvent()).toEqual(messageStatusChanged(last, { state: "SENT" }));
  const delivered = sampleMessage(now, { state: "DELIVERED" });
  expect(changeOf(delivered, last)?.toEvent()).toMatchObject({
    previousState: "SENT",
    previousReason: "no-receipts",
  });
  expect(() => changeOf(sent, { ...queued, reason: "whim" })).toThrow("cannot be read");
});

it("sees nothing where the state stays, and a second claim where it was claimed again", () => {
  expect(changeOf({ ...queued, claimableFrom: now + 1 }, queued)).toBeUndefined();
  const claimed = sampleMessage(now, { state: "SENDING", attempts: 1 });
  expect(changeOf({ ...claimed, attempts: 2 }, claimed)).toMatchObject({ state: "SENDING" });
});

it("reads nothing of a message but what tells of a change", () => {
  const change = changeOf({ ...sent, destination: 5, parts: "two" }, { ...queued, text: 7 });
  expect(change).toMatchObject({ state: "SENT" });
  expect(() => change?.toEvent()).toThrow("a stored message cannot be read");
});

it("does not guess what an image of another version says", () => {
  expect(() => changeOf({ ...sent, version: 2 }, queued)).toThrow("cannot be read: version");
  expect(() => changeOf(sent, { ...queued, version: 2 })).toThrow("cannot be read: version");
});
