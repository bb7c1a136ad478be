import { describe, expect, it } from "vitest";
import { formatEvent } from "../../../bin/local/follow.ts";
import {
  type MessageStatusChanged,
  messageStatusChangedSchema,
} from "../../../functions/core/events.ts";

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

describe("formatEvent", () => {
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
