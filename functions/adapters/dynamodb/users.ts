import { randomUUID } from "node:crypto";
import { type CancellationReason, TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import {
  GetCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import { accountIdSchema } from "../../core/account.ts";
import type { Users } from "../../core/customer-ports.ts";
import { loginOf, type User, usernameSchema, userSchema } from "../../core/user.ts";
import {
  createAccountItems,
  type DirectoryTable,
  IS_AS_READ,
  IS_NEW,
  isThisVery,
  valuesAsRead,
} from "./directory-items.ts";
import { DIRECTORY_SORT_KEY, keyInAccount, loginKey } from "./directory-keys.ts";
import { parseItem } from "./items.ts";

/** Tries at writing what others are writing, too. */
const MAX_RACES = 5;
/** That of a user name or e-mail address is far below it. */
const MAX_LOGIN_LENGTH = 320;

/** Whose a login is. */
const ownerSchema = z.object({ account: accountIdSchema, username: usernameSchema });

type Writes = NonNullable<TransactWriteCommandInput["TransactItems"]>;

/** What a user can log in by: two where there is an e-mail address other than the user name. */
const loginsOf = ({ username, email = username }: User) =>
  new Set([loginOf(username), loginOf(email)]);

/**
 * The users, in DynamoDB: each in the partition of its account, and beside it an item for each of
 * its logins that says whose it is. What is written of a user and its logins is one transaction.
 */
export function createUsers(table: DirectoryTable): Users {
  const { client, tableName: TableName } = table;
  const users = createAccountItems(table, {
    name: "user",
    schema: userSchema,
    prefix: DIRECTORY_SORT_KEY.user,
    nameOf: ({ username }) => loginOf(username),
  });

  const findUser = (account: string, username: string) => users.find(account, loginOf(username));

  /** The writes that make the logins somebody's, unless they are somebody else's. */
  const putLogins = (logins: Iterable<string>, { account, username }: User): Writes =>
    [...logins].map((login) => ({
      Put: {
        TableName,
        Item: { ...loginKey(login), account, username },
        ConditionExpression: IS_NEW,
      },
    }));

  const deleteLogins = (logins: Iterable<string>): Writes =>
    [...logins].map((login) => ({ Delete: { TableName, Key: loginKey(login) } }));

  /** @returns why nothing was written, write by write; undefined where everything was */
  async function write(writes: Writes): Promise<CancellationReason[] | undefined> {
    for (let race = 1; ; race++) {
      try {
        await client.send(
          // Of the tries that the SDK makes by itself under one token, one takes effect.
          new TransactWriteCommand({ ClientRequestToken: randomUUID(), TransactItems: writes }),
        );
        return undefined;
      } catch (error) {
        if (!(error instanceof TransactionCanceledException)) throw error;
        const { CancellationReasons: reasons = [] } = error;
        if (reasons.some(({ Code }) => Code === "ConditionalCheckFailed")) return reasons;
        if (!isConflict(reasons) || race === MAX_RACES) throw error;
      }
    }
  }

  /** @returns whether the user is now as given */
  async function writeUser(
    user: User,
    condition: { ConditionExpression: string; ExpressionAttributeValues?: Record<string, unknown> },
    logins: Writes,
  ): Promise<boolean> {
    const Item = users.stored(user);
    const put = {
      TableName,
      Item,
      ...condition,
      ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
    };
    const refusals = await write([{ Put: put }, ...logins]);
    return !refusals || isThisVery(Item, refusals[0]?.Item);
  }

  return {
    findUser,
    listUsers: users.list,

    async findByLogin(written) {
      const login = loginOf(written);
      if (login.length > MAX_LOGIN_LENGTH) return undefined;
      const { Item } = await client.send(
        new GetCommand({ TableName, Key: loginKey(login), ConsistentRead: true }),
      );
      if (!Item) return undefined;
      const { account, username } = parseItem(ownerSchema, Item, "login");
      const user = await findUser(account, username);
      // It may have been given up between the two look-ups.
      return user && loginsOf(user).has(login) ? user : undefined;
    },

    insertUser: (user) =>
      writeUser(user, { ConditionExpression: IS_NEW }, putLogins(loginsOf(user), user)),

    updateUser(read, changed) {
      const [before, after] = [loginsOf(read), loginsOf(changed)];
      return writeUser(
        changed,
        { ConditionExpression: IS_AS_READ, ExpressionAttributeValues: valuesAsRead(read) },
        [...putLogins(without(after, before), changed), ...deleteLogins(without(before, after))],
      );
    },

    async removeUser(account, username) {
      for (let race = 0; race < MAX_RACES; race++) {
        const user = await findUser(account, username);
        if (!user) return false;
        const refusals = await write([
          {
            Delete: {
              TableName,
              Key: keyInAccount(account, DIRECTORY_SORT_KEY.user + loginOf(username)),
              ConditionExpression: IS_AS_READ,
              ExpressionAttributeValues: valuesAsRead(user),
            },
          },
          ...deleteLogins(loginsOf(user)),
        ]);
        if (!refusals) return true;
      }
      throw new Error("a user that is to be removed is being changed again and again");
    },
  };
}

const without = (some: ReadonlySet<string>, others: ReadonlySet<string>) =>
  [...some].filter((login) => !others.has(login));

/** Whether a transaction failed because others were writing some of the same, and for nothing else. */
const isConflict = (reasons: readonly CancellationReason[]) =>
  reasons.every(({ Code = "None" }) => ["None", "TransactionConflict"].includes(Code));
