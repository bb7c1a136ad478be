import { SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { carriersEnv, type ToldCarrier } from "../../../functions/adapters/carriers/env.ts";
import { createCarriers, type PoolResources } from "../../../functions/adapters/carriers/pool.ts";
import { CARRIER_KINDS } from "../../../functions/adapters/carriers/registry.ts";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import type { OutboundMessage } from "../../../functions/core/carrier.ts";
import { UNLIMITED } from "../../../functions/core/carrier-rate.ts";
import { CountingRandomness, ManualClock, ManualTimeLimit } from "../../support/memory.ts";
import { MemoryRateCounter } from "../../support/memory-rate-counter.ts";
import { stubbedAws } from "../../support/stub-aws.ts";

const SANDBOX = {
  kind: "sandbox",
  outboxTable: "Outbox",
  carrierEventsQueueUrl: "https://sqs.us-east-1.amazonaws.com/123456789012/carrier-events",
};
const outbound: OutboundMessage = {
  ref: { account: "acme", id: "id-1", traceId: "trace-1" },
  destination: "5519900001111",
  text: "Hello",
  segments: { coding: "gsm", texts: ["Hello"], first: 1, total: 1 },
  lane: "singles",
  flash: false,
};

/** What a function reads of such carriers in its environment. */
const told = (carriers: object): Record<string, ToldCarrier> =>
  carriersEnv.parse({ CARRIERS: JSON.stringify(carriers), ROUTES: '[{"carrier":"one"}]' }).CARRIERS;

describe("the carriers of a stage", () => {
  const kind = CARRIER_KINDS.sandbox;
  const load = kind.load;
  let loads: number;
  let counter: MemoryRateCounter;
  let failures: string[];
  let resources: PoolResources;

  beforeEach(() => {
    loads = 0;
    kind.load = () => {
      loads += 1;
      return load();
    };
    counter = new MemoryRateCounter();
    failures = [];
    const { config } = stubbedAws(({ target }) =>
      target?.endsWith("UpdateItem") ? { body: { Attributes: { attempts: { N: "1" } } } } : {},
    );
    resources = {
      dynamodb: createDocumentClient(config),
      sqs: new SQSClient({ ...config, md5: false }),
      clock: new ManualClock(),
      openSecret: () => {
        throw new Error("nobody should open a secret");
      },
      lane: "singles",
      functions: 2,
      counter,
      timeLimit: new ManualTimeLimit(),
      randomness: new CountingRandomness(),
      onFailure: (what) => failures.push(what),
    };
  });
  afterEach(() => {
    kind.load = load;
  });
  const create = (carriers: object) => createCarriers(told(carriers), resources);

  it("are called as the stage calls them, in its order, and take what their kind takes", () => {
    const carriers = create({ two: SANDBOX, one: SANDBOX });
    expect(carriers.map(({ carrier }) => [carrier.name, carrier.takes])).toEqual([
      ["two", "parts"],
      ["one", "parts"],
    ]);
  });

  it("are loaded when they are handed their first message, once", async () => {
    const [one] = create({ one: SANDBOX, two: SANDBOX });
    expect(loads).toBe(0);
    const sent = await Promise.all([1, 2, 3].map(() => one?.carrier.send(outbound)));
    expect(sent.map((it) => it?.kind)).toEqual(["accepted", "accepted", "accepted"]);
    expect(loads).toBe(1);
  });

  it("have the message for certain not where they cannot be loaded, and are loaded anew next time", async () => {
    const [one] = create({ one: SANDBOX });
    const good = kind.load;
    kind.load = () => Promise.reject(new Error("the file is gone"));
    expect(await one?.carrier.send(outbound)).toMatchObject({
      kind: "unreachable",
      detail: expect.stringContaining("the file is gone"),
    });
    kind.load = good;
    expect(await one?.carrier.send(outbound)).toMatchObject({ kind: "accepted" });
  });

  it("are made from their own settings, what is left out filled in", async () => {
    const [one, two] = create({ one: { ...SANDBOX, down: true }, two: SANDBOX });
    expect(await one?.carrier.send(outbound)).toMatchObject({ kind: "unreachable" });
    expect(await two?.carrier.send(outbound)).toMatchObject({ kind: "accepted" });
  });

  it("do not mind settings that an older function does not know", async () => {
    const [one] = create({ one: { ...SANDBOX, colour: "red" } });
    expect(await one?.carrier.send(outbound)).toMatchObject({ kind: "accepted" });
  });

  it.each([
    ["a setting is none", { ...SANDBOX, down: "perhaps" }],
    ["something that the stack makes is missing", { ...SANDBOX, outboxTable: undefined }],
    ["a rate is none", { ...SANDBOX, maxPerSecond: 0 }],
    ["a sender is none", { ...SANDBOX, senders: ["a name that is too long"] }],
    ["nobody knows the kind", { ...SANDBOX, kind: "pigeons" }],
  ])("are not made where %s", (_, settings) => {
    expect(() => create({ one: settings })).toThrow();
  });

  it("have their senders and when they are demoted", () => {
    const [one, two] = create({
      one: { ...SANDBOX, senders: ["27182"], demotion: { minimum: 5 } },
      two: SANDBOX,
    });
    expect(one).toMatchObject({
      senders: ["27182"],
      demotion: { minimum: 5, failuresPercent: 50 },
    });
    expect(two?.senders).toBeUndefined();
    expect(two?.demotion.minimum).toBe(20);
  });

  it("have their rates, which are counted by their names, or none", async () => {
    const [one, two] = create({ one: { ...SANDBOX, maxPerSecond: 2 }, two: SANDBOX });
    expect(two?.rate).toBe(UNLIMITED);
    expect(await one?.rate.take(3, 0)).toBe(2);
    expect(counter.writes.map(({ key }) => key)).toContain("carrier one");
    counter.error = new Error("throttled");
    (resources.clock as ManualClock).advance(1_000);
    await one?.rate.take(1, 0);
    expect(failures).toEqual(["SMS could not be counted"]);
  });
});
