import { AwsError, invalid } from "../aws-error.ts";
import type { Item } from "./attribute-value.ts";
import { assertDifferent, batchGetItem, getItem, type QueryInput, query } from "./reads.ts";
import {
  batchExecuteStatement,
  executeStatement,
  type StatementInput,
} from "./statement-runner.ts";
import type { Tables } from "./tables.ts";
import { type TransactWriteInput, transactWriteItems } from "./transactions.ts";
import {
  carryOut,
  type DeleteInput,
  type PlannedWrite,
  type PutInput,
  planDelete,
  planPut,
  planUpdate,
  type UpdateInput,
} from "./writes.ts";

const MAX_WRITES = 25;

interface BatchWriteInput {
  readonly RequestItems: Readonly<
    Record<
      string,
      readonly {
        readonly PutRequest?: { readonly Item: Item };
        readonly DeleteRequest?: { readonly Key: Item };
      }[]
    >
  >;
}

/**
 * Answers a request to DynamoDB.
 * @param onError is told of each statement of a batch that fails
 * @throws AwsError as DynamoDB would
 */
export function answerDynamoDb(
  tables: Tables,
  operation: string,
  input: unknown,
  onError: (code: string) => void,
): object {
  switch (operation) {
    case "GetItem":
      return getItem(tables, input as Parameters<typeof getItem>[1]);
    case "BatchGetItem":
      return batchGetItem(tables, input as Parameters<typeof batchGetItem>[1]);
    case "Query":
      return query(tables, input as QueryInput);
    case "PutItem": {
      const request = input as PutInput;
      return withAttributes(planPut(tables, request), request);
    }
    case "UpdateItem": {
      const request = input as UpdateInput;
      return withAttributes(planUpdate(tables, request), request);
    }
    case "DeleteItem": {
      const request = input as DeleteInput;
      return withAttributes(planDelete(tables, request), request);
    }
    case "BatchWriteItem":
      return batchWriteItem(tables, input as BatchWriteInput);
    case "TransactWriteItems":
      return transactWriteItems(tables, input as TransactWriteInput);
    case "ExecuteStatement":
      return executeStatement(tables, input as StatementInput);
    case "BatchExecuteStatement":
      return batchExecuteStatement(
        tables,
        input as { Statements: readonly StatementInput[] },
        onError,
      );
    default:
      throw new AwsError("UnknownOperationException", `the null AWS does not know ${operation}`);
  }
}

function withAttributes(planned: PlannedWrite, input: Parameters<typeof carryOut>[1]): object {
  const Attributes = carryOut(planned, input);
  return Attributes ? { Attributes } : {};
}

/** @throws AwsError for a request that makes no sense */
function batchWriteItem(tables: Tables, { RequestItems }: BatchWriteInput): object {
  const plans = Object.entries(RequestItems).flatMap(([TableName, requests]) =>
    requests.map(({ PutRequest, DeleteRequest }) => {
      if (PutRequest) return planPut(tables, { TableName, Item: PutRequest.Item });
      if (DeleteRequest) return planDelete(tables, { TableName, Key: DeleteRequest.Key });
      throw invalid("a member of a batch does nothing");
    }),
  );
  if (plans.length === 0 || plans.length > MAX_WRITES) {
    throw invalid("Too many items requested for the BatchWriteItem call");
  }
  assertDifferent(plans.map(({ table, key }) => `${table.name}\n${key.hash}\n${key.sort}`));
  for (const { table, key, before, after } of plans) table.write(key, before, after);
  return { UnprocessedItems: {} };
}
