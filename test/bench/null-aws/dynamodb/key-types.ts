import { invalid } from "../aws-error.ts";
import { type AttributeValue, bytesOf } from "./attribute-value.ts";
import type { SortKey } from "./partitions.ts";
import type { TableDefinition } from "./table-definition.ts";

/** The most bytes of a key's parts. */
const MAX_HASH_BYTES = 2_048;
const MAX_SORT_BYTES = 1_024;

/** @throws AwsError where a part of a key is too long */
export function assertShort(part: SortKey, role: "hash" | "sort"): void {
  const max = role === "hash" ? MAX_HASH_BYTES : MAX_SORT_BYTES;
  if (typeof part !== "string" || part.length * 3 <= max || Buffer.byteLength(part) <= max) return;
  throw invalid(`One or more parameter values were invalid: Size of ${role} key exceeds ${max}`);
}

/** Of which types the attributes are that are part of a key. */
export class KeyTypes {
  readonly #types: ReadonlyMap<string, string>;

  constructor({ AttributeDefinitions }: TableDefinition) {
    this.#types = new Map(
      AttributeDefinitions.map(({ AttributeName, AttributeType }) => [
        AttributeName,
        AttributeType,
      ]),
    );
  }

  /** A key's value as JavaScript compares it; undefined where it is of another type. */
  read(name: string, value: AttributeValue): SortKey | undefined {
    switch (this.#types.get(name)) {
      case "S":
        return value.S;
      case "N":
        return value.N === undefined ? undefined : Number(value.N);
      default:
        return value.B === undefined ? undefined : bytesOf(value.B);
    }
  }
}
