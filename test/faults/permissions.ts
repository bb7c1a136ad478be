import type { WireRequest } from "./aws-wire.ts";
import { idOf } from "./topology.ts";

const VERB_OF_STATEMENT = /^\s*(?<verb>INSERT|UPDATE|DELETE|SELECT)\b[^"]*"(?<table>[^"]+)"/i;

/**
 * What a request needs to be allowed to do, as policies name it: an action, and the logical id of
 * what it is about. Of DynamoDB and SQS alone: the others' resources are no names that requests hold.
 *
 * @param tableOf the logical id of a table, by its name
 */
export function neededFor(
  { service, operation, body }: WireRequest,
  tableOf: (name: string) => string,
): string[] {
  if (service === "sqs") {
    const action = operation.replace(/Batch$/, "");
    return [`sqs:${action} ${idOf(String(body.QueueUrl))}`];
  }
  if (service !== "dynamodb") return [];
  switch (operation) {
    case "ExecuteStatement":
      return [neededForStatement(body, tableOf)];
    case "BatchExecuteStatement":
      return (body.Statements as Record<string, unknown>[]).map((statement) =>
        neededForStatement(statement, tableOf),
      );
    case "BatchGetItem":
      return Object.keys(body.RequestItems as object).map(
        (name) => `dynamodb:BatchGetItem ${tableOf(name)}`,
      );
    case "TransactWriteItems":
      return (body.TransactItems as Record<string, { TableName: string }>[]).flatMap((item) =>
        Object.entries(item).map(
          ([kind, { TableName }]) =>
            `dynamodb:${kind}${kind === "ConditionCheck" ? "" : "Item"} ${tableOf(TableName)}`,
        ),
      );
    default: {
      const index = body.IndexName === undefined ? "" : `/index/${body.IndexName}`;
      return [`dynamodb:${operation} ${tableOf(String(body.TableName))}${index}`];
    }
  }
}

function neededForStatement(
  { Statement }: Record<string, unknown>,
  tableOf: (name: string) => string,
): string {
  const { verb = "", table = "" } = VERB_OF_STATEMENT.exec(String(Statement))?.groups ?? {};
  const action = verb.charAt(0).toUpperCase() + verb.slice(1).toLowerCase();
  return `dynamodb:PartiQL${action} ${tableOf(table)}`;
}
