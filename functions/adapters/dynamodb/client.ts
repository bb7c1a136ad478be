import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { awsClientConfig } from "../aws-client.ts";

/** A document client that leaves out fields without value; endpoint and region as the environment says. */
export function createDocumentClient(config: DynamoDBClientConfig = {}): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient({ ...awsClientConfig, ...config }), {
    marshallOptions: { removeUndefinedValues: true },
  });
}
