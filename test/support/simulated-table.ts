import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { stubbedAws, type WireRequest, type WireResponse } from "./stub-aws.ts";

type Item = Record<string, unknown>;
type WireItem = Parameters<typeof unmarshall>[0];

interface WireUpdate {
  readonly Key: WireItem;
  readonly UpdateExpression: string;
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues: WireItem;
}

/** DynamoDB's answer where it is out of order. */
export const AWAY: WireResponse = {
  status: 500,
  body: { __type: "com.amazonaws.dynamodb.v20120810#InternalServerError", message: "away" },
};

/** Tries again what the service failed at, three times in all, without a pause. */
export const impatient = {
  acquireInitialRetryToken: async () => tokenAfter(0),
  refreshRetryTokenForRetry: async (
    token: ReturnType<typeof tokenAfter>,
    { errorType }: { errorType: string },
  ) => {
    if (errorType === "CLIENT_ERROR" || token.getRetryCount() === 2) throw new Error("no more");
    return tokenAfter(token.getRetryCount() + 1);
  },
  recordSuccess: () => {},
};
const tokenAfter = (retries: number) => ({ getRetryCount: () => retries, getRetryDelay: () => 0 });

/**
 * Configuration of a DynamoDB client that goes to a table in memory, which knows GetItem, PutItem,
 * and of UpdateItem as much as the counters of usage use. Where it `losesAnswers`, the first answer
 * to each update does not arrive, whether it took effect or not, and the SDK asks again: after
 * what happens `meanwhile`.
 */
export function simulatedTable({
  losesAnswers = false,
  meanwhile = async () => {},
}: {
  readonly losesAnswers?: boolean;
  readonly meanwhile?: () => Promise<void>;
} = {}) {
  const items = new Map<string, Item>();
  const lost = new Set<string>();

  function respond(request: WireRequest): WireResponse {
    if (request.target?.endsWith(".PutItem")) {
      const item = unmarshall(request.body.Item as WireItem);
      items.set(JSON.stringify(marshall({ pk: item.pk, sk: item.sk })), item);
      return { body: {} };
    }
    const update = request.body as unknown as WireUpdate;
    const key = JSON.stringify(update.Key);
    const stored = items.get(key);
    if (request.target?.endsWith(".GetItem")) {
      return { body: stored ? { Item: marshall(stored) } : {} };
    }
    const holds = isFulfilled(update, stored);
    const changed = holds ? changedBy(update, stored ?? unmarshall(update.Key)) : stored;
    if (changed) items.set(key, changed);
    const name = JSON.stringify(update);
    if (losesAnswers && !lost.has(name)) {
      lost.add(name);
      return AWAY;
    }
    lost.delete(name);
    return holds ? { body: { Attributes: marshall(changed) } } : refusal(stored);
  }

  const { requests, config } = stubbedAws(respond);
  const retryStrategy: typeof impatient = {
    ...impatient,
    refreshRetryTokenForRetry: async (token, error) => {
      const next = await impatient.refreshRetryTokenForRetry(token, error);
      await meanwhile();
      return next;
    },
  };
  return { requests, config: { ...config, maxAttempts: 3, retryStrategy } };
}

const refusal = (stored: Item | undefined): WireResponse => ({
  status: 400,
  body: {
    __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
    message: "The conditional request failed",
    ...(stored && { Item: marshall(stored) }),
  },
});

const COMPARISONS: Record<string, (one: never, other: never) => boolean> = {
  "=": (one, other) => one === other,
  "<>": (one, other) => one !== other,
  "<": (one, other) => one < other,
  "<=": (one, other) => one <= other,
  ">=": (one, other) => one >= other,
};

/** Conditions joined by AND, each of them one, or several joined by OR. */
function isFulfilled(update: WireUpdate, stored: Item = {}): boolean {
  const { nameOf, givenBy } = readerOf(update);
  const holds = (condition: string) => {
    const [, existence, attribute = ""] =
      /^(attribute_(?:not_)?exists)\((.+)\)$/.exec(condition) ?? [];
    if (existence) return (existence === "attribute_exists") === nameOf(attribute) in stored;
    const [name = "", comparison = "", value = ""] = condition.split(" ");
    const compare = COMPARISONS[comparison];
    if (!compare) throw new Error(`the simulated table does not know ${condition}`);
    return (
      nameOf(name) in stored && compare(stored[nameOf(name)] as never, givenBy(value) as never)
    );
  };
  return update.ConditionExpression.split(" AND ").every((part) =>
    part
      .replace(/^\((.* OR .*)\)$/, "$1")
      .split(" OR ")
      .some(holds),
  );
}

function changedBy(update: WireUpdate, stored: Item): Item {
  const { nameOf, givenBy } = readerOf(update);
  const [, sets = "", adds] = /^SET (.*?)(?: ADD (.*))?$/.exec(update.UpdateExpression) ?? [];
  const changed = { ...stored };
  for (const set of sets.split(", ")) {
    const [name = "", value = ""] = set.split(" = ");
    changed[nameOf(name)] = givenBy(value);
  }
  for (const add of adds?.split(", ") ?? []) {
    const [name = "", value = ""] = add.split(" ");
    changed[nameOf(name)] = Number(stored[nameOf(name)] ?? 0) + Number(givenBy(value));
  }
  return changed;
}

function readerOf({ ExpressionAttributeNames: names, ExpressionAttributeValues }: WireUpdate) {
  const values = unmarshall(ExpressionAttributeValues);
  return {
    nameOf: (written: string) => (written.startsWith("#") ? (names[written] ?? "") : written),
    givenBy: (written: string): unknown => values[written],
  };
}
