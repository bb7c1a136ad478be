import { beforeEach, describe, expect, test } from "vitest";
import type { Item } from "../../../bench/null-aws/dynamodb/attribute-value.ts";
import { sizeOfItem } from "../../../bench/null-aws/dynamodb/sizes.ts";
import { NullDynamoDb } from "./null-dynamodb.ts";
import { THINGS } from "./things.ts";

/**
 * These are examples of the developer guide of DynamoDB, follow from what it says, or, where that is
 * wrong, are what others have measured: the size of numbers, and indexes in transactions.
 */

const KB = 1_024;

let dynamoDb: NullDynamoDb;
beforeEach(() => {
  dynamoDb = new NullDynamoDb();
});

const keyOf = (sk: string): Item => ({ pk: { S: "a" }, sk: { S: sk } });

/** An item of exactly so many bytes. */
function itemOf(bytes: number, sk = "1", attributes: Item = {}): Item {
  const item = { ...keyOf(sk), ...attributes, fill: { S: "" } };
  return { ...item, fill: { S: "x".repeat(bytes - sizeOfItem(item)) } };
}

describe("an item's size", () => {
  test.each<[string, Item, number]>([
    ["counts names and values", { "shirt-color": { S: "R" }, "shirt-size": { S: "M" } }, 12 + 11],
    ["counts bytes, not characters", { é: { S: "✓" } }, 2 + 3],
    ["counts two digits of a number as a byte, and one more", { n: { N: "1234" } }, 1 + 3],
    ["rounds digits up", { n: { N: "12345" } }, 1 + 4],
    ["rounds digits before and behind the point apart", { n: { N: "3.14159" } }, 1 + 5],
    ["leaves out zeros before and behind", { n: { N: "0.01200" } }, 1 + 2],
    ["leaves out zeros that are meant by an exponent", { n: { N: "1E125" } }, 1 + 2],
    ["counts a minus", { n: { N: "-12" } }, 1 + 3],
    ["counts nothing of zero but the byte", { n: { N: "0" } }, 1 + 1],
    ["counts truth and nothing as a byte", { t: { BOOL: true }, z: { NULL: true } }, 4],
    ["counts the bytes of a binary", { b: { B: "AAEC" } }, 1 + 3],
    ["counts the members of a set", { s: { SS: ["ab", "c"] } }, 1 + 3],
    ["counts what a list and its elements add", { l: { L: [{ S: "a" }, { S: "b" }] } }, 1 + 3 + 4],
    ["counts what a map and its members add", { m: { M: { k: { S: "v" } } } }, 1 + 3 + 3],
    ["counts an empty map", { m: { M: {} } }, 1 + 3],
  ])("%s", (_, item, expected) => {
    expect(sizeOfItem(item)).toBe(expected);
  });
});

describe("a write", () => {
  test.each([
    [KB / 2, 1],
    [KB, 1],
    [KB + 1, 2],
    [3.5 * KB, 4],
  ])("of %d bytes takes %d units", (bytes, units) => {
    expect(dynamoDb.unitsOf("PutItem", { Item: itemOf(bytes) }).write).toBe(units);
  });

  test("takes the units of the larger one of what was and what is", () => {
    dynamoDb.seed(itemOf(3.5 * KB));
    expect(dynamoDb.unitsOf("PutItem", { Item: itemOf(KB) }).write).toBe(4);
    expect(dynamoDb.unitsOf("DeleteItem", { Key: keyOf("1") }).write).toBe(1);
  });

  test("takes a unit to remove what is not there", () => {
    expect(dynamoDb.unitsOf("DeleteItem", { Key: keyOf("1") }).write).toBe(1);
  });

  test("takes the units of the item when its condition fails", () => {
    dynamoDb.seed(itemOf(2.5 * KB));
    const ConditionExpression = "attribute_not_exists(pk)";
    const refused = { Item: itemOf(KB), ConditionExpression };
    expect(dynamoDb.unitsOf("PutItem", refused)).toMatchObject({ write: 3, indexWrite: {} });
    const Statement = `UPDATE "${THINGS}" SET a=1 WHERE pk='a' AND sk='1' AND a=2`;
    const batch = { Statements: [{ Statement }] };
    expect(dynamoDb.unitsOf("BatchExecuteStatement", batch).write).toBe(3);
  });

  test("in a transaction takes double, but for indexes", () => {
    const Item = itemOf(1.5 * KB, "1", { owner: { S: "o" } });
    const TransactItems = [{ Put: { TableName: THINGS, Item } }];
    expect(dynamoDb.unitsOf("TransactWriteItems", { TransactItems })).toEqual({
      write: 4,
      read: 0,
      indexWrite: { "by-owner": 2 },
    });
  });

  test("of many by statements takes what single ones take", () => {
    const Statements = Array.from({ length: 25 }, (_, index) => ({
      Statement: `INSERT INTO "${THINGS}" VALUE {'pk': ?, 'sk': ?, 'label': ?}`,
      Parameters: [{ S: "a" }, { S: `${index}` }, { S: "l" }],
    }));
    expect(dynamoDb.unitsOf("BatchExecuteStatement", { Statements })).toEqual({
      write: 25,
      read: 0,
      indexWrite: { "by-label": 25 },
    });
  });
});

describe("a read", () => {
  const consistently = { ConsistentRead: true };

  test("of one item takes a unit per 4 KB, or half", () => {
    dynamoDb.seed(itemOf(4 * KB), itemOf(4 * KB + 1, "2"));
    const get = (sk: string, how = {}) =>
      dynamoDb.unitsOf("GetItem", { Key: keyOf(sk), ...how }).read;
    expect([get("1", consistently), get("1")]).toEqual([1, 0.5]);
    expect([get("2", consistently), get("2")]).toEqual([2, 1]);
    expect([get("none", consistently), get("none")]).toEqual([1, 0.5]);
  });

  test("of a batch takes what single ones take", () => {
    dynamoDb.seed(itemOf(1.5 * KB), itemOf(6.5 * KB, "2"));
    const Keys = [keyOf("1"), keyOf("2")];
    const read = (how = {}) =>
      dynamoDb.unitsOf("BatchGetItem", { RequestItems: { [THINGS]: { Keys, ...how } } }).read;
    expect([read(consistently), read()]).toEqual([3, 1.5]);
  });

  test("by a query takes the units of all items together, also of those that are filtered", () => {
    for (let index = 0; index < 10; index++) dynamoDb.seed(itemOf(4.08 * KB, `${index}`));
    const query = (how = {}) =>
      dynamoDb.unitsOf("Query", {
        KeyConditionExpression: "pk = :a",
        FilterExpression: "sk = :b",
        ExpressionAttributeValues: { ":a": { S: "a" }, ":b": { S: "none" } },
        ...how,
      }).read;
    expect([query(consistently), query()]).toEqual([11, 5.5]);
  });

  test("by a query of an index takes the units of what is projected", () => {
    dynamoDb.seed(itemOf(20 * KB, "1", { label: { S: "l" } }));
    const units = dynamoDb.unitsOf("Query", {
      IndexName: "by-label",
      KeyConditionExpression: "label = :l",
      ExpressionAttributeValues: { ":l": { S: "l" } },
    });
    expect(units.read).toBe(0.5);
  });
});

describe("an index", () => {
  const set = (UpdateExpression: string, ...values: object[]) =>
    dynamoDb.unitsOf("UpdateItem", {
      Key: keyOf("1"),
      UpdateExpression,
      ...(values.length > 0 && {
        ExpressionAttributeValues: Object.fromEntries(
          values.map((value, index) => [`:${"ab"[index]}`, value]),
        ),
      }),
    }).indexWrite;

  beforeEach(() => dynamoDb.seed(itemOf(KB)));

  test("takes a write when an item gets its key, and when it loses it", () => {
    expect(set("SET label = :a", { S: "l" })).toEqual({ "by-label": 1 });
    expect(set("REMOVE label")).toEqual({ "by-label": 1 });
  });

  test("takes two when the key changes", () => {
    set("SET label = :a", { S: "l" });
    expect(set("SET label = :a", { S: "m" })).toEqual({ "by-label": 2 });
  });

  test("takes one when something changes that it projects, and none for anything else", () => {
    set("SET label = :a", { S: "l" });
    expect(set("SET a = :a, other = :b", { N: "1" }, { N: "1" })).toEqual({ "by-label": 1 });
    expect(set("SET other = :a", { N: "2" })).toEqual({});
    expect(set("SET a = :a", { N: "1.0" })).toEqual({});
  });

  test("takes none while an item does not have all of its key", () => {
    expect(set("SET rank = :a", { N: "1" })).toEqual({});
    expect(set("SET #group = :a", { S: "g" })).toEqual({});
  });

  test("takes writes by the size of what it projects", () => {
    expect(set("SET owner = :a", { S: "o" })).toEqual({ "by-owner": 2 });
    expect(set("SET label = :a, a = :b", { S: "l" }, { S: "x".repeat(2 * KB) })).toEqual({
      "by-label": 3,
      "by-owner": 4,
    });
  });
});
