import { noSuchTable, Table } from "./table.ts";
import type { TableDefinition } from "./table-definition.ts";

/** All tables by their names. */
export class Tables {
  readonly #tables = new Map<string, Table>();
  /** The tokens of the transactions that were carried out: asked for again they do nothing. */
  readonly transactions = new Set<string>();

  create(name: string, definition: TableDefinition): void {
    this.#tables.set(name, new Table(name, definition));
  }

  /** @throws AwsError where there is none */
  called(name: string): Table {
    const table = this.#tables.get(name) ?? this.#tables.get(name.slice(name.indexOf("/") + 1));
    if (!table) throw noSuchTable();
    return table;
  }

  all(): Iterable<Table> {
    return this.#tables.values();
  }
}
