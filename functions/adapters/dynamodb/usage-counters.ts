import { createHash } from "node:crypto";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import {
  NOTHING_USED,
  roomIn,
  type Usage,
  type UsageCounters,
  type UsageOwner,
  type UsageRequest,
  usageOn,
  usageSchema,
} from "../../core/limits.ts";
import type { DirectoryTable } from "./directory-items.ts";
import { type DirectoryKey, usageKey } from "./directory-keys.ts";
import { parseItem } from "./items.ts";

/**
 * What was counted is remembered by its token, so that what the SDK repeats by itself counts once.
 * A token is forgotten as soon as another one takes its place.
 */
const TOKEN_PLACES = 16;
/** Tries at counting what others are counting, too. */
const MAX_RACES = 10;

/** What is to become of counters, and on which conditions. */
interface Change {
  readonly set?: Partial<Usage>;
  readonly add?: Partial<Usage>;
  readonly conditions: readonly Condition[];
}
type Condition =
  | "is there"
  | "is new"
  | readonly [name: keyof Usage, comparison: "=" | "<" | "<=" | ">=", than: string | number];

/** How a change ended; `usage` is what is stored now, if anything. */
type Outcome =
  | { readonly done: true; readonly usage: Usage }
  | { readonly done: false; readonly usage: Usage | undefined };

const readUsage = (item: unknown) => parseItem(usageSchema, item, "usage");

/** The attribute that a token lies in. */
const placeOf = (token: string) =>
  `t${createHash("sha256").update(token).digest().readUInt8() % TOKEN_PLACES}`;

const keyOf = ({ account, subAccount }: UsageOwner) => usageKey(account, subAccount);

/** The counters of what was sent, in DynamoDB: one item for each account and sub-account. */
export function createUsageCounters({
  client,
  tableName: TableName,
}: DirectoryTable): UsageCounters {
  async function apply(owner: UsageOwner, token: string, change: Change): Promise<Outcome> {
    const place = placeOf(token);
    try {
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName,
          ...updateOf(keyOf(owner), change, place, token),
          ReturnValues: "ALL_NEW",
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return { done: true, usage: readUsage(Attributes) };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      if (!error.Item) return { done: false, usage: undefined };
      const stored = unmarshall(error.Item);
      // An earlier try of this very change that we were not told of.
      return { done: stored[place] === token, usage: readUsage(stored) };
    }
  }

  /**
   * Tries changes until one is done, or there is none to be tried.
   * @param next the change for what was found to be stored
   * @returns what is stored now
   */
  async function settle(
    owner: UsageOwner,
    token: string,
    first: Change,
    next: (usage: Usage | undefined) => Change | undefined,
  ): Promise<Outcome> {
    let outcome = await apply(owner, token, first);
    for (let races = 1; !outcome.done; races++) {
      const change = next(outcome.usage);
      if (!change) return outcome;
      if (races === MAX_RACES) throw new Error("usage is being counted by others again and again");
      outcome = await apply(owner, token, change);
    }
    return outcome;
  }

  return {
    async take(request) {
      const { owner, limits, parts, token } = request;
      const roomFor = (usage = NOTHING_USED) => roomIn(limits, usageOn(usage, request));
      const { done, usage } = await settle(owner, token, countOnStoredDay(request), (stored) =>
        parts <= roomFor(stored) ? count(request, stored) : undefined,
      );
      return done ? { taken: true } : { taken: false, left: Math.max(0, roomFor(usage)) };
    },

    async giveBack(request) {
      const { owner, day, month, parts, token } = request;
      const likely = { ...NOTHING_USED, day, month, usedToday: parts, usedThisMonth: parts };
      await settle(
        owner,
        `${token}-back`,
        giveBackFrom(request, likely),
        (usage) => usage && giveBackFrom(request, usage),
      );
    },

    async read(owner) {
      const { Item } = await client.send(
        new GetCommand({ TableName, Key: keyOf(owner), ConsistentRead: true }),
      );
      return Item && readUsage(Item);
    },

    async addCredit(owner, parts, token) {
      const toWhatIsThere: Change = { add: { credit: parts }, conditions: ["is there"] };
      const toNothing: Change = { set: { ...NOTHING_USED, credit: parts }, conditions: ["is new"] };
      const { usage } = await settle(owner, token, toWhatIsThere, (stored) =>
        stored ? toWhatIsThere : toNothing,
      );
      return usage?.credit ?? 0;
    },
  };
}

const count = (request: UsageRequest, stored: Usage | undefined): Change => {
  if (!stored) return countFirst(request);
  return stored.day >= request.day ? countOnStoredDay(request) : startDay(request, stored);
};

/** The common case, in which what is stored need not be known. */
function countOnStoredDay({ limits, day, parts }: UsageRequest): Change {
  const { perDay, perMonth, prepaid } = limits;
  return {
    add: { usedToday: parts, usedThisMonth: parts, ...(prepaid && { credit: -parts }) },
    conditions: [
      ["day", ">=", day],
      ...(perDay === undefined ? [] : [["usedToday", "<=", perDay - parts] as const]),
      ...(perMonth === undefined ? [] : [["usedThisMonth", "<=", perMonth - parts] as const]),
      ...(prepaid ? [["credit", ">=", parts] as const] : []),
    ],
  };
}

/** On a day, and perhaps in a month, of which nothing is counted yet. */
function startDay({ limits, day, month, parts }: UsageRequest, stored: Usage): Change {
  const { perMonth, prepaid } = limits;
  const isNewMonth = stored.month < month;
  const monthRoom =
    isNewMonth || perMonth === undefined
      ? []
      : [["usedThisMonth", "<=", perMonth - parts] as const];
  return {
    set: { day, usedToday: parts, ...(isNewMonth && { month, usedThisMonth: parts }) },
    add: { ...(!isNewMonth && { usedThisMonth: parts }), ...(prepaid && { credit: -parts }) },
    conditions: [
      ["day", "=", stored.day],
      ...monthRoom,
      ...(prepaid ? [["credit", ">=", parts] as const] : []),
    ],
  };
}

/** For an owner of whom nothing is stored yet, and who therefore has no credit to be taken from. */
const countFirst = ({ day, month, parts }: UsageRequest): Change => ({
  set: { ...NOTHING_USED, day, usedToday: parts, month, usedThisMonth: parts },
  conditions: ["is new"],
});

/** What goes back to counters that have not begun anew since; from one that has less, all it has. */
function giveBackFrom({ limits, day, month, parts }: UsageRequest, stored: Usage): Change {
  const counters = [
    ...(stored.day === day ? (["usedToday"] as const) : []),
    ...(stored.month === month ? (["usedThisMonth"] as const) : []),
  ];
  const enough = counters.filter((name) => stored[name] >= parts);
  const tooFew = counters.filter((name) => stored[name] < parts);
  return {
    add: {
      ...Object.fromEntries(enough.map((name) => [name, -parts])),
      ...(limits.prepaid && { credit: parts }),
    },
    set: Object.fromEntries(tooFew.map((name) => [name, 0])),
    conditions: [
      ["day", "=", stored.day],
      ...enough.map((name) => [name, ">=", parts] as const),
      ...tooFew.map((name) => [name, "<", parts] as const),
    ],
  };
}

/** A change as DynamoDB takes it, on the further condition that it is not done yet. */
function updateOf(
  Key: DirectoryKey,
  { set = {}, add = {}, conditions }: Change,
  place: string,
  token: string,
) {
  const names: Record<string, string> = { "#place": place };
  const values: Record<string, string | number> = { ":token": token };
  const name = (attribute: string) => {
    names[`#${attribute}`] = attribute;
    return `#${attribute}`;
  };
  const value = (given: string | number) => {
    const placeholder = `:v${Object.keys(values).length}`;
    values[placeholder] = given;
    return placeholder;
  };
  const sets = Object.entries(set).map(([field, to]) => `${name(field)} = ${value(to)}`);
  const adds = Object.entries(add).map(([field, by]) => `${name(field)} ${value(by)}`);
  const wanted = conditions.map((condition) => {
    if (condition === "is there") return "attribute_exists(pk)";
    if (condition === "is new") return "attribute_not_exists(pk)";
    const [field, comparison, than] = condition;
    return `${name(field)} ${comparison} ${value(than)}`;
  });
  return {
    Key,
    UpdateExpression: [
      `SET ${["#place = :token", ...sets].join(", ")}`,
      ...(adds.length > 0 ? [`ADD ${adds.join(", ")}`] : []),
    ].join(" "),
    ConditionExpression: [...wanted, "(attribute_not_exists(#place) OR #place <> :token)"].join(
      " AND ",
    ),
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  };
}
