import { AwsError } from "../../../bench/null-aws/aws-error.ts";
import type { Item } from "../../../bench/null-aws/dynamodb/attribute-value.ts";
import { answerDynamoDb } from "../../../bench/null-aws/dynamodb/dynamodb.ts";
import type { Units } from "../../../bench/null-aws/dynamodb/table.ts";
import { Tables } from "../../../bench/null-aws/dynamodb/tables.ts";
import { THINGS, THINGS_DEFINITION } from "./things.ts";

/** A null DynamoDB with the table of things, to be asked without HTTP. */
export class NullDynamoDb {
  readonly #tables = new Tables();

  constructor() {
    this.#tables.create(THINGS, THINGS_DEFINITION);
  }

  /** @throws AwsError as DynamoDB would */
  ask<T = Record<string, unknown>>(operation: string, input: object): T {
    const request = operation.startsWith("Batch") ? input : { TableName: THINGS, ...input };
    return answerDynamoDb(this.#tables, operation, request, () => {}) as T;
  }

  /** The code of the error that is the answer. */
  refusal(operation: string, input: object): string | undefined {
    try {
      this.ask(operation, input);
      return undefined;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return error.code;
    }
  }

  /** What a request consumes, whether it fails or not. */
  unitsOf(operation: string, input: object): Units {
    const table = this.#tables.called(THINGS);
    table.resetUnits();
    this.refusal(operation, input);
    return table.units;
  }

  seed(...items: Item[]): void {
    for (const item of items) this.#tables.called(THINGS).seed(item);
  }
}
