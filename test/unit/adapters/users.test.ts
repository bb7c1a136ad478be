import { marshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createUsers } from "../../../functions/adapters/dynamodb/users.ts";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import type { User } from "../../../functions/core/user.ts";
import { sampleUser } from "../../support/customer-samples.ts";
import { AWAY } from "../../support/simulated-table.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

const user = sampleUser({ username: "Ana", email: "ana@acme.example" });
const changed: User = { ...user, email: "new@acme.example", revision: 1 };

const itemOf = (of: User) => marshall({ pk: "ACCOUNT#acme", sk: "USER#ana", ...of });

/** What the writes of a transaction failed for, one after the other. */
const canceledFor = (...reasons: { Code?: string; Item?: object }[]): WireResponse => ({
  status: 400,
  body: {
    __type: "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    message: "Transaction cancelled",
    CancellationReasons: reasons.map(({ Code = "None", Item }) => ({ Code, Item })),
  },
});
const TAKEN = { Code: "ConditionalCheckFailed" };
const CONFLICT = { Code: "TransactionConflict" };
const NONE = {};

const isTransaction = ({ target }: WireRequest) => target?.endsWith(".TransactWriteItems");

/** Users whose transactions are answered so, one after the other; of the answers the last one stays. */
function usersAnswering(transactions: WireResponse[], stored: User | undefined = user) {
  const answers = [...transactions];
  const { requests, config } = stubbedAws((request) => {
    if (!isTransaction(request)) return { body: stored ? { Item: itemOf(stored) } : {} };
    return (answers.length > 1 ? answers.shift() : answers[0]) ?? {};
  });
  const users = createUsers({ client: createDocumentClient(config), tableName: "Directory" });
  return { users, requests, transactions: () => requests.filter(isTransaction) };
}

interface WireWrite {
  readonly Key?: { pk: { S: string }; sk: { S: string } };
  readonly Item?: { pk: { S: string }; sk: { S: string } };
  readonly ConditionExpression?: string;
}

/** What a transaction does where, and under which condition. */
function writesOf({ body }: WireRequest): string[] {
  return (body.TransactItems as Record<string, WireWrite>[]).flatMap((write) =>
    Object.entries(write).map(([does, { Item, Key, ConditionExpression: condition }]) => {
      const { pk, sk } = Item ?? Key ?? {};
      return `${does} ${pk?.S} ${sk?.S}${condition ? ` if ${condition}` : ""}`;
    }),
  );
}
const IF_NEW = "if attribute_not_exists(pk)";
const IF_AS_READ = "if revision = :revision AND createdAt = :createdAt";

describe("users in DynamoDB", () => {
  it("are written together with their logins, in one step", async () => {
    const { users, transactions } = usersAnswering([{}]);
    await users.insertUser(user);
    await users.insertUser({ ...user, email: "ANA" });
    await users.updateUser(user, changed);
    await users.updateUser(user, { ...user, state: "disabled", revision: 1 });
    await users.removeUser("acme", "ANA");
    expect(transactions().map(writesOf)).toEqual([
      [
        `Put ACCOUNT#acme USER#ana ${IF_NEW}`,
        `Put LOGIN#ana LOGIN ${IF_NEW}`,
        `Put LOGIN#ana@acme.example LOGIN ${IF_NEW}`,
      ],
      [`Put ACCOUNT#acme USER#ana ${IF_NEW}`, `Put LOGIN#ana LOGIN ${IF_NEW}`],
      [
        `Put ACCOUNT#acme USER#ana ${IF_AS_READ}`,
        `Put LOGIN#new@acme.example LOGIN ${IF_NEW}`,
        "Delete LOGIN#ana@acme.example LOGIN",
      ],
      [`Put ACCOUNT#acme USER#ana ${IF_AS_READ}`],
      [
        `Delete ACCOUNT#acme USER#ana ${IF_AS_READ}`,
        "Delete LOGIN#ana LOGIN",
        "Delete LOGIN#ana@acme.example LOGIN",
      ],
    ]);
    const tokens = transactions().map(({ body }) => body.ClientRequestToken);
    expect(tokens.every((token) => typeof token === "string")).toBe(true);
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  it("are looked for strongly consistently", async () => {
    const { requests, config } = stubbedAws(({ body }) => {
      const { pk } = body.Key as { pk: { S: string } };
      const login = marshall({ account: "acme", username: "Ana" });
      return { body: { Item: pk.S === "LOGIN#ana" ? login : itemOf(user) } };
    });
    const users = createUsers({ client: createDocumentClient(config), tableName: "Directory" });
    expect(await users.findByLogin(" ANA ")).toEqual(user);
    expect(requests.map(({ body }) => body.ConsistentRead)).toEqual([true, true]);
  });

  it.each<[string, User | undefined]>([
    ["removed", undefined],
    ["given another address", changed],
  ])("are not found by a login whose user is %s between the look-ups", async (_, now) => {
    const { config } = stubbedAws(({ body }) => {
      const { pk } = body.Key as { pk: { S: string } };
      if (!pk.S.startsWith("LOGIN#")) return { body: now ? { Item: itemOf(now) } : {} };
      return { body: { Item: marshall({ account: "acme", username: "Ana" }) } };
    });
    const users = createUsers({ client: createDocumentClient(config), tableName: "Directory" });
    expect(await users.findByLogin("ana@acme.example")).toBeUndefined();
  });

  it("are not there twice, whichever of their logins is taken", async () => {
    for (const reasons of [
      [{ ...TAKEN, Item: itemOf({ ...user, createdAt: 1 }) }, NONE, NONE],
      [NONE, TAKEN, NONE],
      [NONE, NONE, TAKEN],
      [CONFLICT, NONE, TAKEN],
    ]) {
      const { users } = usersAnswering([canceledFor(...reasons)]);
      expect(await users.insertUser(user)).toBe(false);
      expect(await users.updateUser(user, changed)).toBe(false);
    }
  });

  it("are written where a later try finds what an earlier one has written", async () => {
    const inserted = { ...TAKEN, Item: itemOf(user) };
    const { users } = usersAnswering([canceledFor(inserted, TAKEN, TAKEN)]);
    expect(await users.insertUser(user)).toBe(true);
    const updated = { ...TAKEN, Item: itemOf(changed) };
    const { users: others } = usersAnswering([canceledFor(updated, TAKEN, NONE)]);
    expect(await others.updateUser(user, changed)).toBe(true);
  });

  it("are written again where others were writing some of the same, until it is too often", async () => {
    const { users, transactions } = usersAnswering([canceledFor(NONE, CONFLICT), {}]);
    expect(await users.insertUser(user)).toBe(true);
    const tokens = transactions().map(({ body }) => body.ClientRequestToken);
    expect(new Set(tokens).size).toBe(2);
    const busy = usersAnswering([canceledFor(NONE, CONFLICT)]);
    await expect(busy.users.insertUser(user)).rejects.toThrow("Transaction cancelled");
    await expect(busy.users.updateUser(user, changed)).rejects.toThrow("Transaction cancelled");
    expect(busy.transactions().length).toBeGreaterThan(4);
  });

  it("are removed as they are now, where they are changed meanwhile, until it is too often", async () => {
    const { users, transactions } = usersAnswering([canceledFor(TAKEN, NONE), {}]);
    expect(await users.removeUser("acme", "Ana")).toBe(true);
    expect(transactions()).toHaveLength(2);
    const busy = usersAnswering([canceledFor(TAKEN)]);
    await expect(busy.users.removeUser("acme", "Ana")).rejects.toThrow("again and again");
  });

  it("are not taken for written, or taken, where DynamoDB had no time or did not answer", async () => {
    for (const answer of [canceledFor(NONE, { Code: "ThrottlingError" }), AWAY]) {
      const { users, transactions } = usersAnswering([answer]);
      const why = answer === AWAY ? "away" : "Transaction cancelled";
      await expect(users.insertUser(user)).rejects.toThrow(why);
      await expect(users.updateUser(user, changed)).rejects.toThrow(why);
      await expect(users.removeUser("acme", "Ana")).rejects.toThrow(why);
      expect(transactions()).toHaveLength(3);
    }
  });

  it("are not guessed at where they are of a version that is not known", async () => {
    const { users } = usersAnswering([{}], { ...user, version: 2 as 1 });
    await expect(users.findUser("acme", "ana")).rejects.toThrow(UnreadableItemError);
    await expect(users.removeUser("acme", "ana")).rejects.toThrow(UnreadableItemError);
  });
});
