import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { createSandboxCarrier } from "../../../functions/adapters/carriers/sandbox/carrier.ts";
import {
  sandboxBehaviour,
  sandboxOperator,
} from "../../../functions/adapters/carriers/sandbox/numbers.ts";
import type { OutboxEntry } from "../../../functions/adapters/carriers/sandbox/outbox.ts";
import {
  type CarrierEvent,
  carrierEventSchema,
  type PartOfMessage,
} from "../../../functions/core/carrier.ts";
import { parseMobileNumber } from "../../../functions/core/numbers.ts";
import { ManualClock } from "../../support/memory.ts";

function setUp() {
  const clock = new ManualClock();
  const events: { event: CarrierEvent; delaySeconds: number }[] = [];
  const entries: OutboxEntry[] = [];
  const attempts = new Map<string, number>();
  const pauses: number[] = [];
  let receiptsFail = false;
  let outboxFails = false;
  const carrier = createSandboxCarrier({
    name: "sandbox",
    down: false,
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
      countAttempt: async (sms) => {
        if (outboxFails) throw new Error("no connection");
        attempts.set(sms, (attempts.get(sms) ?? 0) + 1);
        return attempts.get(sms) ?? 0;
      },
      add: async (entry) => {
        entries.push(entry);
      },
    },
  });
  const send = (destination: string, part?: PartOfMessage) =>
    carrier.send({
      ref: { account: "acme", id: "id-1", traceId: "trace-1" },
      destination,
      text: "Hello",
      ...(part && { part }),
      segments: { coding: "gsm", texts: ["Hello"], first: 1, total: 1 },
      lane: "singles",
      flash: false,
    });
  const failNextReceipt = () => {
    receiptsFail = true;
  };
  const failOutbox = () => {
    outboxFails = true;
  };
  return { send, events, entries, pauses, clock, failNextReceipt, failOutbox };
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

  it.each([
    ["8402", "international-not-allowed"],
    ["8403", "content"],
    ["8404", "invalid-number"],
  ])("blocks %s: %s", async (lastFour, reason) => {
    const { send, events, entries } = setUp();
    expect(await send(`551990000${lastFour}`)).toEqual({ kind: "blocked", reason });
    expect(events).toEqual([]);
    expect(entries).toMatchObject([{ outcome: "blocked", attempt: 1 }]);
  });

  it("breaks off before it answers, and sends no receipt", async () => {
    const { send, events, entries } = setUp();
    await expect(send("5519900008503")).rejects.toThrow("breaks the connection");
    expect(events).toEqual([]);
    expect(entries).toMatchObject([{ outcome: "broken", attempt: 1 }]);
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

  it("has not taken a message of which its outbox has not heard", async () => {
    const { send, events, entries, failOutbox } = setUp();
    failOutbox();
    expect(await send("5519900001111")).toMatchObject({ kind: "unreachable" });
    expect([events, entries]).toEqual([[], []]);
  });

  it("has not taken a message whose receipt it could not send off", async () => {
    const { send, events, entries, failNextReceipt } = setUp();
    failNextReceipt();
    expect(await send("5519900001111")).toMatchObject({ kind: "unreachable" });
    expect(await send("5519900001111")).toMatchObject({ kind: "accepted" });
    expect(entries.map(({ outcome }) => outcome)).toEqual(["unreachable", "accepted"]);
    expect(events).toHaveLength(1);
  });

  describe("handed the parts of a long message", () => {
    const part = (order: number) => ({ order, total: 3 });

    it("answers for each by itself, and says in each receipt which part it is of", async () => {
      const { send, events, entries } = setUp();
      const outcomes = [
        await send("5519900001111", part(1)),
        await send("5519900001111", part(2)),
        await send("5519900001111", part(1)),
      ];
      expect(outcomes).toMatchObject([
        { kind: "accepted", carrierMessageId: "sandbox-trace-1-1-1" },
        { kind: "accepted", carrierMessageId: "sandbox-trace-1-2-1" },
        { kind: "accepted", carrierMessageId: "sandbox-trace-1-1-2" },
      ]);
      expect(events.map(({ event }) => event)).toMatchObject(
        [1, 2, 1].map((order) => ({ outcome: "delivered", part: order, ref: { id: "id-1" } })),
      );
      expect(entries.map((entry) => [entry.part, entry.attempt])).toEqual([
        [part(1), 1],
        [part(2), 1],
        [part(1), 2],
      ]);
    });

    it("does not name a part where the message is whole", async () => {
      const { send, events, entries } = setUp();
      await send("5519900001111");
      expect(events[0]?.event).not.toHaveProperty("part");
      expect(entries[0]).not.toHaveProperty("part");
    });

    it("does not deliver the second to 8303", async () => {
      const { send, events } = setUp();
      for (const order of [1, 2, 3]) {
        expect(await send("5519900008303", part(order))).toMatchObject({ kind: "accepted" });
      }
      expect(events.map(({ event }) => event)).toMatchObject([
        { outcome: "delivered", part: 1 },
        { outcome: "not-delivered", reason: "undeliverable", part: 2 },
        { outcome: "delivered", part: 3 },
      ]);
    });

    it("does not reach 8502 with the second twice, and counts the parts apart", async () => {
      const { send, events } = setUp();
      const kinds = async (order: number) => (await send("5519900008502", part(order))).kind;
      expect([await kinds(1), await kinds(2), await kinds(3)]).toEqual([
        "accepted",
        "unreachable",
        "accepted",
      ]);
      expect([await kinds(2), await kinds(2)]).toEqual(["unreachable", "accepted"]);
      expect(events.map(({ event }) => "part" in event && event.part)).toEqual([1, 3, 2]);
    });

    it.each(["8303", "8502"])("delivers a message of one part to %s", async (lastFour) => {
      const { send, events } = setUp();
      expect(await send(`551990000${lastFour}`)).toMatchObject({ kind: "accepted" });
      expect(events).toMatchObject([{ event: { outcome: "delivered" } }]);
    });

    it("treats all parts to any other number alike", async () => {
      const { send, events } = setUp();
      for (const order of [1, 2]) {
        expect(await send("5519900008300", part(order))).toMatchObject({ kind: "accepted" });
        expect(await send("5519900008403", part(order))).toMatchObject({ kind: "blocked" });
      }
      expect(events.map(({ event }) => event)).toMatchObject(
        [1, 2].map((order) => ({ outcome: "not-delivered", part: order })),
      );
    });
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
    const isSpecial = (last: string) =>
      [1, 2, 3].some((part) => !isDeepStrictEqual(sandboxBehaviour(`551990000${last}`, part), {}));
    const special = Array.from({ length: 10_000 }, (_, n) => String(n).padStart(4, "0")).filter(
      (last) => !last.startsWith("81") && isSpecial(last),
    );
    expect(documented.sort()).toEqual(["81nn", ...special]);
  });
});
