import { invalid } from "../aws-error.ts";
import { areItemsEqual, type Item, isEqual } from "./attribute-value.ts";
import { assertShort, type KeyTypes } from "./key-types.ts";
import { compareKeys, compareSortKeys, type Key, Partitions, type SortKey } from "./partitions.ts";
import { sizeOfItem, writeUnitsOf } from "./sizes.ts";
import {
  type KeyNames,
  keyNamesOf,
  projectedBy,
  type TableDefinition,
} from "./table-definition.ts";

/** An item as the table has it; it stays the same object for as long as there is an item of that key. */
export interface Entry extends Key {
  item: Item;
  /** In bytes. */
  size: number;
}

/** An item's place in an index, or in its table. */
export interface Placed {
  readonly sort: SortKey;
  readonly entry: Entry;
}

type IndexDefinition = NonNullable<TableDefinition["GlobalSecondaryIndexes"]>[number];

/** By another key: the items that have it, with the attributes that the index takes along. */
export class SecondaryIndex {
  readonly name: string;
  readonly keys: KeyNames;
  /** Undefined where it takes all of them along. */
  readonly attributes: readonly string[] | undefined;
  readonly partitions = new Partitions<Placed>(
    (one, other) => compareSortKeys(one.sort, other.sort) || compareKeys(one.entry, other.entry),
  );
  readonly #types: KeyTypes;

  constructor(definition: IndexDefinition, tableKeys: KeyNames, types: KeyTypes) {
    this.name = definition.IndexName;
    this.keys = keyNamesOf(definition.KeySchema);
    this.attributes = projectedBy(definition.Projection, [tableKeys, this.keys]);
    this.#types = types;
  }

  /** @returns where an item is in the index, or undefined where it is not. @throws AwsError where it cannot be */
  keyOf(item: Item): Key | undefined {
    const { hash, sort } = this.keys;
    if (!item[hash] || (sort !== undefined && !item[sort])) {
      // What is not in the index must not have the wrong type either.
      for (const name of [hash, sort]) if (name !== undefined) this.#typedOf(item, name);
      return undefined;
    }
    return {
      hash: String(this.#typedOf(item, hash)),
      sort: sort === undefined ? "" : this.#typedOf(item, sort),
    };
  }

  #typedOf(item: Item, name: string): SortKey {
    const value = item[name];
    if (!value) return "";
    const key = this.#types.read(name, value);
    if (key === undefined) {
      throw invalid("One or more parameter values were invalid: Type mismatch for Index Key");
    }
    if (key === "") {
      throw invalid(
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value.",
      );
    }
    assertShort(key, name === this.keys.hash ? "hash" : "sort");
    return key;
  }

  /** An item as the index has it. */
  imageOf(item: Item): Item {
    if (!this.attributes) return item;
    const image: Record<string, Item[string]> = {};
    for (const name of this.attributes) {
      const value = item[name];
      if (value) image[name] = value;
    }
    return image;
  }

  /** Follows a change of an item. @returns the units of writing that it takes */
  change(entry: Entry, before: Item | undefined, after: Item | undefined): number {
    const from = before && this.keyOf(before);
    const to = after && this.keyOf(after);
    if (from && to && compareKeys(from, to) === 0) return this.#refresh(before, after);
    let units = 0;
    if (from) {
      this.partitions.remove(from.hash, { sort: from.sort, entry });
      units += this.#unitsOf(before);
    }
    if (to) {
      this.partitions.insert(to.hash, { sort: to.sort, entry });
      units += this.#unitsOf(after);
    }
    return units;
  }

  #refresh(before: Item, after: Item): number {
    const isSame = this.attributes
      ? this.attributes.every((name) => isSameAttribute(before, after, name))
      : areItemsEqual(before, after);
    return isSame ? 0 : Math.max(this.#unitsOf(before), this.#unitsOf(after));
  }

  #unitsOf(item: Item): number {
    return writeUnitsOf(sizeOfItem(this.imageOf(item)));
  }
}

function isSameAttribute(one: Item, other: Item, name: string): boolean {
  const [value, counterpart] = [one[name], other[name]];
  if (!value || !counterpart) return value === counterpart;
  return isEqual(value, counterpart);
}
