import { marshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createBlockedNumbers } from "../../../functions/adapters/dynamodb/blocked-numbers.ts";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import { hear, type OptOutHistory, silence } from "../../../functions/core/opt-out-history.ts";
import { sampleWord } from "../../support/customer-samples.ts";
import { AWAY } from "../../support/simulated-table.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

const NUMBER = "5519900001111";
const blocked = { version: 1 as const, account: "acme", number: NUMBER, createdAt: 1 };
const word = sampleWord(5);
const known = hear(silence("acme", NUMBER), "out", sampleWord(3, { subAccount: "A" })).history;
const after = hear(known, "out", word).history;

const blockedItem = (of: object) =>
  marshall({ pk: `NUMBER#acme#${NUMBER}`, sk: "BLOCKED", kind: "BLOCKED#acme", ...of });
const historyItem = (of: OptOutHistory) =>
  marshall({ pk: `NUMBER#acme#${of.number}`, sk: "OPTOUT", kind: "OPTOUT#acme", ...of });

const refusal = (Item: object): WireResponse => ({
  status: 400,
  body: {
    __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
    message: "The conditional request failed",
    Item,
  },
});

const isOf = (operation: string) => (request: WireRequest) =>
  request.target === `DynamoDB_20120810.${operation}`;

function numbersAnswering(respond: (request: WireRequest) => WireResponse) {
  const { requests, config } = stubbedAws(respond);
  const client = createDocumentClient(config);
  return { requests, numbers: createBlockedNumbers({ client, tableName: "Directory" }) };
}

type WireKey = Record<"pk" | "sk", { readonly S: string }>;
const keysOf = ({ body }: WireRequest) =>
  (body.RequestItems as { Directory: { Keys: WireKey[] } }).Directory.Keys;

describe("finding blocked numbers in DynamoDB", () => {
  const many = Array.from({ length: 1_000 }, (_, n) => String(5_519_900_000_000 + n));

  it("asks for each number once, for a hundred keys at a time, strongly consistently", async () => {
    const { requests, numbers } = numbersAnswering(() => ({ body: {} }));
    await numbers.findBlocked("acme", "A", [...many, ...many]);
    expect(requests).toHaveLength(20);
    const keys = requests.flatMap(keysOf).map(({ pk, sk }) => `${pk.S} ${sk.S}`);
    expect(new Set(keys).size).toBe(2_000);
    expect(keys).toHaveLength(2_000);
    for (const { body } of requests) {
      expect(body).toMatchObject({ RequestItems: { Directory: { ConsistentRead: true } } });
    }
  });

  it("asks for nothing where there are no numbers", async () => {
    const { requests, numbers } = numbersAnswering(() => AWAY);
    expect(await numbers.findBlocked("acme", "A", [])).toEqual(new Map());
    expect(requests).toEqual([]);
  });

  it("asks again for what DynamoDB had no time for, and takes none of it for not blocked", async () => {
    let round = 0;
    const { numbers } = numbersAnswering((request) => {
      const Keys = keysOf(request);
      round++;
      if (round === 1) return { body: { UnprocessedKeys: { Directory: { Keys } } } };
      return { body: { Responses: { Directory: [historyItem(known), blockedItem(blocked)] } } };
    });
    expect(await numbers.findBlocked("acme", "A", [NUMBER])).toEqual(
      new Map([[NUMBER, "block-list"]]),
    );
    const busy = numbersAnswering((request) => ({
      body: { UnprocessedKeys: { Directory: { Keys: keysOf(request) } } },
    }));
    await expect(busy.numbers.findBlocked("acme", "A", [NUMBER])).rejects.toThrow("no time");
  });

  it("has the block-list come before opting out, in whatever order they are read", async () => {
    const items = [blockedItem(blocked), historyItem(known)];
    for (const inOrder of [items, [...items].reverse()]) {
      const { numbers } = numbersAnswering(() => ({ body: { Responses: { Directory: inOrder } } }));
      expect(await numbers.findBlocked("acme", "A", [NUMBER])).toEqual(
        new Map([[NUMBER, "block-list"]]),
      );
    }
  });

  it("throws where DynamoDB does not answer, or holds what is not known", async () => {
    const { numbers } = numbersAnswering(() => AWAY);
    await expect(numbers.findBlocked("acme", "A", [NUMBER])).rejects.toThrow("away");
    for (const item of [
      blockedItem({ ...blocked, version: 2 }),
      historyItem({ ...known, version: 2 as 1 }),
    ]) {
      const { numbers: others } = numbersAnswering(() => ({
        body: { Responses: { Directory: [item] }, Items: [item] },
      }));
      await expect(others.findBlocked("acme", "A", [NUMBER])).rejects.toThrow(UnreadableItemError);
      await expect(others.listBlocked("acme")).rejects.toThrow(UnreadableItemError);
      await expect(others.listOptedOut("acme")).rejects.toThrow(UnreadableItemError);
    }
  });
});

describe("blocking a number in DynamoDB", () => {
  it("is done where the SDK's second try finds what its first has written", async () => {
    const { numbers } = numbersAnswering(() => refusal(blockedItem(blocked)));
    expect(await numbers.block(blocked)).toBe(true);
    expect(await numbers.block({ ...blocked, createdAt: 2 })).toBe(false);
  });

  it("throws where DynamoDB does not answer", async () => {
    const { numbers } = numbersAnswering(() => AWAY);
    await expect(numbers.block(blocked)).rejects.toThrow("away");
    await expect(numbers.unblock("acme", NUMBER)).rejects.toThrow("away");
  });

  it("lists all pages of an account's own numbers", async () => {
    const { requests, numbers } = numbersAnswering(({ body }) => ({
      body: body.ExclusiveStartKey
        ? { Items: [blockedItem({ ...blocked, number: "5519900002222" })] }
        : { Items: [blockedItem(blocked)], LastEvaluatedKey: { pk: { S: "a" }, sk: { S: "b" } } },
    }));
    expect(await numbers.listBlocked("acme")).toEqual([
      blocked,
      { ...blocked, number: "5519900002222" },
    ]);
    expect(requests[0]?.body).toMatchObject({
      IndexName: "kind",
      ExpressionAttributeValues: { ":kind": { S: "BLOCKED#acme" } },
    });
  });
});

describe("writing opting out down in DynamoDB", () => {
  /** Numbers of which this is known, one after the other, and that are written so. */
  function numbersKnowing(histories: (OptOutHistory | undefined)[], ...puts: WireResponse[]) {
    const known = [...histories];
    const answers = [...puts];
    return numbersAnswering((request) => {
      if (isOf("PutItem")(request)) {
        return (answers.length > 1 ? answers.shift() : answers[0]) ?? {};
      }
      const history = known.length > 1 ? known.shift() : known[0];
      return { body: history ? { Item: historyItem(history) } : {} };
    });
  }
  const putsOf = (requests: readonly WireRequest[]) => requests.filter(isOf("PutItem"));

  it("adds to what is known, unless somebody else has in between", async () => {
    const { requests, numbers } = numbersKnowing([known], {});
    expect(await numbers.optOut(word)).toBe(true);
    expect(requests[0]?.body.ConsistentRead).toBe(true);
    expect(putsOf(requests).map(({ body }) => body)).toMatchObject([
      {
        Item: historyItem(after),
        ConditionExpression: "revision = :revision",
        ExpressionAttributeValues: { ":revision": { N: "1" } },
      },
    ]);
    const first = numbersKnowing([undefined], {});
    await first.numbers.optOut(word);
    expect(putsOf(first.requests)[0]?.body.ConditionExpression).toBe("attribute_not_exists(pk)");
  });

  it("looks again where somebody else has, until it is too often", async () => {
    const { requests, numbers } = numbersKnowing(
      [undefined, known],
      refusal(historyItem(known)),
      {},
    );
    expect(await numbers.optOut(word)).toBe(true);
    expect(putsOf(requests)[1]?.body.Item).toEqual(historyItem(after));
    const busy = numbersKnowing([undefined], refusal(historyItem(known)));
    await expect(busy.numbers.optOut(word)).rejects.toThrow("again and again");
  });

  it("is done where the SDK's second try finds what its first has written", async () => {
    const { requests, numbers } = numbersKnowing([known], refusal(historyItem(after)));
    expect(await numbers.optOut(word)).toBe(true);
    expect(putsOf(requests)).toHaveLength(1);
  });

  it("writes nothing where the word changes nothing", async () => {
    const { requests, numbers } = numbersKnowing([after], AWAY);
    expect(await numbers.optOut(word)).toBe(true);
    expect(await numbers.optOut(sampleWord(4))).toBe(false);
    expect(putsOf(requests)).toEqual([]);
  });

  it("lists only those who are out of something", async () => {
    const { requests, numbers } = numbersKnowing([known], {});
    await numbers.optIn(word);
    expect(putsOf(requests)[0]?.body.Item).not.toHaveProperty("kind");
  });

  it("throws where DynamoDB does not answer", async () => {
    const unread = numbersAnswering(() => AWAY);
    await expect(unread.numbers.optOut(word)).rejects.toThrow("away");
    const { numbers } = numbersKnowing([known], AWAY);
    await expect(numbers.optOut(word)).rejects.toThrow("away");
    await expect(numbers.optIn(word)).rejects.toThrow("away");
  });
});
