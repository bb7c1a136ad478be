import { marshall } from "@aws-sdk/util-dynamodb";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createUsageCounters } from "../../../functions/adapters/dynamodb/usage-counters.ts";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import type { UsageCounters, UsageRequest } from "../../../functions/core/limits.ts";
import { MemoryUsageCounters } from "../../support/memory-customers.ts";
import { AWAY, simulatedTable } from "../../support/simulated-table.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";
import { describeUsageCounters } from "../../support/usage-counters-contract.ts";

const owner = { account: "acme" };
const request: UsageRequest = {
  owner,
  limits: { perDay: 10, prepaid: false },
  day: "2026-11-22",
  month: "2026-11",
  parts: 3,
  token: "token",
};

function countersOn(table: ReturnType<typeof simulatedTable>) {
  const client = createDocumentClient(table.config);
  return createUsageCounters({ client, tableName: "Directory" });
}

describeUsageCounters(
  "usage counters on a simulated DynamoDB",
  () => countersOn(simulatedTable()),
  {
    propertyRuns: 50,
  },
);

describe("usage counters in DynamoDB", () => {
  it("ask once in the common case, and twice where a day begins", async () => {
    const table = simulatedTable();
    const counters = countersOn(table);
    await counters.take(request);
    expect(table.requests).toHaveLength(2);
    await counters.take({ ...request, token: "other" });
    expect(table.requests).toHaveLength(3);
    await counters.take({ ...request, day: "2026-11-23", token: "next day" });
    expect(table.requests).toHaveLength(5);
    await counters.giveBack({ ...request, day: "2026-11-23", token: "next day" });
    const operations = table.requests.map(({ target }) => target?.split(".")[1]);
    const updates = (count: number) => Array.from({ length: count }, () => "UpdateItem");
    expect(operations).toEqual([...updates(5), "GetItem", "UpdateItem"]);
  });

  it("do as those in memory, one after the other, also where every first answer gets lost", async () => {
    const size = fc.integer({ min: 0, max: 9 });
    const step = fc.record({
      what: fc.constantFrom("take", "take", "take", "giveBack", "addCredit"),
      parts: size,
      day: fc.constantFrom("2026-11-29", "2026-11-30", "2026-12-01"),
      limits: fc.record({
        perDay: fc.option(size, { nil: undefined }),
        perMonth: fc.option(size, { nil: undefined }),
        prepaid: fc.boolean(),
      }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), async (steps, loses) => {
        const counters = countersOn(simulatedTable({ losesAnswers: loses }));
        const model = new MemoryUsageCounters();
        for (const [n, { what, day, ...rest }] of steps.entries()) {
          const step = { ...rest, owner, day, month: day.slice(0, 7), token: `token ${n}` };
          const carryOut = (of: UsageCounters) =>
            what === "addCredit" ? of.addCredit(owner, step.parts, step.token) : of[what](step);
          expect(await carryOut(counters)).toEqual(await carryOut(model));
          expect(await counters.read(owner)).toEqual(await model.read(owner));
        }
      }),
    );
  });
});

/** Counters whose first answers get lost, and on the same table what is done before they are asked again. */
function interrupted(meanwhile: (others: UsageCounters) => Promise<unknown>) {
  let isInterrupted = false;
  const table = simulatedTable({
    losesAnswers: true,
    meanwhile: async () => {
      if (isInterrupted) return;
      isInterrupted = true;
      await meanwhile(others);
    },
  });
  const others = countersOn(table);
  return {
    others,
    counters: countersOn(table),
    /** From now on no answer is held up any more. */
    settle: () => {
      isInterrupted = true;
    },
    /** From now on the next answer that is lost is held up. */
    interrupt: () => {
      isInterrupted = false;
    },
  };
}

const unlimited = { perDay: undefined, perMonth: undefined, prepaid: false };

describe("usage counters that ask again after others were there", () => {
  const MANY = 40;
  const takeMany = async (counters: UsageCounters) => {
    for (let n = 0; n < MANY; n++) {
      await counters.take({ ...request, limits: unlimited, parts: 1, token: `many-${n}` });
    }
  };

  it("give back once, however much is counted in between", async () => {
    const { counters, settle, interrupt } = interrupted(takeMany);
    settle();
    await counters.take({ ...request, limits: unlimited, parts: 10 });
    interrupt();
    await counters.giveBack({ ...request, limits: unlimited, parts: 10, token: "back" });
    expect(await counters.read(owner)).toMatchObject({ usedToday: MANY, usedThisMonth: MANY });
  });

  it("never give back twice, whatever others give back in between: rather not at all", async () => {
    const { counters, settle, interrupt } = interrupted(async (others) => {
      for (let n = 0; n < MANY; n++) {
        await others.giveBack({ ...request, limits: unlimited, parts: 1, token: `back-${n}` });
      }
    });
    settle();
    await counters.take({ ...request, limits: unlimited, parts: 100 });
    interrupt();
    const giveBack = counters.giveBack({ ...request, limits: unlimited, parts: 10, token: "back" });
    await expect(giveBack).rejects.toThrow("not known");
    // It had taken effect, which nobody could know any more.
    expect(await counters.read(owner)).toMatchObject({ usedToday: 100 - 10 - MANY });
  });

  it("add credit once, however much is added and counted in between", async () => {
    const { counters } = interrupted(async (others) => {
      await takeMany(others);
      for (let n = 0; n < MANY; n++) await others.addCredit(owner, 1, `many-${n}`);
    });
    expect(await counters.addCredit(owner, 1_000, "invoice")).toBe(1_000 + MANY);
    await takeMany(counters);
    await counters.addCredit(owner, 5, "another");
    expect(await counters.addCredit(owner, 1_000, "invoice")).toBe(1_005 + MANY);
    expect(await counters.addCredit(owner, 1, "many-0")).toBe(1_005 + MANY);
  });
});

function countersAnswering(respond: (request: WireRequest) => WireResponse) {
  const { requests, config } = stubbedAws(respond);
  const client = createDocumentClient(config);
  return { requests, counters: createUsageCounters({ client, tableName: "Directory" }) };
}

const usage = {
  version: 1,
  day: "2026-11-22",
  usedToday: 3,
  month: "2026-11",
  usedThisMonth: 3,
  credit: 0,
};
const refusal = (stored: object): WireResponse => ({
  status: 400,
  body: {
    __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
    message: "The conditional request failed",
    Item: marshall(stored),
  },
});

describe("usage counters on a DynamoDB in trouble", () => {
  it("throw where it does not answer", async () => {
    const { counters } = countersAnswering(() => AWAY);
    await expect(counters.take(request)).rejects.toThrow("away");
    await expect(counters.giveBack(request)).rejects.toThrow("away");
    await expect(counters.read(owner)).rejects.toThrow("away");
    await expect(counters.addCredit(owner, 1, "token")).rejects.toThrow("away");
  });

  it("give up where others are faster again and again", async () => {
    const { requests, counters } = countersAnswering(({ target }) =>
      target?.endsWith("GetItem") ? { body: {} } : refusal(usage),
    );
    await expect(counters.take(request)).rejects.toThrow("again and again");
    expect(requests.length).toBeLessThan(20);
    await expect(counters.addCredit(owner, 1, "token")).rejects.toThrow("again and again");
  });

  it("give up giving back where others are faster again and again", async () => {
    const { requests, counters } = countersAnswering(({ target }) =>
      target?.endsWith("GetItem") ? { body: { Item: marshall(usage) } } : refusal(usage),
    );
    await expect(counters.giveBack(request)).rejects.toThrow("again and again");
    expect(requests.length).toBeLessThan(20);
  });

  it("do not guess at usage of a version that is not known", async () => {
    const stored = { ...usage, version: 2 };
    const { counters } = countersAnswering(({ target }) =>
      target?.endsWith("GetItem") ? { body: { Item: marshall(stored) } } : refusal(stored),
    );
    await expect(counters.take(request)).rejects.toThrow(UnreadableItemError);
    await expect(counters.giveBack(request)).rejects.toThrow(UnreadableItemError);
    await expect(counters.read(owner)).rejects.toThrow(UnreadableItemError);
  });
});
