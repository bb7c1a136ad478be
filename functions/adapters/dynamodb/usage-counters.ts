import { createHash } from "node:crypto";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
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
import { creditKey, type DirectoryKey, usageKey } from "./directory-keys.ts";
import { parseItem } from "./items.ts";

/**
 * What was counted is remembered by its token, so that what the SDK repeats by itself counts once.
 * A token is forgotten as soon as another one takes its place: one that counts is then counted
 * again, and the counters are too high.
 */
const TOKEN_PLACES = 16;
/**
 * What is given back must never be so twice, or the counters are too low: its token replaces the
 * one that was seen in its place, and no other. These places are apart from those of what is
 * counted, which is far more often. All tokens together leave an item below the kilobyte that a
 * write is charged by.
 */
const BACK_PLACES = 4;
/** Where the token of the last addition to a credit lies. Those before it have items of their own. */
const CREDIT_PLACE = "credited";
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

/** The attribute that a change leaves its token in. */
interface Trace {
  readonly place: string;
  readonly token: string;
  /** What must lie there for the change to be made; whatever does, where this is absent. */
  readonly insteadOf?: { readonly token: string | undefined };
}

/** What is stored: the usage, and the tokens in their places. */
type Item = Readonly<Record<string, unknown>>;

/** How a change ended; `usage` is what is stored now, if anything. */
type Outcome =
  | { readonly done: true; readonly usage: Usage }
  | {
      readonly done: false;
      readonly usage: Usage | undefined;
      readonly item: Item | undefined;
      /** Whether the SDK had asked before, and was not told what came of it. */
      readonly wasRepeated: boolean;
    };

const readUsage = (item: unknown) => parseItem(usageSchema, item, "usage");

/** One of so many places, the same for a token each time. */
const placeOf = (letter: string, places: number, token: string) =>
  `${letter}${createHash("sha256").update(token).digest().readUInt8() % places}`;

const tokenIn = (item: Item | undefined, place: string) => item?.[place] as string | undefined;

const keyOf = ({ account, subAccount }: UsageOwner) => usageKey(account, subAccount);
const additionKeyOf = ({ account, subAccount }: UsageOwner, token: string) =>
  creditKey(account, subAccount, token);

/** The counters of what was sent, in DynamoDB: one item for each account and sub-account. */
export function createUsageCounters({
  client,
  tableName: TableName,
}: DirectoryTable): UsageCounters {
  async function find(Key: DirectoryKey): Promise<Item | undefined> {
    const { Item } = await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
    return Item;
  }

  async function apply(owner: UsageOwner, trace: Trace, change: Change): Promise<Outcome> {
    try {
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName,
          ...updateOf(keyOf(owner), change, trace),
          ReturnValues: "ALL_NEW",
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return { done: true, usage: readUsage(Attributes) };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      const wasRepeated = error.$metadata.attempts !== 1;
      if (!error.Item) return { done: false, usage: undefined, item: undefined, wasRepeated };
      const item = unmarshall(error.Item);
      const usage = readUsage(item);
      // An earlier try of this very change that we were not told of.
      if (tokenIn(item, trace.place) === trace.token) return { done: true, usage };
      return { done: false, usage, item, wasRepeated };
    }
  }

  /** Remembers for good that this was added to a credit. */
  async function keepCredited(owner: UsageOwner, token: string): Promise<void> {
    await client.send(new PutCommand({ TableName, Item: additionKeyOf(owner, token) }));
  }

  return {
    async take(request) {
      const { owner, limits, parts, token } = request;
      const trace = { place: placeOf("t", TOKEN_PLACES, token), token };
      const roomFor = (usage = NOTHING_USED) => roomIn(limits, usageOn(usage, request));
      let outcome = await apply(owner, trace, countOnStoredDay(request));
      for (let races = 1; !outcome.done; races++) {
        const room = roomFor(outcome.usage);
        if (parts > room) return { taken: false, left: Math.max(0, room) };
        if (races === MAX_RACES) throw new OvertakenError();
        outcome = await apply(owner, trace, count(request, outcome.usage));
      }
      return { taken: true };
    },

    async giveBack(request) {
      const { owner, token } = request;
      const place = placeOf("b", BACK_PLACES, token);
      let item = await find(keyOf(owner));
      let mayBeDone = false;
      for (let races = 0; item && tokenIn(item, place) !== token; races++) {
        if (races === MAX_RACES) throw new OvertakenError();
        const replaced = tokenIn(item, place);
        const trace = { place, token, insteadOf: { token: replaced } };
        const outcome = await apply(owner, trace, giveBackFrom(request, readUsage(item)));
        if (outcome.done) return;
        item = outcome.item;
        // Before that other one came, a try of ours may have taken effect, or not.
        mayBeDone ||= outcome.wasRepeated;
        if (mayBeDone && tokenIn(item, place) !== replaced) {
          throw new Error("it is not known whether what was counted has been given back");
        }
      }
    },

    async read(owner) {
      const item = await find(keyOf(owner));
      return item && readUsage(item);
    },

    async addCredit(owner, parts, token) {
      const add = { credit: parts };
      for (let races = 0; races < MAX_RACES; races++) {
        // In this order: what is replaced after we have seen it was kept before.
        const item = await find(keyOf(owner));
        const last = tokenIn(item, CREDIT_PLACE);
        if (last === token || (await find(additionKeyOf(owner, token)))) return creditIn(item);
        if (last !== undefined) await keepCredited(owner, last);
        const outcome = await apply(
          owner,
          { place: CREDIT_PLACE, token, insteadOf: { token: last } },
          item
            ? { add, conditions: ["is there"] }
            : { set: { ...NOTHING_USED, ...add }, conditions: ["is new"] },
        );
        if (outcome.done) return outcome.usage.credit;
      }
      throw new OvertakenError();
    },
  };
}

const creditIn = (item: Item | undefined) => (item ? readUsage(item).credit : 0);

class OvertakenError extends Error {
  override readonly name = "OvertakenError";
  override readonly message = "usage is being counted by others again and again";
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
  { place, token, insteadOf }: Trace,
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
  const isNotDone = () => {
    if (!insteadOf) return "(attribute_not_exists(#place) OR #place <> :token)";
    if (insteadOf.token === undefined) return "attribute_not_exists(#place)";
    return `#place = ${value(insteadOf.token)}`;
  };
  const ConditionExpression = [...wanted, isNotDone()].join(" AND ");
  return {
    Key,
    UpdateExpression: [
      `SET ${["#place = :token", ...sets].join(", ")}`,
      ...(adds.length > 0 ? [`ADD ${adds.join(", ")}`] : []),
    ].join(" "),
    ConditionExpression,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  };
}
