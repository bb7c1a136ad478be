import { describe, expect, it } from "vitest";
import { formatEvent } from "../../../bin/local/follow.ts";
import {
  type MessageReceived,
  type MessageStatusChanged,
  messageReceived,
  messageStatusChangedSchema,
} from "../../../functions/core/events.ts";
import { sampleMo } from "../../support/samples.ts";

const event = (changes: Partial<MessageStatusChanged> = {}): MessageStatusChanged =>
  messageStatusChangedSchema.parse({
    version: 1,
    eventId: "trace.DELIVERED.1",
    traceId: "trace",
    account: "sandbox",
    id: "hello-1",
    dialect: "mesago",
    destination: "5519900001111",
    state: "DELIVERED",
    final: true,
    at: "2026-03-01T12:34:56.789Z",
    acceptedAt: "2026-03-01T12:34:55.000Z",
    attempts: 1,
    codes: { mesago: { statusCode: "03", detailCode: "120" }, wavy: { sent: 2, delivered: 4 } },
    ...changes,
  });

const received = (changes: Partial<MessageReceived> = {}): MessageReceived => ({
  ...messageReceived(sampleMo(Date.parse("2026-03-01T12:34:56.789Z"), { account: "sandbox" })),
  ...changes,
});

describe("formatEvent of a change of state", () => {
  it("tells when, whose, to whom, what and which message", () => {
    expect(formatEvent(event(), "UTC")).toBe(
      "12:34:56  sandbox  55199****1111  DELIVERED      hello-1",
    );
  });

  it("shows the time in the zone asked for", () => {
    expect(formatEvent(event(), "America/Sao_Paulo")).toMatch(/^09:34:56 /);
  });

  it("adds the reason, the operator and the attempt where there is something to tell", () => {
    const failed = event({ state: "NOT_DELIVERED", reason: "inactive-number", operator: "Vivo" });
    expect(formatEvent({ ...failed, attempts: 3 }, "UTC")).toMatch(
      / {2}hello-1 {2}\(inactive-number, Vivo, attempt 3\)$/,
    );
  });

  it("adds how many parts a long message has", () => {
    expect(formatEvent(event({ parts: 3 }), "UTC")).toMatch(/ {2}hello-1 {2}\(3 parts\)$/);
    const all = event({ parts: 2, reason: "no-receipts", operator: "Oi", attempts: 2 });
    expect(formatEvent(all, "UTC")).toMatch(/\(no-receipts, Oi, attempt 2, 2 parts\)$/);
  });

  it("keeps every state in one column", () => {
    const columnOfId = (state: MessageStatusChanged["state"]) =>
      formatEvent(event({ state }), "UTC").indexOf("hello-1");
    expect(columnOfId("SENT")).toBe(columnOfId("NOT_DELIVERED"));
  });

  it("lets no id of a client move the terminal's cursor", () => {
    const line = formatEvent(event({ id: "a\u001b[2Jb\nc\u202e" }), "UTC");
    expect(line).toContain("a?[2Jb?c?");
    expect(line).not.toMatch(/\p{C}/u);
  });

  it("never shows the whole number", () => {
    expect(formatEvent(event(), "UTC")).not.toContain("5519900001111");
  });
});

describe("formatEvent of an MO", () => {
  it("tells when, whose, from whom, which MO and which message it answers", () => {
    expect(formatEvent(received(), "UTC")).toBe(
      "12:34:56  sandbox  55199****1111  RECEIVED       23190501  (answers id-1)",
    );
  });

  it("shows the time in the zone asked for", () => {
    expect(formatEvent(received(), "America/Sao_Paulo")).toMatch(/^09:34:56 /);
  });

  it("has nothing to add where it answers none", () => {
    expect(formatEvent(received({ answers: undefined }), "UTC")).toMatch(/ {2}23190501$/);
  });

  it("is in the columns of a change of state", () => {
    const columns = [formatEvent(received(), "UTC"), formatEvent(event(), "UTC")].map((line) =>
      [/RECEIVED|DELIVERED/, /23190501|hello-1/].map((what) => line.search(what)),
    );
    expect(columns[0]).toEqual(columns[1]);
  });

  it("never shows the whole number, or the text", () => {
    const line = formatEvent(received({ text: "a secret text" }), "UTC");
    expect(line).not.toMatch(/5519900001111|secret/);
  });

  it("lets no id of a client move the terminal's cursor", () => {
    const answers = { id: "a\u001b[2Jb\nc\u202e", traceId: "trace-1" };
    const line = formatEvent(received({ answers }), "UTC");
    expect(line).toContain("answers a?[2Jb?c?");
    expect(line).not.toMatch(/\p{C}/u);
  });
});
