import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { beforeEach, describe, expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import {
  createLearntOperators,
  openOperators,
} from "../../../functions/adapters/dynamodb/phone-operators.ts";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import { ManualClock } from "../../support/memory.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

const PHONE = "5519900001111";
const DAY = 86_400_000;

describe("the operators of phones", () => {
  let clock: ManualClock;
  let items: Map<string, Record<string, AttributeValue>>;
  let requests: WireRequest[];
  let table: { client: ReturnType<typeof createDocumentClient>; tableName: string };
  let fault: WireResponse | undefined;
  let failures: string[];

  /** A table that keeps what is put, under its partition key. */
  function respond({ target, body }: WireRequest): WireResponse {
    if (fault) return fault;
    const isPut = target?.endsWith("PutItem");
    const item = (isPut ? body.Item : body.Key) as Record<string, AttributeValue>;
    const key = `${item.pk?.S} ${item.sk?.S}`;
    if (isPut) items.set(key, item);
    const found = items.get(key);
    return { body: isPut || !found ? {} : { Item: found } };
  }

  beforeEach(() => {
    clock = new ManualClock();
    items = new Map();
    failures = [];
    fault = undefined;
    const aws = stubbedAws(respond);
    requests = aws.requests;
    table = { client: createDocumentClient(aws.config), tableName: "Carriers" };
  });
  const learnt = () => createLearntOperators({ ...table, memoryMs: 30 * DAY, clock });
  const operators = (memoryDays: number) =>
    openOperators({
      ...table,
      memoryDays,
      clock,
      ranges: () => ({ "5519": "Claro" }),
      onFailure: (what) => failures.push(what),
    });

  it("are those of their ranges while the table is away", async () => {
    fault = { status: 400, body: { __type: "ResourceNotFoundException" } };
    expect(await operators(30).find(PHONE)).toBe("Claro");
    expect(failures).toHaveLength(1);
  });

  it("are remembered as carriers name them", async () => {
    await learnt().learn(PHONE, "Vivo");
    expect(await learnt().find(PHONE)).toBe("Vivo");
    expect(await learnt().find(`${PHONE}2`)).toBeUndefined();
    expect([...items.values()].map((item) => unmarshall(item))).toEqual([
      {
        pk: `PHONE#${PHONE}`,
        sk: "OPERATOR",
        operator: "Vivo",
        removeAt: (clock.now() + 30 * DAY) / 1_000,
      },
    ]);
  });

  it("are forgotten in time, though the table still has them", async () => {
    await learnt().learn(PHONE, "Vivo");
    clock.advance(30 * DAY - 1);
    expect(await learnt().find(PHONE)).toBe("Vivo");
    clock.advance(1);
    expect(await learnt().find(PHONE)).toBeUndefined();
  });

  it("are written down once by a function, and again when they change", async () => {
    const known = learnt();
    for (const operator of ["Vivo", "Vivo", "TIM", "TIM", "Vivo"])
      await known.learn(PHONE, operator);
    expect(requests).toHaveLength(3);
    expect(await known.find(PHONE)).toBe("Vivo");
  });

  it("are written down by the next try where the table did not take them", async () => {
    const known = learnt();
    fault = { status: 400, body: { __type: "ThrottlingException", message: "slow down" } };
    await expect(known.learn(PHONE, "Vivo")).rejects.toThrow("slow down");
    fault = undefined;
    await known.learn(PHONE, "Vivo");
    expect(await known.find(PHONE)).toBe("Vivo");
  });

  it("are not guessed at where an item is none", async () => {
    items.set(`PHONE#${PHONE} OPERATOR`, marshall({ operator: 7 }));
    await expect(learnt().find(PHONE)).rejects.toThrow(UnreadableItemError);
  });

  it("are those that were learnt, else those of the range", async () => {
    expect(await operators(30).find(PHONE)).toBe("Claro");
    await learnt().learn(PHONE, "Vivo");
    expect(await operators(30).find(PHONE)).toBe("Vivo");
    expect(await operators(30).find("351912345678")).toBeUndefined();
  });

  it("are those of the range, without a look at the table, where the stage remembers none", async () => {
    await learnt().learn(PHONE, "Vivo");
    requests.length = 0;
    expect(await operators(0).find(PHONE)).toBe("Claro");
    expect(requests).toEqual([]);
  });
});
