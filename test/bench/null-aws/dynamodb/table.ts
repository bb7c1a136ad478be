import { AwsError, invalid } from "../aws-error.ts";
import { areItemsEqual, type Item } from "./attribute-value.ts";
import { assertShort, KeyTypes } from "./key-types.ts";
import { compareSortKeys, type Key, Partitions, partitionPoint } from "./partitions.ts";
import { type Entry, type Placed, SecondaryIndex } from "./secondary-index.ts";
import { sizeOfItem, writeUnitsOf } from "./sizes.ts";
import { Stream } from "./stream.ts";
import { type KeyNames, keyNamesOf, type TableDefinition } from "./table-definition.ts";

const MAX_ITEM_BYTES = 400 * 1_024;

/** Units of reading and writing; those of a secondary index's writes are apart. */
export interface Units {
  write: number;
  read: number;
  indexWrite: Record<string, number>;
}

const noUnits = (): Units => ({ write: 0, read: 0, indexWrite: {} });

/** An item that may be written, with what it will weigh. */
export interface Weighed {
  readonly item: Item;
  readonly size: number;
}

/** A table with its indexes, its stream, and a count of what was consumed. */
export class Table {
  readonly name: string;
  readonly keys: KeyNames;
  readonly indexes: readonly SecondaryIndex[];
  readonly stream: Stream | undefined;
  readonly #items = new Partitions<Placed>((one, other) => compareSortKeys(one.sort, other.sort));
  readonly #types: KeyTypes;
  #units = noUnits();
  #count = 0;
  #bytes = 0;

  constructor(name: string, definition: TableDefinition) {
    this.name = name;
    this.keys = keyNamesOf(definition.KeySchema);
    this.#types = new KeyTypes(definition);
    this.indexes = (definition.GlobalSecondaryIndexes ?? []).map(
      (index) => new SecondaryIndex(index, this.keys, this.#types),
    );
    this.stream = definition.StreamSpecification ? new Stream(name) : undefined;
  }

  get units(): Units {
    return this.#units;
  }

  /** How many items there are. */
  get count(): number {
    return this.#count;
  }

  /** What they weigh together. */
  get bytes(): number {
    return this.#bytes;
  }

  resetUnits(): void {
    this.#units = noUnits();
  }

  clear(): void {
    this.#items.clear();
    for (const index of this.indexes) index.partitions.clear();
    this.stream?.clear();
    this.#count = 0;
    this.#bytes = 0;
  }

  /** @throws AwsError where there is no such index */
  indexCalled(name: string): SecondaryIndex {
    const index = this.indexes.find((it) => it.name === name);
    if (!index) throw invalid(`The table does not have the specified index: ${name}`);
    return index;
  }

  /** Where an item is, or one with these key attributes would be. @throws AwsError where some are missing or of the wrong type */
  keyOf(item: Item): Key {
    const { hash, sort } = this.keys;
    return {
      hash: String(this.#part(item, hash)),
      sort: sort === undefined ? "" : this.#part(item, sort),
    };
  }

  /** The same of a key that must have nothing else. @throws AwsError where it has */
  keyOnlyOf(key: Item): Key {
    const wanted = this.keys.sort === undefined ? 1 : 2;
    if (Object.keys(key).length !== wanted) throw wrongKey();
    return this.keyOf(key);
  }

  #part(item: Item, name: string): string | number {
    const value = item[name];
    const part = value && this.#types.read(name, value);
    if (part === undefined) throw wrongKey();
    if (part === "") {
      throw invalid(
        `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${name}`,
      );
    }
    assertShort(part, name === this.keys.hash ? "hash" : "sort");
    return part;
  }

  /** Nothing but the key attributes of an item. */
  keyAttributesOf(item: Item): Item {
    const { hash, sort } = this.keys;
    const key: Record<string, Item[string]> = {};
    for (const name of sort === undefined ? [hash] : [hash, sort]) {
      const value = item[name];
      if (value) key[name] = value;
    }
    return key;
  }

  find({ hash, sort }: Key): Entry | undefined {
    const partition = this.#items.in(hash);
    const place = partitionPoint(partition, (it) => compareSortKeys(it.sort, sort) < 0);
    const found = partition[place];
    return found && found.sort === sort ? found.entry : undefined;
  }

  /** The items of a partition, in their order. */
  partition(hash: string): readonly Placed[] {
    return this.#items.in(hash);
  }

  *all(): Generator<Item> {
    for (const { entry } of this.#items.all()) yield entry.item;
  }

  /** @throws AwsError for an item that cannot be stored */
  weigh(item: Item): Weighed {
    const size = sizeOfItem(item);
    if (size > MAX_ITEM_BYTES) throw invalid("Item size has exceeded the maximum allowed size");
    for (const index of this.indexes) index.keyOf(item);
    return { item, size };
  }

  /** Books a write that a condition has stopped. @param times how often, for a transaction */
  bookRefusal(before: Entry | undefined, after: Weighed | undefined, times: number): void {
    const size = Math.max(before?.size ?? 0, after?.size ?? 0);
    this.#units.write += times * writeUnitsOf(size);
  }

  bookRead(units: number): void {
    this.#units.read += units;
  }

  /**
   * Stores an item, or removes it, and books what that consumes.
   * @param times how often the table's units are booked: a transaction costs double, but for indexes
   */
  write(key: Key, before: Entry | undefined, after: Weighed | undefined, times = 1): void {
    const oldItem = before?.item;
    this.bookRefusal(before, after, times);
    const entry = this.#store(key, before, after);
    if (entry) {
      for (const index of this.indexes) {
        const units = index.change(entry, oldItem, after?.item);
        const booked = this.#units.indexWrite;
        if (units > 0) booked[index.name] = (booked[index.name] ?? 0) + units;
      }
    }
    if (this.stream) this.#tell(oldItem, after?.item);
  }

  /** Stores an item without booking or telling anything. */
  seed(item: Item): void {
    const key = this.keyOf(item);
    const before = this.find(key);
    const oldItem = before?.item;
    const after = this.weigh(item);
    const entry = this.#store(key, before, after);
    if (entry) for (const index of this.indexes) index.change(entry, oldItem, item);
  }

  /** @returns the entry that there is now, or was until now */
  #store(key: Key, before: Entry | undefined, after: Weighed | undefined): Entry | undefined {
    this.#bytes += (after?.size ?? 0) - (before?.size ?? 0);
    this.#count += (after ? 1 : 0) - (before ? 1 : 0);
    if (before && after) {
      before.item = after.item;
      before.size = after.size;
      return before;
    }
    const entry = before ?? (after && { ...key, ...after });
    if (!entry) return undefined;
    if (after) this.#items.insert(key.hash, { sort: key.sort, entry });
    else this.#items.remove(key.hash, { sort: key.sort, entry });
    return entry;
  }

  #tell(before: Item | undefined, after: Item | undefined): void {
    const item = after ?? before;
    if (!item || (before && after && areItemsEqual(before, after))) return;
    this.stream?.add(this.keyAttributesOf(item), before, after);
  }
}

const wrongKey = () => invalid("The provided key element does not match the schema");

/** What is answered about a table that nobody has created. */
export const noSuchTable = (): AwsError =>
  new AwsError("ResourceNotFoundException", "Requested resource not found");
