import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import type { DynamoDBRecord } from "aws-lambda";

const MT = { pk: "acme#id-1", sk: "MT" };

/** A record of the Messages table's stream, as Lambda hands it over. */
export function recordOf(
  sequenceNumber: string,
  after?: object,
  before?: object,
  key: { readonly pk: string; readonly sk: string } = MT,
): DynamoDBRecord {
  const image = (item: object) => marshall({ ...key, ...item }) as Record<string, AttributeValue>;
  return {
    eventName: after ? (before ? "MODIFY" : "INSERT") : "REMOVE",
    dynamodb: {
      SequenceNumber: sequenceNumber,
      Keys: marshall(key),
      ...(after && { NewImage: image(after) }),
      ...(before && { OldImage: image(before) }),
    },
  } as DynamoDBRecord;
}
