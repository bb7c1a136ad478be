import fc from "fast-check";
import type { AttributeValue, Item } from "../../../bench/null-aws/dynamodb/attribute-value.ts";
import { THINGS } from "./things.ts";

/** A request to DynamoDB. */
export interface Operation {
  readonly name: string;
  readonly input: Record<string, unknown>;
}

const numbers = fc.constantFrom("-1", "0", "1", "2", "2.5", "10", "1700000000123.25");
const strings = fc.constantFrom("", "a", "ab", "b", "é");
const number = numbers.map((N): AttributeValue => ({ N }));
const scalar: fc.Arbitrary<AttributeValue> = fc.oneof(
  number,
  strings.map((S) => ({ S })),
  fc.boolean().map((BOOL) => ({ BOOL })),
  fc.constant({ NULL: true }),
);
const set: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1 }).map((SS) => ({ SS })),
  fc.uniqueArray(fc.constantFrom("1", "2", "3"), { minLength: 1 }).map((NS) => ({ NS })),
);
const list = fc.array(scalar, { maxLength: 3 }).map((L): AttributeValue => ({ L }));
const map = fc
  .dictionary(fc.constantFrom("x", "y"), fc.oneof(scalar, list))
  .map((M): AttributeValue => ({ M }));
const big = fc
  .constantFrom(900, 1_500, 3_000)
  .map((size): AttributeValue => ({ S: "x".repeat(size) }));
const value = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 2, arbitrary: set },
  { weight: 2, arbitrary: list },
  { weight: 2, arbitrary: map },
  { weight: 1, arbitrary: big },
);

/** Attributes that begin with their type are mostly of it, so that something comes of what is drawn. */
const TYPED: Readonly<Record<string, fc.Arbitrary<AttributeValue>>> = {
  num: number,
  str: strings.map((S) => ({ S })),
  set,
  lst: list,
  map,
  a: value,
  b: value,
  group: fc.constantFrom<AttributeValue>({ S: "g" }, { S: "h" }, { N: "1" }),
  rank: number,
  label: fc.constantFrom<AttributeValue>({ S: "l" }, { S: "m" }, { S: "" }),
  owner: fc.constantFrom<AttributeValue>({ S: "o" }, { S: "p" }),
};
const NAMES = Object.keys(TYPED);
const name = fc.constantFrom(...NAMES);

const attributes = fc
  .uniqueArray(name, { maxLength: 8 })
  .chain((names) => fc.record(Object.fromEntries(names.map((it) => [it, TYPED[it] ?? value]))))
  .map((item): Item => item as Item);

/** A path with the type that what lies there has, most likely. */
const path = fc.oneof(
  { weight: 6, arbitrary: name },
  {
    weight: 1,
    arbitrary: fc.constantFrom("map.x", "map.y", "map.x[0]", "lst[0]", "lst[1]", "lst[5]"),
  },
);

/** Text with `{n}` where the values go. */
interface Fragment {
  readonly text: string;
  readonly values: readonly AttributeValue[];
}

const fragment = (text: string, ...values: AttributeValue[]): Fragment => ({ text, values });

const joined = (parts: readonly Fragment[], between: string): Fragment => ({
  text: parts.map(({ text }) => text).join(between),
  values: parts.flatMap(({ values }) => values),
});

const valueLike = (of: string) => TYPED[of] ?? fc.oneof(value, number);

/** What has an order. */
const ordered = fc.oneof(
  number,
  strings.map((S): AttributeValue => ({ S })),
);

const typedPath = path.chain((it) => fc.tuple(fc.constant(it), fc.oneof(valueLike(it), scalar)));

const comparison: fc.Arbitrary<Fragment> = fc.oneof(
  fc
    .tuple(typedPath, fc.constantFrom("=", "<>"))
    .map(([[it, other], operator]) => fragment(`${it} ${operator} ?`, other)),
  fc
    .tuple(path, fc.constantFrom("<", "<=", ">", ">="), ordered)
    .map(([it, operator, other]) => fragment(`${it} ${operator} ?`, other)),
  fc
    .tuple(path, numbers, numbers)
    .filter(([, low, high]) => Number(low) <= Number(high))
    .map(([it, low, high]) => fragment(`${it} BETWEEN ? AND ?`, { N: low }, { N: high })),
  fc.tuple(path, scalar, scalar).map(([it, one, other]) => fragment(`${it} IN (?, ?)`, one, other)),
  fc
    .tuple(
      path,
      strings.filter((it) => it !== ""),
    )
    .map(([it, S]) => fragment(`begins_with(${it}, ?)`, { S })),
  fc.tuple(path, scalar).map(([it, other]) => fragment(`contains(${it}, ?)`, other)),
  fc
    .tuple(path, fc.constantFrom("S", "N", "SS", "M", "L", "BOOL"))
    .map(([it, S]) => fragment(`attribute_type(${it}, ?)`, { S })),
  fc
    .tuple(path, fc.constantFrom("=", "<", ">"), fc.constantFrom("0", "1", "2"))
    .map(([it, operator, N]) => fragment(`size(${it}) ${operator} ?`, { N })),
);

const inExpression = fc.oneof(
  {
    weight: 2,
    arbitrary: fc
      .tuple(path, fc.constantFrom("attribute_exists", "attribute_not_exists"))
      .map(([it, call]) => fragment(`${call}(${it})`)),
  },
  { weight: 4, arbitrary: comparison },
);

const inStatement = fc.oneof(
  {
    weight: 2,
    arbitrary: fc
      .tuple(path, fc.constantFrom("IS MISSING", "IS NOT MISSING"))
      .map(([it, is]) => fragment(`${it} ${is}`)),
  },
  { weight: 4, arbitrary: comparison },
);

/** Conditions of up to three terms. */
const conditions = (term: fc.Arbitrary<Fragment>): fc.Arbitrary<Fragment> =>
  fc.oneof(
    term,
    fc.tuple(term, term).map((terms) => joined(terms, " AND ")),
    fc.tuple(term, term).map((terms) => joined(terms, " OR ")),
    fc
      .tuple(term, term, term)
      .map(([one, other, last]) =>
        joined(
          [{ ...joined([one, other], " OR "), text: `(${one.text} OR ${other.text})` }, last],
          " AND ",
        ),
      ),
    term.map((it) => ({ ...it, text: `NOT ${it.text}` })),
    fc.tuple(term, term).map((terms) => ({
      ...joined(terms, " AND "),
      text: `NOT (${joined(terms, " AND ").text})`,
    })),
  );

const assignment = (isStatement: boolean): fc.Arbitrary<Fragment> =>
  fc.oneof(
    { weight: 4, arbitrary: typedPath.map(([it, other]) => fragment(`${it} = ?`, other)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(path, fc.constantFrom("+", "-"), number)
        .map(([it, operator, other]) => fragment(`${it} = ${it} ${operator} ?`, other)),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(path, path).map(([it, other]) => fragment(`${it} = ${other}`)),
    },
    {
      weight: 1,
      arbitrary: list.map((other) => fragment("lst = list_append(lst, ?)", other)),
    },
    ...(isStatement
      ? []
      : [
          {
            weight: 1,
            arbitrary: fc
              .tuple(path, path, value)
              .map(([it, other, otherwise]) =>
                fragment(`${it} = if_not_exists(${other}, ?)`, otherwise),
              ),
          },
          {
            weight: 1,
            arbitrary: fc
              .tuple(number, number)
              .map(([otherwise, more]) =>
                fragment(`num = if_not_exists(num, ?) + ?`, otherwise, more),
              ),
          },
        ]),
  );

const some = <T>(arbitrary: fc.Arbitrary<T>, max: number) =>
  fc.array(arbitrary, { minLength: 1, maxLength: max });

const clauses: fc.Arbitrary<Fragment> = fc
  .tuple(
    fc.option(
      some(assignment(false), 3).map((parts) => joined(parts, ", ")),
      { freq: 5 },
    ),
    fc.option(
      some(path, 2).map((paths) => fragment(paths.join(", "))),
      { freq: 2 },
    ),
    fc.option(
      fc.oneof(
        number.map((it) => fragment("num ?", it)),
        set.map((it) => fragment("set ?", it)),
        set.map((it) => fragment("a ?", it)),
      ),
      { freq: 1 },
    ),
    fc.option(
      set.map((it) => fragment("set ?", it)),
      { freq: 1 },
    ),
  )
  .map(([sets, removed, added, deleted]) =>
    joined(
      [
        sets && { ...sets, text: `SET ${sets.text}` },
        removed && { ...removed, text: `REMOVE ${removed.text}` },
        added && { ...added, text: `ADD ${added.text}` },
        deleted && { ...deleted, text: `DELETE ${deleted.text}` },
      ].filter((it) => it !== null),
      " ",
    ),
  )
  .filter(({ text }) => text !== "");

/** Several expressions with placeholders in the place of names and values. */
function withPlaceholders(expressions: Readonly<Record<string, Fragment | undefined>>) {
  const names: Record<string, string> = {};
  const values: Record<string, AttributeValue> = {};
  const texts: Record<string, string> = {};
  for (const [member, given] of Object.entries(expressions)) {
    if (!given) continue;
    let index = 0;
    texts[member] = given.text
      .replaceAll(/\?/g, () => {
        const placeholder = `:v${Object.keys(values).length}`;
        values[placeholder] = given.values[index++] as AttributeValue;
        return placeholder;
      })
      .replaceAll(new RegExp(`(?<![\\w:.])(?:${NAMES.join("|")})\\b(?!\\()`, "g"), (it) => {
        names[`#${it}`] = it;
        return `#${it}`;
      });
  }
  return {
    ...texts,
    ...(Object.keys(names).length > 0 && { ExpressionAttributeNames: names }),
    ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
  };
}

const quoted = (text: string) =>
  text.replaceAll(
    new RegExp(`(?<![\\w.])(?:${NAMES.join("|")})\\b(?!\\()`, "g"),
    (it) => `"${it}"`,
  );

type Draft = (world: string) => Operation;

const sk = fc.constantFrom("1", "2");
const keyOf = (world: string, key: string) => ({ pk: { S: world }, sk: { S: key } });
const onFailure = fc.option(fc.constant("ALL_OLD"), { nil: undefined });

const given = (members: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(members).filter(([, it]) => it !== undefined));

const put: fc.Arbitrary<Draft> = fc
  .tuple(
    sk,
    attributes,
    fc.option(conditions(inExpression), { nil: undefined }),
    onFailure,
    fc.constantFrom(undefined, "ALL_OLD"),
  )
  .map(([key, item, condition, ReturnValuesOnConditionCheckFailure, ReturnValues]) => (world) => ({
    name: "PutItem",
    input: given({
      TableName: THINGS,
      Item: { ...keyOf(world, key), ...item },
      ...withPlaceholders({ ConditionExpression: condition }),
      ReturnValues,
      ReturnValuesOnConditionCheckFailure,
    }),
  }));

const update: fc.Arbitrary<Draft> = fc
  .tuple(
    sk,
    clauses,
    fc.option(conditions(inExpression), { nil: undefined }),
    onFailure,
    fc.constantFrom("ALL_NEW", "ALL_OLD", "NONE", "UPDATED_NEW", "UPDATED_OLD"),
  )
  .map(
    ([key, actions, condition, ReturnValuesOnConditionCheckFailure, ReturnValues]) =>
      (world) => ({
        name: "UpdateItem",
        input: given({
          TableName: THINGS,
          Key: keyOf(world, key),
          ...withPlaceholders({ UpdateExpression: actions, ConditionExpression: condition }),
          ReturnValues,
          ReturnValuesOnConditionCheckFailure,
        }),
      }),
  );

const remove: fc.Arbitrary<Draft> = fc
  .tuple(sk, fc.option(conditions(inExpression), { nil: undefined }))
  .map(([key, condition]) => (world) => ({
    name: "DeleteItem",
    input: {
      TableName: THINGS,
      Key: keyOf(world, key),
      ...withPlaceholders({ ConditionExpression: condition }),
      ReturnValues: "ALL_OLD",
    },
  }));

type StatementDraft = (world: string, key: string) => Record<string, unknown>;

const statement = (
  text: string,
  values: readonly AttributeValue[],
  ReturnValuesOnConditionCheckFailure: string | undefined,
) =>
  given({
    Statement: quoted(text),
    Parameters: values.length > 0 ? values : undefined,
    ReturnValuesOnConditionCheckFailure,
  });

const where = (world: string, key: string, condition: Fragment | undefined): Fragment =>
  joined(
    [
      fragment("pk = ? AND sk = ?", ...Object.values(keyOf(world, key))),
      ...(condition ? [{ ...condition, text: `(${condition.text})` }] : []),
    ],
    " AND ",
  );

const returning = fc.constantFrom("", " RETURNING ALL NEW *", " RETURNING ALL OLD *");

const statements: fc.Arbitrary<StatementDraft> = fc.oneof(
  fc.tuple(attributes, onFailure).map(
    ([item, failure]): StatementDraft =>
      (world, key) => {
        const entries = Object.entries({ ...keyOf(world, key), ...item });
        const text = `INSERT INTO "${THINGS}" VALUE {${entries.map(([it]) => `'${it}': ?`).join(", ")}}`;
        return given({
          Statement: text,
          Parameters: entries.map(([, it]) => it),
          ReturnValuesOnConditionCheckFailure: failure,
        });
      },
  ),
  fc
    .tuple(
      some(assignment(true), 3),
      fc.option(path, { nil: undefined }),
      fc.option(conditions(inStatement), { nil: undefined }),
      returning,
      onFailure,
    )
    .map(
      ([sets, removed, condition, suffix, failure]): StatementDraft =>
        (world, key) => {
          const set = joined(sets, " SET ");
          const all = where(world, key, condition);
          const text = `UPDATE "${THINGS}" SET ${set.text}${removed ? ` REMOVE ${removed}` : ""} WHERE ${all.text}${suffix}`;
          return statement(text, [...set.values, ...all.values], failure);
        },
    ),
  fc.tuple(fc.option(conditions(inStatement), { nil: undefined }), onFailure).map(
    ([condition, failure]): StatementDraft =>
      (world, key) => {
        const all = where(world, key, condition);
        return statement(
          `DELETE FROM "${THINGS}" WHERE ${all.text} RETURNING ALL OLD *`,
          all.values,
          failure,
        );
      },
  ),
);

const batch: fc.Arbitrary<Draft> = fc
  // Where two are about one item, DynamoDB Local refuses all, and has carried out some of them.
  .uniqueArray(fc.tuple(sk, statements), { minLength: 1, maxLength: 2, selector: ([key]) => key })
  .map((all) => (world) => ({
    name: "BatchExecuteStatement",
    input: { Statements: all.map(([key, draft]) => draft(world, key)) },
  }));

const query: fc.Arbitrary<Draft> = fc
  .tuple(
    fc.constantFrom("sk > ?", "sk >= ?", "sk < ?", "sk <= ?", "sk = ?", "begins_with(sk, ?)"),
    sk,
    fc.boolean(),
    fc.boolean(),
  )
  .map(([sort, S, ScanIndexForward, ConsistentRead]) => (world) => ({
    name: "Query",
    input: {
      TableName: THINGS,
      ...withPlaceholders({
        KeyConditionExpression: fragment(`pk = ? AND ${sort}`, { S: world }, { S }),
      }),
      ScanIndexForward,
      ConsistentRead,
    },
  }));

const get: fc.Arbitrary<Draft> = fc
  .tuple(
    sk,
    fc.boolean(),
    fc.option(fc.uniqueArray(name, { minLength: 1, maxLength: 2 }), { nil: undefined }),
  )
  .map(([key, ConsistentRead, paths]) => (world) => ({
    name: "GetItem",
    input: {
      TableName: THINGS,
      Key: keyOf(world, key),
      ConsistentRead,
      ...withPlaceholders({ ProjectionExpression: paths && fragment(paths.join(", ")) }),
    },
  }));

/** Requests about two items of a world, which no other world has. */
export const operations: fc.Arbitrary<(world: string) => Operation[]> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: put },
      { weight: 6, arbitrary: update },
      { weight: 1, arbitrary: remove },
      { weight: 6, arbitrary: batch },
      { weight: 1, arbitrary: query },
      { weight: 1, arbitrary: get },
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((drafts) => (world) => drafts.map((draft) => draft(world)));
