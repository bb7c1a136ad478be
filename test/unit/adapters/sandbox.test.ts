import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createSandboxCarrier } from "../../../functions/adapters/carriers/sandbox.ts";
import {
  sandboxBehaviour,
  sandboxOperator,
} from "../../../functions/adapters/carriers/sandbox-numbers.ts";
import type { OutboxEntry } from "../../../functions/adapters/carriers/sandbox-outbox.ts";
import { type CarrierEvent, carrierEventSchema } from "../../../functions/core/carrier.ts";
import { parseMobileNumber } from "../../../functions/core/numbers.ts";
import { ManualClock } from "../../support/memory.ts";

function setUp() {
  const clock = new ManualClock();
  const events: { event: CarrierEvent; delaySeconds: number }[] = [];
  const entries: OutboxEntry[] = [];
  const attempts = new Map<string, number>();
  const pauses: number[] = [];
  let receiptsFail = false;
  const carrier = createSandboxCarrier({
    clock,
    pause: async (ms) => {
      pauses.push(ms);
    },
    carrierEvents: {
      enqueue: async (event, delaySeconds = 0) => {
        if (receiptsFail) {
          receiptsFail = false;
          throw new Error("throttled");
        }
        events.push({ event: carrierEventSchema.parse(event), delaySeconds });
      },
    },
    outbox: {
      countAttempt: async (traceId) => {
        attempts.set(traceId, (attempts.get(traceId) ?? 0) + 1);
        return attempts.get(traceId) ?? 0;
      },
      add: async (entry) => {
        entries.push(entry);
      },
    },
  });
  const send = (destination: string) =>
    carrier.send({
      ref: { account: "acme", id: "id-1", traceId: "trace-1" },
      destination,
      text: "Hello",
      flash: false,
    });
  const failNextReceipt = () => {
    receiptsFail = true;
  };
  return { send, events, entries, pauses, clock, failNextReceipt };
}

describe("the sandbox carrier", () => {
  it("delivers at once, from an operator and a short code", async () => {
    const { send, events, clock } = setUp();
    expect(await send("5519900001111")).toEqual({
      kind: "accepted",
      carrierMessageId: "sandbox-trace-1-1",
      operator: expect.stringMatching(/^(Vivo|Claro|TIM)$/),
      shortCode: "27182",
      receipts: true,
    });
    expect(events).toMatchObject([
      {
        delaySeconds: 0,
        event: { outcome: "delivered", at: clock.now(), shortCode: "27182", ref: { id: "id-1" } },
      },
    ]);
  });

  it("delivers after so many seconds", async () => {
    const { send, events, clock } = setUp();
    await send("5519900008107");
    expect(events).toMatchObject([{ delaySeconds: 7, event: { at: clock.now() + 7_000 } }]);
  });

  it("accepts without receipt, as Oi does", async () => {
    const { send, events } = setUp();
    expect(await send("5519900008200")).toMatchObject({
      kind: "accepted",
      operator: "Oi",
      receipts: false,
    });
    expect(events).toEqual([]);
  });

  it.each([
    ["8300", "undeliverable"],
    ["8301", "operator-expired"],
    ["8302", "inactive-number"],
  ])("does not deliver to %s: %s", async (lastFour, reason) => {
    const { send, events } = setUp();
    expect(await send(`551990000${lastFour}`)).toMatchObject({ kind: "accepted" });
    expect(events).toMatchObject([{ event: { outcome: "not-delivered", reason } }]);
  });

  it("rejects, and does not cover", async () => {
    const { send, events } = setUp();
    expect(await send("5519900008400")).toMatchObject({
      kind: "rejected",
      reason: "operator-rejected",
    });
    expect(await send("5519900008401")).toEqual({ kind: "blocked", reason: "no-coverage" });
    expect(events).toEqual([]);
  });

  it("is unreachable twice and then accepts", async () => {
    const { send, events, entries } = setUp();
    const outcomes = [];
    for (let attempt = 0; attempt < 3; attempt++) outcomes.push((await send("5519900008500")).kind);
    expect(outcomes).toEqual(["unreachable", "unreachable", "accepted"]);
    expect(entries.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, "unreachable"],
      [2, "unreachable"],
      [3, "accepted"],
    ]);
    expect(events).toHaveLength(1);
  });

  it("is always unreachable", async () => {
    const { send } = setUp();
    for (let attempt = 0; attempt < 20; attempt++) {
      expect(await send("5519900008501")).toMatchObject({ kind: "unreachable" });
    }
  });

  it("sends the receipt before it answers", async () => {
    const { send, events, pauses } = setUp();
    await send("5519900008600");
    expect(events).toHaveLength(1);
    expect(pauses).toEqual([2_000]);
  });

  it("sends the receipt twice", async () => {
    const { send, events } = setUp();
    await send("5519900008601");
    expect(events).toHaveLength(2);
    expect(events[0]).toEqual(events[1]);
  });

  it("has not taken a message whose receipt it could not send off", async () => {
    const { send, events, entries, failNextReceipt } = setUp();
    failNextReceipt();
    expect(await send("5519900001111")).toMatchObject({ kind: "unreachable" });
    expect(await send("5519900001111")).toMatchObject({ kind: "accepted" });
    expect(entries.map(({ outcome }) => outcome)).toEqual(["unreachable", "accepted"]);
    expect(events).toHaveLength(1);
  });

  it("delivers at once to every number of the vendor documents' examples", () => {
    const written = [
      "5519900001111",
      "5519900002222",
      "5519900003333",
      "555199887766",
      "555191951711",
      "5511991070316",
      "5511900000000",
      "5511900009999",
      "5516981562820",
      "5519987565020",
      "5519999999999",
    ];
    for (const number of written) {
      expect(sandboxBehaviour(parseMobileNumber(number, "BR") ?? "not a number"), number).toEqual(
        {},
      );
    }
    expect(sandboxBehaviour("not a number")).toEqual({});
  });

  it("has always the same operator for a number, and each of them for some", () => {
    const operators = Array.from({ length: 30 }, (_, n) => sandboxOperator(`55199000010${n + 10}`));
    expect(new Set(operators)).toEqual(new Set(["Vivo", "Claro", "TIM"]));
    expect(sandboxOperator("5519900001111")).toBe(sandboxOperator("5519900001111"));
  });

  it("is documented number by number in the README", () => {
    const readme = readFileSync("README.md", "utf8");
    const documented = [...readme.matchAll(/^\| `(8\d(?:\d\d|nn))` \|/gm)].map(([, last]) => last);
    expect(documented.sort()).toEqual(
      [
        "81nn",
        "8200",
        "8300",
        "8301",
        "8302",
        "8400",
        "8401",
        "8500",
        "8501",
        "8600",
        "8601",
      ].sort(),
    );
    const special = documented.filter((last) => last && !last.endsWith("nn"));
    for (const last of special) {
      expect(sandboxBehaviour(`551990000${last}`), last).not.toEqual({});
    }
  });
});
