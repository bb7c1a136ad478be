import { beforeEach, describe, expect, test } from "vitest";
import type { AttributeValue } from "../../../bench/null-aws/dynamodb/attribute-value.ts";
import { NullDynamoDb } from "./null-dynamodb.ts";

let dynamoDb: NullDynamoDb;
beforeEach(() => {
  dynamoDb = new NullDynamoDb();
});

const KEY = { pk: { S: "a" }, sk: { S: "1" } };
const IS_KEY = `pk='a' AND "sk" = '1'`;

const run = (Statement: string, ...Parameters: AttributeValue[]) =>
  dynamoDb.ask<{ Items: unknown[] }>("ExecuteStatement", { Statement, Parameters }).Items;

const refusal = (Statement: string, ...Parameters: AttributeValue[]) =>
  dynamoDb.refusal("ExecuteStatement", { Statement, Parameters });

describe("statements", () => {
  test("insert what they spell out", () => {
    run(
      `INSERT INTO "Things" VALUE {'pk': 'a', 'sk': ?, 'n': -1.5, 's': <<'x', 'y'>>, 'l': [1, 'it''s', true], 'm': {'k': NULL}}`,
      { S: "1" },
    );
    expect(run(`SELECT * FROM Things WHERE ${IS_KEY}`)).toEqual([
      {
        ...KEY,
        n: { N: "-1.5" },
        s: { SS: ["x", "y"] },
        l: { L: [{ N: "1" }, { S: "it's" }, { BOOL: true }] },
        m: { M: { k: { NULL: true } } },
      },
    ]);
  });

  test("insert nothing in the place of something", () => {
    dynamoDb.seed(KEY);
    expect(refusal(`INSERT INTO "Things" VALUE {'pk': 'a', 'sk': '1'}`)).toBe(
      "DuplicateItemException",
    );
  });

  test("update what is there, and answer as they are asked to", () => {
    dynamoDb.seed({ ...KEY, n: { N: "1" }, m: { M: { k: { N: "1" } } }, gone: { S: "x" } });
    const update = `UPDATE "Things" SET n = n + ? SET "m"."k" = ? REMOVE gone WHERE ${IS_KEY}`;
    const parameters = [{ N: "2" }, { N: "7" }];
    const after = { ...KEY, n: { N: "3" }, m: { M: { k: { N: "7" } } } };
    expect(run(`${update} RETURNING ALL NEW *`, ...parameters)).toEqual([after]);
    const [before] = run(`${update} RETURNING ALL OLD *`, ...parameters);
    expect(before).toEqual(after);
    expect(run(update, ...parameters)).toEqual([]);
  });

  test.each([
    ["n = 1", true],
    ["n = 1 AND o = 2", false],
    ["(o = 2 OR n = 1) AND NOT n = 3", true],
    ["o IS MISSING", true],
    ["n IS NOT MISSING AND m.k = 'v'", true],
    ["m.k IS MISSING OR m.none IS NOT MISSING", false],
    ["n BETWEEN 0 AND 1", true],
    ["n IN [0, 1]", true],
    ["begins_with(m.k, 'v') AND size(m) = 1", true],
    ["n != 1 OR n <> 1", false],
  ])("update on the condition %s: %s", (condition, isMet) => {
    dynamoDb.seed({ ...KEY, n: { N: "1" }, m: { M: { k: { S: "v" } } } });
    const statement = `UPDATE "Things" SET done = true WHERE ${IS_KEY} AND (${condition})`;
    expect(refusal(statement)).toBe(isMet ? undefined : "ConditionalCheckFailedException");
  });

  test("add to sets and take from them", () => {
    dynamoDb.seed({ ...KEY, s: { SS: ["a"] }, t: { SS: ["x"] } });
    const statement = `UPDATE "Things" SET s = set_add(s, <<'b'>>) SET t = set_delete(t, ?) SET u = set_add(u, <<1>>) WHERE ${IS_KEY} RETURNING ALL NEW *`;
    expect(run(statement, { SS: ["x"] })).toEqual([
      { ...KEY, s: { SS: ["a", "b"] }, u: { NS: ["1"] } },
    ]);
  });

  test("update nothing that is not there, and are content to remove it", () => {
    expect(refusal(`UPDATE "Things" SET n = 1 WHERE ${IS_KEY}`)).toBe(
      "ConditionalCheckFailedException",
    );
    expect(run(`DELETE FROM "Things" WHERE ${IS_KEY}`)).toEqual([]);
  });

  test.each([
    `UPDATE "Things" SET n = 1 WHERE pk = 'a'`,
    `UPDATE "Things" SET n = ? WHERE ${IS_KEY}`,
    `UPDATE "Things" SET sk = '2' WHERE ${IS_KEY}`,
    `UPDATE "Things" SET m = {'k': ?} WHERE ${IS_KEY}`,
    `UPDATE "Things" REMOVE a, b WHERE ${IS_KEY}`,
    `UPDATE "Things" SET n = 1 SET n = 2 WHERE ${IS_KEY}`,
    `UPDATE "Things" WHERE ${IS_KEY}`,
    `UPDATE "Things" SET s = set_add(t, <<'b'>>) WHERE ${IS_KEY}`,
    `DELETE "Things" WHERE ${IS_KEY}`,
    `DELETE FROM "Things" WHERE ${IS_KEY} RETURNING ALL NEW *`,
    `SELECT * FROM "Things" WHERE n = 1`,
    `INSERT INTO "Things" VALUE {'pk': 'a'}`,
  ])("%s is refused", (statement) => {
    dynamoDb.seed({ ...KEY, m: { M: {} } });
    expect(refusal(statement)).toBe("ValidationException");
  });
});

describe("a batch of statements", () => {
  const insert = (sk: number) => ({
    Statement: `INSERT INTO "Things" VALUE {'pk': 'a', 'sk': ?}`,
    Parameters: [{ S: `${sk}` }],
  });

  const batch = (...Statements: object[]) =>
    dynamoDb.refusal("BatchExecuteStatement", { Statements });

  test("takes 25, and no more", () => {
    expect(batch(...Array.from({ length: 25 }, (_, sk) => insert(sk)))).toBeUndefined();
    expect(batch(...Array.from({ length: 26 }, (_, sk) => insert(sk)))).toBe("ValidationException");
  });

  test("is refused as a whole where two statements are about one item", () => {
    const update = { Statement: `UPDATE "Things" SET n = 1 WHERE pk = 'a' AND sk = '1'` };
    expect(batch(insert(1), update)).toBe("ValidationException");
    expect(run(`SELECT * FROM "Things" WHERE pk = 'a'`)).toEqual([]);
  });

  test("either reads or writes", () => {
    const read = { Statement: `SELECT * FROM "Things" WHERE pk = 'a' AND sk = '2'` };
    expect(batch(insert(1), read)).toBe("ValidationException");
    expect(batch(read)).toBeUndefined();
  });
});

describe("expressions", () => {
  const update = (input: object) => dynamoDb.refusal("UpdateItem", { Key: KEY, ...input });

  test.each([
    ["a name without meaning", { UpdateExpression: "SET #n = a" }],
    ["a value without meaning", { UpdateExpression: "SET n = :v" }],
    [
      "a meaning without name",
      { UpdateExpression: "REMOVE n", ExpressionAttributeNames: { "#n": "n" } },
    ],
    [
      "a meaning without value",
      { UpdateExpression: "REMOVE n", ExpressionAttributeValues: { ":n": { N: "1" } } },
    ],
    ["a section that comes twice", { UpdateExpression: "REMOVE a REMOVE b" }],
    ["a section without anything", { UpdateExpression: "SET" }],
    ["a path that lies nowhere", { UpdateExpression: "REMOVE a.b" }],
    [
      "adding to what is no number",
      { UpdateExpression: "ADD pk :v", ExpressionAttributeValues: { ":v": { N: "1" } } },
    ],
    ["a condition that ends too early", { ConditionExpression: "attribute_exists(pk) AND" }],
    ["a function that there is not", { ConditionExpression: "attribute_matters(pk)" }],
  ])("refuse %s", (_, input) => {
    expect(update(input)).toBe("ValidationException");
  });
});
