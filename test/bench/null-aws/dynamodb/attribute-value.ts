import { compareNumbers } from "./decimal.ts";

/** A value as DynamoDB has it on the wire: an object with one member, which says the type. */
export interface AttributeValue {
  readonly S?: string;
  readonly N?: string;
  /** Base64. */
  readonly B?: string;
  readonly BOOL?: boolean;
  readonly NULL?: boolean;
  readonly L?: readonly AttributeValue[];
  readonly M?: Item;
  readonly SS?: readonly string[];
  readonly NS?: readonly string[];
  readonly BS?: readonly string[];
}

/** Attributes by their names. Nobody changes one: what is changed is copied. */
export type Item = Readonly<Record<string, AttributeValue>>;

export type AttributeType = keyof AttributeValue;

/** The type of a value. @throws Error for what has none */
export function typeOf(value: AttributeValue): AttributeType {
  for (const type in value) return type as AttributeType;
  throw new Error("a value has no type");
}

/** The members of a set, if it is one. */
export const membersOf = (value: AttributeValue): readonly string[] | undefined =>
  value.SS ?? value.NS ?? value.BS;

/** Whether two values are the same, numbers by what they count, sets in any order. */
export function isEqual(one: AttributeValue, other: AttributeValue): boolean {
  if (one === other) return true;
  const type = typeOf(one);
  if (type !== typeOf(other)) return false;
  switch (type) {
    case "N":
      return compareNumbers(one.N ?? "", other.N ?? "") === 0;
    case "L":
      return areListsEqual(one.L ?? [], other.L ?? []);
    case "M":
      return areItemsEqual(one.M ?? {}, other.M ?? {});
    case "SS":
    case "BS":
    case "NS":
      return areSetsEqual(one, other);
    default:
      return one[type] === other[type];
  }
}

function areListsEqual(one: readonly AttributeValue[], other: readonly AttributeValue[]): boolean {
  return (
    one.length === other.length &&
    one.every((value, index) => {
      const counterpart = other[index];
      return counterpart !== undefined && isEqual(value, counterpart);
    })
  );
}

function areSetsEqual(one: AttributeValue, other: AttributeValue): boolean {
  const members = membersOf(one) ?? [];
  const others = membersOf(other) ?? [];
  return members.length === others.length && members.every((it) => isMember(it, other));
}

/** Whether something is in a set. */
export function isMember(member: string, set: AttributeValue): boolean {
  if (set.NS) return set.NS.some((it) => compareNumbers(it, member) === 0);
  return membersOf(set)?.includes(member) ?? false;
}

/** Whether two items, or two maps, have the same attributes. */
export function areItemsEqual(one: Item, other: Item): boolean {
  if (one === other) return true;
  let surplus = 0;
  for (const name in one) {
    const [value, counterpart] = [one[name], other[name]];
    if (!value || !counterpart || !isEqual(value, counterpart)) return false;
    surplus += 1;
  }
  for (const _ in other) surplus -= 1;
  return surplus === 0;
}

/**
 * The order of two strings, numbers or binaries.
 * @returns less than 0, 0, more than 0, or undefined for what has no order
 */
export function compare(one: AttributeValue, other: AttributeValue): number | undefined {
  if (one.S !== undefined && other.S !== undefined) return order(one.S, other.S);
  if (one.N !== undefined && other.N !== undefined) return compareNumbers(one.N, other.N);
  if (one.B !== undefined && other.B !== undefined) return order(bytesOf(one.B), bytesOf(other.B));
  return undefined;
}

/** The order of two things that JavaScript can compare. */
export const order = <T extends string | number>(one: T, other: T): number =>
  one < other ? -1 : one > other ? 1 : 0;

/** A binary as a string with a character per byte. */
export const bytesOf = (base64: string): string => Buffer.from(base64, "base64").toString("latin1");
